# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""When a volume will be full, from what was used of it on former days. Pure.

The slope is Theil's and Sen's: the median of the slopes between any two days, which one odd day in four does not move.
Its range is the one that goes with Kendall's tau. One value a day counts, the largest, so that the rhythm of a day does
not; a few jumps that stand out from all other days (recovery points that were deleted, a data source that was moved)
are taken out, many are not, since they may be how it grows. What the days do not show is not told: None, and no date.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from statistics import median
from typing import TypeVar

# So many days count, and so many of them are needed.
WINDOW = timedelta(days=90)
_LEAST_DAYS = 14
# Of more days than this every second, third ... counts, since each pair of days is a slope.
_MOST_VALUES = 45
# A range of slopes that holds the true one in 95 of 100 cases, as long as days are independent of each other.
_Z = 1.96
# A jump is taken out that is so many times what days usually differ by, and at most so many of them.
_JUMP = 8.0
_FEW_JUMPS = 3
# How many times as far as the days reach back a date may lie ahead.
_REACH = 4.0
_DAY = 86400.0
_Value = TypeVar("_Value")


@dataclass(frozen=True)
class Reading:
    """What was used of a volume at a time."""

    time: datetime
    used_bytes: int


@dataclass(frozen=True)
class Trend:
    """How a volume grows, in bytes a day: the slope and its range. `level` is what the trend says is used at `at`,
    `spread` how far from the trend days are, `days` how many days it rests on from the first to the last."""

    at: datetime
    level: float
    slope: float
    lowest: float
    highest: float
    spread: float
    days: float

    @property
    def grows(self) -> bool:
        """Whether the days show that it grows: by more than chance, and than they differ by anyhow."""
        return self.lowest > 0 and self.slope * self.days > self.spread


@dataclass(frozen=True)
class DateRange:
    """The first and the last day on which something is expected."""

    first: date
    last: date


def daily(readings: Iterable[Reading]) -> list[Reading]:
    """Returns the fullest reading of each of the last days, in their order."""
    fullest: dict[date, Reading] = {}
    for one in readings:
        day = one.time.astimezone(UTC).date()
        if day not in fullest or one.used_bytes > fullest[day].used_bytes:
            fullest[day] = one
    if not fullest:
        return []
    first = max(fullest) - WINDOW
    return [one for day, one in sorted(fullest.items()) if day >= first]


def thinned(values: Sequence[_Value], most: int) -> list[_Value]:
    """Returns at most so many of the values, evenly over all of them; the last is always one."""
    step = max(1, -(-len(values) // most))
    return list(values[::-step][::-1])


def trend_of(readings: Iterable[Reading]) -> Trend | None:
    """Returns the trend of a volume's readings, in any order; None where these are of too few days."""
    days = daily(readings)
    if len(days) < _LEAST_DAYS:
        return None
    last = days[-1].time
    times = [(day.time - last).total_seconds() / _DAY for day in days]
    values = thinned(_without_jumps(times, [float(day.used_bytes) for day in days]), _MOST_VALUES)
    times = thinned(times, _MOST_VALUES)
    slopes = sorted(
        (values[later] - values[earlier]) / (times[later] - times[earlier])
        for later in range(len(times))
        for earlier in range(later)
    )
    slope = median(slopes)
    lowest, highest = _range_of(slopes, len(times))
    level = median(value - slope * time for time, value in zip(times, values, strict=True))
    away = sorted(abs(value - level - slope * time) for time, value in zip(times, values, strict=True))
    spread = away[min(len(away) - 1, math.ceil(len(away) * 0.95) - 1)]
    return Trend(last, level, slope, lowest, highest, spread, -times[0])


def full_between(trend: Trend, capacity: int) -> DateRange | None:
    """Returns between which days a volume of this size, in bytes, will be full; None where the trend does not tell."""
    if not trend.grows:
        return None
    room = capacity - trend.level
    latest = (room + trend.spread) / trend.lowest
    if latest > _REACH * trend.days:
        return None
    earliest = max(0.0, (room - trend.spread) / trend.highest)
    return DateRange(
        (trend.at + timedelta(days=math.floor(earliest))).date(),
        (trend.at + timedelta(days=math.ceil(max(latest, earliest)))).date(),
    )


def _without_jumps(times: Sequence[float], values: list[float]) -> list[float]:
    """Returns the values with the few jumps taken out that stand out from all others; the last value stays."""
    gaps = [later - earlier for earlier, later in pairwise(times)]
    changes = [later - earlier for earlier, later in pairwise(values)]
    rate = median(change / gap for change, gap in zip(changes, gaps, strict=True))
    off = [change - rate * gap for change, gap in zip(changes, gaps, strict=True)]
    usual = median(abs(one) for one in off)
    jumps = {place for place, one in enumerate(off) if abs(one) > _JUMP * usual and abs(one) > abs(rate)}
    if not jumps or len(jumps) > _FEW_JUMPS:
        return values
    cleaned = [values[-1]]
    for place in reversed(range(len(changes))):
        change = rate * gaps[place] if place in jumps else changes[place]
        cleaned.append(cleaned[-1] - change)
    return cleaned[::-1]


def _range_of(slopes: Sequence[float], count: int) -> tuple[float, float]:
    """Returns the lowest and the highest slope that go with so many values."""
    width = _Z * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(0, math.floor((len(slopes) - width) / 2))
    high = min(len(slopes) - 1, math.ceil((len(slopes) + width) / 2))
    return slopes[low], slopes[high]
