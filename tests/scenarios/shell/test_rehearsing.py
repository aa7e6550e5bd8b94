# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""On a host of every kind a rehearsal over SSH names what is accepted, a conversion agrees, and all is as before.

`make test` has the host that takes one mapping of a LUN; `make test-all` all of them, and the conversions.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness import machine, without_sessions
from worlds import DISK_2TB, SAN_B

from .conftest import Both
from .rehearsing import PREFIX, assert_as_before, left, rehearsing, spare, told, verdicts
from .ways import commands, over_ssh
from .worlds_of_one_host import one_local_disk

BACKING = "InvalidDeviceBacking"
STEPS, FIRST, LOST, BACK, FAILED = "step_by_step", "old_mapping_first", "old_mapping_lost", "rolled_back", "failed"

# What the host is like, the answers that tell it, and how a conversion goes there: to virtual, to physical, on SATA.
HOSTS: dict[str, tuple[dict[str, Any], dict[str, str], tuple[str, str, str]]] = {
    "accepts all": (
        {},
        dict.fromkeys(
            (
                *("new_physical_mapping", "mapping_attached", "new_virtual_mapping", "second_mapping_file"),
                *("old_file_kept", "to_virtual_in_steps", "old_mapping_again", "deletion_of_mapping"),
                *("to_physical_in_steps", "local_disk", "mapping_on_sata", "removal_of_vm"),
            ),
            "accepted",
        ),
        (STEPS, STEPS, STEPS),
    ),
    "no second mapping file": (
        {"second_mapping": BACKING},
        {
            "second_mapping_file": "refused",
            "new_virtual_mapping": "accepted",
            "to_virtual_in_steps": "accepted",
            "to_physical_in_steps": "accepted",
            "old_mapping_again": "not_asked",
            "mapping_on_sata": "accepted",
        },
        (FIRST, BACK, FIRST),
    ),
    "nothing on SATA": (
        {"sata_mappings": BACKING},
        {"mapping_on_sata": "refused", "to_physical_in_steps": "accepted"},
        (STEPS, STEPS, FAILED),
    ),
    "nothing on SATA, and faults end well": (
        {"sata_mappings": BACKING, "shell": {"fault_code": 0}},
        {"mapping_on_sata": "refused"},
        (STEPS, STEPS, FAILED),
    ),
    "takes the file away with the disk": (
        {"shell": {"remove_deletes": True}},
        {
            "old_file_kept": "not_as_asked",
            "to_virtual_in_steps": "accepted",
            "old_mapping_again": "not_asked",
            "deletion_of_mapping": "not_asked",
            "mapping_on_sata": "accepted",
        },
        (LOST, LOST, LOST),
    ),
    "takes no word for the controller": (
        {"version": "5.5.0"},
        {"to_virtual_in_steps": "accepted", "mapping_on_sata": "refused"},
        (STEPS, STEPS, "unknown"),
    ),
}
SOON = ("no second mapping file",)
EACH = pytest.mark.parametrize(
    ("policy", "answers", "ways"),
    [pytest.param(*host, id=name, marks=() if name in SOON else pytest.mark.slow) for name, host in HOSTS.items()],
)


@EACH
def test_each_policy_is_named(
    both: Both, policy: dict[str, Any], answers: dict[str, str], ways: tuple[str, str, str]
) -> None:
    both.lab.world(spare(**policy))
    before = both.lab.state()
    result = told(both)
    assert not result["failed"], result["msg"]
    assert not result["changed"]
    found = verdicts(result)
    assert {question: found[question] for question in answers} == answers
    for answer in result["answers"]:
        assert (answer["verdict"] in ("refused", "not_as_asked")) == (answer["message"] is not None)
    assert tuple(result["conversion"][key] for key in ("to_virtual", "to_physical", "on_sata")) == ways
    assert_as_before(both, before)


@pytest.mark.slow
@EACH
def test_the_converter_goes_so(
    both: Both, policy: dict[str, Any], answers: dict[str, str], ways: tuple[str, str, str]
) -> None:
    on_sata = {"controllers": [{"type": "pvscsi"}, {"type": "sata"}]}
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "virtual"),
        ({"disk": {"mode": "virtual", "disk_mode": "persistent"}}, "physical"),
        ({"disk": {"at": "sata0:1"}, "vm": on_sata}, "virtual"),
    ]
    for (laid_over, wanted), way in zip(cases, ways, strict=True):
        if way != "unknown":
            assert way_of_converter(both, {**policy, **laid_over}, wanted) == way


