# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the scripts return, read with everything that DPM's documentation leaves open."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.dpm_values import (
    code_of,
    time_of,
    word_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.parse import parse_facts
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import (
    DataSource,
    Facts,
    StorageKind,
    StorageVolume,
    VolumeKind,
)

GIB = 1024**3
TIB = 1024**4
STORAGE = {"name": "E:\\", "size": 4 * TIB, "free": 20 * GIB}
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
    answer = {
        "now": "2026-11-01T10:00:00.1234567Z",
        "sources": list(rows),
        "knows_modern": False,
        "alerts": [],
        **others,
    }
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
    [("Invalid", False), ("Valid", True), ("SomethingNew", None), ("", None), (None, None)],
)
def test_a_state_is_good_or_bad_only_where_its_word_is_known(state: object, consistent: bool | None) -> None:
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
        (10 * GIB, {"knows_modern": True, "modern_volumes": []}, StorageKind.LEGACY),
        (10 * GIB, {"knows_modern": True, "modern_volumes": [STORAGE], "volumes": [VOLUME]}, StorageKind.LEGACY),
        (-1, {"knows_modern": True, "modern_volumes": [STORAGE], "volumes": [VOLUME]}, StorageKind.LEGACY),
        (0, {"knows_modern": True, "modern_volumes": [STORAGE], "volumes": [REPLICA]}, StorageKind.MODERN),
        (-1, {"knows_modern": True, "modern_volumes": [STORAGE], "volumes": []}, StorageKind.MODERN),
        (-1, {"knows_modern": True, "modern_volumes": [], "volumes": []}, StorageKind.MODERN),
        (-1, {"knows_modern": True, "modern_volumes": [], "volumes": None}, StorageKind.LEGACY),
        (10 * GIB, {"knows_modern": True, "modern_volumes": [STORAGE], "volumes": []}, StorageKind.UNKNOWN),
        (0, {"knows_modern": True, "modern_volumes": [STORAGE], "volumes": None}, StorageKind.UNKNOWN),
        (0, {"knows_modern": True, "modern_volumes": None, "volumes": None}, StorageKind.UNKNOWN),
    ],
)
def test_the_kind_of_storage(area: int, server: dict[str, Any], kind: StorageKind) -> None:
    assert only(read(row(area=area), **server)).storage_kind is kind


NOTHING = {"replica": 0, "replica_used": 0, "replica_path": "", "area": 0, "area_used": 0}


@pytest.mark.parametrize("size", [0, -1])
@pytest.mark.parametrize("modern", [{"knows_modern": False}, {"knows_modern": True, "modern_volumes": [STORAGE]}])
def test_what_is_on_no_disk_has_nothing_to_extend(size: int, modern: dict[str, Any]) -> None:
    """On tape or in the cloud only, no replica yet, protected by a secondary server."""
    nothing = {**NOTHING, "replica": size, "area": size}
    assert only(read(row(**nothing), **modern, volumes=[])).storage_kind is StorageKind.NONE
    assert (
        only(read(row(**nothing), **modern, volumes=[])).nothing_to_extend(VolumeKind.RECOVERY_POINT)
        == "no_disk_storage"
    )
    # Kept nowhere is said only where all of it was read.
    assert only(read(row(**nothing), **modern, volumes=None)).storage_kind is StorageKind.UNKNOWN
    for hidden in ("replica", "replica_path"):
        seen = {**nothing, hidden: None if hidden == "replica" else "\\\\?\\Volume{1}\\"}
        assert only(read(row(**seen), **modern, volumes=[])).storage_kind is not StorageKind.NONE


def volume(kind: str, size: int | None, *ids: str) -> dict[str, Any]:
    return {"type": kind, "size": size, "sources": [{"ids": [id]} for id in ids]}


def test_of_two_allocations_the_current_one_is_that_of_its_own_size() -> None:
    """The volumes from before it was protected anew stay listed until their recovery points expire."""
    volumes = [volume("DiffArea", 10 * GIB, ONE, TWO), volume("DiffArea", 30 * GIB, ONE)]
    facts = read(row(area=30 * GIB), row(TWO, "E:\\"), volumes=volumes)
    assert (facts.sources[ONE].shares_with, facts.sources[TWO].shares_with) == ((), ())
    assert facts.sources[ONE].storage_kind is StorageKind.LEGACY
    shared = read(row(), row(TWO, "E:\\"), volumes=volumes)
    assert (shared.sources[ONE].shares_with, shared.sources[TWO].shares_with) == ((TWO,), (ONE,))
    # Where its size tells neither, with whom it shares is not known.
    neither = read(row(area=20 * GIB), row(TWO, "E:\\"), volumes=volumes)
    assert (neither.sources[ONE].shares_with, neither.sources[TWO].shares_with) == (None, None)


