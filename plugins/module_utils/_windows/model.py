# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The facts about disks and volumes of a Windows machine. Pure.

Sizes are bytes. None means "not known"; an empty tuple means "known to be none".
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Machine:
    """A Windows machine: `serial` is that of its firmware ("VMware-42 39 ..."), `bios_uuid` as Windows writes it."""

    name: str | None = None
    bios_uuid: str | None = None
    serial: str | None = None
    os_build: str | None = None


@dataclass(frozen=True)
class ScsiAddress:
    """A place on a SCSI bus as Windows counts (Win32_DiskDrive). `port` is not the number of a controller of the VM."""

    port: int | None
    bus: int | None
    target: int | None
    lun: int | None


@dataclass(frozen=True)
class Sizes:
    """The size of one disk, by the interface that tells it; `partitions_end` is where the last partition ends."""

    disk: int | None = None
    wmi: int | None = None
    physical: int | None = None
    partitions_end: int | None = None


@dataclass(frozen=True)
class SectorSizes:
    """Bytes of a sector as Windows addresses it, and as the disk has it."""

    logical: int | None = None
    physical: int | None = None


@dataclass(frozen=True)
class Volume:
    """A volume. `guid` is in lower case and without braces, `path` is `\\\\?\\Volume{guid}\\`, `letter` is "E:"."""

    guid: str | None
    letter: str | None
    path: str | None
    mount_points: tuple[str, ...] = ()
    file_system: str | None = None
    size_bytes: int | None = None


@dataclass(frozen=True)
class Disk:
    """A disk of a Windows machine. `dynamic` and pool members are no disks of the Storage classes: what only those tell
    is None of them."""

    number: int | None
    device_path: str | None = None
    scsi: ScsiAddress = ScsiAddress(None, None, None, None)
    pci_slot: int | None = None
    disk_id: str | None = None
    serial: str | None = None
    unique_id: str | None = None
    friendly_name: str | None = None
    bus_type: str | None = None
    sizes: Sizes = Sizes()
    partition_style: str | None = None
    dynamic: bool | None = None
    multipath: bool | None = None
    clustered: bool | None = None
    storage_pool: bool | None = None
    boot: bool | None = None
    system: bool | None = None
    offline: bool | None = None
    offline_reason: str | None = None
    read_only: bool | None = None
    sector_sizes: SectorSizes = SectorSizes()
    # None where which volumes lie on it is not known: of an offline disk, of a dynamic one.
    volumes: tuple[Volume, ...] | None = None

    @property
    def title(self) -> str:
        """How sentences call it."""
        return f"Disk {self.number}" if self.number is not None else f"The disk {self.disk_id or self.device_path}"


@dataclass(frozen=True)
class UnreadPart:
    """A part of a reading that the machine did not give, by the script's name for it, and what was said."""

    part: str
    message: str


@dataclass(frozen=True)
class MachineDisks:
    """All disks of a machine. `other_volumes` lie on disks of which that is not known."""

    machine: Machine
    disks: tuple[Disk, ...]
    other_volumes: tuple[Volume, ...] | None = ()
    san_policy: str | None = None
    unread_parts: tuple[UnreadPart, ...] = ()
