# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The fault of a mapping in physical mode: by its pair of codes on the storage location, and by nothing less."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._windows.event_records import EventRecord
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.diagnosis import diagnose
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.model import (
    Confidence,
    Failure,
    LastBackup,
    SeenDisk,
    Signature,
)
from ansible_collections.winbackup.storage.tests.unit.helpers.event_logs import (
    GUID,
    OTHER,
    TARGET,
    WSB,
    backup,
    ntfs_140,
    parsed,
    reading,
    stamp,
    vss,
    xml,
)

JAPANESE = (
    "0x80070057, パラメーターが間違っています。\r\n",
    "\n\n操作:\n   EndPrepareSnapshots を処理しています\n\nコンテキスト:\n   実行コンテキスト: System Provider",
)


def the_one(*records: EventRecord, **facts: object) -> Failure:
    """The one failure, of the one signature."""
    found = diagnose(reading(*records, **facts))
    (failure,) = found.failures
    assert failure.signature is Signature.RDM_PHYSICAL_SHADOW_COPY
    assert found.other_failures == ()
    return failure


def others(*records: EventRecord, **facts: object) -> list[str]:
    """The kinds of the other failures; none is one of ours that would be more than possible."""
    found = diagnose(reading(*records, **facts))
    assert all(one.confidence is Confidence.POSSIBLE for one in found.failures)
    return [one.kind for one in found.other_failures]


@pytest.mark.parametrize("target", ["E:", "E:\\", f"{TARGET}\\", "SRV1 2020_09_05 12:00 DISK_01"])
@pytest.mark.parametrize("language", [(), JAPANESE], ids=["en", "ja"])
def test_the_pair_on_the_storage_location_is_likely(target: str, language: tuple[str, ...]) -> None:
    texts = dict(zip(("second", "third"), language, strict=False))
    failure = the_one(vss(**texts), backup(target=target), backup(517))
    assert failure.confidence is Confidence.LIKELY
    assert failure.volume is not None
    assert (failure.volume.guid, failure.volume.letter, failure.count) == (GUID, "E:", 1)
    assert failure.codes == ("0x80780034", "0x80042306", "0x0053C008", "0x80070057")
    assert [(one.provider, one.id) for one in failure.evidence] == [(WSB, 5), (WSB, 517), ("VSS", 12289)]
    assert failure.still_so is None


@pytest.mark.parametrize(
    ("facts", "sure"),
    [
        ({"physical_mapping": True}, Confidence.CERTAIN),
        ({"sizes_agree": False}, Confidence.CERTAIN),
        ({"sizes_agree": True}, Confidence.LIKELY),
        ({}, Confidence.LIKELY),
        ({"physical_mapping": False, "sizes_agree": False}, Confidence.POSSIBLE),
    ],
)
def test_what_is_known_of_the_disk_makes_it_surer(facts: dict[str, bool], sure: Confidence) -> None:
    found = diagnose(reading(vss(), backup(), disks=(SeenDisk(1, "id", **facts),), is_vmware=True))
    failure = next(one for one in found.failures if one.signature is Signature.RDM_PHYSICAL_SHADOW_COPY)
    assert failure.confidence is sure
    assert failure.disk is not None
    assert failure.disk.number == 1
    assert ("winbackup.storage.rdm_compatibility" in failure.next) == (sure is not Confidence.POSSIBLE)


def test_a_machine_that_is_none_of_vmwares_has_another_cause() -> None:
    failure = the_one(vss(), backup(), is_vmware=False)
    assert failure.confidence is Confidence.POSSIBLE
    assert "no virtual machine of VMware" in failure.cause


@pytest.mark.parametrize(
    "records",
    [
        [backup()],  # the code alone
        [vss()],  # the records of VSS alone
        [vss(device=OTHER), backup()],  # another volume than the storage location
        [vss(), backup(target="a label that nothing has")],
        [vss(seconds=-61), backup()],  # before the backup
        [vss(seconds=200), backup()],  # after it
        [vss(), backup(began=None)],
    ],
)
def test_less_than_the_pair_is_possible(records: list[EventRecord]) -> None:
    found = diagnose(reading(*records))
    assert {one.confidence for one in found.failures} == {Confidence.POSSIBLE}
    assert found.other_failures == ()
    assert any("winbackup.storage.shadow_copy_test" in one.next for one in found.failures)


@pytest.mark.parametrize("seconds", [-59.0, 0.0, 159.0])
def test_the_time_in_which_both_belong_together(seconds: float) -> None:
    assert the_one(vss(seconds=seconds), backup()).confidence is Confidence.LIKELY


