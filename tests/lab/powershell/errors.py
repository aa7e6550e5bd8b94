"""Error records, and the exceptions they carry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .unknown import UnknownConstruct
from .values import AUTOMATION, EnumType

RUNTIME = AUTOMATION + "RuntimeException"
_CATEGORIES = (
    "NotSpecified OpenError CloseError DeviceError DeadlockDetected InvalidArgument InvalidData InvalidOperation "
    "InvalidResult InvalidType MetadataError NotImplemented NotInstalled ObjectNotFound OperationStopped "
    "OperationTimeout SyntaxError ParserError PermissionDenied ResourceBusy ResourceExists ResourceUnavailable"
)
ERROR_CATEGORY = EnumType(AUTOMATION + "ErrorCategory", {name: place for place, name in enumerate(_CATEGORIES.split())})


@dataclass(eq=False)
class DotNetException:
    """An exception of .NET as a script sees it."""

    type_name: str
    message: str
    inner: DotNetException | None = None
    hresult: int | None = None

    @property
    def ps_type_names(self) -> tuple[str, ...]:
        return (self.type_name, "System.Exception", "System.Object")


@dataclass(eq=False)
class ErrorRecord:
    """What stands in $_ of a catch block."""

    exception: DotNetException
    error_id: str
    category: str = "NotSpecified"
    target: Any = None

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
    ) -> None:
        super().__init__(message)
        self.exception = DotNetException(exception_type, message, hresult=hresult)
        self.error_id = error_id
        self.category = category
        self.target = target
        if category not in ERROR_CATEGORY.members:
            raise UnknownConstruct(f"the error category {category}")

    def record(self, command: str) -> ErrorRecord:
        """The record; the identifier carries the name of the command, as PowerShell writes it."""
        return ErrorRecord(self.exception, f"{self.error_id},{command}", self.category, self.target)


class GetterError(Exception):
    """What a property of a model raises whose getter throws; its text is what the exception says."""


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
