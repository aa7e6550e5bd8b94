# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What `esxcfg-scsidevs` prints: the compact list (-c) and the long one (-l).

The columns of the compact list are as wide as what stands in them, and a long type runs into the path that follows.
Sizes are whole MiB, rounded down.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.values import (
    lines,
    whole_number,
    words,
    yes_or_no,
)

# Checked on every sample of the compact list that was found: 5.0 to 8.0, with enclosures and CD-ROMs.
_COMPACT = re.compile(
    r"(?P<uid>\S+)\s+(?P<type>\S.*?)\s*(?P<path>/vmfs/devices/\S+)\s+(?P<size>\d{1,15})MB\s+(?P<plugin>\S+)\s+"
    r"(?P<name>\S.*)",
    re.ASCII,
)
# The long list has several fields in a line; these are their names, as far as they are of use.
_LONG_FIELDS = (
    "Device Type",
    "Size",
    "Display Name",
    "Multipath Plugin",
    "Console Device",
    "Devfs Path",
    "Vendor",
    "Model",
    "Revis",
    "SCSI Level",
    "Is Pseudo",
    "Status",
    "Is RDM Capable",
    "Is Removable",
    "Is Local",
    "Is SSD",
    "VAAI Status",
)
_LONG_FIELD = re.compile(rf"(?:^|\s)(?P<name>{'|'.join(map(re.escape, _LONG_FIELDS))}): ?")
# Free text, to the end of its line: another field's name may stand in it.
_FREE_TEXT = ("Display Name", "Console Device", "Devfs Path")


@dataclass(frozen=True)
class CompactDevice:
    """A line of the compact list."""

    name: str
    device_type: str
    console_device: str
    size_mib: int
    multipath_plugin: str
    display_name: str


@dataclass(frozen=True)
class LongDevice:
    """An entry of the long list; `other_names` are the vml ids."""

    name: str
    device_type: str | None = None
    size_mib: int | None = None
    display_name: str | None = None
    multipath_plugin: str | None = None
    console_device: str | None = None
    vendor: str | None = None
    model: str | None = None
    status: str | None = None
    rdm_capable: bool | None = None
    removable: bool | None = None
    local: bool | None = None
    ssd: bool | None = None
    other_names: tuple[str, ...] = ()


@dataclass
class _Entry:
    name: str
    fields: dict[str, str] = field(default_factory=dict)
    other_names: list[str] = field(default_factory=list)

    def device(self) -> LongDevice:
        fields = self.fields
        return LongDevice(
            name=self.name,
            device_type=words(fields.get("Device Type")),
            size_mib=whole_number(fields.get("Size", "").removesuffix(" MB")),
            display_name=words(fields.get("Display Name")),
            multipath_plugin=words(fields.get("Multipath Plugin")),
            console_device=words(fields.get("Console Device")),
            vendor=words(fields.get("Vendor")),
            model=words(fields.get("Model")),
            status=words(fields.get("Status")),
            rdm_capable=yes_or_no(fields.get("Is RDM Capable")),
            removable=yes_or_no(fields.get("Is Removable")),
            local=yes_or_no(fields.get("Is Local")),
            ssd=yes_or_no(fields.get("Is SSD")),
            other_names=tuple(self.other_names),
        )


def compact_list(text: str) -> tuple[CompactDevice, ...]:
    """Returns the devices of `esxcfg-scsidevs -c`; header and what is no line of a device are passed over."""
    rows = (_COMPACT.fullmatch(line) for line in lines(text))
    return tuple(
        CompactDevice(row["uid"], row["type"], row["path"], int(row["size"]), row["plugin"], row["name"].strip())
        for row in rows
        if row is not None
    )


def long_list(text: str) -> tuple[LongDevice, ...]:
    """Returns the devices of `esxcfg-scsidevs -l`."""
    entries: list[_Entry] = []
    in_names = False
    for line in lines(text):
        if not line.strip():
            continue
        if not line[0].isspace():
            entries.append(_Entry(line.strip()))
            in_names = False
        elif entries:
            stripped = line.strip()
            if stripped == "Other Names:":
                in_names = True
            elif in_names and ":" not in stripped:
                entries[-1].other_names.append(stripped)
            else:
                in_names = False
                _take_fields(entries[-1].fields, stripped)
    return tuple(entry.device() for entry in entries if entry.fields)


def _take_fields(fields: dict[str, str], line: str) -> None:
    """Adds the fields of one line, each once."""
    found = list(_LONG_FIELD.finditer(line))
    for place, one in enumerate(found):
        free = one["name"] in _FREE_TEXT
        end = len(line) if free or place + 1 == len(found) else found[place + 1].start()
        fields.setdefault(one["name"], line[one.end() : end].strip())
        if free:
            return
