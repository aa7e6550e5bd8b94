# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The DPM server: its data sources and jobs in time. What is decided here is DPM's own; refusals are DpmErrors."""

from __future__ import annotations

import contextlib
import datetime
import heapq
import itertools
import threading
import uuid
from collections.abc import Callable, Iterable
from typing import Any

from .clock import LabClock
from .events import EventLog
from .options import Options
from .records import NO_DISK, Alert, DataSource, Group, Job
from .storage import Pool, Volume
from .texts import DpmError
from .units import GB, INTERNAL, STEP, round_up

SUCCEEDED, FAILED = "Succeeded", "Failed"
# DPM does not grow a volume twice within this time.
GROW_PAUSE = 15 * 60
# Probably what a job fails with while the replica is offline: ERROR_DEVICE_NOT_CONNECTED.
NOT_CONNECTED = "(0x8007048F)"


class DpmServer:
    """A server. Whoever reads or changes it holds `lock` and calls `settle` first."""

    def __init__(self, name: str, pool: Pool, options: Options, clock: LabClock) -> None:
        self.name = name
        self.pool = pool
        self.options = options
        self.clock = clock
        self.lock = threading.RLock()
        self.groups: list[Group] = []
        self.sources: list[DataSource] = []
        self.jobs: list[Job] = []
        self.alerts: list[Alert] = []
        self.events = EventLog(options)
        # What the next creation of a recovery point of a data source fails with, by its id.
        self.failing_points: dict[uuid.UUID, int] = {}
        # What the next consistency check of a data source fails with, by its id: the number, and what follows its text.
        self.failing_checks: dict[uuid.UUID, tuple[int, str]] = {}
        self._ids = itertools.count(1)
        self._due: list[tuple[datetime.datetime, int, Callable[[], object]]] = []
        self._turn: datetime.datetime | None = None

    # Time

    def now(self) -> datetime.datetime:
        """The time; while something due is being done, the time at which it was due."""
        return self._turn or self.clock.now()

    def settle(self) -> None:
        """Does all that is due by now, each at its own time."""
        now = self.clock.now()
        while self._due and self._due[0][0] <= now:
            self._turn, _, action = heapq.heappop(self._due)
            try:
                action()
            finally:
                self._turn = None

    def after(self, seconds: float, action: Callable[[], object]) -> None:
        """Plans something."""
        when = self.now() + datetime.timedelta(seconds=seconds)
        heapq.heappush(self._due, (when, next(self._ids), action))

    def new_id(self) -> uuid.UUID:
        """An id that is the same whenever the same is done in a world."""
        return uuid.uuid5(uuid.NAMESPACE_DNS, f"{self.name}/{next(self._ids)}")

    # Looking things up

    def sharing(self, source: DataSource) -> list[DataSource]:
        """The data sources whose recovery points are on the same volume, the one itself among them."""
        if source.recovery is None:
            return [source]
        return [one for one in self.sources if one.recovery is source.recovery]

    def running(self, sources: Iterable[DataSource]) -> list[Job]:
        """The jobs that run on any of the data sources or on those that share a volume with one."""
        wanted = {id(one) for source in sources for one in self.sharing(source)}
        return [job for job in self.jobs if job.end is None and any(id(one) in wanted for one in job.sources)]

    def active_alerts(self, source: DataSource | None = None) -> list[Alert]:
        """The alerts that are not resolved, of one data source or of all."""
        return [one for one in self.alerts if one.resolved is None and source in (None, one.source)]

    # Alerts

    def raise_alert(self, source: DataSource | None, code: int, detail: str = "", **about: Any) -> None:
        """An alert of a data source, unless there is this one already; without one, always. `about` are fields of
        the alert."""
        if source is None or not any(one.code == code for one in self.active_alerts(source)):
            self.alerts.append(Alert(self.new_id(), code, self.now(), source, detail, **about))

    def resolve_alerts(self, source: DataSource, *codes: int) -> None:
        for alert in self.active_alerts(source):
            if alert.code in codes:
                alert.resolved = self.now()

    def review(self, source: DataSource) -> None:
        """Compares the volumes with the threshold; plans DPM's own growing where it is on."""
        for volume, code in ((source.replica, 3100), (source.recovery, 3169)):
            if volume is None or not source.active:
                continue
            over = volume.used * 100 >= volume.allocated * self.options.alert_percent
            for one in self.sharing(source) if volume is source.recovery else [source]:
                if over:
                    self.raise_alert(one, code)
                else:
                    self.resolve_alerts(one, code)
            grows = source.group is not None and source.group.auto_grow
            if over and grows and (code == 3169 or self.options.auto_grow_replica):
                replica = code == 3100
                self.after(self.options.auto_grow_after, lambda which=replica: self.grow_by_itself(source, which))

    def grow_by_itself(self, source: DataSource, replica: bool = False) -> bool:
        """DPM's own growing of a recovery-point (or replica) volume: by 25 % or 10 GB, whichever is larger; whether
        it did."""
        volume, now = source.replica if replica else source.recovery, self.now().timestamp()
        if volume is None or volume.custom_size is not None or not source.active:
            return False
        if volume.used * 100 < volume.allocated * self.options.alert_percent:
            return False
        if volume.last_grown is not None and now - volume.last_grown < GROW_PAUSE:
            return False
        step = round_up(max(volume.allocated // 4, 10 * GB))
        if step > self.pool.unallocated or self.pool.slots_left <= self.options.slots_margin:
            return False
        self.pool.resize(volume, volume.allocated + step)
        volume.last_grown = now
        self.review(source)
        return True

    # Jobs

    def start_job(
        self,
        kind: str,
        sources: list[DataSource],
        seconds: float,
        finish: Callable[[Job], None] | None = None,
        *,
        by_hand: bool = False,
    ) -> Job:
        """A job that ends after `seconds`; `finish` decides how, by default it succeeds."""
        group = sources[0].group
        job = Job(self.new_id(), kind, sources, group.name if group else "", self.now(), by_hand=by_hand)
        self.jobs.append(job)

        def end() -> None:
            if job.end is None:
                job.end = self.now()
                job.status = SUCCEEDED
                (finish or (lambda _: None))(job)

        self.after(seconds, end)
        return job

    def fail(self, job: Job, error: int, detail: str = "") -> None:
        """Ends a job as a failure."""
        job.end, job.status, job.error, job.detail = self.now(), FAILED, error, detail

    def start_backup(
        self, source: DataSource, writes: int, seconds: float | None = None, event: int = 87, kind: str = "Replication"
    ) -> Job:
        """A backup that puts `writes` bytes onto the recovery-point volume, and fills it where they do not fit."""

        def finish(job: Job) -> None:
            volume = source.recovery
            if not source.replica_online(self.now()):
                self.fail(job, 3115, NOT_CONNECTED)
            elif source.state == "Invalid":
                self.fail(job, 31209)
            elif volume is not None and volume.used + writes > volume.allocated:
                self._exhausted(job, source, volume, event)
            else:
                job.size = writes
                self._written(source, writes)
                source.points.append(self.now())
                self.review(source)

        return self.start_job(kind, [source], self.options.backup_seconds if seconds is None else seconds, finish)

    def _written(self, source: DataSource, writes: int) -> None:
        if source.recovery is not None:
            source.recovery.used += writes

    def _exhausted(self, job: Job, source: DataSource, volume: Volume, event: int) -> None:
        """The volume ran full: rather than lose recovery points, Windows takes the replica offline."""
        volume.used = volume.allocated
        offline = self.options.replica_offline_seconds
        source.replica_offline_until = self.now() + datetime.timedelta(seconds=offline)
        if source.replica is not None:
            self.events.replica_offline(self.now(), source.replica, event)
        self.fail(job, 214, NOT_CONNECTED)
        source.state = "Invalid"
        self.raise_alert(source, 3106)
        self.review(source)
        if source.group is not None and source.group.auto_check:
            self.after(offline + 2 * self.options.auto_grow_after, lambda: self._check_by_itself(source))

    # Consistency checks

    def _check_by_itself(self, source: DataSource) -> None:
        if source.state == "Invalid" and not self.running([source]):
            self.start_check(source)

    def start_check(self, source: DataSource, *, by_hand: bool = False) -> Job:
        """Starts a consistency check."""
        if not source.active:
            raise DpmError(31155)
        if any(job.type == "Validation" and source in job.sources and job.end is None for job in self.jobs):
            raise DpmError(3170)
        if self.running([source]):
            raise DpmError(212)
        if source.storage in NO_DISK:
            raise DpmError(31207 if source.storage == "pending" else 31155)
        if source.on_volumes and source.replica is None:
            raise DpmError(31208)
        source_writes = self.options.check_writes if source.check_writes is None else source.check_writes
        seconds = self.options.check_seconds if source.check_seconds is None else source.check_seconds

        def finish(job: Job) -> None:
            self.resolve_alerts(source, 3104)
            volume, told = source.recovery, self.failing_checks.pop(source.id, None)
            if told is not None:
                self.fail(job, *told)
            elif not source.replica_online(self.now()):
                self.fail(job, 3115, NOT_CONNECTED)
            elif volume is not None and volume.free < INTERNAL + source_writes:
                self.fail(job, 214)
            else:
                job.size = source_writes
                self._written(source, source_writes)
                source.state = "Valid"
                self.resolve_alerts(source, 3106, 3114, 3115)
                self.review(source)

        self.raise_alert(source, 3104)
        return self.start_job("Validation", [source], seconds, finish, by_hand=by_hand)

    def start_recovery_point(self, source: DataSource) -> Job:
        """Starts the creation of a recovery point, as an administrator does."""
        if not source.active or source.storage in NO_DISK:
            raise DpmError(31155)
        if self.running([source]):
            raise DpmError(212)
        if source.state == "Invalid":
            raise DpmError(31209)

        def finish(job: Job) -> None:
            told = self.failing_points.pop(source.id, None)
            if told is not None:
                self.fail(job, told)
                self.raise_alert(source, 3114)
            else:
                source.points.append(self.now())
                self.resolve_alerts(source, 3114)

        return self.start_job("ShadowCopy", [source], self.options.point_seconds, finish, by_hand=True)

    # Allocations

    def shrink_bounds(self, source: DataSource) -> tuple[int, int]:
        """The smallest and the largest total that a decrease of the recovery-point volume may have; DpmError where
        none is possible."""
        self.check_editable(source)
        assert source.recovery is not None
        low = round_up(source.recovery.used + INTERNAL)
        high = source.recovery.allocated - STEP
        if low > high:
            raise DpmError(None, "The recovery point volume of the data source cannot be shrunk.")
        return low, high

    def check_editable(self, source: DataSource) -> None:
        """Whether DPM may change the volumes of a data source at all; DpmError where not.

        That these refusals carry 31155 is not verified.
        """
        if not source.active or source.storage != "legacy" or source.recovery is None:
            raise DpmError(31155)

    def edit(self, changes: list[tuple[DataSource, int | None, int | None]]) -> None:
        """New totals of replica and recovery-point volume (None: as it is) of data sources: all of them or none."""
        wanted: list[tuple[Volume, int]] = []
        for source, replica, recovery in changes:
            if source.storage == "modern" and recovery is None and replica is not None and source.active:
                self._edit_modern(source, replica)
                continue
            self.check_editable(source)
            if self.options.edit_while_busy == "refuse" and self.running([source]):
                raise DpmError(212)
            if source.replica is not None and replica is not None:
                if round_up(replica) < source.replica.allocated:
                    raise DpmError(None, "The size of a replica volume can only be increased.")
                wanted.append((source.replica, replica))
            if source.recovery is not None and recovery is not None:
                if round_up(recovery) < source.recovery.allocated:
                    low, high = self.shrink_bounds(source)
                    if not low <= round_up(recovery) <= high:
                        raise DpmError(
                            None, "The size of the recovery point volume is outside the limits of a decrease."
                        )
                wanted.append((source.recovery, recovery))
        self.pool.check(wanted)
        self._apply(wanted, [source for source, _, _ in changes])

    def _apply(self, wanted: list[tuple[Volume, int]], sources: list[DataSource]) -> None:
        def apply() -> None:
            for volume, total in wanted:
                if round_up(total) != volume.allocated:
                    self.pool.resize(volume, total)
            for source in sources:
                self.review(source)

        def apply_later() -> None:
            # What fitted when it was asked for may not fit any more: then the volumes stay as they are.
            with contextlib.suppress(DpmError):
                self.pool.check(wanted)
                apply()

        if self.options.edit_settles_after:
            self.after(self.options.edit_settles_after, apply_later)
        else:
            apply()

    def _edit_modern(self, source: DataSource, replica: int) -> None:
        """The replica of bare metal or of the system's state gets a new size; those of others grow by themselves. That
        DPM refuses these, and with which number, is not verified."""
        if source.type not in self.options.sized_types:
            raise DpmError(31155)
        if replica < source.replica_size:
            raise DpmError(None, "The size of a replica volume can only be increased.")
        source.replica_size = replica
