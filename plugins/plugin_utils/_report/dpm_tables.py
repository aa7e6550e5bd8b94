# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The tables of DPM servers: data sources with what their volumes hold, modern storage, computers, alerts. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.plugin_utils._report.commands import extension_command
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.facts import (
    Alert,
    Computer,
    DataSource,
    DpmServer,
    ModernVolume,
    Volume,
)
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.table import (
    NOT_KNOWN,
    SEVERITY,
    Cell,
    Column,
    Filter,
    Line,
    Row,
    Table,
    cell,
    link,
    mono,
    notes_cell,
    number_cell,
    severities,
    size_cell,
    soft,
    with_bar,
)
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.text import number_of, size, spelt_out

_CONSISTENT = {"yes": "Consistent", "no": "Inconsistent", "not_known": "Consistency not known"}
# How full a volume was on a day: an eighth a block.
_BLOCKS = "▁▂▃▄▅▆▇█"
_LEAST_DAYS_DRAWN = 2
_STORAGE = {"legacy": "Volumes of its own", "modern": "Modern storage", "none": "None", "unknown": NOT_KNOWN}


@dataclass(frozen=True)
class ServerPart:
    """What the page shows of one DPM server: sentences, a bar of the pool, and tables."""

    name: str
    version: str | None
    pool: Line
    sentences: tuple[str, ...]
    tables: tuple[Table, ...]


def server_parts(servers: Sequence[DpmServer]) -> list[ServerPart]:
    """Returns one part a server."""
    return [_server_part(server, f"dpm{number}") for number, server in enumerate(servers, 1)]


def _server_part(server: DpmServer, anchor: str) -> ServerPart:
    alerts = [
        *((None, alert) for alert in server.alerts or ()),
        *((datasource, alert) for datasource in server.datasources for alert in datasource.alerts or ()),
    ]
    sentences = []
    if not server.datasources:
        sentences.append("No data source was found.")
    if not server.all_alerts_known:
        sentences.append("Not all alerts could be read, so there may be more than are shown here.")
    elif not alerts:
        sentences.append("No alert is active.")
    tables = (
        _datasources_table(server, anchor) if server.datasources else None,
        _modern_table(server, anchor) if server.modern_volumes else None,
        _computers_table(server, anchor) if any(map(_stands_out, server.computers)) else None,
        _alerts_table(server, anchor, alerts) if alerts else None,
    )
    return ServerPart(
        server.name, server.version, _pool(server), tuple(sentences), tuple(one for one in tables if one is not None)
    )


def _pool(server: DpmServer) -> Line:
    capacity, free = server.capacity_bytes, server.unallocated_bytes
    if capacity is None and server.modern_volumes:
        return f"Modern Backup Storage: {number_of(len(server.modern_volumes), 'volume')}; no pool of disks is known"
    slots = None
    if server.ldm_slots_left is not None:
        slots_in_all = server.ldm_slots_left + (server.ldm_slots_used or 0)
        slots = f"at most {server.ldm_slots_left:,} of {slots_in_all:,} LDM slots left"
    if capacity == 0 or (capacity is None and server.volumes is None and slots is None):
        return "Storage pool: " + ("it has no disk" if capacity == 0 else "none, or not known")
    said = (
        f"{size(free)} of {size(capacity)} not allocated",
        number_of(server.volumes, "volume") if server.volumes is not None else None,
        slots,
    )
    text = "Storage pool: " + ", ".join(part for part in said if part)
    if capacity is None or free is None or free > capacity:
        return text
    return with_bar(text, (capacity - free) / capacity)


def _datasources_table(server: DpmServer, anchor: str) -> Table:
    # The fullest first; what is not known last.
    fullest = sorted(
        server.datasources, key=lambda one: (-_share(one.recovery_point_volume), one.computer or "", one.name)
    )
    return Table(
        f"{anchor}-datasources",
        f"Table of data sources of {server.name}",
        "Every data source, the fullest recovery-point volume first.",
        (
            Column("Data source", "wide"),
            Column("Recovery-point volume"),
            Column("Replica volume"),
            Column("State"),
            Column("Recovery points", "number"),
            Column("Last failed job", "wide"),
            Column("Findings", "wide"),
        ),
        tuple(_datasource_row(one, server) for one in fullest),
        (SEVERITY, Filter("consistent", "Replica", _CONSISTENT), Filter("storage", "Storage", _STORAGE)),
        "datasources.csv",
    )


