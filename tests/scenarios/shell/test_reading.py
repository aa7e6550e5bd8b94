# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same world over the API and over SSH: the same structure, key by key. What differs stands in the guide."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from esxi_shell import EsxiShell
from vcenter_lab import VcenterLab

from .conftest import HOST, LARGE, LOCAL, SAN, WORLD, Both

VERSIONS = ("5.5.0", "6.7.0", "7.0.3", "8.0.3")
# What the one way knows and the other does not, or what each calls in its own way: keys, wherever they stand.
MORE_OVER_SSH = {"serial", "boot", "lun_uuid", "disk_uuid"}
LESS_OVER_SSH = {"vsan", "guest_paths"}
LESS_BEFORE_6 = {"block_size"}
# Of a host's own drive for CDs nothing is compared but its name: no mapping is ever made of one.
CD = "mpx.vmhba9:C0:T0:L0"
NAMES = [
    "a b  c",
    'it\'s "quoted"',
    "$(reboot) `id` $HOME",
    "; rm -rf x | cat & true",
    "日本語 サーバ",
    "-n -rf",
    "a\nb",
    "100% #1",
]


def differences(over_ssh: object, over_api: object, where: str = "") -> Iterator[tuple[str, object, object]]:
    """Yields every place where two results differ, in value or in type."""
    if isinstance(over_ssh, dict) and isinstance(over_api, dict):
        for key in sorted({*over_ssh, *over_api}):
            yield from differences(over_ssh.get(key, "no such key"), over_api.get(key, "no such key"), f"{where}.{key}")
    elif isinstance(over_ssh, list) and isinstance(over_api, list) and len(over_ssh) == len(over_api):
        for number, (one, other) in enumerate(zip(over_ssh, over_api, strict=True)):
            yield from differences(one, other, f"{where}[{number}]")
    elif type(over_ssh) is not type(over_api) or over_ssh != over_api:
        yield where, over_ssh, over_api


def unexpected(over_ssh: object, over_api: object, version: str) -> list[tuple[str, object, object]]:
    """Returns the differences that no rule allows."""
    less = LESS_OVER_SSH | (LESS_BEFORE_6 if version.startswith("5") else set())
    found = []
    for where, one, other in differences(over_ssh, over_api):
        key = where.rpartition(".")[2]
        if not (key in MORE_OVER_SSH and other in (None, "no such key")) and not (key in less and one is None):
            found.append((where, one, other))
    return found


