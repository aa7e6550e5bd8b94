# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The boot order of a VM as the collection writes it, whichever way it was read. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Disk

# The types of its entries are "BootableDisk" and alike (vSphere API, VirtualMachineBootOptionsBootableDevice).
_BOOTABLE = "Bootable"


def boot_order_of(entries: Iterable[tuple[str, int | None]], disks: Sequence[Disk]) -> tuple[str, ...]:
    """Returns the boot order: disks by address, network adapters as "ethernet:<key>", the rest by kind.

    `entries` are the name of the type of each entry, and the key of its device where it has one."""
    addresses = {disk.key: disk.address for disk in disks}
    order: list[str] = []
    for type_name, key in entries:
        kind = type_name.rpartition(_BOOTABLE)[2].removesuffix("Device").lower()
        if kind == "disk":
            order.append(addresses.get(key or 0, f"disk:{key}"))
        else:
            order.append(f"{kind}:{key}" if key is not None else kind)
    return tuple(order)
