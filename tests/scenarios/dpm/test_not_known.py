# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a DPM server does not tell, or tells of things that are not in order: it is never taken for good."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import GB, Lab, states

WORLD = """
server: {name: dpm01.lab.test}
pool:
  disks: [{name: Disk 1, capacity: 1TB}, {name: Disk 2, capacity: 2TB}]
  modern: [{name: "E:\\\\", size: 4TB, remaining: 2500GB}]
groups:
  - name: Files
    sources:
      - {name: "D:\\\\", computer: fs01.lab.test, recovery: [10GB, 9GB], points: 5}
      - {name: "E:\\\\", computer: fs02.lab.test, recovery: [10GB, 2GB], points: 5SPECIAL}
"""


def world(lab: Lab, special: str = "", **options: Any) -> None:
    """A small server; `special` is what is special about E: on fs02."""
    lab.world(WORLD.replace("SPECIAL", special), **options)


def row(result: dict[str, Any], name: str = "E:\\") -> dict[str, Any]:
    found: dict[str, Any] = next(one for one in result["datasources"] if one["name"] == name)
    return found


def codes(holder: dict[str, Any]) -> list[str]:
    return [finding["code"] for finding in holder["findings"]]


@pytest.mark.parametrize("kind", ["tape", "cloud", "pending", "secondary"])
@pytest.mark.parametrize("size", [0, -1])
def test_what_is_on_no_disk_of_the_server_is_in_nobodys_way(lab: Lab, kind: str, size: int) -> None:
    world(lab, f", storage: {kind}", size_without_disk=size)
    result = lab.info()
    nowhere = row(result)
    assert (nowhere["storage_kind"], nowhere["recovery_point_volume"]) == ("none", None)
    assert result["summary"]["none"] == 1
    assert not {"size_unknown", "storage_unknown"} & set(codes(nowhere))
    failure, extended = lab.allocate(min_free="5GB")
    assert failure is None
    assert states(extended) == {"D:\\": ("extended", None), "E:\\": ("unchanged", "nothing_to_extend")}
    failure, refused = lab.allocate(datasources=["E:\\"], min_free="5GB")
    assert failure is not None
    assert failure.startswith("Nothing was written. Of 1 recovery-point volume: 1 refused. ")
    assert states(refused) == {"E:\\": ("refused", "no_disk_storage")}
    (warning,) = refused["warnings"]
    assert warning.count("E:\\ on fs02.lab.test") == 1


def test_a_server_with_modern_storage_only_has_no_pool_and_ends_well(lab: Lab) -> None:
    text = WORLD.replace("disks: [{name: Disk 1, capacity: 1TB}, {name: Disk 2, capacity: 2TB}]", "disks: []")
    text = text.replace("recovery: [10GB, 9GB], points", "storage: modern, points")
    lab.world(text.replace("recovery: [10GB, 2GB], points", "storage: modern, points").replace("SPECIAL", ""))
    result = lab.info()
    assert result["pool"] is None
    assert (result["summary"]["modern"], result["summary"]["complete"]) == (2, True)
    failure, extended = lab.allocate(min_free_percent=20)
    assert (failure, extended["changed"], extended["pool"]) == (None, False, {"before": None, "after": None})
    assert set(states(extended).values()) == {("unchanged", "nothing_to_extend")}
    assert lab.check()[0] is None


def test_the_space_of_a_disk_that_is_missing_is_not_free(lab: Lab) -> None:
    world(lab)
    whole = lab.info()["pool"]["unallocated_bytes"]
    lab.control.set_disk("Disk 2", "Missing")
    result = lab.info()
    assert whole - result["pool"]["unallocated_bytes"] >= 1900 * GB
    assert codes(result["server"]) == ["disk_not_healthy", "dpm_alert"]
    failure, refused = lab.allocate(datasources=["D:\\"], size="1500GB")
    assert failure is not None
    assert states(refused) == {"D:\\": ("refused", "pool_too_small")}


@pytest.mark.parametrize("how", ["error", "null"])
@pytest.mark.parametrize("properties", ["[State]", "[ShadowCopyAreaSize, ReplicaPath]", "['*']"])
def test_one_data_source_that_cannot_be_read_ends_no_reading(lab: Lab, how: str, properties: str) -> None:
    world(lab, f", unreadable: {properties}", unreadable=how)
    result = lab.info()
    assert (row(result, "D:\\")["consistent"], row(result, "D:\\")["storage_kind"]) == (True, "legacy")
    assert result["summary"]["complete"] is False
    if properties == "['*']":
        assert len(result["datasources"]) == 1
        assert "unreadable" in codes(result["server"])
        for size, shrink in (("40GB", False), ("30GB", True)):
            failure, extended = lab.allocate(datasources=["D:\\"], size=size, allow_shrink=shrink)
            assert failure is None
            assert extended["changed"] is True
        failure, checked = lab.check(datasources=["D:\\"], only_inconsistent=False)
        assert (failure, states(checked)) == (None, {"D:\\": ("succeeded", None)})
        return
    broken = row(result)
    assert {"unreadable", "state_unknown", "size_unknown"} & set(codes(broken))
    assert None in (broken["consistent"], broken["recovery_point_volume"])
    failure, extended = lab.allocate(min_free="5GB", on_refused="skip")
    assert failure is None
    assert states(extended)["D:\\"] == ("extended", None)


