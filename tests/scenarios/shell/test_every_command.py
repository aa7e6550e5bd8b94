# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""At every command that a conversion over SSH runs something goes wrong; after one more run nothing is lost.

`make test` lets the connection go after the disk was taken off; `make test-all` goes through every command that changes
anything, on a host that takes no second mapping of a LUN too, and for the loss of the connection through the others.
Of commands that only read those are left out at which the same would happen as at another one, see `points_of_loss`.
"""

from __future__ import annotations

from typing import Any

import pytest
from harness import assert_nothing_lost, machine, mapping
from points import assert_honest

from .conftest import Both
from .ways import Way, commands, leftovers, opened, over_ssh, records_of
from .worlds_of_one_host import one_local_disk

SLOW = pytest.mark.slow
VM, AT = "backup01", "scsi0:1"
ASK = {"vm": VM, "power": "shutdown", "shutdown_timeout": 3}
OLD, NEW = "[san01] backup01/data.vmdk", "[san01] backup01/data-virtual.vmdk"
# A host as others are, and one that takes no second mapping of a LUN, so that the old one goes first.
USUAL, STRICT = "usual", "one mapping at a time"
WORLDS = {
    USUAL: one_local_disk(vm={"power": "on"}),
    STRICT: one_local_disk(vm={"power": "on"}, second_mapping="InvalidDeviceBacking"),
}
LEFT = {USUAL: {OLD, NEW}, STRICT: {NEW}}
TAKEN_OFF, WRITES, READS = "taken off", "writes", "reads"
KINDS = ["connection_dropped", "reply_lost", "goes_on_alone", "command_fails", "done_but_failed"]
LOSSES = KINDS[:3]


def points(both: Both, world: str, extent: str, kind: str) -> list[tuple[int, str]]:
    """Returns the commands of a run in which nothing goes wrong, by their numbers: those that the extent names."""
    both.lab.world(WORLDS[world])
    both.lab.clear_log()
    assert not over_ssh(both.lab, both.shell, **ASK)["failed"]
    log = [entry for entry in commands(both.lab) if entry["method"] not in ("ssh", "sh")]
    if extent == TAKEN_OFF:
        chosen = [entry for entry in log if entry["summary"].startswith("vim-cmd vmsvc/device.diskremove")]
    elif extent == WRITES:
        chosen = [entry for entry in log if entry["writes"]]
    else:
        chosen = points_of_loss(log, kind)
    return [(entry["n"], entry["summary"][:60]) for entry in chosen]


def points_of_loss(log: list[dict[str, Any]], kind: str) -> list[dict[str, Any]]:
    """Returns the reading commands at which a connection is lost, without those that are like another one.

    A script that only reads leaves nothing behind, and its answer does not come, wherever it is cut off: its first
    command stands for all. One that writes ends at the command where the connection is dropped, so that each is a point
    of its own; where the script goes on alone, it goes on to the same end from each, and its first stands for all.
    """
    chosen: list[dict[str, Any]] = []
    for script in scripts(log):
        reads = [entry for entry in script if not entry["writes"]]
        cut_off = kind == "connection_dropped" and len(reads) < len(script)
        chosen += reads if cut_off else reads[:1]
    return chosen


def scripts(log: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """Returns the commands of each script: its last one makes the checksum of its answer."""
    found: list[list[dict[str, Any]]] = [[]]
    for entry in log:
        found[-1].append(entry)
        if entry["method"] == "md5sum":
            found.append([])
    assert found.pop() == [], "a script without a checksum"
    return found


@pytest.mark.parametrize(
    ("kind", "extent", "world"),
    [("reply_lost", TAKEN_OFF, USUAL)]
    + [pytest.param(kind, WRITES, world, marks=SLOW) for kind in KINDS for world in LEFT]
    + [pytest.param(kind, READS, USUAL, marks=SLOW) for kind in LOSSES],
)
def test_something_goes_wrong(both: Both, kind: str, extent: str, world: str, record_property: Any) -> None:
    found = points(both, world, extent, kind)
    record_property("points of failure", len(found))
    wrong = []
    for number, summary in found:
        both.lab.world(WORLDS[world])
        before = both.lab.state()
        with opened(both.shell) as way:
            both.lab.clear_log()
            # Numbers of requests begin where the log of the run does, with the session that the way is opened with.
            both.lab.fault(kind=kind, at_request=number)
            try:
                assert_honest(both.lab, before, over_ssh(both.lab, both.shell, way=way, **ASK))
                both.lab.advance(400)
                check_end(both, way, before, LEFT[world], claim_may_stay=summary.startswith("rmdir "))
            except AssertionError as error:
                wrong.append(f"{number} ({summary}): {error}")
    assert not wrong, "\n".join(wrong)


def check_end(both: Both, way: Way, before: dict[str, Any], left: set[str], *, claim_may_stay: bool) -> None:
    """Makes the call again; after it the disk is as wanted, the VM runs, and nothing is lost, open or lying about.

    A claim whose removal was cut off stays until a step takes it over; a run that has nothing to do takes none.
    """
    again = over_ssh(both.lab, both.shell, way=way, **ASK)
    after = both.lab.state()
    assert_nothing_lost(before, after, VM)
    assert not again["failed"], again["msg"]
    assert (mapping(after, VM, AT) or {})["mode"] == "virtualMode"
    assert machine(after, VM)["power"] == "poweredOn"
    assert not [text for text in records_of(both.shell).values() if '"open":null' not in text]
    assert claim_may_stay or leftovers(both.shell) == []
    made = {file["path"] for file in after["files"] if file["kind"] == "rdm" and VM in file["path"]}
    assert made == left
    third = over_ssh(both.lab, both.shell, way=way, **ASK)
    assert (third["failed"], third["changed"]) == (False, False), third["msg"]
