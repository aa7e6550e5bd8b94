# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Makes disks online, offline, writable or read-only, in the order of its table, one step at a time.

Right before the steps of a disk it is read again: it must be the only one with its id, at the path that was decided on,
in no cluster, and to come online it must be offline by policy. After each step it is read until it is as wanted, for
`SettleSeconds` at most. The first disk that fails ends it; what it does not answer for was not begun. `guid` is that of
a GPT disk in braces, or empty; `signature` that of an MBR disk, or 0.
"""

from __future__ import annotations

SCRIPT = r"""
[CmdletBinding()]
param(
    [object[]]$Changes,
    [int]$SettleSeconds,
    [int]$SecondsLeft
)
function Find-Disk {
    param($Change)
    foreach ($one in Get-CimInstance -ClassName MSFT_Disk -Namespace 'root/Microsoft/Windows/Storage') {
        if ($Change.guid -ne '' -and [string]$one.Guid -eq $Change.guid) {
            $one
        }
        elseif ($Change.signature -gt 0 -and $one.Signature -eq $Change.signature) {
            $one
        }
    }
}
function Test-Reached {
    param($Disk, $Step)
    if ($Step -eq 'online') {
        return $Disk.IsOffline -eq $false
    }
    if ($Step -eq 'offline') {
        return $Disk.IsOffline -eq $true
    }
    if ($Step -eq 'writable') {
        return $Disk.IsReadOnly -eq $false
    }
    return $Disk.IsReadOnly -eq $true
}
function Test-Allowed {
    param($Found, $Change)
    if ($Found.Count -ne 1 -or [string]$Found[0].Path -ne $Change.path -or $Found[0].IsClustered -ne $false) {
        return $false
    }
    $disk = $Found[0]
    if ($Change.steps -contains 'online' -and $disk.IsOffline -ne $false) {
        return @('1', 'Policy') -contains [string]$disk.OfflineReason
    }
    if ($Change.steps -contains 'offline' -or $Change.steps -contains 'read_only') {
        return $disk.IsBoot -eq $false -and $disk.IsSystem -eq $false
    }
    return $true
}
$until = (Get-Date).AddSeconds($SecondsLeft)
$answers = @()
foreach ($change in $Changes) {
    if ((Get-Date) -ge $until) {
        break
    }
    $answer = @{ id = $change.id; outcome = 'changed' }
    $done = @()
    try {
        $found = @(Find-Disk -Change $change)
        if (-not (Test-Allowed -Found $found -Change $change)) {
            $answer.outcome = 'differs'
        }
        else {
            foreach ($step in $change.steps) {
                if ($answer.outcome -eq 'changed' -and -not (Test-Reached -Disk $found[0] -Step $step)) {
                    if ((Get-Date) -ge $until) {
                        $answer.outcome = 'time_was_up'
                    }
                    else {
                        if ($step -eq 'online') {
                            $null = Set-Disk -Path $change.path -IsOffline $false
                        }
                        elseif ($step -eq 'offline') {
                            $null = Set-Disk -Path $change.path -IsOffline $true
                        }
                        elseif ($step -eq 'writable') {
                            $null = Set-Disk -Path $change.path -IsReadOnly $false
                        }
                        else {
                            $null = Set-Disk -Path $change.path -IsReadOnly $true
                        }
                        $done += $step
                        $answer.outcome = 'not_reached'
                        $settled = (Get-Date).AddSeconds($SettleSeconds)
                        while ($answer.outcome -eq 'not_reached' -and (Get-Date) -lt $settled) {
                            $found = @(Find-Disk -Change $change)
                            if ($found.Count -eq 1 -and (Test-Reached -Disk $found[0] -Step $step)) {
                                $answer.outcome = 'changed'
                            }
                            else {
                                Start-Sleep -Seconds 1
                            }
                        }
                    }
                }
            }
        }
    }
    catch {
        $answer.outcome = 'failed'
        $answer.message = [string]$_.Exception.Message
        $answer.error = [string]$_.FullyQualifiedErrorId
    }
    $answer.done = $done
    $answers += $answer
    if ($answer.outcome -ne 'changed') {
        break
    }
}
@{ answers = $answers }
"""
