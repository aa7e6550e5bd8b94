# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guide to events says, pasted into a shell in an empty directory: servers and repository are the lab's."""

from __future__ import annotations

import os
import signal
import subprocess
import sysconfig
import time
from pathlib import Path

import pytest
from dpm_lab import FOR_PEOPLE, DpmLab
from engine import ROOT, TOOLS

from ansible_collections.winbackup.storage.tests.unit.helpers.guides import blocks, guide

INSTALL, RUN = blocks(guide("events"), "sh")


@pytest.mark.slow
def test_the_commands_lead_to_a_plan_of_the_server_of_an_event(tmp_path: Path) -> None:
    assert (TOOLS / "ansible-rulebook").exists(), "make test-all makes .venv-events, in which ansible-rulebook is"
    script = (INSTALL + RUN).replace("https://github.com/winbackup/storage.git", f"file://{ROOT}")
    script = script.replace("[dpm01.example.com, dpm02.example.com]", "[localhost]")
    log = tmp_path / "printed"
    with DpmLab.start(speed=1.0, **FOR_PEOPLE) as lab:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE")}
        # What pip would fetch is here already, so that it fetches nothing.
        packages = sysconfig.get_paths(vars={"base": str(TOOLS.parent), "platbase": str(TOOLS.parent)})["purelib"]
        environment = {
            **kept,
            **lab.variables(),
            "HOME": str(tmp_path),
            "PYTHONPATH": packages,
            "PIP_NO_INDEX": "1",
            "PATH": f"{kept['PATH']}:{TOOLS}",
        }
        with open(log, "wb") as printed:
            process = subprocess.Popen(
                ["bash", "-e", "-c", script.replace("reader@EXAMPLE.COM", lab.username)],
                env=environment,
                cwd=tmp_path,
                stdin=subprocess.PIPE,
                stdout=printed,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        assert process.stdin is not None
        process.stdin.write(f"{lab.password}\n".encode())
        process.stdin.close()
        end = time.monotonic() + 400
        while "PLAY RECAP" not in log.read_text(encoding="utf-8", errors="replace"):
            assert process.poll() is None, log.read_text(encoding="utf-8", errors="replace")
            assert time.monotonic() < end, log.read_text(encoding="utf-8", errors="replace")
            time.sleep(1)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(10)
        assert "Nothing was changed" in log.read_text(encoding="utf-8", errors="replace")
        assert lab.password not in log.read_text(encoding="utf-8", errors="replace")
        assert "Edit-DPMDiskAllocation" not in str(lab.do("calls"))
    assert (tmp_path / "dpm_events.json").exists()
