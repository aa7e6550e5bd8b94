# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the scripts return, read with everything that DPM's documentation leaves open."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.parse import (
    code_of,
    parse_facts,
    time_of,
    word_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import DataSource, Facts, StorageKind

GIB = 1024**3
ONE, TWO = "11111111-1111-1111-1111-111111111111", "22222222-2222-2222-2222-222222222222"


def row(id: str = ONE, name: str = "D:\\", **others: Any) -> dict[str, Any]:
    return {
        "ids": [id, id],
        "name": name,
        "computers": ["fs1.lab.test", "FS1"],
        "group": "Files",
        "type": "Volume",
        "state": "Valid",
        "area": 10 * GIB,
        "area_used": 2 * GIB,
        "replica": 20 * GIB,
        "replica_used": 15 * GIB,
        **others,
    }


def read(*rows: dict[str, Any], **others: Any) -> Facts:
    answer = {"now": "2026-11-01T10:00:00.1234567Z", "sources": list(rows), "knows_modern": False, **others}
    return parse_facts(answer)


def only(facts: Facts) -> DataSource:
    (source,) = facts.sources.values()
    return source


def test_a_data_source_is_read() -> None:
    source = only(read(row(points=12, newest="2026-10-31T22:00:00.0000000Z", oldest="2026-10-01T22:00:00Z")))
    assert (source.id, source.name, source.computer) == (ONE, "D:\\", "fs1.lab.test")
    assert (source.state, source.consistent, source.active) == ("valid", True, True)
    assert source.recovery_point_volume.allocated_bytes == 10 * GIB
    assert source.recovery_points.count == 12
    assert source.recovery_points.newest == datetime(2026, 10, 31, 22, tzinfo=UTC)
    assert source.storage_kind is StorageKind.LEGACY


@pytest.mark.parametrize("unknown", [-1, 0, None, "10", 1.5, True])
def test_what_is_no_size_is_unknown(unknown: object) -> None:
    source = only(read(row(area=unknown)))
    assert source.recovery_point_volume.allocated_bytes is None


def test_values_that_were_not_loaded_are_unknown() -> None:
    source = only(read(row(points=0, newest="0001-01-01T00:00:00.0000000Z", oldest="", area_used=-1)))
    assert source.recovery_points.count is source.recovery_points.newest is source.recovery_points.oldest is None
    assert source.recovery_point_volume.used_bytes is None


@pytest.mark.parametrize(
    ("state", "consistent"),
    [("Invalid", False), ("Valid", True), ("SomethingNew", True), ("", None), (None, None)],
)
def test_only_the_state_that_is_known_to_be_bad_is_bad(state: object, consistent: bool | None) -> None:
    assert only(read(row(state=state))).consistent is consistent


@pytest.mark.parametrize(
    ("told", "active"),
    [
        ({"inactive": True}, False),
        ({"inactive": False, "listed_inactive_only": True}, True),
        ({"listed_inactive_only": True}, False),
        ({}, True),
    ],
)
def test_whether_it_is_protected(told: dict[str, Any], active: bool) -> None:
    assert only(read(row(**told))).active is active


VOLUME = {"type": "ShadowCopy", "sources": [{"ids": [ONE], "name": "D:\\", "computers": []}]}
REPLICA = {**VOLUME, "type": "Replica"}


@pytest.mark.parametrize(
    ("area", "server", "kind"),
    [
        (10 * GIB, {"knows_modern": False}, StorageKind.LEGACY),
        (-1, {"knows_modern": False}, StorageKind.LEGACY),
        (10 * GIB, {"knows_modern": True, "modern_volumes": 0}, StorageKind.LEGACY),
        (10 * GIB, {"knows_modern": True, "modern_volumes": 1, "volumes": [VOLUME]}, StorageKind.LEGACY),
        (-1, {"knows_modern": True, "modern_volumes": 1, "volumes": [VOLUME]}, StorageKind.LEGACY),
        (0, {"knows_modern": True, "modern_volumes": 1, "volumes": [REPLICA]}, StorageKind.MODERN),
        (-1, {"knows_modern": True, "modern_volumes": 1, "volumes": []}, StorageKind.MODERN),
        (-1, {"knows_modern": True, "modern_volumes": 0, "volumes": []}, StorageKind.MODERN),
        (-1, {"knows_modern": True, "modern_volumes": 0, "volumes": None}, StorageKind.LEGACY),
        (10 * GIB, {"knows_modern": True, "modern_volumes": 1, "volumes": []}, StorageKind.UNKNOWN),
        (0, {"knows_modern": True, "modern_volumes": 1, "volumes": None}, StorageKind.UNKNOWN),
        (0, {"knows_modern": True, "modern_volumes": None, "volumes": None}, StorageKind.UNKNOWN),
    ],
)
def test_the_kind_of_storage(area: int, server: dict[str, Any], kind: StorageKind) -> None:
    assert only(read(row(area=area), **server)).storage_kind is kind


