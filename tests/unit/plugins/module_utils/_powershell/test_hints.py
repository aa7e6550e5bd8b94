# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people meet most gets a hint, whatever the language of the server, and nothing else gets one."""

from __future__ import annotations

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._powershell.hints import hint_for

ERRORS = {
    "the language mode that the frame tells": ("The language mode of PowerShell is ConstrainedLanguage.", "WDAC"),
    "the language mode in an id": (
        "Der Typ kann nicht erstellt werden.\n+ FullyQualifiedErrorId : CannotCreateTypeConstrainedLanguage,Micro",
        "AppLocker",
    ),
    "no memory": ("System.OutOfMemoryException", "MaxMemoryPerShellMB"),
    "no memory in Japanese": (
        "種類 'System.OutOfMemoryException' の例外がスローされました。",
        "MaxMemoryPerShellMB",
    ),
    "a double hop": ("Login failed for user 'NT AUTHORITY\\ANONYMOUS LOGON'.", "double hop"),
    "a double hop in German": ("Fehler bei der Anmeldung für den Benutzer 'NT-AUTORITÄT\\ANONYMOUS LOGON'.", "credssp"),
    "a policy": ("AuthorizationManager check failed.", "policy"),
}


@pytest.mark.parametrize(("said", "hint"), ERRORS.values(), ids=ERRORS.keys())
def test_an_error_that_people_meet(said: str, hint: str) -> None:
    assert hint in (hint_for("System.Exception", said, "SomeId") or "")


@pytest.mark.parametrize(
    "said", ["", "The replica volume is missing (ID: 362)", "Login failed for user 'LAB\\svc-dpm'."]
)
def test_any_other_error_has_none(said: str) -> None:
    assert hint_for("System.Exception", said) is None
