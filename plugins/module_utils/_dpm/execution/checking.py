# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Runs consistency checks: starts what is needed, waits with one short run a poll, never starts one twice."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConfigurationError,
    OutcomeUnknown,
    StorageError,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import CallTimes
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.checks import (
    Check,
    CheckState,
    find_check,
    first_look,
    is_over,
    startable,
    take_end,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.polling import (
    LOOKING_SECONDS,
    PAUSES,
    Polls,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.server import Answer, DpmServer
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import Facts, Job
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.selection import Selection, select

# How often in a row the server may not list a job before it is given up.
_MISSED_POLLS = 5
# Jobs are looked for from a little before they can have begun: clocks show seconds, and jobs begin before answers.
_EARLIER = timedelta(seconds=60)


@dataclass(frozen=True)
class CheckRequest:
    """What one call asks for; `timeout` in seconds."""

    selection: Selection
    only_inconsistent: bool = True
    wait: bool = True
    timeout: float = 14400
    parallel: int = 1


def refuse_recklessness(request: CheckRequest) -> None:
    """Raises ConfigurationError for a call that would check every data source of the server."""
    if not request.only_inconsistent and not request.selection.is_given:
        raise ConfigurationError(
            "only_inconsistent is false and no data source is named: everything on the server would be checked.",
            hint="Name datasources, computers or protection_groups.",
        )


def run_checks(
    server: DpmServer, request: CheckRequest, *, check_mode: bool, log: Callable[[str], None]
) -> list[Check]:
    """Does one call; returns a check a data source. Raises StorageError only where nothing was started yet."""
    times = CallTimes.of(server.time(), request.timeout)
    facts = server.read(times.deadline, storage=False, alerts=True)
    chosen = select(facts.sources.values(), request.selection)
    checks = [first_look(facts, source, only_inconsistent=request.only_inconsistent) for source in chosen]
    if check_mode:
        for one in checks:
            if one.state is None:
                one.settle(CheckState.WOULD_RUN)
        return checks
    run = _Run(server, request, checks, facts, times, log)
    if request.wait:
        run.to_the_end()
    else:
        run.start([one for one in checks if one.state is None])
        run.give_up("DPM did not begin it within the time of the call (timeout).")
    return checks


class _Run:
    def __init__(
        self,
        server: DpmServer,
        request: CheckRequest,
        checks: Sequence[Check],
        facts: Facts,
        times: CallTimes,
        log: Callable[[str], None],
    ) -> None:
        self.server = server
        self.request = request
        self.checks = checks
        self.facts = facts
        self.times = times
        self.log = log

    def to_the_end(self) -> None:
        """Starts and waits until all are settled, or the time is over, or the server is gone. Raises nothing."""
        polls = Polls(self.server, self.times.deadline)
        while self._is_open():
            places = self.request.parallel - sum(one.awaited for one in self.checks)
            ready = startable(self.checks, self.facts, places)
            if ready and self.server.time() < self.times.last_start:
                self.start(ready)
                if any(one.state is not None for one in ready):
                    polls.begin_anew()
            if not self._is_open():
                break
            awaits = any(one.awaited for one in self.checks)
            if self.server.time() >= (self.times.deadline if awaits else self.times.last_start):
                self.give_up("The time of the call (timeout) was over.")
                break
            error = polls.look(self._look)
            if error is not None:
                self.give_up(f"The server could not be asked any more: {error}", reason="unreachable")
                break

    def start(self, ready: Sequence[Check]) -> None:
        """Has these started; what DPM is too busy for stays to be started."""
        if not ready:
            return
        asked_at = self.facts.now
        self.log(f"Starting consistency checks of {', '.join(one.source.display_name for one in ready)}")
        try:
            answers = self.server.start_checks([one.source.id for one in ready], self.times)
        except OutcomeUnknown as error:
            self._look_for_lost(ready, error)
            return
        except StorageError as error:
            for one in ready:
                one.settle(CheckState.NOT_STARTED, "not_started", f"It was not begun: {error}")
            return
        for one in ready:
            answer = answers.get(one.source.id)
            if answer is not None:
                one.since = asked_at - _EARLIER
                _take(one, answer, again=self.request.wait)

    def give_up(self, why: str, *, reason: str = "timeout") -> None:
        """Ends the call: what runs is left running, what was not begun is not begun."""
        for one in self.checks:
            if one.state is None:
                one.settle(CheckState.NOT_STARTED, reason, why)
            elif one.awaited and self.request.wait:
                one.settle(CheckState.RUNNING, reason, f"{why} Run again to wait for it.")

    def _is_open(self) -> bool:
        return any(one.state is None or one.awaited for one in self.checks)

    def _look(self) -> None:
        """Reads the jobs and settles the checks that are over; raises StorageError."""
        awaited = [one for one in self.checks if one.awaited]
        since = min((one.since for one in awaited if one.since is not None), default=self.facts.now)
        self.facts = self.server.read(
            self.times.end,
            storage=False,
            alerts=True,
            since=(since - _EARLIER).timestamp(),
        )
        if self.facts.running is None or self.facts.checks is None:
            raise StorageError("DPM does not tell which jobs run.")
        for one in awaited:
            self._settle(one, self.facts.checks)

    def _settle(self, one: Check, jobs: Sequence[Job]) -> None:
        job = find_check(jobs, one.source, id=one.job_id, since=one.since)
        if job is None:
            one.missed += 1
            if one.missed >= _MISSED_POLLS:
                one.settle(CheckState.FAILED, "job_not_found", "DPM does not list its job any more.")
            return
        one.missed = 0
        one.job_id, one.started = job.id or one.job_id, job.started or one.started
        if is_over(job):
            take_end(one, job, self.facts.sources.get(one.source.id))
            self.log(f"The consistency check of {one.source.display_name} {one.state}")

    def _look_for_lost(self, lost: Sequence[Check], error: OutcomeUnknown) -> None:
        """The answer will not come any more: the job of each is looked for among those begun since."""
        since = self.facts.now - _EARLIER
        until = min(self.server.time() + LOOKING_SECONDS, self.times.end)
        for pause in (*PAUSES, *[PAUSES[-1]] * int(LOOKING_SECONDS)):
            try:
                self._find_lost(lost, since)
            except StorageError:
                # The host may be on its way back; another look follows.
                self.log("The server does not answer yet")
            if not any(one.state is None for one in lost) or self.server.time() >= until:
                break
            self.server.pause(min(pause, max(0.1, until - self.server.time())))
        for one in lost:
            if one.state is None:
                one.started_here = True
                message = f"Whether it was started is not known: {error.message} Run again."
                one.settle(CheckState.FAILED, "outcome_unknown", message)

    def _find_lost(self, lost: Sequence[Check], since: datetime) -> None:
        facts = self.server.read(self.times.end, storage=False, alerts=True, since=since.timestamp())
        for one in lost:
            job = find_check(facts.checks or (), one.source, since=since)
            if one.state is None and job is not None:
                one.settle(CheckState.RUNNING)
                one.started_here, one.since = True, since
                one.job_id, one.started = job.id, job.started


def _take(one: Check, answer: Answer, *, again: bool) -> None:
    """Takes the answer for one data source; with `again` one that DPM is too busy for is left to be started later."""
    if answer.outcome == "started":
        one.settle(CheckState.RUNNING)
        one.started_here, one.job_id = True, answer.job_id
    elif answer.outcome == "already":
        one.settle(CheckState.ALREADY_RUNNING)
        one.job_id = answer.job_id
    elif answer.outcome == "gone":
        one.settle(CheckState.FAILED, "gone", "It was not there any more, or not protected, when its turn came.")
    elif not again or not answer.is_busy:
        one.settle(CheckState.FAILED, "dpm_refused", f"DPM refused: {answer.message}")
