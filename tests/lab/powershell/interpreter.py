"""Statements, pipelines, variables and errors."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import members
from .binding import SURELY_MISSING
from .blocks import Scope, ScriptBlock, script_block
from .calls import ExitSignal, LoopSignal, ReturnSignal, Stage, StopUpstream, make_stage
from .convert import convert, to_number, to_text, truth
from .errors import RUNTIME, DotNetException, ErrorRecord, ScriptError, fail
from .expressions import EVALUATORS, member_name, variable_name
from .kinds import enumerate_value, from_items
from .operators import arithmetic
from .syntax import Node
from .unknown import STRICT, UnknownConstruct, differs
from .values import AUTOMATION, NOTHING, EnumType, Output, PsObject

if TYPE_CHECKING:
    from .session import Session

# Variables that a real session has or treats in a way of its own, and that are not modelled.
_AUTOMATIC = (
    "$ ? ^ args confirmpreference error event eventargs eventsubscriber foreach home host iscoreclr "
    "islinux ismacos iswindows lastexitcode logcommandhealthevent matches maximumhistorycount myinvocation "
    "nestedpromptlevel ofs outputencoding pid profile psboundparameters pscmdlet pscommandpath psculture "
    "psdebugcontext psdefaultparametervalues psedition psemailserver pshome psitem psscriptroot pssenderinfo "
    "psuiculture pwd sender shellid stacktrace switch this whatifpreference "
)
NOT_MODELLED = frozenset(_AUTOMATIC.split())
_MODES = {"FullLanguage": 0, "RestrictedLanguage": 1, "NoLanguage": 2, "ConstrainedLanguage": 3}
_LANGUAGE_MODE = EnumType(AUTOMATION + "PSLanguageMode", _MODES)


def _version_table(session: Session) -> PsObject:
    major, minor = (int(part) for part in session.version.split("."))
    version = PsObject([("Major", major), ("Minor", minor)], "System.Version")
    return PsObject([("PSVersion", version)], AUTOMATION + "PSVersionHashTable")


def _execution_context(session: Session) -> PsObject:
    state = PsObject([("LanguageMode", _LANGUAGE_MODE.find(session.language_mode))], AUTOMATION + "SessionState")
    return PsObject([("SessionState", state)], AUTOMATION + "EngineIntrinsics")


# What a script can read of the engine that it runs in.
OF_SESSION: dict[str, Callable[[Session], PsObject]] = {
    "psversiontable": _version_table,
    "executioncontext": _execution_context,
}


class Interpreter:
    def __init__(self, session: Session) -> None:
        self.session = session
        self.scope = Scope(None)
        self.scope.variables |= {"null": None, "true": True, "false": False}
        self.tries = 0  # how many try blocks with a catch are being run, in all functions
        self.steps = 0

    def variable(self, name: str, line: int = 0) -> Any:
        if name.startswith("env:"):
            found = self.session.environment.get(name[4:].upper())
            if found is None and not SURELY_MISSING.search(name):
                raise UnknownConstruct(f"the variable ${name}", line)
            return found
        if name in OF_SESSION:
            differs(f"the variable ${name}")
            return OF_SESSION[name](self.session)
        holder = self.scope.holder(name) if name != "input" else self.scope
        if holder is not None and name in holder.variables:
            return holder.variables[name]
        if name in NOT_MODELLED or name == "input" or name.endswith("preference") or ":" in name:
            raise UnknownConstruct(f"the variable ${name}", line)
        if self.scope.strict and name != "_":
            message = f"The variable '${name}' cannot be retrieved because it has not been set."
            raise fail("VariableIsUndefined", message, target=name)
        return None

    def set_variable(self, name: str, value: Any) -> None:
        if ":" in name or name in NOT_MODELLED or name in OF_SESSION or name in ("true", "false", "input", "_"):
            raise UnknownConstruct(f"an assignment to ${name}")
        if name == "null":
            return
        if name in self.scope.types:
            value = convert(value, self.scope.types[name], self.session.commands.types)
        self.scope.variables[name] = value

    def preference(self, name: str) -> str:
        """A preference in lower case; only the values that are understood."""
        holder = self.scope.holder(name)
        value = to_text(holder.variables[name]).lower() if holder else "continue"
        if value not in ("silentlycontinue", "stop", "continue", "ignore"):
            raise UnknownConstruct(f"${name} = {value}")
        return value

    def count(self, node: Node) -> None:
        self.steps += 1
        if self.steps > self.session.longest_run:
            raise UnknownConstruct("a script that runs this long", node.line)

    def run_list(self, nodes: list[Node], out: Output) -> None:
        """Statements one after the other; an error ends only its own, unless a try or the preference catches it."""
        for node in nodes:
            try:
                self.run(node, out)
            except ScriptError as error:
                action = self.preference("erroractionpreference")
                if error.whole_script or self.tries or action == "stop":
                    if action in ("silentlycontinue", "ignore") and error.thrown and not self.tries:
                        raise UnknownConstruct("throw under the preference SilentlyContinue", node.line) from None
                    error.whole_script = error.whole_script or action == "stop"
                    raise
                if action == "continue":
                    self.session.error_stream.append(error.record)

    def run(self, node: Node, out: Output) -> None:
        """One statement; what it gives goes to `out` piece by piece."""
        self.count(node)
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
        except (TypeError, ValueError, AttributeError, LookupError, ArithmeticError) as problem:
            raise UnknownConstruct(f"{node.text.splitlines()[0]!r} ({problem!r})", node.line) from problem

    def value(self, node: Node) -> Any:
        """What an expression, or the output of a statement, is worth."""
        if node.kind in EVALUATORS:
            return EVALUATORS[node.kind](self, node)
        items: list[Any] = []
        self.run(node, items.append)
        return from_items(items)

    def block(self, node: Node | None, out: Output) -> None:
        """The statement block that is a child of a node, if there is one."""
        body = node.child("statement_block") if node else None
        for child in body.children[1:-1] if body else ():
            self.run_list(child.children if child.kind == "statement_list" else [child], out)

    def invoke(self, block: ScriptBlock, out: Output, item: Any) -> None:
        """Run the script block of ForEach-Object and its like: in the caller's scope, with $_ set."""
        if block.parameters or block.advanced or block.node.kind != "script_block_expression":
            raise UnknownConstruct("a script block with parameters here", block.node.line)
        try:
            self.with_item(item, lambda: self.run_list(block.statements, out))
        except ReturnSignal:
            return

    def with_item(self, item: Any, work: Callable[[], None]) -> None:
        """Run something with $_ set."""
        variables, outer = self.scope.variables, self.scope.variables.get("_", NOTHING)
        variables["_"] = item
        try:
            work()
        finally:
            del variables["_"]
            if outer is not NOTHING:
                variables["_"] = outer

    def pipeline(self, nodes: list[Node], out: Output) -> None:
        """Stages joined by |; the first may be an expression."""
        source = None if nodes[0].kind == "command" else enumerate_value(self.value(nodes[0]))
        commands = nodes if source is None else nodes[1:]
        stages = [make_stage(self, node, source is not None or place > 0) for place, node in enumerate(commands)]
        self.drive(stages, source or (), out)

    def drive(self, stages: list[Stage], source: Any, out: Output) -> None:
        """Push the source through the stages."""
        for stage, following in itertools.pairwise(stages):
            stage.out = following.process
        stages[-1].out = out
        for stage in stages:
            stage.begin()

        steps: list[Callable[[], Any]] = [lambda: [stages[0].process(item) for item in source]]
        steps += [stage.end for stage in stages]
        done = 0
        while done < len(steps):
            try:
                steps[done]()
                done += 1
            except StopUpstream as stop:
                done = stages.index(stop.args[0]) + 1


