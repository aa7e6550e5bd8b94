"""Statements, pipelines, functions, scopes and errors."""

# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .convert import ENUMS, resolve_type, to_text, truth
from .errors import AUTOMATION, RUNTIME, DotNetException, ErrorRecord, ScriptError, exception_names, fail
from .expressions import EVALUATORS, Expressions, variable_name
from .functions import Stage, make_stage, script_block
from .operators import arithmetic, compare, like, regex
from .syntax import Node
from .values import (
    NOTHING,
    STRICT,
    ArrayList,
    EnumType,
    Hashtable,
    PsObject,
    UnknownConstruct,
    enumerate_value,
)

if TYPE_CHECKING:
    from .functions import ScriptBlock
    from .session import Session

Output = Callable[[Any], None]
PREFERENCE = EnumType(
    AUTOMATION + "ActionPreference",
    {"SilentlyContinue": 0, "Stop": 1, "Continue": 2, "Inquire": 3, "Ignore": 4, "Suspend": 5},
)
ENUMS[PREFERENCE.name.lower()] = PREFERENCE
LONGEST_RUN = 3_000_000  # statements
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


class ReturnSignal(Exception):
    pass


class LoopSignal(Exception):
    def __init__(self, label: str) -> None:
        super().__init__(label)
        self.label = label


class BreakSignal(LoopSignal):
    pass


class ContinueSignal(LoopSignal):
    pass


class ExitSignal(Exception):
    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


class Scope:
    """Variables and functions of one level; `strict` is the version of strict mode, 0 for off."""

    def __init__(self, parent: Scope | None) -> None:
        self.parent = parent
        self.variables: dict[str, Any] = {}
        self.types: dict[str, str] = {}
        self.functions: dict[str, Any] = {}
        self.strict: float | None = None if parent else 0


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
        preferences = {"erroractionpreference": "Continue", "warningpreference": "Continue", "progresspreference": "Continue",
                       "verbosepreference": "SilentlyContinue", "debugpreference": "SilentlyContinue",
                       "informationpreference": "SilentlyContinue"}  # fmt: skip
        self.globals.variables.update({name: PREFERENCE.find(value) for name, value in preferences.items()})
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
        """Statements one after the other; an error of a statement ends only that, unless a try or the preference catches it."""
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
        statement = _STATEMENTS.get(node.kind)
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
        if node.kind not in _STATEMENTS:
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
        for stage, following in zip(stages, stages[1:], strict=False):
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


