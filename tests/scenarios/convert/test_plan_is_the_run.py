"""Check mode prints what the run does; nothing is written without its entry; what was not touched is not failed."""

from __future__ import annotations

from typing import Any

import pytest
from harness import (
    assert_nothing_lost,
    assert_nothing_written,
    assert_settled,
    controller,
    machine,
    mapping,
    records,
    run,
)
from vcenter_lab import VcenterLab
from worlds import SAN_A, SAN_PAIR, VIRTUAL_PAIR, in_two_steps, one_disk

VM = "backup01"
OLD = "[san01] backup01/data.vmdk"
ON = {"power": "on"}
# A restart of the management service, as long as it may take; the lab's seconds are fiftieths here.
RESTARTING = 12


def test_the_disk_mode_of_a_mapping_whose_lun_the_host_does_not_show_is_not_edited(vcenter: VcenterLab) -> None:
    """Without the LUN there is nothing to write down, so nothing may be changed: the guest goes on running."""
    vcenter.world(one_disk(vm=ON, disk={"mode": "virtual", "disk_mode": "persistent"}))
    vcenter.change_lun(SAN_A, "mask", host="esx1.lab")
    before = vcenter.state()
    vcenter.clear_log()
    ask: dict[str, Any] = {"vm": VM, "power": "shutdown", "disk_mode": "independent_persistent"}
    planned, result = run(vcenter, check=True, **ask), run(vcenter, **ask)
    for answer in (planned, result):
        assert answer["failed"]
        assert [blocker["code"] for blocker in answer["blockers"]] == ["lun_missing"]
        assert [disk["state"] for disk in answer["disks"]] == ["blocked"]
        assert answer["plan"] == []
    assert vcenter.vm(VM)["power"] == "poweredOn"
    assert_nothing_written(vcenter, before)


def left_half_way(lab: VcenterLab) -> dict[str, Any]:
    """Kills a run between the two steps of its first disk; returns the state before it."""
    lab.world(in_two_steps(SAN_PAIR))
    before = lab.state()
    lab.clear_log()
    hold = lab.hold(method="ReconfigVM_Task", skip=4)
    with controller(lab, vm=VM, disks=["scsi0:1"], power="shutdown") as killed:
        hold.wait(30)
        killed.kill()
        hold.release(then="drop")
    lab.advance(120)
    assert mapping(lab.state(), VM, "scsi0:1") is None
    return before


def test_check_mode_tells_what_becomes_of_a_disk_left_half_way_while_another_is_blocked(vcenter: VcenterLab) -> None:
    left_half_way(vcenter)
    vcenter.change_file("[san01] backup01/data_2-virtual.vmdk", "put", kind="flat", size=1 << 20)
    ask: dict[str, Any] = {"vm": VM, "power": "shutdown"}
    planned = run(vcenter, check=True, **ask)
    states = {disk["address"]: disk["state"] for disk in planned["disks"]}
    assert states == {"scsi0:1": "would_convert", "scsi0:2": "blocked"}
    assert planned["changed"]
    assert planned["failed"]
    done = run(vcenter, **ask)
    assert done["plan"] == planned["plan"]
    assert [step["step"] for step in done["plan"]] == ["record", "swap", "power_on", "note"]
    states = {disk["address"]: disk["state"] for disk in done["disks"]}
    assert states == {"scsi0:1": "converted", "scsi0:2": "blocked"}
    assert done["blockers"] == planned["blockers"]


def test_a_run_whose_first_write_may_have_been_done_says_changed(vcenter: VcenterLab) -> None:
    """The reply to the record is lost, and the server stays away."""
    vcenter.world(SAN_PAIR)
    vcenter.clear_log()
    hold = vcenter.hold(method="ReconfigVM_Task")
    with controller(vcenter, vm=VM, power="shutdown") as first:
        hold.wait(30)
        vcenter.fault(kind="connection_dropped", count=500)
        hold.release(then="fault", kind="reply_lost")
        result = first.result()
    vcenter.clear_faults()
    assert result["failed"]
    assert result["changed"]
    assert {disk["state"] for disk in result["disks"]} <= {"not_started", "unchanged"}
    assert result["recovery"] == []


