# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What to do about the errors of PowerShell and of what it asks that people meet most. Pure.

Texts of a server are in its language, so only what is the same in every language is looked for: names of exceptions,
of accounts that SQL Server writes as they are, codes.
"""

from __future__ import annotations

import re

_HINTS = (
    (
        # PSNotSupportedException or PSInvalidOperationException, depending on what was refused; both carry the mode.
        r"ConstrainedLanguage|MethodInvocationNotSupportedInConstrainedLanguage|CannotCreateTypeConstrainedLanguage|"
        r"DotSourceNotSupported|ConversionSupportedOnlyToCoreTypes|OnlySupportedOnCoreTypes",
        "PowerShell runs in Constrained Language mode there (an AppLocker or WDAC policy), in which no script of the "
        "collection can run. Let the policy allow this user Full Language mode, or run the task on a host without it.",
    ),
    (
        r"OutOfMemoryException",
        "The shell has too little memory: raise MaxMemoryPerShellMB on the host "
        "(Set-Item WSMan:\\localhost\\Shell\\MaxMemoryPerShellMB 2048, and the same of the plugin microsoft.powershell "
        "for psrp), restart its WinRM service, or select less.",
    ),
    (
        r"ANONYMOUS LOGON",
        "The host asked another server (SQL Server) in the name of this user, and a logon over the network cannot be "
        "handed on (double hop). Use the transport credssp, or kerberos with delegation.",
    ),
    (
        r"UnauthorizedAccessException|AuthorizationManager check failed|PSSecurityException",
        "See that the user may do this on the host, and that no policy keeps scripts from running.",
    ),
)


def hint_for(*texts: str) -> str | None:
    """Returns what to do about an error, by its type, id and words in any order; None where that is not known."""
    said = "\n".join(texts)
    return next((hint for pattern, hint in _HINTS if re.search(pattern, said, re.IGNORECASE)), None)
