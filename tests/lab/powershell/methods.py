"""Methods of .NET that scripts use: (type, name) for an instance, (type, "::name()") for a static one, "::name" for a
field.

Each takes the interpreter, the instance if there is one, and the arguments. A wrong number or kind of arguments is a
Python error,
which the caller turns into an unknown construct: overloads that are not here must not be guessed.
"""

from __future__ import annotations

import datetime
import functools
import math
import uuid
from typing import TYPE_CHECKING, Any

from . import dotnet
from .blocks import script_block
from .convert import convert, parse_number, to_datetime, to_guid, to_number, to_text, truth
from .errors import TerminatingError
from .formatting import format_number, format_operator, format_value
from .operators import expand_replacement, order, regex
from .syntax import parse
from .text_methods import STRING_METHODS, Method, text_of
from .values import (
    EPOCH,
    INTEGERS,
    NOTHING,
    STRICT,
    TICKS_PER_SECOND,
    ArrayList,
    DateTime,
    Hashtable,
    Int64,
    PsObject,
    Switch,
    TimeSpan,
    UnknownConstruct,
    Unsure,
    is_null,
    is_number,
    type_names,
)

if TYPE_CHECKING:
    from .interpreter import Interpreter

METHODS: dict[tuple[str, str], Method] = {}
_BOOLEANS = {"true": True, "false": False}
DAY = 86400 * TICKS_PER_SECOND


def instance_method(target: Any, name: str) -> Method | None:
    """The method of an instance; None if it is not in the table."""
    names = ["list"] if isinstance(target, list) else ["number"] if is_number(target) else []
    for owner in (type_names(target)[0], *names, "any"):
        if (owner, name) in METHODS:
            return METHODS[owner, name]
    return None


def _where(run: Interpreter, items: list[Any], block: Any) -> ArrayList:

    return ArrayList(
        [item for item in items if truth(_single(run.invoke_value(block, item)))],
        "System.Collections.ObjectModel.Collection`1",
    )


def _single(items: list[Any]) -> Any:
    return items[0] if len(items) == 1 else items


def _add(run: Interpreter, items: list[Any], value: Any) -> Any:
    element = getattr(items, "type_name", "").partition("[[")[2].rstrip("]")
    if not isinstance(items, ArrayList):
        raise TerminatingError(Unsure("Collection was of a fixed size."), exception_type="System.NotSupportedException")
    items.append(convert(value, element) if element else value)
    return NOTHING if element else len(items) - 1


def _growing(items: list[Any]) -> ArrayList:
    if not isinstance(items, ArrayList):
        raise UnknownConstruct("this method of an array")
    return items


def _list_methods() -> None:
    table: dict[str, Method] = {
        "add": _add,
        "addrange": lambda run, items, more: _nothing(_growing(items).extend(more)),
        "clear": lambda run, items: _nothing(_growing(items).clear()),
        "removeat": lambda run, items, index: _nothing(_growing(items).pop(index)),
        "insert": lambda run, items, index, value: _nothing(_growing(items).insert(index, value)),
        "toarray": lambda run, items: list(_growing(items)),
        "contains": lambda run, items, value: any(_exactly(item, value) for item in items),
        "indexof": _index_of,
        "foreach": lambda run, items, block: ArrayList(
            [out for item in items for out in run.invoke_value(block, item)],
            "System.Collections.ObjectModel.Collection`1",
        ),
        "where": _where,
    }
    METHODS.update({("list", name): method for name, method in table.items()})


def _nothing(_: Any) -> Any:
    return NOTHING


def _exactly(item: Any, value: Any) -> bool:
    """Object.Equals: same type and same value."""
    if isinstance(item, (list, Hashtable, PsObject)) or isinstance(value, (list, Hashtable, PsObject)):
        return item is value
    return (is_null(item) and is_null(value)) or (
        not is_null(item) and not is_null(value) and type_names(item) == type_names(value) and item == value
    )


