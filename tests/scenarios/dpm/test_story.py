# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The story: a backup fills a volume, the replica goes offline and inconsistent; extended, checked, consistent."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import GB, MB, Lab, states

SHORT = {"datasources": ["D:\\"], "computers": ["fs01"]}


def only(result: dict[str, Any]) -> dict[str, Any]:
    (row,) = result["datasources"]
    return row


def codes(row: dict[str, Any]) -> set[str]:
    return {finding["code"] for finding in row["findings"]}


def test_from_the_full_volume_to_a_consistent_replica_and_again(lab: Lab) -> None:
    assert {event["id"] for event in lab.control.state()["events"]} == {87, 140}
    before = only(lab.info(**SHORT))
    assert (before["state"], before["consistent"]) == ("invalid", False)
    assert before["recovery_point_volume"]["used_percent"] == 100.0
    assert {"recovery_point_volume_short", "replica_inconsistent", "job_failed"} <= codes(before)
    assert before["last_failed_job"]["error_code"] == 214
    assert before["last_failed_job"]["message"] == "There is not enough space on the recovery point volume."
    assert {alert["type"] for alert in before["alerts"]} == {
        "replica_inconsistent",
        "recovery_point_volume_threshold_exceeded",
    }

    failure, extended = lab.allocate(**SHORT, min_free_percent=20, headroom_percent=5)
    assert failure is None
    assert states(extended) == {"D:\\": ("extended", None)}
    wanted = -(-(40 * GB + 600 * MB) * 100 // 80)
    row = extended["volumes"][0]
    assert row["wanted_bytes"] == wanted
    assert row["after"]["allocated_bytes"] == lab.recovery("D:\\", "fs01.lab.test")
    assert 0 <= row["after"]["allocated_bytes"] - wanted * 105 // 100 <= 10 * MB
    taken = row["after"]["allocated_bytes"] - row["before"]["allocated_bytes"]
    assert extended["pool"]["before"]["unallocated_bytes"] - extended["pool"]["after"]["unallocated_bytes"] == taken
    assert extended["diff"]["before"]["D:\\ on fs01.lab.test"]["allocated_bytes"] == 40 * GB

    failure, checked = lab.check()
    assert failure is None
    assert states(checked)["D:\\"] in (("succeeded", None), ("not_needed", None))
    assert [row["state"] for row in checked["checks"]].count("succeeded") == 1
    assert checked["changed"] is True

    after = only(lab.info(**SHORT))
    assert after["consistent"] is True
    assert not codes(after) & {"recovery_point_volume_short", "replica_inconsistent"}

    edits = len([call for call in lab.control.do("calls") if call["cmdlet"].startswith(("Edit-", "Set-", "Start-"))])
    for result in (lab.allocate(**SHORT, min_free_percent=20, headroom_percent=5), lab.check()):
        assert result[0] is None
        assert result[1]["changed"] is False
    again = [call for call in lab.control.do("calls") if call["cmdlet"].startswith(("Edit-", "Set-", "Start-"))]
    assert len(again) == edits


def test_check_mode_changes_nothing_and_says_the_same(lab: Lab) -> None:
    failure, planned = lab.allocate(check_mode=True, **SHORT, min_free=20 * GB)
    assert failure is None
    assert (planned["changed"], states(planned)) == (True, {"D:\\": ("would_extend", None)})
    assert lab.check(check_mode=True)[1]["changed"] is True
    assert lab.recovery("D:\\", "fs01.lab.test") == 40 * GB
    assert not [one for one in lab.control.state()["jobs"] if one["type"] == "Validation"]
    failure, done = lab.allocate(**SHORT, min_free=20 * GB)
    assert done["volumes"][0]["after"] == planned["volumes"][0]["after"]
    assert done["pool"]["after"]["unallocated_bytes"] == planned["pool"]["after"]["unallocated_bytes"]
    assert done["diff"] == planned["diff"]


def test_auto_grow_was_faster(lab: Lab) -> None:
    lab.control.hooks.before("Get-DPMDatasource", 4, lambda: lab.control.edit("D:\\", "70GB", "fs01.lab.test"))
    failure, result = lab.allocate(**SHORT, size="60GB")
    assert failure is None
    assert states(result) == {"D:\\": ("unchanged", None)}
    assert result["changed"] is False
    assert lab.recovery("D:\\", "fs01.lab.test") == 70 * GB


def test_another_administrator_right_before_the_edit(lab: Lab) -> None:
    """Whatever the size that he chose: nothing gets smaller, and what is wished is reached."""
    for size in (45, 50, 55, 60, 65, 200):
        lab.world()
        lab.control.hooks.before(
            "Get-DPMDatasource", 4, lambda size=size: lab.control.edit("D:\\", f"{size}GB", "fs01.lab.test")
        )
        failure, result = lab.allocate(**SHORT, size="60GB")
        assert failure is None
        assert lab.recovery("D:\\", "fs01.lab.test") == max(size, 60) * GB
        assert states(result) == {"D:\\": ("extended" if size < 60 else "unchanged", None)}


def test_an_administrator_who_does_not_leave_off(lab: Lab) -> None:
    for number, size in enumerate((45, 50, 55)):
        lab.control.hooks.before(
            "Get-DPMDatasource",
            4 + 4 * number,
            lambda size=size: lab.control.edit("D:\\", f"{size}GB", "fs01.lab.test"),
        )
    failure, result = lab.allocate(**SHORT, size="60GB")
    assert failure is not None
    assert states(result) == {"D:\\": ("failed", "changed_meanwhile")}
    assert result["changed"] is False
    assert lab.recovery("D:\\", "fs01.lab.test") == 55 * GB


def test_a_pool_that_is_too_small_has_nothing_written(lab: Lab) -> None:
    failure, result = lab.allocate(computers=["fs01", "fs02"], size="2TB", on_refused="fail")
    assert failure is not None
    assert "pool_too_small" in failure
    reasons = [(row["state"], row["reason"]) for row in result["volumes"]]
    assert ("refused", "pool_too_small") in reasons
    assert {state for state, _reason in reasons} == {"refused"}
    assert not [call for call in lab.control.do("calls") if call["cmdlet"].startswith("Edit-")]


def test_a_short_pool_serves_the_fullest_first(lab: Lab) -> None:
    failure, result = lab.allocate(
        datasources=["D:\\", "E:\\"], computers=["fs01", "fs02"], size="1200GB", on_refused="skip"
    )
    assert failure is None
    by_computer = {
        (row["datasource"]["name"], row["datasource"]["computer"]): row["state"] for row in result["volumes"]
    }
    assert (
        by_computer
        == {
            ("D:\\", "fs01.lab.test"): "extended",
            ("D:\\", "fs02.lab.test"): "refused",
            ("E:\\", "fs01.lab.test"): "refused",
        }
        or list(by_computer.values()).count("extended") == 1
    )


@pytest.mark.parametrize(
    ("datasource", "reason"),
    [
        ("\\Backup Using Child Partition Snapshot\\app01", "modern_storage"),
        ("\\Backup Using Child Partition Snapshot\\app02", "custom_volume"),
        ("F:\\", "inactive"),
    ],
)
def test_what_cannot_be_extended_is_refused_with_the_reason(lab: Lab, datasource: str, reason: str) -> None:
    failure, result = lab.allocate(datasources=[datasource], size="900GB")
    assert failure is not None
    assert reason in failure
    assert states(result) == {datasource: ("refused", reason)}
    assert result["changed"] is False
    assert not [call for call in lab.control.do("calls") if call["cmdlet"].startswith("Edit-")]


def test_data_sources_that_share_a_volume_are_one_extension(lab: Lab) -> None:
    failure, result = lab.allocate(datasources=["SQL01\\Sales"], size="60GB")
    assert failure is None
    assert states(result) == {"SQL01\\Sales": ("extended", None), "SQL01\\Stock": ("extended", None)}
    assert {row["after"]["allocated_bytes"] for row in result["volumes"]} == {60 * GB}
    assert len([call for call in lab.control.do("calls") if call["cmdlet"].startswith("Edit-")]) == 1
    row = lab.info(datasources=["SQL01\\Stock"])["datasources"][0]
    assert [one["name"] for one in row["colocated_with"]] == ["SQL01\\Sales"]


def test_a_volume_with_a_job_is_written_when_it_has_ended(lab: Lab) -> None:
    lab.control.start_backup("SQL01\\Stock", "1MB", seconds=40)
    failure, result = lab.allocate(datasources=["SQL01\\Sales", "E:\\"], size="60GB")
    assert failure is None
    assert {state for state, _reason in states(result).values()} == {"extended"}
    edits = [call["parameters"]["Datasource"] for call in lab.control.do("calls") if call["cmdlet"].startswith("Edit-")]
    assert edits[0] == "fs01.lab.test: E:\\"
    assert any("Waiting for jobs of SQL01" in sentence for sentence in lab.said)


def test_a_job_that_does_not_end_in_time(lab: Lab) -> None:
    lab.control.start_backup("E:\\", "1MB", seconds=4000)
    failure, result = lab.allocate(datasources=["E:\\"], size="60GB", busy_timeout=60)
    assert failure is not None
    assert states(result) == {"E:\\": ("failed", "busy")}
    assert result["changed"] is False


def test_a_job_that_begins_right_before_the_edit(lab: Lab) -> None:
    lab.control.hooks.before("Get-DPMJob", 2, lambda: lab.control.start_backup("E:\\", "1MB", seconds=30) and None)
    failure, result = lab.allocate(datasources=["E:\\"], size="60GB")
    assert failure is None
    assert states(result) == {"E:\\": ("extended", None)}


def test_a_volume_is_shrunk_where_that_was_asked_for(lab: Lab) -> None:
    kept = lab.allocate(datasources=["E:\\"], size="20GB")[1]
    assert states(kept) == {"E:\\": ("unchanged", "larger_than_wish")}
    failure, result = lab.allocate(datasources=["E:\\"], size="20GB", allow_shrink=True)
    assert failure is None
    assert states(result) == {"E:\\": ("shrunk", None)}
    assert lab.recovery("E:\\") == 20 * GB
    assert lab.allocate(datasources=["E:\\"], size="20GB", allow_shrink=True)[1]["changed"] is False
    failure, result = lab.allocate(datasources=["E:\\"], size="1GB", allow_shrink=True)
    assert failure is not None
    assert states(result) == {"E:\\": ("refused", "outside_shrink_limits")}
    assert lab.recovery("E:\\") == 20 * GB


def test_max_size_is_not_passed_and_what_it_leaves_is_said(lab: Lab) -> None:
    failure, result = lab.allocate(**SHORT, min_free="30GB", max_size="45GB")
    assert failure is None
    assert states(result) == {"D:\\": ("extended", "max_size_reached")}
    assert lab.recovery("D:\\", "fs01.lab.test") == 45 * GB
    again = lab.allocate(**SHORT, min_free="30GB", max_size="45GB")[1]
    assert (again["changed"], states(again)) == (False, {"D:\\": ("unchanged", "max_size_reached")})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": "60GB"}, "no data source"),
        ({"size": "60GB", "datasources": ["Q:\\"]}, "There is no data source 'Q:"),
        ({"size": "sixty", "datasources": ["D:\\"]}, "size: 'sixty' is no size"),
        ({"min_free_percent": 100}, "below 100"),
        ({"min_free": "1GB", "allow_shrink": True}, "allow_shrink goes with size only"),
        ({"size": "60GB", "datasources": ["D:\\"], "headroom_percent": 5}, "headroom_percent goes with"),
        ({"min_free": "10"}, "min_free: 10 without a unit is 10 bytes, less than any volume has. Give the unit"),
        ({"size": 1024, "datasources": ["D:\\"]}, "size: 1024 without a unit"),
        ({"min_free": "1GB", "max_size": "500"}, "max_size: 500 without a unit"),
        ({"min_free": "1GB", "timeout": 0}, "timeout must be at least 1"),
    ],
)
def test_wishes_that_make_no_sense(lab: Lab, options: dict[str, Any], message: str) -> None:
    failure, result = lab.allocate(**options)
    assert failure is not None
    assert message in failure
    assert result == {"changed": False}


