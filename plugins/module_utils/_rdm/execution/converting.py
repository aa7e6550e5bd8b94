# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""One call of `rdm_compatibility`: read, wait for others, plan, carry out; again where the VM changed meanwhile."""

from __future__ import annotations

import uuid
from collections.abc import Callable

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, ModuleResult
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import EVERY_SECOND, Deadline, Pace
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import Backend
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.other_runs import live_entries
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import inventory_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.claiming import PlanIsStale
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.conversion import Conversion
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.executor import (
    execute,
    only_plan,
    stand_back,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.half_done import mark_untouched
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.lease import wait_for_others
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import Run
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Inventory, VirtualMachine
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.disk_plan import Action
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.making import make_plan, plan_questions
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request, request_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.results.conversion_report import (
    ConversionReport,
    DiskResult,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.selection import select_machine

_PLANS = 4


def rdm_compatibility(backend: Backend, call: ModuleCall, *, pace: Pace = EVERY_SECOND) -> ModuleResult:
    """Does one call of `rdm_compatibility`; returns its result, and the sentence that fails the task where it must."""
    report = convert_machine(backend, request_of(call.options), check_mode=call.check_mode, log=call.log, pace=pace)
    report.warnings.extend(_local_disks(backend, report))
    return ModuleResult(report.result(), report.failure())


def convert_machine(
    backend: Backend,
    request: Request,
    *,
    check_mode: bool,
    log: Callable[[str], None],
    pace: Pace = EVERY_SECOND,
) -> ConversionReport:
    """Does one call of `rdm_compatibility` and returns its report; raises only where the VM cannot be read at all."""
    run_id = uuid.uuid4().hex
    deadline = Deadline(request.timeout)
    # Records of a claim that another run had at the same moment are written, and count as a change.
    claimed = False
    report: ConversionReport | None = None
    for attempt in range(_PLANS):
        run = Run(backend, "", run_id, deadline, log, pace)
        try:
            inventory, machine = _read(run, request.vm)
        except StorageError as error:
            if report is None:
                raise
            # What the plan before this one has written is told all the same.
            report.fail(f"{request.vm} changed when this run had begun, and cannot be read any more: {error}")
            report.changed = claimed
            return report
        other = None
        if live_entries(machine, run.now()):
            other = wait_for_others(run, machine, may_wait=not check_mode)
            inventory, machine = _read(run, machine.id)
        survey = run.survey(plan_questions(request, inventory, machine))
        plan = make_plan(request, inventory, machine, survey)
        conversion = Conversion.of(run, plan)
        report = conversion.report
        if other is not None:
            stand_back(conversion, other)
            report.changed = claimed
            return report
        if check_mode:
            only_plan(conversion)
            return report
        try:
            execute(conversion)
        except PlanIsStale as stale:
            claimed = claimed or run.changed
            report.steps.clear()
            for change in conversion.changes:
                mark_untouched(conversion, change, DiskResult.NOT_STARTED)
            if attempt < _PLANS - 1:
                continue
            report.fail(str(stale))
        report.changed = report.changed or claimed
        return report
    raise AssertionError("unreachable: the last plan returned")


def _read(run: Run, name: str) -> tuple[Inventory, VirtualMachine]:
    """Returns everything, and the VM of that name with its journal."""
    inventory = run.inventory()
    machine = select_machine(inventory, name)
    run.machine_id = machine.id
    # Of this machine alone the records are read, wherever they are kept; its last mapping may have been left detached.
    inventory = inventory_of(run.read_vm(), inventory)
    return inventory, inventory.machines[machine.id]


def _local_disks(backend: Backend, report: ConversionReport) -> list[str]:
    """Returns what the edge has to say about the local disks of a call."""
    local = [
        f"{disk.address} ({disk.lun.canonical_name})"
        for disk in report.plan.disks
        if disk.action in (Action.CONVERT, Action.FINISH) and disk.lun is not None and disk.lun.local
    ]
    if not local or backend.caution_about_local_disks is None:
        return []
    return [f"{', '.join(local)}: {backend.caution_about_local_disks}"]
