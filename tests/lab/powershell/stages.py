"""The stages of a pipeline: arguments are evaluated and bound, and the command or function is run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .binding import Argument, Bound, Command, bind, convert_argument
from .blocks import ScriptBlock
from .convert import convert, resolve_type, to_text, truth
from .errors import ErrorRecord, ScriptError, TerminatingError, fail
from .syntax import Node
from .values import (
    AUTOMATION,
    NOTHING,
    Hashtable,
    PsObject,
    UnknownConstruct,
    Unsure,
    from_python,
)

if TYPE_CHECKING:
    from .interpreter import Interpreter

_PREFERENCES = {"ErrorAction": "erroractionpreference", "WarningAction": "warningpreference"}
_IMPACTS = {"none": 0, "low": 1, "medium": 2, "high": 3}


class StopUpstream(Exception):
    """A stage has all it wants (Select-Object -First): nothing before it is run any more."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage


class Stage:
    """One command of a pipeline; what its implementation gets."""

    def __init__(self, run: Interpreter, command: Command, bound: Bound, has_input: bool) -> None:
        self.run = run
        self.command = command
        self.bound = bound
        self.has_input = has_input
        self.out: Callable[[Any], None] = lambda _: None
        self._each: Callable[[Any], None] = self._bind_and_call
        self._last: Callable[[], None] = lambda: None if has_input else self._call()

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
        self.out(from_python(value))

    def write_error(self, error: TerminatingError | ErrorRecord | str, **details: Any) -> None:
        """An error that does not end the command, unless -ErrorAction or the preference says Stop."""
        if isinstance(error, str):
            error = TerminatingError(error, **details)
        record = error if isinstance(error, ErrorRecord) else error.record(self.command.type_name or self.command.name)
        action = self._action("ErrorAction")
        if action == "stop":
            stop = ScriptError(record, whole_script=True)
            stop.stopped = True
            raise stop
        self.run.report(record, action)

    def write_warning(self, message: str) -> None:
        if self._action("WarningAction") == "continue":
            self.run.session.warnings.append(message)

    def _action(self, name: str) -> str:
        action = to_text(self.bound.common.get(name)).lower() or self.run.preference(_PREFERENCES[name])
        if action not in ("continue", "silentlycontinue", "ignore", "stop") or (action == "stop" and name[0] == "W"):
            raise UnknownConstruct(f"-{name} {action}")
        return action

    def should_process(self) -> bool:
        """False under -WhatIf; without -Confirm:$false a command of high impact fails, since nobody can be asked."""
        if truth(self.bound.common.get("WhatIf")) or self.run.preference("whatifpreference") != "false":
            return False
        confirm = self.bound.common.get("Confirm")
        if confirm is None:
            threshold = _IMPACTS[self.run.preference("confirmpreference")]
            confirm = 0 < threshold <= _IMPACTS[self.command.confirm_impact.lower()]
        if truth(confirm):
            message = Unsure(
                "Windows PowerShell is in NonInteractive mode. Read and Prompt functionality is not available."
            )
            kind = AUTOMATION + "PSInvalidOperationException"
            raise TerminatingError(message, "InvalidOperation", "InvalidOperation", kind)
        return True

    # How the pipeline drives it

    def begin(self) -> None:
        if self.command.streaming:
            self._each, self._last = self._guard(lambda: self.command.implementation(self))

    def process(self, item: Any) -> None:
        self._guard(lambda: self._each(item))

    def end(self) -> None:
        self._guard(self._last)

    def _bind_and_call(self, item: Any) -> None:
        free = (one for one in self.command.parameters().values() if one.pipeline and one.name not in self.bound.values)
        parameter = next(free, None)
        if parameter is None:
            message = Unsure("The input object cannot be bound to any parameters for the command.")
            self.write_error(TerminatingError(message, "InputObjectNotBound", "InvalidArgument"))
            return
        value = convert_argument(self.command, parameter, Argument(None, item), self.run.session.commands.types)
        self.bound.values[parameter.name] = value
        try:
            self._call()
        finally:
            del self.bound.values[parameter.name]

    def _call(self) -> None:
        if self.command.supports_should_process and not self.should_process():
            return
        result = self.command.implementation(self)
        for value in () if result is None else result:
            self.write(value)

    def _guard(self, work: Callable[[], Any]) -> Any:
        """Run the command's own code: what it raises becomes an error of the script."""
        try:
            return work()
        except TerminatingError as error:
            raise ScriptError(error.record(self.command.type_name or self.command.name)) from None


