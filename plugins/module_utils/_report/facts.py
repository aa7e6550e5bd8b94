# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What the report is about: the results of the readings as frozen facts. Pure.

Sizes are bytes, `anchor` is the id of the row of the page that shows the object. None means "not known".
"""

from __future__ import annotations

from dataclasses import dataclass, field

SEVERITIES = ("error", "warning", "info")


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
    """A virtual machine that has a mapping."""

    key: str
    name: str
    path: str | None
    power_state: str | None
    host: str | None
    template: bool | None
    has_snapshots: bool | None
    moid: str | None
    instance_uuid: str | None


@dataclass(frozen=True)
class Mapping:
    """A raw device mapping. `source` is the number of the reading it came from."""

    anchor: str
    source: int
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
    shared_with: tuple[str, ...]
    findings: tuple[Note, ...]
    blockers: tuple[Note, ...]
    unchecked: tuple[str, ...]
    convertible: bool | None

    @property
    def name(self) -> str:
        """Returns the machine and the address, as findings name a mapping."""
        return f"{self.machine.name} {self.address}"


@dataclass(frozen=True)
class ListedLun:
    """A LUN of the list of all LUNs, with what uses it."""

    anchor: str
    source: int
    lun: Lun
    device_type: str | None
    multipath_plugin: str | None
    users: tuple[str, ...]
    datastore: str | None
    boot: bool | None
    vsan: bool | None
    mappable: bool | None
    findings: tuple[Note, ...]


@dataclass(frozen=True)
class Orphan:
    """A mapping file that no virtual machine uses."""

    file: str
    compatibility: str | None
    size_bytes: int | None


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
    """An alert of a data source."""

    severity: str | None
    type: str | None
    since: str | None
    message: str


@dataclass(frozen=True)
class DataSource:
    """What a DPM server protects, and its two volumes; a volume is None where it does not exist or is not known."""

    anchor: str
    name: str
    computer: str | None
    protection_group: str | None
    state: str | None
    consistent: bool | None
    active: bool | None
    storage_kind: str | None
    replica: Volume | None
    recovery_point_volume: Volume | None
    recovery_points: int | None
    newest_recovery_point: str | None
    last_failure: str | None
    alerts: tuple[Alert, ...]
    findings: tuple[Note, ...]

    @property
    def is_short(self) -> bool:
        """Tells whether its recovery-point volume was found short of space."""
        return any(note.code == "recovery_point_volume_short" for note in self.findings)


@dataclass(frozen=True)
class DpmServer:
    """A DPM server with its pool."""

    name: str
    version: str | None
    capacity_bytes: int | None
    unallocated_bytes: int | None
    volumes: int | None
    ldm_slots_used: int | None
    ldm_slots_left: int | None
    datasources: tuple[DataSource, ...]


@dataclass(frozen=True)
class Facts:
    """All that a report shows. `orphans` and `machines` are None where they were not read."""

    mappings: tuple[Mapping, ...] = ()
    luns: tuple[ListedLun, ...] = ()
    orphans: tuple[Orphan, ...] | None = None
    dpm: tuple[DpmServer, ...] = ()
    general: tuple[Note, ...] = ()
    machines: int | None = None
    # Sentences about readings that failed, and which kinds of reading were made at all.
    failures: tuple[str, ...] = ()
    read: frozenset[str] = field(default_factory=frozenset)
