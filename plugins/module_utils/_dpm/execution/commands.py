# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What the DPM modules do: one function a module, given a DPM server."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Protocol

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, ModuleResult
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import CallTimes
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.checking import (
    CheckRequest,
    refuse_recklessness,
    run_checks,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.point_making import (
    PointRequest,
    make_points,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.resizing import (
    ResizeRequest,
    read_settled,
    resize_volumes,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.server import DpmServer, PowerShellServer
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.switching import switch_group
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.trends import (
    keep_and_look,
    opened,
    past_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.filling import growth_of_sources
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.findings import Limits
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.info_results import info_result
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.options import (
    at_least,
    max_age_of,
    newer_than_of,
    selection_of,
    size_policy_of,
    threshold_of,
    volume_kind_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.point_results import point_failure, point_result
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.results import (
    check_failure,
    check_result,
    resize_failure,
    resize_result,
)
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.transport import Transport


class ModuleCommand(Protocol):
    """A command as the frame of a module, or of an action plugin with its task's connection, calls it."""

    def __call__(self, call: ModuleCall, task_connection: Transport | None = None) -> ModuleResult:
        """Does one call."""


def on_server(command: Callable[[DpmServer, ModuleCall], ModuleResult]) -> ModuleCommand:
    """Returns the command on the DPM server that the options or the connection lead to; it is closed afterwards."""

    def run(call: ModuleCall, task_connection: Transport | None = None) -> ModuleResult:
        with PowerShellServer(call.options, task_connection) as server:
            return command(server, call)

    return run


def allocation_info(server: DpmServer, call: ModuleCall) -> ModuleResult:
    """Does one call of dpm_allocation_info."""
    limits = Limits(threshold_of(call.options), max_age_of(call.options))
    selection = selection_of(call.options)
    timeout = at_least(call.options, "timeout", 1)
    writes = not call.check_mode
    path = call.options["history"]
    # A history that is not there yet has no trends, and a run that changes nothing makes none.
    with opened(path if path is None or writes or Path(path).exists() else None, writes=writes) as history:
        facts, chosen = read_settled(server, selection, server.time() + timeout, detail=True)
        if history is None:
            return ModuleResult(info_result(facts, chosen, limits))
        facts, past = keep_and_look(history, facts, writes=writes)
        return ModuleResult(info_result(facts, chosen, limits, past))


def resize(server: DpmServer, call: ModuleCall) -> ModuleResult:
    """Does one call of dpm_allocation."""
    kind = volume_kind_of(call.options)
    request = ResizeRequest(
        selection=selection_of(call.options),
        policy=size_policy_of(call.options),
        kind=kind,
        skip_refused=call.options["on_refused"] == "skip",
        busy_timeout=at_least(call.options, "busy_timeout", 0),
        timeout=at_least(call.options, "timeout", 1),
    )
    with opened(call.options["history"], writes=False) as history:
        if history is not None:
            request = replace(
                request, growth_of=lambda facts: growth_of_sources(facts, kind, past_of(history, facts).trends)
            )
        result = resize_volumes(server, request, check_mode=call.check_mode, log=call.log)
    return ModuleResult(resize_result(result), resize_failure(result))


def consistency_check(server: DpmServer, call: ModuleCall) -> ModuleResult:
    """Does one call of dpm_consistency_check."""
    request = CheckRequest(
        selection=selection_of(call.options),
        only_inconsistent=call.options["only_inconsistent"],
        wait=call.options["wait"],
        timeout=at_least(call.options, "timeout", 1),
        parallel=at_least(call.options, "parallel", 1),
    )
    refuse_recklessness(request)
    checks = run_checks(server, request, check_mode=call.check_mode, log=call.log)
    failure = check_failure(checks, waited=request.wait, selected=request.selection.is_given)
    return ModuleResult(check_result(checks), failure)


def recovery_point(server: DpmServer, call: ModuleCall) -> ModuleResult:
    """Does one call of dpm_recovery_point."""
    request = PointRequest(
        selection=selection_of(call.options),
        newer_than=newer_than_of(call.options),
        wait=call.options["wait"],
        timeout=at_least(call.options, "timeout", 1),
    )
    points = make_points(server, request, check_mode=call.check_mode, log=call.log)
    return ModuleResult(point_result(points), point_failure(points, waited=request.wait))


def protection_group(server: DpmServer, call: ModuleCall) -> ModuleResult:
    """Does one call of dpm_protection_group."""
    times = CallTimes.of(server.time(), at_least(call.options, "timeout", 1))
    name, auto_grow = call.options["name"], call.options["auto_grow"]
    return switch_group(server, name, auto_grow, times, check_mode=call.check_mode, log=call.log)
