# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Shadow copies of a machine: Win32_ShadowCopy with its method Create, and its documented return values."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass, field
from typing import Any

from powershell import Int64, PsObject

from .disks import Disk, Partition

ACCESS_DENIED, INVALID, NOT_FOUND, NOT_SUPPORTED, NO_CONTEXT = 1, 2, 3, 4, 5
NO_STORAGE, MAXIMUM, IN_PROGRESS, VETOED, PROVIDER = 6, 8, 9, 10, 12
# Copies of a volume: of all kinds, and of those that clients see, where nothing else is set.
MOST, MOST_CLIENT_ACCESSIBLE = 512, 64
CONTEXT = "ClientAccessible"
# VSS_ASSOC_NO_MAX_SPACE, which is -1, in 64 bits without a sign.
_UNLIMITED = 2**64 - 1


@dataclass(frozen=True)
class ShadowCopy:
    """A copy; `client_accessible` ones persist until they are deleted, and the oldest goes at the limit of number."""

    id: str
    volume: str  # \\?\Volume{guid}\
    made: datetime.datetime
    number: int
    client_accessible: bool = True

    def properties(self) -> dict[str, Any]:
        """What an instance of Win32_ShadowCopy shows."""
        return {
            "ID": self.id,
            "VolumeName": self.volume,
            "DeviceObject": f"\\\\?\\GLOBALROOT\\Device\\HarddiskVolumeShadowCopy{self.number}",
            "State": 12,
            "Persistent": True,
            "ClientAccessible": self.client_accessible,
            "NoWriters": self.client_accessible,
            "Differential": True,
        }


@dataclass
class Area:
    """Where the copies of a volume are stored (Win32_ShadowStorage), by the GUIDs of both; what a new copy takes at
    first is `first`. `most` None: without a limit."""

    volume: str
    on: str
    allocated: int = 0
    most: int | None = None
    first: int = 320 << 20


@dataclass
class ShadowCopies:
    """The copies of a machine. `failing` are return values by the GUID of a volume; `busy`: another creation runs."""

    copies: list[ShadowCopy] = field(default_factory=list)
    areas: list[Area] = field(default_factory=list)
    failing: dict[str, int] = field(default_factory=dict)
    busy: bool = False
    most: int = MOST_CLIENT_ACCESSIBLE
    # The id of volsnap's record about the copy that was pushed out last: for space, or for number.
    pushed_by: int = 58
    _made: int = 0

    def find(self, disks: list[Disk], name: str) -> Partition | None:
        """The volume that a drive letter or a volume name stands for; None for one that is not there."""
        volumes = [one for disk in disks if not disk.offline for one in disk.partitions if one.volume]
        wanted = name.lower()
        return next(
            (one for one in volumes if wanted in (f"{one.letter}:\\".lower(), _name(one).lower())),
            None,
        )

    def create(
        self, disks: list[Disk], name: str, context: str, now: datetime.datetime
    ) -> tuple[int, ShadowCopy | None, ShadowCopy | None]:
        """The return value, the copy, and the one that it pushed out."""
        if not name.endswith("\\"):
            return INVALID, None, None
        volume = self.find(disks, name)
        if volume is None:
            return NOT_FOUND, None, None
        if context != CONTEXT:
            return NO_CONTEXT, None, None
        if volume.file_system != "NTFS":
            return NOT_SUPPORTED, None, None
        if self.busy:
            return IN_PROGRESS, None, None
        if failure := self.failing.get(volume.volume):
            return failure, None, None
        own = [one for one in self.copies if one.volume == _name(volume)]
        if len(own) >= MOST:
            return MAXIMUM, None, None
        area = next((one for one in self.areas if one.volume == volume.volume), None)
        full = area is not None and area.most is not None and area.most - area.allocated < area.first
        if full and not own:
            return NO_STORAGE, None, None
        seen = [one for one in own if one.client_accessible]
        pushed = own[0] if full else seen[0] if len(seen) >= self.most else None
        self.pushed_by = 33 if full else 58
        if pushed is not None:
            self.copies.remove(pushed)
        return 0, self.add(volume, now), pushed

    def add(self, volume: Partition, now: datetime.datetime, *, client_accessible: bool = True) -> ShadowCopy:
        """A copy that is there: of a backup, for example."""
        self._made += 1
        identity = "{" + str(uuid.uuid5(uuid.NAMESPACE_OID, f"copy {self._made}")).upper() + "}"
        copy = ShadowCopy(identity, _name(volume), now, self._made, client_accessible)
        self.copies.append(copy)
        return copy

    def remove(self, identity: str) -> bool:
        """Deletes a copy; whether it was there."""
        before = len(self.copies)
        self.copies = [one for one in self.copies if one.id != identity]
        return len(self.copies) < before


def _name(volume: Partition) -> str:
    return f"\\\\?\\Volume{{{volume.volume}}}\\"


def areas(found: list[Area]) -> list[dict[str, Any]]:
    """Win32_ShadowStorage. No limit is the largest number of 64 bits."""
    return [
        {
            "Volume": _reference(one.volume),
            "DiffVolume": _reference(one.on),
            "AllocatedSpace": Int64(one.allocated),
            "UsedSpace": Int64(one.allocated // 2),
            "MaxSpace": _UNLIMITED if one.most is None else Int64(one.most),
        }
        for one in found
    ]


def _reference(guid: str) -> PsObject:
    kind = "Microsoft.Management.Infrastructure.CimInstance"
    return PsObject([("DeviceID", f"\\\\?\\Volume{{{guid}}}\\")], kind)
