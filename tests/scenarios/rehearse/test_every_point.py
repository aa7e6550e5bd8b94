# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""At every request of a rehearsal something goes wrong; nothing stays behind, or the next rehearsal removes it.

`make test` goes through some of the writes, not with each trouble through the same; `make test-all` through all.
"""

from __future__ import annotations

import json
import os
import signal
import zlib
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from harness import Controller, without_sessions
from vcenter_lab import Hold, VcenterLab
from worlds import SAN_B, in_two_steps

from .stage import ASK, PREFIX, WORLD, assert_as_before, left, rehearsing, told, verdicts

KEEPS = json.dumps({**json.loads(WORLD), "destroy_keeps": True})
WORLDS = {"usual": WORLD, "two steps": in_two_steps(WORLD), "destroy keeps files": KEEPS}


SOME, WRITES, EVERY = "some writes", "all writes", "every request"


def cases(troubles: Mapping[str, Any], soon: tuple[str, ...], at_every_request: tuple[str, ...] = ()) -> list[Any]:
    """Returns the cases of a test: some troubles at some writes, and each at all of them, or at every request."""
    later = {name: EVERY if name in at_every_request else WRITES for name in troubles}
    return [
        *(pytest.param(troubles[name], SOME, id=f"{name}, {SOME}") for name in soon),
        *(
            pytest.param(trouble, later[name], id=f"{name}, {later[name]}", marks=pytest.mark.slow)
            for name, trouble in troubles.items()
        ),
    ]


# What was asked of a lab in a clean rehearsal in a world: the same each time, so that once is enough.
_ASKED: dict[tuple[str, str], list[dict[str, Any]]] = {}


def points_of(lab: VcenterLab, world: str, extent: str, case: str, part: int) -> list[int]:
    """Returns the numbers of the requests of a rehearsal in which nothing goes wrong, or a part of them."""
    if (lab.control_url, world) not in _ASKED:
        lab.world(world)
        lab.clear_log()
        assert not told(lab)["failed"]
        _ASKED[lab.control_url, world] = lab.log()
    log = _ASKED[lab.control_url, world]
    if extent == EVERY:
        return [entry["n"] for entry in log]
    writes = [entry["n"] for entry in log if entry["writes"]]
    return writes if extent == WRITES else writes[zlib.crc32(case.encode()) % part :: part]


def is_held(lab: VcenterLab, hold: Hold, run: Controller) -> bool:
    """Waits until the request is held; returns False where the run ended before, which asked less often this time."""
    for _attempt in range(120):
        if lab.control("GET", f"/holds/{hold.id}?wait=0.25")["state"] != "waiting":
            return True
        if run.pipe.poll(0):
            return False
    raise AssertionError("the run neither ended nor came to the request")


def sweep(lab: VcenterLab, world: str, points: list[int], trouble: Callable[[int], None]) -> None:
    """Lets trouble loose at each point; after it and one more rehearsal all is as it was before."""
    wrong = []
    for point in points:
        lab.world(world)
        before = lab.state()
        lab.clear_log()
        try:
            trouble(point)
            lab.clear_faults()
            lab.advance(120)
            again = told(lab)
            assert not again["failed"], again["msg"]
            assert again["warnings"] == []
            assert verdicts(again)["removal_of_vm"] == "accepted"
            assert_as_before(lab, before)
        except AssertionError as error:
            wrong.append(f"point {point}: {error}")
    assert not wrong, "\n".join(wrong)


KILLS = {f"{name}, {then}": (world, then) for name, world in WORLDS.items() for then in ("drop", "proceed")}


@pytest.mark.parametrize(
    ("killed", "extent"),
    cases(KILLS, ("usual, drop", "destroy keeps files, proceed"), ("usual, drop", "usual, proceed")),
)
def test_the_run_is_killed(
    vcenter: VcenterLab, killed: tuple[str, str], extent: str, request: pytest.FixtureRequest, record_property: Any
) -> None:
    world, then = killed

    def trouble(point: int) -> None:
        hold = vcenter.hold(at_request=point)
        with rehearsing(vcenter) as first:
            if is_held(vcenter, hold, first):
                first.kill()
                hold.release(then=then)

    points = points_of(vcenter, world, extent, request.node.name, 6 if world == WORLD else 12)
    record_property("points of failure", len(points))
    sweep(vcenter, world, points, trouble)


FAULTS: dict[str, dict[str, Any]] = {
    "general fault": {"kind": "task", "fault": "SystemError"},
    "done but reported failed": {"kind": "done_but_failed", "fault": "SystemError"},
    "reply lost": {"kind": "reply_lost"},
    "connection dropped": {"kind": "connection_dropped"},
    "session expired": {"kind": "session_expired"},
    "slow task": {"kind": "slow_task", "delay_ms": 200},
}


@pytest.mark.parametrize(("fault", "extent"), cases(FAULTS, ("done but reported failed", "reply lost")))
def test_a_fault(
    vcenter: VcenterLab, fault: dict[str, Any], extent: str, request: pytest.FixtureRequest, record_property: Any
) -> None:
    """A run whose connection breaks off goes on over another and answers as one without trouble."""

    def trouble(point: int) -> None:
        vcenter.fault(at_request=point, **fault)
        result = told(vcenter)
        if fault["kind"] != "task" and not result["failed"]:
            assert "refused" not in verdicts(result).values(), result["answers"]
        if not result["failed"]:
            assert left(vcenter) == []

    points = points_of(vcenter, WORLD, extent, request.node.name, 12)
    record_property("points of failure", len(points))
    sweep(vcenter, WORLD, points, trouble)


def killed_at(lab: VcenterLab, summary: str) -> None:
    """Leaves behind what a rehearsal does that is killed when it asks for a step."""
    point = next(entry["n"] for entry in lab.log() if summary in f"{entry['method']} {entry['summary']}")
    hold = lab.hold(at_request=point)
    lab.clear_log()
    with rehearsing(lab) as first:
        hold.wait(30)
        first.kill()
        hold.release(then="drop")


@pytest.fixture
def killed(vcenter: VcenterLab) -> str:
    """The machine that a killed rehearsal left, with a mapping at scsi0:0; returns its name."""
    vcenter.world(WORLD)
    vcenter.clear_log()
    assert not told(vcenter)["failed"]
    killed_at(vcenter, "DeleteVirtualDisk_Task")
    name = next(name for name in left(vcenter) if "[" not in name)
    assert len(left(vcenter)) == 4
    return name


def test_check_mode_says_what_would_be_removed(vcenter: VcenterLab, killed: str) -> None:
    vcenter.advance(120)
    before = left(vcenter)
    result = told(vcenter, check=True)
    assert not result["failed"], result["msg"]
    assert (result["removed"], result["changed"]) == ([killed], True)
    assert left(vcenter) == before
    done = told(vcenter)
    assert (done["removed"], done["changed"], done["failed"]) == ([killed], True, False)
    assert left(vcenter) == []
    assert told(vcenter)["changed"] is False


def test_a_run_that_may_be_at_work_is_waited_for_and_not_removed(vcenter: VcenterLab, killed: str) -> None:
    result = told(vcenter, check=True)
    assert [blocker["code"] for blocker in result["blockers"]] == ["run_in_progress", "used_by_vm"]
    assert killed in result["msg"]
    other = told(vcenter, check=True, lun=json.loads(WORLD)["luns"][2]["name"])
    assert "run_in_progress" not in [blocker["code"] for blocker in other["blockers"]]
    assert other["removed"] == []


def test_a_machine_of_that_name_without_its_record_is_left_alone(vcenter: VcenterLab) -> None:
    world = json.loads(WORLD)
    for number, record in enumerate(("", "not a record", "{}", '{"format":1}', "[" * 5000)):
        name = f"{PREFIX}00000000000{number}"
        made = {"name": name, "disks": [{"rdm": SAN_B, "file": f"[san01] {name}/rehearsal-physical.vmdk"}]}
        world["vms"].append({**made, **({"extra": {"winbackup.storage.rehearsal": record}} if record else {})})
    vcenter.world(json.dumps(world))
    before = left(vcenter)
    result = told(vcenter)
    assert [blocker["code"] for blocker in result["blockers"]] == ["used_by_vm"]
    assert result["removed"] == []
    assert left(vcenter) == before


ODD: dict[str, tuple[dict[str, Any], str | None]] = {
    "a clone": ({"instance_uuid": "5004ffff-0000-4000-8000-0000000000ff"}, None),
    "running": ({"power": "on"}, "it is not powered off"),
    "with snapshots": ({"snapshots": ["before"]}, "it has snapshots"),
    "a template": ({"template": True}, "it is a template"),
    "with another disk": ({"disks": [{"flat": 1073741824}]}, "which no rehearsal gave it"),
}


def test_a_machine_that_is_no_longer_as_a_rehearsal_left_it_is_left_alone(vcenter: VcenterLab) -> None:
    """Whoever may write a VM's settings may write a record: it is looked at what would be removed."""
    world = json.loads(WORLD)
    for number, (odd, _said) in enumerate(ODD.values()):
        own = f"5004eeee-0000-4000-8000-00000000000{number}"
        record = {"format": 1, "run": f"{number}" * 32, "instance_uuid": own, "lun": SAN_B, "lease": 1.0}
        extra = {"winbackup.storage.rehearsal": json.dumps(record)}
        name = f"{PREFIX}00000000000{number}"
        world["vms"].append({"name": name, "instance_uuid": own, "extra": extra, "disks": [], **odd})
    vcenter.world(json.dumps(world))
    before = vcenter.state()
    result = told(vcenter)
    assert not result["failed"], result["msg"]
    assert result["removed"] == []
    assert without_sessions(vcenter.state()) == without_sessions(before)
    expected = [(number, said) for number, (_odd, said) in enumerate(ODD.values()) if said is not None]
    assert len(result["warnings"]) == len(expected)
    for warning, (number, said) in zip(result["warnings"], expected, strict=True):
        assert f"{PREFIX}00000000000{number}" in warning
        assert said in warning


