# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""shadow_copy_test: the fault is there, or it is gone; nothing older is lost, and nothing stays behind."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from guest.disks import Disk, Partition
from guest.guest import Guest
from guest.shadows import Area, ShadowCopy

from .conftest import Lab, codes

TARGET, OTHER = "a59dcd66-5963-4ba8-995c-915935cb8654", "b59dcd66-5963-4ba8-995c-915935cb8654"
PATH = f"\\\\?\\Volume{{{TARGET}}}\\"
MARK = f"HKLM:\\SOFTWARE\\winbackup.storage.shadow_copy_test.{TARGET}"
DPM = "HKLM:\\SOFTWARE\\Microsoft\\Microsoft Data Protection Manager\\Setup"
GIB = 1 << 30


def machine(profile: str = "2019", **others: Any) -> Guest:
    """One with the target of its backups at E:, which holds one of them, and a ReFS volume at F:."""
    guest = Guest(profile, **others)
    target = Partition(1 << 20, 2000 * GIB, volume=TARGET, letter="E")
    other = Partition(2001 * GIB, 10 * GIB, "", OTHER, "F", "ReFS")
    guest.disks = [Disk(1, 3000 * GIB, partitions=[target, other])]
    guest.shadows.add(target, guest.now, client_accessible=False)
    return guest


def only(result: dict[str, Any]) -> dict[str, Any]:
    [test] = result["tests"]
    found: dict[str, Any] = test
    return found


@pytest.fixture
def guest(lab: Lab) -> Guest:
    lab.guest = machine()
    return lab.guest


def copies(lab: Lab) -> list[ShadowCopy]:
    return lab.guest.shadows.copies


@pytest.mark.parametrize(("profile", "name"), [("2012R2", "E:"), ("2022", "e:\\"), ("10", PATH)])
def test_a_copy_is_made_and_removed(lab: Lab, profile: str, name: str) -> None:
    lab.guest = machine(profile, language="ja")
    before = list(copies(lab))
    failure, result = lab.shadow_copy_test(name, "E:")
    test = only(result)
    assert (failure, test["state"], test["return_value"], test["code"]) == (None, "succeeded", 0, None)
    assert test["volume"] == {"guid": TARGET, "letter": "E:", "path": PATH}
    assert (test["events"], test["is_the_fault"]) == ([], False)
    assert result["changed"] is False
    assert result["summary"] == {"succeeded": 1, "failed": 0, "refused": 0, "would_test": 0}
    assert copies(lab) == before
    assert lab.guest.registry == {}
    assert lab.said == ["Testing shadow copies of E:"]


@pytest.mark.parametrize(("value", "language"), [(10, "en"), (12, "ja"), (13, "en")])
def test_the_fault_is_there(lab: Lab, value: int, language: str) -> None:
    lab.guest = machine(language=language)
    lab.guest.shadows.failing[TARGET] = value
    failure, result = lab.shadow_copy_test("E:")
    test = only(result)
    # By itself it fails no task.
    assert failure is None
    assert (test["state"], test["return_value"], test["is_the_fault"]) == ("failed", value, True)
    [event] = test["events"]
    assert (event["provider"], event["id"], event["codes"]) == ("VSS", 12289, ["0x0053C008", "0x80070057"])
    assert "raw device mappings in physical mode" in test["message"]
    failure, _result = lab.shadow_copy_test("E:", fail_on_failure=True)
    assert failure == test["message"]
    # It is gone.
    lab.guest.shadows.failing.clear()
    assert only(lab.shadow_copy_test("E:", fail_on_failure=True)[1])["state"] == "succeeded"
    assert lab.guest.registry == {}


def test_another_fault_is_not_taken_for_it(lab: Lab, guest: Guest) -> None:
    guest.shadows.failing[TARGET] = 6
    test = only(lab.shadow_copy_test("E:")[1])
    assert (test["code"], test["is_the_fault"]) == ("insufficient_storage", False)


def test_check_mode_makes_nothing(lab: Lab, guest: Guest) -> None:
    guest.at_create = lambda _guest: pytest.fail("a copy was made")
    before = list(copies(lab))
    failure, result = lab.shadow_copy_test("E:", "F:", "X:", check_mode=True)
    assert failure is None
    assert [(test["state"], test["code"]) for test in result["tests"]] == [
        ("would_test", None),
        ("refused", "not_ntfs"),
        ("refused", "volume_not_found"),
    ]
    assert (copies(lab), guest.registry) == (before, {})


def settings(**values: int) -> dict[str, dict[str, Any]]:
    return {"HKLM:\\SYSTEM\\CurrentControlSet\\Services\\VSS\\Settings": values}


def make_client_copies(guest: Guest, count: int) -> None:
    for _number in range(count):
        guest.shadows.add(guest.disks[0].partitions[0], guest.now)


