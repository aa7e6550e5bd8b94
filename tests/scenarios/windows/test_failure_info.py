# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""backup_failure_info on the lab's Windows machines and its DPM server: every profile, both languages, what cannot be
read."""

from __future__ import annotations

from typing import Any

import pytest
from dpm.dpm import Dpm
from guest.disks import Disk, Partition
from guest.guest import Guest
from guest.shapes import BACKUP_LOG, PARTITION_LOG, SNAPSHOT_LOG, backup_finished, partition_1006, snapshot_102
from wsman.site import Site

from .conftest import Lab, codes

GUID = "a59dcd66-5963-4ba8-995c-915935cb8654"
VOLUME = f"\\\\?\\Volume{{{GUID}}}"
UUID = "42394fdd-93f3-501a-8614-c6fa55f75468"
PROFILES = ["2008R2", "2012R2", "2016", "2019", "2022", "10"]
SERIAL = "6000c292a560cfee7485ca30dd209394"


def machine(profile: str = "2019", language: str = "en", **disk: Any) -> Guest:
    """One with the storage location E: on disk 1."""
    guest = Guest(profile, language=language)
    part = Partition(1 << 20, 10 << 30, volume=GUID, letter="E", label="SRV1 2020_09_05 12:00 DISK_01")
    data = Disk(**{"number": 1, "size": 3 << 40, "target": 1, "serial": SERIAL, "partitions": [part], **disk})
    guest.disks = [Disk(0, 80 << 30, boot=True), data]
    return guest


def the_one(result: dict[str, Any]) -> dict[str, Any]:
    (failure,) = result["failures"]
    return dict(failure)


@pytest.mark.parametrize(("profile", "language"), [*zip(PROFILES, ["ja", "en"] * 3, strict=True), ("2019", "ja")])
def test_the_story_in_every_version_and_language(lab: Lab, profile: str, language: str) -> None:
    lab.guest = machine(profile, language)
    lab.guest.backup_fails(VOLUME, "E:")
    result = lab.failure_info()
    assert lab.operations() == ["Create", *(["Command", "Send", "Send", "Signal"] * 2), "Delete"]
    failure = the_one(result)
    assert (failure["signature"], failure["confidence"]) == ("rdm_physical_shadow_copy", "likely")
    assert failure["codes"] == ["0x80780034", "0x80042306", "0x0053C008", "0x80070057"]
    assert failure["volume"] == {"guid": GUID, "letter": "E:", "path": f"{VOLUME}\\"}
    # 2008 R2 has no classes that tell on which disk a volume lies.
    assert (failure["disk"] or {}).get("number") == (None if profile == "2008R2" else 1)
    assert (failure["time"], failure["count"], failure["still_so"]) == ("2020-09-05T11:59:55Z", 1, None)
    assert [one["id"] for one in failure["evidence"]] == [5, 517, 12289]
    assert (result["other_failures"], result["changed"]) == ([], False)
    assert result["machine"]["serial"] == "VMware-42 39 4f dd 93 f3 50 1a-86 14 c6 fa 55 f7 54 68"
    assert (result["backup"] is None) == (profile in ("2008R2", "10"))
    logs = {one["name"]: (one["present"], one["records_read"]) for one in result["logs"]}
    assert logs["Application"] == (True, 2)
    assert logs[BACKUP_LOG] == (True, 1)
    assert logs[SNAPSHOT_LOG][0] == (profile not in ("2008R2", "2012R2"))
    assert logs[PARTITION_LOG] == ((True, 0) if profile in ("2019", "2022", "10") else (False, None))
    assert "unreadable" not in codes(result) or profile == "2008R2"


@pytest.mark.parametrize("mode", ["physical", "virtual"])
def test_the_disk_of_the_vm_makes_it_certain(lab: Lab, mode: str) -> None:
    lab.guest = machine()
    lab.guest.backup_fails(VOLUME, "E:")
    vm = {"name": "backup01", "moid": "vm-1", "bios_uuid": UUID, "same_bios_uuid": []}
    # A guest sees the LUN's own serial of a physical mapping, and the uuid of the file of a virtual one.
    shown = {"lun": {"serial": SERIAL}} if mode == "physical" else {"lun": {}, "disk_uuid": SERIAL}
    mapping = {"vm": vm, "address": "scsi0:1", "unit": 1, "compatibility": mode, **shown}
    failure = the_one(lab.failure_info(vm_disks=[mapping]))
    assert (failure["vm_disk"]["vm"], failure["vm_disk"]["address"]) == ("backup01", "scsi0:1")
    assert failure["confidence"] == ("certain" if mode == "physical" else "possible")
    assert ("rdm_compatibility" in failure["next"]) == (mode == "physical")


def test_two_sizes_make_it_certain_on_a_vm_and_are_told_by_themselves(lab: Lab) -> None:
    size = 5_860_533_168 * 512
    lab.guest = machine(size=size, wmi_size=size % 2**41)
    lab.guest.backup_fails(VOLUME, "E:")
    result = lab.failure_info()
    found = {one["signature"]: one["confidence"] for one in result["failures"]}
    assert found == {"rdm_physical_shadow_copy": "certain", "truncated_at_2_tib": "certain"}
    only = lab.failure_info(signatures=["truncated_at_2_tib"])
    assert the_one(only)["disk"] == {"number": 1, "disk_id": None, "sizes_agree": False}


def test_the_storage_location_by_the_label_that_a_backup_gives_it(lab: Lab) -> None:
    lab.guest = machine()
    lab.guest.backup_fails(VOLUME, "SRV1 2020_09_05 12:00 DISK_01")
    assert the_one(lab.failure_info())["confidence"] == "likely"
    lab.guest.disks[1].partitions = []
    lab.guest.backup_summary = {
        "LastSuccessfulBackupTargetLabel": "SRV1 2020_09_05 12:00 DISK_01",
        "LastSuccessfulBackupTargetPath": VOLUME,
        "LastSuccessfulBackupTime": lab.guest.now.replace(day=1),
        "LastBackupResultHR": 0x80780034,
        "LastBackupTarget": "SRV1 2020_09_05 12:00 DISK_01",
    }
    result = lab.failure_info()
    assert the_one(result)["confidence"] == "likely"
    assert result["backup"] == {
        "last_success": "2020-09-01T12:00:00Z",
        "last_result_code": "0x80780034",
        "target": "SRV1 2020_09_05 12:00 DISK_01",
        "next": None,
    }


@pytest.mark.parametrize(("profile", "event"), [*zip(PROFILES, [87, 93] * 3, strict=True)])
def test_a_volume_that_went_offline_on_a_machine_without_dpm(lab: Lab, profile: str, event: int) -> None:
    lab.guest = machine(profile, "ja")
    lab.guest.volume_goes_offline(VOLUME, event)
    failure = the_one(lab.failure_info())
    assert failure["signature"] == "replica_offline"
    assert failure["confidence"] == ("possible" if event == 87 else "unclear")
    assert failure["datasource"] is None


def test_the_logs_of_the_drivers(lab: Lab) -> None:
    lab.guest = machine()
    lab.guest.volume_goes_offline(VOLUME, 93)
    lab.guest.add(snapshot_102(VOLUME, 0xC000009D), 1)
    lab.guest.add(partition_1006(1, 801_569_726_464, SERIAL, 2), 7200)
    lab.guest.add(partition_1006(1, 3_000_592_982_016, SERIAL, 2), 60)
    result = lab.failure_info()
    assert SNAPSHOT_LOG in [one["log"] for one in the_one(result)["evidence"]]
    assert [(one["number"], one["capacity_bytes"]) for one in result["disk_history"]] == [
        (1, 801_569_726_464),
        (1, 3_000_592_982_016),
    ]


def test_only_the_time_that_was_asked_for(lab: Lab) -> None:
    lab.guest = machine()
    lab.guest.backup_fails(VOLUME, "E:")
    assert lab.failure_info(since="2020-09-05T11:00:00Z")["failures"]
    lab.guest.now = lab.guest.now.replace(day=7)
    assert lab.failure_info(since="24h")["failures"] == []
    assert lab.failure_info()["failures"]
    assert lab.failure_info(since="2020-09-06T00:00:00+09:00")["failures"] == []


def test_a_log_that_nobody_may_read_is_a_finding_or_a_failure(lab: Lab) -> None:
    lab.guest = machine()
    lab.guest.backup_fails(VOLUME, "E:")
    lab.guest.logs.refused.add("Application")
    result = lab.failure_info()
    # What is left tells that it failed, and no more.
    assert the_one(result)["confidence"] == "possible"
    assert "unreadable" in codes(result)
    (log,) = [one for one in result["logs"] if one["name"] == "Application"]
    assert (log["present"], log["records_read"]) == (True, None)
    failure, same = lab.try_failure_info(logs_needed=True)
    assert failure == "Logs could not be read: Application."
    assert same["failures"] == result["failures"]


def test_how_far_back_one_could_see(lab: Lab) -> None:
    lab.guest = machine()
    lab.guest.logs.disabled.add(PARTITION_LOG)
    lab.guest.backup_fails(VOLUME, "E:")
    result = lab.failure_info()
    found = {(one["code"], one["object"]) for one in result["findings"]}
    assert ("log_too_short", f"{BACKUP_LOG} of SRV1") in found
    assert ("log_disabled", f"{PARTITION_LOG} of SRV1") in found
    lab.guest.add(backup_finished(4, 0, 0, lab.guest.now, "E:"), seconds_ago=30 * 86400)
    found = {(one["code"], one["object"]) for one in lab.failure_info()["findings"]}
    assert ("log_too_short", f"{BACKUP_LOG} of SRV1") not in found


def test_disks_that_are_not_shown_take_only_what_rests_on_them(lab: Lab) -> None:
    lab.guest = machine()
    lab.guest.elevated = False
    lab.guest.backup_fails(VOLUME, VOLUME)
    result = lab.failure_info()
    failure = the_one(result)
    assert (failure["confidence"], failure["disk"]) == ("likely", None)
    assert "elevated token" in next(one["message"] for one in result["findings"] if one["code"] == "unreadable")
    assert result["machine"]["name"] is None


@pytest.mark.parametrize("since", ["", "soon", "7", "0h", "1969-01-01", "2020-13-01"])
def test_a_time_that_is_none_is_refused_before_anything_is_read(lab: Lab, since: str) -> None:
    failure, _result = lab.try_failure_info(since=since)
    assert failure is not None
    assert failure.startswith("since ")
    assert lab.operations() == []


@pytest.fixture
def dpm(dpm_site: tuple[Site, Dpm]) -> tuple[Lab, Dpm]:
    site, server = dpm_site
    return Lab(site), server


def test_on_a_dpm_server_the_volume_is_joined_to_its_data_source(dpm: tuple[Lab, Dpm]) -> None:
    lab, _server = dpm
    result = lab.failure_info(since="52w")
    offline = [one for one in result["failures"] if one["signature"] == "replica_offline"]
    assert [(one["confidence"], one["datasource"]["name"]) for one in offline]
    inconsistent = [one for one in result["failures"] if one["signature"] == "replica_inconsistent"]
    assert offline[0]["datasource"] in [one["datasource"] for one in inconsistent]
    assert offline[0]["still_so"] is True
    assert "winbackup.storage.dpm_allocation" in offline[0]["next"]


def test_data_sources_that_cannot_be_read_are_a_finding(dpm: tuple[Lab, Dpm]) -> None:
    lab, server = dpm
    server.control.hooks.refuse("Get-DPMDatasource", foreign="access_denied", times=0)
    result = lab.failure_info(since="52w")
    offline = [one for one in result["failures"] if one["signature"] == "replica_offline"]
    assert [one["datasource"] for one in offline] == [None]
    assert any("data sources of DPM" in one["message"] for one in result["findings"])