def test_a_file_that_no_rehearsal_made_keeps_the_machine(vcenter: VcenterLab, killed: str) -> None:
    vcenter.change_file(f"[san01] {killed}/other.vmdk", "put", kind="flat", size=1048576)
    vcenter.advance(120)
    result = told(vcenter)
    assert f"[san01] {killed}/other.vmdk, which no rehearsal made" in result["warnings"][0]
    assert killed in left(vcenter)


def test_two_that_begin_at_one_moment_do_not_answer_for_each_other(vcenter: VcenterLab) -> None:
    vcenter.world(WORLD)
    before = vcenter.state()
    vcenter.clear_log()
    making = vcenter.hold(method="CreateVM_Task")
    with rehearsing(vcenter) as first:
        making.wait(30)
        # The second is stopped with its machine made, and before it asks anything.
        mapping = vcenter.hold(method="ReconfigVM_Task")
        with rehearsing(vcenter) as second:
            mapping.wait(30)
            making.release(then="proceed")
            stood_back = first.result()
            mapping.release(then="proceed")
            done = second.result()
    assert "began on" in stood_back["msg"]
    assert set(verdicts(stood_back).values()) == {"not_asked", "accepted"}
    assert not done["failed"], done["msg"]
    assert_as_before(vcenter, before)


