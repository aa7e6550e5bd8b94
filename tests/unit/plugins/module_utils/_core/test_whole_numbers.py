# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A number of a server is digits and a sign; nothing else that Python would take, and nothing that it stumbles over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._core.whole_numbers import count_of, whole_number_of
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.elements import as_int
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.machines import slot_number
from ansible_collections.winbackup.storage.plugins.module_utils._windows.words import UNKNOWN, word_of

NO_NUMBERS = ("1_000", "\u0661\u0662", "\uff11", "\u00b2", "9" * 5000, "1e3", "0x10", "1 0", "--1", "-", "")


@given(st.integers(min_value=-(2**63), max_value=2**64 - 1))
def test_a_number_of_64_bits_is_one(number: int) -> None:
    assert whole_number_of(f" {number}\n") == number
    assert count_of(str(number)) == (number if number >= 0 else None)


def test_a_member_of_thousands_of_digits_is_unknown() -> None:
    assert word_of("9" * 5000, {9: "nine"}) == UNKNOWN


@pytest.mark.parametrize("text", NO_NUMBERS)
def test_what_is_no_number_is_none_and_no_error(text: str) -> None:
    assert whole_number_of(text) is None
    assert slot_number(text) is None
    with pytest.raises(ValueError, match="no integer"):
        as_int(text)
