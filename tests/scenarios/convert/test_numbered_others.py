"""Scenarios of domain knowledge by their numbers: others act meanwhile, and what others did before."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import foreign
from harness import (
    assert_nothing_lost,
    assert_nothing_written,
    assert_settled,
    controller,
    controller_at_work,
    converted,
    machine,
    mapping,
    records,
    refused,
    run,
)
from vcenter_lab import VcenterLab
from worlds import SAN_A, SAN_PAIR, in_two_steps, one_disk

VM = "backup01"
OLD = "[san01] backup01/data.vmdk"
RUNNING = one_disk(vm={"power": "on"})
OTHER_VML = "020006000060060160a1b12345000000000000000a565241494420"


def meanwhile(
    lab: VcenterLab, world: str, at: dict[str, Any], act: Callable[[], None], then: str = "proceed", **ask: Any
) -> dict[str, Any]:
    """Makes a call, and acts while the request that `at` names is held; returns the call's result."""
    lab.world(world)
    lab.clear_log()
    hold = lab.hold(**at)
    with controller(lab, **{"vm": VM, "power": "shutdown", **ask}) as first:
        hold.wait(30)
        act()
        hold.release(then=then)
        return first.result()


def swap(number: int = 0) -> dict[str, Any]:
    """Names the reconfigure that swaps a disk of a running VM: after the record and the request to the guest."""
    return {"method": "ReconfigVM_Task", "skip": 2 + number}


def test_scenario_39_moved_between_plan_and_run(vcenter: VcenterLab) -> None:
    """The LUN is looked up anew on the new host, which knows it by another vml id."""
    world = one_disk(lun={"paths": {"esx2.lab": {"uuid": OTHER_VML}}})
    result = meanwhile(vcenter, world, {"method": "ReconfigVM_Task"}, lambda: foreign.move(vcenter))
    assert not result["failed"], result["msg"]
    assert result["vm"]["host"] == "esx2.lab"
    device = mapping(vcenter.state(), VM, "scsi0:1")
    assert device is not None
    assert (device["mode"], device["lun_uuid"]) == ("virtualMode", OTHER_VML)
    assert json.loads(records(vcenter.state(), VM)["scsi0:1"])["notes"][0]["lun"]["vml"] == f"vml.{OTHER_VML}"


def test_scenario_39_the_new_host_is_in_maintenance(vcenter: VcenterLab) -> None:
    def act() -> None:
        foreign.move(vcenter)
        vcenter.change_host("esx2.lab", "maintenance")

    result = meanwhile(vcenter, one_disk(), {"method": "ReconfigVM_Task"}, act)
    assert [blocker["code"] for blocker in result["blockers"]] == ["host_unavailable"]
    assert not result["changed"]
    assert records(vcenter.state(), VM) == {}


def test_scenario_41_started_before_the_swap(vcenter: VcenterLab) -> None:
    """Nothing is done to the disk, the VM is not stopped again, and no record stays."""
    vcenter.world(RUNNING)
    files = {file["path"] for file in vcenter.state()["files"]}
    result = meanwhile(vcenter, RUNNING, swap(), lambda: foreign.start(vcenter))
    assert result["failed"]
    assert "Somebody started or resumed backup01; scsi0:1 was left as it is." in result["msg"]
    assert [disk["state"] for disk in result["disks"]] == ["not_started"]
    assert result["recovery"] == []
    after = vcenter.state()
    assert machine(after, VM)["power"] == "poweredOn"
    assert machine(after, VM)["devices"][1]["mode"] == "physicalMode"
    assert {file["path"] for file in after["files"]} == files
    assert records(after, VM) == {}


def test_scenario_41_started_between_two_steps(vcenter: VcenterLab) -> None:
    """The disk is detached and the VM runs without it: no device is added, the commands are given, the record stays."""
    result = meanwhile(vcenter, in_two_steps(RUNNING), swap(2), lambda: foreign.start(vcenter))
    assert result["failed"]
    assert "Somebody started or resumed backup01" in result["msg"]
    assert [disk["state"] for disk in result["disks"]] == ["failed"]
    assert any("diskaddexisting" in command for command in result["recovery"])
    assert mapping(vcenter.state(), VM, "scsi0:1") is None
    assert machine(vcenter.state(), VM)["power"] == "poweredOn"
    assert '"open":null' not in records(vcenter.state(), VM)["scsi0:1"]
    vcenter.advance(120)
    blocked = run(vcenter, vm=VM)
    assert [blocker["code"] for blocker in blocked["blockers"]] == ["vm_powered_on"]
    assert [disk["state"] for disk in blocked["disks"]] == ["failed"]
    assert blocked["recovery"] == result["recovery"]
    again = run(vcenter, vm=VM, power="shutdown")
    assert not again["failed"], again["msg"]
    assert machine(vcenter.state(), VM)["devices"][1]["mode"] == "virtualMode"
    assert machine(vcenter.state(), VM)["power"] == "poweredOn"
    assert_settled(vcenter.state(), VM)