def test_who_ends_it_finds_nothing_left(vcenter: VcenterLab) -> None:
    vcenter.world(WORLD)
    before = vcenter.state()
    vcenter.clear_log()
    hold = vcenter.hold(method="DeleteVirtualDisk_Task")
    with rehearsing(vcenter) as first:
        hold.wait(30)
        os.kill(first.process.pid, signal.SIGTERM)
        hold.release(then="proceed")
        first.process.join(30)
        assert first.process.exitcode not in (None, 0)
    assert_as_before(vcenter, before)


def test_when_time_is_up_nothing_more_is_asked_and_all_is_removed(vcenter: VcenterLab) -> None:
    vcenter.world(WORLD)
    before = vcenter.state()
    vcenter.fault(kind="delay", delay_ms=1200, method="CreateVM_Task")
    result = told(vcenter, timeout=1)
    assert "Time was up before everything was asked. Raise timeout." in result["msg"]
    assert result["report"]["complete"] is False
    assert verdicts(result)["removal_of_vm"] == "accepted"
    assert_as_before(vcenter, before)


def test_what_cannot_be_removed_is_named_and_the_next_removes_it(vcenter: VcenterLab) -> None:
    vcenter.world(WORLD)
    before = vcenter.state()
    vcenter.fault(kind="task", fault="SystemError", method="Destroy_Task", count=9)
    result = told(vcenter)
    assert result["failed"]
    assert result["changed"]
    assert f"{result['vm']} could not be removed: Removing {result['vm']} was refused: SystemError" in result["msg"]
    assert "The next rehearsal removes it" in result["msg"]
    assert verdicts(result)["removal_of_vm"] == "refused"
    assert [name for name in left(vcenter) if "[" not in name] == [result["vm"]]
    vcenter.clear_faults()
    vcenter.advance(120)
    assert told(vcenter)["removed"] == [result["vm"]]
    assert_as_before(vcenter, before)


def test_a_folder_that_cannot_be_looked_into_is_not_called_empty(vcenter: VcenterLab) -> None:
    vcenter.world(WORLD)
    hold = vcenter.hold(method="Destroy_Task")
    with rehearsing(vcenter) as first:
        hold.wait(30)
        vcenter.hide("san01", "browser")
        hold.release(then="proceed")
        result = first.result()
    assert result["failed"]
    assert f"Whether files of {result['vm']} are left could not be read ([san01] {result['vm']})." in result["msg"]
    assert verdicts(result)["removal_of_vm"] == "refused"


def test_somebody_removes_the_machine_in_the_middle(vcenter: VcenterLab) -> None:
    vcenter.world(WORLD)
    vcenter.clear_log()
    assert not told(vcenter)["failed"]
    point = next(entry["n"] for entry in vcenter.log() if entry["method"] == "DeleteVirtualDisk_Task")
    vcenter.clear_log()
    hold = vcenter.hold(at_request=point)
    with rehearsing(vcenter) as first:
        hold.wait(30)
        vcenter.take_away(next(name for name in left(vcenter) if "[" not in name))
        hold.release(then="proceed")
        result = first.result()
    assert result["failed"]
    assert "no longer exists" in result["msg"]
    assert result["report"]["complete"] is False
    assert ASK["lun"] == SAN_B
