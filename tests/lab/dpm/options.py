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
    "job_type": ("member", "text"),
    "task_path": ("name", "display_path"),
    "allocation_needs_modifiable": (True, False),
    "limits_on": ("returned", "passed"),
    "unreadable": ("error", "null"),
    "module": ("path", "registry", "none"),
    "powershell": ("", "4.0", "5.1"),
    "language_mode": ("FullLanguage", "ConstrainedLanguage"),
}
INSTALL_PATH = "C:\\Program Files\\Microsoft System Center\\DPM\\DPM\\"
# What tells what an alert is about.
ATTRIBUTION = ("Datasource", "Server", "AffectedArea", "TargetObjectName")


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
    # "text": JobType is what the console shows, in the server's language, and the type stands in JobCategory.
    job_type: str = "member"
    task_path: str = "name"  # what DatasourcePath of a task holds
    alert_shows: tuple[str, ...] = ATTRIBUTION  # which of these an alert fills
    # Whether every cmdlet is refused until this shell has connected to the server by its name.
    needs_connection: bool = False
    # Where the module is: on PSModulePath, only below the folder that the registry names, or nowhere.
    module: str = "path"
    install_path: str = INSTALL_PATH
    powershell: str = ""  # the version; by default that which comes with the profile's Windows
    language_mode: str = "FullLanguage"
    # Which object -CalculateShrinkThresholds puts the limits on: the one that it returns, or also the one passed.
    limits_on: str = "returned"
    # What reading a property gives whose getter throws: an error, or $null, as the engine makes it of most getters.
    unreadable: str = "error"
    # The sizes that a data source without disk storage shows.
    size_without_disk: int = 0
    # Whether Get-DPMVolume also lists the replicas on modern storage.
    modern_listed: bool = False
    lazy_seconds: float = 2.0
    import_seconds: float = 0.0  # of real time
    edit_while_busy: str = "refuse"
    edit_settles_after: float = 0.0
    modern_recovery_size: int = 0
    file_types: tuple[str, ...] = ("Volume", "Share")  # those whose recovery points are made of files
    point_seconds: float = 120.0  # how long the creation of a recovery point takes
    # The types of data sources whose replica on modern storage can be given a size.
    sized_types: tuple[str, ...] = ("System Protection",)
    check_seconds: float = 300.0
    check_writes: int = 64 * MB
    backup_seconds: float = 600.0
    replica_offline_seconds: float = 90.0
    auto_grow_after: float = 60.0
    # Whether DPM's own growing covers replica volumes; no source says it.
    auto_grow_replica: bool = False
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
    def powershell_version(self) -> str:
        """The version of PowerShell; 2012 R2 comes with 4.0."""
        return self.powershell or ("4.0" if self.profile == "2012R2" else "5.1")

    @property
    def japanese(self) -> bool:
        return self.language == "ja"

    @property
    def has_disk_storage(self) -> bool:
        return self.profile != "2012R2"
