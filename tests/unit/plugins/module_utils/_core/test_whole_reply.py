"""connection_timeout bounds a whole reply: a server that sends a byte now and then does not hold a run for ever."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._core.whole_reply import bounded


@contextmanager
def dripping(pause: float) -> Iterator[int]:
    """Gives a server whose reply of 1,000 bytes comes byte by byte, with a pause before each."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ended = threading.Event()

        def serve() -> None:
            connection = listener.accept()[0]
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n")
                while not ended.wait(pause):
                    try:
                        connection.sendall(b"x")
                    except OSError:
                        return

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        ended.set()


def test_a_reply_that_drips_ends_in_time() -> None:
    with dripping(0.02) as port:
        connection = bounded(HTTPConnection)("127.0.0.1", port, timeout=0.3)
        began = time.monotonic()
        connection.request("GET", "/")
        with pytest.raises(TimeoutError):
            connection.getresponse().read()
        assert time.monotonic() - began < 5
        connection.close()


def test_a_reply_in_time_is_read_whole_and_the_connection_goes_on() -> None:
    with dripping(0) as port:
        connection = bounded(HTTPConnection)("127.0.0.1", port, timeout=30)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"x" * 1000
        assert connection.sock.gettimeout() == 30
        connection.close()
