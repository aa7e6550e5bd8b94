"""New objects of .NET."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import dotnet
from .errors import AUTOMATION, EXCEPTION_BASES, DotNetException, ErrorRecord
from .values import ArrayList, Hashtable

if TYPE_CHECKING:
    from .interpreter import Interpreter
from .convert import convert, to_text
from .methods import new_date
from .values import TICKS_PER_SECOND, TimeSpan, UnknownConstruct


def new_object(run: Interpreter, name: str, arguments: list[Any]) -> Any:
    """A new object of .NET, by New-Object or [type]::new()."""
    if name in EXCEPTION_BASES or name == "System.Exception":
        if len(arguments) == 1 and isinstance(arguments[0], str):
            return DotNetException(name, arguments[0])
        if len(arguments) == 2 and isinstance(arguments[0], str) and isinstance(arguments[1], DotNetException):
            return DotNetException(name, arguments[0], arguments[1])
    if name == AUTOMATION + "ErrorRecord" and len(arguments) == 4 and isinstance(arguments[0], DotNetException):
        category = convert(arguments[2], AUTOMATION + "ErrorCategory").name
        return ErrorRecord(arguments[0], to_text(arguments[1]), category, arguments[3])
    growing = name == "System.Collections.ArrayList" or name.startswith("System.Collections.Generic.List")
    if growing and not arguments:
        return ArrayList((), name)
    if name == "System.Collections.Hashtable" and not arguments:
        return Hashtable()
    if name == "System.DateTime" and 3 <= len(arguments) <= 7:
        return new_date(*arguments)
    if name == "System.TimeSpan" and len(arguments) == 3:
        return TimeSpan(((arguments[0] * 60 + arguments[1]) * 60 + arguments[2]) * TICKS_PER_SECOND)
    if name == "System.Guid" and len(arguments) == 1:
        return convert(arguments[0], name)
    if name in dotnet.CONSTRUCTORS:
        return dotnet.CONSTRUCTORS[name](*arguments)
    raise UnknownConstruct(f"a new {name} with these arguments")
