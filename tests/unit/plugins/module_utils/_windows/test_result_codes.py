# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._windows.result_codes import (
    code_in_brackets,
    code_of,
    shown,
)


@pytest.mark.parametrize(
    "text",
    [
        "0x80780034",
        "0X80780034",
        "2155348020",
        "-2139619276",
        "%%2155348020",
        " 2155348020\n",
        "0x80780034, パラメーターが間違っています。\r\n",
        "0x80780034, The parameter is incorrect.",
    ],
)
def test_one_code_in_all_its_spellings(text: str) -> None:
    assert code_of(text) == 0x80780034


@pytest.mark.parametrize("text", [None, "", "0x", "0x8078003400", "E:", "-1x", "99999999999", "%%", "１２", "0x1z"])
def test_what_is_no_code(text: str | None) -> None:
    assert code_of(text) is None


def test_a_code_in_brackets() -> None:
    assert code_in_brackets("... instance. [0x80080005, Server execution failed\r\n]") == 0x80080005
    assert code_in_brackets("Routine details X [hr = 0x80042302].") == 0x80042302
    assert code_in_brackets("no brackets 0x80080005") is None
    assert code_in_brackets(None) is None


@given(st.text())
def test_any_text_is_a_code_of_32_bits_or_none(text: str) -> None:
    code = code_of(text)
    assert code is None or 0 <= code <= 0xFFFFFFFF


@given(st.integers(0, 0xFFFFFFFF))
def test_every_code_is_read_back(code: int) -> None:
    signed = code - 2**32 if code >= 2**31 else code
    assert code_of(shown(code)) == code_of(str(code)) == code_of(str(signed)) == code
