# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Reads the disks, partitions and volumes of a Windows machine by every interface that tells them, as they are told.

Disks are listed by Win32_DiskDrive, since the Storage classes have no dynamic disks. `Refresh` has Windows update what
it keeps of disks first. Enumerations are told as text: numbers, or words where PowerShell's Storage module makes words
of them. What cannot be read is null, and told in `unread_parts`.
"""

from __future__ import annotations

SCRIPT = r"""
[CmdletBinding()]
param([bool]$Refresh)
$storage = 'root/Microsoft/Windows/Storage'
$unreadParts = @()
if ($Refresh) {
    try {
        $null = Update-HostStorageCache
    }
    catch {
        $unreadParts += @{ part = 'cache'; message = [string]$_.Exception.Message }
    }
}
$machine = @{ name = [string]$env:COMPUTERNAME }
try {
    $product = Get-CimInstance -ClassName Win32_ComputerSystemProduct
    $machine.bios_uuid = [string]$product.UUID
    $firmware = Get-CimInstance -ClassName Win32_BIOS
    $machine.serial = [string]$firmware.SerialNumber
    $system = Get-CimInstance -ClassName Win32_OperatingSystem
    $machine.os_build = [string]$system.BuildNumber
}
catch {
    $unreadParts += @{ part = 'machine'; message = [string]$_.Exception.Message }
}
$drives = @(foreach ($one in Get-CimInstance -ClassName Win32_DiskDrive) {
    $row = @{
        number = $one.Index
        port = $one.SCSIPort
        bus = $one.SCSIBus
        target = $one.SCSITargetId
        lun = $one.SCSILogicalUnit
        size = $one.Size
        serial = [string]$one.SerialNumber
        model = [string]$one.Model
        signature = $one.Signature
        sector = $one.BytesPerSector
        device = [string]$one.PNPDeviceID
    }
    try {
        $key = Get-ItemProperty -LiteralPath ('HKLM:\SYSTEM\CurrentControlSet\Enum\' + $row.device)
        $row.slot = $key.UINumber
    }
    catch {
        $row.slot_unread = [string]$_.Exception.Message
    }
    $row
})
$disks = $null
try {
    $disks = @(foreach ($one in Get-CimInstance -ClassName MSFT_Disk -Namespace $storage) {
        @{
            number = $one.Number
            path = [string]$one.Path
            name = [string]$one.FriendlyName
            serial = [string]$one.SerialNumber
            unique_id = [string]$one.UniqueId
            size = $one.Size
            logical = $one.LogicalSectorSize
            physical = $one.PhysicalSectorSize
            bus = [string]$one.BusType
            style = [string]$one.PartitionStyle
            guid = [string]$one.Guid
            signature = $one.Signature
            offline = $one.IsOffline
            reason = [string]$one.OfflineReason
            read_only = $one.IsReadOnly
            clustered = $one.IsClustered
            boot = $one.IsBoot
            system = $one.IsSystem
        }
    })
}
catch {
    $unreadParts += @{ part = 'disks'; message = [string]$_.Exception.Message }
}
$partitions = $null
try {
    $partitions = @(foreach ($one in Get-CimInstance -ClassName MSFT_Partition -Namespace $storage) {
        @{
            disk = $one.DiskNumber
            offset = $one.Offset
            size = $one.Size
            gpt_type = [string]$one.GptType
            mbr_type = $one.MbrType
            paths = @(foreach ($path in $one.AccessPaths) {
                [string]$path
            })
        }
    })
}
catch {
    $unreadParts += @{ part = 'partitions'; message = [string]$_.Exception.Message }
}
$physical = $null
try {
    $physical = @(foreach ($one in Get-CimInstance -ClassName MSFT_PhysicalDisk -Namespace $storage) {
        @{
            number = [string]$one.DeviceId
            size = $one.Size
            reasons = @(foreach ($reason in $one.CannotPoolReason) {
                [string]$reason
            })
        }
    })
}
catch {
    $unreadParts += @{ part = 'physical'; message = [string]$_.Exception.Message }
}
$volumes = $null
try {
    $volumes = @(foreach ($one in Get-CimInstance -ClassName Win32_Volume) {
        @{
            path = [string]$one.DeviceID
            letter = [string]$one.DriveLetter
            name = [string]$one.Name
            size = $one.Capacity
            file_system = [string]$one.FileSystem
        }
    })
}
catch {
    $unreadParts += @{ part = 'volumes'; message = [string]$_.Exception.Message }
}
$policy = $null
try {
    $policy = [string](Get-StorageSetting).NewDiskPolicy
}
catch {
    $unreadParts += @{ part = 'san_policy'; message = [string]$_.Exception.Message }
}
@{
    machine = $machine
    drives = $drives
    disks = $disks
    partitions = $partitions
    physical = $physical
    volumes = $volumes
    san_policy = $policy
    unread_parts = $unreadParts
}
"""