def test_scenario_41_started_after_the_first_of_two_disks(vcenter: VcenterLab) -> None:
    """What verifies is converted and stays so; the other is left as it was."""
    result = meanwhile(vcenter, SAN_PAIR, swap(2), lambda: foreign.start(vcenter))
    assert [disk["state"] for disk in result["disks"]] == ["converted", "not_started"]
    assert result["failed"]
    modes = [device["mode"] for device in machine(vcenter.state(), VM)["devices"]]
    assert modes == [None, "virtualMode", "physicalMode"]
    assert machine(vcenter.state(), VM)["power"] == "poweredOn"
    assert_settled(vcenter.state(), VM)


def test_scenario_42_a_snapshot_before_the_swap(vcenter: VcenterLab) -> None:
    """The blockers are read anew on the very facts that the swap is bound to."""
    result = meanwhile(vcenter, RUNNING, swap(), lambda: foreign.snapshot(vcenter))
    assert result["failed"]
    assert [blocker["code"] for blocker in result["blockers"]] == ["has_snapshots"]
    assert [disk["state"] for disk in result["disks"]] == ["blocked"]
    after = vcenter.state()
    assert machine(after, VM)["devices"][1]["mode"] == "physicalMode"
    assert machine(after, VM)["snapshots"] == ["nightly"]
    assert machine(after, VM)["power"] == "poweredOn"
    assert records(after, VM) == {}


def test_scenario_42_a_snapshot_while_the_guest_shuts_down(vcenter: VcenterLab) -> None:
    """What the plan was made on has changed while the VM was on: nothing goes on; the guest may still go down."""
    world = one_disk(vm={"power": "on", "shutdown_seconds": 90})
    at = {"method": "ShutdownGuest"}
    result = meanwhile(vcenter, world, at, lambda: foreign.snapshot(vcenter), shutdown_timeout=20)
    assert result["failed"]
    assert "was changed (host, disks or snapshots)" in result["msg"]
    assert [disk["state"] for disk in result["disks"]] == ["not_started"]
    vcenter.advance(120)
    foreign.remove_snapshots(vcenter)
    again = run(vcenter, vm=VM)
    assert not again["failed"], again["msg"]
    assert machine(vcenter.state(), VM)["power"] == "poweredOn"
    assert machine(vcenter.state(), VM)["devices"][1]["mode"] == "virtualMode"


def test_scenario_43_moved_before_the_swap(vcenter: VcenterLab) -> None:
    world = one_disk(vm={"power": "on"}, lun={"paths": {"esx2.lab": {"uuid": OTHER_VML}}})
    result = meanwhile(vcenter, world, swap(), lambda: foreign.move(vcenter))
    assert not result["failed"], result["msg"]
    state = vcenter.state()
    assert machine(state, VM)["host"] == "esx2.lab"
    assert machine(state, VM)["power"] == "poweredOn"
    device = mapping(state, VM, "scsi0:1")
    assert device is not None
    assert (device["mode"], device["lun_uuid"]) == ("virtualMode", OTHER_VML)


def test_scenario_43_moved_before_the_start_and_the_lun_is_not_there(vcenter: VcenterLab) -> None:
    """It is verified again on the host where it would start: what does not verify there is not started with."""

    def act() -> None:
        foreign.move(vcenter)
        vcenter.change_lun(SAN_A, "mask", "esx2.lab")

    result = meanwhile(vcenter, RUNNING, {"method": "PowerOnVM_Task"}, act, then="drop")
    assert result["failed"]
    assert "not as wanted before the start" in result["msg"]
    assert [disk["state"] for disk in result["disks"]] == ["failed"]
    # The old mapping is attached again, so there is no command to give; what is wrong is the LUN.
    assert result["disks"][0]["after"]["file"] == OLD
    assert "name 0 LUNs of the host" in result["msg"]
    assert machine(vcenter.state(), VM)["power"] == "poweredOff"
    vcenter.change_lun(SAN_A, "unmask", "esx2.lab")
    vcenter.advance(120)
    again = run(vcenter, vm=VM)
    assert not again["failed"], again["msg"]
    assert machine(vcenter.state(), VM)["devices"][1]["mode"] == "virtualMode"
    assert machine(vcenter.state(), VM)["power"] == "poweredOn"
    assert_settled(vcenter.state(), VM)


