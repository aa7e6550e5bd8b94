# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Somebody who reads the README and the guides and does what they say, with the lab in place of the servers."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

from vcenter_lab import VcenterLab

from ansible_collections.winbackup.storage.tests.unit.helpers.guides import ROOT, readme_blocks

# All of the way to the first audit but its last line; and what of it a new shell in the same directory needs again.
PREPARE = readme_blocks("sh")[0].rpartition("ansible-playbook")[0]
_AGAIN = ". env/bin/activate\n" + "".join(
    line for line in PREPARE.splitlines(keepends=True) if line.startswith(("export ", "read "))
)


class User:
    """Somebody who pastes what a page says into a shell."""

    def __init__(self, lab: VcenterLab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        self.windows: dict[str, str] = {}

    def run(self, command: str) -> str:
        """Runs a command of a page as somebody who has prepared all in this directory; returns what it printed."""
        prepared = (self.folder / "env").exists()
        return self.paste((_AGAIN if prepared else PREPARE) + command)

    def paste(self, script: str) -> str:
        """Runs a script as a user's shell would; returns what it printed."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        environment = {
            **kept,
            # What pip would fetch is here already, so that it fetches nothing.
            "PYTHONPATH": sysconfig.get_paths()["purelib"],
            "PIP_NO_INDEX": "1",
            "PATH": f"{kept['PATH']}:{Path(sys.executable).parent}",
            "HOME": str(self.folder),
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_NOCOLOR": "true",
            "VMWARE_PORT": str(self.lab.port),
            "VMWARE_CA_PATH": self.lab.ca_path,
            **self.windows,
        }
        script = script.replace("https://github.com/winbackup/storage.git", f"file://{ROOT}")
        script = script.replace("vcenter.example.com", self.lab.host)
        script = script.replace("administrator@vsphere.local", self.lab.username)
        run = subprocess.run(
            ["bash", "-e", "-c", script],
            env=environment,
            cwd=self.folder,
            input=f"{self.lab.password}\n",
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        assert self.lab.password not in run.stdout + run.stderr
        # What is installed is found.
        assert "will not be picked up" not in run.stdout + run.stderr
        return run.stdout
