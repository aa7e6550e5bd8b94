"""From one type to another: names of types, truth, text, numbers, dates."""

from __future__ import annotations

import datetime
import math
import re
import uuid
from decimal import Decimal
from typing import Any

from .errors import (
    AUTOMATION,
    EXCEPTION_BASES,
    DotNetException,
    ErrorRecord,
    ScriptError,
    exception_names,
    fail,
)
from .typenames import CUSTOM_OBJECT, ENUMS, SWITCH
from .values import (
    EPOCH,
    INTEGERS,
    NOTHING,
    STRICT,
    TICKS_PER_SECOND,
    ArrayList,
    Char,
    DateTime,
    EnumType,
    EnumValue,
    Hashtable,
    LargeNumber,
    PsObject,
    Reference,
    Switch,
    TimeSpan,
    TypedArray,
    UnknownConstruct,
    Unsure,
    integer_type,
    is_null,
    type_names,
)


def truth(value: Any) -> bool:
    """What a condition makes of a value."""
    if is_null(value):
        return False
    if isinstance(value, list):
        if len(value) == 1:
            return bool(value[0]) if isinstance(value[0], list) else truth(value[0])
        return bool(value)
    if isinstance(value, (bool, int, float, str)):
        return bool(value)
    if isinstance(value, Char):
        return value.value != "\0"
    if isinstance(value, EnumValue):
        return value.number != 0
    return value.present if isinstance(value, Switch) else True


def double_text(value: float) -> str:
    """A Double as text, in the invariant culture; 5.1 shows 15 digits, later versions as many as are needed."""
    if math.isnan(value) or math.isinf(value):
        raise UnknownConstruct("the text of a number that is not finite")
    shown = value
    if float(f"{value:.15g}") != value:
        if STRICT.get():
            raise UnknownConstruct("the text of a Double of more than 15 digits")
        shown = float(f"{value:.15g}")
    return round_trip_text(shown)


def round_trip_text(value: float) -> str:
    """The shortest text that gives the same Double again."""
    sign, digits, exponent = Decimal(repr(value)).normalize().as_tuple()
    if value == 0 or not isinstance(exponent, int):
        return "0"
    scientific = exponent + len(digits) - 1
    mantissa = "".join(map(str, digits))
    if scientific >= 15 or scientific < -5:
        shown = mantissa[0] + ("." + mantissa[1:] if len(mantissa) > 1 else "")
        shown += f"E{'+' if scientific >= 0 else '-'}{abs(scientific):02d}"
    else:
        shown = f"{Decimal(repr(abs(value))).normalize():f}"
    return ("-" if sign else "") + shown


def timespan_text(value: TimeSpan) -> str:
    days, rest = divmod(abs(value.ticks), 86400 * TICKS_PER_SECOND)
    seconds, fraction = divmod(rest, TICKS_PER_SECOND)
    text = f"{days}." * bool(days) + f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    return ("-" if value.ticks < 0 else "") + text + f".{fraction:07d}" * bool(fraction)


def to_text(value: Any, ofs: str = " ") -> str:
    """The cast [string], which is also what a string in double quotes shows."""
    if is_null(value):
        return ""
    if isinstance(value, str):
        if isinstance(value, Unsure):
            return certain(value)
        return value
    if isinstance(value, (bool, Switch)):
        return "True" if truth(value) else "False"
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float):
        return double_text(value)
    if isinstance(value, (Char, LargeNumber)):
        return value.value if isinstance(value, Char) else value.text
    if isinstance(value, list):
        return ofs.join(to_text(item) if not isinstance(item, list) else to_text(item, ofs) for item in value)
    if isinstance(value, uuid.UUID):
        return str(value)
    if isinstance(value, EnumValue):
        return value.name
    if isinstance(value, DateTime):
        moment = value.as_python()
        return f"{moment.month:02d}/{moment.day:02d}/{moment.year:04d} {moment:%H:%M:%S}"
    if isinstance(value, TimeSpan):
        return timespan_text(value)
    if isinstance(value, Hashtable):
        return type_names(value)[0]
    if isinstance(value, ErrorRecord):
        return certain(value.message)
    if isinstance(value, PsObject):
        if value.text is not None:
            return value.text
        if value.custom:
            return "@{" + "; ".join(f"{name}={_inner_text(item)}" for name, item in value.pairs()) + "}"
    if hasattr(value, "ps_text"):
        return str(value.ps_text())
    raise UnknownConstruct(f"the text of a {type_names(value)[0]}")


def _inner_text(value: Any) -> str:
    if isinstance(value, (list, PsObject)):
        raise UnknownConstruct("the text of an object that holds lists or objects")
    return to_text(value)


def certain(text: str) -> str:
    """A text that is about to be shown."""
    if isinstance(text, Unsure):
        if STRICT.get():
            raise UnknownConstruct("a text that differs between versions of PowerShell")
        return str(text)
    return text


