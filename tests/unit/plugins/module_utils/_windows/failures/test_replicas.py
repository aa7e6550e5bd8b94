# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replicas of DPM that went offline, told apart from volumes that went offline for another reason."""

from __future__ import annotations

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._windows.event_records import EventRecord
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.diagnosis import diagnose
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.model import (
    Confidence,
    Failure,
    ProtectedSource,
    Signature,
)
from ansible_collections.winbackup.storage.tests.unit.helpers.event_logs import (
    GUID,
    OTHER,
    TARGET,
    ntfs_140,
    parsed,
    reading,
    volsnap,
    volumes,
    xml,
)


def source(short: bool | None = None, consistent: bool | None = None, path: str = TARGET) -> ProtectedSource:
    return ProtectedSource("id", "D:\\", "fs01", volumes().find(path), short, consistent, "9 of 10 GiB are used")


def offline(*records: EventRecord, **facts: object) -> Failure:
    found = diagnose(reading(*records, **facts))
    (failure,) = [one for one in found.failures if one.signature is Signature.REPLICA_OFFLINE]
    assert found.other_failures == ()
    return failure


DRIVER = parsed(
    xml(
        "Microsoft-Windows-VolumeSnapshot-Driver",
        102,
        {"TargetVolumeGuid": TARGET, "Error": "0xC000009D"},
        31,
        log="Microsoft-Windows-VolumeSnapshot-Driver/Operational",
    )
)


@pytest.mark.parametrize("id", [87, 88, 89])
@pytest.mark.parametrize("follower", [ntfs_140(version=0), ntfs_140(version=1), ntfs_140(version=2), DRIVER])
@pytest.mark.parametrize("named", [True, False])
def test_storage_that_is_exhausted(id: int, follower: EventRecord, named: bool) -> None:
    gone = volsnap(id, named=named)
    assert offline(gone, follower).confidence is Confidence.LIKELY
    assert offline(gone).confidence is Confidence.POSSIBLE
    joined = offline(gone, follower, is_dpm=True, sources=(source(short=True),))
    assert joined.confidence is Confidence.CERTAIN
    assert joined.datasource is not None
    assert (joined.datasource.id, joined.still_so) == ("id", True)
    assert "9 of 10 GiB are used" in joined.cause
    assert "winbackup.storage.dpm_allocation" in joined.next
    assert offline(gone, is_dpm=True, sources=(source(),)).confidence is Confidence.LIKELY


@pytest.mark.parametrize(
    ("short", "followed", "sure"),
    [
        (True, True, Confidence.LIKELY),
        (True, False, Confidence.POSSIBLE),
        (False, True, Confidence.UNCLEAR),
        (None, True, Confidence.UNCLEAR),
    ],
)
def test_storage_that_is_full_or_gone(short: bool | None, followed: bool, sure: Confidence) -> None:
    records = [volsnap(93), ntfs_140()][: 1 + followed]
    failure = offline(*records, is_dpm=True, sources=(source(short=short),))
    assert failure.confidence is sure
    assert failure.cause.startswith("Unclear") == (sure is Confidence.UNCLEAR)


def test_without_a_volume_that_is_known_to_be_short_it_is_unclear() -> None:
    assert offline(volsnap(93), ntfs_140()).confidence is Confidence.UNCLEAR


@pytest.mark.parametrize(
    ("follower", "kinds"),
    [
        (ntfs_140(volume=OTHER), ["volume_failing"]),
        (ntfs_140(seconds=900), ["volume_failing"]),
    ],
)
def test_what_is_of_another_volume_or_time_does_not_belong_to_it(follower: EventRecord, kinds: list[str]) -> None:
    found = diagnose(reading(volsnap(87), follower))
    assert [one.confidence for one in found.failures] == [Confidence.POSSIBLE]
    assert [one.kind for one in found.other_failures] == kinds


@pytest.mark.parametrize("id", [80, 81, 82, 83, 84, 85, 86, 90, 91, 92, 94, 95, 25, 36])
def test_another_id_is_not_ours(id: int) -> None:
    found = diagnose(reading(volsnap(id), is_dpm=True, sources=(source(),)))
    assert found.failures == ()


def test_a_machine_without_dpm_has_no_replica() -> None:
    failure = offline(volsnap(87), ntfs_140(), is_dpm=False)
    assert failure.confidence is Confidence.POSSIBLE
    assert "no DPM server" in failure.cause
    assert "dpm_allocation" not in failure.next
    # 93 names no cause, on whatever machine.
    assert offline(volsnap(93), ntfs_140(), is_dpm=False).confidence is Confidence.UNCLEAR


def test_ntfs_alone_is_possible_for_a_known_replica_with_its_code_only() -> None:
    known = {"is_dpm": True, "sources": (source(),)}
    assert offline(ntfs_140(), **known).confidence is Confidence.POSSIBLE
    assert [one.kind for one in diagnose(reading(ntfs_140(error="0xc000000e"), **known)).other_failures] == [
        "volume_failing"
    ]
    assert [one.kind for one in diagnose(reading(ntfs_140())).other_failures] == ["volume_failing"]


def test_data_of_ntfs_without_names() -> None:
    device = "\\Device\\HarddiskVolume9"
    for data in ((TARGET, device, "0xc000009d"), (str(len(TARGET)), TARGET, str(len(device)), device, "3221225629")):
        record = parsed(xml("Microsoft-Windows-Ntfs", 140, data, 32))
        failure = offline(volsnap(87), record)
        assert failure.confidence is Confidence.LIKELY
        assert failure.codes == ("0xC000009D",)


def test_ntfs_57_of_2008_r2_follows_and_is_nothing_by_itself() -> None:
    old = parsed(xml("Ntfs", 57, ("", TARGET), 32, level=3))
    assert offline(volsnap(87, named=False), old).confidence is Confidence.LIKELY
    assert diagnose(reading(old)) == diagnose(reading())


@pytest.mark.parametrize("name", ["\\Device\\HarddiskVolume9", "C:\\DPM\\Volumes\\Replica\\31d"])
def test_a_volume_of_which_only_another_name_is_known_is_joined_to_nothing(name: str) -> None:
    failure = offline(volsnap(87, name), ntfs_140(name), is_dpm=True, sources=(source(short=True),))
    assert failure.datasource is None
    assert failure.confidence is Confidence.LIKELY
    assert failure.volume is not None
    assert (failure.volume.guid, failure.volume.path) == (None, name)


def test_two_data_sources_on_one_replica_are_not_told_apart() -> None:
    both = (source(), source())
    assert offline(volsnap(87), is_dpm=True, sources=both).datasource is None


def test_what_dpm_says_of_a_replica_that_is_well_again() -> None:
    failure = offline(volsnap(87), ntfs_140(), is_dpm=True, sources=(source(False, True),))
    assert failure.still_so is False


def test_short_volumes_and_inconsistent_replicas_are_told_by_dpm() -> None:
    found = diagnose(reading(is_dpm=True, sources=(source(True, False), source(None, None, OTHER))))
    assert {one.signature for one in found.failures} == {
        Signature.RECOVERY_POINT_VOLUME_SHORT,
        Signature.REPLICA_INCONSISTENT,
    }
    assert all(one.datasource is not None and one.still_so for one in found.failures)
    assert {one.volume.guid for one in found.failures if one.volume} == {GUID}


def test_dpm_that_could_not_be_read_is_no_dpm_without_trouble() -> None:
    failure = offline(volsnap(87), ntfs_140(), is_dpm=True, sources=None)
    assert (failure.confidence, failure.datasource, failure.still_so) == (Confidence.LIKELY, None, None)
