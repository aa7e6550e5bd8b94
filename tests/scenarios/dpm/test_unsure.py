# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation of DPM leaves open: the modules come through however it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import GB, MB, Lab, states

SHORT = {"datasources": ["D:\\"], "computers": ["fs01"]}
SERVERS: dict[str, dict[str, Any]] = {
    "2012R2": {"profile": "2012R2"},
    "2016 with Get-DPMDisk": {"profile": "2016", "has_disk": True},
    "2019": {"profile": "2019"},
    "without the direct edit": {"has_edit": False},
    "a group edit from outside": {"has_edit": False, "allocation_needs_modifiable": False},
    "japanese": {"language": "ja"},
    "errors without a number": {"error_format": "{text}"},
    "errors in the midst of text": {"error_format": "DPM (ID {code} Details: {text})"},
    "errors that do not stop": {"errors_stop": False},
    "job ids called Id": {"job_id": "Id", "alert_id": "Id"},
    "no ids of jobs and alerts": {"job_id": "none", "alert_id": "none"},
    "jobs that name their data sources": {"job_datasources": "names"},
    "types of jobs that are texts": {"job_type": "text", "job_datasources": "names", "language": "ja"},
    "paths as the console shows them": {"job_type": "text", "job_datasources": "names", "task_path": "display_path"},
    "alerts that name no data source": {"alert_shows": ["Server", "AffectedArea"]},
    "replicas of modern storage listed": {"modern_listed": True},
    "live objects": {"objects": "live"},
    "inactive ones listed also": {"inactive": "also"},
    "no explicit name": {"explicit_name": "refuse"},
    "only by its name": {"needs_connection": True},
    "only by its name, without the direct edit": {"needs_connection": True, "has_edit": False},
    "a module that is not on PSModulePath": {"module": "registry"},
    "edits that need time": {"edit_settles_after": 20},
    "edits while busy": {"edit_while_busy": "allow"},
    "modern sizes of -1": {"modern_recovery_size": -1},
    "other names of states": {"names": {"Valid": "Protected", "Succeeded": "Completed"}},
    "slow to load": {"lazy_seconds": 10},
    "confirmation of everything": {"confirm_impact": "Low"},
}


@pytest.mark.parametrize("server", SERVERS.values(), ids=SERVERS.keys())
def test_the_story_on_every_server(lab: Lab, server: dict[str, Any]) -> None:
    lab.world(None, **server)
    before = lab.info()
    short = next(row for row in before["datasources"] if row["name"] == "D:\\" and row["computer"] == "fs01.lab.test")
    assert short["consistent"] is False
    assert short["storage_kind"] == "legacy"
    assert short["recovery_point_volume"]["used_percent"] == 100.0
    assert short["recovery_points"]["count"] == 14
    assert short["last_failed_job"] is not None
    assert {alert["severity"] for alert in short["alerts"]} == {"error", "warning"}
    inactive = next(row for row in before["datasources"] if row["name"] == "F:\\")
    assert inactive["active"] is False
    assert before["summary"]["modern"] == (0 if server.get("profile") == "2012R2" else 1)

    failure, extended = lab.allocate(**SHORT, min_free="10GB", headroom_percent=5)
    assert failure is None
    assert states(extended) == {"D:\\": ("extended", None)}
    assert lab.recovery("D:\\", "fs01.lab.test") == extended["volumes"][0]["after"]["allocated_bytes"]
    failure, checked = lab.check()
    assert failure is None
    assert checked["changed"] is True
    named = "names" not in server
    # A state whose word nobody knows is not taken for a good one.
    assert {row["state"] for row in checked["checks"]} == {"succeeded", "not_needed" if named else "refused"}
    assert all(row["started"] and row["finished"] for row in checked["checks"] if row["state"] == "succeeded")
    assert lab.allocate(**SHORT, min_free="10GB", headroom_percent=5)[1]["changed"] is False
    assert lab.check()[1]["changed"] is False
    assert lab.info(**SHORT)["datasources"][0]["consistent"] is (True if named else None)


