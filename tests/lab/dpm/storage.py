# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The storage pool: disks, the volumes on them, and the slots of the logical disk manager."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field

from .texts import DpmError
from .units import round_up

HEALTHY = "Healthy"


@dataclass(eq=False)
class Disk:
    """A disk of the server; one outside the pool has no volumes of DPM. Of one that is not HEALTHY nothing is used."""

    number: int
    name: str
    capacity: int
    in_pool: bool = True
    allocated: int = 0
    status: str = HEALTHY

    @property
    def usable(self) -> bool:
        return self.in_pool and self.status == HEALTHY

    @property
    def unallocated(self) -> int:
        return self.capacity - self.allocated


@dataclass(eq=False)
class Extent:
    disk: Disk
    size: int


@dataclass(eq=False)
class Volume:
    """A volume of a data source, or of several. A custom one is not on the pool's disks."""

    kind: str  # "replica" or "recovery"
    id: uuid.UUID
    number: int
    used: int
    extents: list[Extent] = field(default_factory=list)
    custom_size: int | None = None
    slots: int = 0
    last_grown: float | None = None  # seconds since the epoch, of DPM's own growing

    @property
    def allocated(self) -> int:
        if self.custom_size is not None:
            return self.custom_size
        return sum(extent.size for extent in self.extents)

    @property
    def free(self) -> int:
        return self.allocated - self.used

    @property
    def path(self) -> str:
        return f"\\\\?\\Volume{{{self.id}}}\\"

    @property
    def device(self) -> str:
        return f"\\Device\\HarddiskVolume{self.number}"


@dataclass(eq=False)
class ModernVolume:
    """A volume of modern backup storage (ReFS)."""

    name: str
    size: int
    remaining: int


@dataclass(eq=False)
class Pool:
    """Disks and volumes. `slots_elsewhere` are slots that other volumes of the server take."""

    disks: list[Disk]
    slots_limit: int
    slots_per_volume: int
    slots_elsewhere: int = 0
    volumes: list[Volume] = field(default_factory=list)
    modern: list[ModernVolume] = field(default_factory=list)

    @property
    def unallocated(self) -> int:
        return sum(disk.unallocated for disk in self.disks if disk.usable)

    @property
    def slots_used(self) -> int:
        return self.slots_elsewhere + sum(volume.slots for volume in self.volumes)

    @property
    def slots_left(self) -> int:
        return self.slots_limit - self.slots_used

    def make(self, volume: Volume, total: int) -> Volume:
        """Puts a new volume on the disks; DpmError where it does not fit."""
        if volume.custom_size is None:
            self._need(round_up(total), self.slots_per_volume)
            self._add_extents(volume, round_up(total))
            volume.slots = self.slots_per_volume
        self.volumes.append(volume)
        return volume

    def check(self, changes: list[tuple[Volume, int]]) -> None:
        """Whether all the new totals fit together; DpmError 358 or 360 where they do not."""
        growth = [round_up(total) - volume.allocated for volume, total in changes]
        self._need(sum(max(one, 0) for one in growth), sum(one > 0 for one in growth))

    def resize(self, volume: Volume, total: int) -> None:
        """Gives a volume its new total, rounded up; an extension costs one slot, which a decrease does not give
        back."""
        change = round_up(total) - volume.allocated
        if change > 0:
            self._need(change, 1)
            self._add_extents(volume, change)
            volume.slots += 1
        while change < 0:
            last = volume.extents[-1]
            step = min(last.size, -change)
            last.size -= step
            last.disk.allocated -= step
            change += step
            if not last.size:
                volume.extents.pop()

    def _need(self, space: int, slots: int) -> None:
        if space > self.unallocated:
            raise DpmError(358)
        if slots > self.slots_left:
            # Which error DPM gives here is not documented.
            raise DpmError(360, "No more volumes fit into the database of the logical disk manager.")

    def _add_extents(self, volume: Volume, space: int) -> None:
        for disk in sorted((disk for disk in self.disks if disk.usable), key=lambda disk: -disk.unallocated):
            part = min(space, disk.unallocated)
            if part <= 0:
                break
            if volume.extents and volume.extents[-1].disk is disk:
                volume.extents[-1].size += part
            else:
                volume.extents.append(Extent(disk, part))
            disk.allocated += part
            space -= part
