# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a rehearsal refuses and why, what it says in check mode, and that neither writes anything."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness import assert_nothing_written
from vcenter_lab import VcenterLab
from worlds import SAN_A, SAN_B, SAN_C, one_disk

from .stage import WORLD, assert_as_before, told, verdicts


def with_lun(**fields: Any) -> str:
    """Returns the world in which the spare LUN is as the fields say."""
    world = json.loads(one_disk())
    world["luns"][1].update(fields)
    return json.dumps(world)


REFUSED: dict[str, tuple[str, dict[str, Any], str, bool]] = {
    "a partition table": (with_lun(partitioned=True), {}, "lun_has_partitions", True),
    "mapped by a VM": (WORLD, {"lun": SAN_A}, "used_by_vm", True),
    "not told": (
        json.dumps({**json.loads(WORLD), "hidden": [{"type": "HostSystem", "paths": ["configManager.storageSystem"]}]}),
        {},
        "partitions_unknown",
        True,
    ),
    "reserved": (with_lun(perennially_reserved=True), {}, "perennially_reserved", False),
    "a boot disk": (with_lun(boot=True), {}, "host_boot_or_system", False),
    "sectors of 4096 bytes": (with_lun(format="native4k", block_size=4096), {}, "native_4k", False),
    "not in order": (with_lun(state="off"), {}, "not_ok", False),
    "no VMFS": (
        json.dumps({**json.loads(WORLD), "datastores": [{"name": "san01"}, {"name": "nfs01", "type": "NFS"}]}),
        {"datastore": "nfs01"},
        "datastore_unsuitable",
        False,
    ),
    "no space": (
        json.dumps({**json.loads(WORLD), "datastores": [{"name": "san01", "free": 1000}]}),
        {},
        "datastore_full",
        False,
    ),
}


@pytest.mark.parametrize(("world", "ask", "code", "twice"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_spare_is_refused(
    vcenter: VcenterLab, world: str, ask: dict[str, Any], code: str, twice: bool
) -> None:
    vcenter.world(world)
    before = vcenter.state()
    vcenter.clear_log()
    planned, result = told(vcenter, check=True, **ask), told(vcenter, **ask)
    assert code in [blocker["code"] for blocker in result["blockers"]], result["msg"]
    assert (planned["blockers"], planned["msg"]) == (result["blockers"], result["msg"])
    assert result["failed"]
    (blocker,) = [one for one in result["blockers"] if one["code"] == code]
    assert blocker["message"] in result["msg"]
    assert blocker["hint"] in result["msg"]
    assert blocker["overridable"] is twice
    assert (result["answers"], result["conversion"], result["report"], result["plan"]) == ([], None, None, [])
    assert_nothing_written(vcenter, before)
    again = told(vcenter, check=True, **ask, lun_again=ask.get("lun", SAN_B))
    assert again["failed"] is not twice, again["msg"]


def test_a_lun_with_a_datastore_named_twice_is_what_the_host_makes_of_it(vcenter: VcenterLab) -> None:
    """The lab's host maps none of these, as it does not offer them; that is an answer."""
    vcenter.world(with_lun(vmfs="san01"))
    before = vcenter.state()
    once = told(vcenter)
    assert {blocker["code"] for blocker in once["blockers"]} == {"carries_vmfs", "lun_has_partitions"}
    result = told(vcenter, lun_again=SAN_B)
    assert not result["failed"], result["msg"]
    assert verdicts(result)["new_physical_mapping"] == "refused"
    assert_as_before(vcenter, before)


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        ({"lun": "naa.none"}, "No host that could be read shows a LUN with the canonical name 'naa.none'."),
        ({"lun": SAN_B.upper()}, "no other spelling is taken here"),
        ({"lun_again": SAN_C}, "Give the same canonical name in both"),
        ({"datastore": "san02"}, "No datastore is named 'san02'. There is san01."),
        ({"host": "esx9"}, "No host is named 'esx9'. There is esx1.lab, esx2.lab."),
        ({"timeout": 0}, "timeout must be at least 1, not 0."),
        ({"password": "wrong"}, "does not accept the user name and password"),
    ],
)
def test_a_wrong_option_is_one_sentence(vcenter: VcenterLab, ask: dict[str, Any], said: str) -> None:
    vcenter.world(WORLD)
    before = vcenter.state()
    vcenter.clear_log()
    result = told(vcenter, **ask)
    assert result["failed"]
    assert said in result["msg"]
    assert_nothing_written(vcenter, before)
    assert vcenter.counts().get("Login", 0) <= 1


def test_a_name_that_means_a_disk_of_each_host_needs_the_host(vcenter: VcenterLab) -> None:
    world = json.loads(WORLD)
    disk = {"name": "mpx.vmhba0:C0:T1:L0", "sectors": 2097152, "local": True, "quality": "lowQuality"}
    world["luns"] += [{**disk, "hosts": ["esx1.lab"]}, {**disk, "hosts": ["esx2.lab"]}]
    vcenter.world(json.dumps(world))
    result = told(vcenter, check=True, lun=disk["name"])
    assert "mean several: esx1.lab (host-" in result["msg"]
    assert "Name the host." in result["msg"]
    named = told(vcenter, check=True, lun=disk["name"], host="ESX2.lab")
    assert (named["failed"], named["host"]) == (False, "esx2.lab")


def test_check_mode_says_what_it_would_make_and_touches_nothing(vcenter: VcenterLab) -> None:
    vcenter.world(WORLD)
    before = vcenter.state()
    vcenter.clear_log()
    result = told(vcenter, check=True, host="esx2.lab")
    assert not result["failed"], result["msg"]
    assert (result["changed"], result["vm"], result["answers"]) == (False, None, [])
    assert result["host"] == "esx2.lab"
    said = "\n".join(result["plan"])
    assert "make a virtual machine winbackup-rehearsal-... on esx2.lab" in said
    assert f"make rehearsal-physical.vmdk (physical) and attach it at scsi0:0 ({SAN_B})" in said
    assert "add a SATA controller" in said
    assert result["plan"][-1] == "remove its mapping files, the virtual machine and its folder"
    assert_nothing_written(vcenter, before)


def test_missing_rights_are_named_before_anything_is_made(vcenter: VcenterLab) -> None:
    lacks = {
        "VirtualMachine.Inventory.Create": "the folder of virtual machines of DC",
        "Resource.AssignVMToPool": "the resource pool of esx1.lab",
        "Datastore.FileManagement": "san01",
    }
    vcenter.world(one_disk(users={"bob": {"password": "secret", "missing": list(lacks)}}))
    before = vcenter.state()
    vcenter.clear_log()
    result = told(vcenter, username="bob", password="secret")
    assert [blocker["code"] for blocker in result["blockers"]] == ["no_privilege"] * 3
    for privilege, where in lacks.items():
        assert f"The user lacks {privilege} on {where}." in result["msg"]
    assert_nothing_written(vcenter, before)


def test_a_free_licence_fails_the_task_and_answers_nothing(vcenter: VcenterLab) -> None:
    world = json.loads(one_disk(api="esxi", hosts=[{"name": "esx1.lab", "licence": "free"}]))
    world["vms"] = world["vms"][:1]
    world["luns"] = [{**world["luns"][0]}, {**world["luns"][1], "local": True}]
    vcenter.world(json.dumps(world))
    before = vcenter.state()
    result = told(vcenter)
    assert result["failed"]
    assert "RestrictedVersion" in result["msg"]
    assert set(verdicts(result).values()) == {"not_asked"}
    assert result["report"]["complete"] is False
    assert_as_before(vcenter, before)
