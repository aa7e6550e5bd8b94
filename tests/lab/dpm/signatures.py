# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cmdlets that exist, with their parameters: one table for the lab's binding and for the linter of scripts.

From the published help of the module's 2016 version and the pages of 2012 R2. What is not here does not exist, or no
source shows it: Get-DPMDatasourceDiskAllocation and Start-DPMDatasourceShrink are not real. Of parameters that take
pipeline input only those are marked whose help says so.
"""

from __future__ import annotations

import re
from typing import Any

from powershell import Command, EnumType, Parameter, UnknownConstruct, signature

# The namespace is attested, of the types in it only ProductionServer: the others are the lab's guess.
NAMESPACE = "Microsoft.Internal.EnterpriseStorage.Dls.UI.ObjectModel.OMCommon."
EXCEPTION = NAMESPACE + "DpmLabException"

# Of these members only Validation (a consistency check), Recovery, InProgress, and Failed are attested in use.
JOB_TYPES = ("Recovery", "InitialReplication", "Validation", "ShadowCopy", "Replication")
STATUSES = ("InProgress", "Succeeded", "Failed")

_OBJECTS = """AdhocJobsContext AsyncOperation BackupTargetType Datasource Disk DpmServer DpmServerScope DpmServerVolume
Job JobStateChangedEventHandler Media ProductionServer ProtectionGroup Task Volume"""
_ENUMS = {"DPMJobType": JOB_TYPES, "JobStatusType": STATUSES, "IncludeAlerts": ("AllActive", "FromContext")}
_ENUMS |= {
    "BackupType": ("ExpressFull", "Incremental"),
    "CreateDiskRecoveryPointOption": ("WithSynchronize", "WithoutSynchronize", "OnlySynchronize"),
    "ProtectionType": ("ShortTerm", "LongTerm"),
}


def enumeration(name: str, members: tuple[str, ...]) -> EnumType:
    """An enumeration of DPM's namespace."""
    return EnumType(NAMESPACE + name, {member: number for number, member in enumerate(members)})


TYPES: dict[str, EnumType | None] = {
    **{NAMESPACE + name: None for name in _OBJECTS.split()},
    **{NAMESPACE + name: enumeration(name, members) for name, members in _ENUMS.items()},
    EXCEPTION: None,
}
_SHORT = re.compile(":(" + "|".join([*_OBJECTS.split(), *_ENUMS]) + r")\b")


def _parameters(text: str) -> tuple[Parameter, ...]:
    return signature(_SHORT.sub(lambda match: f":{NAMESPACE}{match[1]}", text))


def _not_modelled(name: str) -> Any:
    def refuse(_: Any) -> None:
        raise UnknownConstruct(f"what {name} does: the lab does not model it")

    return refuse


def _cmdlet(name: str, *sets: str, asks: bool = False, default: str = "", **named: str) -> Command:
    """A cmdlet by its parameter sets; `asks`: it has -WhatIf and -Confirm."""
    given = named or {f"Set{number}": text for number, text in enumerate(sets)}
    default = default or next(iter(given))
    table = {set_name: _parameters(text) for set_name, text in given.items()}
    return Command(
        name, table, _not_modelled(name), supports_should_process=asks, default_set=default, module="DPM",
        type_name=f"Microsoft.Internal.EnterpriseStorage.Dls.UI.Cmdlet.{name.replace('-', '')}",
    )  # fmt: skip


_ALLOCATION = "!Datasource:Datasource@0 !ProtectionGroup:ProtectionGroup@1 PassThru?"
_JOBS = (
    "DPMServerName:String@0 From:DateTime@1 To:DateTime@2 NoLimitOnJobCount? AllJobsInInterval?"
    " Type:DPMJobType[]@3 Status:JobStatusType[]@4 Newest? AdhocJobs?"
)
_SOURCES = "DPMServerName:String@0"

