"""From the text of a script to a small tree, by tree-sitter.

Two things that the engine reads without trouble the grammar does not: a statement right behind `param(...)`, and a
number with an operator and no space (`6/3`, `1..4`). They are mended; scripts of the collection need no mending.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterator
from typing import Any

import tree_sitter
import tree_sitter_pwsh

from .unknown import UnknownConstruct
from .values import INTEGERS

_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_pwsh.language()))
_NUMBER = re.compile(rb"(\d+(\.(?!\.)\d*)?)([kmgtp]b)?(?=\.\.|[*/%])", re.I)
# Kinds that stand for their only child.
_TRANSPARENT_KINDS = (
    "argument_expression assignment_value expression_with_unary_operator integer_literal key_expression pipeline "
    "pipeline_chain string_literal unary_expression while_condition"
)
_TRANSPARENT = frozenset(_TRANSPARENT_KINDS.split())
_DROPPED = {"comment", "empty_statement", ";"}
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}
_MULTIPLES = {"kb": 1, "mb": 2, "gb": 3, "tb": 4, "pb": 5}


@dataclasses.dataclass(slots=True, eq=False)
class Node:
    """A node of the tree; `start` and `stop` are where its text stands, in bytes, and `line` where it begins."""

    kind: str
    text: str
    children: list[Node]
    line: int
    start: int
    stop: int

    def child(self, *kinds: str) -> Node | None:
        return next((node for node in self.children if node.kind in kinds), None)

    def listed(self) -> list[Node]:
        """The children without the commas between them."""
        return [node for node in self.children if node.kind != ","]


@functools.lru_cache(maxsize=256)
def parse(script: str) -> Node:
    """The tree of a script; UnknownConstruct where the grammar cannot read it."""
    root = _PARSER.parse(mended(script)).root_node
    if root.has_error:
        bad = next((node for node in _walk(root) if node.is_error or node.is_missing), root)
        raise UnknownConstruct("syntax that the grammar does not read", bad.start_point.row + 1)
    return _convert(root)


def mended(script: str) -> bytes:
    """The script as the grammar can read it."""
    source = script.encode("utf-8", "surrogatepass")
    while (better := _mend(source, _PARSER.parse(source).root_node)) != source:
        source = better
    return source


def _walk(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _mend(source: bytes, root: tree_sitter.Node) -> bytes:
    """The source with one thing put right, or as it is."""
    for node in _walk(root):
        rest = source[node.end_byte :]
        if node.type == "param_block" and not re.match(rb"[ \t]*([;\r\n}#]|$)", rest):
            return source[: node.end_byte] + b";" + rest
        if node.type == "command_name" and (number := _NUMBER.match(source, node.start_byte)):
            return source[: number.end()] + b" " + source[number.end() :]
    return source


def _convert(node: tree_sitter.Node) -> Node:
    kept = [child for child in node.children if child.type not in _DROPPED]
    # Of what stands between arguments only the colon of `-Confirm:$false` is kept.
    kids = [_convert(child) for child in kept if child.type != "command_argument_sep" or b":" in (child.text or b"")]
    if len(kids) == 1 and node.type in _TRANSPARENT:
        return kids[0]
    source = node.text or b""
    lead = len(source) - len(source.lstrip())  # some tokens of the grammar take the space before them along
    text = source[lead:].decode("utf-8", "surrogatepass")
    line = node.start_point.row + 1 + source[:lead].count(b"\n")
    kind = node.type
    if kind.endswith("_argument_expression"):  # an operator within the parentheses of a call is an operator
        kind = kind.removesuffix("_argument_expression") + "_expression"
    return Node(kind, text, kids, line, node.start_byte + lead, node.end_byte)


def unescape(text: str) -> str:
    """The text of a double-quoted string without its escapes."""

    def plain(match: re.Match[str]) -> str:
        escaped = match[1]
        if escaped is None:
            return '"'
        if escaped in "ue":
            raise UnknownConstruct(f"the escape `{escaped}")
        return _ESCAPES.get(escaped, escaped)

    return re.sub(r'`(.)|""', plain, text, flags=re.DOTALL)


def literal_number(text: str) -> Any:
    """A number as it is written in a script."""
    match = re.fullmatch(r"(\d+|\d*\.\d+)([kmgtp]b)?", text.lower())
    if not match:
        raise UnknownConstruct(f"the number {text}")
    factor = 1024 ** _MULTIPLES.get(match[2] or "", 0)
    if not match[1].isdigit():
        return float(match[1]) * factor
    value = int(match[1]) * factor
    if not -(2**63) <= value <= INTEGERS["System.Int64"][1]:
        raise UnknownConstruct(f"the number {text}")
    return value
