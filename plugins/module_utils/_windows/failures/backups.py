# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Backups of Windows Server Backup, as its records tell them: which failed, with what codes, onto what. Pure and total.

Fields are found by their names, which is how versions 1 to 3 and those to come agree; their numbers are decimal up to
2008 R2, hexadecimal since Windows 8, and signed in the list of volumes.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ansible_collections.winbackup.storage.plugins.module_utils._windows.event_records import EventRecord, time_of
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.signs import (
    ENDS,
    LITTLE_SPACE,
    NEVER_BEGAN,
    OTHER_FAILURES,
    SNAPSHOT_FAILED,
    WSB,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.result_codes import code_of

_SUCCESS = 4
# Ids from this one on are written to Application, the others to a log of their own.
_IN_APPLICATION = 500
_FAILED = (5, 8, SNAPSHOT_FAILED, *NEVER_BEGAN, *OTHER_FAILURES)
# The upper half of the codes that are Windows Server Backup's own.
_FACILITY = 0x8078
_CODES = ("HRESULT", "ErrorCode", "SppErrorCode", "HRESULT2", "ErrorMessage")
# Two records tell of one failure where they are no further apart, or name the same beginning.
_TOGETHER = timedelta(minutes=2)


@dataclass(frozen=True)
class SourceVolume:
    """One volume that a backup read, with the codes that it ended with."""

    name: str | None
    path: str | None
    code: int | None
    detail: int | None


@dataclass(frozen=True)
class BackupRecord:
    """One record of a backup. `code` 0 is a success; None where the record tells no code."""

    record: EventRecord
    code: int | None
    detail: int | None
    began: datetime | None
    target: str | None
    volumes: tuple[SourceVolume, ...]

    @property
    def failed(self) -> bool:
        """Whether it tells of a failure: by its id, or by a code that is not 0."""
        return self.record.id in _FAILED or (self.record.id in ENDS and self.code not in (0, None))

    @property
    def succeeded(self) -> bool:
        """Whether it tells of a backup that ended well, which takes its id and its code."""
        return self.record.id == _SUCCESS and self.code == 0


@dataclass(frozen=True)
class FailedBackup:
    """One backup that failed, as one or several records tell it, oldest first."""

    records: tuple[BackupRecord, ...]

    @property
    def ended(self) -> datetime:
        """The time of the last record."""
        return self.records[-1].record.time

    @property
    def began(self) -> datetime | None:
        return next((one.began for one in self.records if one.began is not None), None)

    @property
    def target(self) -> str | None:
        return next((one.target for one in self.records if one.target), None)

    @property
    def codes(self) -> tuple[int, ...]:
        """Its codes other than 0, each once: those of Windows Server Backup itself first, then those of its snapshot,
        of details and of single volumes."""
        own = sorted((one.code for one in self.records if one.code), key=lambda code: code >> 16 != _FACILITY)
        details = [one.detail for one in self.records]
        inner = [code for one in self.records for volume in one.volumes for code in (volume.code, volume.detail)]
        return tuple(dict.fromkeys(code for code in (*own, *details, *inner) if code))

    def ids(self) -> frozenset[int]:
        """Returns the ids of its records."""
        return frozenset(one.record.id for one in self.records)

    def _tells(self, other: BackupRecord) -> bool:
        """Whether another record tells of the same backup."""
        last = self.records[-1]
        if other.began is not None and self.began is not None:
            return abs(other.began - self.began) < timedelta(seconds=1)
        near = abs(other.record.time - last.record.time) <= _TOGETHER
        return near and (not other.code or other.code in self.codes or not self.codes)


def read_backup(record: EventRecord) -> BackupRecord | None:
    """Returns what a record of Windows Server Backup tells of a backup; None for any other record."""
    if record.key[0] != WSB or record.id not in (*ENDS, *_FAILED):
        return None
    codes = [code_of(record.named(name)) for name in _CODES]
    # A later name only counts where no earlier one holds a code: on success ErrorMessage is %%0.
    code = next((one for one in codes if one is not None), None)
    return BackupRecord(
        record,
        code,
        code_of(record.named("DetailedHRESULT")),
        time_of(record.named("BackupTime", "BackupStartTime")),
        (record.named("BackupTarget", "BackupTargetFriendlyName") or "").strip() or None,
        source_volumes(record.named("VolumesInfo")),
    )


def source_volumes(text: str | None) -> tuple[SourceVolume, ...]:
    """Returns the volumes in the list that a record holds as XML in a text; () where it cannot be read."""
    if not text or "<!" in text:
        return ()
    try:
        root = ET.fromstring(re.sub(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", "\ufffd", text))
    except (ET.ParseError, ValueError):
        return ()
    return tuple(
        SourceVolume(
            one.get("Name") or None,
            one.get("OriginalAccessPath") or None,
            code_of(one.get("HResult")),
            code_of(one.get("DetailedHResult")),
        )
        for one in root.iter("VolumeInfoItem")
    )


def failed_backups(records: Iterable[BackupRecord]) -> tuple[FailedBackup, ...]:
    """Returns the backups that failed, oldest first: what several logs tell of one is one."""
    found: list[FailedBackup] = []
    for one in sorted((one for one in records if one.failed), key=_order):
        same = next((place for place in reversed(range(len(found))) if found[place]._tells(one)), None)
        if same is None:
            found.append(FailedBackup((one,)))
        else:
            found[same] = replace(found[same], records=(*found[same].records, one))
    return tuple(found)


def _order(one: BackupRecord) -> tuple[datetime, bool]:
    """By time; at one time what stands in the log of the backups themselves before what stands in Application."""
    return one.record.time, one.record.id >= _IN_APPLICATION


def places_told(records: Iterable[EventRecord]) -> dict[str, str]:
    """Returns the volume names by the labels of storage locations that records about too little space tell."""
    found: dict[str, str] = {}
    for record in records:
        if record.key[0] != WSB or record.id not in (*LITTLE_SPACE, 52, 144, 146, 198, 199):
            continue
        label, path = record.named("VolumeFriendlyName"), record.named("VolumeAccessPath")
        if label and path:
            found[label.strip()] = path.strip()
    return found