_LIST = [
    _cmdlet(
        "Connect-DPMServer",
        "!DPMServerName/ComputerName/CN:String@0 AsyncOperation:AsyncOperation",
        "!DPMServerScope:DpmServerScope@0 AsyncOperation:AsyncOperation",
    ),
    _cmdlet("Disconnect-DPMServer", "DPMServerName:String@0", asks=True),
    _cmdlet("Get-DPMProtectionGroup", "DPMServerName:String@0< Async?"),
    _cmdlet("Get-DPMModifiableProtectionGroup", "!ProtectionGroup:ProtectionGroup@0<"),
    _cmdlet(
        "Set-DPMProtectionGroup",
        "!ProtectionGroup:ProtectionGroup@0 Async? TranslateDSList:Datasource[]",
        asks=True,
    ),
    _cmdlet(
        "Get-DPMDatasource",
        Default=f"{_SOURCES} Inactive?",
        Query=f"{_SOURCES} !Query:String@1",
        Path=f"{_SOURCES} !Path:String@1 ProductionServerName:String@2",
        ComputerName=f"{_SOURCES} Async? !ComputerName:String[]",
        ProductionServer="!ProductionServer:ProductionServer@0 Async? Inquire? Replica? Tag:Object"
        " IgnoreDPMInformation? GetVolumesWithoutMountPoints?",
        ProtectionGroup="!ProtectionGroup:ProtectionGroup@0",
    ),
    _cmdlet(
        "Set-DPMDatasourceDefaultDiskAllocation",
        "!Datasource:Datasource[]@0 CalculateSize? Async? Tag:Object PrimaryDpmServer? CalculateShrinkThresholds?",
    ),
    _cmdlet(
        "Set-DPMDatasourceDiskAllocation",
        asks=True,
        Default=_ALLOCATION,
        Manual=f"{_ALLOCATION} !Manual? ReplicaArea:Int64 ShadowCopyArea:Int64 ProductionServerJournalSize:Int64",
        MigrateToVolume=f"{_ALLOCATION} !MigrateDatasourceDataFromDPM? DestinationReplicaVolume:DpmServerVolume"
        " DestinationShadowCopyVolume:DpmServerVolume",
        MigrateToDisk=f"{_ALLOCATION} !MigrateDatasourceDataFromDPM? !DestinationDiskPool:Disk[]",
        ExpectedDataSizePerClientInMB=f"{_ALLOCATION} !ExpectedDataSizePerClientInMB:Int64 ShadowCopyArea:Int64",
        ManualDiskStorage=f"{_ALLOCATION} !TargetStorage:Volume ReplicaArea:Int64 MigrateDatasourceDataFromDPM?",
        Custom=f"{_ALLOCATION} !CustomRequirements? ReplicaVolume:DpmServerVolume ShadowCopyVolume:DpmServerVolume"
        " FormatVolumes? USNJournalSize:Int64",
        AutoGrowOption="!ProtectionGroup:ProtectionGroup@0 !AutoGrow:Boolean",
    ),
    _cmdlet(
        "Edit-DPMDiskAllocation",
        asks=True,
        ConnectedDatasource="!Datasource:Datasource@0 ReplicaSize:Int64 ShadowCopySize:Int64",
        DisconnectedClient="!Datasource:Datasource@0 ShadowCopySize:Int64 ExpectedDataSizePerClientInMB:Int64",
    ),
    _cmdlet(
        "Get-DPMDiskStorage",
        Disks="DPMServerName:String@0 All? OutputAsStorageResource?",
        Volumes="DPMServerName:String@0 All? !Volumes? OutputAsStorageResource?",
    ),
    _cmdlet("Get-DPMDisk", "DPMServerName:String@0"),
    _cmdlet("Get-DPMVolume", "DPMServerName:String@0 AlreadyInUseByDPM?"),
    _cmdlet(
        "New-DPMRecoveryPoint",
        asks=True,
        default="ApplicationOnDisk",
        FileSystemOnDisk="!Datasource:Datasource[]@0 !Disk? WithDataIntegrityCheck?"
        " !DiskRecoveryPointOption:CreateDiskRecoveryPointOption"
        " JobStateChangedEventHandler:JobStateChangedEventHandler AdhocJobsContext:AdhocJobsContext",
        ApplicationOnDisk="!Datasource:Datasource[]@0 !Disk? WithDataIntegrityCheck? BackupType:BackupType"
        " JobStateChangedEventHandler:JobStateChangedEventHandler AdhocJobsContext:AdhocJobsContext",
        TapeData="!Datasource:Datasource[]@0 !Tape? !ProtectionType:ProtectionType"
        " JobStateChangedEventHandler:JobStateChangedEventHandler AdhocJobsContext:AdhocJobsContext",
        LongTermCloud="!Datasource:Datasource[]@0 !Online?"
        " JobStateChangedEventHandler:JobStateChangedEventHandler AdhocJobsContext:AdhocJobsContext",
    ),
    _cmdlet("Get-DPMRecoveryPoint", "!Datasource:Datasource@0 Async? Online? OnlyActive?", "!Tape:Media@0"),
    _cmdlet(
        "Start-DPMDatasourceConsistencyCheck",
        asks=True,
        Datasource="!Datasource:Datasource@0 AdhocJobsContext:AdhocJobsContext@1 HeavyWeight?"
        " JobStateChangedEventHandler:JobStateChangedEventHandler ForcedFullCC?",
        ProtectionGroup="!ProtectionGroup:ProtectionGroup@0 AdhocJobsContext:AdhocJobsContext@1",
    ),
    _cmdlet(
        "Get-DPMJob",
        Default=_JOBS,
        ProductionServerName=f"{_JOBS} !ProductionServerName:String[]",
        DatasourceName=f"{_JOBS} !DatasourceName:String[]",
        Datasource=f"{_JOBS} !Datasource:Datasource[]",
        ProtectionGroup=f"{_JOBS} !ProtectionGroup:ProtectionGroup[]",
        ProductionServer=f"{_JOBS} !ProductionServer:ProductionServer[]",
        UpdateJobsDPM="!Job:Job[]",
    ),
    _cmdlet("Restart-DPMJob", "!Job:Job[]"),
    _cmdlet("Stop-DPMJob", "!Job:Job[]", "!Task:Task[]", asks=True),
    _cmdlet("Get-DPMAlert", "DPMServerName:String@0 IncludeInactiveAlerts? Async? IncludeAlerts:IncludeAlerts"),
    _cmdlet("Get-DPMProductionServer", "DPMServerName:String@0"),
    _cmdlet("Resume-DPMBackup", "!Datasource:Datasource[]@0 !BackupTargetType:BackupTargetType"),
    _cmdlet(
        "Set-DPMDatasourceProtectionOption",
        "!ProtectionGroup:ProtectionGroup@0 !AutoConsistencyCheck:Boolean",
    ),
    _cmdlet("Update-DPMProtectionGroup", "!ProtectionGroup:ProtectionGroup@0 Datasource:Datasource[]@1 Inquire?"),
    _cmdlet("Start-DPMDiskRescan", "DPMServerName:String@0"),
]
DPM_COMMANDS = {command.name: command for command in _LIST}
