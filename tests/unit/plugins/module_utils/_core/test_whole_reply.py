"""connection_timeout bounds a whole reply: a server that sends a byte now and then does not hold a run for ever."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException

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


@pytest.mark.parametrize("size", [b"-1", b"-5"])
def test_a_chunk_of_less_than_nothing_is_not_read_without_an_end(size: bytes) -> None:
    sent = 0

    def serve() -> None:
        nonlocal sent
        connection = listener.accept()[0]
        with connection:
            connection.recv(1000)
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + size + b"\r\n")
            try:
                while sent < 64 * 1024**2:
                    sent += connection.send(b"x" * 1024**2)
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = threading.Thread(target=serve, daemon=True)
        server.start()
        connection = bounded(HTTPConnection)("127.0.0.1", listener.getsockname()[1], timeout=20)
        connection.request("GET", "/")
        reply = connection.getresponse()
        with pytest.raises(HTTPException):
            reply.read(65536)
        reply.close()
        connection.close()
        server.join(20)
    assert sent < 32 * 1024**2


def test_a_reply_in_time_is_read_whole_and_the_connection_goes_on() -> None:
    with dripping(0) as port:
        connection = bounded(HTTPConnection)("127.0.0.1", port, timeout=30)
        connection.request("GET", "/")
        assert connection.getresponse().read() == b"x" * 1000
        assert connection.sock.gettimeout() == 30
        connection.close()
