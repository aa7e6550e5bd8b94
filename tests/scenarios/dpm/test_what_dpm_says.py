# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What DPM itself knows to be wrong is found: an agent that is gone, an old point, a disk, a job that failed."""

from __future__ import annotations

import pytest

from .conftest import Lab

PROFILES = [("2012R2", "ja"), ("2016", "en"), ("2019", "ja")]
WORLD = r"""
pool:
  disks: [{name: Disk 1, capacity: 2TB}, {name: Disk 2, capacity: 1TB}]
groups:
  - name: Files
    sources:
      - {name: 'D:\', computer: fs01.lab.test, points: 3, point_hours: 24}
      - {name: 'E:\', computer: fs02.lab.test, points: 3, point_hours: 160}
      - {name: 経理, computer: fs02.lab.test, points: 0}
"""


@pytest.mark.parametrize(("profile", "language"), PROFILES)
def test_what_stops_the_backups_of_tomorrow_is_found_in_one_reading(lab: Lab, profile: str, language: str) -> None:
    lab.world(WORLD, profile=profile, language=language)
    lab.control.raise_alert(None, 3122, server="FS02", target="FS02", target_type="ProductionServer")
    lab.control.set_disk("Disk 2", "Missing")
    lab.control.run_backup("D:\\", "60GB", "fs01.lab.test")
    lab.operations()
    result = lab.info(max_age="3d")
    assert len(lab.operations()) <= 6

    computers = {row["name"]: row for row in result["computers"]}
    assert (computers["fs01.lab.test"]["reachable"], computers["fs02.lab.test"]["reachable"]) == (None, False)
    assert "DPMRA" in computers["fs02.lab.test"]["findings"][0]["hint"]
    server = [one["code"] for one in result["server"]["findings"]]
    assert server == ["disk_not_healthy", "dpm_alert"]
    rows = {row["name"]: {one["code"]: one for one in row["findings"]} for row in result["datasources"]}
    assert {"job_failed", "dpm_alert", "replica_inconsistent"} <= set(rows["D:\\"])
    assert "(ID: 214)" in rows["D:\\"]["job_failed"]["message"]
    assert "recovery_point_old" not in rows["D:\\"]
    assert "3.3 days old" in rows["E:\\"]["recovery_point_old"]["message"]
    assert "no_recovery_point" in rows["経理"]
    assert result["summary"]["findings"]["dpm_alert"] == sum(
        one["code"] == "dpm_alert"
        for row in (*result["datasources"], *result["computers"], result["server"])
        for one in row["findings"]
    )

    calm = lab.info(datasources=["D:\\"], max_age="3d")
    assert "recovery_point_old" not in calm["summary"]["findings"]
