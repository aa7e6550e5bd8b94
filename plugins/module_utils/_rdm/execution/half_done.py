# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Disks that are left neither converted nor as they were, and what a person does about them."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.device_steps import (
    Edit,
    Swap,
    blind_step_back,
    step_back,
    with_file_made_again,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import DiskState, disk_state_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution import swap
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.conversion import Conversion
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.disk_plan import DiskChange
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.recovery import recovery_commands
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.results.conversion_report import DiskResult


def mark_failed(conversion: Conversion, change: DiskChange) -> None:
    """Says that a disk is left neither converted nor as it was, and how a person puts it right."""
    conversion.report.states[change.address] = DiskResult.FAILED
    plan, entry = conversion.plan, conversion.run.held.get(change.address, change.entry)
    given_up = entry if entry.one_at_a_time else None
    try:
        state = conversion.run.read_vm()
        if disk_state_of(entry, state.machine, state.datastores) is DiskState.OLD:
            return
        step: Swap | Edit = step_back(entry, state)
        if given_up is None and entry.old_file in conversion.run.backend.lost_files:
            step = with_file_made_again(step, entry, state)
        commands = recovery_commands(state.machine, state.host, step, given_up)
    except StorageError:
        step = blind_step_back(entry, change.disk, plan.inventory.datastores)
        commands = recovery_commands(plan.machine, plan.inventory.host_of(plan.machine), step, given_up)
    conversion.report.recovery.extend(command for command in commands if command not in conversion.report.recovery)


def mark_untouched(conversion: Conversion, change: DiskChange, state: DiskResult) -> None:
    """Says of a disk that was not touched in this run where it stands; one left half way by another run failed."""
    if conversion.plan.is_half_way(change):
        mark_failed(conversion, change)
    else:
        conversion.report.states[change.address] = state


def mark_open(conversion: Conversion, state: DiskResult) -> None:
    """Marks the disks of which nothing final is known, and gives the commands where they stand half way."""
    for change in conversion.changes:
        known = conversion.report.states.get(change.address)
        if known not in (None, DiskResult.CONVERTED) or change.address not in conversion.run.held:
            continue
        if state is not DiskResult.FAILED:
            conversion.report.states[change.address] = state
        elif known is None and change.address not in conversion.begun:
            mark_untouched(conversion, change, DiskResult.NOT_STARTED)
        elif known is not DiskResult.CONVERTED or not _still_stands(conversion, change):
            # Of one that is converted only the entry could not be closed; the next run does that.
            mark_failed(conversion, change)


def _still_stands(conversion: Conversion, change: DiskChange) -> bool:
    try:
        return not swap.verify(conversion.run, change)
    except StorageError:
        return False
