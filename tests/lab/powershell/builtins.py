"""The commands of PowerShell itself that scripts use."""

# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from . import dotnet, jsontext
from .binding import Command, CommandTable, signature
from .convert import CUSTOM_OBJECT, convert, resolve_type, to_datetime, to_text, truth
from .errors import (
    AUTOMATION,
    EXCEPTION_BASES,
    DotNetException,
    ErrorRecord,
    TerminatingError,
)
from .formatting import format_date
from .functions import CommandInfo, ScriptBlock, Stage, as_command, find_command
from .members import get_member, has_member, own_property
from .methods import new_date
from .operators import compare, equal, order
from .values import (
    STRICT,
    TICKS_PER_SECOND,
    ArrayList,
    Hashtable,
    PsObject,
    TimeSpan,
    UnknownConstruct,
    Unsure,
    enumerate_value,
    is_null,
    is_number,
)

if TYPE_CHECKING:
    from .interpreter import Interpreter

Streams = tuple[Callable[[Any], None], Callable[[], None]]
BUILTINS: list[Command] = []
ALIASES = {"%": "ForEach-Object", "foreach": "ForEach-Object", "?": "Where-Object", "where": "Where-Object", "select": "Select-Object",
           "sort": "Sort-Object", "measure": "Measure-Object", "group": "Group-Object", "echo": "Write-Output", "write": "Write-Output",
           "sleep": "Start-Sleep", "ipmo": "Import-Module", "gcm": "Get-Command", "tee": "Tee-Object", "gv": "Get-Variable",
           "sv": "Set-Variable", "nv": "New-Variable"}  # fmt: skip


def builtin(
    name: str, parameters: str, class_name: str = "", streaming: bool = False
) -> Callable[[Callable[[Stage], Any]], Callable[[Stage], Any]]:
    """Register a command; its errors carry the name of the class behind the cmdlet."""

    def register(implementation: Callable[[Stage], Any]) -> Callable[[Stage], Any]:
        verb_noun = "Microsoft.PowerShell.Commands." + (class_name or name.replace("-", "") + "Command")
        BUILTINS.append(
            Command(
                name, signature(parameters), implementation, type_name=verb_noun, streaming=streaming, complete=False
            )
        )
        return implementation

    return register


def _nothing() -> None:
    pass


def _collecting(stage: Stage, finish: Callable[[list[Any]], None]) -> Streams:
    """A command that needs all its input first."""
    items: list[Any] = []
    if "InputObject" in stage.parameters:
        items.append(stage.parameters["InputObject"])
    return items.append, lambda: finish(items)


def _property(run: Interpreter, item: Any, selector: Any) -> Any:
    """A property by name, or what a script block computes."""
    if isinstance(selector, ScriptBlock):
        found = run.invoke_value(selector, item)
        return found[0] if len(found) == 1 else (found or None)
    if not isinstance(selector, str) or "*" in selector or isinstance(item, Hashtable):
        raise UnknownConstruct("this selection of a property")
    return get_member(run, item, selector) if not is_null(item) and has_member(item, selector) else None


_OPERATORS = [
    "eq",
    "ne",
    "gt",
    "ge",
    "lt",
    "le",
    "like",
    "notlike",
    "match",
    "notmatch",
    "contains",
    "notcontains",
    "in",
    "notin",
    "ceq",
    "cne",
]


@builtin(
    "Where-Object",
    "Property/FilterScript@0 Value@1 InputObject< " + " ".join(name.upper() + "?" for name in _OPERATORS),
    streaming=True,
)
def where_object(stage: Stage) -> Streams:
    test = stage.get("Property")
    chosen = [name for name in _OPERATORS if name.upper() in stage.parameters]

    def process(item: Any) -> None:
        if isinstance(test, ScriptBlock):
            found = stage.run.invoke_value(test, item)
            keep = truth(found[0] if len(found) == 1 else found)
        elif isinstance(test, str) and len(chosen) <= 1:
            if chosen and chosen[0].endswith("match"):
                raise UnknownConstruct("Where-Object -Match")
            value = _property(stage.run, item, test)
            keep = truth(compare("-" + chosen[0], value, stage.get("Value"))) if chosen else truth(value)
        else:
            raise UnknownConstruct("Where-Object with these arguments")
        if keep:
            stage.out(item)

    if not isinstance(test, (ScriptBlock, str)):
        raise TerminatingError(
            Unsure("Cannot bind parameter 'FilterScript'."), "CannotConvertArgumentNoMessage", "InvalidArgument"
        )
    return process, _nothing


