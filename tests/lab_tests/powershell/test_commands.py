"""Commands of a table: real binding, errors that stop and errors that do not, objects of a model, a clock."""

from __future__ import annotations

import datetime
import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from powershell import (
    Command,
    CommandTable,
    DateTime,
    EnumType,
    Invocation,
    Outcome,
    Parameter,
    Session,
    StandingClock,
    TerminatingError,
    UnknownConstruct,
    signature,
)

STATE = EnumType("Lab.State", {"Valid": 0, "Invalid": 1})
CREATED = datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)


class Volume:
    """A model object with an Int64, a Guid, an enumeration and a date."""

    ps_type_names = ("Lab.Volume", "System.Object")

    def __init__(self, name: str, size: int) -> None:
        self.values: dict[str, Any] = {
            "name": name,
            "size": size,
            "id": uuid.UUID(int=size),
            "state": STATE.find("Invalid"),
            "created": DateTime.of(CREATED, "Utc"),
            "parts": ["a", "b"],
        }

    def ps_get(self, name: str) -> Any:
        return self.values[name.lower()]

    def ps_call(self, name: str, arguments: list[Any]) -> Any:
        if name.lower() != "grow":
            raise KeyError(name)
        if arguments[0] < 0:
            raise TerminatingError("no growth", exception_type="System.InvalidOperationException")
        self.values["size"] += arguments[0]
        return self.values["size"]


VOLUMES = {"one": Volume("one", 5 * 2**30), "two": Volume("two", 1)}


def get_volume(invocation: Invocation) -> Iterator[Volume]:
    for name in invocation.get("Name") or VOLUMES:
        if name in VOLUMES:
            yield VOLUMES[name]
        else:
            invocation.write_error(
                TerminatingError(f"no volume {name}", "VolumeNotFound", "ObjectNotFound", target=name)
            )


def edit_volume(invocation: Invocation) -> None:
    if invocation.parameters["Size"] > 2**40:
        raise TerminatingError(
            "the pool is full (ID: 358)", "PoolFull", "ResourceUnavailable", "Lab.PoolException", hresult=-2147024809
        )
    VOLUMES["two"].values["size"] = invocation.parameters["Size"]


def session(clock: StandingClock | None = None) -> Session:
    commands = [
        Command("Get-Volume", signature("Name:String[]@0"), get_volume),
        Command(
            "Edit-Volume",
            {
                "BySize": signature("!Volume:Lab.Volume@0< !Size:Int64"),
                "ByState": signature("!Volume:Lab.Volume@0 !State:Lab.State Force?"),
            },
            edit_volume,
            supports_should_process=True,
            confirm_impact="High",
        ),
        Command(
            "Get-Echo", [Parameter("Item", pipeline=True)], lambda invocation: [f"<{invocation.parameters['Item']}>"]
        ),
    ]
    types = {
        "Lab.Volume": None,
        "Lab.State": STATE,
        "Lab.PoolException": None,
    }
    return Session(CommandTable(commands, types=types, modules={"Lab": None}, covers=["*-Volume*"]), clock)


def run(script: str, **parameters: Any) -> Outcome:
    return session().run(script, parameters=parameters or None)


def test_members_of_a_model_object() -> None:
    outcome = run(
        '$v = Get-Volume one\n$v.Size; [string]$v.Id; [string]$v.State; "$($v.State)"\n'
        "$v.Created.ToUniversalTime().ToString('o'); $v.parts.Count"
    )
    assert outcome.output == [
        5 * 2**30,
        str(uuid.UUID(int=5 * 2**30)),
        "Invalid",
        "Invalid",
        "2024-01-02T03:04:05.0000000Z",
        2,
    ]
    assert run("(Get-Volume).Name").output == ["one", "two"]
    assert run("Get-Volume | Where-Object { $_.State -eq 'invalid' } | ForEach-Object { $_.Name }").output == [
        "one",
        "two",
    ]


