# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Mappings, LUNs and data sources as CSV files. Pure.

The mappings have the column names of RVTools' sheet vDisk, in the order they have there, and values spelt as the
vSphere API spells them, since that is what RVTools shows. What was not read is empty: `Disk UUID`, and `Disk Path`, the
path inside the guest. After them come columns of our own. Sizes of LUNs and data sources are bytes.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from collections.abc import Mapping as Record
from typing import TypeAlias

from ansible_collections.winbackup.storage.plugins.plugin_utils._report.facts import (
    AFTER_SHUTDOWN,
    DataSource,
    DpmServer,
    ListedLun,
    Mapping,
    Note,
    Volume,
)
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.lun_tables import uses_of
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.text import printable

COLUMNS = (
    "VM", "Powerstate", "Template", "Disk", "Disk Key", "Disk UUID", "Disk Path", "Capacity MiB", "Raw", "Disk Mode",
    "Sharing mode", "Thin", "Controller", "Label", "SCSI Unit #", "Unit #", "Shared Bus", "Path", "Raw LUN ID",
    "Raw Comp. Mode", "Datacenter", "Cluster", "Host", "Folder", "VM ID", "VM UUID", "VI SDK Server",
    "LUN Name", "LUN Serial", "Convertible", "Findings", "Blockers",
)  # fmt: skip
LUN_COLUMNS = (
    "LUN Name", "Display Name", "LUN UUID", "Vendor", "Model", "Serial", "Capacity", "Block Size", "State", "Local",
    "SSD", "Perennially Reserved", "Hosts", "LUN Number", "Used By", "Can Be Mapped", "Reasons", "Findings",
    "VI SDK Server",
)  # fmt: skip
DATASOURCE_COLUMNS = (
    "DPM Server", "Data Source", "Computer", "Protection Group", "Type", "Storage", "State", "Consistent", "Active",
    "Recovery-Point Volume Allocated", "Recovery-Point Volume Used", "Replica Allocated", "Replica Used", "Auto-Grow",
    "Recovery Points", "Newest Recovery Point", "Last Failed Job", "Active Alerts", "Findings", "Data Source ID",
)  # fmt: skip
_CONVERTIBLE = {True: "yes", False: "no", None: "not known", AFTER_SHUTDOWN: "needs a shutdown"}

# Excel takes a file for UTF-8 by this mark alone; without it Japanese names are garbled.
_MARK = "\ufeff"
# What a spreadsheet begins a formula with; the wide forms count where the keyboard is East Asian.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Where the list separator is another than the comma, a cell is taken apart there, whatever quotes are around it.
_AFTER_SEPARATOR = re.compile(f'([;|]["\\s]*)([{re.escape("".join(_FORMULA))}])')
_POWER = {"powered_on": "poweredOn", "powered_off": "poweredOff"}
_SHARING = {"none": "sharingNone", "multi_writer": "sharingMultiWriter"}
_SHARED_BUS = {"none": "noSharing", "virtual": "virtualSharing", "physical": "physicalSharing"}
_MODE = {"physical": "physicalMode", "virtual": "virtualMode"}


_Value: TypeAlias = "str | int | bool | None"


def vdisk_csv(mappings: Iterable[Mapping]) -> str:
    """Returns the mappings as the text of a CSV file."""
    return _file(COLUMNS, map(_row, mappings))


def luns_csv(luns: Iterable[ListedLun]) -> str:
    """Returns the LUNs as the text of a CSV file."""
    return _file(LUN_COLUMNS, map(_lun_row, luns))


def datasources_csv(servers: Iterable[DpmServer]) -> str:
    """Returns the data sources of DPM servers as the text of a CSV file."""
    rows = (_datasource_row(server, datasource) for server in servers for datasource in server.datasources)
    return _file(DATASOURCE_COLUMNS, rows)


