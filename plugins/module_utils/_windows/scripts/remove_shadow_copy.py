# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Removes what a test of shadow copies left behind: the copy with the id of its mark, if it is there, then the mark.

`Copy` is the id that was read in the mark; where the mark is gone, or names another copy, nothing is done. A copy of
another volume than `Volume`, or of another kind than a test makes, is none of a test's, whatever its mark says.
"""

from __future__ import annotations

SCRIPT = r"""
[CmdletBinding()]
param(
    [string]$Mark,
    [string]$Volume,
    [string]$Copy,
    [int]$SecondsLeft
)
$answer = @{ outcome = 'differs' }
$marked = $null
try {
    # A key without values has no properties, and is there.
    $null = Get-Item -LiteralPath $Mark
    $marked = Get-ItemProperty -LiteralPath $Mark
}
catch {
    $answer.outcome = 'gone'
}
if ($answer.outcome -ne 'gone' -and [string]$marked.copy -eq $Copy -and $SecondsLeft -gt 0) {
    if ($Copy -ne '') {
        $found = @(Get-CimInstance -ClassName Win32_ShadowCopy -Filter ("ID='" + $Copy + "'") | Where-Object {
            [string]$_.VolumeName -eq $Volume -and $_.ClientAccessible -eq $true
        })
        foreach ($one in $found) {
            Remove-CimInstance -InputObject $one -Confirm:$false
        }
    }
    Remove-Item -LiteralPath $Mark -Confirm:$false
    $answer.outcome = 'removed'
}
$answer
"""
