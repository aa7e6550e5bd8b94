# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a test can do to the lab's host: make requests fail, hold them, and read what was asked of it."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from typing import Any

KINDS = (
    "reset_before",
    "reset_after",
    "close_before",
    "close_after",
    "status",
    "delay",
    "reply",
    "cut",
    "fault",
    "reboot",
    "restart",
    "refuse_credentials",
    "drop_idle",
)


@dataclass
class Trouble:
    """A trouble for the requests that match: by `action` ("Receive"), by `number` (of all requests with SOAP, from 1).

    `kind`: reset_before and close_before (not carried out), reset_after and close_after (carried out, no answer),
    status (HTTP `status`, not carried out), delay (`seconds`, then carried out), reply (`body` instead of the answer,
    with HTTP `status` and `headers`; not sealed where it comes from `somebody_else`), cut (carried out, half of the
    answer, then the end of the connection), fault (`code`, `subcode`, `shape`), reboot (all shells lost, all
    connections reset), restart (as reboot, and connections are refused for `seconds`),
    refuse_credentials (401), drop_idle (answered, then the connection is closed).
    """

    kind: str
    action: str | None = None
    number: int | None = None
    times: int = 1
    status: int = 500
    seconds: float = 0.0
    body: str | bytes = ""
    headers: tuple[str, ...] = ()
    somebody_else: bool = False
    code: int = 0
    subcode: str = "w:InternalError"
    shape: str = "wsman"

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f"no trouble is called {self.kind}")


@dataclass(frozen=True)
class Entry:
    """One request, as the log has it. `number` is 0 for what carries no SOAP (handshakes), `trouble` what was done to
    it."""

    connection: int
    number: int
    action: str
    scheme: str
    user: str
    sealed: bool
    tls: bool
    status: int
    fault: int | None = None
    trouble: str | None = None


class Troubles:
    """The control of a host by a test of the same process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[Trouble] = []
        self._holds: list[Hold] = []
        self.log: list[Entry] = []
        self._count = 0

    def add(self, kind: str, **details: Any) -> Trouble:
        """Plans a trouble; returns it."""
        trouble = Trouble(kind, **details)
        with self._lock:
            self._waiting.append(trouble)
        return trouble

    def hold(self, action: str | None = None, number: int | None = None) -> Hold:
        """Holds the next request that matches, before it is carried out."""
        hold = Hold(action, number)
        with self._lock:
            self._holds.append(hold)
        return hold

    def clear(self) -> None:
        """Forgets troubles, holds and the log, and counts requests from 1 again."""
        with self._lock:
            self._waiting, self.log, self._count = [], [], 0
            holds, self._holds = self._holds, []
        for hold in holds:
            hold.release()

    def arrived(self, action: str) -> tuple[int, Trouble | None]:
        """For the host: counts a request, waits where it is held, returns its number and its trouble."""
        with self._lock:
            self._count += 1
            number = self._count
            hold = next((hold for hold in self._holds if _matches(hold, action, number)), None)
            if hold is not None:
                self._holds.remove(hold)
            trouble = next((trouble for trouble in self._waiting if _matches(trouble, action, number)), None)
            if trouble is not None:
                trouble.times -= 1
                if trouble.times <= 0:
                    self._waiting.remove(trouble)
        if hold is not None:
            hold.reached.set()
            hold.go_on.wait(60)
        return number, trouble

    def record(self, entry: Entry) -> None:
        """For the host: writes the log."""
        with self._lock:
            self.log.append(entry)

    def operations(self) -> list[str]:
        """The actions of the requests with SOAP, in order."""
        with self._lock:
            return [entry.action for entry in self.log if entry.number]

    def log_as_dicts(self) -> list[dict[str, Any]]:
        with self._lock:
            return [asdict(entry) for entry in self.log]


class Hold:
    """A request that waits: `reached` is set when it has come, `release()` lets it go on."""

    def __init__(self, action: str | None, number: int | None) -> None:
        self.action = action
        self.number = number
        self.reached = threading.Event()
        self.go_on = threading.Event()

    def release(self) -> None:
        self.go_on.set()


def _matches(wanted: Trouble | Hold, action: str, number: int) -> bool:
    return wanted.action in (None, action) and wanted.number in (None, number)
