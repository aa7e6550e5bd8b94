"""Error records, and the exceptions they carry."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .values import AUTOMATION, EnumType, UnknownConstruct

RUNTIME = AUTOMATION + "RuntimeException"
_CATEGORIES = (
    "NotSpecified OpenError CloseError DeviceError DeadlockDetected InvalidArgument InvalidData InvalidOperation "
    "InvalidResult InvalidType MetadataError NotImplemented NotInstalled ObjectNotFound OperationStopped "
    "OperationTimeout SyntaxError ParserError PermissionDenied ResourceBusy ResourceExists ResourceUnavailable "
    "ReadError WriteError FromStdErr SecurityError ProtocolError ConnectionError AuthenticationError LimitsExceeded "
    "QuotaExceeded NotEnabled"
)
ERROR_CATEGORY = EnumType(AUTOMATION + "ErrorCategory", {name: place for place, name in enumerate(_CATEGORIES.split())})
# Each exception and the one it derives from.
EXCEPTION_BASES = {
    "System.SystemException": "System.Exception",
    "System.ArgumentException": "System.SystemException",
    "System.ArithmeticException": "System.SystemException",
    "System.DivideByZeroException": "System.ArithmeticException",
    "System.FormatException": "System.SystemException",
    "System.InvalidCastException": "System.SystemException",
    "System.InvalidOperationException": "System.SystemException",
    "System.TimeoutException": "System.SystemException",
    "System.UnauthorizedAccessException": "System.SystemException",
    "System.IO.IOException": "System.SystemException",
    "System.IO.FileNotFoundException": "System.IO.IOException",
    RUNTIME: "System.SystemException",
    AUTOMATION + "CommandNotFoundException": RUNTIME,
    AUTOMATION + "ParameterBindingException": RUNTIME,
    AUTOMATION + "ExtendedTypeSystemException": RUNTIME,
    AUTOMATION + "PropertyNotFoundException": AUTOMATION + "ExtendedTypeSystemException",
    AUTOMATION + "MethodInvocationException": AUTOMATION + "ExtendedTypeSystemException",
    AUTOMATION + "SetValueInvocationException": AUTOMATION + "ExtendedTypeSystemException",
    AUTOMATION + "PSInvalidCastException": "System.InvalidCastException",
    AUTOMATION + "PSInvalidOperationException": "System.InvalidOperationException",
    "Microsoft.PowerShell.Commands.WriteErrorException": "System.SystemException",
    "Microsoft.Management.Infrastructure.CimException": "System.Exception",
    "System.Diagnostics.Eventing.Reader.EventLogException": "System.Exception",
}


def exception_names(name: str) -> tuple[str, ...]:
    """A type of exception and all it derives from."""
    names = [name]
    while names[-1] in EXCEPTION_BASES:
        names.append(EXCEPTION_BASES[names[-1]])
    return (*names, *(["System.Exception"] if names[-1] != "System.Exception" else []), "System.Object")


@dataclass(eq=False)
class DotNetException:
    """An exception of .NET as a script sees it; `members` are properties beyond the common ones."""

    type_name: str
    message: str
    inner: DotNetException | None = None
    hresult: int | None = None
    members: dict[str, Any] = field(default_factory=dict)

    @property
    def ps_type_names(self) -> tuple[str, ...]:
        return exception_names(self.type_name)


@dataclass(eq=False)
class ErrorRecord:
    """What stands in $_ of a catch block."""

    exception: DotNetException
    error_id: str
    category: str = "NotSpecified"
    target: Any = None
    activity: str = ""
    line: int = 0

    ps_type_names = (AUTOMATION + "ErrorRecord", "System.Object")

    @property
    def message(self) -> str:
        return self.exception.message


class ScriptError(Exception):
    """A terminating error on its way up; `whole_script` tells a throw from an error that ends one statement."""

    def __init__(self, record: ErrorRecord, whole_script: bool = False) -> None:
        super().__init__(record.message)
        self.record = record
        self.whole_script = whole_script
        self.stopped = False  # by the preference Stop: ActionPreferenceStopException when nobody catches it
        self.thrown = False  # by the statement throw


class TerminatingError(Exception):
    """What the implementation of a command raises to end its statement (ThrowTerminatingError)."""

    def __init__(
        self,
        message: str,
        error_id: str = "NotSpecified",
        category: str = "NotSpecified",
        exception_type: str = RUNTIME,
        *,
        hresult: int | None = None,
        target: Any = None,
        members: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.exception = DotNetException(exception_type, message, hresult=hresult, members=members or {})
        self.error_id = error_id
        self.category = category
        self.target = target
        if category not in ERROR_CATEGORY.members:
            raise UnknownConstruct(f"the error category {category}")

    def record(self, command: str) -> ErrorRecord:
        """The record; the identifier carries the name of the command, as PowerShell writes it."""
        return ErrorRecord(self.exception, f"{self.error_id},{command}", self.category, self.target, command)


def fail(
    error_id: str,
    message: str,
    category: str = "InvalidOperation",
    exception_type: str = RUNTIME,
    inner: DotNetException | None = None,
    target: Any = None,
) -> ScriptError:
    """An error that ends a statement, raised by the language itself."""
    return ScriptError(ErrorRecord(DotNetException(exception_type, message, inner), error_id, category, target))
