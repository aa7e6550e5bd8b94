"""ConvertTo-Json and ConvertFrom-Json, as Windows PowerShell 5.1 does them."""

from __future__ import annotations

import json
import re
from typing import Any

from .convert import double_text, to_text
from .errors import TerminatingError
from .unknown import STRICT, UnknownConstruct, Unsure, differs
from .values import Hashtable, JsonInteger, PsObject


def write(value: Any, depth: int) -> str:
    """The JSON of a value on one line; what lies deeper than `depth` becomes text."""
    if value is None or isinstance(value, bool):
        return json.dumps(value)
    if isinstance(value, int) or (isinstance(value, float) and value != round(value)):
        return str(int(value)) if isinstance(value, int) else double_text(value)
    if isinstance(value, str):
        return _string(value)
    if not isinstance(value, (list, Hashtable)) and not (isinstance(value, PsObject) and value.custom):
        raise UnknownConstruct(f"the JSON of a {type(value).__name__}: scripts give plain values")
    if depth < 0:
        return _string(to_text(value))
    if isinstance(value, list):
        return "[" + ",".join(write(item, depth - 1) for item in value) + "]"
    return (
        "{" + ",".join(f"{_string(to_text(key))}:{write(item, depth - 1)}" for key, item in value.shown_pairs()) + "}"
    )


_ESCAPED = re.compile("[<>&'\u0085\u2028\u2029]")
_ENCODER = json.JSONEncoder(ensure_ascii=False)


def _string(text: str) -> str:
    if _ESCAPED.search(text):
        differs("the JSON of < > & or ', which 5.1 escapes")
    return _ENCODER.encode(text)


def read(text: str) -> Any:
    """The value of a JSON text: objects as PSCustomObjects, numbers as Int32, Int64 or Double."""
    try:
        return _DECODER.decode(text)
    except json.JSONDecodeError:
        if re.search(r"['\n]|//|/\*|,\s*[\]}]|[{,]\s*\w+\s*:|^\s*$", text):
            raise UnknownConstruct("a JSON text that some versions accept") from None
        kind = "System.ArgumentException"
        raise TerminatingError(Unsure("Invalid JSON."), Unsure(kind), "NotSpecified", kind) from None


def _refuse(name: str) -> Any:
    raise UnknownConstruct(f"{name} in JSON")


def _decimal(text: str) -> float:
    if not re.fullmatch(r"-?\d+\.\d*[1-9]", text):  # 5.1 reads a Decimal, which keeps its zeros
        _refuse(f"the number {text}")
    return float(text)


def _integer(text: str) -> int:
    if not -(2**63) <= int(text) < 2**63:
        _refuse(f"the integer {text}")
    return JsonInteger(text) if STRICT.get() else int(text)


def _object(pairs: list[tuple[str, Any]]) -> PsObject:
    if len({key.lower() for key, _ in pairs}) != len(pairs) or any(not key for key, _ in pairs):
        _refuse("a key that is empty, or equal to another but for its case,")
    for text in (item for _, value in pairs for item in (value if isinstance(value, list) else [value])):
        if isinstance(text, str) and re.match(r"/Date\(", text):
            _refuse("a date")
        if isinstance(text, str) and re.match(r"\d{4}-\d\d-\d\dT", text):
            differs("a date in JSON")
    return PsObject(pairs)


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse, parse_int=_integer, parse_float=_decimal)
