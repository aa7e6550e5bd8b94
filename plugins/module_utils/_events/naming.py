# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""From what was read of a server to events, each named: what it is a sign of, how sure that is, and of what. Pure.

The event of a record or an alert has the same identity whenever and by whomever it is read.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ansible_collections.winbackup.storage.plugins.module_utils._core.json_types import to_json_types
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import Alert, DataSource
from ansible_collections.winbackup.storage.plugins.module_utils._windows.event_records import EventRecord
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.backups import read_backup
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.diagnosis import diagnose
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.model import (
    Confidence,
    Evidence,
    Failure,
    Reading,
    Signature,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.results import failure_result
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.signs import read_sign
from ansible_collections.winbackup.storage.plugins.module_utils._windows.volume_names import VolumeTable

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_DNS, "dpm_events.winbackup.storage")
# DPM's number of the alert that a recovery-point volume is nearly full.
_THRESHOLD = 3169
# What only a DPM server has.
_OF_DPM = frozenset({Signature.REPLICA_OFFLINE, Signature.RECOVERY_POINT_VOLUME_SHORT, Signature.REPLICA_INCONSISTENT})
_SURENESS = tuple(Confidence)
_NO_VOLUMES = VolumeTable(())


@dataclass(frozen=True)
class Event:
    """One event. `identity` is that of its record or alert, `time` that of the record (None: it is an alert)."""

    identity: str
    time: datetime | None
    payload: Mapping[str, Mapping[str, object]]


def is_a_sign(record: EventRecord) -> bool:
    """Tells whether any signature asks for a record."""
    return read_sign(record, _NO_VOLUMES) is not None or read_backup(record) is not None


def identity_of(server: str, record: EventRecord | Evidence) -> str:
    """Returns the identity of a record: of one server, log, number and time, always the same."""
    number = record.number if isinstance(record, EventRecord) else record.record
    return _identity(server, "record", record.log, number, record.provider, record.id, record.time.isoformat())


def alert_identity(server: str, alert: Alert) -> str:
    """Returns the identity of an alert; one that comes again after it was over is another, by its time."""
    since = None if alert.since is None else alert.since.isoformat()
    if alert.id is not None:
        return _identity(server, "alert", alert.id, since)
    return _identity(server, "alert", alert.code, alert.type, alert.source, alert.computer, since)


def record_events(
    server: str, reading: Reading, fresh: Collection[str], wanted: Collection[Signature]
) -> Iterator[Event]:
    """Yields an event for each record with one of these identities that is evidence of a wanted fault, oldest first."""
    found: dict[str, tuple[Failure, Evidence]] = {}
    for failure in sorted(diagnose(reading, wanted).failures, key=lambda one: _SURENESS.index(one.confidence)):
        for evidence in failure.evidence:
            identity = identity_of(server, evidence)
            if identity in fresh:
                found.setdefault(identity, (failure, evidence))
    for identity, (failure, evidence) in sorted(found.items(), key=lambda one: (one[1][1].time, one[1][1].record or 0)):
        told = failure_result(failure)
        record = {
            "log": evidence.log,
            "provider": evidence.provider,
            "id": evidence.id,
            "record": evidence.record,
            "time": evidence.time.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "codes": evidence.codes,
        }
        names = ("signature", "confidence", "summary", "cause", "next", "volume", "disk", "datasource")
        body = {"server": server, "kind": "record", **{name: told[name] for name in names}, "record": record}
        of_dpm = failure.signature in _OF_DPM and reading.is_dpm is not False
        yield _event(identity, evidence.time, "dpm" if of_dpm else "windows", {**body, "alert": None})


def alert_events(
    server: str,
    alerts: Iterable[Alert],
    sources: Mapping[str, DataSource],
    known: Collection[str],
    wanted: Collection[Signature],
) -> Iterator[Event]:
    """Yields an event for each active alert that is not known yet. One with a signature that is not wanted is left out;
    one without a signature is never."""
    for alert in alerts:
        identity = alert_identity(server, alert)
        signature = _signature(alert)
        if identity in known or (signature is not None and signature not in wanted):
            continue
        source = sources.get(alert.source or "")
        body = {
            "server": server,
            "kind": "alert",
            "signature": signature,
            "confidence": None if signature is None else Confidence.CERTAIN,
            "summary": alert.message,
            "cause": None,
            "next": None,
            "volume": None,
            "disk": None,
            "datasource": None
            if source is None
            else {"id": source.id, "name": source.name, "computer": source.computer},
            "record": None,
            "alert": {
                "id": alert.id,
                "code": alert.code,
                "severity": alert.severity,
                "type": alert.type,
                "since": None if alert.since is None else alert.since.strftime("%Y-%m-%dT%H:%M:%SZ"),
                "message": alert.message,
            },
        }
        yield _event(identity, None, "dpm", body)


def counted(events: Sequence[Event]) -> list[Event]:
    """Returns the events of one look at a server, each with `more`: how many of its kind that have a signature are
    still to come. So a rule can answer all of them at once, at the last."""
    found: list[Event] = []
    more = {"dpm": 0, "windows": 0}
    for event in reversed(events):
        kind = "dpm" if "dpm" in event.payload else "windows"
        body = event.payload[kind]
        found.insert(0, replace(event, payload={**event.payload, kind: {**body, "more": more[kind]}}))
        more[kind] += body["signature"] is not None
    return found


def _signature(alert: Alert) -> Signature | None:
    if alert.about_inconsistency:
        return Signature.REPLICA_INCONSISTENT
    return Signature.RECOVERY_POINT_VOLUME_SHORT if alert.code == _THRESHOLD else None


def _event(identity: str, time: datetime | None, kind: str, body: Mapping[str, object]) -> Event:
    plain = {name: to_json_types(value) for name, value in body.items()}
    return Event(identity, time, {kind: plain, "meta": {"uuid": identity}})


def _identity(*parts: object) -> str:
    return str(uuid.uuid5(_NAMESPACE, json.dumps(parts)))
