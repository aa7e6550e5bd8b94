"""Scenarios of domain knowledge by their numbers: what fails in the middle, is undone, or told with its commands."""

from __future__ import annotations

import json
import shlex
from typing import Any

import foreign
import pytest
from harness import (
    assert_nothing_lost,
    assert_settled,
    controller,
    machine,
    mapping,
    records,
    run,
)
from vcenter_lab import VcenterLab
from worlds import SAN_PAIR, in_two_steps, one_disk

VM = "backup01"
RUNNING = one_disk(vm={"power": "on"})


def devices(lab: VcenterLab) -> Any:
    """Returns the disks of the VM."""
    return lab.vm(VM)["devices"]


@pytest.mark.parametrize(
    "fault", ["InvalidDiskFormat", "InvalidDeviceBacking", "RDMNotSupported", "LargeRDMNotSupportedOnDatastore"]
)
def test_scenario_16_the_swap_is_refused(vcenter: VcenterLab, fault: str) -> None:
    """Refused for the backing or the LUN: nothing was changed, no second way is tried, the shell is named."""
    vcenter.world(RUNNING)
    before = vcenter.state()
    vcenter.fault(method="ReconfigVM_Task", skip=2, kind="task", fault=fault)
    result = run(vcenter, vm=VM, power="shutdown")
    assert result["failed"]
    assert [disk["state"] for disk in result["disks"]] == ["rolled_back"]
    assert result["rolled_back"]
    assert result["recovery"] == []
    assert fault in result["msg"]
    assert "over SSH" in result["msg"]
    after = vcenter.state()
    assert machine(after, VM)["devices"] == machine(before, VM)["devices"]
    assert machine(after, VM)["power"] == "poweredOn"
    assert after["files"] == before["files"]
    assert records(after, VM) == {}
    assert not [
        entry
        for entry in vcenter.log()
        if entry["summary"].startswith("operation=remove ") and "operation=add" not in entry["summary"]
    ], "two steps were tried"


@pytest.mark.parametrize("fault", ["InvalidDeviceSpec", "InvalidDeviceOperation"])
def test_a_refusal_of_the_place_is_tried_in_two_steps(vcenter: VcenterLab, fault: str) -> None:
    vcenter.world(in_two_steps(RUNNING, fault))
    before = vcenter.state()
    result = run(vcenter, vm=VM, power="shutdown")
    assert not result["failed"], result["msg"]
    assert [disk["state"] for disk in result["disks"]] == ["converted"]
    assert_nothing_lost(before, vcenter.state(), VM)
    summaries = [entry["summary"] for entry in vcenter.log() if "operation=" in entry["summary"]]
    assert [("operation=remove" in text, "operation=add" in text) for text in summaries[:3]] == [
        (True, True),
        (True, False),
        (False, True),
    ]


def test_scenario_17_the_new_mapping_is_refused_after_the_old_was_detached(vcenter: VcenterLab) -> None:
    vcenter.world(in_two_steps(RUNNING))
    before = vcenter.state()
    vcenter.fault(method="ReconfigVM_Task", skip=4, kind="task", fault="InvalidDeviceBacking")
    result = run(vcenter, vm=VM, power="shutdown")
    assert result["failed"]
    assert [disk["state"] for disk in result["disks"]] == ["rolled_back"]
    assert result["rolled_back"]
    assert result["recovery"] == []
    after = vcenter.state()
    assert_nothing_lost(before, after, VM)
    assert machine(after, VM)["devices"] == machine(before, VM)["devices"]
    assert machine(after, VM)["power"] == "poweredOn"
    assert after["files"] == before["files"]
    assert records(after, VM) == {}


