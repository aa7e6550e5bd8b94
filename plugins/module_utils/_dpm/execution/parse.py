# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""From what the scripts return to the facts of the domain. Pure.

DPM's objects are documented in part only, so nothing is relied upon: what is missing, -1 or of another type is None.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import (
    Alert,
    Allocation,
    DataSource,
    Disk,
    Facts,
    Job,
    Machine,
    Pool,
    RecoveryPoints,
    StorageKind,
)

# DPM's number of an error stands in its texts in every language: "... (ID 358)", "... (ID: 358 Details: ...)".
_CODE = re.compile(r"\bID\s*[:：]?\s*(\d{2,5})\b")
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\s\-]+")
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)")

_PARTS = {
    "machine": "the name and the UUID of the machine",
    "version": "name and version of the DPM server",
    "inactive": "the data sources that are no longer protected",
    "disks": "the disks of the storage pool",
    "modern": "the volumes of Modern Backup Storage",
    "volumes": "the volumes of the storage pool",
    "jobs": "the running jobs",
    "failed": "the failed jobs",
    "alerts": "the alerts",
}


def parse_facts(answer: Mapping[str, Any]) -> Facts:
    """Returns the facts in an answer of the script read_server."""
    rows = _rows(answer, "sources")
    known = _Directory(rows)
    volumes = _Volumes.of(answer, known)
    sources = {source.id: source for row in rows if (source := _source(row, known, volumes)) is not None}
    machine = _mapping(answer.get("machine"))
    server = _mapping(answer.get("server"))
    return Facts(
        now=time_of(answer.get("now")) or datetime.now(UTC),
        sources=sources,
        pool=_pool(answer, volumes),
        running=tuple(_job(row, known) for row in _rows(answer, "running")),
        checks=tuple(_job(row, known) for row in _rows(answer, "checks")),
        failed=tuple(_job(row, known) for row in _rows(answer, "failed")),
        alerts=tuple(_alert(row, known) for row in _rows(answer, "alerts")),
        edits_directly=answer.get("edits_directly") is not False,
        server_name=_text(server.get("name")) or _text(machine.get("name")),
        server_version=_text(server.get("version")),
        machine=Machine(_text(machine.get("name")), _text(machine.get("bios_uuid")), _text(machine.get("serial"))),
        unreadable=tuple(_unreadable(row) for row in _rows(answer, "troubles")),
    )


def time_of(value: object) -> datetime | None:
    """Returns a time of .NET's round-trip form (UTC) without fractions; None for none, and for the year 1."""
    found = _TIME.match(value) if isinstance(value, str) else None
    if found is None or found[1] == "0001":
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups())
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def code_of(message: str | None) -> int | None:
    """Returns DPM's own number of an error that stands in its text, or None."""
    found = _CODE.search(message or "")
    return int(found[1]) if found else None


def word_of(value: object) -> str | None:
    """Returns a member of an enumeration in the collection's spelling: "InProgress" becomes "in_progress"."""
    text = _text(value)
    return None if text is None else "_".join(part for part in _WORDS.split(text) if part).lower()


def _source(row: Mapping[str, Any], known: _Directory, volumes: _Volumes) -> DataSource | None:
    identity = _Identity.of(row)
    if not identity.ids:
        return None
    own = identity.ids[0]
    partners = {*volumes.together.get(own, ())}
    # Co-located data sources have one replica volume between them, and so one path.
    if identity.collocated and identity.path is not None:
        partners |= known.with_path(identity.path)
    partners.discard(own)
    unseen = identity.collocated and not partners and not volumes.known and identity.path is None
    return DataSource(
        id=own,
        name=identity.name or own,
        computer=identity.computers[0] if identity.computers else "",
        aliases=identity.other_names,
        ids=frozenset(identity.ids),
        computers=frozenset(identity.computers),
        protection_group=_text(row.get("group")),
        type=_text(row.get("type")),
        state=word_of(row.get("state")),
        active=_is_active(row),
        replica=Allocation(_allocated(row.get("replica")), _size(row.get("replica_used"))),
        replica_path=identity.path,
        recovery_point_volume=Allocation(_allocated(row.get("area")), _size(row.get("area_used"))),
        storage_kind=_kind(_size(row.get("area")), own in volumes.together, volumes),
        custom_volume=_flag(row.get("custom")),
        shares_with=None if unseen else tuple(sorted(partners)),
        auto_grow=_flag(row.get("auto_grow")),
        recovery_points=_points(row),
    )