def test_no_older_copy_is_pushed_out_by_number(lab: Lab, guest: Guest) -> None:
    make_client_copies(guest, 64)
    test = only(lab.shadow_copy_test("E:")[1])
    assert (test["state"], test["code"]) == ("refused", "copies_at_their_number")
    guest.shadows.copies.pop()
    assert only(lab.shadow_copy_test("E:")[1])["state"] == "succeeded"
    # The limit that is set counts.
    guest.registry = settings(MaxShadowCopies=10)
    assert only(lab.shadow_copy_test("E:")[1])["code"] == "copies_at_their_number"
    assert len(guest.shadows.copies) == 64


@pytest.mark.parametrize(
    ("area", "free", "state"),
    [
        (None, 2 * GIB, "succeeded"),
        (None, GIB, "refused"),
        (Area(TARGET, TARGET, 10 * GIB, 12 * GIB), 2 * GIB, "succeeded"),
        (Area(TARGET, TARGET, 10 * GIB, 11 * GIB), 2 * GIB, "refused"),
        (Area(TARGET, TARGET, 10 * GIB, 12 * GIB), GIB, "refused"),
        (Area(TARGET, TARGET, 10 * GIB, None), 2 * GIB, "succeeded"),
        (Area(TARGET, "nowhere", 10 * GIB, None), 2 * GIB, "refused"),
    ],
)
def test_no_older_copy_is_pushed_out_by_space(lab: Lab, guest: Guest, area: Area | None, free: int, state: str) -> None:
    before = list(copies(lab))
    guest.shadows.areas = [area] if area is not None else []
    guest.disks[0].partitions = [
        Partition(1 << 20, 2000 * GIB, volume=TARGET, letter="E", free=free),
        guest.disks[0].partitions[1],
    ]
    test = only(lab.shadow_copy_test("E:")[1])
    assert test["state"] == state
    assert test["code"] in (None, "copies_at_their_space", "copies_unknown")
    assert copies(lab) == before


def test_a_copy_that_is_lost_all_the_same_fails_the_task(lab: Lab, guest: Guest) -> None:
    """Somebody fills the area between the look and the test."""
    area = Area(TARGET, TARGET, 0, 5 * GIB)
    guest.shadows.areas = [area]

    def meanwhile(_guest: Guest) -> None:
        area.allocated = 5 * GIB

    guest.at_create = meanwhile
    lost = copies(lab)[0].id
    failure, result = lab.shadow_copy_test("E:")
    assert failure is not None
    assert lost in failure
    test = only(result)
    assert (test["state"], test["code"]) == ("failed", "copies_lost")
    assert [event["id"] for event in test["events"]] == [33]


def test_a_copy_that_others_make_meanwhile_leaves_no_room(lab: Lab, guest: Guest) -> None:
    """The number is looked at once more right before the copy is made."""
    make_client_copies(guest, 63)
    made = []

    def another(machine: Guest) -> None:
        made.append(machine.shadows.add(machine.disks[0].partitions[0], machine.now))

    lab.guest.at_registry = another
    test = only(lab.shadow_copy_test("E:")[1])
    assert (test["state"], test["code"]) == ("refused", "copies_at_their_number")
    assert len(copies(lab)) == 65
    assert lab.guest.registry == {}


def test_a_volume_of_dpms_pool_is_refused(lab: Lab, guest: Guest) -> None:
    guest.registry[DPM] = {"UIInstallPath": "C:\\DPM\\"}
    pool = "c59dcd66-5963-4ba8-995c-915935cb8654"
    guest.disks.append(Disk(2, GIB, dynamic=True, partitions=[Partition(0, GIB, volume=pool, folder="C:\\DPM\\Vol\\")]))
    _failure, result = lab.shadow_copy_test("C:\\DPM\\Vol", "E:")
    assert [(test["state"], test["code"]) for test in result["tests"]] == [
        ("refused", "dpm_pool_volume"),
        ("succeeded", None),
    ]


@pytest.mark.parametrize("refused", ["win32_shadowcopy", "win32_shadowstorage"])
def test_what_is_not_known_is_no_reason_to_go_ahead(lab: Lab, guest: Guest, refused: str) -> None:
    guest.refusing = {refused}
    assert only(lab.shadow_copy_test("E:")[1])["code"] == "copies_unknown"


def test_a_session_without_an_elevated_token(lab: Lab) -> None:
    lab.guest = machine(elevated=False)
    failure, _result = lab.shadow_copy_test("E:")
    assert failure is not None
    assert "elevated token" in failure


def test_another_creation_is_tried_three_times(lab: Lab, guest: Guest) -> None:
    guest.shadows.busy = True
    tries = []

    def one_more(machine: Guest) -> None:
        tries.append(machine.now)
        machine.shadows.busy = len(tries) < 3

    guest.at_create = one_more
    began = guest.now
    assert only(lab.shadow_copy_test("E:")[1])["state"] == "succeeded"
    assert tries == [began + datetime.timedelta(seconds=seconds) for seconds in (0, 30, 60)]
    guest.at_create = lambda machine: setattr(machine.shadows, "busy", True)
    assert only(lab.shadow_copy_test("E:")[1])["code"] == "operation_in_progress"