def test_a_missing_member_is_null_or_under_strict_mode_an_error() -> None:
    assert run("$null -eq (Get-Volume one).Nothing").output == [True]
    outcome = run("Set-StrictMode -Version 2\ntry { (Get-Volume one).Nothing } catch { $_.FullyQualifiedErrorId }")
    assert outcome.output == ["PropertyNotFoundStrict"]


def test_calling() -> None:
    before = VOLUMES["two"].values["size"]
    assert run("(Get-Volume two).Grow(3)").output == [before + 3]
    outcome = run(
        "try { (Get-Volume two).Grow(-1) } catch { $_.Exception.InnerException.Message; $_.Exception.Message }"
    )
    assert outcome.output == ["no growth", 'Exception calling "Grow" with "1" argument(s): "no growth"']
    outcome = run("try { (Get-Volume two).Shrink(1) } catch { $_.FullyQualifiedErrorId }")
    assert outcome.output == ["MethodNotFound"]
    with pytest.raises(UnknownConstruct, match="no table"):
        run("(Get-Volume two).Size = 7")


def test_an_error_that_does_not_end_anything() -> None:
    outcome = run("Get-Volume nine, one | ForEach-Object { $_.Name }\n'after'")
    assert outcome.output == ["one", "after"]
    assert [(e.error_id, e.category, e.message) for e in outcome.errors] == [
        ("VolumeNotFound,Get-Volume", "ObjectNotFound", "no volume nine")
    ]
    silent = run("Get-Volume nine -ErrorAction SilentlyContinue\n'after'")
    assert (silent.output, silent.errors) == (["after"], [])
    stopped_at = "try { Get-Volume nine -ErrorAction Stop } catch { $_.TargetObject }"
    assert run(stopped_at).output == ["nine"]
    assert run(
        "try { Get-Volume nine -ErrorAction Stop } catch { $_.CategoryInfo.Category -eq 'ObjectNotFound' }"
    ).output == [True]
    stopped = run("$ErrorActionPreference = 'Stop'\nGet-Volume nine\n'after'")
    assert stopped.output == []
    assert stopped.error
    assert stopped.exit_code == 1


def test_an_error_that_ends_the_statement_is_not_silenced() -> None:
    outcome = run(
        "$v = Get-Volume two\n$v | Edit-Volume -Size 2TB -Confirm:$false -ErrorAction SilentlyContinue\n'after'"
    )
    assert outcome.output == ["after"]
    assert [error.error_id for error in outcome.errors] == ["PoolFull,Edit-Volume"]
    outcome = run(
        "try { Edit-Volume (Get-Volume two) -Size 2TB -Confirm:$false }"
        " catch { $_.Exception.GetType().FullName; $_.Exception.HResult; $_.Exception.Message }"
    )
    assert outcome.output == ["Lab.PoolException", -2147024809, "the pool is full (ID: 358)"]


@pytest.mark.parametrize(
    ("call", "error_id"),
    [
        ("Edit-Volume (Get-Volume two) -Size x -Confirm:$false", "CannotConvertArgumentNoMessage"),
        ("Edit-Volume ([pscustomobject]@{Name='two'}) -Size 5 -Confirm:$false", "CannotConvertArgumentNoMessage"),
        ("Edit-Volume (Get-Volume two) -State Broken -Confirm:$false", "CannotConvertArgumentNoMessage"),
        ("Edit-Volume (Get-Volume two) -Confirm:$false", "MissingMandatoryParameter"),
        ("Edit-Volume -Size 5 -Confirm:$false", "MissingMandatoryParameter"),
        ("Edit-Volume (Get-Volume two) -Size 5 -State Valid -Confirm:$false", "AmbiguousParameterSet"),
        ("Edit-Volume (Get-Volume two) -Size 5 -Colour red", "NamedParameterNotFound"),
        ("Edit-Volume (Get-Volume two) 5 -Size 5 -Confirm:$false", "PositionalParameterNotFound"),
        ("Edit-Volume (Get-Volume two) -Size 5 -Size 6", "ParameterAlreadyBound"),
        ("Edit-Volume (Get-Volume two) -Confirm:$false -Size", "MissingArgument"),
        ("Edit-Volume (Get-Volume two) -Size 5", "InvalidOperation"),
    ],
)
def test_binding_errors(call: str, error_id: str) -> None:
    assert run(f"try {{ {call}; 'done' }} catch {{ $_.FullyQualifiedErrorId }}").output == [f"{error_id},Edit-Volume"]


