# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""From what the scripts return to the facts of the domain. Pure.

DPM's objects are documented in part only, so nothing is relied upon: what is missing, -1 or of another type is None.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.checks import VALIDATION
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.identity import Directory, Reference, short_name
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
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.storage_kind import (
    Kept,
    ListedVolume,
    StorageList,
)

# DPM's number of an error stands in its texts in every language: "... (ID 358)", "... (ID: 358 Details: ...)".
_CODE = re.compile(r"\bID\s*[:：]?\s*(\d{2,6})\b")
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\s\-]+")
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)")

# Alerts that a replica is inconsistent.
_INCONSISTENT_CODES = frozenset({3106, 3163})

_PARTS = {
    "machine": "the name and the UUID of the machine",
    "version": "name and version of the DPM server",
    "inactive": "the data sources that are no longer protected",
    "disks": "the disks of the storage pool",
    "modern": "the volumes of Modern Backup Storage",
    "volumes": "the volumes of the storage pool",
    "jobs": "the running jobs",
    "failed": "the failed jobs",
    "checks": "the running consistency checks",
    "alerts": "the alerts",
    "alert": "an alert",
    "job": "a job",
}


def parse_facts(answer: Mapping[str, Any]) -> Facts:
    """Returns the facts in an answer of the script read_server."""
    rows: dict[str, Mapping[str, Any]] = {}
    for row in _rows(answer, "sources"):
        reference = _reference(row)
        if reference.ids:
            # One that is listed twice is protected: the second list is that of those that no longer are.
            rows.setdefault(reference.ids[0], row)
    references = {own: _reference(row) for own, row in rows.items()}
    known = Directory(references.values())
    storage = _Storage.of(answer, rows, known)
    alerts = _alerts(answer, known)
    complete = alerts is not None and len(alerts) == len(_rows(answer, "alerts"))
    sources = {
        own: _with_alerts(_source(row, references[own], storage), alerts or (), complete=complete)
        for own, row in rows.items()
    }
    machine = _mapping(answer.get("machine"))
    server = _mapping(answer.get("server"))
    return Facts(
        now=time_of(answer.get("now")) or datetime.now(UTC),
        sources=sources,
        pool=_pool(answer, storage.list.held),
        running=_jobs(answer, "running", known),
        checks=_checks(answer, known),
        failed=_jobs(answer, "failed", known),
        alerts=alerts,
        alerts_complete=complete,
        edits_directly=answer.get("edits_directly") is not False,
        server_name=_text(server.get("name")) or _text(machine.get("name")),
        server_version=_text(server.get("version")),
        machine=Machine(_text(machine.get("name")), _text(machine.get("bios_uuid")), _text(machine.get("serial"))),
        unreadable=(
            *(_unreadable(row) for row in _rows(answer, "troubles")),
            *(_unreadable_source(row) for row in _rows(answer, "sources") if not _reference(row).ids),
        ),
    )


def time_of(value: object) -> datetime | None:
    """Returns a time of .NET's round-trip form (UTC) without fractions; None for none, and the year 1."""
    found = _TIME.match(value) if isinstance(value, str) else None
    if found is None or found[1] == "0001":
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def code_of(message: str | None) -> int | None:
    """Returns DPM's own number of an error that stands in its text, or None."""
    found = _CODE.search(message or "")
    return int(found[1]) if found else None


def word_of(value: object) -> str | None:
    """Returns a member of an enumeration in the collection's spelling: "InProgress" becomes "in_progress"."""
    text = _text(value)
    return None if text is None else "_".join(part for part in _WORDS.split(text) if part).lower()


def _source(row: Mapping[str, Any], reference: Reference, storage: _Storage) -> DataSource:
    own = reference.ids[0]
    one = storage.kept[own]
    partners = storage.list.partners_of(one, storage.kept)
    path = _path(row)
    collocated = row.get("collocated") is True
    # Co-located data sources have one replica volume between them, and so one path.
    if partners is not None and collocated and path is not None:
        partners |= storage.by_path[path] - {own}
    if collocated and not partners and storage.list.volumes is None and path is None:
        partners = None
    area = Allocation(one.area_bytes, _size(row.get("area_used")))
    return DataSource(
        id=own,
        name=reference.names[0] if reference.names else own,
        computer=reference.computers[0] if reference.computers else "",
        aliases=frozenset(reference.names[1:]),
        ids=frozenset(reference.ids),
        computers=frozenset(reference.computers),
        protection_group=_text(row.get("group")),
        type=_text(row.get("type")),
        state=word_of(row.get("state")),
        active=_is_active(row),
        replica=Allocation(one.replica_bytes, _size(row.get("replica_used"))),
        replica_path=path,
        recovery_point_volume=area,
        storage_kind=storage.list.kind_of(one),
        custom_volume=_flag(row.get("custom")),
        shares_with=None if partners is None else tuple(sorted(partners)),
        auto_grow=_flag(row.get("auto_grow")),
        recovery_points=_points(row),
        unreadable=_text(row.get("unreadable")),
    )


