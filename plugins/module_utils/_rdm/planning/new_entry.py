# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What is written down of a disk before it is changed. Pure."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import TOUCHED, JournalEntry, RecordedLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility, Disk
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.facts import PlanFacts

# A physical mapping has no disk mode, and yet the API refuses a new one without (domain of vim.vm.device.VirtualDisk).
_PHYSICAL_DISK_MODE = "independent_persistent"


def new_entry(facts: PlanFacts, disk: Disk, lun: HostLun, old_path: str, new_path: str) -> JournalEntry:
    """Returns what is written down of a disk before it is changed; the run that does it puts its id in."""
    request = facts.request
    if request.compatibility is Compatibility.PHYSICAL:
        disk_mode: str | None = _PHYSICAL_DISK_MODE
    else:
        disk_mode = request.disk_mode or "persistent"
    return JournalEntry(
        run="",
        lease=0,
        step=facts.step,
        address=disk.address,
        wanted=request.compatibility,
        old_mode=disk.compatibility or Compatibility.PHYSICAL,
        old_file=old_path,
        new_file=new_path,
        lun=RecordedLun.of(lun, lun.capacity_bytes or 0),
        power_before=facts.power_before,
        disk_mode=disk_mode,
        old_disk_mode=disk.disk_mode,
        old_disk_uuid=facts.survey.disk_uuids.get(disk.file) or disk.disk_uuid,
        sharing=disk.sharing,
        shares_level=disk.shares_level,
        shares=disk.shares,
        io_limit=disk.io_limit,
        io_reservation=disk.io_reservation,
        boot_order=facts.boot_order,
        label=disk.label,
    )


def with_settings_of(earlier: JournalEntry, entry: JournalEntry) -> JournalEntry:
    """Returns the record with the settings that the VM had before the earlier run took the disk off and put it back."""
    # A spare mapping that was made is removed first, whoever made it.
    entry = replace(entry, probing=earlier.probing)
    if earlier.step not in TOUCHED:
        return entry
    return replace(
        entry,
        old_disk_mode=earlier.old_disk_mode,
        sharing=earlier.sharing,
        shares_level=earlier.shares_level,
        shares=earlier.shares,
        io_limit=earlier.io_limit,
        io_reservation=earlier.io_reservation,
        label=earlier.label,
    )
