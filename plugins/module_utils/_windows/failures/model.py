# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The facts that a diagnosis rests on, and what it says. Pure.

None means "not known"; an empty tuple means "known to be none".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from ansible_collections.winbackup.storage.plugins.module_utils._windows.event_records import EventRecord
from ansible_collections.winbackup.storage.plugins.module_utils._windows.volume_names import NamedVolume, VolumeTable


class Signature(StrEnum):
    """The faults that the collection cures, or leads to the cure of."""

    RDM_PHYSICAL_SHADOW_COPY = "rdm_physical_shadow_copy"
    CAPACITY_MISMATCH = "capacity_mismatch"
    TRUNCATED_AT_2_TIB = "truncated_at_2_tib"
    REPLICA_OFFLINE = "replica_offline"
    RECOVERY_POINT_VOLUME_SHORT = "recovery_point_volume_short"
    REPLICA_INCONSISTENT = "replica_inconsistent"


class Confidence(StrEnum):
    """How sure a diagnosis is, the surest first."""

    CERTAIN = "certain"
    LIKELY = "likely"
    POSSIBLE = "possible"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class SeenDisk:
    """A disk as the interfaces of Windows show it. `physical_mapping` tells whether it is a raw device mapping in
    physical mode, `vm_disk` which disk of the virtual machine it is."""

    number: int
    disk_id: str | None = None
    sizes_agree: bool | None = None
    truncated: bool | None = None
    sizes: Mapping[str, int | None] = field(default_factory=dict)
    physical_mapping: bool | None = None
    vm_disk: Mapping[str, object] | None = None


@dataclass(frozen=True)
class ProtectedSource:
    """A data source of DPM with its replica volume. `short` tells whether its recovery-point volume is."""

    id: str
    name: str
    computer: str
    replica: NamedVolume | None
    short: bool | None
    consistent: bool | None
    sizes: str = ""
    active: bool = True

    @property
    def display_name(self) -> str:
        """How messages call it."""
        return f"{self.name} on {self.computer}" if self.computer else self.name


@dataclass(frozen=True)
class LastBackup:
    """What Windows Server Backup itself says: of the last backup and its storage location, and of the label and the
    volume that the last good one lies on."""

    last_success: datetime | None = None
    last_result_code: int | None = None
    target: str | None = None
    success_target: str | None = None
    success_path: str | None = None
    next: datetime | None = None


@dataclass(frozen=True)
class SeenLog:
    """A log as far as it could be read. `present` is false where this version of Windows has none of that name;
    `records` counts what was read (None: it could not be read, `error` says why) of records that signatures ask for,
    `unreadable` those of them that are no XML; `complete` is false where there are more than were taken."""

    name: str
    present: bool = True
    enabled: bool | None = None
    oldest: datetime | None = None
    records: int | None = None
    unreadable: int = 0
    complete: bool = True
    error: str | None = None


@dataclass(frozen=True)
class DiskChange:
    """A disk that came, or went (`partitions` 0), with what Windows saw of it then."""

    time: datetime
    number: int | None
    capacity_bytes: int | None
    serial: str | None
    partitions: int | None


@dataclass(frozen=True)
class Reading:
    """All that was read of one machine. `is_vmware` tells whether it is a virtual machine of VMware, `sources` what DPM
    protects where the machine is a DPM server (None: it is, and that could not be read; `is_dpm` tells which)."""

    now: datetime
    records: tuple[EventRecord, ...]
    volumes: VolumeTable
    disks: tuple[SeenDisk, ...] = ()
    backup: LastBackup | None = None
    is_vmware: bool | None = None
    is_dpm: bool | None = None
    sources: tuple[ProtectedSource, ...] | None = ()

    def disk(self, volume: NamedVolume | None) -> SeenDisk | None:
        """Returns the disk that holds a volume; None where that is not known."""
        if volume is None or volume.disk is None:
            return None
        return next((disk for disk in self.disks if disk.number == volume.disk), None)

    def source(self, volume: NamedVolume | None) -> ProtectedSource | None:
        """Returns the data source whose replica a volume is; None for none, or where that is not known."""
        if volume is None:
            return None
        found = [one for one in self.sources or () if one.replica is not None and one.replica.is_same_as(volume)]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True)
class Evidence:
    """One record that a diagnosis rests on."""

    log: str
    provider: str
    id: int
    record: int | None
    time: datetime
    codes: tuple[str, ...]


@dataclass(frozen=True)
class Failure:
    """One fault of the collection's own, as often as it was seen. `still_so` is false where it was seen to be over."""

    signature: Signature
    confidence: Confidence
    time: datetime
    last_seen: datetime
    count: int
    summary: str
    cause: str
    next: str
    evidence: tuple[Evidence, ...] = ()
    codes: tuple[str, ...] = ()
    volume: NamedVolume | None = None
    disk: SeenDisk | None = None
    datasource: ProtectedSource | None = None
    still_so: bool | None = None


@dataclass(frozen=True)
class OtherFailure:
    """A fault that is none of the collection's own, as often as it was seen."""

    kind: str
    time: datetime
    last_seen: datetime
    count: int
    summary: str
    next: str
    evidence: tuple[Evidence, ...] = ()
    codes: tuple[str, ...] = ()
    volume: NamedVolume | None = None
    still_so: bool | None = None


@dataclass(frozen=True)
class Diagnosis:
    """What was found, the latest first."""

    failures: tuple[Failure, ...] = ()
    other_failures: tuple[OtherFailure, ...] = ()
