# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The one executor: carries a plan out on an edge, and says of every disk what became of it.

The order is fixed: all entries of the journal, then the power, then disk by disk, then the power again, then the notes.
Nothing is kept only in memory: a run that is killed at any point is recognised by the next from the VM and its journal.
"""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import DiskState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.changing_disks import change_disk
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.claiming import PlanIsStale, claim
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.conversion import Conversion
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.giving_back import give_back
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.half_done import (
    mark_failed,
    mark_open,
    mark_untouched,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.kept_files import (
    Deleted,
    delete_kept_mappings,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.power import NotShutDown, switch_off
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import TakenOver
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.starting import may_start, start_again
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import from_volume_path
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning import steps
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.disk_plan import (
    Action,
    DiskChange,
    DiskPlan,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.results.conversion_report import (
    DiskResult,
    old_mapping_deleted,
)


def only_plan(conversion: Conversion) -> None:
    """Fills the report with what would be done: the very plan that `execute` carries out."""
    _report_blocked(conversion)
    report = conversion.report
    for change in conversion.changes:
        report.states[change.address] = DiskResult.WOULD_CONVERT
    report.steps = steps.planned_steps(conversion.plan)
    report.deleted = {address: list(files) for address, files in steps.planned_deletions(conversion.plan).items()}
    report.resumed = conversion.resumes
    report.changed = bool(report.steps)


def stand_back(conversion: Conversion, other: Finding) -> None:
    """Fills the report of a call that may do nothing, since another run works on the VM."""
    _report_blocked(conversion)
    conversion.report.block([other])
    for change in conversion.changes:
        conversion.report.states[change.address] = DiskResult.BLOCKED


def execute(conversion: Conversion) -> None:
    """Does the call. Whatever happens, the report says of every disk where it stands."""
    _report_blocked(conversion)
    try:
        if conversion.changes and claim(conversion):
            _change_disks(conversion)
        if conversion.request.delete_old_mapping and not conversion.report.failure():
            _delete_old(conversion)
    except TakenOver as taken:
        conversion.report.fail(str(taken))
        mark_open(conversion, DiskResult.TAKEN_OVER)
    except PlanIsStale:
        raise
    except StorageError as error:
        conversion.report.fail(str(error))
        mark_open(conversion, DiskResult.FAILED)
    _look_back(conversion)


def _report_blocked(conversion: Conversion) -> None:
    """Says of every disk that the plan cannot change why, and how to recover one that was left half way."""
    conversion.report.block(conversion.plan.blockers)
    possible = {change.address for change in conversion.changes}
    for disk in conversion.plan.disks:
        if (disk.action is Action.KEEP and not disk.blockers) or disk.address in possible:
            continue
        conversion.report.states[disk.address] = DiskResult.BLOCKED
        if not isinstance(disk, DiskChange) or not disk.blockers or disk.address not in conversion.plan.entries:
            continue
        if not conversion.plan.stands(disk, DiskState.OLD):
            mark_failed(conversion, disk)


def _change_disks(conversion: Conversion) -> None:
    """Power, disks, power, notes."""
    if conversion.plan.stops_the_vm and not _switch_off(conversion):
        return
    for change in conversion.changes:
        change_disk(conversion, change)
    if may_start(conversion) and not start_again(conversion):
        return
    give_back(conversion, conversion.changes)


def _switch_off(conversion: Conversion) -> bool:
    """Stops the VM, and reads all anew: others may have come to use a LUN while the guest was shutting down."""
    conversion.report.step(steps.power_off_step(conversion.request))
    try:
        conversion.must_start = switch_off(conversion.run, conversion.request, conversion.plan.machine)
    except NotShutDown as refusal:
        conversion.report.fail(str(refusal))
        for change in conversion.changes:
            mark_untouched(conversion, change, DiskResult.BLOCKED)
        give_back(
            conversion, [change for change in conversion.changes if conversion.plan.stands(change, DiskState.OLD)]
        )
        return False
    except TakenOver:
        raise
    except StorageError as error:
        # The guest may still go down: the entries stay, so that the next run starts it again.
        conversion.report.fail(str(error))
        for change in conversion.changes:
            mark_untouched(conversion, change, DiskResult.NOT_STARTED)
        return False
    conversion.plan = replace(conversion.plan, inventory=conversion.run.inventory_as_owner())
    return True


def _delete_old(conversion: Conversion) -> None:
    addresses = [disk.address for disk in conversion.plan.disks if _may_delete(conversion, disk)]
    deleted = Deleted()
    try:
        delete_kept_mappings(conversion.run, conversion.request, addresses, deleted)
    finally:
        conversion.report.keep_old(deleted.refusals)
        for address, file in deleted.files:
            conversion.report.step(steps.delete_step(address, file))
            conversion.report.delete(address, file)


def _may_delete(conversion: Conversion, disk: DiskPlan) -> bool:
    if isinstance(disk, DiskChange) and disk.action is Action.UNDO and not disk.entry.deletes_only:
        return False
    state = conversion.report.states.get(disk.address, DiskResult.UNCHANGED)
    return state in (DiskResult.CONVERTED, DiskResult.UNCHANGED)


def _look_back(conversion: Conversion) -> None:
    """Reads the VM once more, so that the report says what is, not what was meant."""
    conversion.report.changed = conversion.run.changed
    conversion.report.warnings = conversion.run.warnings
    for change in conversion.converted():
        if change.address in conversion.old_gone:
            _tell_gone(conversion, change)
    if not conversion.run.changed:
        return
    try:
        machine = conversion.run.read_machine()
    except StorageError as error:
        conversion.report.fail(f"The VM could not be read again: {error}")
        return
    conversion.report.power_after = machine.power
    for disk in conversion.plan.disks:
        conversion.report.after[disk.address] = machine.disk_at(disk.address)


def _tell_gone(conversion: Conversion, change: DiskChange) -> None:
    """Says of a converted disk that its old mapping is not there any more."""
    file = from_volume_path(change.entry.old_file, conversion.plan.inventory.datastores)
    if change.entry.old_file in conversion.run.backend.lost_files:
        return
    conversion.report.delete(change.address, file)
    if not conversion.request.delete_old_mapping:
        conversion.report.findings.append(old_mapping_deleted(change.entry, file))
