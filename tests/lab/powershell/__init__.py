"""An evaluator for the subset of Windows PowerShell 5.1 that the collection's scripts are written in
(docs/docsite/rst/lab_powershell_subset.rst).

It is part of the lab, a model made from documentation: what it does not know for certain it refuses by name
(UnknownConstruct).
"""

from __future__ import annotations

from .binding import Command, CommandTable, Parameter, signature
from .calls import Stage as Invocation
from .errors import DotNetException, ErrorRecord, GetterError, ScriptError, TerminatingError
from .session import Outcome, Session, StandingClock
from .unknown import UnknownConstruct
from .values import DateTime, EnumType, EnumValue, Hashtable, Int64, PsObject, TimeSpan

__all__ = [
    "Command",
    "CommandTable",
    "DateTime",
    "DotNetException",
    "EnumType",
    "EnumValue",
    "ErrorRecord",
    "GetterError",
    "Hashtable",
    "Int64",
    "Invocation",
    "Outcome",
    "Parameter",
    "PsObject",
    "ScriptError",
    "Session",
    "StandingClock",
    "TerminatingError",
    "TimeSpan",
    "UnknownConstruct",
    "signature",
]
