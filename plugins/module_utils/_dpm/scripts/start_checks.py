# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Starts consistency checks. One that already runs is told and not started again; none is begun after the time."""

from __future__ import annotations

SCRIPT = r"""
[CmdletBinding()]
param(
    [string[]]$Ids,
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
foreach ($id in $Ids) {
    if ((Get-Date) -ge $until) {
        break
    }
    $answer = @{ id = $id; outcome = 'gone' }
    $source = $every | Where-Object {
        Test-Named -Source $_ -Ids @($id)
    } | Select-Object -First 1
    if ($null -ne $source) {
        try {
            $running = @(Get-DPMJob -Datasource $source -Type Validation -Status InProgress)
            if ($running.Count -gt 0) {
                $job = $running[0]
                $answer.outcome = 'already'
            }
            else {
                $job = Start-DPMDatasourceConsistencyCheck -Datasource $source -Confirm:$false
                $answer.outcome = 'started'
            }
            $answer.job_id = [string]$job.JobId
            if ($answer.job_id -eq '') {
                $answer.job_id = [string]$job.Id
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
