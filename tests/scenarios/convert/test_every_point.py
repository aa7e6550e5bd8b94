"""At every request of a conversion something goes wrong; after one more run nothing is lost and nothing is left open.

The points are not written by hand: they are the requests that the lab logged of a clean run. Each kind of trouble is
let loose at each of them in turn, in a world made anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import foreign
import pytest
from harness import (
    assert_nothing_lost,
    assert_settled,
    controller,
    machine,
    mapping,
    run,
)
from vcenter_lab import VcenterLab
from worlds import LOCAL_PAIR, SAN_PAIR

VM = "backup01"
EVERY_REQUEST = "every request"
ASK: dict[str, Any] = {"vm": VM, "power": "power_off", "shutdown_timeout": 3}


@dataclass(frozen=True)
class Point:
    """One request of a clean run."""

    number: int
    method: str
    writes: bool


def points_of_a_clean_run(lab: VcenterLab, world: str) -> list[Point]:
    """Returns the requests of a conversion in which nothing goes wrong, and sees that it ended well."""
    lab.world(world)
    lab.clear_log()
    result = run(lab, **ASK)
    assert not result["failed"], result["msg"]
    assert {disk["state"] for disk in result["disks"]} == {"converted"}
    return [Point(entry["n"], entry["method"], entry["writes"]) for entry in lab.log()]


def sweep(
    lab: VcenterLab,
    world: str,
    trouble: Callable[[Point], None],
    points: list[Point],
    put_right: Callable[[], None] = lambda: None,
    foreign_changes: bool = False,
) -> list[str]:
    """Lets trouble loose at each point; returns a line for each point after which something was not as it must be."""
    wrong = []
    for point in points:
        lab.world(world)
        before = lab.state()
        lab.clear_log()
        try:
            trouble(point)
            lab.advance(120)
            put_right()
            again = run(lab, **ASK)
            check_end(lab, before, again, foreign_changes)
        except AssertionError as error:
            wrong.append(f"point {point.number} ({point.method}): {error}")
    return wrong


def check_end(lab: VcenterLab, before: dict[str, Any], again: dict[str, Any], foreign_changes: bool) -> None:
    """After the rerun: converted, or as it was with a reason; nothing lost, nothing open, the VM on as it was."""
    after = lab.state()
    assert_nothing_lost(before, after, VM)
    assert not again["failed"], again["msg"]
    assert {disk["state"] for disk in again["disks"]} <= {"converted", "unchanged"}, again["disks"]
    assert_settled(after, VM)
    for device in machine(after, VM)["devices"]:
        if device["kind"] == "rdm":
            assert device["mode"] == "virtualMode"
    if not foreign_changes:
        assert machine(after, VM)["power"] == machine(before, VM)["power"]
    third = run(lab, **ASK)
    assert third["changed"] is False, f"the run after that changed something: {third['plan']}"


def selected(points: list[Point], extent: str) -> list[Point]:
    """Returns all points, or those of writes and every fourth of the reads."""
    if extent == EVERY_REQUEST:
        return points
    reads = [point for point in points if not point.writes]
    return [point for point in points if point.writes or point in reads[::4]]


@pytest.fixture(params=["writes and a quarter of the reads", pytest.param(EVERY_REQUEST, marks=pytest.mark.slow)])
def extent(request: pytest.FixtureRequest) -> str:
    """How many of the points are gone through: the rest is left to `make test-all`."""
    return str(request.param)


FAULTS: dict[str, dict[str, Any]] = {
    "soap fault": {"kind": "soap", "fault": "TaskInProgress"},
    "task fault": {"kind": "task", "fault": "InvalidDeviceSpec"},
    "task fault of the backing": {"kind": "task", "fault": "InvalidDeviceBacking"},
    "general fault": {"kind": "task", "fault": "SystemError"},
    "done but reported failed": {"kind": "done_but_failed", "fault": "SystemError"},
    "reply lost": {"kind": "reply_lost"},
    "connection dropped": {"kind": "connection_dropped"},
    "session expired": {"kind": "session_expired"},
    "delay": {"kind": "delay", "delay_ms": 300},
}


@pytest.mark.parametrize("world", [SAN_PAIR, LOCAL_PAIR], ids=["san", "local"])
@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_at_every_point(
    vcenter: VcenterLab, extent: str, record_property: Any, world: str, fault: dict[str, Any]
) -> None:
    points = selected(points_of_a_clean_run(vcenter, world), extent)
    record_property("points of failure", len(points))

    def trouble(point: Point) -> None:
        vcenter.fault(at_request=point.number, **fault)
        result = run(vcenter, **ASK)
        if result["failed"]:
            assert result["msg"], "a run failed without a word"

    assert sweep(vcenter, world, trouble, points) == []


@pytest.mark.parametrize(
    "lost",
    [{"kind": "host_lost", "host": "esx1.lab"}, {"kind": "lun_gone", "lun": "naa.60060160a1b12345000000000000000a"}],
    ids=["host lost", "LUN gone"],
)
def test_something_disappears_at_every_point(
    vcenter: VcenterLab, extent: str, record_property: Any, lost: dict[str, Any]
) -> None:
    points = selected(points_of_a_clean_run(vcenter, SAN_PAIR), extent)
    record_property("points of failure", len(points))

    def trouble(point: Point) -> None:
        vcenter.fault(at_request=point.number, **lost)
        result = run(vcenter, **ASK)
        if result["failed"] and any(disk["state"] == "failed" for disk in result["disks"]):
            assert result["recovery"] or all(disk["before"] == disk["after"] for disk in result["disks"])

    def put_right() -> None:
        if lost["kind"] == "host_lost":
            vcenter.host_back(lost["host"])
        else:
            vcenter.lun_back(lost["lun"])

    assert sweep(vcenter, SAN_PAIR, trouble, points, put_right) == []


@pytest.mark.parametrize("then", ["drop", "proceed"])
@pytest.mark.parametrize("world", [SAN_PAIR, LOCAL_PAIR], ids=["san", "local"])
def test_the_run_is_killed_at_every_point(
    vcenter: VcenterLab, extent: str, record_property: Any, world: str, then: str
) -> None:
    points = selected(points_of_a_clean_run(vcenter, world), extent)
    record_property("points of failure", len(points))

    def trouble(point: Point) -> None:
        hold = vcenter.hold(at_request=point.number)
        with controller(vcenter, **ASK) as first:
            hold.wait(30)
            first.kill()
            hold.release(then=then)

    assert sweep(vcenter, world, trouble, points) == []


ACTS: dict[str, Callable[[VcenterLab], None]] = {
    "starts the VM": foreign.start,
    "takes a snapshot": foreign.snapshot,
    "moves the VM": foreign.move,
    "reconfigures the VM": foreign.reconfigure,
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS.keys())
def test_somebody_else_acts_at_every_point(
    vcenter: VcenterLab, extent: str, record_property: Any, act: Callable[[VcenterLab], None]
) -> None:
    points = selected(points_of_a_clean_run(vcenter, SAN_PAIR), extent)
    record_property("points of failure", len(points))

    def trouble(point: Point) -> None:
        hold = vcenter.hold(at_request=point.number)
        with controller(vcenter, **ASK) as first:
            hold.wait(30)
            act(vcenter)
            hold.release(then="proceed")
            result = first.result()
            if result["failed"]:
                assert result["msg"]

    def put_right() -> None:
        foreign.remove_snapshots(vcenter)

    assert sweep(vcenter, SAN_PAIR, trouble, points, put_right, foreign_changes=True) == []


def test_a_second_controller_at_every_point(vcenter: VcenterLab, extent: str, record_property: Any) -> None:
    points = selected(points_of_a_clean_run(vcenter, SAN_PAIR), extent)
    record_property("points of failure", len(points))

    def trouble(point: Point) -> None:
        hold = vcenter.hold(at_request=point.number)
        with controller(vcenter, **ASK) as first:
            hold.wait(30)
            with controller(vcenter, **{**ASK, "timeout": 1}) as second:
                other = second.result()
                hold.release(then="proceed")
                mine = first.result()
        won = [result for result in (mine, other) if not result["failed"]]
        assert won, f"neither run ended well: {mine['msg']} / {other['msg']}"
        for result in (mine, other):
            if result["failed"]:
                states = {disk["state"] for disk in result["disks"]}
                assert "failed" not in states, result["msg"]

    assert sweep(vcenter, SAN_PAIR, trouble, points, foreign_changes=True) == []


def test_a_second_controller_takes_over_from_one_that_hangs(
    vcenter: VcenterLab, extent: str, record_property: Any
) -> None:
    points = [point for point in points_of_a_clean_run(vcenter, SAN_PAIR) if point.writes or extent == EVERY_REQUEST]
    record_property("points of failure", len(points))

    def trouble(point: Point) -> None:
        hold = vcenter.hold(at_request=point.number)
        with controller(vcenter, **ASK) as first:
            hold.wait(30)
            vcenter.advance(120)
            other = run(vcenter, **ASK)
            hold.release(then="proceed")
            mine = first.result()
            assert not (mine["failed"] and other["failed"]), f"{mine['msg']} / {other['msg']}"
            assert mapping(vcenter.state(), VM, "scsi0:1") is not None

    assert sweep(vcenter, SAN_PAIR, trouble, points, foreign_changes=True) == []
