# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The tables of raw device mappings: each of them, how many a host has, and mapping files that nobody uses. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.winbackup.storage.plugins.plugin_utils._report.commands import conversion_command
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.facts import AFTER_SHUTDOWN, Mapping, Orphan
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.table import (
    NOT_KNOWN,
    SEVERITY,
    Cell,
    Column,
    Filter,
    Row,
    Table,
    cell,
    mono,
    notes_cell,
    number_cell,
    severities,
    size_cell,
    soft,
    with_bar,
    without_empty_columns,
)
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.text import listed, spelt_out

PLACES = ("Server", "Datacenter", "Cluster", "Host", "Folder")
_CONVERTIBLE = {
    "yes": "Yes",
    "after_shutdown": "Needs a shutdown",
    "no": "No",
    "not_known": NOT_KNOWN,
    "virtual": "Is virtual",
}
_MODE = {"physical": "Physical", "virtual": "Virtual", "not_known": NOT_KNOWN}
_MOST_HOSTS = 30


def mappings_table(mappings: Sequence[Mapping]) -> Table:
    """Returns the table of all mappings."""
    columns = (
        Column("Virtual machine", "wide"),
        *map(Column, PLACES),
        Column("Disk"),
        Column("Mapping file", "wide"),
        Column("Mode"),
        Column("Capacity", "number"),
        Column("LUN", "wide"),
        Column("Convertible"),
        Column("Findings", "wide"),
    )
    shown, rows = without_empty_columns(columns, [_mapping_row(one) for one in mappings], PLACES)
    return Table(
        "mappings-table",
        "Table of raw device mappings",
        "Every raw device mapping that was read.",
        shown,
        rows,
        (SEVERITY, Filter("mode", "Mode", _MODE), Filter("convertible", "Convertible", _CONVERTIBLE)),
        "mappings.csv",
    )


def _mapping_row(mapping: Mapping) -> Row:
    machine = mapping.machine
    state = ", ".join(
        part
        for part in (
            spelt_out(machine.power_state).lower() if machine.power_state else "power not known",
            "has snapshots" if machine.has_snapshots else None,
            "template" if machine.template else None,
        )
        if part
    )
    return Row(
        (
            cell(machine.name, soft(state)),
            *(
                cell(place or None)
                for place in (machine.server, machine.datacenter, machine.cluster, machine.host, machine.folder)
            ),
            cell(mapping.address, soft(mapping.label)),
            cell(mono(mapping.file)),
            cell(
                spelt_out(mapping.compatibility) if mapping.compatibility else NOT_KNOWN,
                soft(spelt_out(mapping.disk_mode).lower() if mapping.disk_mode else None),
                soft(f"{mapping.shared_bus} bus sharing" if mapping.shared_bus not in ("none", None) else None),
                soft("multi-writer" if mapping.sharing == "multi_writer" else None),
            ),
            size_cell(mapping.capacity_bytes),
            _lun_cell(mapping),
            _convertible_cell(mapping),
            notes_cell(mapping.findings),
        ),
        anchor=mapping.anchor,
        values={
            "severity": severities(mapping.findings),
            "mode": (mapping.compatibility if mapping.compatibility in _MODE else "not_known",),
            "convertible": (_convertible(mapping),),
        },
        command=conversion_command(mapping),
    )


def _lun_cell(mapping: Mapping) -> Cell:
    lun = mapping.lun
    shared = soft(f"shared with {listed(mapping.shared_with, 5)}" if mapping.shared_with else None)
    if lun is None:
        named = soft(f"the mapping names {mapping.named_lun}" if mapping.named_lun else None)
        return cell(NOT_KNOWN, named, shared)
    return cell(mono(lun.name), soft(lun.given_name), soft(f"serial {lun.serial}" if lun.serial else None), shared)


def _convertible(mapping: Mapping) -> str:
    if mapping.is_virtual:
        return "virtual"
    if mapping.convertible == AFTER_SHUTDOWN:
        return AFTER_SHUTDOWN
    return {True: "yes", False: "no", None: "not_known"}[mapping.convertible]


def _convertible_cell(mapping: Mapping) -> Cell:
    value = _convertible(mapping)
    codes = dict.fromkeys(spelt_out(note.code) for note in mapping.blockers) if value == "no" else ()
    unchecked = "not fully checked" if value == "not_known" and mapping.unchecked else None
    return cell(_CONVERTIBLE[value], *map(soft, codes), soft(unchecked))


def orphans_table(orphans: Sequence[Orphan]) -> Table:
    """Returns the table of mapping files that nobody uses."""
    columns = (
        Column("Mapping file", "wide"),
        Column("Server"),
        Column("Mode"),
        Column("Size of the LUN", "number"),
        Column("Used"),
    )
    rows = [
        Row(
            (
                cell(mono(orphan.file)),
                cell(orphan.server),
                cell(spelt_out(orphan.compatibility) if orphan.compatibility else NOT_KNOWN),
                size_cell(orphan.size_bytes),
                cell(
                    "By nobody"
                    if orphan.in_use is False
                    else "Not known: some virtual machines or hosts could not be read"
                ),
            )
        )
        for orphan in orphans
    ]
    return Table(
        "orphans-table",
        "Table of unused mapping files",
        "Mapping files that no virtual machine uses. Whether another vCenter does cannot be seen here.",
        *without_empty_columns(columns, rows, ("Server",)),
    )


def hosts_table(mappings: Sequence[Mapping]) -> Table:
    """Returns how many mappings the machines of each host have, the hosts with the most first."""
    counts: dict[str, list[int]] = {}
    for mapping in mappings:
        modes = counts.setdefault(mapping.machine.host or "host not known", [0, 0, 0])
        modes[{"physical": 0, "virtual": 1}.get(mapping.compatibility or "", 2)] += 1
    hosts = sorted(counts.items(), key=lambda host: (-sum(host[1]), host[0]))
    highest = max(sum(modes) for modes in counts.values())
    rest = len(hosts) - _MOST_HOSTS
    return Table(
        "hosts-table",
        "Table of mappings by host",
        "All mappings by the host of their virtual machine"
        + (
            f", the {_MOST_HOSTS} hosts with the most; {rest} more hosts are in the table of mappings."
            if rest > 0
            else "."
        ),
        (Column("Host", "wide"), Column("Physical", "number"), Column("Virtual", "number"), Column("All")),
        tuple(
            Row(
                (
                    cell(name),
                    number_cell(physical, f"{physical:,}"),
                    number_cell(virtual, f"{virtual:,}"),
                    number_cell(
                        physical + virtual + unknown,
                        with_bar(f"{physical + virtual + unknown:,}", (physical + virtual + unknown) / highest),
                    ),
                )
            )
            for name, (physical, virtual, unknown) in hosts[:_MOST_HOSTS]
        ),
    )
