# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What is worth knowing about a data source or the server. Pure. All codes stand in docs/codes.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from fractions import Fraction

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import (
    Alert,
    DataSource,
    Facts,
    Job,
    Pool,
    StorageKind,
    VolumeKind,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.volume_findings import (
    pool_findings,
    volume_findings,
)

# DPM cannot reach the agent of a protected computer.
_UNREACHABLE_CODE = 3122
_SEVERITIES = {"error": "error", "information": "info", "info": "info"}


def source_findings(
    source: DataSource, pool: Pool, last_failed: Job | None, threshold: Fraction, alerts: Sequence[Alert] = ()
) -> tuple[Finding, ...]:
    """Returns the findings of one data source. `threshold` is the percentage from which a volume is short, `alerts`
    those that are about it."""
    return (
        *volume_findings(source, pool, threshold),
        *_of_replica(source),
        *_of_jobs(source, last_failed),
        *_of_knowledge(source),
        *alert_findings(alerts, source.display_name),
    )


def server_findings(facts: Facts, alerts: Sequence[Alert] = ()) -> tuple[Finding, ...]:
    """Returns the findings of the server: what it does not tell, disks and slots of its pool, and `alerts` that are
    about no data source and no protected computer."""
    name = facts.server_name or "DPM server"
    return (*facts.unreadable, *pool_findings(facts.pool, name), *alert_findings(alerts, name))


def alert_findings(alerts: Iterable[Alert], name: str) -> Iterator[Finding]:
    """Yields a finding for each active alert but those for information. One of unknown severity counts as a warning."""
    for alert in alerts:
        severity = _SEVERITIES.get(alert.severity or "", "warning")
        if severity == "info":
            continue
        said = alert.message or f"an alert of the type {alert.type or 'unknown'}, without a text"
        end = "" if said.endswith((".", "!", "?")) else "."
        code = f" (ID {alert.code})" if alert.code is not None and str(alert.code) not in said else ""
        yield Finding(
            "dpm_alert",
            severity,
            f"DPM has an active alert{code}: {said}{end}",
            "Look at the alert in the DPM console, which names what DPM recommends.",
            name,
        )


def is_reachable(alerts: Iterable[Alert]) -> bool | None:
    """Tells of the alerts about one computer whether DPM reaches its agent: false, or None where DPM says nothing."""
    unreachable = any(alert.code == _UNREACHABLE_CODE or "unreachable" in (alert.type or "") for alert in alerts)
    return False if unreachable else None


def last_failed_jobs(jobs: tuple[Job, ...]) -> Mapping[str, Job]:
    """Returns for each data source, by id, the job that failed last."""
    last: dict[str, Job] = {}
    for job in sorted(jobs, key=_when):
        last.update(dict.fromkeys(job.sources, job))
    return last


def _of_replica(source: DataSource) -> Iterator[Finding]:
    if source.consistent is False:
        yield Finding(
            "replica_inconsistent",
            "error",
            "The replica is inconsistent: nothing of it is protected until a consistency check has run.",
            "See first that its recovery-point volume has room, then run winbackup.storage.dpm_consistency_check."
            if source.active
            else "It is not protected at present, so that no check can run. Resume its protection first.",
            source.display_name,
        )
    elif source.consistent is None and not source.state_is_known and source.storage_kind is not StorageKind.NONE:
        yield Finding(
            "state_unknown",
            "warning",
            f"Whether its replica is consistent is not known: {source.state_seen}.",
            "Look at its state in the DPM console.",
            source.display_name,
        )


def _of_jobs(source: DataSource, last_failed: Job | None) -> Iterator[Finding]:
    if last_failed is None:
        return
    newest = source.recovery_points.newest
    if newest is not None and last_failed.ended is not None and newest > last_failed.ended:
        return
    said = f": {last_failed.message}" if last_failed.message else "."
    yield Finding(
        "job_failed",
        "warning",
        f"Its last failed job ({last_failed.type or 'of unknown type'}) has no later recovery point{said}",
        "Look at the job in the DPM console; a full recovery-point volume is one cause.",
        source.display_name,
    )


def _of_knowledge(source: DataSource) -> Iterator[Finding]:
    if source.unreadable is not None:
        yield Finding(
            "unreadable",
            "warning",
            f"DPM lists it and does not tell more of it: {source.unreadable}",
            "Look at it in the DPM console. Until DPM tells its sizes it is not extended.",
            source.display_name,
        )
        return
    if not source.active:
        yield Finding(
            "inactive",
            "info",
            "It is not protected at present; its replica and recovery points are kept.",
            "Resume its protection, or delete its data in the DPM console.",
            source.display_name,
        )
    if source.storage_kind is StorageKind.UNKNOWN:
        yield Finding(
            "storage_unknown",
            "info",
            "Whether it has a recovery-point volume of its own cannot be seen.",
            "Look at its disk allocation in the DPM console.",
            source.display_name,
        )
    elif source.storage_kind is StorageKind.LEGACY:
        for kind in VolumeKind:
            if not source.sizes(kind).known:
                yield Finding(
                    "size_unknown",
                    "warning",
                    f"DPM does not tell how much of its {kind.display_name} is allocated and used.",
                    "Run again once the DPM console shows the sizes; until then it is not extended.",
                    source.display_name,
                )


def _when(job: Job) -> float:
    moment: datetime | None = job.ended or job.started
    return moment.timestamp() if moment is not None else 0.0
