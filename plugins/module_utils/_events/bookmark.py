# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What was handled of a server, so that nothing is lost and nothing told twice, also over a restart. Pure.

A server is looked at over a time that overlaps the last one, and what was handled then is known by its identity. So
nothing rests on the numbers of records, which begin anew in a log that was cleared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

# Records come into a log a little after the time that they bear, and clocks are set.
OVERLAP = timedelta(minutes=10)
# A log that cannot be read is caught up with by no more than this once it can.
_LONGEST_CATCH_UP = timedelta(days=1)
# An engine that keeps nothing works off within this what it was told: it gathers events, and waits for other runs.
_UNANSWERED = timedelta(minutes=10)
# A clock that went otherwise than ours by more than this was set.
_CLOCK_WAS_SET = timedelta(minutes=5)
# No calendar goes back further than a clock may be set; nor does any log.
_LONGEST_STEP = timedelta(days=36500)


@dataclass(frozen=True)
class Bookmark:
    """How far one server was read: until when by its clock, and when that was by the clock here (None: never yet).

    `handled` are the identities of records with their times, `alerts` those of the alerts that were active at the last
    reading of DPM. `told` are the times of the records of the last minutes, and when each was told by the clock here.
    """

    read_to: datetime | None = None
    read_at: datetime | None = None
    handled: Mapping[str, datetime] = field(default_factory=dict)
    alerts: frozenset[str] = frozenset()
    told: Mapping[str, tuple[datetime, datetime]] = field(default_factory=dict)

    def age(self, now: datetime, look_back: timedelta) -> timedelta:
        """Returns how far back is to be looked; `now` is the time here, `look_back` what holds for the first time."""
        if self.read_at is None:
            return look_back
        return max(timedelta(0), now - self.read_at) + OVERLAP

    def clock_step(self, now: datetime, server_now: datetime) -> timedelta:
        """Returns by how much one of both clocks was set since the last reading, a hundred years at most; zero for what
        is no such step."""
        if self.read_at is None or self.read_to is None:
            return timedelta(0)
        step = abs((server_now - self.read_to) - (now - self.read_at))
        return min(step, _LONGEST_STEP) if step > _CLOCK_WAS_SET else timedelta(0)

    def begun_anew(self) -> Bookmark:
        """Returns it as a run takes it up whose engine knows nothing of the run before: what was told so shortly before
        the end that nothing may have come of it is told again, and so are the alerts that are active."""
        again = [time for time, _told in self.told.values()]
        handled = {one: time for one, time in self.handled.items() if one not in self.told}
        if self.read_to is None or self.read_at is None:
            return Bookmark(handled=handled)
        back = self.read_to - min([self.read_to, *again])
        return Bookmark(self.read_to - back, self.read_at - back, handled)

    def with_record(self, identity: str, time: datetime) -> Bookmark:
        """Returns it with one more record handled."""
        return replace(self, handled={**self.handled, identity: time})

    def with_told(self, identity: str, time: datetime, now: datetime) -> Bookmark:
        """Returns it with one more record handled, of which an engine was told now."""
        return replace(self.with_record(identity, time), told={**self.told, identity: (time, now)})

    def with_alert(self, identity: str) -> Bookmark:
        """Returns it with one more alert handled."""
        return replace(self, alerts=self.alerts | {identity})

    def after_records(self, now: datetime, server_now: datetime, *, all_read: bool) -> Bookmark:
        """Returns it after a reading of the logs. What a log held that could not be read is looked for again."""
        read_to, read_at = server_now, now
        if not all_read:
            earliest = server_now - _LONGEST_CATCH_UP
            read_to = max(earliest, self.read_to or earliest)
            read_at = now - (server_now - read_to)
        kept = {one: time for one, time in self.handled.items() if time >= read_to - 2 * OVERLAP}
        told = {one: times for one, times in self.told.items() if times[1] >= now - _UNANSWERED}
        return replace(self, read_to=read_to, read_at=read_at, handled=kept, told=told)

    def after_alerts(self, active: Iterable[str]) -> Bookmark:
        """Returns it after a complete reading of DPM's alerts: one that was over and comes again is a new one."""
        return replace(self, alerts=self.alerts & frozenset(active))

    def to_plain(self) -> dict[str, object]:
        """Returns it as JSON has it."""
        return {
            "read_to": None if self.read_to is None else self.read_to.isoformat(),
            "read_at": None if self.read_at is None else self.read_at.isoformat(),
            "handled": {one: time.isoformat() for one, time in self.handled.items()},
            "alerts": sorted(self.alerts),
            "told": {one: [time.isoformat() for time in times] for one, times in self.told.items()},
        }


def bookmark_of(plain: object) -> Bookmark:
    """Returns the bookmark that `to_plain` made this of; raises ValueError for anything else."""
    if not isinstance(plain, Mapping):
        raise ValueError("it is no table")
    handled, alerts, told = plain.get("handled"), plain.get("alerts"), plain.get("told")
    if not isinstance(handled, Mapping) or not isinstance(alerts, list) or not isinstance(told, Mapping):
        raise ValueError("it does not say what was handled")
    read_to, read_at = _time(plain.get("read_to")), _time(plain.get("read_at"))
    times = {str(one): _time(text) for one, text in handled.items()}
    known = {one: time for one, time in times.items() if time is not None}
    return Bookmark(
        read_to,
        read_at,
        known,
        frozenset(str(one) for one in alerts),
        {str(one): _both_times(pair) for one, pair in told.items()},
    )


def _both_times(pair: object) -> tuple[datetime, datetime]:
    times = [_time(text) for text in pair] if isinstance(pair, list) else []
    if len(times) != 2 or times[0] is None or times[1] is None:
        raise ValueError("it does not say when something was told")
    return times[0], times[1]


def _time(text: object) -> datetime | None:
    if text is None:
        return None
    time = datetime.fromisoformat(str(text))
    return time if time.tzinfo is not None else time.replace(tzinfo=UTC)
