# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Asks DPM between which totals it would shrink the volumes of data sources. It calculates and changes nothing; the
limits are on the object that the cmdlet returns."""

from __future__ import annotations

SCRIPT = r"""
[CmdletBinding()]
param([string[]]$Ids)
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
$limits = @(foreach ($source in Get-DPMDatasource) {
    if (Test-Named -Source $source -Ids $Ids) {
        $row = @{ ids = @([string]$source.Id, [string]$source.DatasourceId) }
        try {
            $calculated = Set-DPMDatasourceDefaultDiskAllocation -Datasource $source -CalculateShrinkThresholds
            $row.lowest = $calculated.ShadowCopySizeAfterMaxShrink
            $row.highest = $calculated.ShadowCopySizeAfterMinShrink
        }
        catch {
            $row.message = [string]$_.Exception.Message
        }
        $row
    }
})
@{ limits = $limits }
"""