@builtin(
    "ForEach-Object",
    "Process/MemberName@0 Second@1 Third@2 Begin:ScriptBlock End:ScriptBlock InputObject<",
    streaming=True,
)
def foreach_object(stage: Stage) -> Streams:
    blocks = [block for name in ("Process", "Second", "Third") if (block := stage.get(name)) is not None]
    begin, end = stage.get("Begin"), stage.get("End")
    if len(blocks) > 1 and isinstance(blocks[0], ScriptBlock) and begin is None:
        begin = blocks.pop(0)
        end = blocks.pop() if len(blocks) > 1 and end is None else end
    if len(blocks) != 1 or not isinstance(blocks[0], (ScriptBlock, str)):
        raise UnknownConstruct("ForEach-Object with these arguments")
    block = blocks[0]

    def process(item: Any) -> None:
        if isinstance(block, str):
            if not has_member(item, block):
                raise UnknownConstruct("ForEach-Object with the name of a method")
            for value in enumerate_value(get_member(stage.run, item, block)):
                stage.out(value)
        else:
            stage.run.invoke(block, stage.out, item=item)

    if begin:
        stage.run.invoke(begin, stage.out)
    return process, (lambda: stage.run.invoke(end, stage.out)) if end else _nothing


@builtin(
    "Select-Object",
    "Property:Object[]@0 ExpandProperty:String First:Int32 Last:Int32 Skip:Int32 Index:Int32[] Unique? InputObject<",
    streaming=True,
)
def select_object(stage: Stage) -> Streams:
    from .interpreter import StopUpstream

    get, run = stage.get, stage.run
    known = stage.parameters.keys() - {"Property", "ExpandProperty", "First", "Skip", "InputObject"}
    first, skip, seen = get("First"), get("Skip", 0), [0]
    if known:
        if len(stage.parameters.keys() - {"Property", "ExpandProperty"}) > 1:
            raise UnknownConstruct("Select-Object with these parameters together")
        return _collecting(stage, lambda items: _select_some(stage, items))

    def process(item: Any) -> None:
        seen[0] += 1
        if seen[0] > skip and (first is None or seen[0] <= skip + first):
            for value in _selected(run, stage, item):
                stage.out(value)
        if first is not None and seen[0] >= skip + first:
            raise StopUpstream(stage)

    if first == 0:
        raise UnknownConstruct("Select-Object -First 0")
    return process, _nothing


def _select_some(stage: Stage, items: list[Any]) -> None:
    if "Index" in stage.parameters:
        items = [items[place] for place in sorted(stage.parameters["Index"]) if 0 <= place < len(items)]
    elif "Last" in stage.parameters:
        items = items[-stage.parameters["Last"] :] if stage.parameters["Last"] else []
    values = [value for item in items for value in _selected(stage.run, stage, item)]
    if "Unique" in stage.parameters:
        if not all(isinstance(value, str) or is_number(value) for value in values):
            raise UnknownConstruct("Select-Object -Unique of objects")
        values = [
            value for number, value in enumerate(values) if not any(equal(old, value, True) for old in values[:number])
        ]
    for value in values:
        stage.out(value)


