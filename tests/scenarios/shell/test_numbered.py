# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scenarios of domain knowledge by their numbers, over SSH: what is refused, undone, told and survived.

The table in docs/docsite/rst/scenarios.rst names the test of each scenario, for both ways.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import foreign
import pytest
from harness import assert_nothing_lost, machine, mapping, run
from worlds import DISK_2TB, LOCAL_PAIR, one_disk

from .conftest import Both
from .ways import commands, leftovers, over_ssh, records_of
from .worlds_of_one_host import HOST, of_one_host, one_local_disk

SLOW = pytest.mark.slow
VM = "backup01"
AT = "scsi0:1"
NVME = "t10.NVMe____INTEL_SSDPE2KX010T8_____________________BTLJ123456781P0F"
VIRTUAL = {"mode": "virtual", "disk_mode": "persistent"}
SHARED = {"controllers": [{"type": "pvscsi", "bus": 0, "shared": "physical"}]}
OLD_FILE, NEW_FILE = "[san01] backup01/data.vmdk", "[san01] backup01/data-virtual.vmdk"
LATE = {"shell": {"fault_code": 0}}
# A line of an annotation that looks like a VM's in the list of the host: there is no such VM.
LIKE_A_ROW = "before it moved\n99     backup01   [old] backup01/backup01.vmx   windows9_64Guest   vmx-11\n"


def assert_as_it_was(both: Both, before: dict[str, Any], result: dict[str, Any]) -> None:
    """The task failed, and the disk stands as it did: the same mapping, nothing open, nothing lying about."""
    assert result["failed"]
    after = both.lab.state()
    assert_nothing_lost(before, after, VM)
    assert (mapping(after, VM, AT) or {})["file"] == (mapping(before, VM, AT) or {})["file"]
    assert (mapping(after, VM, AT) or {})["mode"] == "physicalMode"
    assert leftovers(both.shell) == []
    assert [text for text in records_of(both.shell).values() if '"open":null' not in text] == []
    assert {file["path"] for file in after["files"]} == {file["path"] for file in before["files"]} | {
        file["path"] for file in after["files"] if file["path"].endswith(".json")
    }


def mappings_of(state: dict[str, Any]) -> set[str]:
    """Returns the mapping files of the VM that is converted."""
    return {file["path"] for file in state["files"] if file["kind"] == "rdm" and VM in file["path"]}


REFUSALS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "02 a flat disk": ({"disk": {"rdm": None, "flat": 1 << 30}, "ask": {"disks": [AT]}}, ["not_a_mapping"]),
    "03 the target exists": (
        {"files": [{"file": "[san01] backup01/data-virtual.vmdk"}], "vm": {"annotation": LIKE_A_ROW}},
        ["target_file_exists"],
    ),
    "04 an extent alone": ({"files": [{"file": "[san01] backup01/data-virtual-rdm.vmdk"}]}, ["target_file_exists"]),
    "05 the LUN is masked": ({"lun": {"paths": {HOST: {"masked": True}}}}, ["lun_missing"]),
    "07 another size": ({"disk": {"sectors": 1953525168}}, ["size_mismatch"]),
    "08 a snapshot": ({"vm": {"snapshots": ["before"]}}, ["has_snapshots"]),
    "09 suspended": ({"vm": {"power": "suspended"}}, ["vm_suspended"]),
    "10 on": ({"vm": {"power": "on"}}, ["vm_powered_on"]),
    "12 a shared bus": (
        {
            "vm": {"controllers": [{"type": "pvscsi", "bus": 0}, {"type": "lsisas", "bus": 1, "shared": "physical"}]},
            "disk": {"at": "scsi1:0"},
        },
        ["bus_sharing"],
    ),
    "12 perennially reserved": ({"lun": {"perennially_reserved": True}}, ["perennially_reserved"]),
    "25 sectors of 4096 bytes": (
        {"lun": {"format": "native4k", "block_size": 4096, "sectors": 488378646}},
        ["native_4k"],
    ),
    "28 the boot disk": ({"lun": {"boot": True}}, ["lun_is_boot_device"]),
    "28 VMFS": ({"lun": {"vmfs": "san01"}}, ["lun_carries_vmfs"]),
    "32 encrypted": ({"vm": {"encrypted": True}}, ["encrypted"]),
    "32 several writers": ({"disk": {"sharing": "sharingMultiWriter"}}, ["multi_writer"]),
    "32 nonpersistent": ({"disk": {"disk_mode": "independent_nonpersistent"}}, ["is_delta"]),
    "34 unit 7": ({"disk": {"at": "scsi0:7"}}, ["unit_unusable"]),
    "35 changed block tracking": (
        {
            "vm": {"change_tracking": True},
            "disk": {"mode": "virtual", "disk_mode": "persistent"},
            "ask": {"compatibility": "physical"},
        },
        ["cbt_enabled"],
    ),
    "49 a LUN that is not local": ({"lun": {"local": False}}, ["other_hosts_unknown"]),
}
IN_MAKE_TEST = {"03 the target exists", "49 a LUN that is not local"}


