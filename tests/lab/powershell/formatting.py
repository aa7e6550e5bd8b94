"""The operator -f and ToString(format): numbers and dates in the invariant culture."""

from __future__ import annotations

import re
import uuid
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from .convert import timespan_text, to_text
from .errors import fail
from .values import (
    TICKS_PER_SECOND,
    DateTime,
    EnumValue,
    TimeSpan,
    UnknownConstruct,
    Unsure,
    enumerate_value,
    integer_type,
    is_number,
)

_ITEM = re.compile(r"\{\{|\}\}|\{(\d+)\s*(?:,\s*(-?\d+)\s*)?(?::([^{}]*))?\}|[{}]")


def format_operator(template: Any, arguments: Any) -> str:
    """`template -f arguments`."""
    values = list(enumerate_value(arguments))

    def fill(match: re.Match[str]) -> str:
        if match[0] in ("{{", "}}"):
            return match[0][0]
        if match[1] is None or int(match[1]) >= len(values):
            raise fail(
                "FormatError",
                Unsure("Error formatting a string: Index (zero based) must be greater than or equal to zero."),
            )
        text = format_value(values[int(match[1])], match[3] or "")
        width = int(match[2] or 0)
        return text.ljust(-width) if width < 0 else text.rjust(width)

    return _ITEM.sub(fill, to_text(template))


def format_value(value: Any, pattern: str) -> str:
    """One value by a format; without one, as text where no culture has a say."""
    if isinstance(value, DateTime):
        return format_date(value, pattern)
    if isinstance(value, TimeSpan):
        return format_timespan(value, pattern)
    if isinstance(value, uuid.UUID) and pattern.upper() in ("", "D", "N", "B"):
        return {"N": value.hex, "B": f"{{{value}}}"}.get(pattern.upper(), str(value))
    if is_number(value):
        return format_number(value, pattern)
    if isinstance(value, list) or (pattern and isinstance(value, (EnumValue, uuid.UUID))):
        raise UnknownConstruct("this value under a format")
    return to_text(value)


def format_number(value: Any, pattern: str) -> str:
    standard = re.fullmatch(r"([A-Za-z])(\d{0,2})", pattern)
    if not pattern or (standard and standard[1] in "gG" and not standard[2]):
        return to_text(value)
    if standard:
        letter, digits = standard[1].upper(), int(standard[2]) if standard[2] else -1
        if letter == "X" and isinstance(value, int):
            bits = {"System.Int32": 32, "System.Int64": 64}.get(integer_type(value), 64)
            text = f"{value & (2**bits - 1):x}".rjust(max(digits, 0), "0")
            return text.upper() if standard[1] == "X" else text
        if letter == "D" and isinstance(value, int):
            return ("-" if value < 0 else "") + str(abs(value)).rjust(max(digits, 0), "0")
        if letter in "NF":
            return _fixed(value, 2 if digits < 0 else digits, grouped=letter == "N")
        if letter in "DX":
            raise fail("FormatError", Unsure("Error formatting a string: Format specifier was invalid."))
        raise UnknownConstruct(f"the number format {pattern!r}")
    custom = re.fullmatch(r"(#,##)?(#*0*)(?:\.(0*)(#*))?", pattern)
    if not custom or (not custom[2] and not custom[1]):
        raise UnknownConstruct(f"the number format {pattern!r}")
    least, most = len(custom[3] or ""), len((custom[3] or "") + (custom[4] or ""))
    text = _fixed(value, most, grouped=bool(custom[1]))
    whole, _, fraction = text.partition(".")
    fraction = fraction[:least] + fraction[least:].rstrip("0")
    sign, whole = ("-", whole[1:]) if whole.startswith("-") else ("", whole)
    whole = whole.rjust(custom[2].count("0"), "0")
    if whole == "0" and not custom[2].count("0"):
        raise UnknownConstruct(f"zero under the number format {pattern!r}")
    return sign + whole + ("." + fraction if fraction else "")


def _fixed(value: Any, digits: int, grouped: bool) -> str:
    """A number with so many decimals; refused where 5.1 (15 digits first) and later versions round differently."""
    unit = Decimal(1).scaleb(-digits)
    exact = Decimal(value).quantize(unit, ROUND_HALF_UP)
    if isinstance(value, float) and exact != Decimal(f"{value:.15g}").quantize(unit, ROUND_HALF_UP):
        raise UnknownConstruct("a Double that versions of PowerShell round differently")
    if value < 0 and exact == 0:
        raise UnknownConstruct("a negative number that rounds to zero")
    return f"{exact:,f}" if grouped else f"{exact:f}"


_DATE_PARTS = {
    "yyyy": "{0.year:04d}", "yy": "{1:02d}", "MM": "{0.month:02d}", "M": "{0.month}",
    "dd": "{0.day:02d}", "d": "{0.day}",
    "HH": "{0.hour:02d}", "H": "{0.hour}", "mm": "{0.minute:02d}", "m": "{0.minute}",
    "ss": "{0.second:02d}", "s": "{0.second}",
}  # fmt: skip
_DATE_STANDARD = {"s": "yyyy-MM-ddTHH:mm:ss", "u": "yyyy-MM-dd HH:mm:ssZ", "o": "yyyy-MM-ddTHH:mm:ss.fffffffK"}


def format_date(value: DateTime, pattern: str) -> str:
    """A date by a format that means the same in every culture."""
    if len(pattern) < 2:
        if pattern.lower() not in _DATE_STANDARD or pattern in ("S", "U"):
            raise UnknownConstruct(f"a date in the form {pattern!r}, which depends on the culture")
        pattern = _DATE_STANDARD[pattern.lower()]
    moment, fraction = value.as_python(), value.ticks % TICKS_PER_SECOND

    def part(match: re.Match[str]) -> str:
        token = match[0]
        if token[0] in "'\"":
            return token[1:-1]
        if token in _DATE_PARTS:
            return _DATE_PARTS[token].format(moment, moment.year % 100)
        if set(token) == {"f"} and len(token) <= 7:
            return f"{fraction:07d}"[: len(token)]
        if token in ("K", "zzz"):
            offset = {"Utc": "Z", "Local": "+00:00", "Unspecified": ""}[value.kind]
            if token == "zzz" and value.kind != "Local":
                raise UnknownConstruct("the offset of a date that is not local")
            return offset
        if (token.isalpha() and token not in ("T", "Z")) or token in "/%\\":
            raise UnknownConstruct(f"the part {token!r} of a date format")
        return token

    return re.sub(r"'[^']*'|\"[^\"]*\"|([A-Za-z])\1*|.", part, pattern)


def format_timespan(value: TimeSpan, pattern: str) -> str:
    if pattern in ("", "c"):
        return timespan_text(value)
    raise UnknownConstruct(f"the TimeSpan format {pattern!r}")
