"""Each rule of the linter of PowerShell scripts fires, and a good script passes."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from powershell import Command, signature

ROOT = Path(__file__).parents[3]
SPEC = importlib.util.spec_from_file_location("lint_powershell", ROOT / "tools" / "lint_powershell.py")
assert SPEC
assert SPEC.loader
lint = importlib.util.module_from_spec(SPEC)
sys.modules["lint_powershell"] = lint
SPEC.loader.exec_module(lint)

START = "[CmdletBinding()]\nparam(\n    [string[]]$Ids\n)\n"
COMMANDS = {
    **lint.known_commands(),
    "edit-thing": Command("Edit-Thing", signature("!Thing@0 Size:Int64"), lambda _: None, supports_should_process=True),
    "get-thing": Command("Get-Thing", signature("Name:String@0"), lambda _: None),
}
GOOD = (
    START
    + """Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
function Read-Thing {
    param($Thing)
    @{ id = [string]$Thing.Id; started = $Thing.StartTime.ToUniversalTime().ToString('o') }
}
$rows = @(foreach ($id in $Ids) {
    Read-Thing -Thing (Get-Thing -Name $id)
})
try {
    Edit-Thing -Thing $rows[0] -Size ([int64]5) -Confirm:$false
} catch {
    throw
}
@{ rows = $rows; count = $rows.Count }
"""
)


def rules(script: str, bootstrap: bool = False) -> list[tuple[int, str]]:
    return [(one.line, one.rule) for one in lint.Linter(COMMANDS, bootstrap).check(script)]


def test_a_good_script_passes() -> None:
    assert rules(GOOD) == []


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("if (", "syntax"),
        ("$x = 6/3; 6/3", "syntax"),
        ("exit 3", "exit"),
        ("[Environment]::Exit(3)", "exit"),
        ("$x = $a ? 1 : 2", "later-version"),
        ("$x = $a ?? 2", "later-version"),
        ("Get-Date && Get-Date", "later-version"),
        ("$x = ConvertFrom-Json -InputObject $a -AsHashtable", "later-version"),
        ("$Ids | ForEach-Object -Parallel { $_ }", "later-version"),
        ("Get-Nothing", "command"),
        ("Get-Thing -Nam x", "parameter"),
        ("Get-Thing -Colour x", "parameter"),
        ("$Ids | % { $_ }", "alias"),
        ("$Ids | where { $_ }", "alias"),
        ("gcm Get-Thing", "alias"),
        ("Invoke-Expression 'x'", "string-code"),
        ("iex 'x'", "string-code"),
        ("& 'Get-Thing'", "string-code"),
        ("& ([scriptblock]::Create('x'))", "string-code"),
        (". { 1 }", "string-code"),
        ("Edit-Thing -Thing $a -Size 5", "confirm"),
        ("Edit-Thing -Thing $a -Size 5 -Confirm:$true", "confirm"),
        ("@{ started = $job.StartTime }", "date"),
        ("@{ now = [datetime]::UtcNow }", "date"),
        ("[xml]$x = 'y'", "subset"),
        ("[math]::Sinh(3)", "subset"),
        ("$x = $MyInvocation", "subset"),
        ("$x = $using:y", "subset"),
        ("Get-Thing 2>$null", "subset"),
        ("trap { 1 }", "subset"),
        ("switch (1) { 1 { 2 } }", "subset"),
        ("for ($i = 0; $i -lt 3; $i = $i + 1) { $i }", "subset"),
        ("do { $x = 1 } while ($x)", "subset"),
        ("$x++", "subset"),
        ("$x = $a -like 'b*'", "subset"),
        ("$x = $a -ceq 'b'", "subset"),
        ("$x = $a -xor $b", "subset"),
        ("$x = '{0}' -f $a", "subset"),
        ("$x = -bnot 1", "subset"),
        ("try { $x = 1 } catch [System.Exception] { $x = 2 }", "subset"),
        ("$x = [ordered]@{ a = 1 }", "subset"),
        ("$x = [math]::Round(1.5)", "subset"),
        ("$x = $PSBoundParameters", "subset"),
        ("$x = $script:y", "subset"),
        ("$x = $input", "subset"),
        ("function f { param($a = 1); $a }", "subset"),
        ("function f { param([Parameter(Mandatory = $true)]$a); $a }", "subset"),
        ("function f { begin { 1 } }", "subset"),
        ("$x = $Ids | Select-Object -ExpandProperty Name", "parameter"),
        ("$x = $Ids | Sort-Object", "command"),
    ],
)
def test_each_rule_fires_on_its_line(line: str, rule: str) -> None:
    found = rules(f"{START}$first = 1\n{line}\n")
    assert (6, rule) in found
    assert {number for number, _ in found} == {6}


@pytest.mark.parametrize("script", ["$x = 1", "param($x)\n$x", "$x = 1\n" + START])
def test_a_script_starts_with_cmdletbinding(script: str) -> None:
    assert "start" in [rule for _, rule in rules(script)] or rules(script)[0][1] == "syntax"


def test_the_bootstrap_may_exit_and_make_a_script_of_its_input() -> None:
    bootstrap = "$text = [string]$input\n& ([ScriptBlock]::Create($text))\nexit 0\n"
    assert rules(bootstrap, bootstrap=True) == []
    assert {rule for _, rule in rules(bootstrap)} == {"start", "string-code", "exit", "subset"}


def test_complaints_carry_the_line_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "read_things.py"
    file.write_text(f'"""A script."""\n\nSCRIPT = r"""{START}exit 3\n"""\n')
    assert lint.lint_file(file, COMMANDS) == [f"{file}:7: exit: exit ends the frame around the script: use throw"]
    ran = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "lint_powershell.py"), str(file)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert f"{file}:7: exit" in ran.stdout


def test_a_file_holds_one_raw_string_named_script(tmp_path: Path) -> None:
    file = tmp_path / "read_things.py"
    file.write_text("NAME = 'x'\n")
    assert lint.lint_file(file, COMMANDS) == [f"{file}:1: start: no constant SCRIPT with a plain string"]
    file.write_text(f'SCRIPT = """{GOOD}"""\n')
    assert lint.lint_file(file, COMMANDS) == [f"{file}:1: raw: SCRIPT is one raw string"]


def test_the_scripts_of_the_collection_pass() -> None:
    commands = lint.known_commands()
    assert [line for path in lint.default_files() for line in lint.lint_file(path, commands)] == []
