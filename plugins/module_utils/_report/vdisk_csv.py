# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The mappings as CSV with the column names of RVTools' sheet vDisk, in the order they have there. Pure.

Values are spelt as the vSphere API spells them, since that is what RVTools shows. What was not read is empty:
`Disk UUID`, and `Disk Path`, the path inside the guest. After them come columns of our own.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from collections.abc import Mapping as Record

from ansible_collections.winbackup.storage.plugins.module_utils._report.facts import Mapping, Note
from ansible_collections.winbackup.storage.plugins.module_utils._report.text import printable

COLUMNS = (
    "VM", "Powerstate", "Template", "Disk", "Disk Key", "Disk UUID", "Disk Path", "Capacity MiB", "Raw", "Disk Mode",
    "Sharing mode", "Thin", "Controller", "Label", "SCSI Unit #", "Unit #", "Shared Bus", "Path", "Raw LUN ID",
    "Raw Comp. Mode", "Host", "VM ID", "VM UUID",
    "LUN Name", "LUN Serial", "Convertible", "Findings", "Blockers",
)  # fmt: skip

# Excel takes a file for UTF-8 by this mark alone; without it Japanese names are garbled.
_MARK = "\ufeff"
# What a spreadsheet begins a formula with; the wide forms count where the keyboard is East Asian.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
_POWER = {"powered_on": "poweredOn", "powered_off": "poweredOff"}
_SHARING = {"none": "sharingNone", "multi_writer": "sharingMultiWriter"}
_SHARED_BUS = {"none": "noSharing", "virtual": "virtualSharing", "physical": "physicalSharing"}
_MODE = {"physical": "physicalMode", "virtual": "virtualMode"}


def vdisk_csv(mappings: Iterable[Mapping]) -> str:
    """Returns the CSV text with its byte order mark and CR LF at the line ends."""
    text = io.StringIO(newline="")
    text.write(_MARK)
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    writer.writerows([cell(value) for value in _row(mapping)] for mapping in mappings)
    return text.getvalue()


def cell(value: str | int | bool | None) -> str | int:
    """Returns a value as a cell: text that a spreadsheet would take for a formula gets an apostrophe in front."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "True" if value else "False"
    if isinstance(value, int):
        return value
    text = printable(value)
    return f"'{text}" if value.startswith(_FORMULA) else text


def _row(mapping: Mapping) -> tuple[str | int | bool | None, ...]:
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
        machine.host,
        machine.moid,
        machine.instance_uuid,
        lun.name if lun is not None else None,
        lun.serial if lun is not None else None,
        {True: "yes", False: "no", None: "not fully checked"}[mapping.convertible],
        _codes(mapping.findings),
        _codes(mapping.blockers),
    )


def _api(spelling: Record[str, str], value: str | None) -> str | None:
    return None if value is None else spelling.get(value, value)


def _codes(notes: Iterable[Note]) -> str:
    return " ".join(dict.fromkeys(note.code for note in notes))
