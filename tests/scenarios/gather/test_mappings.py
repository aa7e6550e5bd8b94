"""rdm_info against the lab: what it lists, what it says of each mapping, what it lets the user choose."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from harness import options_for
from vcenter_lab import VcenterLab

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, result_of
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.changing_commands import rdm_compatibility
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.commands import RDM_INFO, rdm_info

SAN = "naa.60060160a1b1234500000000000000"
Gather = Callable[..., dict[str, Any]]


@pytest.fixture
def gather(vcenter: VcenterLab) -> Gather:
    """Reads the mappings; fails where the module would."""

    def read(fails: bool = False, **given: Any) -> dict[str, Any]:
        failure, result = result_of(rdm_info, ModuleCall(options_for(vcenter, RDM_INFO, **given)))
        assert (failure is not None) == fails, failure
        return {**result, "msg": failure}

    return read


@pytest.fixture
def story(vcenter: VcenterLab) -> VcenterLab:
    """The lab with the built-in world."""
    vcenter.world(vcenter.story())
    vcenter.clear_log()
    return vcenter


def one(result: dict[str, Any], vm: str, address: str = "scsi0:1") -> dict[str, Any]:
    """Returns one mapping of a result."""
    found: dict[str, Any] = next(rdm for rdm in result["rdms"] if (rdm["vm"]["name"], rdm["address"]) == (vm, address))
    return found


def codes(listed: list[dict[str, Any]]) -> set[str]:
    """Returns the codes of findings or blockers."""
    return {entry["code"] for entry in listed}


def test_every_mapping_is_listed_with_its_lun(story: VcenterLab, gather: Gather) -> None:
    result = gather()
    disk = one(result, "backup01", "scsi0:2")
    assert disk["compatibility"] == "physical"
    assert disk["file"] == "[san01] backup01/data3tb.vmdk"
    assert disk["capacity_bytes"] == disk["lun"]["capacity_bytes"] == 5860533168 * 512
    assert disk["controller"] == {
        "type": "scsi",
        "bus": 0,
        "shared_bus": "none",
        "model": "pvscsi",
        "pci_slot_number": 160,
    }
    assert disk["lun"]["serial"] == "WD-WCC4N0000002"
    assert disk["lun"]["vendor"] == "ATA"
    assert disk["lun"]["local"] is True
    assert [seen["host"] for seen in disk["lun"]["hosts"]] == ["esx1.lab"]
    assert disk["vm"]["path"] == "/DC/vm/backup/backup01"
    assert "physical_compatibility" in codes(disk["findings"])
    assert codes(disk["blockers"]) == {"vm_powered_on"}
    names = [(rdm["vm"]["name"], rdm["address"]) for rdm in result["rdms"]]
    assert names == sorted(names)
    assert result["summary"]["rdms"] == len(names) == 9
    assert (result["summary"]["physical"], result["summary"]["virtual"]) == (8, 1)
    assert result["changed"] is False


def test_reading_takes_the_same_few_requests_and_writes_nothing(story: VcenterLab, gather: Gather) -> None:
    gather()
    log = story.log()
    assert not [entry for entry in log if entry["writes"]]
    assert len(log) <= 12, [entry["method"] for entry in log]


def test_a_result_is_plain_and_survives_json(story: VcenterLab, gather: Gather) -> None:
    result = gather(orphans=True, detail=["lun_paths"])
    assert json.loads(json.dumps(result)) == result


def test_a_lun_of_two_vml_ids_is_one_lun(story: VcenterLab, gather: Gather) -> None:
    """The mapping file names the vml id of the host it was made on."""
    lun = one(gather(), "fileserver")["lun"]
    assert lun["canonical_name"] == SAN + "0a"
    assert {seen["host"]: seen["lun_number"] for seen in lun["hosts"]} == {"esx1.lab": 5, "esx2.lab": 6, "esx3.lab": 5}
    assert len({seen["vml"] for seen in lun["hosts"]}) == 2


def test_disks_of_a_cluster_say_who_shares_them(story: VcenterLab, gather: Gather) -> None:
    disk = one(gather(), "node-a", "scsi1:0")
    assert [other["name"] for other in disk["shared_with"]] == ["node-b"]
    assert disk["controller"]["shared_bus"] == "physical"
    assert {"bus_sharing", "lun_used_by_other_vm", "perennially_reserved"} <= codes(disk["blockers"])
    assert disk["convertible"] is False


def test_with_names_given_everything_is_checked(story: VcenterLab, gather: Gather) -> None:
    unchecked = one(gather(), "archive 01")
    assert unchecked["convertible"] is None
    assert "target_file_exists" in unchecked["unchecked"]
    checked = one(gather(vms=["archive 01"]), "archive 01")
    assert (checked["convertible"], checked["unchecked"], checked["blockers"]) == (True, [], [])


@pytest.mark.parametrize("vm", ["backup01", "archive 01", "node-a", "with-snapshot", "fileserver"])
def test_the_blockers_are_those_of_the_plan(story: VcenterLab, gather: Gather, vm: str) -> None:
    disks = gather(vms=[vm])["rdms"]
    wanted = "physical" if disks[0]["compatibility"] == "virtual" else "virtual"
    _failure, plan = result_of(
        rdm_compatibility, ModuleCall(options_for(story, vm=vm, compatibility=wanted), check_mode=True)
    )
    shown = [blocker for disk in disks for blocker in disk["blockers"]]
    assert [blocker for blocker in plan["blockers"] if blocker not in shown] == []
    assert [blocker for blocker in shown if blocker not in plan["blockers"]] == []


@pytest.mark.parametrize("name", ["path", "moid", "instance_uuid", "name"])
def test_a_machine_is_named_in_four_ways(story: VcenterLab, gather: Gather, name: str) -> None:
    vm = one(gather(), "archive 01")["vm"]
    assert [rdm["vm"]["moid"] for rdm in gather(vms=[vm[name]])["rdms"]] == [vm["moid"]]


def test_names_are_shown_as_people_see_them(story: VcenterLab, gather: Gather) -> None:
    for name in ("バックアップ サーバー", '=HYPERLINK("http://127.0.0.1/","click")'):
        assert gather(vms=[name])["summary"]["rdms"] == 1
    for name in ("a/b 100% \"quoted\" 'vm'", "</script><script>alert(1)</script>"):
        assert gather(vms=[name])["summary"]["rdms"] == 0


def test_a_name_that_nothing_has_is_an_error(story: VcenterLab, gather: Gather) -> None:
    result = gather(fails=True, vms=["archive 01", "Fileserver", "nobody"])
    assert "'Fileserver'" in result["msg"]
    assert "/DC/vm/fileserver" in result["msg"]
    assert "'nobody'" in result["msg"]


def test_a_name_that_two_machines_have_is_an_error_that_lists_them(vcenter: VcenterLab, gather: Gather) -> None:
    vcenter.world("""
