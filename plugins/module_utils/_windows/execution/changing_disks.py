# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Brings exactly the named disks to what is wanted: reads, decides, changes, reads what came of it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._core.command import LOST_ANSWER, RUN_AGAIN_HINT
from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import OutcomeUnknown, StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import (
    RESTART_SECONDS,
    CallTimes,
    Pace,
    clock,
    patience,
)
from ansible_collections.winbackup.storage.plugins.module_utils._powershell import answers
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import CorruptReply
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.host import WindowsHost
from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_change_results import DiskOutcome
from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_changes import (
    DiskDecision,
    WantedState,
    decide,
    steps_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.reading_disks import (
    read_machine_disks,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.model import Disk, MachineDisks
from ansible_collections.winbackup.storage.plugins.module_utils._windows.scripts import change_disks as script

# How long Windows has to show a change.
_SETTLE_SECONDS = 60
# Looks for the volumes of a disk, whose letters come seconds after it.
_LOOKS_FOR_VOLUMES = 5
# Return codes of the Storage cmdlets stand in the id of an error, or in its message ("StorageWMI 41003,...").
_STORAGE_CODE = re.compile(r"StorageWMI\s+(\d{1,9})\b")
_HINTS = {
    6: "Something uses the disk; close it first.",
    40001: "Give the user a session with an elevated token: a domain account among the local Administrators.",
    40003: "Run again: what Windows kept of the disk was out of date.",
    41009: "Windows needs this disk.",
    41018: "A failover cluster has the disk: use the cluster's own tools.",
}
_TIME_WAS_UP = "The time of the call (timeout) was over before its turn came."
_OUTCOMES = ("changed", "differs", "time_was_up", "not_reached", "failed")


@dataclass(frozen=True)
class _Answer:
    outcome: str
    done: tuple[str, ...]
    message: str
    code: int | None


def change_disks(
    host: WindowsHost,
    wanted: WantedState,
    times: CallTimes,
    *,
    rescan: bool,
    check_mode: bool,
    pace: Pace,
    log: Callable[[str], None],
) -> tuple[MachineDisks, Sequence[DiskOutcome]]:
    """Returns what was read first, and what became of each named disk. If one is refused, nothing is changed.

    Raises StorageError only where nothing was changed yet."""
    facts = read_machine_disks(host, times.deadline, refresh=rescan)
    outcomes = [DiskOutcome(decision, after=decision.disk) for decision in decide(facts, wanted)]
    refused = [outcome for outcome in outcomes if outcome.decision.refusal is not None]
    for outcome in outcomes:
        if outcome.decision.refusal is not None:
            outcome.refuse(outcome.decision.refusal)
        elif refused and outcome.decision.steps:
            message = "Another of the named disks was refused, so nothing was changed."
            outcome.stop("not_started", "not_started", message)
        elif outcome.decision.steps:
            outcome.state = "would_change"
    pending = [outcome for outcome in outcomes if outcome.state == "would_change"]
    if pending and not check_mode:
        for outcome in pending:
            log(f"Making {outcome.title} {' and '.join(outcome.decision.steps).replace('_', '-')}")
        _Run(host, wanted, times, pace).carry_out(pending)
    return facts, outcomes


class _Run:
    """The writing part of a call."""

    def __init__(self, host: WindowsHost, wanted: WantedState, times: CallTimes, pace: Pace) -> None:
        self.host, self.wanted, self.times, self.pace = host, wanted, times, pace

    def carry_out(self, pending: Sequence[DiskOutcome]) -> None:
        """Changes these disks, in order, and reads what came of it. Raises nothing of StorageError once something may
        have been changed."""
        said: Mapping[str, _Answer] = {}
        lost: OutcomeUnknown | None = None
        try:
            said = self._run_script([outcome.decision for outcome in pending])
        except OutcomeUnknown as error:
            lost = error
        for outcome in pending:
            answer = said.get(outcome.decision.disk_id)
            outcome.may_have_changed = lost is not None or (answer is not None and bool(answer.done))
        try:
            self._read_back(pending, wait=lost is not None)
        except StorageError as error:
            for outcome in pending:
                outcome.after = None
                outcome.stop(
                    "failed", "outcome_unknown", f"{outcome.title} could not be read after the change: {error}"
                )
            return
        for outcome in pending:
            self._settle(outcome, said.get(outcome.decision.disk_id), lost)

    def _run_script(self, decisions: Sequence[DiskDecision]) -> Mapping[str, _Answer]:
        parameters = {"Changes": [_change(decision) for decision in decisions], "SettleSeconds": _SETTLE_SECONDS}
        times = self.times
        reply = self.host.run(
            script.SCRIPT, parameters, deadline=times.last_start, writes=True, writes_end=times.writes_end
        )
        try:
            return {answers.text(row, "id") or "": _answer(row) for row in answers.rows(reply, "answers")}
        except CorruptReply as corrupt:
            raise OutcomeUnknown(f"{LOST_ANSWER}: {corrupt.message}", hint=RUN_AGAIN_HINT) from corrupt

    def _read_back(self, pending: Sequence[DiskOutcome], *, wait: bool) -> None:
        """Reads the disks; with `wait` until they are as wanted, for as long as a restart of WinRM takes, else until
        what lies on them is mounted, for a few looks."""
        longest = max(1.0, min(RESTART_SECONDS, self.times.end - clock()))
        for pause in patience(longest) if wait else (0.0, *(1.0,) * (_LOOKS_FOR_VOLUMES - 1)):
            self.pace.pause(pause)
            facts = read_machine_disks(self.host, self.times.end, refresh=False)
            for outcome in pending:
                found = [disk for disk in facts.disks if disk.disk_id == outcome.decision.disk_id]
                outcome.after = found[0] if len(found) == 1 else None
            reached = [one.after for one in pending if one.after is not None and not steps_of(one.after, self.wanted)]
            if all(map(_is_mounted, reached)) and (len(reached) == len(pending) or not wait):
                return

    def _settle(self, outcome: DiskOutcome, answer: _Answer | None, lost: OutcomeUnknown | None) -> None:
        """Decides from the disk as it is now; what the script said tells why it is not as wanted."""
        if outcome.after is not None and not steps_of(outcome.after, self.wanted):
            # Whoever made it so: it is as wanted, and was not before.
            outcome.state, outcome.may_have_changed = "changed", True
        elif lost is not None:
            outcome.stop("failed", "outcome_unknown", f"{outcome.title} is not as wanted, or not yet. {lost}")
        elif answer is None:
            outcome.stop("not_started", "not_started", "An earlier disk failed, or time was up: it was not begun.")
        elif answer.outcome == "time_was_up":
            outcome.stop("failed" if answer.done else "not_started", "not_started", _TIME_WAS_UP)
        elif answer.outcome == "failed":
            number = f" (storage error {answer.code})" if answer.code is not None else ""
            hint = _HINTS.get(answer.code or 0, "")
            message = f"Windows refused to change {outcome.title}{number}: {answer.message} {hint}".strip()
            outcome.stop("failed", "windows_refused", message)
        elif answer.outcome == "not_reached":
            message = f"Windows accepted the change of {outcome.title}, and does not show it."
            outcome.stop("failed", "not_reached", message)
        else:
            message = f"{outcome.title} was changed by somebody else since it was read. Run again."
            outcome.stop("failed", "changed_meanwhile", message)


def _change(decision: DiskDecision) -> dict[str, object]:
    is_guid = len(decision.disk_id) > 8
    return {
        "id": decision.disk_id,
        "guid": f"{{{decision.disk_id}}}" if is_guid else "",
        "signature": 0 if is_guid else int(decision.disk_id, 16),
        "path": decision.disk.device_path if decision.disk is not None else "",
        "steps": [str(step) for step in decision.steps],
    }


def _answer(row: Mapping[str, object]) -> _Answer:
    outcome, message = answers.text(row, "outcome") or "", answers.text(row, "message") or ""
    if outcome not in _OUTCOMES:
        raise CorruptReply(f"The script's answer holds {outcome[:40]!r} as outcome, which no script of ours says.")
    found = _STORAGE_CODE.search(f"{answers.text(row, 'error') or ''} {message}")
    return _Answer(outcome, answers.texts(row, "done"), message, int(found[1]) if found is not None else None)


def _is_mounted(disk: Disk) -> bool:
    return bool(disk.offline) or disk.sizes.partitions_end is None or bool(disk.volumes)
