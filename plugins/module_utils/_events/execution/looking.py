# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""One look at a server: its logs, and what they mean, by the readers of the modules. Nothing is written anywhere."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import clock
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import Facts
from ansible_collections.winbackup.storage.plugins.module_utils._events.bookmark import Bookmark
from ansible_collections.winbackup.storage.plugins.module_utils._events.execution.options import Server, Settings
from ansible_collections.winbackup.storage.plugins.module_utils._events.naming import (
    Event,
    alert_events,
    alert_identity,
    counted,
    identity_of,
    is_a_sign,
    record_events,
)
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.host import WindowsHost
from ansible_collections.winbackup.storage.plugins.module_utils._windows.event_records import EventRecord
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.failure_info import (
    disks_or_finding,
    dpm_or_finding,
    read_logs,
    reading_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.parse_failures import LogsRead
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.options import Since
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.results import unread
from ansible_collections.winbackup.storage.plugins.module_utils._windows.model import Machine, MachineDisks

# What a record means is judged with what was logged that long before it: a backup may have begun then.
_CONTEXT = timedelta(hours=1)


@dataclass(frozen=True)
class Look:
    """What a look came to: the events that are new, the bookmark once all of them are handled, and what could not be
    read, a sentence each. `asked_dpm` tells whether DPM's alerts were read."""

    events: tuple[Event, ...]
    bookmark: Bookmark
    not_read: tuple[str, ...]
    asked_dpm: bool


def look_at(server: Server, settings: Settings, bookmark: Bookmark, *, alerts: bool) -> Look:
    """Looks at one server; with `alerts` at those of DPM, too, where it is a DPM server.

    Raises StorageError where the logs could not be read at all."""
    deadline = clock() + settings.timeout
    findings: list[Finding] = []
    now = datetime.now(UTC)
    with WindowsHost(server.connection) as host:
        age = bookmark.age(now, settings.look_back)
        read = read_logs(host, _since(age), deadline)
        step = bookmark.clock_step(now, read.now)
        if step:
            age += step
            read = read_logs(host, _since(age), deadline)
        first = read.now - age
        fresh = {
            identity_of(server.name, record): record
            for record in read.records
            if record.time >= first and is_a_sign(record)
        }
        fresh = {identity: record for identity, record in fresh.items() if identity not in bookmark.handled}
        disks = disks_or_finding(host, deadline, findings) if fresh else MachineDisks(Machine(), (), None)
    asks_dpm = read.is_dpm is True and (bool(fresh) or alerts)
    facts = dpm_or_finding(server.connection, None, deadline, findings) if asks_dpm else None
    reading = reading_of(read, disks, facts, None, findings)
    events = [*record_events(server.name, reading, fresh, settings.signatures)]
    bookmark = bookmark.after_records(now, read.now, all_read=not any(map(unread, read.logs)))
    told = {event.identity for event in events}
    if not asks_dpm or facts is not None:
        # What is a sign of nothing with all that is known here will be none later.
        bookmark = _without(bookmark, fresh, told)
    if settings.alerts and facts is not None and facts.alerts is not None:
        events += alert_events(server.name, facts.alerts, facts.sources, bookmark.alerts, settings.signatures)
        if facts.alerts_complete:
            bookmark = bookmark.after_alerts(alert_identity(server.name, alert) for alert in facts.alerts)
    if settings.meta_hosts:
        events = [_with_host(event, server.name) for event in events]
    return Look(tuple(counted(events)), bookmark, tuple(_not_read(read, findings, facts)), facts is not None)


def _since(age: timedelta) -> Since:
    return Since(None, int((age + _CONTEXT).total_seconds()) + 1)


def _without(bookmark: Bookmark, fresh: dict[str, EventRecord], told: Collection[str]) -> Bookmark:
    for identity, record in fresh.items():
        if identity not in told:
            bookmark = bookmark.with_record(identity, record.time)
    return bookmark


def _with_host(event: Event, server: str) -> Event:
    return replace(event, payload={**event.payload, "meta": {"uuid": event.identity, "hosts": server}})


def _not_read(read: LogsRead, findings: list[Finding], facts: Facts | None) -> list[str]:
    logs = [
        f"The log {log.name} could not be read: {log.error or 'Windows knows no log of that name.'}"
        for log in read.logs
        if unread(log)
    ]
    cut = [
        f"The log {log.name} holds more records than are read at once; the latest were."
        for log in read.logs
        if not log.complete
    ]
    parts = [f"Windows did not tell {part}: {said}" for part, said in read.unread_parts if part == "dpm"]
    silent = facts is not None and facts.alerts is None
    alerts = ["The alerts of DPM could not be read."] if silent else []
    return [*logs, *cut, *parts, *alerts, *(finding.message for finding in findings if finding.code == "unreadable")]