def test_a_volume_that_cannot_be_read_may_be_anybodys() -> None:
    server = {"knows_modern": True, "modern_volumes": [STORAGE]}
    unread = [volume("DiffArea", 10 * GIB, ONE), {"unreadable": "It broke.", "complete": True}]
    facts = read(row(), row(TWO, "E:\\", area=0), volumes=unread, **server)
    assert facts.sources[ONE].storage_kind is StorageKind.LEGACY
    assert facts.sources[TWO].storage_kind is StorageKind.UNKNOWN
    assert facts.pool.volumes is None
    shared = [{**volume("DiffArea", 10 * GIB, ONE), "complete": False}]
    assert only(read(row(), volumes=shared, **server)).shares_with is None


def test_what_moved_to_modern_storage_is_not_tied_to_its_old_volume() -> None:
    server = {"knows_modern": True, "modern_volumes": [STORAGE]}
    old = [volume("Replica", 20 * GIB, ONE, TWO), volume("DiffArea", 10 * GIB, ONE, TWO)]
    facts = read(row(area=0, replica=55 * GIB), row(TWO, "E:\\"), volumes=old, **server)
    assert facts.sources[ONE].storage_kind is StorageKind.MODERN
    assert (facts.sources[ONE].shares_with, facts.sources[TWO].shares_with) == ((), ())
    unknown = read(row(area=-1, replica=-1), row(TWO, "E:\\"), volumes=old, **server)
    assert unknown.sources[ONE].storage_kind is StorageKind.UNKNOWN


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
    assert not facts.is_idle((only(facts),))
    assert read(row(), running=running[2:]).is_idle((only(facts),))


def test_without_the_direct_edit_every_job_of_the_group_counts() -> None:
    job = {"type": "Replication", "status": "InProgress", "sources": [], "group": "Files"}
    assert read(row(), running=[job]).is_idle((only(read(row())),))
    facts = read(row(), running=[job], edits_directly=False)
    assert not facts.is_idle((only(facts),))


def test_running_jobs_that_were_not_read_are_not_taken_for_none() -> None:
    facts = read(row(), running=None)
    assert facts.running is None
    assert not facts.is_idle((only(facts),))
    assert read(row(), running=[{"unreadable": "It cannot be read."}]).running is None


def test_a_job_is_of_its_category_and_of_the_data_source_that_the_console_shows() -> None:
    job = {
        "type": "同期",
        "category": "Replication",
        "status": "InProgress",
        "sources": [{"name": "Volume D"}],
        "paths": [{"name": "Files\\D", "computers": ["fs1.lab.test"]}],
    }
    facts = read(row(display_path="Files\\D"), row(TWO, "E:\\"), running=[job])
    assert facts.running is not None
    assert (facts.running[0].type, facts.running[0].sources) == ("replication", {ONE})


def test_what_dpm_lists_as_a_check_is_one_whatever_its_type_is_called() -> None:
    checks = read(row(), checks=[{"id": "7", "type": "整合性チェック", "sources": [{"ids": [ONE]}]}]).checks
    assert checks is not None
    assert [(check.id, check.type) for check in checks] == [("7", "validation")]
    assert read(row()).checks is None


@pytest.mark.parametrize(
    ("told", "source", "computer"),
    [
        ({"sources": [{"ids": [ONE]}], "server": "fs9"}, ONE, None),
        ({"server": "FS1", "area": "D:\\"}, ONE, "fs1.lab.test"),
        ({"server": "fs1.lab.test", "target": "D:\\"}, ONE, "fs1.lab.test"),
        ({"area": "E:\\"}, TWO, None),
        ({"server": "fs1"}, None, "fs1.lab.test"),
        ({"target": "FS1.lab.test"}, None, "fs1.lab.test"),
        ({"area": "Disk 1", "server": "dpm01"}, None, None),
        ({}, None, None),
    ],
)
def test_an_alert_is_somebodys_by_whatever_it_tells(
    told: dict[str, Any], source: str | None, computer: str | None
) -> None:
    alerts = read(row(), row(TWO, "E:\\"), alerts=[{"type": "DiskMissing", **told}]).alerts
    assert alerts is not None
    assert (alerts[0].source, alerts[0].computer) == (source, computer)


