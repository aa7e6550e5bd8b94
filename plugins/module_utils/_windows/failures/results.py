# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The result of backup_failure_info. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict
from datetime import datetime

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._windows.event_records import EventRecord
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.model import (
    Diagnosis,
    DiskChange,
    Evidence,
    Failure,
    LastBackup,
    OtherFailure,
    ProtectedSource,
    SeenDisk,
    SeenLog,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.signs import (
    OPTIONAL_LOGS,
    PARTITION_CHANGE,
    PARTITION_PROVIDER,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.result_codes import shown
from ansible_collections.winbackup.storage.plugins.module_utils._windows.volume_names import NamedVolume

_READERS = "Give the user the right to read event logs: the local group Event Log Readers, or Administrators."


def diagnosis_result(
    diagnosis: Diagnosis, logs: Sequence[SeenLog], backup: LastBackup | None, changes: Sequence[DiskChange]
) -> dict[str, object]:
    """Returns what was found, and how far back one could see at all."""
    return {
        "failures": [failure_result(one) for one in diagnosis.failures],
        "other_failures": [_other(one) for one in diagnosis.other_failures],
        "backup": None if backup is None else _backup(backup),
        "logs": [_log(one) for one in logs],
        "disk_history": [{**asdict(one), "time": _time(one.time)} for one in changes],
    }


def log_findings(logs: Iterable[SeenLog], since: datetime, machine: str) -> Iterator[Finding]:
    """Yields what is to be said of logs, so that nothing found is not taken for nothing there."""
    for log in logs:
        name = f"{log.name} of {machine}"
        if unread(log):
            said = log.error or "Windows knows no log of that name."
            yield Finding("unreadable", "warning", f"The log {log.name} could not be read: {said}", _READERS, name)
            continue
        if not log.present:
            continue
        if log.enabled is False:
            message = f"The log {log.name} is switched off: it holds nothing new."
            yield Finding("log_disabled", "warning", message, "Switch it on with wevtutil sl <log> /e:true.", name)
        if log.oldest is not None and log.oldest > since:
            message = f"The log {log.name} reaches back to {_time(log.oldest)} only."
            hint = "Make it larger (wevtutil sl <log> /ms:<bytes>), if failures before that time matter."
            yield Finding("log_too_short", "info", message, hint, name)
        if not log.complete:
            message = f"The log {log.name} holds more records than were read; the latest were."
            yield Finding("log_cut", "warning", message, "Look at a shorter time with since.", name)
        if log.unreadable:
            message = f"{log.unreadable} records of the log {log.name} could not be read."
            yield Finding("unreadable", "warning", message, "Look at them in the Event Viewer of the machine.", name)


def unread(log: SeenLog) -> bool:
    """Tells whether a log that should be there could not be read, or is not there."""
    return log.error is not None or (not log.present and log.name not in OPTIONAL_LOGS)


def disk_changes(records: Iterable[EventRecord]) -> tuple[DiskChange, ...]:
    """Returns the disks that came and went, oldest first."""
    found = [
        DiskChange(
            one.time,
            _whole(one.named("DiskNumber")),
            _whole(one.named("Capacity")),
            (one.named("SerialNumber") or "").strip() or None,
            _whole(one.named("PartitionCount")),
        )
        for one in records
        if one.key == (PARTITION_PROVIDER, PARTITION_CHANGE)
    ]
    return tuple(sorted(found, key=lambda one: one.time))


def failure_result(one: Failure) -> dict[str, object]:
    """Returns one fault of the collection's own as results have it."""
    return {
        "signature": one.signature,
        "confidence": one.confidence,
        **_seen(one),
        "cause": one.cause,
        "next": one.next,
        "disk": None if one.disk is None else _disk(one.disk),
        "vm_disk": None if one.disk is None else one.disk.vm_disk,
        "datasource": None if one.datasource is None else _source(one.datasource),
    }


def _other(one: OtherFailure) -> dict[str, object]:
    return {"kind": one.kind, **_seen(one), "next": one.next}


def _seen(one: Failure | OtherFailure) -> dict[str, object]:
    return {
        "time": _time(one.time),
        "last_seen": _time(one.last_seen),
        "count": one.count,
        "still_so": one.still_so,
        "summary": one.summary,
        "evidence": [_evidence(record) for record in one.evidence],
        "codes": one.codes,
        "volume": None if one.volume is None else _volume(one.volume),
    }


def _evidence(record: Evidence) -> dict[str, object]:
    return {**asdict(record), "time": _time(record.time)}


def _volume(volume: NamedVolume) -> dict[str, object]:
    return {"guid": volume.guid, "letter": volume.letter, "path": volume.path}


def _disk(disk: SeenDisk) -> dict[str, object]:
    return {"number": disk.number, "disk_id": disk.disk_id, "sizes_agree": disk.sizes_agree}


def _source(source: ProtectedSource) -> dict[str, object]:
    return {"id": source.id, "name": source.name, "computer": source.computer}


def _backup(backup: LastBackup) -> dict[str, object]:
    return {
        "last_success": _time(backup.last_success),
        "last_result_code": None if backup.last_result_code is None else shown(backup.last_result_code),
        "target": backup.target,
        "next": _time(backup.next),
    }


def _log(log: SeenLog) -> dict[str, object]:
    return {
        "name": log.name,
        "present": log.present,
        "enabled": log.enabled,
        "oldest": _time(log.oldest),
        "records_read": log.records,
        "complete": log.complete,
    }


def _time(time: datetime | None) -> str | None:
    return None if time is None else time.strftime("%Y-%m-%dT%H:%M:%SZ")


def _whole(text: str | None) -> int | None:
    stripped = (text or "").strip()
    return int(stripped) if stripped.isascii() and stripped.isdigit() and len(stripped) < 20 else None
