# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Answers that are none: of another web server, of another operation, cut, endless, packed, or from elsewhere."""

from __future__ import annotations

import gzip
import socket
import threading
import time
from typing import Any

import pytest
from wsman import Account, WinRmHost
from wsman.processes import Commands
from wsman.site import PASSWORD, USER

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConnectionFailed, OutcomeUnknown
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.replies import LARGEST_REPLY_BYTES
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.runner import PowerShell
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.target import Target
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.winrm_transport import WinRmTransport

from .conftest import Lab, soon
from .scripts import ADD, ECHO

OPENING = (
    '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    'xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell">'
    "<s:Header><a:RelatesTo>$MESSAGE_ID</a:RelatesTo></s:Header>"
)
PAGE = (
    '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Wartung: bitte später</title></head>'
    "<body><p>503</p></body></html>"
)
KINDS: dict[str, dict[str, Any]] = {
    "503": {"kind": "status", "status": 503},
    "page": {"kind": "reply", "status": 200, "body": PAGE, "somebody_else": True},
    "empty": {"kind": "reply", "status": 200, "body": "", "somebody_else": True},
    "cut": {"kind": "cut"},
    "other operation": {
        "kind": "reply",
        "status": 200,
        "body": f"{OPENING}<s:Body><rsp:PauseResponse/></s:Body></s:Envelope>",
    },
}
REQUESTS = range(1, 18)
END_OF_INPUT, RECEIVE = 9, 10
SAMPLE = (1, 2, 3, END_OF_INPUT, RECEIVE)
WAYS = [("ntlm", "http"), ("basic", "https")]
MORE_WAYS = [("kerberos", "http"), ("credssp", "http"), ("certificate", "https")]
SWEPT = [
    *(pytest.param(way, SAMPLE, id="-".join(way)) for way in WAYS),
    *(pytest.param(way, REQUESTS, id=f"{'-'.join(way)}-all", marks=pytest.mark.slow) for way in WAYS + MORE_WAYS),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("way", "numbers"), SWEPT)
def test_whatever_request_is_answered_so_a_read_comes_through_and_a_write_is_done_once_or_said_to_be_unknown(
    lab: Lab, way: tuple[str, str], numbers: tuple[int, ...], kind: str
) -> None:
    said: list[str] = []
    for number in numbers:
        lab.reset()
        lab.host.troubles.add(number=number, **KINDS[kind])
        with lab.connect(*way) as shell:
            assert shell.run(ECHO, {"Text": "日本"}, deadline=soon())["text"] == "日本", number
            try:
                answer = shell.run(ADD, {}, deadline=soon(), writes=True)
            except OutcomeUnknown as unknown:
                # Only where the answer itself was carried away.
                assert (kind, number) == ("cut", RECEIVE)
                said.append(str(unknown))
                assert lab.world.done == 1
            else:
                assert (answer["done"], lab.world.done) == (1, 1), number
        unanswered = number == 1 and kind == "cut"
        assert len(lab.host.shells.open) == (1 if unanswered else 0), number
    assert all("what it did is not known" in text for text in said)


@pytest.mark.parametrize("way", WAYS, ids="-".join)
def test_a_page_that_stays_is_quoted_by_its_title(lab: Lab, way: tuple[str, str]) -> None:
    lab.host.troubles.add(times=50, **KINDS["page"])
    said = "answers, but not as WinRM: a page with the title 'Wartung: bitte später'"
    with lab.connect(*way) as shell, pytest.raises(ConnectionFailed, match=said):
        shell.run(ECHO, {}, deadline=soon())


