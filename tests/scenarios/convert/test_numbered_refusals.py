"""Scenarios of domain knowledge by their numbers: what is refused before anything is written, and why."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness import assert_nothing_written, controller, converted, machine, records, refused, run
from vcenter_lab import VcenterLab
from worlds import SAN_A, SAN_B, one_disk

FLAT = {"flat": 42949672960}
HOSTS = [{"name": "esx1.lab"}, {"name": "esx2.lab"}]


def test_scenario_02_a_flat_disk(vcenter: VcenterLab) -> None:
    (blocker,) = refused(vcenter, one_disk(), "not_a_mapping", disks=["scsi0:0"])
    assert blocker["object"] == "[san01] backup01/backup01_0.vmdk"
    assert "no raw device mapping" in blocker["message"]


@pytest.mark.parametrize("lun", [SAN_A, SAN_B], ids=["same LUN", "other LUN"])
def test_scenario_03_the_target_exists_and_no_record_names_it(vcenter: VcenterLab, lun: str) -> None:
    file = "[san01] backup01/data-virtual.vmdk"
    world = one_disk(files=[{"file": file, "rdm": lun, "mode": "virtual", "kind": "rdm"}])
    (blocker,) = refused(vcenter, world, "target_file_exists")
    assert blocker["object"] == file
    assert "datastore and directory" in blocker["hint"]


def test_scenario_03_the_target_is_no_mapping(vcenter: VcenterLab) -> None:
    file = "[san01] backup01/data-virtual.vmdk"
    (blocker,) = refused(vcenter, one_disk(files=[{"file": file, "kind": "flat"}]), "target_file_exists")
    assert blocker["object"] == file


def test_scenario_04_an_extent_without_its_descriptor(vcenter: VcenterLab) -> None:
    extent = "[san01] backup01/data-virtual-rdm.vmdk"
    (blocker,) = refused(vcenter, one_disk(files=[{"file": extent}]), "target_file_exists")
    assert blocker["object"] == extent
    assert "there is no [san01] backup01/data-virtual.vmdk" in blocker["message"]


def test_scenario_05_the_lun_is_masked(vcenter: VcenterLab) -> None:
    (blocker,) = refused(vcenter, one_disk(lun={"paths": {"esx1.lab": {"masked": True}}}), "lun_missing")
    assert "not visible on esx1.lab" in blocker["message"]
    assert "Present it to esx1.lab" in blocker["hint"]


def test_scenario_07_the_mapping_has_another_size_than_its_lun(vcenter: VcenterLab) -> None:
    (blocker,) = refused(vcenter, one_disk(disk={"sectors": 1953525168}), "size_mismatch")
    assert str(1953525168 * 512) in blocker["message"]
    assert str(3907029168 * 512) in blocker["message"]


def test_scenario_08_snapshots(vcenter: VcenterLab) -> None:
    refused(vcenter, one_disk(vm={"snapshots": ["before patch day"]}), "has_snapshots")


def test_scenario_08_a_snapshot_lies_on_the_mapping(vcenter: VcenterLab) -> None:
    world = one_disk(vm={"snapshots": ["nightly"]}, disk={"mode": "virtual", "disk_mode": "persistent"})
    snapshots, delta = refused(vcenter, world, "has_snapshots", "is_delta", compatibility="physical")
    assert snapshots["hint"] == "Remove them all first."
    assert delta["object"] == "[san01] backup01/data-000001.vmdk"


def test_scenario_08_consolidation_is_needed(vcenter: VcenterLab) -> None:
    refused(vcenter, one_disk(vm={"consolidation_needed": True}), "needs_consolidation")


@pytest.mark.parametrize("power", ["refuse", "shutdown", "power_off"])
def test_scenario_09_suspended(vcenter: VcenterLab, power: str) -> None:
    refused(vcenter, one_disk(vm={"power": "suspended"}), "vm_suspended", power=power)


def test_scenario_10_on_and_not_to_be_switched_off(vcenter: VcenterLab) -> None:
    (blocker,) = refused(vcenter, one_disk(vm={"power": "on"}), "vm_powered_on")
    assert "power: shutdown" in blocker["hint"]


def test_scenario_10_on_and_no_right_to_switch_it_off(vcenter: VcenterLab) -> None:
    users = {"operator": {"password": "pw", "missing": ["VirtualMachine.Interact.PowerOff"]}}
    world = one_disk(vm={"power": "on"}, users=users)
    (blocker,) = refused(vcenter, world, "no_privilege", power="shutdown", username="operator", password="pw")
    assert "VirtualMachine.Interact.PowerOff" in blocker["message"]
    assert blocker["object"] == "backup01"


def test_scenario_12_a_shared_bus(vcenter: VcenterLab) -> None:
    controllers = [{"type": "pvscsi", "bus": 0}, {"type": "lsisas", "bus": 1, "shared": "physical"}]
    world = one_disk(vm={"controllers": controllers}, disk={"at": "scsi1:0"})
    (blocker,) = refused(vcenter, world, "bus_sharing")
    assert "physical bus sharing" in blocker["message"]
    assert not blocker["overridable"]


def test_scenario_12_perennially_reserved(vcenter: VcenterLab) -> None:
    (blocker,) = refused(vcenter, one_disk(lun={"perennially_reserved": True}), "perennially_reserved")
    assert blocker["object"] == SAN_A
    assert not blocker["overridable"]


@pytest.mark.parametrize("power", ["on", "off"])
def test_scenario_13_another_vm_maps_the_lun(vcenter: VcenterLab, power: str) -> None:
    world = one_disk()
    other = {"name": "other", "host": "esx2.lab", "power": power, "disks": [FLAT, {"rdm": SAN_A, "mode": "virtual"}]}
    world = world.replace('"vms": [', f'"vms": [{json.dumps(other)}, ')
    (blocker,) = refused(vcenter, world, "lun_used_by_other_vm")
    assert "/DC/vm/other" in blocker["message"]


def test_scenario_14_a_free_licence(vcenter: VcenterLab) -> None:
    """No read tells it for sure; the first write is the record, which is refused, and nothing else is sent."""
    vcenter.world(one_disk(hosts=[{"name": "esx1.lab", "licence": "free"}, {"name": "esx2.lab"}], vm={"power": "on"}))
    before = vcenter.state()
    vcenter.clear_log()
    result = run(vcenter, vm="backup01", power="shutdown")
    assert [blocker["code"] for blocker in result["blockers"]] == ["license_read_only"]
    assert "SSH" in result["blockers"][0]["hint"]
    assert "Current license or ESXi version prohibits execution" in result["msg"]
    assert not result["changed"]
    assert [disk["state"] for disk in result["disks"]] == ["blocked"]
    assert [entry["method"] for entry in vcenter.log() if entry["writes"]] == ["ReconfigVM_Task"]
    assert_nothing_written(vcenter, before)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"lun": {"sectors": 5860533168}, "hosts": [{"name": "esx1.lab", "version": "5.1.0"}, HOSTS[1]]}, "too_big"),
        ({"lun": {"sectors": 63 * 2**40 // 512}}, "too_big"),
        ({"lun": {"format": "native4k", "block_size": 4096, "sectors": 488378646}}, "native_4k"),
        ({"datastores": [{"name": "san01", "version": "3.60"}]}, "datastore_unsuitable"),
        ({"datastores": [{"name": "san01", "type": "NFS"}]}, "datastore_unsuitable"),
        ({"datastores": [{"name": "san01", "type": "vsan"}]}, "datastore_unsuitable"),
        ({"datastores": [{"name": "san01", "free": 1024}]}, "datastore_full"),
        ({"datastores": [{"name": "san01", "inaccessible": True}]}, "datastore_unsuitable"),
    ],
    ids=["3 TB on 5.1", "63 TB", "4Kn", "VMFS 3", "NFS", "vSAN", "full", "inaccessible"],
)
def test_scenario_25_limits(vcenter: VcenterLab, changes: dict[str, Any], code: str) -> None:
    refused(vcenter, one_disk(**{"hosts": HOSTS, **changes}), code)


def test_scenario_25_another_datastore_is_no_better(vcenter: VcenterLab) -> None:
    stores = [{"name": "san01"}, {"name": "nfs 01", "type": "NFS"}]
    (blocker,) = refused(vcenter, one_disk(datastores=stores), "datastore_unsuitable", datastore="nfs 01")
    assert blocker["object"] == "nfs 01"
    refused(vcenter, one_disk(), "datastore_unsuitable", datastore="no such")


@pytest.mark.parametrize(
    ("lun", "codes"),
    [
        ({"vmfs": "san01"}, ["lun_carries_vmfs"]),
        ({"boot": True}, ["lun_is_boot_device"]),
        ({"boot": True, "dump": True}, ["lun_is_boot_device", "lun_is_dump_or_scratch"]),
        ({"vsan": True}, ["lun_used_by_vsan"]),
        ({"state": "off"}, ["lun_not_ok"]),
    ],
    ids=["datastore", "boot", "boot and dump", "vSAN", "off"],
)
def test_scenario_28_the_lun_is_in_use_by_the_host(vcenter: VcenterLab, lun: dict[str, Any], codes: list[str]) -> None:
    """Over the API a boot device shows by the volume of the system that lies on it."""
    for blocker in refused(vcenter, one_disk(lun=lun), *codes):
        assert blocker["object"] == SAN_A
        assert not blocker["overridable"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"vm": {"encrypted": True}}, "encrypted"),
        ({"disk": {"sharing": "sharingMultiWriter"}}, "multi_writer"),
        ({"vm": {"fault_tolerance": True}}, "fault_tolerance"),
        ({"disk": {"disk_mode": "independent_nonpersistent"}}, "is_delta"),
        ({"vm": {"template": True}}, "vm_is_template"),
        ({"vm": {"task_running": True}}, "task_running"),
        ({"vm": {"disabled_methods": ["ReconfigVM_Task"]}}, "method_disabled"),
        ({"vm": {"connection": "inaccessible"}}, "vm_inaccessible"),
        ({"hosts": [{"name": "esx1.lab", "maintenance": True}, HOSTS[1]]}, "host_unavailable"),
        ({"hosts": [{"name": "esx1.lab", "state": "notResponding"}, HOSTS[1]]}, "host_unavailable"),
        ({"disk": {"api_mode": "virtual"}, "compatibility": "physical"}, "mode_disagrees"),
    ],
    ids=[
        *("encrypted", "multi-writer", "FT", "nonpersistent", "template", "task", "locked by backup", "inaccessible"),
        *("maintenance", "host lost", "modes disagree"),
    ],
)
def test_scenario_32_what_the_vm_is(vcenter: VcenterLab, changes: dict[str, Any], code: str) -> None:
    compatibility = changes.pop("compatibility", "virtual")
    refused(vcenter, one_disk(**changes), code, compatibility=compatibility)


def test_scenario_32_a_replicated_vm_may_be_converted_all_the_same(vcenter: VcenterLab) -> None:
    (blocker,) = refused(vcenter, one_disk(vm={"replicated": True}), "replicated")
    assert blocker["overridable"]
    converted(vcenter, one_disk(vm={"replicated": True}), override=["replicated"])


def test_scenario_32_one_blocker_of_one_disk_stops_the_call(vcenter: VcenterLab) -> None:
    world = json.loads(one_disk())
    world["vms"][0]["disks"].append({"rdm": SAN_B, "sectors": 1024})
    (blocker,) = refused(vcenter, json.dumps(world), "size_mismatch")
    assert SAN_B in blocker["message"]


def test_scenario_32_several_reasons_are_told_at_once(vcenter: VcenterLab) -> None:
    vm = {"snapshots": ["one"], "fault_tolerance": True, "power": "on"}
    world = one_disk(vm=vm, lun={"perennially_reserved": True})
    codes = ("vm_powered_on", "has_snapshots", "perennially_reserved", "fault_tolerance")
    assert len(refused(vcenter, world, *codes)) == 4


@pytest.mark.parametrize(
    ("missing", "on"),
    [
        ("VirtualMachine.Config.RawDevice", "backup01"),
        ("VirtualMachine.Config.AddNewDisk", "backup01"),
        ("VirtualMachine.Config.AddExistingDisk", "backup01"),
        ("VirtualMachine.Config.RemoveDisk", "backup01"),
        ("VirtualMachine.Config.EditDevice", "backup01"),
        ("VirtualMachine.Config.AdvancedConfig", "backup01"),
        ("Datastore.AllocateSpace", "san01"),
        ("Datastore.Browse", "san01"),
        ("Datastore.FileManagement", "san01"),
    ],
)
def test_scenario_33_no_right(vcenter: VcenterLab, missing: str, on: str) -> None:
    """Each privilege that the conversion or its undo uses is named before the first write, with the object it is on."""
    world = one_disk(users={"operator": {"password": "pw", "missing_on": {on: [missing]}}})
    (blocker,) = refused(vcenter, world, "no_privilege", username="operator", password="pw")
    assert missing in blocker["message"]
    assert blocker["object"] == on


def test_scenario_34_unit_7(vcenter: VcenterLab) -> None:
    (blocker,) = refused(vcenter, one_disk(disk={"at": "scsi0:7"}), "unit_unusable")
    assert "scsi0:7" in blocker["object"]


def test_scenario_34_ide(vcenter: VcenterLab) -> None:
    controllers = [{"type": "pvscsi"}, {"type": "ide", "bus": 1}]
    refused(vcenter, one_disk(vm={"controllers": controllers}, disk={"at": "ide1:0"}), "controller_unsupported")


def test_scenario_35_changed_block_tracking(vcenter: VcenterLab) -> None:
    disk = {"mode": "virtual", "disk_mode": "persistent"}
    (blocker,) = refused(
        vcenter, one_disk(vm={"change_tracking": True}, disk=disk), "cbt_enabled", compatibility="physical"
    )
    assert "ctkEnabled" in blocker["hint"]


def test_scenario_46_names_of_one_host(vcenter: VcenterLab) -> None:
    """Two hosts call two different disks by one name: the VM of the other host is no user of this one's disk."""
    name = "mpx.vmhba1:C0:T0:L0"
    ours = {"name": name, "uuid": "0000000000766d686261313a303a30", "sectors": 1953525168, "quality": "lowQuality"}
    luns = [
        {**ours, "serial": "ONE", "local": True, "hosts": ["esx1.lab"]},
        {**ours, "serial": "TWO", "local": True, "hosts": ["esx2.lab"], "sectors": 976773168},
    ]
    vms = [
        {"name": "backup01", "host": "esx1.lab", "disks": [FLAT, {"rdm": name}]},
        {"name": "other", "host": "esx2.lab", "disks": [FLAT, {"rdm": name}]},
    ]
    vcenter.world(json.dumps({"hosts": HOSTS, "datastores": [{"name": "san01"}], "luns": luns, "vms": vms}))
    before = vcenter.state()
    result = run(vcenter, vm="backup01")
    assert not result["failed"], result["msg"]
    assert result["disks"][0]["lun"]["serial"] == "ONE"
    after = vcenter.state()
    assert machine(after, "backup01")["devices"][1]["mode"] == "virtualMode"
    assert machine(after, "backup01")["devices"][1]["capacity_bytes"] == 1953525168 * 512
    assert machine(after, "other") == machine(before, "other")


