# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a reading of a server tells: findings, alerts, and what is counted."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from fractions import Fraction
from typing import Any

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._core.json_types import to_json_types
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.findings import Limits
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.info_results import info_result
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import (
    Alert,
    Allocation,
    DataSource,
    Disk,
    Job,
    Pool,
    RecoveryPoints,
    StorageKind,
    StorageVolume,
)
from ansible_collections.winbackup.storage.tests.unit.helpers.dpm_sources import GIB, facts, pool, source

FULL = Allocation(20 * GIB, 20 * GIB)
MONDAY, TUESDAY = datetime(2026, 11, 2, tzinfo=UTC), datetime(2026, 11, 3, tzinfo=UTC)


def info(*sources: DataSource, threshold: int = 90, max_age: timedelta | None = None, **others: Any) -> Any:
    return to_json_types(info_result(facts(*sources, **others), sources, Limits(Fraction(threshold), max_age)))


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
        ({"alerted_inconsistent": True}, ["replica_inconsistent"]),
        ({"state": "protected"}, ["state_unknown"]),
        ({"state": None}, ["state_unknown"]),
        ({"unreadable": "It broke.", "state": None}, ["state_unknown", "unreadable"]),
        ({"allocated": None, "storage_kind": StorageKind.NONE, "state": None}, []),
        ({"active": False}, ["inactive"]),
        ({"storage_kind": StorageKind.UNKNOWN}, ["storage_unknown"]),
        ({"used": None}, ["size_unknown"]),
        ({"replica": Allocation(None, None)}, ["size_unknown"]),
        ({"replica": Allocation(20 * GIB, 18 * GIB)}, ["replica_volume_short"]),
        ({"replica": FULL, "type": "Volume", "storage_kind": StorageKind.MODERN}, []),
        ({"replica": FULL, "type": "System Protection", "storage_kind": StorageKind.MODERN}, ["replica_volume_short"]),
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


def test_every_active_alert_that_is_no_information_is_a_finding_of_whom_it_is_about() -> None:
    alerts = (
        Alert("1", "error", "replica_inconsistent", MONDAY, "Inconsistent.", "a", "fs1.lab.test", 3106),
        Alert("2", "warning", None, None, None, None, "FS1", 3122),
        Alert("3", "information", "done", None, "Done.", None),
        Alert("4", None, "something_new", None, "New.", None),
    )
    result = info(source(), alerts=alerts)
    told = {
        "source": [one for one in result["datasources"][0]["findings"] if one["code"] == "dpm_alert"],
        "computer": result["computers"][0]["findings"],
        "server": result["server"]["findings"],
    }
    assert {place: [one["severity"] for one in some] for place, some in told.items()} == {
        "source": ["error"],
        "computer": ["warning"],
        "server": ["warning"],
    }
    assert told["source"][0]["message"] == "DPM has an active alert (ID 3106): Inconsistent."
    assert result["computers"][0]["reachable"] is False
    assert [alert["id"] for alert in result["alerts"]] == ["3", "4"]


def test_alerts_that_were_not_read_are_null_and_not_none() -> None:
    result = info(source(), alerts=None, alerts_complete=False)
    assert (result["datasources"][0]["alerts"], result["alerts"]) == (None, None)
    assert result["summary"]["complete"] is False
    some = info(source(), alerts=(), alerts_complete=False)
    assert some["datasources"][0]["alerts"] is None


def test_a_pool_that_is_not_known_or_not_there_is_null() -> None:
    assert info(source(), pool=Pool())["pool"] is None
    assert info(source(), pool=Pool((), 0))["pool"] is None
    assert info(source())["pool"]["disks"][0]["name"] == "Disk 1"


def test_a_disk_that_is_not_healthy_is_a_finding() -> None:
    disks = tuple(Disk(f"Disk {status}", None, status, 100, 60) for status in ("healthy", "missing", None))
    result = info(source(), pool=Pool(disks, 1))
    assert [one["code"] for one in result["server"]["findings"]] == ["disk_not_healthy", "disk_status_unknown"]
    assert result["pool"]["unallocated_bytes"] is None


@pytest.mark.parametrize("others", [{"active": False}, {"custom_volume": True}])
def test_no_finding_advises_what_would_be_refused(others: dict[str, Any]) -> None:
    short = info(source(used=10 * GIB, state="invalid", **others), unallocated=GIB)["datasources"][0]["findings"]
    assert not {"auto_grow_off", "pool_too_small_to_grow"} & {one["code"] for one in short}
    for finding in short:
        assert "with winbackup.storage.dpm_allocation" not in finding["hint"]
        assert others.get("active", True) or "dpm_consistency_check" not in finding["hint"]


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


