"""Operators: arithmetic, comparison, and those on strings."""

from __future__ import annotations

import math
import re
import unicodedata
import uuid
from collections.abc import Callable
from typing import Any

from .convert import narrow, parse_number, to_datetime, to_enum, to_guid, to_number, to_text, truth
from .errors import DotNetException, ScriptError, fail
from .values import (
    Char,
    DateTime,
    EnumValue,
    Hashtable,
    Int64,
    PsType,
    Switch,
    TimeSpan,
    UnknownConstruct,
    Unsure,
    enumerate_value,
    is_null,
    is_number,
    type_names,
)

_DIVIDED = DotNetException("System.DivideByZeroException", "Attempted to divide by zero.")
LARGEST = 1_000_000  # elements or characters that one operator may make


def integer(value: int, *operands: Any) -> Any:
    """The result of integer arithmetic: Int32 while it fits and no operand is wider, then Int64, then Double."""
    kinds = {narrow(operand) for operand in operands}
    if not kinds <= {"System.Int32", "System.Int64"}:
        raise UnknownConstruct("arithmetic with unsigned integers")
    if kinds == {"System.Int32"}:
        return value if -(2**31) <= value < 2**31 else float(value)
    return Int64(value) if -(2**63) <= value < 2**63 else float(value)


def operand(value: Any) -> Any:
    """A value as a number: strings are converted, as the right side of an operator on numbers is."""
    if is_null(value):
        return 0
    if isinstance(value, bool):
        return int(value)
    if is_number(value):
        return value
    if isinstance(value, Char):
        return ord(value.value)
    if isinstance(value, str):
        number = parse_number(value) if value.strip() else 0
        if number is None:
            raise to_number_error(value)
        return number
    raise UnknownConstruct(f"arithmetic with a {type_names(value)[0]}")


def to_number_error(value: str) -> ScriptError:
    try:
        to_number(value, "System.Int32")
    except ScriptError as error:
        return error
    raise UnknownConstruct("a string that is a number after all")


def arithmetic(operator: str, left: Any, right: Any) -> Any:
    """+ - * / % as the left operand's type decides."""
    if operator == "+" and (isinstance(left, (str, Char, list, Hashtable)) or is_null(left)):
        return _add(left, right)
    if operator == "*" and isinstance(left, (str, list)):
        return _repeat(left, right)
    if isinstance(left, (DateTime, TimeSpan)):
        return _times(operator, left, right)
    if isinstance(left, (list, Hashtable, EnumValue)) or isinstance(right, (list, Hashtable)):
        if is_number(left) and isinstance(right, (list, Hashtable)):
            raise UnknownConstruct("arithmetic with a list on the right")
        name = {"+": "op_Addition", "-": "op_Subtraction", "*": "op_Multiply", "/": "op_Division", "%": "op_Modulus"}[
            operator
        ]
        if isinstance(left, (list, Hashtable)):
            raise fail(
                "MethodNotFound",
                f"Method invocation failed because [{type_names(left)[0]}] does not contain a method named '{name}'.",
            )
        raise UnknownConstruct("arithmetic with an enumeration")
    return _numbers(operator, operand(left), operand(right))


