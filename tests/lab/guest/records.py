# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records of event logs, and their XML."""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape, quoteattr

NAMESPACE = "http://schemas.microsoft.com/win/2004/08/events/event"


@dataclass(frozen=True)
class Event:
    """A record. `properties` are the values in it, in order; `names` theirs, where the version of Windows has names.

    `version` is None where the XML has no such element; `qualifiers` are the upper half of a classic id.
    """

    number: int
    time: datetime.datetime
    log: str
    provider: str
    id: int
    level: int
    message: str
    properties: tuple[Any, ...] = ()
    names: tuple[str, ...] = ()
    version: int | None = None
    qualifiers: int | None = None
    guid: str = ""
    source: str = ""
    binary: str = ""


def to_xml(event: Event, computer: str) -> str:
    """What EventLogRecord.ToXml() gives."""
    about = "".join(
        f" {name}={quoteattr(value)}"
        for name, value in (("Name", event.provider), ("Guid", event.guid), ("EventSourceName", event.source))
        if value
    )
    qualifiers = "" if event.qualifiers is None else f' Qualifiers="{event.qualifiers}"'
    version = "" if event.version is None else f"<Version>{event.version}</Version>"
    moment = event.time.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"
    data = "".join(
        f"<Data{f' Name={quoteattr(event.names[place])}' if event.names else ''}>{escape(_text(value))}</Data>"
        for place, value in enumerate(event.properties)
    )
    binary = f"<Binary>{event.binary}</Binary>" if event.binary else ""
    return (
        f'<Event xmlns="{NAMESPACE}"><System><Provider{about}/><EventID{qualifiers}>{event.id}</EventID>{version}'
        f"<Level>{event.level}</Level><Task>0</Task><Keywords>0x80000000000000</Keywords>"
        f'<TimeCreated SystemTime="{moment}"/>'
        f"<EventRecordID>{event.number}</EventRecordID><Channel>{escape(event.log)}</Channel>"
        f"<Computer>{escape(computer)}</Computer><Security/></System><EventData>{data}{binary}</EventData></Event>"
    )


def _text(value: Any) -> str:
    return value.strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z" if isinstance(value, datetime.datetime) else str(value)
