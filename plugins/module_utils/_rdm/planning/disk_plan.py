# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""One disk of a plan: kept, edited, converted, finished or undone. Pure.

What may stop a VM or change a disk is a `DiskChange`, and there is none without its journal entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import JournalEntry, KeptMapping
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Disk


class Action(StrEnum):
    """What has to be done with a disk."""

    KEEP = "keep"
    EDIT = "edit"
    CONVERT = "convert"
    FINISH = "finish"
    UNDO = "undo"


@dataclass(frozen=True, kw_only=True)
class DiskPlan:
    """A disk, its LUN where the VM's host shows it, what stands against the action, and kept files to delete."""

    disk: Disk
    action: Action
    lun: HostLun | None = None
    blockers: tuple[Finding, ...] = ()
    deletions: tuple[KeptMapping, ...] = ()

    @property
    def address(self) -> str:
        """Where the disk hangs ("scsi0:1")."""
        return self.disk.address


@dataclass(frozen=True, kw_only=True)
class DiskChange(DiskPlan):
    """A disk that will be changed, with the entry that is open or will be written for it."""

    entry: JournalEntry
    attach_existing: bool = False
    # Where the host takes no second mapping of the LUN, the old file may be deleted before the new one is made: it is
    # known what it is, and it can be made again as it was.
    old_may_go_first: bool = False