def test_scenario_18_the_undo_fails_too(vcenter: VcenterLab) -> None:
    """The exact commands are returned, nothing else is touched, and the record leads the next run."""
    vcenter.world(in_two_steps(RUNNING))
    before = vcenter.state()
    vcenter.fault(method="ReconfigVM_Task", skip=4, count=20, kind="task", fault="InvalidDeviceBacking")
    result = run(vcenter, vm=VM, power="shutdown")
    vcenter.clear_faults()
    assert result["failed"]
    assert [disk["state"] for disk in result["disks"]] == ["failed"]
    assert result["disks"][0]["after"] is None
    assert "could not be put back" in result["msg"]
    assert mapping(vcenter.state(), VM, "scsi0:1") is None
    assert machine(vcenter.state(), VM)["power"] == "poweredOff", "it is not started without its disk"
    commands = result["recovery"]
    assert commands[0].startswith("# In a shell of esx1.lab")
    (attach,) = [command for command in commands if "diskaddexisting" in command]
    assert shlex.split(attach)[2:] == ["$vmid", "/vmfs/volumes/san01/backup01/data.vmdk", "0", "1", "scsi"]
    assert json.loads(records(vcenter.state(), VM)["scsi0:1"])["open"]["old_file"].endswith("/backup01/data.vmdk")
    vcenter.advance(120)
    again = run(vcenter, vm=VM)
    assert not again["failed"], again["msg"]
    assert again["resumed"]
    assert_nothing_lost(before, vcenter.state(), VM)
    assert machine(vcenter.state(), VM)["power"] == "poweredOn"
    assert_settled(vcenter.state(), VM)


def test_scenario_18_after_the_commands_were_run_by_hand(vcenter: VcenterLab) -> None:
    """What a person did by the commands is recognised from the VM, and the next run closes the record."""
    vcenter.world(in_two_steps(one_disk()))
    before = vcenter.state()
    vcenter.fault(method="ReconfigVM_Task", skip=3, count=20, kind="task", fault="InvalidDeviceBacking")
    result = run(vcenter, vm=VM)
    vcenter.clear_faults()
    assert [disk["state"] for disk in result["disks"]] == ["failed"]
    foreign.attach_mapping(vcenter, VM, "[san01] backup01/data.vmdk", unit=1)
    vcenter.advance(120)
    again = run(vcenter, vm=VM, compatibility="physical")
    assert not again["failed"], again["msg"]
    assert_nothing_lost(before, vcenter.state(), VM)
    assert devices(vcenter)[1]["mode"] == "physicalMode"
    assert records(vcenter.state(), VM) == {}


@pytest.mark.parametrize("wanted", ["virtual", "physical"])
@pytest.mark.parametrize("step", ["begun", "shutdown_asked", "removed", "swapped", "no such step"])
def test_scenario_19_the_state_is_recognised_from_facts(vcenter: VcenterLab, step: str, wanted: str) -> None:
    """A killed run left the disk detached; whatever step its record names, the VM itself says where it stands.

    Wanted again, the conversion is finished; not wanted, it is undone.
    """
    vcenter.world(in_two_steps(RUNNING))
    before = vcenter.state()
    vcenter.clear_log()
    hold = vcenter.hold(method="ReconfigVM_Task", skip=4)
    with controller(vcenter, vm=VM, power="shutdown") as first:
        hold.wait(30)
        first.kill()
        hold.release(then="drop")
    assert mapping(vcenter.state(), VM, "scsi0:1") is None, "the run was killed between the two steps"
    record = json.loads(records(vcenter.state(), VM)["scsi0:1"])
    record["open"]["step"] = step
    foreign.write_extra(vcenter, VM, "winbackup.storage.rdm.scsi0:1", json.dumps(record))
    vcenter.advance(120)
    result = run(vcenter, vm=VM, compatibility=wanted)
    assert not result["failed"], result["msg"]
    assert result["resumed"]
    assert result["changed"]
    assert_nothing_lost(before, vcenter.state(), VM)
    assert devices(vcenter)[1]["mode"] == f"{wanted}Mode"
    assert_settled(vcenter.state(), VM)
    if step != "begun":
        assert machine(vcenter.state(), VM)["power"] == "poweredOn"


