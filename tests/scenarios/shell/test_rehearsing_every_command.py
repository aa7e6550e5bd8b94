# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""At every command of a rehearsal over SSH something goes wrong; nothing stays behind, or the next one removes it.

`make test` lets a run be killed while its machine is being removed; `make test-all` goes through all commands that
change anything: the run is killed, its script ends at the command or goes on alone, or a command fails.
"""

from __future__ import annotations

import time
from typing import Any

import pytest

from .conftest import Both
from .rehearsing import assert_as_before, left, rehearsing, spare, told, verdicts
from .ways import commands

USUAL, STRICT = "usual", "one mapping at a time"
WORLDS = {USUAL: spare(), STRICT: spare(second_mapping="InvalidDeviceBacking")}
ONE, MAKING, WRITES = "one", "making and removing", "writes"


def points(both: Both, world: str, extent: str) -> list[tuple[int, str]]:
    """Returns the commands of a run in which nothing goes wrong, by their numbers, or a part of them."""
    both.lab.world(WORLDS[world])
    both.lab.clear_log()
    assert not told(both)["failed"]
    writes = [(entry["n"], entry["summary"][:80]) for entry in commands(both.lab) if entry["writes"]]
    if extent == ONE:
        return [next(one for one in reversed(writes) if one[1].startswith("rmdir ") and one[1].count("/") == 4)]
    if extent == MAKING:
        (gone,) = [at for at, one in enumerate(writes) if one[1].startswith("vim-cmd vmsvc/unregister")]
        return [*writes[:3], *writes[gone - 2 :]]
    return writes


def wait_until_quiet(both: Both) -> None:
    """Waits until a script that goes on alone has come to its end: a lease, which is past then, is far longer."""
    seen = -1
    while len(commands(both.lab)) != seen:
        seen = len(commands(both.lab))
        time.sleep(0.5)


def check_end(both: Both, before: dict[str, Any]) -> None:
    """After one more rehearsal nothing of any is left, and it came to its end."""
    both.lab.advance(400)
    again = told(both)
    assert not again["failed"], again["msg"]
    assert again["warnings"] == []
    assert verdicts(again)["removal_of_vm"] == "accepted"
    assert_as_before(both, before)


# What becomes of the script of a run that is killed: it ends at the command, or goes on to its end.
KILLS: dict[str, dict[str, str]] = {
    "drop": {"then": "drop"},
    "goes on": {"then": "fault", "kind": "goes_on_alone"},
}


@pytest.mark.parametrize(
    ("kind", "extent", "world"),
    [("drop", ONE, USUAL)]
    + [pytest.param(kind, MAKING, USUAL, marks=pytest.mark.slow) for kind in KILLS]
    + [pytest.param(kind, WRITES, world, marks=pytest.mark.slow) for kind in KILLS for world in WORLDS],
)
def test_the_run_is_killed(both: Both, kind: str, extent: str, world: str, record_property: Any) -> None:
    found = points(both, world, extent)
    record_property("points of failure", len(found))
    wrong = []
    for number, summary in found:
        both.lab.world(WORLDS[world])
        before = both.lab.state()
        both.lab.clear_log()
        hold = both.lab.hold(at_request=number)
        try:
            with rehearsing(both) as first:
                hold.wait(60)
                first.kill()
                hold.release(**KILLS[kind])
                wait_until_quiet(both)
            check_end(both, before)
        except AssertionError as error:
            wrong.append(f"{number} ({summary}): {error}")
    assert not wrong, "\n".join(wrong)


TROUBLES = ["connection_dropped", "reply_lost", "goes_on_alone", "command_fails", "done_but_failed"]


@pytest.mark.slow
@pytest.mark.parametrize("extent", [MAKING, WRITES])
@pytest.mark.parametrize("kind", TROUBLES)
def test_something_goes_wrong(both: Both, kind: str, extent: str, record_property: Any) -> None:
    """A run whose connection breaks off goes on over another and answers as one without trouble."""
    found = points(both, USUAL, extent)
    record_property("points of failure", len(found))
    wrong = []
    for number, summary in found:
        both.lab.world(WORLDS[USUAL])
        before = both.lab.state()
        both.lab.clear_log()
        both.lab.fault(kind=kind, at_request=number)
        try:
            result = told(both)
            if not result["failed"]:
                assert left(both) == []
                if kind not in ("command_fails", "done_but_failed"):
                    assert "refused" not in verdicts(result).values(), result["answers"]
            check_end(both, before)
        except AssertionError as error:
            wrong.append(f"{number} ({summary}): {error}")
    assert not wrong, "\n".join(wrong)
