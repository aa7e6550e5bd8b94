# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is easily taken for the collection's own fault, and is another: each by its codes, and named."""

from __future__ import annotations

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._windows.event_records import EventRecord
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.diagnosis import diagnose
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.model import Confidence
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.near_misses import NEAR_MISSES
from ansible_collections.winbackup.storage.tests.unit.helpers.event_logs import (
    OTHER,
    WSB,
    backup,
    ntfs_140,
    parsed,
    reading,
    volsnap,
    vss,
    xml,
)

CLSID = "{65ee1dba-8ff4-4a58-ac1c-3470ee2f376a}"
COPY = "CreateFileW(\\\\?\\GLOBALROOT\\Device\\HarddiskVolumeShadowCopy2\\,0x80000000,0x00000003,...)"
SWPRV = "7300770070007200760000"


def disk(id: int) -> EventRecord:
    return parsed(xml("disk", id, ("\\Device\\Harddisk1\\DR1",), 20))


def service(binary: str = SWPRV) -> EventRecord:
    return parsed(xml("Service Control Manager", 7023, ("a name in any language", "%%5"), 20, binary=binary))


def space(id: int) -> EventRecord:
    return parsed(xml(WSB, id, {"VolumeFriendlyName": "D", "VolumeAccessPath": OTHER}, 20, log=WSB))


VMMS = parsed(
    xml("Microsoft-Windows-Hyper-V-VMMS", 10111, ("vm", "id"), 20, log="Microsoft-Windows-Hyper-V-VMMS-Admin")
)

# What is beside a failed backup of 0x80780034, and what it then is.
ON_TARGET = [
    (vss(12292, CLSID, "0x80080005, Server execution failed", ""), "shadow_copy_provider_broken"),
    (vss(11, CLSID, "Software provider", "[0x80080005, Server execution failed]"), "shadow_copy_provider_broken"),
    (service(), "shadow_copy_provider_broken"),
    (vss(8193, "Cannot find anymore diff area candidates for volume X [0]", "0x8000ffff, x"), "target_without_room"),
    (vss(12289, "Cannot find diff area", "0x8000ffff, Catastrophic failure"), "target_without_room"),
    (vss(4001, "300", ""), "target_without_room"),
    *((volsnap(id), "target_without_room") for id in (23, 36, 39, 41)),
    (space(50), "target_without_room"),
    (vss(4004, "F:", "E:"), "sector_sizes_differ"),
    *((disk(id), "target_failing") for id in (51, 153, 154, 157)),
    (ntfs_140(), "target_failing"),
]


@pytest.mark.parametrize(("beside", "kind"), ON_TARGET, ids=lambda one: str(getattr(one, "key", one)))
def test_the_code_of_the_target_with_another_reason(beside: EventRecord, kind: str) -> None:
    found = diagnose(reading(beside, backup()))
    assert found.failures == ()
    assert [one.kind for one in found.other_failures] == [kind]
    assert "0x80780034" in found.other_failures[0].codes
    assert (beside.provider, beside.id) in [(one.provider, one.id) for one in found.other_failures[0].evidence]


# A backup that failed with other codes.
BACKUPS = [
    (backup(code="0x807800A1"), "source_snapshot_failed"),
    (backup(521, code="0x807800A1"), "source_snapshot_failed"),
    (backup(521, code="0x80780034"), "source_snapshot_failed"),
    (backup(9, code="0x800423F4"), "source_snapshot_failed"),
    *((backup(code=f"0x800423F{n}"), "source_snapshot_failed") for n in range(5)),
    (backup(9, code="0x80042306"), "source_snapshot_failed"),
    (backup(code="0x80780119"), "little_space"),
    (backup(code="0x80780049", detail="0x80070070"), "little_space"),
    (backup(code="0x8078011E", detail="0x80070005"), "efi_partition_locked"),
    (backup(code="0x8078015B"), "share_unreachable"),
    (backup(code="0x8078002A", detail="0x8007045D"), "device_error"),
    (backup(code="0x8078012D", detail="0x8007045D"), "device_error"),
    (backup(code="0x8078012D", detail="0x80070002"), "unexplained"),
    (backup(code="0x80780048"), "unexplained"),
    (backup(code=""), "unexplained"),
    (backup(19, code="0x80780001"), "unexplained"),
]


