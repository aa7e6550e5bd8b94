# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a DPM server knows: groups, data sources, jobs, alerts, recovery points, events. Plain records."""

from __future__ import annotations

import datetime
import uuid
from dataclasses import dataclass, field
from typing import Any

from .storage import Volume


@dataclass(eq=False)
class Group:
    """A protection group."""

    name: str
    id: uuid.UUID
    auto_grow: bool = False
    auto_check: bool = False
    collocated: bool = False
    changes: int = 0  # how often it was changed


@dataclass(eq=False)
class DataSource:
    """A data source. `storage`: legacy, custom (legacy on volumes that DPM does not manage), or modern.

    An inactive one has no group and keeps its volumes. `unknown_until`: till then its sizes read `unknown_size`.
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
    """An alert; it is active until it is resolved."""

    id: uuid.UUID
    code: int
    since: datetime.datetime
    source: DataSource
    detail: str = ""
    resolved: datetime.datetime | None = None


@dataclass(frozen=True)
class Event:
    """A record of an event log. `properties` are the values in it, in order."""

    number: int
    time: datetime.datetime
    log: str
    provider: str
    id: int
    level: int
    message: str
    properties: tuple[Any, ...] = ()
