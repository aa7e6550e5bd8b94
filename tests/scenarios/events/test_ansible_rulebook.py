# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-rulebook itself with its engine: from a volume that ran full to a consistent replica, nobody at the keyboard.

It needs a Java of version 17 or later (bindep.txt, profile events)."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from dpm_lab import FOR_PEOPLE, DpmLab

ROOT = Path(__file__).resolve().parents[3]
TOOLS = ROOT / ".venv-events" / "bin"
FULL = {"datasource": "D:\\", "computer": "fs01.lab.test"}
RAN_FULL = 40 * 1024**3


class Rulebook:
    """The rulebook dpm_events on a lab; started and killed as often as is wished, with one log."""

    def __init__(self, lab: DpmLab, folder: Path, **variables: Any) -> None:
        self._folder, self._log = folder, folder / "rulebook.log"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE")}
        self._environment = {
            **kept,
            **lab.variables(),
            "PATH": f"{TOOLS}:{os.environ['PATH']}",
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "tree"),
            "ANSIBLE_HOME": str(folder / "home"),
        }
        told = {"dpm_events_interval": 5, "dpm_events_state": str(folder / "state.json"), **variables}
        (folder / "variables.yml").write_text(json.dumps(told), encoding="utf-8")
        (folder / "inventory").write_text("localhost ansible_connection=local\n", encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        command = [str(TOOLS / "ansible-rulebook"), "-r", "winbackup.storage.dpm_events", "-i", "inventory", "-v"]
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                [*command, "--vars", "variables.yml"],
                env=self._environment,
                cwd=self._folder,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Ends it and all it started, as a machine that is switched off does."""
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(10)
            self._process = None

    def said(self) -> str:
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait(self, until: Callable[[], bool], seconds: float = 240) -> None:
        """Waits for something; fails with the log where it does not come, or the rulebook ends before."""
        end = time.monotonic() + seconds
        while not until():
            assert self._process is not None
            assert self._process.poll() is None, self.said()
            assert time.monotonic() < end, self.said()
            time.sleep(1)


@pytest.mark.slow
def test_a_volume_that_ran_full_is_cured_once_and_a_kill_repeats_nothing(tmp_path: Path) -> None:
    assert (TOOLS / "ansible-rulebook").exists(), "make test-all makes .venv-events, in which ansible-rulebook is"
    assert shutil.which("java") or os.environ.get("JAVA_HOME"), "apt-get install default-jre-headless"
    with DpmLab.start(speed=1.0, **FOR_PEOPLE) as lab:
        rulebook = Rulebook(lab, tmp_path, dpm_recovery_points_min_free_percent=20)

        def source() -> dict[str, Any]:
            return dict(lab.do("datasource", **FULL))

        try:
            rulebook.start()
            rulebook.wait(lambda: source()["state"] == "Valid")
            rulebook.wait(lambda: rulebook.said().count("PLAY RECAP") >= 1)
            cured = source()["recovery"]["allocated"]
            assert cured > RAN_FULL
            rulebook.kill()
            # What happens while it is away is answered once it is back, and what was answered is not.
            lab.do("run_backup", writes="60GB", datasource="E:\\", computer="fs01.lab.test", seconds=1)
            rulebook.start()
            rulebook.wait(lambda: rulebook.said().count("PLAY RECAP") >= 2)
            rulebook.wait(lambda: lab.do("datasource", datasource="E:\\", computer="fs01.lab.test")["state"] == "Valid")
            assert source()["recovery"]["allocated"] == cured
        finally:
            rulebook.kill()
