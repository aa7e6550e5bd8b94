# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The file of history: what is kept, what is no file of ours, and what many years cost."""

from __future__ import annotations

import sqlite3
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError, StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution import history as module
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.history import History
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.trends import past_of
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.filling import Sizes, VolumeKey
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.forecast import Reading
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import Machine
from ansible_collections.winbackup.storage.tests.unit.helpers.dpm_sources import facts, source

NOW = datetime(2026, 11, 1, tzinfo=UTC)
AREA, REPLICA = VolumeKey("a", "recovery_point"), VolumeKey("a", "replica")
STORAGE = VolumeKey("記憶域 E:\\ '; DROP TABLE reading; --", "storage_volume")


def test_what_was_added_is_there_by_server_volume_and_time(tmp_path: Path) -> None:
    path = str(tmp_path / "a folder's 履歴")
    for day in range(3):
        with History(path, writes=True) as history:
            history.add("dpm01", NOW + timedelta(days=day), {AREA: Sizes(day, 10), STORAGE: Sizes(5, 20)})
            history.add("dpm02", NOW, {AREA: Sizes(99, 100), REPLICA: Sizes(1, 2)})
    with History(path, writes=False) as history:
        found = history.readings("dpm01", NOW + timedelta(days=1))
        assert found[AREA] == [Reading(NOW + timedelta(days=1), 1), Reading(NOW + timedelta(days=2), 2)]
        assert [reading.used_bytes for reading in found[STORAGE]] == [5, 5]
        assert history.readings("dpm02", NOW) == {AREA: [Reading(NOW, 99)], REPLICA: [Reading(NOW, 1)]}
        assert history.readings("dpm03", NOW) == {}
        with pytest.raises(StorageError, match="could not be written: attempt to write a readonly database"):
            history.add("dpm01", NOW, {AREA: Sizes(1, 2)})


def test_a_run_that_only_reads_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="there is no file") as raised:
        History(str(tmp_path / "none"), writes=False)
    assert "dpm_allocation_info" in str(raised.value.hint)
    assert not list(tmp_path.iterdir())


def _text(path: Path) -> None:
    path.write_text("These are somebody's notes, and no database of any kind.\n" * 40, encoding="utf-8")


def _other_database(path: Path) -> None:
    with sqlite3.connect(path) as other:
        other.execute("CREATE TABLE reading (time INTEGER)")


def _newer(path: Path) -> None:
    with History(str(path), writes=True):
        pass
    with sqlite3.connect(path) as ours:
        ours.execute("PRAGMA user_version = 2")


@pytest.mark.parametrize(
    ("prepare", "said"),
    [
        (_text, "file is not a database"),
        (_other_database, "is a database of something else"),
        (_newer, "was written by a newer version"),
        (Path.mkdir, "cannot be opened"),
    ],
)
@pytest.mark.parametrize("writes", [True, False])
def test_a_file_that_is_none_of_ours_is_left_alone(tmp_path: Path, prepare: object, said: str, writes: bool) -> None:
    path = tmp_path / "file"
    assert callable(prepare)
    prepare(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(ConfigurationError, match=said):
        History(str(path), writes=writes)
    assert (path.read_bytes() if path.is_file() else None) == before


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be opened: unable to open database file"):
        History(str(tmp_path / "no" / "file"), writes=True)


def test_a_file_that_another_run_writes_is_waited_for_within_bounds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_PATIENCE", 0.05)
    path = tmp_path / "file"
    with History(str(path), writes=True) as history:
        other = sqlite3.connect(path, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageError, match="locked"):
            history.add("dpm01", NOW, {AREA: Sizes(1, 2)})
        other.execute("ROLLBACK")
        other.close()
        history.add("dpm01", NOW, {AREA: Sizes(1, 2)})
        assert len(history.readings("dpm01", NOW)) == 1


def test_five_years_of_six_hundred_volumes_are_read_in_under_a_second(tmp_path: Path) -> None:
    path = tmp_path / "file"
    days = 5 * 365
    with History(str(path), writes=True) as history:
        history.add(
            "dpm01", NOW - timedelta(days=days), {VolumeKey(str(one), "replica"): Sizes(1, 2) for one in range(600)}
        )
        with sqlite3.connect(path) as ours:
            ours.execute(
                "WITH RECURSIVE day (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM day WHERE n < ?)"
                " INSERT INTO reading SELECT id, ? + n * 86400, n * 1000000, 1000000000000 FROM volume CROSS JOIN day",
                (days, int((NOW - timedelta(days=days)).timestamp())),
            )
        ours.close()
        began = time.process_time()
        found = history.readings("dpm01", NOW - timedelta(days=90))
        assert time.process_time() - began < 1
        assert len(found) == 600
        assert {len(some) for some in found.values()} == {91}
    assert path.stat().st_size < 600 * days * 60


def test_a_server_is_known_by_its_computer_however_its_name_is_told(tmp_path: Path) -> None:
    readings = {day: {AREA: Sizes(day * 10**9, 10**12)} for day in range(20)}
    with History(str(tmp_path / "file"), writes=True) as history:
        for day, volumes in readings.items():
            history.add("dpm01", NOW - timedelta(days=19 - day), volumes)
        for names in (
            {"machine": Machine("DPM01"), "server_name": "dpm01.lab.test"},
            {"server_name": "dpm01.lab.test"},
        ):
            assert list(past_of(history, facts(source(), **names)).trends) == [AREA]
        with pytest.raises(StorageError, match="does not tell the name of the server"):
            past_of(history, facts(source()))
