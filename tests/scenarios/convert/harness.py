"""What the scenarios of a conversion share: one call of the module's own code, here or in a process to be killed."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

from vcenter_lab import VcenterLab

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import (
    ArgumentSpec,
    ModuleCall,
    ModuleResult,
    result_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import Pace
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.changing_commands import (
    RDM_COMPATIBILITY,
    rdm_compatibility,
)

RECORD = "winbackup.storage.rdm."
_FORK = multiprocessing.get_context("fork")


def options_for(lab: VcenterLab, module: ArgumentSpec = RDM_COMPATIBILITY, **given: Any) -> dict[str, Any]:
    """Returns a module's options with their defaults, as Ansible would fill them."""
    connection = {
        "hostname": lab.host,
        "port": lab.port,
        "username": lab.username,
        "password": lab.password,
        "ca_path": lab.ca_path,
        "connection_timeout": 10,
    }
    defaults = {name: spec.get("default") for name, spec in module.options.items()}
    return {**defaults, **connection, **given}


def _work(call: ModuleCall) -> ModuleResult:
    """What the module does, with short waits: the lab is on this machine."""
    return rdm_compatibility(call, pace=Pace(0.02))


def run(lab: VcenterLab, *, check: bool = False, **given: Any) -> dict[str, Any]:
    """Calls the module's code once; returns what a playbook sees, with `failed` and `msg`."""
    failure, result = result_of(_work, ModuleCall(options_for(lab, **given), check_mode=check, diff_mode=True))
    return {**result, "failed": failure is not None, "msg": failure}


@dataclass
class Controller:
    """A run in a process of its own, which can be killed at any moment."""

    process: Any
    pipe: Connection
    _result: dict[str, Any] | None = field(default=None)

    def kill(self) -> None:
        """SIGKILL: nothing in the process gets to clean up."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.join(10)

    def result(self, timeout: float = 60) -> dict[str, Any]:
        """Waits for the run's end and returns what a playbook would see."""
        if self._result is None:
            assert self.pipe.poll(timeout), "the run did not end"
            self._result = self.pipe.recv()
            self.process.join(10)
        return self._result


def _child(pipe: Connection, options: dict[str, Any]) -> None:
    failure, result = result_of(_work, ModuleCall(options, diff_mode=True))
    pipe.send({**result, "failed": failure is not None, "msg": failure})


@contextmanager
def started(child: Callable[..., None], *arguments: Any) -> Iterator[Controller]:
    """Starts a run, which sends its result, in another process; it is killed at the latest at the end of the block."""
    ours, theirs = _FORK.Pipe(duplex=False)
    process = _FORK.Process(target=child, args=(theirs, *arguments), daemon=True)
    process.start()
    theirs.close()
    try:
        yield Controller(process, ours)
    finally:
        if process.is_alive():
            process.kill()
        process.join(10)
        ours.close()


def controller(lab: VcenterLab, **given: Any) -> AbstractContextManager[Controller]:
    """A run in another process."""
    return started(_child, options_for(lab, **given))


@contextmanager
def controller_at_work(lab: VcenterLab, **given: Any) -> Iterator[Controller]:
    """Starts a run in another process, and waits until it has ended, or has read all there is and met a held one."""
    since = len(lab.log())
    with controller(lab, **given) as started:
        for _attempt in range(1000):
            if started.pipe.poll(0.02) or len(lab.log()) > since + 20:
                break
        else:
            raise AssertionError("the run neither ended nor went on")
        yield started


def machine(state: dict[str, Any], name: str) -> dict[str, Any]:
    """Returns one VM of the lab's state."""
    return next(vm for vm in state["vms"] if vm["name"] == name)


def mapping(state: dict[str, Any], name: str, address: str) -> dict[str, Any] | None:
    """Returns the device at an address of a VM, or None."""
    return next((device for device in machine(state, name)["devices"] if device["address"] == address), None)


def records(state: dict[str, Any], name: str) -> dict[str, str]:
    """Returns the records that the lab keeps for a VM, by address."""
    extra = machine(state, name)["extra_config"]
    return {key.removeprefix(RECORD): value for key, value in extra.items() if key.startswith(RECORD) and value}


