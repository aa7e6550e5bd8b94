#!/usr/bin/env python3
"""Starts and stops the lab for people: `lab.py up` says how to reach it, `lab.py down` ends it."""

from __future__ import annotations

import json
import os
import shlex
import sys
from pathlib import Path
from typing import Any

import dpm_lab
import esxi_lab
import guest_lab
import vcenter_lab

ENVIRONMENT = vcenter_lab.OUTPUT / "environment"
INVENTORY = vcenter_lab.OUTPUT / "inventory.yml"
ROOT = Path(__file__).resolve().parent.parent.parent


def variables() -> dict[str, str]:
    """Returns the environment by which the collection reaches the labs that are up."""
    found: dict[str, str] = {}
    if vcenter_lab.STATE.exists():
        found |= vcenter_lab.VcenterLab.of(json.loads(vcenter_lab.STATE.read_text(encoding="utf-8"))).variables()
    dpm = dpm_lab.running()
    return found if dpm is None else found | dpm.variables()


def environment(variables: dict[str, str]) -> str:
    """Returns the text of the file that a shell reads: these variables, and where Ansible and the collection are."""
    path = f'export PATH={shlex.quote(str(ROOT / ".venv" / "bin"))}:"$PATH"\n'
    given = {**variables, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "tree")}
    return path + "".join(f"export {name}={shlex.quote(value)}\n" for name, value in given.items())


def inventory() -> dict[str, Any]:
    """Returns the inventory of the labs that are up."""
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    groups: dict[str, Any] = {"all": {"hosts": {"localhost": local}}}
    dpm = dpm_lab.running()
    if dpm is not None:
        groups["dpm"] = {"hosts": {"dpm01": dpm.inventory()}}
    guest = guest_lab.running()
    if guest is not None:
        groups["windows"] = {"hosts": {guest_lab.NAME: guest}}
    esxi = esxi_lab.running()
    if esxi is not None:
        groups["esxi"] = {"hosts": {"esx-branch": esxi["ssh"]}}
    return groups


def write(path: Path, text: str) -> None:
    """Writes a file that only its owner may read."""
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def up() -> None:
    """Starts the labs and writes how they are reached."""
    vcenter_lab.up(None)
    guest_lab.up()
    dpm_lab.up()
    if not esxi_lab.up():
        print("This machine has no busybox, sshd or unshare: the lab has no ESXi host that is reached over SSH.")
    write(ENVIRONMENT, environment(variables()))
    # JSON is YAML, and needs no library.
    write(INVENTORY, json.dumps(inventory(), indent=2) + "\n")


def down() -> None:
    """Ends the labs."""
    guest_lab.down()
    vcenter_lab.down()
    dpm_lab.down()
    esxi_lab.down()
    ENVIRONMENT.unlink(missing_ok=True)
    INVENTORY.unlink(missing_ok=True)


def main() -> None:
    """The program."""
    if sys.argv[1:] == ["up"]:
        up()
        print("The lab vCenter with a Windows machine, a lab ESXi host and the lab DPM server are up.")
        print("They are models made from documentation.")
        print(f"  . {ENVIRONMENT}")
        print(f"  ansible-playbook -i {INVENTORY} winbackup.storage.audit")
        print("Stop them with: make lab-down")
    elif sys.argv[1:] == ["down"]:
        down()
        print("The lab is down.")
    else:
        sys.exit("usage: lab.py up|down")


if __name__ == "__main__":
    main()