@dataclass(frozen=True)
class _Storage:
    """Where the data sources are kept: the server's volumes, what each data source tells, and who has one path."""

    list: StorageList
    kept: Mapping[str, Kept]
    by_path: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, answer: Mapping[str, Any], rows: Mapping[str, Mapping[str, Any]], known: Directory) -> _Storage:
        paths: dict[str, frozenset[str]] = {}
        for own, row in rows.items():
            path = _path(row)
            if path is not None and row.get("collocated") is True:
                paths[path] = paths.get(path, frozenset()) | {own}
        volumes = tuple(
            ListedVolume(
                word_of(row.get("type")) == "replica",
                _allocated(row.get("size")),
                known.find(_references(row.get("sources"))),
                complete=row.get("complete") is not False,
            )
            for row in _rows(answer, "volumes")
            if row.get("unreadable") is None
        )
        return cls(
            StorageList(
                volumes if isinstance(answer.get("volumes"), list) else None,
                modern_known=answer.get("knows_modern") is not False,
                modern_count=_size(answer.get("modern_volumes")),
                complete=all(
                    row.get("unreadable") is None and row.get("complete") is not False
                    for row in _rows(answer, "volumes")
                ),
            ),
            {own: _kept(own, row) for own, row in rows.items()},
            paths,
        )


def _kept(own: str, row: Mapping[str, Any]) -> Kept:
    replica = row.get("replica")
    told_none = isinstance(replica, int) and not isinstance(replica, bool) and replica <= 0
    return Kept(
        own,
        _allocated(replica),
        _allocated(row.get("area")),
        has_no_replica=told_none and _path(row) is None and row.get("unreadable") is None,
    )


def _pool(answer: Mapping[str, Any], volumes: int | None) -> Pool:
    if not isinstance(answer.get("disks"), list):
        return Pool(None, volumes)
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
        volumes,
    )


def _jobs(answer: Mapping[str, Any], key: str, known: Directory) -> tuple[Job, ...] | None:
    """Returns jobs; None where they, or one of those that run, could not be read."""
    rows = answer.get(key)
    if not isinstance(rows, list) or (key == "running" and any(row.get("unreadable") for row in _rows(answer, key))):
        return None
    return tuple(_job(row, known) for row in _rows(answer, key))


def _checks(answer: Mapping[str, Any], known: Directory) -> tuple[Job, ...] | None:
    """Returns the jobs that DPM itself listed as consistency checks, whatever it calls their type; None where it did
    not list any."""
    if not isinstance(answer.get("checks"), list):
        return None
    rows = [row for row in _rows(answer, "checks") if not row.get("unreadable")]
    return tuple(replace(_job(row, known), type=VALIDATION) for row in rows)


def _job(row: Mapping[str, Any], known: Directory) -> Job:
    errors = [one for one in _rows(row, "errors") if any(_text(one.get(key)) for key in ("code", "message", "problem"))]
    first = errors[0] if errors else {}
    message = _text(first.get("message")) or _text(first.get("problem"))
    return Job(
        id=_text(row.get("id")),
        # Where there is a category, the type is what the console shows, in the server's language.
        type=word_of(row.get("category")) or word_of(row.get("type")),
        status=word_of(row.get("status")),
        started=time_of(row.get("started")),
        ended=time_of(row.get("ended")),
        completed=_flag(row.get("completed")),
        sources=_sources_of(row, known),
        protection_group=_text(row.get("group")),
        error_code=_error_code(first),
        message=message,
    )


def _error_code(row: Mapping[str, Any]) -> int | None:
    """Returns DPM's number of an error: told as such, else out of its texts, of which the long one has it."""
    code = _text(row.get("code")) or ""
    if re.fullmatch(r"[1-9][0-9]*", code):
        return int(code)
    return code_of(_text(row.get("problem"))) or code_of(_text(row.get("message")))


