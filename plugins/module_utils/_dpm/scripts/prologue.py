# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What runs before every script that talks to DPM, in the same process: it loads DPM's module and sees to a connection.

The module is found by its name, else below the folder that DPM's setup wrote into the registry; where exactly below it
is not documented, so the likely places are tried. The local server is the default of all cmdlets; only where that is
not enough is it connected to by name, since some servers refuse that in a remote session.
"""

from __future__ import annotations

SCRIPT = r"""
[CmdletBinding()]
param()
$loaded = $false
try {
    Import-Module -Name DataProtectionManager
    $loaded = $true
}
catch {
    $key = 'HKLM:\SOFTWARE\Microsoft\Microsoft Data Protection Manager\Setup'
    $setup = $null
    try {
        $setup = Get-ItemProperty -Path $key
    }
    catch {
        $setup = $null
    }
    if ($null -ne $setup) {
        $folder = ([string]$setup.UIInstallPath) -replace '\\$', ''
        $places = @('\bin\DataProtectionManager', '\bin\DataProtectionManager.psd1', '\DataProtectionManager')
        foreach ($place in $places) {
            if (-not $loaded) {
                try {
                    Import-Module -Name ($folder + $place)
                    $loaded = $true
                }
                catch {
                    $loaded = $false
                }
            }
        }
    }
}
if (-not $loaded) {
    # Its own error says what is missing.
    Import-Module -Name DataProtectionManager
}
try {
    $null = Get-DPMProtectionGroup
}
catch {
    try {
        $null = Connect-DPMServer -DPMServerName ([string]$env:COMPUTERNAME) -WarningAction SilentlyContinue
    }
    catch {
        # What the server said first tells more than that it cannot be connected to by name either.
        $null = Get-DPMProtectionGroup
    }
}
"""
