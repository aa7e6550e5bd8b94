# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A connection that drops, or a host that restarts, at every single request of a run, one after the other."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import GB, Lab, states

KINDS = (
    "reset_after",
    "reboot",
    *(
        pytest.param(kind, marks=pytest.mark.slow)
        for kind in ("reset_before", "close_before", "close_after", "drop_idle")
    ),
)
SOURCES = ["E:\\", "D:\\two\nlines"]
EDITS = ("Edit-DPMDiskAllocation", "Start-DPMDatasourceConsistencyCheck")


def extend(lab: Lab) -> tuple[str | None, dict[str, Any]]:
    return lab.allocate(datasources=SOURCES, size="60GB")


def check(lab: Lab) -> tuple[str | None, dict[str, Any]]:
    return lab.check(datasources=SOURCES, only_inconsistent=False, parallel=2)


def edits(lab: Lab) -> list[tuple[str, str]]:
    calls = [(call["cmdlet"], call["parameters"].get("Datasource", "")) for call in lab.control.do("calls")]
    return [call for call in calls if call[0] in EDITS]


def requests_of(lab: Lab, run: Callable[[Lab], Any]) -> int:
    """How many requests a run takes that nothing happens to."""
    lab.site.host.troubles.clear()
    run(lab)
    return len(lab.site.host.troubles.operations())


@pytest.mark.parametrize("kind", KINDS)
def test_an_extension_ends_right_or_says_what_is_known(
    lab: Lab, kind: str, record_property: Callable[[str, object], None]
) -> None:
    points = requests_of(lab, extend)
    assert points > 14
    unknown = 0
    for number in range(1, points + 1):
        lab.world()
        lab.site.host.troubles.clear()
        before = {name: lab.recovery(name) for name in SOURCES}
        lab.site.host.troubles.add(kind, number=number)
        failure, result = extend(lab)
        after = {name: lab.recovery(name) for name in SOURCES}
        told = states(result)
        assert told.keys() == set(SOURCES)
        # A host that restarts may take a cmdlet along that was called and had done nothing yet.
        undone = [name for name in SOURCES if told[name][1] == "outcome_unknown" and after[name] == before[name]]
        for name in SOURCES:
            state, reason = told[name]
            if state == "extended":
                assert after[name] == 60 * GB
            elif reason == "outcome_unknown":
                unknown += 1
                assert result["changed"] is True
                assert after[name] in (before[name], 60 * GB)
            else:
                assert (state, reason) == ("failed", "not_started")
                assert after[name] == before[name]
        assert (failure is None) == all(state == "extended" for state, _reason in told.values())
        # Nothing is done twice, and the next run ends right.
        assert len(edits(lab)) == len(set(edits(lab)))
        assert extend(lab)[0] is None
        assert {name: lab.recovery(name) for name in SOURCES} == dict.fromkeys(SOURCES, 60 * GB)
        assert len(set(edits(lab))) == len(SOURCES)
        assert len(edits(lab)) <= len(SOURCES) + len(undone)
        assert extend(lab)[1]["changed"] is False
    # Only a host that restarts takes an answer along for good.
    assert bool(unknown) is (kind == "reboot")
    record_property("points of failure", points)


@pytest.mark.parametrize("kind", KINDS)
def test_a_check_is_never_started_twice(lab: Lab, kind: str, record_property: Callable[[str, object], None]) -> None:
    lab.world(None, check_seconds=5)
    points = requests_of(lab, check)
    for number in range(1, points + 1):
        lab.world(None, check_seconds=5)
        lab.site.host.troubles.clear()
        lab.site.host.troubles.add(kind, number=number)
        failure, result = check(lab)
        started = len(edits(lab))
        assert started == len(set(edits(lab)))
        for name, (state, reason) in states(result).items():
            there = [one for one in lab.control.state()["jobs"] if one["type"] == "Validation"]
            ran = any(name in one["datasources"] for one in there)
            if state == "succeeded":
                assert ran
            else:
                assert (state, reason) in (("failed", "outcome_unknown"), ("not_started", "not_started"))
                assert reason == "outcome_unknown" or not ran
        assert (failure is None) == all(state == "succeeded" for state, _reason in states(result).values())
        if failure is None:
            assert started == len(SOURCES)
    record_property("points of failure", points)


def test_a_read_that_cannot_be_had_is_one_error(lab: Lab) -> None:
    lab.site.host.troubles.add("refuse_credentials", times=20)
    failure, result = extend(lab)
    assert failure is not None
    assert "does not let svc-dpm log on" in failure
    assert result == {"changed": False}


def test_a_write_that_hangs_is_ended_and_looked_at(lab: Lab) -> None:
    """The host restarts while DPM works on the edit, which comes through all the same."""
    hold = lab.control.hooks.hold("Edit-DPMDiskAllocation")

    def restart() -> None:
        assert hold.reached.wait(20)
        lab.site.host.reboot()
        lab.control.edit("E:\\", "60GB", "fs01.lab.test")
        hold.release()

    thread = threading.Thread(target=restart)
    thread.start()
    failure, result = lab.allocate(datasources=["E:\\"], size="60GB")
    thread.join()
    assert (failure, states(result)) == (None, {"E:\\": ("extended", None)})
    assert result["changed"] is True
