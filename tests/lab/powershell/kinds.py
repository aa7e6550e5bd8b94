"""What kind a value is: its type, whether it is nothing, a number, a list."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

from .unknown import UnknownConstruct
from .values import INTEGERS, NOTHING, DateTime, EnumValue, Hashtable, Int64, JsonInteger, PsType, TimeSpan

_TYPE_NAMES = {
    bool: "System.Boolean",
    str: "System.String",
    float: "System.Double",
    bytes: "System.Byte[]",
    DateTime: "System.DateTime",
    TimeSpan: "System.TimeSpan",
    uuid.UUID: "System.Guid",
    Hashtable: "System.Collections.Hashtable",
    PsType: "System.RuntimeType",
}


def type_name(value: Any) -> str:
    """What .NET calls the type of a value."""
    for kind, name in _TYPE_NAMES.items():
        if isinstance(value, kind):
            return name
    if isinstance(value, int) and not isinstance(value, JsonInteger):
        low, high = INTEGERS["System.Int32"]
        return "System.Int32" if low <= value <= high and not isinstance(value, Int64) else "System.Int64"
    if isinstance(value, EnumValue):
        return value.type.name
    if hasattr(value, "ps_type_names"):
        return str(value.ps_type_names[0])
    raise UnknownConstruct(f"the type of a {type(value).__name__}")


def is_null(value: Any) -> bool:
    return value is None or value is NOTHING


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def enumerate_value(value: Any) -> Iterator[Any]:
    """What a pipeline makes of a value: a list gives its elements, nothing gives nothing, all else itself."""
    if isinstance(value, list):
        yield from list(value)
    elif isinstance(value, bytes):
        raise UnknownConstruct("the single bytes of an array")
    elif value is not NOTHING:
        yield value


def from_items(items: list[Any]) -> Any:
    """What a variable gets from the output of a pipeline: nothing, the one object, or an array."""
    if not items:
        return NOTHING
    return items[0] if len(items) == 1 else items
