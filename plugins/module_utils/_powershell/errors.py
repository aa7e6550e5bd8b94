# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What may go wrong between a script and its answer, beyond what the connection itself has."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StorageError

POWERSHELL_HINT = "See that powershell.exe is Windows PowerShell 4.0 or 5.1 and that the user may run it."


class ScriptFailed(StorageError):
    """A script ended in an error of PowerShell's; what it had done before stays done.

    `type` is the .NET name of the exception, `error_id` the FullyQualifiedErrorId, `category` the error category.
    `said` is PowerShell's own message, in the server's language: code looks at the others.
    """

    def __init__(
        self, message: str, *, said: str, type: str, error_id: str, category: str, hint: str | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.said = said
        self.type = type
        self.error_id = error_id
        self.category = category


class NoAnswer(StorageError):
    """PowerShell came to an end without a whole answer; the script only reads, so nothing was changed."""


class CorruptReply(StorageError):
    """There is no answer in an output, it is not whole, or it is not what our script answers."""