def test_a_full_volume_of_modern_storage_is_a_finding_of_its_own() -> None:
    volumes = (
        StorageVolume("E:\\", 4096 * GIB, 20 * GIB, 3),
        StorageVolume("F:\\", 4096 * GIB, 2048 * GIB, 0),
        StorageVolume("G:\\", 4096 * GIB, None, None),
    )
    result = info(source(), pool=Pool((), None, volumes))
    assert [
        (row["name"], row["datasources"], [one["code"] for one in row["findings"]]) for row in result["modern_volumes"]
    ] == [
        ("E:\\", 3, ["storage_volume_short"]),
        ("F:\\", 0, []),
        ("G:\\", None, ["size_unknown"]),
    ]
    assert result["summary"]["findings"] == {"size_unknown": 1, "storage_volume_short": 1}
    assert result["summary"]["complete"] is False
    assert result["pool"] is None


def test_volumes_of_modern_storage_that_were_not_read_are_null() -> None:
    assert info(source(), pool=Pool((), None, None))["modern_volumes"] is None


@pytest.mark.parametrize(
    ("others", "unallocated", "hint"),
    [
        ({}, 10**15, "Extend it with winbackup.storage.dpm_allocation, volume: replica, for"),
        ({}, 0, "Add a disk to the storage pool: it has no room left. Extend it with winbackup.storage.dpm_allocation"),
        ({}, None, "See first that the storage pool can be read"),
        ({"active": False}, 10**15, "Nothing is written to it while it is not protected."),
        ({"custom_volume": True}, 10**15, "DPM does not manage custom volumes"),
        ({"storage_kind": StorageKind.UNKNOWN}, 10**15, "Look at its disk allocation in the DPM console."),
        ({"shares_with": None}, 10**15, "Look at its disk allocation in the DPM console."),
    ],
)
def test_the_hint_of_a_short_replica_names_only_what_would_take_it(
    others: dict[str, Any], unallocated: int | None, hint: str
) -> None:
    result = info(source(replica=FULL, **others), unallocated=unallocated)
    (found,) = [one for one in result["datasources"][0]["findings"] if one["code"] == "replica_volume_short"]
    assert found["hint"].startswith(hint)
    assert found["severity"] == "error"


NOW = datetime(2026, 11, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ({"recovery_points": RecoveryPoints(3, NOW - timedelta(hours=36))}, []),
        ({"recovery_points": RecoveryPoints(3, NOW - timedelta(hours=36, seconds=1))}, ["recovery_point_old"]),
        ({"recovery_points": RecoveryPoints(3, NOW + timedelta(hours=1))}, []),
        ({"recovery_points": RecoveryPoints()}, ["no_recovery_point"]),
        (
            {"recovery_points": RecoveryPoints(), "storage_kind": StorageKind.NONE, "allocated": None},
            ["no_recovery_point"],
        ),
        ({"recovery_points": RecoveryPoints(3, NOW - timedelta(days=99)), "active": False}, ["inactive"]),
    ],
)
def test_a_recovery_point_is_old_beyond_the_limit(others: dict[str, Any], expected: list[str]) -> None:
    assert codes(info(source(**others), max_age=timedelta(hours=36))) == expected
    assert "recovery_point_old" not in codes(info(source(**others)))


def test_an_old_recovery_point_says_how_old_and_what_comes_first() -> None:
    result = info(
        source(recovery_points=RecoveryPoints(3, NOW - timedelta(days=3)), state="invalid"), max_age=timedelta(days=1)
    )
    (found,) = [one for one in result["datasources"][0]["findings"] if one["code"] == "recovery_point_old"]
    assert found["message"] == (
        "Its newest recovery point is 3.0 days old, of 2026-10-29T00:00:00Z; max_age allows 24.0 hours."
    )
    assert "dpm_consistency_check" in found["hint"]


