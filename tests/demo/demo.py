#!/usr/bin/env python3
"""The main job on the lab: audit, convert the backup server's mappings, extend what is short, the same again, audit."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
REPORT = ROOT / ".build" / "demo-report"
sys.path.insert(0, str(ROOT / "tests" / "lab"))

import esxi_lab  # noqa: E402
import lab  # noqa: E402

INVENTORY = ("-i", str(lab.INVENTORY))
AUDIT = ("audit", "-e", f"storage_report_path={REPORT}")
CONVERT = (
    "convert_rdms", "-e", '{"rdm_convert_vms": ["backup01"], "rdm_convert_power": "shutdown"}', "--limit", "localhost"
)  # fmt: skip
FREE = '{"rdm_convert_vms": ["fileserver"], "rdm_convert_power": "shutdown"}'
FREE_OVER_API = ("convert_rdms", "-e", FREE, "--limit", "localhost")
FREE_OVER_SSH = ("convert_rdms", "-e", FREE, "--limit", "esx-branch")
EXTEND = ("extend_recovery_points", "-e", "dpm_recovery_points_min_free_percent=20")
CHAPTERS = (
    ("What is there, and what is risky about it", AUDIT),
    ("Mappings, with no variable set: the plan for every one, and nothing is changed", ("convert_rdms",)),
    ("The backup server is shut down, its two disks become virtual, and it is started again", CONVERT),
    ("The same once more: changed=0", CONVERT),
    ("A host with a free licence: over its API every write is refused, and the hint says what helps", FREE_OVER_API),
    ("The same two local disks over SSH, in a play on the host itself", FREE_OVER_SSH),
    ("The same once more: changed=0", FREE_OVER_SSH),
    ("Recovery points: a fifth of every volume is to be free; then inconsistent replicas are checked", EXTEND),
    ("The same once more: changed=0", EXTEND),
    ("What is left", AUDIT),
)


def play(
    playbook: str, *arguments: str, quiet: bool = False, api: dict[str, str] | None = None, refused: bool = False
) -> None:
    """Runs a playbook against the lab that is up; `api` names another server than the lab's vCenter, and `refused` says
    that the playbook is to fail."""
    settings = {
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "tree"),
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_DISPLAY_SKIPPED_HOSTS": "false",
    }
    command = [sys.executable, "-m", "ansible", "playbook", *INVENTORY, playbook, *arguments]
    # The hosts of the groups dpm and esxi are reached over the connection that the inventory gives them.
    environment = {**os.environ, **settings, **lab.variables(), **(api or {})}
    output = subprocess.DEVNULL if quiet else None
    done = subprocess.run(command, env=environment, check=False, cwd=ROOT, stdout=output)
    if (done.returncode != 0) is not refused:
        sys.exit(f"{playbook} ended with {done.returncode}")


def state() -> dict[str, Any]:
    """Returns the mappings and data sources as the collection reads them."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "state.json"
        play(str(ROOT / "tests" / "demo" / "state.yml"), "-e", f"file={file}", quiet=True)
        read: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return read


def lines_of(read: dict[str, Any]) -> dict[str, str]:
    """Returns a line for each mapping and each data source, by what it is of."""
    lines = {
        f"{rdm['vm']['name']} {rdm['address']}": f"{rdm['compatibility']}, {rdm['vm']['power_state']}, {rdm['file']}"
        for rdm in read["rdms"]
    }
    for source in read["datasources"]:
        volume = source["recovery_point_volume"]
        if volume:
            size = f"{volume['used_bytes'] / 2**30:.1f} of {volume['allocated_bytes'] / 2**30:.1f} GiB used"
            consistent = "consistent" if source["consistent"] else "INCONSISTENT"
            lines[f"{source['name']} on {source['computer']}"] = f"{size}, {consistent}"
    return lines


def main() -> None:
    """Starts the lab and goes through the chapters."""
    print("Starting the lab", flush=True)
    lab.up()
    before = lines_of(state())
    esxi = esxi_lab.running() or {}
    chapters = [one for one in CHAPTERS if esxi or one[1] not in (FREE_OVER_API, FREE_OVER_SSH)]
    for number, (title, (playbook, *arguments)) in enumerate(chapters, 1):
        called = " ".join([f"ansible-playbook winbackup.storage.{playbook}", *arguments])
        print(f"\n{'=' * 100}\n{number}. {title}\n   {called}", flush=True)
        free = (playbook, *arguments) == FREE_OVER_API
        play(f"winbackup.storage.{playbook}", *arguments, api=esxi["api"] if free else None, refused=free)
    after = lines_of(state())
    print(f"{'=' * 100}\nBefore and after\n")
    for name in before:
        if before[name] != after.get(name):
            shown = name.replace("\n", " ")
            print(f"  {shown}\n    before  {before[name]}\n    after   {after.get(name)}")
    print(f"\nUnchanged: {sum(before[name] == after.get(name) for name in before)} others.")
    print(
        f"\nThe report, for a browser: {REPORT / 'report.html'}\nand for a spreadsheet:     {REPORT / 'mappings.csv'}"
    )
    print("\nThe lab is still up; it is a model made from documentation. To try things on it yourself:")
    print(f"  . {ROOT / '.venv/bin/activate'}\n  . {lab.ENVIRONMENT}")
    print(f"  export ANSIBLE_COLLECTIONS_PATH={ROOT / '.build/tree'}")
    print(f"  ansible-playbook -i {lab.INVENTORY} winbackup.storage.audit")
    print("Stop it with: make lab-down")


if __name__ == "__main__":
    main()
