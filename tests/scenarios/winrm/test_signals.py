# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that is ended from outside leaves no shell and no ticket behind, and a write that runs comes to its own end."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import Lab
from .scripts import SLEEP, SLOWLY

# One module of its own process: the frame of all modules around one script.
RUN = """
import json, sys, time
from ansible.module_utils import basic
from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleResult, run_module
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.argument_spec import CONNECTION
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.host import WindowsHost

options, script, writes = json.loads(sys.argv[1])

def work(call):
    with WindowsHost(call.options) as host:
        return ModuleResult({"said": host.run(script, {"Seconds": 2}, deadline=time.monotonic() + 60, writes=writes)})

basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": options}).encode()
basic._ANSIBLE_PROFILE = "legacy"
run_module(CONNECTION, work)
"""


def _end_in_mid_receive(lab: Lab, folder: Path, transport: str, script: str, writes: bool, number: int) -> str:
    """Ends a module by a signal while it waits for the answer of its script; returns what it printed."""
    hold = lab.host.troubles.hold(action="Receive")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TMPDIR": str(folder)}
    command = [sys.executable, "-c", RUN, json.dumps([lab.site.options(transport, "http"), script, writes])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert hold.reached.wait(60), "the module never came to the answer of its script"
            process.send_signal(number)
            hold.release()
            said, _ = process.communicate(timeout=60)
        finally:
            process.kill()
    return said


def _until(condition: Callable[[], bool]) -> bool:
    end = time.monotonic() + 30
    while not condition() and time.monotonic() < end:
        time.sleep(0.05)
    return condition()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name)
def test_a_read_that_is_ended_leaves_neither_shell_nor_ticket(lab: Lab, tmp_path: Path, number: signal.Signals) -> None:
    said = _end_in_mid_receive(lab, tmp_path, "kerberos", SLEEP, False, number)
    assert f"The run was ended from outside ({number.name})" in said
    assert "Traceback" not in said
    assert not lab.host.shells.open
    assert not list(tmp_path.glob("winbackup-*"))


def test_a_write_that_is_ended_comes_to_its_own_end_and_leaves_no_ticket(lab: Lab, tmp_path: Path) -> None:
    said = _end_in_mid_receive(lab, tmp_path, "kerberos", SLOWLY, True, signal.SIGTERM)
    assert "what it had begun may have been carried out" in said
    assert _until(lambda: lab.world.done == 1)
    # The shell is left to the script, and ends itself once nobody asks it for anything.
    assert [shell.idle_timeout for shell in lab.host.shells.open.values()] == [900]
    assert not list(tmp_path.glob("winbackup-*"))
