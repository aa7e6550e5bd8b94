# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Mappings are converted over SSH: with what commands, in what order, and what stands there afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from harness import assert_nothing_lost, machine, mapping
from points import assert_settings_kept
from worlds import DISK_2TB

from .conftest import Both
from .ways import commands, leftovers, over_ssh, records_of
from .worlds_of_one_host import BOTH_DISKS, one_local_disk

VM = "backup01"
# What may be run where nothing is to be changed.
READING = {"ssh", "uname", "hostname", "vmware", "esxcli", "ls", "find", "md5sum", "date"}
READING_WORDS = ("vim-cmd hostsvc/hostsummary", "vim-cmd vmsvc/get", "vim-cmd vmsvc/snapshot.get", "vmkfstools -q")
READING_WORDS += ("vim-cmd vmsvc/device.getdevices", "vim-cmd vmsvc/message")
NEVER = ("vmkfstools -d", "vmkfstools -i", "vmkfstools -E", "vim-cmd vmsvc/destroy", "vim-cmd vmsvc/unregister")


def as_they_are(stores: Path) -> dict[str, tuple[bytes | int, int]]:
    """Returns all that lies on the datastores: what stands in it, and when it was changed; of large files the size."""
    found: dict[str, tuple[bytes | int, int]] = {}
    for path in sorted(stores.rglob("*")):
        facts = path.stat()
        small = path.is_file() and facts.st_size < 1 << 20
        found[str(path)] = (path.read_bytes() if small else facts.st_size, facts.st_mtime_ns)
    return found


def assert_only_read(log: list[dict[str, Any]]) -> None:
    """Every command only reads."""
    for entry in log:
        only = entry["method"] in READING or entry["summary"].startswith(READING_WORDS)
        assert only, entry["summary"]
        assert not entry["writes"], entry["summary"]


def assert_never(log: list[dict[str, Any]]) -> None:
    """Nothing was run that could touch a LUN, or a disk that is no mapping."""
    queried: dict[str, str] = {}
    for entry in log:
        assert not entry["summary"].startswith(NEVER), entry["summary"]
        if entry["summary"].startswith("vmkfstools -q"):
            queried[entry["arguments"][-1]] = entry["outcome"]
        if entry["summary"].startswith("vmkfstools -U"):
            assert queried.get(entry["arguments"][-1]) == "exit:0", entry["summary"]


def test_the_disks_of_the_first_report(both: Both) -> None:
    both.lab.world(BOTH_DISKS)
    before, files = both.lab.state(), as_they_are(both.shell.stores)
    both.lab.clear_log()
    ask = {"vm": VM, "power": "shutdown", "shutdown_timeout": 5}
    planned = over_ssh(both.lab, both.shell, check=True, **ask)
    assert not planned["failed"], planned["msg"]
    assert [disk["state"] for disk in planned["disks"]] == ["would_convert", "would_convert"]
    assert as_they_are(both.shell.stores) == files
    assert_only_read(commands(both.lab))
    both.lab.clear_log()
    result = over_ssh(both.lab, both.shell, **ask)
    assert not result["failed"], result["msg"]
    assert [disk["state"] for disk in result["disks"]] == ["converted", "converted"]
    assert (result["plan"], result["diff"]) == (planned["plan"], planned["diff"])
    after = both.lab.state()
    assert_nothing_lost(before, after, VM)
    assert_settings_kept(before, after)
    for disk in result["disks"]:
        device = mapping(after, VM, disk["address"]) or {}
        assert (device["mode"], device["disk_mode"]) == ("virtualMode", "persistent")
        assert disk["after"] == {
            "file": device["file"],
            "compatibility": "virtual",
            "disk_mode": "persistent",
            "sharing": "none",
        }
    assert (result["power"], machine(after, VM)["power"]) == (
        {"before": "powered_on", "after": "powered_on"},
        machine(before, VM)["power"],
    )
    log = commands(both.lab)
    assert_never(log)
    steps = [entry["summary"].split(" /")[0] for entry in log if entry["method"] == "vmkfstools" and entry["writes"]]
    assert steps == ["vmkfstools -r", "vmkfstools -r"]
    assert leftovers(both.shell) == []
    notes = {name: json.loads(text) for name, text in records_of(both.shell).items()}
    assert sorted(notes) == [f"{VM}.winbackup.storage.rdm.scsi0:{unit}.json" for unit in (1, 2)]
    assert [note["open"] for note in notes.values()] == [None, None]
    files = as_they_are(both.shell.stores)
    again = over_ssh(both.lab, both.shell, **ask)
    assert (again["failed"], again["changed"]) == (False, False), again["msg"]
    assert as_they_are(both.shell.stores) == files


@pytest.mark.parametrize(
    "version", ["5.5.0", pytest.param("6.7.0", marks=pytest.mark.slow), pytest.param("7.0.3", marks=pytest.mark.slow)]
)
def test_there_and_back_on_every_version(both: Both, version: str) -> None:
    """With what `device.diskremove` takes there; the old mapping is attached again, and then deleted."""
    both.lab.world(one_local_disk(version=version))
    before = both.lab.state()
    result = over_ssh(both.lab, both.shell, vm=VM)
    assert not result["failed"], result["msg"]
    both.lab.clear_log()
    back = over_ssh(both.lab, both.shell, vm=VM, compatibility="physical", old_mapping="delete")
    assert not back["failed"], back["msg"]
    after = both.lab.state()
    assert_nothing_lost(before, after, VM)
    assert (mapping(after, VM, "scsi0:1") or {})["file"] == "[san01] backup01/data.vmdk"
    log = commands(both.lab)
    assert_never(log)
    assert [entry["summary"][:13] for entry in log if entry["method"] == "vmkfstools" and entry["writes"]] == [
        "vmkfstools -U"
    ]
    assert records_of(both.shell) == {}
    assert [file["path"] for file in after["files"] if file["kind"] == "rdm" and "backup01" in file["path"]] == [
        "[san01] backup01/data.vmdk"
    ]


def test_names_of_every_kind(both: Both) -> None:
    """None breaks a command or runs one, and all are converted."""
    name = 'it\'s "x" $(reboot) `id`; rm -rf / | & 日本  -q #'
    store = "odd (1) [x] データ"
    file = f"[{store}] {name}/-n $HOME 'データ'.vmdk"
    world = one_local_disk(
        vm={"name": name, "datastore": store},
        disk={"file": file},
        datastores=[{"name": "san01"}, {"name": store}],
    )
    both.lab.world(world)
    before = both.lab.state()
    both.lab.clear_log()
    result = over_ssh(both.lab, both.shell, vm=name)
    assert not result["failed"], result["msg"]
    after = both.lab.state()
    assert_nothing_lost(before, after, name)
    assert (mapping(after, name, "scsi0:1") or {})["lun_canonical"] == DISK_2TB
    assert result["disks"][0]["after"]["file"] == file.replace(".vmdk", "-virtual.vmdk")
    assert {entry["method"] for entry in commands(both.lab)} <= READING | {
        "vim-cmd", "vmkfstools", "mkdir", "rmdir", "mv", "cp", "rm", "sleep",
    }  # fmt: skip
    assert leftovers(both.shell) == []
