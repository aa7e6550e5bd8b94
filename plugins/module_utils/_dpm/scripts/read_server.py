# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Reads a whole DPM server in one run.

`Storage` adds pool and volumes, `WithAlerts` the active alerts, `Detail` what people want to know beside, of the data
sources with `Ids` (none: of all); `ChecksSince` (seconds since 1970, 0 for none) the consistency checks since then.
What cannot be read is null, and told in `unread_parts`; one object that cannot be read says so itself as `unreadable`.
"""

from __future__ import annotations

SCRIPT = r"""
[CmdletBinding()]
param(
    [bool]$Storage,
    [bool]$Detail,
    [bool]$WithAlerts,
    [string[]]$Ids,
    [int]$WaitSeconds,
    [int]$QuietSeconds,
    [int]$FailedHours,
    [int64]$ChecksSince
)
function Get-Utc {
    param($Value)
    if ($Value -is [datetime]) {
        return $Value.ToUniversalTime().ToString('o')
    }
    return ''
}
function Get-Identity {
    param($Source)
    if ($Source -is [string]) {
        return @{ name = $Source }
    }
    return @{
        ids = @([string]$Source.Id, [string]$Source.DatasourceId)
        name = [string]$Source.Name
        computers = @([string]$Source.ProductionServerName, [string]$Source.Computer)
    }
}
function Test-Loading {
    param($Source)
    try {
        if (@(0, -1) -contains $Source.ReplicaSize -and [string]$Source.ReplicaPath -eq '') {
            return $false
        }
        if ($Source.TotalRecoveryPoints -eq 0) {
            return $true
        }
        return $Source.LatestRecoveryPoint.Year -eq 1 -or $Source.OldestRecoveryPoint.Year -eq 1
    }
    catch {
        return $false
    }
}
function Test-Wanted {
    param($Source, $Wanted)
    if ($Wanted.Count -eq 0) {
        return $true
    }
    try {
        return $Wanted -contains [string]$Source.Id -or $Wanted -contains [string]$Source.DatasourceId
    }
    catch {
        return $false
    }
}
function Get-SourceRow {
    param($Source, $OnlyInactive, $WithPoints)
    $row = @{}
    try {
        $row = Get-Identity -Source $Source
        $row.listed_inactive_only = $OnlyInactive
        $row.group = [string]$Source.ProtectionGroupName
        $row.inactive = $Source.IsDiskInactive
        $row.other_name = [string]$Source.DatasourceName
        $row.logical_path = [string]$Source.LogicalPath
        $row.display_path = [string]$Source.DisplayPath
        $row.type = [string]$Source.ObjectType
        $row.state = [string]$Source.State
        $row.replica = $Source.ReplicaSize
        $row.replica_used = $Source.ReplicaUsedSpace
        $row.replica_path = [string]$Source.ReplicaPath
        $row.area = $Source.ShadowCopyAreaSize
        $row.area_used = $Source.ShadowCopyUsedSpace
        $row.custom = $Source.IsCustomAllocation
        $row.collocated = $Source.IsCollocated
        $row.auto_grow = $Source.IsAutoGrowEnabled
        if ($WithPoints) {
            $row.points = $Source.TotalRecoveryPoints
            $row.newest = Get-Utc -Value $Source.LatestRecoveryPoint
            $row.oldest = Get-Utc -Value $Source.OldestRecoveryPoint
        }
    }
    catch {
        # What was read before it is told all the same.
        $row.unreadable = [string]$_.Exception.Message
    }
    return $row
}
function Get-VolumeRow {
    param($Volume)
    $row = @{ complete = $true }
    try {
        $row.type = [string]$Volume.VolumeType
        $row.size = $Volume.VolumeSize
        if ($null -eq $row.size) {
            $row.size = $Volume.TotalSpace
        }
        $row.sources = @(foreach ($source in $Volume.ContainedDataSources) {
            try {
                Get-Identity -Source $source
            }
            catch {
                $row.complete = $false
            }
        })
    }
    catch {
        $row.unreadable = [string]$_.Exception.Message
    }
    return $row
}
function Get-StorageVolumeRow {
    param($Volume)
    $row = @{}
    try {
        $row.name = [string]$Volume.Name
        $row.size = $Volume.Size
        $row.free = $Volume.SizeRemaining
    }
    catch {
        # What is not told of it is not known; that it is there is.
        $row.unreadable = [string]$_.Exception.Message
    }
    return $row
}
function Get-ErrorRow {
    param($Info)
    return @{
        code = [string]$Info.ErrorCode
        message = [string]$Info.ShortProblem
        problem = [string]$Info.Problem
    }
}
function Get-JobRow {
    param($Job)
    try {
        $id = $Job.JobId
        if ($null -eq $id) {
            $id = $Job.Id
        }
        $tasks = $Job.Tasks
        if ($null -eq $tasks) {
            $tasks = $Job.TaskList
        }
        $sources = @(foreach ($source in $Job.DataSources) {
            Get-Identity -Source $source
        })
        $paths = @(foreach ($task in $tasks) {
            @{ name = [string]$task.DatasourcePath; computers = @([string]$task.ProductionServerName) }
        })
        $errors = @(foreach ($task in $tasks) {
            if ($null -ne $task.ErrorInfo) {
                Get-ErrorRow -Info $task.ErrorInfo
            }
        })
        return @{
            id = [string]$id
            type = [string]$Job.JobType
            category = [string]$Job.JobCategory
            status = [string]$Job.Status
            started = Get-Utc -Value $Job.StartTime
            ended = Get-Utc -Value $Job.EndTime
            completed = $Job.HasCompleted
            group = [string]$Job.ProtectionGroupName
            sources = $sources
            paths = $paths
            errors = $errors
        }
    }
    catch {
        return @{ unreadable = [string]$_.Exception.Message }
    }
}
function Get-AlertRow {
    param($Alert)
    try {
        $id = $Alert.AlertId
        if ($null -eq $id) {
            $id = $Alert.Id
        }
        $about = @(foreach ($source in $Alert.Datasource) {
            Get-Identity -Source $source
        })
        $row = Get-ErrorRow -Info $Alert.ErrorInfo
        $row.id = [string]$id
        $row.severity = [string]$Alert.Severity
        $row.type = [string]$Alert.Type
        $row.since = Get-Utc -Value $Alert.OccurredSince
        $row.sources = $about
        $row.server = [string]$Alert.Server
        $row.area = [string]$Alert.AffectedArea
        $row.target = [string]$Alert.TargetObjectName
        return $row
    }
    catch {
        return @{ unreadable = [string]$_.Exception.Message }
    }
}

