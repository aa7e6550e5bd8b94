# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What was read as metrics in Prometheus' text format, for the textfile collector of its node exporter. Pure.

What is not known has no series: it is never zero. That a reading failed is a series of its own, and so is how many
values are not known, so that an alert can tell "nothing wrong" from "not seen".
Format: https://prometheus.io/docs/instrumenting/exposition_formats/, names by its practices (base units, no counters).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TypeAlias

from ansible_collections.winbackup.storage.plugins.plugin_utils._report.facts import (
    DataSource,
    DpmServer,
    Facts,
    Volume,
)
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.notes import findings_of
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.text import printable

Labels: TypeAlias = tuple[tuple[str, str], ...]
Sample: TypeAlias = tuple[str, Labels, int | float]

PREFIX = "winbackup_storage_"
HELP = {
    "readings_failed": "Readings of a server that failed, by module.",
    "everything_known": "1 where nothing was left unread, else 0.",
    "findings": "Findings by code and severity, each counted once.",
    "mappings": "Raw device mappings by compatibility mode.",
    "mappings_with_finding": "Raw device mappings that have a finding, by its code.",
    "orphaned_mapping_files": "Mapping files that no virtual machine uses.",
    "dpm_datasource_state": "The state of consistency that a data source is in has 1, the others 0.",
    "dpm_volume_allocated_bytes": "Allocated size of a volume of a data source.",
    "dpm_volume_used_bytes": "Used bytes of a volume of a data source.",
    "dpm_volume_free_bytes": "Free bytes of a volume of a data source.",
    "dpm_newest_recovery_point_timestamp_seconds": "When the newest recovery point of a data source was made.",
    "dpm_pool_capacity_bytes": "Size of the healthy disks of the storage pool.",
    "dpm_pool_unallocated_bytes": "Bytes of the storage pool that are allocated to nothing.",
    "dpm_modern_volume_size_bytes": "Size of a volume of Modern Backup Storage.",
    "dpm_modern_volume_free_bytes": "Free bytes of a volume of Modern Backup Storage.",
}
# One state has 1, as Prometheus spells an enumeration.
_STATES = {"consistent": True, "inconsistent": False, "not_known": None}


def metrics(facts: Facts) -> str:
    """Returns the text of the file, without the time of its making; the order of the series is fixed."""
    by_name: dict[str, dict[Labels, int | float]] = {name: {} for name in HELP}
    for name, labels, value in _samples(facts):
        # A series that stands twice makes the whole file invalid.
        by_name[name].setdefault(labels, value)
    return "".join(_family(name, series) for name, series in by_name.items() if series)


def _family(name: str, series: dict[Labels, int | float]) -> str:
    lines = [f"# HELP {PREFIX}{name} {HELP[name]}", f"# TYPE {PREFIX}{name} gauge"]
    for labels, value in sorted(series.items()):
        inside = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels)
        lines.append(f"{PREFIX}{name}{{{inside}}} {value}" if inside else f"{PREFIX}{name} {value}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return printable(text).replace("\\", "\\\\").replace('"', '\\"')


def _labels(**given: str | None) -> Labels:
    """Returns the labels; one that is not known is left out, which is the same as empty."""
    return tuple((key, value) for key, value in given.items() if value)


def _samples(facts: Facts) -> Iterator[Sample]:
    failed = Counter(_labels(module=one.module, server=one.host) for one in facts.failures)
    yield from _counted("readings_failed", failed)
    if facts.read:
        yield "everything_known", (), int(facts.everything_is_known)
    for group in findings_of(facts):
        yield "findings", _labels(code=group.code, severity=group.severity), len(group.seen)
    modes = Counter(
        _labels(compatibility=one.compatibility or "not_known", server=one.machine.server or one.source.host)
        for one in facts.mappings
    )
    yield from _counted("mappings", modes)
    found = Counter(
        _labels(code=code, server=one.machine.server or one.source.host)
        for one in facts.mappings
        for code in {note.code for note in one.findings}
    )
    yield from _counted("mappings_with_finding", found)
    if facts.orphans is not None:
        yield "orphaned_mapping_files", (), sum(one.in_use is False for one in facts.orphans)
    for server in facts.dpm:
        yield from _of_server(server)


def _counted(name: str, counted: Counter[Labels]) -> Iterator[Sample]:
    return ((name, labels, count) for labels, count in counted.items())


def _known(samples: Iterable[tuple[str, Labels, int | float | None]]) -> Iterator[Sample]:
    """Yields what is known."""
    return ((name, labels, value) for name, labels, value in samples if value is not None)


def _of_server(server: DpmServer) -> Iterator[Sample]:
    of_server = _labels(server=server.name)
    yield from _known(
        (
            ("dpm_pool_capacity_bytes", of_server, server.capacity_bytes),
            ("dpm_pool_unallocated_bytes", of_server, server.unallocated_bytes),
        )
    )
    for volume in server.modern_volumes:
        labels = _labels(server=server.name, volume=volume.name)
        yield from _known(
            (
                ("dpm_modern_volume_size_bytes", labels, volume.size_bytes),
                ("dpm_modern_volume_free_bytes", labels, volume.free_bytes),
            )
        )
    for datasource in server.datasources:
        yield from _of_datasource(server, datasource)


def _of_datasource(server: DpmServer, datasource: DataSource) -> Iterator[Sample]:
    labels = _labels(
        server=server.name,
        computer=datasource.computer,
        datasource=datasource.name,
        protection_group=datasource.protection_group,
        # Names may be the same; then only this tells the data sources apart.
        id=datasource.id,
    )
    if datasource.storage_kind != "none":
        for state, consistent in _STATES.items():
            yield "dpm_datasource_state", (*labels, ("state", state)), int(datasource.consistent is consistent)
    if datasource.recovery_point_volume is not None:
        yield from _of_volume(datasource.recovery_point_volume, (*labels, ("volume", "recovery_point")))
    if datasource.replica is not None:
        yield from _of_volume(datasource.replica, (*labels, ("volume", "replica")))
    newest = _seconds(datasource.newest_recovery_point)
    yield from _known((("dpm_newest_recovery_point_timestamp_seconds", labels, newest),))


def _of_volume(volume: Volume, labels: Labels) -> Iterator[Sample]:
    allocated, used = volume.allocated_bytes, volume.used_bytes
    free = None if allocated is None or used is None else max(0, allocated - used)
    yield from _known(
        (
            ("dpm_volume_allocated_bytes", labels, allocated),
            ("dpm_volume_used_bytes", labels, used),
            ("dpm_volume_free_bytes", labels, free),
        )
    )


def _seconds(time: str | None) -> int | None:
    """Returns seconds since 1970 of a time with its zone; None for anything else."""
    try:
        read = datetime.fromisoformat(time or "")
    except ValueError:
        return None
    return None if read.tzinfo is None else int(read.timestamp())