def _numbers(operator: str, left: Any, right: Any) -> Any:
    if isinstance(left, float) or isinstance(right, float):
        return _doubles(operator, float(left), float(right))
    if operator in "/%" and right == 0:
        raise fail("RuntimeException", "Attempted to divide by zero.", "NotSpecified", inner=_DIVIDED)
    if operator == "+":
        return integer(left + right, left, right)
    if operator == "-":
        return integer(left - right, left, right)
    if operator == "*":
        return integer(left * right, left, right)
    if operator == "%":
        rest = abs(left) % abs(right)
        return integer(-rest if left < 0 else rest, left, right)
    return integer(left // right, left, right) if left % right == 0 else float(left) / float(right)


def _doubles(operator: str, left: float, right: float) -> float:
    if operator == "+":
        return left + right
    if operator == "-":
        return left - right
    try:
        if operator == "*":
            return left * right
        return left / right if operator == "/" else math.fmod(left, right)
    except (ZeroDivisionError, ValueError):
        return math.nan if operator == "%" or left == 0 else math.copysign(math.inf, left)


def _add(left: Any, right: Any) -> Any:
    if is_null(left):
        return None if is_null(right) else right
    if isinstance(left, str):
        return to_text(left) + to_text(right)
    if isinstance(left, Char):
        if isinstance(right, (str, Char)):
            return to_text(left) + to_text(right)
        raise UnknownConstruct("a Char plus this value")
    if isinstance(left, list):
        return [*left, *enumerate_value(right)] if right is not None else [*left, None]
    if not isinstance(right, Hashtable):
        raise fail(
            "AddHashTableToNonHashTable", "A hash table can only be added to another hash table.", "InvalidOperation"
        )
    for key, _ in right.pairs():
        if left.has(key):
            raise fail(Unsure("System.ArgumentException"), Unsure("Item has already been added."))
    if left.ordered or right.ordered:
        raise UnknownConstruct("the sum of ordered tables")
    return Hashtable([*left.pairs(), *right.pairs()])


def _repeat(left: Any, right: Any) -> Any:
    count = to_number(right, "System.Int32")
    if count < 0 or count * max(len(left), 1) > LARGEST:
        raise UnknownConstruct("this many repetitions")
    return left * count if isinstance(left, str) else list(left) * count


def _times(operator: str, left: Any, right: Any) -> Any:
    if operator == "-" and isinstance(left, DateTime) and isinstance(right, DateTime):
        return TimeSpan(left.ticks - right.ticks)
    if operator in "+-" and isinstance(right, TimeSpan):
        ticks = left.ticks + right.ticks if operator == "+" else left.ticks - right.ticks
        return DateTime(ticks, left.kind) if isinstance(left, DateTime) else TimeSpan(ticks)
    raise UnknownConstruct("this arithmetic with times")


def bitwise(operator: str, left: Any, right: Any) -> Any:
    numbers = [
        value if isinstance(value, int) else to_number(value, "System.Int32")
        for value in (operand(left), operand(right))
    ]
    if not {narrow(number) for number in numbers} <= {"System.Int32", "System.Int64"}:
        raise UnknownConstruct("bits of unsigned integers")
    one, two = numbers
    wide = "System.Int64" in (narrow(one), narrow(two))
    if operator in ("-shl", "-shr"):
        bits = 64 if narrow(one) == "System.Int64" else 32
        moved = one >> (two & bits - 1) if operator == "-shr" else one << (two & bits - 1)
        moved &= 2**bits - 1
        moved -= 2**bits if moved >= 2 ** (bits - 1) else 0
        return Int64(moved) if bits == 64 else moved
    result = {"-band": one & two, "-bor": one | two, "-bxor": one ^ two}[operator]
    return Int64(result) if wide else int(result)


_SIMPLE = re.compile(r"[A-Za-z0-9 ]*")


def same_text(left: str, right: str, case: bool = False) -> bool:
    """Whether two strings are equal for -eq: by the invariant culture, which ignores some characters."""
    one, two = (left, right) if case else (left.lower(), right.lower())
    if one == two:
        return True
    if (
        left.isascii()
        and right.isascii()
        and all(ord(character) >= 32 or character in "\t\r\n" for character in one + two)
    ):
        return False
    folded = [unicodedata.normalize("NFKC", text).casefold() for text in (one, two)]
    if folded[0] == folded[1] or not all(character.isprintable() for character in one + two):
        raise UnknownConstruct("this comparison of strings beyond ASCII")
    return False


def equal(left: Any, right: Any, case: bool = False) -> bool:
    """The operator -eq on two values, neither taken as a list."""
    if is_null(left) or is_null(right):
        return is_null(left) and is_null(right)
    if isinstance(left, str):
        return same_text(left, to_text(right), case)
    if isinstance(left, (bool, Switch)):
        return truth(left) == truth(right)
    if is_number(left):
        if isinstance(right, EnumValue):
            return bool(left == right.number)
        try:
            return bool(left == operand(right)) if not isinstance(right, (list, Hashtable)) else False
        except ScriptError:
            return False
    if isinstance(left, Char):
        if isinstance(right, Char) or (isinstance(right, str) and len(right) == 1):
            other = to_text(right)
            if left.value != other and left.value.lower() == other.lower() and not case:
                raise UnknownConstruct("characters that differ in case only")
            return left.value == other
        raise UnknownConstruct("the comparison of a Char with this value")
    try:
        if isinstance(left, EnumValue):
            return to_enum(right, left.type).number == left.number
        if isinstance(left, uuid.UUID):
            return left == to_guid(right)
        if isinstance(left, DateTime):
            return left.ticks == to_datetime(right).ticks
    except ScriptError:
        return False
    if isinstance(left, TimeSpan) and isinstance(right, TimeSpan):
        return left.ticks == right.ticks
    if isinstance(left, PsType) and isinstance(right, PsType):
        return left.name == right.name
    if isinstance(left, (TimeSpan, PsType)):
        raise UnknownConstruct(f"the comparison of a {type_names(left)[0]} with this value")
    return left is right


def order(left: Any, right: Any, case: bool = False) -> int:
    """Below zero, zero, or above it: how -lt and its kin, and sorting, see two values."""
    if is_null(left) or is_null(right):
        if is_null(left) and is_null(right):
            return 0
        other = right if is_null(left) else left
        if (is_number(other) and other > 0) or (isinstance(other, str) and other):
            return -1 if is_null(left) else 1
        raise UnknownConstruct("the order of $null and this value")
    if isinstance(left, str) and not isinstance(right, list):
        return text_order(left, to_text(right), case)
    if isinstance(left, (int, float)) and isinstance(right, (int, float, str)):
        try:
            one, two = operand(left), operand(right)
        except ScriptError as error:
            text = f'Could not compare "{to_text(left)}" to "{to_text(right)}". Error: "{error.record.message}"'
            raise fail("ComparisonFailure", Unsure(text)) from None
        return (one > two) - (one < two)
    if isinstance(left, DateTime):
        right = to_datetime(right)
    if type(left) is type(right) and isinstance(left, (DateTime, TimeSpan)):
        return (left.ticks > right.ticks) - (left.ticks < right.ticks)
    if isinstance(left, EnumValue):
        other_number = to_enum(right, left.type).number
        return (left.number > other_number) - (left.number < other_number)
    raise UnknownConstruct(f"the order of a {type_names(left)[0]} and this value")


def text_order(left: str, right: str, case: bool = False) -> int:
    """The order of two strings by the invariant culture, known for letters, digits and spaces of ASCII."""
    if left == right:
        return 0
    one, two = left.lower(), right.lower()
    if not (_SIMPLE.fullmatch(left) and _SIMPLE.fullmatch(right)):
        raise UnknownConstruct("the order of strings beyond letters and digits")
    if one == two:
        if case:
            raise UnknownConstruct("the order of strings that differ in case only")
        return 0
    return -1 if one < two else 1


_FOREIGN = re.compile(
    r"\\[pPGzZkc\d]|\(\?[^:=!<]|\(\?<[^=!A-Za-z]|\[[^\]]*(-\[|\\b)|\{,|[*+?}]\+|\(\?<\w+-|\(\?>|\[:|&&|~~|--|\|\||\[\["
)


def regex(pattern: str, case: bool = False) -> re.Pattern[str]:
    """A regular expression of .NET as one of Python, where both mean the same."""
    if _FOREIGN.search(pattern.replace("\\\\", "")):
        raise UnknownConstruct(f"the regular expression {pattern!r}")
    translated = re.sub(r"\(\?<(?=[A-Za-z])", "(?P<", pattern)
    try:
        return re.compile(translated, 0 if case else re.IGNORECASE)
    except re.error as error:
        raise UnknownConstruct(f"the regular expression {pattern!r}: {error}") from None


def expand_replacement(match: re.Match[str], replacement: str) -> str:
    """The text that -replace puts in place of a match: $1, ${name}, $& and $$."""

    def group(found: re.Match[str]) -> str:
        token = found[0]
        if token == "$$":
            return "$"
        if token in ("$&", "$0"):
            return match[0]
        name = token.strip("${}")
        index: int | str = int(name) if name.isdigit() else name
        try:
            return match[index] or ""
        except IndexError:
            return token

    if re.search(r"\$[`'+_]", replacement):
        raise UnknownConstruct(f"the replacement {replacement!r}")
    return re.sub(r"\$(\$|&|\d+|\{\w+\})", group, replacement)


def like(text: str, pattern: str, case: bool = False) -> bool:
    """The operator -like: * ? [a-z] and backtick escapes."""
    parts, index = [], 0
    while index < len(pattern):
        character = pattern[index]
        if character in "*?":
            parts.append(".*" if character == "*" else ".")
        elif character in "[`":
            end = pattern.find("]", index)
            if character == "`" or not re.fullmatch(r"\[[A-Za-z0-9-]+\]", pattern[index : end + 1]):
                raise UnknownConstruct(f"the wildcard pattern {pattern!r}")
            parts.append(pattern[index : end + 1])
            index = end
        else:
            parts.append(re.escape(character))
        index += 1
    return re.fullmatch("".join(parts), text, re.DOTALL | (0 if case else re.IGNORECASE)) is not None


def split(text: str, right: Any, case: bool = False) -> list[str]:
    """The binary -split: by a regular expression, with a largest number of parts."""
    arguments = list(enumerate_value(right))
    limit = to_number(arguments[1], "System.Int32") if len(arguments) > 1 else 0
    if len(arguments) > 2 or limit < 0 or not isinstance(arguments[0], (str, Char, int)):
        raise UnknownConstruct("-split with options")
    pattern = regex(to_text(arguments[0]), case)
    if not pattern.pattern or pattern.match(""):
        raise UnknownConstruct("-split by a pattern that matches nothing")
    if limit == 1:
        return [text]
    return [part or "" for part in pattern.split(text, max(limit - 1, 0))]


def compare(operator: str, left: Any, right: Any) -> Any:
    """A comparison operator without its i or c prefix being lost: a list on the left is filtered."""
    name = operator[1:].lower()
    known = name in _TESTS or name in _MEMBERSHIP
    case = not known and name[0] == "c"
    base = name if known else name[1:]
    if base in _MEMBERSHIP:
        items, wanted = (left, right) if base.endswith("contains") else (right, left)
        found = any(equal(item, wanted, case) for item in enumerate_value(items))
        return found != base.startswith("not")
    if base not in _TESTS or (name != base and name[0] not in "ic"):
        raise UnknownConstruct(f"the operator {operator}")
    test = _TESTS[base]
    if isinstance(left, list):
        return [item for item in left if test(item, right, case)]
    return test(left, right, case)


_MEMBERSHIP = ("contains", "notcontains", "in", "notin")
_TESTS: dict[str, Callable[[Any, Any, bool], bool]] = {
    "eq": equal,
    "ne": lambda left, right, case: not equal(left, right, case),
    "lt": lambda left, right, case: order(left, right, case) < 0,
    "le": lambda left, right, case: order(left, right, case) <= 0,
    "gt": lambda left, right, case: order(left, right, case) > 0,
    "ge": lambda left, right, case: order(left, right, case) >= 0,
    "like": lambda left, right, case: like(to_text(left), to_text(right), case),
    "notlike": lambda left, right, case: not like(to_text(left), to_text(right), case),
}
