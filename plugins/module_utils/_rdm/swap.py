# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""One disk forward or back: swap, verify, undo. Each raises; what that means for the rest is the caller's to say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StepRefused, StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import Change, Sight
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.blockers import blockers_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Blocker,
    DiskKind,
    Inventory,
    Power,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.record import (
    STEP_REMOVED,
    STEP_SWAPPED,
    TOUCHED,
    OpenRecord,
    from_volume_path,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.run import Run, record_at
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.work import (
    Stand,
    Task,
    Work,
    backward_change,
    differences,
    forward_change,
    inventory_of,
    lost_settings,
    stand_of,
)

# Refusals that are about the device or its place; only then are two steps tried where one was refused.
_TRY_IN_TWO = frozenset({"InvalidDeviceSpec", "InvalidDeviceOperation"})
# What a machine that is switched off for this run may not be counted against it again.
_KNOWN = frozenset({"record_of_other_vm", "run_in_progress", "target_file_exists", "task_running"})


class StartedByOther(StorageError):
    """The VM runs though this run had it off: no device is added or removed any more, and it is not stopped again."""


class NotBegun(StorageError):
    """The disk stands as it was, and may not be touched now."""


class Blocked(StorageError):
    """A reason not to go on appeared after the plan was made, and before anything was done to the disk."""

    def __init__(self, blockers: tuple[Blocker, ...]) -> None:
        super().__init__(" ".join(f"{blocker.message} {blocker.hint}" for blocker in blockers))
        self.blockers = blockers


class NotVerified(StorageError):
    """The server did what was asked, and the result is not what was wanted."""


def convert(run: Run, work: Work, request: Request, known: Inventory) -> Sight:
    """Makes the new mapping stand and verifies it; returns the look that showed it."""
    record = run.held[work.address]
    sight = run.look_when_idle()
    run.check_ownership(sight)
    stand = stand_of(record, sight.machine, sight.datastores)
    if stand is not Stand.NEW:
        _may_touch(run, record, sight)
        # What a killed run made and recorded is attached; a file that appeared since the plan is somebody else's.
        left_over = work.task is Task.FINISH and _own_file_is_there(run, record, sight)
        sight = _swap_forward(
            run, record, work.attach_existing or left_over, lambda seen: _check_again(seen, work, request, known)
        )
    wrong = differences(record, sight, Stand.NEW)
    if wrong:
        raise NotVerified(f"The new mapping at {work.address} is not as wanted: {'; '.join(wrong)}.")
    return _set_again(run, record, sight)


def verify(run: Run, work: Work) -> tuple[str, ...]:
    """Returns what is not as wanted of a disk that should stand converted."""
    return differences(run.held[work.address], run.look(), Stand.NEW)


def undo(run: Run, work: Work, *, keeps_new_file: bool = False) -> Sight:
    """Makes the old mapping stand again, verifies that, and removes the new file that this record made."""
    record = run.held[work.address]
    sight = run.look_when_idle()
    stand = stand_of(record, sight.machine, sight.datastores)
    if stand is not Stand.OLD:
        require_off(run, sight)
        sight = _swap_back(run, record)
        wrong = differences(record, sight, Stand.OLD)
        if wrong:
            raise NotVerified(f"The old mapping at {work.address} is attached again, but {'; '.join(wrong)}.")
    if run.held[work.address].step in TOUCHED:
        sight = _set_again(run, replace(record, wanted=record.old_mode, disk_mode=record.old_disk_mode), sight)
    if not keeps_new_file:
        _remove_new_file(run, record, sight)
    return sight


def require_off(run: Run, sight: Sight) -> Sight:
    """Returns the look; raises StartedByOther unless the VM is off."""
    run.check_ownership(sight)
    if sight.machine.power is not Power.OFF:
        raise StartedByOther(
            f"Somebody started or resumed {sight.machine.name} while its disks were being converted.",
            hint="It was not stopped again. Shut it down, then run again.",
        )
    return sight


def _may_touch(run: Run, record: OpenRecord, sight: Sight) -> None:
    """Raises NotBegun, or StartedByOther where the disk was begun with, unless the VM is off."""
    stand = stand_of(record, sight.machine, sight.datastores)
    if stand is Stand.OLD and sight.machine.power is not Power.OFF:
        raise NotBegun(
            f"Somebody started or resumed {sight.machine.name}; {record.address} was left as it is.",
            hint="It was not stopped again. Shut it down, then run again.",
        )
    require_off(run, sight)


def _check_again(sight: Sight, work: Work, request: Request, known: Inventory) -> None:
    """Reads the blockers anew on the facts of this moment, for what others may have done since the plan."""
    disk = sight.machine.disk_at(work.address)
    if work.task is not Task.CONVERT or disk is None or work.record is None:
        return
    if stand_of(work.record, sight.machine, sight.datastores) is not Stand.OLD:
        return
    found = blockers_of(
        inventory_of(sight, known),
        sight.machine,
        disk,
        request.compatibility,
        power=request.power,
        override=request.override,
    )
    blockers = tuple(blocker for blocker in found if blocker.code not in _KNOWN)
    if blockers:
        raise Blocked(blockers)


def _swap_forward(run: Run, record: OpenRecord, attach: bool, check: Callable[[Sight], None]) -> Sight:
    """Swaps in one reconfigure, or in two. `check` is asked on the very look that each is bound to."""

    def done(sight: Sight) -> bool:
        return stand_of(record, sight.machine, sight.datastores) is Stand.NEW

    def in_one(sight: Sight) -> Change:
        _may_touch(run, record, sight)
        check(sight)
        return _with_records(run, sight, forward_change(record, sight, attach), STEP_SWAPPED, record.address)

    try:
        return run.reach(done, in_one)
    except StepRefused as refusal:
        if refusal.fault not in _TRY_IN_TWO or record.edits_only:
            raise
        if stand_of(record, run.look().machine, {}) is Stand.MISSING:
            raise
    _detach(run, record, check, forward=True)
    return run.reach(done, in_one)


def _swap_back(run: Run, record: OpenRecord) -> Sight:
    def done(sight: Sight) -> bool:
        return stand_of(record, sight.machine, sight.datastores) is Stand.OLD

    def in_one(sight: Sight) -> Change:
        require_off(run, sight)
        return _with_records(run, sight, backward_change(record, sight), STEP_REMOVED, record.address)

    try:
        return run.reach(done, in_one)
    except StepRefused as refusal:
        if refusal.fault not in _TRY_IN_TWO or record.edits_only:
            raise
        if stand_of(record, run.look().machine, {}) is Stand.MISSING:
            raise
    _detach(run, record, lambda sight: None, forward=False)
    return run.reach(done, in_one)


def _detach(run: Run, record: OpenRecord, check: Callable[[Sight], None], forward: bool) -> None:
    """The first of two steps: the device is removed, its file is kept."""

    def gone(sight: Sight) -> bool:
        return sight.machine.disk_at(record.address) is None

    def remove(sight: Sight) -> Change:
        require_off(run, sight)
        check(sight)
        whole = forward_change(record, sight, True) if forward else backward_change(record, sight)
        return _with_records(run, sight, Change(remove=whole.remove), STEP_REMOVED, record.address)

    run.reach(gone, remove)


def _set_again(run: Run, record: OpenRecord, sight: Sight) -> Sight:
    """Sets again what the swap lost of the disk's settings; what cannot be set is told, and fails nothing."""
    if lost_settings(record, sight.machine) is None:
        return sight

    def change(seen: Sight) -> Change:
        again = lost_settings(record, seen.machine) or Change()
        return _with_records(run, seen, again, None, record.address)

    try:
        return run.reach(lambda seen: lost_settings(record, seen.machine) is None, change)
    except StepRefused as refusal:
        run.warnings.append(f"Settings of {record.address} could not be set as they were: {refusal.message}")
        return run.look()


def _own_file_is_there(run: Run, record: OpenRecord, sight: Sight) -> bool:
    """Tells whether the new mapping of this record exists already, left by a run that was killed."""
    if record.edits_only:
        return False
    file = from_volume_path(record.new_file, sight.datastores)
    listing = run.list_folder(sight.machine, file) or {}
    return file in listing and listing[file].kind is DiskKind.MAPPING


def _remove_new_file(run: Run, record: OpenRecord, sight: Sight) -> None:
    """Removes the mapping that this record made, unless a note says that it was there before."""
    if record.edits_only:
        return
    records = (record_at(sight.machine, address) for address in sight.machine.records)
    noted = {note.old_file for known in records if known is not None for note in known.notes}
    file = from_volume_path(record.new_file, sight.datastores)
    if record.new_file in noted or not _own_file_is_there(run, record, sight):
        return
    machines = inventory_of(sight, run.inventory()).machines.values()
    if any(file in (disk.file, *disk.parents) for machine in machines for disk in machine.disks):
        return
    try:
        run.delete_mapping(sight.machine, file)
    except StorageError as error:
        run.warnings.append(f"The unused mapping {file} could not be deleted: {error.message}")


def _with_records(run: Run, sight: Sight, change: Change, step: str | None, address: str) -> Change:
    """Returns the change with the records in the same reconfigure, so that neither is ever without the other."""
    if step is not None:
        run.held[address] = replace(run.held[address], step=step)
    return replace(change, records=run.record_texts(sight.machine))
