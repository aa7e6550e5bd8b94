# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What `rdm_rehearsal` does, given the edge that it works on: look, refuse or rehearse, and tell."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, ModuleResult
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import EVERY_SECOND, Deadline, Pace
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.lease import LONGEST_WAIT_SECONDS
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.rehearsal_removal import (
    LeftOver,
    left_overs,
    remove,
    take_over,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.rehearsing import LeftBehind, Rehearsal
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import Run
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Datastore, Inventory
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.anonymous import (
    answers_result,
    names_of,
    report,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.edge import RehearsalBackend
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.fitness import (
    RehearsalRequest,
    Stage,
    blockers,
    choose,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.questions import Course
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.record import (
    NAME_PREFIX,
    is_registered,
)


@dataclass
class _Told:
    """The result as it comes to be."""

    removed: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    found: dict[str, object] = field(default_factory=dict)

    def result(self, *, changed: bool = False) -> dict[str, object]:
        """Returns the result so far."""
        nothing: dict[str, object] = {"plan": (), "answers": (), "conversion": None, "blockers": (), "report": None}
        return {
            "changed": changed or bool(self.removed),
            "vm": None,
            **nothing,
            "removed": self.removed,
            "warnings": self.warnings,
            **self.found,
        }


def rdm_rehearsal(backend: RehearsalBackend, call: ModuleCall, *, pace: Pace = EVERY_SECOND) -> ModuleResult:
    """Does one call of `rdm_rehearsal`; returns its result, and the sentence that fails the task where it must."""
    request = RehearsalRequest.of(call.options)
    run_id = uuid.uuid4().hex
    run = Run(backend, "", run_id, Deadline(request.timeout), call.log, pace)
    told = _Told()
    inventory, left, other = _read(run, request, may_wait=not call.check_mode)
    stage = choose(inventory, request)
    told.found |= {
        "lun": stage.lun.canonical_name,
        "host": stage.host.name,
        "datastore": stage.datastore.name,
    }
    dead = [one for one in left if not one.live]
    if call.check_mode:
        told.removed.extend(one.machine.name for one in dead)
        gone = frozenset(one.machine.id for one in dead)
    else:
        gone = _remove_dead(run, backend, dead, inventory.datastores, told)
    table = backend.partition_table(stage.lun)
    found = blockers(inventory, stage, request, table, backend.missing_rights(stage.host, stage.datastore), gone)
    found = (*((other,) if other is not None else ()), *found)
    told.found["blockers"] = found
    if found:
        return ModuleResult(told.result(), " ".join(f"{blocker.message} {blocker.hint}" for blocker in found))
    told.found["plan"] = _plan(stage, backend.course)
    if call.check_mode:
        return ModuleResult(told.result())
    own_uuid = None if backend.keeps_record_beside else str(uuid.uuid4())
    rehearsal = Rehearsal(backend, stage, run_id, own_uuid, run.deadline, call.log, pace)
    return _hold(rehearsal, inventory.server, call, told)


def _read(
    run: Run, request: RehearsalRequest, *, may_wait: bool
) -> tuple[Inventory, Sequence[LeftOver], Finding | None]:
    """Returns all that there is, what earlier runs left, and a blocker where one of them is at work on the same LUN.

    A killed run renews nothing: its lease is waited for, on a clock of our own, for no longer than one lease.
    """
    patience = Deadline(LONGEST_WAIT_SECONDS)
    leases: dict[str, float] = {}
    while True:
        inventory = run.inventory()
        now = run.now()
        left = left_overs(inventory, now)
        live = [one for one in left if one.live and one.record.lun == request.lun]
        if not live:
            return inventory, left, None
        renewed = any(one.record.lease > leases.get(one.machine.id, one.record.lease) for one in live)
        if renewed or not may_wait or run.time_is_up() or patience.is_over:
            ends = max(one.record.lease for one in live) - now
            return inventory, left, _in_progress(live, ends)
        leases.update({one.machine.id: one.record.lease for one in live})
        run.log(f"Another rehearsal of {request.lun} is at work, or was killed: waiting until its lease is over.")
        run.pace.until(min(one.record.lease for one in live) - now)


def _in_progress(live: Sequence[LeftOver], seconds: float) -> Finding:
    names = ", ".join(one.machine.name for one in live)
    return Finding.blocker(
        BlockerCode.RUN_IN_PROGRESS,
        f"Another rehearsal is at work on this LUN, with {names}; its lease ends in {seconds:.0f} s.",
        "Wait for it to end; if it was killed, run again once its lease is over.",
        names,
    )


def _remove_dead(
    run: Run,
    backend: RehearsalBackend,
    dead: Sequence[LeftOver],
    datastores: Mapping[str, Datastore],
    told: _Told,
) -> frozenset[str]:
    """Removes what killed runs left; returns the ids of the machines that are gone. What cannot be is told."""
    gone = set()
    for one in dead:
        try:
            owner = one.record.run
            # Of one that is not registered files alone are left: whoever removes them does the same.
            if is_registered(one.machine):
                take_over(backend, one, run.run_id, run.now(), run.log, run.pace)
                owner = run.run_id
            remove(backend, one.machine, owner, datastores, run.log, run.pace)
        except StorageError as error:
            told.warnings.append(f"{one.machine.name}, which an earlier rehearsal left, was not removed: {error}")
        else:
            told.removed.append(one.machine.name)
            gone.add(one.machine.id)
    return frozenset(gone)


def _plan(stage: Stage, course: Course) -> tuple[str, ...]:
    """Returns what a rehearsal does on a server that accepts everything, in order."""
    return (
        f"make a virtual machine {NAME_PREFIX}... on {stage.host.name}, in a folder of its own on "
        f"{stage.datastore.name}: no disk, no guest system, never started",
        *(
            f"{step} ({stage.lun.canonical_name})" if step.startswith("make ") else step
            for step in course.usual_steps()
        ),
        "remove its mapping files, the virtual machine and its folder",
    )


def _hold(rehearsal: Rehearsal, server: str, call: ModuleCall, told: _Told) -> ModuleResult:
    """Holds the rehearsal; returns its result."""
    failure: str | None = None
    left_behind = False
    try:
        rehearsal.hold()
    except LeftBehind as error:
        failure, left_behind = str(error), True
    stopped = rehearsal.stopped
    if stopped is not None:
        failure = " ".join(filter(None, (f"The rehearsal did not come to its end: {stopped}", failure)))
    stage = rehearsal.stage
    answers = rehearsal.backend.course.completed(rehearsal.answers, stage.lun.local)
    prediction = rehearsal.backend.course.predict(answers)
    names = names_of(stage, rehearsal.machine, server, str(call.options.get("username") or ""))
    names.setdefault(rehearsal.name, "<vm>")
    shown = report(rehearsal.backend.about(), stage, rehearsal.machine, answers, prediction, names)
    told.found |= {
        "vm": rehearsal.name,
        "answers": answers_result(answers, None),
        "conversion": prediction,
        "report": {**shown, "complete": stopped is None},
    }
    return ModuleResult(told.result(changed=left_behind), failure)
