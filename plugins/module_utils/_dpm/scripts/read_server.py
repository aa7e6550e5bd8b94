# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Reads a whole DPM server in one run.

`Storage` adds pool and volumes, `Detail` what people want to know beside, `ChecksSince` (seconds since 1970, 0 for
none) the consistency checks since then. What cannot be read is null, and told in `troubles`.
"""

from __future__ import annotations

SCRIPT = r"""
[CmdletBinding()]
param(
    [bool]$Storage,
    [bool]$Detail,
    [int]$WaitSeconds,
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
function Get-JobRow {
    param($Job)
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
            @{ code = [string]$task.ErrorInfo.ErrorCode; message = [string]$task.ErrorInfo.ShortProblem }
        }
    })
    return @{
        id = [string]$id
        type = [string]$Job.JobType
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

$here = [string]$env:COMPUTERNAME
$troubles = @()

$found = @(Get-DPMDatasource)
$known = @(foreach ($source in $found) {
    [string]$source.Id
})
# It may list those no longer protected only, or all.
$others = @()
try {
    $others = @(Get-DPMDatasource -Inactive | Where-Object { $known -notcontains [string]$_.Id })
}
catch {
    $troubles += @{ part = 'inactive'; message = [string]$_.Exception.Message }
}
$unlisted = @(foreach ($source in $others) {
    [string]$source.Id
})
$every = @($found) + @($others)

if ($Detail) {
    # Reading these starts their loading.
    $until = (Get-Date).AddSeconds($WaitSeconds)
    $waiting = $true
    while ($waiting) {
        $loading = @($every | Where-Object {
            $_.LatestRecoveryPoint.Year -eq 1 -or $_.OldestRecoveryPoint.Year -eq 1 -or $_.TotalRecoveryPoints -eq 0
        })
        $waiting = $loading.Count -gt 0 -and (Get-Date) -lt $until
        if ($waiting) {
            Start-Sleep -Milliseconds 500
        }
    }
}
$sources = @(foreach ($source in $every) {
    $row = @{
        ids = @([string]$source.Id, [string]$source.DatasourceId)
        name = [string]$source.Name
        other_name = [string]$source.DatasourceName
        logical_path = [string]$source.LogicalPath
        computers = @([string]$source.ProductionServerName, [string]$source.Computer)
        group = [string]$source.ProtectionGroupName
        type = [string]$source.ObjectType
        state = [string]$source.State
        inactive = $source.IsDiskInactive
        listed_inactive_only = $unlisted -contains [string]$source.Id
        replica = $source.ReplicaSize
        replica_used = $source.ReplicaUsedSpace
        replica_path = [string]$source.ReplicaPath
        area = $source.ShadowCopyAreaSize
        area_used = $source.ShadowCopyUsedSpace
        custom = $source.IsCustomAllocation
        collocated = $source.IsCollocated
        auto_grow = $source.IsAutoGrowEnabled
    }
    if ($Detail) {
        $row.points = $source.TotalRecoveryPoints
        $row.newest = Get-Utc -Value $source.LatestRecoveryPoint
        $row.oldest = Get-Utc -Value $source.OldestRecoveryPoint
    }
    $row
})

$running = $null
try {
    $running = @(foreach ($job in Get-DPMJob -Status InProgress) {
        Get-JobRow -Job $job
    })
}
catch {
    $troubles += @{ part = 'jobs'; message = [string]$_.Exception.Message }
}

$checks = @()
if ($ChecksSince -gt 0) {
    $from = ([datetime]'1970-01-01T00:00:00Z').ToUniversalTime().AddSeconds($ChecksSince)
    $checks = @(foreach ($job in Get-DPMJob -From $from -Type Validation) {
        Get-JobRow -Job $job
    })
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
        $troubles += @{ part = 'disks'; message = [string]$_.Exception.Message }
    }
    if ($knowsModern) {
        try {
            $modern = @(Get-DPMDiskStorage -Volumes).Count
        }
        catch {
            $troubles += @{ part = 'modern'; message = [string]$_.Exception.Message }
        }
    }
    try {
        $volumes = @(foreach ($volume in Get-DPMVolume -AlreadyInUseByDPM) {
            $held = @(foreach ($source in $volume.ContainedDataSources) {
                Get-Identity -Source $source
            })
            @{ type = [string]$volume.VolumeType; sources = $held }
        })
    }
    catch {
        $troubles += @{ part = 'volumes'; message = [string]$_.Exception.Message }
    }
}

$failed = $null
$alerts = $null
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
        $troubles += @{ part = 'failed'; message = [string]$_.Exception.Message }
    }
    try {
        $alerts = @(foreach ($alert in Get-DPMAlert) {
            $id = $alert.AlertId
            if ($null -eq $id) {
                $id = $alert.Id
            }
            $about = @(foreach ($source in $alert.Datasource) {
                Get-Identity -Source $source
            })
            @{
                id = [string]$id
                severity = [string]$alert.Severity
                type = [string]$alert.Type
                since = Get-Utc -Value $alert.OccurredSince
                message = [string]$alert.ErrorInfo.ShortProblem
                sources = $about
            }
        })
    }
    catch {
        $troubles += @{ part = 'alerts'; message = [string]$_.Exception.Message }
    }
    try {
        $product = Get-CimInstance -ClassName Win32_ComputerSystemProduct
        $machine.bios_uuid = [string]$product.UUID
        $machine.serial = [string]$product.IdentifyingNumber
    }
    catch {
        $troubles += @{ part = 'machine'; message = [string]$_.Exception.Message }
    }
    # The last thing of all: a process has one connection, and this one is for the version only.
    try {
        $connection = Connect-DPMServer -DPMServerName $here -WarningAction SilentlyContinue
        $server.name = [string]$connection.Name
        $server.version = [string]$connection.GetProductInformation().Version
    }
    catch {
        $troubles += @{ part = 'version'; message = [string]$_.Exception.Message }
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
    alerts = $alerts
    disks = $disks
    volumes = $volumes
    modern_volumes = $modern
    knows_modern = $knowsModern
    edits_directly = $null -ne (Get-Command -Name Edit-DPMDiskAllocation -ErrorAction SilentlyContinue)
    troubles = $troubles
}
"""
