# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Recovery points after a repair: one where there is none that is new enough, and none twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from .conftest import Lab, states

PROFILES = [("2012R2", "ja"), ("2016", "en"), ("2019", "ja")]
WORLD = r"""
pool: {modern: [{name: 'E:\', size: 4TB, remaining: 1TB}]}
groups:
  - name: Files
    sources:
      - {name: 'D:\', computer: fs01.lab.test, points: 3}
      - {name: 経理's "files"; $(whoami), computer: fs01.lab.test, points: 0}
      - {name: Sales, computer: sql01.lab.test, type: SQL Server 2019, points: 2}
      - {name: Bare metal, computer: fs02.lab.test, type: システム保護, points: 2}
      - {name: Tape, computer: fs03.lab.test, storage: tape}
"""
SELECTED: dict[str, Any] = {"protection_groups": ["Files"]}


def made(lab: Lab) -> int:
    return len([call for call in lab.control.do("calls") if call["cmdlet"] == "New-DPMRecoveryPoint"])


@pytest.mark.parametrize(("profile", "language"), PROFILES)
@pytest.mark.parametrize("job_id", ["JobId", "none"])
def test_each_gets_one_and_a_second_run_makes_none(lab: Lab, profile: str, language: str, job_id: str) -> None:
    lab.world(WORLD, profile=profile, language=language, job_id=job_id)
    some = {"computers": ["fs01", "sql01", "fs02"]}
    failure, planned = lab.point(check_mode=True, **some)
    assert (failure, planned["changed"], made(lab)) == (None, True, 0)
    assert {state for state, _reason in states(planned).values()} == {"would_create"}
    failure, result = lab.point(**some)
    assert failure is None
    assert {state for state, _reason in states(result).values()} == {"created"}
    assert all(row["created"] for row in result["points"])
    assert [one["points"] for one in lab.control.state()["datasources"]] == [4, 1, 3, 3, 0]
    assert result["diff"]["after"]["D:\\ on fs01.lab.test"] == result["points"][0]["created"]

    before = made(lab)
    failure, again = lab.point(**some)
    assert (failure, again["changed"], made(lab)) == (None, False, before)
    assert {state for state, _reason in states(again).values()} == {"unchanged"}
    # An hour later it is not new enough any more.
    lab.control.advance(7200)
    assert lab.point(datasources=["D:\\"], newer_than="1d")[1]["changed"] is False
    assert lab.point(datasources=["D:\\"])[1]["changed"] is True


def test_a_selection_is_demanded_before_anything_is_asked(lab: Lab) -> None:
    lab.operations()
    failure, _result = lab.point()
    assert "No data source is named" in (failure or "")
    assert lab.operations() == []


def test_what_cannot_have_one_is_refused_with_the_reason(lab: Lab) -> None:
    lab.world(WORLD)
    lab.control.set_state("D:\\", "Invalid")
    failure, result = lab.point(datasources=["D:\\", "Tape"])
    assert failure is not None
    assert states(result) == {"D:\\": ("refused", "replica_inconsistent"), "Tape": ("refused", "no_disk_storage")}
    assert (result["changed"], len(result["warnings"]), made(lab)) == (False, 2, 0)


def test_after_a_repair_the_alert_is_gone(lab: Lab) -> None:
    lab.world(WORLD)
    lab.control.raise_alert("D:\\", 3114)
    (row,) = lab.info(datasources=["D:\\"])["datasources"]
    (found,) = [one for one in row["findings"] if one["code"] == "dpm_alert"]
    assert "winbackup.storage.dpm_recovery_point" in found["hint"]
    assert lab.point(datasources=["D:\\"])[0] is None
    assert lab.info(datasources=["D:\\"])["datasources"][0]["findings"] == []


def test_a_job_that_fails_is_told_with_what_dpm_says(lab: Lab) -> None:
    lab.world(WORLD)
    lab.control.fail_next_point("D:\\", 214)
    failure, result = lab.point(datasources=["D:\\"])
    assert "There is not enough space on the recovery point volume. (ID: 214)" in (failure or "")
    assert states(result) == {"D:\\": ("failed", "job_failed")}
    assert result["changed"] is True


def test_a_busy_one_is_waited_for_or_refused(lab: Lab) -> None:
    lab.world(WORLD)
    lab.control.start_backup("D:\\", "1MB", seconds=90)
    _failure, result = lab.point(datasources=["D:\\"], wait=False)
    assert (states(result), result["changed"]) == ({"D:\\": ("failed", "busy")}, False)
    failure, result = lab.point(datasources=["D:\\"], newer_than="1m")
    assert failure is None
    assert states(result)["D:\\"][0] in ("created", "unchanged")


def test_without_waiting_it_runs_and_the_next_run_sees_it(lab: Lab) -> None:
    lab.world(WORLD)
    failure, result = lab.point(datasources=["D:\\"], wait=False)
    assert (failure, states(result)) == (None, {"D:\\": ("running", None)})
    lab.control.advance(300)
    failure, again = lab.point(datasources=["D:\\"], wait=False)
    assert (failure, states(again), again["changed"]) == (None, {"D:\\": ("unchanged", None)}, False)


def test_one_that_outlasts_the_call_fails_it_and_is_left_running(lab: Lab) -> None:
    lab.world(WORLD, point_seconds=9000)
    failure, result = lab.point(datasources=["D:\\"], timeout=600)
    assert "Run again" in (failure or "")
    assert states(result) == {"D:\\": ("running", "timeout")}


@pytest.mark.parametrize("numbers", [(7, 8, 9), pytest.param(range(1, 25), marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["reset_after", "reboot"])
def test_whatever_request_is_lost_none_is_made_twice(lab: Lab, kind: str, numbers: Sequence[int]) -> None:
    for number in numbers:
        lab.world(WORLD, point_seconds=5)
        lab.site.host.troubles.clear()
        lab.site.host.troubles.add(kind, number=number)
        failure, result = lab.point(datasources=["D:\\"])
        assert made(lab) <= 1
        for state, reason in states(result).values():
            assert (state, reason) in (("created", None), ("failed", "not_started"), ("failed", "outcome_unknown"))
            assert (failure is None) == (state == "created")
            if state == "created":
                assert lab.control.datasource("D:\\")["points"] == 4
        lab.site.host.troubles.clear()
        assert lab.point(datasources=["D:\\"])[0] is None
        assert (lab.control.datasource("D:\\")["points"], made(lab)) == (4, 1)
