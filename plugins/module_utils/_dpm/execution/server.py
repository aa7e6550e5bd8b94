# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A DPM server by way of its scripts: each method is one run. Nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Protocol

from ansible_collections.winbackup.storage.plugins.module_utils._core.command import LOST_ANSWER, RUN_AGAIN_HINT
from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import OutcomeUnknown, StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import CallTimes, clock, pause_for
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.complete_reading import complete_reading
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.dpm_values import code_of
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.parse import parse_facts
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import Facts, VolumeKind
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.policy import Action, Decision, ShrinkLimits
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.scripts import (
    create_points,
    edit_allocation,
    edit_group,
    prologue,
    read_server,
    shrink_limits,
    start_checks,
    switch_auto_grow,
)
from ansible_collections.winbackup.storage.plugins.module_utils._powershell import answers
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import CorruptReply, ScriptFailed
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.host import WindowsHost
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.transport import Transport

# How long values that DPM loads when they are first read are waited for; scripts in use wait as long.
_LAZY_SECONDS = 30
# If none of them was loaded by then, none will be.
_QUIET_SECONDS = 12
# How far back failed jobs are looked for.
_FAILED_HOURS = 7 * 24
# Pauses longer than this hold no shell open.
_SHORT_PAUSE = 10.0
# DPM's errors that another operation works on the data source.
_BUSY_CODES = frozenset({211, 212})
# What the scripts that write say of one volume or data source.
_OUTCOMES = frozenset({"gone", "busy", "there", "differs", "edited", "failed", "already", "started"})


@dataclass(frozen=True)
class Answer:
    """What a script that writes says of one volume or data source. `outcome` is its own word for it."""

    id: str
    outcome: str
    message: str | None = None
    code: int | None = None
    job_id: str | None = None

    @property
    def is_busy(self) -> bool:
        """Whether DPM refused since another operation works on the data source."""
        return self.code in _BUSY_CODES


class DpmServer(Protocol):
    """What the flows need of a DPM server; times are of `clock()`."""

    def read(
        self,
        deadline: float,
        *,
        storage: bool = True,
        alerts: bool = False,
        detail: Sequence[str] | None = None,
        since: float = 0,
    ) -> Facts:
        """Returns what the server tells: with `detail` also what DPM has to load first, of the data sources with these
        ids (none: of all); raises ConnectionFailed, TimeIsUp, NoAnswer, or StorageError of DPM's."""

    def shrink_limits(self, ids: Sequence[str], deadline: float) -> dict[str, ShrinkLimits]:
        """Returns between which totals DPM would shrink volumes, by the ids that were given."""

    def edit(self, decisions: Sequence[Decision], *, directly: bool, times: CallTimes) -> dict[str, Answer]:
        """Writes totals in this order; returns an answer by volume for each that was begun, and for what was left
        alone. Raises ConnectionFailed where nothing was run, OutcomeUnknown where that is not known."""

    def start_checks(self, ids: Sequence[str], times: CallTimes) -> dict[str, Answer]:
        """Starts checks in this order; returns an answer by id for each that was begun. Raises as `edit` does."""

    def switch_auto_grow(self, group: str, auto_grow: bool, times: CallTimes) -> Answer:
        """Switches auto-grow of a protection group; raises as `edit` does."""

    def create_points(self, ways: Mapping[str, Sequence[str]], times: CallTimes) -> dict[str, Answer]:
        """Starts the creation of recovery points in this order; returns an answer by id for each that was begun. `ways`
        are by id the kinds of data that are tried, "application" or "files". Raises as `edit` does."""

    def pause(self, seconds: float) -> None:
        """Waits."""

    def time(self) -> float:
        """Returns the time as `clock()` counts it."""


