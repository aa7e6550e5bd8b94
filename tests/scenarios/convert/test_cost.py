"""What a call costs the server: requests grow as disks and folders do, not as their product."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from harness import options_for, run
from vcenter_lab import VcenterLab

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, result_of
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.commands import RDM_INFO, rdm_info

VM = "backup01"


def lun_name(number: int) -> str:
    return f"naa.60060160a1b1234500000000{number:08x}"


def mapping_at(number: int, file: str) -> dict[str, Any]:
    # Four controllers of fifteen disks each: what a VM can have with SCSI.
    bus, place = divmod(number, 15)
    unit = place if place < 7 else place + 1
    return {"at": f"scsi{bus}:{unit}", "rdm": lun_name(number), "file": file}


def one_vm(disks: int) -> str:
    """Returns a world with one VM, off, with so many mappings in its folder."""
    vm = {
        "name": VM,
        "host": "esx1.lab",
        "controllers": [{"type": "pvscsi", "bus": bus} for bus in range(4)],
        "disks": [mapping_at(number, f"[san01] {VM}/disk {number}.vmdk") for number in range(disks)],
    }
    return world([vm], disks)


def one_folder(vms: int) -> str:
    """Returns a world with so many VMs, off, whose mapping files all lie in one folder."""
    machines = [
        {
            "name": f"vm{number:02d}",
            "host": "esx1.lab",
            "disks": [{**mapping_at(number, f"[san01] pointers/{number}.vmdk"), "at": "scsi0:1"}],
        }
        for number in range(vms)
    ]
    return world(machines, vms)


def world(vms: list[dict[str, Any]], luns: int) -> str:
    return json.dumps(
        {
            "hosts": [{"name": "esx1.lab"}],
            "datastores": [{"name": "san01"}],
            "luns": [{"name": lun_name(number), "sectors": 3907029168} for number in range(luns)],
            "vms": vms,
        }
    )


def requests(lab: VcenterLab) -> Counter[str]:
    """Returns how many of each request were made since the log was cleared, and clears it."""
    made = Counter(entry["method"] for entry in lab.log())
    lab.clear_log()
    return made


def gather(lab: VcenterLab, *vms: str) -> dict[str, Any]:
    failure, result = result_of(rdm_info, ModuleCall(options_for(lab, RDM_INFO, vms=list(vms))))
    assert failure is None, failure
    return result


def plan_costs(lab: VcenterLab, disks: int) -> dict[str, Counter[str]]:
    """Returns the requests of looking at, and of planning for, a VM with so many mappings."""
    lab.world(one_vm(disks))
    lab.clear_log()
    gathered = gather(lab, VM)
    assert [rdm["convertible"] for rdm in gathered["rdms"]] == [True] * disks
    gathering = requests(lab)
    planned = run(lab, check=True, vm=VM)
    assert not planned["failed"], planned["msg"]
    return {"gather": gathering, "plan": requests(lab)}


def work_costs(lab: VcenterLab, disks: int) -> dict[str, Counter[str]]:
    """Returns the requests of converting every mapping of a VM with so many, and of deleting the kept ones."""
    lab.world(one_vm(disks))
    lab.clear_log()
    done = run(lab, vm=VM)
    assert not done["failed"], done["msg"]
    assert {disk["state"] for disk in done["disks"]} == {"converted"}
    converting = requests(lab)
    deleted = run(lab, vm=VM, old_mapping="delete")
    assert not deleted["failed"], deleted["msg"]
    assert sum(len(disk["deleted"]) for disk in deleted["disks"]) == disks
    return {"convert": converting, "delete": requests(lab)}


def assert_linear(small: Counter[str], middle: Counter[str], large: Counter[str], counts: tuple[int, int, int]) -> None:
    """What each further disk costs is the same from few to some as from some to many, but for waiting looks."""
    first = (middle.total() - small.total()) / (counts[1] - counts[0])
    second = (large.total() - middle.total()) / (counts[2] - counts[1])
    assert second <= first * 1.2, (first, second)


def test_looking_at_a_vm_costs_the_same_whatever_number_of_disks_it_has(vcenter: VcenterLab) -> None:
    one, twenty, sixty = (plan_costs(vcenter, disks) for disks in (1, 20, 60))
    assert one["gather"].total() == twenty["gather"].total() == sixty["gather"].total()
    for count, cost in ((1, one), (20, twenty), (60, sixty)):
        # One listing a folder, which takes two searches, one search for records, and one uuid a file in question.
        assert cost["plan"]["SearchDatastore_Task"] == 3
        assert cost["plan"]["QueryVirtualDiskUuid"] == count
    assert_linear(one["plan"], twenty["plan"], sixty["plan"], (1, 20, 60))


def test_converting_and_deleting_cost_so_much_a_disk(vcenter: VcenterLab) -> None:
    counts = (1, 3, 9)
    small, middle, large = (work_costs(vcenter, disks) for disks in counts)
    for name in small:
        assert_linear(small[name], middle[name], large[name], counts)
    assert large["convert"]["ReconfigVM_Task"] == 9 + 2
    assert large["delete"]["DeleteVirtualDisk_Task"] == 9


@pytest.mark.slow
def test_converting_and_deleting_sixty_disks_cost_so_much_a_disk(vcenter: VcenterLab) -> None:
    counts = (1, 20, 60)
    small, middle, large = (work_costs(vcenter, disks) for disks in counts)
    for name in small:
        assert_linear(small[name], middle[name], large[name], counts)


def test_vms_whose_mapping_files_lie_in_one_folder_are_looked_at_with_one_listing(vcenter: VcenterLab) -> None:
    costs = []
    for count in (5, 50):
        vcenter.world(one_folder(count))
        vcenter.clear_log()
        gathered = gather(vcenter, *(f"vm{number:02d}" for number in range(count)))
        assert [rdm["convertible"] for rdm in gathered["rdms"]] == [True] * count
        costs.append(requests(vcenter))
    assert costs[0] == costs[1]
    assert costs[1]["SearchDatastore_Task"] == 2
    assert costs[1]["QueryVirtualDiskUuid"] == 0


def test_a_look_that_is_about_the_vm_alone_reads_none_of_the_hosts_luns(vcenter: VcenterLab) -> None:
    """Waiting for a task, and the last look of a run: on a large SAN the LUNs of one host are tens of megabytes."""
    vcenter.world(one_vm(1).replace('"controllers"', '"power": "on", "tools": "running", "controllers"'))
    vcenter.clear_log()
    done = run(vcenter, vm=VM, power="shutdown")
    assert not done["failed"], done["msg"]
    asked = [entry["summary"] for entry in vcenter.log() if entry["method"] == "RetrievePropertiesEx"]
    looks = [one for one in asked if "config.hardware.device" in one and "layoutEx.file" in one]
    assert [one for one in looks if "config.storageDevice.scsiLun" in one]
    assert "config.storageDevice.scsiLun" not in looks[-1]
