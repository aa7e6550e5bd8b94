# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Signals that end a process: everything is given back first, and who had a handler of its own still hears of it."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._core.signals import Interrupted, interruptible


@pytest.fixture(autouse=True)
def _handlers() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP], ids=lambda one: one.name)
def test_what_was_opened_is_given_back_whole_although_further_signals_come(number: signal.Signals) -> None:
    given_back: list[str] = []

    @interruptible()
    def work() -> None:
        try:
            os.kill(os.getpid(), number)
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGHUP)
            given_back.append("session")

    with pytest.raises(Interrupted, match=number.name):
        work()
    assert given_back == ["session"]
    assert signal.getsignal(number) is signal.SIG_DFL


def test_a_worker_with_a_handler_of_its_own_hears_of_it_afterwards() -> None:
    heard: list[Any] = []
    signal.signal(signal.SIGTERM, lambda number, frame: heard.append(number))

    @interruptible()
    def work() -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
        finally:
            heard.append("given back")

    with pytest.raises(Interrupted):
        work()
    assert heard == ["given back", signal.SIGTERM]


def test_a_hang_up_that_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with interruptible():
        os.kill(os.getpid(), signal.SIGHUP)
    assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def test_other_threads_may_run_modules_too() -> None:
    done: list[bool] = []

    def work() -> None:
        with interruptible():
            done.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert done == [True]