$here = [string]$env:COMPUTERNAME
$unreadParts = @()

$found = @(Get-DPMDatasource)
# It may list those no longer protected only, or all: what is listed twice is told twice.
$others = @()
try {
    $others = @(Get-DPMDatasource -Inactive)
}
catch {
    $unreadParts += @{ part = 'inactive'; message = [string]$_.Exception.Message }
}
if ($Detail) {
    # Reading these starts their loading. It is over once nothing has changed any more for a while.
    $loading = @(foreach ($source in @($found) + @($others)) {
        if ((Test-Wanted -Source $source -Wanted $Ids) -and (Test-Loading -Source $source)) {
            $source
        }
    })
    $start = Get-Date
    $until = $start.AddSeconds($WaitSeconds)
    # In ticks of 100 ns since the start: whole numbers in every version.
    $quiet = $QuietSeconds * 10000000
    while ($loading.Count -gt 0 -and (Get-Date) -lt $until -and ((Get-Date) - $start).Ticks -lt $quiet) {
        Start-Sleep -Milliseconds 500
        $left = @($loading | Where-Object {
            Test-Loading -Source $_
        })
        if ($left.Count -lt $loading.Count) {
            $quiet = ((Get-Date) - $start).Ticks * 2 + 20000000
        }
        $loading = $left
    }
}
$sources = @(foreach ($source in $found) {
    $points = $Detail -and (Test-Wanted -Source $source -Wanted $Ids)
    Get-SourceRow -Source $source -OnlyInactive $false -WithPoints $points
})
$sources += @(foreach ($source in $others) {
    $points = $Detail -and (Test-Wanted -Source $source -Wanted $Ids)
    Get-SourceRow -Source $source -OnlyInactive $true -WithPoints $points
})

