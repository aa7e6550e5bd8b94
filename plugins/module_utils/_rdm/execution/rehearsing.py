# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Carries a rehearsal out on a machine made for it, and has that machine removed whatever happens.

What is asked, and what comes next, is decided in `_rdm/rehearsal`; the answers are read from the machine itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConnectionFailed,
    LoginRefused,
    OutcomeUnknown,
    RefusalKind,
    SelectionError,
    StepRefused,
    StorageError,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import Deadline, Pace, clock
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import (
    ExistingMapping,
    NewMapping,
    Place,
    VmState,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.device_steps import controller_named
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import inventory_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.rehearsal_removal import (
    RehearsalRun,
    left_overs,
    remove,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import (
    RENEW_SECONDS,
    TRIES,
    NotApplied,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import LEASE_SECONDS
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    VirtualMachine,
    join_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.edge import RehearsalBackend
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.fitness import Stage
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.questions import (
    Answer,
    Ask,
    Delete,
    Make,
    Put,
    Question,
    Take,
    Verdict,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.record import (
    NAME_PREFIX,
    Record,
    folder_of,
    is_registered,
    record_of,
    to_text,
)

_DISK_MODES = {Compatibility.PHYSICAL: "independent_persistent", Compatibility.VIRTUAL: "persistent"}
# What says something about the user or the licence, and nothing about what the server can do.
_NO_ANSWERS = (RefusalKind.NO_PRIVILEGE, RefusalKind.LICENCE)
_THE_NEXT_REMOVES = "The next rehearsal removes it, by the record that it carries; or remove it in the vSphere client."


class LeftBehind(StorageError):
    """Something that a rehearsal made could not be removed."""


@dataclass
class Rehearsal:
    """One rehearsal: what it knows of itself while it goes on."""

    backend: RehearsalBackend
    stage: Stage
    run_id: str
    # The instance UUID that the machine gets; None where that is left to the server, and the record lies beside it.
    instance_uuid: str | None
    deadline: Deadline
    log: Callable[[str], None]
    pace: Pace
    answers: dict[Question, Answer] = field(default_factory=dict)
    # The machine as it was first seen; None until it was.
    machine: VirtualMachine | None = None
    # Why it did not come to its end, where it did not.
    stopped: StorageError | None = None
    # Whether a machine was asked for, so that there may be one.
    begun: bool = False
    _renewed_at: float = 0.0

    @property
    def name(self) -> str:
        """How the machine is called."""
        return NAME_PREFIX + self.run_id[:12]

    def hold(self) -> None:
        """Makes the machine, asks everything, and removes the machine whatever happens.

        What keeps it from going on is in `stopped`. Raises LeftBehind where something could not be removed.
        """
        try:
            self.machine = self._make()
            self._check_alone()
            self._ask_all(self._run(self.machine.id))
        except StorageError as error:
            self.stopped = error
        finally:
            self._remove()

    def _run(self, machine_id: str) -> RehearsalRun:
        return RehearsalRun(
            self.backend, machine_id, self.run_id, self.deadline, self.log, self.pace, changed=self.begun
        )

    def _record(self) -> str:
        now = self._run("").now()
        self._renewed_at = clock()
        return to_text(Record(self.run_id, self.instance_uuid, self.stage.lun.canonical_name, now + LEASE_SECONDS))

    def _make(self) -> VirtualMachine:
        """Makes the machine; returns it. After a lost reply it is looked for by its record."""
        self.log(f"Making {self.name} on {self.stage.host.name}.")
        lost: StorageError | None = None
        for _attempt in range(TRIES):
            # The clock is asked over a new connection where the old one was lost.
            record = self._record()
            self.begun = True
            try:
                self.backend.create_machine(
                    self.name, self.instance_uuid, record, self.stage.host, self.stage.datastore
                )
                lost = None
            except ConnectionFailed as error:
                # It was not sent, or the session was over before.
                self.begun = False
                lost = error
                continue
            except (OutcomeUnknown, StepRefused) as error:
                lost = error
            break
        found = self._find(patient=not isinstance(lost, StepRefused)) if self.begun else None
        if found is not None and is_registered(found):
            return found
        if isinstance(lost, StepRefused) and found is None:
            self.begun = False
        raise lost or SelectionError(
            f"{self.name} was made, and is not shown.",
            hint="See that the user may read the folder that it was made in (over the API by the role Read-only).",
        )

    def _check_alone(self) -> None:
        """Raises StepRefused where another run began on the same LUN at the same moment: neither saw the other before,
        and what a server says of one's mappings would be of the other's too. Who sees another stands back."""
        run = self._run("")
        others = [
            left.machine.name
            for left in left_overs(run.inventory(), run.now())
            if left.live and left.record.lun == self.stage.lun.canonical_name and left.record.run != self.run_id
        ]
        if others:
            raise StepRefused(
                f"Another rehearsal ({', '.join(others)}) began on {self.stage.lun.canonical_name} at the same moment.",
                hint="Run again once it has ended.",
            )

    def _find(self, *, patient: bool) -> VirtualMachine | None:
        """Returns the machine that this run made, by its record; None where there is none."""
        for attempt in range(TRIES if patient else 1):
            if attempt:
                self.pace.pause(attempt)
            inventory = self._run("").inventory()
            for machine in inventory.machines.values():
                record = record_of(machine)
                # A machine that this run has taken over from a killed one names this run, too.
                mine = record is not None and (record.run, record.instance_uuid) == (self.run_id, self.instance_uuid)
                if mine and (self.instance_uuid is not None or machine.name == self.name):
                    return machine
        return None

    def _ask_all(self, run: RehearsalRun) -> None:
        rehearsal = self.backend.course.rehearse()
        try:
            ask = next(rehearsal)
            while True:
                if run.time_is_up():
                    raise StepRefused("Time was up before everything was asked.", hint="Raise timeout.")
                self._renew_in_time(run)
                self.log(f"{self.name}: {ask.says}")
                answer = self._answer(run, ask)
                question = ask.question or (ask.refusal_of if not answer.accepted else None)
                if question is not None:
                    self.answers[question] = answer
                elif not answer.accepted:
                    raise StepRefused(
                        f"What leads to the next question could not be done: {ask.says}: {answer.message}"
                    )
                ask = rehearsal.send(answer)
        except StopIteration:
            return

    def _renew_in_time(self, run: RehearsalRun) -> None:
        if clock() - self._renewed_at < RENEW_SECONDS:
            return
        record = self._record()
        run.converge(
            lambda state: state.machine.rehearsal == record,
            lambda state: self.backend.write_record(state.machine, record),
        )

    def _answer(self, run: RehearsalRun, ask: Ask) -> Answer:
        """Returns what became of a step; raises where that says nothing about what the server can do."""
        step = ask.step
        try:
            if isinstance(step, Delete):
                return self._delete(run, step)
            if isinstance(step, Make):
                return self._make_file(run, step)
            if isinstance(step, Put):
                run.converge(lambda state: self._hangs(state, step), lambda state: self._put(state, step))
            elif isinstance(step, Take):
                state = run.converge(
                    lambda state: state.machine.disk_at(step.address) is None,
                    lambda state: self._take(state, step.address),
                )
                if step.file is not None:
                    return self._kept(run, state, step.file)
            else:
                run.converge(_has_sata, lambda state: self.backend.add_sata_controller(state.machine))
        except NotApplied as refusal:
            return Answer(Verdict.NOT_AS_ASKED, None, None, refusal.message)
        except StepRefused as refusal:
            if refusal.kind in _NO_ANSWERS or refusal.kind is RefusalKind.STALE:
                raise
            return _refused(refusal)
        except (OutcomeUnknown, ConnectionFailed) as unknown:
            if ask.question is not None:
                self.answers[ask.question] = Answer(Verdict.UNKNOWN, message=unknown.message)
            raise
        return Answer(Verdict.ACCEPTED)

    def _put(self, state: VmState, put: Put) -> None:
        old = state.machine.disk_at(put.address)
        bus, _colon, unit = put.address.partition(":")
        place = (
            Place.of(old) if old is not None else Place(put.address, controller_named(state.machine, bus), int(unit))
        )
        file = self._whole(state.machine, put.file)
        mode = _DISK_MODES[put.compatibility]
        new: NewMapping | ExistingMapping
        if put.make:
            new = NewMapping(file, self.stage.lun, put.compatibility, mode)
        else:
            new = ExistingMapping(file, mode if put.compatibility is Compatibility.VIRTUAL else None)
        if old is not None:
            self.backend.replace(state.machine, old, new, place, {})
        else:
            self.backend.attach(state.machine, new, place, {})

    def _take(self, state: VmState, address: str) -> None:
        disk = state.machine.disk_at(address)
        if disk is not None:
            self.backend.detach(state.machine, disk, {})

    def _hangs(self, state: VmState, put: Put) -> bool:
        """Tells whether the mapping hangs at the address, in its mode, and is one of the LUN, whole."""
        disk = state.machine.disk_at(put.address)
        if disk is None or disk.file != self._whole(state.machine, put.file):
            return False
        luns = inventory_of(state).luns_of(state.machine, disk)
        return (
            disk.compatibility is put.compatibility
            and [lun.canonical_name for lun in luns] == [self.stage.lun.canonical_name]
            and disk.capacity_bytes == self.stage.lun.capacity_bytes
        )

    def _delete(self, run: RehearsalRun, delete: Delete) -> Answer:
        """Deletes a mapping file and looks whether it is gone."""
        state = run.read_vm_as_owner()
        file = self._whole(state.machine, delete.file)
        refusal: StepRefused | None = None
        for _attempt in range(TRIES):
            try:
                self.backend.delete_mapping(state.machine, file)
            except StepRefused as error:
                if error.kind in _NO_ANSWERS:
                    raise
                refusal = error
            except (OutcomeUnknown, ConnectionFailed) as error:
                if isinstance(error, LoginRefused):
                    raise
                self.log(error.message)
            # A read brings a lost connection back.
            there = run.files_beside(run.read_vm_as_owner().machine)
            if there is None:
                return Answer(Verdict.UNKNOWN, message="Whether the file is gone could not be read.")
            if file not in there:
                return Answer(Verdict.ACCEPTED)
            if refusal is not None:
                return _refused(refusal)
        return Answer(Verdict.NOT_AS_ASKED, message="The file is still there.")

    def _make_file(self, run: RehearsalRun, make: Make) -> Answer:
        """Makes a mapping file that nothing has, and looks whether it is there; attached it shows what it is."""
        for _attempt in range(TRIES):
            state = run.read_vm_as_owner()
            file = self._whole(state.machine, make.file)
            try:
                self.backend.create_mapping(state.machine, NewMapping(file, self.stage.lun, make.compatibility, None))
            except StepRefused as refusal:
                if refusal.kind is RefusalKind.STALE:
                    continue
                if refusal.kind in _NO_ANSWERS:
                    raise
                # One whose answer was lost may be there.
                if refusal.kind is not RefusalKind.FILE_EXISTS:
                    return _refused(refusal)
            except (OutcomeUnknown, ConnectionFailed) as error:
                if isinstance(error, LoginRefused):
                    raise
                self.log(error.message)
            there = run.files_beside(run.read_vm_as_owner().machine)
            if there is None:
                return Answer(Verdict.UNKNOWN, message="Whether the file is there could not be read.")
            if file in there:
                return Answer(Verdict.ACCEPTED)
        return Answer(Verdict.NOT_AS_ASKED, message="The file is not there.")

    def _kept(self, run: RehearsalRun, state: VmState, name: str) -> Answer:
        there = run.files_beside(state.machine)
        if there is None:
            return Answer(Verdict.UNKNOWN, message="Whether the file is there could not be read.")
        if self._whole(state.machine, name) in there:
            return Answer(Verdict.ACCEPTED)
        return Answer(Verdict.NOT_AS_ASKED, message="The disk was taken off, and its file was deleted.")

    def _whole(self, machine: VirtualMachine, name: str) -> str:
        place = folder_of(machine)
        if place is None:
            raise StepRefused(f"Where the files of {machine.name} lie could not be read.")
        return join_file(*place, name)

    def _remove(self) -> None:
        """Removes what this run made; raises LeftBehind where it cannot."""
        if not self.begun:
            return
        try:
            machine = self.machine or self._find(patient=True)
            if machine is None:
                return
            stores = {self.stage.datastore.id: self.stage.datastore}
            remove(self.backend, machine, self.run_id, stores, self.log, self.pace)
        except StorageError as error:
            self.answers[Question.REMOVAL_OF_VM] = Answer(Verdict.REFUSED, message=error.message)
            raise LeftBehind(
                f"{self.name} could not be removed: {error.message}",
                hint=" ".join(filter(None, (error.hint, _THE_NEXT_REMOVES))),
            ) from error
        self.answers[Question.REMOVAL_OF_VM] = Answer(Verdict.ACCEPTED)


def _refused(refusal: StepRefused) -> Answer:
    return Answer(Verdict.REFUSED, refusal.kind, refusal.fault or None, refusal.message, refusal.said or None)


def _has_sata(state: VmState) -> bool:
    return any(one.type == "sata" and one.bus == 0 for one in state.machine.controllers)