def test_who_shares_a_volume_is_seen_in_the_list_of_volumes() -> None:
    both = {"type": "ShadowCopy", "sources": [{"ids": [ONE]}, {"ids": [], "name": "E:\\", "computers": ["fs1"]}]}
    facts = read(row(), row(TWO, "E:\\"), volumes=[both])
    assert facts.sources[ONE].shares_with == (TWO,)
    assert facts.sources[TWO].shares_with == (ONE,)
    assert [source.id for source in facts.sharing(facts.sources[TWO])] == [ONE, TWO]


def test_who_shares_a_volume_is_seen_in_the_path_of_the_replica_too() -> None:
    shared = {"collocated": True, "replica_path": "\\\\?\\Volume{1}\\"}
    facts = read(row(**shared), row(TWO, "E:\\", **shared), volumes=None)
    assert facts.sources[ONE].shares_with == (TWO,)
    alone = read(row(replica_path="x"), row(TWO, "E:\\", replica_path="x"))
    assert alone.sources[ONE].shares_with == ()


def test_a_shared_volume_whose_partners_cannot_be_seen_is_said_to_be_one() -> None:
    assert only(read(row(collocated=True), volumes=None)).shares_with is None


def test_jobs_are_known_by_id_by_name_or_not_at_all() -> None:
    running = [
        {"type": "Replication", "status": "InProgress", "sources": [{"ids": [ONE]}], "id": "77"},
        {"type": "Validation", "status": "InProgress", "sources": [{"name": "D:\\", "computers": ["FS1.other"]}]},
        {"type": "Validation", "status": "InProgress", "sources": [{"name": "D:\\", "computers": ["fs2"]}]},
        {"type": "TapeErase", "status": "InProgress", "sources": []},
    ]
    facts = read(row(), running=running)
    assert [job.sources for job in facts.running] == [{ONE}, {ONE}, set(), set()]
    assert (facts.running[0].id, facts.running[1].id) == ("77", None)
    assert len(facts.busy_with((only(facts),))) == 2


def test_without_the_direct_edit_every_job_of_the_group_counts() -> None:
    job = {"type": "Replication", "status": "InProgress", "sources": [], "group": "Files"}
    assert not read(row(), running=[job]).busy_with((only(read(row())),))
    facts = read(row(), running=[job], edits_directly=False)
    assert len(facts.busy_with((only(facts),))) == 1


def test_the_pool_counts_its_own_disks_only() -> None:
    disks = [
        {"name": "Disk 1", "id": "1", "capacity": 100, "unallocated": 60, "in_pool": True, "status": "Healthy"},
        {"name": "Disk 2", "id": "2", "capacity": 100, "unallocated": 50, "in_pool": None, "status": "Healthy"},
        {"name": "Disk 3", "id": "3", "capacity": 100, "unallocated": 90, "in_pool": False, "status": "Healthy"},
    ]
    pool = read(row(), disks=disks, volumes=[VOLUME, REPLICA, {"type": "ShadowCopy", "sources": []}]).pool
    assert (pool.capacity_bytes, pool.unallocated_bytes) == (200, 110)
    assert (pool.volumes, pool.ldm_slots_used, pool.ldm_slots_left) == (2, 6, 2954)
    unknown = read(row(), disks=[{**disks[0], "unallocated": -1}, disks[1]], volumes=None).pool
    assert (unknown.capacity_bytes, unknown.unallocated_bytes, unknown.ldm_slots_left) == (200, None, None)
    assert read(row(), disks=None).pool.disks is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("There is not enough space (ID 358)", 358),
        ("領域が不足しています。(ID: 358 詳細: ...)", 358),
        ("(ID：360)", 360),
        ("GUID 358", None),
        ("", None),
        (None, None),
    ],
)
def test_dpms_number_of_an_error_is_found_in_any_language(text: str | None, code: int | None) -> None:
    assert code_of(text) == code


@pytest.mark.parametrize(
    ("value", "word"),
    [
        ("InProgress", "in_progress"),
        ("Invalid", "invalid"),
        ("ReplicaInconsistent", "replica_inconsistent"),
        ("SQLServerDown", "sql_server_down"),
        ("3", "3"),
        ("", None),
    ],
)
def test_enumerations_are_spelled_as_everywhere(value: str, word: str | None) -> None:
    assert word_of(value) == word


def test_times_are_utc_and_the_year_one_is_none() -> None:
    assert time_of("2026-11-01T10:00:00.1234567Z") == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert time_of("0001-01-01T00:00:00.0000000Z") is None
    assert time_of("yesterday") is None


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(
    st.dictionaries(
        st.sampled_from(["now", "sources", "volumes", "disks", "running", "checks", "failed", "alerts", "troubles"]),
        json | st.lists(st.dictionaries(st.sampled_from(["ids", "name", "type", "sources", "errors"]), json)),
    )
)
def test_no_answer_whatever_is_a_traceback(answer: dict[str, Any]) -> None:
    assert isinstance(parse_facts(answer), Facts)


@pytest.mark.parametrize(("code", "number"), [("358", 358), ("0", None), ("²", None), ("-1", None), ("", None)])
def test_the_number_of_a_jobs_error_is_one_or_none(code: str, number: int | None) -> None:
    job = {"type": "Replication", "errors": [{"code": code, "message": "It failed."}]}
    assert read(row(), failed=[job]).failed[0].error_code == number
