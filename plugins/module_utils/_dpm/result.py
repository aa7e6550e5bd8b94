# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The results of the DPM modules, from facts and decisions. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._dpm.findings import (
    is_short,
    last_failed_jobs,
    server_findings,
    source_findings,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import (
    Alert,
    Allocation,
    DataSource,
    Facts,
    Finding,
    Job,
    Pool,
    StorageKind,
)


def info_result(facts: Facts, chosen: Sequence[DataSource], threshold: Fraction) -> dict[str, Any]:
    """Returns the result of dpm_allocation_info for the chosen data sources."""
    failed = last_failed_jobs(facts.failed)
    rows = []
    counted: Counter[str] = Counter()
    for source in chosen:
        findings = source_findings(source, facts.pool, failed.get(source.id), threshold)
        counted.update(finding.code for finding in findings)
        alerts = [alert for alert in facts.alerts if alert.source == source.id]
        rows.append(_source_row(facts, source, failed.get(source.id), alerts, findings))
    about_server = server_findings(facts)
    counted.update(finding.code for finding in about_server)
    return {
        "changed": False,
        "datasources": rows,
        "pool": pool_row(facts.pool),
        "server": {"name": facts.server_name, "version": facts.server_version},
        "machine": facts.machine,
        "findings": about_server,
        "summary": {
            "datasources": len(chosen),
            "inconsistent": sum(source.consistent is False for source in chosen),
            "short": sum(is_short(source, threshold) for source in chosen),
            "legacy": sum(source.storage_kind is StorageKind.LEGACY for source in chosen),
            "modern": sum(source.storage_kind is StorageKind.MODERN for source in chosen),
            "findings": dict(sorted(counted.items())),
        },
    }


def pool_row(pool: Pool) -> dict[str, Any]:
    """Returns the storage pool as results have it."""
    return {
        "disks": None if pool.disks is None else list(pool.disks),
        "capacity_bytes": pool.capacity_bytes,
        "unallocated_bytes": pool.unallocated_bytes,
        "volumes": pool.volumes,
        "ldm_slots_used": pool.ldm_slots_used,
        "ldm_slots_left": pool.ldm_slots_left,
    }


def name_row(source: DataSource) -> dict[str, Any]:
    """Returns how every result names a data source."""
    return {"id": source.id, "name": source.name, "computer": source.computer}


def sizes_row(sizes: Allocation) -> dict[str, int | None]:
    """Returns the sizes before or after."""
    return {"allocated_bytes": sizes.allocated_bytes, "used_bytes": sizes.used_bytes}


def shown_time(moment: datetime | None) -> str | None:
    """Returns a time as results have it: ISO 8601, UTC."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _source_row(
    facts: Facts, source: DataSource, failed: Job | None, alerts: Iterable[Alert], findings: Iterable[Finding]
) -> dict[str, Any]:
    points = source.recovery_points
    return {
        **name_row(source),
        "protection_group": source.protection_group,
        "type": source.type,
        "state": source.state,
        "consistent": source.consistent,
        "active": source.active,
        "replica": {**sizes_row(source.replica), "path": source.replica_path},
        "recovery_point_volume": _volume_row(source),
        "storage_kind": source.storage_kind,
        "custom_volume": source.custom_volume,
        "colocated_with": None
        if source.shares_with is None
        else [name_row(other) for other in facts.sharing(source) if other.id != source.id],
        "auto_grow": source.auto_grow,
        "last_failed_job": None
        if failed is None
        else {
            "type": failed.type,
            "ended": shown_time(failed.ended),
            "error_code": failed.error_code,
            "message": failed.message,
        },
        "recovery_points": {
            "count": points.count,
            "newest": shown_time(points.newest),
            "oldest": shown_time(points.oldest),
        },
        "alerts": [
            {
                "id": alert.id,
                "severity": alert.severity,
                "type": alert.type,
                "since": shown_time(alert.since),
                "message": alert.message,
            }
            for alert in alerts
        ],
        "findings": list(findings),
    }


def _volume_row(source: DataSource) -> dict[str, Any] | None:
    """Returns the recovery-point volume, or None where it does not exist or nothing of it is known."""
    allocated, used = source.recovery_point_volume.allocated_bytes, source.recovery_point_volume.used_bytes
    if source.storage_kind is StorageKind.MODERN or allocated is None:
        return None
    return {
        "allocated_bytes": allocated,
        "used_bytes": used,
        "free_bytes": None if used is None else max(0, allocated - used),
        "used_percent": None if used is None else round(used * 100 / allocated, 1),
    }
