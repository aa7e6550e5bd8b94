# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""One run's hold on one VM: fresh looks, and steps that are taken once, by the run that owns the journal.

A step is never repeated on a guess. After a refusal, a lost reply or a dropped connection the VM is read again, and
what was read decides: done, not done, or changed by somebody else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConnectionFailed,
    LoginRefused,
    OutcomeUnknown,
    RefusalKind,
    StepRefused,
    StorageError,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import (
    RESTART_SECONDS,
    Deadline,
    Pace,
    clock,
    patience,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import Backend, JournalChange, VmState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    LEASE_SECONDS,
    DiskJournal,
    JournalEntry,
    journal_at,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Inventory, VirtualMachine
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.survey import Questions, Survey

_T = TypeVar("_T")

RENEW_SECONDS = 20
TRIES = 4
_TASK_WAIT_SECONDS = 600
# Before anything was begun nothing has to be finished or undone, and a server that is away is soon told of.
_PATIENCE_BEFORE_SECONDS = 10.0


class TakenOver(StorageError):
    """Another run owns an entry now; this one must touch nothing more."""


class Busy(StorageError):
    """A task, or a question that waits for its answer, holds the VM up."""


class NotApplied(StepRefused):
    """The server reported success, and the next look does not show what was asked for."""


@dataclass
class Run:
    """What a run knows of itself. `held` are the addresses whose entries it wrote and has not given back."""

    backend: Backend
    machine_id: str
    run_id: str
    deadline: Deadline
    log: Callable[[str], None]
    pace: Pace = field(default_factory=Pace)
    held: dict[str, JournalEntry] = field(default_factory=dict)
    # True as soon as anything may have been written.
    changed: bool = False
    # What was done, and not in full; the user is told, and nothing fails by it.
    warnings: list[str] = field(default_factory=list)
    # Why the server is not asked any more: its patience, or ours, is over.
    _given_up: ConnectionFailed | OutcomeUnknown | None = None

    def time_is_up(self) -> bool:
        """Tells whether no new step forward may begin."""
        return self.deadline.is_over

    def read_vm(self) -> VmState:
        """Returns the VM as it is now, over a new connection where the old one was lost."""
        return self._read(lambda: self.backend.read_vm(self.machine_id))

    def read_machine(self) -> VirtualMachine:
        """Returns the VM alone as it is now, for a look that asks nothing of LUNs: there may be thousands of them."""
        return self._read(lambda: self.backend.read_machine(self.machine_id))

    def read_vm_when_idle(self) -> VmState:
        """Returns the VM once no task works on it: a task of ours whose reply was lost may still be running."""
        end = Deadline(_TASK_WAIT_SECONDS)
        while True:
            state = self.read_vm()
            if state.machine.running_task is None:
                return state
            if state.machine.question is not None:
                raise Busy(
                    f"{state.machine.name} waits for an answer to a question: {state.machine.question}",
                    hint="Answer it in the vSphere client, then run again; it is never answered from here.",
                )
            if end.is_over:
                raise Busy(
                    f"A task ({state.machine.running_task}) has been working on {state.machine.name} for "
                    f"{_TASK_WAIT_SECONDS} s.",
                    hint="Wait until it has ended, then run again.",
                )
            self.pace.pause()

    def read_vm_as_owner(self) -> VmState:
        """Returns a fresh look; raises TakenOver where an entry that this run holds is no longer its own."""
        state = self.read_vm()
        self.check_ownership(state)
        return state

    def check_ownership(self, state: VmState) -> None:
        """Raises TakenOver where an entry that this run holds is no longer its own."""
        for address in self.held:
            if not self.owns(state, address):
                raise TakenOver(
                    f"Another run has taken over {address} of {state.machine.name}.",
                    hint="This run touched nothing after that; see what the other one reports.",
                )

    def owns(self, state: VmState, address: str) -> bool:
        """Tells whether the open entry of an address is this run's."""
        journal = journal_at(state.machine, address)
        return journal is not None and journal.entry is not None and journal.entry.run == self.run_id

    def now(self) -> float:
        """Returns the server's clock."""
        return self._read(self.backend.now)

    def inventory(self) -> Inventory:
        """Returns everything that can be read, anew, in the time that is left."""
        return self._read(lambda: self.backend.inventory(until=self._end_of_reading()))

    def inventory_as_owner(self) -> Inventory:
        """Returns everything, read anew; the leases are renewed while that takes. Raises TakenOver."""
        renewed_at = clock()

        def renew_in_time() -> None:
            nonlocal renewed_at
            if clock() - renewed_at >= RENEW_SECONDS:
                self.renew()
                renewed_at = clock()

        return self._read(lambda: self.backend.inventory(until=self._end_of_reading(), meanwhile=renew_in_time))

    def _end_of_reading(self) -> float:
        """Returns what the monotonic clock says when a reading that begins now has had its time.

        What was begun is finished or undone also after the run's own time was up.
        """
        begun = self.changed or bool(self.held)
        return clock() + max(self.deadline.remaining, _TASK_WAIT_SECONDS if begun else 0.0)

    def survey(self, questions: Questions) -> Survey:
        """Returns what was asked for."""
        return self._read(lambda: self.backend.survey(questions))

    def converge(self, done: Callable[[VmState], bool], step: Callable[[VmState], None]) -> VmState:
        """Takes one step of the edge so that `done` holds, and returns the look that showed it.

        `step` takes the step on each fresh look, and may raise to stop. Raises the server's own refusal where the VM
        shows that it was not done, TakenOver, or the loss of the connection that could not be mended.
        """
        conflicts = losses = 0
        refusal: StepRefused | None = None
        sent = False
        while True:
            state = self.read_vm_when_idle()
            if done(state):
                self.changed = self.changed or sent
                return state
            # Another run may have taken over meanwhile: then nothing else of this one counts.
            self.check_ownership(state)
            if refusal is not None:
                raise refusal
            sent = True
            try:
                step(state)
                self.changed = True
                refusal = NotApplied(f"{state.machine.name} was reconfigured and does not show it.")
            except StepRefused as error:
                if error.kind is RefusalKind.STALE and conflicts < TRIES - 1:
                    conflicts += 1
                else:
                    refusal = error
            except OutcomeUnknown:
                self.changed = True
                losses += 1
                if losses >= TRIES:
                    raise
            except ConnectionFailed:
                losses += 1
                if losses >= TRIES:
                    raise

    def renewed_journal(self, machine: VirtualMachine, step: str | None = None) -> dict[str, DiskJournal | None]:
        """Returns the journals of all entries held, with the lease renewed, and at the step where one is given."""
        lease = self.now() + LEASE_SECONDS
        journals: dict[str, DiskJournal | None] = {}
        for address, entry in self.held.items():
            present = journal_at(machine, address) or DiskJournal(machine.instance_uuid or "")
            renewed = replace(entry, lease=lease, step=step or entry.step)
            self.held[address] = renewed
            journals[address] = replace(present, entry=renewed)
        return journals

    def renew(self, step: str | None = None) -> VmState:
        """Renews the leases of all entries held, and names the step where one is given."""
        start = {address: entry.lease for address, entry in self.held.items()}

        def renewed(state: VmState) -> bool:
            for address, lease in start.items():
                journal = journal_at(state.machine, address)
                if journal is None or journal.entry is None or not self.owns(state, address):
                    return False
                if journal.entry.lease <= lease or (step is not None and journal.entry.step != step):
                    return False
            return True

        def save(state: VmState) -> None:
            self.backend.save(state.machine, self.renewed_journal(state.machine, step))

        return self.converge(renewed, save)

    def save(self, done: Callable[[VmState], bool], change: Callable[[VmState], JournalChange]) -> None:
        """Writes what becomes of the journal, with all leases renewed, so that `done` holds."""

        def write(state: VmState) -> None:
            self.backend.save(state.machine, {**self.renewed_journal(state.machine), **change(state)})

        self.converge(done, write)

    def _read(self, read: Callable[[], _T]) -> _T:
        """Returns what a read returns. A read that was refused may be refused for a moment only; a lost connection is
        opened again, for as long as a restart of the server's management takes where something was begun."""
        refusals = losses = 0
        while True:
            if self._given_up is not None:
                raise self._given_up
            try:
                return read()
            except LoginRefused as refused:
                self._given_up = refused
            except (OutcomeUnknown, ConnectionFailed) as lost:
                losses += 1
                if losses >= TRIES:
                    raise
                self._reconnect(lost)
            except StepRefused:
                refusals += 1
                if refusals >= TRIES:
                    raise
                self.pace.pause()

    def _reconnect(self, lost: ConnectionFailed | OutcomeUnknown) -> None:
        """Opens a new session; raises where the server stays away, or does not let this user in any more."""
        begun = self.changed or bool(self.held)
        for pause in patience(RESTART_SECONDS if begun else _PATIENCE_BEFORE_SECONDS):
            self.pace.pause(pause)
            try:
                self.backend.reconnect()
                return
            except LoginRefused as refused:
                self._given_up = refused
                raise
            except ConnectionFailed as error:
                lost = error
                self.log("The connection was lost and could not be opened again yet.")
        self._given_up = lost
        raise lost
