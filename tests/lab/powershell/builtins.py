"""The commands of PowerShell itself that scripts use."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .binding import Command, signature
from .stages import Stage

Streams = tuple[Callable[[Any], None], Callable[[], None]]
BUILTINS: list[Command] = []
_ALIASES = """%=ForEach-Object foreach=ForEach-Object ?=Where-Object where=Where-Object select=Select-Object
sort=Sort-Object measure=Measure-Object group=Group-Object echo=Write-Output write=Write-Output
sleep=Start-Sleep ipmo=Import-Module gcm=Get-Command tee=Tee-Object gv=Get-Variable sv=Set-Variable nv=New-Variable"""
ALIASES = dict(pair.split("=") for pair in _ALIASES.split())


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


def nothing() -> None:
    pass


def collecting(stage: Stage, finish: Callable[[list[Any]], None]) -> Streams:
    """A command that needs all its input first."""
    items: list[Any] = []
    if "InputObject" in stage.parameters:
        items.append(stage.parameters["InputObject"])
    return items.append, lambda: finish(items)
