# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The frame: what goes in is ASCII and complete, what comes out is the whole answer of this run or none."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import CorruptReply
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.frame import (
    GO,
    make_input,
    read_answer,
)

NONCE = "0123456789abcdef0123456789abcdef"
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def answered(data: object, nonce: str = NONCE) -> bytes:
    packed = gzip.compress(json.dumps({"data": data}).encode())
    digest = hashlib.sha256(packed).hexdigest().upper()
    return f"<<{nonce} {len(packed)} {digest}\r\n{base64.b64encode(packed).decode()}\r\n{nonce}>>\r\n".encode()


@given(st.text(), st.dictionaries(st.text(), VALUES, max_size=3), st.text())
def test_the_input_is_ascii_and_holds_everything(script: str, parameters: dict[str, Any], prologue: str) -> None:
    made = make_input(script, parameters, prologue)
    assert made.data.isascii()
    assert GO.strip() not in made.data
    sent = json.loads(base64.b64decode(made.data))
    assert sent == {
        "prologue": _characters(prologue),
        "script": _characters(script),
        "parameters": _all_characters(parameters),
        "nonce": made.nonce,
    }


def test_no_two_runs_have_one_mark() -> None:
    assert len({make_input("", {}).nonce for _ in range(100)}) == 100


@given(VALUES, st.binary(max_size=40), st.binary(max_size=40))
def test_an_answer_is_found_among_noise(data: Any, before: bytes, after: bytes) -> None:
    assert read_answer(before + answered(data) + after, NONCE) == {"data": data}


@given(st.data())
def test_an_answer_that_lacks_any_part_is_none(data: st.DataObject) -> None:
    whole = answered(["x" * 50, 1])
    start = data.draw(st.integers(0, len(whole) - 3))
    end = data.draw(st.integers(start + 1, len(whole) - 2))
    part = whole[:start] + whole[end:]
    try:
        answer = read_answer(part, NONCE)
    except CorruptReply:
        return
    # Only line ends may be missing.
    assert answer == {"data": ["x" * 50, 1]}
    assert not whole[start:end].strip()


def test_the_answer_of_another_run_is_none() -> None:
    with pytest.raises(CorruptReply):
        read_answer(answered(1, "f" * 32), NONCE)


def _characters(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def _all_characters(value: Any) -> Any:
    if isinstance(value, str):
        return _characters(value)
    if isinstance(value, list):
        return [_all_characters(one) for one in value]
    if isinstance(value, dict):
        return {_characters(name): _all_characters(one) for name, one in value.items()}
    return value
