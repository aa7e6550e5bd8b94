"""Scenarios of domain knowledge by their numbers: what the power of the VM has to do with it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness import (
    assert_nothing_lost,
    assert_settled,
    controller,
    machine,
    records,
    run,
)
from vcenter_lab import VcenterLab
from worlds import SAN_B, one_disk

VM = "backup01"
RUNNING = one_disk(vm={"power": "on"})


def devices(lab: VcenterLab) -> Any:
    """Returns the disks of the VM."""
    return lab.vm(VM)["devices"]


def test_scenario_11_the_guest_does_not_shut_down(vcenter: VcenterLab) -> None:
    """No disk is touched; the guest may still go down, so the record stays, and the next run starts the VM again."""
    vcenter.world(one_disk(vm={"power": "on", "shutdown_seconds": 90}))
    before = vcenter.state()
    result = run(vcenter, vm=VM, power="shutdown", shutdown_timeout=1)
    assert result["failed"]
    assert "has not shut down within 1 s" in result["msg"]
    assert "shutdown_timeout" in result["msg"]
    assert [disk["state"] for disk in result["disks"]] == ["not_started"]
    assert result["recovery"] == []
    assert devices(vcenter) == before["vms"][0]["devices"]
    assert json.loads(records(vcenter.state(), VM)["scsi0:1"])["open"]["step"] == "shutdown_asked"
    vcenter.advance(120)
    assert vcenter.vm(VM)["power"] == "poweredOff", "the guest went down later"
    again = run(vcenter, vm=VM)
    assert not again["failed"], again["msg"]
    assert again["resumed"]
    assert again["power"] == {"before": "powered_off", "after": "powered_on"}
    assert_nothing_lost(before, vcenter.state(), VM)
    assert_settled(vcenter.state(), VM)
    assert devices(vcenter)[1]["mode"] == "virtualMode"


def test_scenario_11_a_run_that_may_not_stop_it_leaves_the_record(vcenter: VcenterLab) -> None:
    """The guest is still on; were the record given up now, nobody would start it once it has gone down."""
    vcenter.world(one_disk(vm={"power": "on", "shutdown_seconds": 300}))
    before = vcenter.state()
    run(vcenter, vm=VM, power="shutdown", shutdown_timeout=1)
    vcenter.advance(120)
    kept = records(vcenter.state(), VM)
    second = run(vcenter, vm=VM)
    assert [blocker["code"] for blocker in second["blockers"]] == ["vm_powered_on"]
    assert [disk["state"] for disk in second["disks"]] == ["blocked"]
    assert not second["changed"]
    assert records(vcenter.state(), VM) == kept
    vcenter.advance(300)
    third = run(vcenter, vm=VM)
    assert not third["failed"], third["msg"]
    assert third["power"] == {"before": "powered_off", "after": "powered_on"}
    assert_nothing_lost(before, vcenter.state(), VM)
    assert_settled(vcenter.state(), VM)


def test_scenario_11_the_next_run_is_not_asked_to_convert(vcenter: VcenterLab) -> None:
    """A guest that went down too late is started again also by a run that wants nothing of its disks."""
    vcenter.world(one_disk(vm={"power": "on", "shutdown_seconds": 90}))
    before = vcenter.state()
    run(vcenter, vm=VM, power="shutdown", shutdown_timeout=1)
    vcenter.advance(120)
    again = run(vcenter, vm=VM, compatibility="physical")
    assert not again["failed"], again["msg"]
    assert machine(vcenter.state(), VM)["power"] == "poweredOn"
    assert devices(vcenter) == before["vms"][0]["devices"]
    assert records(vcenter.state(), VM) == {}


def test_scenario_11_tools_are_not_running(vcenter: VcenterLab) -> None:
    vcenter.world(one_disk(vm={"power": "on", "tools": "none"}))
    before = vcenter.state()
    result = run(vcenter, vm=VM, power="shutdown")
    assert result["failed"]
    assert "cannot be asked to shut down" in result["msg"]
    assert "power: power_off" in result["msg"]
    assert [disk["state"] for disk in result["disks"]] == ["blocked"]
    after = vcenter.state()
    assert machine(after, VM)["devices"] == machine(before, VM)["devices"]
    assert machine(after, VM)["power"] == "poweredOn"
    assert records(after, VM) == {}


@pytest.mark.parametrize("tools", ["none", "deaf"])
def test_scenario_11_the_second_opt_in_switches_it_off(vcenter: VcenterLab, tools: str) -> None:
    vcenter.world(one_disk(vm={"power": "on", "tools": tools}))
    before = vcenter.state()
    result = run(vcenter, vm=VM, power="power_off", shutdown_timeout=1)
    assert not result["failed"], result["msg"]
    assert result["power"] == {"before": "powered_on", "after": "powered_on"}
    assert_nothing_lost(before, vcenter.state(), VM)
    assert [entry["method"] for entry in vcenter.log() if entry["method"] == "PowerOffVM_Task"]


def test_scenario_11_a_failure_on_the_way_to_the_guest(vcenter: VcenterLab) -> None:
    """An answer that does not say whether the guest was told counts as told: it is waited for."""
    vcenter.world(one_disk(vm={"power": "on", "shutdown_seconds": 1}))
    before = vcenter.state()
    vcenter.fault(method="ShutdownGuest", kind="done_but_failed", fault="SystemError")
    result = run(vcenter, vm=VM, power="shutdown", shutdown_timeout=20)
    assert not result["failed"], result["msg"]
    assert result["power"] == {"before": "powered_on", "after": "powered_on"}
    assert_nothing_lost(before, vcenter.state(), VM)


def test_restore_power_false_leaves_it_off(vcenter: VcenterLab) -> None:
    vcenter.world(RUNNING)
    result = run(vcenter, vm=VM, power="shutdown", restore_power=False)
    assert not result["failed"], result["msg"]
    assert result["power"] == {"before": "powered_on", "after": "powered_off"}
    assert "power_on" not in [step["step"] for step in result["plan"]]


def test_scenario_31_the_new_mapping_cannot_be_started_with(vcenter: VcenterLab) -> None:
    """The fault names the converted disk: it is undone, and the VM is started with the old mapping."""
    vcenter.world(RUNNING)
    before = vcenter.state()
    hold = vcenter.hold(method="PowerOnVM_Task")
    with controller(vcenter, vm=VM, power="shutdown") as first:
        hold.wait(30)
        vcenter.change_file("[san01] backup01/data-virtual.vmdk", "lock")
        hold.release(then="proceed")
        result = first.result()
    assert result["failed"]
    assert "could not be started" in result["msg"]
    assert "FileLocked" in result["msg"]
    assert [disk["state"] for disk in result["disks"]] == ["rolled_back"]
    after = vcenter.state()
    assert machine(after, VM)["devices"] == machine(before, VM)["devices"]
    assert machine(after, VM)["power"] == "poweredOn"
    # Its new file could not be removed while it was locked, so its record stays, and the next run goes on with it.
    assert "could not be deleted" in " ".join(result["warnings"])
    assert list(records(after, VM)) == ["scsi0:1"]
    vcenter.change_file("[san01] backup01/data-virtual.vmdk", "unlock")
    vcenter.advance(120)
    again = run(vcenter, vm=VM, power="shutdown")
    assert [disk["state"] for disk in again["disks"]] == ["converted"]
    assert_settled(vcenter.state(), VM)


def test_a_start_that_names_another_disk_leaves_the_converted_one(vcenter: VcenterLab) -> None:
    """The fault is about Hard disk 21, and the converted disk is Hard disk 2."""
    other = {"at": "scsi0:2", "rdm": SAN_B, "mode": "virtual", "disk_mode": "persistent", "label": "Hard disk 21"}
    world = json.loads(RUNNING)
    world["vms"][0]["disks"].append(other)
    vcenter.world(json.dumps(world))
    hold = vcenter.hold(method="PowerOnVM_Task")
    with controller(vcenter, vm=VM, power="shutdown") as first:
        hold.wait(30)
        vcenter.change_lun(SAN_B, "gone")
        hold.release(then="proceed")
        result = first.result()
    assert result["failed"]
    assert "Hard disk 21" in result["msg"]
    assert [(disk["address"], disk["state"]) for disk in result["disks"]] == [
        ("scsi0:1", "converted"),
        ("scsi0:2", "unchanged"),
    ]
    assert devices(vcenter)[1]["mode"] == "virtualMode"
    vcenter.change_lun(SAN_B, "back")
    vcenter.advance(120)
    again = run(vcenter, vm=VM)
    assert not again["failed"], again["msg"]
    assert vcenter.vm(VM)["power"] == "poweredOn"


def test_a_start_that_is_refused_for_another_reason_leaves_the_disks_converted(vcenter: VcenterLab) -> None:
    vcenter.world(one_disk(vm={"power": "on", "power_on_fault": "InsufficientMemoryResourcesFault"}))
    before = vcenter.state()
    result = run(vcenter, vm=VM, power="shutdown")
    assert result["failed"]
    assert "InsufficientMemoryResourcesFault" in result["msg"]
    assert [disk["state"] for disk in result["disks"]] == ["converted"]
    assert result["power"]["after"] == "powered_off"
    assert '"open":null' not in records(vcenter.state(), VM)["scsi0:1"]
    vcenter.change_vm(VM, "power_on_fault:")
    vcenter.advance(120)
    again = run(vcenter, vm=VM)
    assert not again["failed"], again["msg"]
    assert again["power"]["after"] == "powered_on"
    assert_nothing_lost(before, vcenter.state(), VM)
    assert_settled(vcenter.state(), VM)
