# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a script answered is read as what it has to be, or is one sentence, whatever came."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._powershell import answers
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import CorruptReply

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)
READERS: dict[Callable[[object, str], Any], tuple[type, ...]] = {
    answers.rows: (list,),
    answers.rows_or_none: (list, type(None)),
    answers.text: (str, type(None)),
    answers.texts: (tuple,),
    answers.number: (int, type(None)),
    answers.flag: (bool, type(None)),
}


@pytest.mark.parametrize("reader", READERS, ids=lambda one: one.__name__)
@given(answer=JSON)
def test_any_json_gives_a_value_of_its_type_or_one_sentence(reader: Callable[[object, str], Any], answer: Any) -> None:
    refusal, found = "", None
    try:
        found = reader(answer, "a")
    except CorruptReply as corrupt:
        refusal = str(corrupt)
    if refusal:
        assert refusal.startswith("The script")
        assert "\n" not in refusal
    else:
        assert isinstance(found, READERS[reader])
        assert reader is answers.flag or not isinstance(found, bool)


def test_values_come_through() -> None:
    row = {
        "text": "日本",
        "empty": "",
        "null": None,
        "number": 5,
        "whole": 5.0,
        "flag": False,
        "texts": ["x", "", None],
    }
    assert (answers.text(row, "text"), answers.text(row, "empty"), answers.text(row, "null")) == ("日本", None, None)
    assert (answers.number(row, "number"), answers.number(row, "whole"), answers.number(row, "null")) == (5, 5, None)
    assert (answers.flag(row, "flag"), answers.flag(row, "missing")) == (False, None)
    assert answers.texts(row, "texts") == ("x",)
    assert answers.rows({"rows": [row]}, "rows") == [row]
    assert answers.rows_or_none({"rows": None}, "rows") is None


@pytest.mark.parametrize(
    ("read", "sentence"),
    [
        (lambda: answers.rows({}, "limits"), "The script's answer lacks limits."),
        (lambda: answers.rows(None, "limits"), "The script did not answer with a table, but with nothing."),
        (lambda: answers.rows({"a": {"value": []}}, "a"), "holds a table as a, which should be a list of tables."),
        (lambda: answers.text({"a": 5}, "a"), "holds a number as a, which should be a text."),
        (lambda: answers.number({"a": "5"}, "a"), "holds a text as a, which should be a whole number."),
        (lambda: answers.number({"a": True}, "a"), "holds true or false as a, which should be a whole number."),
        (lambda: answers.flag({"a": 0}, "a"), "holds a number as a, which should be true or false."),
        (lambda: answers.texts({"a": "x"}, "a"), "holds a text as a, which should be a list of texts."),
    ],
)
def test_what_is_wrong_is_named(read: Callable[[], object], sentence: str) -> None:
    with pytest.raises(CorruptReply, match=sentence):
        read()
