"""Operators: arithmetic, comparison, and those on strings."""

from __future__ import annotations

import math
import re
import unicodedata
import uuid
from collections.abc import Callable
from typing import Any

from .convert import parse_number, to_enum, to_text, truth
from .errors import DotNetException, ScriptError, fail
from .kinds import enumerate_value, is_null, is_number, type_name
from .unknown import UnknownConstruct, Unsure
from .values import INTEGERS, NOTHING, DateTime, EnumValue, Hashtable, Int64, TimeSpan


def _integer(value: int, *operands: int) -> Any:
    """The result of integer arithmetic: Int32 if all operands are and it fits, Int64 if one is, else Double."""
    wide = any(type_name(operand) == "System.Int64" for operand in operands)
    low, high = INTEGERS["System.Int64" if wide else "System.Int32"]
    if not low <= value <= high:
        return float(value)
    return Int64(value) if wide else value


def _operand(value: Any) -> Any:
    """A value as a number: strings are converted, as the right side of an operator on numbers is."""
    if is_number(value) or is_null(value) or isinstance(value, bool):
        return value if is_number(value) else int(value is True)
    number = parse_number(value) if isinstance(value, str) and value else None
    if number is None:
        raise UnknownConstruct("arithmetic with this value")
    return number


def arithmetic(operator: str, left: Any, right: Any) -> Any:
    """+ - * / % as the left operand's type decides."""
    if operator == "+" and (isinstance(left, (str, list)) or is_null(left)):
        return _add(left, right)
    if operator == "*" and isinstance(left, (str, list)):
        raise UnknownConstruct("a text or a list many times")
    if operator == "-" and isinstance(left, DateTime) and isinstance(right, DateTime):
        return TimeSpan(left.ticks - right.ticks)
    one, two = _operand(left), _operand(right)
    if operator in "/%" and two == 0 and not isinstance(one, float) and not isinstance(two, float):
        divided = DotNetException("System.DivideByZeroException", Unsure("Attempted to divide by zero."))
        raise fail("RuntimeException", divided.message, "NotSpecified", inner=divided)
    if isinstance(one, float) or isinstance(two, float):
        return _doubles(operator, float(one), float(two))
    if operator in "/%":
        rest = abs(one) % abs(two) * (-1 if one < 0 else 1)
        if operator == "/" and rest:
            return float(one) / float(two)
        return _integer(rest if operator == "%" else one // two, one, two)
    return _integer({"+": one + two, "-": one - two, "*": one * two}[operator], one, two)


def _doubles(operator: str, left: float, right: float) -> float:
    if operator in "/%":
        if right == 0 or not math.isfinite(left):
            raise UnknownConstruct("a division of Doubles without a finite result")
        return left / right if operator == "/" else math.fmod(left, right)
    return left * right if operator == "*" else left + right if operator == "+" else left - right


def _add(left: Any, right: Any) -> Any:
    if is_null(left):
        return None if is_null(right) else right
    if isinstance(left, str):
        return left + to_text(right)
    if right is NOTHING:
        raise UnknownConstruct("a list plus the output of something that gave nothing")
    return [*left, *enumerate_value(right)]


def _has_weight(character: str) -> bool:
    """Whether a character counts in a comparison, and is equal to nothing but itself: ASCII, kanji, kana, symbols."""
    if character.isascii():
        return character.isprintable() or character in "\t\r\n"
    return unicodedata.category(character) in ("Lo", "Lm", "So")


def _same_text(left: str, right: str) -> bool:
    """Whether two strings are equal for -eq: by the invariant culture, which ignores some characters."""
    if left == right:
        return True
    both = left + right
    if not (both.isascii() and both.isprintable()) and not all(_has_weight(character) for character in both):
        raise UnknownConstruct("this comparison of strings beyond ASCII")
    return left.lower() == right.lower()


def equal(left: Any, right: Any) -> bool:
    """The operator -eq on two values, neither taken as a list."""
    if is_null(left) or is_null(right):
        return is_null(left) and is_null(right)
    if isinstance(right, (list, Hashtable)):
        raise UnknownConstruct("a list or a table on the right of a comparison")
    if isinstance(left, (str, bool)):
        return _same_text(left, to_text(right)) if isinstance(left, str) else left == truth(right)
    if is_number(left):
        number = right.number if isinstance(right, EnumValue) else _like_number(left, right)
        return number is not None and _sign(left, number) == 0
    if isinstance(left, EnumValue):
        try:
            return to_enum(right, left.type).number == left.number
        except ScriptError:
            return False
    if type(left) is type(right) and isinstance(left, (DateTime, TimeSpan)):
        return bool(left.ticks == right.ticks)
    if isinstance(left, uuid.UUID) and isinstance(right, uuid.UUID):
        return bool(left == right)
    raise UnknownConstruct("the comparison of these values")


def _like_number(left: Any, right: Any) -> Any:
    """The right side of a comparison with a number as one; None if it is surely none."""
    if not isinstance(right, str):
        return _operand(right)
    number = parse_number(right)
    if isinstance(left, int) and isinstance(number, float):
        raise UnknownConstruct("the comparison of an integer with a decimal number as text")
    return number


def _sign(one: Any, two: Any) -> int:
    if isinstance(one, float) or isinstance(two, float):
        one, two = float(one), float(two)
    return (one > two) - (one < two)


def order(left: Any, right: Any) -> int:
    """Below zero, zero, or above it: how -lt and its kin see two values."""
    if isinstance(left, str) and isinstance(right, (str, int, float)):
        one, two = left.lower(), to_text(right).lower()
        if one != two and not re.fullmatch(r"[a-z0-9]*", one + two):
            raise UnknownConstruct("the order of strings beyond letters and digits")
        return (one > two) - (one < two)
    if is_number(left) and (is_number(right) or isinstance(right, (str, bool))):
        number = _like_number(left, right)
        if number is None or (isinstance(right, str) and abs(number) > INTEGERS["System.Int32"][1]):
            raise UnknownConstruct("the order of a number and this text")
        return _sign(left, number)
    if type(left) is type(right) and isinstance(left, (DateTime, TimeSpan)):
        return _sign(left.ticks, right.ticks)
    raise UnknownConstruct("the order of these values")


# Escapes but for these, groups but for (?: and lookahead, and what only one of both engines knows.
_FOREIGN = re.compile(r"\\(?![dDwWsSbBrnt]|[^A-Za-z0-9_])|\(\?(?![:=!])|\[[^\]]*(-\[|\[|--|&&|\\b)|\{,|[*+?}][+]")


def _regex(pattern: str, text: str) -> re.Pattern[str]:
    """A regular expression of .NET as one of Python, where both see the same in this text."""
    if _FOREIGN.search(pattern.replace("\\\\", "")):
        raise UnknownConstruct(f"the regular expression {pattern!r}")
    foreign = [character for character in text + pattern if not (" " <= character <= "~" or character in "\t\r\n")]
    cased = any(character.lower() != character.upper() for character in foreign)
    if cased or (foreign and re.search(r"\\[dDwWsSbB]", pattern)):
        raise UnknownConstruct("a regular expression on characters beyond ASCII")
    try:
        return re.compile(pattern, re.IGNORECASE)
    except re.error as error:
        raise UnknownConstruct(f"the regular expression {pattern!r}: {error}") from None


def replace(text: str, pattern: str, replacement: str) -> str:
    """The operator -replace, without groups in the replacement."""
    expression = _regex(pattern, text)
    if "$" in replacement or any(not found[0] for found in expression.finditer(text)):
        raise UnknownConstruct("-replace of nothing, or by a group")
    return expression.sub(lambda _: replacement, text)


_TESTS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": equal,
    "ne": lambda left, right: not equal(left, right),
    "lt": lambda left, right: order(left, right) < 0,
    "le": lambda left, right: order(left, right) <= 0,
    "gt": lambda left, right: order(left, right) > 0,
    "ge": lambda left, right: order(left, right) >= 0,
    "match": lambda left, right: _regex(to_text(right), to_text(left)).search(to_text(left)) is not None,
    "notmatch": lambda left, right: _regex(to_text(right), to_text(left)).search(to_text(left)) is None,
}
_MEMBERSHIP = ("contains", "notcontains", "in", "notin")


def compare(name: str, left: Any, right: Any) -> Any:
    """A comparison operator; a list on the left is filtered."""
    base = name[1:].lower()
    if base in _MEMBERSHIP:
        items, wanted = (left, right) if base.endswith("contains") else (right, left)
        if isinstance(wanted, list) or isinstance(items, Hashtable) or (is_null(items) and is_null(wanted)):
            raise UnknownConstruct(f"{name} with these values")
        return any(equal(item, wanted) for item in enumerate_value(items)) != base.startswith("not")
    if base not in _TESTS:
        raise UnknownConstruct(f"the operator {name}")
    if isinstance(left, list):
        return [item for item in left if _TESTS[base](item, right)]
    return _TESTS[base](left, right)
