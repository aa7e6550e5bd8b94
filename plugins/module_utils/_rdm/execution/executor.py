# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The one executor: carries a plan out on an edge, and says of every disk what became of it.

The order is fixed: all entries of the journal, then the power, then disk by disk, then the power again, then the notes.
Nothing is kept only in memory: a run that is killed at any point is recognised by the next from the VM and its journal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    RefusalKind,
    StepRefused,
    StorageError,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import VmState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.device_steps import (
    Edit,
    Swap,
    blind_step_back,
    step_back,
    with_file_made_again,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import (
    DiskState,
    differences,
    disk_state_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution import swap
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.kept_files import (
    Deleted,
    delete_kept_mappings,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.one_at_a_time import drop_spare
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.own_files import (
    old_is_gone,
    remove_new_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.power import (
    Fingerprint,
    NotShutDown,
    start,
    switch_off,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.report import (
    ConversionReport,
    DiskResult,
    old_mapping_deleted,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import NotApplied, Run, TakenOver
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    DiskJournal,
    from_volume_path,
    journal_at,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning import steps
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.disk_plan import (
    Action,
    DiskChange,
    DiskPlan,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.plan import Plan
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.recovery import recovery_commands

# What a first write that is refused says about the user or the server, and not about this VM at this moment.
_FIRST_WRITE = {
    RefusalKind.LICENCE: BlockerCode.LICENSE_READ_ONLY,
    RefusalKind.NO_PRIVILEGE: BlockerCode.NO_PRIVILEGE,
}


class PlanIsStale(StorageError):
    """The VM is not what the plan was made on; nothing but records was written yet."""


class Unfit(StorageError):
    """A converted disk is not what it was verified to be, and the VM was not started with it."""

    def __init__(self, change: DiskChange, message: str) -> None:
        super().__init__(message)
        self.change = change


class Executor:
    """Carries out one plan."""

    def __init__(self, run: Run, plan: Plan, report: ConversionReport) -> None:
        self.run = run
        self.plan = plan
        self.request = plan.request
        self.report = report
        self.changes = plan.changes
        self.must_start = plan.stopped_by_a_run
        # Addresses of the disks that this run has begun with.
        self.begun: set[str] = set()
        # Addresses whose new file was there before this run could make it.
        self.not_its_own: set[str] = set()
        # Addresses of the disks that stand converted, and whose old mapping file is gone.
        self.old_gone: set[str] = set()
        # True once a disk could not be converted: no other is begun with after that.
        self.stopped_short = False

    def only_plan(self) -> None:
        """Fills the report with what would be done: the very plan that `execute` carries out."""
        self._report_blocked()
        report = self.report
        for change in self.changes:
            report.states[change.address] = DiskResult.WOULD_CONVERT
        report.steps = steps.planned_steps(self.plan)
        report.deleted = {address: list(files) for address, files in steps.planned_deletions(self.plan).items()}
        report.resumed = self._resumes
        report.changed = bool(report.steps)

    @property
    def _resumes(self) -> bool:
        """Whether something that an interrupted run left is among what can be done."""
        return any(change.address in self.plan.entries for change in self.changes)

    def stand_back(self, other: Finding) -> None:
        """Fills the report of a call that may do nothing, since another run works on the VM."""
        self._report_blocked()
        self.report.block([other])
        for change in self.changes:
            self.report.states[change.address] = DiskResult.BLOCKED

    def _report_blocked(self) -> None:
        """Says of every disk that the plan cannot change why, and how to recover one that was left half way."""
        self.report.block(self.plan.blockers)
        possible = {change.address for change in self.changes}
        for disk in self.plan.disks:
            if (disk.action is Action.KEEP and not disk.blockers) or disk.address in possible:
                continue
            self.report.states[disk.address] = DiskResult.BLOCKED
            if not isinstance(disk, DiskChange) or not disk.blockers or disk.address not in self.plan.entries:
                continue
            if not self.plan.stands(disk, DiskState.OLD):
                self._fail(disk)

    def execute(self) -> None:
        """Does the call. Whatever happens, the report says of every disk where it stands."""
        self._report_blocked()
        try:
            if self.changes and self._claim():
                self._change_disks()
            if self.request.delete_old_mapping and not self.report.failure():
                self._delete_old()
        except TakenOver as taken:
            self.report.fail(str(taken))
            self._mark_open(DiskResult.TAKEN_OVER)
        except PlanIsStale:
            raise
        except StorageError as error:
            self.report.fail(str(error))
            self._mark_open(DiskResult.FAILED)
        self._look_back()

    def _claim(self) -> bool:
        """Writes all entries of the call at once: the first write. Returns False where that is forbidden."""
        run, plan = self.run, self.plan
        entries = {change.address: replace(change.entry, run=run.run_id) for change in self.changes}
        planned, fingerprint = dict(plan.machine.journal), Fingerprint.of(plan.machine)

        def claim(state: VmState) -> None:
            machine = state.machine
            if dict(machine.journal) != planned or machine.power is not plan.machine.power:
                raise PlanIsStale(f"{machine.name} was changed by somebody else while the plan was made.")
            if Fingerprint.of(machine) != fingerprint:
                raise PlanIsStale(f"Disks, snapshots or host of {machine.name} changed while the plan was made.")
            run.held = dict(entries)
            journal = run.renewed_journal(machine)
            run.held = {}
            run.backend.claim(machine, journal)

        self.report.step(steps.record_step(self.changes))
        self.report.resumed = self._resumes
        try:
            run.converge(lambda state: all(run.owns(state, address) for address in entries), claim)
        except NotApplied as gone:
            # The entries were written, and are another run's: both claimed at once, or this one was away for longer
            # than its lease. Nothing else was done, so it waits for the other as it would have before.
            raise PlanIsStale(f"Another run has claimed {plan.machine.name}.") from gone
        except StepRefused as refusal:
            self.report.steps.clear()
            code = _FIRST_WRITE.get(refusal.kind)
            for change in self.changes:
                self._leave(change, DiskResult.BLOCKED if code else DiskResult.NOT_STARTED)
            if code is None:
                raise
            self.report.block([Finding.blocker(code, refusal.message, refusal.hint or "", plan.machine.name)])
            return False
        run.held = entries
        return True

    def _change_disks(self) -> None:
        """Power, disks, power, notes."""
        if self.plan.stops_the_vm and not self._switch_off():
            return
        for change in self.changes:
            self._change_disk(change)
        if self._may_start() and not self._start():
            return
        self._give_back(self.changes)

    def _switch_off(self) -> bool:
        """Stops the VM, and reads all anew: others may have come to use a LUN while the guest was shutting down."""
        self.report.step(steps.power_off_step(self.request))
        try:
            self.must_start = switch_off(self.run, self.request, self.plan.machine)
        except NotShutDown as refusal:
            self.report.fail(str(refusal))
            for change in self.changes:
                self._leave(change, DiskResult.BLOCKED)
            self._give_back([change for change in self.changes if self.plan.stands(change, DiskState.OLD)])
            return False
        except TakenOver:
            raise
        except StorageError as error:
            # The guest may still go down: the entries stay, so that the next run starts it again.
            self.report.fail(str(error))
            for change in self.changes:
                self._leave(change, DiskResult.NOT_STARTED)
            return False
        self.plan = replace(self.plan, inventory=self.run.inventory_as_owner())
        return True

    def _change_disk(self, change: DiskChange) -> None:
        states, address = self.report.states, change.address
        earlier = self.stopped_short
        late = earlier or self.run.time_is_up()
        if change.action is not Action.UNDO and late and not self.plan.stands(change, DiskState.NEW):
            if not self.plan.is_half_way(change):
                states[address] = DiskResult.NOT_STARTED
                if not earlier:
                    self.report.fail(
                        f"The time of {self.request.timeout:g} s was over before {address} was begun with."
                    )
                return
            self._undo(change)
            return
        self.report.step(steps.disk_step(change, self.plan))
        if change.action is Action.UNDO:
            self._undo(change)
            return
        self.begun.add(address)
        try:
            self._stands_converted(change, swap.convert(self.run, change, self.request, self.plan.inventory))
            return
        except TakenOver:
            raise
        except swap.Blocked as blocked:
            self.report.block(blocked.blockers)
            states[address] = DiskResult.BLOCKED
        except swap.NotStarted as started:
            self.report.fail(str(started))
            states[address] = DiskResult.NOT_STARTED
        except StorageError as error:
            self.report.fail(f"{address}: {error}")
            if isinstance(error, StepRefused) and error.kind is RefusalKind.FILE_EXISTS:
                self.not_its_own.add(address)
            self._undo(change)
        self.stopped_short = True

    def _stands_converted(self, change: DiskChange, state: VmState) -> None:
        self.report.states[change.address] = DiskResult.CONVERTED
        if old_is_gone(self.run, self.run.held[change.address], state):
            self.old_gone.add(change.address)

    def _undo(self, change: DiskChange) -> None:
        states, address = self.report.states, change.address
        self.begun.add(address)
        if change.entry.deletes_only:
            # The disk was never touched: only the entry has to be closed.
            states[address] = DiskResult.UNCHANGED
            return
        try:
            swap.undo(self.run, change)
            states[address] = DiskResult.ROLLED_BACK
            self.old_gone.discard(address)
        except TakenOver:
            raise
        except StorageError as error:
            if isinstance(error, swap.StartedByOther) and self._verified(change):
                self._stands_converted(change, self.run.read_vm())
                return
            self.report.fail(f"{address} could not be put back: {error}")
            self._fail(change)

    def _verified(self, change: DiskChange) -> bool:
        return change.action is not Action.UNDO and not swap.verify(self.run, change)

    def _may_start(self) -> bool:
        failed = DiskResult.FAILED in self.report.states.values()
        return self.must_start and self.request.restore_power and not failed

    def _start(self) -> bool:
        """Starts the VM and verifies once more; returns False where the entries must stay open."""
        self.report.step(steps.power_on_step())

        def verify(state: VmState) -> None:
            for change in self._converted():
                wrong = differences(self.run.held[change.address], state, DiskState.NEW)
                if wrong:
                    raise Unfit(change, f"{change.address} is not as wanted before the start: {'; '.join(wrong)}.")

        try:
            start(self.run, verify)
        except TakenOver:
            raise
        except StorageError as error:
            self.report.fail(f"The VM could not be started: {error}")
            unfit = [error.change] if isinstance(error, Unfit) else []
            named = unfit or [change for change in self._converted() if _names_disk(str(error), change)]
            for change in named:
                self._undo(change)
            if not named or not self._may_start():
                return False
            try:
                start(self.run, verify)
            except TakenOver:
                raise
            except StorageError as again:
                self.report.fail(f"Nor with the old mappings: {again}")
                return False
        for change in self._converted():
            wrong = swap.verify(self.run, change)
            if wrong:
                self.report.fail(f"{change.address} is not as wanted after the start: {'; '.join(wrong)}.")
                self._fail(change)
        return True

    def _converted(self) -> list[DiskChange]:
        states = self.report.states
        return [change for change in self.changes if states.get(change.address) is DiskResult.CONVERTED]

    def _give_back(self, changes: Sequence[DiskChange]) -> None:
        """Shrinks the records to notes, but for the disks that stand neither here nor there, or whose new file that
        serves nobody could not be removed: without its record it would be a stranger's to the next run."""
        states = self.report.states
        standing = [change for change in changes if states.get(change.address) is not DiskResult.FAILED]
        closing = [change for change in standing if not self._leaves_a_file(change)]
        if not closing:
            return
        run = self.run
        converted = {change.address for change in self._converted()}

        def closed(state: VmState) -> dict[str, DiskJournal | None]:
            return {
                change.address: self._closed(state, change.address, change.address in converted) for change in closing
            }

        def done(state: VmState) -> bool:
            present = [journal_at(state.machine, change.address) for change in closing]
            return all(journal is None or journal.entry is None for journal in present)

        if len(closing) == len(changes):
            self.report.step(steps.note_step(closing))
        run.save(done, closed)
        for change in closing:
            run.held.pop(change.address, None)

    def _leaves_a_file(self, change: DiskChange) -> bool:
        """Removes what this run or an earlier one made for a disk that is not converted; tells whether it is left."""
        address = change.address
        if not drop_spare(self.run, address):
            return True
        converted = self.report.states.get(address) is DiskResult.CONVERTED
        made = address in self.plan.entries or address in self.begun - self.not_its_own
        if converted or not made:
            return False
        return not remove_new_file(self.run, self.run.held[address], self.run.read_vm())

    def _closed(self, state: VmState, address: str, converted: bool) -> DiskJournal:
        """Returns the journal without its open entry, with the old mapping that a converted disk leaves behind."""
        present = journal_at(state.machine, address) or DiskJournal("")
        entry = self.run.held[address]
        if not converted or entry.edits_only:
            return present.closed()
        kept = tuple(one for one in present.kept if one.old_file not in (entry.new_file, entry.old_file))
        if address in self.old_gone:
            return DiskJournal(present.machine, None, kept)
        return DiskJournal(present.machine, None, (*kept, entry.kept_mapping))

    def _delete_old(self) -> None:
        addresses = [disk.address for disk in self.plan.disks if self._may_delete(disk)]
        deleted = Deleted()
        try:
            delete_kept_mappings(self.run, self.request, addresses, deleted)
        finally:
            self.report.block(deleted.refusals)
            for address, file in deleted.files:
                self.report.step(steps.delete_step(address, file))
                self.report.delete(address, file)

    def _may_delete(self, disk: DiskPlan) -> bool:
        if isinstance(disk, DiskChange) and disk.action is Action.UNDO and not disk.entry.deletes_only:
            return False
        state = self.report.states.get(disk.address, DiskResult.UNCHANGED)
        return state in (DiskResult.CONVERTED, DiskResult.UNCHANGED)

    def _leave(self, change: DiskChange, state: DiskResult) -> None:
        """Says of a disk that was not touched in this run where it stands; one left half way by another run failed."""
        if self.plan.is_half_way(change):
            self._fail(change)
        else:
            self.report.states[change.address] = state

    def _mark_open(self, state: DiskResult) -> None:
        """Marks the disks of which nothing final is known, and gives the commands where they stand half way."""
        for change in self.changes:
            known = self.report.states.get(change.address)
            if known not in (None, DiskResult.CONVERTED) or change.address not in self.run.held:
                continue
            if state is not DiskResult.FAILED:
                self.report.states[change.address] = state
            elif known is None and change.address not in self.begun:
                self._leave(change, DiskResult.NOT_STARTED)
            elif known is not DiskResult.CONVERTED or not self._still_stands(change):
                # Of one that is converted only the entry could not be closed; the next run does that.
                self._fail(change)

    def _still_stands(self, change: DiskChange) -> bool:
        try:
            return not swap.verify(self.run, change)
        except StorageError:
            return False

    def _fail(self, change: DiskChange) -> None:
        """Says that a disk is left neither converted nor as it was, and how a person puts it right."""
        self.report.states[change.address] = DiskResult.FAILED
        plan, entry = self.plan, self.run.held.get(change.address, change.entry)
        given_up = entry if entry.one_at_a_time else None
        try:
            state = self.run.read_vm()
            if disk_state_of(entry, state.machine, state.datastores) is DiskState.OLD:
                return
            step: Swap | Edit = step_back(entry, state)
            if given_up is None and entry.old_file in self.run.backend.lost_files:
                step = with_file_made_again(step, entry, state)
            commands = recovery_commands(state.machine, state.host, step, given_up)
        except StorageError:
            step = blind_step_back(entry, change.disk, plan.inventory.datastores)
            commands = recovery_commands(plan.machine, plan.inventory.host_of(plan.machine), step, given_up)
        self.report.recovery.extend(command for command in commands if command not in self.report.recovery)

    def _tell_gone(self, change: DiskChange) -> None:
        """Says of a converted disk that its old mapping is not there any more."""
        file = from_volume_path(change.entry.old_file, self.plan.inventory.datastores)
        if change.entry.old_file in self.run.backend.lost_files:
            return
        self.report.delete(change.address, file)
        if not self.request.delete_old_mapping:
            self.report.findings.append(old_mapping_deleted(change.entry, file))

    def _look_back(self) -> None:
        """Reads the VM once more, so that the report says what is, not what was meant."""
        self.report.changed = self.run.changed
        self.report.warnings = self.run.warnings
        for change in self._converted():
            if change.address in self.old_gone:
                self._tell_gone(change)
        if not self.run.changed:
            return
        try:
            machine = self.run.read_machine()
        except StorageError as error:
            self.report.fail(f"The VM could not be read again: {error}")
            return
        self.report.power_after = machine.power
        for disk in self.plan.disks:
            self.report.after[disk.address] = machine.disk_at(disk.address)


def _names_disk(text: str, change: DiskChange) -> bool:
    """Tells whether the server's words about a failed start are about this disk."""
    entry = change.entry
    name = entry.new_file.rpartition("/")[2]
    names = [name, name.removesuffix(".vmdk"), change.disk.label, entry.lun.canonical_name, entry.lun.vml]
    # Whole words: "Hard disk 2" is not meant by "Hard disk 21".
    return any(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) for word in names if word)
