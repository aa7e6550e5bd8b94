# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Starts the creation of recovery points on disk, and none after the time.

The cmdlet has one set of parameters for files, which synchronises first, and one for applications, which makes an
express full backup. What a data source is its type may tell in the server's language: then both ways are given, and the
second is tried where DPM refuses the first.
"""

from __future__ import annotations

SCRIPT = r"""
[CmdletBinding()]
param(
    [object[]]$Points,
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
$every = @(Get-DPMDatasource)
$answers = @()
foreach ($point in $Points) {
    if ((Get-Date) -ge $until) {
        break
    }
    $answer = @{ id = $point.id; outcome = 'gone' }
    $source = $every | Where-Object {
        Test-Named -Source $_ -Ids @($point.id)
    } | Select-Object -First 1
    if ($null -ne $source) {
        try {
            $running = @(Get-DPMJob -Datasource $source -Status InProgress)
            if ($running.Count -gt 0) {
                $answer.outcome = 'busy'
            }
            else {
                foreach ($way in $point.ways) {
                    if ($answer.outcome -ne 'started') {
                        try {
                            if ($way -eq 'files') {
                                $option = @{ DiskRecoveryPointOption = 'WithSynchronize' }
                            }
                            else {
                                $option = @{ BackupType = 'ExpressFull' }
                            }
                            $job = New-DPMRecoveryPoint -Datasource @($source) -Disk @option -Confirm:$false |
                                Select-Object -First 1
                            $answer.outcome = 'started'
                            $answer.job_id = [string]$job.JobId
                            if ($answer.job_id -eq '') {
                                $answer.job_id = [string]$job.Id
                            }
                        }
                        catch {
                            if ($answer.outcome -ne 'started') {
                                $answer.outcome = 'failed'
                                $answer.message = [string]$_.Exception.Message
                                $answer.error = [string]$_.FullyQualifiedErrorId
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
    }
    $answers += $answer
}
@{ answers = $answers }
"""
