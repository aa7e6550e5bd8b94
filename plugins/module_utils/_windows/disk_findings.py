# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What is worth knowing of the disks of a Windows machine. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._windows import words
from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_sizes import (
    sizes_agree,
    truncated_at_2_tib,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.model import Disk, MachineDisks

_PARTS = {
    "cache": "an update of what Windows keeps of its disks, so that sizes may be old",
    "machine": "UUID, serial and build of the machine",
    "disks": "the disks of the Storage classes (MSFT_Disk)",
    "partitions": "the partitions",
    "physical": "the physical disks (MSFT_PhysicalDisk), so that members of storage pools are not known",
    "volumes": "the volumes",
    "san_policy": "the SAN policy",
}
_RIGHTS = "Give the user a session with an elevated token: a domain account among the local Administrators."


def machine_findings(facts: MachineDisks) -> Iterator[Finding]:
    """Yields what is to be said of the machine as a whole."""
    name = facts.machine.name or "the machine"
    for unread in facts.unread_parts:
        what = _PARTS.get(unread.part, unread.part)
        yield Finding("unreadable", "warning", f"Windows did not give {what}: {unread.message}", _RIGHTS, name)
    if all(disk.offline is None for disk in facts.disks) and "disks" not in {one.part for one in facts.unread_parts}:
        message = "The Storage classes of Windows (MSFT_Disk) list no disk at all, although there are some."
        yield Finding("unreadable", "warning", message, _RIGHTS, name)


def disk_findings(disk: Disk) -> Iterator[Finding]:
    """Yields what is to be said of one disk."""
    sizes = disk.sizes
    if sizes_agree(disk) is False:
        told = {
            "Disk Management (MSFT_Disk)": sizes.disk,
            "Win32_DiskDrive": sizes.wmi,
            "MSFT_PhysicalDisk": sizes.physical,
            "the end of its last partition": sizes.partitions_end,
        }
        shown = ", ".join(f"{name}: {size}" for name, size in told.items() if size is not None)
        yield Finding(
            "disk_sizes_differ",
            "warning",
            f"Windows tells several sizes of {disk.title} (bytes): {shown}. Its storage stack sees two sizes.",
            "If it is a raw device mapping in physical mode, shadow copies on it may fail: try shadow_copy_test. "
            "Else look at its driver and firmware.",
            disk.title,
        )
    if truncated_at_2_tib(disk):
        yield Finding(
            "disk_truncated_at_2_tib",
            "error",
            f"One size of {disk.title} is another one less a multiple of 2 TiB: something below Windows keeps only 32 "
            "bits of the number of its sectors.",
            "Do not write beyond 2 TiB on it. Look at its driver, or at the mode of its raw device mapping.",
            disk.title,
        )
    if disk.offline:
        reason = (disk.offline_reason or "a reason that Windows does not tell").replace("_", " ")
        lift = "Bring it online with windows_disk." if disk.offline_reason == words.POLICY else "See to that first."
        yield Finding("disk_offline", "warning", f"{disk.title} is offline ({reason}).", lift, disk.title)
    elif disk.offline is False and disk.read_only:
        message = f"{disk.title} is online and read-only."
        yield Finding("disk_read_only", "warning", message, "Make it writable with windows_disk.", disk.title)