def _table_methods() -> None:
    table: dict[str, Method] = {
        "containskey": lambda run, held, key: held.has(key),
        "contains": lambda run, held, key: held.has(key),
        "add": _add_key,
        "remove": lambda run, held, key: _nothing(held.remove(key)),
        "clear": lambda run, held: _nothing(held.entries.clear()),
        "getenumerator": lambda run, held: ArrayList(
            [
                PsObject([("Key", key), ("Value", value), ("Name", key)], ("System.Collections.DictionaryEntry",))
                for key, value in held.pairs()
            ],
            "System.Collections.IDictionaryEnumerator",
        ),
        "containsvalue": lambda run, held, value: any(_exactly(item, value) for _, item in held.pairs()),
    }
    for owner in ("System.Collections.Hashtable", "System.Collections.Specialized.OrderedDictionary"):
        METHODS.update({(owner, name): method for name, method in table.items()})
    del METHODS["System.Collections.Specialized.OrderedDictionary", "containskey"]
    del METHODS["System.Collections.Specialized.OrderedDictionary", "containsvalue"]
    METHODS["System.Collections.Hashtable", "clone"] = lambda run, held: Hashtable(held.pairs())


def _add_key(run: Interpreter, held: Hashtable, key: Any, value: Any) -> Any:
    if held.has(key):
        raise TerminatingError(Unsure("Item has already been added."), exception_type="System.ArgumentException")
    held.set(key, value)
    return NOTHING


def _shift(value: DateTime, amount: Any, unit: int) -> DateTime:
    number = to_number(amount, "System.Double")
    ticks = value.ticks + (int(number) * unit if number == int(number) else round(number * unit / 10_000) * 10_000)
    return DateTime(ticks, value.kind)


def _utc(value: DateTime, kind: str) -> DateTime:
    """The machine of the lab keeps UTC, so only the kind changes."""
    return DateTime(value.ticks, kind)


