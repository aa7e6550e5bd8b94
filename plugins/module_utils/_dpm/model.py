# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The facts of the DPM domain: what was read of a DPM server. Pure.

Sizes are bytes, times are aware datetimes. None means "not known"; an empty tuple means "known to be none".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding

# DPM keeps this much of a recovery-point volume for itself.
DPM_RESERVE = 600 * 1024**2
# Auto-grow makes a volume larger by a quarter, and by this at the least.
LEAST_GROWTH = 10 * 1024**3
# DPM rounds allocations up to this, and sizes are compared no finer.
GRANULARITY = 10 * 1024**2
# Of a pool of dynamic disks: how many slots their database has, and the least that one volume takes.
LDM_SLOTS = 2960
LDM_SLOTS_OF_A_VOLUME = 3


# The words for the state of a replica that are known. Of any other it is not known whether it is a good one.
_CONSISTENT, _INCONSISTENT = "valid", "invalid"
# The one word for a disk of the pool that is in order.
_HEALTHY = "healthy"


# What DPM calls the protection of bare metal and of the system's state: of such a data source it keeps the replica on
# Modern Backup Storage at the size that it was given. The replicas of these others it makes larger by itself.
_SIZED_BY_HAND = "system protection"
_GROW_THEMSELVES = ("volume", "microsoft hyper-v", "sharepoint farm", "sql")


class VolumeKind(StrEnum):
    """One of the two volumes of a data source."""

    RECOVERY_POINT = "recovery_point"
    REPLICA = "replica"

    @property
    def display_name(self) -> str:
        """How messages call it."""
        return "recovery-point volume" if self is VolumeKind.RECOVERY_POINT else "replica volume"


class StorageKind(StrEnum):
    """Where a data source is kept: on volumes of its own; on Modern Backup Storage, which has none to extend; nowhere
    on this server's disks (on tape or in the cloud only, no replica yet, protected by a secondary server)."""

    LEGACY = "legacy"
    MODERN = "modern"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Allocation:
    """The sizes of one volume; what DPM calls -1 or has not loaded yet is None."""

    allocated_bytes: int | None = None
    used_bytes: int | None = None

    @property
    def known(self) -> bool:
        return self.allocated_bytes is not None and self.used_bytes is not None


@dataclass(frozen=True)
class RecoveryPoints:
    """How many recovery points there are on disk, and of what times."""

    count: int | None = None
    newest: datetime | None = None
    oldest: datetime | None = None


@dataclass(frozen=True)
class DataSource:
    """One protected data source. `aliases` are the other names that DPM has for it, `shares_with` the ids of the data
    sources on the same volumes (None: it shares them, with whom is not known). `alerted_inconsistent` tells whether an
    active alert calls its replica inconsistent, `unreadable` why DPM does not tell of it what it tells of others."""

    id: str
    name: str
    computer: str
    aliases: frozenset[str] = frozenset()
    ids: frozenset[str] = frozenset()
    computers: frozenset[str] = frozenset()
    protection_group: str | None = None
    type: str | None = None
    state: str | None = None
    active: bool = True
    replica: Allocation = Allocation()
    replica_path: str | None = None
    recovery_point_volume: Allocation = Allocation()
    storage_kind: StorageKind = StorageKind.UNKNOWN
    custom_volume: bool | None = None
    shares_with: tuple[str, ...] | None = ()
    auto_grow: bool | None = None
    recovery_points: RecoveryPoints = RecoveryPoints()
    alerted_inconsistent: bool | None = None
    unreadable: str | None = None

    @property
    def consistent(self) -> bool | None:
        """Whether its replica is consistent; None where its state has no known name, or the alerts were not read."""
        if self.state == _INCONSISTENT or self.alerted_inconsistent:
            return False
        return True if self.state == _CONSISTENT and self.alerted_inconsistent is False else None

    @property
    def state_is_known(self) -> bool:
        """Whether its state is one of the words whose meaning is known."""
        return self.state in (_CONSISTENT, _INCONSISTENT)

    @property
    def state_seen(self) -> str:
        """What is known of the state of its replica, for a message."""
        if self.state is None:
            return "DPM tells no state"
        if self.state_is_known:
            return f"DPM calls it {self.state}, and what its alerts say of it is not known"
        return f"DPM calls it {self.state}"

    def sizes(self, kind: VolumeKind) -> Allocation:
        """Returns the sizes of one of its volumes."""
        return self.recovery_point_volume if kind is VolumeKind.RECOVERY_POINT else self.replica

    def nothing_to_extend(self, kind: VolumeKind) -> str | None:
        """Returns why it has no such volume that DPM could extend, as a code; None where it has one,
        or that is not known."""
        if self.storage_kind is StorageKind.MODERN:
            reason = "modern_storage" if kind is VolumeKind.RECOVERY_POINT else self._replica_not_set
            if reason is not None:
                return reason
        if self.storage_kind is StorageKind.NONE:
            return "no_disk_storage"
        if not self.active:
            return "inactive"
        return "custom_volume" if self.custom_volume else None

    @property
    def _replica_not_set(self) -> str | None:
        """Why DPM does not let the size of its replica on Modern Backup Storage be set; None where it does."""
        said = (self.type or "").casefold()
        if said == _SIZED_BY_HAND:
            return None
        return "replica_grows_itself" if said.startswith(_GROW_THEMSELVES) else "type_unknown"

    @property
    def auto_growth(self) -> int:
        """How much larger auto-grow makes its recovery-point volume at its next step; 0 where it is off."""
        if self.auto_grow is False:
            return 0
        return growth_of(self.recovery_point_volume.allocated_bytes or 0)

    @property
    def display_name(self) -> str:
        """How messages call it."""
        return f"{self.name} on {self.computer}" if self.computer else self.name


