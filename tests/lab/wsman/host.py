# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Windows host as far as WinRM shows it: listeners, connections, and the service behind them. A model made from
documentation."""

from __future__ import annotations

import hashlib
import itertools
import socket
import ssl
import struct
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from urllib.parse import urlsplit

from . import soap
from .accounts import NTLM_FILE, Account, Accounts
from .certificates import Certificates, common_name
from .processes import Commands, Executor
from .security import CERTIFICATE, BadSeal, ConnectionSecurity, Settings, is_sealed
from .shells import Quotas, Shells
from .troubles import Entry, Trouble, Troubles

NOTE = "winbackup.storage lab: a model of Windows made from documentation"
_XML = "application/soap+xml;charset=UTF-8"


class Dropped(Exception):
    """The connection ends here; `rudely` by a reset."""

    def __init__(self, rudely: bool = False) -> None:
        super().__init__()
        self.rudely = rudely


class WinRmHost:
    """A host with an http and, given certificates, an https listener on loopback ports of their own."""

    def __init__(
        self,
        accounts: Iterable[Account],
        executor: Executor | None = None,
        *,
        certificates: Certificates | None = None,
        settings: Settings | None = None,
        quotas: Quotas | None = None,
        address: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.accounts = Accounts(accounts)
        self.settings = settings or Settings()
        self.troubles = Troubles()
        self.time_passed = 0.0
        self.shells = Shells(executor or Commands(), quotas or Quotas(), lambda: time.monotonic() + self.time_passed)
        self.certificates = certificates
        NTLM_FILE.add(self.accounts)
        self._numbers = itertools.count(1)
        self._connections: dict[int, socket.socket] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._returning: threading.Timer | None = None
        self._listeners: list[socket.socket] = []
        self.address = address
        self.port = self._listen(port, None)
        self.tls_port = None if certificates is None else self._listen(0, certificates.server_context())

    def __enter__(self) -> WinRmHost:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends all listeners, connections and shells."""
        self._closed = True
        self._stop_listening()
        self.drop_connections()
        self.shells.lose_all()
        NTLM_FILE.remove(self.accounts)

    def drop_connections(self, rudely: bool = False) -> None:
        """Ends all TCP connections, as an idle timeout of a firewall or of HTTP.sys does."""
        with self._lock:
            connections, self._connections = list(self._connections.values()), {}
        for connection in connections:
            _hang_up(connection, rudely)

    def reboot(self) -> None:
        """All shells and all connections are lost."""
        self.shells.lose_all()
        self.drop_connections(rudely=True)

    def go_away(self, seconds: float) -> None:
        """As `reboot`, and connections are refused for a while."""
        self._stop_listening()
        returning = threading.Timer(seconds, self._come_back)
        returning.start()
        self._returning = returning
        # Last, so that who sees the end of a connection sees a host that is away.
        self.reboot()

    def wait_until_back(self) -> None:
        """Returns once a host that went away is there again."""
        if self._returning is not None:
            self._returning.join()

    def _come_back(self) -> None:
        if not self._closed:
            self._listen(self.port, None)
            if self.certificates is not None and self.tls_port is not None:
                self._listen(self.tls_port, self.certificates.server_context())

    def _stop_listening(self) -> None:
        listeners, self._listeners = self._listeners, []
        for listener in listeners:
            listener.shutdown(socket.SHUT_RDWR)
            listener.close()

    def let_time_pass(self, seconds: float) -> None:
        """Moves the clock by which idle shells end."""
        self.time_passed += seconds

    def _listen(self, port: int, context: ssl.SSLContext | None) -> int:
        family = socket.AF_INET6 if ":" in self.address else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((self.address, port))
        listener.listen(64)
        self._listeners.append(listener)
        threading.Thread(target=self._accept, args=(listener, context), name="winrm lab", daemon=True).start()
        return int(listener.getsockname()[1])

    def _accept(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        while not self._closed:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            number = next(self._numbers)
            threading.Thread(
                target=self._serve, args=(connection, context, number), name="winrm lab", daemon=True
            ).start()

    def _serve(self, connection: socket.socket, context: ssl.SSLContext | None, number: int) -> None:
        rudely = False
        try:
            if context is not None:
                connection = context.wrap_socket(connection, server_side=True)
            with self._lock:
                self._connections[number] = connection
            Connection(self, connection, number).serve()
        except Dropped as end:
            rudely = end.rudely
        except (OSError, ssl.SSLError, ValueError):
            pass
        finally:
            with self._lock:
                self._connections.pop(number, None)
            _end(connection, rudely)


class Connection:
    """One TCP connection: requests one after the other, one context of authentication."""

    def __init__(self, host: WinRmHost, connection: socket.socket, number: int) -> None:
        self.host = host
        self.socket = connection
        self.number = number
        self.tls = isinstance(connection, ssl.SSLSocket)
        self.stream = connection.makefile("rb")
        binding = name = None
        if isinstance(connection, ssl.SSLSocket) and host.certificates is not None:
            binding = hashlib.sha256(host.certificates.server_der).digest()
            name = common_name(connection.getpeercert(binary_form=True))
        self.security = ConnectionSecurity(host.settings, host.accounts, binding, name)

    def serve(self) -> None:
        """Answers requests until the connection ends; raises Dropped."""
        while True:
            if not self.stream.peek(1)[:1].isalpha():
                # The end, or no HTTP: a TLS handshake on the port of http, as HTTP.sys answers it.
                self._send(400, b"", close=True)
                return
            line = self.stream.readline(65536)
            headers = self._headers()
            body = self._body(headers)
            keep = self._answer(line.decode("latin-1"), headers, body)
            if not keep or headers.get("connection", "").lower() == "close":
                return

    def _headers(self) -> dict[str, str]:
        headers: dict[str, str] = {}
        for line in iter(lambda: self.stream.readline(262144), b""):
            if line in (b"\r\n", b"\n"):
                break
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.strip().lower()] = value.strip()
        return headers

    def _body(self, headers: dict[str, str]) -> bytes:
        if headers.get("expect", "").lower() == "100-continue":
            self.socket.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        if headers.get("transfer-encoding", "").lower() == "chunked":
            parts = []
            while size := int(self.stream.readline().split(b";")[0], 16):
                parts.append(self.stream.read(size))
                self.stream.readline()
            self.stream.readline()
            return b"".join(parts)
        return self.stream.read(int(headers.get("content-length") or 0))

    def _answer(self, line: str, headers: dict[str, str], body: bytes) -> bool:
        words = line.split()
        if len(words) < 2 or words[0] != "POST" or urlsplit(words[1]).path.rstrip("/").lower() != "/wsman":
            self._send(404 if len(words) > 1 else 400, b"")
            return True
        if "wsmanidentify" in headers and not headers.get("authorization"):
            self._send(200, soap.identify_reply(NOTE), content_type=_XML)
            return True
        if headers.get("authorization") == CERTIFICATE and self.host.settings.late_certificates and self._tls13():
            self._log(0, "Authenticate", 0)
            raise Dropped(rudely=True)
        answer = self.security.authenticate(headers.get("authorization"))
        if answer.account is None:
            self._log(0, "Authenticate", 401)
            self._send(401, b"", challenges=answer.challenges)
            return True
        self._token = answer.token
        sealed = is_sealed(headers.get("content-type", ""))
        if not body:
            self._log(0, "Authenticate", 200)
            self._send(200, b"", token=answer.token)
            return True
        if sealed:
            try:
                body = self.security.open(body)
            except BadSeal:
                self._log(0, "BadSeal", 400, sealed=True)
                self._send(400, b"", token=answer.token, close=True)
                return False
        elif not self.tls and not self.host.settings.allow_unencrypted:
            self._log(0, "Unencrypted", 500)
            self._send(500, b"", token=answer.token)
            return True
        if len(body) > self.host.settings.max_envelope_bytes:
            self._log(0, "TooLarge", 413, sealed=sealed)
            self._send(413, b"", token=answer.token)
            return True
        return self._soap(body, sealed, answer.account)

    def _tls13(self) -> bool:
        return isinstance(self.socket, ssl.SSLSocket) and self.socket.version() == "TLSv1.3"

    def _soap(self, body: bytes, sealed: bool, account: Account) -> bool:
        try:
            request = soap.read_request(body)
        except soap.Malformed:
            self._log(0, "Malformed", 400, sealed=sealed)
            self._send(400, b"", token=self._token)
            return True
        number, trouble = self.host.troubles.arrived(request.action)
        note = None if trouble is None else trouble.kind
        if trouble is not None:
            try:
                done = self._before(request, trouble, sealed)
            except Dropped:
                self._log(number, request.action, 0, sealed=sealed, trouble=note)
                raise
            if done:
                self._log(number, request.action, done, sealed=sealed, trouble=note)
                return True
        fault: soap.Fault | None = None
        try:
            if not account.may_use:
                raise soap.access_denied()
            if trouble is not None and trouble.kind == "fault":
                raise soap.Fault(trouble.code, trouble.subcode, "A fault that a test asked for.", trouble.shape)
            reply = (
                soap.identify_reply(NOTE)
                if request.action == "Identify"
                else self.host.shells.answer(request, account.name)
            )
        except soap.Fault as refusal:
            fault = refusal
            reply = soap.fault_reply(request, refusal)
        except soap.Malformed as error:
            fault = soap.Fault(2150858752, "w:SchemaValidationError", str(error))
            reply = soap.fault_reply(request, fault)
        status = 200 if fault is None else 500
        self._log(
            number, request.action, status, sealed=sealed, fault=None if fault is None else fault.code, trouble=note
        )
        if trouble is not None and trouble.kind in ("reset_after", "close_after"):
            raise Dropped(trouble.kind == "reset_after")
        content_type = _XML
        if sealed:
            reply, content_type = self.security.seal(reply)
        cut = trouble is not None and trouble.kind == "cut"
        self._send(status, reply, content_type=content_type, token=self._token, cut=cut)
        if cut:
            raise Dropped(rudely=False)
        return not (trouble is not None and trouble.kind == "drop_idle")

    def _before(self, request: soap.Request, trouble: Trouble, sealed: bool) -> int:
        """Does what comes before a request is carried out; returns the HTTP status where that was the answer, else
        0."""
        if trouble.kind == "delay":
            time.sleep(trouble.seconds)
        elif trouble.kind in ("reset_before", "close_before"):
            raise Dropped(trouble.kind == "reset_before")
        elif trouble.kind == "reboot":
            self.host.reboot()
            raise Dropped(rudely=True)
        elif trouble.kind == "restart":
            self.host.go_away(trouble.seconds)
            raise Dropped(rudely=True)
        elif trouble.kind == "refuse_credentials":
            self.security = ConnectionSecurity(self.host.settings, Accounts([]), self.security.binding)
            self._send(401, b"", challenges=self.security.offers())
            return 401
        elif trouble.kind == "status":
            self._send(trouble.status, b"")
            return trouble.status
        elif trouble.kind == "reply":
            body, content_type = trouble.body, _XML
            if isinstance(body, str):
                body = body.replace("$MESSAGE_ID", request.message_id).encode()
            if sealed and not trouble.somebody_else:
                body, content_type = self.security.seal(body)
            self._send(trouble.status, body, content_type=content_type, token=self._token, headers=trouble.headers)
            return trouble.status
        return 0

    def _log(
        self,
        number: int,
        action: str,
        status: int,
        *,
        sealed: bool = False,
        fault: int | None = None,
        trouble: str | None = None,
    ) -> None:
        entry = Entry(
            self.number,
            number,
            action,
            self.security.scheme,
            self.security.user,
            sealed,
            self.tls,
            status,
            fault,
            trouble,
        )
        self.host.troubles.record(entry)

    def _send(
        self,
        status: int,
        body: bytes,
        *,
        content_type: str = "",
        challenges: tuple[str, ...] = (),
        token: str | None = None,
        close: bool = False,
        headers: tuple[str, ...] = (),
        cut: bool = False,
    ) -> None:
        lines = [
            f"HTTP/1.1 {status} {'OK' if status == 200 else 'Lab'}",
            "Server: Microsoft-HTTPAPI/2.0",
            f"X-Lab: {NOTE}",
            *headers,
        ]
        lines += [f"WWW-Authenticate: {challenge}" for challenge in (*challenges, *([token] if token else []))]
        lines += [f"Content-Type: {content_type}"] if content_type else []
        lines += ["Connection: close"] if close else []
        lines.append(f"Content-Length: {len(body)}")
        sent = body[: len(body) // 2] if cut else body
        self.socket.sendall("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + sent)


def _hang_up(connection: socket.socket, rudely: bool) -> None:
    """Ends a connection that another thread serves. Closing it is left to that thread: else the next connection got its
    number, and the thread would read what is meant for that one."""
    with suppress(OSError):
        if rudely:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.shutdown(socket.SHUT_RDWR)


def _end(connection: socket.socket, rudely: bool) -> None:
    """Ends a connection. Only a shutdown reaches a socket that files were made of; only lingering for no time resets
    it."""
    try:
        if rudely:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            # The descriptor itself is closed: files made of the socket would keep it open.
            socket.close(connection.detach())
            return
        connection.shutdown(socket.SHUT_RDWR)
        connection.close()
    except OSError:
        pass
