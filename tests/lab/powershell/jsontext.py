"""ConvertTo-Json and ConvertFrom-Json, as Windows PowerShell 5.1 does them."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

from .convert import double_text, to_text
from .errors import TerminatingError
from .values import (
    NOTHING,
    STRICT,
    DateTime,
    EnumValue,
    Hashtable,
    JsonInteger,
    PsObject,
    UnknownConstruct,
    Unsure,
    differs,
    type_names,
)

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t", "\b": "\\b", "\f": "\\f"}
_ESCAPED_BY_5_1 = "<>&'\u0085\u2028\u2029"
_EPOCH_TICKS = 621355968000000000


def write(value: Any, depth: int) -> str:
    """The JSON of a value on one line; what lies deeper than `depth` becomes text."""
    if value is None:
        return "null"
    if isinstance(value, (bool, int)):
        return str(value).lower() if isinstance(value, bool) else str(int(value))
    if isinstance(value, float):
        if value == int(value):
            differs("the JSON of this Double")
        return double_text(value)
    if isinstance(value, (str, uuid.UUID)):
        return _string(to_text(value))
    if isinstance(value, EnumValue):
        return str(value.number)
    if isinstance(value, DateTime):
        differs("the JSON of a date")
        return f'"\\/Date({(value.ticks - _EPOCH_TICKS) // 10_000})\\/"'
    custom = isinstance(value, PsObject) and value.custom
    if not custom and not isinstance(value, (list, Hashtable)):
        what = "the output of something that gave nothing" if value is NOTHING else f"a {type_names(value)[0]}"
        raise UnknownConstruct(f"the JSON of {what}")
    if depth < 0:
        return _string(to_text(value))
    if isinstance(value, list):
        return "[" + ",".join(write(item, depth - 1) for item in value) + "]"
    return "{" + ",".join(f"{_string(to_text(key))}:{write(item, depth - 1)}" for key, item in value.pairs()) + "}"


def _string(text: str) -> str:
    pieces = []
    for character in text:
        if character in _ESCAPES:
            pieces.append(_ESCAPES[character])
        elif character < " " or character in _ESCAPED_BY_5_1:
            if character >= " ":
                differs("the JSON of < > & or '")
            pieces.append(f"\\u{ord(character):04x}")
        else:
            pieces.append(character)
    return '"' + "".join(pieces) + '"'


def read(text: str) -> Any:
    """The value of a JSON text: objects as PSCustomObjects, numbers as Int32, Int64 or Double."""
    try:
        return json.loads(text, object_pairs_hook=_object, parse_constant=_refuse, parse_int=_integer)
    except json.JSONDecodeError:
        if re.search(r"['\n]|//|/\*|,\s*[\]}]|[{,]\s*\w+\s*:|^\s*$", text):
            raise UnknownConstruct("a JSON text that some versions accept") from None
        kind = "System.ArgumentException"
        raise TerminatingError(Unsure("Invalid JSON."), Unsure(kind), "NotSpecified", kind) from None


def _refuse(name: str) -> Any:
    raise UnknownConstruct(f"{name} in JSON")


def _integer(text: str) -> int:
    if not -(2**63) <= int(text) < 2**63:
        _refuse(f"the integer {text}")
    return JsonInteger(text) if STRICT.get() else int(text)


def _object(pairs: list[tuple[str, Any]]) -> PsObject:
    if len({key.lower() for key, _ in pairs}) != len(pairs) or any(not key for key, _ in pairs):
        raise UnknownConstruct("keys in JSON that are empty, or equal but for their case")
    for text in (item for _, value in pairs for item in (value if isinstance(value, list) else [value])):
        if isinstance(text, str) and re.match(r"/Date\(|\d{4}-\d\d-\d\dT", text):
            if text.startswith("/"):
                _refuse("a date")
            differs("a date in JSON")
    return PsObject(pairs)