@dataclass(frozen=True)
class Job:
    """A job. `sources` are ids of data sources; `id` is None on servers whose jobs tell none. `message` is the short
    text of its error, `problem` the long one."""

    id: str | None = None
    type: str | None = None
    status: str | None = None
    started: datetime | None = None
    ended: datetime | None = None
    completed: bool | None = None
    sources: frozenset[str] = frozenset()
    protection_group: str | None = None
    error_code: int | None = None
    message: str | None = None
    problem: str | None = None


@dataclass(frozen=True)
class Alert:
    """An active alert; `source` is the id of the data source that it is about, else `computer` the protected computer.
    `about_inconsistency` tells whether it calls a replica inconsistent, None where it does not tell what it says."""

    id: str | None
    severity: str | None
    type: str | None
    since: datetime | None
    message: str | None
    source: str | None
    computer: str | None = None
    code: int | None = None
    about_inconsistency: bool | None = False


@dataclass(frozen=True)
class Disk:
    """A disk of the storage pool. Only the space of a healthy one is space that DPM can use."""

    name: str
    id: str | None
    status: str | None
    capacity_bytes: int | None
    unallocated_bytes: int | None

    @property
    def healthy(self) -> bool | None:
        """Whether it is healthy; None where DPM tells no status."""
        return None if self.status is None else self.status == _HEALTHY

    @property
    def usable_bytes(self) -> int | None:
        """What of it a volume could get; None where that is not known."""
        return 0 if self.healthy is False else self.unallocated_bytes if self.healthy else None


@dataclass(frozen=True)
class StorageVolume:
    """A volume of Modern Backup Storage. `datasources` is how many are kept on it; None where that is not known."""

    name: str
    size_bytes: int | None
    free_bytes: int | None
    datasources: int | None = None

    @property
    def used_bytes(self) -> int | None:
        if self.size_bytes is None or self.free_bytes is None:
            return None
        return max(0, self.size_bytes - self.free_bytes)


@dataclass(frozen=True)
class Pool:
    """The storage pool: disks, and the volumes of Modern Backup Storage (none where the server's version has none).
    `volumes` counts the volumes of data sources on the disks.

    What its database of dynamic disks holds cannot be read: the slots are what that many volumes take at least.
    """

    disks: tuple[Disk, ...] | None = None
    volumes: int | None = None
    storage_volumes: tuple[StorageVolume, ...] | None = ()

    @property
    def largest_free_bytes(self) -> int | None:
        """The most that one of the volumes of Modern Backup Storage has free; None where that is not known."""
        if self.storage_volumes is None or any(volume.free_bytes is None for volume in self.storage_volumes):
            return None
        return max((volume.free_bytes or 0 for volume in self.storage_volumes), default=0)

    @property
    def capacity_bytes(self) -> int | None:
        return _sum(None if self.disks is None else [disk.capacity_bytes for disk in self.disks])

    @property
    def unallocated_bytes(self) -> int | None:
        """What volumes could get: disks that are not healthy do not count."""
        return _sum(None if self.disks is None else [disk.usable_bytes for disk in self.disks])

    @property
    def ldm_slots_used(self) -> int | None:
        """The least that are used."""
        return None if self.volumes is None else self.volumes * LDM_SLOTS_OF_A_VOLUME

    @property
    def ldm_slots_left(self) -> int | None:
        """The most that are left."""
        used = self.ldm_slots_used
        return None if used is None else max(0, LDM_SLOTS - used)


@dataclass(frozen=True)
class Machine:
    """The computer itself, by which it is joined to its virtual machine."""

    name: str | None = None
    bios_uuid: str | None = None
    serial: str | None = None


@dataclass(frozen=True)
class Facts:
    """What one reading of a DPM server gave. `now` is the server's own clock, `unreadable` what it would not tell.

    `running`, `checks`, `failed` and `alerts` are None where they could not be read; `alerts_complete` is false where
    some of them could not. `checks` are the consistency checks that run, and those since the time that was asked for.
    """

    now: datetime
    sources: dict[str, DataSource]
    pool: Pool = Pool()
    running: tuple[Job, ...] | None = ()
    checks: tuple[Job, ...] | None = ()
    failed: tuple[Job, ...] | None = ()
    alerts: tuple[Alert, ...] | None = ()
    alerts_complete: bool = True
    edits_directly: bool = True
    server_name: str | None = None
    server_version: str | None = None
    machine: Machine = Machine()
    unreadable: tuple[Finding, ...] = ()

    def sharing(self, source: DataSource) -> tuple[DataSource, ...]:
        """Returns the data sources on the same volumes, itself among them, in the order of their ids."""
        ids = {source.id, *(source.shares_with or ())}
        return tuple(self.sources[one] for one in sorted(ids) if one in self.sources)

    def is_idle(self, sources: tuple[DataSource, ...]) -> bool:
        """Tells whether no running job concerns one of these data sources; false where the jobs could not be read.

        Where a server lacks the direct edit, the whole protection group is edited, and all of its jobs count.
        """
        if self.running is None:
            return False
        ids = {source.id for source in sources}
        groups = set() if self.edits_directly else {source.protection_group for source in sources} - {None}
        return not any(job.sources & ids or job.protection_group in groups for job in self.running)


def growth_of(allocated: int) -> int:
    """Returns how much larger auto-grow makes a volume at once."""
    return max(allocated // 4, LEAST_GROWTH)


def _sum(sizes: list[int | None] | None) -> int | None:
    if sizes is None or any(size is None for size in sizes):
        return None
    return sum(size for size in sizes if size is not None)
