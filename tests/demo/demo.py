#!/usr/bin/env python3
"""The main job on the lab: audit, convert the backup server's mappings, the same again, audit."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "lab"))

import lab  # noqa: E402
import vcenter_lab  # noqa: E402

CONVERT = ("convert_rdms", "-e", '{"rdm_convert_vms": ["backup01"], "rdm_convert_power": "shutdown"}')
CHAPTERS = (
    ("Before: what is there, and what is risky about it", ("audit",)),
    ("With no variable set: the plan for every mapping, and nothing is changed", ("convert_rdms",)),
    ("The backup server is shut down, its two disks become virtual, and it is started again", CONVERT),
    ("The same once more: changed=0", CONVERT),
    ("After", ("audit",)),
)


def play(name: str, *arguments: str) -> None:
    """Runs one of the collection's playbooks against the lab that is up."""
    settings = {
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "tree"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_CALLBACK_RESULT_FORMAT": "yaml",
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
    }
    command = [sys.executable, "-m", "ansible", "playbook", f"winbackup.storage.{name}", *arguments]
    subprocess.run(command, env={**os.environ, **settings, **lab.variables()}, check=True, cwd=ROOT)


def main() -> None:
    """Starts the lab and goes through the chapters."""
    vcenter_lab.up(None)
    for number, (title, arguments) in enumerate(CHAPTERS, 1):
        print(
            f"\n{'=' * 100}\n{number}. {title}\n   ansible-playbook winbackup.storage.{' '.join(arguments)}", flush=True
        )
        play(*arguments)
    print("\nThe lab vCenter is still up; it is a model made from documentation. Stop it with: make lab-down")


if __name__ == "__main__":
    main()
