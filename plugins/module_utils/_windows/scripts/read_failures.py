# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Reads what event logs hold of backups and shadow copies, and what Windows Server Backup says itself.

`Logs` are tables with the name of a log and lists of ids, one query each; `Since` is a time in seconds since 1970, or 0
for the last `Age` seconds; of one query no more than `Most` records are taken, the latest. Records are told as the XML
that Windows has for them. What cannot be read is null, and told in `unread_parts`.
"""

from __future__ import annotations

SCRIPT = r"""
[CmdletBinding()]
param(
    [object[]]$Logs,
    [int64]$Since,
    [int64]$Age,
    [int64]$Most
)
function Get-Utc {
    param($Value)
    if ($Value -is [datetime]) {
        return $Value.ToUniversalTime().ToString('o')
    }
    return ''
}
$now = (Get-Date).ToUniversalTime()
$from = $now.AddSeconds(-$Age)
if ($Since -gt 0) {
    $from = ([datetime]'1970-01-01T00:00:00Z').ToUniversalTime().AddSeconds($Since)
}
$unreadParts = @()
$rows = @(foreach ($log in $Logs) {
    $row = @{
        name = [string]$log.name
        present = $true
        complete = $true
        enabled = $null
        setting_error = ''
        oldest = ''
        oldest_error = ''
        records = $null
        error = ''
        message = ''
    }
    try {
        $setting = Get-WinEvent -ListLog $row.name
        $row.enabled = $setting.IsEnabled
    }
    catch {
        $row.setting_error = [string]$_.FullyQualifiedErrorId
    }
    if ($row.setting_error -match '^NoMatchingLogsFound') {
        $row.present = $false
    }
    else {
        try {
            foreach ($entry in Get-WinEvent -FilterHashtable @{ LogName = $row.name } -MaxEvents 1 -Oldest) {
                $row.oldest = Get-Utc -Value $entry.TimeCreated
            }
        }
        catch {
            $row.oldest_error = [string]$_.FullyQualifiedErrorId
        }
        $found = @()
        foreach ($query in $log.queries) {
            try {
                $wanted = @{ LogName = $row.name; Id = $query.ids; StartTime = $from }
                $records = @(foreach ($entry in Get-WinEvent -FilterHashtable $wanted -MaxEvents $Most) {
                    [string]$entry.ToXml()
                })
                if ($records.Count -ge $Most) {
                    $row.complete = $false
                }
                $found += $records
            }
            catch {
                if ([string]$_.FullyQualifiedErrorId -notmatch '^NoMatchingEventsFound') {
                    $row.error = [string]$_.FullyQualifiedErrorId
                    $row.message = [string]$_.Exception.Message
                }
            }
        }
        $row.records = $found
    }
    $row
})
$summary = $null
$has_summary = $null -ne (Get-Command -Name Get-WBSummary -ErrorAction SilentlyContinue)
if ($has_summary) {
    try {
        $one = Get-WBSummary
        $summary = @{
            last_success = Get-Utc -Value $one.LastSuccessfulBackupTime
            last_code = $one.LastBackupResultHR
            target = [string]$one.LastBackupTarget
            success_target = [string]$one.LastSuccessfulBackupTargetLabel
            success_path = [string]$one.LastSuccessfulBackupTargetPath
            next = Get-Utc -Value $one.NextBackupTime
        }
    }
    catch {
        $unreadParts += @{ part = 'backup'; message = [string]$_.Exception.Message }
    }
}
$labels = $null
try {
    $labels = @(foreach ($one in Get-CimInstance -ClassName Win32_Volume) {
        @{ path = [string]$one.DeviceID; label = [string]$one.Label }
    })
}
catch {
    $unreadParts += @{ part = 'labels'; message = [string]$_.Exception.Message }
}
$dpm = $null -ne (Get-Command -Name Get-DPMDatasource -ErrorAction SilentlyContinue)
if (-not $dpm) {
    try {
        $key = 'HKLM:\SOFTWARE\Microsoft\Microsoft Data Protection Manager\Setup'
        $setup = Get-ItemProperty -LiteralPath $key
        $dpm = [string]$setup.UIInstallPath -ne ''
    }
    catch {
        if ([string]$_.FullyQualifiedErrorId -notmatch '^PathNotFound') {
            $dpm = $null
            $unreadParts += @{ part = 'dpm'; message = [string]$_.Exception.Message }
        }
    }
}
@{
    now = $now.ToString('o')
    logs = $rows
    has_summary = $has_summary
    summary = $summary
    labels = $labels
    dpm = $dpm
    unread_parts = $unreadParts
}
"""