@pytest.mark.parametrize("name", [pytest.param(name, marks=() if name in IN_MAKE_TEST else SLOW) for name in REFUSALS])
def test_refused_as_over_the_api_and_nothing_is_written(both: Both, name: str) -> None:
    changed, codes = REFUSALS[name]
    ask = {"vm": VM, **changed.get("ask", {})}
    both.lab.world(one_local_disk(**{key: value for key, value in changed.items() if key != "ask"}))
    both.lab.clear_log()
    result = over_ssh(both.lab, both.shell, **ask)
    assert result["failed"]
    assert [blocker["code"] for blocker in result["blockers"]] == codes
    assert not [entry["summary"] for entry in commands(both.lab) if entry["writes"]]
    over_api = run(both.lab, check=True, **ask)
    assert [blocker["code"] for blocker in over_api["blockers"]] == codes


@pytest.mark.slow
def test_scenario_28_a_host_that_does_not_tell_from_which_disk_it_started(both: Both) -> None:
    """Before 6.0: of a disk with partitions it is not known whether it is that one."""
    both.lab.world(one_local_disk(version="5.5.0", lun={"partitioned": True}))
    result = over_ssh(both.lab, both.shell, check=True, vm=VM)
    assert [blocker["code"] for blocker in result["blockers"]] == ["host_unavailable"]


@pytest.mark.slow
def test_what_is_in_the_place_of_a_record_and_is_none_is_named(both: Both) -> None:
    both.lab.world(one_local_disk())
    record = next(both.shell.stores.rglob("backup01.vmx")).parent / "backup01.winbackup.storage.rdm.scsi0:1.json"
    for text, said in (("x" * 70000, "a record beside its .vmx is another one, or too large"), ("{", "is no record")):
        record.write_text(text, encoding="utf-8")
        result = over_ssh(both.lab, both.shell, vm=VM)
        assert said in result["msg"]
        assert [disk["state"] for disk in result["disks"]][:1] in (["not_started"], ["blocked"])
    assert "the file beside its .vmx that is called so" in result["msg"]


@pytest.mark.slow
def test_a_disk_that_may_be_a_mapping_is_told_of(both: Both) -> None:
    both.lab.world(one_local_disk(disk={"rdm": None, "flat": 1 << 30}))
    next(both.shell.stores.rglob("backup01/data.vmdk")).unlink()
    result = over_ssh(both.lab, both.shell, vm=VM)
    assert (result["failed"], result["changed"], result["disks"]) == (False, False, [])
    assert any(
        f"Whether {AT} of {VM} ({OLD_FILE}) is a mapping could not be read" in told for told in result["warnings"]
    )


