# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""From what the script read_failures returns to the facts of a diagnosis. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._powershell import answers
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import CorruptReply
from ansible_collections.winbackup.storage.plugins.module_utils._windows.event_records import (
    EventRecord,
    parse_event,
    time_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.model import LastBackup, SeenLog
from ansible_collections.winbackup.storage.plugins.module_utils._windows.result_codes import unsigned
from ansible_collections.winbackup.storage.plugins.module_utils._windows.volume_names import key_of


@dataclass(frozen=True)
class LogsRead:
    """What one run of the script gave. `labels` are those of volumes by the keys of their names, `is_dpm` tells whether
    DPM is installed (None: not known), `unread_parts` are parts that could not be read, with what was said."""

    now: datetime
    logs: tuple[SeenLog, ...]
    records: tuple[EventRecord, ...]
    backup: LastBackup | None
    labels: Mapping[str, str]
    is_dpm: bool | None
    unread_parts: tuple[tuple[str, str], ...]


def parse_logs(answer: object) -> LogsRead:
    """Returns what an answer of the script tells; raises CorruptReply for what is none."""
    logs, records = [], []
    for row in answers.rows(answer, "logs"):
        log, found = _log(row)
        logs.append(log)
        records.extend(found)
    summary = answers.value_of(answer, "summary")
    if summary is not None and not isinstance(summary, Mapping):
        raise CorruptReply("The script's answer holds something as summary, which should be a table.")
    answers.value_of(answer, "dpm")
    return LogsRead(
        time_of(answers.text(answer, "now")) or datetime.now(UTC),
        tuple(logs),
        tuple(records),
        None if summary is None else _backup(summary),
        _labels(answers.rows_or_none(answer, "labels") or ()),
        answers.flag(answer, "dpm"),
        tuple(
            (answers.text(row, "part") or "", answers.text(row, "message") or "")
            for row in answers.rows(answer, "unread_parts")
        ),
    )


def _log(row: Mapping[str, Any]) -> tuple[SeenLog, list[EventRecord]]:
    name = answers.text(row, "name") or ""
    if answers.flag(row, "present") is False:
        return SeenLog(name, present=False), []
    error = answers.text(row, "error")
    found = [parse_event(one, name) for one in answers.texts(row, "records")]
    records = [one for one in found if one is not None]
    return (
        SeenLog(
            name,
            enabled=answers.flag(row, "enabled"),
            oldest=time_of(answers.text(row, "oldest")),
            records=None if error else len(records),
            unreadable=len(found) - len(records),
            complete=answers.flag(row, "complete") is not False,
            error=None if error is None else answers.text(row, "message") or error,
        ),
        records,
    )


def _backup(row: Mapping[str, Any]) -> LastBackup:
    code = answers.number(row, "last_code")
    return LastBackup(
        time_of(answers.text(row, "last_success")),
        None if code is None else unsigned(code),
        answers.text(row, "target"),
        answers.text(row, "success_target"),
        answers.text(row, "success_path"),
        time_of(answers.text(row, "next")),
    )


def _labels(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    found = {}
    for row in rows:
        key, label = key_of(answers.text(row, "path")), answers.text(row, "label")
        if key is not None and label is not None:
            found[key] = label
    return found