def test_what_if_does_nothing() -> None:
    before = VOLUMES["two"].ps_get("size")
    assert run("Edit-Volume (Get-Volume two) -Size 77 -WhatIf").output == []
    assert VOLUMES["two"].ps_get("size") == before


def test_pipeline_input_is_bound_one_by_one() -> None:
    assert run("1, 'x' | Get-Echo").output == ["<1>", "<x>"]


def test_probing_for_commands_and_parameters() -> None:
    assert run("(Get-Command Edit-Volume).Name").output == ["Edit-Volume"]
    assert run("$null -eq (Get-Command Move-Volume -ErrorAction SilentlyContinue)").output == [True]
    with pytest.raises(UnknownConstruct, match="Get-Partition"):
        run("Get-Command Get-Partition -ErrorAction SilentlyContinue")
    assert run(
        "Import-Module Lab\ntry { Import-Module Laboratory -ErrorAction Stop } catch { $_.FullyQualifiedErrorId }"
    ).output == ["Modules_ModuleNotFound,Microsoft.PowerShell.Commands.ImportModuleCommand"]


def test_parameters_reach_a_script_as_data() -> None:
    text = "a'b\"$(throw 1)`n;日本😀\n{}"
    outcome = run(
        "[CmdletBinding()]\nparam([string[]]$Names, [int64]$Size)\n$Names.Count; $Names[0]; $Size", Names=[text], Size=5
    )
    assert outcome.output == [1, text, 5]
    for name, value, error_id in (
        ("Wrong", 1, "NamedParameterNotFound"),
        ("Size", "x", "ParameterArgumentTransformationError"),
    ):
        outcome = run("[CmdletBinding()]\nparam([string[]]$Names, [int64]$Size)\n1", **{name: value})
        assert outcome.error
        assert outcome.error.record.error_id.startswith(error_id)


def test_the_clock_of_the_lab() -> None:
    clock = StandingClock(datetime.datetime(2024, 1, 2, 3, 4, 5, tzinfo=datetime.UTC))
    outcome = session(clock).run(
        "$start = Get-Date\nStart-Sleep -Seconds 90\n((Get-Date) - $start).TotalSeconds\n"
        "[datetime]::UtcNow.ToString('o')"
    )
    assert outcome.output == [90.0, "2024-01-02T03:05:35.0000000Z"]


def test_standard_input() -> None:
    frame = """$utf8 = New-Object -TypeName System.Text.UTF8Encoding -ArgumentList $false
$data = $utf8.GetString([Convert]::FromBase64String((@($input) -join '')))
$answer = & ([ScriptBlock]::Create($data))
ConvertTo-Json -InputObject $answer -Compress
"""
    assert session().run(frame, input_lines=["QHsgYSA9ID", "EgfQ=="]).output == ['{"a":1}']


def test_json_is_of_plain_values() -> None:
    (written,) = run("ConvertTo-Json -InputObject @{ a = \"<b> & 'c'\"; b = @(1) } -Compress").output
    assert json.loads(written) == {"a": "<b> & 'c'", "b": [1]}
    for value in ("(Get-Volume one).Created", "(Get-Volume one).State", "(Get-Volume one).Id", "(Get-Volume one)"):
        with pytest.raises(UnknownConstruct, match="plain values"):
            run(f"ConvertTo-Json -InputObject {value} -Compress")
