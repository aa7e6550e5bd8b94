"""Trouble at every request of a conversion: the requests are those that the lab logged of a clean run.

Each story is a world and what is asked there. At each point of a story some trouble is let loose in a world made anew;
what was at fault is put right, the call is made again, and then nothing may be lost, left open or lying about.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from harness import assert_nothing_lost, assert_settled, machine, mapping, records, run
from vcenter_lab import VcenterLab
from worlds import LOCAL_PAIR, SAN_PAIR, VIRTUAL_PAIR, in_two_steps, one_disk

VM = "backup01"
EVERY_REQUEST = "every request"
ONLY_WRITES = "writes"
WRITES = "writes and what follows them"


@dataclass(frozen=True)
class Story:
    """What is asked, and of which world; the VM runs at first, and shall run at the end."""

    name: str
    world: str
    ask: dict[str, Any] = field(default_factory=dict)

    @property
    def options(self) -> dict[str, Any]:
        """The options of the call."""
        return {"vm": VM, "power": "shutdown", "shutdown_timeout": 3, **self.ask}

    @property
    def wanted(self) -> str:
        """The mode as the lab calls it."""
        return f"{self.ask.get('compatibility', 'virtual')}Mode"


SAN = Story("san", SAN_PAIR)
LOCAL = Story("local", LOCAL_PAIR)
TWO_STEPS = Story("two steps", in_two_steps(SAN_PAIR))
ONLY_DISK = Story("only disk", in_two_steps(one_disk(vm={"power": "on"})))
DELETE = Story("delete", SAN_PAIR, {"old_mapping": "delete"})
BACK = Story("back", VIRTUAL_PAIR, {"compatibility": "physical"})


@dataclass(frozen=True)
class Point:
    """One request of a clean run."""

    number: int
    method: str
    writes: bool


# What was asked of a lab in a clean run of a story: the same each time, so that once is enough.
_ASKED: dict[tuple[str, str], list[Point]] = {}


def points_of(lab: VcenterLab, story: Story, extent: str) -> list[Point]:
    """Returns the requests of a run of the story in which nothing goes wrong, or a part of them."""
    if (lab.control_url, story.name) not in _ASKED:
        lab.world(story.world)
        lab.clear_log()
        result = run(lab, **story.options)
        assert not result["failed"], result["msg"]
        assert {disk["state"] for disk in result["disks"]} == {"converted"}
        log = [Point(entry["n"], entry["method"], entry["writes"]) for entry in lab.log()]
        _ASKED[lab.control_url, story.name] = log
    points = _ASKED[lab.control_url, story.name]
    if extent == EVERY_REQUEST:
        return points
    written = {point.number for point in points if point.writes}
    after = {number + 1 for number in written} if extent == WRITES else set()
    return [point for point in points if point.number in written | after]


def sweep(
    lab: VcenterLab,
    story: Story,
    points: list[Point],
    trouble: Callable[[Point], None],
    put_right: Callable[[], None] = lambda: None,
    *,
    stays_off_at: tuple[str, ...] = (),
) -> None:
    """Lets trouble loose at each point; fails with a line for each after which something was not as it must be."""
    wrong = []
    for point in points:
        lab.world(story.world)
        before = lab.state()
        lab.clear_log()
        try:
            trouble(point)
            put_right()
            lab.advance(120)
            check_end(lab, story, before, runs=point.method not in stays_off_at)
        except AssertionError as error:
            wrong.append(f"point {point.number} ({point.method}): {error}")
    assert not wrong, "\n".join(wrong)


def check_end(lab: VcenterLab, story: Story, before: dict[str, Any], *, runs: bool = True) -> None:
    """Makes the call again; after it every disk is as wanted, nothing is lost, left open or lying about."""
    again = run(lab, **story.options)
    after = lab.state()
    assert_nothing_lost(before, after, VM)
    assert not again["failed"], again["msg"]
    assert {disk["state"] for disk in again["disks"]} <= {"converted", "unchanged"}, again["disks"]
    assert_settled(after, VM)
    for device in machine(after, VM)["devices"]:
        if device["kind"] == "rdm":
            assert device["mode"] == story.wanted, f"{device['address']} is {device['mode']}"
    assert_settings_kept(before, after)
    assert_nothing_lies_about(before, after)
    if story.ask.get("old_mapping") == "delete":
        assert not records(after, VM)
    if runs:
        assert machine(after, VM)["power"] == machine(before, VM)["power"]
    third = run(lab, **story.options)
    assert not third["failed"], third["msg"]
    assert third["changed"] is False, f"the run after that changed something: {third['plan']}"


def assert_settings_kept(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Shares, limits, labels and the boot order are what they were."""
    for device in machine(before, VM)["devices"]:
        now = mapping(after, VM, device["address"]) or {}
        for name in ("shares", "limit", "label", "sharing"):
            assert now[name] == device[name], f"{name} of {device['address']} is {now[name]}, was {device[name]}"
    assert machine(after, VM)["boot_order"] == machine(before, VM)["boot_order"]


def assert_nothing_lies_about(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Every mapping file is attached, noted, or was there before."""
    attached = {device["file"] for vm in after["vms"] for device in vm["devices"]}
    noted = {path.rpartition("/")[2] for path in noted_files(after)}
    known = {file["path"] for file in before["files"]}
    for file in after["files"]:
        if file["kind"] == "rdm" and file["path"] not in attached | known:
            assert file["path"].rpartition("/")[2] in noted, f"{file['path']} lies about"


def noted_files(state: dict[str, Any]) -> Iterator[str]:
    """Yields the kept old mapping files that the VM's records name."""
    for text in records(state, VM).values():
        for note in json.loads(text)["notes"]:
            yield note["old_file"]


def assert_honest(lab: VcenterLab, before: dict[str, Any], result: dict[str, Any]) -> None:
    """What a run says of itself is so: each disk stands where its state says, and a lost one comes with commands."""
    assert result["failed"] == bool(result["msg"])
    assert lab.password not in json.dumps(result, ensure_ascii=False)
    after = lab.state()
    wrote = machine(after, VM)["devices"] != machine(before, VM)["devices"]
    assert result["changed"] or not wrote, "the disks were changed, and the run says that nothing was"
    for disk in result.get("disks", ()):
        then, now = mapping(before, VM, disk["address"]), mapping(after, VM, disk["address"])
        state = disk["state"]
        if state == "failed":
            assert now is not None or result["recovery"], f"{disk['address']} is gone, and no command was given"
            continue
        assert now is not None, f"{disk['address']} is gone, and its state is {state}"
        if (
            then is not None
            and not result["resumed"]
            and state in ("rolled_back", "not_started", "blocked", "unchanged")
        ):
            assert now["file"] == then["file"], f"{disk['address']} is {state} and maps through {now['file']}"
        if state == "converted":
            said = disk["after"]
            assert (said["file"], said["disk_mode"]) == (now["top_file"], now["disk_mode"])
            assert f"{said['compatibility']}Mode" == now["mode"]
