# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The part of the page about DPM servers: the pool, used and allocated of each data source, alerts. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.winbackup.storage.plugins.module_utils._report.facts import DataSource, DpmServer, Volume
from ansible_collections.winbackup.storage.plugins.module_utils._report.markup import Html, element, joined
from ansible_collections.winbackup.storage.plugins.module_utils._report.tables import (
    cell,
    head_cell,
    notes_cell,
    number_cell,
    row,
    share_bar,
    soft,
    table,
)
from ansible_collections.winbackup.storage.plugins.module_utils._report.text import number_of, size, spelt_out


def dpm_section(servers: Sequence[DpmServer]) -> Html:
    """Returns one part a server."""
    return joined(*map(_server, servers))


def _server(server: DpmServer) -> Html:
    alerts = [(datasource, alert) for datasource in server.datasources for alert in datasource.alerts]
    # The fullest first; what is not known last.
    fullest = sorted(
        server.datasources,
        key=lambda one: (-_share(one.recovery_point_volume), one.computer or "", one.name),
    )
    return joined(
        element(
            "h3", server.name, element("span", f" version {server.version}", class_="soft") if server.version else None
        ),
        _pool(server),
        table(
            "Every data source, the fullest recovery-point volume first.",
            (
                "Data source",
                "Recovery-point volume",
                "Replica volume",
                "State",
                "Recovery points",
                "Last failed job",
                "Findings",
            ),
            map(_datasource_row, fullest),
            f"Table of data sources of {server.name}",
        )
        if server.datasources
        else element("p", "No data source is protected.", class_="soft"),
        table(
            "Alerts of the data sources.",
            ("Severity", "Data source", "Since", "Alert"),
            (
                row(
                    cell(spelt_out(alert.severity) if alert.severity else "Not known"),
                    cell(element("a", datasource.name, href=f"#{datasource.anchor}"), soft(datasource.computer)),
                    cell(alert.since),
                    cell(alert.message, soft(alert.type), wide=True),
                )
                for datasource, alert in alerts
            ),
            f"Table of alerts of {server.name}",
        )
        if alerts
        else element("p", "No alert is active.", class_="soft"),
    )


def _pool(server: DpmServer) -> Html:
    capacity, free = server.capacity_bytes, server.unallocated_bytes
    known = capacity is not None and free is not None and 0 < free <= capacity
    used = (capacity or 0) - (free or 0)
    slots = None
    if server.ldm_slots_left is not None:
        slots_in_all = server.ldm_slots_left + (server.ldm_slots_used or 0)
        slots = f"at most {server.ldm_slots_left:,} of {slots_in_all:,} LDM slots left"
    said = (
        f"{size(free)} of {size(capacity)} not allocated",
        number_of(server.volumes, "volume") if server.volumes is not None else None,
        slots,
    )
    return joined(
        element("p", "Storage pool: ", ", ".join(part for part in said if part)),
        share_bar([(used / capacity, "used")], f"{used / capacity:.0%} of the pool is allocated")
        if known and capacity
        else None,
    )


def _datasource_row(datasource: DataSource) -> Html:
    consistent = {True: "Consistent", False: "Inconsistent", None: "Consistency not known"}[datasource.consistent]
    count = datasource.recovery_points
    return row(
        head_cell(datasource.name, soft(datasource.computer), soft(datasource.protection_group)),
        _volume_cell(datasource.recovery_point_volume, datasource, short=datasource.is_short),
        _volume_cell(datasource.replica, datasource, short=False),
        cell(
            consistent,
            soft(spelt_out(datasource.state) if datasource.state else None),
            soft("protection is inactive" if datasource.active is False else None),
        ),
        number_cell(
            count,
            "not known" if count is None else f"{count:,}",
            soft(f"newest {datasource.newest_recovery_point}" if datasource.newest_recovery_point else None),
        ),
        cell(datasource.last_failure, wide=True),
        notes_cell(datasource.findings),
        anchor=datasource.anchor,
    )


def _volume_cell(volume: Volume | None, datasource: DataSource, *, short: bool) -> Html:
    if volume is None:
        modern = datasource.storage_kind == "modern"
        return element("td", "none of its own (modern storage)" if modern else "not known", data_sort=-1)
    share = volume.used_share
    if share is None:
        return element("td", f"{size(volume.used_bytes)} of {size(volume.allocated_bytes)}", data_sort=-1)
    text = f"{share:.0%} used: {size(volume.used_bytes)} of {size(volume.allocated_bytes)}"
    return element("td", share_bar([(share, "used short" if short else "used")], text), text, data_sort=share)


def _share(volume: Volume | None) -> float:
    share = volume.used_share if volume is not None else None
    return -1.0 if share is None else share
