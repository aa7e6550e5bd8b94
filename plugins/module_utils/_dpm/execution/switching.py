# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Switches auto-grow of a protection group: reads, decides, writes, reads again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import OutcomeUnknown, StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleResult
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import CallTimes
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.resizing import SETTLING
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.server import DpmServer
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.group import ProtectionGroup, find_group

_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)


def switch_group(
    server: DpmServer, name: str, auto_grow: bool, times: CallTimes, *, check_mode: bool, log: Callable[[str], None]
) -> ModuleResult:
    """Does one call; raises StorageError where nothing was written."""
    before = find_group(server.read(times.deadline, storage=False).sources.values(), name)
    if before.auto_grow is None and not before.mixed:
        raise StorageError(
            f"DPM does not tell of all data sources of {before.name} whether they grow by themselves.",
            hint="Look at the group in the DPM console, and run again once it shows them.",
        )
    if before.auto_grow is auto_grow:
        return ModuleResult(_result(before, before))
    if check_mode:
        return ModuleResult(_result(before, ProtectionGroup(before.name, auto_grow)))
    log(f"Switching auto-grow of {before.name} {'on' if auto_grow else 'off'}")
    failure, is_known = None, True
    try:
        answer = server.switch_auto_grow(before.name, auto_grow, times)
        if answer.outcome == "gone":
            raise StorageError(f"The protection group {before.name} is not there any more.")
        if answer.outcome != "edited":
            failure = f"DPM refused for {before.name}: {answer.message}"
    except OutcomeUnknown as error:
        is_known = False
        failure = f"Whether auto-grow of {before.name} is switched is not known: {error.message} Run again."
    after = _read_back(server, before.name, auto_grow, times, wait=failure is None or not is_known)
    if after is not None and after.auto_grow is auto_grow:
        return ModuleResult(_result(before, after))
    if failure is None:
        failure = f"DPM took the change of {before.name}, and does not show it, after {SETTLING:.0f} s or at timeout."
    return ModuleResult(_result(before, after), failure)


def _read_back(server: DpmServer, name: str, wanted: bool, times: CallTimes, *, wait: bool) -> ProtectionGroup | None:
    """Returns the group as it is read afterwards, with `wait` once DPM shows the change; None where that fails."""
    until = min(server.time() + SETTLING, times.end)
    found = None
    for pause in (*_PAUSES, *[_PAUSES[-1]] * int(SETTLING)):
        try:
            found = find_group(server.read(times.end, storage=False).sources.values(), name)
        except StorageError:
            found = None
        if not wait or (found is not None and found.auto_grow is wanted) or server.time() >= until:
            break
        server.pause(pause)
    return found


def _result(before: ProtectionGroup, after: ProtectionGroup | None) -> dict[str, Any]:
    rows = {
        side: None if group is None else {"auto_grow": group.auto_grow}
        for side, group in (("before", before), ("after", after))
    }
    return {
        # What cannot be read afterwards may have been changed.
        "changed": rows["before"] != rows["after"],
        "name": before.name,
        **rows,
        "diff": {side: {} if row is None else {before.name: row} for side, row in rows.items()},
    }
