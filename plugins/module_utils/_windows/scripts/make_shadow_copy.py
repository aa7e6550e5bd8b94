# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Makes a shadow copy of one volume, tells what Windows logged meanwhile, and removes the copy again, whatever happens.

Before it a mark is made: the key `Mark` of the registry, which can be made once only; in it stands until when this run
may last, the ids of the volume's copies before it and, as soon as it is known, the id of the copy. The mark goes last,
and one that stays names a copy that stayed. `Most` copies that clients see are not exceeded.
"""

from __future__ import annotations

SCRIPT = r"""
[CmdletBinding()]
param(
    [string]$Volume,
    [string]$Mark,
    [int]$Most,
    [int]$LeaseSeconds,
    [int]$SecondsLeft
)
function Find-Copy {
    param($Id)
    Get-CimInstance -ClassName Win32_ShadowCopy -Filter ("ID='" + $Id + "'")
}
function Get-Record {
    param($Log, $Since, $Providers)
    try {
        $found = Get-WinEvent -FilterHashtable @{ LogName = $Log; StartTime = $Since }
    }
    catch {
        if ([string]$_.FullyQualifiedErrorId -match '^NoMatchingEventsFound') {
            return
        }
        throw
    }
    foreach ($one in $found) {
        if ($Providers -contains [string]$one.ProviderName) {
            @{ log = $Log; xml = [string]$one.ToXml() }
        }
    }
}
$answer = @{ outcome = 'not_started' }
$begun = Get-Date
if ($SecondsLeft -le 0) {
    return $answer
}
try {
    $null = New-Item -Path $Mark -Confirm:$false
}
catch {
    $answer.outcome = 'no_mark'
    $answer.message = [string]$_.Exception.Message
    return $answer
}
$id = ''
try {
    $until = $begun.AddSeconds($LeaseSeconds).ToUniversalTime().ToString('o')
    Set-ItemProperty -LiteralPath $Mark -Name 'until' -Value $until -Confirm:$false
    $own = @(Get-CimInstance -ClassName Win32_ShadowCopy | Where-Object {
        [string]$_.VolumeName -eq $Volume
    })
    $seen = @($own | Where-Object {
        $_.ClientAccessible -ne $false
    })
    $ids = @(foreach ($one in $own) {
        [string]$one.ID
    })
    $before = 'ids ' + ($ids -join ' ')
    Set-ItemProperty -LiteralPath $Mark -Name 'before' -Value $before -Confirm:$false
    if ($seen.Count -ge $Most) {
        $answer.outcome = 'no_room'
    }
    else {
        $arguments = @{ Volume = $Volume; Context = 'ClientAccessible' }
        $made = Invoke-CimMethod -ClassName Win32_ShadowCopy -MethodName Create -Arguments $arguments
        $id = [string]$made.ShadowID
        if ($id -match '[1-9a-fA-F]') {
            Set-ItemProperty -LiteralPath $Mark -Name 'copy' -Value $id -Confirm:$false
        }
        else {
            $id = ''
        }
        $answer.outcome = 'answered'
        $answer.return_value = $made.ReturnValue
    }
}
catch {
    $answer.outcome = 'failed'
    $answer.message = [string]$_.Exception.Message
}
finally {
    $answer.ticks = ((Get-Date) - $begun).Ticks
    $answer.copy = $id
    try {
        if ($id -ne '') {
            Find-Copy -Id $id | Remove-CimInstance -Confirm:$false
        }
        if ($id -eq '' -or @(Find-Copy -Id $id).Count -eq 0) {
            Remove-Item -LiteralPath $Mark -Confirm:$false
            $answer.removed = $true
        }
        else {
            $answer.removed = $false
        }
    }
    catch {
        $answer.removed = $false
        $answer.not_removed = [string]$_.Exception.Message
    }
}
$since = $begun.AddSeconds(-1)
$answer.events = $null
try {
    $events = @(Get-Record -Log 'Application' -Since $since -Providers @('VSS'))
    $events += @(Get-Record -Log 'System' -Since $since -Providers @('volsnap'))
    $answer.events = $events
}
catch {
    $answer.events_unread = [string]$_.Exception.Message
}
$answer
"""
