# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Disks and volumes of a Windows machine, as its interfaces show them: they do not agree on sizes, nor on which disks
there are."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from powershell import Int64, Invocation, TerminatingError, UnknownConstruct

STORAGE = "root/microsoft/windows/storage"
# Win32_DiskDrive counts whole cylinders of 255 tracks with 63 sectors of 512 bytes.
CYLINDER = 255 * 63 * 512
_IN_A_POOL, _TOO_SMALL = 2, 7  # members of CannotPoolReason
POLICY = 1  # the reason for which a disk that is new to the machine is offline
_STYLES = {"RAW": 0, "MBR": 1, "GPT": 2}
_BUSES = {"SCSI": 1, "ATA": 3, "FC": 6, "USB": 7, "iSCSI": 9, "SAS": 10, "SATA": 11, "Spaces": 16, "NVMe": 17}


@dataclass(frozen=True)
class Partition:
    """A partition, with the volume on it where there is one. `volume` is the GUID, without braces."""

    offset: int
    size: int
    guid: str = ""
    volume: str = ""
    letter: str = ""
    file_system: str = "NTFS"
    label: str = ""
    free: int | None = None  # of the volume; half of it where nothing is said
    folder: str = ""  # where it is mounted, beside its letter
    gpt_type: str = "{ebd0a0a2-b9e5-4433-87c0-68b6b72699c7}"
    mbr_type: int = 7


@dataclass
class Disk:
    """A disk. `wmi_size` is what Win32_DiskDrive says where that is not its size in whole cylinders: of a disk beyond
    2 TiB whose length a driver reads in 32 bits, for example, `size % 2**41`."""

    number: int
    size: int
    target: int = 0
    port: int = 2
    serial: str = ""
    unique_id: str = ""
    name: str = "VMware Virtual disk"
    bus: str = "SAS"
    style: str = "GPT"
    disk_id: str = ""  # the GUID, or of an MBR disk the signature as a decimal number
    offline: bool = False
    offline_reason: int | None = None
    read_only: bool = False
    clustered: bool = False
    boot: bool = False
    dynamic: bool = False
    slot: int | None = 160  # of the adapter, as Windows shows it; None where the registry has none
    multipath: bool = False  # a disk of Windows' MPIO
    pooled: bool = False  # a member of a storage pool, which the Storage classes do not list as a disk
    numberless: bool = False  # MSFT_Disk of some disks has no number
    wmi_size: int | None = None
    stuck: bool = False  # a change of it is accepted and does not happen
    kept_size: int | None = None  # what Windows keeps of its size until it updates that
    sector_sizes: tuple[int, int] = (512, 512)
    partitions: list[Partition] = field(default_factory=list)

    @property
    def device(self) -> str:
        """The name of its key below Enum in the registry."""
        kind = "MPIO" if self.multipath else "SCSI"
        return f"{kind}\\DISK&VEN_VMWARE&PROD_VIRTUAL_DISK\\5&1982005&{self.port}&{self.target:02X}0000"

    @property
    def path(self) -> str:
        return f"\\\\?\\{self.device.lower().replace(chr(92), '#')}#{{53f56307}}"

    @property
    def is_listed(self) -> bool:
        """Whether the Storage classes have it as a disk."""
        return not self.dynamic and not self.pooled


def instances(disks: list[Disk], class_name: str, namespace: str) -> list[dict[str, Any]] | None:
    """The instances of a class; None for one that the lab does not have."""
    readers = {
        ("win32_diskdrive", "root/cimv2"): _drives,
        ("win32_volume", "root/cimv2"): _volumes,
        ("msft_disk", STORAGE): _disks,
        ("msft_partition", STORAGE): _partitions,
        ("msft_physicaldisk", STORAGE): _physical_disks,
    }
    reader = readers.get((class_name.lower(), namespace.lower().replace("\\", "/")))
    return None if reader is None else reader(disks)


