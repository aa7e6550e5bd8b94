# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The one executor: carries a prepared call out on an edge, and says of every disk what became of it.

The order is fixed: all records, then the power, then disk by disk, then the power again, then the notes. Nothing is
kept only in memory: a run that is killed at any point is recognised by the next from the VM and its records.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StepRefused, StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._rdm import outcome, swap
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import Change, Sight
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Blocker, Compatibility, Power
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.old_mappings import (
    NotDeleted,
    delete_old_mappings,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.outcome import Report
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.power import (
    Footprint,
    NotShutDown,
    start,
    switch_off,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.prepare import Prepared, noted
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.record import STEP_SHUTDOWN_ASKED, Record, to_text
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.run import (
    NOT_AS_CONFIGURED,
    Run,
    TakenOver,
    record_at,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.work import (
    Stand,
    Task,
    Work,
    backward_change,
    blind_backward_change,
    differences,
    stand_of,
)


class PlanIsStale(StorageError):
    """The VM is not what the plan was made on; nothing was written yet."""


class Unfit(StorageError):
    """A converted disk is not what it was verified to be, and the VM was not started with it."""

    def __init__(self, work: Work, message: str) -> None:
        super().__init__(message)
        self.work = work


class Executor:
    """Carries out one prepared call."""

    def __init__(self, run: Run, request: Request, prepared: Prepared, report: Report) -> None:
        self.run = run
        self.request = request
        self.prepared = prepared
        self.report = report
        self.must_start = prepared.stopped_by_a_run
        # True once a disk could not be converted: no other is begun with after that.
        self.stopped_short = False
        self.works = self._possible_works()

    def _possible_works(self) -> tuple[Work, ...]:
        """Open records come first; disks not yet begun with only where none of them is blocked."""
        opened = self.prepared.open_records
        of_opened = {blocker for work in self.prepared.works if work.address in opened for blocker in work.blockers}
        blocked = any(blocker not in of_opened for blocker in self.prepared.blockers)
        possible: list[Work] = []
        for work in self.prepared.works:
            if work.blockers:
                # An open record whose disk still stands as it was can be given up whatever stands in the way, but not
                # while it is all that tells a later run to start a guest that may still go down.
                if work.task is Task.UNDO and self._stands(work, Stand.OLD) and not self._may_go_down(work):
                    possible.append(work)
            elif work.task is not Task.NOTHING and (work.address in opened or not blocked):
                possible.append(work)
        # What is attached to nothing comes first of all.
        return tuple(sorted(possible, key=lambda work: (not self._is_half_way(work), work.address not in opened)))

    def _stands(self, work: Work, stand: Stand) -> bool:
        prepared = self.prepared
        record = work.record
        return record is not None and stand_of(record, prepared.machine, prepared.inventory.datastores) is stand

    def _may_go_down(self, work: Work) -> bool:
        asked = work.record is not None and work.record.step == STEP_SHUTDOWN_ASKED
        return asked and self.prepared.machine.power is Power.ON

    def only_plan(self) -> None:
        """Fills the report with what would be done."""
        report, opened = self.report, self.prepared.open_records
        self._report_blocked()
        possible = {work.address for work in self.works} if not report.blockers else set()
        for work in self.works:
            blocked = work.address not in possible
            report.states[work.address] = outcome.BLOCKED if blocked else outcome.WOULD_CONVERT
        runnable = [work for work in self.works if work.address in possible]
        runnable += [work for work in self.prepared.works if work.task is Task.NOTHING]
        report.steps = outcome.planned_steps(self.prepared, runnable, self.request)
        report.resumed = bool(opened)
        report.changed = bool(report.steps) and not report.blockers

    def _report_blocked(self) -> None:
        possible = {work.address for work in self.works}
        self.report.block(self.prepared.blockers)
        for work in self.prepared.works:
            if work.task is Task.NOTHING or work.address in possible:
                continue
            half_done = work.address in self.prepared.open_records and not self._stands(work, Stand.OLD)
            if half_done and work.blockers:
                self.report.states[work.address] = outcome.FAILED
                self._add_recovery(work)
            else:
                self.report.states[work.address] = outcome.BLOCKED

    def execute(self) -> None:
        """Does the call. Whatever happens, the report says of every disk where it stands."""
        self._report_blocked()
        try:
            if self.works and self._claim():
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
        run, prepared = self.run, self.prepared
        held = {work.address: work.record for work in self.works if work.record is not None}
        held = {address: replace(record, run=run.run_id) for address, record in held.items()}
        planned_texts, footprint = dict(prepared.machine.records), Footprint.of(prepared.machine)

        def done(sight: Sight) -> bool:
            records = [record_at(sight.machine, address) for address in held]
            return all(record is not None and record.open and record.open.run == run.run_id for record in records)

        def change(sight: Sight) -> Change:
            machine = sight.machine
            if dict(machine.records) != planned_texts or machine.power is not prepared.machine.power:
                raise PlanIsStale(f"{machine.name} was changed by somebody else while the plan was made.")
            if Footprint.of(machine) != footprint:
                raise PlanIsStale(f"Disks, snapshots or host of {machine.name} changed while the plan was made.")
            run.held = dict(held)
            texts = run.record_texts(machine)
            run.held = {}
            return Change(records=texts)

        self.report.step(outcome.record_step(self.works))
        self.report.resumed = bool(prepared.open_records)
        try:
            run.reach(done, change)
        except StepRefused as refusal:
            if refusal.fault == NOT_AS_CONFIGURED:
                # The records were written, and are another run's by now: this one was away for longer than its lease.
                run.changed = True
                self.report.states.update({work.address: outcome.TAKEN_OVER for work in self.works})
                raise TakenOver(f"Another run has taken over {prepared.machine.name}.") from refusal
            self.report.steps.clear()
            for work in self.works:
                self._leave(work, outcome.FAILED)
            blocker = _blocker_of_first_write(refusal, prepared.machine.name)
            if blocker is None:
                raise
            self.report.block([blocker])
            for work in self.works:
                self._leave(work, outcome.BLOCKED)
            return False
        run.held = held
        return True

    def _change_disks(self) -> None:
        """Power, disks, power, notes."""
        works = list(self.works)
        if self._needs_power_off():
            self.report.step(outcome.power_off_step(self.request))
            try:
                self.must_start = switch_off(self.run, self.request, self.prepared.machine)
            except NotShutDown as refusal:
                self.report.fail(str(refusal))
                for work in works:
                    self._leave(work, outcome.BLOCKED)
                self._give_back([work for work in works if self._stands(work, Stand.OLD)])
                return
            except TakenOver:
                raise
            except StorageError as error:
                # The guest may still go down: the records stay, so that the next run starts it again.
                self.report.fail(str(error))
                for work in works:
                    self._leave(work, outcome.NOT_BEGUN)
                return
            # Others may have come to use a LUN while the guest was shutting down: all is read anew.
            self.prepared = replace(self.prepared, inventory=self.run.inventory())
        for work in works:
            self._change_disk(work)
        if self._may_start() and not self._start():
            return
        self._give_back(works)

    def _leave(self, work: Work, state: str) -> None:
        """Says of a disk that was not touched in this run where it stands; one left half way by another run failed."""
        if self._is_half_way(work):
            self.report.states[work.address] = outcome.FAILED
            self._add_recovery(work)
        else:
            self.report.states[work.address] = state

    def _needs_power_off(self) -> bool:
        touching = [work for work in self.works if not self._stands_as_wanted(work)]
        return bool(touching) and self.prepared.machine.power is Power.ON

    def _stands_as_wanted(self, work: Work) -> bool:
        if work.task is Task.UNDO:
            return self._stands(work, Stand.OLD)
        wanted_mode = work.record.disk_mode if work.record and work.record.wanted is Compatibility.VIRTUAL else None
        return self._stands(work, Stand.NEW) and wanted_mode in (None, work.disk.disk_mode)

    def _change_disk(self, work: Work) -> None:
        states, address = self.report.states, work.address
        earlier = self.stopped_short
        if work.task is not Task.UNDO and (earlier or self.run.time_is_up()) and not self._stands(work, Stand.NEW):
            if not self._is_half_way(work):
                states[address] = outcome.NOT_BEGUN
                if not earlier:
                    self.report.fail(
                        f"The time of {self.request.timeout:g} s was over before {address} was begun with."
                    )
                return
            self._undo(work)
            return
        self.report.step(outcome.disk_step(work, self.prepared))
        if work.task is Task.UNDO:
            self._undo(work)
            return
        try:
            swap.convert(self.run, work, self.request, self.prepared.inventory)
            states[address] = outcome.CONVERTED
            return
        except TakenOver:
            raise
        except swap.Blocked as blocked:
            self.report.block(blocked.blockers)
            states[address] = outcome.BLOCKED
        except swap.NotBegun as started:
            self.report.fail(str(started))
            states[address] = outcome.NOT_BEGUN
        except StorageError as error:
            self.report.fail(f"{address}: {error}")
            # A file that was there before this run could make it is not this run's to remove.
            exists = isinstance(error, StepRefused) and error.fault == "FileAlreadyExists"
            self._undo(work, keeps_new_file=exists)
        self.stopped_short = True

    def _is_half_way(self, work: Work) -> bool:
        return self._stands(work, Stand.MISSING)

    def _undo(self, work: Work, *, keeps_new_file: bool = False) -> None:
        states, address = self.report.states, work.address
        try:
            swap.undo(self.run, work, keeps_new_file=keeps_new_file)
            states[address] = outcome.ROLLED_BACK
        except TakenOver:
            raise
        except StorageError as error:
            states[address] = outcome.FAILED
            if not isinstance(error, swap.StartedByOther) or not self._verified(work):
                self.report.fail(f"{address} could not be put back: {error}")
                self._add_recovery(work)
            else:
                states[address] = outcome.CONVERTED

    def _verified(self, work: Work) -> bool:
        return work.task is not Task.UNDO and not swap.verify(self.run, work)

    def _may_start(self) -> bool:
        lame = outcome.FAILED in self.report.states.values()
        return self.must_start and self.request.restore_power and not lame

    def _start(self) -> bool:
        """Starts the VM and verifies once more; returns False where the records must stay open."""
        self.report.step(outcome.power_on_step())
        converted = [work for work in self.works if self.report.states.get(work.address) == outcome.CONVERTED]

        def verify(sight: Sight) -> None:
            for work in converted:
                wrong = differences(self.run.held[work.address], sight, Stand.NEW)
                if wrong:
                    raise Unfit(work, f"{work.address} is not as wanted before the start: {'; '.join(wrong)}.")

        try:
            start(self.run, verify)
        except TakenOver:
            raise
        except StorageError as error:
            self.report.fail(f"The VM could not be started: {error}")
            unfit = [error.work] if isinstance(error, Unfit) else []
            named = unfit or [work for work in converted if _names_disk(str(error), work)]
            if not named:
                return False
            for work in named:
                self._undo(work)
            if not self._may_start():
                return False
            converted = [work for work in converted if self.report.states[work.address] == outcome.CONVERTED]
            try:
                start(self.run, verify)
            except TakenOver:
                raise
            except StorageError as again:
                self.report.fail(f"Nor with the old mappings: {again}")
                return False
        for work in converted:
            wrong = swap.verify(self.run, work)
            if wrong:
                self.report.states[work.address] = outcome.FAILED
                self.report.fail(f"{work.address} is not as wanted after the start: {'; '.join(wrong)}.")
                self._add_recovery(work)
        return True

    def _give_back(self, works: Sequence[Work]) -> None:
        """Shrinks the records to notes, but for the disks that stand neither here nor there."""
        closing = [work for work in works if self.report.states.get(work.address) != outcome.FAILED]
        if not closing:
            return
        run, states = self.run, self.report.states
        converted = {work.address for work in closing if states.get(work.address) == outcome.CONVERTED}

        def closed(sight: Sight) -> dict[str, Record]:
            return {
                work.address: _closed(record_at(sight.machine, work.address), run, work.address in converted, work)
                for work in closing
            }

        def done(sight: Sight) -> bool:
            present = {work.address: record_at(sight.machine, work.address) for work in closing}
            return all(record is None or record.open is None for record in present.values())

        def change(sight: Sight) -> Change:
            texts = run.record_texts(sight.machine)
            texts.update({address: to_text(record) for address, record in closed(sight).items()})
            return Change(records=texts)

        if len(closing) == len(works):
            self.report.step(outcome.note_step(closing))
        run.reach(done, change)
        for work in closing:
            run.held.pop(work.address, None)

    def _delete_old(self) -> None:
        addresses = [work.address for work in self.prepared.works if self._may_delete(work)]
        try:
            deleted = delete_old_mappings(self.run, addresses)
        except NotDeleted as refused:
            self.report.block(refused.blockers)
            deleted = refused.deleted
        for address, file in deleted:
            self.report.step(outcome.delete_step(address, file))

    def _may_delete(self, work: Work) -> bool:
        return self.report.states.get(work.address, outcome.UNCHANGED) in (outcome.CONVERTED, outcome.UNCHANGED) and (
            work.task is not Task.UNDO
        )

    def _mark_open(self, state: str) -> None:
        """Marks the disks of which nothing final is known, and gives the commands where they stand half way."""
        for work in self.works:
            known = self.report.states.get(work.address)
            if known not in (None, outcome.CONVERTED) or work.address not in self.run.held:
                continue
            if state == outcome.FAILED and known == outcome.CONVERTED and self._still_stands(work):
                # Only its record could not be closed; the next run does that.
                continue
            self.report.states[work.address] = state
            if state == outcome.FAILED:
                self._add_recovery(work)

    def _still_stands(self, work: Work) -> bool:
        try:
            return not swap.verify(self.run, work)
        except StorageError:
            return False

    def _add_recovery(self, work: Work) -> None:
        record = work.record
        if record is None:
            return
        try:
            sight = self.run.look()
            if stand_of(record, sight.machine, sight.datastores) is Stand.OLD:
                return
            change = backward_change(record, sight)
            commands = self.run.backend.recovery_command(sight.machine, change)
        except StorageError:
            change = blind_backward_change(record, work.disk, self.prepared.inventory.datastores)
            commands = self.run.backend.recovery_command(self.prepared.machine, change)
        self.report.recovery.extend(command for command in commands if command not in self.report.recovery)

    def _look_back(self) -> None:
        """Reads the VM once more, so that the report says what is, not what was meant."""
        self.report.changed = self.run.changed
        self.report.warnings = self.run.warnings
        if not self.run.changed:
            return
        try:
            machine = self.run.look().machine
        except StorageError as error:
            self.report.fail(f"The VM could not be read again: {error}")
            return
        self.report.power_after = machine.power
        for work in self.prepared.works:
            self.report.after[work.address] = machine.disk_at(work.address)


def _closed(record: Record | None, run: Run, converted: bool, work: Work) -> Record:
    """Returns the record without its open conversion, with the note that a converted disk leaves behind."""
    present = record or Record("")
    opened = run.held[work.address]
    if not converted or opened.edits_only:
        return present.without_open()
    notes = tuple(note for note in present.notes if note.old_file not in (opened.new_file, opened.old_file))
    return Record(present.machine, None, (*notes, noted(opened)))


def _names_disk(text: str, work: Work) -> bool:
    """Tells whether the server's words about a failed start are about this disk."""
    record = work.record
    if record is None:
        return False
    name = record.new_file.rpartition("/")[2]
    names = [name, name.removesuffix(".vmdk"), work.disk.label, record.lun.canonical_name, record.lun.vml]
    # Whole words: "Hard disk 2" is not meant by "Hard disk 21".
    return any(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) for word in names if word)


def _blocker_of_first_write(refusal: StepRefused, machine: str) -> Blocker | None:
    """Returns the blocker that a refusal of the first, harmless write stands for; None for any other refusal."""
    if refusal.fault == "RestrictedVersion":
        return Blocker("license_read_only", refusal.message, refusal.hint or "", machine)
    if refusal.fault == "NoPermission":
        return Blocker("no_privilege", refusal.message, refusal.hint or "", machine)
    return None