def test_scenario_44_another_client_reconfigures(vcenter: VcenterLab) -> None:
    """Its change stays, ours is sent again on fresh facts."""
    result = meanwhile(vcenter, RUNNING, swap(), lambda: foreign.reconfigure(vcenter))
    assert not result["failed"], result["msg"]
    assert machine(vcenter.state(), VM)["annotation"] == "changed by another"
    assert "task:ConcurrentAccess" in [entry["outcome"] for entry in vcenter.log()]


def test_scenario_44_a_second_controller_meets_a_living_run(vcenter: VcenterLab) -> None:
    """Its lease is renewed while the second waits: the second refuses, and touches nothing."""
    vcenter.world(RUNNING)
    before = vcenter.state()
    hold = vcenter.hold(method="ShutdownGuest")
    start = vcenter.hold(method="PowerOnVM_Task")
    with controller(vcenter, vm=VM, power="shutdown") as first:
        hold.wait(30)
        reported = run(vcenter, check=True, vm=VM, power="shutdown")
        assert [blocker["code"] for blocker in reported["blockers"]] == ["run_in_progress"]
        assert "its lease ends in" in reported["msg"]
        with controller_at_work(vcenter, vm=VM, power="shutdown") as second:
            hold.release(then="proceed")
            start.wait(30)
            other = second.result()
        assert [blocker["code"] for blocker in other["blockers"]] == ["run_in_progress"]
        assert not other["changed"]
        assert {disk["state"] for disk in other["disks"]} == {"blocked"}
        start.release(then="proceed")
        result = first.result()
    assert not result["failed"], result["msg"]
    assert_nothing_lost(before, vcenter.state(), VM)
    assert machine(vcenter.state(), VM)["power"] == "poweredOn"


def test_scenario_44_a_run_that_was_away_too_long_is_taken_over(vcenter: VcenterLab) -> None:
    """The second finishes what the first began; the first finds its record another's, and touches nothing more."""
    vcenter.world(in_two_steps(RUNNING))
    before = vcenter.state()
    vcenter.clear_log()
    hold = vcenter.hold(**swap(2))
    with controller(vcenter, vm=VM, power="shutdown") as first:
        hold.wait(30)
        vcenter.advance(120)
        second = run(vcenter, vm=VM, power="shutdown")
        assert not second["failed"], second["msg"]
        assert second["resumed"]
        finished = vcenter.state()
        vcenter.clear_log()
        hold.release(then="proceed")
        late = first.result()
    assert late["failed"]
    assert "taken over" in late["msg"]
    assert [disk["state"] for disk in late["disks"]] == ["taken_over"]
    assert_nothing_written(vcenter, finished)
    assert_nothing_lost(before, finished, VM)
    assert machine(finished, VM)["power"] == "poweredOn"


def test_scenario_45_a_question_at_power_on(vcenter: VcenterLab) -> None:
    """It is told with its choices and never answered; the disks stay converted, the record open for the power alone."""
    vcenter.world(one_disk(vm={"power": "on", "question": "Did you move or copy this virtual machine?"}))
    before = vcenter.state()
    result = run(vcenter, vm=VM, power="shutdown")
    assert result["failed"]
    assert "Did you move or copy this virtual machine?" in result["msg"]
    assert "choices: Cancel, I moved it" in result["msg"]
    assert [disk["state"] for disk in result["disks"]] == ["converted"]
    assert result["recovery"] == []
    assert vcenter.vm(VM)["question"]
    assert not [entry for entry in vcenter.log() if entry["method"] == "AnswerVM"]
    assert '"open":null' not in records(vcenter.state(), VM)["scsi0:1"]
    vcenter.advance(120)
    devices = machine(vcenter.state(), VM)["devices"]
    unanswered = run(vcenter, vm=VM)
    assert unanswered["failed"]
    assert "waits for an answer to a question: Did you move or copy this virtual machine?" in unanswered["msg"]
    assert machine(vcenter.state(), VM)["devices"] == devices
    foreign.answer(vcenter, VM, "1")
    assert vcenter.vm(VM)["power"] == "poweredOn"
    vcenter.advance(120)
    again = run(vcenter, vm=VM)
    assert not again["failed"], again["msg"]
    assert_nothing_lost(before, vcenter.state(), VM)
    assert_settled(vcenter.state(), VM)


