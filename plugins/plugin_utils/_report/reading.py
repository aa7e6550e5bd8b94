# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""From the results of `rdm_info`, `lun_info` and `dpm_allocation_info` to facts. Pure.

A result is taken as it was registered: also of a loop, of a task that was skipped, or of one that failed. What a result
lacks is not known; only what is no such result at all is an error. The key `host` names the server that was read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import TypeAlias

from ansible_collections.winbackup.storage.plugins.plugin_utils._report import facts
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.facts import (
    AFTER_SHUTDOWN,
    SEVERITIES,
    Facts,
    Note,
    Source,
)
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.seen_twice import each_once

Record: TypeAlias = Mapping[str, object]

_KINDS = {
    "mappings": ("rdms", "rdm_info"),
    "luns": ("luns", "lun_info"),
    "allocations": ("datasources", "dpm_allocation_info"),
}
_Sourced: TypeAlias = tuple[Source, Record]


class NotAResult(ValueError):
    """Something was given that none of the modules returns."""


def facts_of(mappings: object, luns: object, allocations: object, servers: Sequence[str] = ()) -> Facts:
    """Returns the facts of these results, each a registered result or a list of them; raises `NotAResult`.

    `servers` names the vSphere server where there is one only and its results do not say their host.
    """
    given = {"mappings": mappings, "luns": luns, "allocations": allocations}
    results = {
        kind: [(Source(number, _text(result, "host")), result) for number, result in enumerate(_results(value, kind))]
        for kind, value in given.items()
    }
    failures = tuple(
        facts.Failure(_KINDS[kind][1], source.host, _text(result, "msg") or "it said nothing more.")
        for kind, of_kind in results.items()
        for source, result in of_kind
        if result.get("failed") is True or result.get("unreachable") is True
    )
    usable = {kind: [one for one in of_kind if _KINDS[kind][0] in one[1]] for kind, of_kind in results.items()}
    # Mappings and LUNs may have been read at once.
    usable["luns"] += [one for one in usable["mappings"] if "luns" in one[1]]
    sole = servers[0] if len(servers) == 1 else None
    numbers = count(1)
    searched = [one for one in usable["mappings"] if "orphaned_mappings" in one[1]]
    return each_once(
        Facts(
            mappings=tuple(
                _mapping(rdm, f"m{number}", source, sole)
                for number, (source, rdm) in enumerate(_members(usable["mappings"], "rdms"), 1)
            ),
            luns=tuple(
                _listed_lun(lun, f"l{number}", source, sole)
                for number, (source, lun) in enumerate(_members(usable["luns"], "luns"), 1)
            ),
            orphans=tuple(_orphan(one, source, sole) for source, one in _members(searched, "orphaned_mappings"))
            if searched
            else None,
            dpm=tuple(_dpm_server(result, source, numbers) for source, result in usable["allocations"]),
            general=tuple(
                dict.fromkeys(
                    (source.key, note)
                    for source, result in (*usable["mappings"], *usable["luns"])
                    for note in _notes(result, "findings")
                )
            ),
            failures=failures,
            hosts=tuple(
                dict.fromkeys(
                    source.host for source, _result in (*usable["mappings"], *usable["luns"]) if source.host is not None
                )
            ),
            read=frozenset(kind for kind, of_kind in usable.items() if of_kind),
        )
    )


def _results(value: object, kind: str) -> Iterator[Record]:
    """Yields the results in what was given, a loop's one by one; one that is empty for a skipped task."""
    key, module = _KINDS[kind]
    if value is None:
        return
    if isinstance(value, Mapping):
        if key in value or value.get("failed") is True or value.get("unreachable") is True:
            yield value
        elif isinstance(value.get("results"), Sequence):
            yield from _results(value["results"], kind)
        elif value.get("skipped") is True:
            yield {}
        else:
            raise NotAResult(f"{kind}: a result of {module} is wanted, which has the key {key!r}.")
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for one in value:
            yield from _results(one, kind)
    else:
        raise NotAResult(f"{kind}: a result of {module} is wanted, or a list of them, not {type(value).__name__}.")


def _members(results: Sequence[_Sourced], key: str) -> Iterator[_Sourced]:
    for source, result in results:
        for member in _parts(result, key):
            yield source, member


def _machine(machine: Record, source: Source, server: str | None) -> facts.Machine:
    name = _text(machine, "name") or "VM without a name"
    path = _text(machine, "path")
    key = _text(machine, "moid") or _text(machine, "instance_uuid") or path or name
    return facts.Machine(
        key=f"{source.key} {key}",
        name=name,
        server=source.host or server,
        datacenter=_text(machine, "datacenter"),
        cluster=_text(machine, "cluster"),
        folder=_folder(machine),
        path=path,
        power_state=_text(machine, "power_state"),
        host=_text(machine, "host"),
        template=_flag(machine, "template"),
        has_snapshots=_flag(machine, "has_snapshots"),
        moid=_text(machine, "moid"),
        instance_uuid=_text(machine, "instance_uuid"),
        bios_uuid=_text(machine, "bios_uuid"),
        vmx_path=_text(machine, "vmx_path"),
    )


