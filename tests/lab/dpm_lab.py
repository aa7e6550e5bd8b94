#!/usr/bin/env python3
"""The lab's DPM server from Python: started on free ports of the loopback, controlled over HTTP.

As a program: `dpm_lab.py up [--world FILE]`, `status`, `down`. It is a model made from documentation, not a DPM server.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import outliving
from inventories import winrm_variables

ROOT = Path(__file__).resolve().parent.parent.parent
FOLDER = Path(__file__).resolve().parent
OUTPUT = ROOT / ".build" / "lab"
STATE = OUTPUT / "dpm.json"
# Beside people and playbooks time runs as theirs does, and a check does not take minutes.
FOR_PEOPLE = {
    "check_seconds": 2,
    "backup_seconds": 20,
    "auto_grow_after": 5,
    "replica_offline_seconds": 5,
    "lazy_seconds": 0.4,
}


@dataclass
class DpmLab:
    """A running server. `port` is that of https; `do` and `front` are its control."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    ca_path: str
    control_url: str
    # The variables of the host in an inventory, for Ansible's connection ssh, where it was started with that.
    ssh: dict[str, Any] | None = None
    process: subprocess.Popen[str] | None = None

    @classmethod
    def start(cls, world: Path | None = None, *, speed: float = 0.0, ssh: bool = False, **options: Any) -> DpmLab:
        """Starts a server of its own in another process, with an sshd where that is asked for."""
        command = _command(world, speed, options) + (["--ssh"] if ssh else [])
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=FOLDER)
        return cls.of(_said(process), process)

    @classmethod
    def of(cls, said: dict[str, Any], process: subprocess.Popen[str] | None = None) -> DpmLab:
        """Returns the lab that said this of itself at its start."""
        names = ("host", "port", "username", "password", "ca_path", "control_url")
        return cls(**{name: said[name] for name in names}, ssh=said.get("ssh"), process=process)

    def __enter__(self) -> DpmLab:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the server."""
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)

    def do(self, name: str, **arguments: Any) -> Any:
        """Calls the control of the server (dpm/control.py, REMOTE) by name; returns what it answers."""
        return self._post(f"/dpm/{name}", arguments)

    def front(self, name: str, **arguments: Any) -> Any:
        """Calls the control of its WinRM front (dpm/port.py) by name; returns what it answers."""
        return self._post(f"/winrm/{name}", arguments)

    def _post(self, path: str, arguments: dict[str, Any]) -> Any:
        request = urllib.request.Request(self.control_url + path, json.dumps(arguments).encode(), method="POST")
        try:
            with urllib.request.urlopen(request, timeout=90) as answer:
                return json.loads(answer.read())["result"]
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"the lab refused {path}: {json.loads(error.read())['error']}") from error

    def variables(self) -> dict[str, str]:
        """Returns the environment by which the collection reaches it from the controller."""
        return {
            "WINBACKUP_WINDOWS_HOST": self.host,
            "WINBACKUP_WINDOWS_PORT": str(self.port),
            "WINBACKUP_WINDOWS_SCHEME": "https",
            "WINBACKUP_WINDOWS_TRANSPORT": "ntlm",
            "WINBACKUP_WINDOWS_USER": self.username,
            "WINBACKUP_WINDOWS_PASSWORD": self.password,
            "WINBACKUP_WINDOWS_CA_TRUST_PATH": self.ca_path,
        }

    def inventory(self) -> dict[str, Any]:
        """Returns the variables of the host in an inventory, for Ansible's connection winrm."""
        return winrm_variables(self.host, self.port, self.username, self.password, self.ca_path)


def _command(world: Path | None, speed: float, options: dict[str, Any]) -> list[str]:
    command = [sys.executable, "-m", "dpm", "--speed", str(speed), "--options", json.dumps(options)]
    return command if world is None else [*command, "--world", str(world.resolve())]


def _said(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("the lab's DPM server did not start")
    said: dict[str, Any] = json.loads(line)
    return said


def running() -> DpmLab | None:
    """Returns the lab that `up` started; None where none was."""
    return DpmLab.of(json.loads(STATE.read_text(encoding="utf-8"))) if STATE.exists() else None


def up(world: Path | None = None) -> DpmLab:
    """Starts a lab that outlives this program, with a clock that runs."""
    down()
    said = outliving.start(_command(world, 1.0, FOR_PEOPLE), STATE, "the lab's DPM server", folder=FOLDER)
    return DpmLab.of(said)


def down() -> None:
    """Ends the lab that `up` started."""
    outliving.end(STATE)


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["up", "down", "status"])
    parser.add_argument("--world", type=Path, help="YAML file of the world; default: the story")
    given = parser.parse_args()
    if given.what == "up":
        up(given.world)
    if given.what == "down":
        down()
    print("the lab's DPM server is up" if STATE.exists() else "the lab's DPM server is not running")


if __name__ == "__main__":
    main()
