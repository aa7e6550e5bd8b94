# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What stands against a conversion: every reason at once, each with what was seen and what to do. Pure.

The order is that of the site's table of codes. A fact that is not known blocks nothing here; `unchecked_codes`
names the codes that need a further look.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.lun import check_lun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.machine import (
    check_address,
    check_change_tracking,
    check_host,
    check_journal,
    check_power,
    check_snapshots,
    check_state,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.target import (
    Target,
    check_rights,
    check_target,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import own_entries
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_index import LunIndex
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Disk,
    DiskKind,
    Inventory,
    VirtualMachine,
)

_ORDER: dict[str, int] = {code: position for position, code in enumerate(BlockerCode)}
_LOOK_AT_MAPPING = "Look at it on the host with vmkfstools -q, and map the LUN anew if the file is not what it says."


def check_conversion(
    inventory: Inventory,
    machine: VirtualMachine,
    disk: Disk,
    wanted: Compatibility,
    *,
    target: Target | None = None,
    power: str = "refuse",
    override: frozenset[str] = frozenset(),
    lun_index: LunIndex | None = None,
) -> tuple[Finding, ...]:
    """Returns every reason not to bring a disk into the wanted mode, as far as the facts at hand tell, in table order.

    `lun_index` is that of the inventory, where the caller has it already.
    """
    found = [
        *check_power(machine, power),
        *check_snapshots(machine, disk),
        *_check_mode(machine, disk, target),
        *_check_sharing(machine, disk),
        *check_lun(inventory, machine, disk, lun_index or LunIndex.of(inventory)),
        *check_target(inventory, machine, target, wanted),
        *check_address(machine, disk),
        *check_state(machine, disk),
        *check_host(inventory, machine),
        *check_rights(machine, target),
        *check_journal(machine),
        *check_change_tracking(machine, disk, wanted),
    ]
    standing = (blocker for blocker in found if not (blocker.overridable and blocker.code in override))
    return tuple(sorted(dict.fromkeys(standing), key=lambda blocker: _ORDER[blocker.code]))


def unchecked_codes(
    inventory: Inventory, machine: VirtualMachine, disk: Disk, target: Target | None
) -> tuple[str, ...]:
    """Returns the codes that need a look into a folder or a file, or a question to the server, not yet taken."""
    doubtful = {
        BlockerCode.TARGET_FILE_EXISTS: target is None or target.listing is None,
        BlockerCode.DATASTORE_UNSUITABLE: target is None,
        BlockerCode.DATASTORE_FULL: target is None,
        BlockerCode.MODE_DISAGREES: disk.extent is None,
        BlockerCode.LUN_MISSING: inventory.host_of(machine) is None,
        BlockerCode.NO_PRIVILEGE: target is None or target.missing_privileges is None,
        BlockerCode.RUN_IN_PROGRESS: bool(own_entries(machine)),
    }
    return tuple(code for code in BlockerCode if doubtful.get(code))


def untold_codes(group: Sequence[HostLun]) -> tuple[str, ...]:
    """Returns the codes that no look decides, since a host that sees the LUN does not tell: before vSphere 6.7 U2 none
    tells whether a LUN is perennially reserved (vSphere API, ScsiLun.perenniallyReserved)."""
    return (BlockerCode.PERENNIALLY_RESERVED,) if any(lun.perennially_reserved is None for lun in group) else ()


def _check_mode(machine: VirtualMachine, disk: Disk, target: Target | None) -> Iterator[Finding]:
    if disk.kind is not DiskKind.MAPPING:
        yield Finding.blocker(
            BlockerCode.NOT_A_MAPPING,
            f"{disk.label} of {machine.name} ({disk.file}) is no raw device mapping.",
            "Name a disk that is one.",
            disk.file,
        )
        return
    if disk.compatibility is None:
        yield Finding.blocker(
            BlockerCode.MODE_DISAGREES,
            f"The compatibility mode of {disk.file} could not be read.",
            _LOOK_AT_MAPPING,
            disk.file,
        )
    elif disk.extent is not None and disk.extent.endswith(("-rdm.vmdk", "-rdmp.vmdk")):
        by_extent = Compatibility.PHYSICAL if disk.extent.endswith("-rdmp.vmdk") else Compatibility.VIRTUAL
        if by_extent is not disk.compatibility:
            yield Finding.blocker(
                BlockerCode.MODE_DISAGREES,
                f"{disk.file} is shown as {disk.compatibility.value}, and its extent {disk.extent} is that of a "
                f"{by_extent.value} mapping.",
                _LOOK_AT_MAPPING,
                disk.file,
            )
            return
    descriptor = (target.listing or {}).get(disk.base_file) if target is not None else None
    if descriptor is None:
        return
    if descriptor.kind not in (None, DiskKind.MAPPING):
        yield Finding.blocker(
            BlockerCode.MODE_DISAGREES,
            f"{disk.base_file} is shown as a mapping, and its descriptor is of kind {descriptor.kind.value}.",
            _LOOK_AT_MAPPING,
            disk.file,
        )
    elif descriptor.compatibility is not None and disk.compatibility not in (None, descriptor.compatibility):
        yield Finding.blocker(
            BlockerCode.MODE_DISAGREES,
            f"{disk.base_file} is shown as {disk.compatibility.value}, and its descriptor is that of a "
            f"{descriptor.compatibility.value} mapping.",
            _LOOK_AT_MAPPING,
            disk.file,
        )


def _check_sharing(machine: VirtualMachine, disk: Disk) -> Iterator[Finding]:
    if disk.controller.shared_bus != "none":
        yield Finding.blocker(
            BlockerCode.BUS_SHARING,
            f"{disk.address} of {machine.name} is on a controller with {disk.controller.shared_bus} bus sharing.",
            "Leave the disk as it is: a cluster across hosts needs physical mode, or a clustered VMDK (from 7.0 on).",
            f"{machine.name} {disk.address}",
        )
    if disk.sharing not in (None, "none"):
        yield Finding.blocker(
            BlockerCode.MULTI_WRITER,
            f"{disk.address} of {machine.name} is shared by several writers.",
            "Take the sharing off first, or leave the disk as it is.",
            f"{machine.name} {disk.address}",
        )