@dataclass(frozen=True)
class _Volumes:
    """The volumes of the server. `together`: of each data source on a recovery-point volume, who else is there;
    `modern_known`: whether the server is of a version that has Modern Backup Storage at all."""

    known: bool
    together: Mapping[str, frozenset[str]]
    count: int | None
    modern_known: bool
    modern_count: int | None

    @classmethod
    def of(cls, answer: Mapping[str, Any], known: _Directory) -> _Volumes:
        rows = answer.get("volumes")
        together: dict[str, frozenset[str]] = {}
        held = 0
        for row in _rows(answer, "volumes"):
            members = known.meant(row.get("sources"))
            held += bool(members)
            if word_of(row.get("type")) != "replica":
                together.update({own: together.get(own, frozenset()) | members for own in members})
        return cls(
            known=isinstance(rows, list),
            together=together,
            count=held if isinstance(rows, list) else None,
            modern_known=answer.get("knows_modern") is not False,
            modern_count=_size(answer.get("modern_volumes")),
        )


def _kind(area: int | None, on_volume: bool, volumes: _Volumes) -> StorageKind:
    """Legacy where a recovery-point volume holds it, or where the server has no Modern Backup Storage; modern where no
    volume holds it and no size is told. The latter is inferred."""
    if on_volume or not volumes.modern_known:
        return StorageKind.LEGACY
    if volumes.known and not area:
        return StorageKind.MODERN
    return StorageKind.LEGACY if volumes.modern_count == 0 else StorageKind.UNKNOWN


def _pool(answer: Mapping[str, Any], volumes: _Volumes) -> Pool:
    if not isinstance(answer.get("disks"), list):
        return Pool(None, volumes.count)
    return Pool(
        tuple(
            Disk(
                name=_text(row.get("name")) or "",
                id=_text(row.get("id")),
                status=word_of(row.get("status")),
                capacity_bytes=_size(row.get("capacity")),
                unallocated_bytes=_size(row.get("unallocated")),
            )
            for row in _rows(answer, "disks")
            # A server that does not tell lists the disks of the pool only.
            if row.get("in_pool") is not False
        ),
        volumes.count,
    )


def _job(row: Mapping[str, Any], known: _Directory) -> Job:
    errors = [one for one in _rows(row, "errors") if _text(one.get("message")) or _text(one.get("code"))]
    first = errors[0] if errors else {}
    message = _text(first.get("message"))
    code = _text(first.get("code"))
    return Job(
        id=_text(row.get("id")),
        type=word_of(row.get("type")),
        status=word_of(row.get("status")),
        started=time_of(row.get("started")),
        ended=time_of(row.get("ended")),
        completed=_flag(row.get("completed")),
        sources=_sources_of(row, known),
        protection_group=_text(row.get("group")),
        error_code=int(code) if code is not None and re.fullmatch(r"[1-9][0-9]*", code) else code_of(message),
        message=message,
    )


def _sources_of(row: Mapping[str, Any], known: _Directory) -> frozenset[str]:
    """Returns the data sources of a job. Where it tells names only, its tasks tell the computers as well."""
    if all(_texts(one, "ids") for one in _rows(row, "sources")):
        return known.meant(row.get("sources")) or known.meant(row.get("paths"))
    return known.meant(row.get("paths")) or known.meant(row.get("sources"))


def _alert(row: Mapping[str, Any], known: _Directory) -> Alert:
    about = known.meant(row.get("sources"))
    return Alert(
        id=_text(row.get("id")),
        severity=word_of(row.get("severity")),
        type=word_of(row.get("type")),
        since=time_of(row.get("since")),
        message=_text(row.get("message")),
        source=min(about) if about else None,
    )


