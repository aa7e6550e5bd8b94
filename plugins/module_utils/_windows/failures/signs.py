# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What a record says, in codes: where each provider keeps them, as data. Pure and total.

Sources: the event manifests and message tables of Windows 6.1 to 10.0 (order and names of the fields), published
records (both shapes of volsnap, VSS in four languages). A field that is missing leaves its code unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._windows.event_records import EventRecord
from ansible_collections.winbackup.storage.plugins.module_utils._windows.result_codes import (
    code_in_brackets,
    code_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.volume_names import NamedVolume, VolumeTable

SYSTEM, APPLICATION, BACKUP = "System", "Application", "Microsoft-Windows-Backup"
SNAPSHOT_DRIVER = "Microsoft-Windows-VolumeSnapshot-Driver/Operational"
PARTITIONS = "Microsoft-Windows-Partition/Diagnostic"
HYPER_V_LOG = "Microsoft-Windows-Hyper-V-VMMS-Admin"

WSB, VSS, VOLSNAP = "microsoft-windows-backup", "vss", "volsnap"
NTFS, OLD_NTFS, DISK = "microsoft-windows-ntfs", "ntfs", "disk"
PARTITION_MANAGER, SERVICES, HYPER_V = "partmgr", "service control manager", "microsoft-windows-hyper-v-vmms"
SNAPSHOT_DRIVER_PROVIDER = "microsoft-windows-volumesnapshot-driver"
PARTITION_PROVIDER = "microsoft-windows-partition"

# "DeviceIoControl(\\?\Volume{...} - 000000000000024C,0x0053c008,...": no version and no language writes it otherwise.
_CONTROL = re.compile(r"^DeviceIoControl\((?P<device>.+?) - [0-9A-Fa-f]{8,16},(?P<ioctl>0x[0-9A-Fa-f]{8}),")
_CALL = re.compile(r"^(?P<name>[A-Za-z]\w{2,60})\((?P<device>[^,)]*)")


@dataclass(frozen=True)
class Sign:
    """What one record says: its codes, the function of Windows that failed with the control code it was called with,
    and the volume that it is about."""

    record: EventRecord
    codes: tuple[int, ...] = ()
    call: str | None = None
    control: int | None = None
    volume: NamedVolume | None = None

    @property
    def key(self) -> tuple[str, int]:
        return self.record.key


@dataclass(frozen=True)
class _Form:
    """Where a record of one provider and id keeps what matters: places are counted from 0, names are of fields."""

    call: int | None = None
    code: int | None = None
    code_names: tuple[str, ...] = ()
    bracketed: int | None = None
    volume: int | None = None
    volume_names: tuple[str, ...] = ()


def _forms(provider: str, forms: Mapping[int | tuple[int, ...], _Form]) -> dict[tuple[str, int], _Form]:
    return {(provider, id): form for ids, form in forms.items() for id in (ids if isinstance(ids, tuple) else (ids,))}


# volsnap: 80 to 94 are the protection mode; the rest is what happens to copies while the volume stays online.
PROTECTION = tuple(range(80, 95))
_OTHER_VOLSNAP = (8, 9, 14, 16, 22, 23, 24, 25, 27, 28, 29, 33, 35, 36, 39, 41, 48, 58, 59, 63)
# Windows Server Backup: the first two rows tell how a backup ended, the others what it met.
ENDS = (4, 5, 7, 8, 14, 23)
NEVER_BEGAN = (19, 20, 21, 22)
SNAPSHOT_FAILED = 9
OTHER_FAILURES = (17, 517, 518, 519, 521, 527, 528, 544, 545, 546, 547, 561, 564)
LITTLE_SPACE = (50, 51)
OF_BACKUPS = (*ENDS, *NEVER_BEGAN, SNAPSHOT_FAILED, *OTHER_FAILURES, *LITTLE_SPACE)

_COPIED_VOLUME = _Form(volume=1, volume_names=("VolumeName",))
_FORMS: dict[tuple[str, int], _Form] = {
    **_forms(
        VSS,
        {
            (8193, 12289, 12290): _Form(call=0, code=1),
            12292: _Form(code=1),
            12293: _Form(code=2),
            12294: _Form(),
            (12297, 12298): _Form(volume=0),
            (12305, 12310): _Form(call=0),
            (12338, 12340): _Form(volume=1),
            8229: _Form(code=0),
            (11, 13, 22): _Form(bracketed=2),
            4001: _Form(),
            4004: _Form(volume=0),
        },
    ),
    **_forms(VOLSNAP, {PROTECTION: _COPIED_VOLUME, _OTHER_VOLSNAP: _COPIED_VOLUME}),
    **_forms(
        SNAPSHOT_DRIVER_PROVIDER,
        {
            102: _Form(code_names=("Error",), volume_names=("TargetVolumeGuid", "VolumeName")),
            105: _Form(volume_names=("TargetVolumeGuid", "VolumeName")),
            (119, 121): _Form(volume_names=("VolumeName", "TargetVolumeGuid")),
        },
    ),
    **_forms(NTFS, {140: _Form(code_names=("Error",), volume_names=("VolumeId", "VolumeName"))}),
    **_forms(OLD_NTFS, {(57, 140): _Form(code_names=("Error",), volume_names=("VolumeId", "VolumeName"))}),
    **_forms(DISK, {(51, 153, 154, 157): _Form()}),
    **_forms(PARTITION_MANAGER, {58: _Form()}),
    **_forms(SERVICES, {7023: _Form()}),
    **_forms(HYPER_V, {10111: _Form()}),
    **_forms(WSB, {LITTLE_SPACE: _Form(volume_names=("VolumeAccessPath",))}),
}
PARTITION_CHANGE = 1006

# The ids of each log that any form knows; what else stands in a log is not asked for.
IDS: dict[str, tuple[int, ...]] = {
    SYSTEM: (*PROTECTION, *_OTHER_VOLSNAP, 57, 140, 51, 153, 154, 157, 7023),
    APPLICATION: (
        *(id for provider, id in _FORMS if provider == VSS),
        *(id for id in OF_BACKUPS if id >= 500),
    ),
    BACKUP: tuple(id for id in OF_BACKUPS if id < 500),
    SNAPSHOT_DRIVER: (102, 105, 119, 121),
    PARTITIONS: (PARTITION_CHANGE,),
    HYPER_V_LOG: (10111,),
}
# Those that are missing from whole versions and editions of Windows: the second and third came with Windows 10 1511 and
# 1703, the last with the role Hyper-V.
OPTIONAL_LOGS = frozenset({BACKUP, SNAPSHOT_DRIVER, PARTITIONS, HYPER_V_LOG})


def read_sign(record: EventRecord, volumes: VolumeTable) -> Sign | None:
    """Returns what a record says; None for one of a provider and id that no signature asks for."""
    form = _FORMS.get(record.key)
    if form is None:
        return None
    call, control, device = _call(record.at(form.call) if form.call is not None else None)
    named = record.named(*form.volume_names) if form.volume_names else None
    place = record.at(form.volume) if form.volume is not None else None
    volume = volumes.find(device or named or place)
    if record.key[0] in (NTFS, OLD_NTFS) and named is None:
        volume, named_code = _unnamed_flush(record, volumes)
        return Sign(record, codes=named_code, volume=volume)
    return Sign(record, _codes(record, form), call, control, volume)


def _codes(record: EventRecord, form: _Form) -> tuple[int, ...]:
    found = (
        code_of(record.at(form.code)) if form.code is not None else None,
        code_of(record.named(*form.code_names)) if form.code_names else None,
        code_in_brackets(record.at(form.bracketed)) if form.bracketed is not None else None,
    )
    return tuple(code for code in found if code is not None)


def _unnamed_flush(record: EventRecord, volumes: VolumeTable) -> tuple[NamedVolume | None, tuple[int, ...]]:
    """Returns volume and code of an NTFS 140, or of the older 57, whose data have no names: each text may have its
    length before it."""
    texts = [text for _name, text in record.fields if text.strip() and not text.strip().isdigit()]
    numbers = [code_of(text) for _name, text in record.fields]
    last = numbers[-1] if numbers else None
    return volumes.find(texts[0] if texts else None), () if last is None else (last,)


def _call(text: str | None) -> tuple[str | None, int | None, str | None]:
    """Returns the function, its control code and the device of a call as VSS writes it."""
    if not text:
        return None, None, None
    control = _CONTROL.match(text)
    if control is not None:
        return "DeviceIoControl", int(control["ioctl"], 16), control["device"]
    other = _CALL.match(text)
    return (None, None, None) if other is None else (other["name"], None, other["device"] or None)
