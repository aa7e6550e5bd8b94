"""Results of megabytes as one text: what comes out of it is what went in."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.plugin_utils._packed_results import (
    NotPacked,
    limit_of,
    packed,
    unpacked,
)

LEAVES = st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]))
MEMBERS = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner), max_leaves=8
)
NAMES = st.sampled_from(("changed", "rdms", "luns", "findings", "summary", "failed", "msg"))


@given(st.dictionaries(NAMES, MEMBERS), st.integers(min_value=0, max_value=200))
def test_what_was_packed_comes_out_as_it_was(result: dict[str, Any], above: int) -> None:
    registered = {key: value for key, value in packed(result, above).items() if not key.startswith("_ansible_")}
    assert unpacked(registered) == result


@pytest.mark.parametrize(("above", "is_packed"), [(10**6, False), (10**5, True)])
def test_a_large_result_travels_as_a_short_text_and_a_small_one_as_it_is(above: int, is_packed: bool) -> None:
    result = {"changed": False, "rdms": [{"file": f"[san01] vm{number}/vm.vmdk"} for number in range(10_000)]}
    registered = packed(result, above)
    assert ("rdms" in registered) == (not is_packed)
    assert len(json.dumps(registered)) < 100_000 or not is_packed
    assert registered["changed"] is False


def text_of(whole: bytes) -> str:
    return base64.b64encode(zlib.compress(whole)).decode("ascii")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(text_of(b"[1]"), id="a list"),
        pytest.param(text_of(b"\xff"), id="no UTF-8"),
        pytest.param(text_of(b"[" * 100_000), id="nested deeply"),
        pytest.param(text_of(b'{"a": 1}')[:-8], id="cut"),
        pytest.param(text_of(b" " * (257 * 1024**2)), id="a bomb", marks=pytest.mark.slow),
        pytest.param("{{ x }}", id="a template"),
        pytest.param("\u65e5", id="no ASCII"),
        pytest.param({"a": 1}, id="no text"),
        pytest.param("", id="empty"),
    ],
)
def test_a_text_that_was_not_packed_here_is_one_sentence(text: object) -> None:
    with pytest.raises(NotPacked):
        unpacked({"winbackup_storage_packed": text})


@pytest.mark.parametrize("value", ["much", "-1", "1_000", "", [1], {"a": 1}, True])
def test_a_variable_that_says_no_number_of_characters_is_one_sentence(value: object) -> None:
    with pytest.raises(AnsibleActionFail, match="winbackup_storage_packs_above is for the playbook audit"):
        limit_of(value)


def test_what_ansible_made_of_a_packed_result_counts() -> None:
    """A task with failed_when, or one that failed and whose error is passed over."""
    result = {"changed": False, "rdms": [1, 2], "warnings": ["Old server."]}
    registered = {key: value for key, value in packed(result, 0).items() if not key.startswith("_ansible_")}
    assert registered["warnings"] == ["Old server."]
    assert unpacked({**registered, "failed": True, "msg": "No."}) == {**result, "failed": True, "msg": "No."}