class PowerShellServer:
    """A DPM server over WinRM, or over the task's own connection. To be used in a `with`."""

    def __init__(self, options: Mapping[str, Any], task_connection: Transport | None = None) -> None:
        self._host = WindowsHost(options, task_connection, prologue.SCRIPT)

    def __enter__(self) -> PowerShellServer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._host.release()

    def read(
        self,
        deadline: float,
        *,
        storage: bool = True,
        alerts: bool = False,
        detail: Sequence[str] | None = None,
        since: float = 0,
    ) -> Facts:
        wait = min(_LAZY_SECONDS, max(0, int((deadline - self.time()) / 3)))
        answer = self._run(
            read_server.SCRIPT,
            {
                "Storage": storage,
                "Detail": detail is not None,
                "WithAlerts": alerts,
                "Ids": list(detail or ()),
                "WaitSeconds": wait,
                "QuietSeconds": _QUIET_SECONDS,
                "FailedHours": _FAILED_HOURS,
                "ChecksSince": int(since),
            },
            deadline,
        )
        return parse_facts(complete_reading(answer))

    def shrink_limits(self, ids: Sequence[str], deadline: float) -> dict[str, ShrinkLimits]:
        answer = self._run(shrink_limits.SCRIPT, {"Ids": list(ids)}, deadline)
        found: dict[str, ShrinkLimits] = {}
        for row in answers.rows(answer, "limits"):
            told = {one.lower() for one in answers.texts(row, "ids")}
            limits = ShrinkLimits(_positive(row, "lowest"), _positive(row, "highest"), answers.text(row, "message"))
            found.update({id: limits for id in ids if id in told})
        return found

    def edit(self, decisions: Sequence[Decision], *, directly: bool, times: CallTimes) -> dict[str, Answer]:
        script = edit_allocation.SCRIPT if directly else edit_group.SCRIPT
        edits = [_edit(decision) for decision in decisions]
        by_source = {str(edit["id"]): decision.volume.id for edit, decision in zip(edits, decisions, strict=True)}
        found = _answers(self._write(script, {"Edits": edits}, times))
        return {by_source[answer.id]: answer for answer in found if answer.id in by_source}

    def start_checks(self, ids: Sequence[str], times: CallTimes) -> dict[str, Answer]:
        found = _answers(self._write(start_checks.SCRIPT, {"Ids": list(ids)}, times))
        return {answer.id: answer for answer in found}

    def switch_auto_grow(self, group: str, auto_grow: bool, times: CallTimes) -> Answer:
        parameters = {"Group": group, "AutoGrow": auto_grow}
        found = _answers(self._write(switch_auto_grow.SCRIPT, parameters, times))
        if len(found) != 1:
            raise OutcomeUnknown(f"{LOST_ANSWER}: it answers {len(found)} times.", hint=RUN_AGAIN_HINT)
        return found[0]

    def create_points(self, ways: Mapping[str, Sequence[str]], times: CallTimes) -> dict[str, Answer]:
        wanted = [{"id": id, "ways": list(some)} for id, some in ways.items()]
        found = _answers(self._write(create_points.SCRIPT, {"Points": wanted}, times))
        return {answer.id: answer for answer in found}

    def pause(self, seconds: float) -> None:
        end = self.time() + seconds
        if seconds > _SHORT_PAUSE:
            # A server that is gone may take some of the pause.
            self._host.release()
        self._sleep(max(0.0, end - self.time()))

    def time(self) -> float:
        return clock()

    def _run(self, script: str, parameters: Mapping[str, object], deadline: float) -> Any:
        try:
            return self._host.run(script, parameters, deadline=deadline)
        except ScriptFailed as failed:
            raise _explained(failed) from failed

    def _write(self, script: str, parameters: Mapping[str, object], times: CallTimes) -> Any:
        try:
            return self._host.run(
                script, parameters, deadline=times.last_start, writes=True, writes_end=times.writes_end
            )
        except ScriptFailed as failed:
            raise _explained(failed) from failed

    def _sleep(self, seconds: float) -> None:
        pause_for(seconds)


def _edit(decision: Decision) -> dict[str, object]:
    through = decision.volume.edited_through
    if through is None:
        raise ValueError("a volume that nobody protects is not edited")
    return {
        "id": through.id,
        "group": through.protection_group or "",
        "shared": [member.id for member in decision.volume.members],
        "expected": decision.volume.allocated,
        "total": decision.total,
        "extend": decision.action is Action.EXTEND,
        "replica": decision.volume.kind is VolumeKind.REPLICA,
    }


def _answers(reply: object) -> list[Answer]:
    """Returns what a script that writes answered; raises OutcomeUnknown where it is not to be understood."""
    try:
        return [
            Answer(
                id=_required(row, "id"),
                outcome=_outcome(row),
                message=answers.text(row, "message"),
                code=code_of(answers.text(row, "message")) or code_of(answers.text(row, "error")),
                job_id=answers.text(row, "job_id"),
            )
            for row in answers.rows(reply, "answers")
        ]
    except CorruptReply as corrupt:
        raise OutcomeUnknown(f"{LOST_ANSWER}: {corrupt.message}", hint=RUN_AGAIN_HINT) from corrupt


def _required(row: Mapping[str, Any], key: str) -> str:
    answers.value_of(row, key)
    found = answers.text(row, key)
    if found is None:
        raise CorruptReply(f"The script's answer holds nothing as {key}.")
    return found


def _outcome(row: Mapping[str, Any]) -> str:
    found = _required(row, "outcome")
    if found not in _OUTCOMES:
        raise CorruptReply(f"The script's answer holds {found[:40]!r} as outcome, which no script of ours says.")
    return found


def _explained(failed: ScriptFailed) -> StorageError:
    """Returns what a script's error means where PowerShell's own message would not tell what to do."""
    if "CommandNotFound" in failed.error_id or "ModuleNotFound" in failed.error_id:
        hint = "This is to run against the DPM server itself, where its module DataProtectionManager is installed."
        return StorageError(f"The host has no DPM: {failed.said}", hint=hint)
    if code_of(failed.said) == 948 or "948" in failed.error_id:
        hint = "Start the service DPM (MSDPM) on the DPM server; its own event log says why it stopped."
        return StorageError(f"The service of DPM does not run: {failed.said}", hint=hint)
    if code_of(failed.said) == 31144 or "31144" in failed.error_id:
        hint = (
            "See that the DPM services run, and that the user is a domain account among the local Administrators "
            "of the DPM server."
        )
        return StorageError(f"DPM does not let the user in: {failed.said}", hint=hint)
    return failed


def _positive(row: Mapping[str, Any], key: str) -> int | None:
    found = answers.number(row, key)
    return found if found is not None and found > 0 else None
