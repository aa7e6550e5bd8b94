"""What has no number and happens all the same: the VM or its controller goes, files lie elsewhere, guests are slow."""

from __future__ import annotations

import json

import foreign
import pytest
from harness import (
    assert_nothing_lost,
    assert_settled,
    controller,
    converted,
    machine,
    mapping,
    records,
    refused,
    run,
)
from vcenter_lab import VcenterLab
from worlds import SAN_PAIR, in_two_steps, one_disk

VM = "backup01"
RUNNING = one_disk(vm={"power": "on"})


@pytest.mark.parametrize(("skip", "mapped"), [(0, True), (2, False)], ids=["before the swap", "between two steps"])
def test_the_vm_is_taken_out_of_the_inventory(vcenter: VcenterLab, skip: int, mapped: bool) -> None:
    """The run ends with a sentence; where the disk was detached, with the commands too; no file is touched."""
    vcenter.world(in_two_steps(RUNNING))
    files = {file["path"] for file in vcenter.state()["files"]}
    vcenter.clear_log()
    hold = vcenter.hold(method="ReconfigVM_Task", skip=2 + skip)
    with controller(vcenter, vm=VM, power="shutdown") as first:
        hold.wait(30)
        assert (mapping(vcenter.state(), VM, "scsi0:1") is not None) == mapped
        foreign.unregister(vcenter, VM)
        hold.release(then="proceed")
        result = first.result()
    assert result["failed"]
    assert "no longer exists" in result["msg"]
    assert "register it again" in result["msg"]
    assert [disk["state"] for disk in result["disks"]] == ["failed"]
    assert any("/vmfs/volumes/san01/backup01/data.vmdk" in command for command in result["recovery"])
    assert {file["path"] for file in vcenter.state()["files"]} == files
    assert run(vcenter, vm=VM)["msg"].startswith("No VM is named 'backup01'.")


def test_an_empty_controller_is_removed_between_two_steps(vcenter: VcenterLab) -> None:
    """Some clients take an empty controller away. It is named; once it is there again, the next run finishes."""
    controllers = [{"type": "pvscsi"}, {"type": "lsisas", "bus": 1}]
    vcenter.world(in_two_steps(one_disk(vm={"controllers": controllers}, disk={"at": "scsi1:0"})))
    before = vcenter.state()
    vcenter.clear_log()
    hold = vcenter.hold(method="ReconfigVM_Task", skip=3)
    with controller(vcenter, vm=VM) as first:
        hold.wait(30)
        foreign.remove_controller(vcenter, VM, bus=1)
        hold.release(then="proceed")
        result = first.result()
    assert [disk["state"] for disk in result["disks"]] == ["failed"]
    assert "has no controller scsi1 any more. Add the controller scsi1 again, then run again." in result["msg"]
    assert result["recovery"]
    vcenter.advance(120)
    assert run(vcenter, vm=VM)["failed"]
    foreign.add_controller(vcenter, VM, bus=1)
    vcenter.advance(120)
    again = run(vcenter, vm=VM)
    assert not again["failed"], again["msg"]
    assert_nothing_lost(before, vcenter.state(), VM)
    assert_settled(vcenter.state(), VM)


def test_a_second_note_does_not_overwrite_the_first(vcenter: VcenterLab) -> None:
    """Going back into another folder leaves two old mappings, and both are deleted when that is asked for."""
    world = one_disk(files=[{"file": "[san01] elsewhere/readme.txt"}])
    converted(vcenter, world)
    before = vcenter.state()
    back = run(vcenter, vm=VM, compatibility="physical", directory="elsewhere")
    assert not back["failed"], back["msg"]
    notes = json.loads(records(vcenter.state(), VM)["scsi0:1"])["notes"]
    assert [note["old_file"].rpartition("/")[2] for note in notes] == ["data.vmdk", "data-virtual.vmdk"]
    gone = run(vcenter, vm=VM, compatibility="physical", old_mapping="delete")
    assert not gone["failed"], gone["msg"]
    assert [step["step"] for step in gone["plan"]] == ["delete_old_mapping", "delete_old_mapping"]
    after = vcenter.state()
    assert [file["path"] for file in after["files"] if file["kind"] == "rdm" and "backup01" in file["path"]] == []
    assert records(after, VM) == {}
    assert_nothing_lost(before, after, VM)


def test_the_old_mapping_of_a_lun_with_an_odd_number_of_blocks_is_deleted(vcenter: VcenterLab) -> None:
    """The browser tells whole KiB, so its size of the file is half a KiB short."""
    converted(vcenter, one_disk(lun={"sectors": 3907029169}))
    gone = run(vcenter, vm=VM, old_mapping="delete")
    assert not gone["failed"], gone["msg"]
    assert [step["step"] for step in gone["plan"]] == ["delete_old_mapping"]
    assert records(vcenter.state(), VM) == {}


