"""What expressions are worth: literals, variables, operators, members, calls."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import members, methods, operators
from .blocks import script_block
from .convert import convert, is_instance, resolve_type, to_text, truth
from .errors import ScriptError
from .syntax import Node, literal_number, unescape
from .values import (
    NOTHING,
    Hashtable,
    PsObject,
    PsType,
    UnknownConstruct,
    enumerate_value,
    from_items,
    from_python,
    is_null,
)

if TYPE_CHECKING:
    from .interpreter import Interpreter

_LONGEST_RANGE = 200_000


def variable_name(node: Node) -> str:
    """The name of a variable in lower case, with its namespace if it has one."""
    text = node.text
    if text.startswith("@"):
        raise UnknownConstruct("splatting outside a command", node.line)
    return (text[2:-1] if text.startswith("${") else text[1:]).lower()


def type_name(run: Interpreter, node: Node) -> str:
    try:
        return resolve_type(node.text.strip()[1:-1], run.session.commands.types)
    except UnknownConstruct as unknown:
        raise UnknownConstruct(unknown.name, node.line) from None


def member_name(run: Interpreter, node: Node) -> str:
    child = node.children[0] if node.children else node
    return child.text if child.kind in ("simple_name", "member_name") else to_text(run.value(child))


def _variable(run: Interpreter, node: Node) -> Any:
    return run.variable(variable_name(node), node.line)


def _verbatim(run: Interpreter, node: Node) -> str:
    return node.text[1:-1].replace("''", "'")


def _expandable(run: Interpreter, node: Node) -> str:
    source = node.text.encode("utf-8", "surrogatepass")
    pieces, place = [], 1
    for child in node.children:
        if child.kind not in ("variable", "sub_expression"):
            continue
        start, stop = child.start - node.start, child.stop - node.start
        if (child.kind == "variable" and source[stop : stop + 1] in (b":", b"?")) or child.text in ("$$", "$^"):
            raise UnknownConstruct(f"{child.text} with what follows it in a string", node.line)
        pieces += [unescape(source[place:start].decode("utf-8", "surrogatepass")), to_text(run.value(child))]
        place = stop
    return "".join(pieces) + unescape(source[place:-1].decode("utf-8", "surrogatepass"))


def _number(run: Interpreter, node: Node) -> Any:
    return literal_number(node.text)


def _array(run: Interpreter, node: Node) -> list[Any]:
    items: list[Any] = []
    run.run_list(_inside(node), items.append)
    return items


def _sub_expression(run: Interpreter, node: Node) -> Any:
    return from_items(_array(run, node))


def _inside(node: Node) -> list[Node]:
    return [
        one for child in node.children[1:-1] for one in (child.children if child.kind == "statement_list" else [child])
    ]


def _array_literal(run: Interpreter, node: Node) -> list[Any]:
    for child in node.listed():
        if child.kind == "expression_with_unary_operator" and not re.match(r"-\d|,", child.text):
            raise UnknownConstruct(f"{child.children[0].text} beside a comma", child.line)
    return [_element(run.value(child)) for child in node.listed()]


def _element(value: Any) -> Any:
    if value is NOTHING:
        raise UnknownConstruct("the output of something that gave nothing, as an element")
    return value


def _parenthesized(run: Interpreter, node: Node) -> Any:
    if node.children[1].kind == "assignment_expression" or node.children[1].kind.endswith("crement_expression"):
        raise UnknownConstruct("the value of an assignment", node.line)
    return run.value(node.children[1])


def _hashtable(run: Interpreter, node: Node, ordered: bool = False) -> Hashtable:
    table = Hashtable(ordered=ordered)
    body = node.child("hash_literal_body")
    for entry in body.children if body else []:
        key_node = entry.children[0]
        key = key_node.text if key_node.kind == "simple_name" else run.value(key_node)
        if is_null(key) or table.has(key):
            raise UnknownConstruct("$null as a key, or a key twice in a table", entry.line)
        table.set(key, run.value(entry.children[2]))
    return table


def _cast(run: Interpreter, node: Node) -> Any:
    type_node, operand = node.children
    name = type_node.text.strip()[1:-1].lower()
    if operand.kind == "hash_literal_expression" and name in ("ordered", "pscustomobject"):
        table = _hashtable(run, operand, ordered=True)
        return table if name == "ordered" else PsObject((to_text(key), value) for key, value in table.pairs())
    return convert(run.value(operand), type_name(run, type_node), run.session.commands.types)


def _unary(run: Interpreter, node: Node) -> Any:
    operator, inner = node.children[0].text.lower(), node.children[1]
    if operator == "-" and inner.kind.endswith("_literal"):
        number = literal_number(inner.text)
        return type(number)(-number)  # the sign belongs to the number: -2147483648 is an Int32
    operand = run.value(inner)
    if operator == ",":
        return [_element(operand)]
    if operator in ("-not", "!"):
        return not truth(operand)
    if operator in ("-", "+"):
        return operators.arithmetic("-", 0, operand) if operator == "-" else operators.arithmetic("+", 0, operand)
    if operator == "-join":
        return "".join(to_text(item) for item in enumerate_value(operand))
    raise UnknownConstruct(f"the operator {operator}", node.line)


def _arithmetic(run: Interpreter, node: Node) -> Any:
    left, operator, right = node.children
    return operators.arithmetic(operator.text, run.value(left), run.value(right))


def _logical(run: Interpreter, node: Node) -> bool:
    left, operator, right = node.children
    first, name = truth(run.value(left)), operator.text.lower()
    if name == "-xor":
        return first != truth(run.value(right))
    return first if (name == "-and") != first else truth(run.value(right))


def _comparison(run: Interpreter, node: Node) -> Any:
    name = node.children[1].text.lower()
    left, right = run.value(node.children[0]), run.value(node.children[2])
    if name in ("-is", "-isnot", "-as"):
        if not isinstance(right, PsType):
            raise UnknownConstruct(f"{name} a value that is no type", node.line)
        if name == "-as":
            return _as(run, left, right.name)
        return is_instance(left, right.name) == (name == "-is")
    if name == "-join":
        return to_text(right).join(to_text(item) for item in enumerate_value(left))
    base, case = operators.base_operator(name)
    if base == "match" and not isinstance(left, list):
        found = operators.match(to_text(left), to_text(right), case)
        if found:
            run.set_variable("matches", found)
        return found is not None
    if base == "split":
        return [part for item in _each(left) for part in operators.split(to_text(item), _pattern(right), case)]
    if base == "replace":
        parts = right if isinstance(right, list) else [right, ""]
        if len(parts) != 2:
            raise UnknownConstruct("-replace with this right side", node.line)
        pattern, new = (_pattern(part) for part in parts)
        results = [operators.replace(to_text(item), pattern, new, case) for item in _each(left)]
        return results if isinstance(left, list) else results[0]
    return operators.compare(name, left, right)


def _as(run: Interpreter, value: Any, name: str) -> Any:
    try:
        return convert(value, name, run.session.commands.types)
    except ScriptError:
        return None


def _pattern(value: Any) -> str:
    if not isinstance(value, str):
        raise UnknownConstruct("a pattern that is no string")
    return value


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _range(run: Interpreter, node: Node) -> list[int]:
    low, high = run.value(node.children[0]), run.value(node.children[-1])
    if not isinstance(low, int) or not isinstance(high, int) or abs(high - low) > _LONGEST_RANGE:
        raise UnknownConstruct("a range that is this long, or between other values than integers", node.line)
    return list(range(low, high + 1)) if low <= high else list(range(low, high - 1, -1))


def _type(run: Interpreter, node: Node) -> PsType:
    return PsType(type_name(run, node))


def _member(run: Interpreter, node: Node) -> Any:
    target, operator, name = node.children
    owner, wanted = run.value(target), member_name(run, name)
    if operator.text == "::":
        return methods.static_property(run.session, owner, wanted)
    return from_python(members.get_member(owner, wanted, run.strict))


def _invocation(run: Interpreter, node: Node) -> Any:
    if len(node.children) != 4:
        raise UnknownConstruct("this call of a method", node.line)
    target, operator, name, listed = node.children
    owner, wanted = run.value(target), member_name(run, name)
    inner = listed.child("argument_expression_list")
    arguments = [run.value(child) for child in inner.listed()] if inner else []
    arguments = [None if argument is NOTHING else argument for argument in arguments]
    if operator.text != "::":
        return from_python(methods.call_method(owner, wanted, arguments))
    return methods.call_static(run, owner, wanted, arguments)


def _index(run: Interpreter, node: Node) -> Any:
    return members.get_element(run.value(node.children[0]), run.value(node.children[2]), run.strict)


EVALUATORS: dict[str, Callable[[Interpreter, Node], Any]] = {
    "variable": _variable,
    "verbatim_string_characters": _verbatim,
    "expandable_string_literal": _expandable,
    "decimal_integer_literal": _number,
    "hexadecimal_integer_literal": _number,
    "real_literal": _number,
    "array_expression": _array,
    "array_literal_expression": _array_literal,
    "parenthesized_expression": _parenthesized,
    "sub_expression": _sub_expression,
    "hash_literal_expression": _hashtable,
    "cast_expression": _cast,
    "expression_with_unary_operator": _unary,
    "additive_expression": _arithmetic,
    "multiplicative_expression": _arithmetic,
    "logical_expression": _logical,
    "comparison_expression": _comparison,
    "range_expression": _range,
    "type_literal": _type,
    "member_access": _member,
    "invocation_expression": _invocation,
    "element_access": _index,
    "script_block_expression": lambda run, node: script_block(node),
}