def test_a_check_that_fails(lab: Lab) -> None:
    failure, result = lab.check(**SHORT)
    assert failure is not None
    assert states(result) == {"D:\\": ("failed", "job_failed")}
    assert "not enough space" in failure
    lab.allocate(**SHORT, min_free="10GB")
    lab.control.fail_next_check("D:\\", 3115, "fs01.lab.test")
    failure, result = lab.check(**SHORT)
    assert failure is not None
    assert "Synchronization failures" in result["checks"][0]["error"]
    assert lab.check(**SHORT)[0] is None


def test_a_check_that_somebody_else_started(lab: Lab) -> None:
    lab.allocate(**SHORT, min_free="10GB")
    lab.control.hooks.before("Get-DPMJob", 2, lambda: lab.control.start_check("D:\\", "fs01.lab.test") and None)
    failure, result = lab.check()
    assert failure is None
    assert [one["type"] for one in lab.control.state()["jobs"]].count("Validation") == 1
    assert result["changed"] is False


def test_a_check_that_takes_longer_than_the_call(lab: Lab) -> None:
    lab.world(None, check_seconds=900)
    lab.allocate(**SHORT, min_free="10GB")
    failure, result = lab.check(timeout=600)
    assert failure is not None
    running = [row for row in result["checks"] if row["state"] == "running"]
    assert [row["reason"] for row in running] == ["timeout"]
    assert running[0]["job_id"]
    failure, result = lab.check()
    assert failure is None
    assert [row["job_id"] for row in result["checks"] if row["state"] == "succeeded"] == [running[0]["job_id"]]
    assert result["changed"] is False


