"""What expressions are worth: literals, variables, operators, members, calls, and what can be assigned to."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import members, operators
from .convert import convert, to_number, to_text, truth
from .dotnet import set_static
from .errors import ScriptError
from .formatting import format_operator
from .syntax import Node, literal_number, unescape
from .typenames import is_instance, resolve_type
from .values import (
    NOTHING,
    Char,
    Hashtable,
    PsObject,
    PsType,
    Reference,
    UnknownConstruct,
    enumerate_value,
    from_items,
    from_python,
    is_null,
    is_number,
)

if TYPE_CHECKING:
    from .interpreter import Interpreter

LARGEST_RANGE = 200_000


class Expressions:
    """The half of the interpreter that gives values; the other half runs statements."""

    def value(self: Interpreter, node: Node) -> Any:
        """What an expression, or the output of a pipeline, is worth."""
        evaluate = EVALUATORS.get(node.kind)
        if evaluate is None:
            return from_items(self.collect(node))
        return evaluate(self, node)

    def text(self: Interpreter, value: Any) -> str:
        ofs = self.variable("ofs")
        return to_text(value, " " if is_null(ofs) else to_text(ofs))

    def cast(self: Interpreter, value: Any, name: str) -> Any:
        ofs = self.variable("ofs")
        return convert(value, name, " " if is_null(ofs) else to_text(ofs), self.session.commands.types)

    def type_name(self: Interpreter, node: Node) -> str:
        try:
            return resolve_type(node.text.strip()[1:-1], self.session.commands.types)
        except UnknownConstruct as unknown:
            raise UnknownConstruct(unknown.name, node.line) from None

    def assign(self: Interpreter, target: Node, value: Any) -> None:
        """Put a value into a variable, a property, an element, or several of them."""
        if target.kind == "left_assignment_expression":
            target = target.children[0]
        if target.kind == "variable":
            self.set_variable(variable_name(target), value)
        elif target.kind == "cast_expression" and target.children[1].kind == "variable":
            kind = self.type_name(target.children[0])
            self.set_variable(variable_name(target.children[1]), self.cast(value, kind), kind)
        elif target.kind == "member_access" and target.children[1].text == ".":
            members.set_member(self, self.value(target.children[0]), self.member_name(target.children[2]), value)
        elif target.kind == "member_access" and set_static(
            self.value(target.children[0]), self.member_name(target.children[2])
        ):
            return
        elif target.kind == "element_access":
            members.set_element(self.value(target.children[0]), self.value(target.children[2]), value)
        elif target.kind == "array_literal_expression":
            places = [child for child in target.children if child.kind != ","]
            items = list(enumerate_value(value)) if isinstance(value, list) else [value]
            for number, place in enumerate(places):
                last = number == len(places) - 1
                rest = items[number:] if last else items[number : number + 1]
                self.assign(place, rest[0] if len(rest) == 1 else (rest if rest else None))
        else:
            raise UnknownConstruct(f"an assignment to a {target.kind}", target.line)

    def member_name(self: Interpreter, node: Node) -> str:
        child = node.children[0] if node.children else node
        return child.text if child.kind in ("simple_name", "member_name") else self.text(self.value(child))

    def call_arguments(self: Interpreter, node: Node) -> list[Any]:
        listed = node.child("argument_expression_list")
        return [self.value(child) for child in listed.children if child.kind != ","] if listed else []


def variable_name(node: Node) -> str:
    text = node.text
    return (text[2:-1].replace("`", "") if text.startswith("${") else text[1:]).lower()


def _variable(run: Interpreter, node: Node) -> Any:
    if node.text.startswith("@"):
        raise UnknownConstruct("splatting outside a command", node.line)
    return run.variable(variable_name(node), node.line)


def _verbatim(run: Interpreter, node: Node) -> str:
    return node.text[1:-1].replace("''", "'")


def _verbatim_here(run: Interpreter, node: Node) -> str:
    return node.text[node.text.index("\n") + 1 : -2].removesuffix("\n").removesuffix("\r")


def _expandable(run: Interpreter, node: Node) -> str:
    source, here = node.text.encode("utf-8", "surrogatepass"), node.kind.startswith("expandable_here")
    start, stop = (source.index(b"\n") + 1, len(source) - 2) if here else (1, len(source) - 1)
    if here:
        stop -= 2 if source[:stop].endswith(b"\r\n") else 1
    pieces, place = [], start
    for child in (*node.children, None):
        if child is not None and child.kind not in ("variable", "sub_expression"):
            continue
        end = child.start - node.start if child else stop
        plain = source[place:end].decode("utf-8", "surrogatepass")
        pieces.append(plain.replace('""', "\0").replace("\0", '""') if here and '""' in plain else unescape(plain))
        if here and ('""' in plain) and "`" in plain:
            raise UnknownConstruct("quotes and escapes in one here-string", node.line)
        if child is not None:
            following = source[child.stop - node.start : child.stop - node.start + 1]
            if (child.kind == "variable" and following in (b":", b"?")) or child.text in ("$$", "$^"):
                raise UnknownConstruct(f"{child.text}{following.decode()} in a string", node.line)
            pieces.append(run.text(run.value(child)))
            place = child.stop - node.start
    return "".join(pieces)


def _number(run: Interpreter, node: Node) -> Any:
    return literal_number(node.text, node.line)


def _array(run: Interpreter, node: Node) -> list[Any]:
    items: list[Any] = []
    for child in node.children:
        if child.kind not in ("@(", ")"):
            if child.kind == "statement_list":
                run.run_list(child.children, items.append)
            else:
                run.run(child, items.append)
    return items


def _array_literal(run: Interpreter, node: Node) -> list[Any]:
    return [_element(run.value(child)) for child in node.children if child.kind != ","]


def _element(value: Any) -> Any:
    return None if value is NOTHING else value


def _parenthesized(run: Interpreter, node: Node) -> Any:
    inner = node.children[1]
    if inner.kind == "assignment_expression":
        run.run(inner, lambda _: None)
        return run.value(inner.children[0].children[0])
    return run.value(inner)


def _sub_expression(run: Interpreter, node: Node) -> Any:
    items: list[Any] = []
    for child in node.children[1:-1]:
        run.run(child, items.append)
    return from_items(items)


def _hashtable(run: Interpreter, node: Node, ordered: bool = False) -> Hashtable:
    table = Hashtable(ordered=ordered)
    body = node.child("hash_literal_body")
    for entry in body.children if body else []:
        key_node, value_node = entry.children[0], entry.children[2]
        key = key_node.text if key_node.kind == "simple_name" else run.value(key_node)
        if table.has(key):
            position = key_node.start - node.start
            if key_node.kind == "simple_name" and node.line == 1 and node.start == 0 and "\n" not in node.text:
                shown = f"At line:1 char:{position + 1}\n+ {node.text}\n+ {' ' * position}{'~' * len(key_node.text)}\n"
                raise run.parse_error(
                    "DuplicateKeyInHashLiteral", f"{shown}Duplicate keys '{key}' are not allowed in hash literals."
                )
            raise UnknownConstruct("a key twice in a table", node.line)
        if is_null(key):
            raise UnknownConstruct("$null as a key", node.line)
        table.set(key, _element(run.value(value_node)))
    return table


def _cast(run: Interpreter, node: Node) -> Any:
    type_node, operand = node.children[0], node.children[1]
    name = type_node.text.strip()[1:-1].lower()
    if operand.kind == "hash_literal_expression" and name in ("ordered", "pscustomobject"):
        table = _hashtable(run, operand, ordered=True)
        return table if name == "ordered" else PsObject(table.pairs())
    if name == "ref":
        if operand.kind != "variable":
            raise UnknownConstruct("[ref] to something that is no variable", node.line)
        key = variable_name(operand)
        return Reference(None if key == "null" else lambda value: run.set_variable(key, value), run.value(operand))
    return run.cast(run.value(operand), run.type_name(type_node))


def _unary(run: Interpreter, node: Node) -> Any:
    operator, inner = node.children[0].text.lower(), node.children[1]
    operand = run.value(inner)
    if operator == "-" and inner.kind == "decimal_integer_literal" and isinstance(operand, int):
        return type(operand)(-operand)  # the sign belongs to the number: -2147483648 is an Int32
    if operator == ",":
        return [_element(operand)]
    if operator in ("-not", "!"):
        return not truth(operand)
    if operator in ("-", "+"):
        number = operators.operand(operand)
        return operators.arithmetic("-" if operator == "-" else "+", 0, number)
    if operator == "-bnot":
        number = operators.operand(operand)
        if not isinstance(number, int):
            number = to_number(number, "System.Int32")
        return operators.integer(~number, number)
    if operator == "-join":
        return "".join(run.text(item) for item in enumerate_value(operand))
    if operator == "-split":
        return [part for item in enumerate_value(operand) for part in to_text(item).split()]
    raise UnknownConstruct(f"the operator {operator}", node.line)


def _binary(run: Interpreter, node: Node) -> Any:
    left, operator, right = node.children
    return operators.arithmetic(operator.text, run.value(left), run.value(right))


def _logical(run: Interpreter, node: Node) -> bool:
    left, operator, right = node.children
    first, name = truth(run.value(left)), operator.text.lower()
    if name == "-xor":
        return first != truth(run.value(right))
    if (name == "-and") != first:
        return first
    return truth(run.value(right))


def _bitwise(run: Interpreter, node: Node) -> Any:
    left, operator, right = node.children
    return operators.bitwise(operator.text.lower(), run.value(left), run.value(right))


def _comparison(run: Interpreter, node: Node) -> Any:
    left, operator, right = node.children
    name = operator.text.lower()
    one = run.value(left)
    if name in ("-is", "-isnot", "-as"):
        other = run.value(right)
        if not isinstance(other, PsType):
            raise UnknownConstruct(f"{name} a value that is no type", node.line)
        if name == "-as":
            try:
                return run.cast(one, other.name)
            except ScriptError:
                return None
        return is_instance(one, other.name) == (name == "-is")
    two = run.value(right)
    base = re.sub(r"^-[ci](?=match|notmatch|replace|split)", "-", name)
    case = base != name and name[1] == "c"
    if base in ("-match", "-notmatch"):
        return _match(run, one, two, case, base == "-notmatch")
    if base == "-replace":
        parts = list(enumerate_value(two))
        if any(not isinstance(part, (str, Char, int)) for part in parts) or not 1 <= len(parts) <= 2:
            raise UnknownConstruct("-replace with this right side", node.line)
        pattern, new = operators.regex(to_text(parts[0]), case), to_text(parts[1]) if len(parts) == 2 else ""
        results = [
            pattern.sub(lambda found: operators.expand_replacement(found, new), run.text(item)) for item in _each(one)
        ]
        return results if isinstance(one, list) else results[0]
    if base == "-split":
        return [part for item in _each(one) for part in operators.split(run.text(item), two, case)]
    if name == "-join":
        return run.text(two).join(run.text(item) for item in enumerate_value(one))
    if name in ("-shl", "-shr"):
        return operators.bitwise(name, one, two)
    return operators.compare(name, one, two)


def _each(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _match(run: Interpreter, left: Any, right: Any, case: bool, negated: bool) -> Any:
    pattern = operators.regex(to_text(right), case)
    if isinstance(left, list):
        return [item for item in left if bool(pattern.search(to_text(item))) != negated]
    found = pattern.search(run.text(left))
    if found:
        groups = [
            (number, found[number]) for number in range(pattern.groups + 1) if number not in pattern.groupindex.values()
        ]
        named = [(name, found[name]) for name in pattern.groupindex]
        run.set_variable("matches", Hashtable((key, text) for key, text in (*groups, *named) if text is not None))
    return bool(found) != negated


def _range(run: Interpreter, node: Node) -> list[int]:
    ends = [run.value(child) for child in (node.children[0], node.children[-1])]
    if any(isinstance(end, Char) for end in ends):
        raise UnknownConstruct("a range of characters", node.line)
    low, high = (to_number(end, "System.Int32") for end in ends)
    if abs(high - low) > LARGEST_RANGE:
        raise UnknownConstruct("a range this long", node.line)
    return list(range(low, high + 1)) if low <= high else list(range(low, high - 1, -1))


def _type(run: Interpreter, node: Node) -> PsType:
    return PsType(run.type_name(node))


def _member(run: Interpreter, node: Node) -> Any:
    target, operator, name = node.children
    if operator.text == "::":
        return from_python(members.static_member(run, run.value(target), run.member_name(name)))
    return from_python(members.get_member(run, run.value(target), run.member_name(name)))


def _invocation(run: Interpreter, node: Node) -> Any:
    if node.children[0].kind in ("invocation_foreach_expression", "invocation_where_expression"):
        inner = node.children[0]
        method = "ForEach" if "foreach" in inner.kind else "Where"
        return members.call_method(run, run.value(inner.children[0]), method, run.call_arguments(inner.children[-1]))
    target, operator, name, arguments = node.children
    owner, given = run.value(target), run.call_arguments(arguments)
    if operator.text == "::":
        return from_python(members.call_static(run, owner, run.member_name(name), given))
    return from_python(members.call_method(run, owner, run.member_name(name), given))


def _index(run: Interpreter, node: Node) -> Any:
    return from_python(members.get_element(run, run.value(node.children[0]), run.value(node.children[2])))


def _step(run: Interpreter, node: Node) -> Any:
    place = next(child for child in node.children if child.kind not in ("++", "--"))
    sign = "+" if any(child.kind == "++" for child in node.children) else "-"
    before = run.value(place)
    if not is_null(before) and not is_number(before):
        raise UnknownConstruct("++ or -- on a value that is no number", node.line)
    after = operators.arithmetic(sign, 0 if is_null(before) else before, 1)
    run.assign(place, after)
    return (0 if is_null(before) else before) if node.kind.startswith("post") else after


def _script_block(run: Interpreter, node: Node) -> Any:
    return run.script_block(node)


def _format(run: Interpreter, node: Node) -> str:
    return format_operator(run.value(node.children[0]), run.value(node.children[2]))


EVALUATORS: dict[str, Callable[[Any, Node], Any]] = {
    "variable": _variable,
    "verbatim_string_characters": _verbatim,
    "verbatim_here_string_characters": _verbatim_here,
    "expandable_string_literal": _expandable,
    "expandable_here_string_literal": _expandable,
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
    "additive_expression": _binary,
    "multiplicative_expression": _binary,
    "logical_expression": _logical,
    "bitwise_expression": _bitwise,
    "comparison_expression": _comparison,
    "format_expression": _format,
    "range_expression": _range,
    "type_literal": _type,
    "member_access": _member,
    "invocation_expression": _invocation,
    "element_access": _index,
    "post_increment_expression": _step,
    "post_decrement_expression": _step,
    "pre_increment_expression": _step,
    "pre_decrement_expression": _step,
    "script_block_expression": _script_block,
}
