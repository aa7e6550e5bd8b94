# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a reading of a server tells: findings, alerts, and what is counted."""

from __future__ import annotations

from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._core.plain import to_plain
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.info_results import info_result
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import (
    Alert,
    DataSource,
    Job,
    RecoveryPoints,
    StorageKind,
)
from ansible_collections.winbackup.storage.tests.unit.helpers.dpm_sources import GIB, facts, pool, source

MONDAY, TUESDAY = datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC)


def info(*sources: DataSource, threshold: int = 90, **others: Any) -> Any:
    return to_plain(info_result(facts(*sources, **others), sources, Fraction(threshold)))


def codes(result: Any) -> list[str]:
    (row,) = result["datasources"]
    return [finding["code"] for finding in row["findings"]]


@pytest.mark.parametrize(
    ("used", "threshold", "severity"),
    [(9 * GIB, 90, "warning"), (9 * GIB - 1, 90, None), (10 * GIB, 100, "error"), (9 * GIB, 95, None)],
)
def test_a_volume_is_short_at_the_threshold_and_above(used: int, threshold: int, severity: str | None) -> None:
    result = info(source(used=used, auto_grow=True), threshold=threshold)
    assert [one["severity"] for one in result["datasources"][0]["findings"]] == ([severity] if severity else [])
    assert result["summary"]["short"] == (1 if severity else 0)


def test_a_short_volume_that_dpm_will_not_extend_says_why() -> None:
    assert codes(info(source(used=10 * GIB, auto_grow=False), unallocated=GIB)) == [
        "recovery_point_volume_short",
        "auto_grow_off",
        "pool_too_small_to_grow",
    ]


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({"state": "invalid"}, ["replica_inconsistent"]),
        ({"active": False}, ["inactive"]),
        ({"storage_kind": StorageKind.UNKNOWN}, ["storage_unknown"]),
        ({"used": None}, ["size_unknown"]),
        ({"allocated": None, "storage_kind": StorageKind.MODERN}, []),
    ],
)
def test_what_is_found_of_a_data_source(others: dict[str, Any], expected: list[str]) -> None:
    assert codes(info(source(**others))) == expected


@pytest.mark.parametrize(("newest", "expected"), [(MONDAY, ["job_failed"]), (None, ["job_failed"]), (TUESDAY, [])])
def test_a_failed_job_is_worth_a_finding_until_a_later_recovery_point(
    newest: datetime | None, expected: list[str]
) -> None:
    job = Job(type="replication", status="failed", ended=datetime(2026, 11, 2, 12, tzinfo=UTC), sources=frozenset("a"))
    result = info(source(recovery_points=RecoveryPoints(3, newest)), failed=(job,))
    assert codes(result) == expected
    assert result["datasources"][0]["last_failed_job"]["ended"] == "2026-11-02T12:00:00Z"


def test_of_several_failed_jobs_the_last_is_told() -> None:
    jobs = [Job(ended=moment, message=str(moment.day), sources=frozenset("a")) for moment in (TUESDAY, MONDAY)]
    result = info(source(), failed=tuple(jobs))
    assert result["datasources"][0]["last_failed_job"]["message"] == "3"


def test_alerts_stand_with_their_data_source_or_with_the_server() -> None:
    alerts = (
        Alert("1", "error", "replica_inconsistent", MONDAY, "Inconsistent.", "a"),
        Alert(None, "error", "disk_missing", None, "A disk is missing.", None),
    )
    result = info(source(), alerts=alerts)
    assert [alert["type"] for alert in result["datasources"][0]["alerts"]] == ["replica_inconsistent"]
    assert result["alerts"] == [
        {"id": None, "severity": "error", "type": "disk_missing", "since": None, "message": "A disk is missing."}
    ]


def test_a_volume_that_does_not_exist_or_is_not_known_is_null() -> None:
    for one in (source(storage_kind=StorageKind.MODERN), source(allocated=None)):
        assert info(one)["datasources"][0]["recovery_point_volume"] is None
    half = info(source(used=None))["datasources"][0]["recovery_point_volume"]
    assert half == {"allocated_bytes": 10 * GIB, "used_bytes": None, "free_bytes": None, "used_percent": None}


def test_who_shares_the_volumes_is_named_or_null() -> None:
    shared = info(source("a", shares_with=("b",)), source("b", shares_with=("a",)))
    assert [row["colocated_with"][0]["id"] for row in shared["datasources"]] == ["b", "a"]
    assert info(source(shares_with=None))["datasources"][0]["colocated_with"] is None


def test_the_findings_of_the_server_are_counted_too() -> None:
    trouble = Finding("unreadable", "warning", "DPM does not tell the alerts.", "See.", "alerts")
    result = info(source(state="invalid"), pool=pool(volumes=970), unreadable=(trouble,))
    assert [finding["code"] for finding in result["server"]["findings"]] == ["unreadable", "ldm_slots_low"]
    assert result["summary"] == {
        "datasources": 1,
        "inconsistent": 1,
        "consistency_unknown": 0,
        "short": 0,
        "legacy": 1,
        "modern": 0,
        "none": 0,
        "unknown": 0,
        "complete": False,
        "findings": {"ldm_slots_low": 1, "replica_inconsistent": 1, "unreadable": 1},
    }
    assert result["pool"]["ldm_slots_left"] == 50
