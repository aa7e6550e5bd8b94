# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A server that answers nothing any more, from its first write or any later moment on: the call ends within a minute
after its `timeout`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._core.command import TimeIsUp, WriteTimeIsUp
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import WRITE_GRACE_SECONDS, CallTimes
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.checking import CheckRequest, run_checks
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.point_making import (
    PointRequest,
    make_points,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.resizing import (
    ResizeRequest,
    resize_volumes,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.server import Answer
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.switching import switch_group
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import Facts
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.policy import Decision, SizePolicy
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.selection import Selection
from ansible_collections.winbackup.storage.tests.unit.helpers.dpm_in_memory import DpmInMemory, Volume
from ansible_collections.winbackup.storage.tests.unit.helpers.dpm_sources import GIB

# What the transport takes beyond a deadline: the last request, and ending the command. Then it closes its shell.
_LATE, _CLOSING = 15.0, 15.0
# A request that is begun after the deadline gets a second; a logon has three.
_TOO_LATE = 3.0
TIMEOUTS = st.floats(1, 20000)


class Hanging(DpmInMemory):
    """A server whose answers end with a write, or with its n-th step."""

    def __init__(self, volumes: dict[str, Volume], answers: int | None = None) -> None:
        super().__init__(volumes)
        self.answers = answers
        self.hangs = False
        self.last_starts: list[float] = []

    def read(self, deadline: float, **more: Any) -> Facts:
        self.hangs = self.hangs or (self.answers is not None and len(self.steps) >= self.answers)
        if self.hangs:
            self._hang(deadline)
            raise TimeIsUp("The script did not end in time.")
        return super().read(deadline, **more)

    def edit(self, decisions: Sequence[Decision], *, directly: bool, times: CallTimes) -> dict[str, Answer]:
        return self._write(times, lambda: super(Hanging, self).edit(decisions, directly=directly, times=times))

    def start_checks(self, ids: Sequence[str], times: CallTimes) -> dict[str, Answer]:
        return self._write(times, lambda: super(Hanging, self).start_checks(ids, times))

    def create_points(self, ways: Mapping[str, Sequence[str]], times: CallTimes) -> dict[str, Answer]:
        return self._write(times, lambda: {name: Answer(name, "started") for name in ways})

    def switch_auto_grow(self, group: str, auto_grow: bool, times: CallTimes) -> Answer:
        return self._write(times, lambda: {group: Answer(group, "edited")})[group]

    def _write(self, times: CallTimes, work: Callable[[], dict[str, Answer]]) -> dict[str, Answer]:
        self.last_starts.append(self.time() - times.last_start)
        if self.answers is None:
            self.hangs = True
            self._hang(times.writes_end)
            raise WriteTimeIsUp("The script did not end in time.")
        return work()

    def _hang(self, deadline: float) -> None:
        self._clock = deadline + _LATE if self._clock < deadline else self._clock + _TOO_LATE


def resize(server: Hanging, timeout: float) -> None:
    request = ResizeRequest(Selection(), SizePolicy(size=40 * GIB), timeout=timeout)
    resize_volumes(server, request, check_mode=False, log=lambda sentence: None)  # type: ignore[arg-type]


def check(server: Hanging, timeout: float) -> None:
    run_checks(server, CheckRequest(Selection(), timeout=timeout), check_mode=False, log=lambda sentence: None)  # type: ignore[arg-type]


def point(server: Hanging, timeout: float) -> None:
    request = PointRequest(Selection(datasources=("a",)), timedelta(hours=1), timeout=timeout)
    make_points(server, request, check_mode=False, log=lambda sentence: None)  # type: ignore[arg-type]


def switch(server: Hanging, timeout: float) -> None:
    times = CallTimes.of(server.time(), timeout)
    switch_group(server, "Files", True, times, check_mode=False, log=lambda sentence: None)  # type: ignore[arg-type]


@given(timeout=TIMEOUTS, answers=st.none() | st.integers(1, 12), busy=st.floats(0, 2000))
@settings(max_examples=40, deadline=None)
@pytest.mark.parametrize("flow", [resize, check, point, switch])
def test_no_call_outlives_its_timeout_by_more_than_a_minute(
    flow: Callable[[Hanging, float], None], timeout: float, answers: int | None, busy: float
) -> None:
    server = Hanging({"a": Volume(10 * GIB, 9 * GIB, state="invalid")}, answers)
    began = server.time()
    server.volumes["a"].busy_until = began + busy
    try:
        flow(server, timeout)
    except TimeIsUp:
        # Nothing was written yet: the call ends with that.
        assert not server.last_starts
    assert server.time() + _CLOSING - began <= timeout + 60
    # Steps of the fake server take half a second.
    assert all(late <= 0.5 for late in server.last_starts)


@given(timeout=TIMEOUTS)
def test_a_script_that_writes_has_two_minutes_for_its_own_end_where_the_timeout_is_that_long(timeout: float) -> None:
    times = CallTimes.of(1000.0, timeout)
    assert 1000 < times.last_start < times.writes_end <= times.end
    assert times.last_start >= 1000 + timeout / 2 - 0.001
    if timeout >= 200:
        assert times.writes_end - times.last_start == pytest.approx(WRITE_GRACE_SECONDS)
