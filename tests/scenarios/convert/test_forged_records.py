"""A record that somebody else wrote, on the lab: a privileged run maps, attaches and deletes nothing of others by it.

The unit tests go through every field; here a killed run left a disk detached, and its record is changed over the API.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import foreign
import pytest
from harness import RECORD, controller, machine, mapping, records, run
from vcenter_lab import VcenterLab
from worlds import SAN_C, SAN_PAIR, in_two_steps

VM = "backup01"


def foreign_lun(record: dict[str, Any], lab: VcenterLab) -> None:
    """Names the LUN of another VM."""
    other = next(vm for vm in lab.state()["vms"] if vm["name"] != VM)
    device = next(device for device in other["devices"] if device["kind"] == "rdm")
    record["open"]["lun"].update(canonical_name=SAN_C, capacity_bytes=device["capacity_bytes"])


def foreign_file(record: dict[str, Any], lab: VcenterLab) -> None:
    """Names the mapping file of another VM as the old one."""
    other = next(vm for vm in lab.state()["vms"] if vm["name"] != VM)
    file = next(device["file"] for device in other["devices"] if device["kind"] == "rdm")
    volume = "/".join(record["open"]["old_file"].split("/")[:4])
    record["open"]["old_file"] = f"{volume}/{file.partition('] ')[2]}"


def deep(record: dict[str, Any], lab: VcenterLab) -> None:
    """Nests."""
    nested: list[Any] = []
    for _level in range(300):
        nested = [nested]
    record["open"]["boot_order"] = nested


FORGERIES: dict[str, Callable[[dict[str, Any], VcenterLab], None]] = {
    "the LUN of another VM": foreign_lun,
    "the file of another VM": foreign_file,
    "nested": deep,
}


@pytest.mark.parametrize("wanted", ["virtual", "physical"])
@pytest.mark.parametrize("forgery", FORGERIES)
def test_a_forged_record_moves_nothing_of_others(vcenter: VcenterLab, forgery: str, wanted: str) -> None:
    vcenter.world(in_two_steps(SAN_PAIR))
    vcenter.clear_log()
    hold = vcenter.hold(method="ReconfigVM_Task", skip=4)
    with controller(vcenter, vm=VM, power="shutdown") as first:
        hold.wait(30)
        first.kill()
        hold.release(then="drop")
    before = vcenter.state()
    left = next(address for address in records(before, VM) if mapping(before, VM, address) is None)
    record = json.loads(records(before, VM)[left])
    FORGERIES[forgery](record, vcenter)
    foreign.write_extra(vcenter, VM, RECORD + left, json.dumps(record))
    vcenter.advance(120)
    result = run(vcenter, vm=VM, compatibility=wanted)
    assert result["failed"]
    after = vcenter.state()
    assert mapping(after, VM, left) is None
    for vm in before["vms"]:
        if vm["name"] != VM:
            assert machine(after, vm["name"]) == vm
    kept = {file["path"] for file in before["files"]}
    assert kept <= {file["path"] for file in after["files"]}
    assert f"{RECORD}{left}" in result["msg"] or "used by" in result["msg"] or "LUN" in result["msg"], result["msg"]