@pytest.mark.parametrize("version", VERSIONS)
def test_mappings_are_told_alike(both: Both, version: str) -> None:
    both.world(version=version)
    over_ssh, over_api = both.ssh("rdm_info"), both.api("rdm_info")
    assert [rdm["compatibility"] for rdm in over_ssh["rdms"]] == ["physical", "physical", "virtual"]
    assert unexpected(over_ssh, over_api, version) == []
    disk = next(rdm for rdm in over_ssh["rdms"] if rdm["lun"]["canonical_name"] == LOCAL)
    assert disk["lun"]["serial"] == "WD2DWCC4M0000001"
    assert disk["capacity_bytes"] == disk["lun"]["capacity_bytes"] == 3907029168 * 512
    assert (disk["vm"]["power_state"], disk["vm"]["has_snapshots"], disk["label"]) == (
        "powered_off",
        False,
        "Hard disk 2",
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_luns_are_told_alike(both: Both, version: str) -> None:
    both.world(version=version)
    over_ssh, over_api = both.ssh("lun_info"), both.api("lun_info")
    for result in (over_ssh, over_api):
        result["luns"] = [lun for lun in result["luns"] if lun["canonical_name"] != CD]
    assert len(over_ssh["luns"]) == 7
    assert unexpected(over_ssh, over_api, version) == []
    by_name = {lun["canonical_name"]: lun for lun in over_ssh["luns"]}
    assert by_name[SAN + "d"]["mappable_reasons"] == ["carries_vmfs"]
    assert by_name[SAN + "c"]["mappable_reasons"] == ["removable"]
    assert "perennially_reserved" in by_name[SAN + "b"]["mappable_reasons"]
    assert by_name[LARGE]["used_by"]["rdms"][0]["vm"] == "winsrv"


def test_what_may_lie_in_a_partition_is_not_called_free(both: Both) -> None:
    more = f"  - {{name: {SAN}0, sectors: 41943040, local: true, dump: true}}\n"
    more += f"  - {{name: {SAN}1, sectors: 41943040, local: true, vsan: true}}\n"
    more += f"  - {{name: {SAN}2, sectors: 41943040, local: true, boot: true}}\n"
    more += f"  - {{name: {SAN}3, sectors: 41943040, local: true}}\n"
    both.world(WORLD.replace("vms:", more + "vms:"))
    over_api = {lun["canonical_name"]: lun for lun in both.api("lun_info")["luns"]}
    told = {lun["canonical_name"]: lun for lun in both.ssh("lun_info")["luns"]}
    assert [told[SAN + number]["mappable"] for number in "0123"] == [False, False, False, True]
    # Two commands of which no published output is at hand: a host may not know them.
    for words in ("system coredump partition list", "vsan storage list"):
        both.lab.fault(kind="command_fails", words=words)
    luns = {lun["canonical_name"]: lun for lun in both.ssh("lun_info")["luns"]}
    assert [luns[SAN + number]["mappable"] for number in "0123"] == [None, None, False, True]
    assert [over_api[SAN + number]["mappable"] for number in "0123"] == [False, False, False, True]
    assert luns[SAN + "1"]["used_by"]["vsan"] is None
    assert luns[SAN + "2"]["used_by"]["boot"] is True


def test_a_mapping_below_a_snapshot_is_found(both: Both) -> None:
    both.world(WORLD.replace("- name: winsrv", "- name: winsrv\n    snapshots: [before]"))
    over_ssh, over_api = both.ssh("rdm_info"), both.api("rdm_info")
    assert any(rdm["vm"]["has_snapshots"] for rdm in over_ssh["rdms"])
    assert unexpected(over_ssh, over_api, "8.0.3") == []


def test_names_of_every_kind(both: Both) -> None:
    luns = "\n".join(f"  - {{name: {SAN}{number}, sectors: 41943040, local: true}}" for number in range(len(NAMES)))
    vms = "\n".join(
        f"  - {{name: {json.dumps(name)}, host: {HOST}, datastore: {json.dumps('odd (1) [x] データ')}, "
        f"disks: [{{rdm: {SAN}{number}}}]}}"
        for number, name in enumerate(NAMES)
    )
    head = WORLD[: WORLD.index("luns:")]
    both.world(f"{head}luns:\n{luns}\nvms:\n{vms}\n")
    over_ssh, over_api = both.ssh("rdm_info"), both.api("rdm_info")
    assert {rdm["vm"]["name"] for rdm in over_ssh["rdms"]} == set(NAMES)
    # A descriptor is made of lines: which extent it names is not told where the name has two.
    in_two_lines = next(rdm for rdm in over_ssh["rdms"] if rdm["vm"]["name"] == "a\nb")
    assert in_two_lines["unchecked"].pop(0) == "mode_disagrees"
    assert unexpected(over_ssh, over_api, "8.0.3") == []


def test_a_file_that_no_vm_uses_names_its_lun(both: Both) -> None:
    both.world()
    found = both.ssh("rdm_info", orphans=True)["orphaned_mappings"]
    assert [(one["file"], one["compatibility"]) for one in found] == [("[local1] old/forgotten.vmdk", "physical")]
    luns = {lun["uuid"]: lun["canonical_name"] for lun in both.ssh("lun_info")["luns"]}
    assert luns[found[0]["lun_uuid"]] == SAN + "e"


def test_a_disk_that_cannot_be_read_is_a_mapping_as_hostd_says(both: Both) -> None:
    """Its descriptor is not there. And a VM whose own file is empty, as a full datastore leaves it, may have disks."""
    both.world()
    next(both.shell.stores.rglob("winsrv/*_1.vmdk")).unlink()
    next(both.shell.stores.rglob("plain.vmx")).write_text("")
    result = both.ssh("rdm_info")
    assert [(rdm["address"], rdm["compatibility"]) for rdm in result["rdms"] if rdm["vm"]["name"] == "winsrv"] == [
        ("scsi0:1", None),
        ("scsi0:2", "virtual"),
    ]
    said = " ".join(finding["message"] for finding in result["findings"])
    assert "plain is connected, and its configuration could not be read; it may have mappings." in said


def test_hostd_that_does_not_answer_leaves_the_luns(both: Both) -> None:
    both.world()
    both.lab.change_host(HOST, "hostd_down")
    result = both.ssh("rdm_info")
    assert result["rdms"] == []
    assert any("hostd" in finding["message"] and finding["code"] == "unreadable" for finding in result["findings"])
    luns = {lun["canonical_name"]: lun for lun in both.ssh("lun_info")["luns"]}
    # Nothing is called free while the VMs are not known.
    assert not any(lun["mappable"] for lun in luns.values())
    assert not any(lun["used_by"]["complete"] for lun in luns.values())
    assert luns[LOCAL]["capacity_bytes"] == 3907029168 * 512


def test_a_vm_that_the_host_passes_over_may_use_any_lun(both: Both) -> None:
    both.world(WORLD.replace("{name: plain,", "{name: plain, connection: invalid,"))
    result = both.ssh("rdm_info")
    assert [f["code"] for f in result["findings"] if f["code"] == "vm_inaccessible"] == ["vm_inaccessible"]
    blockers = {blocker["code"] for rdm in result["rdms"] for blocker in rdm["blockers"]}
    assert "other_vms_unread" in blockers
    assert not any(lun["mappable"] for lun in both.ssh("lun_info")["luns"])


@pytest.mark.parametrize("query", ["accept", "locked"])
def test_a_running_vms_mapping_may_be_locked(both: Both, query: str) -> None:
    both.world(WORLD + f"shell: {{query_of_running: {query}}}\n")
    over_ssh, over_api = both.ssh("rdm_info", vms=["running"]), both.api("rdm_info", vms=["running"])
    assert over_ssh["rdms"][0]["lun"] == over_api["rdms"][0]["lun"]
    assert over_ssh["rdms"][0]["compatibility"] == "physical"
    assert over_ssh["rdms"][0]["convertible"] is False


@pytest.mark.parametrize(
    ("command", "key", "about"),
    [
        ("ls -l /vmfs/devices/disks", "boot", "its dump partition (ls -l"),
        ("esxcli storage vmfs extent list", "vsan", "its volumes (esxcli storage vmfs extent list)"),
    ],
)
def test_what_a_command_does_not_tell_is_null(both: Both, command: str, key: str, about: str) -> None:
    both.world()
    program, *words = command.split()
    # The exit code says nothing.
    skip = _before(both, program, words)
    both.lab.fault(kind="command_fails", method=program, skip=skip, message="Connect to localhost failed: x", code=0)
    result = both.ssh("lun_info")
    assert any(about in finding["message"] for finding in result["findings"])
    lun = next(lun for lun in result["luns"] if lun["canonical_name"] == SAN + "d")
    assert lun["mappable"] is not True
    assert key in lun["used_by"]


def _before(both: Both, program: str, words: list[str]) -> int:
    """Returns how often a program is run before it is run with these words."""
    both.lab.clear_log()
    both.ssh("lun_info")
    runs = [entry["arguments"] for entry in both.lab.log() if entry["method"] == program]
    return runs.index(words)


@pytest.mark.parametrize("lacking", [("md5sum",), ("md5sum", "sha1sum"), ("hostname", "vmware")])
def test_applets_that_a_host_lacks(both: Both, tmp_path: Path, lacking: tuple[str, ...]) -> None:
    both.world()
    expected = both.ssh("rdm_info")
    world = WORLD.replace("VERSION", "8.0.3")
    with VcenterLab.start(world) as lab, EsxiShell(lab, HOST, tmp_path, without=lacking) as poorer:
        assert poorer.run(f"{lacking[0]} x").returncode == 127
        found = Both(lab, poorer).ssh("rdm_info")
    assert [rdm["lun"] for rdm in found["rdms"]] == [rdm["lun"] for rdm in expected["rdms"]]
    assert found["summary"] == expected["summary"]


@pytest.mark.parametrize("vms", [5, 60])
def test_two_runs_however_many_vms_and_nothing_is_changed(both: Both, vms: int) -> None:
    both.world(WORLD + f"generated: {{vms: {vms}, rdm_every: 5, disks: 2, hosts: 1}}\n")
    before = _files(both)
    both.lab.clear_log()
    result = both.ssh("rdm_info", orphans=True)
    log = [entry for entry in both.lab.log() if entry["object"]["type"] == "shell"]
    assert result["summary"]["vms"] >= vms
    assert [entry["arguments"] for entry in log if entry["method"] == "ssh"] == [["sh -s"], ["sh -s"]]
    assert [entry["summary"] for entry in log if entry["writes"]] == []
    assert _files(both) == before


def _files(both: Both) -> dict[str, tuple[int, int]]:
    """Returns the size and the time of change of every file and folder of the datastores, and of the ramdisk."""
    places = (both.shell.stores, both.shell._root / "root" / "tmp")
    return {
        str(path): (path.lstat().st_size, path.lstat().st_mtime_ns) for place in places for path in place.rglob("*")
    }
