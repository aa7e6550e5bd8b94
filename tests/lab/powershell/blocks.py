"""Script blocks and functions as they are declared, and the scopes they run in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from .binding import Parameter
from .syntax import Node
from .unknown import UnknownConstruct
from .values import AUTOMATION


@dataclass(eq=False)
class ScriptBlock:
    """A block of statements with its parameters and their defaults, not yet run."""

    node: Node
    name: str
    parameters: list[Parameter]
    advanced: bool  # with [CmdletBinding()]
    statements: list[Node]

    ps_type_names = (AUTOMATION + "ScriptBlock", "System.Object")


def script_block(node: Node, name: str = "") -> ScriptBlock:
    """The block that a function, a `{ ... }`, or a whole script is."""
    block = ScriptBlock(node, name, [], False, [])
    for child in node.children:
        for part in child.children if child.kind == "script_block" else [child]:
            for body in part.children if part.kind == "script_block_body" else [part]:
                if body.kind in ("param_block", "function_parameter_declaration"):
                    _read_parameters(block, body)
                elif body.kind == "statement_list":
                    block.statements += body.children
                elif body.kind == "named_block_list":
                    raise UnknownConstruct("a block begin, process or end", body.line)
    return block


def _read_parameters(block: ScriptBlock, node: Node) -> None:
    for attribute in _attributes(node):
        if attribute.text.strip().lower() != "[cmdletbinding()]":
            raise UnknownConstruct(f"the attribute {attribute.text}", attribute.line)
        block.advanced = True
    listed = node.child("parameter_list")
    for position, item in enumerate(listed.listed() if listed else []):
        variable = item.child("variable")
        if variable is None:
            raise UnknownConstruct("this parameter", item.line)
        parameter = Parameter(variable.text[1:], position=position)
        for attribute in _attributes(item):
            if attribute.child("attribute_name"):
                raise UnknownConstruct(f"the attribute {attribute.text}", attribute.line)
            parameter = replace(parameter, type=attribute.text.strip()[1:-1])
        if item.child("script_parameter_default"):
            raise UnknownConstruct("the default of a parameter", item.line)
        block.parameters.append(parameter)


def _attributes(node: Node) -> list[Node]:
    listed = node.child("attribute_list")
    return listed.children if listed else []


class Scope:
    """Variables, their types, and functions of one level; `strict` is the version of strict mode, 0 for off."""

    def __init__(self, parent: Scope | None) -> None:
        self.parent = parent
        self.variables: dict[str, Any] = {}
        self.types: dict[str, str] = {}
        self.functions: dict[str, ScriptBlock] = {}
        self.strict: float = parent.strict if parent else 0

    def holder(self, name: str) -> Scope | None:
        """The nearest scope that has a variable, looked for through the callers."""
        if name in self.variables or self.parent is None:
            return self if name in self.variables else None
        return self.parent.holder(name)

    def function(self, name: str) -> ScriptBlock | None:
        return self.functions.get(name) or (self.parent.function(name) if self.parent else None)
