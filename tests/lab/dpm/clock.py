# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server's clock: it stands until it is told to move, or runs with real time, faster if wanted."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable


class LabClock:
    """`speed` is how many seconds pass in the lab in a real one; 0 is a clock that moves only when told."""

    def __init__(self, start: datetime.datetime | None = None, speed: float = 0.0) -> None:
        self._lock = threading.Lock()
        self._moment = start or datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        self._since = time.monotonic()
        self.speed = speed

    def now(self) -> datetime.datetime:
        """The time, aware of its zone (UTC)."""
        with self._lock:
            passed = (time.monotonic() - self._since) * self.speed
            return self._moment + datetime.timedelta(seconds=passed)

    def advance(self, seconds: float) -> None:
        """Lets time pass at once; ValueError for a step back."""
        if seconds < 0:
            raise ValueError("time does not run backwards")
        with self._lock:
            self._moment += datetime.timedelta(seconds=seconds)

    def run(self, speed: float) -> None:
        """Changes how fast it runs, from now on."""
        with self._lock:
            now = time.monotonic()
            self._moment += datetime.timedelta(seconds=(now - self._since) * self.speed)
            self._since, self.speed = now, speed


class ProcessClock:
    """The clock as one process sees it. A sleep moves a clock that stands, and waits on one that runs.

    `wait(seconds)` waits for real time and raises where the process is ended meanwhile.
    """

    def __init__(self, clock: LabClock, wait: Callable[[float], None]) -> None:
        self._clock = clock
        self._wait = wait

    def now(self) -> datetime.datetime:
        return self._clock.now()

    def sleep(self, seconds: float) -> None:
        if self._clock.speed:
            self._wait(seconds / self._clock.speed)
        else:
            self._clock.advance(seconds)
            # A process that only ever sleeps is ended here too.
            self._wait(0)
