# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The steps of a call, as they will be and as they were run: one and the same. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import ONLY_RECORDED, volume_path
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import from_volume_path
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.disk_plan import (
    Action,
    DiskChange,
    DiskPlan,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.plan import Plan
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request


@dataclass(frozen=True)
class PlanStep:
    """One step; what it is called, of which disk, and what is done."""

    step: str
    address: str | None
    description: str


def record_step(changes: Sequence[DiskPlan]) -> PlanStep:
    """The first write of every call that changes a disk."""
    addresses = ", ".join(change.address for change in changes)
    return PlanStep("record", None, f"write down, with the VM, what is there and what is wanted of {addresses}")


def power_off_step(request: Request) -> PlanStep:
    """The VM is switched off, in the way the user allowed."""
    hard = f", and switch the VM off if it has not within {request.shutdown_timeout:g} s"
    return PlanStep("power_off", None, f"ask the guest to shut down{hard if request.power == 'power_off' else ''}")


def disk_step(change: DiskChange, plan: Plan) -> PlanStep:
    """The one step that changes a disk."""
    entry, datastores = change.entry, plan.inventory.datastores
    old, new = (from_volume_path(path, datastores) for path in (entry.old_file, entry.new_file))
    if change.action is Action.UNDO and entry.deletes_only:
        return PlanStep("undo", change.address, "close the record of a run that was deleting old mapping files")
    if change.action is Action.UNDO and entry.edits_only:
        return PlanStep("undo", change.address, f"see that the disk mode is {entry.old_disk_mode} again")
    if change.action is Action.UNDO:
        return PlanStep("undo", change.address, f"see that {old} is attached again, and remove {new} if it was made")
    if entry.edits_only:
        return PlanStep("edit_disk_mode", change.address, f"set the disk mode to {entry.disk_mode}")
    lun = f"{entry.lun.canonical_name}, {entry.lun.capacity_bytes} bytes"
    if change.disk.key == ONLY_RECORDED or volume_path(change.disk, datastores) == entry.new_file:
        return PlanStep(
            "swap",
            change.address,
            f"see that {entry.wanted.value} mapping {new} of {lun} is attached in the place of {old}, which an "
            "interrupted run detached, and verify mode, LUN, size and address",
        )
    how = "attach the kept" if change.attach_existing else "make and attach"
    kept = "its file is kept"
    if change.old_may_go_first:
        kept += "; where the host takes no second mapping of the LUN it is deleted before the new one is made"
    return PlanStep(
        "swap",
        change.address,
        f"detach {old} ({kept}), {how} {entry.wanted.value} mapping {new} of {lun}, "
        f"and verify mode, LUN, size and address",
    )


def power_on_step() -> PlanStep:
    """The VM is started again."""
    return PlanStep("power_on", None, "start the VM again and verify the disks once more")


def note_step(changes: Sequence[DiskPlan]) -> PlanStep:
    """The records shrink to notes."""
    addresses = ", ".join(change.address for change in changes)
    return PlanStep("note", None, f"shrink the records of {addresses} to notes about the old mappings that are kept")


def delete_step(address: str, file: str) -> PlanStep:
    """An old mapping file is deleted."""
    return PlanStep("delete_old_mapping", address, f"delete the old mapping file {file} (never the LUN's data)")


def planned_deletions(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Returns by address the kept files that a run deletes if all goes well: none where anything blocks."""
    found: dict[str, tuple[str, ...]] = {}
    if not plan.request.delete_old_mapping or plan.blockers:
        return found
    for disk in plan.disks:
        files = [kept.old_file for kept in disk.deletions]
        if isinstance(disk, DiskChange) and disk.action in (Action.CONVERT, Action.FINISH):
            files = [path for path in (*files, disk.entry.old_file) if path != disk.entry.new_file]
        if files:
            names = (from_volume_path(path, plan.inventory.datastores) for path in dict.fromkeys(files))
            found[disk.address] = tuple(names)
    return found


def planned_steps(plan: Plan) -> list[PlanStep]:
    """Returns the steps that a run of this plan takes, in their order."""
    steps: list[PlanStep] = []
    if plan.changes:
        steps.append(record_step(plan.changes))
        if plan.stops_the_vm:
            steps.append(power_off_step(plan.request))
        steps.extend(disk_step(change, plan) for change in plan.changes)
        if plan.starts_the_vm:
            steps.append(power_on_step())
        steps.append(note_step(plan.changes))
    for address, files in planned_deletions(plan).items():
        steps.extend(delete_step(address, file) for file in files)
    return steps
