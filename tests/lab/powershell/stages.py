"""Script blocks, functions, and the stages of a pipeline: arguments are evaluated, bound, and the command is run."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .binding import Argument, Bound, Command, bind, convert_argument
from .blocks import ScriptBlock, as_command
from .convert import to_text, truth
from .errors import AUTOMATION, ErrorRecord, ScriptError, TerminatingError, fail
from .members import get_member
from .properties import has_member
from .scope import Scope
from .signals import ReturnSignal
from .syntax import Node
from .typenames import resolve_type
from .values import (
    NOTHING,
    ArrayList,
    EnumType,
    Hashtable,
    PsObject,
    Switch,
    UnknownConstruct,
    Unsure,
    from_python,
    is_null,
)

if TYPE_CHECKING:
    from .interpreter import Interpreter

IMPACTS = {"none": 0, "low": 1, "medium": 2, "high": 3}


class Stage:
    """One command of a pipeline."""

    def __init__(self, run: Interpreter, command: Command, bound: Bound, has_input: bool) -> None:
        self.run = run
        self.command = command
        self.bound = bound
        self.has_input = has_input
        self.out: Callable[[Any], None] = lambda _: None
        self.wrote_error = False
        self.process_one: Callable[[Any], None] | None = None
        self.at_end: Callable[[], None] | None = None
        self.collected: list[Any] = []

    # What the implementation of a command may use

    @property
    def parameters(self) -> dict[str, Any]:
        """The values of the bound parameters, by their names as they are declared."""
        return self.bound.values

    @property
    def parameter_set(self) -> str:
        return self.bound.set_name

    @property
    def session(self) -> Any:
        return self.run.session

    @property
    def clock(self) -> Any:
        return self.run.session.clock

    def get(self, name: str, default: Any = None) -> Any:
        return self.bound.values.get(name, default)

    def write(self, value: Any) -> None:
        """Put one object into the pipeline, without taking it apart."""
        value = from_python(value)
        variable = self.bound.common.get("OutVariable")
        if variable is not None:
            self._append(to_text(variable), value)
        self.out(value)

    def _append(self, name: str, value: Any) -> None:
        held = self.run.variable(name)
        if not isinstance(held, ArrayList):
            held = ArrayList()
            self.run.set_variable(name, held)
        held.append(value)

    def write_error(self, error: TerminatingError | ErrorRecord | str, **details: Any) -> None:
        """An error that does not end the command, unless -ErrorAction or the preference says Stop."""
        if isinstance(error, str):
            error = TerminatingError(error, **details)
        record = error if isinstance(error, ErrorRecord) else error.record(self.command.type_name or self.command.name)
        self.wrote_error = True
        if "ErrorVariable" in self.bound.common:
            self._append(to_text(self.bound.common["ErrorVariable"]).lower(), record)
        action = to_text(self.bound.common.get("ErrorAction", "")).lower() or self.run.preference(
            "erroractionpreference"
        )
        if action == "stop":
            stop = ScriptError(record, True)
            stop.stopped = True
            raise stop
        if action not in ("continue", "silentlycontinue", "ignore"):
            raise UnknownConstruct(f"-ErrorAction {action}")
        self.run.report(record, action)

    def write_warning(self, message: str) -> None:
        action = to_text(self.bound.common.get("WarningAction", "")).lower() or self.run.preference("warningpreference")
        if action == "continue":
            self.run.session.warnings.append(message)

    def should_process(self, target: str = "") -> bool:
        """False under -WhatIf; without -Confirm:$false a command of high impact fails, since nobody can be asked."""
        if truth(self.bound.common.get("WhatIf", self.run.variable("whatifpreference"))):
            return False
        confirm = self.bound.common.get("Confirm")
        if confirm is None:
            threshold = IMPACTS.get(to_text(self.run.variable("confirmpreference")).lower(), 3)
            confirm = 0 < threshold <= IMPACTS[self.command.confirm_impact.lower()]
        if truth(confirm):
            message = "Windows PowerShell is in NonInteractive mode. Read and Prompt functionality is not available."
            raise TerminatingError(
                Unsure(message), "InvalidOperation", "InvalidOperation", AUTOMATION + "PSInvalidOperationException"
            )
        return True

    # How the pipeline drives it

    def begin(self) -> None:
        if "ErrorVariable" in self.bound.common:
            self.run.set_variable(to_text(self.bound.common["ErrorVariable"]).lower().lstrip("+"), ArrayList())
        if self.command.streaming:
            self.process_one, self.at_end = self._guard(lambda: self.command.implementation(self))

    def process(self, item: Any) -> None:
        if self.process_one:
            self._guard(lambda: self.process_one(item) if self.process_one else None)
            return
        parameter = next(
            (p for p in self.command.parameters().values() if p.pipeline and p.name not in self.bound.values), None
        )
        if parameter is None:
            self.collected.append(item)
            message = Unsure("The input object cannot be bound to any parameters for the command.")
            self.write_error(TerminatingError(message, "InputObjectNotBound", "InvalidArgument"))
            return
        value = convert_argument(self.command, parameter, Argument(None, item), self.run.session.commands.types)
        self.bound.values[parameter.name] = value
        try:
            self._call()
        finally:
            del self.bound.values[parameter.name]

    def end(self) -> None:
        if self.at_end:
            self._guard(self.at_end)
        elif not self.command.streaming and not self.has_input:
            self._call()

    def _call(self) -> None:
        if self.command.supports_should_process and not self._guard(self.should_process):
            return
        result = self._guard(lambda: self.command.implementation(self))
        if result is not None:
            produced = (
                iter(result) if hasattr(result, "__next__") or isinstance(result, (list, tuple)) else iter([result])
            )
            while (value := self._guard(lambda: next(produced, NOTHING))) is not NOTHING:
                self.write(value)

    def _guard(self, work: Callable[[], Any]) -> Any:
        """Run the command's own code: what it raises becomes an error of the script."""
        try:
            return work()
        except TerminatingError as error:
            record = error.record(self.command.type_name or self.command.name)
            if "ErrorVariable" in self.bound.common:
                self._append(to_text(self.bound.common["ErrorVariable"]).lower(), record)
            raise ScriptError(record) from None


