"""Statements, pipelines, functions, scopes and errors."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

from .blocks import script_block
from .convert import to_text
from .errors import AUTOMATION, ErrorRecord, ScriptError, fail
from .expressions import Expressions
from .scope import Scope
from .signals import ReturnSignal, StopUpstream
from .stages import Stage, make_stage
from .statements import LONGEST_RUN, STATEMENTS
from .syntax import Node
from .typenames import ENUMS
from .values import (
    NOTHING,
    STRICT,
    ArrayList,
    EnumType,
    Hashtable,
    Output,
    PsObject,
    UnknownConstruct,
    enumerate_value,
)

if TYPE_CHECKING:
    from .blocks import ScriptBlock
    from .session import Session

PREFERENCE = EnumType(
    AUTOMATION + "ActionPreference",
    {"SilentlyContinue": 0, "Stop": 1, "Continue": 2, "Inquire": 3, "Ignore": 4, "Suspend": 5},
)
ENUMS[PREFERENCE.name.lower()] = PREFERENCE
# Automatic variables that exist in a real session and are not modelled.
NOT_MODELLED = [
    "host",
    "executioncontext",
    "shellid",
    "pshome",
    "home",
    "pwd",
    "pid",
    "profile",
    "psscriptroot",
    "pscommandpath",
    "myinvocation",
    "stacktrace",
    "nestedpromptlevel",
    "foreach",
    "switch",
    "this",
    "sender",
    "event",
    "eventargs",
    "eventsubscriber",
    "psculture",
    "psuiculture",
    "psedition",
    "islinux",
    "iswindows",
    "ismacos",
    "iscoreclr",
    "maximumhistorycount",
    "psdefaultparametervalues",
    "psemailserver",
    "outputencoding",
    "formatenumerationlimit",
    "lastexitcode",
    "psitem_",
]


class Interpreter(Expressions):
    def __init__(self, session: Session) -> None:
        self.session = session
        self.globals = Scope(None)
        self.scope = self.globals
        self.tries = 0  # how many try blocks are being run, in all functions
        self.succeeded: bool | None = True  # $?; None when a function wrote an error, where the rules are subtle
        self.depth = 0
        self.steps = 0
        self.errors = ArrayList()  # $Error, newest first
        preferences = {"erroraction": "Continue", "warning": "Continue", "progress": "Continue"}
        preferences |= dict.fromkeys(("verbose", "debug", "information"), "SilentlyContinue")
        self.globals.variables.update(
            {name + "preference": PREFERENCE.find(value) for name, value in preferences.items()}
        )
        impact = EnumType(AUTOMATION + "ConfirmImpact", {"None": 0, "Low": 1, "Medium": 2, "High": 3})
        self.globals.variables.update(
            {"confirmpreference": impact.find("High"), "whatifpreference": False, "ofs": None}
        )

    # Variables

    def variable(self, name: str, line: int = 0) -> Any:
        """The value of a variable, looked for through the scopes of the callers."""
        prefix, _, bare = name.rpartition(":")
        if prefix == "env":
            return self.session.environment.get(bare.upper())
        if prefix not in ("", "script", "global", "local", "variable"):
            raise UnknownConstruct(f"the variable ${name}", line)
        if bare in _CONSTANTS:
            return _CONSTANTS[bare]
        if bare == "?":
            if self.succeeded is None:
                raise UnknownConstruct("$? after a function that wrote an error", line)
            return self.succeeded
        if bare == "error":
            return self.errors
        bare = "_" if bare == "psitem" else bare
        scope: Scope | None = self.globals if prefix in ("script", "global") else self.scope
        while scope is not None:
            if bare in scope.variables:
                return scope.variables[bare]
            scope = None if prefix == "local" else scope.parent
        if bare in NOT_MODELLED:
            raise UnknownConstruct(f"the variable ${name}", line)
        if bare == "psversiontable":
            if STRICT.get():
                raise UnknownConstruct("the version of PowerShell", line)
            version = PsObject(
                [("Major", 5), ("Minor", 1), ("Build", 14393), ("Revision", 0)], ("System.Version", "System.Object")
            )
            return Hashtable([("PSVersion", version), ("PSEdition", "Desktop")])
        if self.strict and bare not in ("_", "args", "input", "matches"):
            shown = f"The variable '${name}' cannot be retrieved because it has not been set."
            raise fail("VariableIsUndefined", shown, "InvalidOperation", target=name)
        return None

    def set_variable(self, name: str, value: Any, type_name: str | None = None) -> None:
        prefix, _, bare = name.rpartition(":")
        if (
            prefix not in ("", "script", "global", "local")
            or bare in ("?", "error", "true", "false")
            or bare in NOT_MODELLED
        ):
            raise UnknownConstruct(f"an assignment to ${name}")
        if bare == "null":
            return
        scope = self.globals if prefix in ("script", "global") else self.scope
        if type_name:
            scope.types[bare] = type_name
        elif bare in scope.types:
            value = self.cast(value, scope.types[bare])
        scope.variables[bare] = value

    @property
    def strict(self) -> float:
        scope: Scope | None = self.scope
        while scope is not None:
            if scope.strict is not None:
                return scope.strict
            scope = scope.parent
        return 0

    def preference(self, name: str) -> str:
        value = to_text(self.variable(name)).lower()
        if value not in ("silentlycontinue", "stop", "continue", "ignore"):
            raise UnknownConstruct(f"${name} = {value}")
        return value

    def script_block(self, node: Node) -> ScriptBlock:
        return script_block(node)

    # Statements

    def run_list(self, nodes: list[Node], out: Output) -> None:
        """Statements one after the other; an error ends only its own, unless a try or the preference catches it."""
        pending = ""
        for node in nodes:
            if node.kind == "label":
                pending = node.text[1:].lower()
                continue
            try:
                self.run(node, out, pending)
            except ScriptError as error:
                error.record.line = error.record.line or node.line
                action = self.preference("erroractionpreference")
                if error.whole_script or self.tries or action == "stop":
                    if action in ("silentlycontinue", "ignore") and error.thrown and not self.tries:
                        raise UnknownConstruct("throw under the preference SilentlyContinue", node.line) from None
                    error.whole_script = error.whole_script or action == "stop"
                    raise
                self.report(error.record, action)
                self.succeeded = False
            pending = ""

    def run(self, node: Node, out: Output, label: str = "") -> None:
        """One statement; what it gives goes to `out` piece by piece."""
        self.steps += 1
        if self.steps > LONGEST_RUN:
            raise UnknownConstruct("a script that runs this long", node.line)
        statement = STATEMENTS.get(node.kind)
        if statement is not None:
            statement(self, node, out, label)
            return
        try:
            for item in enumerate_value(self.value(node)):
                out(item)
        except UnknownConstruct as unknown:
            unknown.line = unknown.line or node.line
            raise
        if node.kind != "variable":
            self.succeeded = True

    def collect(self, node: Node) -> list[Any]:
        items: list[Any] = []
        if node.kind not in STATEMENTS:
            raise UnknownConstruct(f"the construct {node.kind.replace('_', ' ')}", node.line)
        self.run(node, items.append)
        return items

    # Errors

    def report(self, record: ErrorRecord, action: str = "") -> None:
        """Put an error where errors go without ending anything."""
        action = action or self.preference("erroractionpreference")
        if action != "ignore":
            self.errors.insert(0, record)
        if action == "continue":
            self.session.error_stream.append(record)

    def parse_error(self, error_id: str, message: str) -> ScriptError:
        error = fail(error_id, message, "ParserError", AUTOMATION + "ParseException")
        error.whole_script = True
        return error

    # Calls

    def pipeline(self, nodes: list[Node], out: Output) -> None:
        """Stages joined by |; the first may be an expression."""
        self.depth += 1
        if self.depth > 150:
            raise UnknownConstruct("calls this deep", nodes[0].line)
        seen = len(self.errors)
        try:
            first = None if nodes[0].kind == "command" else nodes[0]
            source = self.value(first) if first else None
            stages = [
                make_stage(self, node, first is not None or index > 0)
                for index, node in enumerate(nodes[1 if first else 0 :])
            ]
            self.drive(stages, enumerate_value(source) if first else None, out)
        finally:
            self.depth -= 1
        own = any(stage.wrote_error for stage in stages)
        self.succeeded = not own if own or len(self.errors) == seen else None

    def drive(self, stages: list[Stage], source: Any, out: Output) -> None:
        """Push the source through the stages; `source` None means that the first stage makes its own output."""
        for stage, following in itertools.pairwise(stages):
            stage.out = following.process
        stages[-1].out = out
        begin = 0
        try:
            for stage in stages:
                stage.begin()
            for item in source if source is not None else ():
                stages[0].process(item)
        except StopUpstream as stop:
            begin = stages.index(stop.stage)
        while begin < len(stages):
            try:
                stages[begin].end()
                begin += 1
            except StopUpstream as stop:
                begin = stages.index(stop.stage)

    def invoke(self, block: ScriptBlock, out: Output, arguments: tuple[Any, ...] = (), item: Any = NOTHING) -> None:
        """Run a script block of ForEach-Object and its like: in the caller's scope, with $_ set."""
        outer = self.scope.variables.get("_", NOTHING)
        if item is not NOTHING:
            self.scope.variables["_"] = item
        try:
            if block.parameters or block.begin or block.process:
                raise UnknownConstruct("a script block with parameters or named blocks here", block.node.line)
            self.run_list(block.end, out)
        except ReturnSignal:
            pass
        finally:
            if outer is NOTHING:
                self.scope.variables.pop("_", None)
            else:
                self.scope.variables["_"] = outer

    def invoke_value(self, block: ScriptBlock, item: Any = NOTHING) -> list[Any]:
        items: list[Any] = []
        self.invoke(block, items.append, item=item)
        return items


_CONSTANTS: dict[str, Any] = {"null": None, "true": True, "false": False}