def _sources_of(row: Mapping[str, Any], known: Directory) -> frozenset[str]:
    """Returns the data sources of a job. Where it tells names only, its tasks tell the computers as well."""
    sources, paths = _references(row.get("sources")), _references(row.get("paths"))
    if all(one.ids for one in sources):
        return known.find(sources) or known.find(paths)
    return known.find(paths) or known.find(sources)


def _alerts(answer: Mapping[str, Any], known: Directory) -> tuple[Alert, ...] | None:
    """Returns the alerts, without those that could not be read; None where none could."""
    if not isinstance(answer.get("alerts"), list):
        return None
    return tuple(_alert(row, known) for row in _rows(answer, "alerts") if not row.get("unreadable"))


def _alert(row: Mapping[str, Any], known: Directory) -> Alert:
    names = [text for key in ("target", "area") if (text := _text(row.get(key))) is not None]
    server = _text(row.get("server"))
    computers = () if server is None else (server,)
    about = known.find(_references(row.get("sources"))) or known.find(
        Reference(names=(name,), computers=computers) for name in names
    )
    kind, message, code = word_of(row.get("type")), _text(row.get("message")), _error_code(row)
    return Alert(
        id=_text(row.get("id")),
        severity=word_of(row.get("severity")),
        type=kind,
        since=time_of(row.get("since")),
        message=message or _text(row.get("problem")),
        # By name alone it is nobody's if it could be that of several.
        source=next(iter(about)) if len(about) == 1 else None,
        computer=known.computer((*names, *computers)),
        code=code,
        about_inconsistency=_about_inconsistency(kind, message, code),
    )


def _about_inconsistency(kind: str | None, message: str | None, code: int | None) -> bool | None:
    """Tells whether an alert calls a replica inconsistent; None where neither its type nor a number tells what it is.

    The text counts where it is the English one. It never proves the contrary.
    """
    said = "inconsistent" in (kind or "") or "replica is inconsistent" in (message or "").lower()
    if code in _INCONSISTENT_CODES or said:
        return True
    return None if code is None and (kind is None or kind.isdigit()) else False


def _with_alerts(source: DataSource, alerts: tuple[Alert, ...], *, complete: bool) -> DataSource:
    """Returns a data source with what the alerts say of its replica; None where that is not to be told.

    An alert of which it is not known what it says, or of whom, may be about this one's.
    """
    computers = {short_name(computer) for computer in source.computers}
    told: set[bool | None] = {
        alert.about_inconsistency if alert.source == source.id else None
        for alert in alerts
        if alert.about_inconsistency is not False
        and (
            alert.source == source.id
            or (alert.source is None and (alert.computer is None or short_name(alert.computer) in computers))
        )
    }
    inconsistent = True if True in told else False if complete and not told else None
    return replace(source, alerted_inconsistent=inconsistent)


def _points(row: Mapping[str, Any]) -> RecoveryPoints:
    """Zero points with no time of any are values that were not loaded in time, or none at all: not known."""
    count = _size(row.get("points"))
    newest, oldest = time_of(row.get("newest")), time_of(row.get("oldest"))
    return RecoveryPoints(count or None, newest, oldest)


def _is_active(row: Mapping[str, Any]) -> bool:
    inactive = _flag(row.get("inactive"))
    return not inactive if inactive is not None else row.get("listed_inactive_only") is not True


def _reference(row: Mapping[str, Any]) -> Reference:
    """Returns which data source a row is, or is about. A GUID of zeroes is none."""
    ids = dict.fromkeys(one.lower() for one in _texts(row, "ids") if one.strip("0-"))
    names = (_text(row.get(key)) for key in ("name", "other_name", "logical_path", "display_path"))
    return Reference(tuple(ids), tuple(dict.fromkeys(name for name in names if name)), tuple(_texts(row, "computers")))


def _references(rows: object) -> list[Reference]:
    return [_reference(row) for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


def _path(row: Mapping[str, Any]) -> str | None:
    return _text(row.get("replica_path"))


def _unreadable_source(row: Mapping[str, Any]) -> Finding:
    return Finding(
        "unreadable",
        "warning",
        f"DPM lists a data source and does not tell which it is: {_text(row.get('unreadable')) or 'it has no id'}",
        "Look for it in the DPM console. It is missing from what was read.",
        "datasources",
    )


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