def assert_not_deleted(lab: VcenterLab, code: str, **ask: Any) -> dict[str, Any]:
    """Asks for the kept mapping to be deleted, and sees that it was refused for this reason; returns the blocker."""
    lab.advance(120)
    before = lab.state()
    lab.clear_log()
    result = run(lab, vm=VM, old_mapping="delete", **ask)
    assert result["failed"]
    assert [blocker["code"] for blocker in result["blockers"]] == [code]
    assert not result["changed"]
    assert_nothing_written(lab, before)
    blocker: dict[str, Any] = result["blockers"][0]
    assert result["msg"] == f"An old mapping stays: {blocker['message']} {blocker['hint']} The disks are as wanted."
    assert blocker["object"] == OLD
    assert blocker["hint"]
    return blocker


def test_scenario_48_a_normal_disk_stands_where_the_old_mapping_was(vcenter: VcenterLab) -> None:
    converted(vcenter, one_disk())
    vcenter.change_file(OLD, "delete")
    vcenter.change_file(OLD, "put", kind="flat", size=1 << 30)
    assert "no raw device mapping any more" in assert_not_deleted(vcenter, "old_mapping_changed")["message"]


def test_scenario_48_another_mapping_stands_where_the_old_was(vcenter: VcenterLab) -> None:
    """Of the same LUN, mode and size: its uuid is not the one that was noted."""
    converted(vcenter, one_disk())
    vcenter.change_file(OLD, "delete")
    vcenter.change_file(OLD, "put", kind="rdm", rdm=SAN_A, mode="physical")
    assert "disk uuid" in assert_not_deleted(vcenter, "old_mapping_changed")["message"]


def test_scenario_48_the_kept_mapping_is_attached_elsewhere(vcenter: VcenterLab) -> None:
    """To a VM that is off, whose disk the lab would let go."""
    world = json.loads(one_disk())
    world["vms"].append({"name": "borrower", "host": "esx2.lab", "disks": [{"flat": 1 << 30}]})
    converted(vcenter, json.dumps(world))
    foreign.attach_mapping(vcenter, "borrower", OLD, unit=1)
    assert "borrower" in assert_not_deleted(vcenter, "old_mapping_in_use")["message"]


def test_scenario_48_the_folder_cannot_be_read(vcenter: VcenterLab) -> None:
    """What cannot be read is not deleted, and the shell is named."""
    users = {"operator": {"password": "pw", "missing": ["Datastore.Browse"]}}
    converted(vcenter, one_disk(users=users))
    blocker = assert_not_deleted(vcenter, "old_mapping_unreadable", username="operator", password="pw")
    assert "vmkfstools -q" in blocker["hint"]


def test_scenario_48_the_kept_mapping_is_gone(vcenter: VcenterLab) -> None:
    """Then there is nothing to delete, and the note goes."""
    converted(vcenter, one_disk())
    vcenter.change_file(OLD, "delete")
    result = run(vcenter, vm=VM, old_mapping="delete")
    assert not result["failed"], result["msg"]
    assert records(vcenter.state(), VM) == {}


def test_scenario_49_a_stand_alone_host_and_a_lun_that_is_not_local(vcenter: VcenterLab) -> None:
    world = one_disk(
        api="esxi",
        hosts=[{"name": "esx1.lab"}],
        vms=[{"name": VM, "disks": [{"flat": 1 << 30}, {"rdm": SAN_A, "file": OLD}]}],
    )
    (blocker,) = refused(vcenter, world, "other_hosts_unknown")
    assert blocker["overridable"]
    assert "vCenter" in blocker["hint"]
    result = run(vcenter, vm=VM, override=["other_hosts_unknown"])
    assert not result["failed"], result["msg"]
    assert vcenter.vm(VM)["devices"][1]["mode"] == "virtualMode"
