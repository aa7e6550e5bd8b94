"""Names of types, and from one type to another: truth, text, numbers, arrays."""

from __future__ import annotations

import datetime
import math
import re
import uuid
from typing import Any

from .errors import ERROR_CATEGORY, RUNTIME, DotNetException, ErrorRecord, ScriptError, fail
from .kinds import is_null, type_name
from .unknown import UnknownConstruct, Unsure, certain
from .values import AUTOMATION, INTEGERS, Collection, DateTime, EnumType, EnumValue, Hashtable, Int64, PsObject

_COMPRESSION = EnumType("System.IO.Compression.CompressionMode", {"Decompress": 0, "Compress": 1})
ENUMS = {kind.name: kind for kind in (ERROR_CATEGORY, _COMPRESSION)}
# What a script may write for a type, and its name within System where that is another one.
_SHORT_NAMES = (
    "int=Int32 long=Int64 bool=Boolean hashtable=Collections.Hashtable scriptblock=Management.Automation.ScriptBlock "
    "pscustomobject=Management.Automation.PSCustomObject"
)
_SHORT = dict(pair.split("=") for pair in _SHORT_NAMES.split())
_PLAIN_TYPES = (
    "Int32 Int64 Double String Boolean DateTime TimeSpan Guid Object Array Exception Convert Environment "
    "BitConverter Text.Encoding Text.UTF8Encoding IO.MemoryStream IO.Compression.GZipStream "
    "Security.Cryptography.SHA256"
)
_TYPES = {name.lower(): name for name in ENUMS}
_TYPES |= {f"system.{name.lower()}": f"System.{name}" for name in (*_PLAIN_TYPES.split(), *_SHORT.values())}


def resolve_type(text: str, model_types: dict[str, Any] | None = None) -> str:
    """The full name of a type as a script writes it; UnknownConstruct if it is not in the list."""
    name = re.sub(r"\s+", "", text).lower()
    if name.endswith("[]"):
        return resolve_type(name[:-2], model_types) + "[]"
    if name in _SHORT:
        return f"System.{_SHORT[name]}"
    for known in (name, f"system.{name}"):
        if known in _TYPES:
            return _TYPES[known]
    for kind in model_types or ():
        if kind.lower() in (name, f"system.{name}"):
            return kind
    raise UnknownConstruct(f"the type [{text}]")


def is_instance(value: Any, name: str) -> bool:
    """The operator -is, for a full name."""
    if is_null(value):
        return False
    if isinstance(value, list):
        if name.endswith("[]"):
            raise UnknownConstruct(f"whether this list is a {name}")
        return name == "System.Object" or (name == "System.Array" and not isinstance(value, Collection))
    return name in (*getattr(value, "ps_type_names", ()), "System.Object", type_name(value))


def truth(value: Any) -> bool:
    """What a condition makes of a value."""
    if isinstance(value, list) and len(value) == 1:
        return bool(value[0]) if isinstance(value[0], list) else truth(value[0])
    if is_null(value):
        return False
    if isinstance(value, (bool, int, float, str, list, bytes)):
        return bool(value)
    return value.number != 0 if isinstance(value, EnumValue) else True


def double_text(value: float) -> str:
    """A Double as text, in the invariant culture."""
    if str(value) != "0.0" and not 1e-4 <= abs(value) < 1e15:
        raise UnknownConstruct("the text of a Double this large or small")
    return repr(value).removesuffix(".0") if value else "0"


def to_text(value: Any) -> str:
    """The cast [string], which is also what a string in double quotes shows."""
    if is_null(value):
        return ""
    if isinstance(value, (str, ErrorRecord)):
        return certain(value if isinstance(value, str) else value.message)
    if isinstance(value, (bool, int)):
        return str(value) if isinstance(value, bool) else str(int(value))
    if isinstance(value, float) and float(f"{value:.15g}") == value:  # 5.1 shows 15 digits, later versions more
        return double_text(value)
    if isinstance(value, list) and not any(isinstance(item, (list, PsObject)) for item in value):
        return " ".join(to_text(item) for item in value)
    if isinstance(value, (uuid.UUID, EnumValue)):
        return value.name if isinstance(value, EnumValue) else str(value)
    if isinstance(value, Hashtable):
        return type_name(value)
    raise UnknownConstruct(f"the text of this {'list' if isinstance(value, list) else type_name(value)}")


