# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The page of attacks names a test for each, and every test that it names is there."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "docsite" / "rst" / "attacks.rst"
_ROW = re.compile(r"^   \* - (.*)\n     - (.*)$", re.MULTILINE)
_TEST = re.compile(r"``(?:([\w/]+\.py)(?:::(test_\w+))?|(test_\w+))``")
_DEFINED = re.compile(r"^def (test_\w+)", re.MULTILINE)


def test_every_attack_has_a_test_and_every_test_of_the_page_is_there() -> None:
    files = {path: set(_DEFINED.findall(path.read_text())) for path in (ROOT / "tests").rglob("test_*.py")}
    everywhere = set().union(*files.values())
    rows = [(attack, cell) for attack, cell in _ROW.findall(PAGE.read_text()) if not cell.startswith("test")]
    assert len(rows) > 40
    for attack, cell in rows:
        named = _TEST.findall(cell)
        assert named or "the same" in cell, attack
        for file, test, alone in named:
            tests = [defined for path, defined in files.items() if f"/{path}".endswith(f"/{file}")] if file else []
            assert tests or not file, f"{attack}: {file}"
            assert not test or any(test in defined for defined in tests), f"{attack}: {file}::{test}"
            assert not alone or alone in everywhere, f"{attack}: {alone}"