@pytest.mark.parametrize(
    "told",
    [
        {"type": "ReplicaInconsistent"},
        {"type": "7", "problem": "レプリカは一貫していません。(ID: 3106)"},
        {"type": "", "code": "3163"},
        {"type": "", "message": "Replica is inconsistent"},
    ],
)
def test_an_active_alert_makes_a_replica_inconsistent_whatever_its_state_is_called(told: dict[str, Any]) -> None:
    alert = {"sources": [{"ids": [ONE]}], **told}
    for state in ("Valid", "Protected", ""):
        assert only(read(row(state=state), alerts=[alert])).consistent is False
    # Of which data source it is, is not told: it may be this one.
    assert only(read(row(), alerts=[told])).consistent is None
    assert only(read(row(), alerts=[{**told, "server": "fs1"}])).consistent is None


def test_alerts_that_were_not_read_leave_it_open_whether_a_replica_is_consistent() -> None:
    facts = read(row(), alerts=None)
    assert (facts.alerts, facts.alerts_complete, only(facts).consistent) == (None, False, None)
    assert only(read(row(state="Invalid"), alerts=None)).consistent is False
    some = read(row(), alerts=[{"unreadable": "It cannot be read."}, {"type": "DiskMissing"}])
    assert some.alerts is not None
    assert (len(some.alerts), some.alerts_complete, only(some).consistent) == (1, False, None)
    untold = read(row(), alerts=[{"type": "7", "sources": [{"ids": [ONE]}]}])
    assert only(untold).consistent is None
    assert only(read(row(), alerts=[{"type": "DiskMissing", "sources": [{"ids": [ONE]}]}])).consistent is True


def test_a_data_source_that_cannot_be_read_ends_no_reading() -> None:
    facts = read(row(), {"unreadable": "No id."}, {"ids": [TWO], "name": "E:\\", "unreadable": "It broke."})
    assert list(facts.sources) == [ONE, TWO]
    broken = facts.sources[TWO]
    assert (broken.consistent, broken.unreadable, broken.nothing_to_extend(VolumeKind.REPLICA)) == (
        None,
        "It broke.",
        None,
    )
    assert [finding.code for finding in facts.unreadable] == ["unreadable"]


def test_the_space_of_a_disk_that_is_not_healthy_is_not_free() -> None:
    disk = {"name": "Disk 1", "capacity": 100, "unallocated": 60, "in_pool": True, "status": "Healthy"}
    for status, left in (("Healthy", 120), ("Missing", 60), ("SomethingNew", 60), ("", None), (None, None)):
        pool = read(row(), disks=[disk, {**disk, "name": "Disk 2", "status": status}], volumes=[]).pool
        assert (pool.capacity_bytes, pool.unallocated_bytes) == (200, left)


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
        ("(ID 100123)", 100123),
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
    assert time_of("2026-13-01T10:00:00Z") is None
    assert time_of("2026-02-30T25:61:00Z") is None


json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=10,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["now", "sources", "volumes", "disks", "running", "checks", "failed", "alerts", "unread_parts"]
        ),
        json | st.lists(st.dictionaries(st.sampled_from(["ids", "name", "type", "sources", "errors"]), json)),
    )
)
def test_no_answer_whatever_is_a_traceback(answer: dict[str, Any]) -> None:
    assert isinstance(parse_facts(answer), Facts)


@pytest.mark.parametrize(("code", "number"), [("358", 358), ("0", None), ("²", None), ("-1", None), ("", None)])
def test_the_number_of_a_jobs_error_is_one_or_none(code: str, number: int | None) -> None:
    job = {"type": "Replication", "errors": [{"code": code, "message": "It failed."}]}
    assert read(row(), failed=[job]).failed[0].error_code == number


def test_the_number_of_an_error_stands_in_its_long_text() -> None:
    job = {"errors": [{"code": "", "message": "It failed.", "problem": "It failed. (ID: 104456 Details: ...)"}]}
    failed = read(row(), failed=[job]).failed
    assert failed is not None
    assert (failed[0].error_code, failed[0].message) == (104456, "It failed.")


