"""Every code that a user may meet stands in the table of docs/codes.md, and the table has no other."""

from __future__ import annotations

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
MADE_BY = {"Blocker", "Finding"}


def codes_in_source() -> set[str]:
    found = set()
    for path in (ROOT / "plugins" / "module_utils").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MADE_BY and node.args:
                code = node.args[0]
                if isinstance(code, ast.Constant) and isinstance(code.value, str):
                    found.add(code.value)
    return found


def codes_in_docs() -> set[str]:
    text = (ROOT / "docs" / "codes.md").read_text(encoding="utf-8")
    first_cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    return {code for cell in first_cells for code in re.findall(r"`([a-z0-9_]+)`", cell)}


def test_every_code_is_documented() -> None:
    codes = codes_in_source()
    assert len(codes) > 50
    assert codes - codes_in_docs() == set()


def test_the_table_has_no_code_that_nothing_says() -> None:
    assert codes_in_docs() - codes_in_source() == set()
