# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""One disk of a plan: changed, or put back, and what the report says of it."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    RefusalKind,
    StepRefused,
    StorageError,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import VmState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import DiskState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution import swap
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.conversion import Conversion
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.half_done import mark_failed
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.own_files import old_is_gone
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import TakenOver
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning import steps
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.disk_plan import Action, DiskChange
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.results.conversion_report import DiskResult


def change_disk(conversion: Conversion, change: DiskChange) -> None:
    """Does what the plan says of the disk, or undoes it; begins with nothing once time is up or a disk failed."""
    forward = change.action is not Action.UNDO
    late = conversion.stopped_short or conversion.run.time_is_up()
    if forward and late and not conversion.plan.stands(change, DiskState.NEW):
        if conversion.plan.is_half_way(change):
            undo_disk(conversion, change)
        else:
            _mark_not_started(conversion, change)
        return
    conversion.report.step(steps.disk_step(change, conversion.plan))
    if forward:
        _convert_disk(conversion, change)
    else:
        undo_disk(conversion, change)


def _mark_not_started(conversion: Conversion, change: DiskChange) -> None:
    conversion.report.states[change.address] = DiskResult.NOT_STARTED
    if not conversion.stopped_short:
        conversion.report.fail(
            f"The time of {conversion.request.timeout:g} s was over before {change.address} was begun with."
        )


def _convert_disk(conversion: Conversion, change: DiskChange) -> None:
    """Converts the disk; where that fails it is put back, and no other is begun with."""
    report, address = conversion.report, change.address
    conversion.begun.add(address)
    try:
        state = swap.convert(conversion.run, change, conversion.request, conversion.plan.inventory)
        _mark_converted(conversion, change, state)
        return
    except TakenOver:
        raise
    except swap.Blocked as blocked:
        report.block(blocked.blockers)
        report.states[address] = DiskResult.BLOCKED
    except swap.NotStarted as started:
        report.fail(str(started))
        report.states[address] = DiskResult.NOT_STARTED
    except StorageError as error:
        report.fail(f"{address}: {error}")
        if isinstance(error, StepRefused) and error.kind is RefusalKind.FILE_EXISTS:
            conversion.not_its_own.add(address)
        undo_disk(conversion, change)
    conversion.stopped_short = True


def _mark_converted(conversion: Conversion, change: DiskChange, state: VmState) -> None:
    conversion.report.states[change.address] = DiskResult.CONVERTED
    if old_is_gone(conversion.run, conversion.run.held[change.address], state):
        conversion.old_gone.add(change.address)


def undo_disk(conversion: Conversion, change: DiskChange) -> None:
    """Puts the old mapping back. A disk that verifies in a VM that somebody else started stays converted."""
    states, address = conversion.report.states, change.address
    conversion.begun.add(address)
    if change.entry.deletes_only:
        # The disk was never touched: only the entry has to be closed.
        states[address] = DiskResult.UNCHANGED
        return
    try:
        swap.undo(conversion.run, change)
        states[address] = DiskResult.ROLLED_BACK
        conversion.old_gone.discard(address)
    except TakenOver:
        raise
    except StorageError as error:
        if isinstance(error, swap.StartedByOther) and _verified(conversion, change):
            _mark_converted(conversion, change, conversion.run.read_vm())
            return
        conversion.report.fail(f"{address} could not be put back: {error}")
        mark_failed(conversion, change)


def _verified(conversion: Conversion, change: DiskChange) -> bool:
    return change.action is not Action.UNDO and not swap.verify(conversion.run, change)