def test_no_shell_is_held_while_a_check_is_waited_for(lab: Lab) -> None:
    lab.world(None, check_seconds=900)
    lab.allocate(**SHORT, min_free="10GB")
    lab.operations()
    assert lab.check()[0] is None
    operations = lab.operations()
    assert operations.count("Create") == operations.count("Delete") > 25


def test_everything_is_not_checked_by_mistake(lab: Lab) -> None:
    failure, _result = lab.check(only_inconsistent=False)
    assert failure is not None
    assert "Name datasources" in failure
    failure, result = lab.check(only_inconsistent=False, datasources=["E:\\"])
    assert (failure, states(result)) == (None, {"E:\\": ("succeeded", None)})


@pytest.mark.parametrize(
    ("has_edit", "looked", "edit"),
    [
        (True, ["Get-DPMJob", "Get-DPMDatasource"], "Edit-DPMDiskAllocation"),
        (
            False,
            ["Get-DPMJob", "Get-DPMModifiableProtectionGroup", "Get-DPMDatasource"],
            "Set-DPMDatasourceDiskAllocation",
        ),
    ],
)
def test_nothing_stands_between_the_last_look_at_the_size_and_the_edit(
    lab: Lab, has_edit: bool, looked: list[str], edit: str
) -> None:
    lab.world(None, has_edit=has_edit)
    assert lab.allocate(**SHORT, size="60GB")[0] is None
    cmdlets = [call["cmdlet"] for call in lab.control.do("calls")]
    place = cmdlets.index(edit)
    assert cmdlets[place - len(looked) : place] == looked


