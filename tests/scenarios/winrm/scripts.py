# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scripts of these tests, in the written subset."""

ECHO = r"""[CmdletBinding()]
param([string]$Text, [object]$More)
@{ text = $Text; more = $More }
"""
MANY = r"""[CmdletBinding()]
param([int]$Count)
$all = @()
foreach ($number in 1..$Count) {
    $all += @{ id = $number; name = 'volume ' + $number }
}
@{ all = @($all) }
"""
ADD = r"""[CmdletBinding()]
param([int]$SecondsLeft)
@{ done = Add-One; left = $SecondsLeft }
"""
SLEEP = r"""[CmdletBinding()]
param([int]$Seconds, [int]$SecondsLeft)
Start-Sleep -Seconds $Seconds
@{ slept = $Seconds }
"""
SLOWLY = r"""[CmdletBinding()]
param([int]$Seconds, [int]$SecondsLeft)
Start-Sleep -Seconds $Seconds
@{ done = Add-One }
"""
TWICE = r"""[CmdletBinding()]
param([int]$Seconds, [int]$SecondsLeft)
$null = Add-One
Start-Sleep -Seconds $Seconds
@{ done = Add-One }
"""
FAIL = r"""[CmdletBinding()]
param()
throw 'out of order'
"""
EXIT = r"""[CmdletBinding()]
param()
exit 7
"""
NOTHING = r"""[CmdletBinding()]
param()
$null
"""
