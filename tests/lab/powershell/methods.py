"""Methods of .NET that scripts use: (type, name) for an instance, (type, "::name()") for a static one, "::name" for a field.

Each takes the interpreter, the instance if there is one, and the arguments. A wrong number or kind of arguments is a Python error,
which the caller turns into an unknown construct: overloads that are not here must not be guessed.
"""

# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime
import math
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import dotnet
from .convert import convert, parse_number, to_datetime, to_guid, to_number, to_text
from .errors import TerminatingError
from .formatting import format_number, format_operator, format_value
from .operators import expand_replacement, order, regex
from .values import (
    EPOCH,
    INTEGERS,
    NOTHING,
    STRICT,
    TICKS_PER_SECOND,
    ArrayList,
    Char,
    DateTime,
    EnumValue,
    Hashtable,
    Int64,
    PsObject,
    Switch,
    TimeSpan,
    TypedArray,
    UnknownConstruct,
    Unsure,
    is_null,
    is_number,
    type_names,
)

if TYPE_CHECKING:
    from .interpreter import Interpreter

Method = Callable[..., Any]
METHODS: dict[tuple[str, str], Method] = {}
DAY = 86400 * TICKS_PER_SECOND


def instance_method(target: Any, name: str) -> Method | None:
    """The method of an instance; None if it is not in the table."""
    names = ["list"] if isinstance(target, list) else ["number"] if is_number(target) else []
    for owner in (type_names(target)[0], *names, "any"):
        if (owner, name) in METHODS:
            return METHODS[owner, name]
    return None


def _text(value: Any) -> str:
    if not isinstance(value, (str, Char)):
        raise TypeError("a string is wanted")
    return to_text(value)


def _plain(text: str, *others: Any) -> str:
    """A string on which ordinal work gives what .NET gives: without characters beyond the BMP."""
    if any(ord(character) > 0xFFFF for character in text):
        raise UnknownConstruct("this method on characters beyond the BMP")
    return text


def _range(text: str, start: int, length: int | None = None) -> str:
    start = to_number(start, "System.Int32")
    stop = len(text) if length is None else start + to_number(length, "System.Int32")
    if start < 0 or stop < start or stop > len(text):
        raise TerminatingError(
            Unsure("Index and length must refer to a location within the string."),
            exception_type="System.ArgumentOutOfRangeException",
        )
    return _plain(text)[start:stop]


def _split(run: Interpreter, text: str, *given: Any) -> TypedArray:
    arguments = list(given)
    remove = False
    if arguments and isinstance(arguments[-1], EnumValue):
        remove = arguments.pop().number == 1
    limit = arguments.pop() if len(arguments) > 1 and isinstance(arguments[-1], int) else None
    separators = arguments[0] if len(arguments) == 1 else list(arguments)
    if isinstance(separators, str) and len(separators) > 1:
        raise UnknownConstruct("Split() by a string, which differs between versions")
    marks = [_text(one) for one in (separators if isinstance(separators, list) else [separators])]
    if not marks or any(len(mark) != 1 for mark in marks) or (limit is not None and (limit < 2 or remove)):
        raise UnknownConstruct("Split() with these arguments")
    pieces, piece = [], ""
    for index, character in enumerate(text):
        if character in marks and (limit is None or len(pieces) < limit - 1):
            pieces.append(piece)
            piece = ""
        else:
            piece += character
    return TypedArray([one for one in [*pieces, piece] if one or not remove], "System.String")


def _find(text: str, wanted: Any, last: bool = False) -> int:
    if isinstance(wanted, str) and ((len(wanted) != 1 and not wanted.isascii()) or not wanted or not text.isascii()):
        raise UnknownConstruct("a search that depends on the culture")
    return text.rfind(_text(wanted)) if last else text.find(_text(wanted))


def _trim(text: str, marks: tuple[Any, ...], how: str) -> str:
    given = [mark for one in marks for mark in (one if isinstance(one, list) else [one])]
    characters = "".join(_text(one) for one in given) or None
    return {"trim": text.strip, "trimstart": text.lstrip, "trimend": text.rstrip}[how](characters)