class StopUpstream(Exception):
    """A stage has all it wants (Select-Object -First): nothing before it is run any more."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage


_CONSTANTS: dict[str, Any] = {"null": None, "true": True, "false": False}


def _block(run: Interpreter, node: Node, out: Output, label: str) -> None:
    for child in node.children:
        if child.kind == "statement_list":
            run.run_list(child.children, out)
        elif child.kind not in ("{", "}"):
            run.run_list([child], out)


def _pipeline_chain(run: Interpreter, node: Node, out: Output, label: str) -> None:
    stages = [child for child in node.children if child.kind not in ("|", "redirections")]
    if any(child.kind == "redirections" and child.text.replace(" ", "").lower() != ">$null" for child in node.children):
        raise UnknownConstruct("a redirection", node.line)
    if any(child.kind == "redirections" for child in node.children):
        out = _discard
    if len(stages) == 1:
        run.run(stages[0], out)
    else:
        run.pipeline(stages, out)


def _discard(_: Any) -> None:
    pass


def _command(run: Interpreter, node: Node, out: Output, label: str) -> None:
    run.pipeline([node], out)


def _silent(run: Interpreter, node: Node, out: Output, label: str) -> None:
    run.value(node)


def _assignment(run: Interpreter, node: Node, out: Output, label: str) -> None:
    target, operator, source = node.children
    name = operator.text
    if source.kind == "assignment_expression":
        _assignment(run, source, out, label)
        value = run.value(source.children[0].children[0])
    else:
        value = run.value(source)
    place = target.children[0]
    if name != "=":
        if name[0] not in "+-*/%" or place.kind not in ("variable", "member_access", "element_access"):
            raise UnknownConstruct(f"the operator {name}", node.line)
        value = arithmetic(name[0], run.value(place), value)
    run.assign(place, value)
    run.succeeded = True


def _if(run: Interpreter, node: Node, out: Output, label: str) -> None:
    others = node.child("elseif_clauses")
    clauses = [node, *(others.children if others else ())]
    for clause in clauses:
        condition = clause.children[2]
        if truth(run.value(condition)):
            body = clause.child("statement_block")
            if body:
                _block(run, body, out, label)
            return
    otherwise = node.child("else_clause")
    if otherwise:
        _block(run, otherwise.children[1], out, label)


def _loop_body(run: Interpreter, body: Node, out: Output, label: str) -> bool:
    """Run the body once; False when the loop is to end."""
    try:
        _block(run, body, out, label)
    except LoopSignal as signal:
        if signal.label and signal.label != label:
            raise
        return isinstance(signal, ContinueSignal)
    return True


def _foreach(run: Interpreter, node: Node, out: Output, label: str) -> None:
    inside = [child for child in node.children if child.kind not in ("foreach", "(", ")", "in")]
    if len(inside) != 3:
        raise UnknownConstruct("foreach with parameters", node.line)
    variable, source, body = inside
    value = run.value(source)
    for item in [] if value is None else list(enumerate_value(value)):
        run.set_variable(variable_name(variable), item)
        if not _loop_body(run, body, out, label):
            break


def _while(run: Interpreter, node: Node, out: Output, label: str) -> None:
    condition, body = node.children[2], node.children[4]
    while truth(run.value(condition)):
        run.steps += 1
        if not _loop_body(run, body, out, label) or run.steps > LONGEST_RUN:
            break


def _do(run: Interpreter, node: Node, out: Output, label: str) -> None:
    body, until = node.children[1], node.children[2].kind == "until"
    while _loop_body(run, body, out, label) and truth(run.value(node.children[4])) != until:
        run.steps += 1
        if run.steps > LONGEST_RUN:
            raise UnknownConstruct("a loop that runs this long", node.line)


def _for(run: Interpreter, node: Node, out: Output, label: str) -> None:
    start, condition, step = (node.child("for_" + name) for name in ("initializer", "condition", "iterator"))
    if start:
        run.run(start.children[0], _discard)
    while condition is None or truth(run.value(condition.children[0])):
        run.steps += 1
        if not _loop_body(run, node.children[-1], out, label) or run.steps > LONGEST_RUN:
            break
        if step:
            run.run(step.children[0], _discard)


def _switch(run: Interpreter, node: Node, out: Output, label: str) -> None:
    group = node.child("switch_parameters")
    options = {child.text.lower() for child in (group.children if group else ())}
    condition, body = node.child("switch_condition"), node.child("switch_body")
    clauses = body.children[1].children if body and len(body.children) == 3 else []
    if not options <= {"-regex", "-wildcard"} or len(options) > 1 or condition is None:
        raise UnknownConstruct(f"switch {' '.join(options)}", node.line)
    subject = run.value(condition.children[1])
    if subject is None or subject is NOTHING:
        raise UnknownConstruct("switch on $null", node.line)
    for item in enumerate_value(subject):
        outer, matched = run.scope.variables.get("_"), False
        try:
            for clause in clauses:
                test, block = clause.children[0], clause.children[1]
                default = test.kind == "switch_clause_condition" and test.text.strip().lower() == "default"
                if default and clause is not clauses[-1]:
                    raise UnknownConstruct("a default that is not the last clause", node.line)
                if matched if default else not _clause_matches(run, test, item, options):
                    continue
                matched = True
                run.scope.variables["_"] = item
                _block(run, block, out, label)
        except ContinueSignal as signal:
            if signal.label and signal.label != label:
                raise
        except BreakSignal as signal:
            if signal.label and signal.label != label:
                raise
            return
        finally:
            run.scope.variables["_"] = outer


def _clause_matches(run: Interpreter, test: Node, item: Any, options: set[str]) -> bool:
    if test.kind == "script_block_expression":
        return truth(run.value(test) and _truth_of(run, run.script_block(test), item))
    wanted = test.text if test.kind in ("generic_token", "simple_name", "switch_clause_condition") else run.value(test)
    if "-regex" in options:
        return regex(to_text(wanted)).search(to_text(item)) is not None
    if "-wildcard" in options:
        return like(to_text(item), to_text(wanted))
    if isinstance(item, list):
        raise UnknownConstruct("switch on a list within a list", test.line)
    return truth(compare("-eq", item, wanted))


def _truth_of(run: Interpreter, block: ScriptBlock, item: Any) -> Any:
    items = run.invoke_value(block, item)
    return items[0] if len(items) == 1 else items


def _flow(run: Interpreter, node: Node, out: Output, label: str) -> None:
    word = node.children[0].text.lower()
    operand = node.children[1] if len(node.children) > 1 else None
    if word == "return":
        if operand:
            run.run(operand, out)
        raise ReturnSignal
    if word in ("break", "continue"):
        name = (
            to_text(run.value(operand.children[0] if operand.kind == "label_expression" else operand)).lower()
            if operand
            else ""
        )
        raise (BreakSignal if word == "break" else ContinueSignal)(name)
    if word == "exit":
        if STRICT.get():
            raise UnknownConstruct("exit", node.line)
        raise ExitSignal(int(to_text(run.value(operand)) or 0) if operand else 0)
    if operand is None:
        current = run.variable("_")
        error = ScriptError(current, True) if isinstance(current, ErrorRecord) else None
        if error is None:
            raise UnknownConstruct("throw without a value", node.line)
    else:
        error = _thrown(run, run.value(operand))
    error.thrown = True
    error.record.line = error.record.line or node.line
    raise error


def _thrown(run: Interpreter, value: Any) -> ScriptError:
    if isinstance(value, ErrorRecord):
        return ScriptError(value, True)
    if isinstance(value, DotNetException):
        return ScriptError(ErrorRecord(value, value.message, "OperationStopped"), True)
    message = run.text(value)
    return ScriptError(ErrorRecord(DotNetException(RUNTIME, message), message, "OperationStopped", value), True)


def _try(run: Interpreter, node: Node, out: Output, label: str) -> None:
    clauses = node.child("catch_clauses")
    final = node.child("finally_clause")
    try:
        run.tries += 1 if clauses else 0
        depth, scope = run.depth, run.scope
        try:
            _block(run, node.children[1], out, label)
        except ScriptError as error:
            run.depth, run.scope = depth, scope
            handler = _handler(run, error, clauses.children if clauses else [])
            if handler is None:
                raise
            run.tries -= 1
            try:
                _catch(run, error, handler, out, label)
            finally:
                run.tries += 1
        finally:
            run.tries -= 1 if clauses else 0
    finally:
        if final:
            _block(run, final.children[1], out, label)


def _handler(run: Interpreter, error: ScriptError, clauses: list[Node]) -> Node | None:
    exception: DotNetException | None = error.record.exception
    chain = []
    while exception:
        chain.append([name.lower() for name in exception_names(exception.type_name)])
        exception = exception.inner
    for clause in clauses:
        listed = clause.child("catch_type_list")
        if listed is None:
            return clause
        types = [child for child in listed.children if child.kind == "type_literal"]
        wanted = [resolve_type(child.text[1:-1], dict.fromkeys(run.session.exception_types)) for child in types]
        # The engine looks at the inner exception of its own wrappers too.
        if any(name.lower() in names for name in wanted for names in chain):
            return clause
    return None


def _catch(run: Interpreter, error: ScriptError, clause: Node, out: Output, label: str) -> None:
    if run.errors[:1] != [error.record]:
        run.errors.insert(0, error.record)
    outer = run.scope.variables.get("_", NOTHING)
    run.scope.variables["_"] = error.record
    try:
        body = clause.child("statement_block")
        if body:
            _block(run, body, out, label)
    finally:
        if outer is NOTHING:
            run.scope.variables.pop("_", None)
        else:
            run.scope.variables["_"] = outer


def _function(run: Interpreter, node: Node, out: Output, label: str) -> None:
    block = script_block(node)
    block.name = node.children[1].text
    if node.children[0].text.lower() == "filter":
        block.process, block.end = block.end, []
    run.scope.functions[block.name.lower()] = block


_STATEMENTS: dict[str, Callable[[Interpreter, Node, Output, str], None]] = {
    "statement_list": _block,
    "statement_block": _block,
    "program": _block,
    "pipeline_chain": _pipeline_chain,
    "command": _command,
    "assignment_expression": _assignment,
    "post_increment_expression": _silent,
    "post_decrement_expression": _silent,
    "pre_increment_expression": _silent,
    "pre_decrement_expression": _silent,
    "if_statement": _if,
    "foreach_statement": _foreach,
    "while_statement": _while,
    "do_statement": _do,
    "for_statement": _for,
    "switch_statement": _switch,
    "flow_control_statement": _flow,
    "try_statement": _try,
    "function_statement": _function,
}

# What stands inside other constructs, and is run as a part of them.
_PARTS = set(
    [
        "argument_expression_list",
        "argument_list",
        "array_type_name",
        "assignment_operator",
        "attribute",
        "attribute_argument",
        "attribute_arguments",
        "attribute_list",
        "attribute_name",
        "bareword_argument_list",
        "block_name",
        "catch_clause",
        "catch_clauses",
        "catch_type_list",
        "command_argument_sep",
        "command_elements",
        "command_invocation_operator",
        "command_name",
        "command_name_expr",
        "command_parameter",
        "comparison_operator",
        "else_clause",
        "elseif_clause",
        "elseif_clauses",
        "finally_clause",
        "for_condition",
        "for_initializer",
        "for_iterator",
        "format_operator",
        "function_name",
        "function_parameter_declaration",
        "generic_token",
        "hash_entry",
        "hash_literal_body",
        "invocation_foreach_expression",
        "invocation_where_expression",
        "label",
        "label_expression",
        "left_assignment_expression",
        "member_name",
        "named_block",
        "named_block_list",
        "param_block",
        "parameter_list",
        "path_command_name",
        "program",
        "script_block",
        "script_block_body",
        "script_parameter",
        "script_parameter_default",
        "simple_name",
        "switch_body",
        "switch_clause",
        "switch_clauses",
        "switch_clause_condition",
        "switch_condition",
        "switch_parameter",
        "switch_parameters",
        "type_identifier",
        "type_name",
        "type_spec",
    ]
)


def known_construct(node: Node) -> bool:
    """Whether the evaluator knows this kind of construct."""
    keyword = not node.children and (not node.kind[0].isalpha() or node.kind == node.text.strip().lower())
    return keyword or node.kind in _STATEMENTS or node.kind in EVALUATORS or node.kind in _PARTS