def test_what_a_killed_run_left_is_removed_by_the_next_and_nothing_else(lab: Lab, guest: Guest) -> None:
    make_client_copies(guest, 1)
    before = list(copies(lab))

    def killed(machine: Guest) -> None:
        machine.at_remove = lambda _guest: None
        machine.dead = True

    guest.at_remove = killed
    began = guest.now
    failure, result = lab.shadow_copy_test("E:")
    # The same run waits until the mark is dead, and removes what was left.
    assert failure is None
    assert (only(result)["state"], only(result)["code"]) == ("failed", "outcome_unknown")
    assert guest.now - began >= datetime.timedelta(seconds=300)
    assert codes(result) == ["test_left_open"]
    assert (copies(lab), guest.registry) == (before, {})
    assert only(lab.shadow_copy_test("E:")[1])["state"] == "succeeded"


def test_a_run_that_is_killed_while_the_copy_is_made(lab: Lab, guest: Guest) -> None:
    """Its id was never known: it is not removed, and said so."""

    def killed(machine: Guest) -> None:
        machine.at_create = lambda _guest: None
        machine.dead = True

    guest.at_create = killed
    before = len(copies(lab))
    _failure, result = lab.shadow_copy_test("E:")
    assert only(result)["code"] == "outcome_unknown"
    assert (len(copies(lab)), guest.registry) == (before + 1, {})
    assert copies(lab)[-1].id in result["findings"][0]["message"]
    assert copies(lab)[0].id not in result["findings"][0]["message"]


def leave_a_mark(guest: Guest, seconds: float, copy: str = "") -> None:
    """What a run wrote that may last so many seconds more."""
    until = (guest.now + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S.0000000Z")
    guest.registry[MARK] = {"until": until, **({"copy": copy} if copy else {})}


def test_a_dead_mark_with_its_copy(lab: Lab, guest: Guest) -> None:
    before = list(copies(lab))
    left = guest.shadows.add(guest.disks[0].partitions[0], guest.now)
    leave_a_mark(guest, -1, left.id)
    # Check mode removes nothing.
    _failure, planned = lab.shadow_copy_test("E:", check_mode=True)
    assert (codes(planned), len(copies(lab))) == (["test_left_open"], 2)
    _failure, result = lab.shadow_copy_test("E:")
    assert (only(result)["state"], codes(result)) == ("succeeded", ["test_left_open"])
    assert left.id in result["findings"][0]["message"]
    assert (copies(lab), guest.registry) == (before, {})


def test_a_mark_that_names_a_backup_costs_no_backup(lab: Lab, guest: Guest) -> None:
    """Whatever stands in the registry: a copy of another kind, or of another volume, is no test's of this one."""
    backup = copies(lab)[0]
    other = guest.shadows.add(guest.disks[0].partitions[1], guest.now)
    for left in (backup, other):
        leave_a_mark(guest, -1, left.id)
        assert only(lab.shadow_copy_test("E:")[1])["state"] == "succeeded"
        assert (copies(lab), guest.registry) == ([backup, other], {})


def test_a_dead_mark_without_an_id_costs_no_copy(lab: Lab, guest: Guest) -> None:
    before = list(copies(lab))
    leave_a_mark(guest, -1)
    _failure, result = lab.shadow_copy_test("E:")
    assert only(result)["state"] == "succeeded"
    assert "its id is not known" in result["findings"][0]["message"]
    assert (copies(lab), guest.registry) == (before, {})


def test_a_mark_that_was_never_written_into(lab: Lab, guest: Guest) -> None:
    """A run was ended right after it had made the key: it is looked at a few times, since it may be another's."""
    guest.registry[MARK] = {}
    began = guest.now
    _failure, result = lab.shadow_copy_test("E:")
    assert only(result)["state"] == "succeeded"
    assert guest.now - began == datetime.timedelta(seconds=20)
    assert guest.registry == {}


def test_a_living_mark_is_waited_for(lab: Lab, guest: Guest) -> None:
    leave_a_mark(guest, 100, guest.shadows.add(guest.disks[0].partitions[0], guest.now).id)
    began = guest.now
    guest.at_create = lambda machine: machine.registry.setdefault("waited", {"until": machine.now})
    guest.at_remove = lambda machine: None
    _failure, result = lab.shadow_copy_test("E:")
    assert only(result)["state"] == "succeeded"
    waited = guest.registry.pop("waited")["until"] - began
    assert 100 <= waited.total_seconds() <= 120


@pytest.mark.parametrize("number", [11, 12, 13, 14])
def test_a_connection_that_drops_leaves_nothing_behind(lab: Lab, guest: Guest, number: int) -> None:
    """At the requests about the script that makes a copy: what is said is so, and nothing stays."""
    before = list(copies(lab))
    lab.site.host.troubles.clear()
    lab.site.host.troubles.add("reset_after", number=number)
    failure, result = lab.shadow_copy_test("E:")
    assert failure is None
    assert only(result)["state"] in ("succeeded", "failed")
    assert (copies(lab), guest.registry) == (before, {})
    lab.site.host.troubles.clear()
    assert only(lab.shadow_copy_test("E:")[1])["state"] == "succeeded"


def test_no_volume_is_named(lab: Lab) -> None:
    failure, _result = lab.shadow_copy_test()
    assert failure is not None
    assert "volumes names no volume" in failure