def parse_number(text: str) -> int | float | None:
    """A number in a string; None if it is none."""
    stripped = text.strip()
    if re.fullmatch(r"[+-]?\d+", stripped, re.A):
        return int(stripped)
    if re.fullmatch(r"0x[0-9a-f]+", stripped, re.I):
        number = int(stripped, 16)
        return number - 2**32 if 2**31 <= number < 2**32 and len(stripped) <= 10 else number
    if re.fullmatch(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", stripped, re.I | re.A):
        return float(stripped)
    if any(character.isdigit() for character in stripped) and not re.match(r"[+-]?\d*[A-Za-z]{3,}", stripped):
        raise UnknownConstruct(f"a number in the form {stripped!r}")
    return None


def cast_error(value: Any, target: str, error_id: str, reason: str = "") -> ScriptError:
    """The error of a cast that cannot be done."""
    inner = None
    if reason:
        kind = "System.OverflowException" if "too large" in reason else "System.FormatException"
        inner = DotNetException(kind, Unsure(reason))
        message: str = Unsure(f'Cannot convert value "{to_text(value)}" to type "{target}". Error: "{reason}"')
    else:
        names = type_names(value) if value is not None else ("null",)
        shown = to_text(value) if isinstance(value, (str, int, PsObject, Hashtable)) else names[0]
        message = f'Cannot convert the "{shown}" value of type "{names[0]}" to type "{target}".'
    return fail(error_id, message, "InvalidArgument", AUTOMATION + "PSInvalidCastException", inner)


def to_number(value: Any, target: str) -> Any:
    """The cast to an integer type or to Double."""
    number: Any = None
    if is_null(value):
        number = 0
    elif isinstance(value, (bool, int, float)):
        number = value
    elif isinstance(value, Char):
        number = ord(value.value)
    elif isinstance(value, EnumValue):
        number = value.number
    elif isinstance(value, str):
        number = parse_number(value) if value.strip() else 0
        if number is None:
            identity = (
                "InvalidCastFromStringToInteger" if target in INTEGERS else "InvalidCastFromStringToDoubleOrSingle"
            )
            raise cast_error(value, target, identity, "Input string was not in a correct format.")
    elif isinstance(value, LargeNumber):
        raise cast_error(value, target, Unsure("InvalidCastIConvertible"), "Value was either too large or too small.")
    if number is None:
        raise cast_error(value, target, "ConvertToFinalInvalidCastException")
    if target == "System.Double":
        return float(number)
    kind, low, high = INTEGERS[target]
    if isinstance(number, float):
        number = None if math.isnan(number) or math.isinf(number) else round(number)
    if number is None or not low <= number <= high:
        short = target.removeprefix("System.")
        article = "an" if short[0] in "IU" else "a"
        reason = f"Value was either too large or too small for {article} {short}."
        raise cast_error(value, target, Unsure("InvalidCastIConvertible"), reason)
    return kind(number)


_DATE = re.compile(
    r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(?:\.(\d{1,7}))?)?)?(Z|[+-]\d{2}:\d{2})?", re.A
)


def to_datetime(value: Any) -> DateTime:
    """The cast [datetime]: ISO 8601 only, since all else depends on the culture. The machine's time zone is UTC."""
    if isinstance(value, DateTime):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return DateTime(int(value))
    match = _DATE.fullmatch(value.strip()) if isinstance(value, str) else None
    if isinstance(value, str) and not re.search(r"\d|:|today|now", value):
        raise cast_error(value, "System.DateTime", Unsure("InvalidCastParseTargetInvocationWithFormatProvider"),
                         "String was not recognized as a valid DateTime.")  # fmt: skip
    if not match:
        raise UnknownConstruct("the cast of this value to a DateTime")
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    try:
        moment = datetime.datetime(year, month, day, hour, minute, second)
    except ValueError:
        raise cast_error(value, "System.DateTime", Unsure("InvalidCastParseTargetInvocationWithFormatProvider"),
                         "String was not recognized as a valid DateTime.") from None  # fmt: skip
    ticks = (moment - EPOCH) // datetime.timedelta(microseconds=1) * 10 + int((match[7] or "").ljust(7, "0"))
    if not match[8]:
        return DateTime(ticks)
    if match[8] != "Z":
        sign = -1 if match[8][0] == "-" else 1
        ticks -= sign * (int(match[8][1:3]) * 60 + int(match[8][4:])) * 60 * TICKS_PER_SECOND
    return DateTime(ticks, "Local")