class FunctionStage(Stage):
    """A function or a script block of the script itself."""

    def __init__(self, run: Interpreter, block: ScriptBlock, bound: Bound, has_input: bool, new_scope: bool) -> None:
        super().__init__(run, as_command(block), bound, has_input)

        self.block = block
        self.new_scope = new_scope
        self.own = Scope(run.scope) if new_scope else run.scope

    def begin(self) -> None:
        self._inside(self._prepare)
        self._inside(lambda: self._statements(self.block.begin))

    def _prepare(self) -> None:
        run, values = self.run, self.bound.values
        if self.new_scope or self.block.parameters:
            self.own.variables["args"] = self.bound.rest
        if self.block.parameters or self.block.settings is not None:
            self.own.variables["psboundparameters"] = Hashtable(list(values.items()))
        if self.command.advanced:
            cmdlet = [("ParameterSetName", self.bound.set_name), ("__stage", self)]
            self.own.variables["pscmdlet"] = PsObject(cmdlet, (AUTOMATION + "PSScriptCmdlet", "System.Object"))
            for common, preference in (
                ("ErrorAction", "erroractionpreference"),
                ("WhatIf", "whatifpreference"),
                ("WarningAction", "warningpreference"),
            ):
                if common in self.bound.common:
                    self.own.variables[preference] = self.bound.common[common]
            if {"Verbose", "Debug", "OutVariable", "PipelineVariable"} & self.bound.common.keys():
                raise UnknownConstruct("this common parameter of a function", self.block.node.line)
        for parameter, default, _ in self.block.parameters:
            key = parameter.name.lower()
            if parameter.name in values:
                value = values[parameter.name]
            elif default is not None:
                value = run.value(default)
                if parameter.type != "Object":
                    value = run.cast(value, resolve_type(parameter.type, run.session.commands.types))
            else:
                value = Switch(False) if parameter.switch else _default(parameter.type, run)
            self.own.variables[key] = value
            if parameter.type != "Object":
                self.own.types[key] = resolve_type(parameter.type, run.session.commands.types)

    def process(self, item: Any) -> None:
        self.collected.append(item)
        if self.block.process:
            self._inside(lambda: self._one(item))
        elif self.command.takes_input():
            self._inside(lambda: self._bind_item(item))

    def _one(self, item: Any) -> None:
        self.own.variables["_"] = item
        self._bind_item(item)
        self._statements(self.block.process)

    def _bind_item(self, item: Any) -> None:
        for parameter in self.command.parameters().values():
            value = NOTHING
            if parameter.pipeline and parameter.name not in self.bound.values:
                value = item
            elif parameter.by_property and parameter.name not in self.bound.values and has_member(item, parameter.name):
                value = get_member(self.run, item, parameter.name)
            if value is not NOTHING:
                argument = Argument(None, value)
                converted = convert_argument(self.command, parameter, argument, self.run.session.commands.types)
                self.own.variables[parameter.name.lower()] = converted

    def end(self) -> None:
        if self.block.process and not self.has_input:
            self._inside(lambda: self._statements(self.block.process))
        if not self.block.process:
            self.own.variables["input"] = self.collected
        self._inside(lambda: self._statements(self.block.end))

    def _statements(self, nodes: list[Node]) -> None:

        with contextlib.suppress(ReturnSignal):
            self.run.run_list(nodes, self.out)

    def _inside(self, work: Callable[[], Any]) -> None:
        outer, self.run.scope = self.run.scope, self.own
        try:
            work()
        finally:
            self.run.scope = outer