def _selected(run: Interpreter, stage: Stage, item: Any) -> list[Any]:
    expand, names = stage.get("ExpandProperty"), stage.get("Property")
    if expand is not None:
        if names:
            raise UnknownConstruct("Select-Object -Property with -ExpandProperty")
        if is_null(item) or not has_member(item, expand):
            error = TerminatingError(
                f'Property "{expand}" cannot be found.',
                "ExpandPropertyNotFound",
                "InvalidArgument",
                AUTOMATION + "PSArgumentException",
            )
            stage.write_error(error)
            return []
        return list(enumerate_value(own_property(item, expand)))
    if not names:
        return [item]
    selected = []
    for name in names:
        if isinstance(name, Hashtable):
            keys = {to_text(key).lower(): value for key, value in name.pairs()}
            title = next((keys[key] for key in ("n", "name", "l", "label") if key in keys), None)
            selector = next((keys[key] for key in ("e", "expression") if key in keys), None)
            if title is None or len(keys) != 2:
                raise UnknownConstruct("this calculated property")
            selected.append((to_text(title), _property(run, item, selector)))
        else:
            if isinstance(item, Hashtable) or isinstance(name, ScriptBlock):
                raise UnknownConstruct("Select-Object of this property")
            shown = (
                item.properties[name.lower()][0]
                if isinstance(item, PsObject) and name.lower() in item.properties
                else name
            )
            selected.append((shown, _property(run, item, name)))
    return [PsObject(selected)]


@builtin("Sort-Object", "Property:Object[]@0 Descending? Unique? CaseSensitive? InputObject<", streaming=True)
def sort_object(stage: Stage) -> Streams:
    selectors = stage.get("Property") or [None]

    def keys(item: Any) -> list[Any]:
        return [item if selector is None else _property(stage.run, item, selector) for selector in selectors]

    def finish(items: list[Any]) -> None:
        if "CaseSensitive" in stage.parameters or any(isinstance(selector, Hashtable) for selector in selectors):
            raise UnknownConstruct("Sort-Object with these parameters")
        rows = [(keys(item), item) for item in items]
        if any(len({isinstance(row[0][place], str) for row in rows}) > 1 for place in range(len(selectors))):
            raise UnknownConstruct("Sort-Object of texts and numbers together")
        sign = -1 if "Descending" in stage.parameters else 1

        def compare_rows(one: tuple[list[Any], Any], two: tuple[list[Any], Any]) -> int:
            for left, right in zip(one[0], two[0], strict=True):
                if result := sign * order(left, right):
                    return result
            return 0

        rows.sort(key=functools.cmp_to_key(compare_rows))
        ties = [compare_rows(one, two) == 0 for one, two in zip(rows, rows[1:], strict=False)]
        unique = "Unique" in stage.parameters
        if (
            any(tie and not _identical(one[1], two[1]) for tie, one, two in zip(ties, rows, rows[1:], strict=False))
            and STRICT.get()
        ):
            raise UnknownConstruct("the order of objects with equal keys: sorting is not stable everywhere")
        for number, (_, item) in enumerate(rows):
            if not (unique and number and ties[number - 1]):
                stage.out(item)

    return _collecting(stage, finish)


def _identical(one: Any, two: Any) -> bool:
    return one is two or (isinstance(one, (str, int, float)) and type(one) is type(two) and one == two)


@builtin("Measure-Object", "Property:String[]@0 Sum? Average? Maximum? Minimum? InputObject<", streaming=True)
def measure_object(stage: Stage) -> Streams:
    wanted = [name for name in ("Average", "Sum", "Maximum", "Minimum") if name in stage.parameters]
    names = stage.get("Property")

    def finish(items: list[Any]) -> None:
        if names:
            if len(names) > 1:
                raise UnknownConstruct("Measure-Object of several properties")
            items = [_property(stage.run, item, names[0]) for item in items if has_member(item, names[0])]
        values = [item for item in items if not is_null(item)]
        if (wanted and not all(is_number(value) for value in values)) or (names and not values):
            raise UnknownConstruct("Measure-Object of values that are not numbers")
        numbers = [float(value) for value in values] if wanted else []
        if not numbers and wanted and STRICT.get():
            raise UnknownConstruct("the sum of nothing, which differs between versions")
        results = (
            {
                "Average": sum(numbers) / len(numbers),
                "Sum": float(sum(numbers)),
                "Maximum": max(numbers),
                "Minimum": min(numbers),
            }
            if numbers
            else {}
        )
        known = [
            (name, results.get(name) if name in wanted else None) for name in ("Average", "Sum", "Maximum", "Minimum")
        ]
        kind = "Microsoft.PowerShell.Commands.GenericMeasureInfo"
        stage.out(
            PsObject(
                [("Count", len(values)), *known, ("Property", names[0] if names else None)], (kind, "System.Object")
            )
        )

    return _collecting(stage, finish)


