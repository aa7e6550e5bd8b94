# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The work of the three DPM modules, over WinRM or over a connection that is lent."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import Call, Outcome
from ansible_collections.winbackup.storage.plugins.module_utils._dpm import consistency, resize
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.options import (
    seconds_of,
    selection_of,
    threshold_of,
    wish_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.result import (
    check_failure,
    check_result,
    info_result,
    resize_failure,
    resize_result,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.selection import select
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.server import DpmServer, Server
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.transport import Transport


def inform(call: Call, lent: Transport | None = None) -> Outcome:
    """Does one call of dpm_allocation_info."""
    with DpmServer(call.options, lent) as server:
        return inform_about(server, call)


def allocate(call: Call, lent: Transport | None = None) -> Outcome:
    """Does one call of dpm_allocation."""
    with DpmServer(call.options, lent) as server:
        return allocate_on(server, call)


def check(call: Call, lent: Transport | None = None) -> Outcome:
    """Does one call of dpm_consistency_check."""
    with DpmServer(call.options, lent) as server:
        return check_on(server, call)


def inform_about(server: Server, call: Call) -> Outcome:
    """Returns the outcome of dpm_allocation_info on a server."""
    threshold = threshold_of(call.options)
    selection = selection_of(call.options)
    deadline = server.time() + seconds_of(call.options, "timeout")
    facts, chosen = resize.read_settled(
        server, lambda read: select(read.sources.values(), selection), deadline, detail=True
    )
    return Outcome(info_result(facts, chosen, threshold))


def allocate_on(server: Server, call: Call) -> Outcome:
    """Returns the outcome of dpm_allocation on a server."""
    request = resize.Request(
        selection=selection_of(call.options),
        wish=wish_of(call.options),
        skip_refused=call.options["on_refused"] == "skip",
        busy_timeout=seconds_of(call.options, "busy_timeout", least=0),
        timeout=seconds_of(call.options, "timeout"),
    )
    report = resize.resize(server, request, check_mode=call.check_mode, tell=call.tell)
    return Outcome(resize_result(report), resize_failure(report))


def check_on(server: Server, call: Call) -> Outcome:
    """Returns the outcome of dpm_consistency_check on a server."""
    request = consistency.Request(
        selection=selection_of(call.options),
        only_inconsistent=call.options["only_inconsistent"],
        wait=call.options["wait"],
        timeout=seconds_of(call.options, "timeout"),
        parallel=seconds_of(call.options, "parallel"),
    )
    consistency.refuse_recklessness(request)
    checks = consistency.check(server, request, check_mode=call.check_mode, tell=call.tell)
    failure = check_failure(checks, waited=request.wait, selected=request.selection.is_given)
    return Outcome(check_result(checks), failure)
