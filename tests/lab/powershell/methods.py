"""Methods of values, static members of types, and new objects."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import streams
from .blocks import script_block
from .convert import ENUMS, to_text
from .errors import ScriptError, TerminatingError, fail
from .kinds import is_null, is_number, type_name
from .members import UNITS
from .syntax import parse
from .unknown import UnknownConstruct, Unsure
from .values import AUTOMATION, TICKS_PER_SECOND, DateTime, EnumType, EnumValue, Hashtable, PsObject, PsType

if TYPE_CHECKING:
    from .interpreter import Interpreter


def _shift(value: DateTime, amount: Any, unit: int) -> DateTime:
    """A later moment; versions round to milliseconds or not, so only whole ones are certain."""
    ticks = amount * unit if is_number(amount) else 1
    if ticks % 10_000 or not 0 <= value.ticks + ticks <= 3155378975999999999:
        raise UnknownConstruct("a time in other than whole milliseconds, or a date beyond the calendar")
    return DateTime(value.ticks + int(ticks), value.kind)


def _to_string(value: Any, *arguments: Any) -> str:
    if isinstance(value, DateTime) and arguments in (("o",), ("O",)):
        moment, zone = value.as_python(), {"Utc": "Z", "Local": "+00:00", "Unspecified": ""}[value.kind]
        return f"{moment.year:04d}{moment:-%m-%dT%H:%M:%S}.{value.ticks % TICKS_PER_SECOND:07d}{zone}"
    if arguments or not isinstance(value, (str, int, uuid.UUID, EnumValue)):
        raise UnknownConstruct("ToString() of this value in this form")
    return to_text(value)


_METHODS: dict[tuple[str, str], Callable[..., Any]] = {
    ("System.String", "contains"): lambda text, part: str.__contains__(text, part),
    ("System.Collections.Hashtable", "containskey"): Hashtable.has,
    ("System.DateTime", "touniversaltime"): lambda value: DateTime(value.ticks, "Utc"),  # the lab's machine keeps UTC
    **{
        ("System.DateTime", f"add{name}"): lambda value, amount, unit=unit: _shift(value, amount, unit)
        for name, unit in UNITS.items()
    },
}
# Static members by the full name of the type, with () where they are called; each gets the interpreter first.
STATIC: dict[tuple[str, str], Callable[..., Any]] = {
    ("System.DateTime", "utcnow"): lambda run: run.session.now("Utc"),
    ("System.Convert", "frombase64string()"): lambda run, text: base64.b64decode("".join(text.split()), validate=True),
    ("System.Convert", "tobase64string()"): lambda run, data: base64.b64encode(data).decode(),
    ("System.BitConverter", "tostring()"): lambda run, data: data.hex("-").upper(),
    ("System.Security.Cryptography.SHA256", "create()"): lambda run: streams.sha256(),
    ("System.Text.UTF8Encoding", "new()"): lambda run, with_mark: streams.utf8(),
    ("System.IO.MemoryStream", "new()"): lambda run: streams.memory_stream(),
    ("System.IO.Compression.GZipStream", "new()"): lambda run, target, mode: streams.gzip_stream(target, mode),
    (AUTOMATION + "ScriptBlock", "create()"): lambda run, text: script_block(parse(text)),
}


# Whose methods ConstrainedLanguage allows, of the types that are modelled.
_CORE = "Boolean Int32 Int64 Double String DateTime TimeSpan Guid Object Array Collections.Hashtable"
CORE_TYPES = {f"System.{name}" for name in _CORE.split()}
CORE_TYPES |= {AUTOMATION + "ScriptBlock", AUTOMATION + "PSCustomObject"}


def _check_language(run: Interpreter, owner: str, name: str) -> None:
    if run.session.language_mode == "ConstrainedLanguage" and owner not in CORE_TYPES and name.lower() != "tostring":
        message = "Cannot invoke method. Method invocation is supported only on core types in this language mode."
        raise fail("MethodInvocationNotSupportedInConstrainedLanguage", Unsure(message))


def call_method(run: Interpreter, target: Any, name: str, arguments: list[Any]) -> Any:
    """`target.name(arguments)`; what .NET throws comes as a MethodInvocationException."""
    if is_null(target):
        raise fail("InvokeMethodOnNull", "You cannot call a method on a null-valued expression.")
    if not isinstance(target, list):
        _check_language(run, type_name(target), name)
    if isinstance(target, list):
        raise UnknownConstruct(f"the method {name} of a list")
    kind, lower = type_name(target), name.lower()
    if lower == "gettype" and not arguments:
        return PsType(kind)
    if hasattr(target, "ps_call"):
        return _invoke(lambda *given: target.ps_call(name, [*given]), kind, name, arguments)
    if isinstance(target, PsObject) and target.custom:
        raise _no_method(kind, name)
    method = _METHODS.get((kind, lower)) or (_to_string if lower == "tostring" else None)
    return _invoke(method and (lambda *given: method(target, *given)), kind, name, arguments)


def _no_method(kind: str, name: str) -> ScriptError:
    return fail("MethodNotFound", Unsure(f"[{kind}] does not contain a method named '{name}'."))


def _invoke(method: Callable[..., Any] | None, owner: str, name: str, arguments: list[Any]) -> Any:
    if method is None:
        raise UnknownConstruct(f"the method {name} of {owner}")
    try:
        return method(*arguments)
    except KeyError:
        raise _no_method(owner, name) from None
    except TerminatingError as error:
        message = Unsure(f'Exception calling "{name}" with "{len(arguments)}" argument(s): "{error.exception.message}"')
        identity = error.exception.type_name.rpartition(".")[2]
        kind = AUTOMATION + "MethodInvocationException"
        raise fail(identity, message, "NotSpecified", kind, error.exception) from None


def static_member(
    run: Interpreter, target: Any, name: str, arguments: list[Any] | None = None, *, created: bool = False
) -> Any:
    """`[type]::name`, or with a list of arguments `[type]::name(arguments)`; `created`: by New-Object."""
    owner = target.name if isinstance(target, PsType) else "?"
    kind = ENUMS.get(owner) or run.session.commands.types.get(owner)
    if isinstance(kind, EnumType) and arguments is None and (member := kind.find(name)):
        return member
    if arguments is not None:
        _check_language(run, owner, name)
        if name.lower() == "new" and run.session.version == "4.0" and not created:
            raise _no_method(owner, name)
    key = name.lower() if arguments is None else f"{name.lower()}()"
    return _invoke(STATIC.get((owner, key)), f"[{owner}]", name, [run, *(arguments or [])])
