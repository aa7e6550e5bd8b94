# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a DPM server knows: groups, data sources, jobs, alerts, recovery points, events. Plain records."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass, field

from .storage import Volume

# Storage of data sources of which this server keeps nothing on disks: on tape, in the cloud, a replica that is not
# created yet, protected by a secondary server.
NO_DISK = ("tape", "cloud", "pending", "secondary")


@dataclass(eq=False)
class Group:
    """A protection group. `method` is what it shows as its way to protect."""

    name: str
    id: uuid.UUID
    auto_grow: bool = False
    auto_check: bool = False
    collocated: bool = False
    method: str = "Disk"
    changes: int = 0  # how often it was changed


@dataclass(eq=False)
class DataSource:
    """A data source. `storage`: legacy, custom (legacy on volumes that DPM does not manage), modern, or one of
    NO_DISK.

    An inactive one has no group and keeps its volumes. `unknown_until`: till then its sizes read `unknown_size`.
    `unknown` are the size properties that read -1 for good, `unreadable` the properties that throw (all: "*").
    `earlier` are volumes of its before it was protected again or moved to others.
    """

    name: str
    computer: str
    type: str
    id: uuid.UUID
    storage: str
    group: Group | None
    replica: Volume | None
    recovery: Volume | None
    state: str = "Valid"
    group_name: str = ""  # of an inactive one: the group that it was in
    replica_size: int = 0  # modern storage: the size of the replica's virtual disk
    replica_used: int = 0
    source_size: int = 0
    unknown_until: datetime.datetime | None = None
    unknown_size: int = -1
    replica_offline_until: datetime.datetime | None = None
    points: list[datetime.datetime] = field(default_factory=list)
    check_writes: int | None = None
    check_seconds: float | None = None
    display_path: str = ""
    unknown: frozenset[str] = frozenset()
    unreadable: frozenset[str] = frozenset()
    earlier: tuple[Volume, ...] = ()

    @property
    def on_volumes(self) -> bool:
        """Whether it has a replica volume and a recovery-point volume of its own."""
        return self.storage in ("legacy", "custom")

    @property
    def active(self) -> bool:
        return self.group is not None

    @property
    def full_name(self) -> str:
        return f"{self.computer}: {self.name}"

    def sizes_known(self, now: datetime.datetime) -> bool:
        return self.unknown_until is None or now >= self.unknown_until

    def replica_online(self, now: datetime.datetime) -> bool:
        return self.replica_offline_until is None or now >= self.replica_offline_until


@dataclass(eq=False)
class Job:
    """A job; it is done once `end` is set. `error` is the number of a failure, `detail` what follows its text."""

    id: uuid.UUID
    type: str
    sources: list[DataSource]
    group_name: str
    start: datetime.datetime
    status: str = "InProgress"
    end: datetime.datetime | None = None
    size: int = 0
    error: int | None = None
    detail: str = ""
    by_hand: bool = False


@dataclass(eq=False)
class Alert:
    """An alert; it is active until it is resolved. One without a data source is about what `server`, `area` and
    `target` name. `severity` and `shows` replace what the server shows else."""

    id: uuid.UUID
    code: int
    since: datetime.datetime
    source: DataSource | None
    detail: str = ""
    resolved: datetime.datetime | None = None
    server: str = ""
    area: str = ""
    target: str = ""
    target_type: str = "Datasource"
    severity: str = ""
    shows: tuple[str, ...] | None = None