@pytest.mark.slow
def test_scenario_14_a_free_licence_refuses_over_the_api_and_not_over_ssh(both: Both) -> None:
    world = json.loads(one_local_disk())
    world["hosts"][0]["licence"] = "free"
    both.lab.world(json.dumps(world))
    before = both.lab.state()
    refused = run(both.lab, vm=VM)
    assert [blocker["code"] for blocker in refused["blockers"]] == ["license_read_only"]
    assert "in a play on the host itself, over SSH" in refused["blockers"][0]["hint"]
    result = over_ssh(both.lab, both.shell, vm=VM)
    assert not result["failed"], result["msg"]
    assert result["disks"][0]["state"] == "converted"
    assert_nothing_lost(before, both.lab.state(), VM)


@pytest.mark.slow
def test_scenario_11_tools_are_not_running(both: Both) -> None:
    both.lab.world(one_local_disk(vm={"power": "on", "tools": "none"}))
    before = both.lab.state()
    result = over_ssh(both.lab, both.shell, vm=VM, power="shutdown")
    assert "cannot be asked to shut down" in result["msg"]
    assert [disk["state"] for disk in result["disks"]] == ["blocked"]
    assert machine(both.lab.state(), VM)["power"] == "poweredOn"
    assert_as_it_was(both, before, result)
    assert records_of(both.shell) == {}


@pytest.mark.slow
def test_scenario_13_another_vm_maps_the_lun(both: Both) -> None:
    world = json.loads(one_local_disk())
    world["vms"].append({"name": "other", "host": HOST, "disks": [{"flat": 1 << 30}, {"rdm": DISK_2TB}]})
    both.lab.world(json.dumps(world))
    result = over_ssh(both.lab, both.shell, vm=VM)
    assert [blocker["code"] for blocker in result["blockers"]] == ["lun_used_by_other_vm"]
    assert "other" in result["blockers"][0]["message"]


PLACES = {
    "27 NVMe": {"lun": {"name": NVME, "sectors": 1953525168, "ssd": True}},
    "29 SATA": {"vm": {"controllers": [{"type": "pvscsi"}, {"type": "sata", "bus": 0}]}, "disk": {"at": "sata0:1"}},
    "29 an NVMe controller": {
        "vm": {"controllers": [{"type": "pvscsi"}, {"type": "nvme", "bus": 1}]},
        "disk": {"at": "nvme1:3"},
    },
    "34 a unit beyond 15": {"disk": {"at": "scsi0:20"}},
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PLACES)
def test_converted_where_it_is(both: Both, name: str) -> None:
    both.lab.world(one_local_disk(**PLACES[name]))
    before = both.lab.state()
    result = over_ssh(both.lab, both.shell, vm=VM)
    assert not result["failed"], result["msg"]
    after = both.lab.state()
    assert_nothing_lost(before, after, VM)
    device = mapping(after, VM, result["disks"][0]["address"]) or {}
    assert device["mode"] == "virtualMode"
    assert device["address"] == PLACES[name].get("disk", {}).get("at", AT)


FAULT = """(vim.fault.InvalidDeviceBacking) {
   faultMessage = <unset>,
   msg = "The LUN of the mapping is not accessible."
}"""


@pytest.mark.parametrize("code", [0, pytest.param(1, marks=SLOW)], ids=["no code", "a code"])
def test_scenarios_17_and_20_the_new_mapping_is_refused_after_the_old_was_detached(both: Both, code: int) -> None:
    """The host answers with a fault as text, and with an exit code or, as some do, with none."""
    both.lab.world(one_local_disk(vm={"power": "on"}))
    before = both.lab.state()
    both.lab.fault(kind="command_fails", words="diskaddexisting", message=FAULT, code=code)
    result = over_ssh(both.lab, both.shell, vm=VM, power="power_off", shutdown_timeout=2)
    assert result["disks"][0]["state"] == "rolled_back", result["msg"]
    assert "The LUN of the mapping is not accessible." in result["msg"]
    assert_as_it_was(both, before, result)
    assert machine(both.lab.state(), VM)["power"] == "poweredOn"


