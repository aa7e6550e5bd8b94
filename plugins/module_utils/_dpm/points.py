# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Which data sources need a recovery point, and what came of its creation. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import DataSource, Facts, Job, StorageKind

# The cmdlet's two ways, by the beginnings of the types of data sources, as scripts in use name them.
_FILES = ("volume", "share")
_APPLICATIONS = ("sql", "microsoft hyper-v", "sharepoint farm", "exchange")
# Times are of whole seconds, and a point may begin a little before the answer to its start.
_EARLIER = timedelta(seconds=60)
# So often in a row a job may be over, and DPM show neither a new point nor why not.
_LOOKS = 4


class PointState(StrEnum):
    """What became of the recovery point of one data source."""

    CREATED = "created"
    UNCHANGED = "unchanged"
    FAILED = "failed"
    RUNNING = "running"
    WOULD_CREATE = "would_create"
    REFUSED = "refused"


@dataclass
class Point:
    """The recovery point of one data source in the course of a call. `state` is None while it is to be started; `since`
    is the server's time at which that was asked for, `looks` how often nothing was seen of it after its end."""

    source: DataSource
    state: PointState | None = None
    reason: str | None = None
    error: str | None = None
    job_id: str | None = None
    created: datetime | None = None
    started_here: bool = False
    since: datetime | None = None
    looks: int = 0

    def settle(self, state: PointState, reason: str | None = None, error: str | None = None) -> None:
        self.state, self.reason, self.error = state, reason, error


def first_look_at(source: DataSource, now: datetime, newer_than: timedelta) -> Point:
    """Returns what can be said before anything is started. What is not known is left to DPM, which refuses it where it
    cannot be."""
    newest = source.recovery_points.newest
    if newest is not None and newest >= now - newer_than:
        return Point(source, PointState.UNCHANGED, created=newest)
    if not source.active:
        message = "It is not protected at present, so that nothing is copied from it. Resume its protection."
        return Point(source, PointState.REFUSED, "inactive", message)
    if source.storage_kind is StorageKind.NONE:
        message = "It has no replica on the disks of this server of which a recovery point could be made."
        return Point(source, PointState.REFUSED, "no_disk_storage", message)
    if source.consistent is False:
        message = "Its replica is inconsistent. Run winbackup.storage.dpm_consistency_check first."
        return Point(source, PointState.REFUSED, "replica_inconsistent", message)
    return Point(source)


def ways_of(source: DataSource) -> tuple[str, ...]:
    """Returns which of the cmdlet's ways are tried, in this order."""
    said = (source.type or "").casefold()
    if said.startswith(_FILES):
        return ("files",)
    return ("application",) if said.startswith(_APPLICATIONS) else ("application", "files")


def is_running(point: Point, jobs: Iterable[Job]) -> bool:
    """Tells whether one of the running jobs is that of a point."""
    return any(_is_of(job, point) for job in jobs)


def take_look(point: Point, facts: Facts) -> None:
    """Settles a point whose job is over, from a reading with the recovery points and the failed jobs; leaves it as it
    is where DPM may show it later."""
    now = facts.sources.get(point.source.id)
    newest = None if now is None else now.recovery_points.newest
    before = point.source.recovery_points.newest
    since = (point.since or facts.now) - _EARLIER
    if newest is not None and newest >= since and (before is None or newest > before):
        point.created = newest
        point.settle(PointState.CREATED)
        return
    failed = [job for job in facts.failed or () if _is_of(job, point) and (job.ended is None or job.ended >= since)]
    if failed:
        said = failed[-1].problem or failed[-1].message or "DPM does not say why."
        point.settle(PointState.FAILED, "job_failed", said)
        return
    point.looks += 1
    if point.looks >= _LOOKS:
        message = "Its job is over, and DPM shows no new recovery point. Look at the job in the DPM console."
        point.settle(PointState.FAILED, "outcome_unknown", message)


def _is_of(job: Job, point: Point) -> bool:
    """By its id where both tell one, else by the data source."""
    if point.job_id is not None and job.id is not None:
        return job.id == point.job_id
    return point.source.id in job.sources