def test_failed_jobs_of_no_data_source_are_findings_of_the_server() -> None:
    agent = Job(
        type="replication", protection_group="Files", error_code=3122, message="No agent.", problem="None there."
    )
    own_job = Job(type="replication", sources=frozenset("a"), error_code=358, problem="It is full. (ID 358)")
    jobs = (agent, agent, Job(type="recovery", sources=frozenset("gone")), own_job)
    result = info(source(), failed=jobs)
    assert [(one["code"], one["message"]) for one in result["server"]["findings"]] == [
        (
            "job_failed",
            "2 jobs (replication) of the protection group Files failed, of which DPM names no data source of this "
            "server: ID 3122: None there.",
        ),
        ("job_failed", "A job (recovery) failed, of which DPM names no data source of this server."),
    ]
    (own,) = [one for one in result["datasources"][0]["findings"] if one["code"] == "job_failed"]
    assert own["message"].endswith("(replication) has no later recovery point: It is full. (ID 358)")


@pytest.mark.parametrize(
    ("about", "code", "kind"), [(None, 3122, None), ("a", 3122, None), (None, None, "agent_unreachable")]
)
def test_an_agent_that_cannot_be_reached_is_told_of_whom_the_alert_is_about(
    about: str | None, code: int | None, kind: str | None
) -> None:
    alert = Alert("1", "error", kind, None, "No agent.", about, None if about else "FS1", code)
    result = info(source(), alerts=(alert,))
    (row,) = result["computers"]
    assert row["reachable"] is (None if about else False)
    (found,) = result["datasources"][0]["findings"] if about else row["findings"]
    assert (found["code"], "DPMRA" in found["hint"]) == ("dpm_alert", True)


@pytest.mark.parametrize(
    ("code", "others", "hint"),
    [
        (3169, {}, "Extend it with winbackup.storage.dpm_allocation, for example"),
        (3169, {"custom_volume": True}, "DPM does not manage custom volumes"),
        (3100, {}, "Extend it with winbackup.storage.dpm_allocation, volume: replica, for"),
        (3100, {"replica": Allocation(None, None)}, "Look at its disk allocation"),
        (3100, {"storage_kind": StorageKind.MODERN, "type": "Volume"}, "Look at its disk allocation"),
        (3114, {}, "Look at its jobs and alerts in the DPM console. Then make one with winbackup.storage.dpm_recovery"),
        (3114, {"alerted_inconsistent": True}, "No recovery point is made of an inconsistent replica. See first"),
        (3114, {"active": False}, "Look at its jobs and alerts in the DPM console."),
        (9999, {}, "Look at the alert in the DPM console"),
        (None, {}, "Look at the alert in the DPM console"),
    ],
)
def test_the_hint_of_an_alert_names_only_what_would_take_the_data_source(
    code: int | None, others: dict[str, Any], hint: str
) -> None:
    alert = Alert("1", "warning", None, None, "Something.", "a", None, code)
    found = info(source(**others), alerts=(alert,))["datasources"][0]["findings"]
    assert next(one["hint"] for one in found if one["code"] == "dpm_alert").startswith(hint)


def test_the_hint_of_an_inconsistent_replica_names_the_check_where_one_can_run() -> None:
    alert = Alert("1", "error", None, None, "Inconsistent.", "a", None, 3106, True)
    for others, said in (
        ({}, "then run winbackup.storage.dpm_consistency_check."),
        ({"active": False}, "Resume its protection first."),
        ({"storage_kind": StorageKind.NONE}, "It has no replica on the disks of this server"),
    ):
        result = info(source(alerted_inconsistent=True, **others), alerts=(alert,))
        hints = {
            one["code"]: one["hint"]
            for one in result["datasources"][0]["findings"]
            if one["code"] in ("dpm_alert", "replica_inconsistent")
        }
        assert set(hints) == {"dpm_alert", "replica_inconsistent"}
        assert all(said in hint for hint in hints.values())


@pytest.mark.parametrize(
    ("group", "said"), [("Files", "dpm_protection_group, name: Files"), (None, "in the protection")]
)
def test_the_hint_that_auto_grow_is_off_names_the_group(group: str | None, said: str) -> None:
    result = info(source(used=10 * GIB, auto_grow=False, protection_group=group))
    (found,) = [one for one in result["datasources"][0]["findings"] if one["code"] == "auto_grow_off"]
    assert said in found["hint"]


def test_a_pool_without_slots_extends_nothing_and_the_hint_says_so() -> None:
    result = info(source(used=10 * GIB, replica=FULL), pool=pool(volumes=990))
    hints = [one["hint"] for one in result["datasources"][0]["findings"] if one["code"].endswith("_short")]
    assert len(hints) == 2
    assert all("no slot left" in hint and "dpm_allocation" not in hint for hint in hints)
