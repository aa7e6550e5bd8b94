# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What is not the collection's own fault, and is easily taken for it: by codes alone, as data. Pure.

The first row that fits is what it is. Where the sources leave it open what a code means there is no row, and the
failure is told as unexplained, with its codes.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.backups import FailedBackup
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.signs import (
    DISK,
    HYPER_V,
    LITTLE_SPACE,
    NTFS,
    OLD_NTFS,
    SERVICES,
    VOLSNAP,
    VSS,
    WSB,
    Sign,
)

# What Windows Server Backup says: the shadow copy on the storage location failed (the target), or that of the volumes
# backed up (the source). [documented texts; the first code seen in the field]
TARGET_FAILED, SOURCE_FAILED = 0x80780034, 0x807800A1
# The step of VSS that fails on a physical mapping, and the error of it. [seen in the field]
PREPARE_FOR_SNAPSHOT, COMMIT_SNAPSHOT, DISK_PERFORMANCE = 0x0053C008, 0x0053C010, 0x00560000
INVALID_PARAMETER, INCORRECT_FUNCTION = 0x80070057, 0x80070001
SERVER_FAILED, UNEXPECTED, ACCESS_DENIED, DISK_FULL = 0x80080005, 0x8000FFFF, 0x80070005, 0x80070070
_WRITER_CODES = frozenset(range(0x800423F0, 0x800423F5))
# The service swprv by its own name, in the bytes that the service manager adds.
_SWPRV = "7300770070007200760000"


@dataclass(frozen=True)
class Pattern:
    """Which records count: by provider and ids, and where they are given by codes, function, control code, device and
    a part of the bytes."""

    provider: str
    ids: frozenset[int]
    codes: frozenset[int] = frozenset()
    call: str | None = None
    control: int | None = None
    device: str = ""
    binary: str = ""

    def fits(self, sign: Sign) -> bool:
        """Tells whether a record counts."""
        return (
            sign.key[0] == self.provider
            and sign.key[1] in self.ids
            and (not self.codes or bool(self.codes.intersection(sign.codes)))
            and (self.call is None or sign.call == self.call)
            and (self.control is None or sign.control == self.control)
            and (not self.device or self.device in (sign.record.at(0) or ""))
            and self.binary in sign.record.binary
        )


@dataclass(frozen=True)
class NearMiss:
    """One row: `backup_codes` and `backup_ids` are those of a backup that failed (any of them), `signs` what has to be
    there beside it; where it names no backup, signs alone are enough. What it is, and what helps."""

    kind: str
    summary: str
    next: str
    backup_codes: frozenset[int] = frozenset()
    backup_ids: frozenset[int] = frozenset()
    detail_codes: frozenset[int] = frozenset()
    signs: tuple[Pattern, ...] = ()

    @property
    def of_backups(self) -> bool:
        """Whether it is about a backup that failed."""
        return bool(self.backup_codes or self.backup_ids or self.detail_codes)

    def fits(self, backup: FailedBackup, signs: Iterable[Sign]) -> bool:
        """Tells whether a backup that failed, with what was logged while it ran, is this."""
        if not self.of_backups:
            return False
        named = bool(self.backup_codes or self.backup_ids)
        if named and not (self.backup_codes & set(backup.codes[:1]) or self.backup_ids & backup.ids()):
            return False
        if self.detail_codes and not self.detail_codes & set(backup.codes):
            return False
        return not self.signs or any(self.counts(sign) for sign in signs)

    def counts(self, sign: Sign) -> bool:
        """Tells whether a record is one of its signs."""
        return any(pattern.fits(sign) for pattern in self.signs)


def _of(
    provider: str,
    *ids: int,
    codes: Iterable[int] = (),
    call: str | None = None,
    control: int | None = None,
    device: str = "",
    binary: str = "",
) -> Pattern:
    return Pattern(provider, frozenset(ids), frozenset(codes), call, control, device, binary)


_ON_TARGET = frozenset({TARGET_FAILED})
_WRITERS = (
    "Run vssadmin list writers as administrator: the state of a writer and its last error say which program it is. "
    "Restart that program's service, or the machine, and look into its own log."
)
_LOAD = (
    "The volume did not become quiet within the time that Windows gives it. Run backups at another time and not two at "
    "once, and see how busy the disk is; nothing speaks of the mapping of the disk."
)