hosts: [{name: esx1.lab}]
datastores: [{name: san01}]
vms:
  - {name: twin, folder: one, disks: [{flat: 1048576}]}
  - {name: twin, folder: two, disks: [{flat: 1048576, file: "[san01] other/disk.vmdk"}]}
""")
    message = gather(fails=True, vms=["twin"])["msg"]
    assert "/DC/vm/one/twin" in message
    assert "/DC/vm/two/twin" in message
    assert gather(vms=["/DC/vm/two/twin"])["summary"]["vms"] == 1


def test_luns_are_chosen_by_name_vml_or_serial(story: VcenterLab, gather: Gather) -> None:
    lun = one(gather(), "archive 01")["lun"]
    for name in (lun["canonical_name"], lun["vml"], lun["serial"]):
        assert [rdm["vm"]["name"] for rdm in gather(luns=[name])["rdms"]] == ["archive 01"]
    assert "naa.nothing" in gather(fails=True, luns=["naa.nothing"])["msg"]


def test_a_serial_of_two_luns_is_an_error_that_lists_both(story: VcenterLab, gather: Gather) -> None:
    message = gather(fails=True, luns=["SAME"])["msg"]
    assert SAN + "0d" in message
    assert SAN + "0e" in message


def test_mode_and_datacenter_narrow_the_list(story: VcenterLab, gather: Gather) -> None:
    assert [rdm["vm"]["name"] for rdm in gather(compatibility="virtual")["rdms"]] == ["fileserver"]
    assert gather(datacenter="DC")["summary"]["rdms"] == 9
    assert "'DC2'" in gather(fails=True, datacenter="DC2")["msg"]


def test_paths_are_read_where_they_are_asked_for(story: VcenterLab, gather: Gather) -> None:
    assert "paths" not in one(gather(), "archive 01")["lun"]["hosts"][0]
    paths = one(gather(detail=["lun_paths"]), "archive 01")["lun"]["hosts"][0]["paths"]
    assert paths[0]["state"] == "active"


def test_a_masked_lun_is_a_finding_and_not_a_crash(story: VcenterLab, gather: Gather) -> None:
    story.change_lun(SAN + "0b", "mask", "esx2.lab")
    disk = one(gather(), "archive 01")
    assert disk["lun"] is None
    assert "lun_missing" in codes(disk["findings"])
    assert "lun_missing" in codes(disk["blockers"])


def test_the_mappings_of_a_lost_host_are_listed_with_what_stops_them(story: VcenterLab, gather: Gather) -> None:
    story.change_host("esx1.lab", "lost")
    result = gather()
    assert result["summary"]["rdms"] == 9
    assert "host_unavailable" in codes(one(result, "backup01")["blockers"])


def test_files_that_no_machine_uses(story: VcenterLab, gather: Gather) -> None:
    assert "orphaned_mappings" not in gather()
    found = {entry["file"]: entry for entry in gather(orphans=True)["orphaned_mappings"]}
    forgotten = found["[san01] old/forgotten.vmdk"]
    assert forgotten["compatibility"] == "physical"
    assert forgotten["datastore"] == "san01"
    assert forgotten["in_use"] is False
    assert not [file for file in found if "backup01" in file]


def test_a_kept_old_mapping_is_known_and_no_orphan(story: VcenterLab, gather: Gather) -> None:
    failure, _result = result_of(rdm_compatibility, ModuleCall(options_for(story, vm="archive 01")))
    assert failure is None
    result = gather(orphans=True)
    assert not [entry for entry in result["orphaned_mappings"] if "archive 01" in entry["file"]]
    disk = one(result, "archive 01")
    assert disk["compatibility"] == "virtual"
    assert {"old_mapping_kept", "now_in_snapshots"} <= codes(disk["findings"])


def test_a_datastore_that_cannot_be_searched_is_a_finding(vcenter: VcenterLab, gather: Gather) -> None:
    vcenter.world("""
