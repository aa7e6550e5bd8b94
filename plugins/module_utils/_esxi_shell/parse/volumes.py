# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What `esxcli` tells of datastores: `storage filesystem list` and `storage vmfs extent list`.

Their columns are as wide as what stands in them; only the name of a volume may have blanks, or be empty.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.values import lines

_FILESYSTEM = re.compile(
    r"(?P<mount>/vmfs/volumes/\S+)\s+(?P<name>.*?)\s*\s(?P<uuid>\S+)\s+(?P<mounted>true|false)\s+(?P<type>\S+)\s+"
    r"(?P<size>\d{1,19})\s+(?P<free>\d{1,19})\s*",
    re.ASCII,
)
_EXTENT = re.compile(
    r"(?P<name>\S.*?)\s+(?P<uuid>\S+)\s+(?P<number>\d{1,5})\s+(?P<device>\S+)\s+(?P<partition>\d{1,3})\s*", re.ASCII
)


_HEADER = re.compile(r"Volume Name\s.*|[-\s]+", re.ASCII)


@dataclass(frozen=True)
class Filesystem:
    """A volume that the host mounts; `type` is "VMFS-6", "NFS", "vfat"."""

    mount: str
    name: str
    uuid: str
    mounted: bool
    type: str
    free_bytes: int


@dataclass(frozen=True)
class Extent:
    """A part of a VMFS volume, on a device."""

    volume: str
    uuid: str
    device: str


def filesystems(text: str) -> tuple[Filesystem, ...]:
    """Returns the volumes that have a mount point."""
    rows = (_FILESYSTEM.fullmatch(line) for line in lines(text))
    return tuple(
        Filesystem(row["mount"], row["name"], row["uuid"], row["mounted"] == "true", row["type"], int(row["free"]))
        for row in rows
        if row is not None
    )


def extents(text: str) -> tuple[Extent, ...] | None:
    """Returns the parts of all VMFS volumes; None for a text that is no list of them."""
    found: list[Extent] = []
    for line in lines(text):
        row = _EXTENT.fullmatch(line)
        if row is not None:
            found.append(Extent(row["name"], row["uuid"], row["device"]))
        elif line.strip() and not _HEADER.fullmatch(line):
            return None
    return tuple(found)
