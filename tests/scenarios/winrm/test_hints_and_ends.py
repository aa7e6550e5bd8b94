# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What people meet on a Windows host, and what they are told to do; what was opened there is given back always."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import NoAnswer, ScriptFailed
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.host import WindowsHost

from .conftest import Lab, soon
from .scripts import ADD, ECHO

DOUBLE_HOP = r"""[CmdletBinding()]
param()
throw "Login failed for user 'NT AUTHORITY\ANONYMOUS LOGON'."
"""


def test_a_constrained_language_is_said_with_what_to_do(lab: Lab) -> None:
    lab.world.language_mode = "ConstrainedLanguage"
    with (
        lab.connect("ntlm", "http") as shell,
        pytest.raises(NoAnswer, match=r"The language mode of PowerShell is ConstrainedLanguage\. .*AppLocker or WDAC"),
    ):
        shell.run(ADD, {}, deadline=soon())
    assert lab.world.done == 0
    assert not lab.host.shells.open


def test_a_double_hop_is_said_with_what_to_do(lab: Lab) -> None:
    sentence = r"ANONYMOUS LOGON.*double hop.*credssp"
    with lab.connect("ntlm", "http") as shell, pytest.raises(ScriptFailed, match=sentence):
        shell.run(DOUBLE_HOP, {}, deadline=soon())


@pytest.mark.parametrize("error", [KeyboardInterrupt(), RuntimeError("of the caller"), SystemExit(1)], ids=repr)
def test_shell_and_ticket_are_given_back_whatever_the_error_is(lab: Lab, error: BaseException) -> None:
    """Also where it is none of ours, as where somebody ends the run, and where a caller's own code fails."""
    before = os.environ.get("KRB5CCNAME")
    folders: list[Path] = []

    def caller() -> None:
        with WindowsHost(lab.site.options("kerberos", "http")) as host:
            host.run(ECHO, {}, deadline=soon())
            folders.append(Path(os.environ["KRB5CCNAME"].removeprefix("FILE:")).parent)
            assert folders[0].is_dir()
            raise error

    with pytest.raises(type(error)):
        caller()
    folder = folders[0]
    assert folder.name.startswith("winbackup-")
    assert not folder.exists()
    assert os.environ.get("KRB5CCNAME") == before
    assert not lab.host.shells.open


def test_a_shell_is_opened_when_it_is_needed_and_again_after_it_was_given_back(lab: Lab) -> None:
    with WindowsHost(lab.site.options("ntlm", "http")) as host:
        assert not lab.host.troubles.log
        for _ in range(2):
            host.run(ECHO, {}, deadline=soon())
        assert len(lab.host.shells.open) == 1
        host.release()
        assert not lab.host.shells.open
        assert host.run(ECHO, {"Text": "again"}, deadline=soon())["text"] == "again"
    assert not lab.host.shells.open
    assert lab.host.troubles.operations().count("Create") == 2
