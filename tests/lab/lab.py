#!/usr/bin/env python3
"""Starts and stops the lab for people: `lab.py up` says how to reach it, `lab.py down` ends it."""

from __future__ import annotations

import json
import shlex
import sys

import vcenter_lab

ENVIRONMENT = vcenter_lab.OUTPUT / "environment"


def variables() -> dict[str, str]:
    """Returns the environment by which the collection reaches the lab that is up."""
    said = json.loads(vcenter_lab.STATE.read_text(encoding="utf-8"))
    return {
        "VMWARE_HOST": said["host"],
        "VMWARE_PORT": str(said["port"]),
        "VMWARE_USER": said["username"],
        "VMWARE_PASSWORD": said["password"],
        "VMWARE_CA_PATH": said["ca_path"],
    }


def main() -> None:
    """The program."""
    if sys.argv[1:] == ["up"]:
        vcenter_lab.up(None)
        lines = [f"export {name}={shlex.quote(value)}" for name, value in variables().items()]
        ENVIRONMENT.write_text("\n".join(lines) + "\n", encoding="utf-8")
        ENVIRONMENT.chmod(0o600)
        print("The lab vCenter is up. It is a model made from documentation, not a vCenter.")
        print(f"  . {ENVIRONMENT}")
        print("  ansible-playbook winbackup.storage.audit")
        print("Stop it with: make lab-down")
    elif sys.argv[1:] == ["down"]:
        vcenter_lab.down()
        ENVIRONMENT.unlink(missing_ok=True)
        print("The lab is down.")
    else:
        sys.exit("usage: lab.py up|down")


if __name__ == "__main__":
    main()
