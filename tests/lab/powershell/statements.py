"""What each kind of statement does."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .errors import DotNetException, ErrorRecord
from .expressions import EVALUATORS
from .signals import BreakSignal, ContinueSignal, ExitSignal

if TYPE_CHECKING:
    from .interpreter import Interpreter
from .blocks import ScriptBlock, script_block
from .convert import to_text, truth
from .errors import RUNTIME, ScriptError, exception_names
from .expressions import variable_name
from .operators import arithmetic, compare, like, regex
from .signals import LoopSignal, ReturnSignal
from .syntax import Node
from .typenames import resolve_type
from .values import NOTHING, STRICT, Output, UnknownConstruct, enumerate_value

LONGEST_RUN = 3_000_000  # statements


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


STATEMENTS: dict[str, Callable[[Interpreter, Node, Output, str], None]] = {
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
_PARTS = {
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
}


def known_construct(node: Node) -> bool:
    """Whether the evaluator knows this kind of construct."""
    keyword = not node.children and (not node.kind[0].isalpha() or node.kind == node.text.strip().lower())
    return keyword or node.kind in STATEMENTS or node.kind in EVALUATORS or node.kind in _PARTS
