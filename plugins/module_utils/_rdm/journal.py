# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The journal: what a conversion writes down with the VM itself; what was there, what is wanted, who works on it. Pure.

One text per disk address (users know it as the record). It holds at most one open entry, and names every old mapping
file that was kept.
Files are written as "/vmfs/volumes/<uuid>/folder/name.vmdk", since two hosts may call two datastores by one name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import TYPE_CHECKING, Any

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Datastore,
    HostLun,
    Power,
    split_file,
)

if TYPE_CHECKING:
    from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import VirtualMachine

# How the key of a disk's record begins, whatever keeps it; the disk's address follows.
JOURNAL_KEY = "winbackup.storage.rdm."
# Over the API, which addresses have an open entry: one setting of a known name is asked of every VM of a site.
OPEN_KEY = "winbackup.storage.rdm_open"
LEASE_SECONDS = 60
FORMAT = 1

STEP_BEGUN = "begun"
STEP_SHUTDOWN_ASKED = "shutdown_asked"
STEP_REMOVED = "removed"
STEP_SWAPPED = "swapped"
# Kept mapping files are being deleted; the disk itself stays as it is.
STEP_DELETING = "deleting"
_ADDRESS = re.compile(r"[a-z]+[0-9]{1,4}:[0-9]{1,4}")
_VOLUMES = "/vmfs/volumes/"
_MOST_WRITES = 2**53
_SHARINGS = (None, "none", "multi_writer")
# vSphere API, SharesInfo.level.
_SHARES_LEVELS = (None, "low", "normal", "high", "custom")
# A disk by its address, another device by its kind, a network card by its key as well.
_BOOTABLE = re.compile(r"[a-z]+[0-9]{1,4}:[0-9]{1,4}|[a-z]+(:[0-9]{1,9})?")
# The disk was swapped, and may have lost what hung on its device: the boot order, shares, limits, the label.
TOUCHED = frozenset({STEP_REMOVED, STEP_SWAPPED})


def lease_is_live(lease: float, now: float) -> bool:
    """Tells whether a lease is one of a run that may still be working."""
    # Whoever may write the VM's settings may write any time there: no run holds a lease further ahead than one.
    return now < lease <= now + LEASE_SECONDS


class NotAJournal(ValueError):
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
    # Whether the host takes a second mapping of the LUN is being tried with a spare one, which may lie there.
    probing: bool = False
    # The host takes no second one: the old file goes before the new one is made, and an undo makes it again.
    one_at_a_time: bool = False

    def is_live_at(self, now: float) -> bool:
        """Tells whether the run that wrote it may still be working."""
        return lease_is_live(self.lease, now)

    @property
    def kept_mapping(self) -> KeptMapping:
        """What stays to be remembered of the old mapping once the disk is converted."""
        return KeptMapping(self.address, self.old_file, self.old_mode, self.lun, self.old_disk_uuid)

    @property
    def deletes_only(self) -> bool:
        """True where only kept mapping files are deleted and the disk stays as it is."""
        return self.step == STEP_DELETING

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
    entry: JournalEntry | None = None
    kept: tuple[KeptMapping, ...] = ()
    # How often this record was written: of two that are kept in two places the later one counts.
    sequence: int = 0

    @property
    def files(self) -> frozenset[str]:
        """The mapping files that this record names, as volume paths."""
        kept = {mapping.old_file for mapping in self.kept}
        return frozenset(kept | ({self.entry.old_file, self.entry.new_file} if self.entry else set()))

    def closed(self) -> DiskJournal:
        """Returns the journal without its open entry."""
        return replace(self, entry=None)


@dataclass(frozen=True)
class UnreadableJournal:
    """A record that cannot be understood: its key, why, and the text as it is."""

    address: str
    why: str
    text: str

    @property
    def key(self) -> str:
        """The key under which it is kept."""
        return JOURNAL_KEY + self.address


def to_text(journal: DiskJournal) -> str | None:
    """Returns the text to keep, in ASCII; None where nothing is left to remember."""
    if journal.entry is None and not journal.kept:
        return None
    return whole_text(journal)


def whole_text(journal: DiskJournal) -> str:
    """Returns the text of a record, also of one with nothing left to remember."""
    whole = {
        "format": FORMAT,
        "machine": journal.machine,
        "sequence": journal.sequence,
        "open": asdict(journal.entry) if journal.entry is not None else None,
        "notes": [asdict(mapping) for mapping in journal.kept],
    }
    return json.dumps(whole, separators=(",", ":"), sort_keys=True)


def from_text(text: str) -> DiskJournal:
    """Returns the record that `to_text` made; raises NotAJournal for anything else, whatever it is."""
    try:
        data = json.loads(text)
        if data["format"] != FORMAT:
            raise NotAJournal("its format is one that this version does not know")
        opened = _entry(data["open"]) if data["open"] is not None else None
        sequence = _whole_number(data.get("sequence", 0))
        if not 0 <= sequence < _MOST_WRITES:
            raise NotAJournal("it was written more often than anything can be")
        return DiskJournal(_text(data["machine"]), opened, tuple(_kept(note) for note in data["notes"]), sequence)
    except NotAJournal:
        raise
    # A text nested thousands deep ends the parser's recursion; a number may be too large for a float.
    except (ValueError, TypeError, LookupError, AttributeError, RecursionError, OverflowError) as error:
        raise NotAJournal(f"it is no record ({type(error).__name__})") from error


