# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What is worth knowing of jobs that failed. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import DataSource, Job

_LOOK = "Look at the job in the DPM console"


def last_failed_jobs(jobs: tuple[Job, ...]) -> Mapping[str, Job]:
    """Returns for each data source, by id, the job that failed last."""
    last: dict[str, Job] = {}
    for job in sorted(jobs, key=_when):
        last.update(dict.fromkeys(job.sources, job))
    return last


def source_job_findings(source: DataSource, last_failed: Job | None) -> Iterator[Finding]:
    """Yields what is to be said of the job of a data source that failed last."""
    if last_failed is None:
        return
    newest = source.recovery_points.newest
    if newest is not None and last_failed.ended is not None and newest > last_failed.ended:
        return
    yield Finding(
        "job_failed",
        "warning",
        f"Its last failed job ({last_failed.type or 'of unknown type'}) has no later recovery point"
        f"{_said(last_failed)}",
        f"{_LOOK}; a full recovery-point volume is one cause.",
        source.display_name,
    )


def other_job_findings(jobs: Iterable[Job], known: Iterable[str], name: str) -> Iterator[Finding]:
    """Yields a finding for each kind of failed job that concerns none of the data sources with these ids."""
    ids = frozenset(known)
    alike: dict[tuple[object, ...], list[Job]] = {}
    for job in sorted(jobs, key=_when):
        if not job.sources & ids:
            alike.setdefault((job.type, job.protection_group, job.error_code, job.message), []).append(job)
    for same in alike.values():
        last = same[-1]
        group = f" of the protection group {last.protection_group}" if last.protection_group else ""
        often = f"{len(same)} jobs" if len(same) > 1 else "A job"
        yield Finding(
            "job_failed",
            "warning",
            f"{often} ({last.type or 'of unknown type'}){group} failed, of which DPM names no data source of this "
            f"server{_said(last)}",
            f"{_LOOK}.",
            name,
        )


def _said(job: Job) -> str:
    """Returns what DPM says of its error: the long text where there is one, and the number where it has none."""
    said = job.problem or job.message or ""
    code = f"ID {job.error_code}" if job.error_code is not None and str(job.error_code) not in said else ""
    parts = [part for part in (code, said) if part]
    return f": {': '.join(parts)}" if parts else "."


def _when(job: Job) -> float:
    moment: datetime | None = job.ended or job.started
    return moment.timestamp() if moment is not None else 0.0
