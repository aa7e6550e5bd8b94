# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Makes recovery points: starts what is needed, waits with one short run a poll, and sees that they are there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConfigurationError,
    OutcomeUnknown,
    StorageError,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import CallTimes
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.polling import Polls
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.resizing import read_settled
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.server import DpmServer
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import Facts
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.points import (
    Point,
    PointState,
    first_look_at,
    is_running,
    take_look,
    ways_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.selection import Selection


@dataclass(frozen=True)
class PointRequest:
    """What one call asks for; `timeout` in seconds."""

    selection: Selection
    newer_than: timedelta
    wait: bool = True
    timeout: float = 3600


def make_points(
    server: DpmServer, request: PointRequest, *, check_mode: bool, log: Callable[[str], None]
) -> list[Point]:
    """Does one call; returns a point a data source. Raises StorageError only where nothing was started yet."""
    if not request.selection.is_given:
        raise ConfigurationError(
            "No data source is named: a recovery point of everything on the server would be made.",
            hint="Name datasources, computers or protection_groups.",
        )
    times = CallTimes.of(server.time(), request.timeout)
    facts, chosen = read_settled(server, request.selection, times.deadline, detail=True)
    points = [first_look_at(source, facts.now, request.newer_than) for source in chosen]
    if check_mode:
        for point in points:
            if point.state is None:
                point.settle(PointState.WOULD_CREATE)
        return points
    _Run(server, request, points, facts, times, log).to_the_end()
    return points


class _Run:
    def __init__(
        self,
        server: DpmServer,
        request: PointRequest,
        points: Sequence[Point],
        facts: Facts,
        times: CallTimes,
        log: Callable[[str], None],
    ) -> None:
        self.server = server
        self.request = request
        self.points = points
        self.facts = facts
        self.times = times
        self.log = log

    def to_the_end(self) -> None:
        """Starts and waits until all are settled, or the time is over, or the server is gone. Raises nothing."""
        polls = Polls(self.server, self.times.deadline)
        while self._open():
            ready = [point for point in self._waiting() if self.facts.is_idle(self.facts.sharing(point.source))]
            if ready and self.server.time() < self.times.last_start:
                self._start(ready)
            if not self.request.wait:
                self._give_up("busy", "A job of it, or of one that shares its volumes, runs. Run again later.")
                return
            if self.server.time() >= (self.times.deadline if self._running() else self.times.last_start):
                self._give_up("timeout", "The time of the call (timeout) was over.")
                return
            if not self._open():
                return
            error = polls.look(self._look)
            if error is not None:
                self._give_up("unreachable", f"The server could not be asked any more: {error}")
                return

    def _start(self, ready: Sequence[Point]) -> None:
        asked_at = self.facts.now
        self.log(f"Making recovery points of {', '.join(point.source.display_name for point in ready)}")
        try:
            answers = self.server.create_points({one.source.id: ways_of(one.source) for one in ready}, self.times)
        except OutcomeUnknown:
            # What was begun is seen by its job, or by the recovery point itself.
            for point in ready:
                point.since, point.started_here = asked_at, True
                point.settle(PointState.RUNNING)
            return
        except StorageError as error:
            for point in ready:
                point.settle(PointState.FAILED, "not_started", f"It was not begun: {error}")
            return
        for point in ready:
            answer = answers.get(point.source.id)
            if answer is None or answer.outcome == "busy" or answer.is_busy:
                continue
            if answer.outcome == "started":
                point.since, point.started_here, point.job_id = asked_at, True, answer.job_id
                point.settle(PointState.RUNNING)
            elif answer.outcome == "gone":
                message = "It was not there any more, or not protected, when its turn came."
                point.settle(PointState.FAILED, "gone", message)
            else:
                point.settle(PointState.FAILED, "dpm_refused", f"DPM refused: {answer.message}")

    def _look(self) -> None:
        """Reads the jobs, and the recovery points of those whose job is over; raises StorageError."""
        until = self.times.end
        self.facts = self.server.read(until, storage=False, alerts=True)
        running = self.facts.running
        if running is None:
            raise StorageError("DPM does not tell which jobs run.")
        over = [point for point in self._running() if not is_running(point, running)]
        if not over:
            return
        facts = self.server.read(until, storage=False, alerts=True, detail=[point.source.id for point in over])
        for point in over:
            take_look(point, facts)
            if point.state is not PointState.RUNNING:
                self.log(f"The recovery point of {point.source.display_name}: {point.state}")

    def _waiting(self) -> list[Point]:
        return [point for point in self.points if point.state is None]

    def _running(self) -> list[Point]:
        return [point for point in self.points if point.state is PointState.RUNNING]

    def _open(self) -> bool:
        return bool(self._waiting() or self._running())

    def _give_up(self, reason: str, why: str) -> None:
        """Ends the call: what runs is left running, what was not begun is not begun."""
        for point in self._waiting():
            point.settle(PointState.FAILED, reason if reason != "timeout" else "not_started", why)
        if self.request.wait:
            for point in self._running():
                point.settle(PointState.RUNNING, reason, f"{why} Run again: it will be seen whether it is there.")
