# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the cmdlets do, for one PowerShell process: it has one connection, and loads the module once."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

from guest.signatures import WINDOWS_COMMANDS
from powershell import Command, CommandTable, EnumType, Invocation, TerminatingError, UnknownConstruct

from . import BANNER
from .control import Control
from .disks import DiskFace, DpmVolumeFace, ModernReplicaFace, ModernVolumeFace
from .faces import ProductionServerFace, RecoveryPointFace, ServerFace, date
from .hooks import Refused
from .jobs import JobFace
from .options import PROFILES
from .records import Job
from .server import DpmServer
from .signatures import DPM_COMMANDS, EXCEPTION, STATUSES, TYPES, enumeration
from .sources import AlertFace, GroupFace, SourceFace
from .texts import FOREIGN_ERRORS, DpmError
from .windows import (
    MODULE,
    get_cim_instance,
    get_item_property,
    get_storage_setting,
    get_win_event,
    module_paths,
    update_host_storage_cache,
)

# Errors that end a cmdlet whatever -ErrorAction says.
_ALWAYS_END = (31143, 31144, 358)
# What no source explains well enough to model it.
_NOT_MODELLED = {
    *("All", "AllJobsInInterval", "AdhocJobsContext", "Async", "AsyncOperation", "DPMServerScope"),
    *("ExpectedDataSizePerClientInMB", "GetVolumesWithoutMountPoints", "IgnoreDPMInformation", "Inquire"),
    *("JobStateChangedEventHandler", "Online", "OnlyActive", "OutputAsStorageResource", "Path", "PrimaryDpmServer"),
    *("ProductionServerJournalSize", "Query", "Replica", "Tag", "Tape", "TranslateDSList"),
}