def test_a_page_that_stays_while_a_write_runs_leaves_it_unknown(lab: Lab) -> None:
    lab.host.troubles.add(action="Receive", times=50, **KINDS["page"])
    with lab.connect("ntlm", "http") as shell, pytest.raises(OutcomeUnknown, match=r"not known.*a page with the title"):
        shell.run(ADD, {}, deadline=soon(), writes=True)
    assert lab.world.done <= 1


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("way", [*WAYS, ("kerberos", "http")], ids="-".join)
def test_nobody_is_followed_to_another_host(lab: Lab, way: tuple[str, str], status: int) -> None:
    with WinRmHost([Account(USER, PASSWORD)], Commands()) as other:
        lab.host.troubles.add(
            "reply",
            status=status,
            headers=(f"Location: http://localhost:{other.port}/wsman",),
            somebody_else=True,
            times=50,
        )
        with (
            lab.connect(*way) as shell,
            pytest.raises(ConnectionFailed, match=r"sends requests on to another address .'http://localhost:.* nobody"),
        ):
            shell.run(ECHO, {}, deadline=soon())
        assert other.troubles.log == []
    # It is not tried again either.
    assert len(lab.host.troubles.operations()) <= 1


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ({"body": b"\xff\xfe\x00", "status": 500}, "HTTP status 500"),
        ({"body": b"\xff\xfe\x00", "status": 200}, "no SOAP"),
        ({"body": b"x" * (LARGEST_REPLY_BYTES + 1), "status": 200}, f"more than {LARGEST_REPLY_BYTES} bytes"),
        (
            {"body": gzip.compress(b"x" * 10**7), "status": 200, "headers": ("Content-Encoding: gzip",)},
            "a packed text .'gzip'., which was not asked for",
        ),
        ({"body": f"{OPENING}<s:Body/></s:Envelope>", "status": 200}, "nothing where ReceiveResponse should be"),
        (
            {
                "body": f"{OPENING}<s:Body><rsp:ReceiveResponse><rsp:Stream Name='stdout'>A</rsp:Stream>"
                "</rsp:ReceiveResponse></s:Body></s:Envelope>",
                "status": 200,
            },
            "not as WinRM",
        ),
        (
            {
                "body": f"{OPENING}<s:Body><rsp:ReceiveResponse><rsp:CommandState State='CommandState/Done'>"
                "<rsp:ExitCode>many</rsp:ExitCode></rsp:CommandState></rsp:ReceiveResponse></s:Body></s:Envelope>",
                "status": 200,
            },
            "not as WinRM",
        ),
    ],
    ids=["bytes of an error", "bytes", "large", "packed", "nothing", "no base64", "no number"],
)
def test_what_is_no_answer_is_one_sentence_and_after_a_write_unknown(
    lab: Lab, trouble: dict[str, Any], said: str
) -> None:
    lab.host.troubles.add("reply", action="Receive", times=50, **trouble)
    with lab.connect("basic", "https") as shell, pytest.raises(ConnectionFailed, match=said):
        shell.run(ECHO, {}, deadline=soon())
    with lab.connect("basic", "https") as shell, pytest.raises(OutcomeUnknown, match=f"not known.*{said}"):
        shell.run(ADD, {}, deadline=soon(), writes=True)


@pytest.mark.parametrize("sealed", [b"", b"\x00\x00\x00\x00", b"--Encrypted Boundary\r\nLength=9\r\n"], ids=repr)
def test_a_seal_that_is_none_is_one_sentence(lab: Lab, sealed: bytes) -> None:
    kind = 'Content-Type: multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted"'
    lab.host.troubles.add("reply", status=200, times=50, body=sealed, somebody_else=True, headers=(kind,))
    with lab.connect("ntlm", "http") as shell, pytest.raises(ConnectionFailed, match=r"not as WinRM|broke off"):
        shell.run(ECHO, {}, deadline=soon())


@pytest.mark.slow
def test_a_header_that_comes_byte_by_byte_has_an_end() -> None:
    """Each byte comes in time, and the reply never does."""
    listener = socket.create_server(("127.0.0.1", 0))

    def trickle(connection: socket.socket) -> None:
        with connection:
            connection.recv(65536)
            connection.sendall(b"HTTP/1.1 200 OK\r\nX-Long: ")
            for _ in range(600):
                connection.sendall(b"x")
                time.sleep(0.2)

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=trickle, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    options = {"transport": "ntlm", "scheme": "http", "hostname": "127.0.0.1", "port": listener.getsockname()[1]}
    target = Target.of({**options, "username": USER, "password": PASSWORD, "connection_timeout": 5})
    started = time.monotonic()
    try:
        with PowerShell(WinRmTransport(target)) as shell, pytest.raises(ConnectionFailed, match="within 5 s"):
            shell.run(ECHO, {}, deadline=soon(10))
    finally:
        listener.close()
    assert time.monotonic() - started < 40
