"""Every code that a user may meet stands in a table of the page of codes, and the tables have no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# Where a code is the first argument, or the argument of that name.
MADE_BY = {"blocker", "Finding", "refused", "give_up", "_give_up"}
# Codes that have a name of their own, and the file that gives it; a name that nothing says does not count.
CODE_ENUMS = {"BlockerCode", "FindingCode", "MappableReason"}
ENUM_FILES = {"codes.py"}


def nodes() -> Iterator[ast.AST]:
    for path in (ROOT / "plugins" / "module_utils").rglob("*.py"):
        if path.name not in ENUM_FILES:
            yield from ast.walk(ast.parse(path.read_text(encoding="utf-8")))


def said(node: ast.AST) -> str | None:
    """Returns the text that an expression is: a constant, or a code by its name."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in CODE_ENUMS:
        return node.attr.lower()
    return None


def codes_that_are_made() -> set[str]:
    found = set()
    for node in nodes():
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = [keyword.value for keyword in node.keywords if keyword.arg == "reason"]
        if name in MADE_BY:
            given += node.args[:1]
        texts = {said(value) for value in given}
        found |= {text for text in texts if text is not None and re.fullmatch(r"[a-z0-9_]+", text)}
    return found


def every_text() -> set[str]:
    return {text for text in map(said, nodes()) if text is not None}


def codes_in_docs() -> set[str]:
    text = (ROOT / "docs" / "docsite" / "rst" / "codes.rst").read_text(encoding="utf-8")
    first_cells = re.findall(r"^   \* - (``.*)$", text, re.MULTILINE)
    return {code for cell in first_cells for code in re.findall(r"``([a-z0-9_]+)``", cell)}


def test_every_code_is_documented() -> None:
    codes = codes_that_are_made()
    assert len(codes) > 70
    assert codes - codes_in_docs() == set()


def test_the_tables_have_no_code_that_nothing_says() -> None:
    assert codes_in_docs() - every_text() == set()