OF_THE_SOURCE = NearMiss(
    "source_snapshot_failed",
    "The shadow copy of a volume that is backed up failed, not that on the storage location.",
    _WRITERS,
    backup_codes=frozenset({SOURCE_FAILED}) | _WRITER_CODES,
    backup_ids=frozenset({521}),
)
PROTECTED_FOR_OTHER_REASONS = NearMiss(
    "protected_not_for_space",
    "Windows took a volume offline to protect its shadow copies, and not for lack of space: their storage could not be "
    "found, read or written, or memory was short.",
    "Extending the recovery-point volume does not help. Look at the disks below the storage of the shadow copies and "
    "at the memory of the machine, then bring the volume back by a restart; check the replica afterwards.",
    signs=(_of(VOLSNAP, *range(80, 87), *range(90, 93), 94),),
)

NEAR_MISSES: tuple[NearMiss, ...] = (
    OF_THE_SOURCE,
    NearMiss(
        "shadow_copy_provider_broken",
        "The shadow copy on the storage location failed because the service of the provider (swprv) does not start.",
        "Start the service swprv and look at why it stops (COM registration, permissions of its account); sc query "
        "swprv shows its state. The disk is not at fault.",
        backup_codes=_ON_TARGET,
        signs=(
            _of(VSS, 12292, codes=(SERVER_FAILED,)),
            _of(VSS, 11, 13, 22, codes=(SERVER_FAILED,)),
            _of(SERVICES, 7023, binary=_SWPRV),
        ),
    ),
    NearMiss(
        "target_without_room",
        "The shadow copy on the storage location failed because there is no room for it there.",
        "Free space on the storage location, or raise the limit of its shadow copies: vssadmin list shadowstorage "
        "shows both. Windows Server Backup keeps its versions there as shadow copies.",
        backup_codes=_ON_TARGET,
        signs=(
            _of(VSS, 8193, 12289, codes=(UNEXPECTED,)),
            _of(VSS, 4001),
            _of(VOLSNAP, 23, 36, 39, 41),
            _of(WSB, *LITTLE_SPACE),
        ),
    ),
    NearMiss(
        "sector_sizes_differ",
        "The shadow copy on the storage location failed because the sectors of the volume for it are larger than those "
        "of the volume itself.",
        "Keep the shadow copies of a volume on a volume with the same sector size, or use a disk of the same kind as "
        "the storage location.",
        backup_codes=_ON_TARGET,
        signs=(_of(VSS, 4004),),
    ),
    NearMiss(
        "target_failing",
        "The shadow copy on the storage location failed while the disk below it failed, timed out or was pulled.",
        "Look at the disk: its cable, its paths, its own error counters. Check the file system before it is "
        "used again.",
        backup_codes=_ON_TARGET,
        signs=(_of(DISK, 51, 153, 154, 157), _of(NTFS, 140), _of(OLD_NTFS, 140)),
    ),
    NearMiss(
        "little_space",
        "There is too little space: for the shadow copy of a volume (the System Reserved and the EFI partition need it "
        "too), or on the storage location.",
        "Free space on the volume that is named: below 50 MB on a small partition, below 320 MB on others a shadow "
        "copy fails. Remove old versions from the storage location where that one is full.",
        backup_codes=frozenset({0x80780119, DISK_FULL}),
    ),
    NearMiss(
        "little_space",
        "The disk that was written to is full.",
        "Remove old versions from the storage location, or use a larger one.",
        detail_codes=frozenset({DISK_FULL}),
    ),
    NearMiss(
        "efi_partition_locked",
        "The EFI system partition could not be locked: another program has it open.",
        "Find the program that holds the EFI system partition open (encryption and security programs do), or restart "
        "the machine and back up again.",
        backup_codes=frozenset({0x8078011E}),
    ),
    NearMiss(
        "share_unreachable",
        "The remote shared folder of the backup could not be used.",
        "See that the share can be reached and written to by the account of the backup; for a job of DPM, from the "
        "protected server.",
        backup_codes=frozenset({0x8078015B}),
    ),
    NearMiss(
        "device_error",
        "A device that was read or written reported an error.",
        "Look at the disk that is named, its cable and its log; replace a medium that fails.",
        backup_codes=frozenset({0x8078002A, 0x8078012D}),
        detail_codes=frozenset({0x8007045D}),
    ),
    NearMiss(
        "source_snapshot_failed",
        "The shadow copy that a backup needs failed.",
        _WRITERS,
        backup_ids=frozenset({9}),
    ),
    NearMiss(
        "floppy_drive",
        "A query to a floppy drive failed. It is noise of virtual machines with one, and stops no backup.",
        "Disable the floppy drive in the BIOS of the virtual machine, or remove it; else leave it.",
        signs=(
            _of(
                VSS,
                12289,
                codes=(INCORRECT_FUNCTION,),
                call="DeviceIoControl",
                control=DISK_PERFORMANCE,
            ),
        ),
    ),
    NearMiss(
        "foreign_file_system_driver",
        "A shadow copy was made and could not be opened: a driver of another file system, or a filter, is in the way.",
        "Update or remove that driver; fltmc filters lists the filters.",
        signs=(
            _of(
                VSS,
                12289,
                codes=(INCORRECT_FUNCTION,),
                call="CreateFileW",
                device="HarddiskVolumeShadowCopy",
            ),
        ),
    ),
    NearMiss(
        "shadow_copy_timed_out",
        "A shadow copy could not be committed or held in time.",
        _LOAD,
        signs=(
            _of(VSS, 12289, call="DeviceIoControl", control=COMMIT_SNAPSHOT),
            _of(VSS, 12297, 12298, 12310, 12338, 12340),
            _of(VOLSNAP, 8, 9),
        ),
    ),
    PROTECTED_FOR_OTHER_REASONS,
    NearMiss(
        "shadow_copies_lost",
        "Shadow copies of a volume were deleted, aborted or could not grow; the volume itself stays online. Where only "
        "the oldest went, a limit of space or number was reached, and nothing failed.",
        "Raise the limit of the shadow copies of the volume, or put them on another volume: vssadmin resize "
        "shadowstorage.",
        signs=(_of(VOLSNAP, 14, 16, 23, 24, 25, 27, 28, 29, 33, 35, 36, 39, 41, 48, 58, 59),),
    ),
    NearMiss(
        "source_snapshot_failed",
        "A writer, or the shadow copy of a volume that is backed up, failed.",
        _WRITERS,
        signs=(_of(VSS, 8229), _of(VSS, 12290)),
    ),
    NearMiss(
        "shadow_copy_provider_broken",
        "The service of a shadow copy provider cannot be started.",
        "Start the service swprv and look at why it stops; see which other providers vssadmin list providers names.",
        signs=(_of(VSS, 12292), _of(VSS, 11, 13, 22)),
    ),
    NearMiss(
        "sector_sizes_differ",
        "The sectors of the volume for shadow copies are larger than those of the volume itself.",
        "Keep the shadow copies of a volume on a volume with the same sector size.",
        signs=(_of(VSS, 4004),),
    ),
    NearMiss(
        "target_without_room",
        "There is no room for a shadow copy.",
        "Free space on the volume, or name another for its shadow copies: vssadmin list shadowstorage shows both.",
        signs=(_of(VSS, 4001), _of(VSS, 8193, 12289, codes=(UNEXPECTED,))),
    ),
    NearMiss(
        "source_snapshot_failed",
        "A call of the shadow copy service failed.",
        _WRITERS,
        signs=(_of(VSS, 8193),),
    ),
    NearMiss(
        "volume_failing",
        "The file system could not write its log: the disk below it failed, or was pulled.",
        "Look at the disk, its cable and its paths; check the file system before it is used again.",
        signs=(_of(NTFS, 140), _of(OLD_NTFS, 140)),
    ),
    NearMiss(
        "little_space",
        "The storage location of the backups has little space left, or none.",
        "Remove old versions from it, or use a larger one.",
        signs=(_of(WSB, *LITTLE_SPACE),),
    ),
    NearMiss(
        "hyper_v_backup_failed",
        "Hyper-V could not back up a virtual machine of this host.",
        "Look at the integration services and the writers inside that virtual machine, and at the log of Hyper-V.",
        signs=(_of(HYPER_V, 10111),),
    ),
)
UNEXPLAINED = NearMiss(
    "unexplained",
    "No signature knows these codes.",
    "Look at the records that are named, in the Event Viewer of the machine.",
)