texts = st.sampled_from(["", "Valid", "Invalid", "Protected", "3"])
worlds = st.fixed_dictionaries(
    {
        "sources": st.lists(
            st.fixed_dictionaries({"state": texts, "inactive": st.booleans()}), min_size=1, max_size=3
        ).map(lambda some: [{**row(f"{place}" * 8, f"{place}:\\"), **one} for place, one in enumerate(some, 1)]),
        "running": st.lists(st.sampled_from("123"), max_size=2).map(
            lambda ids: [{"status": "InProgress", "type": "Replication", "sources": [{"ids": [id * 8]}]} for id in ids]
        ),
        "alerts": st.lists(
            st.fixed_dictionaries(
                {
                    "type": st.sampled_from(["ReplicaInconsistent", "DiskMissing"]),
                    "severity": st.sampled_from(["Error", "Warning"]),
                    "sources": st.sampled_from("123").map(lambda id: [{"ids": [id * 8]}]),
                    "server": st.just("fs1"),
                }
            ),
            max_size=3,
        ),
        "disks": st.lists(
            st.fixed_dictionaries(
                {
                    "unallocated": st.integers(0, 100),
                    "status": st.sampled_from(["Healthy", "Missing"]),
                    "in_pool": st.just(True),
                }
            ),
            min_size=1,
            max_size=3,
        ),
        "volumes": st.just([]),
        "knows_modern": st.just(True),
        "modern_volumes": st.just([STORAGE]),
        "checks": st.just([]),
    }
)


@given(worlds, st.data())
def test_whatever_is_hidden_nothing_becomes_better(world: dict[str, Any], data: st.DataObject) -> None:
    whole = parse_facts(world)
    hidden = copy.deepcopy(world)
    part = data.draw(st.sampled_from(["sources", "running", "alerts", "disks"]))
    rows = hidden[part]
    what = data.draw(st.sampled_from(["all", "one", "property"]))
    if what == "all" and part != "sources":
        hidden[part] = None
    elif rows:
        place = data.draw(st.integers(0, len(rows) - 1))
        if what == "one" and part != "disks":
            rows[place] = {"ids": rows[place].get("ids"), "unreadable": "It cannot be read."}
        else:
            key = data.draw(st.sampled_from(sorted(rows[place].keys() - {"ids", "in_pool"})))
            rows[place] = {**rows[place], key: None}
    seen = parse_facts(hidden)
    for id, source in whole.sources.items():
        assert source.consistent is not False or seen.sources[id].consistent is not True
        assert source.consistent is not None or seen.sources[id].consistent is not True
        if part != "running":
            continue
        # A job that does not tell whose it is, is looked for once more by DPM itself, right before an edit.
        told = all(job.get("sources") for job in hidden["running"] or ())
        assert whole.is_idle((source,)) or not told or not seen.is_idle((seen.sources[id],))
    if whole.pool.unallocated_bytes is not None and seen.pool.unallocated_bytes is not None:
        assert seen.pool.unallocated_bytes <= whole.pool.unallocated_bytes
    if whole.alerts and seen.alerts is not None:
        assert len(seen.alerts) == len(whole.alerts) or not seen.alerts_complete


@pytest.mark.parametrize(
    ("rows", "known", "expected"),
    [
        ([STORAGE], True, (StorageVolume("E:\\", 4 * TIB, 20 * GIB, 1),)),
        ([STORAGE, {**STORAGE, "name": "F:\\"}], True, None),
        ([{"name": "E:\\", "unreadable": "It broke."}], True, (StorageVolume("E:\\", None, None, 1),)),
        ([{"name": "E:\\", "size": -1, "free": "much"}], True, (StorageVolume("E:\\", None, None, 1),)),
        ([], True, ()),
        (None, False, ()),
    ],
)
def test_volumes_of_modern_storage(rows: Any, known: bool, expected: tuple[StorageVolume, ...] | None) -> None:
    pool = read(row(area=0, area_used=0), knows_modern=known, modern_volumes=rows, volumes=[]).pool
    if expected is None:
        assert [volume.datasources for volume in pool.storage_volumes or ()] == [None, None]
    else:
        assert pool.storage_volumes == expected


def test_volumes_of_modern_storage_that_were_not_read_are_not_none() -> None:
    assert read(row(), knows_modern=True, modern_volumes=None).pool.storage_volumes is None


@pytest.mark.parametrize("key", ["failed", "alerts", "checks", "volumes"])
def test_one_of_many_that_cannot_be_read_is_told(key: str) -> None:
    facts = read(row(), **{key: [{"unreadable": "It broke."}, {}]})
    (found,) = facts.unreadable
    assert (found.code, "2" in found.message, found.message.endswith("1 could not be read: It broke.")) == (
        "unreadable",
        True,
        True,
    )
    if key == "failed":
        assert facts.failed is not None
        assert len(facts.failed) == 1