def test_scenario_46_two_luns_answer_to_the_id_of_the_mapping(vcenter: VcenterLab) -> None:
    """As copies of a LUN do that keep its id: which one is mapped cannot be told."""
    world = json.loads(one_disk())
    for lun in world["luns"][:2]:
        lun["uuid"] = "020000000060060160a1b12345000000000000000a565241494420"
    (blocker,) = refused(vcenter, json.dumps(world), "lun_ambiguous")
    assert SAN_A in blocker["message"]
    assert SAN_B in blocker["message"]


def test_scenario_46_one_serial_of_two_luns(vcenter: VcenterLab) -> None:
    luns = [{"name": name, "sectors": 2097152000, "serial": "SAME"} for name in (SAN_A, SAN_B)]
    disks = [FLAT, {"rdm": SAN_A}, {"rdm": SAN_B}]
    vms = [{"name": "backup01", "host": "esx1.lab", "disks": disks}]
    vcenter.world(json.dumps({"hosts": HOSTS, "datastores": [{"name": "san01"}], "luns": luns, "vms": vms}))
    before = vcenter.state()
    vcenter.clear_log()
    result = run(vcenter, vm="backup01", disks=["SAME"])
    assert result["failed"]
    assert "'SAME' means 2 disks" in result["msg"]
    assert "scsi0:1" in result["msg"]
    assert "scsi0:2" in result["msg"]
    assert_nothing_written(vcenter, before)
    assert not run(vcenter, vm="backup01", disks=[SAN_A])["failed"], "equal serials block nothing"


