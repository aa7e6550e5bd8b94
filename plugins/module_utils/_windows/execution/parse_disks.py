# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""From what the script read_disks returns to the facts of the domain. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._powershell import answers
from ansible_collections.winbackup.storage.plugins.module_utils._windows import words
from ansible_collections.winbackup.storage.plugins.module_utils._windows.identifiers import (
    guid_of,
    signature_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.model import (
    Disk,
    Machine,
    MachineDisks,
    ScsiAddress,
    SectorSizes,
    Sizes,
    UnreadPart,
    Volume,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.volume_names import guid_in, letter_in

Row = Mapping[str, Any]

# Partitions of dynamic disks (Microsoft, PARTITION_INFORMATION_GPT and disk partition types): LDM data, LDM metadata.
_DYNAMIC_GPT = ("af9b60a0-1431-4f62-bc68-3311714a69ad", "5808c8aa-7e8f-42e0-85d2-e90434cfb3b3")
_DYNAMIC_MBR = 0x42


def parse_disks(answer: object) -> MachineDisks:
    """Returns the facts in an answer of read_disks; raises CorruptReply for what is no answer of it."""
    storage = _Storage(answer)
    unread_parts = [
        UnreadPart(answers.text(row, "part") or "other", answers.text(row, "message") or "")
        for row in answers.rows(answer, "unread_parts")
    ]
    drives = answers.rows(answer, "drives")
    disks = [storage.disk(row, storage.row_of(row)) for row in drives]
    listed = {disk.device_path for disk in disks}
    # A disk may have come between the two lists.
    late = [row for row in storage.rows if answers.text(row, "path") not in listed]
    disks += [storage.disk({"number": answers.number(row, "number")}, row) for row in late]
    disks.sort(key=lambda disk: (disk.number is None, disk.number or 0, disk.device_path or ""))
    placed = {volume.path for disk in disks for volume in disk.volumes or ()}
    others = None
    if storage.volumes is not None:
        others = tuple(volume for volume in storage.volumes if volume.path not in placed)
    return MachineDisks(
        machine=parse_machine(answers.value_of(answer, "machine")),
        disks=tuple(disks),
        other_volumes=others,
        san_policy=words.word_of(answers.text(answer, "san_policy"), words.SAN_POLICIES),
        unread_parts=tuple(unread_parts),
    )


def parse_machine(row: object) -> Machine:
    """Returns what a script tells of the machine."""
    return Machine(
        answers.text(row, "name"),
        answers.text(row, "bios_uuid"),
        answers.text(row, "serial"),
        answers.text(row, "os_build"),
    )


class _Storage:
    """What the Storage classes tell, by the number of the disk. A list that came empty was not read: a machine has at
    least the disk that it runs from, and who has no elevated token gets empty lists."""

    def __init__(self, answer: object) -> None:
        listed = answers.rows_or_none(answer, "disks") or []
        self.rows = listed
        self._by_number = {number: row for row in listed if (number := answers.number(row, "number")) is not None}
        self.partitions = answers.rows_or_none(answer, "partitions") or None
        physical = answers.rows_or_none(answer, "physical") or None
        self.physical = None if physical is None else {answers.text(row, "number"): row for row in physical}
        volumes = answers.rows_or_none(answer, "volumes")
        self.volumes = None if volumes is None else tuple(parse_volume(row) for row in volumes)

    def row_of(self, drive: Row) -> Row:
        """Returns the row of MSFT_Disk that is a drive's, by its number, or for one without a number by its name, which
        stands in its path with other marks between the parts; an empty one for none."""
        number = answers.number(drive, "number")
        found = self._by_number.get(number) if number is not None else None
        name = (answers.text(drive, "device") or "").lower().replace("\\", "#")
        named = (row for row in self.rows if name and name in (answers.text(row, "path") or "").lower())
        return found or next((row for row in named if answers.number(row, "number") is None), {})

    def disk(self, drive: Row, row: Row) -> Disk:
        """Returns the disk of these rows of Win32_DiskDrive and MSFT_Disk, with what the others tell of it."""
        number = answers.number(drive, "number")
        parts = self._partitions_of(number) if row else None
        pooled = self._is_pooled(number, listed=bool(row))
        physical = (self.physical or {}).get(str(number), {})
        offline = answers.flag(row, "offline")
        return Disk(
            number=number,
            device_path=answers.text(row, "path"),
            scsi=ScsiAddress(*(answers.number(drive, key) for key in ("port", "bus", "target", "lun"))),
            pci_slot=answers.number(drive, "slot"),
            disk_id=_disk_id(drive, row),
            serial=(answers.text(row, "serial") or answers.text(drive, "serial") or "").strip() or None,
            unique_id=(answers.text(row, "unique_id") or "").strip() or None,
            friendly_name=answers.text(row, "name") or answers.text(drive, "model"),
            bus_type=words.word_of(answers.text(row, "bus"), words.BUS_TYPES),
            sizes=Sizes(
                disk=_size(row, "size"),
                wmi=_size(drive, "size"),
                physical=_size(physical, "size"),
                partitions_end=_end_of(parts),
            ),
            partition_style=words.word_of(answers.text(row, "style"), words.PARTITION_STYLES),
            dynamic=self._is_dynamic(row, parts, pooled),
            multipath=_is_multipath(drive, row),
            clustered=answers.flag(row, "clustered"),
            storage_pool=pooled,
            boot=answers.flag(row, "boot"),
            system=answers.flag(row, "system"),
            offline=offline,
            offline_reason=words.word_of(answers.text(row, "reason"), words.OFFLINE_REASONS) if offline else None,
            read_only=answers.flag(row, "read_only"),
            sector_sizes=SectorSizes(_size(row, "logical") or _size(drive, "sector"), _size(row, "physical")),
            volumes=self._volumes_of(row, parts),
        )

    def _partitions_of(self, number: int | None) -> list[Row] | None:
        if self.partitions is None or number is None:
            return None
        return [row for row in self.partitions if answers.number(row, "disk") == number]

    def _is_pooled(self, number: int | None, *, listed: bool) -> bool | None:
        """Whether a disk is a member of a storage pool; None where that was not read. One that the Storage classes list
        as a disk is none, whether it has a row of its own among the physical disks or not."""
        row = (self.physical or {}).get(str(number))
        if self.physical is None or row is None:
            return False if self.physical is not None and listed else None
        reasons = [words.word_of(text, words.CANNOT_POOL_REASONS) for text in answers.texts(row, "reasons")]
        return words.IN_A_POOL in reasons

    def _is_dynamic(self, row: Row, parts: Sequence[Row] | None, pooled: bool | None) -> bool | None:
        """A disk that the Storage classes do not list is a dynamic one, or a member of a pool."""
        if parts is not None and any(_is_ldm(part) for part in parts):
            return True
        if row:
            return False if parts is not None else None
        if not self.rows or pooled is None:
            return None
        return not pooled

    def _volumes_of(self, row: Row, parts: Sequence[Row] | None) -> tuple[Volume, ...] | None:
        # An offline disk has volumes, of which Windows tells nothing.
        if parts is None or self.volumes is None or answers.flag(row, "offline") is not False:
            return None
        by_guid = {volume.guid: volume for volume in self.volumes if volume.guid is not None}
        found = []
        for part in parts:
            paths = answers.texts(part, "paths")
            guid = next((guid for path in paths if (guid := guid_in(path)) is not None), None)
            volume = by_guid.get(guid or "")
            if volume is not None:
                found.append(_with_mount_points(volume, paths))
        return tuple(found)


def _disk_id(drive: Row, row: Row) -> str | None:
    return (
        guid_of(answers.text(row, "guid"))
        or signature_of(answers.number(row, "signature"))
        or signature_of(answers.number(drive, "signature"))
    )


def _is_multipath(drive: Row, row: Row) -> bool | None:
    """Windows' own MPIO gives its disks names of their own."""
    names = [answers.text(drive, "device"), (answers.text(row, "path") or "").removeprefix("\\\\?\\")]
    known = [name.lower().startswith("mpio") for name in names if name]
    return any(known) if known else None


def _is_ldm(part: Row) -> bool:
    return guid_of(answers.text(part, "gpt_type")) in _DYNAMIC_GPT or answers.number(part, "mbr_type") == _DYNAMIC_MBR


def _end_of(parts: Iterable[Row] | None) -> int | None:
    ends = [
        offset + size
        for part in parts or ()
        if (offset := answers.number(part, "offset")) is not None and (size := answers.number(part, "size")) is not None
    ]
    return max(ends, default=None)


def _size(row: Row, key: str) -> int | None:
    found = answers.number(row, key)
    return found if found is not None and found > 0 else None


def parse_volume(row: Row) -> Volume:
    """Returns the volume that a row of Win32_Volume is."""
    path = answers.text(row, "path")
    name = answers.text(row, "name")
    mounted = name if name is not None and guid_in(name) is None else None
    return Volume(
        guid=guid_in(path),
        letter=letter_in(answers.text(row, "letter")),
        path=path,
        mount_points=(mounted,) if mounted is not None else (),
        file_system=(answers.text(row, "file_system") or "").lower() or None,
        size_bytes=_size(row, "size"),
    )


def _with_mount_points(volume: Volume, paths: Iterable[str]) -> Volume:
    shown = (*volume.mount_points, *(path for path in paths if guid_in(path) is None))
    known = {path.lower(): path for path in reversed(shown)}
    return Volume(
        volume.guid,
        volume.letter,
        volume.path,
        tuple(sorted(known.values())),
        volume.file_system,
        volume.size_bytes,
    )