def _pipeline(run: Interpreter, node: Node, out: Output) -> None:
    stages = [child for child in node.children if child.kind != "|"]
    if any(child.kind in ("redirections", "pipeline_chain_tail") for child in stages):
        raise UnknownConstruct("a redirection, or && or ||")
    run.pipeline(stages, out)


def _assignment(run: Interpreter, node: Node, out: Output) -> None:
    target, operator, source = node.children[0].children[0], node.children[1].text, node.children[2]
    if operator not in ("=", "+=", "-=", "*=", "/=", "%=") or source.kind == "assignment_expression":
        raise UnknownConstruct("this assignment")
    value = run.value(source)
    if operator != "=":
        value = arithmetic(operator[0], run.value(target), value)
    if target.kind == "variable":
        run.set_variable(variable_name(target), value)
    elif target.kind == "member_access" and target.children[1].text == ".":
        members.set_entry(run.value(target.children[0]), member_name(run, target.children[2]), value)
    elif target.kind == "element_access":
        members.set_entry(run.value(target.children[0]), run.value(target.children[2]), value)
    else:
        raise UnknownConstruct(f"an assignment to a {target.kind.replace('_', ' ')}")


def _if(run: Interpreter, node: Node, out: Output) -> None:
    others = node.child("elseif_clauses")
    clauses = [node, *(others.children if others else ())]
    chosen = next((clause for clause in clauses if truth(run.value(clause.children[2]))), node.child("else_clause"))
    run.block(chosen, out)


