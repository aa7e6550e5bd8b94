"""Script blocks and functions as they are declared: parameters, attributes, named blocks."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .binding import Command, Parameter
from .convert import to_text, truth
from .errors import AUTOMATION
from .syntax import Node, literal_number, unescape
from .values import UnknownConstruct


@dataclass(eq=False)
class ScriptBlock:
    """A block of statements with its parameters, not yet run."""

    node: Node
    parameters: list[tuple[Parameter, Node | None, str | None]] = field(default_factory=list)
    begin: list[Node] = field(default_factory=list)
    process: list[Node] = field(default_factory=list)
    end: list[Node] = field(default_factory=list)
    settings: dict[str, Node | None] | None = None  # of [CmdletBinding()]; None without it
    name: str = ""
    declared: bool = False  # a [Parameter()] makes a function an advanced one
    command: Command | None = None

    ps_type_names = (AUTOMATION + "ScriptBlock", "System.Object")

    def ps_text(self) -> str:
        if self.node.kind == "program":
            return self.node.text
        return self.node.text[1:-1]


def script_block(node: Node) -> ScriptBlock:
    """The block that a function, a `{ ... }`, or a whole script is."""
    block = ScriptBlock(node)
    for child in node.children:
        if child.kind == "param_block" or child.kind == "function_parameter_declaration":
            _read_parameters(block, child)
        elif child.kind == "script_block":
            for part in child.children:
                if part.kind == "param_block":
                    _read_parameters(block, part)
                else:
                    _read_body(block, part)
        elif child.kind in ("statement_list", "script_block_body"):
            _read_body(block, child)
    return block


def _read_body(block: ScriptBlock, body: Node) -> None:
    for child in [body] if body.kind == "statement_list" else body.children:
        if child.kind == "statement_list":
            block.end = child.children
        elif child.kind == "named_block_list":
            for named in child.children:
                name, statements = named.children[0].text.lower(), named.children[1]
                if name not in ("begin", "process", "end"):
                    raise UnknownConstruct(f"the block {name}", named.line)
                setattr(block, name, [statements])
        else:
            raise UnknownConstruct(f"the construct {child.kind.replace('_', ' ')}", child.line)


def _attributes(node: Node | None) -> list[tuple[str, list[tuple[str | None, Node | None]], Node]]:
    """Each attribute as its name, its arguments (name or None, value), and its node; types have the name "" here."""
    found: list[tuple[str, list[tuple[str | None, Node | None]], Node]] = []
    for attribute in node.children if node else []:
        name = attribute.child("attribute_name")
        if name is None:
            found.append(("", [], attribute.children[0]))
            continue
        arguments: list[tuple[str | None, Node | None]] = []
        listed = attribute.child("attribute_arguments")
        for one in listed.children if listed else []:
            if one.kind == "attribute_argument" and one.children:
                if one.children[0].kind == "simple_name":
                    arguments.append((one.children[0].text.lower(), one.children[2] if len(one.children) > 2 else None))
                else:
                    values = (
                        one.children[0].children
                        if one.children[0].kind == "array_literal_expression"
                        else [one.children[0]]
                    )
                    arguments += [(None, value) for value in values if value.kind != ","]
        found.append((name.text.strip().lower(), arguments, attribute))
    return found


def _constant(node: Node | None) -> Any:
    """The value of an argument of an attribute, which must be a constant."""
    if node is None:
        return True

    if node.kind.endswith("integer_literal"):
        return literal_number(node.text)
    if node.kind == "variable" and node.text.lower() in ("$true", "$false"):
        return node.text.lower() == "$true"
    if node.kind == "verbatim_string_characters" or (
        node.kind == "expandable_string_literal" and not node.child("variable", "sub_expression")
    ):
        return unescape(node.text[1:-1]) if node.text[0] == '"' else node.text[1:-1].replace("''", "'")
    raise UnknownConstruct("this argument of an attribute", node.line)


def _read_parameters(block: ScriptBlock, node: Node) -> None:
    for name, arguments, attribute in _attributes(node.child("attribute_list")):
        if name != "cmdletbinding":
            raise UnknownConstruct(f"the attribute {attribute.text}", attribute.line)
        block.settings = {key: value for key, value in arguments if key}
    listed = node.child("parameter_list")
    for item in listed.children if listed else []:
        if item.kind == "script_parameter":
            block.parameters.append(_read_parameter(item))
            block.declared |= any(name == "parameter" for name, _, _ in _attributes(item.child("attribute_list")))
    if any(parameter.position is not None for parameter, _, _ in block.parameters):
        return
    place = 0
    for index, (parameter, default, set_name) in enumerate(block.parameters):
        if not parameter.switch:
            block.parameters[index] = (Parameter(**{**parameter.__dict__, "position": place}), default, set_name)
            place += 1


def _read_parameter(node: Node) -> tuple[Parameter, Node | None, str | None]:
    variable, default = node.child("variable"), node.child("script_parameter_default")
    values: dict[str, Any] = {"name": variable.text[1:] if variable else ""}
    set_names: list[str | None] = []
    validation = []
    for name, arguments, attribute in _attributes(node.child("attribute_list")):
        if name == "":
            values["type"] = attribute.text.strip()[1:-1]
            values["switch"] = values["type"].lower() in ("switch", "switchparameter")
        elif name == "parameter":
            given = {key: _constant(value) for key, value in arguments if key}
            unknown = given.keys() - {
                "mandatory",
                "position",
                "valuefrompipeline",
                "valuefrompipelinebypropertyname",
                "parametersetname",
                "helpmessage",
            }
            if unknown:
                raise UnknownConstruct(f"[Parameter({', '.join(unknown)})]", attribute.line)
            values |= {"mandatory": given.get("mandatory", False), "pipeline": given.get("valuefrompipeline", False)}
            values |= {
                "by_property": given.get("valuefrompipelinebypropertyname", False),
                "position": given.get("position"),
            }
            set_names.append(given.get("parametersetname"))
        elif name == "alias":
            values["aliases"] = tuple(_constant(value) for _, value in arguments)
        elif name in ("allownull", "allowemptystring", "allowemptycollection"):
            raise UnknownConstruct(f"the attribute {attribute.text}", attribute.line)
        elif name.startswith("validate"):
            proper = {"validateset": "ValidateSet", "validaterange": "ValidateRange",
                      "validatenotnull": "ValidateNotNull",
                      "validatenotnullorempty": "ValidateNotNullOrEmpty"}.get(name, name)  # fmt: skip
            validation.append((proper, tuple(_constant(value) for _, value in arguments)))
        else:
            raise UnknownConstruct(f"the attribute {attribute.text}", attribute.line)
    if len(set_names) > 1:
        raise UnknownConstruct("a parameter in several sets", node.line)
    parameter = Parameter(**values, validation=tuple(validation))
    return parameter, default.children[-1] if default else None, set_names[0] if set_names else None


def as_command(block: ScriptBlock) -> Command:
    """The command that a function is, made once."""
    if block.command is None:
        names = list(dict.fromkeys(name for _, _, name in block.parameters if name)) or ["__AllParameterSets"]
        sets = {name: [p for p, _, own in block.parameters if own in (None, name)] for name in names}
        settings = {key: _constant(value) for key, value in (block.settings or {}).items()}
        unknown = settings.keys() - {
            "supportsshouldprocess",
            "confirmimpact",
            "defaultparametersetname",
            "positionalbinding",
        }
        if unknown or settings.get("positionalbinding") is False:
            raise UnknownConstruct("[CmdletBinding()] with these arguments", block.node.line)
        block.command = Command(
            block.name, sets, lambda _: None,
            supports_should_process=truth(settings.get("supportsshouldprocess")),
            confirm_impact=to_text(settings.get("confirmimpact", "Medium")),
            default_set=to_text(settings.get("defaultparametersetname", "")),
            cmdlet=False, advanced=block.settings is not None or block.declared,
        )  # fmt: skip
    return block.command
