"""Laws of the language, over many values."""

from __future__ import annotations

import contextlib
import json
import math
from typing import Any

from hypothesis import given, reject, settings
from hypothesis import strategies as st
from powershell import Session, UnknownConstruct
from powershell.cases import answer
from powershell.kinds import type_name

INT32 = st.integers(-(2**31), 2**31 - 1)
INT64 = st.integers(-(2**63), 2**63 - 1)
WORD = st.text("abcXYZ019", max_size=8)
VALUE: st.SearchStrategy[Any] = st.one_of(
    st.none(), st.booleans(), INT32, INT64, st.floats(-1e6, 1e6), WORD, st.lists(INT32, max_size=3)
)


def run(script: str, **parameters: Any) -> list[Any]:
    names = ", ".join(f"${name}" for name in parameters)
    return Session().run(f"param({names})\n{script}", parameters=parameters).output


@given(INT32, INT32)
def test_int32_arithmetic_overflows_into_double(left: int, right: int) -> None:
    for operator, exact in (("+", left + right), ("-", left - right), ("*", left * right)):
        (result,) = run(f"$a {operator} $b", a=left, b=right)
        if -(2**31) <= exact < 2**31:
            assert (type(result), result) == (int, exact)
        else:
            assert (type(result), result) == (float, float(exact))


@given(INT64, INT64)
def test_int64_arithmetic_overflows_into_double(left: int, right: int) -> None:
    (result,) = run("[int64]$a + [int64]$b", a=left, b=right)
    exact = left + right
    if -(2**63) <= exact < 2**63:
        assert (type_name(result), int(result)) == ("System.Int64", exact)
    else:
        assert (type(result), result) == (float, float(exact))


@given(INT32, INT32.filter(bool))
def test_division_gives_an_integer_only_where_it_is_exact(left: int, right: int) -> None:
    (quotient,) = run("$a / $b", a=left, b=right)
    (rest,) = run("$a % $b", a=left, b=right)
    assert rest == math.fmod(left, right)
    assert quotient == left / right
    assert isinstance(quotient, int) == (left % right == 0 and -(2**31) <= left // right < 2**31)


@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_a_quoted_string_is_its_text(text: str) -> None:
    single = text.replace("'", "''")
    escaped = "".join("`" + character if character in '`"$' else character for character in text)
    if any(mark in text for mark in "\u2018\u2019\u201a\u201b\u201c\u201d\u201e\r\n\0"):
        return  # other quotes of PowerShell's, and characters that a grammar of lines takes apart
    assert Session().run(f"'{single}'").output == [text]
    assert Session().run(f'"{escaped}"').output == [text]


@given(VALUE, VALUE)
def test_equality_is_the_opposite_of_inequality(left: Any, right: Any) -> None:
    try:
        equal, different = run(
            "@($a -eq $b).Count; @($a -ne $b).Count" if isinstance(left, list) else "$a -eq $b; $a -ne $b",
            a=left,
            b=right,
        )
    except UnknownConstruct:
        reject()  # such as a number in a form that versions read differently
    assert equal + different == len(left) if isinstance(left, list) else equal is not different


@given(INT64, INT64)
def test_numbers_are_in_one_order(left: int, right: int) -> None:
    assert run("$a -lt $b; $a -le $b; $a -gt $b; $a -ge $b", a=left, b=right) == [
        left < right,
        left <= right,
        left > right,
        left >= right,
    ]


@given(WORD, WORD)
def test_words_are_equal_without_regard_to_case(left: str, right: str) -> None:
    assert run("$a -eq $b; $a -lt $b", a=left, b=right) == [
        left.lower() == right.lower(),
        left.lower() < right.lower(),
    ]


@given(
    st.lists(
        st.sampled_from(["Éa", "é", "日本", "日本語", "カ", "か", "a", "\u200d", "ß", "ss", "Ａ", "😀"]), max_size=4
    )
)
def test_texts_beyond_ascii_are_equal_if_identical_and_else_different_or_unknown(texts: list[str]) -> None:
    for left in texts:
        for right in texts:
            try:
                (same,) = run("$a -eq $b", a=left, b=right)
            except UnknownConstruct:
                assert left != right
            else:
                assert same == (left == right)


@given(st.lists(INT32, max_size=6), INT32)
def test_a_list_on_the_left_is_filtered(items: list[int], wanted: int) -> None:
    assert run("@($a -eq $b)", a=items, b=wanted) == [item for item in items if item == wanted]
    assert run("$a -contains $b; $b -in $a", a=items, b=wanted) == [wanted in items] * 2


@given(INT64, INT64.filter(bool))
def test_quotient_and_rest_of_int64(left: int, right: int) -> None:
    quotient, rest = run("[int64]$a / [int64]$b; [int64]$a % [int64]$b", a=left, b=right)
    assert rest == 0 or (rest < 0) == (left < 0)
    assert abs(rest) < abs(right)
    exact = isinstance(quotient, int)
    assert exact == (left % right == 0 and left // right < 2**63)
    assert quotient * right == left if exact else quotient == float(left) / float(right)


@given(st.text(st.characters(codec="utf-8", exclude_characters="<>&'\x85\u2028\u2029"), max_size=12))
def test_text_goes_through_json_unchanged(text: str) -> None:
    (written,) = run("ConvertTo-Json -InputObject $a -Compress", a=text)
    assert json.loads(written) == text
    assert run("('{\"a\":' + $b + '}' | ConvertFrom-Json).a", b=json.dumps(text)) == [text]


@given(INT32, INT32)
def test_a_range_counts_up_or_down(start: int, length: int) -> None:
    length %= 50
    assert run("$a..$b", a=start, b=start + length) == list(range(start, start + length + 1))
    assert run("$b..$a", a=start, b=start + length) == list(range(start + length, start - 1, -1))


@given(st.lists(VALUE, max_size=4))
def test_a_pipeline_takes_one_level_apart(items: list[Any]) -> None:
    assert run("@($a | ForEach-Object { , $_ }).Count", a=items) == [len(items)]


_SCRAPS = (
    """1 2GB -7 'a' "b$x" $x $null $_ @() @(1,2) @{a=1} [int] [string] {$_} ( ) + - * / -eq -lt -f -split -join"""
    " -match | % ? ; , .Count [0] .a (1,2) if(1){2} try{ }catch{3}"
)


@settings(max_examples=400)
@given(st.lists(st.sampled_from(_SCRAPS.split()), max_size=9))
def test_nonsense_is_answered_or_unknown_but_never_an_exception_of_python(scraps: list[str]) -> None:
    with contextlib.suppress(UnknownConstruct):
        Session().run(" ".join(scraps))
    assert answer(" ".join(scraps)).keys() & {"output", "throws", "unknown"}
