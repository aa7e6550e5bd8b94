"""Patience: how long and how often something is tried again."""

from __future__ import annotations

from itertools import islice

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._core import waiting
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import (
    RESTART_SECONDS,
    Deadline,
    growing_pauses,
    patience,
)


def test_a_restart_of_the_management_is_waited_for_as_long_as_it_takes() -> None:
    pauses = list(patience(RESTART_SECONDS))
    assert pauses[:5] == [0, 1, 3, 7, 8]
    assert sum(pauses) == RESTART_SECONDS
    assert max(pauses) <= 8


def test_attempts_that_take_long_themselves_end_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr(waiting, "clock", lambda: now[0])
    tries = 0
    for _pause in patience(120):
        now[0] += 60
        tries += 1
    assert tries == 4


def test_a_deadline_is_over_once_its_seconds_are(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr(waiting, "clock", lambda: now[0])
    deadline = Deadline(10)
    now[0] = 104
    assert (deadline.remaining, deadline.is_over) == (6, False)
    now[0] = 111
    assert (deadline.remaining, deadline.is_over) == (0, True)


def test_pauses_grow_up_to_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []
    monkeypatch.setattr(waiting, "pause_for", waited.append)
    assert len(list(islice(growing_pauses(0.5, 3.0), 5))) == 5
    assert waited == [0.5, 1.0, 2.0, 3.0, 3.0]