def _ascii_case(text: str, upper: bool) -> str:
    changed = text.upper() if upper else text.lower()
    if len(changed) != len(text):
        raise UnknownConstruct("the case of these characters")
    return changed


def _compare_option(arguments: tuple[Any, ...]) -> bool:
    if not arguments:
        return False
    if (
        len(arguments) == 1
        and isinstance(arguments[0], str)
        and arguments[0].lower() in ("ordinal", "ordinalignorecase")
    ):
        return arguments[0].lower() == "ordinalignorecase"
    raise UnknownConstruct("a comparison with this option")


def _affix(text: str, wanted: Any, options: tuple[Any, ...], end: bool) -> bool:
    ignore = _compare_option(options)
    one, two = (text.lower(), _text(wanted).lower()) if ignore else (text, _text(wanted))
    if not (text + two).isascii() and not options:
        raise UnknownConstruct("a comparison that depends on the culture")
    return one.endswith(two) if end else one.startswith(two)


def _string_methods() -> None:
    table: dict[str, Method] = {
        "substring": lambda run, text, start, length=None: _range(text, start, length),
        "toupper": lambda run, text: _ascii_case(text, True),
        "tolower": lambda run, text: _ascii_case(text, False),
        "toupperinvariant": lambda run, text: _ascii_case(text, True),
        "tolowerinvariant": lambda run, text: _ascii_case(text, False),
        "split": _split,
        "replace": lambda run, text, old, new: text.replace(_nonempty(_text(old)), _text(new)),
        "contains": lambda run, text, part: _text(part) in text,
        "startswith": lambda run, text, part, *options: _affix(text, part, options, False),
        "endswith": lambda run, text, part, *options: _affix(text, part, options, True),
        "indexof": lambda run, text, part: _find(text, part),
        "lastindexof": lambda run, text, part: _find(text, part, True),
        "padleft": lambda run, text, width, mark=" ": _plain(text).rjust(to_number(width, "System.Int32"), _text(mark)),
        "padright": lambda run, text, width, mark=" ": _plain(text).ljust(to_number(width, "System.Int32"), _text(mark)),
        "trim": lambda run, text, *marks: _trim(text, marks, "trim"),
        "trimstart": lambda run, text, *marks: _trim(text, marks, "trimstart"),
        "trimend": lambda run, text, *marks: _trim(text, marks, "trimend"),
        "tochararray": lambda run, text: TypedArray([Char(one) for one in _plain(text)], "System.Char"),
        "equals": lambda run, text, other, *options: _same(text, other, options),
        "insert": lambda run, text, start, part: _range(text, 0, start) + _text(part) + _range(text, start),
        "remove": lambda run, text, start, count=None: _range(text, 0, start) + ("" if count is None else _cut(text, start, count)),
    }  # fmt: skip
    METHODS.update({("System.String", name): method for name, method in table.items()})


def _nonempty(text: str) -> str:
    if not text:
        raise TerminatingError(Unsure("String cannot be of zero length."), exception_type="System.ArgumentException")
    return text


def _same(text: str, other: Any, options: tuple[Any, ...]) -> bool:
    if not isinstance(other, str):
        raise UnknownConstruct("Equals() with something that is no string")
    return text.lower() == other.lower() if _compare_option(options) else text == other


def _cut(text: str, start: Any, count: Any) -> str:
    _range(text, start, count)
    return text[start + count :]


def _where(run: Interpreter, items: list[Any], block: Any) -> ArrayList:
    from .convert import truth

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
        "indexof": lambda run, items, value: next(
            (i for i, item in enumerate(_growing(items)) if _exactly(item, value)), -1
        ),
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
    pattern = _text(arguments[0]) if arguments else ""
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
    groups = ArrayList([PsObject([("Success", text is not None), ("Value", text or "")], ("System.Text.RegularExpressions.Group",), text or "")
                        for text in (found[0], *found.groups())], "System.Text.RegularExpressions.GroupCollection")  # fmt: skip
    known = [
        ("Success", True),
        ("Value", found[0]),
        ("Index", found.start()),
        ("Length", len(found[0])),
        ("Groups", groups),
    ]
    return PsObject(known, ("System.Text.RegularExpressions.Match",), found[0])


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
    number = parse_number(_text(text))
    if number is None or (isinstance(number, float) and kind != "System.Double"):
        raise TerminatingError(
            Unsure("Input string was not in a correct format."),
            exception_type="System.FormatException",
            error_id="FormatException",
        )
    return convert(number, kind)


