"""The properties of values."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from .convert import convert
from .errors import AUTOMATION, DotNetException, ErrorRecord
from .values import (
    TICKS_PER_SECOND,
    ArrayList,
    Char,
    DateTime,
    EnumValue,
    Hashtable,
    Int64,
    PsObject,
    PsType,
    Switch,
    TimeSpan,
    UnknownConstruct,
    Unsure,
    is_null,
    is_number,
    type_names,
)

MISSING = object()


DAY = 86400 * TICKS_PER_SECOND


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _date_property(value: DateTime, name: str) -> Any:
    moment = value.as_python()
    if name in ("year", "month", "day", "hour", "minute", "second"):
        return getattr(moment, name)
    simple = {
        "ticks": Int64(value.ticks), "millisecond": value.ticks // 10_000 % 1000,
        "dayofyear": moment.timetuple().tm_yday,
        "date": DateTime(value.ticks // DAY * DAY, value.kind), "timeofday": TimeSpan(value.ticks % DAY),
        "dayofweek": convert(moment.isoweekday() % 7, "System.DayOfWeek"),
        "kind": convert(value.kind, "System.DateTimeKind"),
    }  # fmt: skip
    return simple.get(name, MISSING)


def _timespan_property(value: TimeSpan, name: str) -> Any:
    units = {"days": DAY, "hours": 36000 * 10**6, "minutes": 600 * 10**6, "seconds": 10**7, "milliseconds": 10**4}
    if name == "ticks":
        return Int64(value.ticks)
    if name.startswith("total") and name[5:] in units:
        return value.ticks / units[name[5:]]
    if name in units:
        whole = abs(value.ticks) // units[name]
        size = {"days": 10**9, "hours": 24, "minutes": 60, "seconds": 60, "milliseconds": 1000}[name]
        return whole % size * (-1 if value.ticks < 0 else 1)
    return MISSING


def _record_property(value: ErrorRecord, name: str) -> Any:
    if name == "invocationinfo":
        return PsObject([("ScriptLineNumber", value.line)], (AUTOMATION + "InvocationInfo", "System.Object"))
    kind = convert(value.category, AUTOMATION + "ErrorCategory")
    reason = value.exception.type_name.rpartition(".")[2]
    category = [("Category", kind), ("Activity", Unsure(value.activity)), ("Reason", reason)]
    known = {
        "exception": value.exception,
        "fullyqualifiederrorid": value.error_id,
        "targetobject": value.target,
        "errordetails": None,
        "categoryinfo": PsObject(category, (AUTOMATION + "ErrorCategoryInfo", "System.Object")),
    }
    return known.get(name, MISSING)


def _exception_property(value: DotNetException, name: str) -> Any:
    known = {member.lower(): item for member, item in value.members.items()}
    known |= {"message": value.message, "innerexception": value.inner}
    if value.hresult is not None:
        known["hresult"] = value.hresult
    if (
        name in ("hresult", "stacktrace", "data", "source", "targetsite", "helplink", "errorrecord")
        and name not in known
    ):
        raise UnknownConstruct(f"the property {name} of an exception")
    return known.get(name, MISSING)


def _type_property(value: PsType, name: str) -> Any:
    if name in ("name", "fullname"):
        return value.name.rpartition(".")[2] if name == "name" else value.name
    if name == "isarray":
        return value.name.endswith("[]")
    raise UnknownConstruct(f"the property {name} of a type")


def _table_property(value: Hashtable, name: str) -> Any:
    if value.has(name):
        return value.get(name)
    if name == "count":
        return len(value.entries)
    if name in ("keys", "values"):
        index = 0 if name == "keys" else 1
        kind = "System.Collections.Hashtable+" + ("KeyCollection" if index == 0 else "ValueCollection")
        return ArrayList((pair[index] for pair in value.pairs()), kind)
    if name in ("isreadonly", "isfixedsize", "issynchronized", "syncroot", "item"):
        raise UnknownConstruct(f"the property {name} of a table")
    return MISSING


def own_property(value: Any, name: str) -> Any:
    """A property of the value itself, or MISSING where it surely has none."""
    lower = name.lower()
    if lower in ("psobject", "psbase", "psadapted", "psextended", "pstypenames"):
        return _psobject(value, lower)
    if isinstance(value, str):
        return utf16_length(value) if lower == "length" else MISSING
    if isinstance(value, Hashtable):
        return _table_property(value, lower)
    if isinstance(value, list):
        if lower in ("count", "length") and (lower == "count" or not isinstance(value, ArrayList)):
            return len(value)
        if lower in ("rank", "longlength", "syncroot", "isreadonly", "isfixedsize", "issynchronized", "capacity"):
            raise UnknownConstruct(f"the property {name} of a list")
        return MISSING
    if isinstance(value, PsObject):
        if lower in value.properties:
            return value.properties[lower][1]
        if not value.custom:
            raise UnknownConstruct(f"the property {name} of a {value.type_names[0]}")
        return MISSING
    if isinstance(value, EnumValue):
        return value.number if lower == "value__" else MISSING
    if isinstance(value, Switch):
        return value.present if lower == "ispresent" else MISSING
    for kind, reader in _READERS:
        if isinstance(value, kind):
            return reader(value, lower)
    if hasattr(value, "ps_get"):
        try:
            return value.ps_get(name)
        except KeyError:
            return MISSING
    if is_number(value) or isinstance(value, (bool, Char, uuid.UUID)):
        return MISSING
    raise UnknownConstruct(f"the property {name} of a {type_names(value)[0]}")


_READERS: tuple[tuple[type, Callable[[Any, str], Any]], ...] = (
    (DateTime, _date_property),
    (TimeSpan, _timespan_property),
    (ErrorRecord, _record_property),
    (DotNetException, _exception_property),
    (PsType, _type_property),
)


def _psobject(value: Any, name: str) -> Any:
    if name != "psobject" or not (isinstance(value, PsObject) and value.custom):
        raise UnknownConstruct(f"the property {name} of this value")
    known = [
        PsObject([("Name", key), ("Value", item)], ("System.Management.Automation.PSNoteProperty", "System.Object"))
        for key, item in value.pairs()
    ]
    properties = PropertyCollection(known)
    return PsObject(
        [("Properties", properties), ("TypeNames", list(value.type_names))],
        (AUTOMATION + "PSMemberSetInfo", "System.Object"),
    )


class PropertyCollection(list[Any]):
    """.PSObject.Properties: a list that is also indexed by name."""


def has_member(value: Any, name: str) -> bool:
    return not is_null(value) and own_property(value, name) is not MISSING
