# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""One run's hold on one VM: fresh looks, and changes that are made once, by the run that owns the records.

A change is never repeated on a guess. After a refusal, a lost reply or a dropped connection the VM is read again, and
what was read decides: done, not done, or changed by somebody else.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    Conflict,
    ConnectionFailed,
    OutcomeUnknown,
    StepRefused,
    StorageError,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import Backend, Change, VmState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    LEASE_SECONDS,
    DiskJournal,
    JournalEntry,
    UnreadableJournal,
    from_text,
    to_text,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import FileFacts, Inventory, VirtualMachine

_T = TypeVar("_T")

RENEW_SECONDS = 20
_TRIES = 4
_TASK_WAIT_SECONDS = 600
# The server reported success, and the next look does not show what was asked for.
NOT_AS_CONFIGURED = "NotAsConfigured"


class TakenOver(StorageError):
    """Another run owns a record now; this one must touch nothing more."""


@dataclass
class Run:
    """What a run knows of itself. `held` are the addresses whose records it wrote and has not given back."""

    backend: Backend
    machine_id: str
    run_id: str
    deadline: float
    log: Callable[[str], None]
    held: dict[str, JournalEntry] = field(default_factory=dict)
    changed: bool = False
    poll_seconds: float = 1.0
    # What was done, and not in full; the user is told, and nothing fails by it.
    warnings: list[str] = field(default_factory=list)

    def time_is_up(self) -> bool:
        """Tells whether no new step forward may begin."""
        return time.monotonic() >= self.deadline

    def read_vm(self) -> VmState:
        """Returns the VM as it is now, over a new connection where the old one was lost."""
        return self._read(lambda: self.backend.read_vm(self.machine_id))

    def read_vm_when_idle(self) -> VmState:
        """Returns the VM once no task works on it: a task of ours whose reply was lost may still be running."""
        end = time.monotonic() + _TASK_WAIT_SECONDS
        while True:
            vm_state = self.read_vm()
            if vm_state.machine.running_task is None:
                return vm_state
            if vm_state.machine.question is not None:
                raise StepRefused(
                    f"{vm_state.machine.name} waits for an answer to a question: {vm_state.machine.question}",
                    fault="QuestionPending",
                    hint="Answer it in the vSphere client, then run again; it is never answered from here.",
                )
            if time.monotonic() >= end:
                raise StepRefused(
                    f"A task ({vm_state.machine.running_task}) has been working on {vm_state.machine.name} for "
                    f"{_TASK_WAIT_SECONDS} s.",
                    fault="TaskInProgress",
                    hint="Wait until it has ended, then run again.",
                )
            time.sleep(self.poll_seconds)

    def read_vm_as_owner(self) -> VmState:
        """Returns a fresh look; raises TakenOver where a record that this run holds is no longer its own."""
        vm_state = self.read_vm()
        self.check_ownership(vm_state)
        return vm_state

    def check_ownership(self, vm_state: VmState) -> None:
        """Raises TakenOver where a record that this run holds is no longer its own."""
        for address in self.held:
            record = journal_at(vm_state.machine, address)
            if record is None or record.open is None or record.open.run != self.run_id:
                raise TakenOver(
                    f"Another run has taken over {address} of {vm_state.machine.name}.",
                    hint="This run touched nothing after that; see what the other one reports.",
                )

    def now(self) -> float:
        """Returns the server's clock."""
        return self._read(self.backend.now)

    def inventory(self) -> Inventory:
        """Returns everything, read anew."""
        return self._read(self.backend.inventory)

    def list_folder(self, machine: VirtualMachine, file: str) -> Mapping[str, FileFacts] | None:
        """Returns the folder of a file; None where it cannot be read."""
        return self._read(lambda: self.backend.list_folder(machine, file))

    def delete_mapping(self, machine: VirtualMachine, file: str) -> None:
        """Deletes a mapping file; raises what the server said where the file is still there afterwards."""
        self.check_ownership(self.read_vm())
        self.changed = True
        try:
            self.backend.delete_mapping(machine, file)
        except StorageError:
            listing = self.list_folder(machine, file)
            if listing is None or file in listing:
                raise

    def converge(self, done: Callable[[VmState], bool], change: Callable[[VmState], Change]) -> VmState:
        """Makes one reconfigure so that `done` holds, and returns the look that showed it.

        `change` is asked for the change on each fresh look, and may raise to stop. Raises the server's own refusal
        where the VM shows that it was not done, TakenOver, or the loss of the connection that could not be mended.
        """
        conflicts = losses = 0
        refusal: StepRefused | None = None
        sent = False
        while True:
            vm_state = self.read_vm_when_idle()
            if done(vm_state):
                self.changed = self.changed or sent
                return vm_state
            # Another run may have taken over meanwhile: then nothing else of this one counts.
            self.check_ownership(vm_state)
            if refusal is not None:
                raise refusal
            wanted = change(vm_state)
            sent = True
            try:
                self.backend.reconfigure(vm_state.machine, wanted)
                refusal = StepRefused(
                    f"{vm_state.machine.name} was reconfigured and does not show it.", fault=NOT_AS_CONFIGURED
                )
            except Conflict as conflict:
                conflicts += 1
                refusal = conflict if conflicts >= _TRIES else None
            except StepRefused as error:
                refusal = error
            except (OutcomeUnknown, ConnectionFailed):
                losses += 1
                if losses >= _TRIES:
                    self.changed = True
                    raise

    def record_texts(self, machine: VirtualMachine, step: str | None = None) -> dict[str, str | None]:
        """Returns the texts of all records held, with the lease renewed, and at the step where one is given."""
        lease = self.now() + LEASE_SECONDS
        texts: dict[str, str | None] = {}
        for address, opened in self.held.items():
            present = journal_at(machine, address) or DiskJournal(machine.instance_uuid or "")
            renewed = replace(opened, lease=lease, step=step or opened.step)
            self.held[address] = renewed
            texts[address] = to_text(replace(present, open=renewed))
        return texts

    def renew(self, step: str | None = None) -> VmState:
        """Renews the leases of all records held, and names the step where one is given."""
        start = {address: opened.lease for address, opened in self.held.items()}

        def renewed(vm_state: VmState) -> bool:
            for address, lease in start.items():
                record = journal_at(vm_state.machine, address)
                if record is None or record.open is None or record.open.run != self.run_id:
                    return False
                if record.open.lease <= lease or (step is not None and record.open.step != step):
                    return False
            return True

        return self.converge(renewed, lambda vm_state: Change(records=self.record_texts(vm_state.machine, step)))

    def _read(self, read: Callable[[], _T]) -> _T:
        for attempt in range(_TRIES):
            try:
                return read()
            except (OutcomeUnknown, ConnectionFailed):
                if attempt == _TRIES - 1:
                    raise
                self._reconnect(attempt)
            except StepRefused:
                # A read that was refused may be refused for a moment only; what it would tell is worth a second try.
                if attempt == _TRIES - 1:
                    raise
                time.sleep(self.poll_seconds)
        raise AssertionError("unreachable: the last try raised")

    def _reconnect(self, attempt: int) -> None:
        time.sleep(min(2**attempt - 1, 8) * self.poll_seconds)
        try:
            self.backend.reconnect()
        except ConnectionFailed:
            self.log("The connection was lost and could not be opened again yet.")


def journal_at(machine: VirtualMachine, address: str) -> DiskJournal | None:
    """Returns the record of an address, or None where there is none that can be read."""
    text = machine.records.get(address)
    if text is None:
        return None
    try:
        return from_text(text)
    except UnreadableJournal:
        return None
