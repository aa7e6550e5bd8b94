# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""One disk forward or back: swap, verify, undo. Each raises; what that means for the rest is the caller's to say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StepRefused, StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import Change, VmState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.conversion import check_conversion
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_plan import (
    Action,
    DiskPlan,
    DiskState,
    backward_change,
    differences,
    disk_state_of,
    forward_change,
    inventory_of,
    lost_settings,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import Run, journal_at
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    STEP_REMOVED,
    STEP_SWAPPED,
    TOUCHED,
    JournalEntry,
    from_volume_path,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    DiskKind,
    Inventory,
    Power,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request

# Refusals that are about the device or its place; only then are two steps tried where one was refused.
_TRY_IN_TWO = frozenset({"InvalidDeviceSpec", "InvalidDeviceOperation"})
# What a machine that is switched off for this run may not be counted against it again.
_KNOWN = frozenset(
    {
        BlockerCode.RECORD_OF_OTHER_VM,
        BlockerCode.RUN_IN_PROGRESS,
        BlockerCode.TARGET_FILE_EXISTS,
        BlockerCode.TASK_RUNNING,
    }
)


class StartedByOther(StorageError):
    """The VM runs though this run had it off: no device is added or removed any more, and it is not stopped again."""


class NotStarted(StorageError):
    """The disk stands as it was, and may not be touched now."""


class Blocked(StorageError):
    """A reason not to go on appeared after the plan was made, and before anything was done to the disk."""

    def __init__(self, blockers: tuple[Finding, ...]) -> None:
        super().__init__(" ".join(f"{blocker.message} {blocker.hint}" for blocker in blockers))
        self.blockers = blockers


class NotVerified(StorageError):
    """The server did what was asked, and the result is not what was wanted."""


def convert(run: Run, disk_plan: DiskPlan, request: Request, known: Inventory) -> VmState:
    """Makes the new mapping disk_state and verifies it; returns the look that showed it."""
    entry = run.held[disk_plan.address]
    vm_state = run.read_vm_when_idle()
    run.check_ownership(vm_state)
    disk_state = disk_state_of(entry, vm_state.machine, vm_state.datastores)
    if disk_state is not DiskState.NEW:
        _may_touch(run, entry, vm_state)
        # What a killed run made and recorded is attached; a file that appeared since the plan is somebody else's.
        left_over = disk_plan.action is Action.FINISH and _own_file_is_there(run, entry, vm_state)
        vm_state = _swap_forward(
            run,
            entry,
            disk_plan.attach_existing or left_over,
            lambda seen: _check_again(seen, disk_plan, request, known),
        )
    wrong = differences(entry, vm_state, DiskState.NEW)
    if wrong:
        raise NotVerified(f"The new mapping at {disk_plan.address} is not as wanted: {'; '.join(wrong)}.")
    return _set_again(run, entry, vm_state)


def verify(run: Run, disk_plan: DiskPlan) -> tuple[str, ...]:
    """Returns what is not as wanted of a disk that should disk_state converted."""
    return differences(run.held[disk_plan.address], run.read_vm(), DiskState.NEW)


def undo(run: Run, disk_plan: DiskPlan, *, keeps_new_file: bool = False) -> VmState:
    """Makes the old mapping disk_state again, verifies that, and removes the new file that this record made."""
    entry = run.held[disk_plan.address]
    vm_state = run.read_vm_when_idle()
    disk_state = disk_state_of(entry, vm_state.machine, vm_state.datastores)
    if disk_state is not DiskState.OLD:
        require_off(run, vm_state)
        vm_state = _swap_back(run, entry)
        wrong = differences(entry, vm_state, DiskState.OLD)
        if wrong:
            raise NotVerified(f"The old mapping at {disk_plan.address} is attached again, but {'; '.join(wrong)}.")
    if run.held[disk_plan.address].step in TOUCHED:
        vm_state = _set_again(run, replace(entry, wanted=entry.old_mode, disk_mode=entry.old_disk_mode), vm_state)
    if not keeps_new_file:
        _remove_new_file(run, entry, vm_state)
    return vm_state


def require_off(run: Run, vm_state: VmState) -> VmState:
    """Returns the look; raises StartedByOther unless the VM is off."""
    run.check_ownership(vm_state)
    if vm_state.machine.power is not Power.OFF:
        raise StartedByOther(
            f"Somebody started or resumed {vm_state.machine.name} while its disks were being converted.",
            hint="It was not stopped again. Shut it down, then run again.",
        )
    return vm_state


def _may_touch(run: Run, entry: JournalEntry, vm_state: VmState) -> None:
    """Raises NotStarted, or StartedByOther where the disk was begun with, unless the VM is off."""
    disk_state = disk_state_of(entry, vm_state.machine, vm_state.datastores)
    if disk_state is DiskState.OLD and vm_state.machine.power is not Power.OFF:
        raise NotStarted(
            f"Somebody started or resumed {vm_state.machine.name}; {entry.address} was left as it is.",
            hint="It was not stopped again. Shut it down, then run again.",
        )
    require_off(run, vm_state)


def _check_again(vm_state: VmState, disk_plan: DiskPlan, request: Request, known: Inventory) -> None:
    """Reads the blockers anew on the facts of this moment, for what others may have done since the plan."""
    disk = vm_state.machine.disk_at(disk_plan.address)
    if disk_plan.action is not Action.CONVERT or disk is None or disk_plan.entry is None:
        return
    if disk_state_of(disk_plan.entry, vm_state.machine, vm_state.datastores) is not DiskState.OLD:
        return
    found = check_conversion(
        inventory_of(vm_state, known),
        vm_state.machine,
        disk,
        request.compatibility,
        power=request.power,
        override=request.override,
    )
    blockers = tuple(blocker for blocker in found if blocker.code not in _KNOWN)
    if blockers:
        raise Blocked(blockers)


def _swap_forward(run: Run, entry: JournalEntry, attach: bool, check: Callable[[VmState], None]) -> VmState:
    """Swaps in one reconfigure, or in two. `check` is asked on the very look that each is bound to."""

    def done(vm_state: VmState) -> bool:
        return disk_state_of(entry, vm_state.machine, vm_state.datastores) is DiskState.NEW

    def in_one(vm_state: VmState) -> Change:
        _may_touch(run, entry, vm_state)
        check(vm_state)
        return _with_records(run, vm_state, forward_change(entry, vm_state, attach), STEP_SWAPPED, entry.address)

    try:
        return run.converge(done, in_one)
    except StepRefused as refusal:
        if refusal.fault not in _TRY_IN_TWO or entry.edits_only:
            raise
        if disk_state_of(entry, run.read_vm().machine, {}) is DiskState.MISSING:
            raise
    _detach(run, entry, check, forward=True)
    return run.converge(done, in_one)


def _swap_back(run: Run, entry: JournalEntry) -> VmState:
    def done(vm_state: VmState) -> bool:
        return disk_state_of(entry, vm_state.machine, vm_state.datastores) is DiskState.OLD

    def in_one(vm_state: VmState) -> Change:
        require_off(run, vm_state)
        return _with_records(run, vm_state, backward_change(entry, vm_state), STEP_REMOVED, entry.address)

    try:
        return run.converge(done, in_one)
    except StepRefused as refusal:
        if refusal.fault not in _TRY_IN_TWO or entry.edits_only:
            raise
        if disk_state_of(entry, run.read_vm().machine, {}) is DiskState.MISSING:
            raise
    _detach(run, entry, lambda vm_state: None, forward=False)
    return run.converge(done, in_one)


def _detach(run: Run, entry: JournalEntry, check: Callable[[VmState], None], forward: bool) -> None:
    """The first of two steps: the device is removed, its file is kept."""

    def gone(vm_state: VmState) -> bool:
        return vm_state.machine.disk_at(entry.address) is None

    def remove(vm_state: VmState) -> Change:
        require_off(run, vm_state)
        check(vm_state)
        whole = forward_change(entry, vm_state, True) if forward else backward_change(entry, vm_state)
        return _with_records(run, vm_state, Change(remove=whole.remove), STEP_REMOVED, entry.address)

    run.converge(gone, remove)


def _set_again(run: Run, entry: JournalEntry, vm_state: VmState) -> VmState:
    """Sets again what the swap lost of the disk's settings; what cannot be set is told, and fails nothing."""
    if lost_settings(entry, vm_state.machine) is None:
        return vm_state

    def change(seen: VmState) -> Change:
        again = lost_settings(entry, seen.machine) or Change()
        return _with_records(run, seen, again, None, entry.address)

    try:
        return run.converge(lambda seen: lost_settings(entry, seen.machine) is None, change)
    except StepRefused as refusal:
        run.warnings.append(f"Settings of {entry.address} could not be set as they were: {refusal.message}")
        return run.read_vm()


def _own_file_is_there(run: Run, entry: JournalEntry, vm_state: VmState) -> bool:
    """Tells whether the new mapping of this record exists already, left by a run that was killed."""
    if entry.edits_only:
        return False
    file = from_volume_path(entry.new_file, vm_state.datastores)
    listing = run.list_folder(vm_state.machine, file) or {}
    return file in listing and listing[file].kind is DiskKind.MAPPING


def _remove_new_file(run: Run, entry: JournalEntry, vm_state: VmState) -> None:
    """Removes the mapping that this record made, unless a note says that it was there before."""
    if entry.edits_only:
        return
    records = (journal_at(vm_state.machine, address) for address in vm_state.machine.records)
    noted = {note.old_file for known in records if known is not None for note in known.notes}
    file = from_volume_path(entry.new_file, vm_state.datastores)
    if entry.new_file in noted or not _own_file_is_there(run, entry, vm_state):
        return
    machines = inventory_of(vm_state, run.inventory()).machines.values()
    if any(file in (disk.file, *disk.parents) for machine in machines for disk in machine.disks):
        return
    try:
        run.delete_mapping(vm_state.machine, file)
    except StorageError as error:
        run.warnings.append(f"The unused mapping {file} could not be deleted: {error.message}")


def _with_records(run: Run, vm_state: VmState, change: Change, step: str | None, address: str) -> Change:
    """Returns the change with the records in the same reconfigure, so that neither is ever without the other."""
    if step is not None:
        run.held[address] = replace(run.held[address], step=step)
    return replace(change, records=run.record_texts(vm_state.machine))
