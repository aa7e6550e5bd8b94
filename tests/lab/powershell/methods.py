"""Methods of values, static members of types, and new objects."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import streams
from .convert import ENUMS, convert, to_text
from .errors import EXCEPTION_BASES, DotNetException, ScriptError, TerminatingError, fail
from .members import UNITS, utf16_length
from .values import (
    AUTOMATION,
    INTEGERS,
    NOTHING,
    TICKS_PER_SECOND,
    DateTime,
    EnumType,
    EnumValue,
    Hashtable,
    PsObject,
    PsType,
    UnknownConstruct,
    Unsure,
    is_null,
    is_number,
    type_names,
)

if TYPE_CHECKING:
    from .session import Session

_LAST_TICK = 3155378975999999999


def _ascii(text: str, part: Any) -> str:
    """The part, where looking for it does not depend on the culture: printable ASCII, and not nothing."""
    if not part or not isinstance(part, str) or not (text + part).isascii() or not (text + part).isprintable():
        raise UnknownConstruct("a search that depends on the culture")
    return part


def _string(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("a string is expected here")
    return value


def _one_character(mark: Any) -> str:
    if utf16_length(_string(mark)) != 1:
        raise UnknownConstruct("a separator of more than one character")
    return str(mark)


def _substring(text: str, start: int, length: int | None = None) -> str:
    end = len(text) if length is None else start + length
    if not 0 <= start <= end <= len(text) or utf16_length(text) != len(text):
        raise UnknownConstruct("a part of a string beyond its end, or of one with characters beyond the BMP")
    return text[start:end]


def _trim(text: str) -> str:
    if text.strip() != text.strip(" \t\n\r\v\f"):
        raise UnknownConstruct("trimming of spaces beyond ASCII")
    return text.strip()


def _cased(text: str, upper: bool) -> str:
    if not text.isascii() and text.lower() != text.upper():
        raise UnknownConstruct("the case of letters beyond ASCII")
    return text.upper() if upper else text.lower()


def _add_key(table: Hashtable, key: Any, value: Any) -> Any:
    if table.has(key):
        raise TerminatingError(Unsure("Item has already been added."), exception_type="System.ArgumentException")
    table.set(key, value)
    return NOTHING


def _remove_key(table: Hashtable, key: Any) -> Any:
    table.remove(key)
    return NOTHING


def _shift(value: DateTime, amount: Any, unit: int) -> DateTime:
    """A later moment; versions round to milliseconds or not, so only whole ones are certain."""
    ticks = amount * unit if is_number(amount) else 1
    if ticks % 10_000 or not 0 <= value.ticks + ticks <= _LAST_TICK:
        raise UnknownConstruct("a time in other than whole milliseconds, or a date beyond the calendar")
    return DateTime(value.ticks + int(ticks), value.kind)


def _to_string(value: Any, *arguments: Any) -> str:
    if isinstance(value, DateTime) and arguments in (("o",), ("O",)):
        moment, zone = value.as_python(), {"Utc": "Z", "Local": "+00:00", "Unspecified": ""}[value.kind]
        return f"{moment.year:04d}{moment:-%m-%dT%H:%M:%S}.{value.ticks % TICKS_PER_SECOND:07d}{zone}"
    if arguments or not isinstance(value, (str, int, uuid.UUID, EnumValue)):
        raise UnknownConstruct("ToString() of this value in this form")
    return to_text(value)


_HASHTABLE, _ORDERED = "System.Collections.Hashtable", "System.Collections.Specialized.OrderedDictionary"
_METHODS: dict[tuple[str, str], Callable[..., Any]] = {
    ("System.String", "contains"): lambda text, part: _string(part) in text,
    ("System.String", "endswith"): lambda text, part: text.endswith(_ascii(text, part)),
    ("System.String", "startswith"): lambda text, part: text.startswith(_ascii(text, part)),
    ("System.String", "replace"): lambda text, old, new: text.replace(_ascii("", old), _string(new)),
    ("System.String", "split"): lambda text, mark: text.split(_one_character(mark)),
    ("System.String", "substring"): _substring,
    ("System.String", "tolower"): lambda text: _cased(text, False),
    ("System.String", "toupper"): lambda text: _cased(text, True),
    ("System.String", "trim"): _trim,
    (_HASHTABLE, "containskey"): Hashtable.has,
    (_HASHTABLE, "add"): _add_key,
    (_HASHTABLE, "remove"): _remove_key,
    (_ORDERED, "add"): _add_key,
    ("System.DateTime", "touniversaltime"): lambda value: DateTime(value.ticks, "Utc"),  # the lab's machine keeps UTC
    **{
        ("System.DateTime", f"add{name}"): lambda value, amount, unit=unit: _shift(value, amount, unit)
        for name, unit in UNITS.items()
    },
}


def call_method(target: Any, name: str, arguments: list[Any]) -> Any:
    """`target.name(arguments)`; what .NET throws comes as a MethodInvocationException."""
    if is_null(target):
        raise fail("InvokeMethodOnNull", "You cannot call a method on a null-valued expression.")
    if isinstance(target, list):
        raise UnknownConstruct(f"the method {name} of a list")
    lower, kind = name.lower(), type_names(target)[0]
    if lower == "gettype" and not arguments:
        return PsType(kind)
    if hasattr(target, "ps_call"):
        try:
            return target.ps_call(name, arguments)
        except KeyError:
            raise _no_method(kind, name) from None
        except TerminatingError as error:
            raise _invocation_error(name, len(arguments), error.exception) from None
    method = _METHODS.get((kind, lower)) or (_to_string if lower == "tostring" else None)
    if method is None and isinstance(target, PsObject) and target.custom:
        raise _no_method(kind, name)
    return _invoke(method, f"{name} of a {kind}", [target, *arguments], name, len(arguments))


def _no_method(kind: str, name: str) -> ScriptError:
    return fail(
        "MethodNotFound", f"Method invocation failed because [{kind}] does not contain a method named '{name}'."
    )


def _invoke(method: Callable[..., Any] | None, shown: str, arguments: list[Any], name: str, count: int) -> Any:
    if method is None:
        raise UnknownConstruct(f"the method {shown}")
    try:
        return method(*arguments)
    except TerminatingError as error:
        raise _invocation_error(name, count, error.exception) from None
    except (TypeError, ValueError, AttributeError) as problem:
        raise UnknownConstruct(f"these arguments of the method {shown} ({problem})") from None


def _invocation_error(name: str, count: int, exception: DotNetException) -> ScriptError:
    message = Unsure(f'Exception calling "{name}" with "{count}" argument(s): "{exception.message}"')
    short = exception.type_name.rpartition(".")[2]
    return fail(short, message, "NotSpecified", AUTOMATION + "MethodInvocationException", exception)


_STATIC_METHODS: dict[tuple[str, str], Callable[..., Any]] = {
    ("System.String", "isnullorempty"): lambda text: is_null(text) or _string(text) == "",
    ("System.Convert", "frombase64string"): streams.from_base64,
    ("System.Convert", "tobase64string"): streams.to_base64,
    ("System.BitConverter", "tostring"): streams.to_hexadecimal,
    ("System.Security.Cryptography.SHA256", "create"): streams.sha256,
    (AUTOMATION + "ScriptBlock", "create"): lambda run, text: run.block_from_text(_string(text)),
}
_STATIC_PROPERTIES: dict[tuple[str, str], Callable[[Session], Any]] = {
    ("System.DateTime", "utcnow"): lambda session: session.now("Utc"),
    ("System.DateTime", "now"): lambda session: session.now("Local"),
    ("System.DateTime", "minvalue"): lambda session: DateTime(0),
    ("System.DateTime", "maxvalue"): lambda session: DateTime(_LAST_TICK),
    ("System.Int32", "maxvalue"): lambda session: INTEGERS["System.Int32"][1],
    ("System.Int64", "maxvalue"): lambda session: INTEGERS["System.Int64"][1],
    ("System.Text.Encoding", "utf8"): lambda session: streams.utf8(),
}


def known_static(type_name: str, name: str, method: bool) -> bool:
    """Whether a static member of a type is known here."""
    if not method and type_name in ENUMS:
        return ENUMS[type_name].find(name) is not None
    return (type_name, name.lower()) in (_STATIC_METHODS if method else _STATIC_PROPERTIES)


def static_property(session: Session, target: Any, name: str) -> Any:
    """`[type]::name`."""
    owner = target.name if isinstance(target, PsType) else "?"
    kind = ENUMS.get(owner) or session.commands.types.get(owner)
    if isinstance(kind, EnumType) and (member := kind.find(name)):
        return member
    if (owner, name.lower()) not in _STATIC_PROPERTIES:
        raise UnknownConstruct(f"[{owner}]::{name}")
    return _STATIC_PROPERTIES[owner, name.lower()](session)


def call_static(run: Any, target: Any, name: str, arguments: list[Any]) -> Any:
    """`[type]::name(arguments)`; `run` is the interpreter, for the one that makes a script block."""
    owner = target.name if isinstance(target, PsType) else "?"
    method = _STATIC_METHODS.get((owner, name.lower()))
    given = [run, *arguments] if owner.endswith("ScriptBlock") else arguments
    return _invoke(method, f"[{owner}]::{name}", given, name, len(arguments))


def new_object(name: str, arguments: list[Any]) -> Any:
    """A new object of .NET, as New-Object makes it."""
    kinds = [type(one) for one in arguments]
    if name in (*EXCEPTION_BASES, "System.Exception") and kinds in ([str], [str, DotNetException]):
        return DotNetException(name, *arguments)
    if name == _HASHTABLE and not arguments:
        return Hashtable()
    if name == "System.DateTime" and len(arguments) == 3 and set(kinds) == {int}:
        return convert("{:04d}-{:02d}-{:02d}".format(*arguments), name)
    if name == "System.Text.UTF8Encoding" and arguments == [False]:
        return streams.utf8()
    if name == "System.IO.MemoryStream" and not arguments:
        return streams.MemoryStream()
    if name == "System.IO.Compression.GZipStream" and kinds == [streams.MemoryStream, EnumValue]:
        return streams.GzipStream(*arguments)
    raise UnknownConstruct(f"a new {name} with these arguments")
