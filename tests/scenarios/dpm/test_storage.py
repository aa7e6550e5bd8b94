# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replica volumes and Modern Backup Storage: what is short is found, cured where DPM lets it be, and explained else."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import GB, MB, Lab, states

PROFILES = [("2012R2", "ja"), ("2016", "en"), ("2019", "ja")]
WORLD = r"""
pool:
  disks: [{name: Disk 1, capacity: 2TB}]
  modern: [{name: 'E:\', size: 4TB, remaining: 20GB}]
groups:
  - name: Files
    auto_grow: true
    sources:
      - {name: 'D:\', computer: fs01.lab.test, replica: [20GB, 19GB], recovery: [40GB, 4GB], points: 3}
      - {name: 報告, computer: fs01.lab.test, replica: [50GB, 48GB], recovery: [10GB, 1GB], shares: one, points: 3}
      - {name: 経理, computer: fs01.lab.test, replica: [50GB, 48GB], recovery: [10GB, 1GB], shares: one, points: 3}
"""
MODERN = r"""
pool:
  modern: [{name: 'E:\', size: 4TB, remaining: 20GB}]
  disks: []
groups:
  - name: Machines
    sources:
      - {name: app01, computer: hv01, type: Microsoft Hyper-V, storage: modern, replica: [500GB, 490GB], points: 7}
      - {name: Bare metal, computer: fs01, type: System Protection, storage: modern, replica: [60GB, 59GB], points: 7}
      - {name: Etwas, computer: fs02, type: Something new, storage: modern, replica: [60GB, 60GB], points: 7}
"""


def codes(result: dict[str, Any]) -> dict[str, list[str]]:
    return {row["name"]: [one["code"] for one in row["findings"]] for row in result["datasources"]}


@pytest.mark.parametrize(("profile", "language"), PROFILES)
@pytest.mark.parametrize("directly", [True, False])
def test_a_short_replica_volume_is_found_and_extended_once(
    lab: Lab, profile: str, language: str, directly: bool
) -> None:
    lab.world(WORLD, profile=profile, language=language, has_edit=directly)
    found = codes(lab.info())
    assert "replica_volume_short" in found["D:\\"]
    assert "replica_volume_short" in found["経理"]

    wish = {"volume": "replica", "min_free_percent": 20, "headroom_percent": 0}
    failure, planned = lab.allocate(check_mode=True, **wish)
    assert failure is None
    assert lab.control.datasource("D:\\")["replica"]["allocated"] == 20 * GB
    failure, result = lab.allocate(**wish)
    assert failure is None
    assert {state for state, _reason in states(result).values()} == {"extended"}
    rows = {row["datasource"]["name"]: row for row in result["volumes"]}
    wanted = -(-(19 * GB + 600 * MB) * 100 // 80)
    assert rows["D:\\"]["before"] == {"allocated_bytes": 20 * GB, "used_bytes": 19 * GB}
    assert 0 <= rows["D:\\"]["after"]["allocated_bytes"] - wanted < 10 * MB
    assert rows["D:\\"]["after"]["allocated_bytes"] == lab.control.datasource("D:\\")["replica"]["allocated"]
    assert rows["報告"]["after"] == rows["経理"]["after"]
    assert [row["after"] for row in planned["volumes"]] == [row["after"] for row in result["volumes"]]
    # The other volume stayed as it was.
    assert lab.recovery("D:\\") == 40 * GB

    assert not [name for name, found in codes(lab.info()).items() if "replica_volume_short" in found]
    failure, again = lab.allocate(**wish)
    assert (failure, again["changed"]) == (None, False)


def test_a_replica_that_another_administrator_made_larger_stays_so(lab: Lab) -> None:
    lab.world(WORLD)
    lab.control.hooks.before("Get-DPMDatasource", 4, lambda: lab.control.edit_replica("D:\\", "70GB"))
    failure, result = lab.allocate(datasources=["D:\\"], volume="replica", size="60GB")
    assert (failure, states(result)) == (None, {"D:\\": ("unchanged", None)})
    assert lab.control.datasource("D:\\")["replica"]["allocated"] == 70 * GB


@pytest.mark.parametrize(("profile", "language"), PROFILES[1:])
def test_a_server_with_modern_storage_only(lab: Lab, profile: str, language: str) -> None:
    lab.world(MODERN, profile=profile, language=language)
    before = lab.info()
    assert before["pool"] is None
    (volume,) = before["modern_volumes"]
    assert (volume["name"], volume["size_bytes"], volume["free_bytes"], volume["datasources"]) == (
        "E:\\",
        4096 * GB,
        20 * GB,
        3,
    )
    assert [one["code"] for one in volume["findings"]] == ["storage_volume_short"]
    assert codes(before)["Bare metal"] == ["replica_volume_short"]
    assert not codes(before)["app01"]

    failure, result = lab.allocate(volume="replica", min_free=10 * GB, on_refused="skip")
    assert failure is None
    assert states(result) == {
        "app01": ("unchanged", "nothing_to_extend"),
        "Bare metal": ("extended", None),
        "Etwas": ("unchanged", "nothing_to_extend"),
    }
    assert lab.control.datasource("Bare metal")["modern_replica"] > 69 * GB
    assert codes(lab.info())["Bare metal"] == []
    failure, again = lab.allocate(volume="replica", min_free=10 * GB, on_refused="skip")
    assert (failure, again["changed"]) == (None, False)

    failure, refused = lab.allocate(datasources=["Bare metal"], volume="replica", size="120GB")
    assert "storage_volume_too_small" in (failure or "")
    assert states(refused) == {"Bare metal": ("refused", "storage_volume_too_small")}
    failure, refused = lab.allocate(datasources=["app01"], volume="replica", size="900GB")
    assert "replica_grows_itself" in (failure or "")

    lab.control.set_storage_volume("E:\\", "3TB")
    assert lab.info()["modern_volumes"][0]["findings"] == []


def test_volumes_of_modern_storage_that_cannot_be_read_are_null_with_a_finding(lab: Lab) -> None:
    lab.world(MODERN)
    # The first call lists the disks.
    lab.control.hooks.before("Get-DPMDiskStorage", 2, code=948)
    result = lab.info()
    assert result["modern_volumes"] is None
    assert [one["code"] for one in result["server"]["findings"]] == ["unreadable"]
    assert result["summary"]["complete"] is False


def test_a_reading_takes_as_many_requests_as_before(lab: Lab) -> None:
    lab.world(MODERN)
    lab.operations()
    lab.info()
    assert len(lab.operations()) <= 6