def test_a_disk_that_was_not_touched_is_not_failed(vcenter: VcenterLab) -> None:
    """The connection goes for good while the first disk is detached: only that one is lost, and has commands."""
    vcenter.world(in_two_steps(SAN_PAIR))
    vcenter.clear_log()
    hold = vcenter.hold(method="ReconfigVM_Task", skip=4)
    with controller(vcenter, vm=VM, power="shutdown") as first:
        hold.wait(30)
        vcenter.fault(kind="connection_dropped", count=500)
        hold.release(then="drop")
        result = first.result()
    vcenter.clear_faults()
    states = {disk["address"]: disk["state"] for disk in result["disks"]}
    assert states == {"scsi0:1": "failed", "scsi0:2": "not_started"}
    assert any("data one.vmdk" in command for command in result["recovery"])
    assert not any("data_2" in command for command in result["recovery"])


def test_a_password_that_is_refused_in_the_middle_is_sent_once(vcenter: VcenterLab) -> None:
    """An account is locked after a few wrong ones: the session ends, and the password is not good any more."""
    vcenter.world(in_two_steps(SAN_PAIR))
    before = vcenter.state()
    vcenter.clear_log()
    hold = vcenter.hold(method="ReconfigVM_Task", skip=4)
    with controller(vcenter, vm=VM, power="shutdown") as first:
        hold.wait(30)
        vcenter.fault(method="Login", kind="soap", fault="InvalidLogin", count=500)
        vcenter.fault(kind="session_expired")
        hold.release(then="drop")
        result = first.result()
    logins = [entry for entry in vcenter.log() if entry["method"] == "Login"]
    assert len(logins) == 2
    assert "does not accept the user name and password" in result["msg"]
    assert any("diskaddexisting" in command for command in result["recovery"])
    vcenter.clear_faults()
    vcenter.advance(120)
    again = run(vcenter, vm=VM, power="shutdown")
    assert not again["failed"], again["msg"]
    assert_nothing_lost(before, vcenter.state(), VM)
    assert_settled(vcenter.state(), VM)


def test_a_restart_of_the_management_in_the_middle_is_waited_for(vcenter: VcenterLab) -> None:
    """hostd is away while the disk is attached to nothing; when it is back, the conversion goes on."""
    vcenter.world(in_two_steps(SAN_PAIR))
    before = vcenter.state()
    vcenter.clear_log()
    hold = vcenter.hold(method="ReconfigVM_Task", skip=4)
    with controller(vcenter, vm=VM, power="shutdown") as first:
        hold.wait(30)
        vcenter.fault(kind="connection_dropped", count=RESTARTING)
        hold.release(then="drop")
        result = first.result()
    assert not result["failed"], result["msg"]
    assert {disk["state"] for disk in result["disks"]} == {"converted"}
    assert_nothing_lost(before, vcenter.state(), VM)
    assert_settled(vcenter.state(), VM)


def converted_world(lab: VcenterLab, world: str) -> None:
    lab.world(world)
    done = run(lab, vm=VM, power="shutdown")
    assert not done["failed"], done["msg"]
    lab.clear_log()


def test_deleting_a_kept_mapping_takes_the_lease(vcenter: VcenterLab) -> None:
    """While one run deletes, another finds it at work, and touches nothing."""
    converted_world(vcenter, one_disk(vm=ON))
    hold = vcenter.hold(method="DeleteVirtualDisk_Task")
    with controller(vcenter, vm=VM, old_mapping="delete") as deleting:
        hold.wait(30)
        assert '"step":"deleting"' in records(vcenter.state(), VM)["scsi0:1"]
        vcenter.advance(1)
        # Going back would attach the very file that is about to be deleted.
        other = run(vcenter, check=True, vm=VM, compatibility="physical", power="shutdown")
        assert [blocker["code"] for blocker in other["blockers"]] == ["run_in_progress"]
        hold.release(then="proceed")
        result = deleting.result()
    assert not result["failed"], result["msg"]
    assert result["changed"]
    assert [disk["deleted"] for disk in result["disks"]] == [[OLD]]
    assert [disk["state"] for disk in result["disks"]] == ["unchanged"]
    assert result["diff"]["before"]["scsi0:1"]["old_mappings"] == [OLD]
    assert records(vcenter.state(), VM) == {}
    assert vcenter.vm(VM)["power"] == "poweredOn"


