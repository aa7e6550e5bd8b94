# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""windows_disk: exactly the named disks come online and writable, and what is refused."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

import pytest
from guest.disks import POLICY, Disk, Partition
from guest.guest import Guest

from .conftest import Lab

GUID = "0d6c9a2c-5b0e-4f7e-9d3f-1f7f3b7b2c11"
OTHER = "1d6c9a2c-5b0e-4f7e-9d3f-1f7f3b7b2c22"
SIGNATURE = "a1b2c3d4"
VOLUME = "a59dcd66-5963-4ba8-995c-915935cb8654"
OFFLINE: dict[str, Any] = {"offline": True, "offline_reason": POLICY, "read_only": True}


def machine(*disks: Disk) -> list[Disk]:
    part = Partition(1 << 20, 70 << 30, volume=VOLUME.replace("a59d", "c59d"), letter="C")
    system = Disk(0, 80 << 30, style="MBR", disk_id=str(0x11223344), boot=True, partitions=[part])
    return [system, *disks]


def mapping(number: int = 1, disk_id: str = GUID, **others: Any) -> Disk:
    part = Partition(1 << 20, 10 << 30, "{1}", VOLUME, "E")
    given = {**OFFLINE, "target": number, "disk_id": f"{{{disk_id.upper()}}}", "partitions": [part], **others}
    return Disk(number, 3 << 40, **given)


def states(result: dict[str, Any]) -> list[tuple[str, str | None]]:
    return [(row["state"], row["reason"]) for row in result["disks"]]


@pytest.mark.parametrize("profile", ["2012R2", "2019", "2022", "10"])
def test_the_named_disk_comes_online_and_writable_and_no_other(lab: Lab, profile: str) -> None:
    lab.guest = Guest(profile)
    other = mapping(2, OTHER)
    lab.guest.disks = machine(mapping(), other)
    before = dataclasses.replace(other)
    failure, planned = lab.disk(GUID, check_mode=True)
    assert (failure, planned["changed"], states(planned)) == (None, True, [("would_change", None)])
    assert lab.guest.disks[1].offline is True
    failure, done = lab.disk(f"{{{GUID.upper()}}}")
    assert (failure, done["changed"], states(done)) == (None, True, [("changed", None)])
    assert (lab.guest.disks[1].offline, lab.guest.disks[1].read_only) == (False, False)
    assert lab.guest.disks[2] == before
    [row] = done["disks"]
    assert row["before"] == {"offline": True, "offline_reason": "policy", "read_only": True}
    assert row["after"] == {"offline": False, "offline_reason": None, "read_only": False}
    assert row["after"] == planned["disks"][0]["after"]
    assert done["diff"] == {"before": {GUID: row["before"]}, "after": {GUID: row["after"]}} == planned["diff"]
    assert [volume["letter"] for volume in row["volumes"]] == ["E:"]
    assert lab.said == ["Making Disk 1 online and writable"]
    assert [action for action in lab.operations() if action == "Command"] == ["Command"] * 4
    failure, again = lab.disk(GUID)
    assert (failure, again["changed"], states(again)) == (None, False, [("unchanged", None)])
    assert again["diff"] == {"before": {}, "after": {}}


def test_an_mbr_disk_is_known_by_its_signature(lab: Lab) -> None:
    lab.guest.disks = machine(Disk(1, 1 << 40, style="MBR", disk_id=str(0xA1B2C3D4), target=1, **OFFLINE))
    failure, result = lab.disk(f"0x{SIGNATURE.upper()}")
    assert (failure, result["disks"][0]["disk_id"], states(result)) == (None, SIGNATURE, [("changed", None)])
    assert lab.guest.disks[1].offline is False


def test_online_and_read_only_and_back_offline(lab: Lab) -> None:
    lab.guest.disks = machine(mapping(read_only=False))
    assert lab.disk(GUID, read_only=True)[1]["disks"][0]["after"]["read_only"] is True
    assert (lab.guest.disks[1].offline, lab.guest.disks[1].read_only) == (False, True)
    failure, result = lab.disk(GUID, online=False)
    assert (failure, states(result)) == (None, [("changed", None)])
    # Whether an offline disk is read-only is nobody's wish.
    assert (lab.guest.disks[1].offline, lab.guest.disks[1].read_only) == (True, True)
    assert lab.disk(GUID, online=False)[1]["changed"] is False