def test_with_auto_grow_no_less_is_asked_for_than_it_would_make(lab: Lab) -> None:
    """What auto-grow gives in the moment before the edit is never taken back."""
    sales = {"datasources": ["SQL01\\Sales"]}
    assert lab.allocate(check_mode=True, **sales, size="22GB")[1]["volumes"][0]["after"]["allocated_bytes"] == 30 * GB
    lab.control.hooks.before("Edit-DPMDiskAllocation", 1, lambda: lab.control.edit("SQL01\\Sales", "30GB"))
    failure, result = lab.allocate(**sales, size="22GB")
    assert failure is None
    assert lab.recovery("SQL01\\Sales") == 30 * GB
    assert states(result)["SQL01\\Sales"] == ("extended", "auto_grow_step")
    assert lab.allocate(**sales, size="22GB")[1]["changed"] is False


def test_what_has_nothing_to_extend_is_no_refusal_where_nothing_was_selected(lab: Lab) -> None:
    failure, result = lab.allocate(min_free_percent=20)
    assert failure is None
    told = {name: state for name, state in states(result).items() if state[1] == "nothing_to_extend"}
    assert set(told.values()) == {("unchanged", "nothing_to_extend")}
    prefix = "\\Backup Using Child Partition Snapshot\\"
    assert told.keys() == {f"{prefix}app01", f"{prefix}app02", "F:\\"}
    assert "warnings" not in result or not result["warnings"]
    failure, result = lab.allocate(computers=["hv01"], min_free_percent=20)
    assert failure is not None
    assert any("Modern Backup Storage" in sentence for sentence in result["warnings"])