def test_scenario_19_the_connection_is_lost_for_good(vcenter: VcenterLab) -> None:
    """The task fails with one sentence and with the commands; the next run finishes."""
    vcenter.world(in_two_steps(RUNNING))
    before = vcenter.state()
    vcenter.clear_log()
    hold = vcenter.hold(method="ReconfigVM_Task", skip=4)
    with controller(vcenter, vm=VM, power="shutdown") as first:
        hold.wait(30)
        vcenter.fault(kind="connection_dropped", count=200)
        hold.release(then="drop")
        result = first.result()
    vcenter.clear_faults()
    assert result["failed"]
    assert [disk["state"] for disk in result["disks"]] == ["failed"]
    assert any("diskaddexisting" in command for command in result["recovery"])
    assert any("/vmfs/volumes/san01/backup01/data.vmdk" in command for command in result["recovery"])
    vcenter.advance(120)
    again = run(vcenter, vm=VM)
    assert not again["failed"], again["msg"]
    assert_nothing_lost(before, vcenter.state(), VM)
    assert machine(vcenter.state(), VM)["power"] == "poweredOn"


def test_scenario_31_the_kept_mapping_is_locked_by_another_host(vcenter: VcenterLab) -> None:
    vcenter.world(one_disk())
    assert not run(vcenter, vm=VM)["failed"]
    before = vcenter.state()
    vcenter.change_file("[san01] backup01/data.vmdk", "lock")
    result = run(vcenter, vm=VM, compatibility="physical")
    assert result["failed"]
    assert "FileLocked" in result["msg"]
    assert [disk["state"] for disk in result["disks"]] == ["rolled_back"]
    vcenter.change_file("[san01] backup01/data.vmdk", "unlock")
    assert machine(vcenter.state(), VM)["devices"] == machine(before, VM)["devices"]
    # How often it was written is told in it, too.
    notes = [json.loads(records(state, VM)["scsi0:1"])["notes"] for state in (vcenter.state(), before)]
    assert notes[0] == notes[1]


def test_scenario_37_the_second_disk_fails(vcenter: VcenterLab) -> None:
    """The first stays converted and verified, the second is rolled back, both are reported, and the VM runs."""
    vcenter.world(SAN_PAIR)
    before = vcenter.state()
    vcenter.clear_log()
    hold = vcenter.hold(method="ReconfigVM_Task", skip=4)
    with controller(vcenter, vm=VM, power="shutdown") as first:
        assert "data_2-virtual.vmdk" in hold.wait(30)["summary"]
        hold.release(then="fault", kind="task", fault="InvalidDeviceBacking")
        result = first.result()
    assert result["failed"]
    assert [(disk["address"], disk["state"]) for disk in result["disks"]] == [
        ("scsi0:1", "converted"),
        ("scsi0:2", "rolled_back"),
    ]
    assert result["rolled_back"]
    after = vcenter.state()
    assert_nothing_lost(before, after, VM)
    assert_settled(after, VM)
    assert [device["mode"] for device in machine(after, VM)["devices"]] == [None, "virtualMode", "physicalMode"]
    assert machine(after, VM)["power"] == "poweredOn"
    again = run(vcenter, vm=VM, power="shutdown")
    assert [(disk["address"], disk["state"]) for disk in again["disks"]] == [
        ("scsi0:1", "unchanged"),
        ("scsi0:2", "converted"),
    ]


def test_scenario_37_time_is_up_before_the_second(vcenter: VcenterLab) -> None:
    """No new step forward is begun; the start still runs."""
    vcenter.world(SAN_PAIR)
    before = vcenter.state()
    vcenter.clear_log()
    hold = vcenter.hold(method="ReconfigVM_Task", skip=2)
    with controller(vcenter, vm=VM, power="shutdown", timeout=3) as first:
        hold.wait(30)
        first.pipe.poll(3)
        hold.release(then="proceed")
        result = first.result()
    assert result["failed"]
    assert [disk["state"] for disk in result["disks"]] == ["converted", "not_started"]
    assert "was over before scsi0:2" in result["msg"]
    assert machine(vcenter.state(), VM)["power"] == "poweredOn"
    assert_nothing_lost(before, vcenter.state(), VM)
    assert_settled(vcenter.state(), VM)