def to_timespan(value: Any) -> TimeSpan:
    match = re.fullmatch(r"(?:(\d+)\.)?(\d{1,2}):(\d{2})(?::(\d{2}))?", value) if isinstance(value, str) else None
    if isinstance(value, int) and not isinstance(value, bool):
        return TimeSpan(int(value))
    if not match or int(match[2]) > 23 or int(match[3]) > 59:
        raise UnknownConstruct("the cast of this value to a TimeSpan")
    days, hours, minutes, seconds = (int(part or 0) for part in match.groups())
    return TimeSpan((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * TICKS_PER_SECOND)


def to_guid(value: Any) -> uuid.UUID:
    if isinstance(value, uuid.UUID):
        return value
    if isinstance(value, str):
        if re.fullmatch(
            r"\{[0-9a-f-]{36}\}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|[0-9a-f]{32}", value.strip(), re.I
        ):
            return uuid.UUID(value.strip())
        raise cast_error(value, "System.Guid", Unsure("InvalidCastParseTargetInvocation"), "Unrecognized Guid format.")
    raise UnknownConstruct("the cast of this value to a Guid")


def convert(value: Any, target: str, ofs: str = " ", model_types: dict[str, Any] | None = None) -> Any:
    """The cast to a full type name; raises the ScriptError of PowerShell where it cannot be done."""
    if target in ("System.Object", AUTOMATION + "PSObject"):
        return value
    if target == "System.Void":
        return NOTHING
    if target in INTEGERS or target == "System.Double":
        return (
            value
            if not isinstance(value, bool) and not is_null(value) and type_names(value)[0] == target
            else to_number(value, target)
        )
    if target == "System.String":
        return to_text(value, ofs)
    if target in ("System.Boolean", SWITCH):
        return truth(value) if target != SWITCH else Switch(truth(value))
    if target == "System.Array" or target.endswith("[]"):
        return _to_array(value, "System.Object[]" if target == "System.Array" else target, ofs, model_types)
    if target == "System.Collections.ArrayList" or target.startswith("System.Collections.Generic.List"):
        if not isinstance(value, list):
            raise UnknownConstruct(f"the cast of one value to {target}")
        element = target.partition("[[")[2].rstrip("]") or "System.Object"
        return ArrayList((convert(item, element, ofs, model_types) for item in value), target)
    if target == CUSTOM_OBJECT:
        if isinstance(value, Hashtable):
            return PsObject((to_text(key), item) for key, item in value.pairs())
        return value
    if target == "System.Collections.Hashtable":
        if isinstance(value, Hashtable):
            return value if not value.ordered else Hashtable(value.pairs())
        if is_null(value):
            return None
        raise cast_error(value, target, "ConvertToFinalInvalidCastException")
    if target == AUTOMATION + "PSReference":
        return Reference(None, value)
    kind = ENUMS.get(target.lower()) or (model_types or {}).get(target)
    if isinstance(kind, EnumType):
        return to_enum(value, kind)
    if target in EXCEPTION_BASES or target == "System.Exception":
        if isinstance(value, DotNetException) and target in exception_names(value.type_name):
            return value
        if isinstance(value, str):
            return DotNetException(target, value)
    if is_null(value):
        if target in ("System.DateTime", "System.Guid", "System.Char", "System.TimeSpan"):
            raise cast_error(None, target, Unsure("NullToValueType"))
        return None
    makers: dict[str, Any] = {
        "System.DateTime": to_datetime,
        "System.Guid": to_guid,
        "System.TimeSpan": to_timespan,
        "System.Char": to_char,
    }
    if target in makers:
        return makers[target](value)
    if any(name.lower() == target.lower() or name.lower().endswith("." + target.lower()) for name in type_names(value)):
        return value
    if target in (model_types or {}) or target == AUTOMATION + "ScriptBlock":
        raise cast_error(value, target, "ConvertToFinalInvalidCastException")
    raise UnknownConstruct(f"the cast to [{target}]")


def _to_array(value: Any, target: str, ofs: str, model_types: dict[str, Any] | None) -> Any:
    if is_null(value):
        return None
    element = target[:-2]
    if element == "System.Char" and isinstance(value, str):
        return TypedArray([Char(character) for character in value], element)
    items = list(value) if isinstance(value, list) else [value]
    if element == "System.Object":
        return value if type(value) is list else items
    if isinstance(value, TypedArray) and value.element == element:
        return value
    return TypedArray([convert(item, element, ofs, model_types) for item in items], element)


def to_char(value: Any) -> Char:
    if isinstance(value, Char):
        return value
    if isinstance(value, str) and len(value) == 1:
        return Char(value)
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 0xD800:
        return Char(chr(value))
    raise UnknownConstruct("the cast of this value to a Char")


def to_enum(value: Any, kind: EnumType) -> EnumValue:
    if isinstance(value, EnumValue) and value.type.name == kind.name:
        return value
    if isinstance(value, str):
        if found := kind.find(value):
            return found
        names = ",".join(kind.members)
        message = f'Cannot convert value "{value}" to type "{kind.name}". Specify one of: {names}'
        identity = Unsure("SubstringDisambiguationEnumParseThrewAnException")
        raise fail(identity, Unsure(message), "InvalidArgument", AUTOMATION + "PSInvalidCastException")
    if isinstance(value, int) and not isinstance(value, bool):
        for name, number in kind.members.items():
            if number == value:
                return EnumValue(kind, name, number)
    raise UnknownConstruct(f"the cast of this value to [{kind.name}]")


def narrow(value: int) -> str:
    """The type that arithmetic gives to an operand: Int32 for the small integers, Int64, or one not known here."""
    name = integer_type(value)
    if name in ("System.Byte", "System.Int16", "System.UInt16"):
        return "System.Int32"
    return name