def _folder(machine: Record) -> str | None:
    """Returns the folder that a machine lies in, "" for none; None where it is not known."""
    folder = machine.get("folder")
    return None if folder is None else str(folder)


def _mapping(rdm: Record, anchor: str, source: Source, server: str | None) -> facts.Mapping:
    controller, named = _part(rdm, "controller"), _part(rdm, "mapping")
    return facts.Mapping(
        anchor=anchor,
        source=source,
        machine=_machine(_part(rdm, "vm"), source, server),
        label=_text(rdm, "label"),
        key=_number(rdm, "key"),
        address=_text(rdm, "address") or "unknown address",
        controller_type=_text(controller, "type"),
        controller_bus=_number(controller, "bus"),
        shared_bus=_text(controller, "shared_bus"),
        unit=_number(rdm, "unit"),
        file=_text(rdm, "file") or "unknown file",
        compatibility=_text(rdm, "compatibility"),
        disk_mode=_text(rdm, "disk_mode"),
        sharing=_text(rdm, "sharing"),
        capacity_bytes=_size(rdm, "capacity_bytes"),
        lun=_lun(_part(rdm, "lun")) if _part(rdm, "lun") else None,
        named_lun=_text(named, "device_name") or _text(named, "lun_uuid"),
        shared_with=tuple(
            _text(other, "path") or _text(other, "name") or "VM without a name" for other in _parts(rdm, "shared_with")
        ),
        findings=tuple(_notes(rdm, "findings")),
        blockers=tuple(_notes(rdm, "blockers")),
        unchecked=_texts(rdm, "unchecked"),
        convertible=AFTER_SHUTDOWN if rdm.get("convertible") == AFTER_SHUTDOWN else _flag(rdm, "convertible"),
    )


def _lun(lun: Record) -> facts.Lun:
    return facts.Lun(
        canonical_name=_text(lun, "canonical_name"),
        uuid=_text(lun, "uuid"),
        display_name=_text(lun, "display_name"),
        vendor=_text(lun, "vendor"),
        model=_text(lun, "model"),
        serial=_text(lun, "serial"),
        capacity_bytes=_size(lun, "capacity_bytes"),
        block_size=_number(lun, "block_size"),
        local=_flag(lun, "local"),
        ssd=_flag(lun, "ssd"),
        state=_text(lun, "state"),
        perennially_reserved=_flag(lun, "perennially_reserved"),
        hosts=tuple(
            facts.LunHost(
                _text(host, "host") or "host without a name",
                _number(host, "lun_number"),
                _text(host, "device_path"),
                _text(host, "state"),
            )
            for host in _parts(lun, "hosts")
        ),
    )


def _listed_lun(lun: Record, anchor: str, source: Source, server: str | None) -> facts.ListedLun:
    used = _part(lun, "used_by")
    return facts.ListedLun(
        anchor=anchor,
        source=source,
        server=source.host or server,
        lun=_lun(lun),
        device_type=_text(lun, "device_type"),
        multipath_plugin=_text(lun, "multipath_plugin"),
        users=tuple(f"{_text(rdm, 'vm') or ''} {_text(rdm, 'address') or ''}".strip() for rdm in _parts(used, "rdms")),
        all_users_known=_flag(used, "complete"),
        datastore=_text(used, "datastore"),
        boot=_flag(used, "boot"),
        vsan=_flag(used, "vsan"),
        mappable=_flag(lun, "mappable"),
        mappable_reasons=_texts(lun, "mappable_reasons"),
        findings=tuple(_notes(lun, "findings")),
    )


def _orphan(orphan: Record, source: Source, server: str | None) -> facts.Orphan:
    return facts.Orphan(
        source=source,
        server=source.host or server,
        file=_text(orphan, "file") or "unknown file",
        compatibility=_text(orphan, "compatibility"),
        size_bytes=_size(orphan, "size_bytes"),
        datastore=_text(orphan, "datastore"),
        in_use=_flag(orphan, "in_use"),
    )