def _default(type_text: str, run: Interpreter) -> Any:
    """What a parameter without a value and a default holds: zero for numbers, an empty string, else $null."""
    name = resolve_type(type_text, run.session.commands.types)
    if name == "System.String":
        return ""
    if (
        name == "System.Boolean"
        or (name.startswith(("System.Int", "System.UInt")) and not name.endswith("[]"))
        or name == "System.Double"
    ):
        return run.cast(None, name)
    if name in ("System.DateTime", "System.Guid", "System.TimeSpan", "System.Char"):
        raise UnknownConstruct(f"a parameter of the type {name} without a value")
    return None


def call_arguments(run: Interpreter, nodes: list[Node]) -> list[Argument]:
    """The arguments of a command, evaluated from left to right; splatted tables are spread out."""
    found: list[Argument] = []
    attach = False
    for node in nodes:
        if node.kind == "command_parameter":
            found.append(Argument(node.text[1:].rstrip(":"), given=False))
            attach = node.text.endswith(":")
        elif node.kind == "command_argument_sep":
            attach = True
        elif node.kind == "variable" and node.text.startswith("@"):
            value = run.variable(node.text[1:].lower(), node.line)
            if isinstance(value, Hashtable):
                found += [Argument(to_text(key), item, attached=True) for key, item in value.pairs()]
            elif isinstance(value, list):
                found += [Argument(None, item) for item in value]
            else:
                found += [] if is_null(value) else [Argument(None, value)]
        elif attach:
            found[-1] = Argument(found[-1].name, _argument(run, node), attached=True)
            attach = False
        else:
            literal = node.kind.endswith(("integer_literal", "real_literal"))
            found.append(Argument(None, _argument(run, node), text=node.text if literal else None))
    return found


