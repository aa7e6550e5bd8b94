# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation leaves open, or what differs between versions and sites: chosen by a world."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from .units import MB, size

PROFILES = {
    "2012R2": ("4.2.1205.0", "Microsoft System Center 2012 R2 Data Protection Manager"),
    "2016": ("5.0.158.0", "Microsoft System Center 2016 Data Protection Manager"),
    "2019": ("10.19.58.0", "Microsoft System Center 2019 Data Protection Manager"),
}
_CHOICES = {
    "profile": tuple(PROFILES),
    "language": ("en", "ja"),
    "confirm_impact": ("None", "Low", "Medium", "High"),
    "job_id": ("JobId", "Id", "none"),
    "alert_id": ("AlertId", "Id", "none"),
    "objects": ("stale", "live"),
    "inactive": ("only", "also"),
    "edit_while_busy": ("refuse", "allow"),
    "explicit_name": ("accept", "refuse"),
    "volume_in_events": ("guid", "device", "mount"),
    "job_datasources": ("objects", "names"),
    "allocation_needs_modifiable": (True, False),
}


@dataclass(frozen=True)
class Options:
    """`names` renames members of enumerations that no source attests: {"Valid": "Protected"}."""

    profile: str = "2016"
    language: str = "en"
    # How the number of an error stands in its text is not verified; it may not stand there at all.
    error_format: str = "{text} (ID: {code})"
    # Whether ErrorInfo has a property ErrorCode; no source lists one.
    has_error_code: bool = False
    # Whether an error ends the cmdlet; 31143, 31144 and 358 always do.
    errors_stop: bool = True
    confirm_impact: str = "High"
    has_edit: bool = True  # Edit-DPMDiskAllocation
    has_disk: bool = False  # Get-DPMDisk on 2016 and later
    job_id: str = "JobId"
    alert_id: str = "AlertId"
    ids_differ: bool = False  # whether Id and DatasourceId of a data source are two
    objects: str = "stale"
    inactive: str = "only"
    explicit_name: str = "accept"
    # Whether -Datasource of Set-DPMDatasourceDiskAllocation has to come from the modifiable group.
    allocation_needs_modifiable: bool = True
    job_datasources: str = "objects"
    lazy_seconds: float = 2.0
    import_seconds: float = 0.0  # of real time
    # Whether PowerShell finds the module by its name; else only by the folder that the registry names.
    module_on_path: bool = True
    # Whether cmdlets work without Connect-DPMServer; else they fail with 31144 before it.
    local_default: bool = True
    edit_while_busy: str = "refuse"
    edit_settles_after: float = 0.0
    modern_recovery_size: int = 0
    check_seconds: float = 300.0
    check_writes: int = 64 * MB
    backup_seconds: float = 600.0
    replica_offline_seconds: float = 90.0
    auto_grow_after: float = 60.0
    slots_per_volume: int = 3
    slots_limit: int = 2960
    # DPM stops growing by itself near the limit; how near is not documented.
    slots_margin: int = 60
    alert_percent: int = 90
    volume_in_events: str = "guid"
    providers: tuple[str, ...] = ("volsnap", "Microsoft-Windows-Ntfs", "Microsoft-Windows-Backup", "VSS")
    names: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, given: Mapping[str, Any]) -> Options:
        """The options of a world; ValueError for one that does not exist or cannot have this value."""
        known = {one.name: one for one in fields(cls)}
        values: dict[str, Any] = {}
        for name, value in given.items():
            if name not in known:
                raise ValueError(f"no option is called {name}")
            if name in _CHOICES and value not in _CHOICES[name]:
                raise ValueError(f"{name} is one of {', '.join(map(str, _CHOICES[name]))}")
            if name in ("check_writes", "modern_recovery_size"):
                value = value if value == -1 else size(value)
            values[name] = tuple(value) if isinstance(value, list) else value
        return cls(**values)

    def name(self, member: str) -> str:
        """What a member of an enumeration is called on this server."""
        return self.names.get(member, member)

    @property
    def japanese(self) -> bool:
        return self.language == "ja"

    @property
    def has_disk_storage(self) -> bool:
        return self.profile != "2012R2"