def _time_methods() -> None:
    units = {
        "adddays": DAY,
        "addhours": DAY // 24,
        "addminutes": DAY // 1440,
        "addseconds": TICKS_PER_SECOND,
        "addmilliseconds": 10_000,
    }
    for name, unit in units.items():
        METHODS["System.DateTime", name] = lambda run, value, amount, unit=unit: _shift(value, amount, unit)
    table: dict[str, Method] = {
        "addticks": lambda run, value, amount: DateTime(value.ticks + amount, value.kind),
        "touniversaltime": lambda run, value: _utc(value, "Utc"),
        "tolocaltime": lambda run, value: _utc(value, "Local"),
        "add": lambda run, value, span: DateTime(value.ticks + span.ticks, value.kind),
        "subtract": lambda run, value, other: (
            TimeSpan(value.ticks - other.ticks)
            if isinstance(other, DateTime)
            else DateTime(value.ticks - other.ticks, value.kind)
        ),
        "tofiletimeutc": lambda run, value: Int64(value.ticks - 504911232000000000),
    }
    METHODS.update({("System.DateTime", name): method for name, method in table.items()})
    fields = {"minvalue": DateTime(0), "maxvalue": DateTime(3155378975999999999)}
    for name, moment in fields.items():
        METHODS["System.DateTime", "::" + name] = lambda run, moment=moment: moment
    METHODS["System.DateTime", "::utcnow"] = lambda run: run.session.now("Utc")
    METHODS["System.DateTime", "::now"] = lambda run: run.session.now("Local")
    METHODS["System.DateTime", "::today"] = lambda run: DateTime(run.session.now("Local").ticks // DAY * DAY, "Local")
    METHODS["System.DateTime", "::new()"] = lambda run, *parts: new_date(*parts)
    METHODS["System.DateTime", "::specifykind()"] = lambda run, value, kind: DateTime(
        value.ticks, to_text(convert(kind, "System.DateTimeKind"))
    )
    METHODS["System.DateTime", "::fromfiletimeutc()"] = lambda run, ticks: DateTime(ticks + 504911232000000000, "Utc")
    for name, unit in {"days": DAY, "hours": DAY // 24, "minutes": DAY // 1440, "seconds": TICKS_PER_SECOND}.items():
        METHODS["System.TimeSpan", f"::from{name}()"] = lambda run, amount, unit=unit: _shift_span(amount, unit)
    METHODS["System.TimeSpan", "::zero"] = lambda run: TimeSpan(0)
    METHODS["System.TimeSpan", "add"] = lambda run, one, two: TimeSpan(one.ticks + two.ticks)


def _shift_span(amount: Any, unit: int) -> TimeSpan:
    return TimeSpan(_shift(DateTime(0), amount, unit).ticks)


def new_date(
    year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0, kind: Any = "Unspecified"
) -> DateTime:
    moment = datetime.datetime(year, month, day, hour, minute, second)
    ticks = (moment - EPOCH) // datetime.timedelta(microseconds=1) * 10
    return DateTime(ticks, to_text(convert(kind, "System.DateTimeKind")))


def _to_string(run: Interpreter, target: Any, *arguments: Any) -> str:
    if (isinstance(target, (DateTime, PsObject)) and not arguments) or len(arguments) > 1:
        raise UnknownConstruct(f"ToString() of a {type_names(target)[0]} in the form of the culture")
    if isinstance(target, list):
        raise UnknownConstruct("ToString() of a list")
    pattern = text_of(arguments[0]) if arguments else ""
    if is_number(target):
        return format_number(target, pattern)
    if isinstance(target, (bool, str, Switch)) and arguments:
        raise UnknownConstruct("ToString() with an argument")
    return format_value(target, pattern) if pattern else to_text(target)


def _math(run: Interpreter, name: str, *arguments: Any) -> Any:
    numbers = list(arguments)
    if not all(is_number(number) for number in numbers):
        numbers = [to_number(number, "System.Double") for number in numbers]
    if name in ("ceiling", "floor", "truncate", "round", "sqrt", "pow"):
        value = float(numbers[0])
        if name == "round":
            return _round(value, *numbers[1:])
        if name == "pow":
            return math.pow(value, float(numbers[1]))
        if len(numbers) > 1:
            raise TypeError(name)
        if name == "sqrt":
            return math.sqrt(value)
        return float({"ceiling": math.ceil, "floor": math.floor, "truncate": math.trunc}[name](value))
    if name == "abs" and len(numbers) == 1:
        return type(numbers[0])(abs(numbers[0]))
    if name in ("max", "min") and len(numbers) == 2:
        chosen = max(numbers) if name == "max" else min(numbers)
        kinds = {type_names(number)[0] for number in numbers}
        if not kinds <= {"System.Int32", "System.Int64", "System.Double"}:
            raise UnknownConstruct(f"[math]::{name} of these types")
        if "System.Double" in kinds:
            return float(chosen)
        return Int64(chosen) if "System.Int64" in kinds else chosen
    raise TypeError(name)


def _round(value: float, digits: Any = 0) -> float:
    if not isinstance(digits, int) or not 0 <= digits <= 15:
        raise TypeError("digits")
    rounded = float(round(value)) if digits == 0 else round(value, digits)
    if digits and rounded != round(value * 10**digits) / 10**digits:
        raise UnknownConstruct("a rounding that differs between versions")
    return rounded


def _regex_match(found: Any) -> PsObject:
    if found is None:
        return PsObject(
            [("Success", False), ("Value", ""), ("Index", 0), ("Length", 0)],
            ("System.Text.RegularExpressions.Match",),
            "",
        )
    group, texts = "System.Text.RegularExpressions.Group", (found[0], *found.groups())
    listed = [PsObject([("Success", text is not None), ("Value", text or "")], (group,), text or "") for text in texts]
    groups = ArrayList(listed, group + "Collection")
    known = [
        ("Success", True),
        ("Value", found[0]),
        ("Index", found.start()),
        ("Length", len(found[0])),
        ("Groups", groups),
    ]
    return PsObject(known, ("System.Text.RegularExpressions.Match",), found[0])


def _regex_replace(run: Interpreter, text: Any, pattern: Any, new: Any) -> str:
    return regex(text_of(pattern), True).sub(lambda found: expand_replacement(found, text_of(new)), text_of(text))


def _try_parse(run: Interpreter, kind: str, text: Any, place: Any) -> bool:
    number = parse_number(text) if isinstance(text, str) else None
    if isinstance(number, float) and kind != "System.Double":
        number = None
    low, high = INTEGERS[kind][1:] if kind in INTEGERS else (-math.inf, math.inf)
    valid = number is not None and low <= number <= high and not to_text(text).strip().lower().startswith("0x")
    if place.assign:
        place.assign(convert(number if valid else 0, kind))
    return valid


def _parse(run: Interpreter, kind: str, text: Any) -> Any:
    number = parse_number(text_of(text))
    if number is None or (isinstance(number, float) and kind != "System.Double"):
        raise TerminatingError(
            Unsure("Input string was not in a correct format."),
            exception_type="System.FormatException",
            error_id="FormatException",
        )
    return convert(number, kind)


def _create_block(run: Interpreter, text: Any) -> Any:

    return script_block(parse(text_of(text)))


def _sort_array(run: Interpreter, items: list[Any]) -> Any:

    items.sort(key=functools.cmp_to_key(order))
    return NOTHING


def _static_methods() -> None:
    expressions = "System.Text.RegularExpressions.Regex"
    for name in ("ceiling", "floor", "truncate", "round", "abs", "max", "min", "pow", "sqrt"):
        METHODS["System.Math", f"::{name}()"] = lambda run, *arguments, name=name: _math(run, name, *arguments)
    for kind, (_, low, high) in INTEGERS.items():
        METHODS[kind, "::maxvalue"] = lambda run, kind=kind, value=high: convert(value, kind)
        METHODS[kind, "::minvalue"] = lambda run, kind=kind, value=low: convert(value, kind)
    table: dict[tuple[str, str], Method] = {
        ("number", "::parse()"): _parse,
        ("number", "::tryparse()"): _try_parse,
        ("System.String", "::empty"): lambda run: "",
        ("System.String", "::isnullorempty()"): lambda run, text: is_null(text) or to_text(text) == "",
        ("System.String", "::isnullorwhitespace()"): lambda run, text: is_null(text) or not to_text(text).strip(),
        ("System.String", "::join()"): lambda run, mark, *items: text_of(mark).join(
            to_text(item) for item in (items[0] if len(items) == 1 and isinstance(items[0], list) else items)
        ),
        ("System.String", "::format()"): lambda run, template, *items: format_operator(text_of(template), list(items)),
        ("System.String", "::concat()"): lambda run, *items: "".join(text_of(item) for item in items),
        ("System.Boolean", "::parse()"): lambda run, text: _BOOLEANS[text_of(text).strip().lower()],
        ("System.Guid", "::newguid()"): lambda run: uuid.uuid4(),
        ("System.Guid", "::empty"): lambda run: uuid.UUID(int=0),
        ("System.Guid", "::parse()"): lambda run, text: to_guid(text_of(text)),
        ("System.DateTime", "::parse()"): lambda run, text: to_datetime(text_of(text)),
        ("System.Environment", "::newline"): lambda run: _windows("\r\n"),
        ("System.Environment", "::machinename"): lambda run: _windows(run.session.computer_name),
        ("System.Array", "::indexof()"): _index_of,
        ("System.Array", "::sort()"): _sort_array,
        ("System.Array", "::reverse()"): lambda run, items: _nothing(items.reverse()),
        (expressions, "::match()"): lambda run, text, pattern: _regex_match(
            regex(text_of(pattern), True).search(text_of(text))
        ),
        (expressions, "::matches()"): lambda run, text, pattern: ArrayList(
            [_regex_match(found) for found in regex(text_of(pattern), True).finditer(text_of(text))],
            "System.Text.RegularExpressions.MatchCollection",
        ),
        (expressions, "::ismatch()"): lambda run, text, pattern: (
            regex(text_of(pattern), True).search(text_of(text)) is not None
        ),
        (expressions, "::replace()"): _regex_replace,
        ("System.Management.Automation.ScriptBlock", "::create()"): _create_block,
        ("any", "tostring"): _to_string,
        ("number", "compareto"): lambda run, one, two: _compare_to(one, two),
        ("number", "equals"): lambda run, one, two: _exactly(one, two),
        ("System.Char", "::isdigit()"): lambda run, one: text_of(one).isdecimal(),
        ("System.Char", "::isletter()"): lambda run, one: text_of(one).isalpha(),
    }  # fmt: skip
    METHODS.update(table)
    METHODS.update(dotnet.STATIC)


def _compare_to(one: Any, two: Any) -> int:
    if type_names(one) != type_names(two):
        raise UnknownConstruct("a comparison of two types")
    return order(one, two)


def _index_of(run: Interpreter, items: Any, value: Any) -> int:
    return next((place for place, item in enumerate(items) if _exactly(item, value)), -1)


def _windows(text: str) -> str:
    """A value that belongs to Windows: a strict session runs on any system."""
    if STRICT.get():
        raise UnknownConstruct("a value that depends on the operating system")
    return text


METHODS.update({("System.String", name): method for name, method in STRING_METHODS.items()})
_list_methods()
_table_methods()
_time_methods()
_static_methods()