class FunctionStage(Stage):
    """A function or a script block of the script itself, or the script."""

    def __init__(self, run: Interpreter, block: ScriptBlock, bound: Bound, whole_script: bool = False) -> None:
        super().__init__(run, block.command, bound, has_input=False)
        from .interpreter import Scope

        self.block = block
        self.own = run.scope if whole_script else Scope(run.scope)

    def begin(self) -> None:
        pass

    def end(self) -> None:
        from .interpreter import LoopSignal, ReturnSignal

        outer, self.run.scope = self.run.scope, self.own
        try:
            self._set_parameters()
            self.run.run_list(self.block.statements, self.out)
        except ReturnSignal:
            return
        except LoopSignal:
            raise UnknownConstruct("break or continue outside a loop") from None
        finally:
            self.run.scope = outer

    def _set_parameters(self) -> None:
        run, values = self.run, self.bound.values
        if self.bound.common:
            raise UnknownConstruct(f"-{next(iter(self.bound.common))} of a function", self.block.node.line)
        self.own.variables["psboundparameters"] = Hashtable(values.items())
        for parameter in self.command.parameters().values() if self.block.command.sets else ():
            if parameter.name not in {one.name for one in self.command.sets["__AllParameterSets"]}:
                continue
            kind = resolve_type(parameter.type, run.session.commands.types)
            default = self.block.defaults.get(parameter.name)
            if parameter.name in values:
                value = values[parameter.name]
            elif default is not None:
                value = convert(run.value(default), kind, run.session.commands.types)
            else:
                value = _without_value(kind)
            self.own.variables[parameter.name.lower()] = value
            if kind != "System.Object":
                self.own.types[parameter.name.lower()] = kind


def _without_value(kind: str) -> Any:
    """What a parameter without a value and a default holds: zero for numbers, an empty string, else $null."""
    if kind in ("System.String", "System.Boolean", "System.Int32", "System.Int64", "System.Double"):
        return convert(None, kind)
    if kind in ("System.DateTime", "System.Guid", "System.TimeSpan"):
        raise UnknownConstruct(f"a parameter of the type {kind} without a value")
    return None


def _call_arguments(run: Interpreter, nodes: list[Node]) -> list[Argument]:
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
            if not isinstance(value, Hashtable):
                raise UnknownConstruct("splatting of something that is no table", node.line)
            found += [Argument(to_text(key), item) for key, item in value.pairs()]
        elif attach:
            found[-1] = Argument(found[-1].name, _argument(run, node))
            attach = False
        else:
            literal = node.kind.endswith(("integer_literal", "real_literal"))
            found.append(Argument(None, _argument(run, node), text=node.text if literal else None))
    return found


def _argument(run: Interpreter, node: Node) -> Any:
    if node.kind == "generic_token":
        if not all(character.isalnum() or character in "_.*-" for character in node.text):
            raise UnknownConstruct(f"the bare argument {node.text}", node.line)
        return node.text
    if node.kind == "bareword_argument_list":
        return [_argument(run, child) for child in node.listed()]
    if node.kind in ("type_literal", "concatenated_command_argument", "argument_list", "redirection"):
        raise UnknownConstruct(f"the argument {node.text}", node.line)
    value = run.value(node)
    return None if value is NOTHING else value


def make_stage(run: Interpreter, node: Node, has_input: bool) -> Stage:
    """The stage that a command of a pipeline is, with its arguments evaluated and bound."""
    if node.kind != "command":
        raise UnknownConstruct("an expression behind |", node.line)
    operator, elements = node.child("command_invocation_operator"), node.child("command_elements")
    name = node.child("command_name", "command_name_expr")
    if name is None or (operator is not None and operator.text != "&"):
        raise UnknownConstruct("this command", node.line)
    target: Any = name.text
    if operator is not None:
        inner = name.children[0] if name.children else name
        if inner.kind == "path_command_name" and len(inner.children) == 1:
            inner = inner.children[0]
        target = run.value(inner)
        if not isinstance(target, ScriptBlock):
            raise UnknownConstruct("& with something that is no script block", node.line)
    else:
        target = find_command(run, target, node.line)
    arguments = _call_arguments(run, elements.children if elements else [])
    block = target if isinstance(target, ScriptBlock) else None
    if block and has_input:
        raise UnknownConstruct("input of a function", node.line)
    command = block.command if block else target
    bound = bind(command, arguments, has_input, run.session.commands.types)
    return FunctionStage(run, block, bound) if block else Stage(run, command, bound, has_input)


def find_command(run: Interpreter, name: str, line: int = 0, quiet: bool = False) -> Any:
    """A function of the script or a command; the error of PowerShell if there is none, None if `quiet`."""
    scope: Any = run.scope
    while scope is not None:
        if name.lower() in scope.functions:
            return scope.functions[name.lower()]
        scope = scope.parent
    found = run.session.commands.find(name) or run.session.builtins.find(name)
    if found is not None:
        return found
    if run.session.may_exist(name):
        raise UnknownConstruct(f"the command {name}", line)
    if quiet:
        return None
    message = (
        f"The term '{name}' is not recognized as a name of a cmdlet, function, script file, or executable program.\n"
        "Check the spelling of the name, or if a path was included, verify that the path is correct and try again."
    )
    error = fail("CommandNotFoundException", message, "ObjectNotFound", AUTOMATION + "CommandNotFoundException")
    error.record.exception.members["CommandName"] = error.record.target = name
    raise error


@dataclass(eq=False)
class CommandInfo:
    """What Get-Command tells about a command."""

    command: Command

    ps_type_names = (AUTOMATION + "CommandInfo", "System.Object")

    def ps_get(self, name: str) -> Any:
        if name.lower() == "name":
            return self.command.name
        if name.lower() == "parameters" and self.command.complete:
            return Hashtable((one.name, PsObject([("Name", one.name)])) for one in self.command.parameters().values())
        raise UnknownConstruct(f"the property {name} of the command {self.command.name}")
