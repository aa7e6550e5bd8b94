# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The journal of one address as a text (JSON), and back: whoever may write a VM's settings may write any text. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from math import isfinite
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    DiskJournal,
    JournalEntry,
    KeptMapping,
    RecordedLun,
    UnreadableJournal,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility, Power

FORMAT = 1
_ADDRESS = re.compile(r"[a-z]+[0-9]{1,4}:[0-9]{1,4}")
_VOLUMES = "/vmfs/volumes/"
_MOST_WRITES = 2**53
_SHARINGS = (None, "none", "multi_writer")
# vSphere API, SharesInfo.level.
_SHARES_LEVELS = (None, "low", "normal", "high", "custom")
# A disk by its address, another device by its kind, a network card by its key as well.
_BOOTABLE = re.compile(r"[a-z]+[0-9]{1,4}:[0-9]{1,4}|[a-z]+(:[0-9]{1,9})?")


class NotAJournal(ValueError):
    """The text is not a record of this collection, or of a format that it does not know."""


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
        raise NotAJournal("what stands there is no record") from error


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
