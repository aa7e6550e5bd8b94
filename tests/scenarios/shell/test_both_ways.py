# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was begun over the one way is finished over the other, from every step; two runs over both ways at once are one.

`make test` goes through some of the steps, `make test-all` through all of them, there and back.
"""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness import assert_nothing_lost, controller, machine, mapping, records, run
from points import assert_nothing_lies_about

from .conftest import Both
from .ways import STEPS, STEPS_OF_GIVING_UP, Killed, killed_at, leftovers, over_ssh, records_of, ssh_controller
from .worlds_of_one_host import one_local_disk

SLOW = pytest.mark.slow
VM = "backup01"
AT = "scsi0:1"
ASK = {"vm": VM, "power": "shutdown", "shutdown_timeout": 3}
WORLD = one_local_disk(vm={"power": "on"})
STRICT = one_local_disk(vm={"power": "on"}, second_mapping="InvalidDeviceBacking")


def open_records(both: Both) -> dict[str, Any]:
    """Returns what is written down, of both places the later, as far as it is open."""
    texts = [*records(both.lab.state(), VM).values(), *records_of(both.shell).values()]
    later = max((json.loads(text) for text in texts), key=lambda record: record["sequence"], default={})
    return later.get("open") or {}


def assert_finished(both: Both, before: dict[str, Any], result: dict[str, Any], mode: str = "virtualMode") -> None:
    """The disk is as it was asked for, the VM runs as before, and nothing is left open or lying about."""
    assert not result["failed"], result["msg"]
    after = both.lab.state()
    assert_nothing_lost(before, after, VM)
    assert (mapping(after, VM, AT) or {})["mode"] == mode
    assert machine(after, VM)["power"] == machine(before, VM)["power"]
    assert open_records(both) == {}
    assert leftovers(both.shell) == []
    texts = records_of(both.shell).values()
    noted = [note["old_file"].rpartition("/")[2] for text in texts for note in json.loads(text)["notes"]]
    after["files"] = [file for file in after["files"] if file["path"].rpartition("/")[2] not in noted]
    assert_nothing_lies_about(before, after)


@pytest.mark.parametrize(
    ("step", "when"),
    [
        pytest.param(step, when, marks=() if (step, when) == ("detach", "after") else SLOW)
        for step in STEPS
        for when in ("before", "after")
    ],
)
def test_a_run_killed_over_ssh_is_finished_over_the_api(both: Both, step: str, when: str) -> None:
    both.lab.world(WORLD)
    before = both.lab.state()
    with pytest.raises(Killed):
        killed_at(both.lab, both.shell, step, when, **ASK)
    both.lab.advance(120)
    result = run(both.lab, **ASK)
    assert_finished(both, before, result)
    third = over_ssh(both.lab, both.shell, **ASK)
    assert (third["failed"], third["changed"]) == (False, False), third["msg"]


@pytest.mark.slow
@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", [*STEPS_OF_GIVING_UP, "detach", "attach", "power on"])
def test_a_run_killed_where_the_host_takes_no_second_mapping_is_ended_over_the_api(
    both: Both, step: str, when: str
) -> None:
    """It is finished there, or undone where the old mapping is there still; and then finished over SSH."""
    both.lab.world(STRICT)
    before = both.lab.state()
    with pytest.raises(Killed):
        killed_at(both.lab, both.shell, step, when, **ASK)
    both.lab.advance(120)
    ended = run(both.lab, **ASK)
    assert {disk["state"] for disk in ended["disks"]} <= {"converted", "unchanged", "rolled_back"}, ended["msg"]
    assert_nothing_lost(before, both.lab.state(), VM)
    assert open_records(both) == {}
    old_is_there = any(file["path"] == "[san01] backup01/data.vmdk" for file in both.lab.state()["files"])
    assert ended["failed"] == old_is_there
    assert_finished(both, before, over_ssh(both.lab, both.shell, **ASK))


@pytest.mark.parametrize(
    ("number", "then"),
    [
        pytest.param(number, then, marks=() if (number, then) == (2, "proceed") else SLOW)
        for number in range(6)
        for then in ("proceed", "drop")
    ],
)
def test_a_run_killed_over_the_api_is_finished_over_ssh(both: Both, number: int, then: str) -> None:
    both.lab.world(WORLD)
    before = both.lab.state()
    both.lab.clear_log()
    assert not run(both.lab, **ASK)["failed"]
    writes = [entry["n"] for entry in both.lab.log() if entry["writes"]]
    both.lab.world(WORLD)
    both.lab.clear_log()
    hold = both.lab.hold(at_request=writes[min(number, len(writes) - 1)])
    with controller(both.lab, **ASK) as first:
        hold.wait(30)
        first.kill()
        hold.release(then=then)
    both.lab.advance(120)
    result = over_ssh(both.lab, both.shell, **ASK)
    assert_finished(both, before, result)
    third = run(both.lab, **ASK)
    assert (third["failed"], third["changed"]) == (False, False), third["msg"]


@pytest.mark.slow
def test_a_disk_that_a_run_over_the_api_left_detached_is_converted_over_ssh(both: Both) -> None:
    """Over the API a mapping is made by being attached, so that none was made when the old one was taken off."""
    world = one_local_disk(vm={"power": "on"}, one_reconfigure="InvalidDeviceSpec")
    both.lab.world(world)
    both.lab.clear_log()
    assert not run(both.lab, **ASK)["failed"]
    attached = [entry["n"] for entry in both.lab.log() if "operation=add" in entry["summary"]][-1]
    both.lab.world(world)
    before = both.lab.state()
    both.lab.clear_log()
    hold = both.lab.hold(at_request=attached)
    with controller(both.lab, **ASK) as first:
        hold.wait(30)
        first.kill()
        hold.release(then="drop")
    assert mapping(both.lab.state(), VM, AT) is None
    both.lab.advance(120)
    result = over_ssh(both.lab, both.shell, **ASK)
    assert [disk["state"] for disk in result["disks"]] == ["converted"], result["msg"]
    assert_finished(both, before, result)


@pytest.mark.slow
def test_a_run_that_lives_over_the_one_way_is_not_taken_over_by_the_other(both: Both) -> None:
    both.lab.world(one_local_disk())
    before = both.lab.state()
    hold = both.lab.hold(method="vmkfstools", skip=_queries_before(both))
    with ssh_controller(both.lab, both.shell, **ASK) as first:
        hold.wait(30)
        seen = run(both.lab, check=True, **ASK)
        assert [blocker["code"] for blocker in seen["blockers"]] == ["run_in_progress"]
        hold.release()
        result = first.result()
    assert_finished(both, before, result)


def _queries_before(both: Both) -> int:
    """Returns how often vmkfstools is run before it makes the new mapping."""
    both.lab.clear_log()
    over_ssh(both.lab, both.shell, **ASK)
    log = [entry["arguments"][0] for entry in both.lab.log() if entry["method"] == "vmkfstools"]
    both.lab.world(one_local_disk())
    return log.index("-r")


@pytest.mark.slow
def test_claims_over_both_ways_at_once_are_one(both: Both) -> None:
    """The one over SSH is held right after it wrote its record; the one over the API claims then, and one gives way."""
    both.lab.world(one_local_disk())
    before = both.lab.state()
    hold = both.lab.hold(method="ReconfigVM_Task")
    with controller(both.lab, **ASK) as over_api:
        hold.wait(30)
        with ssh_controller(both.lab, both.shell, **ASK) as other:
            for _attempt in range(500):
                if records_of(both.shell):
                    break
            hold.release()
            results = [over_api.result(), other.result()]
    assert not all(result["failed"] for result in results), [result["msg"] for result in results]
    for result in results:
        states = {disk["state"] for disk in result["disks"]}
        assert states <= {"converted", "unchanged", "blocked"}, result["msg"]
    both.lab.advance(120)
    assert_finished(both, before, over_ssh(both.lab, both.shell, **ASK))
