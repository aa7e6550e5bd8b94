#!/usr/bin/env python3
"""Two stories on the lab, from a backup that fails to the proof that it is cured; and a host with a free licence.

The host's part runs beside the others. Of the output of Ansible the screen has what the playbooks say; all of it is
kept in files.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
REPORT, OUTPUT = ROOT / ".build" / "demo-report", ROOT / ".build" / "demo-output"
sys.path.insert(0, str(ROOT / "tests" / "lab"))

import esxi_lab  # noqa: E402
import lab  # noqa: E402

SETTINGS = {
    "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "tree"),
    "ANSIBLE_LOCALHOST_WARNING": "false",
    "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
    "ANSIBLE_DISPLAY_OK_HOSTS": "false",
    "ANSIBLE_PIPELINING": "true",
    "ANSIBLE_NOCOLOR": "true",
}
WISHES = {
    "site_convert_diagnosed": True,
    "rdm_convert_power": "shutdown",
    "rdm_convert_old_mapping": "delete",
    "dpm_recovery_points_min_free_percent": 20,
    "storage_report_path": str(REPORT),
}
# All but the host with the free licence, which is worked on beside.
STORIES = ("--limit", "backup01,dpm01,localhost")
SITE = ("site", "-e", json.dumps(WISHES), *STORIES)
# Without another page: that of the first run tells what was done.
SITE_AGAIN = (*SITE, "--tags", "rdm,dpm")
FREE = json.dumps({"rdm_convert_vms": ["fileserver"], "rdm_convert_power": "shutdown"})
OVER_SSH = ("convert_rdms", "-e", FREE, "--limit", "esx-branch")
# What Ansible writes between the lines of the playbooks: its frames, and where in a file a task stands.
_FRAMES = re.compile(
    r"(PLAY|TASK) \[|(included|skipping|changed|ok|failed|fatal): |\[WARNING\]|Origin: |\d+(   .*)?$| +\^ column|<<< |$"
)
_ERROR = re.compile(r"\[ERROR\]: ((Task|Module|Action) failed: )*")


@dataclass(frozen=True)
class Chapter:
    """A playbook with its arguments; `refused`: it is to fail; `api`: another server than the lab's vCenter."""

    title: str
    call: tuple[str, ...]
    refused: bool = False
    api: dict[str, str] = field(default_factory=dict)

    @property
    def command(self) -> str:
        """The call as people write it."""
        words = [f"'{word}'" if word.startswith("{") else word for word in self.call]
        return f"ansible-playbook winbackup.storage.{' '.join(words)}"


THE_STORIES = (
    Chapter("Last night's backup of backup01 failed, and a replica of DPM is offline: why, the cure, the proof", SITE),
    Chapter("A night later, the same once more: nothing is left to do, changed=0", SITE_AGAIN),
)


def free_licence(api: dict[str, str]) -> tuple[Chapter, ...]:
    """Returns the chapters of the host with the free licence."""
    refused = ("convert_rdms", "-e", FREE, "--limit", "localhost")
    return (
        Chapter("A host with a free licence: over its API every write is refused", refused, True, api),
        Chapter("Its two local disks over SSH instead, in a play on the host itself", OVER_SSH),
    )


def lines_of(chapter: Chapter, number: int) -> Iterator[str]:
    """Runs a chapter; yields its output line by line, and keeps it; raises RuntimeError where it ends unexpectedly."""
    command = [sys.executable, "-m", "ansible", "playbook", "-i", str(lab.INVENTORY)]
    command += [f"winbackup.storage.{chapter.call[0]}", *chapter.call[1:]]
    # The hosts of the groups windows, dpm and esxi are reached over the connection that the inventory gives them.
    environment = {**os.environ, **SETTINGS, **lab.variables(), **chapter.api}
    kept = OUTPUT / f"{number}-{chapter.call[0]}.txt"
    with kept.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(
            command, env=environment, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert process.stdout is not None
        for line in process.stdout:
            file.write(line)
            yield line.rstrip("\n")
        if (process.wait() != 0) is not chapter.refused:
            raise RuntimeError(f"{chapter.command} ended with {process.returncode}: see {kept}")


def told(lines: Iterable[str]) -> Iterator[str]:
    """Yields what a playbook says: without the frames of tasks, and of an error its sentence alone."""
    for line in lines:
        if not _FRAMES.match(line):
            yield "" if line.startswith("PLAY RECAP") else _ERROR.sub("", line)


def heading(number: int, chapter: Chapter) -> str:
    """Returns what stands above a chapter."""
    return f"\n{'=' * 100}\n{number}. {chapter.title}\n   {chapter.command}\n"


def play(chapter: Chapter, number: int, say: Callable[[str], None]) -> None:
    """Runs a chapter and says what it tells, as it comes."""
    say(heading(number, chapter))
    for line in told(lines_of(chapter, number)):
        say(line)


def beside(chapters: tuple[Chapter, ...], first: int) -> str:
    """Runs chapters and returns what they tell."""
    said: list[str] = []
    for number, chapter in enumerate(chapters, first):
        play(chapter, number, said.append)
    return "\n".join(said)


def main() -> None:
    """Starts the lab and goes through the chapters."""
    print("Starting the lab", flush=True)
    lab.up()
    OUTPUT.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()
    esxi = esxi_lab.running()
    with ThreadPoolExecutor(1) as pool:
        others = pool.submit(beside, free_licence(esxi["api"]) if esxi else (), len(THE_STORIES) + 1)
        for number, chapter in enumerate(THE_STORIES, 1):
            play(chapter, number, lambda line: print(line, flush=True))
        print(others.result())
    print(f"\n{'=' * 100}\nIt took {time.monotonic() - began:.0f} seconds. The report tells the stories too.")
    print(f"\nFor a browser:     {REPORT / 'report.html'}\nfor a spreadsheet: {REPORT / 'mappings.csv'}")
    print(f"All that Ansible said is in {OUTPUT}.")
    print("\nThe lab is still up; it is a model made from documentation. To try things on it yourself:")
    print(f"  . {lab.ENVIRONMENT}")
    print(f"  ansible-playbook -i {lab.INVENTORY} winbackup.storage.audit")
    print("Stop it with: make lab-down")


if __name__ == "__main__":
    try:
        main()
    except RuntimeError as error:
        sys.exit(str(error))
