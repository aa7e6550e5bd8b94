# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""One disk forward or back: swap, verify, undo. Each raises; what that means for the rest is the caller's to say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConnectionFailed,
    OutcomeUnknown,
    RefusalKind,
    StepRefused,
    StorageError,
    Unsupported,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import NewMapping, VmState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.conversion import check_conversion
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.device_steps import (
    Edit,
    Swap,
    lost_settings,
    step_back,
    step_forward,
    with_file_made_again,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import (
    DiskState,
    differences,
    disk_state_of,
    inventory_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.one_at_a_time import (
    delete_old_mapping,
    drop_spare,
    old_has_to_go,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.own_files import (
    NotVerified,
    check_old_file,
    mapping_is_there,
    new_file_is_there,
    old_is_gone,
    remove_new_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import TRIES, Run
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    STEP_REMOVED,
    STEP_SWAPPED,
    TOUCHED,
    DiskJournal,
    JournalEntry,
    from_volume_path,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Inventory, Power
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.disk_plan import Action, DiskChange
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request

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


def convert(run: Run, change: DiskChange, request: Request, known: Inventory) -> VmState:
    """Makes the new mapping stand and verifies it; returns the look that showed it."""
    if not drop_spare(run, change.address):
        raise NotVerified(f"The spare mapping of {change.address} that an earlier run made could not be removed.")
    entry = run.held[change.address]
    vm_state = run.read_vm_when_idle()
    run.check_ownership(vm_state)
    disk_state = disk_state_of(entry, vm_state.machine, vm_state.datastores)
    if disk_state is not DiskState.NEW:
        _may_touch(run, entry, vm_state)
        # What a killed run made and recorded is attached; a file that appeared since the plan is somebody else's.
        if change.action is Action.FINISH and disk_state is DiskState.MISSING:
            # A new mapping is made of the word of a record alone: the old one must be there, and be of such a LUN.
            check_old_file(run, entry, vm_state)
        left_over = change.action is Action.FINISH and new_file_is_there(run, entry, vm_state)

        def check(seen: VmState) -> None:
            _check_again(seen, change, request, known)

        attach = change.attach_existing or left_over
        if disk_state is DiskState.MISSING and not attach:
            attach = _create(run, change, check)
        vm_state = _swap_forward(run, change, attach, check)
    wrong = differences(entry, vm_state, DiskState.NEW)
    if wrong:
        raise NotVerified(f"The new mapping at {change.address} is not as wanted: {'; '.join(wrong)}.")
    return _set_again(run, entry, vm_state)


def verify(run: Run, change: DiskChange) -> tuple[str, ...]:
    """Returns what is not as wanted of a disk that should stand converted."""
    return differences(run.held[change.address], run.read_vm(), DiskState.NEW)


def undo(run: Run, change: DiskChange) -> None:
    """Makes the old mapping stand again and verifies that; the new file that this record made may still be there."""
    drop_spare(run, change.address)
    entry = run.held[change.address]
    vm_state = run.read_vm_when_idle()
    disk_state = disk_state_of(entry, vm_state.machine, vm_state.datastores)
    if disk_state is not DiskState.OLD:
        require_off(run, vm_state)
        if change.action is Action.UNDO:
            check_old_file(run, entry, vm_state)
        vm_state = _swap_back(run, entry, vm_state)
        wrong = differences(entry, vm_state, DiskState.OLD)
        if wrong:
            raise NotVerified(f"The old mapping at {change.address} is attached again, but {'; '.join(wrong)}.")
    if run.held[change.address].step in TOUCHED:
        _set_again(run, replace(entry, wanted=entry.old_mode, disk_mode=entry.old_disk_mode), vm_state)


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


def _check_again(vm_state: VmState, change: DiskChange, request: Request, known: Inventory) -> None:
    """Reads the blockers anew on the facts of this moment, for what others may have done since the plan."""
    disk = vm_state.machine.disk_at(change.address)
    if change.action is not Action.CONVERT or disk is None:
        return
    if disk_state_of(change.entry, vm_state.machine, vm_state.datastores) is not DiskState.OLD:
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


def _swap_forward(run: Run, change: DiskChange, attach: bool, check: Callable[[VmState], None]) -> VmState:
    """Swaps in one step, or in several. `check` is asked on the very look that each is bound to."""
    entry = run.held[change.address]

    def done(state: VmState) -> bool:
        return disk_state_of(entry, state.machine, state.datastores) is DiskState.NEW

    def in_one(state: VmState) -> None:
        _may_touch(run, entry, state)
        check(state)
        _take(run, state, step_forward(entry, state, attach), STEP_SWAPPED, entry.address)

    swapped = _in_one_step(run, entry, done, in_one)
    if swapped is not None:
        return swapped
    attach = attach or _create(run, change, check)
    _detach(run, entry, check, forward=True)
    return run.converge(done, in_one)


def _swap_back(run: Run, entry: JournalEntry, vm_state: VmState) -> VmState:
    comes_by_being_attached = not _make_old_again(run, entry, vm_state)

    def done(state: VmState) -> bool:
        return disk_state_of(entry, state.machine, state.datastores) is DiskState.OLD

    def in_one(state: VmState) -> None:
        require_off(run, state)
        step = step_back(entry, state)
        if comes_by_being_attached:
            step = with_file_made_again(step, entry, state)
        _take(run, state, step, STEP_REMOVED, entry.address)

    swapped = _in_one_step(run, entry, done, in_one)
    if swapped is not None:
        return swapped
    _detach(run, entry, lambda state: None, forward=False)
    return run.converge(done, in_one)


def _make_old_again(run: Run, entry: JournalEntry, state: VmState) -> bool:
    """Makes the old mapping again where its file is gone, under its old name, before it is attached; returns False
    where it is made by being attached."""
    if not old_is_gone(run, entry, state):
        return True
    try:
        made = _create_old(run, entry)
    except StepRefused:
        if not entry.one_at_a_time:
            raise
        _detach(run, entry, lambda state: None, forward=False)
        remove_new_file(run, entry, run.read_vm_when_idle())
        made = _create_old(run, entry)
    if not made and disk_state_of(entry, state.machine, state.datastores) is DiskState.MISSING:
        remove_new_file(run, entry, state)
    if made and entry.one_at_a_time:
        file = from_volume_path(entry.old_file, state.datastores)
        run.warnings.append(
            f"The old mapping {file} had been deleted, and was made again, with a disk uuid of its own."
        )
    return made


def _in_one_step(
    run: Run, entry: JournalEntry, done: Callable[[VmState], bool], in_one: Callable[[VmState], None]
) -> VmState | None:
    """Swaps in one step; returns None where the edge cannot, or the server refuses the device or its place: then the
    disk is detached first. Any other refusal is raised, and so is one where nothing is attached any more."""
    try:
        return run.converge(done, in_one)
    except Unsupported:
        return None
    except StepRefused as refusal:
        if refusal.kind is not RefusalKind.DEVICE_OR_PLACE or entry.edits_only:
            raise
        if disk_state_of(entry, run.read_machine(), {}) is DiskState.MISSING:
            raise
        return None


def _take(run: Run, state: VmState, step: Swap | Edit, name: str | None, address: str) -> None:
    """Has the edge take a step, with the journal, so that neither is ever without the other."""
    journal = _journal_at_step(run, state, name, address)
    backend, machine = run.backend, state.machine
    if isinstance(step, Edit):
        backend.edit(machine, step.disk, step.boot_order, journal)
    elif step.old is None:
        backend.attach(machine, step.new, step.place, journal)
    else:
        backend.replace(machine, step.old, step.new, step.place, journal)


def _create(run: Run, change: DiskChange, check: Callable[[VmState], None]) -> bool:
    """Makes the new mapping while the old one is attached still or, where the host takes no second one of a LUN, once
    the old one is gone; returns False where it is made by being attached."""
    entry = run.held[change.address]

    def new_mapping(state: VmState) -> NewMapping | None:
        _may_touch(run, entry, state)
        check(state)
        return _to_be_made(step_forward(entry, state, False))

    def is_there(state: VmState) -> bool:
        return new_file_is_there(run, entry, state)

    try:
        return _make_apart(run, new_mapping, is_there)
    except StepRefused as refusal:
        if not change.old_may_go_first or not old_has_to_go(
            run, entry.address, refusal, lambda state: _may_touch(run, entry, state)
        ):
            raise
    _detach(run, entry, check, forward=True)
    delete_old_mapping(run, entry.address, lambda state: _may_touch(run, entry, state))
    return _make_apart(run, new_mapping, is_there)


def _create_old(run: Run, entry: JournalEntry) -> bool:
    """Makes the old mapping; returns False where it is made by being attached."""

    def old_mapping(state: VmState) -> NewMapping | None:
        require_off(run, state)
        return _to_be_made(with_file_made_again(step_back(entry, state), entry, state))

    return _make_apart(
        run, old_mapping, lambda state: mapping_is_there(run, entry, entry.old_file, entry.old_mode, state)
    )


def _to_be_made(step: Swap | Edit) -> NewMapping | None:
    return step.new if isinstance(step, Swap) and isinstance(step.new, NewMapping) else None


def _make_apart(run: Run, mapping: Callable[[VmState], NewMapping | None], is_there: Callable[[VmState], bool]) -> bool:
    """Makes a mapping that nothing uses yet; returns False where there is none to make, or it is made by being
    attached."""
    conflicts = 0
    while True:
        state = run.read_vm_when_idle()
        new = mapping(state)
        if new is None:
            return False
        try:
            run.backend.create_mapping(state.machine, new)
        except Unsupported:
            return False
        except StepRefused as refusal:
            conflicts += 1
            if refusal.kind is not RefusalKind.STALE or conflicts == TRIES:
                raise
            continue
        except (OutcomeUnknown, ConnectionFailed):
            run.changed = True
            if not is_there(run.read_vm_when_idle()):
                raise
        run.changed = True
        return True


def _detach(run: Run, entry: JournalEntry, check: Callable[[VmState], None], forward: bool) -> None:
    """Takes the device off; its file is kept."""

    def gone(state: VmState) -> bool:
        return state.machine.disk_at(entry.address) is None

    def remove(state: VmState) -> None:
        if forward:
            _may_touch(run, entry, state)
        else:
            require_off(run, state)
        check(state)
        step = step_forward(entry, state, True) if forward else step_back(entry, state)
        if isinstance(step, Swap) and step.old is not None:
            journal = _journal_at_step(run, state, STEP_REMOVED, entry.address)
            run.backend.detach(state.machine, step.old, journal)

    state = run.converge(gone, remove)
    if forward and entry.old_file in run.backend.lost_files:
        file = from_volume_path(entry.old_file, state.datastores)
        run.warnings.append(
            f"The host deleted the old mapping {file} when {entry.address} was taken off, although it was told to keep "
            "it. The LUN's data are not touched by that, and the mapping can be made again."
        )


def _set_again(run: Run, entry: JournalEntry, vm_state: VmState) -> VmState:
    """Sets again what the swap lost of the disk's settings; what cannot be set is told, and fails nothing."""
    if lost_settings(entry, vm_state.machine) is None:
        return vm_state

    def set_again(state: VmState) -> None:
        _take(run, state, lost_settings(entry, state.machine) or Edit(), None, entry.address)

    try:
        return run.converge(lambda state: lost_settings(entry, state.machine) is None, set_again)
    except StepRefused as refusal:
        run.warnings.append(f"Settings of {entry.address} could not be set as they were: {refusal.message}")
        return run.read_vm()


def _journal_at_step(run: Run, state: VmState, step: str | None, address: str) -> dict[str, DiskJournal | None]:
    """Returns the journal to be written with a step, whose name it bears."""
    if step is not None:
        run.held[address] = replace(run.held[address], step=step)
    return run.renewed_journal(state.machine)
