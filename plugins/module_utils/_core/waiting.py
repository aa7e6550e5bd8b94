# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Waiting: deadlines, pauses and patience, in one place."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

# How long a management service (hostd, WinRM) may be away while it restarts.
RESTART_SECONDS = 120.0
# A script that writes has this long to come to its own end once it begins nothing new.
WRITE_GRACE_SECONDS = 120.0
# So long after `timeout` a call may still look at what came of its writes. What is left of the minute that a call may
# take beyond `timeout` goes to a last request without an answer, and to closing.
_LOOKING_SECONDS = 20.0
_LONGEST_PAUSE_SECONDS = 8.0


def clock() -> float:
    """Returns the seconds of a clock that nobody sets; only differences of it mean anything."""
    return time.monotonic()


def pause_for(seconds: float) -> None:
    """Waits so many seconds."""
    time.sleep(seconds)


class Deadline:
    """A moment some seconds from now, on a clock that nobody sets."""

    def __init__(self, seconds: float) -> None:
        self._end = clock() + seconds

    @property
    def remaining(self) -> float:
        """Seconds until then; never less than zero."""
        return max(0.0, self._end - clock())

    @property
    def is_over(self) -> bool:
        """True once the moment has come."""
        return self.remaining == 0.0


@dataclass(frozen=True)
class CallTimes:
    """When a call that writes by scripts does what, on the clock that it was made with: after `last_start` it begins no
    write, at `writes_end` a script that writes is ended from here, `deadline` is when `timeout` is over, and at `end`
    it no longer looks at what came of its writes."""

    last_start: float
    writes_end: float
    deadline: float
    end: float

    @classmethod
    def of(cls, now: float, timeout: float) -> CallTimes:
        """Returns the times of a call that begins now; half of a short `timeout` is left for beginning anything."""
        deadline = now + timeout
        last_start = deadline - min(WRITE_GRACE_SECONDS, timeout / 2)
        end = deadline + _LOOKING_SECONDS
        return cls(last_start, min(last_start + WRITE_GRACE_SECONDS, end), deadline, end)


@dataclass(frozen=True)
class Pace:
    """How often things are looked at: the seconds between two looks. All pauses are counted in it."""

    seconds: float = 1.0

    def pause(self, times: float = 1.0) -> None:
        """Waits for one look to the next, or for several."""
        pause_for(times * self.seconds)

    def until(self, seconds: float) -> None:
        """Waits as long as is said, but no longer than two looks."""
        pause_for(min(max(0.1, seconds), 2 * self.seconds))


EVERY_SECOND = Pace()


def patience(total: float) -> Iterator[float]:
    """Yields pauses (0, 1, 3, 7, 8, 8, ...) after which to try again, until they come to `total`, or time is over."""
    deadline = Deadline(total)
    waited = 0.0
    attempt = 0
    while waited < total:
        pause = min(2.0**attempt - 1, _LONGEST_PAUSE_SECONDS, total - waited)
        yield pause
        waited += pause
        attempt += 1
        # Attempts themselves take time where a network swallows them.
        if deadline.is_over and attempt > 3:
            return


def growing_pauses(first: float, longest: float) -> Iterator[None]:
    """Waits before each round: briefly at first, twice as long each time, never longer than `longest`."""
    pause = first
    while True:
        pause_for(pause)
        yield
        pause = min(pause * 2, longest)
