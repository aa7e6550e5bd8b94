# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Spans of time mean the same wherever they are written, and none is so long that no calendar has it."""

from __future__ import annotations

import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._core.spans import span_of
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.options import max_age_of, newer_than_of
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.options import since_of


def said_of(text: str) -> list[str | int]:
    """What each option makes of a text: seconds, or what is said without the name of the option."""
    found: list[str | int] = []
    for name, option in (("max_age", max_age_of), ("newer_than", newer_than_of)):
        try:
            span = option({name: text})
            assert span is not None
            found.append(int(span.total_seconds()))
        except ConfigurationError as error:
            found.append(str(error).removeprefix(name))
    try:
        found.append(since_of(text).seconds)
    except ConfigurationError as error:
        found.append(str(error).removeprefix("since"))
    return found


@pytest.mark.parametrize(
    ("text", "seconds"), [("90m", 5400), ("1m", 60), ("1.5D", 129600), (" 2 w ", 1209600), ("50W", 30240000)]
)
def test_a_span_is_the_same_for_every_option(text: str, seconds: int) -> None:
    assert said_of(text) == [seconds] * 3


@pytest.mark.parametrize("text", ["0h", "0.5m", "0.000000001w"])
def test_one_that_is_no_time_is_refused_by_every_option(text: str) -> None:
    assert said_of(text) == [f" must be at least 1m, not {text}."] * 3


@pytest.mark.parametrize("text", ["999999w", "99999999d", "999999999999d", f"{'9' * 400}h"])
def test_one_that_no_calendar_can_be_counted_back_by_is_refused_by_every_option(text: str) -> None:
    assert said_of(text) == [f" must be at most 50 years, not {text}."] * 3


@given(st.text() | st.from_regex(r"[0-9]{1,12}(\.[0-9]{1,4})? ?[mhdwMHDW]", fullmatch=True))
def test_what_is_a_span_can_be_counted_back_by(text: str) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    with contextlib.suppress(ValueError):
        assert now - (span_of(text) or timedelta(minutes=1)) <= now - timedelta(minutes=1)
