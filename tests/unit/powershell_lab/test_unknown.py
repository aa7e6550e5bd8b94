"""What is not certain is refused by name and line, never guessed."""

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
        ("'x'.Substring('a', 'b', 'c')", "Substring"),
    ],
)
def test_names_the_construct(script: str, construct: str) -> None:
    with pytest.raises(UnknownConstruct) as caught:
        Session().run(script)
    assert construct.lower() in str(caught.value).lower()


def test_names_the_line() -> None:
    with pytest.raises(UnknownConstruct) as caught:
        Session().run("$a = 1\n$b = 2\nGet-ChildItem\n")
    assert caught.value.line == 3


@pytest.mark.parametrize(
    "script",
    [
        "@{a=1;b=2}.Keys",
        "[int]'x'",
        "'ß' -eq 'ss'",
        "'a-b','ab' | Sort-Object",
        "ConvertTo-Json @{a=1}",
        "ConvertTo-Json '<' -Compress",
        "'[1,2]' | ConvertFrom-Json",
        "('{\"a\":1}' | ConvertFrom-Json).a.GetType().Name",
        "@() | Measure-Object -Sum",
        '"$(1/3)"',
        "'{0:F1}' -f 1.15",
        "$PSVersionTable.PSVersion.Major",
        "Get-Date",
        "exit 3",
    ],
)
def test_a_strict_session_refuses_what_differs_between_versions(script: str) -> None:
    assert list(answer(script)) == ["unknown"]


def test_an_endless_loop_is_refused() -> None:
    with pytest.raises(UnknownConstruct, match="this long"):
        Session().run("while ($true) { $x = 1 }\n'never'")


def test_endless_calls_are_refused() -> None:
    with pytest.raises(UnknownConstruct, match="this deep"):
        Session().run("function f { f }\nf")