def parse_number(text: str) -> int | float | None:
    """A number in a string, 0 for an empty one; None if it is surely none."""
    stripped = text.strip()
    if re.fullmatch(r"[+-]?\d+", stripped, re.A):
        return int(stripped)
    if re.fullmatch(r"[+-]?\d+\.\d+", stripped, re.A):
        return float(stripped)
    if not text:
        return 0
    if not re.fullmatch(r"[a-z]+", text, re.I | re.A) or text.lower() in ("nan", "infinity"):
        raise UnknownConstruct(f"a number as text in the form {text!r}")
    return None


def cast_error(value: Any, target: str) -> ScriptError:
    """The error of a cast that cannot be done: a RuntimeException around the one of the cast."""
    shown = to_text(value) if isinstance(value, (str, int)) else "null" if is_null(value) else "..."
    message = Unsure(f'Cannot convert value "{shown}" to type "{target}".')
    error_id = "nullToObjectInvalidCast" if is_null(value) else "InvalidCast"
    if isinstance(value, str) and target in INTEGERS:
        error_id = "InvalidCastFromStringToInteger"
    inner = DotNetException(AUTOMATION + "PSInvalidCastException", message)
    return fail(Unsure(error_id), message, "InvalidArgument", RUNTIME, inner)


def to_number(value: Any, target: str) -> Any:
    """The cast to an integer type or to Double."""
    number: Any = value.number if isinstance(value, EnumValue) else 0 if is_null(value) else value
    if isinstance(number, str):
        number = parse_number(number)
    if not isinstance(number, (bool, int, float)):
        raise cast_error(value, target)
    if target == "System.Double":
        return float(number)
    low, high = INTEGERS[target]
    whole = round(number) if math.isfinite(number) else high + 1  # half to even, as .NET does
    if not low <= whole <= high:
        raise cast_error(value, target)
    return Int64(whole) if target == "System.Int64" else int(whole)


_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?:T(\d\d:\d\d:\d\d)(Z?))?", re.A)


def to_datetime(value: Any) -> DateTime:
    """The cast [datetime]: ISO 8601 only, since all else depends on the culture. The lab's machine keeps UTC."""
    match = _DATE.fullmatch(value) if isinstance(value, str) else None
    if not match:
        raise UnknownConstruct("the cast of this value to a DateTime")
    moment = datetime.datetime.fromisoformat(f"{match[1]}T{match[2] or '00:00:00'}")
    return DateTime.of(moment, "Local" if match[3] else "Unspecified")


def to_enum(value: Any, kind: EnumType) -> EnumValue:
    if isinstance(value, EnumValue) and value.type.name == kind.name:
        return value
    word = value.strip().lower() if isinstance(value, str) else ""
    if found := kind.find(word):
        return found
    if is_null(value) or (word.isalpha() and not any(name.lower().startswith(word) for name in kind.members)):
        raise cast_error(value, kind.name)
    raise UnknownConstruct(f"the cast of this value to [{kind.name}]")  # a number, a list, a beginning of a name


def convert(value: Any, target: str, model_types: dict[str, Any] | None = None) -> Any:
    """The cast to a full type name; raises the ScriptError of PowerShell where it cannot be done."""
    if target == "System.Object":
        return value
    if target in INTEGERS or target == "System.Double":
        return to_number(value, target)
    if target in ("System.String", "System.Boolean"):
        return to_text(value) if target == "System.String" else truth(value)
    kind = ENUMS.get(target) or (model_types or {}).get(target)
    if isinstance(kind, EnumType):
        return to_enum(value, kind)
    if target == "System.Array" or target.endswith("[]"):
        if is_null(value):
            return None
        element = "System.Object" if target == "System.Array" else target[:-2]
        return [convert(item, element, model_types) for item in (value if isinstance(value, list) else [value])]
    if is_null(value):
        if target in ("System.DateTime", "System.Guid", "System.TimeSpan"):
            raise cast_error(value, target)
        return None
    if isinstance(value, list):
        raise UnknownConstruct(f"the cast of a list to [{target}]")
    if is_instance(value, target):
        return value
    if target == "System.DateTime":
        return to_datetime(value)
    if target in (model_types or {}) and not isinstance(value, Hashtable):
        raise cast_error(value, target)
    raise UnknownConstruct(f"the cast to [{target}]")
