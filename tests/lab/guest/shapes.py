# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How versions of Windows write what concerns backups: the fields and forms of published records.

The texts of the operating system are shown in English and Japanese; what stands before them is never translated.
"""

from __future__ import annotations

import datetime
from dataclasses import dataclass
from typing import Any

BACKUP_LOG = "Microsoft-Windows-Backup"
SNAPSHOT_LOG = "Microsoft-Windows-VolumeSnapshot-Driver/Operational"
PARTITION_LOG = "Microsoft-Windows-Partition/Diagnostic"
PREPARE, COMMIT = "0x0053c008", "0x0053c010"
_BACKUP_GUID = "{1db28f2e-8f80-4027-8c5a-a11f7f10f62d}"
_NTFS_GUID = "{3ff37a1c-a68d-4d6e-8c9b-f79e8b16c482}"
_VOLSNAP_GUID = "{cb017cd2-1f37-4e65-82bc-3e91f6a37559}"
_TEMPLATE = "{35b3beee-aa12-4d34-9b3d-ce205af27dad}"
# What the operating system says of a code.
_TEXTS = {
    "0x80070057": ("The parameter is incorrect.", "パラメーターが間違っています。"),
    "0x80070001": ("Incorrect function.", "ファンクションが間違っています。"),
}
_CONTEXT = (
    "\n\nOperation:\n   Processing EndPrepareSnapshots\n\nContext:\n   Execution Context: System Provider",
    "\n\n操作:\n   EndPrepareSnapshots を処理しています\n\nコンテキスト:\n   実行コンテキスト: System Provider",
)
# Of the named fields of a finished backup those that a source spells out; a real record has more.
_BACKUP_FIELDS = (
    *("BackupTemplateID", "HRESULT", "DetailedHRESULT", "ErrorMessage", "BackupState", "BackupTime", "BackupTarget"),
    *("NumOfVolumes", "VolumesInfo"),
)


@dataclass(frozen=True)
class Profile:
    """A version of Windows: `named_volsnap` records have names; `ntfs` is the version of NTFS 140, or None where it is
    the older 57; `backup` that of the records of a finished backup; `logs` are the optional logs that it has;
    `storage`: it has the Storage classes; `server`: it is no client."""

    powershell: str
    build: int
    named_volsnap: bool
    ntfs: int | None
    logs: tuple[str, ...] = ()
    backup: int = 3
    storage: bool = True
    server: bool = True


PROFILES = {
    # With Windows Management Framework 5.1, since its own PowerShell 2 has no JSON.
    "2008R2": Profile("5.1", 7601, False, None, backup=2, storage=False),
    "2012R2": Profile("4.0", 9600, False, 0),
    "2016": Profile("5.1", 14393, True, 0, (SNAPSHOT_LOG,)),
    "2019": Profile("5.1", 17763, True, 0, (SNAPSHOT_LOG, PARTITION_LOG)),
    "2022": Profile("5.1", 20348, True, 1, (SNAPSHOT_LOG, PARTITION_LOG)),
    "10": Profile("5.1", 19045, True, 1, (SNAPSHOT_LOG, PARTITION_LOG), server=False),
}


def vss_12289(device: str, ioctl: str, hr: str, japanese: bool) -> dict[str, Any]:
    """VSS: an unexpected error of a DeviceIoControl on a device (no closing backslash)."""
    call = f"DeviceIoControl({device} - 000000000000024C,{ioctl},00000219B0C80150,0,00000219B0C81160,4096,[0])"
    said = _TEXTS.get(hr, ("Unknown.", "不明です。"))[japanese]
    code = b"- Code: CORSOFTC00000087- Call: CORSOFTC00000067- PID:  00006400- TID:  00005760- CMD:  vssvc.exe"
    return {
        "log": "Application",
        "provider": "VSS",
        "id": 12289,
        "level": 2,
        "qualifiers": 0,
        "properties": (call, f"{hr}, {said}\r\n", _CONTEXT[japanese]),
        "binary": code.hex().upper(),
    }


def backup_finished(
    event_id: int,
    hresult: int,
    detailed: int,
    began: datetime.datetime,
    target: str,
    volumes: str = "",
    version: int = 3,
) -> dict[str, Any]:
    """Windows Server Backup: 4 (done), 5 (failed), 7, 8, 14; version 3 is that of Windows 8 and 2012 and later, version
    2 that of 2008 R2, whose codes are decimal."""
    if version < 3:
        return _old_backup_finished(event_id, hresult, detailed, began, target, volumes)
    values = (
        *(_TEMPLATE, f"0x{hresult:08x}", f"0x{detailed:08x}", f"%%{hresult}", 12 if hresult else 14),
        *(began, target, 1, volumes),
    )
    return {
        "log": BACKUP_LOG,
        "provider": BACKUP_LOG,
        "guid": _BACKUP_GUID,
        "id": event_id,
        "version": 3,
        "level": 2 if hresult else 4,
        "properties": values,
        "names": _BACKUP_FIELDS,
    }


def _old_backup_finished(
    event_id: int, hresult: int, detailed: int, began: datetime.datetime, target: str, volumes: str
) -> dict[str, Any]:
    return {
        "log": BACKUP_LOG,
        "provider": BACKUP_LOG,
        "guid": _BACKUP_GUID,
        "id": event_id,
        "version": 2,
        "level": 2 if hresult else 4,
        "properties": (_TEMPLATE, hresult, 12 if hresult else 14, target, 1, began, hresult, volumes, detailed),
        "names": (
            *("BackupTemplateID", "HRESULT", "BackupState", "BackupTarget", "NumOfVolumes", "BackupTime"),
            *("HRESULT2", "VolumesInfo", "DetailedHRESULT"),
        ),
    }


def snapshot_102(volume: str, error: int) -> dict[str, Any]:
    """The driver of shadow copies: a volume could not be brought online. Of the fields those that a source names."""
    return {
        "log": SNAPSHOT_LOG,
        "provider": "Microsoft-Windows-VolumeSnapshot-Driver",
        "id": 102,
        "version": 0,
        "level": 2,
        "properties": (volume, f"0x{error:x}"),
        "names": ("TargetVolumeGuid", "Error"),
    }


def partition_1006(number: int, capacity: int, serial: str, partitions: int) -> dict[str, Any]:
    """A disk came, or (without partitions) went. Of the fields those that sources name."""
    return {
        "log": PARTITION_LOG,
        "provider": "Microsoft-Windows-Partition",
        "id": 1006,
        "version": 3,
        "level": 4,
        "properties": (number, capacity, 10, "VMware", "Virtual disk", serial, 512, 512, 2, partitions),
        "names": (
            *("DiskNumber", "Capacity", "BusType", "Manufacturer", "Model", "SerialNumber"),
            *("BytesPerLogicalSector", "BytesPerPhysicalSector", "PartitionStyle", "PartitionCount"),
        ),
    }


def ntfs_57(volume: str) -> dict[str, Any]:
    """NTFS before its record 140: the same, without a code."""
    return {"log": "System", "provider": "Ntfs", "id": 57, "level": 3, "qualifiers": 0x8004, "properties": ("", volume)}


def backup_517(hresult: int, began: datetime.datetime, version: int = 1) -> dict[str, Any]:
    """The same failure in the log Application; version 0 is that of 2008 R2, whose code is decimal."""
    return {
        "log": "Application",
        "provider": BACKUP_LOG,
        "guid": _BACKUP_GUID,
        "id": 517,
        "version": version,
        "level": 2,
        "properties": (began, f"0x{hresult:08x}" if version else hresult, f"%%{hresult}"),
        "names": ("BackupTime", "ErrorCode", "ErrorMessage"),
    }


def volsnap(profile: Profile, event_id: int, volume: str, copy: int = 1) -> dict[str, Any]:
    """volsnap about the live volume `volume` (a letter, or a GUID without closing backslash)."""
    severity = 0x4006 if event_id in (33, 58) else 0xC006
    device = f"\\Device\\HarddiskVolumeShadowCopy{copy}"
    code = ((severity << 16) | event_id).to_bytes(4, "little").hex().upper()
    common = {"log": "System", "id": event_id, "level": 4 if severity == 0x4006 else 2, "qualifiers": severity}
    if not profile.named_volsnap:
        binary = f"000000000200300000000000{code}0300000000000000" + "0A000000" + "00" * 12
        return {**common, "provider": "volsnap", "properties": (device, volume), "binary": binary}
    return {
        **common,
        "provider": "Volsnap",
        "guid": _VOLSNAP_GUID,
        "source": "volsnap",
        "version": 0,
        "properties": (device, volume, "00000000", 164, "0x0005", 2606),
        "names": ("DeviceName", "VolumeName", "NTSTATUS", "SourceTag", "SourceFileID", "SourceLine"),
        "binary": f"000000000600300000000000{code}A4000000" + "00" * 20,
    }


def ntfs_140(profile: Profile, volume: str, device: str, error: int, serial: str = "") -> dict[str, Any]:
    """NTFS: the transaction log could not be flushed; information in the first version, a warning later."""
    common = {"log": "System", "provider": "Microsoft-Windows-Ntfs", "guid": _NTFS_GUID, "id": 140}
    if profile.ntfs == 0:
        values: tuple[Any, ...] = (volume, device, f"0x{error:x}")
        return {
            **common,
            "version": 0,
            "level": 4,
            "properties": values,
            "names": ("VolumeId", "DeviceName", "Error"),
        }
    values = (len(volume), volume, len(device), device, f"0x{error:x}", serial)
    names = ("VolumeIdLength", "VolumeId", "DeviceNameLength", "DeviceName", "Error", "DeviceSerialNumber")
    return {**common, "version": 1, "level": 3, "properties": values, "names": names}