@builtin("Group-Object", "Property:Object[]@0 NoElement? InputObject<", streaming=True)
def group_object(stage: Stage) -> Streams:
    selectors = stage.get("Property") or [None]

    def finish(items: list[Any]) -> None:
        groups: list[tuple[Any, list[Any]]] = []
        for item in items:
            key = item if selectors[0] is None else _property(stage.run, item, selectors[0])
            if len(selectors) > 1 or not (isinstance(key, (str, bool)) or is_number(key)):
                raise UnknownConstruct("Group-Object by this")
            for known, members in groups:
                if equal(known, key):
                    members.append(item)
                    break
            else:
                groups.append((key, [item]))
        texts = [to_text(key) for key, _ in groups]
        if texts != sorted(texts, key=str.lower) and STRICT.get():
            raise UnknownConstruct("the order of groups, which differs between versions")
        for key, members in groups:
            known_properties = [
                ("Name", to_text(key)),
                ("Count", len(members)),
                ("Group", ArrayList(members)),
                ("Values", ArrayList([key])),
            ]
            stage.out(PsObject(known_properties, ("Microsoft.PowerShell.Commands.GroupInfo", "System.Object")))

    return _collecting(stage, finish)


@builtin("Write-Output", "InputObject@0< NoEnumerate?", streaming=True)
def write_output(stage: Stage) -> Streams:
    def process(item: Any) -> None:
        if "NoEnumerate" in stage.parameters:
            stage.out(item)
        else:
            for value in enumerate_value(item):
                stage.out(value)

    if "InputObject" in stage.parameters:
        process(stage.parameters["InputObject"])
    return process, _nothing


@builtin("Out-Null", "InputObject<", streaming=True)
def out_null(stage: Stage) -> Streams:
    return lambda item: None, _nothing


@builtin("Tee-Object", "!Variable:String InputObject<", streaming=True)
def tee_object(stage: Stage) -> Streams:
    items: list[Any] = []

    def process(item: Any) -> None:
        items.append(item)
        stage.out(item)

    def finish() -> None:
        stage.run.set_variable(stage.parameters["Variable"].lower(), items[0] if len(items) == 1 else ArrayList(items))

    return process, finish


@builtin(
    "Write-Error",
    "Message:String@0 Exception:Exception Category:String ErrorId:String TargetObject ErrorRecord",
    "WriteErrorException",
)
def write_error(stage: Stage) -> None:
    if (
        stage.parameters.keys() - {"Message", "Category", "ErrorId", "TargetObject"}
        or "Message" not in stage.parameters
    ):
        raise UnknownConstruct("Write-Error with these parameters")
    exception = DotNetException("Microsoft.PowerShell.Commands.WriteErrorException", stage.parameters["Message"])
    identity = stage.get("ErrorId", stage.command.type_name)
    if stage.run.scope is not stage.run.globals:
        identity = Unsure(identity)
    category = convert(stage.get("Category", "NotSpecified"), AUTOMATION + "ErrorCategory").name
    stage.write_error(ErrorRecord(exception, identity, category, stage.get("TargetObject"), "Write-Error"))
    stage.wrote_error = True


@builtin("Write-Warning", "!Message:String@0<", streaming=False)
def write_warning(stage: Stage) -> None:
    stage.write_warning(stage.parameters["Message"])


@builtin("Write-Verbose", "!Message:String@0<")
def write_verbose(stage: Stage) -> None:
    return None


@builtin("Write-Debug", "!Message:String@0<")
def write_debug(stage: Stage) -> None:
    return None


@builtin("Write-Host", "Object@0< NoNewline? ForegroundColor:String BackgroundColor:String Separator")
def write_host(stage: Stage) -> None:
    stage.session.host_lines.append(stage.run.text(stage.get("Object")))


@builtin(
    "Write-Progress",
    "!Activity:String@0 Status:String@1 Id:Int32@2 PercentComplete:Int32 SecondsRemaining:Int32 Completed? CurrentOperation:String",
)
def write_progress(stage: Stage) -> None:
    return None


