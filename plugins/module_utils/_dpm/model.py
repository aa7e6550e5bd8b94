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
# DPM rounds allocations up to this, and sizes are compared no finer.
GRANULARITY = 10 * 1024**2
# Of a pool of dynamic disks: how many slots their database has, and the least that one volume takes.
LDM_SLOTS = 2960
LDM_SLOTS_OF_A_VOLUME = 3


class StorageKind(StrEnum):
    """Where a data source is kept: on volumes of its own, or on Modern Backup Storage, which has none to extend."""

    LEGACY = "legacy"
    MODERN = "modern"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Allocation:
    """The sizes of one volume; what DPM calls -1 or has not loaded yet is None."""

    allocated_bytes: int | None = None
    used_bytes: int | None = None


@dataclass(frozen=True)
class RecoveryPoints:
    """How many recovery points there are on disk, and of what times."""

    count: int | None = None
    newest: datetime | None = None
    oldest: datetime | None = None


@dataclass(frozen=True)
class DataSource:
    """One protected data source. `aliases` are the other names that DPM has for it, `shares_with` the ids of the data
    sources on the same volumes (None: it shares them, with whom is not known)."""

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

    @property
    def consistent(self) -> bool | None:
        """Whether its replica is consistent. `Invalid` is the one state that is known to be bad."""
        return None if self.state is None else self.state != "invalid"

    @property
    def display_name(self) -> str:
        """How messages call it."""
        return f"{self.name} on {self.computer}" if self.computer else self.name


@dataclass(frozen=True)
class Job:
    """A job. `sources` are ids of data sources; `id` is None on servers whose jobs tell none."""

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


@dataclass(frozen=True)
class Alert:
    """An active alert; `source` is the id of the data source that it is about."""

    id: str | None
    severity: str | None
    type: str | None
    since: datetime | None
    message: str | None
    source: str | None


@dataclass(frozen=True)
class Disk:
    """A disk of the storage pool."""

    name: str
    id: str | None
    status: str | None
    capacity_bytes: int | None
    unallocated_bytes: int | None


@dataclass(frozen=True)
class Pool:
    """The storage pool of disks. `volumes` counts the volumes of data sources on it.

    What its database of dynamic disks holds cannot be read: the slots are what that many volumes take at least.
    """

    disks: tuple[Disk, ...] | None = None
    volumes: int | None = None

    @property
    def capacity_bytes(self) -> int | None:
        return _sum(None if self.disks is None else [disk.capacity_bytes for disk in self.disks])

    @property
    def unallocated_bytes(self) -> int | None:
        return _sum(None if self.disks is None else [disk.unallocated_bytes for disk in self.disks])

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
    """What one reading of a DPM server gave. `now` is the server's own clock, `unreadable` what it would not tell."""

    now: datetime
    sources: dict[str, DataSource]
    pool: Pool = Pool()
    running: tuple[Job, ...] = ()
    checks: tuple[Job, ...] = ()
    failed: tuple[Job, ...] = ()
    alerts: tuple[Alert, ...] = ()
    edits_directly: bool = True
    server_name: str | None = None
    server_version: str | None = None
    machine: Machine = Machine()
    unreadable: tuple[Finding, ...] = ()

    def sharing(self, source: DataSource) -> tuple[DataSource, ...]:
        """Returns the data sources on the same volumes, itself among them, in the order of their ids."""
        ids = {source.id, *(source.shares_with or ())}
        return tuple(self.sources[one] for one in sorted(ids) if one in self.sources)

    def busy_with(self, sources: tuple[DataSource, ...]) -> tuple[Job, ...]:
        """Returns the running jobs that concern one of these data sources.

        Where a server lacks the direct edit, the whole protection group is edited, and all of its jobs count.
        """
        ids = {source.id for source in sources}
        groups = set() if self.edits_directly else {source.protection_group for source in sources} - {None}
        return tuple(job for job in self.running if job.sources & ids or job.protection_group in groups)


def _sum(sizes: list[int | None] | None) -> int | None:
    if sizes is None or any(size is None for size in sizes):
        return None
    return sum(size for size in sizes if size is not None)
