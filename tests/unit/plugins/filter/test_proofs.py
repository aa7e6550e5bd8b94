# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From a diagnosis to the steps that cure it, and from a conversion to its proof: exactly what was pointed to."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.winbackup.storage.plugins.filter.cure_plan import cure_plan, steps_of_mappings
from ansible_collections.winbackup.storage.plugins.filter.proofs import disks_to_prove, proven_disks, with_volumes

VOLUME = "\\\\?\\Volume{a59dcd66-5963-4ba8-995c-915935cb8654}\\"
VM_DISK = {
    "vm": "backup01",
    "vm_id": "5029",
    "address": "scsi0:1",
    "file": "[san01] backup01/a.vmdk",
    "compatibility": "physical",
    "lun": {"canonical_name": "naa.1"},
}
SOURCE = {"id": "1", "name": "D:\\", "computer": "fs01"}


def failure(signature: str = "rdm_physical_shadow_copy", confidence: str = "certain", **more: Any) -> dict[str, Any]:
    return {
        "signature": signature,
        "confidence": confidence,
        "still_so": None,
        "vm_disk": VM_DISK,
        "disk": {"number": 1, "disk_id": "id", "sizes_agree": True},
        "volume": {"guid": "a59dcd66-5963-4ba8-995c-915935cb8654", "letter": "E:", "path": VOLUME},
        "datasource": None,
        "next": "Do it.",
        **more,
    }


def rdm(file: str = VM_DISK["file"], uuid: str = "5029", **more: Any) -> dict[str, Any]:
    vm = {"name": "backup01", "moid": "vm-1", "instance_uuid": uuid}
    return {"vm": vm, "address": "scsi0:1", "file": file, "findings": [], **more}


def actions(*failures: dict[str, Any]) -> list[str]:
    return [step["action"] for step in cure_plan(failures)]


def test_a_certain_mapping_is_converted_by_the_id_of_its_vm() -> None:
    (step,) = cure_plan([failure(), failure()])
    assert (step["action"], step["vm_id"], step["address"], step["disk_id"]) == ("convert", "5029", "scsi0:1", "id")


@pytest.mark.parametrize(
    "less",
    [
        {"confidence": "likely"},
        {"confidence": "possible"},
        {"vm_disk": None},
        {"vm_disk": {**VM_DISK, "compatibility": "virtual"}},
        {"vm_disk": {**VM_DISK, "compatibility": None}},
    ],
)
def test_what_is_less_than_certain_is_tested_first(less: dict[str, Any]) -> None:
    assert actions(failure(**less)) == ["test"]
    assert actions(failure(**less, volume=None)) == ["look"]


def test_two_vms_that_differ_in_their_id_only_are_two_steps() -> None:
    steps = cure_plan([failure(), failure(vm_disk={**VM_DISK, "vm_id": "copy"})])
    assert [(step["action"], step["vm_id"]) for step in steps] == [("convert", "5029"), ("convert", "copy")]


def test_a_step_is_done_on_the_server_that_shows_the_very_mapping() -> None:
    steps = cure_plan([failure()])
    assert steps_of_mappings(steps, [rdm(lun={"canonical_name": "naa.1"})]) == steps


@pytest.mark.parametrize(
    "copy",
    [
        {"lun": {"canonical_name": "naa.2"}},
        {"lun": {"canonical_name": None}},
        {"lun": None},
        {"file": "[san01] copy/a.vmdk"},
        {"uuid": "another"},
        {"address": "scsi0:2"},
    ],
)
def test_a_copy_of_the_vm_on_another_server_is_left_alone(copy: dict[str, Any]) -> None:
    assert steps_of_mappings(cure_plan([failure()]), [rdm(**{"lun": {"canonical_name": "naa.1"}, **copy})]) == []


def test_what_is_over_has_no_step() -> None:
    assert actions(failure(still_so=False)) == []


