"""Statements, pipelines, scopes and errors."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import members
from .binding import SURELY_MISSING
from .blocks import ScriptBlock, script_block
from .convert import convert, resolve_type, to_number, to_text, truth
from .errors import RUNTIME, DotNetException, ErrorRecord, ScriptError, exception_names, fail
from .expressions import EVALUATORS, type_name, variable_name
from .operators import arithmetic
from .stages import Stage, StopUpstream, make_stage
from .syntax import Node, parse
from .values import NOTHING, STRICT, Output, UnknownConstruct, enumerate_value, from_items

if TYPE_CHECKING:
    from .session import Session

_LONGEST_RUN = 3_000_000  # statements
_DEEPEST_CALL = 150
_CONSTANTS = {"null": None, "true": True, "false": False}
PREFERENCES = {
    "erroractionpreference": "continue",
    "warningpreference": "continue",
    "progresspreference": "continue",
    "verbosepreference": "silentlycontinue",
    "confirmpreference": "high",
    "whatifpreference": "false",
}
# Variables that a real session has or treats in a way of its own, and that are not modelled.
_AUTOMATIC = (
    "? ^ $ args consolefilename debugpreference enabledexperimentalfeatures error event eventargs eventsubscriber "
    "executioncontext foreach home host informationpreference iscoreclr islinux ismacos iswindows lastexitcode "
    "logcommandhealthevent maximumhistorycount myinvocation nestedpromptlevel ofs outputencoding pid profile pscmdlet "
    "pscommandpath psculture psdebugcontext psdefaultparametervalues psedition psemailserver pshome psitem "
    "psscriptroot pssenderinfo psuiculture psversiontable pwd sender shellid stacktrace switch this"
)
NOT_MODELLED = frozenset(_AUTOMATIC.split())


class ReturnSignal(Exception):
    pass


class ExitSignal(Exception):
    def __init__(self, code: int) -> None:
        super().__init__()
        self.code = code


class LoopSignal(Exception):
    def __init__(self, again: bool) -> None:
        super().__init__()
        self.again = again


class Scope:
    """Variables, their types, and functions of one level; `strict` is the version of strict mode, 0 for off."""

    def __init__(self, parent: Scope | None) -> None:
        self.parent = parent
        self.variables: dict[str, Any] = {}
        self.types: dict[str, str] = {}
        self.functions: dict[str, ScriptBlock] = {}
        self.strict: float = parent.strict if parent else 0


class Interpreter:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.scope = Scope(None)
        self.tries = 0  # how many try blocks with a catch are being run, in all functions
        self.depth = 0
        self.steps = 0

    # Variables

    def lookup(self, name: str) -> Any:
        """The value of a variable, looked for through the scopes of the callers; NOTHING at all is None here."""
        scope: Scope | None = self.scope
        while scope is not None:
            if name in scope.variables:
                return scope.variables[name]
            scope = scope.parent
        raise KeyError(name)

    def variable(self, name: str, line: int = 0) -> Any:
        if name.startswith("env:"):
            found = self.session.environment.get(name[4:].upper())
            if found is None and not SURELY_MISSING.search(name):
                raise UnknownConstruct(f"the variable ${name}", line)
            return found
        if name in _CONSTANTS:
            return _CONSTANTS[name]
        if ":" not in name and name not in NOT_MODELLED and not (name == "input" and self.scope.parent):
            try:
                return self.lookup(name)
            except KeyError:
                if name in ("_", "matches"):
                    return None
                if name not in ("input", "psboundparameters") and name not in PREFERENCES:
                    if not self.strict:
                        return None
                    shown = f"The variable '${name}' cannot be retrieved because it has not been set."
                    raise fail("VariableIsUndefined", shown, target=name) from None
        raise UnknownConstruct(f"the variable ${name}", line)

    def set_variable(self, name: str, value: Any, kind: str | None = None) -> None:
        if ":" in name or name in NOT_MODELLED or name in ("true", "false", "input", "_"):
            raise UnknownConstruct(f"an assignment to ${name}")
        if name == "null":
            return
        if kind is not None:
            self.scope.types[name] = kind
        if name in self.scope.types:
            value = convert(value, self.scope.types[name], self.session.commands.types)
        self.scope.variables[name] = value

    @property
    def strict(self) -> float:
        return self.scope.strict

    def preference(self, name: str) -> str:
        """A preference in lower case; only the values that are understood."""
        try:
            value = to_text(self.lookup(name)).lower()
        except KeyError:
            return PREFERENCES[name]
        if value not in ("silentlycontinue", "stop", "continue", "ignore", "none", "low", "medium", "high", "false"):
            raise UnknownConstruct(f"${name} = {value}")
        return value

    # Running

    def run_list(self, nodes: list[Node], out: Output) -> None:
        """Statements one after the other; an error ends only its own, unless a try or the preference catches it."""
        for node in nodes:
            try:
                self.run(node, out)
            except ScriptError as error:
                error.record.line = error.record.line or node.line
                action = self.preference("erroractionpreference")
                if error.whole_script or self.tries or action == "stop":
                    if action in ("silentlycontinue", "ignore") and error.thrown and not self.tries:
                        raise UnknownConstruct("throw under the preference SilentlyContinue", node.line) from None
                    error.whole_script = error.whole_script or action == "stop"
                    raise
                self.report(error.record, action)

    def run(self, node: Node, out: Output) -> None:
        """One statement; what it gives goes to `out` piece by piece."""
        self.steps += 1
        if self.steps > _LONGEST_RUN:
            raise UnknownConstruct("a script that runs this long", node.line)
        try:
            if node.kind in STATEMENTS:
                STATEMENTS[node.kind](self, node, out)
            elif node.kind in EVALUATORS:
                for item in enumerate_value(EVALUATORS[node.kind](self, node)):
                    out(item)
            else:
                raise UnknownConstruct(f"the construct {node.kind.replace('_', ' ')}")
        except UnknownConstruct as unknown:
            unknown.line = unknown.line or node.line
            raise

    def value(self, node: Node) -> Any:
        """What an expression, or the output of a statement, is worth."""
        if node.kind in EVALUATORS:
            return EVALUATORS[node.kind](self, node)
        items: list[Any] = []
        self.run(node, items.append)
        return from_items(items)

    def block(self, node: Node | None, out: Output) -> None:
        for child in node.children if node else ():
            if child.kind == "statement_list":
                self.run_list(child.children, out)
            elif child.kind not in ("{", "}"):
                self.run_list([child], out)

    def invoke(self, block: ScriptBlock, out: Output, item: Any) -> None:
        """Run the script block of ForEach-Object and its like: in the caller's scope, with $_ set."""
        if block.command.parameters() or block.node.kind != "script_block_expression":
            raise UnknownConstruct("a script block with parameters here", block.node.line)
        try:
            self.with_item(item, lambda: self.run_list(block.statements, out))
        except ReturnSignal:
            return

    def with_item(self, item: Any, work: Callable[[], None]) -> None:
        """Run something with $_ set."""
        variables = self.scope.variables
        outer = variables.get("_", NOTHING)
        variables["_"] = item
        try:
            work()
        finally:
            variables.pop("_")
            if outer is not NOTHING:
                variables["_"] = outer

    def invoke_value(self, block: ScriptBlock, item: Any) -> Any:
        items: list[Any] = []
        self.invoke(block, items.append, item)
        return from_items(items)

    def block_from_text(self, text: str) -> ScriptBlock:
        return script_block(parse(text))

    def report(self, record: ErrorRecord, action: str) -> None:
        """Put an error where errors go without ending anything."""
        if action == "continue":
            self.session.error_stream.append(record)

    # Pipelines

    def pipeline(self, nodes: list[Node], out: Output) -> None:
        """Stages joined by |; the first may be an expression."""
        self.depth += 1
        if self.depth > _DEEPEST_CALL:
            raise UnknownConstruct("calls this deep", nodes[0].line)
        try:
            first = None if nodes[0].kind == "command" else nodes[0]
            source = self.value(first) if first else None
            commands = nodes[1:] if first else nodes
            stages = [make_stage(self, node, first is not None or place > 0) for place, node in enumerate(commands)]
            self.drive(stages, enumerate_value(source) if first else (), out)
        finally:
            self.depth -= 1

    def drive(self, stages: list[Stage], source: Any, out: Output) -> None:
        """Push the source through the stages."""
        for stage, following in itertools.pairwise(stages):
            stage.out = following.process
        stages[-1].out = out
        done = 0
        try:
            for stage in stages:
                stage.begin()
            for item in source:
                stages[0].process(item)
        except StopUpstream as stop:
            done = stages.index(stop.stage)
        while done < len(stages):
            try:
                stages[done].end()
                done += 1
            except StopUpstream as stop:
                done = stages.index(stop.stage)


