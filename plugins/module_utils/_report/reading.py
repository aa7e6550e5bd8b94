# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""From the results of `rdm_info`, `lun_info` and `dpm_allocation_info` to facts. Pure.

A result is taken as it was registered: also of a loop, of a task that was skipped, or of one that failed. What a result
lacks is not known; only what is no such result at all is an error.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import count
from typing import TypeAlias

from ansible_collections.winbackup.storage.plugins.module_utils._report import facts
from ansible_collections.winbackup.storage.plugins.module_utils._report.facts import SEVERITIES, Facts, Note

Record: TypeAlias = Mapping[str, object]

_KINDS = {
    "mappings": ("rdms", "rdm_info"),
    "luns": ("luns", "lun_info"),
    "allocations": ("datasources", "dpm_allocation_info"),
}


class NotAResult(ValueError):
    """Something was given that none of the modules returns."""


def facts_of(mappings: object, luns: object, allocations: object) -> Facts:
    """Returns the facts of these results, each a registered result or a list of them; raises `NotAResult`."""
    given = {"mappings": mappings, "luns": luns, "allocations": allocations}
    results = {kind: list(_results(value, kind)) for kind, value in given.items()}
    failures = tuple(
        f"{_KINDS[kind][1]} failed: {_text(result, 'msg') or 'it said nothing more.'}"
        for kind, of_kind in results.items()
        for result in of_kind
        if result.get("failed") is True or result.get("unreachable") is True
    )
    usable = {kind: [one for one in of_kind if _KINDS[kind][0] in one] for kind, of_kind in results.items()}
    numbers = count(1)
    of_mappings, of_luns = usable["mappings"], usable["luns"]
    searched = [result for result in of_mappings if "orphaned_mappings" in result]
    machines = [looked for result in of_mappings if (looked := _number(_part(result, "summary"), "vms")) is not None]
    return Facts(
        mappings=tuple(
            _mapping(rdm, f"m{number}", source) for number, (source, rdm) in enumerate(_members(of_mappings, "rdms"), 1)
        ),
        luns=tuple(
            _listed_lun(lun, f"l{number}", source) for number, (source, lun) in enumerate(_members(of_luns, "luns"), 1)
        ),
        orphans=tuple(_orphan(orphan) for _source, orphan in _members(searched, "orphaned_mappings"))
        if searched
        else None,
        dpm=tuple(_dpm_server(result, numbers) for result in usable["allocations"]),
        general=tuple(
            dict.fromkeys(
                note
                for result in (*of_mappings, *of_luns, *usable["allocations"])
                for note in _notes(result, "findings")
            )
        ),
        machines=sum(machines) if machines else None,
        failures=failures,
        read=frozenset(kind for kind, of_kind in usable.items() if of_kind),
    )


def _results(value: object, kind: str) -> Iterator[Record]:
    """Yields the results in what was given, a loop's one by one; those of skipped tasks are none."""
    key, module = _KINDS[kind]
    if value is None:
        return
    if isinstance(value, Mapping):
        if key in value or value.get("failed") is True or value.get("unreachable") is True:
            yield value
        elif isinstance(value.get("results"), Sequence):
            yield from _results(value["results"], kind)
        elif value.get("skipped") is not True:
            raise NotAResult(f"{kind}: a result of {module} is wanted, which has the key {key!r}.")
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for one in value:
            yield from _results(one, kind)
    else:
        raise NotAResult(f"{kind}: a result of {module} is wanted, or a list of them, not {type(value).__name__}.")


def _members(results: Sequence[Record], key: str) -> Iterator[tuple[int, Record]]:
    for source, result in enumerate(results):
        for member in _parts(result, key):
            yield source, member


