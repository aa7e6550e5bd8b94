# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""docs/over-ssh.md names tests that exist, for every scenario that concerns the shell."""

from __future__ import annotations

import re
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
_TABLE = (_ROOT / "docs" / "over-ssh.md").read_text(encoding="utf-8")
_CONCERN_THE_SHELL = {*range(1, 6), *range(7, 15), *range(17, 33), *range(34, 39), 41, 42, *range(44, 50)}


def test_every_test_that_is_named_exists() -> None:
    named = re.findall(r"`((?:convert|shell)/\w+\.py)::(\w+)`", _TABLE)
    assert len(named) > 60
    for file, name in named:
        text = (_ROOT / "tests" / "scenarios" / file).read_text(encoding="utf-8")
        assert f"def {name}(" in text, f"{file}::{name}"


def test_every_scenario_that_concerns_the_shell_is_named() -> None:
    rows = re.findall(r"^\| ([\d, ]+) \|", _TABLE, re.MULTILINE)
    assert {int(number) for row in rows for number in row.split(",")} >= _CONCERN_THE_SHELL
