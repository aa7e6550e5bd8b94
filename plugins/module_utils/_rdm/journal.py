# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The record of a conversion, kept with the VM itself: what was there, what is wanted, who works on it. Pure.

One text per disk address. It holds at most one open conversion, and a note for every old mapping file that was kept.
Files are written as "/vmfs/volumes/<uuid>/folder/name.vmdk", since two hosts may call two datastores by one name.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Datastore,
    HostLun,
    Power,
    split_file,
)

LEASE_SECONDS = 60
FORMAT = 1

STEP_BEGUN = "begun"
STEP_SHUTDOWN_ASKED = "shutdown_asked"
STEP_REMOVED = "removed"
STEP_SWAPPED = "swapped"
# The disk was swapped, and may have lost what hung on its device: the boot order, shares, limits, the label.
TOUCHED = frozenset({STEP_REMOVED, STEP_SWAPPED})


class UnreadableJournal(ValueError):
    """The text is not a record of this collection, or of a format that it does not know."""


@dataclass(frozen=True)
class RecordedLun:
    """A LUN as a record remembers it; `host` only where its name means this disk on that host alone."""

    canonical_name: str
    vml: str
    capacity_bytes: int
    serial: str | None = None
    host: str | None = None

    @classmethod
    def of(cls, lun: HostLun, capacity_bytes: int) -> RecordedLun:
        """Returns what is remembered of a LUN."""
        host = None if lun.durable_names else lun.host_name
        return cls(lun.canonical_name, lun.vml, capacity_bytes, lun.serial, host)

    def is_same_as(self, lun: HostLun) -> bool:
        """Tells whether a LUN of some host is this one: by name and bytes and, for a host's own name, by the host."""
        if self.host is not None:
            return (lun.host_name, lun.canonical_name, lun.capacity_bytes) == (
                self.host,
                self.canonical_name,
                self.capacity_bytes,
            )
        named = self.canonical_name == lun.canonical_name or self.canonical_name in lun.durable_names
        return named and bool(lun.durable_names) and lun.capacity_bytes == self.capacity_bytes


@dataclass(frozen=True)
class JournalEntry:
    """A conversion under way. A change of the disk mode alone has one file as both the old and the new one."""

    run: str
    lease: float
    step: str
    address: str
    wanted: Compatibility
    old_mode: Compatibility
    old_file: str
    new_file: str
    lun: RecordedLun
    power_before: Power
    disk_mode: str | None = None
    old_disk_mode: str | None = None
    old_disk_uuid: str | None = None
    sharing: str | None = None
    shares_level: str | None = None
    shares: int | None = None
    io_limit: int | None = None
    io_reservation: int | None = None
    boot_order: tuple[str, ...] = ()
    label: str = ""

    def is_live_at(self, now: float) -> bool:
        """Tells whether the run that wrote it may still be working."""
        return self.lease > now

    @property
    def edits_only(self) -> bool:
        """True where the mapping stays and its disk mode changes."""
        return self.old_file == self.new_file


@dataclass(frozen=True)
class KeptMapping:
    """An old mapping file that was kept, and what identified it while it was attached."""

    address: str
    old_file: str
    mode: Compatibility
    lun: RecordedLun
    disk_uuid: str | None = None


@dataclass(frozen=True)
class DiskJournal:
    """All that is remembered about one address of one VM."""

    machine: str
    open: JournalEntry | None = None
    notes: tuple[KeptMapping, ...] = ()

    @property
    def files(self) -> frozenset[str]:
        """The mapping files that this record names, as volume paths."""
        noted = {note.old_file for note in self.notes}
        return frozenset(noted | ({self.open.old_file, self.open.new_file} if self.open else set()))

    def without_open(self) -> DiskJournal:
        """Returns the record with its notes only."""
        return replace(self, open=None)


def to_text(record: DiskJournal) -> str | None:
    """Returns the text to keep, in ASCII; None where nothing is left to remember."""
    if record.open is None and not record.notes:
        return None
    return json.dumps({"format": FORMAT, **asdict(record)}, separators=(",", ":"), sort_keys=True)


def from_text(text: str) -> DiskJournal:
    """Returns the record that `to_text` made; raises UnreadableJournal for anything else."""
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise UnreadableJournal(f"format {data['format']!r}")
        opened = _open_record(data["open"]) if data["open"] is not None else None
        return DiskJournal(_text(data["machine"]), opened, tuple(_note(note) for note in data["notes"]))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UnreadableJournal(str(error)) from error


def _open_record(data: Mapping[str, Any]) -> JournalEntry:
    members = dict(data)
    members["wanted"] = Compatibility(members["wanted"])
    members["old_mode"] = Compatibility(members["old_mode"])
    members["power_before"] = Power(members["power_before"])
    members["lun"] = RecordedLun(**members["lun"])
    members["boot_order"] = tuple(_text(entry) for entry in members["boot_order"])
    members["lease"] = float(members["lease"])
    for name in ("run", "step", "address", "old_file", "new_file"):
        _text(members[name])
    return JournalEntry(**members)


def _note(data: Mapping[str, Any]) -> KeptMapping:
    members = dict(data)
    members["mode"] = Compatibility(members["mode"])
    members["lun"] = RecordedLun(**members["lun"])
    _text(members["old_file"])
    return KeptMapping(**members)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise UnreadableJournal(f"{value!r} is no text")
    return value


def to_volume_path(file: str, datastores: Mapping[str, Datastore], among: frozenset[str] | None = None) -> str | None:
    """Returns "/vmfs/volumes/<uuid>/folder/x.vmdk" for "[datastore] folder/x.vmdk"; None for an unknown datastore.

    `among` are the ids of the datastores that count, where several bear one name.
    """
    name, folder, file_name = split_file(file)
    for datastore in datastores.values():
        if datastore.name == name and (among is None or datastore.id in among):
            path = f"{folder}/{file_name}" if folder else file_name
            return f"/vmfs/volumes/{datastore.uuid}/{path}"
    return None


def from_volume_path(path: str, datastores: Mapping[str, Datastore]) -> str:
    """The reverse of `to_volume_path`; a volume that is not visible is returned as it is written."""
    uuid, _slash, inner = path.removeprefix("/vmfs/volumes/").partition("/")
    for datastore in datastores.values():
        if datastore.uuid == uuid:
            return f"[{datastore.name}] {inner}"
    return path
