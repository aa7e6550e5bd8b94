"""What an option may not hold is said before anything is done, and its value is not told."""

from __future__ import annotations

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, ModuleResult, result_of


@pytest.mark.parametrize("value", ["se\0cret", ["one", "se\ud800cret"], "\udfff"])
def test_an_option_with_what_is_no_character_is_named_and_nothing_is_done(value: object) -> None:
    def work(call: ModuleCall) -> ModuleResult:
        raise AssertionError("the work was begun")

    failure, result = result_of(work, ModuleCall({"password": value, "port": 443, "vms": None}))
    assert failure == "password holds a NUL, or half a character. Look at where its value comes from."
    assert result == {"changed": False}
