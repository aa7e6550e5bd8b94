# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What the report is about: the results of the readings as frozen facts. Pure.

Sizes are bytes, `anchor` is the id of the row of the page that shows the object. None means "not known".
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

SEVERITIES = ("error", "warning", "info")
# What a conversion waits for when it waits for nothing but the guest's shutdown.
AFTER_SHUTDOWN: Literal["after_shutdown"] = "after_shutdown"

Convertible: TypeAlias = Literal[True, False, "after_shutdown"] | None


@dataclass(frozen=True)
class Note:
    """A finding or a blocker, in the one shape that they have everywhere; `overridable` is None for a finding."""

    code: str
    severity: str
    message: str
    hint: str
    object: str
    overridable: bool | None = None

    @property
    def rank(self) -> int:
        """Returns 0 for the worst severity."""
        return SEVERITIES.index(self.severity)


@dataclass(frozen=True)
class Source:
    """Where a reading came from: its number, and the host of the inventory that was read, where that was said."""

    number: int
    host: str | None = None

    @property
    def key(self) -> str:
        """Returns what is equal for all readings of one server."""
        return self.host or f"#{self.number}"


@dataclass(frozen=True)
class Failure:
    """A reading that failed."""

    module: str
    host: str | None
    message: str


@dataclass(frozen=True)
class LunHost:
    """How one host sees a LUN."""

    host: str
    lun_number: int | None
    device_path: str | None
    state: str | None


@dataclass(frozen=True)
class Lun:
    """A LUN as a mapping's host sees it, or as all hosts do."""

    canonical_name: str | None
    uuid: str | None
    display_name: str | None
    vendor: str | None
    model: str | None
    serial: str | None
    capacity_bytes: int | None
    block_size: int | None
    local: bool | None
    ssd: bool | None
    state: str | None
    perennially_reserved: bool | None
    hosts: tuple[LunHost, ...]

    @property
    def name(self) -> str:
        """Returns the best name that is known."""
        names = (self.canonical_name, self.display_name, self.uuid, *(host.device_path for host in self.hosts))
        return next((name for name in names if name), "LUN without a name")

    @property
    def given_name(self) -> str | None:
        """Returns the display name without the canonical name that hosts put behind it; None where nothing is left."""
        given = (self.display_name or "").removesuffix(f"({self.canonical_name})").strip()
        return given if given not in ("", self.name) else None

    @property
    def sightings(self) -> tuple[tuple[str, str], ...]:
        """Returns (host, device) of each host that sees it: the same for every mapping of one LUN."""
        return tuple((host.host, host.device_path or "") for host in self.hosts)


@dataclass(frozen=True)
class Machine:
    """A virtual machine that has a mapping. `server` is the vCenter or host that it was read from."""

    key: str
    name: str
    server: str | None
    datacenter: str | None
    cluster: str | None
    folder: str | None
    path: str | None
    power_state: str | None
    host: str | None
    template: bool | None
    has_snapshots: bool | None
    moid: str | None
    instance_uuid: str | None
    bios_uuid: str | None
    vmx_path: str | None

    @property
    def identities(self) -> tuple[tuple[str, str], ...]:
        """Returns what another reading of the same machine has in common with this one: a UUID, with the .vmx."""
        if self.vmx_path is None:
            return ()
        return tuple((uuid.lower(), self.vmx_path) for uuid in (self.instance_uuid, self.bios_uuid) if uuid)


@dataclass(frozen=True)
class Mapping:
    """A raw device mapping. `named_lun` is how the mapping itself names its LUN, also where no host shows that."""

    anchor: str
    source: Source
    machine: Machine
    label: str | None
    key: int | None
    address: str
    controller_type: str | None
    controller_bus: int | None
    shared_bus: str | None
    unit: int | None
    file: str
    compatibility: str | None
    disk_mode: str | None
    sharing: str | None
    capacity_bytes: int | None
    lun: Lun | None
    named_lun: str | None
    shared_with: tuple[str, ...]
    findings: tuple[Note, ...]
    blockers: tuple[Note, ...]
    unchecked: tuple[str, ...]
    convertible: Convertible

    @property
    def is_virtual(self) -> bool:
        """Tells whether there is nothing to convert."""
        return self.compatibility == "virtual"

    @property
    def name(self) -> str:
        """Returns the machine and the address, as findings name a mapping."""
        return f"{self.machine.name} {self.address}"


@dataclass(frozen=True)
class ListedLun:
    """A LUN of the list of all LUNs, with what uses it; `all_users_known` is False where a user could not be read."""

    anchor: str
    source: Source
    server: str | None
    lun: Lun
    device_type: str | None
    multipath_plugin: str | None
    users: tuple[str, ...]
    all_users_known: bool | None
    datastore: str | None
    boot: bool | None
    vsan: bool | None
    mappable: bool | None
    mappable_reasons: tuple[str, ...]
    findings: tuple[Note, ...]