def test_another_datastore(vcenter: VcenterLab) -> None:
    world = one_disk(datastores=[{"name": "san01"}, {"name": "san 02"}], files=[{"file": "[san 02] rdm/readme.txt"}])
    result = converted(vcenter, world, datastore="san 02", directory="rdm")
    assert result["disks"][0]["after"]["file"] == "[san 02] rdm/data-virtual.vmdk"


def test_a_directory_that_is_not_there(vcenter: VcenterLab) -> None:
    vcenter.world(RUNNING)
    before = vcenter.state()
    result = run(vcenter, vm=VM, power="shutdown", directory="no such")
    assert [blocker["code"] for blocker in result["blockers"]] == ["datastore_unsuitable"]
    assert "no folder no such on datastore san01" in result["msg"]
    assert machine(vcenter.state(), VM)["devices"] == machine(before, VM)["devices"]
    assert machine(vcenter.state(), VM)["power"] == "poweredOn"


def test_a_datastore_without_a_folder_of_the_old_name(vcenter: VcenterLab) -> None:
    world = one_disk(datastores=[{"name": "san01"}, {"name": "san 02"}])
    (blocker,) = refused(vcenter, world, "datastore_unsuitable", datastore="san 02")
    assert "no folder backup01 on datastore san 02" in blocker["message"]


@pytest.mark.parametrize("option", ["timeout", "shutdown_timeout"])
def test_a_time_that_is_none(vcenter: VcenterLab, option: str) -> None:
    vcenter.world(RUNNING)
    result = run(vcenter, vm=VM, power="shutdown", **{option: -1})
    assert result["failed"]
    assert result["msg"].startswith(f"{option} must be at least ")
    assert machine(vcenter.state(), VM)["power"] == "poweredOn"


def test_a_task_of_ours_that_goes_on_after_the_run_was_killed(vcenter: VcenterLab) -> None:
    """The next run waits until it has ended, and decides from what it finds then."""
    vcenter.world(RUNNING)
    before = vcenter.state()
    vcenter.clear_log()
    vcenter.fault(method="ReconfigVM_Task", skip=2, kind="slow_task", delay_ms=3000)
    hold = vcenter.hold(method="RetrievePropertiesEx", skip=20)
    with controller(vcenter, vm=VM, power="shutdown") as first:
        while not any("operation=add" in entry["summary"] for entry in vcenter.log()):
            assert not first.pipe.poll(0.01)
        first.kill()
    hold.release(then="proceed")
    vcenter.advance(120)
    again = run(vcenter, vm=VM, power="shutdown")
    if again["failed"]:
        assert [blocker["code"] for blocker in again["blockers"]] == ["task_running"]
        vcenter.advance(120)
        again = run(vcenter, vm=VM, power="shutdown")
    assert not again["failed"], again["msg"]
    assert_nothing_lost(before, vcenter.state(), VM)
    assert_settled(vcenter.state(), VM)
    assert machine(vcenter.state(), VM)["power"] == "poweredOn"


def test_the_last_write_is_refused(vcenter: VcenterLab) -> None:
    """All is done but the note: the disk is converted, no command tells to take it off, the next run closes."""
    vcenter.world(RUNNING)
    before = vcenter.state()
    vcenter.fault(method="ReconfigVM_Task", skip=3, kind="task", fault="SystemError")
    result = run(vcenter, vm=VM, power="shutdown")
    assert result["failed"]
    assert "Reconfiguring backup01 was refused: SystemError" in result["msg"]
    assert result["changed"]
    assert [disk["state"] for disk in result["disks"]] == ["converted"]
    assert result["recovery"] == []
    assert result["power"]["after"] == "powered_on"
    vcenter.advance(120)
    again = run(vcenter, vm=VM)
    assert not again["failed"], again["msg"]
    assert again["resumed"]
    assert_nothing_lost(before, vcenter.state(), VM)
    assert_settled(vcenter.state(), VM)


@pytest.mark.slow
def test_the_lease_is_renewed_while_a_guest_takes_its_time(vcenter: VcenterLab) -> None:
    """A guest that needs longer than a lease: the run stays the owner, and a second one is refused."""
    vcenter.world(SAN_PAIR.replace("    boot_order", "    shutdown_seconds: 1000\n    boot_order"))
    before = vcenter.state()
    with controller(vcenter, vm=VM, power="shutdown", shutdown_timeout=120) as first:
        leases = set()
        while len(leases) < 3:
            assert not first.pipe.poll(0.5), first.result()["msg"]
            leases |= {json.loads(text)["open"]["lease"] for text in records(vcenter.state(), VM).values()}
        reported = run(vcenter, check=True, vm=VM, power="shutdown")
        assert [blocker["code"] for blocker in reported["blockers"]] == ["run_in_progress"]
        vcenter.advance(1000)
        result = first.result()
    assert not result["failed"], result["msg"]
    assert_nothing_lost(before, vcenter.state(), VM)
    assert machine(vcenter.state(), VM)["power"] == "poweredOn"