def _argument(run: Interpreter, node: Node) -> Any:
    if node.kind == "generic_token":
        if any(character in node.text for character in "`\"'$(){}<>|&;@"):
            raise UnknownConstruct(f"the bare argument {node.text}", node.line)
        return node.text
    if node.kind == "bareword_argument_list":
        return [_argument(run, child) for child in node.children if child.kind != ","]
    if node.kind == "concatenated_command_argument":
        raise UnknownConstruct("an argument of several parts", node.line)
    if node.kind == "type_literal":
        return node.text
    value = run.value(node)
    return None if value is NOTHING else value


def make_stage(run: Interpreter, node: Node, has_input: bool) -> Stage:
    """The stage that a command of a pipeline is, with its arguments evaluated and bound."""
    if node.kind != "command":
        raise UnknownConstruct("an expression behind |", node.line)
    operator, name_node, elements = (
        node.child("command_invocation_operator"),
        node.child("command_name", "command_name_expr"),
        node.child("command_elements"),
    )
    parts = elements.children if elements else []
    if name_node is None or any(part.kind == "redirection" for part in parts):
        raise UnknownConstruct("a redirection", node.line)
    if operator is None:
        target: Any = name_node.text
    else:
        inner = name_node.children[0] if name_node.children else name_node
        if inner.kind == "path_command_name" and len(inner.children) == 1:
            inner = inner.children[0]
        if inner.kind == "path_command_name":
            raise UnknownConstruct("this command behind &", node.line)
        target = run.value(inner)
    new_scope = operator is None or operator.text != "."
    if isinstance(target, CommandInfo):
        target = target.block or target.command
    elif not isinstance(target, ScriptBlock):
        if not isinstance(target, str) or (operator is not None and operator.text == "."):
            raise UnknownConstruct("a call of this value", node.line)
        target = find_command(run, target, node.line)
    arguments = call_arguments(run, parts)
    types = run.session.commands.types
    if isinstance(target, ScriptBlock):
        command = as_command(target)
        bound = bind(command, arguments, has_input, types)
        return FunctionStage(run, target, bound, has_input, new_scope)
    return Stage(run, target, bind(target, arguments, has_input, types), has_input)


def find_command(run: Interpreter, name: str, line: int = 0, quiet: bool = False) -> Any:
    """A function of the script or a command; the error of PowerShell if there is none, None if `quiet`."""
    scope: Any = run.scope
    while scope is not None:
        if name.lower() in scope.functions:
            return scope.functions[name.lower()]
        scope = scope.parent
    found = run.session.commands.find(name) or run.session.builtins.find(name)
    if found is not None or quiet:
        return found
    if run.session.may_exist(name):
        raise UnknownConstruct(f"the command {name}", line)
    message = (
        f"The term '{name}' is not recognized as a name of a cmdlet, function, script file, or executable program.\n"
        "Check the spelling of the name, or if a path was included, verify that the path is correct and try again."
    )
    error = fail(
        "CommandNotFoundException", message, "ObjectNotFound", AUTOMATION + "CommandNotFoundException", target=name
    )
    error.record.exception.members["CommandName"] = name
    raise error


@dataclass(eq=False)
class CommandInfo:
    """What Get-Command tells about a command."""

    command: Command
    block: ScriptBlock | None = None

    ps_type_names = (AUTOMATION + "CommandInfo", "System.Object")

    def ps_get(self, name: str) -> Any:
        name = name.lower()
        if name == "name":
            return self.command.name
        if name == "commandtype":
            kinds = EnumType(AUTOMATION + "CommandTypes", {"Alias": 1, "Function": 2, "Cmdlet": 8})
            return kinds.find("Function" if self.block else "Cmdlet")
        if name == "parameters":
            if not self.command.complete:
                raise UnknownConstruct(f"all parameters of {self.command.name}")
            return Hashtable((one.name, PsObject([("Name", one.name)])) for one in self.command.parameters().values())
        raise UnknownConstruct(f"the property {name} of a command")