@pytest.mark.parametrize("ask", [{"old_mapping": "delete"}, {}, {"compatibility": "physical"}], ids=str)
def test_a_run_that_was_killed_while_it_deleted_is_closed_by_the_next(vcenter: VcenterLab, ask: dict[str, Any]) -> None:
    converted_world(vcenter, one_disk())
    before = vcenter.state()
    hold = vcenter.hold(method="DeleteVirtualDisk_Task")
    with controller(vcenter, vm=VM, old_mapping="delete") as killed:
        hold.wait(30)
        killed.kill()
        hold.release(then="drop")
    vcenter.advance(120)
    planned = run(vcenter, check=True, vm=VM, **ask)
    again = run(vcenter, vm=VM, **ask)
    assert not again["failed"], again["msg"]
    assert [step["step"] for step in again["plan"]] == [step["step"] for step in planned["plan"]]
    assert_nothing_lost(before, vcenter.state(), VM)
    assert_settled(vcenter.state(), VM)
    assert machine(vcenter.state(), VM)["power"] == "poweredOff"
    third = run(vcenter, vm=VM, **ask)
    assert not third["changed"]


def test_check_mode_names_what_would_be_deleted(vcenter: VcenterLab) -> None:
    converted_world(vcenter, one_disk())
    planned = run(vcenter, check=True, vm=VM, old_mapping="delete")
    assert planned["changed"]
    assert [disk["deleted"] for disk in planned["disks"]] == [[OLD]]
    done = run(vcenter, vm=VM, old_mapping="delete")
    assert done["plan"] == planned["plan"]
    assert done["diff"] == planned["diff"]


def test_each_reason_is_told_once_and_its_way_out_by_name(vcenter: VcenterLab) -> None:
    vcenter.world(one_disk(vm=ON))
    refused = run(vcenter, vm=VM)
    assert refused["msg"].count("backup01 is powered on") == 1
    assert "backup01: backup01" not in refused["msg"]
    vcenter.world(
        one_disk(
            api="esxi",
            hosts=[{"name": "esx1.lab"}],
            vms=[{"name": VM, "disks": [{"flat": 1 << 30}, {"rdm": SAN_A, "file": OLD}]}],
        )
    )
    assert "override: [other_hosts_unknown]" in run(vcenter, vm=VM)["msg"]


def test_a_virtual_mapping_is_edited_by_the_plan_that_check_mode_tells(vcenter: VcenterLab) -> None:
    vcenter.world(VIRTUAL_PAIR)
    ask: dict[str, Any] = {"vm": VM, "power": "shutdown", "disk_mode": "independent_persistent"}
    planned, done = run(vcenter, check=True, **ask), run(vcenter, **ask)
    assert not done["failed"], done["msg"]
    assert done["plan"] == planned["plan"]
    assert [step["step"] for step in done["plan"]] == [
        "record", "power_off", "edit_disk_mode", "edit_disk_mode", "power_on", "note",
    ]  # fmt: skip


def test_nothing_is_deleted_while_a_vm_that_may_use_it_cannot_be_read(vcenter: VcenterLab) -> None:
    """The bystander's configuration is unset, as that of an inaccessible VM is: it may use any file."""
    converted_world(vcenter, one_disk())
    hidden = vcenter.hide("bystander", "config")
    vcenter.clear_log()
    before = vcenter.state()
    result = run(vcenter, vm=VM, old_mapping="delete")
    assert [blocker["code"] for blocker in result["blockers"]] == ["old_mapping_unreadable"]
    assert "bystander" in result["msg"]
    assert not result["changed"]
    assert_nothing_written(vcenter, before)
    vcenter.show(hidden)
    again = run(vcenter, vm=VM, old_mapping="delete")
    assert not again["failed"], again["msg"]
    assert [disk["deleted"] for disk in again["disks"]] == [[OLD]]