def _dpm_server(result: Record, source: Source, numbers: Iterator[int]) -> facts.DpmServer:
    server, pool = _part(result, "server"), _part(result, "pool")
    return facts.DpmServer(
        name=_text(server, "name") or source.host or "DPM server without a name",
        host=source.host,
        version=_text(server, "version"),
        capacity_bytes=_size(pool, "capacity_bytes"),
        unallocated_bytes=_size(pool, "unallocated_bytes"),
        volumes=_number(pool, "volumes"),
        ldm_slots_used=_number(pool, "ldm_slots_used"),
        ldm_slots_left=_number(pool, "ldm_slots_left"),
        datasources=tuple(_datasource(one, f"d{next(numbers)}") for one in _parts(result, "datasources")),
        modern_volumes=tuple(map(_modern_volume, _parts(result, "modern_volumes"))),
        computers=tuple(
            facts.Computer(
                _text(one, "name") or "computer without a name",
                _flag(one, "reachable"),
                tuple(_notes(one, "findings")),
            )
            for one in _parts(result, "computers")
        ),
        # Alerts of no data source are findings where the result has no list of them.
        alerts=_alerts(result) if "alerts" in result else (),
        findings=tuple(dict.fromkeys((*_notes(server, "findings"), *_notes(result, "findings")))),
        complete=_flag(_part(result, "summary"), "complete"),
    )


def _modern_volume(volume: Record) -> facts.ModernVolume:
    kept = volume.get("datasources")
    return facts.ModernVolume(
        name=_text(volume, "name") or "volume without a name",
        size_bytes=_size(volume, "size_bytes"),
        free_bytes=_size(volume, "free_bytes"),
        datasources=len(kept) if isinstance(kept, list | tuple) else _number(volume, "datasources"),
        findings=tuple(_notes(volume, "findings")),
        history=_history(volume),
    )


def _history(volume: Record) -> tuple[int, ...]:
    """Returns what was used on former days, in bytes."""
    return tuple(used for day in _parts(volume, "history") if (used := _size(day, "used_bytes")) is not None)


def _datasource(datasource: Record, anchor: str) -> facts.DataSource:
    points, failure = _part(datasource, "recovery_points"), _part(datasource, "last_failed_job")
    said = [_text(failure, key) for key in ("type", "ended", "error_code", "message")]
    return facts.DataSource(
        anchor=anchor,
        id=_text(datasource, "id"),
        name=_text(datasource, "name") or "data source without a name",
        computer=_text(datasource, "computer"),
        protection_group=_text(datasource, "protection_group"),
        state=_text(datasource, "state"),
        consistent=_flag(datasource, "consistent"),
        active=_flag(datasource, "active"),
        type=_text(datasource, "type"),
        storage_kind=_text(datasource, "storage_kind"),
        custom_volume=_flag(datasource, "custom_volume"),
        auto_grow=_flag(datasource, "auto_grow"),
        replica=_volume(_part(datasource, "replica")),
        recovery_point_volume=_volume(_part(datasource, "recovery_point_volume")),
        recovery_points=_number(points, "count"),
        newest_recovery_point=_text(points, "newest"),
        last_failure=" ".join(part for part in said if part) or None,
        alerts=_alerts(datasource),
        findings=tuple(_notes(datasource, "findings")),
        history=_history(datasource),
    )


def _alerts(record: Record) -> tuple[facts.Alert, ...] | None:
    """Returns the alerts; None where they could not be read."""
    if not isinstance(record.get("alerts"), list | tuple):
        return None
    return tuple(
        facts.Alert(
            _text(alert, "severity"), _text(alert, "type"), _text(alert, "since"), _text(alert, "message") or ""
        )
        for alert in _parts(record, "alerts")
    )


def _volume(volume: Record) -> facts.Volume | None:
    sizes = facts.Volume(_size(volume, "allocated_bytes"), _size(volume, "used_bytes"))
    return None if sizes == facts.Volume(None, None) else sizes


def _notes(record: Record, key: str) -> Iterator[Note]:
    for note in _parts(record, key):
        severity = _text(note, "severity")
        yield Note(
            code=_text(note, "code") or "unknown",
            severity=severity if severity in SEVERITIES else SEVERITIES[-1],
            message=_text(note, "message") or "",
            hint=_text(note, "hint") or "",
            object=_text(note, "object") or "",
            overridable=_flag(note, "overridable"),
        )


def _text(record: Record, key: str) -> str | None:
    value = record.get(key)
    return None if value is None or value == "" else str(value)


def _number(record: Record, key: str) -> int | None:
    value = record.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _size(record: Record, key: str) -> int | None:
    """Returns a number of bytes; DPM says -1 for one that it does not know."""
    count_of_bytes = _number(record, key)
    return None if count_of_bytes is None or count_of_bytes < 0 else count_of_bytes


def _flag(record: Record, key: str) -> bool | None:
    value = record.get(key)
    return value if isinstance(value, bool) else None


def _part(record: Record, key: str) -> Record:
    value = record.get(key)
    return value if isinstance(value, Mapping) else {}


def _parts(record: Record, key: str) -> list[Record]:
    value = record.get(key)
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, Sequence) else []


def _texts(record: Record, key: str) -> tuple[str, ...]:
    value = record.get(key)
    return tuple(str(one) for one in value) if isinstance(value, list | tuple) else ()
