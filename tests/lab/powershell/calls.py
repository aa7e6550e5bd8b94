"""Calls of commands and functions: arguments are evaluated and bound; the stages of a pipeline."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .binding import Argument, Command, bind, convert_argument
from .blocks import Scope, ScriptBlock
from .convert import convert, resolve_type, to_text, truth
from .errors import ScriptError, TerminatingError, fail
from .expressions import EVALUATORS
from .syntax import Node
from .unknown import UnknownConstruct, Unsure
from .values import AUTOMATION, NOTHING, Hashtable

if TYPE_CHECKING:
    from .interpreter import Interpreter

_PREFERENCES = {"ErrorAction": "erroractionpreference", "WarningAction": "warningpreference"}


class ReturnSignal(Exception):
    """The statement return."""


class LoopSignal(Exception):
    """The statement break or continue, which it names."""


class ExitSignal(Exception):
    """The statement exit, with its code."""


class StopUpstream(Exception):
    """A stage, named here, has all it wants (Select-Object -First): nothing before it is run any more."""


class Stage:
    """One command of a pipeline; what its implementation gets."""

    def __init__(self, run: Interpreter, command: Command, arguments: list[Argument], has_input: bool) -> None:
        self.run = run
        self.session = run.session
        self.command = command
        # `parameters` are the values of the bound parameters, by their names as they are declared.
        types = run.session.commands.types
        self.parameter_set, self.parameters, self.common = bind(command, arguments, has_input, types)
        self.out: Callable[[Any], None] = lambda _: None
        self._each: Callable[[Any], None] = self._bind_and_call
        self._last: Callable[[], None] = (lambda: None) if has_input else self._call

    def get(self, name: str, default: Any = None) -> Any:
        return self.parameters.get(name, default)

    def write_error(self, error: TerminatingError) -> None:
        """An error that does not end the command, unless -ErrorAction or the preference says Stop."""
        record = error.record(self.command.type_name or self.command.name)
        action = self._action("ErrorAction")
        if action == "stop":
            raise ScriptError(record, whole_script=True)
        if action == "continue":
            self.session.error_stream.append(record)

    def write_warning(self, message: str) -> None:
        if self._action("WarningAction") == "continue":
            self.session.warnings.append(message)

    def _action(self, name: str) -> str:
        action = to_text(self.common.get(name)).lower() or self.run.preference(_PREFERENCES[name])
        if action not in ("continue", "silentlycontinue", "ignore", "stop") or (action == "stop" and name[0] == "W"):
            raise UnknownConstruct(f"-{name} {action}")
        return action

    def should_process(self) -> bool:
        """False under -WhatIf; without -Confirm:$false a command of high impact fails, since nobody can be asked."""
        if truth(self.common.get("WhatIf")):
            return False
        if truth(self.common.get("Confirm", self.command.confirm_impact == "High")):
            message = Unsure("PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.")
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
        every = self.command.sets[self.parameter_set]
        parameter = next((one for one in every if one.pipeline and one.name not in self.parameters), None)
        if parameter is None:
            message = Unsure("The input object cannot be bound to any parameters for the command.")
            self.write_error(TerminatingError(message, "InputObjectNotBound", "InvalidArgument"))
            return
        value = convert_argument(self.command, parameter, Argument(None, item), self.session.commands.types)
        self.parameters[parameter.name] = value
        try:
            self._call()
        finally:
            del self.parameters[parameter.name]

    def _call(self) -> None:
        if self.command.supports_should_process and not self.should_process():
            return
        for value in self.command.implementation(self) or ():
            self.out(value)

    def _guard(self, work: Callable[[], Any]) -> Any:
        """Run the command's own code: what it raises becomes an error of the script."""
        try:
            return work()
        except TerminatingError as error:
            raise ScriptError(error.record(self.command.type_name or self.command.name)) from None


def function_stage(
    run: Interpreter, block: ScriptBlock, arguments: list[Argument], scope: Scope | None = None
) -> Stage:
    """The stage that a function, a script block or (with its scope) a whole script is."""

    def implementation(stage: Stage) -> None:
        outer, run.scope = run.scope, scope or Scope(run.scope)
        try:
            _set_parameters(run, block, stage)
            run.run_list(block.statements, stage.out)
        except ReturnSignal:
            return
        except LoopSignal:
            raise UnknownConstruct("break or continue outside a loop") from None
        finally:
            run.scope = outer

    command = Command(block.name, block.parameters, implementation, cmdlet=False, advanced=block.advanced)
    return Stage(run, command, arguments, has_input=False)


def _set_parameters(run: Interpreter, block: ScriptBlock, stage: Stage) -> None:
    if stage.common:
        raise UnknownConstruct(f"-{next(iter(stage.common))} of a function", block.node.line)
    scope, types = run.scope, run.session.commands.types
    for parameter in block.parameters:
        key, kind = parameter.name.lower(), resolve_type(parameter.type, types)
        if parameter.name in stage.parameters:
            scope.variables[key] = stage.parameters[parameter.name]
        elif kind in ("System.DateTime", "System.Guid", "System.TimeSpan"):
            raise UnknownConstruct(f"a parameter of the type {kind} without a value")
        else:  # zero for numbers, an empty string, else $null
            scope.variables[key] = convert(None, kind, types)
        scope.types[key] = kind


def make_stage(run: Interpreter, node: Node, has_input: bool) -> Stage:
    """The stage that a command of a pipeline is, with its arguments evaluated and bound."""
    operator, elements = node.child("command_invocation_operator"), node.child("command_elements")
    name = node.child("command_name", "command_name_expr")
    if name is None or node.kind != "command" or (operator is not None and operator.text != "&"):
        raise UnknownConstruct("an expression behind |, or this way to call", node.line)
    arguments = _arguments(run, elements.children if elements else [])
    if operator is None:
        target = find_command(run, name.text)
    else:
        inner = name.children[0] if name.children else name
        target = run.value(inner.children[0] if inner.kind == "path_command_name" else inner)
        if not isinstance(target, ScriptBlock):
            raise UnknownConstruct("& with something that is no script block", node.line)
    if not isinstance(target, ScriptBlock):
        return Stage(run, target, arguments, has_input)
    if has_input:
        raise UnknownConstruct("input of a function", node.line)
    return function_stage(run, target, arguments)


def _arguments(run: Interpreter, nodes: list[Node]) -> list[Argument]:
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
    if node.kind == "generic_token" and all(character.isalnum() or character in "_.*-" for character in node.text):
        return node.text
    if node.kind == "bareword_argument_list":
        return [_argument(run, child) for child in node.listed()]
    if node.kind in ("generic_token", "type_literal", "argument_list") or node.kind not in EVALUATORS:
        raise UnknownConstruct(f"the argument {node.text}", node.line)
    value = run.value(node)
    return None if value is NOTHING else value


def find_command(run: Interpreter, name: str) -> Any:
    """A function of the script or a command, or the error of PowerShell."""
    found = run.scope.function(name.lower()) or run.session.commands.find(name) or run.session.builtins.find(name)
    if found is not None:
        return found
    if run.session.may_exist(name):
        raise UnknownConstruct(f"the command {name}")
    message = (
        f"The term '{name}' is not recognized as a name of a cmdlet, function, script file, or executable program.\n"
        "Check the spelling of the name, or if a path was included, verify that the path is correct and try again."
    )
    error = fail("CommandNotFoundException", message, "ObjectNotFound", AUTOMATION + "CommandNotFoundException")
    error.record.target = name
    raise error
