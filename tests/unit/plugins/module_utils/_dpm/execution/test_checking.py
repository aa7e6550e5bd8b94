# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks: only what is needed, none twice, waited for in short runs."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.checks import (
    Check,
    CheckState,
    find_check,
    first_look,
    take_end,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.checking import (
    CheckRequest,
    refuse_recklessness,
    run_checks,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import Job, StorageKind
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.results import check_failure, check_result
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.selection import Selection
from ansible_collections.winbackup.storage.tests.unit.helpers.dpm_in_memory import Check as RunningCheck
from ansible_collections.winbackup.storage.tests.unit.helpers.dpm_in_memory import DpmInMemory, Volume
from ansible_collections.winbackup.storage.tests.unit.helpers.dpm_sources import GIB, facts, source


def server(**states: str) -> DpmInMemory:
    return DpmInMemory({name: Volume(10 * GIB, GIB, state=state) for name, state in states.items()})


def run(on: DpmInMemory, *, check_mode: bool = False, **others: Any) -> list[Check]:
    return run_checks(on, CheckRequest(Selection(), **others), check_mode=check_mode, log=lambda sentence: None)


def states(checks: list[Check]) -> dict[str, str]:
    return {one.source.id: str(one.state) for one in checks}


def test_what_is_inconsistent_is_checked_and_a_second_run_has_nothing_to_do() -> None:
    one = server(a="invalid", b="valid", c="invalid")
    checks = run(one)
    assert states(checks) == {"a": "succeeded", "b": "not_needed", "c": "succeeded"}
    assert check_result(checks)["changed"] is True
    assert check_failure(checks, waited=True, selected=False) is None
    again = run(one)
    assert set(states(again).values()) == {"not_needed"}
    assert check_result(again)["changed"] is False


def test_what_is_consistent_is_checked_where_all_are() -> None:
    assert states(run(server(a="valid"), only_inconsistent=False)) == {"a": "succeeded"}


def test_one_at_a_time_or_as_many_as_are_allowed() -> None:
    for parallel, most in ((1, 1), (2, 2), (9, 3)):
        one = server(a="invalid", b="invalid", c="invalid")
        run(one, parallel=parallel)
        together = max(sum(other.started <= this.started < other.ends for other in one.checks) for this in one.checks)
        assert together == most


def test_without_waiting_all_are_started_at_once() -> None:
    one = server(a="invalid", b="invalid")
    checks = run(one, wait=False)
    assert states(checks) == {"a": "running", "b": "running"}
    assert one.steps == ["read", "start"]
    assert check_failure(checks, waited=False, selected=True) is None


def test_check_mode_starts_nothing() -> None:
    one = server(a="invalid", b="valid")
    checks = run(one, check_mode=True)
    assert states(checks) == {"a": "would_run", "b": "not_needed"}
    assert one.steps == ["read"]
    assert check_result(checks)["changed"] is True


def test_a_check_that_runs_is_waited_for_and_not_started_twice() -> None:
    one = server(a="invalid")
    one.checks.append(RunningCheck("theirs", "a", one.time() - 50, one.time() + 100))
    checks = run(one)
    assert states(checks) == {"a": "succeeded"}
    assert checks[0].job_id == "theirs"
    assert "start" not in one.steps
    assert check_result(checks)["changed"] is False
    one.checks[0].ends = one.time() + 500
    assert states(run(one, wait=False)) == {"a": "already_running"}


def test_one_that_begins_before_the_start_is_not_started_twice() -> None:
    one = server(a="invalid")

    def begin(step: str) -> None:
        if step == "start" and not one.checks:
            one.checks.append(RunningCheck("theirs", "a", one.time(), one.time() + 60))

    one.between = begin
    checks = run(one)
    assert states(checks) == {"a": "succeeded"}
    assert len(one.checks) == 1
    assert check_result(checks)["changed"] is False


def test_what_still_runs_at_timeout_fails_and_the_next_run_waits_for_it() -> None:
    one = server(a="invalid", b="invalid")
    one.check_seconds = 500
    checks = run(one, timeout=60)
    assert states(checks) == {"a": "running", "b": "not_started"}
    failure = check_failure(checks, waited=True, selected=False)
    assert failure is not None
    assert "2 of 2 consistency checks" in failure
    assert states(run(one)) == {"a": "succeeded", "b": "succeeded"}
    assert len(one.checks) == 2


def test_a_check_that_fails_says_what_dpm_says() -> None:
    one = server(a="invalid")
    one.failing.add("a")
    checks = run(one)
    assert states(checks) == {"a": "failed"}
    assert (checks[0].reason, checks[0].error) == ("job_failed", "Not enough space. (ID 214)")
    assert check_failure(checks, waited=True, selected=False)


def test_a_lost_start_is_looked_up_among_the_jobs() -> None:
    one = server(a="invalid", b="invalid")
    one.lose = iter([1])
    checks = run(one, parallel=2)
    assert states(checks) == {"a": "succeeded", "b": "failed"}
    assert checks[1].reason == "outcome_unknown"
    assert check_result(checks)["changed"] is True
    assert [check.source for check in one.checks] == ["a"]


def test_a_poll_that_fails_is_not_the_end() -> None:
    one = server(a="invalid")
    one.between = lambda step: one.drop() if 3 <= len(one.steps) <= 4 else None
    assert states(run(one)) == {"a": "succeeded"}


def test_a_server_that_stays_away_leaves_the_check_running() -> None:
    one = server(a="invalid")
    one.between = lambda step: one.drop() if len(one.steps) >= 3 else None
    checks = run(one)
    assert (states(checks), checks[0].reason) == ({"a": "running"}, "unreachable")
    assert check_failure(checks, waited=True, selected=False)


def test_what_is_not_protected_is_refused_and_fails_only_what_was_selected() -> None:
    there = facts(source("a", state="invalid", active=False))
    look = first_look(there, there.sources["a"], only_inconsistent=True)
    assert (look.state, look.reason) == (CheckState.REFUSED, "inactive")
    assert check_failure([look], waited=True, selected=False) is None
    assert check_failure([look], waited=True, selected=True)


@pytest.mark.parametrize(
    "unknown",
    [
        {"state": None},
        {"state": "protected"},
        {"state": "valid", "alerted_inconsistent": None},
        {"state": "3"},
    ],
)
def test_a_state_that_is_not_known_is_not_taken_for_consistent(unknown: dict[str, Any]) -> None:
    there = facts(source("a", **unknown))
    look = first_look(there, there.sources["a"], only_inconsistent=True)
    assert (look.state, look.reason) == (CheckState.REFUSED, "state_unknown")
    assert first_look(there, there.sources["a"], only_inconsistent=False).state is None


def test_everything_on_the_server_is_never_checked_by_mistake() -> None:
    with pytest.raises(ConfigurationError, match="Name datasources"):
        refuse_recklessness(CheckRequest(Selection(), only_inconsistent=False))
    refuse_recklessness(CheckRequest(Selection(computers=("fs1",)), only_inconsistent=False))


@pytest.mark.parametrize(
    ("status", "message", "now", "state"),
    [
        ("succeeded", None, "valid", "succeeded"),
        ("succeeded", "a warning", "invalid", "succeeded"),
        ("failed", None, "valid", "failed"),
        ("cancelled", None, "valid", "failed"),
        ("something_new", None, "valid", "succeeded"),
        ("something_new", None, "invalid", "failed"),
        ("something_new", "an error", "valid", "failed"),
        ("something_new", None, "protected", "failed"),
        (None, None, None, "failed"),
    ],
)
def test_what_the_end_of_a_job_means(status: str | None, message: str | None, now: str | None, state: str) -> None:
    one = Check(source("a"))
    take_end(one, Job(status=status, message=message, completed=True), source("a", state=now))
    assert str(one.state) == state


def test_a_replica_that_is_called_inconsistent_no_longer_is_cured_though_nobody_knows_the_word() -> None:
    ended = Job(status="completed", completed=True)
    cured = Check(source("a", state="invalid"))
    take_end(cured, ended, source("a", state="protected"))
    assert cured.state is CheckState.SUCCEEDED
    for now in (None, source("a", state=None), source("a", state="protected", alerted_inconsistent=None)):
        unknown = Check(source("a", state="invalid"))
        take_end(unknown, ended, now)
        assert (unknown.state, unknown.reason) == (CheckState.FAILED, "outcome_unknown")
    alerted = Check(source("a", state="invalid"))
    take_end(alerted, ended, source("a", state="protected", alerted_inconsistent=True))
    assert (alerted.state, alerted.reason) == (CheckState.FAILED, "job_failed")


def test_what_has_no_replica_on_disks_is_not_checked() -> None:
    there = facts(source("a", state="invalid", storage_kind=StorageKind.NONE))
    look = first_look(there, there.sources["a"], only_inconsistent=False)
    assert (look.state, look.reason) == (CheckState.REFUSED, "no_disk_storage")


def test_a_check_of_any_type_is_waited_for_by_its_id() -> None:
    """The type of a job may be a text, and its data sources names that nobody knows: the id alone decides."""
    named = Job(id="x", type="整合性チェック", sources=frozenset())
    other = Job(id="y", type="validation", sources=frozenset({"a"}))
    assert find_check([other, named], source("a"), id="x") == named
    assert find_check([other], source("a"), id="x") is None


def test_jobs_that_cannot_be_read_are_not_taken_for_none() -> None:
    one = server(a="invalid")
    one.jobs_readable = False
    checks = run(one)
    assert (states(checks), checks[0].reason) == ({"a": "not_started"}, "unreachable")
    assert not one.checks


def test_what_was_refused_is_told_on_the_screen() -> None:
    there = facts(*[source(name, state=None) for name in "abcdefg"])
    looks = [first_look(there, one, only_inconsistent=True) for one in there.sources.values()]
    warnings = check_result(looks)["warnings"]
    assert len(warnings) == 6
    assert "A:\\ on fs1.lab.test is refused: Whether its replica is consistent is not known" in warnings[0]
    assert warnings[-1] == "And 2 more are refused; the result lists them."


def test_a_job_is_found_by_its_id_or_as_the_newest_since_then() -> None:
    one = source("a")

    def job(id: str | None, hour: int) -> Job:
        moment = datetime(2026, 10, 31, hour, tzinfo=UTC)
        return Job(id=id, type="validation", started=moment, sources=frozenset({"a"}))

    jobs = [job("x", 1), job("y", 3), job("z", 2)]
    assert find_check(jobs, one, id="x") == jobs[0]
    assert find_check(jobs, one) == jobs[1]
    assert find_check(jobs, one, id="unknown") is None
    assert find_check(jobs, one, since=datetime(2026, 10, 31, 4, tzinfo=UTC)) is None
    nameless = [job(None, 1), job(None, 3)]
    assert find_check(nameless, one, id="x") == nameless[1]
