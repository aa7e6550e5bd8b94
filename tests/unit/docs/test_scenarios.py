# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of scenarios names tests that exist, for every scenario that concerns the shell and for both ways."""

from __future__ import annotations

import re
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[3]
_TABLE = (_ROOT / "docs" / "docsite" / "rst" / "scenarios.rst").read_text(encoding="utf-8")
_CONCERN_THE_SHELL = {*range(1, 6), *range(7, 15), *range(17, 33), *range(34, 39), *range(41, 50)}
# Numbers, scenario, and the test of each way.
_ROWS = re.findall(r"^   \* - ([\d, ]+)\n     - .+\n     - (.+)\n     - (.+)$", _TABLE, re.MULTILINE)
_TEST = re.compile(r"``((?:convert|shell)/\w+\.py)::(\w+)``")
_OF_ONE_WAY = "(of the one way alone)"


def _text_of(file: str) -> str:
    return (_ROOT / "tests" / "scenarios" / file).read_text(encoding="utf-8")


def test_every_scenario_that_concerns_the_shell_has_a_row() -> None:
    assert {int(number) for numbers, _api, _ssh in _ROWS for number in numbers.split(",")} == _CONCERN_THE_SHELL


def test_every_row_names_a_test_of_each_way_that_exists() -> None:
    for numbers, over_api, over_ssh in _ROWS:
        for cell in (over_api, over_ssh):
            named = _TEST.fullmatch(cell)
            if cell != _OF_ONE_WAY or cell is over_ssh:
                assert named is not None, (numbers, cell)
                assert f"def {named[2]}(" in _text_of(named[1]), (numbers, cell)


def test_a_test_of_many_scenarios_has_each_that_is_said_to_be_in_it() -> None:
    """Its cases begin with their numbers."""
    for numbers, _api, over_ssh in _ROWS:
        file, name = _TEST.fullmatch(over_ssh).groups()  # type: ignore[union-attr]
        text = _text_of(file)
        if name in ("test_refused_as_over_the_api_and_nothing_is_written", "test_converted_where_it_is"):
            for number in numbers.split(","):
                assert f'"{int(number):02} ' in text, (number, over_ssh)
