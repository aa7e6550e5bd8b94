# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The table of all LUNs. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.winbackup.storage.plugins.plugin_utils._report.facts import ListedLun, LunHost
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
    severities,
    size_cell,
    soft,
    without_empty_columns,
)
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.text import spelt_out

_MAPPABLE = {"yes": "Yes", "no": "No", "not_known": NOT_KNOWN}


def luns_table(luns: Sequence[ListedLun]) -> Table:
    """Returns the table of all LUNs."""
    columns = (
        Column("LUN", "wide"),
        Column("Server"),
        Column("Device"),
        Column("Capacity", "number"),
        Column("State"),
        Column("Hosts", "wide"),
        Column("Used by", "wide"),
        Column("Can be mapped"),
        Column("Findings", "wide"),
    )
    return Table(
        "luns-table",
        "Table of LUNs",
        "Every LUN that the hosts show.",
        *without_empty_columns(columns, [_lun_row(one) for one in luns], ("Server",)),
        (SEVERITY, Filter("mappable", "Can be mapped", _MAPPABLE)),
        "luns.csv",
    )


def _lun_row(listed_lun: ListedLun) -> Row:
    lun = listed_lun.lun
    kind = ", ".join(
        part
        for part in (
            {True: "local", False: "shared", None: None}[lun.local],
            "solid state" if lun.ssd else None,
            listed_lun.device_type if listed_lun.device_type not in ("disk", None) else None,
            listed_lun.multipath_plugin,
        )
        if part
    )
    mappable = mappable_word(listed_lun)
    return Row(
        (
            cell(mono(lun.name), soft(lun.given_name)),
            cell(listed_lun.server),
            cell(
                " ".join(part.strip() for part in (lun.vendor, lun.model) if part),
                soft(kind),
                soft(f"serial {lun.serial}" if lun.serial else None),
                soft(f"{lun.block_size}-byte blocks" if lun.block_size else None),
            ),
            size_cell(lun.capacity_bytes),
            cell(
                spelt_out(lun.state) if lun.state else "Not known or not the same everywhere",
                soft("perennially reserved" if lun.perennially_reserved else None),
            ),
            _hosts_cell(lun.hosts),
            _use_cell(listed_lun),
            cell(_MAPPABLE[mappable], *(soft(spelt_out(reason)) for reason in listed_lun.mappable_reasons)),
            notes_cell(listed_lun.findings),
        ),
        anchor=listed_lun.anchor,
        values={"severity": severities(listed_lun.findings), "mappable": (mappable,)},
    )


def mappable_word(listed_lun: ListedLun) -> str:
    """Returns "yes", "no" or "not_known"."""
    return {True: "yes", False: "no", None: "not_known"}[listed_lun.mappable]


def uses_of(listed_lun: ListedLun) -> list[str]:
    """Returns what uses a LUN, in words; that not all could be read is one of them."""
    return [
        *listed_lun.users,
        *([f"datastore {listed_lun.datastore}"] if listed_lun.datastore else ()),
        *(["the host starts from it"] if listed_lun.boot else ()),
        *(["vSAN"] if listed_lun.vsan else ()),
        *(["not all that could use it was read"] if listed_lun.all_users_known is False else ()),
    ]


def _hosts_cell(hosts: Sequence[LunHost]) -> Cell:
    """Returns the hosts by the LUN number that they have for it."""
    by_number: dict[int | None, list[str]] = {}
    for host in hosts:
        by_number.setdefault(host.lun_number, []).append(host.host)
    lines = (("" if number is None else f"LUN {number}: ") + ", ".join(names) for number, names in by_number.items())
    return cell(*lines, sort=len(hosts))


def _use_cell(listed_lun: ListedLun) -> Cell:
    return cell(*(uses_of(listed_lun) or ("nothing that was seen",)))