@pytest.mark.parametrize(
    "changed",
    [
        {"ioctl": "0x0053c00c"},
        {"ioctl": "0x0053c010"},
        {"ioctl": "0x00560000"},
        {"second": "0x80070056, The parameter is incorrect.\r\n"},
        {"second": "The parameter is incorrect."},
        {"id": 12293},
        {"first": f"CreateFileW({TARGET},0x0053c008,...)"},
        {"first": "0x0053c008"},
    ],
)
def test_the_pair_with_one_code_changed_is_not_ours(changed: dict[str, object]) -> None:
    found = diagnose(reading(vss(**changed), backup()))  # type: ignore[arg-type]
    assert all(one.confidence is Confidence.POSSIBLE for one in found.failures)
    assert "0x80070057 is" not in " ".join(one.summary for one in found.failures)


@pytest.mark.parametrize("code", ["0x80780033", "0x80780035", "0x80770034", "0x807800A1", "0x80780119", "0x00000034"])
def test_another_code_of_the_backup_is_not_ours(code: str) -> None:
    found = diagnose(reading(vss(), backup(code=code)))
    assert all(one.confidence is Confidence.POSSIBLE for one in found.failures)
    assert len(found.other_failures) == 1


def test_the_preparation_with_another_error_is_unexplained() -> None:
    assert others(vss(second="0x80070015, The device is not ready."), backup()) == ["unexplained"]


def test_a_disk_that_failed_meanwhile_is_told_beside_and_makes_it_less_sure() -> None:
    assert others(vss(), ntfs_140(), backup()) == ["target_failing"]
    assert diagnose(reading(vss(), ntfs_140(), backup())).failures[0].confidence is Confidence.POSSIBLE


def test_the_storage_location_by_what_windows_server_backup_says_itself() -> None:
    told = LastBackup(success_target="DISK_07", success_path=TARGET)
    assert the_one(vss(), backup(target="DISK_07"), backup=told).confidence is Confidence.LIKELY


def test_the_storage_location_by_a_record_about_its_space() -> None:
    fields = {"VolumeFriendlyName": "DISK_07", "VolumeAccessPath": TARGET}
    place = parsed(xml(WSB, 52, fields, -9000, log=WSB, version=0))
    assert the_one(vss(), place, backup(target="DISK_07")).confidence is Confidence.LIKELY


def test_the_same_fault_night_after_night_is_one() -> None:
    day = 86400.0
    nights = [
        one
        for night in (-3, -2, -1, 0)
        for one in (vss(seconds=night * day + 30), backup(seconds=night * day + 40, began=night * day))
    ]
    failure = the_one(*nights)
    assert (failure.count, failure.confidence) == (4, Confidence.LIKELY)
    assert (failure.last_seen - failure.time).days == 3
    assert len(failure.evidence) == 2


@pytest.mark.parametrize(("target", "over"), [("E:", False), ("F:", None)])
def test_a_backup_that_ended_well_later_ends_it(target: str, over: bool | None) -> None:
    good = backup(4, "0x00000000", "0x00000000", target=target, seconds=900, began=800)
    assert the_one(vss(), backup(), good).still_so is over


def test_an_end_whose_code_is_not_told_ends_nothing() -> None:
    good = backup(4, "", "", seconds=900, began=800)
    assert the_one(vss(), backup(), good).still_so is None


def test_2008_r2_writes_its_codes_in_decimal() -> None:
    fields = {
        "BackupTemplateID": "{35b3beee-aa12-4d34-9b3d-ce205af27dad}",
        "HRESULT": "2155348020",
        "BackupState": "12",
        "BackupTarget": "E:",
        "NumOfVolumes": "1",
        "BackupTime": stamp(0),
        "HRESULT2": "2155348020",
        "VolumesInfo": "",
        "DetailedHRESULT": "2147754758",
    }
    for version in (1, 2, 9):
        old = parsed(xml(WSB, 5, fields, 40, log=WSB, version=version))
        failure = the_one(vss(), old)
        assert failure.confidence is Confidence.LIKELY
        assert failure.codes[:2] == ("0x80780034", "0x80042306")


def test_only_what_is_wanted_is_told() -> None:
    assert diagnose(reading(vss(), backup()), {Signature.REPLICA_OFFLINE}).failures == ()


@pytest.mark.parametrize("truncated", [True, False])
def test_two_sizes_are_a_failure_by_themselves_and_no_mapping(truncated: bool) -> None:
    sizes = {"disk": 3000592982016, "wmi": 801569726464, "physical": None}
    disk = SeenDisk(1, "id", sizes_agree=False, truncated=truncated, sizes=sizes)
    (failure,) = diagnose(reading(disks=(disk, SeenDisk(2, sizes_agree=True), SeenDisk(3)))).failures
    wanted = Signature.TRUNCATED_AT_2_TIB if truncated else Signature.CAPACITY_MISMATCH
    assert (failure.signature, failure.disk) == (wanted, disk)
    assert failure.volume is not None
    assert failure.volume.letter == "E:"
    assert "driver of a SATA controller" in failure.cause
    assert "3000592982016" in failure.summary
    assert replace(failure, still_so=True) == failure
