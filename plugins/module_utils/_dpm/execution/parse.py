# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""From what the scripts return to the facts of the domain. Pure.

DPM's objects are documented in part only, so nothing is relied upon: what is missing, -1 or of another type is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.dpm_values import (
    allocated_of,
    flag_of,
    mapping_of,
    reference_of,
    references_of,
    rows_of,
    size_of,
    text_of,
    time_of,
    word_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.parse_jobs import (
    alerts_of,
    checks_of,
    jobs_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.identity import Directory, Reference, short_name
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import (
    Alert,
    Allocation,
    DataSource,
    Disk,
    Facts,
    Machine,
    Pool,
    RecoveryPoints,
    StorageKind,
    StorageVolume,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.storage_kind import (
    Kept,
    ListedVolume,
    StorageList,
)

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
}


# What a reading lists one by one, and may not be able to read one of.
_LISTED = {
    "running": "running jobs",
    "failed": "failed jobs",
    "checks": "consistency checks",
    "alerts": "alerts",
    "volumes": "volumes of the storage pool",
}


def parse_facts(answer: Mapping[str, Any]) -> Facts:
    """Returns the facts in an answer of the script read_server."""
    rows: dict[str, Mapping[str, Any]] = {}
    for row in rows_of(answer, "sources"):
        reference = reference_of(row)
        if reference.ids:
            # One that is listed twice is protected: the second list is that of those that no longer are.
            rows.setdefault(reference.ids[0], row)
    references = {own: reference_of(row) for own, row in rows.items()}
    known = Directory(references.values())
    storage = _Storage.of(answer, rows, known)
    alerts = alerts_of(answer, known)
    complete = alerts is not None and len(alerts) == len(rows_of(answer, "alerts"))
    sources = {
        own: _with_alerts(_source(row, references[own], storage), alerts or (), complete=complete)
        for own, row in rows.items()
    }
    machine = mapping_of(answer.get("machine"))
    server = mapping_of(answer.get("server"))
    return Facts(
        now=time_of(answer.get("now")) or datetime.now(UTC),
        sources=sources,
        pool=_pool(answer, storage.list.held, tuple(sources.values())),
        running=jobs_of(answer, "running", known),
        checks=checks_of(answer, known),
        failed=jobs_of(answer, "failed", known),
        alerts=alerts,
        alerts_complete=complete,
        edits_directly=answer.get("edits_directly") is not False,
        server_name=text_of(server.get("name")) or text_of(machine.get("name")),
        server_version=text_of(server.get("version")),
        machine=Machine(
            text_of(machine.get("name")), text_of(machine.get("bios_uuid")), text_of(machine.get("serial"))
        ),
        unreadable=(
            *(_unreadable(row) for row in rows_of(answer, "unread_parts")),
            *(
                finding
                for key, what in _LISTED.items()
                if (finding := _unreadable_rows(rows_of(answer, key), key, what)) is not None
            ),
            *(_unreadable_source(row) for row in rows_of(answer, "sources") if not reference_of(row).ids),
        ),
    )


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
    area = Allocation(one.area_bytes, size_of(row.get("area_used")))
    return DataSource(
        id=own,
        name=reference.names[0] if reference.names else own,
        computer=reference.computers[0] if reference.computers else "",
        aliases=frozenset(reference.names[1:]),
        ids=frozenset(reference.ids),
        computers=frozenset(reference.computers),
        protection_group=text_of(row.get("group")),
        type=text_of(row.get("type")),
        state=word_of(row.get("state")),
        active=_is_active(row),
        replica=Allocation(one.replica_bytes, size_of(row.get("replica_used"))),
        replica_path=path,
        recovery_point_volume=area,
        storage_kind=storage.list.kind_of(one),
        custom_volume=flag_of(row.get("custom")),
        shares_with=None if partners is None else tuple(sorted(partners)),
        auto_grow=flag_of(row.get("auto_grow")),
        recovery_points=_points(row),
        unreadable=text_of(row.get("unreadable")),
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
                allocated_of(row.get("size")),
                known.find(references_of(row.get("sources"))),
                complete=row.get("complete") is not False,
            )
            for row in rows_of(answer, "volumes")
            if row.get("unreadable") is None
        )
        return cls(
            StorageList(
                volumes if isinstance(answer.get("volumes"), list) else None,
                modern_known=answer.get("knows_modern") is not False,
                modern_count=None if not isinstance(modern := answer.get("modern_volumes"), list) else len(modern),
                complete=all(
                    row.get("unreadable") is None and row.get("complete") is not False
                    for row in rows_of(answer, "volumes")
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
        allocated_of(replica),
        allocated_of(row.get("area")),
        has_no_replica=told_none and _path(row) is None and row.get("unreadable") is None,
    )


def _pool(answer: Mapping[str, Any], volumes: int | None, sources: tuple[DataSource, ...]) -> Pool:
    storage_volumes = _storage_volumes(answer, sources)
    if not isinstance(answer.get("disks"), list):
        return Pool(None, volumes, storage_volumes)
    return Pool(
        tuple(
            Disk(
                name=text_of(row.get("name")) or "",
                id=text_of(row.get("id")),
                status=word_of(row.get("status")),
                capacity_bytes=size_of(row.get("capacity")),
                unallocated_bytes=size_of(row.get("unallocated")),
            )
            for row in rows_of(answer, "disks")
            # A server that does not tell lists the disks of the pool only.
            if row.get("in_pool") is not False
        ),
        volumes,
        storage_volumes,
    )


def _storage_volumes(answer: Mapping[str, Any], sources: tuple[DataSource, ...]) -> tuple[StorageVolume, ...] | None:
    """Returns the volumes of Modern Backup Storage; none where the server's version has none, None where they could not
    be read.

    DPM does not tell on which of them a data source is kept: only of a single one, or of none, is it known.
    """
    if answer.get("knows_modern") is False:
        return ()
    if not isinstance(answer.get("modern_volumes"), list):
        return None
    rows = rows_of(answer, "modern_volumes")
    kept = sum(source.storage_kind is StorageKind.MODERN for source in sources)
    sure = all(source.storage_kind is not StorageKind.UNKNOWN for source in sources)
    return tuple(
        StorageVolume(
            name=text_of(row.get("name")) or f"volume {number}",
            size_bytes=allocated_of(row.get("size")),
            free_bytes=size_of(row.get("free")),
            datasources=kept if sure and (len(rows) == 1 or kept == 0) else None,
        )
        for number, row in enumerate(rows, 1)
    )


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
    count = size_of(row.get("points"))
    newest, oldest = time_of(row.get("newest")), time_of(row.get("oldest"))
    return RecoveryPoints(count or None, newest, oldest)


def _is_active(row: Mapping[str, Any]) -> bool:
    inactive = flag_of(row.get("inactive"))
    return not inactive if inactive is not None else row.get("listed_inactive_only") is not True


def _path(row: Mapping[str, Any]) -> str | None:
    return text_of(row.get("replica_path"))


def _unreadable_source(row: Mapping[str, Any]) -> Finding:
    return Finding(
        "unreadable",
        "warning",
        f"DPM lists a data source and does not tell which it is: {text_of(row.get('unreadable')) or 'it has no id'}",
        "Look for it in the DPM console. It is missing from what was read.",
        "datasources",
    )


def _unreadable_rows(rows: Sequence[Mapping[str, Any]], key: str, what: str) -> Finding | None:
    """Returns the finding that some of these could not be read; None where all could."""
    broken = [reason for row in rows if (reason := text_of(row.get("unreadable"))) is not None]
    if not broken:
        return None
    return Finding(
        "unreadable",
        "warning",
        f"Of {len(rows)} {what} {len(broken)} could not be read: {broken[0]}",
        "Look at them in the DPM console.",
        key,
    )


def _unreadable(row: Mapping[str, Any]) -> Finding:
    part = text_of(row.get("part")) or ""
    what = _PARTS.get(part, part)
    return Finding(
        "unreadable",
        "warning",
        f"DPM does not tell {what}: {text_of(row.get('message')) or 'no reason was given'}",
        "See that the DPM services run and that the user is a domain account among the local Administrators.",
        part,
    )