@pytest.mark.parametrize(
    ("disk", "reason", "sentence"),
    [
        (mapping(offline_reason=2), "disk_redundant_path", "Set up MPIO"),
        (mapping(offline_reason=3), "disk_snapshot", "snapshot of another disk"),
        (mapping(offline_reason=4), "disk_collision", "would write it a new one"),
        (mapping(offline_reason=5), "disk_resource_exhaustion", "resources"),
        (mapping(offline_reason=6), "disk_critical_write_failures", "Writes to it failed"),
        (mapping(offline_reason=7), "disk_data_integrity_scan_required", "scan"),
        (mapping(offline_reason=8), "disk_lost_data_persistence", "lost its data"),
        (mapping(offline_reason=99), "disk_offline_reason_unknown", "not known here"),
        (mapping(offline_reason=None), "disk_offline_reason_unknown", "does not tell"),
        (mapping(clustered=True), "disk_clustered", "every node"),
        # Neither is a disk of the Storage classes; only an MBR signature stands in Win32_DiskDrive.
        (mapping(style="MBR", disk_id=str(0xA1B2C3D4), pooled=True), "disk_in_storage_pool", "Storage Spaces"),
        (mapping(style="MBR", disk_id=str(0xA1B2C3D4), dynamic=True), "disk_dynamic", "dynamic disk"),
        (mapping(disk_id=OTHER), "disk_not_found", "windows_disk_info lists"),
    ],
)
def test_what_is_refused_and_nothing_is_changed(lab: Lab, disk: Disk, reason: str, sentence: str) -> None:
    named = SIGNATURE if disk.style == "MBR" else GUID
    if disk.style == "MBR":
        disk = dataclasses.replace(disk, disk_id=str(0xA1B2C3D4))
    fine = mapping(2, "2d6c9a2c-5b0e-4f7e-9d3f-1f7f3b7b2c33")
    lab.guest.disks = machine(dataclasses.replace(disk), fine)
    for check_mode in (True, False):
        failure, result = lab.disk(named, fine.disk_id, check_mode=check_mode)
        assert states(result) == [("refused", reason), ("not_started", "not_started")]
        assert failure is not None
        assert sentence in failure
        assert "1 more of the named disks" in failure
        assert result["changed"] is False
        assert lab.guest.disks[1:] == [disk, fine]


def test_two_disks_with_one_id_are_both_left_alone(lab: Lab) -> None:
    lab.guest.disks = machine(mapping(1), mapping(2))
    failure, result = lab.disk(GUID)
    assert states(result) == [("refused", "disk_ambiguous")]
    assert failure is not None
    assert "Disk 1 and Disk 2 have the id" in failure


def test_the_disk_that_windows_runs_from_is_not_taken_away(lab: Lab) -> None:
    lab.guest.disks = machine()
    for options in ({"online": False}, {"read_only": True}):
        _failure, result = lab.disk("11223344", **options)
        assert states(result) == [("refused", "disk_boot_or_system")]
    assert lab.disk("11223344")[1]["changed"] is False


@pytest.mark.parametrize("refused", ["msft_disk", "msft_partition", "msft_physicaldisk"])
def test_what_is_not_known_is_no_reason_to_go_ahead(lab: Lab, refused: str) -> None:
    lab.guest.disks = machine(mapping())
    lab.guest.refusing = {refused}
    failure, result = lab.disk(GUID)
    assert failure is not None
    assert states(result) == [("refused", "disk_state_unknown")]
    assert lab.guest.disks[1].offline is True


@pytest.mark.parametrize(
    ("given", "sentence"),
    [([], "disk_ids names no disk"), (["1"], "neither the GUID"), (["E:"], "neither the GUID"), ([""], "neither")],
)
def test_what_is_no_id_is_refused_before_anything_is_asked(lab: Lab, given: list[str], sentence: str) -> None:
    failure, _result = lab.disk(*given)
    assert failure is not None
    assert sentence in failure
    assert lab.operations() == []