def test_scenario_18_the_undo_fails_too_and_the_commands_run_as_they_are_pasted(both: Both) -> None:
    name = "it's $HOME; `id`"
    both.lab.world(one_local_disk(vm={"name": name}, disk={"file": f"[san01] {name}/data.vmdk"}))
    before = both.lab.state()
    both.lab.fault(kind="command_fails", words="diskaddexisting", message=FAULT, count=2)
    result = over_ssh(both.lab, both.shell, vm=name)
    assert result["disks"][0]["state"] == "failed"
    assert mapping(both.lab.state(), name, AT) is None
    done = both.shell.run("\n".join(result["recovery"]))
    assert done.returncode == 0, done.stderr
    assert_nothing_lost(before, both.lab.state(), name)
    assert (mapping(both.lab.state(), name, AT) or {})["mode"] == "physicalMode"
    both.lab.advance(120)
    again = over_ssh(both.lab, both.shell, vm=name)
    assert not again["failed"], again["msg"]
    assert_nothing_lost(before, both.lab.state(), name)


@pytest.mark.parametrize("fails", [pytest.param(0, marks=SLOW), 1], ids=["attached", "refused"])
def test_scenario_30_the_host_deletes_the_mapping_that_it_was_told_to_keep(both: Both, fails: int) -> None:
    both.lab.world(one_local_disk(shell={"remove_deletes": True}))
    before = both.lab.state()
    if fails:
        both.lab.fault(kind="command_fails", words="diskaddexisting", message=FAULT)
    result = over_ssh(both.lab, both.shell, vm=VM)
    after = both.lab.state()
    assert_nothing_lost(before, after, VM)
    device = mapping(after, VM, AT) or {}
    assert any("deleted the old mapping [san01] backup01/data.vmdk" in warning for warning in result["warnings"])
    if fails:
        assert result["disks"][0]["state"] == "rolled_back", result["msg"]
        assert (device["file"], device["mode"]) == ("[san01] backup01/data.vmdk", "physicalMode")
    else:
        assert not result["failed"], result["msg"]
        assert device["mode"] == "virtualMode"
    assert not any(json.loads(text)["notes"] for text in records_of(both.shell).values())


def test_a_host_that_takes_no_second_mapping_of_a_lun(both: Both) -> None:
    """The old one goes first, once a spare one was refused with the same words; here the reply of that is lost too."""
    both.lab.world(one_local_disk(second_mapping="InvalidDeviceBacking"))
    before = both.lab.state()
    planned = over_ssh(both.lab, both.shell, check=True, vm=VM)
    assert both.lab.state() == before
    both.lab.clear_log()
    both.lab.fault(kind="reply_lost", words="-U")
    result = over_ssh(both.lab, both.shell, vm=VM)
    assert not result["failed"], result["msg"]
    assert result["plan"] == planned["plan"]
    assert any("deleted before the new one is made" in step["description"] for step in planned["plan"])
    assert [(one["code"], one["object"]) for one in result["findings"]] == [("old_mapping_deleted", OLD_FILE)]
    assert set(result["findings"][0]) == {"code", "severity", "message", "hint", "object"}
    assert [(disk["state"], disk["deleted"]) for disk in result["disks"]] == [("converted", [OLD_FILE])]
    after = both.lab.state()
    assert_nothing_lost(before, after, VM)
    assert mappings_of(after) == {NEW_FILE}
    assert (records_of(both.shell), leftovers(both.shell)) == ({}, [])
    tools = [entry["arguments"] for entry in commands(both.lab) if entry["method"] == "vmkfstools" and entry["writes"]]
    assert [words[0] for words in tools] == ["-r", "-z", "-U", "-r"]
    assert tools[1][-1].endswith("/data-winbackup-spare.vmdk")


@pytest.mark.slow
def test_a_host_that_takes_no_second_mapping_and_then_not_the_new_one_either(both: Both) -> None:
    """The old one is made again under its old name."""
    both.lab.world(one_local_disk(second_mapping="InvalidDeviceBacking"))
    before = both.lab.state()
    both.lab.fault(kind="command_fails", words="data-virtual.vmdk 0 1", message=FAULT)
    result = over_ssh(both.lab, both.shell, vm=VM)
    assert [disk["state"] for disk in result["disks"]] == ["rolled_back"], result["msg"]
    assert result["findings"] == []
    assert any("data.vmdk had been deleted, and was made again" in warning for warning in result["warnings"])
    assert_as_it_was(both, before, result)


