# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What is worth knowing about a data source or the server. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.age_findings import age_findings
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.alert_findings import alert_findings, check_hint
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.filling import VolumeKey, source_filling
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.forecast import Trend
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.job_findings import (
    other_job_findings,
    source_job_findings,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import (
    Alert,
    DataSource,
    Facts,
    Job,
    StorageKind,
    VolumeKind,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.volume_findings import (
    pool_findings,
    volume_findings,
)


@dataclass(frozen=True)
class Limits:
    """What a site allows: from which percentage on a volume is short, and how old a newest recovery point may be."""

    threshold: Fraction
    max_age: timedelta | None = None


def source_findings(
    facts: Facts,
    source: DataSource,
    last_failed: Job | None,
    limits: Limits,
    alerts: Sequence[Alert] = (),
    trends: Mapping[VolumeKey, Trend] | None = None,
) -> tuple[Finding, ...]:
    """Returns the findings of one data source. `alerts` are those that are about it, `trends` what a history tells."""
    return (
        *volume_findings(source, facts.pool, limits.threshold),
        *source_filling(source, facts.pool, facts.now, trends or {}),
        *_of_replica(source),
        *source_job_findings(source, last_failed),
        *(age_findings(source, facts.now, limits.max_age) if limits.max_age is not None else ()),
        *_of_knowledge(source),
        *alert_findings(alerts, source.display_name, source, facts.pool),
    )


def server_findings(facts: Facts, alerts: Sequence[Alert] = ()) -> tuple[Finding, ...]:
    """Returns the findings of the server: what it does not tell, disks and slots of its pool, failed jobs of no data
    source, and `alerts` that are about no data source and no protected computer."""
    name = facts.server_name or "DPM server"
    return (
        *facts.unreadable,
        *pool_findings(facts.pool, name),
        *other_job_findings(facts.failed or (), facts.sources, name),
        *alert_findings(alerts, name),
    )


def _of_replica(source: DataSource) -> Iterator[Finding]:
    if source.consistent is False:
        yield Finding(
            "replica_inconsistent",
            "error",
            "The replica is inconsistent: nothing of it is protected until a consistency check has run.",
            check_hint(source),
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
    elif source.storage_kind is StorageKind.LEGACY and any(not source.sizes(kind).known for kind in VolumeKind):
        unknown = " and of its ".join(kind.display_name for kind in VolumeKind if not source.sizes(kind).known)
        yield Finding(
            "size_unknown",
            "warning",
            f"DPM does not tell how much of its {unknown} is allocated and used.",
            "Run again once the DPM console shows the sizes; until then it is not extended.",
            source.display_name,
        )