@builtin("Start-Sleep", "Seconds:Double@0 Milliseconds:Int32")
def start_sleep(stage: Stage) -> None:
    stage.session.sleep(stage.get("Seconds", 0.0) + stage.get("Milliseconds", 0) / 1000)


@builtin("Get-Date", "Date@0< Format:String UFormat:String Year:Int32 Month:Int32 Day:Int32")
def get_date(stage: Stage) -> Any:
    if stage.parameters.keys() - {"Date", "Format"}:
        raise UnknownConstruct("Get-Date with these parameters")
    moment = to_datetime(stage.parameters["Date"]) if "Date" in stage.parameters else stage.session.now("Local")
    return [format_date(moment, stage.parameters["Format"]) if "Format" in stage.parameters else moment]


@builtin("Set-StrictMode", "Version:String Off?", "SetStrictModeCommand")
def set_strict_mode(stage: Stage) -> None:
    version = stage.get("Version", "Latest").lower()
    stage.run.scope.strict = 0 if "Off" in stage.parameters else 3 if version == "latest" else float(version[:3])


@builtin("Set-Variable", "!Name:String@0 Value@1 Scope:String")
def set_variable(stage: Stage) -> None:
    if "Scope" in stage.parameters:
        raise UnknownConstruct("Set-Variable -Scope")
    stage.run.set_variable(stage.parameters["Name"].lower(), stage.get("Value"))


@builtin("New-Variable", "!Name:String@0 Value@1")
def new_variable(stage: Stage) -> None:
    if stage.parameters["Name"].lower() in stage.run.scope.variables:
        raise UnknownConstruct("New-Variable of one that exists")
    stage.run.set_variable(stage.parameters["Name"].lower(), stage.get("Value"))


@builtin("Get-Variable", "!Name:String@0 ValueOnly?")
def get_variable(stage: Stage) -> Any:
    name = stage.parameters["Name"]
    scope: Any = stage.run.scope
    while scope is not None:
        if name.lower() in scope.variables:
            value = scope.variables[name.lower()]
            if "ValueOnly" in stage.parameters:
                return enumerate_value(value)
            return [PsObject([("Name", name), ("Value", value)], (AUTOMATION + "PSVariable", "System.Object"))]
        scope = scope.parent
    if not name.isalnum() or stage.run.session.may_exist_variable(name):
        raise UnknownConstruct("Get-Variable of this name")
    message = f"Cannot find a variable with the name '{name}'."
    stage.write_error(
        TerminatingError(
            message, "VariableNotFound", "ObjectNotFound", AUTOMATION + "ItemNotFoundException", target=name
        )
    )
    return None


@builtin("Test-Path", "!Path:String@0< LiteralPath:String")
def test_path(stage: Stage) -> Any:
    kind, _, name = stage.get("Path", "").partition(":")
    if kind.lower() not in ("variable", "env") or not name.isalnum():
        raise UnknownConstruct("Test-Path outside variables")
    if kind.lower() == "env":
        return [name.upper() in stage.session.environment]
    if stage.run.session.may_exist_variable(name):
        raise UnknownConstruct(f"Test-Path variable:{name}")
    return [name.lower() in stage.run.scope.variables or name.lower() in stage.run.globals.variables]


@builtin("Remove-TypeData", "TypeName:String@0")
def remove_type_data(stage: Stage) -> None:
    """The Count that 5.1 adds to arrays, which spoils JSON, is not modelled; taking it away does nothing."""


@builtin("Get-Item", "Path:String[]@0< LiteralPath:String[]")
def get_item(stage: Stage) -> None:
    """The file system of the lab is empty: a plain name is never found, and paths are not known."""
    for path in stage.get("Path") or ["?"]:
        if not path.isalnum():
            raise UnknownConstruct("the file system")
        message = Unsure(f"Cannot find path '{path}' because it does not exist.")
        stage.write_error(
            TerminatingError(
                message, "PathNotFound", "ObjectNotFound", AUTOMATION + "ItemNotFoundException", target=path
            )
        )