# Statements


def _pipeline(run: Interpreter, node: Node, out: Output) -> None:
    stages = [child for child in node.children if child.kind != "|"]
    if any(child.kind in ("redirections", "pipeline_chain_tail") for child in stages):
        raise UnknownConstruct("a redirection, or && or ||", node.line)
    run.pipeline(stages, out)


def _assignment(run: Interpreter, node: Node, out: Output) -> None:
    target, operator, source = node.children[0].children[0], node.children[1].text, node.children[2]
    if source.kind == "assignment_expression":
        raise UnknownConstruct("an assignment of an assignment", node.line)
    value = run.value(source)
    if operator != "=":
        if operator not in ("+=", "-=", "*=", "/=", "%=") or target.kind == "cast_expression":
            raise UnknownConstruct(f"the operator {operator}", node.line)
        value = arithmetic(operator[0], run.value(target), value)
    if target.kind == "variable":
        run.set_variable(variable_name(target), value)
    elif target.kind == "cast_expression" and target.children[1].kind == "variable":
        run.set_variable(variable_name(target.children[1]), value, type_name(run, target.children[0]))
    elif target.kind == "member_access" and target.children[1].text == ".":
        from .expressions import member_name

        members.set_member(run.value(target.children[0]), member_name(run, target.children[2]), value)
    elif target.kind == "element_access":
        members.set_element(run.value(target.children[0]), run.value(target.children[2]), value)
    else:
        raise UnknownConstruct(f"an assignment to a {target.kind.replace('_', ' ')}", target.line)


