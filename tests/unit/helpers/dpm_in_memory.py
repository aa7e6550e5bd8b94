# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A DPM server in memory, for laws of the flows: what the scripts do, with others acting between any two steps.

It does to volumes what the scripts say that they do, no more; how DPM itself behaves is the lab's business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConnectionFailed, OutcomeUnknown
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import CallTimes
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.server import Answer
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import Allocation, DataSource, Facts, Job
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.policy import Action, Decision, ShrinkLimits
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.sizes import round_up
from ansible_collections.winbackup.storage.tests.unit.helpers.dpm_sources import facts, source

GRANULARITY = 10 * 1024**2
START = datetime(2026, 11, 1, tzinfo=UTC)


@dataclass
class Volume:
    """A volume, and what this collection wrote to it: from which size to which."""

    allocated: int
    used: int
    busy_until: float = 0.0
    state: str = "valid"
    writes: list[tuple[int, int]] = field(default_factory=list)


@dataclass
class Check:
    """A consistency check that ends at a time."""

    id: str
    source: str
    started: float
    ends: float
    fails: bool = False


class DpmInMemory:
    """Implements `DpmServer`. `between(step)` is called before each step and may do anything to it, or raise."""

    def __init__(self, volumes: dict[str, Volume], unallocated: int = 10**15) -> None:
        self.volumes = volumes
        self.unallocated = unallocated
        self.checks: list[Check] = []
        self.check_seconds = 60.0
        self.failing: set[str] = set()
        self.between: Callable[[str], None] = lambda step: None
        self.steps: list[str] = []
        self.jobs_readable = True
        # What happens to the next write: nothing, it is lost before, or after so many of its edits were done.
        self.lose: Iterator[int | None] = iter(())
        self._clock = 1000.0

    def time(self) -> float:
        return self._clock

    def pause(self, seconds: float) -> None:
        self._clock += seconds

    def sources(self) -> list[DataSource]:
        return [
            replace(
                source(name, volume.allocated, volume.used),
                state=volume.state,
                recovery_point_volume=Allocation(volume.allocated, volume.used),
            )
            for name, volume in self.volumes.items()
        ]

    def read(
        self,
        deadline: float,
        *,
        storage: bool = True,
        alerts: bool = False,
        detail: Sequence[str] | None = None,
        since: float = 0,
    ) -> Facts:
        self._step("read")
        running = [
            Job(type="replication", status="in_progress", sources=frozenset({name}))
            for name, volume in self.volumes.items()
            if volume.busy_until > self._clock
        ]
        checks = [self._job(check) for check in self.checks]
        return facts(
            *self.sources(),
            unallocated=self.unallocated,
            running=(*running, *[job for job in checks if not job.completed]) if self.jobs_readable else None,
            checks=tuple(
                job
                for job in checks
                if not job.completed or (job.started is not None and since and job.started.timestamp() >= since)
            ),
        )

    def shrink_limits(self, ids: Sequence[str], deadline: float) -> dict[str, ShrinkLimits]:
        self._step("limits")
        return {
            name: ShrinkLimits(
                round_up(self.volumes[name].used, GRANULARITY), self.volumes[name].allocated - GRANULARITY
            )
            for name in ids
        }

    def edit(self, decisions: Sequence[Decision], *, directly: bool, times: CallTimes) -> dict[str, Answer]:
        self._step("edit")
        lost_after = next(self.lose, None)
        answers: dict[str, Answer] = {}
        for place, decision in enumerate(decisions):
            if lost_after == place:
                break
            answer = self._edit(decision)
            answers[decision.volume.id] = answer
            if answer.outcome == "failed":
                break
        if lost_after is not None:
            raise OutcomeUnknown("The answer was lost.")
        return answers

    def start_checks(self, ids: Sequence[str], times: CallTimes) -> dict[str, Answer]:
        self._step("start")
        lost_after = next(self.lose, None)
        answers: dict[str, Answer] = {}
        for place, name in enumerate(ids):
            if lost_after == place:
                break
            running = [one for one in self.checks if one.source == name and one.ends > self._clock]
            if running:
                answers[name] = Answer(name, "already", job_id=running[0].id)
                continue
            check = Check(f"job-{len(self.checks)}", name, self._clock, self._clock + self.check_seconds)
            check.fails = name in self.failing
            self.checks.append(check)
            answers[name] = Answer(name, "started", job_id=check.id)
        if lost_after is not None:
            raise OutcomeUnknown("The answer was lost.")
        return answers

    def drop(self) -> None:
        """For `between`: the server cannot be reached."""
        raise ConnectionFailed("The host cannot be reached.")

    def _step(self, name: str) -> None:
        self.steps.append(name)
        self._clock += 0.5
        self.between(name)
        for check in self.checks:
            if check.ends <= self._clock and not check.fails:
                self.volumes[check.source].state = "valid"

    def _edit(self, decision: Decision) -> Answer:
        name = decision.volume.id
        volume = self.volumes.get(name)
        total = decision.total
        if volume is None or total is None:
            return Answer(name, "gone")
        if volume.busy_until > self._clock:
            return Answer(name, "busy")
        if decision.action is Action.EXTEND and volume.allocated >= total:
            return Answer(name, "there")
        if volume.allocated != decision.volume.allocated:
            return Answer(name, "differs")
        change = round_up(total, GRANULARITY) - volume.allocated
        if change > self.unallocated:
            return Answer(name, "failed", "There is not enough space. (ID 358)", 358)
        self.unallocated -= change
        volume.writes.append((volume.allocated, volume.allocated + change))
        volume.allocated += change
        return Answer(name, "edited")

    def _job(self, check: Check) -> Job:
        over = check.ends <= self._clock
        started = START + timedelta(seconds=check.started - 1000)
        return Job(
            id=check.id,
            type="validation",
            status="in_progress" if not over else "failed" if check.fails else "succeeded",
            started=started,
            ended=started + timedelta(seconds=check.ends - check.started) if over else None,
            completed=over,
            sources=frozenset({check.source}),
            error_code=214 if over and check.fails else None,
            message="Not enough space." if over and check.fails else None,
        )
