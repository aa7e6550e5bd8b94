# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The writer, whatever others do between two of its steps: no volume gets smaller unasked, none is extended twice."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConnectionFailed
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.resizing import (
    ResizeRequest,
    resize_volumes,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.policy import SizePolicy
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.results import resize_failure, resize_result
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.selection import Selection
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.volume_result import ResizeResult
from ansible_collections.winbackup.storage.tests.unit.helpers.dpm_in_memory import GRANULARITY, DpmInMemory, Volume
from ansible_collections.winbackup.storage.tests.unit.helpers.dpm_sources import GIB

WISH = SizePolicy(size=40 * GIB)


def run(server: DpmInMemory, policy: SizePolicy = WISH, **others: Any) -> ResizeResult:
    request = ResizeRequest(Selection(), policy, **others)
    return resize_volumes(server, request, check_mode=False, log=lambda sentence: None)


def states(report: ResizeResult) -> dict[str, tuple[str | None, str | None]]:
    return {result.before.id: (result.state, result.reason) for result in report.volumes}


def short(*names: str) -> DpmInMemory:
    return DpmInMemory({name: Volume(10 * GIB, 9 * GIB) for name in names})


def test_a_read_a_write_and_a_read_are_all_it_takes() -> None:
    server = short("a", "b")
    report = run(server)
    assert states(report) == {"a": ("extended", None), "b": ("extended", None)}
    assert server.steps == ["read", "edit", "read"]
    again = run(server)
    assert states(again) == {"a": ("unchanged", None), "b": ("unchanged", None)}
    assert server.steps[3:] == ["read"]
    assert resize_result(again)["changed"] is False


def test_auto_grow_that_was_faster_is_counted() -> None:
    server = short("a")

    def grow(step: str) -> None:
        if step == "edit":
            server.volumes["a"].allocated = 50 * GIB

    server.between = grow
    report = run(server)
    assert states(report) == {"a": ("unchanged", None)}
    assert server.volumes["a"].allocated == 50 * GIB
    assert resize_result(report)["changed"] is False


def test_a_volume_that_changed_is_decided_on_again_twice_and_then_left() -> None:
    server = short("a")

    def grow(step: str) -> None:
        if step == "edit":
            server.volumes["a"].allocated += GIB

    server.between = grow
    report = run(server)
    assert states(report) == {"a": ("failed", "changed_meanwhile")}
    assert server.steps.count("edit") == 3
    assert not server.volumes["a"].writes


def test_idle_volumes_come_first_and_busy_ones_when_they_fall_idle() -> None:
    server = short("a", "b")
    server.volumes["a"].busy_until = server.time() + 30
    report = run(server)
    assert states(report) == {"a": ("extended", None), "b": ("extended", None)}
    assert server.steps.index("edit") == 1
    assert server.steps.count("edit") == 2


def test_what_is_still_busy_at_busy_timeout_has_failed_and_the_others_are_done() -> None:
    server = short("a", "b")
    server.volumes["a"].busy_until = server.time() + 10_000
    report = run(server, busy_timeout=60)
    assert states(report) == {"a": ("failed", "busy"), "b": ("extended", None)}
    assert server.time() < 1000 + 70


def test_a_job_that_begins_before_the_edit_is_waited_for_too() -> None:
    server = short("a")

    def begin(step: str) -> None:
        if step == "edit" and server.steps.count("edit") == 1:
            server.volumes["a"].busy_until = server.time() + 10

    server.between = begin
    assert states(run(server)) == {"a": ("extended", None)}


def test_the_pools_own_error_ends_the_writing() -> None:
    server = short("a", "b", "c")

    def shrink_pool(step: str) -> None:
        if step == "edit":
            server.unallocated = min(server.unallocated, 35 * GIB)

    server.between = shrink_pool
    report = run(server)
    assert states(report) == {
        "a": ("extended", None),
        "b": ("failed", "pool_too_small"),
        "c": ("refused", "not_started"),
    }
    failure = resize_failure(report)
    assert failure is not None
    assert "Of 3 recovery-point volumes: 1 failed, 1 not tried" in failure


def test_a_lost_answer_is_looked_for_in_what_can_be_read() -> None:
    server = short("a", "b", "c")
    server.lose = iter([2])
    report = run(server)
    assert states(report) == {
        "a": ("extended", None),
        "b": ("extended", None),
        "c": ("failed", "outcome_unknown"),
    }
    assert 120 <= server.time() - 1000 < 200
    assert resize_result(report)["changed"] is True
    assert states(run(server))["c"] == ("extended", None)
    assert [len(volume.writes) for volume in server.volumes.values()] == [1, 1, 1]


def test_a_server_that_is_gone_after_a_write_leaves_a_word_for_each_volume() -> None:
    server = short("a", "b")

    def gone(step: str) -> None:
        if server.steps.count("edit"):
            server.drop()

    server.between = gone
    report = run(server)
    assert states(report) == {"a": ("failed", "not_started"), "b": ("failed", "not_started")}
    assert resize_result(report)["changed"] is False


def test_a_server_that_is_gone_for_the_reading_back_leaves_it_unknown() -> None:
    server = short("a")
    server.between = lambda step: server.drop() if step == "read" and "edit" in server.steps else None
    report = run(server)
    assert states(report) == {"a": ("failed", "outcome_unknown")}
    result = resize_result(report)
    assert (result["changed"], result["volumes"][0]["after"], result["pool"]["after"]) == (True, None, None)


def test_a_total_that_never_shows_is_said_so() -> None:
    server = short("a")

    def back(step: str) -> None:
        if step == "read" and "edit" in server.steps:
            server.volumes["a"].allocated = 10 * GIB

    server.between = back
    report = run(server)
    assert states(report) == {"a": ("failed", "total_not_reached")}


def test_a_shrink_is_done_within_the_limits_that_dpm_names() -> None:
    server = DpmInMemory({"a": Volume(100 * GIB, 9 * GIB)})
    report = run(server, SizePolicy(size=40 * GIB, allow_shrink=True))
    assert states(report) == {"a": ("shrunk", None)}
    assert server.steps == ["read", "limits", "edit", "read"]
    assert states(run(server, SizePolicy(size=40 * GIB, allow_shrink=True))) == {"a": ("unchanged", None)}


def test_nothing_is_written_where_one_is_refused_and_the_others_are_where_that_is_skipped() -> None:
    server = DpmInMemory({"a": Volume(10 * GIB, 9 * GIB), "b": Volume(10 * GIB, 8 * GIB)}, unallocated=45 * GIB)
    report = run(server)
    assert states(report) == {"a": ("refused", "not_started"), "b": ("refused", "pool_too_small")}
    assert resize_failure(report) is not None
    assert server.steps == ["read"]
    report = run(server, skip_refused=True)
    assert states(report) == {"a": ("extended", None), "b": ("refused", "pool_too_small")}
    assert resize_failure(report) is None


events = st.one_of(
    st.just(("nothing", 0)),
    st.tuples(st.sampled_from(["grow", "admin", "use", "busy", "drop", "pool"]), st.integers(0, 60)),
)


@settings(max_examples=400)
@given(
    st.lists(st.tuples(st.integers(1, 60), st.integers(0, 100)), min_size=1, max_size=4),
    st.lists(st.tuples(events, st.integers(0, 3)), max_size=12),
    st.lists(st.one_of(st.none(), st.integers(0, 3)), max_size=3),
    st.sampled_from(
        [
            SizePolicy(size=40 * GIB),
            SizePolicy(min_free=20 * GIB),
            SizePolicy(min_free=20 * GIB, max_size=45 * GIB),
            SizePolicy(size=30 * GIB, allow_shrink=True),
        ]
    ),
    st.booleans(),
)
def test_whatever_happens_meanwhile(
    volumes: list[tuple[int, int]],
    happenings: list[tuple[tuple[str, int], int]],
    losses: list[int | None],
    policy: SizePolicy,
    skip: bool,
) -> None:
    server = DpmInMemory(
        {f"v{place}": Volume(size * GIB, size * GIB * percent // 100) for place, (size, percent) in enumerate(volumes)},
        unallocated=200 * GIB,
    )
    coming = iter(happenings)
    others: dict[str, int] = dict.fromkeys(server.volumes, 0)
    server.lose = iter(losses)

    def act(step: str) -> None:
        (kind, amount), which = next(coming, (("nothing", 0), 0))
        name = list(server.volumes)[which % len(server.volumes)]
        volume = server.volumes[name]
        if kind == "grow":
            volume.allocated += amount * GIB
            others[name] += 1
        elif kind == "admin":
            volume.allocated = max(volume.used, amount * GIB, GRANULARITY)
            others[name] += 1
        elif kind == "use":
            volume.used = min(volume.allocated, amount * GIB)
            others[name] += 1
        elif kind == "busy":
            volume.busy_until = server.time() + amount * 10
        elif kind == "pool":
            server.unallocated = amount * GIB
        elif kind == "drop":
            server.drop()

    server.between = act
    try:
        report = run(server, policy, skip_refused=skip, busy_timeout=120, timeout=600)
    except ConnectionFailed:
        # Only while nothing was written.
        assert not any(volume.writes for volume in server.volumes.values())
        return
    for name, volume in server.volumes.items():
        for before, after in volume.writes:
            assert after >= before or policy.allow_shrink
            assert policy.max_size is None or after <= policy.max_size
        # A second write only where somebody else had a hand in it.
        assert len(volume.writes) <= 1 + others[name]
    for result in report.volumes:
        assert result.state in ("unchanged", "extended", "shrunk", "refused", "failed")
        assert result.state not in ("refused", "failed") or (result.reason and result.message)
        if result.state in ("unchanged", "refused"):
            assert not server.volumes[result.before.id].writes
    if any(result.state == "failed" for result in report.volumes):
        assert resize_failure(report)
    written = any(volume.writes for volume in server.volumes.values())
    assert resize_result(report)["changed"] or not written


@settings(max_examples=100)
@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 100)), min_size=1, max_size=5), st.booleans())
def test_check_mode_says_what_the_run_does(volumes: list[tuple[int, int]], skip: bool) -> None:
    def server() -> DpmInMemory:
        return DpmInMemory(
            {
                f"v{place}": Volume(size * GIB, size * GIB * percent // 100)
                for place, (size, percent) in enumerate(volumes)
            },
            unallocated=100 * GIB,
        )

    request = ResizeRequest(Selection(), WISH, skip_refused=skip)
    planned_on, done_on = server(), server()
    planned = resize_volumes(planned_on, request, check_mode=True, log=lambda sentence: None)
    done = resize_volumes(done_on, request, check_mode=False, log=lambda sentence: None)
    assert planned_on.steps == ["read"]
    assert not any(volume.writes for volume in planned_on.volumes.values())
    as_done = {"would_extend": "extended", "would_shrink": "shrunk"}
    plan, fact = resize_result(planned), resize_result(done)
    for row in plan["volumes"]:
        row["state"] = as_done.get(row["state"], row["state"])
    assert plan == fact
    assert resize_failure(planned) == resize_failure(done)
