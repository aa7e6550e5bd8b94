"""Script blocks and functions as they are declared: parameters, attributes, statements."""

from __future__ import annotations

import dataclasses
from typing import Any

from .binding import Command, Parameter
from .syntax import Node, literal_number, unescape
from .values import AUTOMATION, UnknownConstruct


@dataclasses.dataclass(eq=False)
class ScriptBlock:
    """A block of statements with its parameters and their defaults, not yet run."""

    node: Node
    name: str
    command: Command
    defaults: dict[str, Node]
    statements: list[Node]

    ps_type_names = (AUTOMATION + "ScriptBlock", "System.Object")


def script_block(node: Node, name: str = "") -> ScriptBlock:
    """The block that a function, a `{ ... }`, or a whole script is."""
    parts = [part for child in node.children for part in (child.children if child.kind == "script_block" else [child])]
    declared = [part for part in parts if part.kind in ("param_block", "function_parameter_declaration")]
    listed = [part.child("parameter_list") for part in declared]
    given = [_parameter(item) for one in listed if one for item in one.children if item.kind == "script_parameter"]
    attributes = [one for part in declared for one in _attributes(part)]
    if any(kind != "cmdletbinding" or arguments for kind, arguments, _ in attributes):
        raise UnknownConstruct("an attribute other than [CmdletBinding()]", node.line)
    parameters = [parameter for parameter, _, _ in given]
    if not any(parameter.position is not None for parameter in parameters):
        parameters = [dataclasses.replace(one, position=place) for place, one in enumerate(parameters)]
    advanced = bool(attributes) or any(is_declared for _, _, is_declared in given)
    command = Command(name, parameters, lambda _: None, cmdlet=False, advanced=advanced)
    defaults = {parameter.name: default for parameter, default, _ in given if default}
    return ScriptBlock(node, name, command, defaults, _statements(parts))


def _statements(parts: list[Node]) -> list[Node]:
    found: list[Node] = []
    for part in parts:
        for body in part.children if part.kind == "script_block_body" else [part]:
            if body.kind == "statement_list":
                found += body.children
            elif body.kind == "named_block_list":
                raise UnknownConstruct("a block begin, process or end", body.line)
    return found


def _attributes(node: Node) -> list[tuple[str, list[tuple[str, Any]], Node]]:
    """Each attribute as its name in lower case ("" for a type), its arguments (name or "", value), and its node."""
    found: list[tuple[str, list[tuple[str, Any]], Node]] = []
    listed = node.child("attribute_list")
    for attribute in listed.children if listed else []:
        name = attribute.child("attribute_name")
        arguments: list[tuple[str, Any]] = []
        given = attribute.child("attribute_arguments")
        for one in given.children if given else []:
            if one.kind == "attribute_argument" and one.children[0].kind == "simple_name":
                value = _constant(one.children[2]) if len(one.children) > 2 else True
                arguments.append((one.children[0].text.lower(), value))
            elif one.kind == "attribute_argument":
                first = one.children[0]
                values = first.listed() if first.kind == "array_literal_expression" else [first]
                arguments += [("", _constant(value)) for value in values]
        found.append((name.text.strip().lower() if name else "", arguments, attribute))
    return found


def _constant(node: Node) -> Any:
    """The value of an argument of an attribute, which must be a constant."""
    if node.kind.endswith("integer_literal"):
        return literal_number(node.text)
    if node.kind == "variable" and node.text.lower() in ("$true", "$false"):
        return node.text.lower() == "$true"
    if node.kind == "verbatim_string_characters":
        return node.text[1:-1].replace("''", "'")
    if node.kind == "expandable_string_literal" and not node.child("variable", "sub_expression"):
        return unescape(node.text[1:-1])
    raise UnknownConstruct("this argument of an attribute", node.line)


def _parameter(node: Node) -> tuple[Parameter, Node | None, bool]:
    """A parameter, its default, and whether it carries [Parameter()]."""
    variable, default = node.child("variable"), node.child("script_parameter_default")
    if variable is None:
        raise UnknownConstruct("this parameter", node.line)
    parameter, declared = Parameter(variable.text[1:]), False
    for kind, arguments, attribute in _attributes(node):
        if kind == "":
            type_name = attribute.text.strip()[1:-1]
            parameter = dataclasses.replace(parameter, type=type_name)
        elif kind == "parameter" and {key for key, _ in arguments} <= {"mandatory", "position"} and not declared:
            parameter, declared = dataclasses.replace(parameter, **dict(arguments)), True
        elif kind in ("validateset", "validatenotnullorempty"):
            limits = (kind, tuple(value for _, value in arguments))
            parameter = dataclasses.replace(parameter, validation=(*parameter.validation, limits))
        else:
            raise UnknownConstruct(f"the attribute {attribute.text}", attribute.line)
    value = default.children[-1] if default else None
    if value is not None and value.kind == "array_literal_expression":
        # The grammar reads `$a = 1, $b` as a default of two elements, the engine as two parameters.
        raise UnknownConstruct("a default in front of another parameter", node.line)
    return parameter, value, declared
