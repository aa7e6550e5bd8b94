"""The commands of PowerShell itself that scripts use."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from typing import Any

from . import jsontext
from .binding import SURELY_MISSING, Command, CommandTable, signature
from .calls import Stage, StopUpstream, find_command
from .convert import resolve_type, truth
from .errors import ScriptError, TerminatingError
from .kinds import from_items
from .methods import CORE_TYPES, static_member
from .unknown import UnknownConstruct, Unsure, differs
from .values import AUTOMATION, PsObject, PsType

Streams = tuple[Callable[[Any], None], Callable[[], None]]


def _where(stage: Stage) -> Streams:
    def process(item: Any) -> None:
        found: list[Any] = []
        stage.run.invoke(stage.parameters["FilterScript"], found.append, item)
        if truth(from_items(found)):
            stage.out(item)

    return process, lambda: None


def _foreach(stage: Stage) -> Streams:
    return lambda item: stage.run.invoke(stage.parameters["Process"], stage.out, item), lambda: None


def _select(stage: Stage) -> Streams:
    first, seen = stage.parameters["First"], itertools.count(1)
    if first < 1:
        raise UnknownConstruct(f"Select-Object -First {first}")

    def process(item: Any) -> None:
        stage.out(item)
        if next(seen) == first:
            raise StopUpstream(stage)

    return process, lambda: None


def _start_sleep(stage: Stage) -> None:
    stage.session.clock.sleep(stage.get("Seconds", 0.0) + stage.get("Milliseconds", 0) / 1000)


def _set_strict_mode(stage: Stage) -> None:
    version = stage.parameters["Version"].lower()
    if version not in ("latest", "1.0", "2", "2.0", "3", "3.0"):
        raise UnknownConstruct("Set-StrictMode of this version")
    stage.run.scope.strict = 3 if version == "latest" else float(version)


def _import_module(stage: Stage) -> None:
    modules = stage.session.commands.modules
    for name in stage.parameters["Name"]:
        known = re.sub(r"\\+", r"\\", name.lower()).rstrip("\\")
        if modules is None and not SURELY_MISSING.search(name):
            raise UnknownConstruct(f"the module {name}")
        if load := (modules or {}).get(known):
            load()
        elif known not in (modules or {}):
            message = Unsure(f"The specified module '{name}' was not loaded: no valid module file was found.")
            kind, error_id = "System.IO.FileNotFoundException", "Modules_ModuleNotFound"
            stage.write_error(TerminatingError(message, error_id, "ResourceUnavailable", kind, target=name))


def _get_command(stage: Stage) -> list[PsObject]:
    found = []
    for name in stage.parameters["Name"]:
        try:
            known = find_command(stage.run, name).name
        except ScriptError as error:
            record = error.record
            kind, message = record.exception.type_name, Unsure(record.message)
            stage.write_error(TerminatingError(message, record.error_id, record.category, kind, target=name))
            continue
        if known.lower() != name.lower():
            raise UnknownConstruct("Get-Command of an alias")
        found.append(PsObject([("Name", known)], "System.Management.Automation.CommandInfo"))
    return found


def _convert_to_json(stage: Stage) -> Streams:
    items = [stage.parameters["InputObject"]] if "InputObject" in stage.parameters else []

    def finish() -> None:
        if "Compress" not in stage.parameters:
            raise UnknownConstruct("ConvertTo-Json without -Compress")
        if items == [None]:
            differs("ConvertTo-Json of $null")
        if items:
            stage.out(jsontext.write(items[0] if len(items) == 1 else items, stage.get("Depth", 2)))

    return items.append, finish


def _convert_from_json(stage: Stage) -> list[Any]:
    value = jsontext.read(stage.parameters["InputObject"])
    if value is None or isinstance(value, list):  # which 5.1 hands on as one object, later versions one by one
        raise UnknownConstruct("ConvertFrom-Json of an array or null")
    return [value]


def _new_object(stage: Stage) -> list[Any]:
    kind = resolve_type(stage.parameters["TypeName"], stage.session.commands.types)
    if stage.session.language_mode == "ConstrainedLanguage" and kind not in CORE_TYPES:
        message = Unsure("Cannot create type. Only core types are supported in this language mode.")
        not_supported = AUTOMATION + "PSNotSupportedException"
        raise TerminatingError(message, "CannotCreateTypeConstrainedLanguage", "PermissionDenied", not_supported)
    return [static_member(stage.run, PsType(kind), "new", stage.get("ArgumentList") or [], created=True)]


def _silent(stage: Stage) -> None:
    """Verbose messages are not shown, and the Count that 5.1 adds to arrays is not modelled."""


def _builtin(name: str, implementation: Callable[[Stage], Any], parameters: str) -> Command:
    """A command; its errors carry the name of the class behind the cmdlet."""
    kind = f"Microsoft.PowerShell.Commands.{name.replace('-', '')}Command"
    streaming = implementation.__annotations__.get("return") == "Streams"
    return Command(name, signature(parameters), implementation, type_name=kind, streaming=streaming, complete=False)


_COMMANDS = [
    _builtin("Where-Object", _where, "!FilterScript:ScriptBlock@0 InputObject<"),
    _builtin("ForEach-Object", _foreach, "!Process:ScriptBlock@0 InputObject<"),
    _builtin("Select-Object", _select, "!First:Int32 InputObject<"),
    _builtin("Write-Warning", lambda stage: stage.write_warning(stage.parameters["Message"]), "!Message:String@0<"),
    _builtin("Write-Verbose", _silent, "!Message:String@0<"),
    _builtin("Out-Null", lambda stage: None, "InputObject<"),
    _builtin("Start-Sleep", _start_sleep, "Seconds:Double@0 Milliseconds:Int32"),
    _builtin("Get-Date", lambda stage: [stage.session.now("Local")], ""),
    _builtin("Set-StrictMode", _set_strict_mode, "!Version:String"),
    _builtin("Remove-TypeData", _silent, "TypeName:String@0"),
    _builtin("Import-Module", _import_module, "!Name:String[]@0<"),
    _builtin("Get-Command", _get_command, "!Name:String[]@0<"),
    _builtin("ConvertTo-Json", _convert_to_json, "InputObject@0< Depth:Int32 Compress?"),
    _builtin("ConvertFrom-Json", _convert_from_json, "!InputObject:String@0<"),
    _builtin("New-Object", _new_object, "!TypeName:String@0 ArgumentList:Object[]@1"),
]
POWERSHELL = CommandTable(_COMMANDS, {"%": "ForEach-Object", "?": "Where-Object"})
