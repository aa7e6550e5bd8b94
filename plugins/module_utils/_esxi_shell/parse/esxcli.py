# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What `esxcli storage core ... list` prints, as text or as JSON: the same records either way.

Fields differ by version: unknown ones are ignored, missing ones are None. Values carry trailing blanks on 5.5. The
formatter json is not documented; where a version lacks it, it says so and the text is read (seen: 8.0.3 has it).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.errors import UnreadableOutput
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.values import (
    lines,
    whole_number,
    words,
    yes_or_no,
)

_FIELD = re.compile(r"\s+(?P<name>[^:]+):(?P<value>.*)")
_CAPACITY_ROW = re.compile(
    r"(?P<device>\S+)\s+\d{1,9}\s+(?P<logical>\d{1,9})\s+(?P<count>\d{1,19})\s+\d+ MiB"
    r"\s+(?P<format>\S.*)",
    re.ASCII,
)


@dataclass(frozen=True)
class Device:
    """A storage device of the host. The size is in whole MiB, rounded down: it never stands for the exact one."""

    name: str
    display_name: str | None = None
    device_type: str | None = None
    multipath_plugin: str | None = None
    devfs_path: str | None = None
    vendor: str | None = None
    model: str | None = None
    status: str | None = None
    rdm_capable: bool | None = None
    local: bool | None = None
    removable: bool | None = None
    ssd: bool | None = None
    offline: bool | None = None
    perennially_reserved: bool | None = None
    protocol_endpoint: bool | None = None
    usb: bool | None = None
    boot: bool | None = None
    other_uids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Capacity:
    """The exact size of a device: count of logical blocks and their size in bytes; `format` is 512n, 512e, 4Kn."""

    name: str
    logical_block_size: int
    logical_block_count: int
    format: str | None = None

    @property
    def size_bytes(self) -> int:
        """The exact size."""
        return self.logical_block_size * self.logical_block_count


@dataclass(frozen=True)
class Path:
    """One path of the host to a device; `runtime_name` is "vmhba2:C0:T2:L0"."""

    device: str
    runtime_name: str | None
    adapter: str | None
    lun: int | None
    state: str | None
    transport: str | None


def devices_from_text(text: str) -> tuple[Device, ...]:
    """Returns the devices of `esxcli storage core device list`."""
    return tuple(
        _device(name, fields, lambda listed: tuple(filter(None, (uid.strip() for uid in str(listed).split(",")))))
        for name, fields in _blocks(text)
    )


def devices_from_json(text: str) -> tuple[Device, ...]:
    """Returns the devices of `esxcli --debug --formatter=json storage core device list`; raises UnreadableOutput."""
    found = []
    for row in _rows(text, "esxcli storage core device list"):
        name = row.get("Device")
        if isinstance(name, str) and name:
            spaced = {_spaced(key): value for key, value in row.items()}
            found.append(_device(name, spaced, _listed))
    return tuple(found)


def capacities_from_text(text: str) -> tuple[Capacity, ...]:
    """Returns the exact sizes of `esxcli storage core device capacity list` (there since 6.5 or 6.7)."""
    rows = (_CAPACITY_ROW.fullmatch(line) for line in lines(text))
    return tuple(
        Capacity(row["device"], int(row["logical"]), int(row["count"]), row["format"].strip())
        for row in rows
        if row is not None
    )


def paths_from_text(text: str) -> tuple[Path, ...]:
    """Returns the paths of `esxcli storage core path list`."""
    found = []
    for _uid, fields in _blocks(text):
        device = words(fields.get("Device"))
        if device is not None:
            found.append(
                Path(
                    device,
                    words(fields.get("Runtime Name")),
                    words(fields.get("Adapter")),
                    whole_number(fields.get("LUN")),
                    words(fields.get("State")),
                    words(fields.get("Transport")),
                )
            )
    return tuple(found)


def _device(name: str, fields: Mapping[str, object], uids: Callable[[object], tuple[str, ...]]) -> Device:
    return Device(
        name=name,
        display_name=words(fields.get("Display Name")),
        device_type=words(fields.get("Device Type")),
        multipath_plugin=words(fields.get("Multipath Plugin")),
        devfs_path=words(fields.get("Devfs Path")),
        vendor=words(fields.get("Vendor")),
        model=words(fields.get("Model")),
        status=words(fields.get("Status")),
        rdm_capable=yes_or_no(fields.get("Is RDM Capable")),
        local=yes_or_no(fields.get("Is Local")),
        removable=yes_or_no(fields.get("Is Removable")),
        ssd=yes_or_no(fields.get("Is SSD")),
        offline=yes_or_no(fields.get("Is Offline")),
        perennially_reserved=yes_or_no(fields.get("Is Perennially Reserved")),
        protocol_endpoint=yes_or_no(fields.get("Is VVOL PE")),
        usb=yes_or_no(fields.get("Is USB")),
        boot=yes_or_no(fields.get("Is Boot Device")),
        other_uids=uids(fields.get("Other UIDs", "")),
    )


def _listed(value: object) -> tuple[str, ...]:
    """Returns the other ids as JSON has them: a list, or one text."""
    many = value if isinstance(value, list) else [value]
    return tuple(uid.strip() for uid in many if isinstance(uid, str) and uid.strip())


def _blocks(text: str) -> Iterator[tuple[str, dict[str, object]]]:
    """Yields each head line that is not indented, with the "Name: value" lines that are indented below it."""
    name: str | None = None
    fields: dict[str, object] = {}
    for line in lines(text):
        if not line.strip():
            continue
        if not line[0].isspace():
            if name is not None:
                yield name, fields
            name, fields = line.strip(), {}
            continue
        field = _FIELD.fullmatch(line)
        if field is not None:
            fields.setdefault(field["name"].strip(), field["value"])
    if name is not None and fields:
        yield name, fields


def _rows(text: str, command: str) -> Iterator[dict[str, object]]:
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableOutput(command, text) from error
    if not isinstance(parsed, list):
        raise UnreadableOutput(command, text)
    yield from (row for row in parsed if isinstance(row, dict))


def _spaced(key: str) -> str:
    """Returns the name of a field in text for its name in JSON: "OtherUIDs" is "Other UIDs"."""
    return {
        "OtherUIDs": "Other UIDs",
        "IsRDMCapable": "Is RDM Capable",
        "IsSSD": "Is SSD",
        "IsUSB": "Is USB",
        "IsVVOLPE": "Is VVOL PE",
    }.get(key, re.sub(r"(?<=[a-z])(?=[A-Z])", " ", key))
