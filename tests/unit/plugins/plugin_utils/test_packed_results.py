"""Results of megabytes as one text: what comes out of it is what went in."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.plugin_utils._packed_results import packed, unpacked

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


def test_what_ansible_made_of_a_packed_result_counts() -> None:
    """A task with failed_when, or one that failed and whose error is passed over."""
    result = {"changed": False, "rdms": [1, 2], "warnings": ["Old server."]}
    registered = {key: value for key, value in packed(result, 0).items() if not key.startswith("_ansible_")}
    assert registered["warnings"] == ["Old server."]
    assert unpacked({**registered, "failed": True, "msg": "No."}) == {**result, "failed": True, "msg": "No."}