class Cmdlets:
    """The cmdlets of one process. `wait_really` waits for real time, as a module does that loads slowly."""

    def __init__(self, control: Control, wait_really: Callable[[float], None]) -> None:
        self.control = control
        self.connected: str | None = None
        self._wait_really = wait_really
        self._loaded = False

    @property
    def server(self) -> DpmServer:
        return self.control.server

    def table(self) -> CommandTable:
        """The commands that this server has."""
        options = self.server.options
        implementations: dict[str, Callable[[Invocation], Any]] = {
            "Connect-DPMServer": self.connect,
            "Disconnect-DPMServer": self.disconnect,
            "Get-DPMProtectionGroup": self.get_groups,
            "Get-DPMModifiableProtectionGroup": self.get_modifiable_group,
            "Set-DPMProtectionGroup": self.set_group,
            "Get-DPMDatasource": self.get_sources,
            "Set-DPMDatasourceDefaultDiskAllocation": self.default_allocation,
            "Set-DPMDatasourceDiskAllocation": self.set_allocation,
            "Edit-DPMDiskAllocation": self.edit_allocation,
            "Get-DPMDiskStorage": self.get_disk_storage,
            "Get-DPMDisk": self.get_disks,
            "Get-DPMVolume": self.get_volumes,
            "Get-DPMRecoveryPoint": self.get_recovery_points,
            "New-DPMRecoveryPoint": self.new_recovery_point,
            "Start-DPMDatasourceConsistencyCheck": self.start_check,
            "Get-DPMJob": self.get_jobs,
            "Get-DPMAlert": self.get_alerts,
            "Get-DPMProductionServer": self.get_production_servers,
        }
        missing = set()
        if not options.has_disk_storage:
            missing.add("Get-DPMDiskStorage")
        elif not options.has_disk:
            missing.add("Get-DPMDisk")
        if not options.has_edit:
            missing.add("Edit-DPMDiskAllocation")
        commands = []
        for name, command in DPM_COMMANDS.items():
            if name in missing:
                continue
            high = command.supports_should_process and name.startswith(("Set-", "Edit-", "Start-", "New-"))
            impact = options.confirm_impact if high else "Medium"
            work = self._guarded(name, implementations.get(name, command.implementation))
            commands.append(dataclasses.replace(command, implementation=work, confirm_impact=impact))
        statuses = enumeration("JobStatusType", tuple(options.name(one) for one in STATUSES))
        types: dict[str, EnumType | None] = {**TYPES, statuses.name: statuses}
        table = CommandTable(self._windows_commands(), types=types, modules={}, covers=["*-DPM*", "*-WB*"])

        def load_from_folder() -> None:
            table.add(commands)
            self.load()

        if options.module == "path":
            # The first cmdlet loads the module by itself.
            table.add(commands)
            table.provide({MODULE: self.load})
        elif options.module == "registry":
            table.provide(dict.fromkeys(module_paths(options.install_path), load_from_folder))
        return table

    def _windows_commands(self) -> list[Command]:
        """The commands of Windows itself."""
        windows = {
            "Get-WinEvent": get_win_event,
            "Get-CimInstance": get_cim_instance,
            "Get-ItemProperty": get_item_property,
            "Get-StorageSetting": get_storage_setting,
            "Update-HostStorageCache": update_host_storage_cache,
        }
        return [
            dataclasses.replace(
                WINDOWS_COMMANDS[name], implementation=self._guarded(name, functools.partial(work, self.server))
            )
            for name, work in windows.items()
        ]

    def load(self) -> None:
        """Import-Module, or the first cmdlet, which loads the module by itself."""
        if not self._loaded:
            self._loaded = True
            if self.server.options.import_seconds:
                self._wait_really(self.server.options.import_seconds)

    def _guarded(self, name: str, work: Callable[[Invocation], Any]) -> Callable[[Invocation], list[Any]]:
        def run(invocation: Invocation) -> list[Any]:
            if "DPM" in name:
                self.load()
            unknown = _NOT_MODELLED & invocation.parameters.keys()
            if unknown and "DPM" in name:
                raise UnknownConstruct(f"-{min(unknown)} of {name}: the lab does not model it")
            try:
                self.control.hooks.called(name, invocation.parameters)
                self._wait_really(0)  # a process that was ended meanwhile does nothing more
                with self.server.lock:
                    self.server.settle()
                    self._check_connection(name)
                    if "DPMServerName" in invocation.parameters and not name.startswith("Connect-"):
                        self._check_name(invocation.get("DPMServerName"))
                    produced = work(invocation)
                    return list(produced) if produced is not None else []
            except DpmError as error:
                self._report(invocation, error)
            except Refused as refused:
                if refused.foreign is not None:
                    kind, message = FOREIGN_ERRORS[refused.foreign]
                    raise TerminatingError(message, kind, "NotSpecified", kind) from None
                self._report(invocation, DpmError(refused.code))
            return []

        return run

    def _report(self, invocation: Invocation, error: DpmError) -> None:
        """An error of the server as PowerShell shows it. Its type and identifier are not verified."""
        options = self.server.options
        message = error.shown(options.error_format, options.japanese)
        record = TerminatingError(message, "DpmLabError", "NotSpecified", EXCEPTION)
        if options.errors_stop or error.code in _ALWAYS_END:
            raise record
        invocation.write_error(record)

    # Connection

    def _check_connection(self, name: str) -> None:
        """Whether this process may use the cmdlet. That it is 31144 where it has to connect first is not verified."""
        needs = self.server.options.needs_connection and "DPM" in name and "connect-" not in name.lower()
        if needs and self.connected is None:
            raise DpmError(31144)

    def _check_name(self, name: str | None) -> None:
        if name is None:
            return
        if self.server.options.explicit_name == "refuse":
            raise DpmError(31144)
        own = self.server.name.lower()
        if name.lower() not in (own, own.partition(".")[0], "localhost", "."):
            raise DpmError(31144)

    def connect(self, invocation: Invocation) -> list[Any]:
        name = invocation.parameters["DPMServerName"]
        if self.connected is not None and self.connected != name.lower():
            raise DpmError(31143)
        invocation.write_warning(f"Connecting to DPM server: {name} ({BANNER})")
        self._check_name(name)
        self.connected = name.lower()
        return [ServerFace(self.server, *PROFILES[self.server.options.profile])]

    def disconnect(self, invocation: Invocation) -> None:
        self.connected = None

    # Groups and data sources

    def get_groups(self, invocation: Invocation) -> list[Any]:
        return [GroupFace(self.server, group) for group in self.server.groups]

    def get_modifiable_group(self, invocation: Invocation) -> list[Any]:
        return [GroupFace(self.server, invocation.parameters["ProtectionGroup"].group, modifiable=True)]

    def set_group(self, invocation: Invocation) -> None:
        face: GroupFace = invocation.parameters["ProtectionGroup"]
        self._need_modifiable(face)
        members = [one for one in self.server.sources if one.group is face.group]
        if self.server.options.edit_while_busy == "refuse" and face.edits and self.server.running(members):
            raise DpmError(212)
        if face.edits:
            self.server.edit(face.edits)
        if face.auto_grow is not None:
            face.group.auto_grow = face.auto_grow
        face.group.changes += 1
        face.edits, face.auto_grow = [], None

    def get_sources(self, invocation: Invocation) -> list[Any]:
        given, server = invocation.parameters, self.server
        group: GroupFace | None = given.get("ProtectionGroup")
        if group is not None:
            return [SourceFace(server, one, group) for one in server.sources if one.group is group.group]
        found = list(server.sources)
        if given.get("Inactive"):
            found = [one for one in found if not one.active or server.options.inactive == "also"]
        else:
            found = [one for one in found if one.active]
        if "ComputerName" in given:
            wanted = {name.lower() for name in given["ComputerName"]}
            found = [one for one in found if one.computer.lower() in wanted]
        if "ProductionServer" in given:
            found = [one for one in found if one.computer == given["ProductionServer"].name]
        return [SourceFace(server, one) for one in found]

    # Allocations

    @staticmethod
    def _need_modifiable(face: GroupFace) -> None:
        if not face.modifiable:
            raise DpmError(None, "The protection group is not modifiable.")

    def default_allocation(self, invocation: Invocation) -> list[Any]:
        """The data sources as they come out of it; the limits are on these."""
        faces: list[SourceFace] = list(invocation.parameters["Datasource"])
        returned = [SourceFace(self.server, face.source, face.group) for face in faces]
        if invocation.get("CalculateShrinkThresholds"):
            for face, one in zip(faces, returned, strict=True):
                one.shrink = self.server.shrink_bounds(face.source)
                if self.server.options.limits_on == "passed":
                    face.shrink = one.shrink
        return returned

    def set_allocation(self, invocation: Invocation) -> list[Any]:
        given = invocation.parameters
        group: GroupFace = given["ProtectionGroup"]
        self._need_modifiable(group)
        if invocation.parameter_set == "AutoGrowOption":
            group.auto_grow = bool(given["AutoGrow"])
            return []
        face: SourceFace = given["Datasource"]
        if self.server.options.allocation_needs_modifiable and face.group is not group:
            raise DpmError(None, "The data source is not one of the modifiable protection group.")
        if invocation.parameter_set == "Manual":
            self.server.check_editable(face.source)
            group.edits.append((face.source, given.get("ReplicaArea"), given.get("ShadowCopyArea")))
        elif invocation.parameter_set != "Default":
            raise UnknownConstruct(f"the parameters of {invocation.parameter_set}: the lab does not model them")
        return [face] if given.get("PassThru") else []

    def edit_allocation(self, invocation: Invocation) -> None:
        given = invocation.parameters
        face: SourceFace = given["Datasource"]
        self.server.edit([(face.source, given.get("ReplicaSize"), given.get("ShadowCopySize"))])

    # Storage

    def get_disks(self, invocation: Invocation) -> list[Any]:
        return [DiskFace(self.server.options, disk) for disk in self.server.pool.disks]

    def get_disk_storage(self, invocation: Invocation) -> list[Any]:
        """Disks, those outside the pool too, or the volumes of modern storage."""
        if invocation.get("Volumes"):
            return [ModernVolumeFace(volume) for volume in self.server.pool.modern]
        return self.get_disks(invocation)

    def get_volumes(self, invocation: Invocation) -> list[Any]:
        if not invocation.get("AlreadyInUseByDPM"):
            return []
        listed: list[Any] = [DpmVolumeFace(self.server, volume) for volume in self.server.pool.volumes]
        if self.server.options.modern_listed:
            modern = [one for one in self.server.sources if one.storage == "modern"]
            listed += [ModernReplicaFace(self.server, one) for one in modern]
        return listed

    def get_recovery_points(self, invocation: Invocation) -> list[Any]:
        return [RecoveryPointFace() for _ in invocation.parameters["Datasource"].source.points]

    # Jobs and alerts

    def start_check(self, invocation: Invocation) -> list[Any]:
        given = invocation.parameters
        if "ProtectionGroup" in given:
            group = given["ProtectionGroup"].group
            sources = [one for one in self.server.sources if one.group is group and one.state == "Invalid"]
        else:
            sources = [given["Datasource"].source]
        return [JobFace(self.server, self.server.start_check(one, by_hand=True)) for one in sources]

    def new_recovery_point(self, invocation: Invocation) -> list[Any]:
        """Of files with the one set of parameters, of applications with the other; that DPM refuses the wrong one, and
        how, is not verified."""
        if invocation.parameter_set not in ("FileSystemOnDisk", "ApplicationOnDisk"):
            raise UnknownConstruct(f"the parameters of {invocation.parameter_set}: the lab does not model them")
        jobs = []
        for face in invocation.parameters["Datasource"]:
            of_files = face.source.type in self.server.options.file_types
            if of_files is not (invocation.parameter_set == "FileSystemOnDisk"):
                raise DpmError(None, "The parameters do not go with the type of the data source.")
            jobs.append(JobFace(self.server, self.server.start_recovery_point(face.source)))
        return jobs

    def get_jobs(self, invocation: Invocation) -> list[Any]:
        given = invocation.parameters
        if "Job" in given:
            return list(given["Job"])
        filters: list[Callable[[Job], bool]] = []
        if "Type" in given:
            kinds = {one.name for one in given["Type"]}
            filters.append(lambda job: job.type in kinds)
        if "Status" in given:
            statuses = {one.name for one in given["Status"]}
            filters.append(lambda job: self.server.options.name(job.status) in statuses)
        for name, sign in (("From", 1), ("To", -1)):
            if name in given:
                limit = given[name].ticks
                filters.append(lambda job, s=sign, t=limit: (_ticks(job) - t) * s >= 0)  # type: ignore[misc]
        if "Datasource" in given:
            wanted = [face.source for face in given["Datasource"]]
            filters.append(lambda job: any(one in wanted for one in job.sources))
        if "DatasourceName" in given:
            names = {one.lower() for one in given["DatasourceName"]}
            filters.append(lambda job: any(one.name.lower() in names for one in job.sources))
        if "ProductionServerName" in given:
            computers = {one.lower() for one in given["ProductionServerName"]}
            filters.append(lambda job: any(one.computer.lower() in computers for one in job.sources))
        if "ProductionServer" in given:
            hosts = {face.name for face in given["ProductionServer"]}
            filters.append(lambda job: any(one.computer in hosts for one in job.sources))
        if "ProtectionGroup" in given:
            groups = [face.group for face in given["ProtectionGroup"]]
            filters.append(lambda job: any(one.group in groups for one in job.sources))
        if given.get("AdhocJobs"):
            filters.append(lambda job: job.by_hand)
        found = [job for job in self.server.jobs if all(one(job) for one in filters)]
        if given.get("Newest"):
            found = sorted(found, key=lambda job: job.start)[-1:]
        return [JobFace(self.server, job) for job in found]

    def get_alerts(self, invocation: Invocation) -> list[Any]:
        everything = invocation.get("IncludeInactiveAlerts")
        if "IncludeAlerts" in invocation.parameters and invocation.parameters["IncludeAlerts"].name == "FromContext":
            raise UnknownConstruct("-IncludeAlerts FromContext: the lab does not model it")
        found = self.server.alerts if everything else self.server.active_alerts()
        return [AlertFace(self.server, alert) for alert in found]

    def get_production_servers(self, invocation: Invocation) -> list[Any]:
        names = dict.fromkeys(source.computer for source in self.server.sources)
        return [ProductionServerFace(name) for name in names]


def _ticks(job: Job) -> int:
    return date(job.start).ticks
