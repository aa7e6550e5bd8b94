"""The commands of PowerShell itself that scripts use."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable
from typing import Any

from . import jsontext
from .binding import SURELY_MISSING, Command, CommandTable, signature
from .blocks import ScriptBlock
from .convert import CUSTOM_OBJECT, convert, resolve_type, to_text, truth
from .errors import ERROR_CATEGORY, DotNetException, ErrorRecord, TerminatingError
from .members import MISSING, own_property
from .methods import new_object
from .operators import compare, order
from .stages import CommandInfo, Stage, StopUpstream, find_command
from .values import Hashtable, PsObject, UnknownConstruct, Unsure, differs, enumerate_value, is_null, is_number

Streams = tuple[Callable[[Any], None], Callable[[], None]]
_COMMANDS: list[Command] = []


def _builtin(name: str, parameters: str, class_name: str = "", streaming: bool = False) -> Callable[[Any], Any]:
    """Register a command; its errors carry the name of the class behind the cmdlet."""

    def register(implementation: Any) -> Any:
        kind = "Microsoft.PowerShell.Commands." + (class_name or name.replace("-", "") + "Command")
        known = signature(parameters)
        _COMMANDS.append(Command(name, known, implementation, type_name=kind, streaming=streaming, complete=False))
        return implementation

    return register


def _nothing() -> None:
    pass


def _collecting(stage: Stage, finish: Callable[[list[Any]], None]) -> Streams:
    """A command that needs all its input first."""
    items = [stage.parameters["InputObject"]] if "InputObject" in stage.parameters else []
    return items.append, lambda: finish(items)


def _property(item: Any, name: Any) -> Any:
    """A property of an object of the pipeline, or MISSING."""
    if not isinstance(name, str) or "*" in name or isinstance(item, (Hashtable, list)):
        raise UnknownConstruct("this property of an object in the pipeline")
    return MISSING if is_null(item) else own_property(item, name)


_TESTS = ["EQ", "NE", "GT", "GE", "LT", "LE", "Like", "NotLike", "Contains", "NotContains", "In", "NotIn"]


@_builtin("Where-Object", "Property/FilterScript@0 Value@1 InputObject< " + "? ".join(_TESTS) + "?", streaming=True)
def _where(stage: Stage) -> Streams:
    test, chosen = stage.get("Property"), [name for name in _TESTS if name in stage.parameters]

    def process(item: Any) -> None:
        if isinstance(test, ScriptBlock):
            keep = truth(stage.run.invoke_value(test, item))
        else:
            found = _property(item, test)
            value = None if found is MISSING else found
            keep = truth(compare("-" + chosen[0].lower(), value, stage.get("Value")) if chosen else value)
        if keep:
            stage.out(item)

    if len(chosen) > 1 or not (isinstance(test, (ScriptBlock, str))):
        raise UnknownConstruct("Where-Object with these arguments")
    return process, _nothing


@_builtin("ForEach-Object", "Process/MemberName@0 Second@1 InputObject<", streaming=True)
def _foreach(stage: Stage) -> Streams:
    block = stage.get("Process")
    if "Second" in stage.parameters or not isinstance(block, (ScriptBlock, str)):
        raise UnknownConstruct("ForEach-Object with these arguments")

    def process(item: Any) -> None:
        if isinstance(block, ScriptBlock):
            stage.run.invoke(block, stage.out, item)
            return
        found = _property(item, block)
        if found is MISSING:
            raise UnknownConstruct("ForEach-Object with the name of no property")
        for value in enumerate_value(found):
            stage.out(value)

    return process, _nothing


@_builtin("Select-Object", "Property:String[]@0 ExpandProperty:String First:Int32 InputObject<", streaming=True)
def _select(stage: Stage) -> Streams:
    first, names, expand = stage.get("First"), stage.get("Property"), stage.get("ExpandProperty")
    seen = itertools.count(1)
    if (names and expand) or first == 0:
        raise UnknownConstruct("Select-Object with these arguments")

    def process(item: Any) -> None:
        if expand is not None:
            found = _property(item, expand)
            if found is MISSING:
                raise UnknownConstruct("Select-Object -ExpandProperty of a property that is missing")
            for value in enumerate_value(found):
                stage.out(value)
        else:
            stage.out(PsObject(_selected(item, names)) if names else item)
        if next(seen) == first:
            raise StopUpstream(stage)

    return process, _nothing


def _selected(item: Any, names: list[str]) -> list[tuple[str, Any]]:
    """The properties of a custom object by their names as it spells them."""
    if not isinstance(item, PsObject) or any(name.lower() not in item.properties for name in names):
        raise UnknownConstruct("Select-Object -Property of this object")
    return [item.properties[name.lower()] for name in names]


@_builtin("Sort-Object", "Property:String@0 Descending? Unique? InputObject<", streaming=True)
def _sort(stage: Stage) -> Streams:
    name, sign = stage.get("Property"), -1 if "Descending" in stage.parameters else 1

    def key(item: Any) -> Any:
        value = item if name is None else _property(item, name)
        if value is MISSING or is_null(value):
            raise UnknownConstruct("Sort-Object of values that are missing")
        return value

    def finish(items: list[Any]) -> None:
        if len({is_number(key(item)) for item in items}) > 1:
            raise UnknownConstruct("Sort-Object of texts and numbers together")
        rows = sorted(items, key=functools.cmp_to_key(lambda one, two: sign * order(key(one), key(two))))
        for place, item in enumerate(rows):
            same = place > 0 and order(key(rows[place - 1]), key(item)) == 0
            if same and (name is not None or rows[place - 1] != item):
                raise UnknownConstruct("the order of objects with equal keys: sorting is not stable everywhere")
            if not (same and "Unique" in stage.parameters):
                stage.out(item)

    return _collecting(stage, finish)


@_builtin("Measure-Object", "Property:String@0 Sum? Maximum? Minimum? InputObject<", streaming=True)
def _measure(stage: Stage) -> Streams:
    name = stage.get("Property")
    wanted = {
        kind: work for kind, work in (("Sum", sum), ("Maximum", max), ("Minimum", min)) if kind in stage.parameters
    }

    def finish(items: list[Any]) -> None:
        values = [item if name is None else _property(item, name) for item in items]
        if any(is_null(value) or value is MISSING for value in values):
            raise UnknownConstruct("Measure-Object of values that are missing")
        if wanted and not (values and all(is_number(value) for value in values)):
            raise UnknownConstruct("Measure-Object of nothing, or of other values than numbers")
        results = [(kind, float(work([float(value) for value in values]))) for kind, work in wanted.items()]
        kind = "Microsoft.PowerShell.Commands.GenericMeasureInfo"
        stage.out(PsObject([("Count", len(values)), *results], (kind, "System.Object")))

    return _collecting(stage, finish)


@_builtin("Write-Output", "InputObject@0<", streaming=True)
def _write_output(stage: Stage) -> Streams:
    def process(item: Any) -> None:
        for value in enumerate_value(item):
            stage.out(value)

    if "InputObject" in stage.parameters:
        process(stage.parameters["InputObject"])
    return process, _nothing


@_builtin("Out-Null", "InputObject<", streaming=True)
def _out_null(stage: Stage) -> Streams:
    return lambda item: None, _nothing


@_builtin("Write-Error", "!Message:String@0 Category:String ErrorId:String TargetObject", "WriteErrorException")
def _write_error(stage: Stage) -> None:
    if stage.run.scope.parent is not None:
        raise UnknownConstruct("Write-Error within a function")
    exception = DotNetException("Microsoft.PowerShell.Commands.WriteErrorException", stage.parameters["Message"])
    identity = stage.get("ErrorId", stage.command.type_name)
    category = convert(stage.get("Category", "NotSpecified"), ERROR_CATEGORY.name).name
    stage.write_error(ErrorRecord(exception, identity, category, stage.get("TargetObject"), "Write-Error"))


@_builtin("Write-Warning", "!Message:String@0<")
def _write_warning(stage: Stage) -> None:
    stage.write_warning(stage.parameters["Message"])


@_builtin("Write-Verbose", "!Message:String@0<")
def _write_verbose(stage: Stage) -> None:
    """Verbose messages are not shown."""


@_builtin("Start-Sleep", "Seconds:Double@0 Milliseconds:Int32")
def _start_sleep(stage: Stage) -> None:
    stage.session.clock.sleep(stage.get("Seconds", 0.0) + stage.get("Milliseconds", 0) / 1000)


@_builtin("Get-Date", "Date:DateTime@0<")
def _get_date(stage: Stage) -> Any:
    return [stage.get("Date") or stage.session.now("Local")]


@_builtin("Set-StrictMode", "Version:String Off?")
def _set_strict_mode(stage: Stage) -> None:
    version = stage.get("Version", "").lower()
    if version not in ("", "latest", "1.0", "2", "2.0", "3", "3.0") or bool(version) == ("Off" in stage.parameters):
        raise UnknownConstruct("Set-StrictMode with these arguments")
    stage.run.scope.strict = 3 if version == "latest" else float(version or 0)


@_builtin("Remove-TypeData", "TypeName:String@0")
def _remove_type_data(stage: Stage) -> None:
    """The Count that 5.1 adds to arrays, which spoils JSON, is not modelled; taking it away does nothing."""


@_builtin("Import-Module", "!Name:String[]@0< Force? DisableNameChecking?", "ImportModuleCommand")
def _import_module(stage: Stage) -> None:
    modules = stage.session.commands.modules
    for name in stage.parameters["Name"]:
        if name.lower() in modules:
            load = modules[name.lower()]
            if load is not None:
                load()
            continue
        if not modules and not SURELY_MISSING.search(name):
            raise UnknownConstruct(f"the module {name}")
        message = Unsure(f"The specified module '{name}' was not loaded because no valid module file was found.")
        kind = "System.IO.FileNotFoundException"
        stage.write_error(TerminatingError(message, "Modules_ModuleNotFound", "ResourceUnavailable", kind, target=name))


@_builtin("Get-Command", "!Name:String[]@0<")
def _get_command(stage: Stage) -> Any:
    found = []
    for name in stage.parameters["Name"]:
        command = find_command(stage.run, name, quiet=True)
        if command is None:
            message = Unsure(f"The term '{name}' is not recognized as the name of a cmdlet, function, or program.")
            kind = "System.Management.Automation.CommandNotFoundException"
            stage.write_error(
                TerminatingError(message, "CommandNotFoundException", "ObjectNotFound", kind, target=name)
            )
            continue
        command = command.command if isinstance(command, ScriptBlock) else command
        if name.lower() != command.name.lower():
            raise UnknownConstruct("Get-Command of an alias")
        found.append(CommandInfo(command))
    return found


@_builtin("ConvertTo-Json", "InputObject@0< Depth:Int32 Compress?", streaming=True)
def _convert_to_json(stage: Stage) -> Streams:
    def finish(items: list[Any]) -> None:
        if "Compress" not in stage.parameters:
            raise UnknownConstruct("ConvertTo-Json without -Compress")
        value = items[0] if len(items) == 1 else items
        if value is None:
            differs("ConvertTo-Json of $null")
        if items:
            stage.out(jsontext.write(value, stage.get("Depth", 2)))

    return _collecting(stage, finish)


@_builtin("ConvertFrom-Json", "!InputObject:String@0<")
def _convert_from_json(stage: Stage) -> Any:
    value = jsontext.read(stage.parameters["InputObject"])
    if isinstance(value, list):  # 5.1 hands it on as one object, later versions one by one
        raise UnknownConstruct("ConvertFrom-Json of an array")
    return [value]


@_builtin("New-Object", "!TypeName:String@0 ArgumentList:Object[]@1 Property:Hashtable")
def _new_object(stage: Stage) -> Any:
    name, properties = stage.parameters["TypeName"], stage.get("Property")
    if name.lower() in ("psobject", "pscustomobject", CUSTOM_OBJECT.lower()):
        return [PsObject((to_text(key), value) for key, value in (properties.pairs() if properties else ()))]
    if properties is not None:
        raise UnknownConstruct("New-Object -Property of this type")
    return [new_object(resolve_type(name, stage.session.commands.types), stage.get("ArgumentList") or [])]


_ALIASES = {"%": "ForEach-Object", "?": "Where-Object"}
POWERSHELL = CommandTable(_COMMANDS, _ALIASES)