def _datasource_row(datasource: DataSource, server: DpmServer) -> Row:
    consistent = consistent_word(datasource)
    count = datasource.recovery_points
    return Row(
        (
            cell(datasource.name, soft(datasource.computer), soft(datasource.protection_group)),
            _volume_cell(datasource.recovery_point_volume, datasource, datasource.history, short=datasource.is_short),
            _volume_cell(datasource.replica, datasource, short=datasource.replica_is_short),
            cell(
                _CONSISTENT[consistent],
                soft(spelt_out(datasource.state) if datasource.state else None),
                soft("protection is inactive" if datasource.active is False else None),
                soft("its alerts could not be read" if datasource.alerts is None else None),
            ),
            number_cell(
                count,
                "not known" if count is None else f"{count:,}",
                soft(f"newest {datasource.newest_recovery_point}" if datasource.newest_recovery_point else None),
            ),
            cell(datasource.last_failure),
            notes_cell(datasource.findings),
        ),
        anchor=datasource.anchor,
        values={
            "severity": severities(datasource.findings),
            "consistent": (consistent,),
            "storage": (datasource.storage_kind if datasource.storage_kind in _STORAGE else "unknown",),
        },
        command=extension_command(datasource, server),
    )


def consistent_word(datasource: DataSource) -> str:
    """Returns "yes", "no" or "not_known"."""
    return {True: "yes", False: "no", None: "not_known"}[datasource.consistent]


def _volume_cell(volume: Volume | None, datasource: DataSource, history: Sequence[int] = (), *, short: bool) -> Cell:
    if volume is None:
        without = {"modern": "none of its own (modern storage)", "none": "none (not kept on disk)"}
        return cell(without.get(datasource.storage_kind or "", "not known"), sort=-1)
    share = volume.used_share
    if share is None:
        return cell(f"{size(volume.used_bytes)} of {size(volume.allocated_bytes)}", sort=-1)
    text = f"{share:.0%} used: {size(volume.used_bytes)} of {size(volume.allocated_bytes)}"
    return cell(with_bar(text, share, "short" if short else ""), _curve(history, volume.allocated_bytes), sort=share)


def _curve(history: Sequence[int], whole: int | None) -> Line | None:
    """Returns what was used on former days as a row of blocks, whose height is the used share; None for no days."""
    if len(history) < _LEAST_DAYS_DRAWN or not whole:
        return None
    heights = (min(len(_BLOCKS) - 1, used * len(_BLOCKS) // whole) for used in history)
    return mono("".join(_BLOCKS[height] for height in heights))


def _share(volume: Volume | None) -> float:
    share = volume.used_share if volume is not None else None
    return -1.0 if share is None else share


def _modern_table(server: DpmServer, anchor: str) -> Table:
    return Table(
        f"{anchor}-modern",
        f"Table of volumes of modern storage of {server.name}",
        "Volumes of Modern Backup Storage.",
        (
            Column("Volume", "wide"),
            Column("Used"),
            Column("Free", "number"),
            Column("Size", "number"),
            Column("Data sources", "number"),
            Column("Findings", "wide"),
        ),
        tuple(map(_modern_row, server.modern_volumes)),
    )


def _modern_row(volume: ModernVolume) -> Row:
    free, whole = volume.free_bytes, volume.size_bytes
    used = (whole - free) / whole if whole and free is not None and free <= whole else None
    return Row(
        (
            cell(volume.name),
            cell(NOT_KNOWN, sort=-1)
            if used is None
            else cell(with_bar(f"{used:.0%} used", used), _curve(volume.history, whole), sort=used),
            size_cell(free),
            size_cell(whole),
            number_cell(volume.datasources, "not known" if volume.datasources is None else f"{volume.datasources:,}"),
            notes_cell(volume.findings),
        ),
        values={"severity": severities(volume.findings)},
    )


def _stands_out(computer: Computer) -> bool:
    return bool(computer.findings) or computer.reachable is False


def _computers_table(server: DpmServer, anchor: str) -> Table:
    reachable = {True: "Yes", False: "No", None: NOT_KNOWN}
    return Table(
        f"{anchor}-computers",
        f"Table of computers of {server.name}",
        "Protected computers that cannot be reached, or of which something was found.",
        (Column("Computer", "wide"), Column("Can be reached"), Column("Findings", "wide")),
        tuple(
            Row(
                (cell(one.name), cell(reachable[one.reachable]), notes_cell(one.findings)),
                values={"severity": severities(one.findings)},
            )
            for one in server.computers
            if _stands_out(one)
        ),
    )


def _alerts_table(server: DpmServer, anchor: str, alerts: Sequence[tuple[DataSource | None, Alert]]) -> Table:
    words = {
        (alert.severity or "").casefold(): spelt_out(alert.severity) if alert.severity else NOT_KNOWN
        for _datasource, alert in alerts
    }
    return Table(
        f"{anchor}-alerts",
        f"Table of alerts of {server.name}",
        "Active alerts.",
        (Column("Severity"), Column("Data source", "wide"), Column("Since"), Column("Alert", "wide")),
        tuple(
            Row(
                (
                    cell(words[(alert.severity or "").casefold()]),
                    cell(link(datasource.name, datasource.anchor), soft(datasource.computer))
                    if datasource is not None
                    else cell("of the server"),
                    cell(alert.since),
                    cell(alert.message, soft(alert.type)),
                ),
                values={"severity": ((alert.severity or "").casefold(),)},
            )
            for datasource, alert in alerts
        ),
        (Filter("severity", "Severity", words),),
    )
