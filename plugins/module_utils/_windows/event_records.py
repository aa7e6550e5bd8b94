# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A record of an event log, out of the XML that Windows gives it. Pure and total.

What decides is provider, id and the data, by name or by place; a rendered text is never looked at.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

_NAMESPACE = "{http://schemas.microsoft.com/win/2004/08/events/event}"
# What XML does not allow and records hold nevertheless, as itself or by its number.
_ILLEGAL = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_REFERENCE = re.compile(r"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,10}));")
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(\.\d{1,6})?", re.ASCII)
# The clock of Windows begins with the first; what lies beyond the last was never set.
_FIRST_YEAR, _LAST_YEAR = 1601, 9000
# Rendered times carry marks of the direction of writing.
_MARKS = re.compile("[\u200e\u200f?]")
# A record declares no document type; what does so is no record.
_DECLARATION = re.compile("<!", re.ASCII)


@dataclass(frozen=True)
class EventRecord:
    """One record. `fields` are its data in order, each with its name where the version of Windows has names.

    `version`, `level` and `number` are None where the record does not tell them; `binary` is in upper case hexadecimal.
    """

    log: str
    provider: str
    id: int
    time: datetime
    version: int | None = None
    level: int | None = None
    number: int | None = None
    fields: tuple[tuple[str | None, str], ...] = ()
    binary: str = ""

    @property
    def key(self) -> tuple[str, int]:
        """Provider and id, by which signatures know it; ids alone are not unique."""
        return self.provider.lower(), self.id

    def named(self, *names: str) -> str | None:
        """Returns the first field that has one of these names, in the order of the names; None for none."""
        for name in names:
            for own, text in self.fields:
                if own is not None and own.lower() == name.lower():
                    return text
        return None

    def at(self, place: int) -> str | None:
        """Returns the field at a place, counted from 0; None where there are not so many."""
        return self.fields[place][1] if 0 <= place < len(self.fields) else None


def parse_event(text: str, log: str) -> EventRecord | None:
    """Returns the record that a text is; None for one that cannot be read."""
    if _DECLARATION.search(text.replace("<![CDATA[", "")):
        return None
    try:
        root = ET.fromstring(_REFERENCE.sub(_legal_reference, _ILLEGAL.sub("\ufffd", text)))
    except (ET.ParseError, ValueError):
        return None
    system = root.find(f"{_NAMESPACE}System")
    provider = None if system is None else system.find(f"{_NAMESPACE}Provider")
    if system is None or provider is None:
        return None
    number, time = _whole(system.findtext(f"{_NAMESPACE}EventID")), None
    created = system.find(f"{_NAMESPACE}TimeCreated")
    if created is not None:
        time = time_of(created.get("SystemTime"))
    name = provider.get("Name")
    if number is None or time is None or not name:
        return None
    return EventRecord(
        log=system.findtext(f"{_NAMESPACE}Channel") or log,
        provider=name,
        id=number,
        time=time,
        version=_whole(system.findtext(f"{_NAMESPACE}Version")),
        level=_whole(system.findtext(f"{_NAMESPACE}Level")),
        number=_whole(system.findtext(f"{_NAMESPACE}EventRecordID")),
        fields=_fields(root),
        binary=(root.findtext(f".//{_NAMESPACE}Binary") or "").strip().upper(),
    )


def time_of(text: str | None) -> datetime | None:
    """Returns a time of UTC as records write it, with fractions of a second; None for any other text, and for a
    time that was never set."""
    found = _TIME.match(_MARKS.sub("", text or ""))
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups()[:6])
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
        return None
    try:
        whole = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    return whole + timedelta(seconds=float(found[7] or 0))


def _fields(root: ET.Element) -> tuple[tuple[str | None, str], ...]:
    """Returns the data of a record: of EventData, else the innermost elements of UserData by their own names."""
    data = root.find(f"{_NAMESPACE}EventData")
    if data is not None:
        return tuple((one.get("Name"), one.text or "") for one in data.iter(f"{_NAMESPACE}Data"))
    data = root.find(f"{_NAMESPACE}UserData")
    inner = [] if data is None else [one for one in data.iter() if len(one) == 0 and one is not data]
    return tuple((one.tag.rpartition("}")[2], one.text or "") for one in inner)


def _whole(text: str | None) -> int | None:
    stripped = (text or "").strip()
    return int(stripped) if re.fullmatch("[0-9]{1,18}", stripped) else None


def _legal_reference(found: re.Match[str]) -> str:
    number = int(found[1], 16) if found[1] else int(found[2])
    return "\ufffd" if number > 0x10FFFF or _ILLEGAL.match(chr(number)) else found[0]
