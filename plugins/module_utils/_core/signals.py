# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""SIGTERM and SIGHUP end a run as SIGINT does: by an exception, so that sessions, shells and tickets are given back."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

_ENDING = (signal.SIGTERM, signal.SIGHUP)


class Interrupted(KeyboardInterrupt):
    """Somebody ended the run from outside; `signal_name` is how. Not an error that any step may handle."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal_name = signal.Signals(number).name

    def __str__(self) -> str:
        return (
            f"The run was ended from outside ({self.signal_name}); what it had begun may have been carried out. "
            "Run again: the state is read first, and decides."
        )


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """Within it a signal that ends a process raises Interrupted, once; the next ones do not disturb the tidying up.

    Who had a handler of its own before, as a worker of Ansible's has, gets the signal again at the end. A signal that
    is ignored (nohup) stays so, and threads other than the main one are left as they are: they get no signals."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {}
    came: list[int] = []

    def interrupt(number: int, frame: FrameType | None) -> None:
        for one in before:
            signal.signal(one, signal.SIG_IGN)
        came.append(number)
        raise Interrupted(number)

    for number in _ENDING:
        if signal.getsignal(number) not in (signal.SIG_IGN, None):
            before[number] = signal.signal(number, interrupt)
    try:
        yield
    finally:
        for ended, handler in before.items():
            signal.signal(ended, handler)
        if came and callable(before[came[0]]):
            os.kill(os.getpid(), came[0])
