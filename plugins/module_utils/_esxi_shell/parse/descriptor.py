# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The descriptor of a virtual disk: a small text file that says of what kind it is and where its blocks are."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.values import lines
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility

SECTOR_BYTES = 512
_HEADER = "# Disk DescriptorFile"
_SETTING = re.compile(r'\s*(?P<key>[\w.]+)\s*=\s*"?(?P<value>[^"\r\n]*)"?\s*', re.ASCII)
_EXTENT = re.compile(r'\s*(?:RW|RDONLY|NOACCESS)\s+(?P<sectors>\d{1,19})\s+(?P<type>\w+)(?:\s+"(?P<file>.*)"[^"]*)?\s*')
_MODES = {
    "vmfspassthroughrawdevicemap": Compatibility.PHYSICAL,
    "vmfsrawdevicemap": Compatibility.VIRTUAL,
}


@dataclass(frozen=True)
class Descriptor:
    """What a descriptor says; `sectors` are of 512 bytes, the sum of its extents, None where one cannot be read."""

    create_type: str | None = None
    sectors: int | None = None
    extents: tuple[str, ...] = ()
    parent: str | None = None
    uuid: str | None = None
    change_tracking_file: str | None = None

    @property
    def compatibility(self) -> Compatibility | None:
        """The mode of a mapping; None for any other kind of disk."""
        return _MODES.get((self.create_type or "").lower())

    @property
    def size_bytes(self) -> int | None:
        """The exact size that the descriptor holds; it is the LUN's as it was when it was mapped."""
        return None if self.sectors is None else self.sectors * SECTOR_BYTES


def descriptor(text: str) -> Descriptor | None:
    """Returns what a descriptor says; None for a text that is no descriptor."""
    if _HEADER not in text[:256]:
        return None
    settings: dict[str, str] = {}
    sectors: int | None = None
    extents: list[str] = []
    for line in lines(text):
        if line.lstrip().startswith("#"):
            continue
        extent = _EXTENT.fullmatch(line)
        if extent is not None:
            sectors = (sectors or 0) + int(extent["sectors"])
            if extent["file"]:
                extents.append(extent["file"])
            continue
        setting = _SETTING.fullmatch(line)
        if setting is not None:
            settings.setdefault(setting["key"].lower(), setting["value"])
    return Descriptor(
        create_type=settings.get("createtype") or None,
        sectors=sectors,
        extents=tuple(extents),
        parent=settings.get("parentfilenamehint") or None,
        uuid=settings.get("ddb.uuid") or None,
        change_tracking_file=settings.get("changetrackpath") or None,
    )