def _drives(disks: list[Disk]) -> list[dict[str, Any]]:
    """Win32_DiskDrive: every disk, dynamic ones too."""
    return [
        {
            "DeviceID": f"\\\\.\\PHYSICALDRIVE{one.number}",
            "Index": one.number,
            "Size": Int64((one.size if one.wmi_size is None else one.wmi_size) // CYLINDER * CYLINDER),
            "SCSIPort": one.port,
            "SCSIBus": 0,
            "SCSITargetId": one.target,
            "SCSILogicalUnit": 0,
            "SerialNumber": one.serial or None,
            "Model": one.name,
            "BytesPerSector": one.sector_sizes[0],
            "Partitions": len(one.partitions),
            "Signature": Int64(one.disk_id or 0) if one.style == "MBR" else None,
            "PNPDeviceID": one.device,
        }
        for one in disks
    ]


def _disks(disks: list[Disk]) -> list[dict[str, Any]]:
    """MSFT_Disk: no dynamic disks. An offline disk has its reason, an online one none."""
    return [
        {
            "Number": None if one.numberless else one.number,
            "Path": one.path,
            "Location": "SCSI0",
            "FriendlyName": one.name,
            "SerialNumber": one.serial or None,
            "UniqueId": one.unique_id or None,
            "Size": Int64(one.size if one.kept_size is None else one.kept_size),
            "LogicalSectorSize": one.sector_sizes[0],
            "PhysicalSectorSize": one.sector_sizes[1],
            "BusType": _BUSES[one.bus],
            "PartitionStyle": _STYLES[one.style],
            "Guid": one.disk_id if one.style == "GPT" else None,
            "Signature": Int64(one.disk_id or 0) if one.style == "MBR" else None,
            "IsOffline": one.offline,
            "OfflineReason": one.offline_reason if one.offline else None,
            "IsReadOnly": one.read_only,
            "IsClustered": one.clustered,
            "IsBoot": one.boot,
            "IsSystem": one.boot,
            "OperationalStatus": [0xD013 if one.offline else 0xD010],
            "HealthStatus": 0,
        }
        for one in disks
        if one.is_listed
    ]


def _physical_disks(disks: list[Disk]) -> list[dict[str, Any]]:
    """MSFT_PhysicalDisk: members of pools too. The number is a text."""
    return [
        {
            "DeviceId": str(one.number),
            "FriendlyName": one.name,
            "SerialNumber": one.serial or None,
            "Size": Int64(one.size),
            "CanPool": False,
            "CannotPoolReason": [_IN_A_POOL] if one.pooled else [_TOO_SMALL],
        }
        for one in disks
    ]


def _partitions(disks: list[Disk]) -> list[dict[str, Any]]:
    """MSFT_Partition: an offline disk shows its partitions, but no ways to their volumes."""
    return [
        {
            "DiskNumber": disk.number,
            "PartitionNumber": number,
            "Offset": Int64(one.offset),
            "Size": Int64(one.size),
            "Guid": one.guid or None,
            "GptType": one.gpt_type if disk.style == "GPT" else None,
            "MbrType": one.mbr_type if disk.style == "MBR" else None,
            "DriveLetter": None if disk.offline or not one.letter else one.letter,
            "AccessPaths": [] if disk.offline else _access_paths(one),
        }
        for disk in disks
        if disk.is_listed
        for number, one in enumerate(disk.partitions, 1)
    ]


def _access_paths(one: Partition) -> list[str]:
    letter = [f"{one.letter}:\\"] if one.letter else []
    folder = [one.folder] if one.folder else []
    return letter + folder + ([f"\\\\?\\Volume{{{one.volume}}}\\"] if one.volume else [])


def _volumes(disks: list[Disk]) -> list[dict[str, Any]]:
    """Win32_Volume: those of dynamic disks too, and none of an offline disk."""
    return [
        {
            "DeviceID": f"\\\\?\\Volume{{{one.volume}}}\\",
            "DriveLetter": f"{one.letter}:" if one.letter else None,
            "Name": f"{one.letter}:\\" if one.letter else one.folder or f"\\\\?\\Volume{{{one.volume}}}\\",
            "Capacity": Int64(one.size),
            "FreeSpace": Int64(one.size // 2 if one.free is None else one.free),
            "FileSystem": one.file_system,
            "Label": one.label or None,
        }
        for disk in disks
        if not disk.offline
        for one in disk.partitions
        if one.volume
    ]


def set_disk(invocation: Invocation, disks: list[Disk], *, elevated: bool) -> None:
    """Set-Disk: online or offline, or the attribute read-only of a disk that is online. Its errors carry the return
    codes of the Storage classes."""
    given = invocation.parameters
    if "Signature" in given or "Guid" in given:
        raise UnknownConstruct("another id of a disk: the lab does not model it")
    named = [one for one in disks if one.is_listed and given.get("Path", one.path) == one.path]
    found = next((one for one in named if given.get("Number", one.number) == one.number), None)
    if found is None or not elevated:
        _refuse(invocation, "Not found", "CmdletizationQuery_NotFound" if elevated else "StorageWMI 40001")
    elif found.clustered:
        _refuse(invocation, "The disk is in a failover cluster.", "StorageWMI 41018")
    elif "IsReadOnly" in given and found.offline:
        _refuse(invocation, "The disk is offline.", "StorageWMI 41003")
    elif (given.get("IsOffline") or given.get("IsReadOnly")) and found.boot:
        _refuse(invocation, "The disk is needed.", "StorageWMI 41009")
    elif found.stuck:
        return
    elif "IsReadOnly" in given:
        found.read_only = given["IsReadOnly"]
    elif "IsOffline" in given:
        found.offline = given["IsOffline"]
        found.offline_reason = POLICY if found.offline else None


def _refuse(invocation: Invocation, message: str, error_id: str) -> None:
    invocation.write_error(
        TerminatingError(message, error_id, "NotSpecified", "Microsoft.Management.Infrastructure.CimException")
    )
