# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The evaluator stays as small as its page says (docs/docsite/rst/lab_powershell_subset.rst)."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "docsite" / "rst" / "lab_powershell_subset.rst"
# Of a line that has no other token nothing is counted.
NO_CODE = {
    *(tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER),
    tokenize.ENCODING,
}


def lines_of_code(source: str) -> int:
    """How many lines hold code: not those of comments and docstrings, and no blank ones."""
    held: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NO_CODE:
            held.update(range(token.start[0], token.end[0] + 1))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            docstring = node.body[0]
            held -= set(range(docstring.lineno, (docstring.end_lineno or 0) + 1))
    return len(held)


def test_the_evaluator_is_not_larger_than_its_page_says() -> None:
    said = re.search(r"([\d,]+) is the ceiling now", PAGE.read_text(encoding="utf-8"))
    assert said is not None
    files = sorted((ROOT / "tests" / "lab" / "powershell").glob("*.py"))
    assert files
    assert sum(lines_of_code(path.read_text(encoding="utf-8")) for path in files) <= int(said[1].replace(",", ""))
