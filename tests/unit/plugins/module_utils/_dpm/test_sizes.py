# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sizes as people write them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._dpm.sizes import (
    format_size,
    parse_size,
    round_down,
    round_up,
)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("0", 0),
        ("1048576", 1048576),
        ("512B", 512),
        ("10MB", 10 * 1024**2),
        ("10 MiB", 10 * 1024**2),
        ("40GB", 40 * 1024**3),
        ("40gib", 40 * 1024**3),
        (" 1.5 TiB ", 3 * 1024**4 // 2),
        ("2 t", 2 * 1024**4),
        ("1PB", 1024**5),
        ("0.3K", 308),
    ],
)
def test_a_number_and_a_unit_are_bytes_in_powers_of_1024(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "GB", "-1GB", "1,5 GB", "1e3", "40 GBit", "١GB", "1 0GB", "0x10", "1.GB", "9EB"])
def test_anything_else_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is no size"):
        parse_size(text)


def test_more_than_windows_can_count_is_refused() -> None:
    with pytest.raises(ValueError, match="more than any volume has"):
        parse_size("8192PB")


@given(st.integers(0, 2**62), st.sampled_from([("B", 1), ("KB", 1024), ("MiB", 1024**2)]))
def test_what_is_written_exactly_is_read_exactly(number: int, unit: tuple[str, int]) -> None:
    if number * unit[1] < 2**63:
        assert parse_size(f"{number}{unit[0]}") == number * unit[1]


@given(st.integers(0, 2**60), st.integers(1, 2**40))
def test_rounding_goes_to_the_next_multiple(size: int, step: int) -> None:
    up, down = round_up(size, step), round_down(size, step)
    assert up % step == down % step == 0
    assert down <= size <= up
    assert up - down in (0, step)


def test_a_message_tells_a_size_exactly() -> None:
    assert format_size(40 * 1024**3) == "42949672960 bytes (40.0 GiB)"
    assert format_size(3 * 1024**4 // 2) == "1649267441664 bytes (1.5 TiB)"
    assert format_size(512) == "512 bytes"
