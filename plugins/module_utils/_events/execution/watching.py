# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Watches servers side by side, and hands over what is new, for as long as the rulebook runs.

Whatever may pass is waited for: a server that is away, or refuses a reading. Raised is what no waiting helps: wrong
options, and a refused logon, which is not repeated, so that no account is locked.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any, Protocol

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConfigurationError,
    LoginRefused,
    StorageError,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import clock
from ansible_collections.winbackup.storage.plugins.module_utils._events.bookmark import Bookmark
from ansible_collections.winbackup.storage.plugins.module_utils._events.execution.looking import Look, look_at
from ansible_collections.winbackup.storage.plugins.module_utils._events.execution.options import Server, Settings
from ansible_collections.winbackup.storage.plugins.module_utils._events.execution.state_file import StateFile
from ansible_collections.winbackup.storage.plugins.module_utils._events.naming import Event

LOG = logging.getLogger("winbackup.storage.dpm_events")
_FIRST_PAUSE, _LONGEST_PAUSE = 5.0, 300.0
# So many servers are read at the same time.
_MOST_AT_ONCE = 32


class EventQueue(Protocol):
    """What ansible-rulebook gives a source."""

    async def put(self, event: Any) -> None:
        """Hands an event over; waits until there is room."""


class Watcher:
    """The servers of one source. `second` is how long a second of the pauses lasts."""

    def __init__(
        self, settings: Settings, queue: EventQueue, feedback: asyncio.Queue[Any] | None = None, second: float = 1.0
    ) -> None:
        """Raises ConfigurationError where the file of bookmarks cannot be used, or no feedback comes."""
        if settings.feedback and feedback is None:
            raise ConfigurationError(
                "feedback: this ansible-rulebook gives none.", hint="It takes ansible-rulebook 1.2 or later."
            )
        self._settings, self._queue, self._second = settings, queue, second
        self._feedback = feedback if settings.feedback else None
        self._state = StateFile(settings.state)
        self._one_at_a_time = asyncio.Lock()
        self._said: dict[str, object] = {}

    async def run(self) -> None:
        """Watches until it is cancelled; raises ConfigurationError, LoginRefused."""
        servers = self._settings.servers
        alone = any(server.changes_the_environment for server in servers)
        pool = ThreadPoolExecutor(1 if alone else min(len(servers), _MOST_AT_ONCE), "dpm_events")
        tasks = [asyncio.create_task(self._watch(server, pool)) for server in servers]
        try:
            done, _waiting = await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
            for task in done:
                task.result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            pool.shutdown(wait=False, cancel_futures=True)

    async def _watch(self, server: Server, pool: ThreadPoolExecutor) -> None:
        asked_dpm: float | None = None
        pauses = back_off()
        # An engine that says what it took keeps it; of another nobody knows what came of the last that it was told.
        anew = self._feedback is None
        while True:
            bookmark = self._state.of(server.name)
            if anew:
                bookmark = bookmark.begun_anew()
            began = clock()
            alerts = self._settings.alerts and (
                asked_dpm is None or began - asked_dpm >= self._settings.alerts_interval * self._second
            )
            look = functools.partial(look_at, server, self._settings, bookmark, alerts=alerts)
            try:
                seen = await asyncio.get_running_loop().run_in_executor(pool, look)
            except (LoginRefused, ConfigurationError):
                raise
            except StorageError as error:
                self._say(server.name, False, logging.WARNING, f"{server.name} is not read for now: {error}")
                await self._pause(next(pauses))
                continue
            pauses = back_off()
            self._say(server.name, True, logging.INFO, f"{server.name} is read.")
            not_read = " ".join(seen.not_read)
            self._say(f"{server.name} not read", not_read, logging.WARNING, not_read and f"{server.name}: {not_read}")
            asked_dpm = began if seen.asked_dpm else asked_dpm
            anew = False
            await self._hand_over(server, bookmark, seen)
            await self._pause(self._settings.interval)

    async def _hand_over(self, server: Server, bookmark: Bookmark, seen: Look) -> None:
        """Hands the events over, each kept as handled only then; the end of the look is kept once all of them are."""
        marked = seen.bookmark
        for event in seen.events:
            if not await self._taken(event):
                # It is found again at the next look, as are those after it.
                return
            bookmark, marked = _handled(bookmark, event), _handled(marked, event)
            self._keep(server, bookmark)
        self._keep(server, marked)

    async def _taken(self, event: Event) -> bool:
        """Hands one event over; returns whether it was taken, which without feedback is taken for granted."""
        async with self._one_at_a_time:
            await self._queue.put(dict(event.payload))
            if self._feedback is None:
                return True
            try:
                async with asyncio.timeout(self._settings.feedback_timeout * self._second):
                    while _uuid_of(await self._feedback.get()) != event.identity:
                        # A late word about an event that was given up: it comes again by itself.
                        continue
            except TimeoutError:
                LOG.warning(
                    "The rulebook engine did not say that it took the event %s; it is sent again.", event.identity
                )
                return False
            return True

    def _keep(self, server: Server, bookmark: Bookmark) -> None:
        problem = self._state.keep(server.name, bookmark)
        self._say("state", problem, logging.ERROR, problem or "")

    def _say(self, about: str, state: object, level: int, sentence: str) -> None:
        """Logs a sentence where a state is another one than before."""
        if self._said.get(about) != state:
            self._said[about] = state
            if sentence:
                LOG.log(level, "%s", sentence)

    async def _pause(self, seconds: float) -> None:
        await asyncio.sleep(seconds * self._second)


def back_off(spread: Callable[[float, float], float] = random.uniform) -> Iterator[float]:
    """Yields pauses in seconds, each about twice as long as the one before and none longer than five minutes; spread,
    so that many servers behind one network that was away are not asked all at once."""
    pause = _FIRST_PAUSE
    while True:
        yield pause * spread(0.5, 1.0)
        pause = min(pause * 2, _LONGEST_PAUSE)


def _handled(bookmark: Bookmark, event: Event) -> Bookmark:
    if event.time is None:
        return bookmark.with_alert(event.identity)
    return bookmark.with_told(event.identity, event.time, datetime.now(UTC))


def _uuid_of(answer: object) -> object:
    meta = answer.get("meta") if isinstance(answer, dict) else None
    return meta.get("uuid") if isinstance(meta, dict) else None
