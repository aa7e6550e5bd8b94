# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever stands in the logs: never a traceback, and nothing certain without its codes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._windows.event_records import EventRecord, parse_event
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.diagnosis import diagnose
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.model import (
    Confidence,
    SeenDisk,
    Signature,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.signs import IDS
from ansible_collections.winbackup.storage.tests.unit.helpers.event_logs import (
    OTHER,
    TARGET,
    backup,
    reading,
    vss,
    xml,
)

PROVIDERS = (
    *("VSS", "volsnap", "Volsnap", "Microsoft-Windows-Backup", "Microsoft-Windows-Ntfs", "Ntfs", "disk", "partmgr"),
    *("Service Control Manager", "Microsoft-Windows-VolumeSnapshot-Driver", "Microsoft-Windows-Partition", "other"),
)
EVERY_ID = sorted({id for ids in IDS.values() for id in ids} | {1, 0, 12288})
NAMES = (
    *("HRESULT", "DetailedHRESULT", "ErrorCode", "ErrorMessage", "BackupTime", "BackupTarget", "VolumesInfo"),
    *("VolumeName", "VolumeId", "DeviceName", "Error", "TargetVolumeGuid", "VolumeFriendlyName", "VolumeAccessPath"),
)
CALL = f"DeviceIoControl({TARGET} - 000000000000024C,0x0053c008,0,0,0,0,[0])"
TEXTS = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        [
            *("", "E:", TARGET, OTHER, CALL, "0x80780034", "2155348020", "-2139619276", "%%2155348020", "0x80070057"),
            *(
                "0x80070057, パラメーターが間違っています。",
                "0xC000009D",
                "2020-09-05T12:00:00Z",
                "9999-12-31T23:59:59Z",
            ),
            *("0001-01-01T00:00:00Z", "2020-02-30T00:00:00Z", "<VolumeInfo><VolumeInfoItem HResult='x'/></VolumeInfo>"),
            *("<!DOCTYPE x>", "\\Device\\HarddiskVolume9", "{{ 1 }}", "'; rm -rf /", "1" * 5000),
        ]
    ),
)
DATA = st.one_of(st.lists(TEXTS, max_size=8), st.dictionaries(st.sampled_from(NAMES), TEXTS, max_size=8))


@st.composite
def records(draw: Any) -> EventRecord | None:
    text = xml(
        draw(st.sampled_from(PROVIDERS)),
        draw(st.sampled_from(EVERY_ID)),
        draw(DATA),
        draw(st.integers(-300, 300)),
        version=draw(st.none() | st.integers(0, 99)),
        binary=draw(st.sampled_from(["", "00", "zz", "7300770070007200760000"])),
    )
    return parse_event(text, "System")


FACTS = {"disks": (SeenDisk(1, physical_mapping=True),), "is_vmware": True}


@given(st.lists(records(), max_size=12))
def test_any_records_are_judged_and_certain_only_by_their_codes(found: list[EventRecord | None]) -> None:
    diagnosis = diagnose(reading(*(one for one in found if one is not None), **FACTS))
    for failure in diagnosis.failures:
        assert failure.time <= failure.last_seen
        assert failure.count >= 1
        if failure.confidence is Confidence.CERTAIN:
            assert failure.signature is Signature.RDM_PHYSICAL_SHADOW_COPY
            assert {"0x80780034", "0x0053C008", "0x80070057"} <= set(failure.codes)
            assert failure.volume is not None
    for other in diagnosis.other_failures:
        assert other.summary
        assert other.next


@given(st.lists(records(), max_size=6))
def test_no_other_record_hides_a_backup_that_failed(noise: list[EventRecord | None]) -> None:
    found = diagnose(reading(vss(), backup(), *(one for one in noise if one is not None), **FACTS))
    assert "0x80780034" in {code for one in (*found.failures, *found.other_failures) for code in one.codes}


@pytest.mark.parametrize("year", [1, 1600, 9001, 9999])
def test_a_time_that_was_never_set_is_none(year: int) -> None:
    text = xml("VSS", 12289, (CALL, "0x80070057")).replace('SystemTime="2020', f'SystemTime="{year:04d}')
    assert parse_event(text, "Application") is None


@pytest.mark.parametrize("year", [1601, 9000])
def test_the_first_and_the_last_time(year: int) -> None:
    text = xml("Microsoft-Windows-Backup", 5, {"HRESULT": "0x80780034"}).replace("2020-09-05", f"{year}-01-01")
    record = parse_event(text, "Microsoft-Windows-Backup")
    assert record is not None
    assert len(diagnose(reading(record, vss())).failures) == 2
