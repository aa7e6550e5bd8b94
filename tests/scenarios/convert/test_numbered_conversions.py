"""Scenarios of domain knowledge by their numbers: what is converted, in which way, and what stays as it was."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness import (
    assert_nothing_lost,
    assert_nothing_written,
    converted,
    machine,
    mapping,
    records,
    run,
    without_sessions,
)
from vcenter_lab import VcenterLab
from worlds import DISK_2TB, LOCAL_PAIR, SAN_A, SAN_PAIR, one_disk

NVME = "t10.NVMe____INTEL_SSDPE2KX010T8_____________________BTLJ123456781P0F"
VIRTUAL = {"mode": "virtual", "disk_mode": "persistent"}


def swaps(lab: VcenterLab) -> list[str]:
    """Returns what the reconfigures that the lab carried out did to devices and files."""
    return [entry["summary"] for entry in lab.log() if "operation=" in entry["summary"] and entry["outcome"] == "ok"]


def test_scenario_01_virtual_already(vcenter: VcenterLab) -> None:
    vcenter.world(one_disk(vm={"power": "on"}, disk=VIRTUAL))
    before = vcenter.state()
    vcenter.clear_log()
    result = run(vcenter, vm="backup01")
    assert not result["failed"]
    assert not result["changed"]
    assert [disk["state"] for disk in result["disks"]] == ["unchanged"]
    assert result["plan"] == []
    assert result["power"] == {"before": "powered_on", "after": "powered_on"}
    assert result["diff"]["before"] == result["diff"]["after"]
    assert_nothing_written(vcenter, before)


def test_scenario_03_a_mapping_that_a_note_names_is_attached_again(vcenter: VcenterLab) -> None:
    """To and fro and to: the kept files are used in turn, and no third one is ever made."""
    converted(vcenter, one_disk())
    files = {file["path"] for file in vcenter.state()["files"] if file["kind"] == "rdm"}
    for wanted, file in (("physical", "data.vmdk"), ("virtual", "data-virtual.vmdk"), ("physical", "data.vmdk")):
        vcenter.clear_log()
        result = run(vcenter, vm="backup01", compatibility=wanted)
        assert not result["failed"], result["msg"]
        assert result["disks"][0]["after"]["file"] == f"[san01] backup01/{file}"
        assert "attach the kept" in next(step["description"] for step in result["plan"] if step["step"] == "swap")
        assert not any("fileOperation=create" in summary for summary in swaps(vcenter))
        assert {file["path"] for file in vcenter.state()["files"] if file["kind"] == "rdm"} == files


def test_scenario_03_the_name_is_taken_and_another_directory_is_named(vcenter: VcenterLab) -> None:
    files = [{"file": "[san01] backup01/data-virtual.vmdk"}, {"file": "[san01] rdm maps/keep.txt"}]
    result = converted(vcenter, one_disk(files=files), directory="rdm maps")
    assert result["disks"][0]["after"]["file"] == "[san01] rdm maps/data-virtual.vmdk"


def test_scenario_06_the_vml_differs_on_the_vms_host(vcenter: VcenterLab) -> None:
    """The second host knows the LUN by another number, and so by another vml id: it is looked up, never compared."""
    theirs = "020006000060060160a1b12345000000000000000a565241494420"
    lun = {"number": 5, "paths": {"esx2.lab": {"uuid": theirs, "number": 6}}}
    result = converted(vcenter, one_disk(vm={"host": "esx2.lab"}, lun=lun))
    assert result["disks"][0]["lun"]["canonical_name"] == SAN_A
    assert result["disks"][0]["lun"]["vml"] == f"vml.{theirs}"
    device = mapping(vcenter.state(), "backup01", "scsi0:1")
    assert device is not None
    assert device["lun_uuid"] == theirs


@pytest.mark.parametrize("compatibility", ["virtual", "physical"])
def test_scenario_15_a_new_mapping_always_names_a_disk_mode(vcenter: VcenterLab, compatibility: str) -> None:
    """The lab refuses one without, as hosts were seen to: "Incompatible device backing specified for device '0'."."""
    disk = VIRTUAL if compatibility == "physical" else {}
    result = converted(vcenter, one_disk(disk=disk), compatibility=compatibility)
    assert result["disks"][0]["after"]["compatibility"] == compatibility
    assert any("fileOperation=create" in summary for summary in swaps(vcenter))


@pytest.mark.parametrize("disk_mode", ["persistent", "independent_persistent"])
def test_scenario_15_the_disk_mode_that_was_asked_for(vcenter: VcenterLab, disk_mode: str) -> None:
    result = converted(vcenter, one_disk(), disk_mode=disk_mode)
    assert result["disks"][0]["after"]["disk_mode"] == disk_mode


def test_scenario_15_the_disk_mode_of_a_virtual_mapping_is_edited(vcenter: VcenterLab) -> None:
    vcenter.world(one_disk(disk=VIRTUAL))
    before = vcenter.state()
    result = run(vcenter, vm="backup01", disk_mode="independent_persistent")
    assert not result["failed"], result["msg"]
    assert_nothing_lost(before, vcenter.state(), "backup01")
    assert records(vcenter.state(), "backup01") == {}
    assert result["disks"][0]["before"]["disk_mode"] == "persistent"
    assert result["disks"][0]["after"]["disk_mode"] == "independent_persistent"
    assert result["disks"][0]["before"]["file"] == result["disks"][0]["after"]["file"]


@pytest.mark.parametrize(
    "name",
    ["two  spaces", "[brackets] in it", 'it\'s "quoted"', "バックアップ サーバー", "a/b 100% \\ c", "</script><b>x"],
)
def test_scenario_21_names(vcenter: VcenterLab, name: str) -> None:
    result = converted(vcenter, one_disk(vm={"name": name}), vm=name)
    assert result["vm"]["name"] == name
    assert result["vm"]["path"] == f"/DC/vm/{name}"


def test_scenario_21_a_multi_line_annotation_and_a_broken_vm_beside_it(vcenter: VcenterLab) -> None:
    world = json.loads(one_disk(vm={"annotation": "line one\nline two\n\n  [san01] x/x.vmx"}))
    world["vms"].append({"name": "broken", "host": "esx1.lab", "connection": "orphaned", "disks": []})
    converted(vcenter, json.dumps(world))


def test_scenario_21_one_name_twice(vcenter: VcenterLab) -> None:
    """The candidates are listed; a path or an id tells them apart."""
    world = json.loads(one_disk(vm={"folder": "one"}))
    world["vms"][1].update({"name": "backup01", "folder": "two", "power": "off"})
    vcenter.world(json.dumps(world))
    before = vcenter.state()
    vcenter.clear_log()
    result = run(vcenter, vm="backup01")
    assert result["failed"]
    assert "2 VMs are meant by 'backup01'" in result["msg"]
    for candidate in ("/DC/vm/one/backup01", "/DC/vm/two/backup01", before["vms"][0]["moid"]):
        assert candidate in result["msg"]
    assert_nothing_written(vcenter, before)
    by_path = run(vcenter, vm="/DC/vm/one/backup01")
    assert not by_path["failed"], by_path["msg"]
    assert vcenter.state()["vms"][1] == before["vms"][1]


def test_scenario_26_local_disks(vcenter: VcenterLab) -> None:
    """They are tried over the API, with a warning: the documented way is the shell."""
    result = converted(vcenter, LOCAL_PAIR, power="shutdown")
    assert [disk["lun"]["local"] for disk in result["disks"]] == [True, True]
    assert any(DISK_2TB in warning and "SSH" in warning for warning in result["warnings"])


def test_scenario_26_a_host_that_refuses_local_disks(vcenter: VcenterLab) -> None:
    vcenter.world("local_mappings: InvalidDeviceBacking" + LOCAL_PAIR)
    before = vcenter.state()
    result = run(vcenter, vm="backup01", power="shutdown")
    assert result["failed"]
    assert [disk["state"] for disk in result["disks"]] == ["rolled_back", "not_started"]
    assert result["rolled_back"]
    assert result["recovery"] == []
    assert "InvalidDeviceBacking" in result["msg"]
    assert "over SSH" in result["msg"]
    after = vcenter.state()
    assert machine(after, "backup01")["devices"] == machine(before, "backup01")["devices"]
    assert machine(after, "backup01")["power"] == "poweredOn"
    assert after["files"] == before["files"]
    assert records(after, "backup01") == {}


def test_scenario_27_nvme(vcenter: VcenterLab) -> None:
    """Its existing mapping proves that the host can map it; the vml id of type 05 is not computed but looked up."""
    result = converted(vcenter, one_disk(lun={"name": NVME, "sectors": 1953525168, "ssd": True}))
    assert result["disks"][0]["lun"]["vml"].startswith("vml.05")


@pytest.mark.parametrize(
    ("controllers", "address"),
    [
        ([{"type": "pvscsi"}, {"type": "sata", "bus": 0}], "sata0:1"),
        ([{"type": "pvscsi"}, {"type": "nvme", "bus": 1}], "nvme1:3"),
        ([{"type": "pvscsi"}, {"type": "buslogic", "bus": 3}], "scsi3:15"),
    ],
)
def test_scenario_29_the_controller_is_kept(
    vcenter: VcenterLab, controllers: list[dict[str, Any]], address: str
) -> None:
    result = converted(vcenter, one_disk(vm={"controllers": controllers}, disk={"at": address}))
    assert [disk["address"] for disk in result["disks"]] == [address]


def test_scenario_34_a_unit_beyond_15(vcenter: VcenterLab) -> None:
    result = converted(vcenter, one_disk(disk={"at": "scsi0:20"}))
    assert [disk["address"] for disk in result["disks"]] == ["scsi0:20"]


def test_scenario_34_a_full_controller(vcenter: VcenterLab) -> None:
    """No other place is ever chosen, not even for a moment: there is none."""
    units = [unit for unit in range(16) if unit not in (7, 9)]
    disks: list[dict[str, Any]] = [{"at": f"scsi0:{unit}", "flat": 1 << 30} for unit in units]
    disks.append({"at": "scsi0:9", "rdm": SAN_A})
    vm = {"controllers": [{"type": "lsilogic"}], "disks": disks}
    result = converted(vcenter, one_disk(vm=vm))
    assert [disk["address"] for disk in result["disks"]] == ["scsi0:9"]


@pytest.mark.parametrize(
    ("world", "ask"),
    [
        (SAN_PAIR, {"power": "shutdown"}),
        (SAN_PAIR, {"power": "power_off", "old_mapping": "delete", "disks": ["scsi0:2"]}),
        (one_disk(disk=VIRTUAL), {"compatibility": "physical"}),
        (one_disk(disk=VIRTUAL), {"disk_mode": "independent_persistent"}),
    ],
    ids=["two disks, running", "one of them, the old mapping deleted", "back to physical", "the disk mode alone"],
)
def test_scenario_36_check_mode(vcenter: VcenterLab, world: str, ask: dict[str, Any]) -> None:
    """The same plan and the same diff as the real run, and nothing written."""
    vcenter.world(world)
    before = vcenter.state()
    vcenter.clear_log()
    planned = run(vcenter, check=True, vm="backup01", **ask)
    assert not planned["failed"], planned["msg"]
    assert planned["changed"]
    assert {disk["state"] for disk in planned["disks"]} == {"would_convert"}
    assert planned["power"]["before"] == planned["power"]["after"]
    assert planned["diff"]["before"] != planned["diff"]["after"]
    assert_nothing_written(vcenter, before)
    done = run(vcenter, vm="backup01", **ask)
    assert not done["failed"], done["msg"]
    assert done["plan"] == planned["plan"]
    assert done["diff"] == planned["diff"]
    assert done.get("warnings") == planned.get("warnings")
    assert [disk["after"] for disk in done["disks"]] == [disk["after"] for disk in planned["disks"]]
    again = run(vcenter, check=True, vm="backup01", **ask)
    assert not again["changed"]
    assert again["plan"] == []


def test_scenario_36_every_plan_says_what_cannot_be_seen(vcenter: VcenterLab) -> None:
    vcenter.world(one_disk())
    planned = run(vcenter, check=True, vm="backup01")
    assert any("SCSI pass-through to scsi0:1" in warning for warning in planned["warnings"])
    run(vcenter, vm="backup01")
    assert "warnings" not in run(vcenter, vm="backup01")


def test_old_mapping_delete_in_a_later_run_needs_no_power_off(vcenter: VcenterLab) -> None:
    converted(vcenter, SAN_PAIR, power="shutdown")
    before = vcenter.state()
    vcenter.clear_log()
    result = run(vcenter, vm="backup01", old_mapping="delete")
    assert not result["failed"], result["msg"]
    assert result["changed"]
    assert [step["step"] for step in result["plan"]] == ["delete_old_mapping", "delete_old_mapping"]
    after = vcenter.state()
    gone = {file["path"] for file in before["files"]} - {file["path"] for file in after["files"]}
    assert gone == {"[san01] backup01/data one.vmdk", "[san01] backup01/data_2.vmdk"}
    assert machine(after, "backup01")["devices"] == machine(before, "backup01")["devices"]
    assert machine(after, "backup01")["power"] == "poweredOn"
    assert not any(entry["method"].startswith("Power") for entry in vcenter.log())
    assert records(after, "backup01") == {}
    assert run(vcenter, vm="backup01", old_mapping="delete")["changed"] is False
    assert without_sessions(vcenter.state()) == without_sessions(after)