def _step(run: Interpreter, node: Node, out: Output) -> None:
    place = next(child for child in node.children if child.kind not in ("++", "--"))
    if place.kind != "variable" or not isinstance(run.value(place), (int, float)):
        raise UnknownConstruct("++ or -- on something that is no number in a variable", node.line)
    sign = "+" if node.child("++") else "-"
    run.set_variable(variable_name(place), arithmetic(sign, run.value(place), 1))


def _if(run: Interpreter, node: Node, out: Output) -> None:
    others = node.child("elseif_clauses")
    for clause in [node, *(others.children if others else ())]:
        if truth(run.value(clause.children[2])):
            run.block(clause.child("statement_block"), out)
            return
    otherwise = node.child("else_clause")
    run.block(otherwise.child("statement_block") if otherwise else None, out)


def _goes_on(run: Interpreter, body: Node, out: Output) -> bool:
    """Run the body of a loop once; False when the loop is to end."""
    run.steps += 1
    try:
        run.block(body, out)
    except LoopSignal as signal:
        return signal.again
    return True


def _foreach(run: Interpreter, node: Node, out: Output) -> None:
    inside = [child for child in node.children if child.kind not in ("foreach", "(", ")", "in")]
    if len(inside) != 3:
        raise UnknownConstruct("foreach with parameters", node.line)
    value = run.value(inside[1])
    for item in [] if value is None else list(enumerate_value(value)):
        run.set_variable(variable_name(inside[0]), item)
        if not _goes_on(run, inside[2], out):
            break


def _while(run: Interpreter, node: Node, out: Output) -> None:
    while truth(run.value(node.children[2])) and _goes_on(run, node.children[4], out):
        if run.steps > _LONGEST_RUN:
            raise UnknownConstruct("a loop that runs this long", node.line)