def way_of_converter(both: Both, policy: dict[str, Any], wanted: str) -> str:
    """Returns how rdm_compatibility goes over SSH on such a host."""
    both.lab.world(one_local_disk(**policy))
    old = next(
        device["file"] for device in machine(both.lab.state(), "backup01")["devices"] if "data" in device["file"]
    )
    both.lab.clear_log()
    result = over_ssh(both.lab, both.shell, vm="backup01", compatibility=wanted)
    (disk,) = result["disks"]
    if disk["state"] != "converted":
        return str(disk["state"])
    deleted = [entry for entry in commands(both.lab) if entry["summary"].startswith("vmkfstools -U")]
    there = old in {file["path"] for file in both.lab.state()["files"]}
    return STEPS if there else FIRST if deleted else LOST


def test_what_is_not_surely_empty_is_refused_before_anything_is_made(both: Both) -> None:
    for laid_over, codes in (
        ({"lun": {"partitioned": True}}, ["lun_has_partitions"]),
        ({"lun": {"vmfs": "san01"}}, ["carries_vmfs", "lun_has_partitions"]),
        ({"lun": {"boot": True}}, ["host_boot_or_system", "lun_has_partitions"]),
    ):
        both.lab.world(spare(**laid_over))
        both.lab.clear_log()
        result = told(both, check=True)
        assert result["failed"]
        assert [blocker["code"] for blocker in result["blockers"]] == codes
        assert not [entry for entry in commands(both.lab) if entry["writes"]]
    again = told(both, check=True, lun_again=DISK_2TB)
    assert [blocker["code"] for blocker in again["blockers"]] == ["host_boot_or_system"]


def test_a_table_that_is_not_told_is_not_taken_for_none(both: Both) -> None:
    both.lab.world(spare())
    both.lab.fault(kind="command_fails", method="partedUtil", message="Error: Read-only open failed")
    result = told(both, check=True)
    assert [blocker["code"] for blocker in result["blockers"]] == ["partitions_unknown"]
    twice = told(both, check=True, lun_again=DISK_2TB)
    assert (twice["failed"], twice["blockers"]) == (False, [])
    assert twice["plan"][0].startswith("make a virtual machine winbackup-rehearsal-... on esx1.lab")
    assert f"make rehearsal-virtual.vmdk (virtual) ({DISK_2TB})" in twice["plan"]


def test_a_lun_that_other_hosts_may_use_is_taken_only_where_it_is_named_twice(both: Both) -> None:
    both.lab.world(spare(lun={"name": SAN_B, "local": False, "vendor": "DGC"}))
    result = told(both, check=True, lun=SAN_B)
    assert [blocker["code"] for blocker in result["blockers"]] == ["use_unknown"]
    assert not told(both, check=True, lun=SAN_B, lun_again=SAN_B)["failed"]


@pytest.mark.slow
def test_the_report_has_no_name_of_the_site(both: Both) -> None:
    world = json.loads(spare(second_mapping=BACKING, sata_mappings=BACKING))
    world["datastores"][0]["name"] = "Kunde [Müller] (1)"
    for vm in world["vms"]:
        vm["disks"] = [{"flat": 1073741824}]
    both.lab.world(json.dumps(world, ensure_ascii=False))
    result = told(both, datastore="Kunde [Müller] (1)")
    assert not result["failed"], result["msg"]
    text = json.dumps(result["report"], ensure_ascii=False)
    for name in ("Müller", DISK_2TB, "esx1", "5f900000", PREFIX, "/vmfs/"):
        assert name not in text, name
    assert result["report"]["server"] == {"kind": "esxi", "version": "8.0.3", "build": "0", "over": "ssh"}


@pytest.mark.slow
def test_a_machine_that_holds_what_no_rehearsal_made_is_left_alone(both: Both) -> None:
    both.lab.world(spare())
    before = both.lab.state()
    hold = both.lab.hold(method="vim-cmd", words="vmsvc/unregister")
    with rehearsing(both) as first:
        hold.wait(60)
        first.kill()
        hold.release(then="drop")
    name = next(name for name in left(both) if "[" not in name)
    (folder,) = [path for path in both.shell.stores.rglob(name) if path.is_dir()]
    (folder / "someone's.vmdk").write_text("not ours")
    both.lab.advance(120)
    result = told(both)
    assert not result["failed"], result["msg"]
    (warning,) = result["warnings"]
    assert f"[san01] {name}/someone's.vmdk, which no rehearsal made" in warning
    assert (folder / "someone's.vmdk").read_text() == "not ours"
    (folder / "someone's.vmdk").unlink()
    third = told(both)
    assert third["removed"] == [name], (third["warnings"], third["msg"])
    assert_as_before(both, before)
    assert without_sessions(both.lab.state()) == without_sessions(before)