$running = $null
try {
    $running = @(foreach ($job in Get-DPMJob -Status InProgress) {
        Get-JobRow -Job $job
    })
}
catch {
    $unreadParts += @{ part = 'jobs'; message = [string]$_.Exception.Message }
}
# What is a consistency check DPM says itself: the type of a job may be a text in its language.
$checks = $null
try {
    $jobs = @(Get-DPMJob -Type Validation -Status InProgress)
    if ($ChecksSince -gt 0) {
        $from = ([datetime]'1970-01-01T00:00:00Z').ToUniversalTime().AddSeconds($ChecksSince)
        $jobs += @(Get-DPMJob -From $from -Type Validation)
    }
    $checks = @(foreach ($job in $jobs) {
        Get-JobRow -Job $job
    })
}
catch {
    $unreadParts += @{ part = 'checks'; message = [string]$_.Exception.Message }
}
$alertRows = $null
if ($WithAlerts) {
    try {
        $alertRows = @(foreach ($alert in Get-DPMAlert) {
            Get-AlertRow -Alert $alert
        })
    }
    catch {
        $unreadParts += @{ part = 'alerts'; message = [string]$_.Exception.Message }
    }
}

$disks = $null
$volumes = $null
$modern = $null
$knowsModern = $null -ne (Get-Command -Name Get-DPMDiskStorage -ErrorAction SilentlyContinue)
if ($Storage) {
    try {
        if ($knowsModern) {
            $listed = @(Get-DPMDiskStorage)
        }
        else {
            $listed = @(Get-DPMDisk)
        }
        $disks = @(foreach ($disk in $listed) {
            @{
                id = [string]$disk.NtDiskId
                name = [string]$disk.Name
                status = [string]$disk.DiskStatus
                capacity = $disk.TotalCapacity
                unallocated = $disk.UnallocatedSpace
                in_pool = $disk.IsInStoragePool
            }
        })
    }
    catch {
        $unreadParts += @{ part = 'disks'; message = [string]$_.Exception.Message }
    }
    if ($knowsModern) {
        try {
            $modern = @(foreach ($volume in Get-DPMDiskStorage -Volumes) {
                Get-StorageVolumeRow -Volume $volume
            })
        }
        catch {
            $unreadParts += @{ part = 'modern'; message = [string]$_.Exception.Message }
        }
    }
    try {
        $volumes = @(foreach ($volume in Get-DPMVolume -AlreadyInUseByDPM) {
            Get-VolumeRow -Volume $volume
        })
    }
    catch {
        $unreadParts += @{ part = 'volumes'; message = [string]$_.Exception.Message }
    }
}

$failed = $null
$server = @{}
$machine = @{ name = $here }
if ($Detail) {
    try {
        $from = (Get-Date).ToUniversalTime().AddHours(-$FailedHours)
        $failed = @(foreach ($job in Get-DPMJob -From $from -Status Failed) {
            Get-JobRow -Job $job
        })
    }
    catch {
        $unreadParts += @{ part = 'failed'; message = [string]$_.Exception.Message }
    }
    try {
        $product = Get-CimInstance -ClassName Win32_ComputerSystemProduct
        $machine.bios_uuid = [string]$product.UUID
        $machine.serial = [string]$product.IdentifyingNumber
    }
    catch {
        $unreadParts += @{ part = 'machine'; message = [string]$_.Exception.Message }
    }
    # The last thing of all: a process has one connection, and this one is for the version only.
    try {
        $connection = Connect-DPMServer -DPMServerName $here -WarningAction SilentlyContinue
        $server.name = [string]$connection.Name
        $server.version = [string]$connection.GetProductInformation().Version
    }
    catch {
        $unreadParts += @{ part = 'version'; message = [string]$_.Exception.Message }
    }
}

@{
    now = (Get-Date).ToUniversalTime().ToString('o')
    machine = $machine
    server = $server
    sources = $sources
    running = $running
    checks = $checks
    failed = $failed
    alerts = $alertRows
    disks = $disks
    volumes = $volumes
    modern_volumes = $modern
    knows_modern = $knowsModern
    edits_directly = $null -ne (Get-Command -Name Edit-DPMDiskAllocation -ErrorAction SilentlyContinue)
    unread_parts = $unreadParts
}
"""