@pytest.mark.slow
def test_a_host_that_refuses_the_new_mode_and_takes_a_spare_mapping(both: Both) -> None:
    """It is not the second mapping that is refused: nothing was taken off, and the spare one is gone."""
    both.lab.world(one_local_disk())
    before = both.lab.state()
    both.lab.clear_log()
    both.lab.fault(kind="command_fails", words="data-virtual.vmdk", message="Function not implemented")
    result = over_ssh(both.lab, both.shell, vm=VM)
    assert [disk["state"] for disk in result["disks"]] == ["rolled_back"], result["msg"]
    assert "Function not implemented" in result["msg"]
    assert not any("diskremove" in entry["summary"] for entry in commands(both.lab))
    assert_as_it_was(both, before, result)


@pytest.mark.slow
def test_a_host_that_takes_no_second_mapping_and_makes_none_again(both: Both) -> None:
    """The commands that are given run as they are pasted, and the disk is as it was."""
    both.lab.world(one_local_disk(second_mapping="InvalidDeviceBacking"))
    before = both.lab.state()
    both.lab.fault(kind="command_fails", words="data-virtual.vmdk 0 1", message=FAULT)
    # The first is that of the spare one.
    both.lab.fault(kind="command_fails", words="-z /vmfs", message="I/O error", skip=1, count=2)
    result = over_ssh(both.lab, both.shell, vm=VM)
    assert [disk["state"] for disk in result["disks"]] == ["failed"], result["msg"]
    both.lab.clear_faults()
    assert mappings_of(both.lab.state()) == set()
    done = both.shell.run("\n".join(result["recovery"]))
    assert done.returncode == 0, done.stderr
    after = both.lab.state()
    assert_nothing_lost(before, after, VM)
    assert mappings_of(after) == {OLD_FILE}


@pytest.mark.slow
def test_scenario_31_the_kept_mapping_is_locked_by_another_host(both: Both) -> None:
    """It is not deleted, and nothing else suffers."""
    both.lab.world(one_local_disk())
    assert not over_ssh(both.lab, both.shell, vm=VM)["failed"]
    both.lab.change_file("[san01] backup01/data.vmdk", "lock")
    both.lab.clear_log()
    result = over_ssh(both.lab, both.shell, vm=VM, old_mapping="delete")
    assert result["failed"]
    assert [blocker["code"] for blocker in result["blockers"]] == ["old_mapping_not_deleted"]
    assert not any("vmkfstools -U" in entry["summary"] for entry in commands(both.lab))
    assert leftovers(both.shell) == []


@pytest.mark.slow
def test_scenario_37_the_second_disk_fails(both: Both) -> None:
    both.lab.world(of_one_host(LOCAL_PAIR))
    before = both.lab.state()
    both.lab.fault(kind="command_fails", words="data_2-virtual.vmdk 0 2", message=FAULT)
    result = over_ssh(both.lab, both.shell, vm=VM, power="shutdown", shutdown_timeout=5)
    assert result["failed"]
    assert [disk["state"] for disk in result["disks"]] == ["converted", "rolled_back"]
    after = both.lab.state()
    assert_nothing_lost(before, after, VM)
    assert [(mapping(after, VM, at) or {})["mode"] for at in (AT, "scsi0:2")] == ["virtualMode", "physicalMode"]
    assert machine(after, VM)["power"] == "poweredOn"


def test_scenario_41_somebody_starts_the_vm_between_two_steps(both: Both) -> None:
    """The host itself looks right before it takes the disk off, and does not."""
    both.lab.world(one_local_disk())
    before = both.lab.state()
    result = _while_held(both, "vmsvc/snapshot.get", 2, lambda: both.shell.run("vim-cmd vmsvc/power.on " + _vmid(both)))
    assert result["failed"]
    assert result["disks"][0]["state"] == "blocked", result["msg"]
    assert "backup01 is powered on" in result["msg"]
    assert not any("diskremove" in entry["summary"] for entry in commands(both.lab))
    assert machine(both.lab.state(), VM)["power"] == "poweredOn"
    assert_as_it_was(both, before, result)