def _goes_on(run: Interpreter, node: Node, out: Output) -> bool:
    """Run the body of a loop once; False when the loop is to end."""
    run.count(node)
    try:
        run.block(node, out)
    except LoopSignal as signal:
        return bool(signal.args[0] == "continue")
    return True


def _foreach(run: Interpreter, node: Node, out: Output) -> None:
    variable, source, *others = (child for child in node.children if child.kind not in ("foreach", "(", ")", "in"))
    if len(others) != 1:
        raise UnknownConstruct("foreach with parameters")
    value = run.value(source)
    for item in [] if value is None else list(enumerate_value(value)):
        run.set_variable(variable_name(variable), item)
        if not _goes_on(run, node, out):
            break


def _while(run: Interpreter, node: Node, out: Output) -> None:
    while truth(run.value(node.children[2])) and _goes_on(run, node, out):
        pass


def _flow(run: Interpreter, node: Node, out: Output) -> None:
    word, operand = node.children[0].text.lower(), node.children[1] if len(node.children) > 1 else None
    if word == "return":
        if operand:
            run.run(operand, out)
        raise ReturnSignal
    if word in ("break", "continue") and operand is None:
        raise LoopSignal(word)
    if word == "exit" and not STRICT.get():
        raise ExitSignal(to_number(run.value(operand) if operand else 0, "System.Int32"))
    value = run.value(operand) if operand else run.variable("_")
    if word != "throw" or (operand is None and not isinstance(value, ErrorRecord)):
        raise UnknownConstruct(f"{word} here")
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
    tries, scope = run.tries, run.scope
    try:
        run.tries += 1 if clauses else 0
        try:
            run.block(node, out)
        except ScriptError as error:
            run.tries, run.scope = tries, scope
            if not clauses:
                raise
            if clauses.children[0].child("catch_type_list"):
                raise UnknownConstruct("a catch of one type") from None
            run.with_item(error.record, lambda: run.block(clauses.children[0], out))
        finally:
            run.tries = tries
    finally:
        run.block(final, out)


def _function(run: Interpreter, node: Node, out: Output) -> None:
    if node.children[0].text.lower() != "function":
        raise UnknownConstruct(f"a {node.children[0].text}")
    name = node.children[1].text
    run.scope.functions[name.lower()] = script_block(node, name)


STATEMENTS: dict[str, Callable[[Interpreter, Node, Output], None]] = {
    "pipeline_chain": _pipeline,
    "command": lambda run, node, out: run.pipeline([node], out),
    "assignment_expression": _assignment,
    "if_statement": _if,
    "foreach_statement": _foreach,
    "while_statement": _while,
    "flow_control_statement": _flow,
    "try_statement": _try,
    "function_statement": _function,
}
