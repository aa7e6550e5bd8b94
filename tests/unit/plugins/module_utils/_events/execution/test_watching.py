# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How long a server that is away is left alone."""

from __future__ import annotations

from itertools import islice

from ansible_collections.winbackup.storage.plugins.module_utils._events.execution.watching import back_off


def test_the_pauses_double_up_to_five_minutes() -> None:
    assert [*islice(back_off(lambda low, high: high), 9)] == [5, 10, 20, 40, 80, 160, 300, 300, 300]


def test_they_are_spread_by_no_more_than_a_half() -> None:
    for spread, longest in zip(islice(back_off(), 9), islice(back_off(lambda low, high: high), 9), strict=True):
        assert longest / 2 <= spread <= longest
