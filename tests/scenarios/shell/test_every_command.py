# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""At every command that a conversion over SSH runs something goes wrong; after one more run nothing is lost.

`make test` lets the connection go after the disk was taken off; `make test-all` goes through the commands that change a
device or a mapping, through every command that changes anything, and for the loss of the connection through all; the
first two also on a host that takes no second mapping of a LUN.
"""

from __future__ import annotations

from typing import Any

import pytest
from harness import assert_nothing_lost, machine, mapping
from points import assert_honest

from .conftest import Both
from .ways import commands, leftovers, over_ssh, records_of
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
TAKEN_OFF, DEVICES, WRITES, ALL = "taken off", "devices", "writes", "all"
STEPS = {
    TAKEN_OFF: ("vim-cmd vmsvc/device.diskremove",),
    DEVICES: ("vmkfstools -r", "vmkfstools -z", "vmkfstools -U", "vim-cmd vmsvc/device.disk"),
}
KINDS = ["connection_dropped", "reply_lost", "goes_on_alone", "command_fails", "done_but_failed"]
LOSSES = KINDS[:3]


def points(both: Both, world: str, extent: str) -> list[tuple[int, str]]:
    """Returns the commands of a run in which nothing goes wrong, by their numbers, or a part of them."""
    both.lab.world(WORLDS[world])
    both.lab.clear_log()
    assert not over_ssh(both.lab, both.shell, **ASK)["failed"]
    log = [entry for entry in commands(both.lab) if entry["method"] not in ("ssh", "sh")]
    chosen = [
        entry
        for entry in log
        if extent == ALL or (entry["writes"] if extent == WRITES else entry["summary"].startswith(STEPS[extent]))
    ]
    return [(entry["n"], entry["summary"][:60]) for entry in chosen]


@pytest.mark.parametrize(
    ("kind", "extent", "world"),
    [("reply_lost", TAKEN_OFF, USUAL)]
    + [
        pytest.param(kind, extent, world, marks=SLOW)
        for kind in KINDS
        for extent in (DEVICES, WRITES)
        for world in LEFT
    ]
    + [pytest.param(kind, ALL, USUAL, marks=SLOW) for kind in LOSSES],
)
def test_something_goes_wrong(both: Both, kind: str, extent: str, world: str, record_property: Any) -> None:
    found = points(both, world, extent)
    record_property("points of failure", len(found))
    wrong = []
    for number, summary in found:
        both.lab.world(WORLDS[world])
        before = both.lab.state()
        both.lab.clear_log()
        # Numbers of requests begin where the log of the run does.
        both.lab.fault(kind=kind, at_request=number)
        try:
            assert_honest(both.lab, before, over_ssh(both.lab, both.shell, **ASK))
            both.lab.advance(400)
            check_end(both, before, LEFT[world], claim_may_stay=summary.startswith("rmdir "))
        except AssertionError as error:
            wrong.append(f"{number} ({summary}): {error}")
    assert not wrong, "\n".join(wrong)


def check_end(both: Both, before: dict[str, Any], left: set[str], *, claim_may_stay: bool) -> None:
    """Makes the call again; after it the disk is as wanted, the VM runs, and nothing is lost, open or lying about.

    A claim whose removal was cut off stays until a step takes it over; a run that has nothing to do takes none.
    """
    again = over_ssh(both.lab, both.shell, **ASK)
    after = both.lab.state()
    assert_nothing_lost(before, after, VM)
    assert not again["failed"], again["msg"]
    assert (mapping(after, VM, AT) or {})["mode"] == "virtualMode"
    assert machine(after, VM)["power"] == "poweredOn"
    assert not [text for text in records_of(both.shell).values() if '"open":null' not in text]
    assert claim_may_stay or leftovers(both.shell) == []
    made = {file["path"] for file in after["files"] if file["kind"] == "rdm" and VM in file["path"]}
    assert made == left
    third = over_ssh(both.lab, both.shell, **ASK)
    assert (third["failed"], third["changed"]) == (False, False), third["msg"]