@pytest.mark.parametrize("server", ["japanese", "errors without a number", "without the direct edit"])
def test_a_refusal_of_dpms_own_is_told_in_its_words(lab: Lab, server: str) -> None:
    lab.world(None, **SERVERS[server])
    cmdlet = "Set-DPMProtectionGroup" if "has_edit" in SERVERS[server] else "Edit-DPMDiskAllocation"
    lab.control.hooks.refuse(cmdlet, 362)
    failure, result = lab.allocate(datasources=["E:\\"], computers=["fs01"], size="60GB")
    assert failure is not None
    assert states(result) == {"E:\\": ("failed", "dpm_refused")}
    assert ("レプリカ" if server == "japanese" else "The replica volume is missing") in failure
    assert result["changed"] is False


def test_the_pools_error_in_the_midst_of_a_call(lab: Lab) -> None:
    lab.control.hooks.before("Edit-DPMDiskAllocation", 2, code=358)
    failure, result = lab.allocate(
        datasources=["E:\\", "D:\\O'Brien's \"files\"", "D:\\two\nlines"], size="60GB", on_refused="skip"
    )
    assert failure is not None
    assert sorted(states(result).values(), key=str) == [
        ("extended", None),
        ("failed", "pool_too_small"),
        ("refused", "not_started"),
    ]
    assert result["changed"] is True


def test_dpms_word_that_another_operation_runs_is_taken_for_busy(lab: Lab) -> None:
    lab.control.hooks.refuse("Edit-DPMDiskAllocation", 212, times=2)
    failure, result = lab.allocate(datasources=["E:\\"], size="60GB")
    assert (failure, states(result)) == (None, {"E:\\": ("extended", None)})


UNKNOWN = """
server: {{name: dpm01.lab.test}}
pool: {{disks: [{{name: Disk 1, capacity: 1TB}}]}}
groups:
  - name: Files
    sources:
      - {{name: "D:\\\\", computer: fs01, recovery: [10GB, 9GB], unknown_seconds: {seconds}, unknown_size: {size}}}
"""


@pytest.mark.parametrize("size", [-1, 0])
def test_sizes_that_dpm_does_not_know_yet_are_waited_for(lab: Lab, size: int) -> None:
    lab.control.world(UNKNOWN.format(seconds=10, size=size), {"profile": "2012R2"})
    failure, result = lab.allocate(datasources=["D:\\"], size="20GB")
    assert (failure, states(result)) == (None, {"D:\\": ("extended", None)})


@pytest.mark.parametrize("ask", ["info", "allocate"])
def test_nothing_waits_for_what_was_not_selected(lab: Lab, ask: str) -> None:
    taken = []
    for seconds in (0, 10_000):
        other = '      - {name: "E:\\\\", computer: fs01, recovery: [10GB, 2GB]}\n'
        lab.control.world(UNKNOWN.format(seconds=seconds, size=0) + other, {"profile": "2012R2"})
        before = lab.control.server.now()
        if ask == "info":
            assert lab.info(datasources=["E:\\"])["datasources"][0]["recovery_point_volume"] is not None
        else:
            assert states(lab.allocate(datasources=["E:\\"], size="20GB")[1]) == {"E:\\": ("extended", None)}
        taken.append(lab.control.server.now() - before)
    assert abs((taken[1] - taken[0]).total_seconds()) < 1


@pytest.mark.parametrize("size", [-1, 0])
def test_sizes_that_dpm_never_tells_are_unknown(lab: Lab, size: int) -> None:
    lab.control.world(UNKNOWN.format(seconds=10_000, size=size), {"profile": "2012R2"})
    row = lab.info()["datasources"][0]
    assert row["recovery_point_volume"] is None
    assert row["replica"]["allocated_bytes"] is None
    assert [finding["code"] for finding in row["findings"]] == ["size_unknown", "dpm_alert"]
    failure, result = lab.allocate(datasources=["D:\\"], size="20GB")
    assert failure is not None
    assert states(result) == {"D:\\": ("refused", "size_unknown")}


@pytest.mark.parametrize(
    ("cmdlet", "part"),
    [
        ("Get-DPMAlert", "the alerts"),
        ("Get-DPMVolume", "the volumes of the storage pool"),
        ("Get-DPMDiskStorage", "the disks of the storage pool"),
        ("Connect-DPMServer", "name and version"),
    ],
)
def test_what_dpm_refuses_to_tell_is_a_finding_and_the_rest_is_returned(lab: Lab, cmdlet: str, part: str) -> None:
    lab.control.hooks.refuse(cmdlet, 3122, times=1)
    result = lab.info()
    assert len(result["datasources"]) == 13
    assert [one["code"] for one in result["server"]["findings"]] == ["unreadable"]
    assert part in result["server"]["findings"][0]["message"]
    assert result["summary"]["complete"] is False
    if cmdlet == "Get-DPMAlert":
        assert {repr(row["alerts"]) for row in result["datasources"]} == {"None"}
        assert result["alerts"] is None
        assert {row["consistent"] for row in result["datasources"]} == {None, False}
    if cmdlet == "Get-DPMDiskStorage":
        assert result["pool"] is None


