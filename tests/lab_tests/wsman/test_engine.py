# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which engine runs a script: the evaluator, or with the switch the pwsh on PATH where no model is needed."""

from __future__ import annotations

import base64
import sys
from pathlib import Path

import pytest
from powershell import Session
from wsman.powershell import SWITCH, PowerShellCommands
from wsman.processes import Process

# A program in the place of pwsh that tells what it was given: no PowerShell, and it says so.
PROGRAM = f"""#!{sys.executable}
import base64, os, sys
script = base64.b64decode(sys.argv[-1]).decode("utf-16-le")
print("not PowerShell:", script.replace("\\n", "|"), os.environ.get("LAB_COUNTER"), sys.stdin.read())
"""


def run(commands: PowerShellCommands, script: str, given: bytes = b"") -> tuple[int | None, str, str]:
    encoded = base64.b64encode(script.encode("utf-16-le")).decode()
    process: Process = commands.start(f"PowerShell -NoProfile -EncodedCommand {encoded}", {}, 65001)
    process.write_stdin(given, True)
    streams = {"stdout": b"", "stderr": b""}
    ended = False
    while not ended:
        written, ended = process.take(1 << 20, 20)
        for stream, data in written:
            streams[stream] += data
    return process.exit_code, streams["stdout"].decode(), streams["stderr"].decode()


@pytest.fixture
def switched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """The switch is on, and nothing is on PATH yet; returns the folder that is PATH."""
    monkeypatch.setenv(SWITCH, "1")
    monkeypatch.setenv("PATH", str(tmp_path))
    return tmp_path


def test_the_tests_do_not_remove_the_switch_with_the_servers_of_the_environment() -> None:
    assert not SWITCH.startswith(("VMWARE_", "WINBACKUP_"))


def test_without_the_switch_the_evaluator_runs_it() -> None:
    assert run(PowerShellCommands(), "1 + 2") == (0, "3\r\n", "")


def test_with_the_switch_a_script_without_a_model_goes_to_the_engine(switched: Path) -> None:
    (switched / "pwsh").write_text(PROGRAM, encoding="utf-8")
    (switched / "pwsh").chmod(0o755)
    plain = run(PowerShellCommands(), "1 + 2", b"input")
    assert plain == (0, "not PowerShell: |1 + 2 None input\n", "")
    given = PowerShellCommands(lambda process: Session(), "function Add-One {\n}", {"LAB_COUNTER": "there"})
    assert run(given, "Add-One")[1] == "not PowerShell: function Add-One {|}|Add-One there \n"


def test_with_the_switch_the_commands_of_a_model_stay_with_the_evaluator(switched: Path) -> None:
    assert run(PowerShellCommands(lambda process: Session()), "1 + 2") == (0, "3\r\n", "")


def test_the_switch_without_an_engine_fails_and_says_so(switched: Path) -> None:
    code, output, said = run(PowerShellCommands(), "1 + 2")
    assert (code, output) == (1, "")
    assert said == f"{SWITCH} is set, and there is no pwsh on PATH.\r\n"