def test_scenario_47_a_clone_carries_the_record_of_the_vm_it_was_made_from(vcenter: VcenterLab) -> None:
    open_record = _record_of_an_interrupted_run(vcenter)
    key = "winbackup.storage.rdm.scsi0:1"
    world = one_disk(vm={"instance_uuid": "50049999-0000-4000-8000-00000000c10e", "extra": {key: open_record}})
    (blocker,) = refused(vcenter, world, "record_of_other_vm")
    assert "It is a clone" in blocker["hint"]
    assert key in blocker["hint"]
    assert records(vcenter.state(), "backup01") == {"scsi0:1": open_record}


def test_scenario_47_the_record_cannot_be_read(vcenter: VcenterLab) -> None:
    extra = {"winbackup.storage.rdm.scsi0:1": "{not a record"}
    refused(vcenter, one_disk(vm={"extra": extra}), "record_unreadable")


def _record_of_an_interrupted_run(lab: VcenterLab) -> str:
    """Returns the record that a run leaves which was refused its swap and then lost the server."""
    lab.world(one_disk())
    lab.clear_log()
    hold = lab.hold(method="ReconfigVM_Task", skip=1)
    with controller(lab, vm="backup01") as first:
        hold.wait(30)
        first.kill()
        hold.release(then="drop")
    return records(lab.state(), "backup01")["scsi0:1"]