@pytest.mark.parametrize(("one", "kind"), BACKUPS)
def test_a_backup_that_failed_with_another_code(one: EventRecord, kind: str) -> None:
    found = diagnose(reading(one))
    assert found.failures == ()
    assert [other.kind for other in found.other_failures] == [kind]


# Records that no failed backup explains.
ALONE = [
    (vss(8229, "0x800423f4, x", ""), "source_snapshot_failed"),
    (vss(8193, "IVssX", "0x80070005, x"), "source_snapshot_failed"),
    (vss(12290, "ASR Writer", "0x80070001, x"), "source_snapshot_failed"),
    (space(50), "little_space"),
    (space(51), "little_space"),
    (
        vss(ioctl="0x00560000", second="0x80070001, x", device="\\\\?\\fdc#generic_floppy_drive#6&3b4c39bd"),
        "floppy_drive",
    ),
    (vss(first=COPY, second="0x80070001, x"), "foreign_file_system_driver"),
    (vss(ioctl="0x0053c010", second="0x80070079, x"), "shadow_copy_timed_out"),
    *((vss(id, OTHER, ""), "shadow_copy_timed_out") for id in (12297, 12298, 12310, 12338, 12340)),
    *((volsnap(id), "shadow_copy_timed_out") for id in (8, 9)),
    *((volsnap(id), "shadow_copies_lost") for id in (14, 16, 25, 27, 29, 33, 35, 36, 58, 59)),
    *((volsnap(id), "protected_not_for_space") for id in (80, 81, 82, 83, 84, 85, 86, 90, 91, 92, 94)),
    *((volsnap(id, named=False), "protected_not_for_space") for id in (80, 94)),
    (ntfs_140(), "volume_failing"),
    (VMMS, "hyper_v_backup_failed"),
    (vss(ioctl="0x0053c008", second="0x80070015, x"), "unexplained"),
    (vss(12293, "{b5946137}", "x", "0x80042302, x"), "unexplained"),
]


@pytest.mark.parametrize(("record", "kind"), ALONE, ids=lambda one: str(getattr(one, "key", one)))
def test_a_record_that_no_backup_explains(record: EventRecord, kind: str) -> None:
    found = diagnose(reading(record))
    assert found.failures == ()
    assert [one.kind for one in found.other_failures] == [kind]


@pytest.mark.parametrize("record", [disk(153), service(), parsed(xml("partmgr", 58, ("x",)))])
def test_records_that_are_nothing_by_themselves(record: EventRecord) -> None:
    assert diagnose(reading(record)) == diagnose(reading())


def test_another_service_that_ends_is_not_that_of_the_provider() -> None:
    found = diagnose(reading(service(binary="53007000"), backup()))
    assert [one.confidence for one in found.failures] == [Confidence.POSSIBLE]


def test_a_record_of_another_provider_with_the_same_id_is_none_of_these() -> None:
    stranger = parsed(xml("Some Agent", 12289, ("DeviceIoControl(x - 0000000000000000,0x0053c008,", "0x80070057")))
    assert diagnose(reading(stranger, parsed(xml("Some Agent", 87, ("a", "E:"))))) == diagnose(reading())


def test_extending_is_not_advised_where_it_does_not_help() -> None:
    (one,) = diagnose(reading(volsnap(81))).other_failures
    assert "does not help" in one.next


def test_every_row_says_what_it_is_and_what_helps() -> None:
    assert all(row.summary.endswith(".") and row.next.endswith(".") for row in NEAR_MISSES)


def test_a_volume_of_a_backup_tells_its_own_codes() -> None:
    volumes = (
        '<VolumeInfo><VolumeInfoItem Name="Esp" HResult="-2139619042" DetailedHResult="-2147024891"/></VolumeInfo>'
    )
    found = diagnose(reading(backup(code="0x8078011E", detail="0x0", VolumesInfo=volumes)))
    assert found.other_failures[0].codes == ("0x8078011E", "0x80070005")