def read_journal(address: str, text: str) -> DiskJournal | UnreadableJournal:
    """Returns the journal that is kept for an address, or what is wrong with it."""
    try:
        journal = from_text(text)
        _check_places(address, journal)
    except NotAJournal as error:
        return UnreadableJournal(address, str(error), text)
    return journal


def _check_places(address: str, journal: DiskJournal) -> None:
    """Raises NotAJournal where a journal names another address than its key, or what can be no path or time."""
    if not _ADDRESS.fullmatch(address):
        raise NotAJournal("its key does not end with the address of a disk")
    named = {kept.address for kept in journal.kept}
    entry = journal.entry
    if entry is not None:
        named.add(entry.address)
        if not isfinite(entry.lease):
            raise NotAJournal("its lease is no time")
        if not _has_possible_settings(entry):
            raise NotAJournal("it names settings that no disk can have")
    if named - {address}:
        raise NotAJournal("its key and the address that it names disagree")
    if not all(_is_plain_path(file) for file in journal.files):
        raise NotAJournal("a file that it names is no path below /vmfs/volumes")


def _has_possible_settings(entry: JournalEntry) -> bool:
    """Tells whether what would be set again is something that a server could have told of a disk."""
    numbers = (entry.shares, entry.io_limit, entry.io_reservation, entry.lun.capacity_bytes)
    return (
        entry.sharing in _SHARINGS
        and entry.shares_level in _SHARES_LEVELS
        and all(number is None or -1 <= number < 2**63 for number in numbers)
        and all(_BOOTABLE.fullmatch(device) for device in entry.boot_order)
    )


def _is_plain_path(path: str) -> bool:
    """Tells whether a text is "/vmfs/volumes/<uuid>/folder/x.vmdk", with no way out of the folder."""
    if not path.startswith(_VOLUMES) or not path.isprintable():
        return False
    parts = path.removeprefix(_VOLUMES).split("/")
    return len(parts) > 1 and not {"", ".", ".."} & set(parts)


def own_journals(machine: VirtualMachine) -> dict[str, DiskJournal]:
    """Returns by address the journals that can be read and are this VM's own, not of one it was cloned from."""
    return {
        address: journal
        for address, journal in machine.journal.items()
        if isinstance(journal, DiskJournal) and journal.machine == machine.instance_uuid
    }


def own_entries(machine: VirtualMachine) -> dict[str, JournalEntry]:
    """Returns by address the VM's own open entries."""
    return {address: journal.entry for address, journal in own_journals(machine).items() if journal.entry is not None}


def journal_at(machine: VirtualMachine, address: str) -> DiskJournal | None:
    """Returns the journal of an address, or None where there is none that can be read."""
    journal = machine.journal.get(address)
    return journal if isinstance(journal, DiskJournal) else None


def _entry(data: Mapping[str, Any]) -> JournalEntry:
    members = dict(data)
    members["wanted"] = Compatibility(members["wanted"])
    members["old_mode"] = Compatibility(members["old_mode"])
    members["power_before"] = Power(members["power_before"])
    members["lun"] = _lun(members["lun"])
    members["boot_order"] = tuple(_text(entry) for entry in members["boot_order"])
    members["lease"] = _number(members["lease"])
    for name in ("run", "step", "address", "old_file", "new_file", "label"):
        _text(members.get(name, ""))
    for name in ("disk_mode", "old_disk_mode", "old_disk_uuid", "sharing", "shares_level"):
        _optional(_text, members.get(name))
    for name in ("shares", "io_limit", "io_reservation"):
        _optional(_whole_number, members.get(name))
    for name in ("probing", "one_at_a_time"):
        _yes_or_no(members.get(name, False))
    return JournalEntry(**members)


def _kept(data: Mapping[str, Any]) -> KeptMapping:
    members = dict(data)
    members["mode"] = Compatibility(members["mode"])
    members["lun"] = _lun(members["lun"])
    for name in ("address", "old_file"):
        _text(members[name])
    _optional(_text, members.get("disk_uuid"))
    return KeptMapping(**members)


def _lun(data: Mapping[str, Any]) -> RecordedLun:
    lun = RecordedLun(**data)
    for text in (lun.canonical_name, lun.vml):
        _text(text)
    for optional in (lun.serial, lun.host):
        _optional(_text, optional)
    _whole_number(lun.capacity_bytes)
    return lun


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise NotAJournal("it holds something else where a text belongs")
    # Half a character, which JSON can hold and no console, file or request can.
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise NotAJournal("it holds half a character")
    return value


def _optional(check: Callable[[object], object], value: object) -> None:
    if value is not None:
        check(value)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise NotAJournal("it holds something else where a number belongs")
    return float(value)


def _yes_or_no(value: object) -> None:
    if not isinstance(value, bool):
        raise NotAJournal("it holds something else where yes or no belongs")


def _whole_number(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise NotAJournal("it holds something else where a whole number belongs")
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
