# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A call made ready: its disks, what stands against them, and in which order they are changed. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import DiskState, disk_state_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import STEP_SHUTDOWN_ASKED, JournalEntry
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Inventory,
    Power,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.disk_plan import (
    Action,
    DiskChange,
    DiskPlan,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request


@dataclass(frozen=True)
class Plan:
    """A call made ready: its disks in the order of their addresses, and the facts they were decided on."""

    request: Request
    inventory: Inventory
    machine: VirtualMachine
    disks: tuple[DiskPlan, ...]
    entries: Mapping[str, JournalEntry]
    blockers: tuple[Finding, ...]
    stopped_by_a_run: bool

    @cached_property
    def changes(self) -> tuple[DiskChange, ...]:
        """What a run carries out, in this order: what is attached to nothing, what was left open, and the rest.

        Disks that no run has begun with are changed only where none of them is blocked.
        """
        of_opened = {blocker for disk in self.disks if disk.address in self.entries for blocker in disk.blockers}
        blocked = any(blocker not in of_opened for blocker in self.blockers)
        possible: list[DiskChange] = []
        for change in self.disks:
            if not isinstance(change, DiskChange):
                continue
            if change.blockers:
                # An open entry whose disk still stands as it was can be given up whatever stands in the way, but not
                # while it is all that tells a later run to start a guest that may still go down.
                gives_up = change.action is Action.UNDO and self.stands(change, DiskState.OLD)
                if gives_up and not self._guest_may_go_down(change):
                    possible.append(change)
            elif change.address in self.entries or not blocked:
                possible.append(change)
        return tuple(
            sorted(possible, key=lambda change: (not self.is_half_way(change), change.address not in self.entries))
        )

    @cached_property
    def stops_the_vm(self) -> bool:
        """True where the VM is on and a disk has to be touched."""
        return self.machine.power is Power.ON and any(not self.stands_as_wanted(change) for change in self.changes)

    @property
    def starts_the_vm(self) -> bool:
        """True where the VM will have been stopped by a run, and is to be started again."""
        return self.request.restore_power and (self.stops_the_vm or self.stopped_by_a_run) and bool(self.changes)

    def stands(self, change: DiskChange, state: DiskState) -> bool:
        """Tells whether the disk stood there when all was read."""
        return disk_state_of(change.entry, self.machine, self.inventory.datastores) is state

    def is_half_way(self, disk: DiskPlan) -> bool:
        """Tells whether an earlier run left the disk attached to nothing."""
        return isinstance(disk, DiskChange) and self.stands(disk, DiskState.MISSING)

    def stands_as_wanted(self, change: DiskChange) -> bool:
        """Tells whether nothing of the disk itself has to change any more."""
        if change.action is Action.UNDO:
            return self.stands(change, DiskState.OLD)
        wanted_mode = change.entry.disk_mode if change.entry.wanted is Compatibility.VIRTUAL else None
        return self.stands(change, DiskState.NEW) and wanted_mode in (None, change.disk.disk_mode)

    def _guest_may_go_down(self, change: DiskChange) -> bool:
        return change.entry.step == STEP_SHUTDOWN_ASKED and self.machine.power is Power.ON
