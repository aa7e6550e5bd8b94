# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A VM whose only mapping a killed run left detached: whoever reads all there is, over either way, is told."""

from __future__ import annotations

from typing import Any

import pytest
from foreign import find, session, write_extra
from harness import RECORD, assert_nothing_lost, controller, mapping, run
from pyVmomi import vim
from vcenter_lab import VcenterLab
from worlds import DISK_2TB

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    DiskJournal,
    JournalEntry,
    RecordedLun,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_text import whole_text
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility, Power

from .conftest import Both
from .ways import Killed, killed_at, over_ssh
from .worlds_of_one_host import HOST, one_local_disk

VM, AT = "backup01", "scsi0:1"
ASK = {"vm": VM, "power": "shutdown", "shutdown_timeout": 3}
IN_TWO_STEPS = one_local_disk(vm={"power": "on"}, one_reconfigure="InvalidDeviceSpec")


def left_detached_over_the_api(lab: VcenterLab, world: str, **more: Any) -> None:
    """Kills a run after the old mapping was taken off and before the new one is attached."""
    ask = {**ASK, **more}
    lab.world(world)
    lab.clear_log()
    assert not run(lab, **ask)["failed"]
    attached = [entry["n"] for entry in lab.log() if "operation=add" in entry["summary"]][-1]
    lab.world(world)
    lab.clear_log()
    hold = lab.hold(at_request=attached)
    with controller(lab, **ask) as first:
        hold.wait(30)
        first.kill()
        hold.release(then="drop")
    assert mapping(lab.state(), VM, AT) is None
    lab.advance(120)


def assert_told(result: dict[str, Any]) -> dict[str, Any]:
    """The detached disk is listed, with what became of it and what to do; returns it."""
    (row,) = (rdm for rdm in result["rdms"] if rdm["vm"]["name"] == VM)
    assert (row["address"], row["key"], row["compatibility"]) == (AT, None, "physical")
    assert row["lun"]["capacity_bytes"] == row["capacity_bytes"]
    (told,) = (finding for finding in row["findings"] if finding["code"] == "conversion_open")
    assert told["message"].endswith("Nothing hangs at that address now.")
    # With the VM named everything was looked at.
    assert row["convertible"] is (None if row["unchecked"] else True)
    assert result["summary"]["findings"]["conversion_open"] == 1
    assert all(row["file"] != orphan["file"] for orphan in result.get("orphaned_mappings", ()))
    return dict(row)


@pytest.fixture(scope="module")
def over_the_api(both: Both) -> Both:
    """The host, on which a run over the API was killed."""
    left_detached_over_the_api(both.lab, IN_TWO_STEPS)
    return both


@pytest.mark.parametrize("way", ["api", "ssh"])
def test_what_a_run_over_the_api_left_detached_is_listed(over_the_api: Both, way: str) -> None:
    read = getattr(over_the_api, way)
    assert_told(read("rdm_info"))
    named = read("rdm_info", vms=[VM], orphans=True, detail=["luns"])
    row = assert_told(named)
    assert row["convertible"] is True
    (lun,) = (lun for lun in named["luns"] if lun["canonical_name"] == row["lun"]["canonical_name"])
    assert [user["vm"] for user in lun["used_by"]["rdms"]] == [VM]
    assert (lun["mappable"], "used_by_vm" in lun["mappable_reasons"]) == (False, True)


def test_settings_that_are_refused_are_a_finding_and_not_an_absence(over_the_api: Both) -> None:
    over_the_api.lab.hide(VM, "config.extraConfig", fault="NoPermission")
    try:
        findings = over_the_api.api("rdm_info")["findings"]
    finally:
        over_the_api.lab.show()
    (said,) = (finding for finding in findings if finding["object"] == VM)
    assert "its configuration parameters" in said["message"]


@pytest.mark.slow
def test_what_was_ended_over_ssh_is_not_open_over_the_api(over_the_api: Both) -> None:
    assert not over_ssh(over_the_api.lab, over_the_api.shell, **ASK)["failed"]
    assert "conversion_open" not in over_the_api.api("rdm_info")["summary"]["findings"]


def test_a_server_that_knows_no_keys_in_paths_is_asked_for_all_settings(over_the_api: Both) -> None:
    lab = over_the_api.lab
    unplugged = {"disks": [{"flat": 42949672960}]}
    lab.world(one_local_disk(vm=unplugged, unknown_paths=['config.extraConfig["winbackup.storage.rdm_open"]']))
    lun = RecordedLun(DISK_2TB, "vml.01000000002020", 2000398934016, None, HOST)
    folder = "/vmfs/volumes/san01/backup01"
    entry = JournalEntry(
        "a" * 32,
        0,
        "removed",
        AT,
        Compatibility.VIRTUAL,
        Compatibility.PHYSICAL,
        f"{folder}/data.vmdk",
        f"{folder}/data-virtual.vmdk",
        lun,
        Power.OFF,
    )
    with session(lab) as content:
        machine = find(content, vim.VirtualMachine, VM).config.instanceUuid
    write_extra(lab, VM, f"{RECORD}{AT}", whole_text(DiskJournal(machine, entry)))
    write_extra(lab, "bystander", f"{RECORD}scsi0:9", "{")
    result = over_the_api.api("rdm_info")
    assert [row["vm"]["name"] for row in result["rdms"] if "conversion_open" in codes(row)] == [VM]
    # A record that nobody can read is told also where it is that of no disk.
    (spoilt,) = (finding for finding in result["findings"] if finding["code"] == "record_unreadable")
    assert spoilt["object"] == "bystander scsi0:9"


def codes(row: dict[str, Any]) -> set[str]:
    """Returns the codes of a mapping's findings."""
    return {finding["code"] for finding in row["findings"]}


def test_what_a_run_over_ssh_left_detached_is_listed_and_then_converted(both: Both) -> None:
    both.lab.world(one_local_disk(vm={"power": "on"}))
    before = both.lab.state()
    with pytest.raises(Killed):
        killed_at(both.lab, both.shell, "detach", "after", **ASK)
    both.lab.advance(120)
    assert mapping(both.lab.state(), VM, AT) is None
    assert_told(both.ssh("rdm_info"))
    # Over the API a datastore is searched for what stands beside VMs only where all its files are looked at anyway.
    assert_told(both.api("rdm_info", orphans=True))
    assert not over_ssh(both.lab, both.shell, **ASK)["failed"]
    assert_nothing_lost(before, both.lab.state(), VM)
    assert "conversion_open" not in both.api("rdm_info", orphans=True)["summary"]["findings"]