def _mapping(rdm: Record, anchor: str, source: int) -> facts.Mapping:
    machine, controller = _part(rdm, "vm"), _part(rdm, "controller")
    name = _text(machine, "name") or "VM without a name"
    key = _text(machine, "moid") or _text(machine, "instance_uuid") or _text(machine, "path") or name
    return facts.Mapping(
        anchor=anchor,
        source=source,
        machine=facts.Machine(
            key=f"{source} {key}",
            name=name,
            path=_text(machine, "path"),
            power_state=_text(machine, "power_state"),
            host=_text(machine, "host"),
            template=_flag(machine, "template"),
            has_snapshots=_flag(machine, "has_snapshots"),
            moid=_text(machine, "moid"),
            instance_uuid=_text(machine, "instance_uuid"),
        ),
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
        capacity_bytes=_number(rdm, "capacity_bytes"),
        lun=_lun(_part(rdm, "lun")) if _part(rdm, "lun") else None,
        shared_with=tuple(
            _text(other, "path") or _text(other, "name") or "VM without a name" for other in _parts(rdm, "shared_with")
        ),
        findings=tuple(_notes(rdm, "findings")),
        blockers=tuple(_notes(rdm, "blockers")),
        unchecked=_texts(rdm, "unchecked"),
        convertible=_flag(rdm, "convertible"),
    )


def _lun(lun: Record) -> facts.Lun:
    return facts.Lun(
        canonical_name=_text(lun, "canonical_name"),
        uuid=_text(lun, "uuid"),
        display_name=_text(lun, "display_name"),
        vendor=_text(lun, "vendor"),
        model=_text(lun, "model"),
        serial=_text(lun, "serial"),
        capacity_bytes=_number(lun, "capacity_bytes"),
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


def _listed_lun(lun: Record, anchor: str, source: int) -> facts.ListedLun:
    used = _part(lun, "used_by")
    return facts.ListedLun(
        anchor=anchor,
        source=source,
        lun=_lun(lun),
        device_type=_text(lun, "device_type"),
        multipath_plugin=_text(lun, "multipath_plugin"),
        users=tuple(f"{_text(rdm, 'vm') or ''} {_text(rdm, 'address') or ''}".strip() for rdm in _parts(used, "rdms")),
        datastore=_text(used, "datastore"),
        boot=_flag(used, "boot"),
        vsan=_flag(used, "vsan"),
        mappable=_flag(lun, "mappable"),
        findings=tuple(_notes(lun, "findings")),
    )


def _orphan(orphan: Record) -> facts.Orphan:
    return facts.Orphan(
        _text(orphan, "file") or "unknown file", _text(orphan, "compatibility"), _number(orphan, "size_bytes")
    )


def _dpm_server(result: Record, numbers: Iterator[int]) -> facts.DpmServer:
    server, pool = _part(result, "server"), _part(result, "pool")
    return facts.DpmServer(
        name=_text(server, "name") or "DPM server without a name",
        version=_text(server, "version"),
        capacity_bytes=_number(pool, "capacity_bytes"),
        unallocated_bytes=_number(pool, "unallocated_bytes"),
        volumes=_number(pool, "volumes"),
        ldm_slots_used=_number(pool, "ldm_slots_used"),
        ldm_slots_left=_number(pool, "ldm_slots_left"),
        datasources=tuple(_datasource(one, f"d{next(numbers)}") for one in _parts(result, "datasources")),
    )


def _datasource(datasource: Record, anchor: str) -> facts.DataSource:
    points, failure = _part(datasource, "recovery_points"), _part(datasource, "last_failed_job")
    said = [_text(failure, key) for key in ("type", "ended", "error_code", "message")]
    return facts.DataSource(
        anchor=anchor,
        name=_text(datasource, "name") or "data source without a name",
        computer=_text(datasource, "computer"),
        protection_group=_text(datasource, "protection_group"),
        state=_text(datasource, "state"),
        consistent=_flag(datasource, "consistent"),
        active=_flag(datasource, "active"),
        storage_kind=_text(datasource, "storage_kind"),
        replica=_volume(_part(datasource, "replica")),
        recovery_point_volume=_volume(_part(datasource, "recovery_point_volume")),
        recovery_points=_number(points, "count"),
        newest_recovery_point=_text(points, "newest"),
        last_failure=" ".join(part for part in said if part) or None,
        alerts=tuple(
            facts.Alert(
                _text(alert, "severity"), _text(alert, "type"), _text(alert, "since"), _text(alert, "message") or ""
            )
            for alert in _parts(datasource, "alerts")
        ),
        findings=tuple(_notes(datasource, "findings")),
    )


def _volume(volume: Record) -> facts.Volume | None:
    sizes = facts.Volume(_number(volume, "allocated_bytes"), _number(volume, "used_bytes"))
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
