# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a volume will be full: the true day lies in the range, and what the days do not show is not told."""

from __future__ import annotations

import math
import random
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._dpm.forecast import (
    Reading,
    Trend,
    full_between,
    thinned,
    trend_of,
)

GIB = 1024**3
START = datetime(2026, 1, 1, tzinfo=UTC)


def at(day: float, used: float) -> Reading:
    return Reading(START + timedelta(days=day), max(0, int(used)))


def steady(days: int, slope: float = GIB, base: float = 50 * GIB) -> list[Reading]:
    return [at(day, base + slope * day) for day in range(days)]


def grown(seed: int) -> tuple[list[Reading], int, datetime]:
    """Returns readings of a volume that grows steadily, its size, and the day on which its trend is full: with noise, a
    daily rhythm, days that are missing, and jumps up and down."""
    chance = random.Random(seed)
    days = chance.randint(30, 150)
    slope = chance.uniform(0.2, 4) * GIB
    noise, rhythm = slope * chance.uniform(0, 2.5), slope * chance.uniform(0, 2)
    base = chance.uniform(20, 200) * GIB
    jumps = [
        (chance.randint(3, days - 3), chance.choice([-1, 1]) * chance.uniform(10, 60) * slope)
        for _ in range(chance.choice([0, 0, 1, 1, 2]))
    ]
    missing: set[int] = set()
    for _ in range(chance.choice([0, 0, 1, 2])):
        first = chance.randint(0, days - 9)
        missing |= set(range(first, first + chance.randint(1, 7)))
    a_day, hour = chance.choice([1, 1, 2, 4]), chance.randint(0, 23)
    times = sorted(
        day + ((hour + number * 24 / a_day) % 24) / 24
        for day in range(days)
        if day not in missing
        for number in range(a_day)
    )

    def line(time: float) -> float:
        return base + slope * time + sum(height for day, height in jumps if time >= day)

    readings = [at(time, line(time) + rhythm * math.sin(2 * math.pi * time) + chance.gauss(0, noise)) for time in times]
    ahead = chance.uniform(3, days)
    chance.shuffle(readings)
    return readings, int(line(times[-1]) + slope * ahead), START + timedelta(days=times[-1] + ahead)


def test_the_true_day_lies_in_the_range_of_nine_cases_in_ten() -> None:
    hits, widths = 0, []
    for seed in range(500):
        readings, size, full = grown(seed)
        trend = trend_of(readings)
        found = None if trend is None else full_between(trend, size)
        if trend is None or found is None:
            continue
        hits += found.first <= full.date() <= found.last
        widths.append((found.last - found.first).days / max(1, (full.date() - trend.at.date()).days))
    assert hits >= 450
    # A range that says nothing would hold the day as well.
    assert sorted(widths)[len(widths) // 2] < 0.4


def test_a_volume_that_does_not_grow_gets_no_date() -> None:
    for seed in range(200):
        chance = random.Random(seed)
        readings = [at(day, 50 * GIB + chance.gauss(0, GIB)) for day in range(chance.randint(20, 120))]
        trend = trend_of(readings)
        assert trend is not None
        assert full_between(trend, 60 * GIB) is None


@pytest.mark.parametrize(
    "readings",
    [
        [at(day, 50 * GIB) for day in range(60)],
        [at(day, 90 * GIB - day * GIB) for day in range(60)],
        [at(day / 24, 50 * GIB + day * GIB / 24) for day in range(200)],
        steady(13),
        [],
    ],
    ids=["flat", "shrinking", "many readings of few days", "13 days", "none"],
)
def test_what_the_days_do_not_show_is_not_told(readings: list[Reading]) -> None:
    trend = trend_of(readings)
    assert trend is None or full_between(trend, 100 * GIB) is None


def test_a_steady_growth_is_told_to_the_day() -> None:
    trend = trend_of(steady(30))
    assert trend is not None
    assert trend.slope == pytest.approx(GIB)
    found = full_between(trend, 89 * GIB)
    assert found is not None
    assert (found.first, found.last) == (datetime(2026, 2, 9).date(), datetime(2026, 2, 9).date())


def test_no_day_is_told_that_lies_far_beyond_what_the_days_reach_back() -> None:
    trend = trend_of(steady(30))
    assert trend is not None
    assert full_between(trend, 79 * GIB + 100 * GIB) is not None
    assert full_between(trend, 79 * GIB + 150 * GIB) is None


def test_points_that_were_deleted_once_do_not_hide_that_it_grows() -> None:
    readings = [at(day, (50 + day - (40 if day >= 45 else 0)) * GIB) for day in range(60)]
    trend = trend_of(readings)
    assert trend is not None
    assert trend.slope == pytest.approx(GIB)
    assert trend.level == pytest.approx(69 * GIB, rel=0.01)


def test_growth_that_is_all_jumps_is_growth() -> None:
    """A full backup every Sunday: what stands out from most days is how it grows."""
    trend = trend_of([at(day, (50 + 10 * (day // 7)) * GIB) for day in range(84)])
    assert trend is not None
    assert trend.slope == pytest.approx(10 / 7 * GIB, rel=0.15)


def test_only_the_last_days_count() -> None:
    trend = trend_of([*[at(day - 400, 500 * GIB) for day in range(300)], *steady(60)])
    assert trend is not None
    assert trend.days < 90


@given(
    st.lists(st.tuples(st.floats(0, 2000, allow_nan=False), st.integers(0, 2**62)), max_size=120),
    st.integers(0, 2**62),
)
@settings(max_examples=60)
def test_any_readings_give_a_range_or_none(readings: list[tuple[float, int]], size: int) -> None:
    trend = trend_of([at(day, used) for day, used in readings])
    if trend is not None:
        assert trend.lowest <= trend.slope <= trend.highest
        found = full_between(trend, size)
        assert found is None or found.first <= found.last


@pytest.mark.parametrize(
    "trend",
    [
        Trend(START, 1.0, slope=0.1, lowest=0.05, highest=0.2, spread=10.0, days=60),
        Trend(START, 1.0, slope=1.0, lowest=-0.1, highest=2.0, spread=1.0, days=60),
    ],
    ids=["within its own noise", "may as well shrink"],
)
def test_a_trend_that_may_be_chance_gets_no_date(trend: Trend) -> None:
    assert full_between(trend, 100) is None


def test_the_range_of_days_is_as_wide_as_days_are_away_from_the_trend() -> None:
    trend = Trend(START, 50.0, slope=1.0, lowest=1.0, highest=1.0, spread=5.0, days=60)
    found = full_between(trend, 60)
    assert found is not None
    assert (found.first, found.last) == (datetime(2026, 1, 6).date(), datetime(2026, 1, 16).date())


@pytest.mark.parametrize(("count", "most"), [(0, 5), (1, 5), (5, 5), (6, 5), (91, 24), (91, 45)])
def test_of_many_values_some_are_taken_and_the_last(count: int, most: int) -> None:
    taken = thinned(range(count), most)
    assert len(taken) == min(count, most) or most / 2 <= len(taken) <= most
    assert not count or taken[-1] == count - 1
    assert len({later - earlier for earlier, later in pairwise(taken)}) <= 1
