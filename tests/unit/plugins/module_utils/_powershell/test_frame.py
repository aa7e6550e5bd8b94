# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The frame: what goes in is ASCII and complete, what comes out is the whole answer of this run or none."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import CorruptReply
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.frame import (
    GO,
    LARGEST_ANSWER_BYTES,
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
    return packed_answer(gzip.compress(json.dumps({"data": data}).encode()), nonce)


def packed_answer(packed: bytes, nonce: str = NONCE) -> bytes:
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


def test_an_answer_that_unpacks_to_more_than_any_answer_is_none() -> None:
    bomb = gzip.compress(b"[" * (LARGEST_ANSWER_BYTES * 20), compresslevel=1)
    with pytest.raises(CorruptReply, match=f"larger than {LARGEST_ANSWER_BYTES} bytes"):
        read_answer(packed_answer(bomb), NONCE)


@pytest.mark.parametrize(
    "packed",
    [
        b"",
        b"no gzip",
        gzip.compress(b"{}")[:-9],
        gzip.compress(b'{"data": NaN}'),
        gzip.compress(b'{"data": -Infinity}'),
        gzip.compress(b'{"data": "\xff"}'),
        gzip.compress(b"[" * 100_000),
        gzip.compress(b"1" * 5000),
    ],
    ids=["nothing", "no gzip", "cut", "NaN", "Infinity", "no UTF-8", "nested deeply", "a number of 5000 digits"],
)
def test_bad_packing_and_bad_json_are_one_sentence(packed: bytes) -> None:
    with pytest.raises(CorruptReply, match="no JSON that was packed"):
        read_answer(packed_answer(packed), NONCE)


def test_a_length_of_thousands_of_digits_is_no_length() -> None:
    with pytest.raises(CorruptReply):
        read_answer(f"<<{NONCE} {'9' * 5000} {'A' * 64}\r\n{NONCE}>>".encode(), NONCE)


def test_marks_that_are_opened_again_and_again_cost_no_time() -> None:
    opened = f"<<{NONCE} 1 {'A' * 64}\r\n".encode() * 100_000
    started = time.process_time()
    with pytest.raises(CorruptReply):
        read_answer(opened, NONCE)
    assert time.process_time() - started < 2


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
