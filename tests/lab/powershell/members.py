"""Properties and elements of values."""

from __future__ import annotations

from typing import Any

from .convert import ENUMS, certain
from .errors import ERROR_CATEGORY, DotNetException, ErrorRecord, ScriptError, TerminatingError, fail
from .values import (
    AUTOMATION,
    TICKS_PER_SECOND,
    Collection,
    DateTime,
    Hashtable,
    Int64,
    PsObject,
    PsType,
    TimeSpan,
    UnknownConstruct,
    Unsure,
    differs,
    is_null,
    type_names,
)

MISSING = object()
DAY = 86400 * TICKS_PER_SECOND
UNITS = {"days": DAY, "hours": DAY // 24, "minutes": DAY // 1440, "seconds": TICKS_PER_SECOND, "milliseconds": 10_000}
# Properties that some type of .NET or every object of PowerShell has, and that are not modelled.
_OTHER_PROPERTIES = (
    "capacity comparer data days dayofweek dayofyear date errordetails errorrecord helplink hours hresult "
    "invocationinfo isfixedsize isreadonly issynchronized item kind longlength milliseconds millisecond minutes "
    "pipelineiterationinfo psadapted psbase psextended psobject pstypenames rank scriptstacktrace seconds source "
    "stacktrace syncroot targetsite timeofday"
)
_NOT_MODELLED = frozenset(_OTHER_PROPERTIES.split())


class Properties(Collection):
    """.PSObject.Properties: a collection that is indexed by name."""


def _psobject(value: PsObject) -> PsObject:
    kind = (AUTOMATION + "PSNoteProperty", "System.Object")
    listed = Properties(PsObject([("Name", name), ("Value", item)], kind) for name, item in value.pairs())
    return PsObject([("Properties", listed)], (AUTOMATION + "PSMemberSetInfo", "System.Object"))


def _total(value: TimeSpan, unit: int) -> float:
    result = value.ticks * (1.0 / unit)  # as .NET Framework does it
    if result != value.ticks / unit:
        differs("the last digit of a time")
    return result


def _record(value: ErrorRecord) -> dict[str, Any]:
    category = [
        ("Category", ERROR_CATEGORY.find(value.category)),
        ("Activity", Unsure(value.activity)),
        ("Reason", value.exception.type_name.rpartition(".")[2]),
    ]
    return {
        "exception": value.exception,
        "fullyqualifiederrorid": value.error_id,
        "targetobject": value.target,
        "categoryinfo": PsObject(category, (AUTOMATION + "ErrorCategoryInfo", "System.Object")),
    }


def _known(value: Any) -> dict[str, Any]:
    """The properties of a value of .NET, by their names in lower case."""
    if isinstance(value, str):
        return {"length": utf16_length(value)}
    if isinstance(value, bytes) or (isinstance(value, list) and not isinstance(value, Collection)):
        return {"length": len(value), "count": len(value)}
    if isinstance(value, DateTime):
        moment = value.as_python()
        parts = {name: getattr(moment, name) for name in ("year", "month", "day", "hour", "minute", "second")}
        return {"ticks": Int64(value.ticks), "kind": ENUMS["System.DateTimeKind"].find(value.kind), **parts}
    if isinstance(value, TimeSpan):
        return {"ticks": Int64(value.ticks), **{f"total{name}": _total(value, unit) for name, unit in UNITS.items()}}
    if isinstance(value, ErrorRecord):
        return _record(value)
    if isinstance(value, DotNetException):
        own = {"message": value.message, "innerexception": value.inner}
        own |= {"hresult": value.hresult} if value.hresult is not None else {}
        return own | {name.lower(): item for name, item in value.members.items()}
    if isinstance(value, PsType) and "`" not in value.name:
        return {"name": value.name.rpartition(".")[2], "fullname": value.name}
    return {}


def own_property(value: Any, name: str) -> Any:
    """A property of the value itself, or MISSING where it surely has none."""
    lower = name.lower()
    if isinstance(value, Hashtable):
        if value.has(name):
            return value.get(name)
        if lower in ("keys", "values"):
            return Collection(pair[lower == "values"] for pair in value.pairs())
        if lower == "count":
            return len(value)
    elif isinstance(value, PsObject):
        if lower in value.properties:
            return value.properties[lower][1]
        if value.custom and lower == "psobject":
            return _psobject(value)
        if not value.custom or lower in ("count", "length"):
            raise UnknownConstruct(f"the property {name} of a {value.type_names[0]}")
    elif hasattr(value, "ps_get"):
        try:
            return value.ps_get(name)
        except KeyError:
            return MISSING
    else:
        known = _known(value)
        if lower in known:
            return known[lower]
        if isinstance(value, PsType) or (isinstance(value, Collection) and lower in ("count", "length")):
            if lower == "count" and not isinstance(value, (PsType, Properties)):
                return len(value)
            raise UnknownConstruct(f"the property {name} of a type or collection")
    if lower in _NOT_MODELLED:
        raise UnknownConstruct(f"the property {name}")
    return MISSING


def utf16_length(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def get_member(value: Any, name: str, strict: float) -> Any:
    """`value.name`, with the properties of the elements where a list has no such property."""
    found = MISSING if is_null(value) else own_property(value, name)
    if found is not MISSING:
        return certain(found) if isinstance(found, Unsure) else found
    if isinstance(value, list):
        found = _of_elements(value, name)
    elif name.lower() in ("count", "length") and not strict:
        return 0 if is_null(value) else 1
    if found is MISSING and strict:
        message = Unsure(f"The property '{name}' cannot be found on this object. Verify that the property exists.")
        raise fail("PropertyNotFoundStrict", message, "NotSpecified", AUTOMATION + "PropertyNotFoundException")
    return None if found is MISSING else found


def _of_elements(items: list[Any], name: str) -> Any:
    found = [MISSING if is_null(item) else own_property(item, name) for item in items]
    if all(one is MISSING for one in found) and not any(isinstance(item, (Hashtable, list)) for item in items):
        return MISSING
    if any(one is MISSING for one in found):
        raise UnknownConstruct(f"the property {name} that only some elements have")
    values = [value for one in found for value in (one if isinstance(one, list) else [one])]
    return values[0] if len(values) == 1 else values


def set_member(target: Any, name: str, value: Any) -> None:
    if isinstance(target, Hashtable):
        target.set(name, value)
    elif isinstance(target, PsObject) and target.custom and name.lower() in target.properties:
        target.properties[name.lower()] = (target.properties[name.lower()][0], value)
    elif hasattr(target, "ps_set"):
        try:
            target.ps_set(name, value)
        except TerminatingError as error:
            message = Unsure(f'Exception setting "{name}": "{error.exception.message}"')
            kind = AUTOMATION + "SetValueInvocationException"
            raise fail("ExceptionWhenSetting", message, "NotSpecified", kind, error.exception) from None
        except KeyError:
            raise _no_property(name) from None
    elif is_null(target) or (isinstance(target, PsObject) and target.custom):
        raise _no_property(name)
    else:
        raise UnknownConstruct(f"setting the property {name} of a {type_names(target)[0]}")


def _no_property(name: str) -> ScriptError:
    message = f"The property '{name}' cannot be found on this object. Verify that the property exists and can be set."
    return fail("PropertyNotFound", message)


def get_element(target: Any, index: Any, strict: float) -> Any:
    """`target[index]`."""
    if is_null(target):
        raise fail("NullArray", "Cannot index into a null array.")
    if isinstance(target, Properties) and isinstance(index, str):
        return next((one for one in target if one.properties["name"][1].lower() == index.lower()), None)
    if isinstance(index, bool) or isinstance(target, (Collection, str)):
        raise UnknownConstruct("this element")
    if (
        isinstance(target, Hashtable)
        and isinstance(index, (str, int))
        and not (target.ordered and isinstance(index, int))
    ):
        return target.get(index)
    several = index if isinstance(index, list) and not strict else []
    if several and isinstance(target, list) and all(isinstance(one, int) and abs(one) < len(target) for one in several):
        return [target[one] for one in several]
    if isinstance(target, list) and isinstance(index, int) and (strict < 3 or -len(target) <= index < len(target)):
        return target[index] if -len(target) <= index < len(target) else None
    raise UnknownConstruct("this element")


def set_element(target: Any, index: Any, value: Any) -> None:
    if is_null(target):
        raise fail("NullArray", "Cannot index into a null array.")
    if not isinstance(target, Hashtable) or is_null(index) or (target.ordered and isinstance(index, int)):
        raise UnknownConstruct("writing to an element of something that is no table")
    target.set(index, value)