@pytest.mark.slow
def test_scenario_42_somebody_takes_a_snapshot_between_two_steps(both: Both) -> None:
    """A mapping in physical mode takes no part in it, and the VM has one all the same."""
    both.lab.world(one_local_disk())
    before = both.lab.state()
    result = _while_held(both, "vmsvc/snapshot.get", 2, lambda: foreign.snapshot(both.lab))
    assert [blocker["code"] for blocker in result["blockers"]] == ["has_snapshots"]
    assert not any("diskremove" in entry["summary"] for entry in commands(both.lab))
    assert (mapping(both.lab.state(), VM, AT) or {})["file"] == (mapping(before, VM, AT) or {})["file"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("held", "skip", "said"),
    [
        ("vmsvc/snapshot.get", 2, "changed when this run had begun, and cannot be read any more: No VM is named"),
        ("vmkfstools -r", 0, f"is not registered on {HOST} any more"),
    ],
    ids=["before anything is written", "while the new mapping is made"],
)
def test_scenario_43_the_vm_is_moved_to_another_host_between_two_steps(
    both: Both, held: str, skip: int, said: str
) -> None:
    """This host has nothing to do with it any more; the run is ended through the vCenter, where the VM is now."""
    both.lab.world(one_disk())
    before = both.lab.state()
    override = ["managed_by_vcenter", "other_hosts_unknown"]
    result = _while_held(both, held, skip, lambda: foreign.move(both.lab), override=override)
    assert said in result["msg"]
    assert (result["failed"], result["changed"]) == (True, skip == 0)
    assert [disk["state"] for disk in result["disks"]] == ["failed" if skip == 0 else "not_started"]
    assert not any("diskremove" in entry["summary"] for entry in commands(both.lab))
    assert (mapping(both.lab.state(), VM, AT) or {})["file"] == (mapping(before, VM, AT) or {})["file"]
    both.lab.advance(120)
    again = run(both.lab, vm=VM)
    assert not again["failed"], again["msg"]
    assert_nothing_lost(before, both.lab.state(), VM)


@pytest.mark.slow
def test_scenario_46_two_luns_answer_to_the_id_of_the_mapping(both: Both) -> None:
    world = json.loads(one_local_disk())
    for lun in world["luns"][:2]:
        lun["uuid"] = "010000000020202020202020202020202053414d4530303157444320574420"
    both.lab.world(json.dumps(world))
    result = over_ssh(both.lab, both.shell, vm=VM)
    assert [blocker["code"] for blocker in result["blockers"]] == ["lun_ambiguous"]
    for lun in world["luns"][:2]:
        assert lun["name"] in result["blockers"][0]["message"]


@pytest.mark.slow
def test_scenario_48_another_mapping_stands_where_the_old_one_was(both: Both) -> None:
    """Of the same LUN, mode and size: its uuid is not the one that was noted, and it is not deleted."""
    both.lab.world(one_local_disk())
    assert not over_ssh(both.lab, both.shell, vm=VM)["failed"]
    both.lab.change_file("[san01] backup01/data.vmdk", "delete")
    both.lab.change_file("[san01] backup01/data.vmdk", "put", kind="rdm", rdm=DISK_2TB, mode="physical")
    both.lab.clear_log()
    result = over_ssh(both.lab, both.shell, vm=VM, old_mapping="delete")
    assert [blocker["code"] for blocker in result["blockers"]] == ["old_mapping_changed"]
    assert not any("vmkfstools -U" in entry["summary"] for entry in commands(both.lab))


