# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a bookmark keeps, for how long, and what it looks for next."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._events.bookmark import (
    OVERLAP,
    Bookmark,
    bookmark_of,
)

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def read(at: datetime = NOW, server: datetime = NOW) -> Bookmark:
    return Bookmark().after_records(at, server, all_read=True)


def test_the_first_look_goes_back_as_far_as_is_wished_and_later_ones_overlap() -> None:
    assert Bookmark().age(NOW, 3 * HOUR) == 3 * HOUR
    assert read().age(NOW + HOUR, 3 * HOUR) == HOUR + OVERLAP
    # The clock here was set back.
    assert read().age(NOW - HOUR, 3 * HOUR) == OVERLAP


@pytest.mark.parametrize("step", [-3 * HOUR, 3 * HOUR, -6 * MINUTE, 6 * MINUTE])
def test_a_clock_that_was_set_is_seen(step: timedelta) -> None:
    assert read().clock_step(NOW + HOUR, NOW + HOUR + step) == abs(step)


def test_a_clock_that_drifts_or_was_never_read_was_not_set() -> None:
    assert read().clock_step(NOW + HOUR, NOW + HOUR + 4 * MINUTE) == timedelta(0)
    assert Bookmark().clock_step(NOW, NOW + 9 * HOUR) == timedelta(0)


@given(st.lists(st.integers(0, 600), min_size=1, max_size=20))
def test_what_may_be_read_again_is_still_known_as_handled(minutes: list[int]) -> None:
    """Whatever the pauses between looks, a record that the next look reads again is not new to it."""
    now, bookmark = NOW, read()
    for number, pause in enumerate(minutes):
        bookmark = bookmark.with_record(str(number), now)
        now += pause * MINUTE
        begins = now - bookmark.age(now, HOUR)
        assert all(one in bookmark.handled for one in map(str, range(number + 1)) if times(minutes)[int(one)] >= begins)
        bookmark = bookmark.after_records(now, now, all_read=True)
    assert all(time >= now - 2 * OVERLAP for time in bookmark.handled.values())


def times(minutes: list[int]) -> list[datetime]:
    """When each record was written: at the end of the pauses before it."""
    return [NOW + sum(minutes[:number]) * MINUTE for number in range(len(minutes))]


def test_a_log_that_could_not_be_read_is_read_from_where_it_was_left_but_not_for_ever() -> None:
    left = read().with_record("a", NOW)
    for hours in (1, 2, 3):
        left = left.after_records(NOW + hours * HOUR, NOW + hours * HOUR, all_read=False)
    assert (left.read_to, left.read_at, set(left.handled)) == (NOW, NOW, {"a"})
    later = NOW + timedelta(days=9)
    assert left.after_records(later, later, all_read=False).age(later, HOUR) == timedelta(days=1) + OVERLAP


def test_an_alert_that_was_over_is_new_when_it_comes_again() -> None:
    bookmark = Bookmark().with_alert("a").with_alert("b")
    assert bookmark.after_alerts(["b", "c"]).alerts == {"b"}


def test_a_run_that_begins_anew_tells_the_last_again_and_what_was_told_before_that_not() -> None:
    """Whatever the clocks say: the server's is three hours ahead."""
    ahead = 3 * HOUR
    bookmark = read(NOW, NOW + ahead).with_told("old", NOW + ahead, NOW)
    later = NOW + 11 * MINUTE
    bookmark = bookmark.after_records(later, later + ahead, all_read=True)
    # Its server had been away, so that it is an hour old already.
    bookmark = bookmark.with_told("late", later + ahead - HOUR, later).with_told("new", later + ahead, later)
    anew = bookmark.with_record("no sign", later + ahead).with_alert("alert").begun_anew()
    assert (set(anew.handled), anew.alerts, anew.told) == ({"old", "no sign"}, frozenset(), {})
    restarted = later + 2 * HOUR
    assert restarted - anew.age(restarted, MINUTE) <= later - HOUR
    assert anew.clock_step(restarted, restarted + ahead) == timedelta(0)
    assert anew.begun_anew() == anew


def test_a_run_that_was_killed_before_its_first_look_was_kept_tells_it_again() -> None:
    anew = Bookmark().with_told("a", NOW, NOW).begun_anew()
    assert anew == Bookmark()
    assert anew.age(NOW, HOUR) == HOUR


def test_it_comes_back_from_json_as_it_was() -> None:
    bookmark = read(NOW, NOW + HOUR).with_record("ä", NOW).with_alert("b").with_told("c", NOW, NOW + HOUR)
    assert bookmark_of(json.loads(json.dumps(bookmark.to_plain()))) == bookmark
    assert bookmark_of(json.loads(json.dumps(Bookmark().to_plain()))) == Bookmark()


@pytest.mark.parametrize(
    "plain",
    [
        *(None, 7, [], {}),
        {"handled": [], "alerts": [], "told": {}},
        {"handled": {"a": "b"}, "alerts": [], "told": {}},
        {"handled": {}, "alerts": []},
        {"handled": {}, "alerts": [], "told": {"a": NOW.isoformat()}},
        {"handled": {}, "alerts": [], "told": {"a": [NOW.isoformat(), None]}},
        {"handled": {}, "alerts": [], "told": {"a": [NOW.isoformat()]}},
    ],
)
def test_what_is_no_bookmark_is_refused(plain: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        bookmark_of(plain)
