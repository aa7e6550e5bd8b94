# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A reply has so many seconds from its first byte to its last, however often a byte of it comes."""

from __future__ import annotations

import io
import time
from collections.abc import Callable
from http.client import HTTPConnection, HTTPResponse
from socket import socket
from typing import Any


class _InTime(io.RawIOBase):
    """What a socket gives, until time is up; then TimeoutError."""

    def __init__(self, raw: io.RawIOBase, connection: socket) -> None:
        self._raw = raw
        self._socket = connection
        self._seconds = connection.gettimeout()
        self._end = time.monotonic() + (self._seconds or 0.0)

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
        left = self._end - time.monotonic()
        if left <= 0:
            raise TimeoutError("timed out")
        self._socket.settimeout(left)
        try:
            return self._raw.readinto(buffer)
        finally:
            self._socket.settimeout(self._seconds)

    def close(self) -> None:
        """Closes the socket's file."""
        self._raw.close()
        super().close()


class WholeResponse(HTTPResponse):
    """A reply whose time limit is that of its socket, and counts for all of it."""

    def __init__(self, sock: socket, *arguments: Any, **more: Any) -> None:
        super().__init__(sock, *arguments, **more)
        raw = self.fp.detach()
        self.fp = io.BufferedReader(_InTime(raw, sock))


def bounded(scheme: Callable[..., HTTPConnection]) -> Callable[..., HTTPConnection]:
    """Returns what makes connections as `scheme` does, whose replies are bounded as a whole."""

    def connection(*arguments: Any, **more: Any) -> HTTPConnection:
        made = scheme(*arguments, **more)
        made.response_class = WholeResponse
        return made

    return connection
