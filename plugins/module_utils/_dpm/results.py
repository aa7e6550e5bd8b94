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

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.checks import Check, CheckState
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
    Job,
    Pool,
    StorageKind,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.volume_result import (
    ResizeResult,
    VolumeResult,
    members_of,
)

# How many volumes or checks the sentence of a failure tells of; the result has them all.
_TOLD = 5


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
        "alerts": [_alert_row(alert) for alert in facts.alerts if alert.source is None],
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


def resize_result(report: ResizeResult) -> dict[str, Any]:
    """Returns the result of dpm_allocation: every data source on one of the volumes, in the order of the selection."""
    rows = [_resized_row(result, member) for result, member in members_of(report.volumes)]
    before = _pool_summary(report.pool_before)
    after = None if report.pool_after is None else _pool_summary(report.pool_after)
    if report.check_mode:
        left = before["unallocated_bytes"]
        taken = sum(result.decision.takes for result in report.volumes if result.state == "would_extend")
        after = {**before, "unallocated_bytes": None if left is None else left - taken}
    changed = [row for row in rows if row["after"] is not None and row["after"] != row["before"]]
    return {
        "changed": any(result.changed for result in report.volumes),
        "volumes": rows,
        "pool": {"before": before, "after": after},
        "diff": {
            side: {f"{row['datasource']['name']} on {row['datasource']['computer']}": row[side] for row in changed}
            for side in ("before", "after")
        },
    }


def resize_failure(report: ResizeResult) -> str | None:
    """Returns the sentence that fails the task: what failed, and what was refused unless that was to be skipped."""
    failed = [result for result in report.volumes if result.state == "failed"]
    refused = [result for result in report.volumes if result.state == "refused"]
    if not failed and (not refused or (report.skip_refused and len(refused) < len(report.volumes))):
        return None
    told = failed + [result for result in refused if result.reason != "not_started"] or refused
    listed = " ".join(f"[{result.reason}] {result.message}" for result in told[:_TOLD])
    more = f" And {len(told) - _TOLD} more." if len(told) > _TOLD else ""
    untried = sum(result.reason == "not_started" for result in refused)
    counted = [
        f"{count} {what}"
        for count, what in ((len(failed), "failed"), (len(refused) - untried, "refused"), (untried, "not tried"))
        if count
    ]
    outcome = f"Of {len(report.volumes)} recovery-point volumes: {', '.join(counted)}"
    return f"{outcome if failed else f'Nothing was written. {outcome}'}. {listed}{more}"


def check_result(results: Sequence[Check]) -> dict[str, Any]:
    """Returns the result of dpm_consistency_check."""
    return {
        "changed": any(result.started_here or result.state is CheckState.WOULD_RUN for result in results),
        "checks": [
            {
                "datasource": name_row(result.source),
                "job_id": result.job_id,
                "state": result.state,
                "started": format_time(result.started),
                "finished": format_time(result.finished),
                "reason": result.reason,
                "error": result.error,
            }
            for result in results
        ],
    }


def check_failure(results: Sequence[Check], *, waited: bool, selected: bool) -> str | None:
    """Returns the sentence that fails the task. What was refused fails it only where it was selected by name."""
    bad = {CheckState.FAILED, CheckState.NOT_STARTED}
    if waited:
        bad.add(CheckState.RUNNING)
    if selected:
        bad.add(CheckState.REFUSED)
    told = [result for result in results if result.state in bad]
    if not told:
        return None
    listed = " ".join(
        f"{result.source.display_name}: {result.state}{f' ({result.error})' if result.error else ''}."
        for result in told[:_TOLD]
    )
    more = f" And {len(told) - _TOLD} more." if len(told) > _TOLD else ""
    return f"{len(told)} of {len(results)} consistency checks did not come to a good end. {listed}{more}"


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


def format_time(moment: datetime | None) -> str | None:
    """Returns a time as results have it: ISO 8601, UTC."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _resized_row(result: VolumeResult, member: DataSource) -> dict[str, Any]:
    decision = result.decision
    before = sizes_row(member.recovery_point_volume)
    after = None if result.after is None or member.id not in result.after else sizes_row(result.after[member.id])
    if result.state in ("would_extend", "would_shrink"):
        after = {**before, "allocated_bytes": decision.total}
    elif after is None and not result.written:
        after = before
    return {
        "datasource": name_row(member),
        "before": before,
        "wanted_bytes": decision.wanted,
        "after": after,
        "state": result.state,
        "reason": result.reason,
        "message": result.message,
    }


def _pool_summary(pool: Pool) -> dict[str, int | None]:
    row = pool_row(pool)
    del row["disks"]
    return row


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
            "ended": format_time(failed.ended),
            "error_code": failed.error_code,
            "message": failed.message,
        },
        "recovery_points": {
            "count": points.count,
            "newest": format_time(points.newest),
            "oldest": format_time(points.oldest),
        },
        "alerts": [_alert_row(alert) for alert in alerts],
        "findings": list(findings),
    }


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
    if source.storage_kind is StorageKind.MODERN or allocated is None:
        return None
    return {
        "allocated_bytes": allocated,
        "used_bytes": used,
        "free_bytes": None if used is None else max(0, allocated - used),
        "used_percent": None if used is None else round(used * 100 / allocated, 1),
    }