@pytest.mark.slow
def test_scenario_44_another_client_reconfigures_the_vm_between_two_steps(both: Both) -> None:
    """The .vmx is another one then: the step is taken on what is there now."""
    both.lab.world(one_local_disk())
    before = both.lab.state()
    edit = "cd /vmfs/volumes/san01/backup01; echo 'other.client = \"1\"' >> backup01.vmx; vim-cmd vmsvc/reload "
    result = _while_held(both, "mkdir ", 2, lambda: both.shell.run(edit + _vmid(both)))
    assert not result["failed"], result["msg"]
    assert_nothing_lost(before, both.lab.state(), VM)
    assert machine(both.lab.state(), VM)["extra_config"]["other.client"] == "1"


def _vmid(both: Both) -> str:
    return str(machine(both.lab.state(), VM)["moid"]).removeprefix("vm-")


def _while_held(both: Both, words: str, skip: int, act: Callable[[], object], **given: Any) -> dict[str, Any]:
    """Holds the run at a command, does something else meanwhile, and returns the result of the run."""
    hold = both.lab.hold(words=words, skip=skip)
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(over_ssh, both.lab, both.shell, vm=VM, **given)
        hold.wait(30)
        act()
        hold.release()
        return running.result()


@pytest.mark.slow
def test_scenario_45_a_question_at_power_on(both: Both) -> None:
    """It is told with its choices and never answered; the disks stay converted."""
    both.lab.world(one_local_disk(vm={"power": "on", "question": "Did you move or copy this virtual machine?"}))
    both.lab.clear_log()
    result = over_ssh(both.lab, both.shell, vm=VM, power="power_off", shutdown_timeout=2)
    assert result["failed"]
    assert "Did you move or copy this virtual machine?" in result["msg"]
    assert "I moved it" in result["msg"]
    assert [disk["state"] for disk in result["disks"]] == ["converted"]
    assert not [
        entry
        for entry in commands(both.lab)
        if entry["summary"].startswith("vim-cmd vmsvc/message") and entry["writes"]
    ]
    assert [text for text in records_of(both.shell).values() if '"open":null' in text] == []


@pytest.mark.slow
def test_scenario_47_a_clone_carries_the_record_of_the_vm_it_was_made_from(both: Both) -> None:
    both.lab.world(one_local_disk())
    assert not over_ssh(both.lab, both.shell, vm=VM)["failed"]
    [(name, text)] = records_of(both.shell).items()
    record = json.loads(text)
    whole = {**record, "machine": "5029aaaa-0000-0000-0000-000000000000", "open": None}
    whole["open"] = _opened(record)
    path = next(both.shell.stores.rglob(name))
    path.write_text(json.dumps(whole))
    result = over_ssh(both.lab, both.shell, vm=VM, compatibility="physical")
    assert "record_of_other_vm" in [blocker["code"] for blocker in result["blockers"]]
    path.write_text("{")
    result = over_ssh(both.lab, both.shell, vm=VM, compatibility="physical")
    assert "record_unreadable" in [blocker["code"] for blocker in result["blockers"]]


def _opened(record: dict[str, Any]) -> dict[str, Any]:
    """Returns an open entry out of what a record notes."""
    note = record["notes"][0]
    return {
        "run": "x", "lease": 0, "step": "begun", "address": AT, "wanted": "virtual", "old_mode": "physical",
        "old_file": note["old_file"], "new_file": note["old_file"].replace(".vmdk", "-virtual.vmdk"),
        "lun": note["lun"], "power_before": "powered_off", "boot_order": [], "label": "",
    }  # fmt: skip


@pytest.mark.slow
def test_scenario_49_a_host_that_a_vcenter_manages(both: Both) -> None:
    """Its blocker is overridable; the hint names the API."""
    world = json.loads(one_local_disk())
    world["api"] = "vcenter"
    world["hosts"][0]["managed_by"] = "192.0.2.10"
    both.lab.world(json.dumps(world))
    result = over_ssh(both.lab, both.shell, check=True, vm=VM)
    assert [(one["code"], one["overridable"]) for one in result["blockers"]] == [("managed_by_vcenter", True)]
    assert "over the API" in result["blockers"][0]["hint"]
    allowed = over_ssh(both.lab, both.shell, check=True, vm=VM, override=["managed_by_vcenter"])
    assert not allowed["failed"], allowed["msg"]
