# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An answer of WinRM counts only for the operation that was asked for."""

from __future__ import annotations

import socket
import threading
from typing import Any

import pytest
import requests
from requests.exceptions import RequestException

from ansible_collections.winbackup.storage.plugins.module_utils._powershell.replies import (
    NotTheAnswer,
    check_answer,
    guard,
)

ASKED = "<a:Action>http://schemas.xmlsoap.org/ws/2004/09/transfer/%s</a:Action><a:MessageID>uuid:1</a:MessageID>"
ANSWER = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"'
    ' xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing">'
    "<s:Header><a:RelatesTo>uuid:1</a:RelatesTo></s:Header><s:Body>%s</s:Body></s:Envelope>"
)


@pytest.mark.parametrize(
    ("action", "body", "complaint"),
    [
        ("Delete", "", None),
        ("Delete", "<PauseResponse/>", "'PauseResponse' where nothing should be"),
        ("Create", "<ResourceCreated/>", None),
        ("Create", "", "nothing where ResourceCreated should be"),
    ],
)
def test_an_operation_is_answered_by_its_own_element(action: str, body: str, complaint: str | None) -> None:
    if complaint is None:
        check_answer(ASKED % action, (ANSWER % body).encode())
        return
    with pytest.raises(NotTheAnswer, match=complaint):
        check_answer(ASKED % action, (ANSWER % body).encode())


def test_a_chunk_of_less_than_nothing_is_not_read_without_an_end() -> None:
    sent = 0

    def serve(listener: socket.socket) -> None:
        nonlocal sent
        connection = listener.accept()[0]
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n")
            try:
                while sent < 64 * 1024**2:
                    sent += connection.send(b"x" * 1024**2)
            except OSError:
                return

    class Transport:
        """What is guarded of pywinrm's transport."""

        _send_message_request: Any = staticmethod(lambda session, request: session.send(request, timeout=20))

    class Protocol:
        """What is guarded of pywinrm's protocol."""

        transport = Transport()
        send_message: Any = staticmethod(lambda message: b"")

    protocol = Protocol()
    guard(protocol, lambda: 20.0)
    with socket.create_server(("127.0.0.1", 0)) as listener, requests.Session() as session:
        server = threading.Thread(target=serve, args=(listener,), daemon=True)
        server.start()
        session.trust_env = False
        request = session.prepare_request(requests.Request("POST", f"http://127.0.0.1:{listener.getsockname()[1]}/"))
        with pytest.raises(RequestException):
            protocol.transport._send_message_request(session, request)
        server.join(20)
    assert sent < 32 * 1024**2