def test_a_pool_that_cannot_be_read_is_not_taken_for_an_empty_one(lab: Lab) -> None:
    lab.control.hooks.refuse("Get-DPMDiskStorage", 3122, times=1)
    failure, result = lab.allocate(datasources=["E:\\"], size="60GB")
    assert failure is not None
    assert states(result) == {"E:\\": ("refused", "pool_unknown")}


def test_a_server_that_lets_the_user_not_in(lab: Lab) -> None:
    lab.control.hooks.refuse("Get-DPMDatasource", 31144, times=2)
    failure, result = lab.allocate(datasources=["E:\\"], size="60GB")
    assert failure is not None
    assert "domain account" in failure
    assert result == {"changed": False}


def test_hostile_names_reach_the_server_unchanged_and_run_nothing(lab: Lab) -> None:
    names = [row["name"] for row in lab.control.state()["datasources"] if row["computer"] == "fs03.lab.test"]
    assert len(names) == 5
    group = next(row["group"] for row in lab.control.state()["datasources"] if row["computer"] == "fs03.lab.test")
    for has_edit in (True, False):
        lab.world(None, has_edit=has_edit)
        # Each alone, and all at once.
        for chosen in [[name] for name in names] if has_edit else [names]:
            failure, result = lab.allocate(
                datasources=chosen, computers=["FS03"], protection_groups=[group], size="30GB"
            )
            assert (failure, states(result)) == (None, dict.fromkeys(chosen, ("extended", None)))
            assert {lab.recovery(name) for name in chosen} == {30 * GB}
        failure, result = lab.check(datasources=names, only_inconsistent=False)
        assert (failure, set(states(result))) == (None, set(names))
    for text in ("'; Stop-Computer; '", "$(throw 'x')", "`n", "日本語 😀", 'a"b', "two\nlines", "x" * 5000):
        failure, _result = lab.allocate(datasources=[text], size="30GB")
        assert failure is not None
        assert repr(text) in failure


@pytest.mark.parametrize("count", [1, 100, pytest.param(600, marks=pytest.mark.slow)])
def test_the_number_of_requests_does_not_depend_on_the_number_of_data_sources(lab: Lab, count: int) -> None:
    lab.control.generate(count, short=min(count, 20))
    lab.operations()
    assert len(lab.info()["datasources"]) == count
    assert lab.operations() == ["Create", "Command", "Send", "Send", "Signal", "Delete"]
    failure, result = lab.allocate(min_free_percent=20, on_refused="skip")
    assert failure is None
    assert [row["state"] for row in result["volumes"]].count("extended") == min(count, 20)
    operations = lab.operations()
    assert operations == ["Create", *["Command", "Send", "Send", "Signal"] * 3, "Delete"]
    assert lab.allocate(min_free_percent=20, on_refused="skip")[1]["changed"] is False


def test_every_value_has_the_type_that_the_documentation_says(lab: Lab) -> None:
    """One result of each kind goes through JSON unchanged: no dates, no enumerations, no floats for sizes."""
    results = [
        lab.info(),
        lab.allocate(min_free="10GB", on_refused="skip")[1],
        lab.check(check_mode=True)[1],
    ]
    for result in results:
        assert json.loads(json.dumps(result)) == result
    for row in results[0]["datasources"]:
        volume = row["recovery_point_volume"]
        assert volume is None or all(type(volume[key]) is int for key in volume if key.endswith("_bytes"))
    assert results[0]["machine"]["name"] == "DPM01"
    assert results[0]["machine"]["bios_uuid"]
    assert results[0]["server"] == {"name": "dpm01.lab.test", "version": "5.0.158.0", "findings": []}
    assert results[1]["pool"]["after"]["unallocated_bytes"] == lab.control.state()["pool"]["unallocated"]
    assert results[0]["datasources"][0]["replica"]["allocated_bytes"] % MB == 0