def _file(columns: Sequence[str], rows: Iterable[Sequence[_Value]]) -> str:
    """Returns the text with its byte order mark and CR LF at the line ends."""
    text = io.StringIO(newline="")
    text.write(_MARK)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([cell(value) for value in row] for row in rows)
    return text.getvalue()


def cell(value: _Value) -> str | int:
    """Returns a value as a cell: text that a spreadsheet would take for a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, int):
        return value
    text = printable(value)
    text = _AFTER_SEPARATOR.sub(r"\1'\2", text)
    return f"'{text}" if value.startswith(_FORMULA) else text


def _row(mapping: Mapping) -> tuple[_Value, ...]:
    machine, lun = mapping.machine, mapping.lun
    controller = None
    if mapping.controller_type is not None and mapping.controller_bus is not None:
        controller = f"{mapping.controller_type.upper()} controller {mapping.controller_bus}"
    return (
        machine.name,
        _api(_POWER, machine.power_state),
        machine.template,
        mapping.label,
        mapping.key,
        None,
        None,
        None if mapping.capacity_bytes is None else mapping.capacity_bytes // 1024**2,
        True,
        mapping.disk_mode,
        _api(_SHARING, mapping.sharing),
        # A mapping has no blocks of its own that could be thin.
        False,
        controller,
        mapping.label,
        mapping.unit if mapping.controller_type == "scsi" else None,
        mapping.unit,
        _api(_SHARED_BUS, mapping.shared_bus),
        mapping.file,
        lun.uuid if lun is not None else None,
        _api(_MODE, mapping.compatibility),
        machine.datacenter,
        machine.cluster,
        machine.host,
        machine.folder,
        machine.moid,
        machine.instance_uuid,
        machine.server,
        lun.name if lun is not None else mapping.named_lun,
        lun.serial if lun is not None else None,
        "not fully checked" if mapping.convertible is None and mapping.unchecked else _CONVERTIBLE[mapping.convertible],
        _codes(mapping.findings),
        _codes(mapping.blockers),
    )


def _lun_row(listed: ListedLun) -> tuple[_Value, ...]:
    lun = listed.lun
    numbers = list(dict.fromkeys(host.lun_number for host in lun.hosts))
    return (
        lun.name,
        lun.display_name,
        lun.uuid,
        lun.vendor,
        lun.model,
        lun.serial,
        lun.capacity_bytes,
        lun.block_size,
        lun.state,
        lun.local,
        lun.ssd,
        lun.perennially_reserved,
        ", ".join(host.host for host in lun.hosts),
        numbers[0] if len(numbers) == 1 else None,
        ", ".join(uses_of(listed)),
        {True: "yes", False: "no", None: "not known"}[listed.mappable],
        " ".join(listed.mappable_reasons),
        _codes(listed.findings),
        listed.server,
    )


def _datasource_row(server: DpmServer, datasource: DataSource) -> tuple[_Value, ...]:
    return (
        server.name,
        datasource.name,
        datasource.computer,
        datasource.protection_group,
        datasource.type,
        datasource.storage_kind,
        datasource.state,
        {True: "yes", False: "no", None: "not known"}[datasource.consistent],
        datasource.active,
        *_sizes(datasource.recovery_point_volume),
        *_sizes(datasource.replica),
        datasource.auto_grow,
        datasource.recovery_points,
        datasource.newest_recovery_point,
        datasource.last_failure,
        "not known" if datasource.alerts is None else len(datasource.alerts),
        _codes(datasource.findings),
        datasource.id,
    )


def _sizes(volume: Volume | None) -> tuple[int | None, int | None]:
    return (None, None) if volume is None else (volume.allocated_bytes, volume.used_bytes)


def _api(spelling: Record[str, str], value: str | None) -> str | None:
    return None if value is None else spelling.get(value, value)


def _codes(notes: Iterable[Note]) -> str:
    return " ".join(dict.fromkeys(note.code for note in notes))
