# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sizes by interface, each within its tolerance."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_sizes import (
    TWO_TIB,
    same_modulo_2_tib,
    sizes_agree,
    truncated_at_2_tib,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.model import Disk, SectorSizes, Sizes

CYLINDER = 8_225_280
TB3 = 5_860_533_168 * 512


def told(
    disk: int | None = None,
    wmi: int | None = None,
    physical: int | None = None,
    end: int | None = None,
    sector: int | None = 512,
) -> tuple[bool | None, bool | None]:
    one = Disk(1, sizes=Sizes(disk, wmi, physical, end), sector_sizes=SectorSizes(sector, None))
    return sizes_agree(one), truncated_at_2_tib(one)


@pytest.mark.parametrize(
    ("sizes", "expected"),
    [
        # Seen: 50 GiB and 128 GiB, rounded down to whole cylinders.
        ({"disk": 53687091200, "wmi": 53686402560, "physical": 53687091200}, (True, False)),
        ({"disk": 137438953472, "wmi": 137436203520}, (True, False)),
        ({"disk": TB3, "wmi": TB3 % TWO_TIB // CYLINDER * CYLINDER}, (False, True)),
        ({"disk": TB3 % TWO_TIB, "wmi": TB3 // CYLINDER * CYLINDER}, (False, True)),
        ({"disk": TB3, "physical": TB3 - TWO_TIB}, (False, True)),
        # A 2 TB disk is below 2 TiB.
        ({"disk": 2_000_398_934_016, "wmi": 2_000_398_934_016 // CYLINDER * CYLINDER}, (True, False)),
        ({"disk": 1000 * CYLINDER, "wmi": 999 * CYLINDER}, (True, False)),
        ({"disk": 1000 * CYLINDER, "wmi": 998 * CYLINDER}, (False, False)),
        ({"disk": 1 << 30, "physical": (1 << 30) + 512}, (False, False)),
        ({"disk": 1 << 30, "physical": 1 << 30, "end": (1 << 30) + 512}, (False, None)),
        ({"wmi": 1000 * CYLINDER, "end": 1001 * CYLINDER}, (True, None)),
        ({"wmi": 1000 * CYLINDER, "end": 1002 * CYLINDER}, (False, None)),
        ({"disk": 65_802_240_000, "wmi": 65_802_240_000 - 65_000_000, "sector": 4096}, (True, False)),
        ({"disk": 65_802_240_000, "wmi": 65_802_240_000 - 65_000_000}, (False, False)),
        ({"disk": 1 << 30}, (None, None)),
        ({"wmi": 1 << 30}, (None, None)),
        ({}, (None, None)),
    ],
)
def test_sizes(sizes: dict[str, int], expected: tuple[bool | None, bool | None]) -> None:
    assert told(**sizes) == expected


@given(st.integers(1, 2**48))
def test_a_size_and_its_cylinders_agree(size: int) -> None:
    assert told(disk=size, wmi=size // CYLINDER * CYLINDER, physical=size) == (True, False)


@given(st.integers(1, 2**46), st.integers(1, 64))
def test_a_size_that_lost_its_upper_bits_is_seen(rest: int, times: int) -> None:
    whole = rest + times * TWO_TIB
    assert same_modulo_2_tib(whole, rest)
    assert told(disk=whole, wmi=rest // CYLINDER * CYLINDER) == (False, True)
    assert not same_modulo_2_tib(rest, whole)
