# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From readings of former days to the day on which a volume will be full, and to the size that it needs until then."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.history import History
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.filling import Sizes, VolumeKey

from .conftest import GB, MB, Lab, states

WORLD = r"""
pool:
  disks: [{name: Disk 1, capacity: 2TB}]
  modern: [{name: 'E:\', size: 4TB, remaining: 500GB}]
groups:
  - name: Files
    sources:
      - {name: 'D:\', computer: fs01.lab.test, replica: [200GB, 80GB], recovery: [100GB, 80GB], points: 3}
      - {name: 経理, computer: fs02.lab.test, replica: [200GB, 80GB], recovery: [100GB, 20GB], points: 3}
"""


def lived(path: Path, id: str, days: int = 30) -> None:
    """Readings of the days before: the recovery-point volume grew by a GB a day, and one of modern storage by 20."""
    now = datetime.now(UTC)
    with History(str(path), writes=True) as history:
        for ago in range(days, 0, -1):
            volumes = {
                VolumeKey(id, "recovery_point"): Sizes((80 - ago) * GB, 100 * GB),
                VolumeKey("E:\\", "storage_volume"): Sizes((3596 - 20 * ago) * GB, 4096 * GB),
            }
            history.add("dpm01", now - timedelta(days=ago), volumes)


def filling(findings: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [one for one in findings if one["code"].endswith("_filling")]


def test_a_volume_that_fills_is_found_and_gets_what_the_next_days_need(lab: Lab, tmp_path: Path) -> None:
    lab.world(WORLD, language="ja")
    path = tmp_path / "history"
    lived(path, lab.control.datasource("D:\\")["id"])
    lab.operations()
    result = lab.info(history=str(path))
    assert len(lab.operations()) <= 6
    rows = {row["name"]: filling(row["findings"]) for row in result["datasources"]}
    day = (datetime.now(UTC) + timedelta(days=20)).date()
    (found,) = rows["D:\\"]
    assert (found["code"], found["severity"]) == ("recovery_point_volume_filling", "warning")
    assert str(day) in found["message"]
    assert rows["経理"] == []
    (first, second) = result["datasources"]
    assert len(first["history"]) <= 24
    assert first["history"][-1]["used_bytes"] == 80 * GB
    assert [one["used_bytes"] for one in second["history"]] == [20 * GB]
    assert "history" not in lab.info()["datasources"][0]
    assert [one["code"] for one in filling(result["modern_volumes"][0]["findings"])] == ["storage_volume_filling"]

    wish = {"min_days": 60, "history": str(path), "on_refused": "skip"}
    failure, planned = lab.allocate(check_mode=True, **wish)
    assert failure is None
    assert states(planned) == {"D:\\": ("would_extend", None), "経理": ("refused", "history_too_short")}
    failure, done = lab.allocate(**wish)
    assert (failure, states(done)["D:\\"]) == (None, ("extended", None))
    wanted = done["volumes"][0]["wanted_bytes"]
    assert abs(wanted - (140 * GB + 600 * MB)) < GB
    assert lab.recovery("D:\\") >= wanted
    failure, again = lab.allocate(**wish)
    assert (failure, again["changed"]) == (None, False)


def test_a_history_that_is_not_there_refuses_the_wish_before_anything_is_asked(lab: Lab, tmp_path: Path) -> None:
    lab.operations()
    failure, _result = lab.allocate(min_days=60, history=str(tmp_path / "none"))
    assert "there is no file" in (failure or "")
    assert lab.operations() == []


def test_each_reading_is_kept_but_in_check_mode(lab: Lab, tmp_path: Path) -> None:
    lab.world(WORLD)
    path = tmp_path / "history"
    lab.info(history=str(path), check_mode=True)
    assert not path.exists()
    for _day in range(2):
        result = lab.info(history=str(path), datasources=["D:\\"])
        lab.control.advance(86400)
        assert result["changed"] is False
    lab.info(history=str(path), check_mode=True)
    with History(str(path), writes=False) as history:
        kept = history.readings("dpm01", datetime(2000, 1, 1, tzinfo=UTC))
    # Those that were not chosen are kept too: one reading reads them all.
    assert {key.kind for key in kept} == {"recovery_point", "replica", "storage_volume"}
    assert {len(readings) for readings in kept.values()} == {2}
    assert len(kept) == 5
