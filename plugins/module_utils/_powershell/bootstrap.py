# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The one command line of the collection on Windows: a frame that reads a script from its input and runs it.

No text of a user ever stands in it. It speaks only ASCII, gives its answer gzipped and hashed between marks of its own,
and runs nothing before the mark `!` that ends its input: an input that was cut off is not run.
"""

from __future__ import annotations

import base64

SCRIPT = r"""
$ErrorActionPreference = 'Stop'
$ProgressPreference = 'SilentlyContinue'
$mode = [string]$ExecutionContext.SessionState.LanguageMode
if ($mode -ne 'FullLanguage') {
    throw 'The language mode of PowerShell is ' + $mode + '.'
}
Remove-TypeData -TypeName System.Array -ErrorAction Ignore
$text = @($input) -join ''
if ($text -notmatch '!') {
    throw 'The input ended before it was complete.'
}
$utf8 = New-Object -TypeName System.Text.UTF8Encoding -ArgumentList $false
$request = $utf8.GetString([Convert]::FromBase64String(($text -replace '[^A-Za-z0-9+/=]', ''))) | ConvertFrom-Json
$arguments = @{}
foreach ($one in $request.parameters.PSObject.Properties) {
    $arguments[$one.Name] = $one.Value
}
try {
    if ($request.prologue -ne '') {
        $null = & ([ScriptBlock]::Create($request.prologue))
    }
    $data = & ([ScriptBlock]::Create($request.script)) @arguments
    if ($null -eq $data) {
        $data = $null
    }
    $answer = @{ data = $data }
    $json = ConvertTo-Json -InputObject $answer -Depth 30 -Compress
}
catch {
    $failure = $_
    $answer = @{
        error = @{
            type = $failure.Exception.GetType().FullName
            message = [string]$failure.Exception.Message
            id = [string]$failure.FullyQualifiedErrorId
            category = [string]$failure.CategoryInfo.Category
        }
    }
    $json = ConvertTo-Json -InputObject $answer -Depth 5 -Compress
}
$stream = New-Object -TypeName System.IO.MemoryStream
$compress = [System.IO.Compression.CompressionMode]::Compress
$gzip = New-Object -TypeName System.IO.Compression.GZipStream -ArgumentList $stream, $compress
$bytes = $utf8.GetBytes($json)
$gzip.Write($bytes, 0, $bytes.Length)
$gzip.Close()
$packed = $stream.ToArray()
$hash = [BitConverter]::ToString([System.Security.Cryptography.SHA256]::Create().ComputeHash($packed)) -replace '-', ''
'<<' + $request.nonce + ' ' + $packed.Length + ' ' + $hash
[Convert]::ToBase64String($packed)
$request.nonce + '>>'
"""

# Ansible's winrm and psrp connections let a command through as it is only if it starts with exactly this.
PREFIX = ("PowerShell", "-NoProfile", "-NonInteractive", "-ExecutionPolicy", "Unrestricted", "-EncodedCommand")


def command() -> tuple[str, ...]:
    """Returns the command line in words: always the same, less than the 8,191 characters that cmd.exe takes."""
    return (*PREFIX, base64.b64encode(SCRIPT.strip().encode("utf-16-le")).decode())
