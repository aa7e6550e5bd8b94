# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Switches auto-grow of a protection group, which is read and written in one go."""

from __future__ import annotations

SCRIPT = r"""
[CmdletBinding()]
param(
    [string]$Group,
    [bool]$AutoGrow,
    [int]$SecondsLeft
)
$answer = @{ id = $Group; outcome = 'gone' }
try {
    $found = Get-DPMProtectionGroup | Where-Object {
        @([string]$_.Name, [string]$_.FriendlyName) -contains $Group
    } | Select-Object -First 1
    if ($null -ne $found) {
        $editable = Get-DPMModifiableProtectionGroup -ProtectionGroup $found
        $null = Set-DPMDatasourceDiskAllocation -ProtectionGroup $editable -AutoGrow $AutoGrow -Confirm:$false
        $null = Set-DPMProtectionGroup -ProtectionGroup $editable -Confirm:$false
        $answer.outcome = 'edited'
    }
}
catch {
    $answer.outcome = 'failed'
    $answer.message = [string]$_.Exception.Message
    $answer.error = [string]$_.FullyQualifiedErrorId
}
@{ answers = @($answer) }
"""