def _create_block(run: Interpreter, text: Any) -> Any:
    from .functions import script_block
    from .syntax import parse

    return script_block(parse(_text(text)))


def _sort_array(run: Interpreter, items: list[Any]) -> Any:
    import functools

    items.sort(key=functools.cmp_to_key(order))
    return NOTHING


def _static_methods() -> None:
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
        ("System.String", "::join()"): lambda run, mark, *items: _text(mark).join(
            to_text(item) for item in (items[0] if len(items) == 1 and isinstance(items[0], list) else items)
        ),
        ("System.String", "::format()"): lambda run, template, *items: format_operator(_text(template), list(items)),
        ("System.String", "::concat()"): lambda run, *items: "".join(_text(item) for item in items),
        ("System.Boolean", "::parse()"): lambda run, text: {"true": True, "false": False}[_text(text).strip().lower()],
        ("System.Guid", "::newguid()"): lambda run: uuid.uuid4(),
        ("System.Guid", "::empty"): lambda run: uuid.UUID(int=0),
        ("System.Guid", "::parse()"): lambda run, text: to_guid(_text(text)),
        ("System.DateTime", "::parse()"): lambda run, text: to_datetime(_text(text)),
        ("System.Environment", "::newline"): lambda run: _windows("\r\n"),
        ("System.Environment", "::machinename"): lambda run: _windows(run.session.computer_name),
        ("System.Array", "::indexof()"): lambda run, items, value: next((i for i, item in enumerate(items) if _exactly(item, value)), -1),
        ("System.Array", "::sort()"): _sort_array,
        ("System.Array", "::reverse()"): lambda run, items: _nothing(items.reverse()),
        ("System.Text.RegularExpressions.Regex", "::match()"): lambda run, text, pattern: _regex_match(
            regex(_text(pattern), True).search(_text(text))
        ),
        ("System.Text.RegularExpressions.Regex", "::matches()"): lambda run, text, pattern: ArrayList(
            [_regex_match(found) for found in regex(_text(pattern), True).finditer(_text(text))],
            "System.Text.RegularExpressions.MatchCollection",
        ),
        ("System.Text.RegularExpressions.Regex", "::ismatch()"): lambda run, text, pattern: (
            regex(_text(pattern), True).search(_text(text)) is not None
        ),
        ("System.Text.RegularExpressions.Regex", "::replace()"): lambda run, text, pattern, new: regex(_text(pattern), True).sub(
            lambda found: expand_replacement(found, _text(new)), _text(text)
        ),
        ("System.Management.Automation.ScriptBlock", "::create()"): _create_block,
        ("any", "tostring"): _to_string,
        ("number", "compareto"): lambda run, one, two: order(one, two) if type_names(one) == type_names(two) else _refuse(),
        ("number", "equals"): lambda run, one, two: _exactly(one, two),
        ("System.Char", "::isdigit()"): lambda run, one: _text(one).isdecimal(),
        ("System.Char", "::isletter()"): lambda run, one: _text(one).isalpha(),
    }  # fmt: skip
    METHODS.update(table)
    METHODS.update(dotnet.STATIC)


def _refuse() -> Any:
    raise UnknownConstruct("a comparison of two types")


def _windows(text: str) -> str:
    """A value that belongs to Windows: a strict session runs on any system."""
    if STRICT.get():
        raise UnknownConstruct("a value that depends on the operating system")
    return text


_string_methods()
_list_methods()
_table_methods()
_time_methods()
_static_methods()