def test_of_two_allocations_the_current_one_is_that_of_its_own_size(lab: Lab) -> None:
    """E: was protected anew: its old volume, on which D: is too, stays until its recovery points expire."""
    text = WORLD.replace("recovery: [10GB, 9GB], points: 5", "recovery: [10GB, 9GB], points: 5, shares: old")
    text = text.replace("recovery: [10GB, 2GB]", "recovery: [40GB, 2GB]")
    lab.world(text.replace("SPECIAL", ", earlier: {recovery: [10GB, 9GB], shares: old}"))
    result = lab.info()
    assert [row(result, name)["colocated_with"] for name in ("D:\\", "E:\\")] == [[], []]
    failure, extended = lab.allocate(min_free="5GB")
    assert failure is None
    assert states(extended) == {"D:\\": ("extended", None), "E:\\": ("unchanged", None)}
    assert lab.recovery("E:\\") == 40 * GB


def test_what_moved_to_modern_storage_is_not_its_old_volume(lab: Lab) -> None:
    text = WORLD.replace("recovery: [10GB, 2GB]", "storage: modern, replica: [70GB, 30GB]")
    lab.world(text.replace("SPECIAL", ", earlier: {recovery: [10GB, 9.9GB]}"))
    moved = row(lab.info())
    assert (moved["storage_kind"], moved["recovery_point_volume"], moved["colocated_with"]) == ("modern", None, [])
    failure, extended = lab.allocate(min_free="5GB")
    assert failure is None
    assert states(extended)["E:\\"] == ("unchanged", "nothing_to_extend")


@pytest.mark.parametrize(
    ("about", "whose"),
    [
        ({"server": "fs01.lab.test", "shows": ["Server"]}, "computer"),
        ({"target": "fs01.lab.test", "shows": ["TargetObjectName"]}, "computer"),
        ({"server": "fs01.lab.test", "area": "D:\\", "shows": ["Server", "AffectedArea"]}, "datasource"),
        ({"area": "Disk 1", "shows": ["AffectedArea"]}, "server"),
        ({"shows": []}, "server"),
    ],
)
def test_every_active_alert_is_a_finding_of_whom_it_is_about(lab: Lab, about: dict[str, Any], whose: str) -> None:
    world(lab)
    lab.control.raise_alert(None, 3122, **about)
    result = lab.info()
    holders = {
        "computer": next(one for one in result["computers"] if one["name"] == "fs01.lab.test"),
        "datasource": row(result, "D:\\"),
        "server": result["server"],
    }
    own = [one for one in holders[whose]["findings"] if one["code"] == "dpm_alert" and "3122" in one["message"]]
    assert len(own) == 1
    assert result["summary"]["findings"]["dpm_alert"] == 2
    assert holders["computer"]["reachable"] is (False if whose == "computer" else None)


@pytest.mark.parametrize("shows", [["Datasource"], ["Server", "AffectedArea"], ["Server", "TargetObjectName"]])
def test_an_alert_that_a_replica_is_inconsistent_counts_whatever_its_state_is_called(
    lab: Lab, shows: list[str]
) -> None:
    world(lab, alert_shows=shows)
    lab.control.raise_alert("E:\\", 3106)
    assert (row(lab.info())["state"], row(lab.info())["consistent"]) == ("valid", False)
    failure, checked = lab.check()
    assert failure is None
    assert states(checked) == {"D:\\": ("not_needed", None), "E:\\": ("succeeded", None)}


def seconds_of(lab: Lab, **options: Any) -> float:
    before = lab.control.server.now()
    lab.info(**options)
    return float((lab.control.server.now() - before).total_seconds())


def test_what_has_no_recovery_points_is_not_waited_for_without_end(lab: Lab) -> None:
    lab.world(WORLD.replace("points: 5SPECIAL", "points: 0"))
    assert seconds_of(lab) < 10
    assert seconds_of(lab, datasources=["D:\\"]) < 5
    assert seconds_of(lab, datasources=["E:\\"]) < 15


@pytest.mark.parametrize("cmdlet", ["Get-DPMJob"])
def test_jobs_that_cannot_be_read_are_not_taken_for_none(lab: Lab, cmdlet: str) -> None:
    world(lab)
    lab.control.hooks.refuse(cmdlet, 3122, times=0)
    failure, result = lab.allocate(datasources=["D:\\"], size="40GB", busy_timeout=20)
    assert failure is not None
    assert states(result) == {"D:\\": ("failed", "busy")}
    assert "which jobs run" in failure
    assert lab.recovery("D:\\") == 10 * GB


@pytest.mark.parametrize("way", ["allocate", "check"])
def test_a_stopped_service_says_what_to_do(lab: Lab, way: str) -> None:
    world(lab)
    lab.control.hooks.refuse("*-DPM*", 948, times=0)
    failure, _result = lab.check() if way == "check" else lab.allocate(min_free="5GB")
    assert failure is not None
    assert "Start the service DPM" in failure
