# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The one executor: carries a plan call out on an edge, and says of every disk what became of it.

The order is fixed: all records, then the power, then disk by disk, then the power again, then the notes. Nothing is
kept only in memory: a run that is killed at any point is recognised by the next from the VM and its records.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StepRefused, StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import Change, VmState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_plan import (
    Action,
    DiskPlan,
    DiskState,
    backward_change,
    blind_backward_change,
    differences,
    disk_state_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution import report as outcome
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution import swap
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.kept_files import (
    NotDeleted,
    delete_old_mappings,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.power import (
    Fingerprint,
    NotShutDown,
    start,
    switch_off,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.report import ConversionReport
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import (
    NOT_AS_CONFIGURED,
    Run,
    TakenOver,
    journal_at,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    STEP_SHUTDOWN_ASKED,
    DiskJournal,
    to_text,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility, Power
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.plan import Plan, noted
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request


class PlanIsStale(StorageError):
    """The VM is not what the plan was made on; nothing was written yet."""


class Unfit(StorageError):
    """A converted disk is not what it was verified to be, and the VM was not started with it."""

    def __init__(self, disk_plan: DiskPlan, message: str) -> None:
        super().__init__(message)
        self.disk_plan = disk_plan


class Executor:
    """Carries out one plan call."""

    def __init__(self, run: Run, request: Request, plan: Plan, report: ConversionReport) -> None:
        self.run = run
        self.request = request
        self.plan = plan
        self.report = report
        self.must_start = plan.stopped_by_a_run
        # True once a disk could not be converted: no other is begun with after that.
        self.stopped_short = False
        self.disk_plans = self._possible_works()

    def _possible_works(self) -> tuple[DiskPlan, ...]:
        """Open records come first; disks not yet begun with only where none of them is blocked."""
        opened = self.plan.open_records
        of_opened = {
            blocker
            for disk_plan in self.plan.disk_plans
            if disk_plan.address in opened
            for blocker in disk_plan.blockers
        }
        blocked = any(blocker not in of_opened for blocker in self.plan.blockers)
        possible: list[DiskPlan] = []
        for disk_plan in self.plan.disk_plans:
            if disk_plan.blockers:
                # An open record whose disk still stands as it was can be given up whatever stands in the way, but not
                # while it is all that tells a later run to start a guest that may still go down.
                if (
                    disk_plan.action is Action.UNDO
                    and self._stands(disk_plan, DiskState.OLD)
                    and not self._may_go_down(disk_plan)
                ):
                    possible.append(disk_plan)
            elif disk_plan.action is not Action.KEEP and (disk_plan.address in opened or not blocked):
                possible.append(disk_plan)
        # What is attached to nothing comes first of all.
        return tuple(
            sorted(possible, key=lambda disk_plan: (not self._is_half_way(disk_plan), disk_plan.address not in opened))
        )

    def _stands(self, disk_plan: DiskPlan, disk_state: DiskState) -> bool:
        plan = self.plan
        entry = disk_plan.entry
        return entry is not None and disk_state_of(entry, plan.machine, plan.inventory.datastores) is disk_state

    def _may_go_down(self, disk_plan: DiskPlan) -> bool:
        asked = disk_plan.entry is not None and disk_plan.entry.step == STEP_SHUTDOWN_ASKED
        return asked and self.plan.machine.power is Power.ON

    def only_plan(self) -> None:
        """Fills the report with what would be done."""
        report, opened = self.report, self.plan.open_records
        self._report_blocked()
        possible = {disk_plan.address for disk_plan in self.disk_plans} if not report.blockers else set()
        for disk_plan in self.disk_plans:
            blocked = disk_plan.address not in possible
            report.states[disk_plan.address] = outcome.BLOCKED if blocked else outcome.WOULD_CONVERT
        runnable = [disk_plan for disk_plan in self.disk_plans if disk_plan.address in possible]
        runnable += [disk_plan for disk_plan in self.plan.disk_plans if disk_plan.action is Action.KEEP]
        report.steps = outcome.planned_steps(self.plan, runnable, self.request)
        report.resumed = bool(opened)
        report.changed = bool(report.steps) and not report.blockers

    def _report_blocked(self) -> None:
        possible = {disk_plan.address for disk_plan in self.disk_plans}
        self.report.block(self.plan.blockers)
        for disk_plan in self.plan.disk_plans:
            if disk_plan.action is Action.KEEP or disk_plan.address in possible:
                continue
            half_done = disk_plan.address in self.plan.open_records and not self._stands(disk_plan, DiskState.OLD)
            if half_done and disk_plan.blockers:
                self.report.states[disk_plan.address] = outcome.FAILED
                self._add_recovery(disk_plan)
            else:
                self.report.states[disk_plan.address] = outcome.BLOCKED

    def execute(self) -> None:
        """Does the call. Whatever happens, the report says of every disk where it stands."""
        self._report_blocked()
        try:
            if self.disk_plans and self._claim():
                self._change_disks()
            if self.request.delete_old_mapping and not self.report.failure():
                self._delete_old()
        except TakenOver as taken:
            self.report.fail(str(taken))
            self._mark_open(outcome.TAKEN_OVER)
        except PlanIsStale:
            raise
        except StorageError as error:
            self.report.fail(str(error))
            self._mark_open(outcome.FAILED)
        self._look_back()

    def _claim(self) -> bool:
        """Writes all records of the call in one reconfigure: the first write. Returns False where that is forbidden."""
        run, plan = self.run, self.plan
        held = {disk_plan.address: disk_plan.entry for disk_plan in self.disk_plans if disk_plan.entry is not None}
        held = {address: replace(entry, run=run.run_id) for address, entry in held.items()}
        planned_texts, fingerprint = dict(plan.machine.records), Fingerprint.of(plan.machine)

        def done(vm_state: VmState) -> bool:
            records = [journal_at(vm_state.machine, address) for address in held]
            return all(entry is not None and entry.open and entry.open.run == run.run_id for entry in records)

        def change(vm_state: VmState) -> Change:
            machine = vm_state.machine
            if dict(machine.records) != planned_texts or machine.power is not plan.machine.power:
                raise PlanIsStale(f"{machine.name} was changed by somebody else while the plan was made.")
            if Fingerprint.of(machine) != fingerprint:
                raise PlanIsStale(f"Disks, snapshots or host of {machine.name} changed while the plan was made.")
            run.held = dict(held)
            texts = run.record_texts(machine)
            run.held = {}
            return Change(records=texts)

        self.report.step(outcome.record_step(self.disk_plans))
        self.report.resumed = bool(plan.open_records)
        try:
            run.converge(done, change)
        except StepRefused as refusal:
            if refusal.fault == NOT_AS_CONFIGURED:
                # The records were written, and are another run's by now: this one was away for longer than its lease.
                run.changed = True
                self.report.states.update({disk_plan.address: outcome.TAKEN_OVER for disk_plan in self.disk_plans})
                raise TakenOver(f"Another run has taken over {plan.machine.name}.") from refusal
            self.report.steps.clear()
            for disk_plan in self.disk_plans:
                self._leave(disk_plan, outcome.FAILED)
            blocker = _blocker_of_first_write(refusal, plan.machine.name)
            if blocker is None:
                raise
            self.report.block([blocker])
            for disk_plan in self.disk_plans:
                self._leave(disk_plan, outcome.BLOCKED)
            return False
        run.held = held
        return True

    def _change_disks(self) -> None:
        """Power, disks, power, notes."""
        disk_plans = list(self.disk_plans)
        if self._needs_power_off():
            self.report.step(outcome.power_off_step(self.request))
            try:
                self.must_start = switch_off(self.run, self.request, self.plan.machine)
            except NotShutDown as refusal:
                self.report.fail(str(refusal))
                for disk_plan in disk_plans:
                    self._leave(disk_plan, outcome.BLOCKED)
                self._give_back([disk_plan for disk_plan in disk_plans if self._stands(disk_plan, DiskState.OLD)])
                return
            except TakenOver:
                raise
            except StorageError as error:
                # The guest may still go down: the records stay, so that the next run starts it again.
                self.report.fail(str(error))
                for disk_plan in disk_plans:
                    self._leave(disk_plan, outcome.NOT_BEGUN)
                return
            # Others may have come to use a LUN while the guest was shutting down: all is read anew.
            self.plan = replace(self.plan, inventory=self.run.inventory())
        for disk_plan in disk_plans:
            self._change_disk(disk_plan)
        if self._may_start() and not self._start():
            return
        self._give_back(disk_plans)

    def _leave(self, disk_plan: DiskPlan, state: str) -> None:
        """Says of a disk that was not touched in this run where it stands; one left half way by another run failed."""
        if self._is_half_way(disk_plan):
            self.report.states[disk_plan.address] = outcome.FAILED
            self._add_recovery(disk_plan)
        else:
            self.report.states[disk_plan.address] = state

    def _needs_power_off(self) -> bool:
        touching = [disk_plan for disk_plan in self.disk_plans if not self._stands_as_wanted(disk_plan)]
        return bool(touching) and self.plan.machine.power is Power.ON

    def _stands_as_wanted(self, disk_plan: DiskPlan) -> bool:
        if disk_plan.action is Action.UNDO:
            return self._stands(disk_plan, DiskState.OLD)
        wanted_mode = (
            disk_plan.entry.disk_mode if disk_plan.entry and disk_plan.entry.wanted is Compatibility.VIRTUAL else None
        )
        return self._stands(disk_plan, DiskState.NEW) and wanted_mode in (None, disk_plan.disk.disk_mode)

    def _change_disk(self, disk_plan: DiskPlan) -> None:
        states, address = self.report.states, disk_plan.address
        earlier = self.stopped_short
        if (
            disk_plan.action is not Action.UNDO
            and (earlier or self.run.time_is_up())
            and not self._stands(disk_plan, DiskState.NEW)
        ):
            if not self._is_half_way(disk_plan):
                states[address] = outcome.NOT_BEGUN
                if not earlier:
                    self.report.fail(
                        f"The time of {self.request.timeout:g} s was over before {address} was begun with."
                    )
                return
            self._undo(disk_plan)
            return
        self.report.step(outcome.disk_step(disk_plan, self.plan))
        if disk_plan.action is Action.UNDO:
            self._undo(disk_plan)
            return
        try:
            swap.convert(self.run, disk_plan, self.request, self.plan.inventory)
            states[address] = outcome.CONVERTED
            return
        except TakenOver:
            raise
        except swap.Blocked as blocked:
            self.report.block(blocked.blockers)
            states[address] = outcome.BLOCKED
        except swap.NotStarted as started:
            self.report.fail(str(started))
            states[address] = outcome.NOT_BEGUN
        except StorageError as error:
            self.report.fail(f"{address}: {error}")
            # A file that was there before this run could make it is not this run's to remove.
            exists = isinstance(error, StepRefused) and error.fault == "FileAlreadyExists"
            self._undo(disk_plan, keeps_new_file=exists)
        self.stopped_short = True

    def _is_half_way(self, disk_plan: DiskPlan) -> bool:
        return self._stands(disk_plan, DiskState.MISSING)

    def _undo(self, disk_plan: DiskPlan, *, keeps_new_file: bool = False) -> None:
        states, address = self.report.states, disk_plan.address
        try:
            swap.undo(self.run, disk_plan, keeps_new_file=keeps_new_file)
            states[address] = outcome.ROLLED_BACK
        except TakenOver:
            raise
        except StorageError as error:
            states[address] = outcome.FAILED
            if not isinstance(error, swap.StartedByOther) or not self._verified(disk_plan):
                self.report.fail(f"{address} could not be put back: {error}")
                self._add_recovery(disk_plan)
            else:
                states[address] = outcome.CONVERTED

    def _verified(self, disk_plan: DiskPlan) -> bool:
        return disk_plan.action is not Action.UNDO and not swap.verify(self.run, disk_plan)

    def _may_start(self) -> bool:
        lame = outcome.FAILED in self.report.states.values()
        return self.must_start and self.request.restore_power and not lame

    def _start(self) -> bool:
        """Starts the VM and verifies once more; returns False where the records must stay open."""
        self.report.step(outcome.power_on_step())
        converted = [
            disk_plan for disk_plan in self.disk_plans if self.report.states.get(disk_plan.address) == outcome.CONVERTED
        ]

        def verify(vm_state: VmState) -> None:
            for disk_plan in converted:
                wrong = differences(self.run.held[disk_plan.address], vm_state, DiskState.NEW)
                if wrong:
                    raise Unfit(
                        disk_plan, f"{disk_plan.address} is not as wanted before the start: {'; '.join(wrong)}."
                    )

        try:
            start(self.run, verify)
        except TakenOver:
            raise
        except StorageError as error:
            self.report.fail(f"The VM could not be started: {error}")
            unfit = [error.disk_plan] if isinstance(error, Unfit) else []
            named = unfit or [disk_plan for disk_plan in converted if _names_disk(str(error), disk_plan)]
            if not named:
                return False
            for disk_plan in named:
                self._undo(disk_plan)
            if not self._may_start():
                return False
            converted = [
                disk_plan for disk_plan in converted if self.report.states[disk_plan.address] == outcome.CONVERTED
            ]
            try:
                start(self.run, verify)
            except TakenOver:
                raise
            except StorageError as again:
                self.report.fail(f"Nor with the old mappings: {again}")
                return False
        for disk_plan in converted:
            wrong = swap.verify(self.run, disk_plan)
            if wrong:
                self.report.states[disk_plan.address] = outcome.FAILED
                self.report.fail(f"{disk_plan.address} is not as wanted after the start: {'; '.join(wrong)}.")
                self._add_recovery(disk_plan)
        return True

    def _give_back(self, disk_plans: Sequence[DiskPlan]) -> None:
        """Shrinks the records to notes, but for the disks that stand neither here nor there."""
        closing = [disk_plan for disk_plan in disk_plans if self.report.states.get(disk_plan.address) != outcome.FAILED]
        if not closing:
            return
        run, states = self.run, self.report.states
        converted = {disk_plan.address for disk_plan in closing if states.get(disk_plan.address) == outcome.CONVERTED}

        def closed(vm_state: VmState) -> dict[str, DiskJournal]:
            return {
                disk_plan.address: _closed(
                    journal_at(vm_state.machine, disk_plan.address), run, disk_plan.address in converted, disk_plan
                )
                for disk_plan in closing
            }

        def done(vm_state: VmState) -> bool:
            present = {disk_plan.address: journal_at(vm_state.machine, disk_plan.address) for disk_plan in closing}
            return all(entry is None or entry.open is None for entry in present.values())

        def change(vm_state: VmState) -> Change:
            texts = run.record_texts(vm_state.machine)
            texts.update({address: to_text(entry) for address, entry in closed(vm_state).items()})
            return Change(records=texts)

        if len(closing) == len(disk_plans):
            self.report.step(outcome.note_step(closing))
        run.converge(done, change)
        for disk_plan in closing:
            run.held.pop(disk_plan.address, None)

    def _delete_old(self) -> None:
        addresses = [disk_plan.address for disk_plan in self.plan.disk_plans if self._may_delete(disk_plan)]
        try:
            deleted = delete_old_mappings(self.run, addresses)
        except NotDeleted as refused:
            self.report.block(refused.blockers)
            deleted = refused.deleted
        for address, file in deleted:
            self.report.step(outcome.delete_step(address, file))

    def _may_delete(self, disk_plan: DiskPlan) -> bool:
        return self.report.states.get(disk_plan.address, outcome.UNCHANGED) in (
            outcome.CONVERTED,
            outcome.UNCHANGED,
        ) and (disk_plan.action is not Action.UNDO)

    def _mark_open(self, state: str) -> None:
        """Marks the disks of which nothing final is known, and gives the commands where they disk_state half way."""
        for disk_plan in self.disk_plans:
            known = self.report.states.get(disk_plan.address)
            if known not in (None, outcome.CONVERTED) or disk_plan.address not in self.run.held:
                continue
            if state == outcome.FAILED and known == outcome.CONVERTED and self._still_stands(disk_plan):
                # Only its record could not be closed; the next run does that.
                continue
            self.report.states[disk_plan.address] = state
            if state == outcome.FAILED:
                self._add_recovery(disk_plan)

    def _still_stands(self, disk_plan: DiskPlan) -> bool:
        try:
            return not swap.verify(self.run, disk_plan)
        except StorageError:
            return False

    def _add_recovery(self, disk_plan: DiskPlan) -> None:
        entry = disk_plan.entry
        if entry is None:
            return
        try:
            vm_state = self.run.read_vm()
            if disk_state_of(entry, vm_state.machine, vm_state.datastores) is DiskState.OLD:
                return
            change = backward_change(entry, vm_state)
            commands = self.run.backend.recovery_command(vm_state.machine, change)
        except StorageError:
            change = blind_backward_change(entry, disk_plan.disk, self.plan.inventory.datastores)
            commands = self.run.backend.recovery_command(self.plan.machine, change)
        self.report.recovery.extend(command for command in commands if command not in self.report.recovery)

    def _look_back(self) -> None:
        """Reads the VM once more, so that the report says what is, not what was meant."""
        self.report.changed = self.run.changed
        self.report.warnings = self.run.warnings
        if not self.run.changed:
            return
        try:
            machine = self.run.read_vm().machine
        except StorageError as error:
            self.report.fail(f"The VM could not be read again: {error}")
            return
        self.report.power_after = machine.power
        for disk_plan in self.plan.disk_plans:
            self.report.after[disk_plan.address] = machine.disk_at(disk_plan.address)


def _closed(entry: DiskJournal | None, run: Run, converted: bool, disk_plan: DiskPlan) -> DiskJournal:
    """Returns the record without its open conversion, with the note that a converted disk leaves behind."""
    present = entry or DiskJournal("")
    opened = run.held[disk_plan.address]
    if not converted or opened.edits_only:
        return present.without_open()
    notes = tuple(note for note in present.notes if note.old_file not in (opened.new_file, opened.old_file))
    return DiskJournal(present.machine, None, (*notes, noted(opened)))


def _names_disk(text: str, disk_plan: DiskPlan) -> bool:
    """Tells whether the server's words about a failed start are about this disk."""
    entry = disk_plan.entry
    if entry is None:
        return False
    name = entry.new_file.rpartition("/")[2]
    names = [name, name.removesuffix(".vmdk"), disk_plan.disk.label, entry.lun.canonical_name, entry.lun.vml]
    # Whole words: "Hard disk 2" is not meant by "Hard disk 21".
    return any(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) for word in names if word)


def _blocker_of_first_write(refusal: StepRefused, machine: str) -> Finding | None:
    """Returns the blocker that a refusal of the first, harmless write stands for; None for any other refusal."""
    if refusal.fault == "RestrictedVersion":
        return Finding.blocker(BlockerCode.LICENSE_READ_ONLY, refusal.message, refusal.hint or "", machine)
    if refusal.fault == "NoPermission":
        return Finding.blocker(BlockerCode.NO_PRIVILEGE, refusal.message, refusal.hint or "", machine)
    return None