@builtin(
    "Import-Module",
    "!Name:String[]@0< ErrorVariable2 Force? PassThru? DisableNameChecking? Global? WarningAction2",
    "ImportModuleCommand",
)
def import_module(stage: Stage) -> None:
    for name in stage.parameters["Name"]:
        modules = stage.session.commands.modules
        if name.lower() in modules:
            load = modules[name.lower()]
            if load is not None:
                load()
        elif name.lower().startswith(("microsoft.powershell", "cim", "storage")):
            raise UnknownConstruct(f"the module {name}")
        else:
            message = f"The specified module '{name}' was not loaded because no valid module file was found in any module directory."
            stage.write_error(
                TerminatingError(
                    message,
                    "Modules_ModuleNotFound",
                    "ResourceUnavailable",
                    "System.IO.FileNotFoundException",
                    target=name,
                )
            )


@builtin("Get-Command", "Name:String[]@0< Module:String[] CommandType:String", "GetCommandCommand")
def get_command(stage: Stage) -> Any:
    found = []
    for name in stage.get("Name") or ["*"]:
        if "*" in name or stage.parameters.keys() - {"Name"}:
            raise UnknownConstruct("Get-Command with a pattern")
        command = find_command(stage.run, name, quiet=True)
        if command is None and stage.session.may_exist(name):
            raise UnknownConstruct(f"the command {name}")
        if command is None:
            message = Unsure(
                f"The term '{name}' is not recognized as the name of a cmdlet, function, script file, or operable program."
            )
            kind = AUTOMATION + "CommandNotFoundException"
            stage.write_error(
                TerminatingError(message, "CommandNotFoundException", "ObjectNotFound", kind, target=name)
            )
        else:
            if not isinstance(command, ScriptBlock) and name.lower() != command.name.lower():
                raise UnknownConstruct("Get-Command of an alias")
            block = command if isinstance(command, ScriptBlock) else None
            found.append(CommandInfo(as_command(block) if block else command, block))
    return found


@builtin("ConvertTo-Json", "InputObject@0< Depth:Int32 Compress?", streaming=True)
def convert_to_json(stage: Stage) -> Streams:
    def finish(items: list[Any]) -> None:
        if not items:
            return
        value = items[0] if len(items) == 1 else items
        stage.out(jsontext.write(value, stage.get("Depth", 2), "Compress" in stage.parameters))

    return _collecting(stage, finish)


@builtin("ConvertFrom-Json", "!InputObject:String@0<", streaming=True)
def convert_from_json(stage: Stage) -> Streams:
    def finish(items: list[Any]) -> None:
        text = "\n".join(to_text(item) for item in items)
        if not text.strip():
            raise UnknownConstruct("ConvertFrom-Json of an empty text")
        value = jsontext.read(text, several=len(items) > 1)
        if isinstance(value, list) and STRICT.get():
            raise UnknownConstruct("ConvertFrom-Json of an array, which 5.1 hands on as one object")
        stage.out(value)

    return _collecting(stage, finish)


@builtin("New-Object", "!TypeName:String@0 ArgumentList:Object[]@1 Property:Hashtable ComObject:String")
def new_object_command(stage: Stage) -> Any:
    if "ComObject" in stage.parameters:
        raise UnknownConstruct("New-Object -ComObject")
    name, properties = stage.parameters["TypeName"], stage.get("Property")
    if name.lower() in (
        "psobject",
        "pscustomobject",
        "object",
        CUSTOM_OBJECT.lower(),
        "system.management.automation.psobject",
    ):
        if name.lower() == "object":
            raise UnknownConstruct("New-Object object")
        return [PsObject((to_text(key), value) for key, value in (properties.pairs() if properties else ()))]
    if properties is not None:
        raise UnknownConstruct("New-Object -Property of this type")
    return [new_object(stage.run, resolve_type(name, stage.session.commands.types), stage.get("ArgumentList") or [])]


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
    if name == "System.Collections.ArrayList" or name.startswith("System.Collections.Generic.List"):
        if not arguments:
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


TABLE = CommandTable(BUILTINS, ALIASES)