hosts: [{name: esx1.lab}]
datastores: [{name: san01}, {name: broken, inaccessible: true}]
luns: [{name: naa.60060160a1b123450000000000000001, sectors: 2097152}]
files: [{file: "[san01] old/one.vmdk", rdm: naa.60060160a1b123450000000000000001, mode: virtual, kind: rdm}]
""")
    result = gather(orphans=True)
    assert [entry["file"] for entry in result["orphaned_mappings"]] == ["[san01] old/one.vmdk"]
    assert [finding["object"] for finding in result["findings"] if finding["code"] == "unreadable"] == ["broken"]


def test_a_lun_of_a_stand_alone_host_may_be_used_by_others(vcenter: VcenterLab, gather: Gather) -> None:
    local_disk = "t10.ATA_____DISK____________________________________________________1____"
    vcenter.world(f"""
api: esxi
hosts: [{{name: esx1.lab}}]
datastores: [{{name: local01}}]
luns:
  - {{name: {SAN}01, sectors: 2097152}}
  - {{name: {local_disk}, sectors: 2097152, local: true}}
vms: [{{name: server, disks: [{{rdm: {SAN}01}}, {{rdm: {local_disk}}}]}}]
""")
    shared, local = gather(vms=["server"])["rdms"]
    assert [(blocker["code"], blocker["overridable"]) for blocker in shared["blockers"]] == [
        ("other_hosts_unknown", True)
    ]
    assert local["convertible"] is True


GUEST = """
hosts: [{name: esx1.lab}]
datastores: [{name: san01}]
luns: [{name: naa.60060160a1b1234500000000000000a1, sectors: 4194304}]
vms:
  - name: server
    host: esx1.lab
    power: "on"
    bios_uuid: 42394fdd-93f3-501a-8614-c6fa55f75468
    extra: {scsi0.pciSlotNumber: "1184"}
    guest_disks: [{path: 'E:\\', keys: [2001]}, {path: 'C:\\', keys: [2000]}]
    disks: [{flat: 1073741824}, {rdm: naa.60060160a1b1234500000000000000a1}]
  - {name: copy, host: esx1.lab, bios_uuid: 42394FDD-93F3-501A-8614-C6FA55F75468, disks: [{flat: 1073741824}]}
"""


def test_what_tells_the_disks_of_a_guest(vcenter: VcenterLab, gather: Gather) -> None:
    vcenter.world(GUEST)
    disk = one(gather(), "server")
    assert (disk["controller"]["pci_slot_number"], disk["guest_paths"]) == (1184, ["E:\\"])
    # A copy without a mapping stands in no other row.
    assert disk["vm"]["same_bios_uuid"] == ["copy"]
