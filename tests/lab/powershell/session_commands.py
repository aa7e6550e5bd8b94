"""Commands about the session: messages, errors, time, variables, modules, JSON, new objects."""

from __future__ import annotations

from typing import Any

from . import jsontext
from .blocks import ScriptBlock, as_command
from .builtins import Streams, builtin, collecting
from .convert import convert, to_datetime, to_text
from .errors import AUTOMATION, DotNetException, ErrorRecord, TerminatingError
from .formatting import format_date
from .objects import new_object
from .stages import CommandInfo, Stage, find_command
from .typenames import CUSTOM_OBJECT, resolve_type
from .values import STRICT, PsObject, UnknownConstruct, Unsure, enumerate_value


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
    "!Activity:String@0 Status:String@1 Id:Int32@2 PercentComplete:Int32 SecondsRemaining:Int32"
    " Completed? CurrentOperation:String",
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
            reason = "no valid module file was found in any module directory"
            message = f"The specified module '{name}' was not loaded because {reason}."
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
                f"The term '{name}' is not recognized as the name of a cmdlet, function, or operable program."
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

    return collecting(stage, finish)


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

    return collecting(stage, finish)


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
