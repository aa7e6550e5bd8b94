# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Reads what a test of shadow copies rests on: volumes, copies, their storage, limits, DPM, and marks of tests.

A mark is a key of the registry, `Mark` with the GUID of a volume behind it. What cannot be read is null, and told in
`unread_parts`.
"""

from __future__ import annotations

SCRIPT = r"""
[CmdletBinding()]
param([string]$Mark)
function Get-Path {
    param($Reference)
    # A reference to a volume: an instance, or the path of one as text.
    if ($Reference -is [string]) {
        return $Reference
    }
    return [string]$Reference.DeviceID
}
function Get-Setting {
    param($Path)
    try {
        return Get-ItemProperty -LiteralPath $Path
    }
    catch {
        return $null
    }
}
function Test-Key {
    param($Path)
    # A key without values has no properties, and is there.
    try {
        return $null -ne (Get-Item -LiteralPath $Path)
    }
    catch {
        return $false
    }
}
$unreadParts = @()
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
$volumes = @(foreach ($one in Get-CimInstance -ClassName Win32_Volume) {
    $row = @{
        path = [string]$one.DeviceID
        letter = [string]$one.DriveLetter
        name = [string]$one.Name
        size = $one.Capacity
        free = $one.FreeSpace
        file_system = [string]$one.FileSystem
    }
    $guid = ($row.path -replace '^.*\{', '') -replace '\}.*$', ''
    if (Test-Key -Path ($Mark + $guid)) {
        $marked = Get-Setting -Path ($Mark + $guid)
        $row.mark = @{
            until = [string]$marked.until
            before = [string]$marked.before
            copy = [string]$marked.copy
        }
    }
    $row
})
$copies = $null
try {
    $copies = @(foreach ($one in Get-CimInstance -ClassName Win32_ShadowCopy) {
        @{
            id = [string]$one.ID
            volume = [string]$one.VolumeName
            client_accessible = $one.ClientAccessible
        }
    })
}
catch {
    $unreadParts += @{ part = 'copies'; message = [string]$_.Exception.Message }
}
$areas = $null
try {
    $areas = @(foreach ($one in Get-CimInstance -ClassName Win32_ShadowStorage) {
        @{
            volume = Get-Path -Reference $one.Volume
            on = Get-Path -Reference $one.DiffVolume
            allocated = [string]$one.AllocatedSpace
            most = [string]$one.MaxSpace
        }
    })
}
catch {
    $unreadParts += @{ part = 'areas'; message = [string]$_.Exception.Message }
}
$services = 'HKLM:\SYSTEM\CurrentControlSet\Services\'
$vss = Get-Setting -Path ($services + 'VSS\Settings')
$driver = Get-Setting -Path ($services + 'VolSnap')
@{
    now = (Get-Date).ToUniversalTime().ToString('o')
    machine = $machine
    volumes = $volumes
    copies = $copies
    areas = $areas
    most_copies = $vss.MaxShadowCopies
    least_area = $driver.MinDiffAreaFileSize
    dpm = Test-Key -Path 'HKLM:\SOFTWARE\Microsoft\Microsoft Data Protection Manager\Setup'
    unread_parts = $unreadParts
}
"""
