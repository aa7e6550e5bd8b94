"""Properties, methods and elements of values; static members of types."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .convert import certain, convert, truth
from .errors import AUTOMATION, DotNetException, ErrorRecord, ScriptError, TerminatingError, fail
from .methods import METHODS, instance_method
from .objects import new_object
from .properties import MISSING, PropertyCollection, own_property
from .typenames import ENUMS
from .values import (
    ArrayList,
    Char,
    EnumType,
    Hashtable,
    PsObject,
    PsType,
    Reference,
    TypedArray,
    UnknownConstruct,
    Unsure,
    is_null,
    is_number,
    type_names,
)

if TYPE_CHECKING:
    from .interpreter import Interpreter


def get_member(run: Interpreter, value: Any, name: str) -> Any:
    """`value.name`, with the properties of the elements where a list has no such property."""
    if is_null(value):
        if name.lower() in ("count", "length") and not run.strict:
            return 0
        if run.strict:
            raise _not_found(name)
        return None
    found = own_property(value, name)
    if found is not MISSING:
        if isinstance(found, Unsure):
            certain(found)
        return found
    if isinstance(value, list):
        return _of_elements(run, value, name)
    if name.lower() in ("count", "length") and not run.strict:
        return 1
    if run.strict:
        raise _not_found(name)
    return None


def _of_elements(run: Interpreter, items: list[Any], name: str) -> Any:
    values: list[Any] = []
    missing = False
    for item in items:
        found = MISSING if is_null(item) else own_property(item, name)
        if found is MISSING:
            missing = True
        elif isinstance(found, list):
            values += found
        else:
            values.append(found)
    if (missing and (values or any(isinstance(item, (Hashtable, list)) for item in items))) or name.lower() == "length":
        raise UnknownConstruct(f"the property {name} that only some elements have")
    if not values:
        if run.strict:
            raise _not_found(name)
        return None
    return values[0] if len(values) == 1 else values


def _not_found(name: str) -> ScriptError:
    message = f"The property '{name}' cannot be found on this object. Verify that the property exists."
    return fail("PropertyNotFoundStrict", message, "NotSpecified", AUTOMATION + "PropertyNotFoundException")


def set_member(run: Interpreter, target: Any, name: str, value: Any) -> None:
    if isinstance(target, Hashtable):
        target.set(name, value)
    elif isinstance(target, PsObject) and target.custom and name.lower() in target.properties:
        target.properties[name.lower()] = (target.properties[name.lower()][0], value)
    elif isinstance(target, Reference) and name.lower() == "value" and target.assign:
        target.assign(value)
    elif hasattr(target, "ps_set"):
        try:
            target.ps_set(name, value)
        except TerminatingError as error:
            message = f'Exception setting "{name}": "{error.exception.message}"'
            raise fail(
                "ExceptionWhenSetting",
                message,
                "NotSpecified",
                AUTOMATION + "SetValueInvocationException",
                error.exception,
            ) from None
        except KeyError:
            raise _no_property(name) from None
    elif is_null(target) or (isinstance(target, PsObject) and target.custom) or isinstance(target, (str, bool, int)):
        raise _no_property(name)
    else:
        raise UnknownConstruct(f"setting the property {name} of a {type_names(target)[0]}")


def _no_property(name: str) -> ScriptError:
    message = f"The property '{name}' cannot be found on this object. Verify that the property exists and can be set."
    return fail("PropertyNotFound", message, "InvalidOperation")


def get_element(run: Interpreter, target: Any, index: Any) -> Any:
    """`target[index]`."""
    if is_null(target):
        raise fail("NullArray", "Cannot index into a null array.", "InvalidOperation")
    if isinstance(target, PropertyCollection) and isinstance(index, str):
        return next((one for one in target if one.properties["name"][1].lower() == index.lower()), None)
    if isinstance(target, Hashtable):
        if isinstance(index, list):
            return [get_element(run, target, one) for one in index]
        if is_null(index) or (target.ordered and not isinstance(index, str)):
            raise UnknownConstruct("this index of a table")
        return target.get(index)
    if isinstance(target, (list, str)):
        if isinstance(index, list):
            found = [_at(target, one) for one in index]
            if any(one is MISSING for one in found):
                raise UnknownConstruct("an index beyond the end among several")
            return found
        found_one = _at(target, index)
        if found_one is MISSING:
            if run.strict >= 3 or isinstance(target, ArrayList):
                raise UnknownConstruct("an index beyond the end")
            return None
        return found_one
    if isinstance(target, PsObject) and target.text is not None and index in (0, "0"):
        return target
    raise UnknownConstruct(f"an element of a {type_names(target)[0]}")


def _at(target: Any, index: Any) -> Any:
    position = convert(index, "System.Int32")
    if isinstance(target, str) and not all(ord(character) < 0x10000 for character in target):
        raise UnknownConstruct("a character of a string beyond the BMP")
    if -len(target) <= position < len(target):
        return Char(target[position]) if isinstance(target, str) else target[position]
    return MISSING


def set_element(target: Any, index: Any, value: Any) -> None:
    if isinstance(target, Hashtable) and not is_null(index) and not (target.ordered and not isinstance(index, str)):
        target.set(index, value)
    elif (
        isinstance(target, list)
        and is_number(index)
        and -len(target) <= int(index) < len(target)
        and type(target) is not PropertyCollection
    ):
        target[int(index)] = convert(value, target.element) if isinstance(target, TypedArray) else value
    elif is_null(target):
        raise fail("NullArray", "Cannot index into a null array.", "InvalidOperation")
    else:
        raise UnknownConstruct("an assignment to this element")


def call_method(run: Interpreter, target: Any, name: str, arguments: list[Any]) -> Any:
    """`target.name(arguments)`; what .NET throws comes as a MethodInvocationException."""
    if is_null(target):
        raise fail("InvokeMethodOnNull", "You cannot call a method on a null-valued expression.", "InvalidOperation")
    lower = name.lower()
    if lower == "gettype" and not arguments:
        return PsType(type_names(target)[0])
    if isinstance(target, PsObject) and target.type_names[0].endswith("PSScriptCmdlet"):
        return _cmdlet_method(target, lower, arguments)
    if hasattr(target, "ps_call"):
        try:
            return target.ps_call(name, arguments)
        except KeyError:
            raise _no_method(target, name) from None
        except TerminatingError as error:
            raise _invocation_error(name, len(arguments), error.exception) from None
    method = instance_method(target, lower)
    if (
        method is None
        and isinstance(target, list)
        and not isinstance(target, ArrayList)
        and target
        and lower in _OF_ELEMENTS
    ):
        return [call_method(run, item, name, arguments) for item in target]
    if method is None:
        if isinstance(target, PsObject) and target.custom:
            raise _no_method(target, name)
        raise UnknownConstruct(f"the method {name} of a {type_names(target)[0]}")
    return _invoke(run, method, name, target, arguments)


_OF_ELEMENTS = (
    "toupper",
    "tolower",
    "trim",
    "split",
    "replace",
    "startswith",
    "endswith",
    "padleft",
    "padright",
    "substring",
)


def _invoke(run: Interpreter, method: Callable[..., Any], name: str, target: Any, arguments: list[Any]) -> Any:
    try:
        return method(run, target, *arguments)
    except TerminatingError as error:
        raise _invocation_error(name, len(arguments), error.exception) from None
    except (TypeError, ValueError, AttributeError, LookupError) as problem:
        raise UnknownConstruct(f"these arguments of the method {name} ({problem})") from None


def _invocation_error(name: str, count: int, exception: DotNetException) -> ScriptError:
    kind = Unsure if isinstance(exception.message, Unsure) else str
    message = kind(f'Exception calling "{name}" with "{count}" argument(s): "{exception.message}"')
    short = exception.type_name.rpartition(".")[2]
    return fail(short, message, "NotSpecified", AUTOMATION + "MethodInvocationException", exception)


def _no_method(target: Any, name: str) -> ScriptError:
    message = f"Method invocation failed because [{type_names(target)[0]}] does not contain a method named '{name}'."
    return fail("MethodNotFound", message, "InvalidOperation")


def _cmdlet_method(target: PsObject, name: str, arguments: list[Any]) -> Any:
    stage = target.properties["__stage"][1]
    if name == "shouldprocess" and len(arguments) in (1, 2):
        if truth(stage.bound.common.get("WhatIf")) is False and stage.command.supports_should_process:
            return stage._guard(stage.should_process)
        return False
    if name == "writeerror" and len(arguments) == 1 and isinstance(arguments[0], ErrorRecord):
        return stage.write_error(arguments[0])
    if name == "throwterminatingerror" and len(arguments) == 1 and isinstance(arguments[0], ErrorRecord):
        raise ScriptError(arguments[0])
    raise UnknownConstruct(f"$PSCmdlet.{name}")


def known_static(type_name: str, name: str, method: bool) -> bool:
    """Whether a static member of a type is known here."""
    if (method and name.lower() == "new") or (not method and type_name.lower() in ENUMS):
        return True
    numeric = type_name.endswith(("Int32", "Int64")) or type_name == "System.Double"
    return any(
        (owner, f"::{name.lower()}{'()' * method}") in METHODS
        for owner in (type_name, "number" if numeric else type_name)
    )


def static_member(run: Interpreter, target: Any, name: str) -> Any:
    """`[type]::name`."""
    if not isinstance(target, PsType):
        raise UnknownConstruct(f"a static member of a {type_names(target)[0]}")
    kind = ENUMS.get(target.name.lower()) or run.session.commands.types.get(target.name)
    if isinstance(kind, EnumType):
        member = kind.find(name)
        if member is None:
            raise UnknownConstruct(f"[{target.name}]::{name}")
        return member
    found = METHODS.get((target.name, "::" + name.lower()))
    if found is None:
        raise UnknownConstruct(f"[{target.name}]::{name}")
    return found(run)


def call_static(run: Interpreter, target: Any, name: str, arguments: list[Any]) -> Any:
    """`[type]::name(arguments)`."""
    if not isinstance(target, PsType):
        raise UnknownConstruct(f"a static method of a {type_names(target)[0]}")
    if name.lower() == "new":
        return new_object(run, target.name, arguments)
    if target.name.endswith("Int32") or target.name.endswith("Int64") or target.name == "System.Double":
        method = METHODS.get(("number", "::" + name.lower() + "()"))
        arguments = [target.name, *arguments]
    else:
        method = METHODS.get((target.name, "::" + name.lower() + "()"))
    if method is None:
        raise UnknownConstruct(f"[{target.name}]::{name}()")
    try:
        return method(run, *arguments)
    except TerminatingError as error:
        raise _invocation_error(name, len(arguments), error.exception) from None
    except (TypeError, ValueError, AttributeError, LookupError) as problem:
        raise UnknownConstruct(f"these arguments of [{target.name}]::{name}() ({problem})") from None