def _flow(run: Interpreter, node: Node, out: Output) -> None:
    word = node.children[0].text.lower()
    operand = node.children[1] if len(node.children) > 1 else None
    if word == "return":
        if operand:
            run.run(operand, out)
        raise ReturnSignal
    if word in ("break", "continue") and operand is None:
        raise LoopSignal(word == "continue")
    if word == "exit" and not STRICT.get():
        raise ExitSignal(to_number(run.value(operand) if operand else 0, "System.Int32"))
    if word != "throw":
        raise UnknownConstruct(f"{word} here", node.line)
    value = run.value(operand) if operand else run.variable("_")
    if not operand and not isinstance(value, ErrorRecord):
        raise UnknownConstruct("throw without a value", node.line)
    if isinstance(value, DotNetException):
        value = ErrorRecord(value, value.message, "OperationStopped")
    elif not isinstance(value, ErrorRecord):
        message = to_text(value)
        value = ErrorRecord(DotNetException(RUNTIME, message), message, "OperationStopped", value)
    error = ScriptError(value, whole_script=True)
    error.thrown = True
    raise error


def _try(run: Interpreter, node: Node, out: Output) -> None:
    clauses, final = node.child("catch_clauses"), node.child("finally_clause")
    tries, depth, scope = run.tries, run.depth, run.scope
    try:
        run.tries += 1 if clauses else 0
        try:
            run.block(node.child("statement_block"), out)
        except ScriptError as error:
            run.tries, run.depth, run.scope = tries, depth, scope
            clause = _handler(run, error, clauses.children if clauses else [])
            if clause is None:
                raise
            run.with_item(error.record, lambda: run.block(clause.child("statement_block"), out))
        finally:
            run.tries = tries
    finally:
        run.block(final.child("statement_block") if final else None, out)


def _handler(run: Interpreter, error: ScriptError, clauses: list[Node]) -> Node | None:
    exception: DotNetException | None = error.record.exception
    names: list[str] = []
    while exception:  # the engine looks at the inner exception of its own wrappers too
        names += exception_names(exception.type_name)
        exception = exception.inner
    known = dict.fromkeys(kind for kind in run.session.commands.types if kind.endswith("Exception"))
    for clause in clauses:
        listed = clause.child("catch_type_list")
        if listed is None or any(resolve_type(child.text[1:-1], known) in names for child in listed.listed()):
            return clause
    return None


def _function(run: Interpreter, node: Node, out: Output) -> None:
    if node.children[0].text.lower() != "function":
        raise UnknownConstruct(f"a {node.children[0].text}", node.line)
    name = node.children[1].text
    run.scope.functions[name.lower()] = script_block(node, name)


STATEMENTS: dict[str, Callable[[Interpreter, Node, Output], None]] = {
    "pipeline_chain": _pipeline,
    "command": lambda run, node, out: run.pipeline([node], out),
    "assignment_expression": _assignment,
    "post_increment_expression": _step,
    "post_decrement_expression": _step,
    "pre_increment_expression": _step,
    "pre_decrement_expression": _step,
    "if_statement": _if,
    "foreach_statement": _foreach,
    "while_statement": _while,
    "flow_control_statement": _flow,
    "try_statement": _try,
    "function_statement": _function,
}
# What stands inside other constructs, and is read as a part of them.
_PART_NAMES = (
    "argument_expression_list argument_list array_type_name assignment_operator attribute attribute_argument "
    "attribute_arguments attribute_list attribute_name bareword_argument_list catch_clause catch_clauses "
    "catch_type_list command_argument_sep command_elements command_invocation_operator command_name command_name_expr "
    "command_parameter comparison_operator else_clause elseif_clause elseif_clauses finally_clause function_name "
    "function_parameter_declaration generic_token hash_entry hash_literal_body left_assignment_expression member_name "
    "param_block parameter_list path_command_name program script_block script_block_body script_parameter "
    "script_parameter_default simple_name statement_block statement_list type_identifier type_name type_spec"
)
_PARTS = frozenset(_PART_NAMES.split())


def known_construct(node: Node) -> bool:
    """Whether the evaluator knows this kind of construct."""
    keyword = not node.children and (not node.kind[0].isalpha() or node.kind == node.text.strip().lower())
    return keyword or node.kind in STATEMENTS or node.kind in EVALUATORS or node.kind in _PARTS