def assert_nothing_lost(before: dict[str, Any], after: dict[str, Any], name: str) -> None:
    """Each disk of the VM maps the LUN that it mapped, at its address, in one mode or the other; no other VM changed.

    Also: no LUN is mapped by more devices than it was, and every device's mapping file is there.
    """
    old, new = machine(before, name), machine(after, name)
    old_disks = {device["address"]: device for device in old["devices"]}
    new_disks = {device["address"]: device for device in new["devices"]}
    assert set(new_disks) == set(old_disks), f"disks at {sorted(new_disks)}, were at {sorted(old_disks)}"
    for address, disk in old_disks.items():
        now = new_disks[address]
        assert now["kind"] == disk["kind"]
        assert now["lun_canonical"] == disk["lun_canonical"], f"{address} maps another LUN"
        assert now["capacity_bytes"] == disk["capacity_bytes"]
        if disk["kind"] == "rdm":
            assert now["mode"] in ("physicalMode", "virtualMode")
        else:
            assert now["file"] == disk["file"]
    others = [vm for vm in before["vms"] if vm["name"] != name]
    for vm in others:
        assert machine(after, vm["name"])["devices"] == vm["devices"], f"{vm['name']} was changed"
    files = {file["path"] for file in after["files"]}
    for device in new["devices"]:
        assert device["file"] in files, f"{device['file']} is gone"


def assert_settled(state: dict[str, Any], name: str) -> None:
    """No conversion is open any more: records are notes only."""
    for address, text in records(state, name).items():
        assert '"open":null' in text, f"{address} still has an open record: {text}"


def without_sessions(state: dict[str, Any]) -> dict[str, Any]:
    """Returns the state as far as a conversion may change it."""
    return {name: part for name, part in state.items() if name != "sessions"}


def assert_nothing_written(lab: VcenterLab, before: dict[str, Any]) -> None:
    """The lab took no write since its log was cleared, and is what it was."""
    assert [entry["method"] for entry in lab.log() if entry["writes"] and entry["outcome"] == "ok"] == []
    assert without_sessions(lab.state()) == without_sessions(before)


def refused(lab: VcenterLab, world: str, *codes: str, **ask: Any) -> list[dict[str, Any]]:
    """Makes a call in a world that forbids it, in check mode and for good; returns its blockers.

    The blockers are those with these codes, in this order, each whole; the message of the task tells all of them, and
    nothing was written.
    """
    lab.world(world)
    before = lab.state()
    lab.clear_log()
    ask = {"vm": "backup01", **ask}
    planned = run(lab, check=True, **ask)
    result = run(lab, **ask)
    assert [blocker["code"] for blocker in result["blockers"]] == list(codes), result["msg"]
    for blocker in result["blockers"]:
        assert set(blocker) == {"code", "severity", "message", "hint", "object", "overridable"}
        assert all(blocker[part] for part in ("severity", "message", "hint", "object"))
        assert blocker["message"] in result["msg"]
        assert blocker["hint"] in result["msg"]
    assert (planned["blockers"], planned["msg"]) == (result["blockers"], result["msg"])
    assert result["failed"]
    assert not result["changed"]
    assert not result["plan"]
    assert {disk["state"] for disk in result["disks"]} == {"blocked"}
    assert all(disk["before"] == disk["after"] for disk in result["disks"])
    assert_nothing_written(lab, before)
    return result["blockers"]


def converted(lab: VcenterLab, world: str, **ask: Any) -> dict[str, Any]:
    """Makes a call that converts every disk it selects, and sees that a second one changes nothing; returns its result.

    The VM's disks map what they mapped, at their addresses, and are as the result says.
    """
    lab.world(world)
    before = lab.state()
    lab.clear_log()
    ask = {"vm": "backup01", **ask}
    result = run(lab, **ask)
    assert not result["failed"], result["msg"]
    assert result["changed"]
    assert {disk["state"] for disk in result["disks"]} == {"converted"}
    name = result["vm"]["name"]
    after = lab.state()
    assert_nothing_lost(before, after, name)
    assert_settled(after, name)
    for disk in result["disks"]:
        device = mapping(after, name, disk["address"])
        assert device is not None
        assert device["file"] == disk["after"]["file"]
        assert device["mode"] == f"{disk['after']['compatibility']}Mode"
        assert device["disk_mode"] == disk["after"]["disk_mode"]
        assert disk["lun"]["canonical_name"] == device["lun_canonical"]
    assert machine(after, name)["power"] == machine(before, name)["power"]
    again = run(lab, **ask)
    assert not again["failed"], again["msg"]
    assert not again["changed"]
    assert {disk["state"] for disk in again["disks"]} == {"unchanged"}
    assert without_sessions(lab.state()) == without_sessions(after)
    return result
