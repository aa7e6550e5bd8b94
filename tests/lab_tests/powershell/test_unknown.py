"""What is not certain is refused by name and line, never guessed: the neighbours of what is known."""

from __future__ import annotations

import pytest
from powershell import Session, UnknownConstruct
from powershell.cases import answer


@pytest.mark.parametrize(
    ("script", "construct"),
    [
        ("Get-ChildItem", "Get-ChildItem"),
        ("Get-Date -Hour 3", "-Hour"),
        ("[xml]'<a/>'", "[xml]"),
        ("'abc'.Normalize()", "Normalize"),
        ("$MyInvocation.MyCommand", "$myinvocation"),
        ("1..3 | Format-Table", "Format-Table"),
        ("trap { 1 }", "trap"),
        ("class A { }", "class"),
        ("$a ? 1 : 2", "ternary"),
        ("Get-Date 2>&1", "2>&1"),
        ("'a' -match '\\p{L}'", "regular expression"),
        ("[datetime]::Today", "Today"),
        ("$env:PATH", "$env:path"),
        ("switch (1) { 1 { 2 } }", "switch"),
        ("for ($i = 0; $i -lt 3; $i = $i + 1) { }", "for statement"),
        ("$a, $b = 1, 2", "assignment"),
        ("$x = $script:y", "$script:y"),
        ("function f { process { 1 } }", "process"),
        ("1 -shl 2", "-shl"),
        ("'a' -clike 'A'", "-clike"),
        ("'a' -f 1", "format expression"),
        ("try { throw 1 } catch [System.Exception] { 2 }", "catch of one type"),
        ("function f { param($a = 1, $b) }", "default"),
        ("& 'Get-Date'", "&"),
        ("$x = @(1); $x[0] = 2", "no table"),
    ],
)
def test_names_the_construct(script: str, construct: str) -> None:
    with pytest.raises(UnknownConstruct) as caught:
        Session().run(script + "\n$null = 1")
    assert construct.lower() in str(caught.value).lower()


def test_names_the_line() -> None:
    with pytest.raises(UnknownConstruct) as caught:
        Session().run("$a = 1\n$b = 2\nif ($a) {\n    Get-ChildItem\n}\n")
    assert caught.value.line == 4


# Each is near to something known, and depends on the culture, on the version, or on a rule that is not modelled.
NEIGHBOURS = [
    "@{a=1;b=2}.Keys",
    "@{a=1;b=2}.Values",
    "[pscustomobject]@{a=1} | ForEach-Object { $_.Count }",
    "[int]'x'",
    "[int]'1e3'",
    "[int]'1,000'",
    "[int]'0x10'",
    "[int]' '",
    "[int]'42L'",
    "[double]'NaN'",
    "1 -eq '1.5'",
    "1 -lt '1.5'",
    "1 -lt 'abc'",
    "1 + 'abc'",
    "1 + ''",
    "'ß' -eq 'ss'",
    "'ä' -eq 'a'",
    "\"a`0\" -eq 'a'",
    "'İ' -eq 'i'",
    "'a-b' -lt 'ab'",
    "'a b' -gt 'ab'",
    "1 -eq (1,2)",
    "'1 2' -eq (1,2)",
    "$null -contains $null",
    "(1,2) -contains (1,2)",
    "'é' -match '\\w'",
    "'É' -match 'é'",
    "'a' -match '(?<x>a)'",
    "'aa' -match '(a)\\1'",
    "'a' -match '(?i)a'",
    "'abc' -replace 'b*', '-'",
    "'abc' -replace '(b)', '$1$1'",
    "'a' * 3",
    "@(1) * 3",
    "1.0 / 0",
    "'1'..'3'",
    "1.5..3",
    "-not $a, 2",
    "ConvertTo-Json @{a=1}",
    "ConvertTo-Json '<' -Compress",
    "ConvertTo-Json 1.0 -Compress",
    "ConvertTo-Json $null -Compress",
    "ConvertTo-Json @{a=1;b=2} -Compress",
    "'[1,2]' | ConvertFrom-Json",
    "('{\"a\":1}' | ConvertFrom-Json).a.GetType().Name",
    "('{\"a\":1}' | ConvertFrom-Json).a + 2147483647",
    '(\'{"a":"2024-01-02T03:04:05Z"}\' | ConvertFrom-Json).a',
    '\'{"a":1,"A":2}\' | ConvertFrom-Json',
    "'{a:1}' | ConvertFrom-Json",
    '"$(1/3)"',
    "[string]1e20",
    "[datetime]'01/02/2024'",
    "[datetime]'2024-02-30'",
    "([datetime]'2024-01-02').ToString()",
    "([datetime]'2024-01-02').ToString('d')",
    "([datetime]'2024-01-02').AddDays(0.1234567891)",
    "(([datetime]'2024-01-02') - ([datetime]'2024-01-01')).Days",
    "'abc'[0]",
    "'abc'.ToUpper()",
    "@(1,2).GetType().Name",
    "@(1) -is [int[]]",
    "(@{a=1},@{b=2}).a",
    "(@{a=$null},@{a=2}).a",
    "@{a=1}[1]",
    "@(1,2)[0,1]",
    "@(1,2)[$true]",
    "Set-StrictMode -Version 3\n@(1)[5]",
    "@() + (if ($false) { 1 })",
    "$a = @()\n$a += $(if ($false) { 1 })",
    "1, $(if ($false) { 1 })",
    "@{ a = $(if ($false) { 1 }) } | ConvertTo-Json -Compress",
    "$x = 5\n($x = 6)",
    "function f($a) { $a }\nf 1 2",
    "function f($a) { $a }\nf -b 2",
    "function f { param($Name) $Name }\nf -Na 2",
    "function f { $x }\n1 | f",
    "$ErrorActionPreference = 'SilentlyContinue'\nthrow 'x'",
    "throw",
    "break",
    "$PSVersionTable.PSVersion.Major",
    "Get-Date",
    "exit 3",
    "$input",
    "$args",
    "$?",
    "Get-NoSuchThing *>$null",
    "1,2 | Select-Object -First 0",
    "@{a=1;a=2}",
    "'null' | ConvertFrom-Json",
    "('{\"a\":1.0}' | ConvertFrom-Json).a",
    "(Get-Command -Name ?).Name",
    "$x = [double]0 * -1\n$x",
    "function f { param([ValidateSet('x')]$a) $a }\nf z",
    "function f { param([switch]$s) $s }\nf",
]


@pytest.mark.parametrize("script", NEIGHBOURS)
def test_a_neighbour_of_what_is_known_is_refused(script: str) -> None:
    given = answer(script)
    assert list(given) == ["unknown"]
    assert "trips over" not in given["unknown"]


def test_an_endless_loop_is_refused() -> None:
    with pytest.raises(UnknownConstruct, match="this long"):
        Session(longest_run=20_000).run("while ($true) { $x = 1 }\n'never'")
    with pytest.raises(UnknownConstruct, match="this long"):
        Session(longest_run=20_000).run("while ($true) { }")


def test_endless_calls_are_refused() -> None:
    with pytest.raises(UnknownConstruct, match="this deep"):
        Session().run("function f { f }\nf")
