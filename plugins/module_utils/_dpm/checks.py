# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Which data sources need a consistency check, and what a job's end says of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import DataSource, Facts, Job, StorageKind

# Jobs of this type are consistency checks.
VALIDATION = "validation"
RUNNING_STATUS = "in_progress"
_NEVER = datetime.min.replace(tzinfo=UTC)


class CheckState(StrEnum):
    """What became of the check of one data source."""

    NOT_NEEDED = "not_needed"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    RUNNING = "running"
    ALREADY_RUNNING = "already_running"
    NOT_STARTED = "not_started"
    WOULD_RUN = "would_run"
    REFUSED = "refused"


@dataclass
class Check:
    """The check of one data source in the course of a call. `state` is None while it is to be started.

    `since` is the server's time from which on its job is looked for, `missed` how often it was not found.
    """

    source: DataSource
    state: CheckState | None = None
    reason: str | None = None
    error: str | None = None
    job_id: str | None = None
    started: datetime | None = None
    finished: datetime | None = None
    started_here: bool = False
    since: datetime | None = None
    missed: int = 0

    @property
    def awaited(self) -> bool:
        """Whether its job runs, as far as is known."""
        return self.state in (CheckState.RUNNING, CheckState.ALREADY_RUNNING)

    def settle(self, state: CheckState, reason: str | None = None, error: str | None = None) -> None:
        self.state, self.reason, self.error = state, reason, error


def first_look(facts: Facts, source: DataSource, *, only_inconsistent: bool) -> Check:
    """Returns what can be said of a data source before anything is started."""
    job = find_check([job for job in facts.checks or () if not is_over(job)], source)
    if job is not None:
        return Check(source, CheckState.ALREADY_RUNNING, job_id=job.id, started=job.started, since=job.started)
    if only_inconsistent and source.consistent:
        return Check(source, CheckState.NOT_NEEDED)
    if not source.active:
        return Check(
            source,
            CheckState.REFUSED,
            "inactive",
            "It is not protected at present, so that nothing can be compared with its replica. Resume its protection.",
        )
    if source.storage_kind is StorageKind.NONE:
        return Check(
            source,
            CheckState.REFUSED,
            "no_disk_storage",
            "It has no replica on the disks of this server that could be checked.",
        )
    if source.consistent is None and only_inconsistent:
        return Check(
            source,
            CheckState.REFUSED,
            "state_unknown",
            f"Whether its replica is consistent is not known ({source.state_seen}). Set only_inconsistent to false to "
            "check it all the same.",
        )
    return Check(source)


def startable(checks: Sequence[Check], facts: Facts, places: int) -> list[Check]:
    """Returns the checks to start now: `places` at most, and of no data source with a job of its own or of one that
    shares its volumes."""
    waiting = [check for check in checks if check.state is None]
    idle = [check for check in waiting if facts.is_idle(facts.sharing(check.source))]
    return idle[: max(0, places)]


def find_check(
    jobs: Iterable[Job], source: DataSource, *, id: str | None = None, since: datetime | None = None
) -> Job | None:
    """Returns the consistency check of a data source. Where jobs have ids and one is given, it alone decides; else it
    is the newest that names the data source and was not started before `since`."""
    listed = list(jobs)
    if id is not None and any(job.id is not None for job in listed):
        return next((job for job in listed if job.id == id), None)
    fitting = [
        job
        for job in listed
        if job.type == VALIDATION
        and source.id in job.sources
        and (since is None or job.started is None or job.started >= since)
    ]
    # One that tells no start has only just been made.
    return max(fitting, key=lambda job: (job.started is None, job.started or _NEVER), default=None)


def is_over(job: Job) -> bool:
    """Tells whether a job has come to its end."""
    if job.completed is not None:
        return job.completed
    return job.ended is not None or job.status not in (None, RUNNING_STATUS)


def take_end(check: Check, job: Job, now: DataSource | None) -> None:
    """Settles a check whose job is over; `now` is the data source as it was read afterwards.

    Only Failed is attested as a bad end and Succeeded as a good one. Of any other status the job's error decides, and
    whether the replica is consistent, or at least no longer what it was when it was inconsistent.
    """
    check.job_id = job.id or check.job_id
    check.started, check.finished = job.started or check.started, job.ended
    status = job.status or ""
    code = f" (ID {job.error_code})" if job.error_code is not None else ""
    said = f"{job.message}{code}" if job.message else f"DPM gives its job the status {status or 'unknown'}{code}"
    consistent = None if now is None else now.consistent
    if status == "succeeded":
        check.settle(CheckState.SUCCEEDED)
    elif status == "failed" or "cancel" in status or job.message or consistent is False:
        check.settle(CheckState.FAILED, "job_failed", said)
    elif consistent or _is_cured(check.source, now):
        check.settle(CheckState.SUCCEEDED)
    else:
        message = f"{said}, and whether the replica is consistent is not known. Look at the job in the DPM console."
        check.settle(CheckState.FAILED, "outcome_unknown", message)


def _is_cured(before: DataSource, now: DataSource | None) -> bool:
    """Tells whether a replica was inconsistent, and DPM calls it something else by now that is not known."""
    if now is None or now.state is None or now.alerted_inconsistent is not False:
        return False
    return before.consistent is False and now.consistent is None
