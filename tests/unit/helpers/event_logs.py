# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records of event logs in the XML that Windows gives them, in the forms of published records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html import escape

from ansible_collections.winbackup.storage.plugins.module_utils._windows.event_records import EventRecord, parse_event
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.model import Reading
from ansible_collections.winbackup.storage.plugins.module_utils._windows.volume_names import NamedVolume, VolumeTable

NOON = datetime(2020, 9, 5, 12, 0, tzinfo=UTC)
GUID = "a59dcd66-5963-4ba8-995c-915935cb8654"
OTHER_GUID = "b59dcd66-5963-4ba8-995c-915935cb8654"
TARGET = f"\\\\?\\Volume{{{GUID}}}"
OTHER = f"\\\\?\\Volume{{{OTHER_GUID}}}"
PREPARE, INVALID = "0x0053c008", "0x80070057"
EN = "\n\nOperation:\n   Processing EndPrepareSnapshots\n\nContext:\n   Execution Context: System Provider"
WSB = "Microsoft-Windows-Backup"


def at(seconds: float) -> datetime:
    """The time so many seconds after noon."""
    return NOON + timedelta(seconds=seconds)


def stamp(seconds: float) -> str:
    return at(seconds).strftime("%Y-%m-%dT%H:%M:%S.%f") + "000Z"


def xml(
    provider: str,
    id: int,
    data: Sequence[str] | Mapping[str, str] = (),
    seconds: float = 0,
    *,
    log: str = "System",
    version: int | None = None,
    level: int = 2,
    binary: str = "",
    number: int = 1,
) -> str:
    """One record; data with names are a mapping."""
    named = data.items() if isinstance(data, Mapping) else [(None, text) for text in data]
    shown = "".join(
        f"<Data{f' Name={chr(34)}{name}{chr(34)}' if name else ''}>{escape(text)}</Data>" for name, text in named
    )
    return (
        '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System>'
        f'<Provider Name="{provider}"/><EventID Qualifiers="0">{id}</EventID>'
        f"{'' if version is None else f'<Version>{version}</Version>'}<Level>{level}</Level><Task>0</Task>"
        f'<TimeCreated SystemTime="{stamp(seconds)}"/><EventRecordID>{number}</EventRecordID>'
        f"<Channel>{log}</Channel><Computer>SRV1</Computer><Security/></System>"
        f"<EventData>{shown}{f'<Binary>{binary}</Binary>' if binary else ''}</EventData></Event>"
    )


def parsed(text: str, log: str = "System") -> EventRecord:
    record = parse_event(text, log)
    assert record is not None
    return record


def vss(
    id: int = 12289,
    first: str | None = None,
    second: str = f"{INVALID}, The parameter is incorrect.\r\n",
    third: str = EN,
    *,
    device: str = TARGET,
    ioctl: str = PREPARE,
    seconds: float = 30,
) -> EventRecord:
    """A record of VSS; without `first` the call that fails on a physical mapping."""
    call = f"DeviceIoControl({device} - 000000000000024C,{ioctl},00000219B0C80150,0,00000219B0C81160,4096,[0])"
    return parsed(xml("VSS", id, (first or call, second, third), seconds, log="Application"))


def backup(
    id: int = 5,
    code: str = "0x80780034",
    detail: str = "0x80042306",
    target: str = "E:",
    seconds: float = 40,
    began: float | None = 0,
    **more: str,
) -> EventRecord:
    """A finished backup as Windows 8 and later write it; of Application from 500 on."""
    if id >= 500:
        data = {"BackupTime": stamp(began or 0), "ErrorCode": code, "ErrorMessage": f"%%{int(code, 16)}"}
        return parsed(xml(WSB, id, data, seconds, log="Application", version=1))
    data = {
        "BackupTemplateID": "{35b3beee-aa12-4d34-9b3d-ce205af27dad}",
        "HRESULT": code,
        "DetailedHRESULT": detail,
        "BackupState": "12",
        **({} if began is None else {"BackupTime": stamp(began)}),
        "BackupTarget": target,
        "NumOfVolumes": "1",
        **more,
    }
    return parsed(xml(WSB, id, data, seconds, log=WSB, version=3))


def volsnap(id: int, volume: str = TARGET, seconds: float = 30, *, named: bool = True) -> EventRecord:
    """A record of volsnap about a live volume, in the form of Windows 10 or of 2012 R2."""
    device = "\\Device\\HarddiskVolumeShadowCopy9"
    code = ((0xC006 << 16) | id).to_bytes(4, "little").hex().upper()
    if not named:
        return parsed(xml("volsnap", id, (device, volume), seconds, binary=f"{'00' * 12}{code}{'00' * 24}"))
    data = {"DeviceName": device, "VolumeName": volume, "NTSTATUS": "00000000", "SourceTag": "164"}
    return parsed(xml("Volsnap", id, data, seconds, version=0, binary=f"{'00' * 12}{code}{'00' * 24}"))


def ntfs_140(volume: str = TARGET, error: str = "0xc000009d", seconds: float = 32, version: int = 1) -> EventRecord:
    """A record of NTFS 140 in one of its three versions."""
    device = "\\Device\\HarddiskVolume9"
    data = {
        0: {"VolumeId": volume, "DeviceName": device, "Error": error},
        1: {
            "VolumeIdLength": str(len(volume)),
            "VolumeId": volume,
            "DeviceNameLength": str(len(device)),
            "DeviceName": device,
            "Error": error,
            "DeviceSerialNumber": "6000c29",
        },
        2: {"VolumeCorrelationId": f"{{{GUID}}}", "VolumeName": volume, "DeviceName": device, "Error": error},
    }[version]
    return parsed(xml("Microsoft-Windows-Ntfs", 140, data, seconds, version=version, level=3))


def volumes(*, disk: int | None = 1) -> VolumeTable:
    """E: on a disk, and F: on another one."""
    return VolumeTable(
        [
            NamedVolume(
                GUID, "E:", f"{TARGET}\\", "SRV1 2020_09_05 12:00 DISK_01", disk, frozenset({TARGET.lower(), "e:"})
            ),
            NamedVolume(OTHER_GUID, "F:", f"{OTHER}\\", "Other", 2, frozenset({OTHER.lower(), "f:"})),
        ]
    )


def reading(*records: EventRecord, table: VolumeTable | None = None, **facts: object) -> Reading:
    """What was read of a machine: these records, and facts beside."""
    return Reading(at(3600), tuple(records), table or volumes(), **facts)  # type: ignore[arg-type]