@dataclass(frozen=True)
class Orphan:
    """A mapping file that no virtual machine uses; `in_use` is None where a user of it may not have been read."""

    source: Source
    server: str | None
    file: str
    compatibility: str | None
    size_bytes: int | None
    datastore: str | None
    in_use: bool | None


@dataclass(frozen=True)
class Volume:
    """A volume of a data source in the pool."""

    allocated_bytes: int | None
    used_bytes: int | None

    @property
    def used_share(self) -> float | None:
        """Returns the used part, from 0 to 1; None where it cannot be said."""
        if self.used_bytes is None or not self.allocated_bytes or self.used_bytes < 0:
            return None
        return min(1.0, self.used_bytes / self.allocated_bytes)


@dataclass(frozen=True)
class Alert:
    """An alert of a data source or of a server."""

    severity: str | None
    type: str | None
    since: str | None
    message: str


@dataclass(frozen=True)
class DataSource:
    """What a DPM server protects, and its two volumes; a volume is None where it does not exist or is not known.

    `alerts` is None where they could not be read.
    """

    anchor: str
    id: str | None
    name: str
    computer: str | None
    protection_group: str | None
    state: str | None
    consistent: bool | None
    active: bool | None
    type: str | None
    storage_kind: str | None
    custom_volume: bool | None
    auto_grow: bool | None
    replica: Volume | None
    recovery_point_volume: Volume | None
    recovery_points: int | None
    newest_recovery_point: str | None
    last_failure: str | None
    alerts: tuple[Alert, ...] | None
    findings: tuple[Note, ...]
    history: tuple[int, ...] = ()

    @property
    def is_short(self) -> bool:
        """Tells whether its recovery-point volume was found short of space."""
        return any(note.code == "recovery_point_volume_short" for note in self.findings)

    @property
    def replica_is_short(self) -> bool:
        """Tells whether its replica volume was found short of space."""
        return any(note.code == "replica_volume_short" for note in self.findings)


@dataclass(frozen=True)
class ModernVolume:
    """A volume of Modern Backup Storage; `datasources` is how many are kept on it, `history` what was used on former
    days, in bytes."""

    name: str
    size_bytes: int | None
    free_bytes: int | None
    datasources: int | None
    findings: tuple[Note, ...]
    history: tuple[int, ...] = ()


@dataclass(frozen=True)
class Computer:
    """A protected computer."""

    name: str
    reachable: bool | None
    findings: tuple[Note, ...]


@dataclass(frozen=True)
class DpmServer:
    """A DPM server with its pool. `alerts` are those of no data source, None where they could not be read.

    `complete` is False where the reading says itself that something is missing in it.
    """

    name: str
    host: str | None
    version: str | None
    capacity_bytes: int | None
    unallocated_bytes: int | None
    volumes: int | None
    ldm_slots_used: int | None
    ldm_slots_left: int | None
    datasources: tuple[DataSource, ...]
    modern_volumes: tuple[ModernVolume, ...]
    computers: tuple[Computer, ...]
    alerts: tuple[Alert, ...] | None
    findings: tuple[Note, ...]
    complete: bool | None

    @property
    def all_alerts_known(self) -> bool:
        """Tells whether every list of alerts could be read."""
        return self.alerts is not None and all(one.alerts is not None for one in self.datasources)


@dataclass(frozen=True)
class Facts:
    """All that a report shows. `orphans` is None where they were not searched for; `general` are the findings of what
    has no row of its own, each with the key of the server that it was read from."""

    mappings: tuple[Mapping, ...] = ()
    luns: tuple[ListedLun, ...] = ()
    orphans: tuple[Orphan, ...] | None = None
    dpm: tuple[DpmServer, ...] = ()
    general: tuple[tuple[str, Note], ...] = ()
    failures: tuple[Failure, ...] = ()
    # The hosts of the vSphere readings that did not fail, where they were said.
    hosts: tuple[str, ...] = ()
    # Which kinds of reading were made at all.
    read: frozenset[str] = field(default_factory=frozenset)

    @property
    def everything_is_known(self) -> bool:
        """Tells whether nothing that was looked at was left unread."""
        return (
            not self.failures
            and all(one.lun is not None and (one.is_virtual or one.convertible is not None) for one in self.mappings)
            and all(one.mappable is not None and one.all_users_known is not False for one in self.luns)
            and all(one.in_use is not None for one in self.orphans or ())
            and all(
                server.all_alerts_known
                and server.complete is not False
                and all(one.consistent is not None or one.storage_kind == "none" for one in server.datasources)
                for server in self.dpm
            )
        )
