"""ConvertTo-Json and ConvertFrom-Json, as Windows PowerShell 5.1 does them."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from .convert import round_trip_text, to_text
from .errors import TerminatingError
from .values import (
    STRICT,
    Char,
    DateTime,
    EnumValue,
    Hashtable,
    JsonInteger,
    PsObject,
    UnknownConstruct,
    Unsure,
    is_null,
)

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_ESCAPED_BY_5_1 = "<>&'\u0085\u2028\u2029"
_EPOCH_TICKS = 621355968000000000


def write(value: Any, depth: int, compress: bool) -> str:
    """The JSON of a value; what lies deeper than `depth` becomes text."""
    if not compress and (STRICT.get() or not isinstance(value, (str, int, bool))):
        raise UnknownConstruct("ConvertTo-Json without -Compress, whose layout differs between versions")
    if is_null(value) and STRICT.get():
        raise UnknownConstruct("ConvertTo-Json of $null, which differs between versions")
    return _text(value, depth)


def _text(value: Any, depth: int) -> str:
    if is_null(value):
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        if value == int(value) and STRICT.get():
            raise UnknownConstruct("the JSON of a whole Double, which differs between versions")
        return round_trip_text(value)
    if isinstance(value, (str, Char, uuid.UUID)):
        return _string(to_text(value))
    if isinstance(value, EnumValue):
        return str(value.number)
    if isinstance(value, DateTime):
        if STRICT.get():
            raise UnknownConstruct("the JSON of a date, which differs between versions")
        return f'"\\/Date({(value.ticks - _EPOCH_TICKS) // 10_000})\\/"'
    if depth < 0:
        return _string(to_text(value))
    if isinstance(value, list):
        return "[" + ",".join(_text(item, depth - 1) for item in value) + "]"
    if isinstance(value, Hashtable) or (isinstance(value, PsObject) and value.custom):
        return "{" + ",".join(f"{_string(to_text(key))}:{_text(item, depth - 1)}" for key, item in value.pairs()) + "}"
    raise UnknownConstruct("the JSON of an object of .NET: convert it first")


def _string(text: str) -> str:
    pieces = []
    for character in text:
        if character in _ESCAPES:
            pieces.append(_ESCAPES[character])
        elif character < " " or character in _ESCAPED_BY_5_1:
            if STRICT.get() and character >= " ":
                raise UnknownConstruct("the JSON of < > & or ', which differs between versions")
            pieces.append(f"\\u{ord(character):04x}")
        else:
            pieces.append(character)
    return '"' + "".join(pieces) + '"'


def read(text: str, several: bool = False) -> Any:
    """The value of a JSON text: objects as PSCustomObjects, numbers as Int32, Int64 or Double."""
    try:
        value = json.loads(
            text, object_pairs_hook=_object, parse_constant=_refuse, parse_int=JsonInteger if STRICT.get() else int
        )
    except json.JSONDecodeError:
        if several or re.search(r"'|//|/\*|,\s*[\]}]|[{,]\s*\w+\s*:", text):
            raise UnknownConstruct("a JSON text that some versions accept") from None
        raise TerminatingError(
            Unsure("Invalid JSON."), Unsure("System.ArgumentException"), "NotSpecified", "System.ArgumentException"
        ) from None
    return _checked(value)


def _refuse(name: str) -> Any:
    raise UnknownConstruct(f"{name} in JSON")


def _object(pairs: list[tuple[str, Any]]) -> PsObject:
    if len({key.lower() for key, _ in pairs}) != len(pairs) or any(not key for key, _ in pairs):
        raise UnknownConstruct("keys in JSON that are empty, or equal but for their case")
    return PsObject(pairs)


def _checked(value: Any) -> Any:
    if isinstance(value, PsObject):
        for _, item in value.pairs():
            _checked(item)
    elif isinstance(value, list):
        for item in value:
            _checked(item)
    elif isinstance(value, bool):
        return value
    elif isinstance(value, int) and not -(2**63) <= value < 2**63:
        raise UnknownConstruct("an integer in JSON beyond Int64")
    elif isinstance(value, str) and (
        value.startswith("/Date(") or (STRICT.get() and re.match(r"\d{4}-\d\d-\d\dT", value))
    ):
        raise UnknownConstruct("a date in JSON, which versions read differently")
    return value
