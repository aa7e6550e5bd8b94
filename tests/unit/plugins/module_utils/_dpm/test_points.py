# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who needs a recovery point, and what a reading afterwards says of it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import Job, RecoveryPoints, StorageKind
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.point_results import point_failure, point_result
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.points import (
    Point,
    PointState,
    first_look_at,
    is_running,
    take_look,
    ways_of,
)
from ansible_collections.winbackup.storage.tests.unit.helpers.dpm_sources import facts, source

NOW = datetime(2026, 11, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


def points(newest: datetime | None) -> dict[str, Any]:
    return {"recovery_points": RecoveryPoints(3, newest)}


@pytest.mark.parametrize(
    ("others", "state", "reason"),
    [
        (points(NOW - HOUR), PointState.UNCHANGED, None),
        (points(NOW - HOUR - timedelta(seconds=1)), None, None),
        (points(None), None, None),
        ({**points(NOW), "active": False}, PointState.UNCHANGED, None),
        ({"active": False}, PointState.REFUSED, "inactive"),
        ({"storage_kind": StorageKind.NONE}, PointState.REFUSED, "no_disk_storage"),
        ({"state": "invalid"}, PointState.REFUSED, "replica_inconsistent"),
        ({"alerted_inconsistent": True}, PointState.REFUSED, "replica_inconsistent"),
        ({"state": "protected"}, None, None),
    ],
)
def test_who_needs_one(others: dict[str, Any], state: PointState | None, reason: str | None) -> None:
    point = first_look_at(source(**others), NOW, HOUR)
    assert (point.state, point.reason) == (state, reason)


@pytest.mark.parametrize(
    ("kind", "ways"),
    [
        ("Volume", ("files",)),
        ("SQL Server 2019", ("application",)),
        ("Microsoft Hyper-V", ("application",)),
        ("System Protection", ("application", "files")),
        ("ボリューム", ("application", "files")),
        (None, ("application", "files")),
    ],
)
def test_a_type_that_tells_nothing_is_tried_both_ways(kind: str | None, ways: tuple[str, ...]) -> None:
    assert ways_of(source(type=kind)) == ways


def test_a_job_is_known_by_its_id_where_both_tell_one() -> None:
    point = Point(source(), PointState.RUNNING, job_id="mine")
    other, nameless = Job(id="other", sources=frozenset("a")), Job(sources=frozenset("a"))
    assert [is_running(point, [job]) for job in (other, nameless, Job(id="mine"))] == [False, True, True]


def started(newest: datetime | None = NOW - timedelta(days=1)) -> Point:
    return Point(source(**points(newest)), PointState.RUNNING, job_id="mine", started_here=True, since=NOW)


@pytest.mark.parametrize("before", [NOW - timedelta(days=1), None])
def test_a_newer_point_than_before_is_the_one(before: datetime | None) -> None:
    point = started(before)
    take_look(point, facts(source(**points(NOW + HOUR))))
    assert (point.state, point.created) == (PointState.CREATED, NOW + HOUR)


@pytest.mark.parametrize("newest", [NOW - timedelta(days=1), None])
def test_an_old_point_is_not_the_one_and_the_failed_job_says_why(newest: datetime | None) -> None:
    point = started(newest)
    job = Job(id="mine", ended=NOW + HOUR, message="Full.", problem="It is full. (ID 214)")
    take_look(point, facts(source(**points(newest)), failed=(job,)))
    assert (point.state, point.reason, point.error) == (PointState.FAILED, "job_failed", "It is full. (ID 214)")


def test_a_job_that_failed_long_before_is_not_the_one() -> None:
    point = started()
    point.job_id = None
    take_look(point, facts(source(), failed=(Job(sources=frozenset("a"), ended=NOW - HOUR),)))
    assert point.state is PointState.RUNNING


def test_what_dpm_never_shows_is_not_known_and_may_have_changed_something() -> None:
    point = started()
    for _look in range(4):
        assert point.state is PointState.RUNNING
        take_look(point, facts(source(**points(NOW - timedelta(days=1)))))
    assert (point.state, point.reason) == (PointState.FAILED, "outcome_unknown")
    assert point_result([point])["changed"] is True
    assert "no new recovery point" in (point_failure([point], waited=True) or "")


def test_one_that_still_runs_fails_the_task_only_where_it_was_waited_for() -> None:
    assert point_failure([started()], waited=False) is None
    assert "A:\\ on fs1.lab.test: running." in (point_failure([started()], waited=True) or "")
