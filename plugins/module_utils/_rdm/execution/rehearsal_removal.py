# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Removes what rehearsals made: the machine, its mapping files and its folder, also of a run that was killed.

A machine is known by its record, and looked at before anything of it is removed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConnectionFailed,
    OutcomeUnknown,
    SelectionError,
    StepRefused,
    StorageError,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import Deadline, Pace
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import VmState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import TRIES, Run, TakenOver
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import LEASE_SECONDS
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Datastore, Inventory, VirtualMachine
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.edge import RehearsalBackend
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.record import (
    Record,
    folder_of,
    own_file,
    record_of,
    to_text,
    why_not_removed,
)

# Removing has its own time: what was made is removed also after the run's time was up.
_REMOVING_SECONDS = 600


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

    def files_beside(self, machine: VirtualMachine) -> Sequence[str] | None:
        """Returns the .vmdk files of the machine's folder but for extents, over a new connection where one was lost."""
        return self._read(lambda: self.edge.files_beside(machine))

    def files_in(self, datastore: str, folder: str) -> Sequence[str] | None:
        """Returns every file of a folder of a datastore, over a new connection where one was lost."""
        return self._read(lambda: self.edge.files_in(datastore, folder))

    @property
    def edge(self) -> RehearsalBackend:
        """The edge, as one on which machines can be made and removed."""
        return cast(RehearsalBackend, self.backend)


def remove(
    backend: RehearsalBackend,
    machine: VirtualMachine,
    run_id: str,
    datastores: Mapping[str, Datastore],
    log: Callable[[str], None],
    pace: Pace,
) -> None:
    """Removes a machine that a rehearsal made, whose record names that run: first its mappings, then itself; and looks
    whether anything of it is left on these datastores.

    Raises StepRefused where it holds anything that no rehearsal made, or something stays or may stay; TakenOver.
    """
    run = RehearsalRun(backend, machine.id, run_id, Deadline(_REMOVING_SECONDS), log, pace, changed=True)
    try:
        state = run.read_vm_when_idle()
        run.check_ownership(state)
        files = run.files_beside(state.machine)
        _check_removable(state.machine, files)
        log(f"Removing {machine.name}.")
        _take_all(run, state)
        _delete_all(run, files or ())
        _destroy(run)
    except SelectionError:
        # It is gone: by this run, by a request of it whose answer was lost, or by another.
        pass
    _check_nothing_left(run, machine, datastores)


def _check_nothing_left(run: RehearsalRun, machine: VirtualMachine, datastores: Mapping[str, Datastore]) -> None:
    place = folder_of(machine)
    stores = [
        store.id
        for store in datastores.values()
        if place is not None and store.name == place[0] and machine.host in (store.mounted_on or {machine.host})
    ]
    found = [run.files_in(store, place[1]) for store in sorted(stores)] if place is not None else []
    left = [file for files in found for file in files or ()]
    if left:
        raise StepRefused(
            f"Of {machine.name} these files are left: {', '.join(left)}.",
            hint="Delete them with the datastore browser; none of them is the LUN.",
        )
    if place is None or not found or None in found:
        raise StepRefused(
            f"Whether files of {machine.name} are left could not be read"
            f"{f' ([{place[0]}] {place[1]})' if place is not None else ''}.",
            hint="Look into its folder with the datastore browser.",
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
            run.edge.destroy(state.machine)
        except (StepRefused, OutcomeUnknown, ConnectionFailed) as error:
            said.append(error)
    raise said[-1] if said else StepRefused("It was removed, and is still shown.")


def take_over(
    backend: RehearsalBackend, left: LeftOver, run_id: str, now: float, log: Callable[[str], None], pace: Pace
) -> None:
    """Makes the record of a machine that an earlier run left this run's, so that the other, should it live on, touches
    it no more. Raises StepRefused where it is to be left alone, TakenOver where its record is not what was seen."""
    theirs = RehearsalRun(
        backend, left.machine.id, left.record.run, Deadline(_REMOVING_SECONDS), log, pace, changed=True
    )
    _check_removable(left.machine, theirs.files_beside(left.machine))
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