@pytest.mark.parametrize(
    ("signature", "action"),
    [
        ("replica_offline", "extend"),
        ("recovery_point_volume_short", "extend"),
        ("replica_inconsistent", "check"),
        ("capacity_mismatch", "look"),
    ],
)
def test_what_is_done_on_a_dpm_server(signature: str, action: str) -> None:
    assert actions(failure(signature, datasource=SOURCE)) == [action]
    assert actions(failure(signature, "unclear", datasource=SOURCE)) == ["look"]
    assert actions(failure(signature)) == ["look"]


def disk(number: int = 1, **more: Any) -> dict[str, Any]:
    volumes = [{"path": VOLUME, "file_system": "ntfs"}]
    return {"disk_id": f"id{number}", "number": number, "vm_disk": VM_DISK, "volumes": volumes, **more}


def conversion(state: str = "converted", **more: Any) -> dict[str, Any]:
    before, after = {"file": VM_DISK["file"]}, {"file": "[san01] backup01/a-virtual.vmdk"}
    vm = {"name": "backup01", "moid": "vm-1", "instance_uuid": "5029"}
    return {
        "server": "vc",
        "vm": vm,
        "disks": [{"address": "scsi0:1", "state": state, "before": before, "after": after}],
        **more,
    }


@pytest.mark.parametrize("state", ["converted", "would_convert"])
def test_exactly_the_disks_that_were_converted(state: str) -> None:
    others = [
        disk(2, vm_disk=None),
        disk(3, vm_disk={**VM_DISK, "address": "scsi0:2"}),
        # As the copy of a whole site has it: only the id of the VM is another one.
        disk(4, vm_disk={**VM_DISK, "vm_id": "other"}),
        disk(5, vm_disk={**VM_DISK, "file": "[san02] backup01/a.vmdk"}),
    ]
    (found,) = disks_to_prove([disk(), *others], [conversion(state)])
    assert (found["disk_id"], found["vm_id"], found["server"], found["state"]) == ("id1", "5029", "vc", state)
    assert found["volumes"] == [VOLUME]


@pytest.mark.parametrize("state", ["unchanged", "blocked", "rolled_back", "failed", "not_started", "taken_over"])
def test_a_disk_that_was_not_converted_is_left_alone(state: str) -> None:
    assert disks_to_prove([disk()], [conversion(state)], [rdm()]) == []


def test_one_that_an_earlier_run_converted_counts_while_its_old_file_is_kept() -> None:
    kept = rdm(findings=[{"code": "old_mapping_kept"}])
    of_another = rdm(uuid="other", findings=[{"code": "old_mapping_kept"}])
    assert disks_to_prove([disk()], [conversion("unchanged")], [of_another]) == []
    assert [one["state"] for one in disks_to_prove([disk()], [conversion("unchanged")], [kept])] == ["unchanged"]


def test_a_conversion_that_failed_before_anything_was_known() -> None:
    assert disks_to_prove([disk()], [{"msg": "no such VM"}, {"vm": None, "disks": None}]) == []


def test_the_volumes_that_are_there_now() -> None:
    known = disks_to_prove([disk(volumes=None)], [conversion()])
    assert known[0]["volumes"] == []
    refs = {"path": "\\\\?\\Volume{b59dcd66-5963-4ba8-995c-915935cb8654}\\", "file_system": "ReFS"}
    now = disk(volumes=[*disk()["volumes"], refs, {"path": None, "file_system": "ntfs"}])
    assert with_volumes(known, [now])[0]["volumes"] == [VOLUME]
    assert with_volumes(disks_to_prove([disk()], [conversion()]), [disk(volumes=None)])[0]["volumes"] == [VOLUME]


@pytest.mark.parametrize(
    ("states", "proven"),
    [(["succeeded"], True), (["failed"], False), (["refused"], None), (["would_test"], None), ([], None)],
)
def test_a_disk_is_proven_by_a_shadow_copy_of_each_of_its_volumes(states: list[str], proven: bool | None) -> None:
    disks = disks_to_prove([disk()], [conversion()])
    tests = [{"name": VOLUME.upper(), "state": state, "message": "Because."} for state in states]
    assert [(one["proven"], one["why"]) for one in proven_disks(disks, tests)] == [
        (proven, "Because." if states else None)
    ]
    assert proven_disks([{**disks[0], "volumes": []}], tests)[0]["proven"] is None
