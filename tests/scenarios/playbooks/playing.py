"""Ansible as people start it, from the shell, with nothing set that they did not set."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]


@dataclass(frozen=True)
class Run:
    """A run that has ended: how, what it printed, and both streams together."""

    code: int
    output: str
    text: str

    @property
    def recap(self) -> dict[str, dict[str, int]]:
        """The counts of each host in the recap of a playbook."""
        lines = [line.partition(" : ") for line in self.output.rpartition("PLAY RECAP")[2].splitlines()]
        return {
            host.strip(): {name: int(count) for name, count in (word.split("=") for word in counts.split())}
            for host, colon, counts in lines
            if colon
        }


def run_ansible(command: str, folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> Run:
    """Runs a command of Ansible ("playbook", "adhoc") in a folder, with the collection of this tree."""
    return _run([sys.executable, "-m", "ansible", command, *arguments], folder, environment or {})


def paste(script: str, folder: Path) -> Run:
    """Runs what a page says as it stands there, in a folder, with the collection of this tree."""
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return _run(["bash", "-e", "-c", script], folder, {"PATH": programs})


def _run(command: list[str], folder: Path, environment: Mapping[str, str]) -> Run:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    done = subprocess.run(
        command,
        env={
            **kept,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "tree"),
            "ANSIBLE_HOME": str(folder / "home"),
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "ANSIBLE_NOCOLOR": "true",
            **environment,
        },
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=240,
    )
    return Run(done.returncode, done.stdout, done.stdout + done.stderr)