@pytest.mark.parametrize("code", [40001, 41018])
def test_what_windows_refuses_is_told_with_its_code(lab: Lab, code: int) -> None:
    """The cluster takes the disk between the last look and the change; or the rights are not enough for it."""

    def meanwhile(guest: Guest) -> None:
        guest.disks[1].clustered = code == 41018
        guest.elevated = code != 40001

    lab.guest.disks = machine(mapping(), mapping(2, OTHER))
    lab.guest.at_set_disk = meanwhile
    failure, result = lab.disk(GUID, OTHER)
    assert failure is not None
    assert "elevated token" in failure if code == 40001 else "cluster's own tools" in failure
    if code == 41018:
        assert states(result) == [("failed", "windows_refused"), ("not_started", "not_started")]
        assert "storage error 41018" in failure
        assert result["changed"] is False
    else:
        # Who is shown no disks any more cannot say what became of it.
        assert states(result) == [("failed", "outcome_unknown")] * 2
    assert [disk.offline for disk in lab.guest.disks[1:]] == [True, True]


def test_a_disk_that_somebody_changes_meanwhile(lab: Lab) -> None:
    """Another run brings it online in the moment of our change: that is as good as our own."""
    lab.guest.disks = machine(mapping())

    def meanwhile(guest: Guest) -> None:
        guest.disks[1].offline = guest.disks[1].read_only = False

    lab.guest.at_set_disk = meanwhile
    failure, result = lab.disk(GUID)
    assert (failure, states(result)) == (None, [("changed", None)])


def test_a_change_that_windows_accepts_and_does_not_show(lab: Lab) -> None:
    lab.guest.disks = machine(mapping(stuck=True))
    failure, result = lab.disk(GUID)
    assert failure is not None
    assert states(result) == [("failed", "not_reached")]
    assert "does not show it" in failure
    # It may come to be.
    assert result["changed"] is True
    assert result["disks"][0]["after"]["offline"] is True


def test_time_that_is_up_begins_no_step(lab: Lab) -> None:
    lab.guest.disks = machine(mapping())
    failure, _result = lab.disk(GUID, timeout=0)
    assert failure is not None
    assert "timeout must be at least 1" in failure


def requests_of(lab: Lab) -> int:
    """How many requests a run takes that nothing happens to."""
    lab.guest.disks = machine(mapping())
    lab.site.host.troubles.clear()
    lab.disk(GUID)
    return len(lab.site.host.troubles.operations())


@pytest.mark.parametrize("kind", ["reset_after", "reboot"])
def test_a_connection_that_drops_while_disks_are_changed(lab: Lab, kind: str) -> None:
    """At the requests about the script that changes: its input, the word to go, the answer, the end."""
    drops_at(lab, kind, range(8, 12))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["reset_before", "reset_after", "close_after", "drop_idle", "reboot"])
def test_a_connection_that_drops_at_every_request(lab: Lab, kind: str) -> None:
    drops_at(lab, kind, range(1, requests_of(lab) + 1))


def drops_at(lab: Lab, kind: str, numbers: Iterable[int]) -> None:
    """What is said of a disk is so, whatever became of the connection, and the next run ends right."""
    for number in numbers:
        lab.guest.disks = machine(mapping())
        lab.site.host.troubles.clear()
        lab.site.host.troubles.add(kind, number=number)
        failure, result = lab.disk(GUID)
        disk = lab.guest.disks[1]
        if failure is None:
            assert states(result) == [("changed", None)]
            assert (disk.offline, disk.read_only) == (False, False)
            assert result["disks"][0]["after"]["offline"] is False
        elif "disks" in result:
            [row] = result["disks"]
            assert row["state"] in ("failed", "not_started")
            assert result["changed"] or disk.offline is True
            assert row["after"] is None or row["after"]["offline"] == disk.offline
        lab.site.host.troubles.clear()
        assert lab.disk(GUID)[0] is None
        assert (disk.offline, disk.read_only) == (False, False)
