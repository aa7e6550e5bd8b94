# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What is written into a .vmx where a disk is to have other settings, or the VM another boot order. Pure.

Keys as VMware writes them: `scsi0:1.mode`, `sched.scsi0:1.shares`, `sched.scsi0:1.throughputCap`, `bios.hddOrder`.
"""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.vmx import escaped, vmx_settings
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Disk, VirtualMachine

_DISKS = "hdd"


def disk_settings(disk: Disk) -> dict[str, str | None]:
    """Returns the settings of a disk as it shall be; None takes a key away: the host's own value is meant then."""
    mode = (disk.disk_mode or "persistent").replace("_", "-")
    shares = str(disk.shares) if disk.shares_level == "custom" else disk.shares_level
    limited = disk.io_limit is not None and disk.io_limit >= 0
    return {
        f"{disk.address}.mode": None if mode == "persistent" else mode,
        f"sched.{disk.address}.shares": None if shares in (None, "normal") else shares,
        f"sched.{disk.address}.throughputCap": str(disk.io_limit) if limited else None,
    }


def boot_settings(machine: VirtualMachine, order: tuple[str, ...], text: str) -> dict[str, str | None]:
    """Returns the settings that make the disks of an order, which names addresses, start in it."""
    disks = [entry for entry in order if machine.disk_at(entry) is not None]
    kinds = [kind for kind in vmx_settings(text).get("bios.bootorder", "").split(",") if kind]
    if disks and _DISKS not in kinds:
        kinds.insert(0, _DISKS)
    return {"bios.bootOrder": ",".join(kinds) or None, "bios.hddOrder": ",".join(disks) or None}


def with_settings(text: str, settings: Mapping[str, str | None]) -> str:
    """Returns the text of a .vmx with these settings, every other line as it is."""
    wanted = {key.lower(): (key, value) for key, value in settings.items()}
    lines: list[str] = []
    for line in text.split("\n"):
        key = line.partition("=")[0].strip().lower()
        if key not in wanted:
            lines.append(line)
    while lines and not lines[-1]:
        lines.pop()
    lines += [f'{key} = "{escaped(value)}"' for key, value in wanted.values() if value is not None]
    return "\n".join(lines) + "\n"
