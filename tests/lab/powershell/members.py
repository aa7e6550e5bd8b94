"""Properties and elements of values."""

from __future__ import annotations

from typing import Any

from .errors import ERROR_CATEGORY, DotNetException, ErrorRecord, GetterError, fail
from .kinds import is_null
from .unknown import UnknownConstruct, Unsure, certain
from .values import AUTOMATION, TICKS_PER_SECOND, Collection, DateTime, Hashtable, Int64, PsObject, PsType, TimeSpan

MISSING = object()
DAY = 86400 * TICKS_PER_SECOND
UNITS = {"days": DAY, "hours": DAY // 24, "minutes": DAY // 1440, "seconds": TICKS_PER_SECOND, "milliseconds": 10_000}
# Properties that some type of .NET or every object of PowerShell has, and that are not modelled.
_OTHER_PROPERTIES = (
    "capacity chars comparer date datetime dayofweek dayofyear days displayhint guid hours isfixedsize isreadonly "
    "issynchronized item kind longlength millisecond milliseconds minutes psadapted psbase psextended psobject "
    "pstypenames rank seconds syncroot timeofday totaldays totalhours totalmilliseconds totalminutes totalseconds "
    "value__ "
)
_NOT_MODELLED = frozenset(_OTHER_PROPERTIES.split())


def _known(value: Any) -> dict[str, Any]:
    """The properties of a value of .NET, by their names in lower case."""
    if isinstance(value, str):
        return {"length": len(value.encode("utf-16-le", "surrogatepass")) // 2}
    if isinstance(value, bytes) or (isinstance(value, list) and not isinstance(value, Collection)):
        return {"length": len(value), "count": len(value)}
    if isinstance(value, DateTime):
        moment = value.as_python()
        parts = {name: getattr(moment, name) for name in ("year", "month", "day", "hour", "minute", "second")}
        return {"ticks": Int64(value.ticks), **parts}
    if isinstance(value, TimeSpan):
        # .NET Framework multiplies, later versions divide: where the results differ nothing is known.
        units = {name: unit for name, unit in UNITS.items() if value.ticks * (1.0 / unit) == value.ticks / unit}
        return {f"total{name}": value.ticks / unit for name, unit in units.items()} | {"ticks": Int64(value.ticks)}
    if isinstance(value, ErrorRecord):
        category = PsObject([("Category", ERROR_CATEGORY.find(value.category))], AUTOMATION + "ErrorCategoryInfo")
        record = {"exception": value.exception, "fullyqualifiederrorid": value.error_id}
        return record | {"targetobject": value.target, "categoryinfo": category}
    if isinstance(value, DotNetException):
        own = {"message": value.message, "innerexception": value.inner}
        return own | ({"hresult": value.hresult} if value.hresult is not None else {})
    if isinstance(value, PsType):
        return {"name": value.name.rpartition(".")[2], "fullname": value.name}
    return {}


def own_property(value: Any, name: str) -> Any:
    """A property of the value itself, or MISSING where it surely has none."""
    lower = name.lower()
    if isinstance(value, Hashtable):
        if value.has(name):
            return value.get(name)
        if lower in ("keys", "values"):
            return Collection(pair[lower == "values"] for pair in value.shown_pairs())
        if lower == "count":
            return len(value.pairs())
    elif isinstance(value, PsObject):
        if lower in value.properties:
            return value.properties[lower][1]
        if value.custom and lower == "psobject":
            kind = AUTOMATION + "PSNoteProperty"
            listed = Collection(PsObject([("Name", key), ("Value", item)], kind) for key, item in value.shown_pairs())
            return PsObject([("Properties", listed)], AUTOMATION + "PSMemberSetInfo")
        if not value.custom or lower in ("count", "length"):
            raise UnknownConstruct(f"the property {name} of a {value.ps_type_names[0]}")
    elif hasattr(value, "ps_get"):
        try:
            return value.ps_get(name)
        except KeyError:
            return MISSING
        except GetterError as error:
            message, kind = f'Exception getting "{name}": "{error}"', AUTOMATION + "GetValueInvocationException"
            raise fail("ExceptionWhenGetting", message, "NotSpecified", kind) from None
    elif isinstance(value, Collection) and lower in ("count", "length"):
        return len(value) if lower == "count" else MISSING
    else:
        known = _known(value)
        if lower in known:
            return known[lower]
        if isinstance(value, (PsType, ErrorRecord, DotNetException)):
            raise UnknownConstruct(f"the property {name} of a {type(value).__name__}")
    if lower in _NOT_MODELLED:
        raise UnknownConstruct(f"the property {name}")
    return MISSING


def get_member(value: Any, name: str, strict: float) -> Any:
    """`value.name`, with the properties of the elements where a list has no such property."""
    found = MISSING if is_null(value) else own_property(value, name)
    if isinstance(value, list) and found is MISSING:
        found = _of_elements(value, name)
    elif found is MISSING and name.lower() in ("count", "length") and not strict:
        return 0 if is_null(value) else 1
    if found is MISSING and strict:
        message = Unsure(f"The property '{name}' cannot be found on this object. Verify that the property exists.")
        raise fail("PropertyNotFoundStrict", message, "NotSpecified", AUTOMATION + "PropertyNotFoundException")
    if isinstance(found, Unsure):
        return certain(found)
    return None if found is MISSING else found


def _of_elements(items: list[Any], name: str) -> Any:
    found = [MISSING if is_null(item) else own_property(item, name) for item in items]
    if all(one is MISSING for one in found) and not any(isinstance(item, (Hashtable, list)) for item in items):
        return MISSING
    if any(one is MISSING or one is None for one in found):
        raise UnknownConstruct(f"the property {name} that only some elements have")
    values = [value for one in found for value in (one if isinstance(one, list) else [one])]
    return values[0] if len(values) == 1 else values


def get_element(target: Any, index: Any, strict: float) -> Any:
    """`target[index]`."""
    if is_null(target):
        raise fail("NullArray", "Cannot index into a null array.")
    number = isinstance(index, int) and not isinstance(index, bool)
    if isinstance(target, Hashtable):
        return target.get(index)
    if type(target) is not list:
        raise UnknownConstruct("an element of something that is no array")
    if number and -len(target) <= index < len(target):
        return target[index]
    if not number or strict >= 3:
        raise UnknownConstruct("several elements, or one beyond the end")
    return None


def set_entry(target: Any, key: Any, value: Any) -> None:
    """`target.key = value` and `target[key] = value`, of tables only."""
    if not isinstance(target, Hashtable):
        raise UnknownConstruct("setting a property or an element of something that is no table")
    target.set(key, value)
