# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The same as edit_allocation, by way of the protection group: for servers without the direct edit."""

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
        $source = $null
        $running = @()
        $group = Get-DPMProtectionGroup | Where-Object {
            @([string]$_.Name, [string]$_.FriendlyName) -contains $edit.group
        } | Select-Object -First 1
        if ($null -ne $group) {
            $running = @(Get-DPMJob -ProtectionGroup $group -Status InProgress)
            $editable = Get-DPMModifiableProtectionGroup -ProtectionGroup $group
            $source = Get-DPMDatasource -ProtectionGroup $editable | Where-Object {
                Test-Named -Source $_ -Ids @($edit.id)
            } | Select-Object -First 1
        }
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
            else {
                $change = @{ Datasource = $source; ProtectionGroup = $editable }
                if ($edit.replica) {
                    $change.ReplicaArea = $edit.total
                }
                else {
                    $change.ShadowCopyArea = $edit.total
                }
                $null = Set-DPMDatasourceDiskAllocation @change -Manual -Confirm:$false
                $null = Set-DPMProtectionGroup -ProtectionGroup $editable -Confirm:$false
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
