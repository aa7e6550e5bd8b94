# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Texts become files of one directory: whole or not at all, and only where they differ."""

from __future__ import annotations

from pathlib import Path

import pytest

from ansible_collections.winbackup.storage.plugins.action.write_files import write_files

TEXTS = {"report.html": "<p>Größe 予備</p>\n", "a b.csv": ""}


def test_files_are_written_once(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "report"
    assert write_files(folder, TEXTS, only_look=False) == [str(folder / name) for name in TEXTS]
    assert {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()} == TEXTS
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o640}
    assert write_files(folder, TEXTS, only_look=False) == []
    assert write_files(folder, {**TEXTS, "a b.csv": "1"}, only_look=False) == [str(folder / "a b.csv")]


def test_a_look_writes_nothing(tmp_path: Path) -> None:
    assert len(write_files(tmp_path / "new", TEXTS, only_look=True)) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["", ".", "..", "../report.html", "/etc/passwd", "a\0b"])
def test_names_with_a_directory_are_refused_before_anything_is_written(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="no name of a file"):
        write_files(tmp_path, {"report.html": "", name: ""}, only_look=False)
    assert list(tmp_path.iterdir()) == []


def test_what_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "report.html").mkdir()
    with pytest.raises(IsADirectoryError):
        write_files(tmp_path, TEXTS, only_look=False)
    assert [file.name for file in tmp_path.iterdir()] == ["report.html"]
