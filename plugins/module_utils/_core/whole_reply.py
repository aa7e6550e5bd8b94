# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A reply has so many seconds from its first byte to its last, however often a byte of it comes, and no more than the
run that asked for it has left."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from math import inf
from socket import socket
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import clock


class RunIsOver(TimeoutError):
    """The time of the whole run was up before the reply had come."""


class _InTime(io.RawIOBase):
    """What a socket gives, until time is up; then TimeoutError."""

    def __init__(self, raw: io.RawIOBase, connection: socket, left: float | None) -> None:
        self._raw = raw
        self._socket = connection
        self._seconds = connection.gettimeout()
        seconds = self._seconds or 0.0
        self._late = RunIsOver if left is not None and left < seconds else TimeoutError
        self._end = clock() + (seconds if left is None else min(seconds, left))

    @property
    def _sock(self) -> socket:
        """The socket, under the name by which libraries look for the server's certificate."""
        return self._socket

    def readable(self) -> bool:
        """A socket's file can be read."""
        return True

    def readinto(self, buffer: Any) -> int | None:
        """Reads as a socket's file does; raises TimeoutError where the whole reply has had its time."""
        if self._seconds is None:
            return self._raw.readinto(buffer)
        left = self._end - clock()
        if left <= 0:
            raise self._late("timed out")
        self._socket.settimeout(left)
        try:
            return self._raw.readinto(buffer)
        except TimeoutError as error:
            raise self._late("timed out") from error
        finally:
            self._socket.settimeout(self._seconds)

    def close(self) -> None:
        """Closes the socket's file."""
        self._raw.close()
        super().close()


class WholeResponse(HTTPResponse):
    """A reply whose time limit is that of its socket, and counts for all of it."""

    def __init__(
        self, sock: socket, *arguments: Any, seconds_left: Callable[[], float] | None = None, **more: Any
    ) -> None:
        super().__init__(sock, *arguments, **more)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_InTime(raw, sock, seconds_left() if seconds_left is not None else None))

    def _safe_read(self, amt: int) -> bytes:
        """Reads so much of a chunk; http.client and urllib3 take a size of -1 as well, and read it without an end."""
        if amt < 0:
            raise IncompleteRead(b"")
        whole: bytes = super()._safe_read(amt)  # type: ignore[misc]
        return whole


def bounded(
    scheme: Callable[..., HTTPConnection], seconds_left: Callable[[], float] = lambda: inf
) -> Callable[..., HTTPConnection]:
    """Returns what makes connections as `scheme` does, whose replies are bounded as a whole, and by what the run has
    left. Raises RunIsOver where that is nothing."""

    def connection(*arguments: Any, **more: Any) -> HTTPConnection:
        left = seconds_left()
        if left <= 0:
            raise RunIsOver("timed out")
        made = scheme(*arguments, **more)
        if made.timeout is not None:
            made.timeout = min(made.timeout, left)
        made.response_class = partial(WholeResponse, seconds_left=seconds_left)  # type: ignore[assignment]
        return made

    return connection