def _points(row: Mapping[str, Any]) -> RecoveryPoints:
    """Zero points with no time of any are values that were not loaded in time, or none at all: not known."""
    count = _size(row.get("points"))
    newest, oldest = time_of(row.get("newest")), time_of(row.get("oldest"))
    return RecoveryPoints(count or None, newest, oldest)


def _is_active(row: Mapping[str, Any]) -> bool:
    inactive = _flag(row.get("inactive"))
    return not inactive if inactive is not None else row.get("listed_inactive_only") is not True


@dataclass(frozen=True)
class _Identity:
    """What an object of DPM's tells of a data source that it is, or is about."""

    ids: tuple[str, ...]
    name: str | None
    other_names: frozenset[str]
    computers: tuple[str, ...]
    collocated: bool
    path: str | None

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> _Identity:
        ids = [one.lower() for one in _texts(row, "ids")]
        return cls(
            # A GUID of zeroes is none.
            ids=tuple(dict.fromkeys(one for one in ids if one.strip("0-"))),
            name=_text(row.get("name")) or _text(row.get("other_name")),
            other_names=frozenset(
                text for key in ("other_name", "logical_path") if (text := _text(row.get(key))) is not None
            ),
            computers=tuple(_texts(row, "computers")),
            collocated=row.get("collocated") is True,
            path=_text(row.get("replica_path")),
        )


class _Directory:
    """Looks data sources up by what other objects tell of them."""

    def __init__(self, rows: Iterable[Mapping[str, Any]]) -> None:
        self._by_id: dict[str, str] = {}
        self._by_name: dict[str, list[tuple[str, frozenset[str]]]] = {}
        self._by_path: dict[str, set[str]] = {}
        for identity in (_Identity.of(row) for row in rows):
            if not identity.ids:
                continue
            own = identity.ids[0]
            self._by_id.update(dict.fromkeys(identity.ids, own))
            for name in {identity.name, *identity.other_names} - {None}:
                self._by_name.setdefault(name or "", []).append((own, _short(identity.computers)))
            if identity.collocated and identity.path is not None:
                self._by_path.setdefault(identity.path, set()).add(own)

    def meant(self, rows: object) -> frozenset[str]:
        """Returns the ids of those that are meant, by id where one is known, else by name and computer."""
        found: set[str] = set()
        for row in rows if isinstance(rows, list) else ():
            if not isinstance(row, Mapping):
                continue
            one = _Identity.of(row)
            by_id = {self._by_id[own] for own in one.ids if own in self._by_id}
            computers = _short(one.computers)
            found |= by_id or {
                own
                for own, theirs in self._by_name.get(one.name or "", ())
                if not computers or not theirs or computers & theirs
            }
        return frozenset(found)

    def with_path(self, path: str) -> set[str]:
        """Returns the ids of the co-located data sources with this replica path."""
        return self._by_path.get(path, set())


def _short(computers: Iterable[str]) -> frozenset[str]:
    return frozenset(computer.casefold().partition(".")[0] for computer in computers)


def _unreadable(row: Mapping[str, Any]) -> Finding:
    part = _text(row.get("part")) or ""
    what = _PARTS.get(part, part)
    return Finding(
        "unreadable",
        "warning",
        f"DPM does not tell {what}: {_text(row.get('message')) or 'no reason was given'}",
        "See that the DPM services run and that the user is a domain account among the local Administrators.",
        part,
    )


def _rows(answer: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = answer.get(key)
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def _texts(row: Mapping[str, Any], key: str) -> list[str]:
    value = row.get(key)
    return [text for one in value if (text := _text(one)) is not None] if isinstance(value, list) else []


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str | None:
    if isinstance(value, bool) or value is None:
        return None
    return str(value) or None


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


def _size(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _allocated(value: object) -> int | None:
    """A volume without a size is one that DPM has not read yet."""
    return _size(value) or None
