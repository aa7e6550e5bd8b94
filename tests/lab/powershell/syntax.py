"""From the text of a script to a small tree: tree-sitter parses, and what its grammar gets wrong is mended here.

The mends, all of them forms that the engine reads without trouble: a statement right behind `param(...)`, clauses of
a switch on one
line, `continue label`, a number with an operator and no space (`6/3`, `1..4`), and parameters behind one with a
default.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from typing import Any

import tree_sitter
import tree_sitter_pwsh

from .values import Int64, LargeNumber, UnknownConstruct

_PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_pwsh.language()))
_NUMBER = re.compile(rb"(0x[0-9a-f]+|\d+(\.(?!\.)\d*)?(e[+-]?\d+)?)l?([kmgtp]b)?(?=\.\.|[*/%>])", re.I)
# Kinds that stand for their only child.
_TRANSPARENT = {
    "unary_expression",
    "pipeline",
    "pipeline_chain",
    "integer_literal",
    "string_literal",
    "argument_expression",
    "key_expression",
    "assignment_value",
    "while_condition",
    "switch_clause_condition",
    "expression_with_unary_operator",
    "redirected_file_name",
}
_DROPPED = {"comment", "empty_statement", ";"}
ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "0": "\0", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


class Node:
    """A node of the tree: its kind, its text, its children, and the line it begins on."""

    __slots__ = ("children", "kind", "line", "start", "stop", "text")

    def __init__(self, kind: str, text: str, children: list[Node], line: int, start: int = 0, stop: int = 0) -> None:
        self.kind = kind
        self.text = text
        self.children = children
        self.line = line
        self.start = start
        self.stop = stop

    def child(self, *kinds: str) -> Node | None:
        return next((node for node in self.children if node.kind in kinds), None)

    def named(self) -> list[Node]:
        """The children that are more than punctuation or a keyword."""
        return [node for node in self.children if node.kind[0].isalpha() and node.kind != node.text.lower()]

    def walk(self) -> Iterator[Node]:
        yield self
        for node in self.children:
            yield from node.walk()


@functools.lru_cache(maxsize=256)
def parse(script: str) -> Node:
    """The tree of a script; UnknownConstruct where neither the grammar nor a mend can read it."""
    source = script.encode("utf-8", "surrogatepass")
    for _ in range(40):
        tree = _PARSER.parse(source)
        mended = _mend(source, tree.root_node)
        if mended == source:
            break
        source = mended
    root = tree.root_node
    if root.has_error:
        bad = next((node for node in _walk(root) if node.is_error or node.is_missing), root)
        raise UnknownConstruct("syntax that the grammar does not read", bad.start_point.row + 1)
    return _convert(root)


def reads_without_mending(script: str) -> int:
    """The line of the first thing in a script that the grammar cannot read as it stands; 0 if there is none."""
    source = script.encode("utf-8", "surrogatepass")
    root = _PARSER.parse(source).root_node
    bad = next((node for node in _walk(root) if node.is_error or node.is_missing), None)
    if bad is not None:
        return int(bad.start_point.row) + 1
    mended = _mend(source, root)
    if mended == source:
        return 0
    return 1 + next(
        i for i, (old, new) in enumerate(zip(source.split(b"\n"), mended.split(b"\n"), strict=False)) if old != new
    )


def _walk(node: tree_sitter.Node) -> Iterator[tree_sitter.Node]:
    yield node
    for child in node.children:
        yield from _walk(child)


def _mend(source: bytes, root: tree_sitter.Node) -> bytes:
    """The source with one defect put right, or as it is."""
    for node in _walk(root):
        rest = source[node.end_byte :]
        if node.type == "param_block" and not re.match(rb"[ \t]*([;\r\n}#]|$)", rest):
            gap = b"\n" if re.match(rb"\s*(begin|process|end)\s*\{", rest, re.I) else b";"
            return source[: node.end_byte] + gap + rest
        if node.type == "command_name" and (number := _NUMBER.match(source, node.start_byte)):
            return source[: number.end()] + b" " + source[number.end() :]
        if not root.has_error:
            continue
        ancestors = (node.parent, node.parent.parent) if node.parent else ()
        in_switch = any(parent and parent.type in ("switch_clause", "switch_clauses") for parent in ancestors)
        if node.type == "statement_block" and in_switch and not re.match(rb"[ \t]*([;\r\n}]|$)", rest):
            return source[: node.end_byte] + b";" + rest
        if node.type in ("break", "continue") and (label := re.match(rb"[ \t]+(\w+)", rest)):
            return source[: node.end_byte] + b' "' + label[1] + b'"' + rest[label.end() :]
    return source


def _convert(node: tree_sitter.Node) -> Node:
    kids = [_convert(child) for child in node.children if child.type not in _DROPPED and not _separator(child)]
    if len(kids) == 1 and node.type in _TRANSPARENT:
        return kids[0]
    source = node.text or b""
    lead = len(source) - len(source.lstrip())  # some tokens of the grammar take the space before them along
    text = source[lead:].decode("utf-8", "surrogatepass")
    line = node.start_point.row + 1 + source[:lead].count(b"\n")
    kind = (
        node.type.replace("_argument_expression", "_expression")
        if node.type != "argument_expression_list"
        else node.type
    )
    result = Node(kind, text, kids, line, node.start_byte + lead, node.end_byte)
    if node.type == "parameter_list":
        result.children = [part for child in kids for part in _split_parameter(child)]
    return result


def _separator(node: tree_sitter.Node) -> bool:
    """Whether this is the space between arguments; the colon of `-Confirm:$false` is kept."""
    return node.type == "command_argument_sep" and b":" not in (node.text or b"")


def _split_parameter(node: Node) -> list[Node]:
    """The grammar reads `$a = 1, $b` as a default of two elements; the engine reads two parameters."""
    default = node.child("script_parameter_default")
    if default is None or default.children[-1].kind != "array_literal_expression":
        return [node]
    first, *rest = (item for item in default.children[-1].children if item.kind != ",")
    default.children[-1] = first
    result = [node]
    for item in rest:
        types: list[Node] = []
        while item.kind == "cast_expression":
            types.append(item.children[0])
            item = item.children[1]
        if item.kind != "variable":
            raise UnknownConstruct("a list as the default of a parameter", item.line)
        attributes = Node(
            "attribute_list", "", [Node("attribute", kind.text, [kind], kind.line) for kind in types], item.line
        )
        result.append(Node("script_parameter", item.text, [attributes, item] if types else [item], item.line))
    return result


def unescape(text: str) -> str:
    """The text of a double-quoted string without its escapes."""
    result, index = [], 0
    while index < len(text):
        character = text[index]
        if character == "`" and index + 1 < len(text):
            following = text[index + 1]
            if following in "ue":
                raise UnknownConstruct(f"the escape `{following}")
            result.append(ESCAPES.get(following, following))
            index += 2
        elif character in '"\u201c\u201d' and text[index + 1 : index + 2] == character:
            result.append('"')
            index += 2
        else:
            result.append(character)
            index += 1
    return "".join(result)


MULTIPLES = {"kb": 1, "mb": 2, "gb": 3, "tb": 4, "pb": 5}


def literal_number(text: str, line: int = 0) -> Any:
    """A number as it is written in a script."""
    match = re.fullmatch(r"(0x[0-9a-f]+|\d+|\d*\.\d+(?:e[+-]?\d+)?|\d+\.?(?:e[+-]?\d+)?)(l?)([kmgtp]b)?", text.lower())
    if not match:
        raise UnknownConstruct(f"the number {text}", line)
    digits, factor = match[1], 1024 ** MULTIPLES.get(match[3] or "", 0)
    if digits.startswith("0x"):
        value = int(digits, 16)
        bits = 32 if len(digits) <= 10 else 64
        if value >= 2 ** (bits - 1):
            value -= 2**bits
    elif digits.isdigit():
        value = int(digits)
    else:
        return float(digits) * factor
    value *= factor
    if not -(2**63) <= value < 2**63:
        return LargeNumber(digits) if not match[2] and not match[3] else _too_large(text, line)
    return Int64(value) if match[2] else value


def _too_large(text: str, line: int) -> Any:
    raise UnknownConstruct(f"the number {text}", line)
