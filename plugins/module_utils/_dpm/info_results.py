# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The result of dpm_allocation_info, from the facts of one reading. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.alert_findings import (
    alert_findings,
    is_reachable,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.filling import Past, storage_filling
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.findings import (
    Limits,
    server_findings,
    source_findings,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.identity import short_name
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.job_findings import last_failed_jobs
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import (
    Alert,
    DataSource,
    Facts,
    Job,
    StorageKind,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.results import (
    format_time,
    name_row,
    pool_row,
    sizes_row,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.volume_findings import (
    is_short,
    storage_volume_findings,
)

# Findings that tell of something that is not known.
_GAPS = {"unreadable", "state_unknown", "size_unknown", "storage_unknown", "disk_status_unknown"}


def info_result(facts: Facts, chosen: Sequence[DataSource], limits: Limits, past: Past | None = None) -> dict[str, Any]:
    """Returns the result of dpm_allocation_info for the chosen data sources. `past` is what a history
    tells, if there is one."""
    failed = last_failed_jobs(facts.failed or ())
    alerts = facts.alerts or ()
    rows = []
    for source in chosen:
        own = [alert for alert in alerts if alert.source == source.id]
        findings = source_findings(
            facts, source, failed.get(source.id), limits, own, past.trends if past is not None else {}
        )
        row = _source_row(facts, source, failed.get(source.id), own, findings)
        rows.append(row if past is None else {**row, "history": past.of_source(source)})
    computers = _computer_rows(facts, chosen)
    of_server = [alert for alert in alerts if alert.source is None and alert.computer is None]
    about_server = server_findings(facts, of_server)
    storage_volumes = _storage_volume_rows(facts, limits.threshold, past)
    counted = Counter(
        finding.code for row in (*rows, *computers, *(storage_volumes or ())) for finding in row["findings"]
    )
    counted.update(finding.code for finding in about_server)
    return {
        "changed": False,
        "datasources": rows,
        "pool": pool_row(facts.pool),
        "modern_volumes": storage_volumes,
        "computers": computers,
        "server": {"name": facts.server_name, "version": facts.server_version, "findings": about_server},
        "machine": facts.machine,
        "alerts": _alert_rows(facts, of_server),
        "summary": _summary(facts, chosen, limits.threshold, counted),
    }


def _summary(
    facts: Facts, chosen: Sequence[DataSource], threshold: Fraction, counted: Counter[str]
) -> dict[str, object]:
    """Returns the data sources, counted. `complete` tells whether all was read that the counts rest on."""
    kinds = Counter(source.storage_kind for source in chosen)
    return {
        "datasources": len(chosen),
        "inconsistent": sum(source.consistent is False for source in chosen),
        "consistency_unknown": sum(source.consistent is None for source in chosen),
        "short": sum(is_short(source.recovery_point_volume, threshold) for source in chosen),
        **{str(kind): kinds[kind] for kind in StorageKind},
        "complete": facts.alerts_complete and not _GAPS & counted.keys(),
        "findings": dict(sorted(counted.items())),
    }


def _storage_volume_rows(facts: Facts, threshold: Fraction, past: Past | None) -> list[dict[str, Any]] | None:
    """Returns the volumes of Modern Backup Storage; None where they could not be read."""
    if facts.pool.storage_volumes is None:
        return None
    return [
        {
            "name": volume.name,
            "size_bytes": volume.size_bytes,
            "free_bytes": volume.free_bytes,
            "datasources": volume.datasources,
            **({} if past is None else {"history": past.of_storage(volume)}),
            "findings": [
                *storage_volume_findings(volume, threshold),
                *storage_filling(volume, facts.now, past.trends if past is not None else {}),
            ],
        }
        for volume in facts.pool.storage_volumes
    ]


def _computer_rows(facts: Facts, chosen: Sequence[DataSource]) -> list[dict[str, Any]]:
    """Returns the protected computers of the chosen data sources, by name."""
    names: dict[str, str] = {}
    for source in chosen:
        if source.computer:
            names.setdefault(short_name(source.computer), source.computer)
    own: dict[str, list[Alert]] = {short: [] for short in names}
    for alert in facts.alerts or ():
        if alert.source is None and alert.computer is not None and short_name(alert.computer) in own:
            own[short_name(alert.computer)].append(alert)
    return [
        {
            "name": names[short],
            "reachable": is_reachable(own[short]),
            "findings": list(alert_findings(own[short], names[short])),
        }
        for short in sorted(names, key=lambda short: names[short].casefold())
    ]


def _source_row(
    facts: Facts, source: DataSource, failed: Job | None, alerts: Sequence[Alert], findings: Sequence[Finding]
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
            "ended": format_time(failed.ended),
            "error_code": failed.error_code,
            "message": failed.message,
        },
        "recovery_points": {
            "count": points.count,
            "newest": format_time(points.newest),
            "oldest": format_time(points.oldest),
        },
        "alerts": _alert_rows(facts, alerts),
        "findings": list(findings),
    }


def _alert_rows(facts: Facts, alerts: Sequence[Alert]) -> list[dict[str, Any]] | None:
    """Returns alerts as results have them; None where there may be others that could not be read."""
    if facts.alerts is None or (not alerts and not facts.alerts_complete):
        return None
    return [_alert_row(alert) for alert in alerts]


def _alert_row(alert: Alert) -> dict[str, Any]:
    return {
        "id": alert.id,
        "severity": alert.severity,
        "type": alert.type,
        "since": format_time(alert.since),
        "message": alert.message,
    }


def _volume_row(source: DataSource) -> dict[str, Any] | None:
    """Returns the recovery-point volume, or None where it does not exist or nothing of it is known."""
    allocated, used = source.recovery_point_volume.allocated_bytes, source.recovery_point_volume.used_bytes
    if source.storage_kind in (StorageKind.MODERN, StorageKind.NONE) or allocated is None:
        return None
    return {
        "allocated_bytes": allocated,
        "used_bytes": used,
        "free_bytes": None if used is None else max(0, allocated - used),
        "used_percent": None if used is None else round(used * 100 / allocated, 1),
    }
