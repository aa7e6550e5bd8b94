# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Gives recovery-point or replica volumes their new totals, one after the other.

Before each edit the running jobs are read again, then the size, and the edit follows at once: nothing slow stands
between the last reading and the edit. What is busy, already there, or not as it was decided on is left alone and said
so. It stops at the first edit that fails, and begins none after its time; what it does not answer for was not
begun.
"""

from __future__ import annotations

SCRIPT = r"""
[CmdletBinding()]
param(
    [object[]]$Edits,
    [int]$SecondsLeft
)
function Test-Named {
    param($Source, $Ids)
    try {
        return $Ids -contains [string]$Source.Id -or $Ids -contains [string]$Source.DatasourceId
    }
    catch {
        # One that cannot be read is none of those that were asked for.
        return $false
    }
}
$until = (Get-Date).AddSeconds($SecondsLeft)
$answers = @()
foreach ($edit in $Edits) {
    if ((Get-Date) -ge $until) {
        break
    }
    $answer = @{ id = $edit.id; outcome = 'gone' }
    try {
        $sharing = @(Get-DPMDatasource | Where-Object {
            Test-Named -Source $_ -Ids $edit.shared
        })
        $running = @()
        if ($sharing.Count -gt 0) {
            $running = @(Get-DPMJob -Datasource $sharing -Status InProgress)
        }
        $source = Get-DPMDatasource | Where-Object {
            Test-Named -Source $_ -Ids @($edit.id)
        } | Select-Object -First 1
        if ($null -ne $source) {
            $size = $source.ShadowCopyAreaSize
            if ($edit.replica) {
                $size = $source.ReplicaSize
            }
            if ($running.Count -gt 0) {
                $answer.outcome = 'busy'
            }
            elseif ($edit.extend -and $size -ge $edit.total) {
                $answer.outcome = 'there'
            }
            elseif ($size -ne $edit.expected) {
                $answer.outcome = 'differs'
            }
            elseif ($edit.replica) {
                $null = Edit-DPMDiskAllocation -Datasource $source -ReplicaSize $edit.total -Confirm:$false
                $answer.outcome = 'edited'
            }
            else {
                $null = Edit-DPMDiskAllocation -Datasource $source -ShadowCopySize $edit.total -Confirm:$false
                $answer.outcome = 'edited'
            }
        }
    }
    catch {
        $answer.outcome = 'failed'
        $answer.message = [string]$_.Exception.Message
        $answer.error = [string]$_.FullyQualifiedErrorId
    }
    $answers += $answer
    if ($answer.outcome -eq 'failed') {
        break
    }
}
@{ answers = $answers }
"""
