"""What expressions are worth: literals, variables, operators, members, calls of methods."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import members, methods, operators
from .blocks import script_block
from .convert import convert, is_instance, resolve_type, to_text, truth
from .kinds import enumerate_value, from_items
from .syntax import Node, literal_number, unescape
from .unknown import UnknownConstruct
from .values import NOTHING, Hashtable, PsObject, PsType

if TYPE_CHECKING:
    from .interpreter import Interpreter

_LONGEST_RANGE = 200_000


def variable_name(node: Node) -> str:
    """The name of a variable in lower case, with its namespace if it has one."""
    if node.text.startswith("@"):
        raise UnknownConstruct("splatting outside a command", node.line)
    return (node.text[2:-1] if node.text.startswith("${") else node.text[1:]).lower()


def member_name(run: Interpreter, node: Node) -> str:
    child = node.children[0] if node.children else node
    return child.text if child.kind in ("simple_name", "member_name") else to_text(run.value(child))


def _expandable(run: Interpreter, node: Node) -> str:
    source = node.text.encode("utf-8", "surrogatepass")
    pieces, place = [], 1
    for child in node.children:
        if child.kind not in ("variable", "sub_expression"):
            continue
        start, stop = child.start - node.start, child.stop - node.start
        if (child.kind == "variable" and source[stop : stop + 1] in (b":", b"?")) or child.text in ("$$", "$^"):
            raise UnknownConstruct(f"{child.text} with what follows it in a string")
        pieces += [unescape(source[place:start].decode("utf-8", "surrogatepass")), to_text(run.value(child))]
        place = stop
    return "".join(pieces) + unescape(source[place:-1].decode("utf-8", "surrogatepass"))


def _array(run: Interpreter, node: Node) -> list[Any]:
    items: list[Any] = []
    for child in node.children[1:-1]:
        run.run_list(child.children if child.kind == "statement_list" else [child], items.append)
    return items


def _array_literal(run: Interpreter, node: Node) -> list[Any]:
    for child in node.listed():
        if child.kind == "expression_with_unary_operator" and not re.match(r"-\d|,", child.text):
            raise UnknownConstruct(f"{child.children[0].text} beside a comma")
    return [_element(run.value(child)) for child in node.listed()]


def _element(value: Any) -> Any:
    if value is NOTHING:
        raise UnknownConstruct("the output of something that gave nothing, as an element")
    return value


def _parenthesized(run: Interpreter, node: Node) -> Any:
    if node.children[1].kind == "assignment_expression" or node.children[1].kind.endswith("crement_expression"):
        raise UnknownConstruct("the value of an assignment")
    return run.value(node.children[1])


def _entries(run: Interpreter, node: Node) -> list[tuple[Any, Any]]:
    """The pairs of a table as it is written."""
    body, table = node.child("hash_literal_body"), Hashtable()
    for entry in body.children if body else []:
        key_node = entry.children[0]
        key = key_node.text if key_node.kind == "simple_name" else run.value(key_node)
        if table.has(key):
            raise UnknownConstruct("a key twice in a table", entry.line)
        table.set(key, run.value(entry.children[2]))
    return table.pairs()


def _cast(run: Interpreter, node: Node) -> Any:
    type_node, operand = node.children
    if operand.kind == "hash_literal_expression" and type_node.text.strip().lower() == "[pscustomobject]":
        return PsObject((to_text(key), value) for key, value in _entries(run, operand))
    types = run.session.commands.types
    return convert(run.value(operand), resolve_type(type_node.text.strip()[1:-1], types), types)


def _unary(run: Interpreter, node: Node) -> Any:
    operator, inner = node.children[0].text.lower(), node.children[1]
    if operator == "-" and inner.kind in ("decimal_integer_literal", "real_literal"):
        number = literal_number(inner.text)
        return type(number)(-number)  # the sign belongs to the number: -2147483648 is an Int32
    operand = run.value(inner)
    if operator == ",":
        return [_element(operand)]
    if operator in ("-not", "!"):
        return not truth(operand)
    if operator in ("-", "+"):
        return operators.arithmetic(operator, 0, operand)
    raise UnknownConstruct(f"the operator {operator}")


def _arithmetic(run: Interpreter, node: Node) -> Any:
    left, operator, right = node.children
    return operators.arithmetic(operator.text, run.value(left), run.value(right))


def _logical(run: Interpreter, node: Node) -> bool:
    left, operator, right = node.children
    first, name = truth(run.value(left)), operator.text.lower()
    if name not in ("-and", "-or"):
        raise UnknownConstruct(f"the operator {name}")
    return first if (name == "-and") != first else truth(run.value(right))


def _comparison(run: Interpreter, node: Node) -> Any:
    name = node.children[1].text.lower()
    left, right = run.value(node.children[0]), run.value(node.children[2])
    if name in ("-is", "-isnot") and isinstance(right, PsType):
        return is_instance(left, right.name) == (name == "-is")
    if name == "-join":
        return to_text(right).join(to_text(item) for item in enumerate_value(left))
    if name == "-replace":
        parts = right if isinstance(right, list) else [right, ""]
        if len(parts) != 2 or isinstance(left, list) or not all(isinstance(part, str) for part in parts):
            raise UnknownConstruct("-replace with this right side")
        return operators.replace(to_text(left), *parts)
    return operators.compare(name, left, right)


def _range(run: Interpreter, node: Node) -> list[int]:
    low, high = run.value(node.children[0]), run.value(node.children[-1])
    if not isinstance(low, int) or not isinstance(high, int) or abs(high - low) > _LONGEST_RANGE:
        raise UnknownConstruct("a range that is this long, or between other values than integers")
    return list(range(low, high + 1)) if low <= high else list(range(low, high - 1, -1))


def _member(run: Interpreter, node: Node) -> Any:
    target, operator, name = node.children
    owner, wanted = run.value(target), member_name(run, name)
    if operator.text == "::":
        return methods.static_member(run, owner, wanted)
    return members.get_member(owner, wanted, run.scope.strict)


def _invocation(run: Interpreter, node: Node) -> Any:
    if len(node.children) != 4:
        raise UnknownConstruct("this call of a method")
    target, operator, name, listed = node.children
    owner, wanted = run.value(target), member_name(run, name)
    inner = listed.child("argument_expression_list")
    arguments = [_element(run.value(child)) for child in inner.listed()] if inner else []
    if operator.text == "::":
        return methods.static_member(run, owner, wanted, arguments)
    return methods.call_method(run, owner, wanted, arguments)


def _index(run: Interpreter, node: Node) -> Any:
    return members.get_element(run.value(node.children[0]), run.value(node.children[2]), run.scope.strict)


EVALUATORS: dict[str, Callable[[Interpreter, Node], Any]] = {
    "variable": lambda run, node: run.variable(variable_name(node)),
    "verbatim_string_characters": lambda run, node: node.text[1:-1].replace("''", "'"),
    "expandable_string_literal": _expandable,
    "decimal_integer_literal": lambda run, node: literal_number(node.text),
    "hexadecimal_integer_literal": lambda run, node: literal_number(node.text),
    "real_literal": lambda run, node: literal_number(node.text),
    "array_expression": _array,
    "array_literal_expression": _array_literal,
    "parenthesized_expression": _parenthesized,
    "sub_expression": lambda run, node: from_items(_array(run, node)),
    "hash_literal_expression": lambda run, node: Hashtable(_entries(run, node)),
    "cast_expression": _cast,
    "expression_with_unary_operator": _unary,
    "additive_expression": _arithmetic,
    "multiplicative_expression": _arithmetic,
    "logical_expression": _logical,
    "comparison_expression": _comparison,
    "range_expression": _range,
    "type_literal": lambda run, node: PsType(resolve_type(node.text.strip()[1:-1], run.session.commands.types)),
    "member_access": _member,
    "invocation_expression": _invocation,
    "element_access": _index,
    "script_block_expression": lambda run, node: script_block(node),
}
