# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Carries a rehearsal out on a machine made for it, and removes that machine, its files and what killed runs left.

What is asked, and what comes next, is decided in `_rdm/rehearsal`; the answers are read from the machine itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

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
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import (
    RENEW_SECONDS,
    TRIES,
    NotApplied,
    Run,
    TakenOver,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import LEASE_SECONDS
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Inventory,
    VirtualMachine,
    join_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.edge import RehearsalBackend
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.fitness import Stage
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.questions import (
    Answer,
    Ask,
    Delete,
    Put,
    Question,
    Take,
    Verdict,
    rehearse,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.record import (
    NAME_PREFIX,
    Record,
    folder_of,
    own_file,
    record_of,
    to_text,
    why_not_removed,
)

_DISK_MODES = {Compatibility.PHYSICAL: "independent_persistent", Compatibility.VIRTUAL: "persistent"}
# What says something about the user or the licence, and nothing about what the server can do.
_NO_ANSWERS = (RefusalKind.NO_PRIVILEGE, RefusalKind.LICENCE)
# Removing has its own time: what was made is removed also after the run's time was up.
_REMOVING_SECONDS = 600
_THE_NEXT_REMOVES = "The next rehearsal removes it, by the record that it carries; or remove it in the vSphere client."


class LeftBehind(StorageError):
    """Something that a rehearsal made could not be removed."""


@dataclass
class RehearsalRun(Run):
    """A run's hold on the machine of a rehearsal: while the record on it names the run, it is its own."""

    def check_ownership(self, state: VmState) -> None:
        """Raises TakenOver where the machine is no longer this run's."""
        record = record_of(state.machine)
        if record is None or record.run != self.run_id:
            raise TakenOver(
                f"The record on {state.machine.name} is not this run's any more.",
                hint="Another rehearsal, or somebody else, has taken it over; see what became of it.",
            )


@dataclass
class Rehearsal:
    """One rehearsal: what it knows of itself while it goes on."""

    backend: RehearsalBackend
    stage: Stage
    run_id: str
    instance_uuid: str
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
        if found is not None:
            return found
        if isinstance(lost, StepRefused):
            self.begun = False
        raise lost or SelectionError(
            f"{self.name} was made, and is not shown.", hint="Give the user the role Read-only where it was made."
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
                if mine:
                    return machine
        return None

    def _ask_all(self, run: RehearsalRun) -> None:
        rehearsal = rehearse()
        try:
            ask = next(rehearsal)
            while True:
                if run.time_is_up():
                    raise StepRefused("Time was up before everything was asked.", hint="Raise timeout.")
                self._renew_in_time(run)
                self.log(f"{self.name}: {ask.says}")
                answer = self._answer(run, ask)
                if ask.question is not None:
                    self.answers[ask.question] = answer
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
            if isinstance(step, Put):
                run.converge(lambda state: self._hangs(state, step), lambda state: self._put(state, step))
            elif isinstance(step, Take):
                run.converge(
                    lambda state: state.machine.disk_at(step.address) is None,
                    lambda state: self._take(state, step.address),
                )
            else:
                run.converge(_has_sata, lambda state: self.backend.add_sata_controller(state.machine))
        except NotApplied as refusal:
            return Answer(Verdict.NOT_AS_ASKED, None, None, refusal.message)
        except StepRefused as refusal:
            if refusal.kind in _NO_ANSWERS or refusal.kind is RefusalKind.STALE:
                raise
            return Answer(Verdict.REFUSED, refusal.kind, refusal.fault or None, refusal.message)
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
            machine = run.read_vm_as_owner().machine
            there = self.backend.files_beside(machine)
            if there is None:
                return Answer(Verdict.UNKNOWN, message="Whether the file is gone could not be read.")
            if file not in there:
                return Answer(Verdict.ACCEPTED)
            if refusal is not None:
                return Answer(Verdict.REFUSED, refusal.kind, refusal.fault or None, refusal.message)
        return Answer(Verdict.NOT_AS_ASKED, message="The file is still there.")

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
            remove(self.backend, machine, self.run_id, self.log, self.pace)
        except StorageError as error:
            self.answers[Question.REMOVAL_OF_VM] = Answer(Verdict.REFUSED, message=error.message)
            raise LeftBehind(
                f"{self.name} could not be removed: {error.message}",
                hint=" ".join(filter(None, (error.hint, _THE_NEXT_REMOVES))),
            ) from error
        self.answers[Question.REMOVAL_OF_VM] = Answer(Verdict.ACCEPTED)


def _has_sata(state: VmState) -> bool:
    return any(one.type == "sata" and one.bus == 0 for one in state.machine.controllers)


def remove(
    backend: RehearsalBackend, machine: VirtualMachine, run_id: str, log: Callable[[str], None], pace: Pace
) -> None:
    """Removes a machine that a rehearsal made, whose record names that run: first its mappings, then itself.

    Raises StepRefused where it holds anything that no rehearsal made, or something stays behind; TakenOver.
    """
    run = RehearsalRun(backend, machine.id, run_id, Deadline(_REMOVING_SECONDS), log, pace, changed=True)
    try:
        state = run.read_vm_when_idle()
    except SelectionError:
        # It is gone already, by a request whose answer was lost or by another run.
        return
    run.check_ownership(state)
    files = backend.files_beside(state.machine)
    _check_removable(state.machine, files)
    log(f"Removing {machine.name}.")
    place = folder_of(state.machine)
    datastores = {store.id for store in state.datastores.values() if place is not None and store.name == place[0]}
    try:
        _take_all(run, state)
        _delete_all(run, files or ())
        _destroy(run)
    except SelectionError:
        # Gone meanwhile.
        pass
    left = [file for store in sorted(datastores) for file in backend.files_in(store, place[1] if place else "") or ()]
    if left:
        raise StepRefused(
            f"Of {machine.name} these files are left: {', '.join(left)}.",
            hint="Delete them with the datastore browser; none of them is the LUN.",
        )


def _check_removable(machine: VirtualMachine, files: Sequence[str] | None) -> None:
    reason = why_not_removed(machine, files)
    if reason is not None:
        raise StepRefused(
            f"{machine.name} was made by a rehearsal and is left as it is: {reason}.",
            hint="Look at it, and remove it in the vSphere client.",
        )


def _take_all(run: RehearsalRun, state: VmState) -> None:
    """Takes the disks off, so that each mapping file can be deleted; one that cannot be taken off goes with the
    machine."""
    for disk in state.machine.disks:

        def take(now: VmState, address: str = disk.address) -> None:
            present = now.machine.disk_at(address)
            if present is not None and own_file(now.machine, present.file):
                run.backend.detach(now.machine, present, {})

        try:
            run.converge(lambda now, address=disk.address: now.machine.disk_at(address) is None, take)  # type: ignore[misc]
        except StepRefused as refusal:
            run.log(refusal.message)


def _delete_all(run: RehearsalRun, files: Sequence[str]) -> None:
    for file in files:
        state = run.read_vm_as_owner()
        if any(file in (disk.file, *disk.parents) for disk in state.machine.disks) or not own_file(state.machine, file):
            continue
        for _attempt in range(TRIES):
            try:
                run.backend.delete_mapping(state.machine, file)
                break
            except StepRefused as refusal:
                # It may be gone by a request whose answer was lost; what is left is looked for in the end.
                run.log(refusal.message)
                break
            except (OutcomeUnknown, ConnectionFailed) as lost:
                run.log(lost.message)
                state = run.read_vm_as_owner()


def _destroy(run: RehearsalRun) -> None:
    """Removes the machine; ends where it is gone, which a SelectionError tells."""
    said: list[StorageError] = []
    for _attempt in range(TRIES):
        state = run.read_vm_when_idle()
        run.check_ownership(state)
        if said and isinstance(said[-1], StepRefused):
            raise said[-1]
        try:
            run.backend.destroy(state.machine)  # type: ignore[attr-defined]
        except (StepRefused, OutcomeUnknown, ConnectionFailed) as error:
            said.append(error)
    raise said[-1] if said else StepRefused("It was removed, and is still shown.")


def take_over(
    backend: RehearsalBackend, left: LeftOver, run_id: str, now: float, log: Callable[[str], None], pace: Pace
) -> None:
    """Makes the record of a machine that an earlier run left this run's, so that the other, should it live on, touches
    it no more. Raises StepRefused where it is to be left alone, TakenOver where its record is not what was seen."""
    _check_removable(left.machine, backend.files_beside(left.machine))
    run = Run(backend, left.machine.id, run_id, Deadline(_REMOVING_SECONDS), log, pace, changed=True)
    record = to_text(replace(left.record, run=run_id, lease=now + LEASE_SECONDS))

    def write(state: VmState) -> None:
        if record_of(state.machine) != left.record:
            raise TakenOver(f"Another run works on {left.machine.name} by now.", hint="Wait until it has ended.")
        backend.write_record(state.machine, record)

    run.converge(lambda state: state.machine.rehearsal == record, write)


@dataclass(frozen=True)
class LeftOver:
    """A machine that an earlier rehearsal made, and whether that may still be at work."""

    machine: VirtualMachine
    record: Record
    live: bool


def left_overs(inventory: Inventory, now: float) -> tuple[LeftOver, ...]:
    """Returns the machines that rehearsals made, known by their records, in the order of their names."""
    found = []
    for machine in sorted(inventory.machines.values(), key=lambda one: (one.name, one.id)):
        record = record_of(machine)
        if record is not None:
            found.append(LeftOver(machine, record, record.is_live_at(now)))
    return tuple(found)
