# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What HTTP.sys does with one TCP connection: authenticate it, and seal and open what goes over it."""

from __future__ import annotations

import base64
import binascii
import contextlib
import re
import struct
from dataclasses import dataclass, field

import spnego
from spnego.channel_bindings import GssChannelBindings
from spnego.exceptions import SpnegoError

from .accounts import Account, Accounts

_BOUNDARY = b"--Encrypted Boundary"
_PROTOCOLS = {"credssp": b"application/HTTP-CredSSP-session-encrypted"}
_SPNEGO_PROTOCOL = b"application/HTTP-SPNEGO-session-encrypted"
CERTIFICATE = "http://schemas.dmtf.org/wbem/wsman/1/wsman/secprofile/https/mutual"
# The library of GSSAPI puts errors that come with a token off until its context is asked for something.
_REFUSALS = (SpnegoError, ValueError, struct.error, AttributeError)
_CREDSSP_BLOCK = 16384
_KRB5_OIDS = (bytes.fromhex("06092a864886f712010202"), bytes.fromhex("06092a864882f712010202"))


@dataclass
class Settings:
    """The settings of a WinRM service. `cbt` is none, relaxed or strict. `late_certificates`: a client's certificate is
    asked for after the handshake, for which TLS 1.3 needs a client that offers it; pywinrm does not."""

    schemes: set[str] = field(default_factory=lambda: {"negotiate", "kerberos", "credssp", "basic", "certificate"})
    allow_unencrypted: bool = False
    cbt: str = "relaxed"
    max_envelope_bytes: int = 512_000
    late_certificates: bool = False


@dataclass(frozen=True)
class Answer:
    """What came of a request's credentials: who it is, or the challenges to send with 401."""

    account: Account | None = None
    challenges: tuple[str, ...] = ()
    token: str | None = None


class BadSeal(Exception):
    """A sealed message that this connection's context cannot open."""


class ConnectionSecurity:
    """The authentication of one connection. `scheme` and `user` are what the log says."""

    def __init__(
        self, settings: Settings, accounts: Accounts, binding: bytes | None = None, certificate_name: str | None = None
    ) -> None:
        self.settings = settings
        self.accounts = accounts
        self.binding = binding
        self.certificate_name = certificate_name
        self.scheme = ""
        self.user = ""
        self._context: spnego.ContextProxy | None = None
        self._complete = False

    def authenticate(self, header: str | None) -> Answer:
        """Takes an Authorization header, or its absence, one step further."""
        if not header:
            if self._complete and self._context is not None:
                return self._allowed(self.accounts.of(self.user))
            return Answer(challenges=self.offers())
        if header.strip() == CERTIFICATE:
            self.scheme = "certificate"
            self.user = self.certificate_name or ""
            known = "certificate" in self.settings.schemes and self.certificate_name
            return self._allowed(self.accounts.of(self.user) if known else None)
        scheme, _, value = header.partition(" ")
        scheme = scheme.lower()
        offered = self.offers_by_scheme()
        if scheme not in offered:
            return Answer(challenges=self.offers())
        try:
            token = base64.b64decode(value.strip(), validate=True)
        except binascii.Error:
            return Answer(challenges=self.offers())
        if scheme == "basic":
            return self._basic(token)
        return self._negotiate(scheme, offered[scheme], token)

    def offers_by_scheme(self) -> dict[str, str]:
        """The schemes on offer, in lower case, as they are written."""
        written = {
            "negotiate": "Negotiate",
            "kerberos": "Kerberos",
            "credssp": "CredSSP",
            "basic": 'Basic realm="WSMAN"',
        }
        return {scheme: text for scheme, text in written.items() if scheme in self.settings.schemes}

    def offers(self) -> tuple[str, ...]:
        return tuple(self.offers_by_scheme().values())

    def _allowed(self, account: Account | None) -> Answer:
        if account is None or not account.may_log_on:
            return Answer(challenges=self.offers())
        return Answer(account)

    def _basic(self, token: bytes) -> Answer:
        name, _, password = token.decode("latin-1").partition(":")
        # Clients differ in how they write what is not ASCII.
        with contextlib.suppress(UnicodeDecodeError):
            name, password = name.encode("latin-1").decode(), password.encode("latin-1").decode()
        self.scheme, self.user = "basic", name
        return self._allowed(self.accounts.log_on(name, password))

    def _negotiate(self, scheme: str, written: str, token: bytes) -> Answer:
        # A new first token starts over; so does any token after the exchange was complete.
        try:
            if self._context is None or self._complete:
                self._complete = False
                self._context = self._new_context(scheme, token)
            unbound = self._lacks_binding(self.scheme, token) if scheme != "credssp" else False
            answer = self._context.step(token)
        except _REFUSALS:
            self._context = None
            return Answer(challenges=self.offers())
        text = base64.b64encode(answer).decode() if answer else None
        if not self._context.complete:
            if text is None:
                self._context = None
                return Answer(challenges=self.offers())
            return Answer(challenges=(f"{written} {text}",))
        self.user = self._context.client_principal or ""
        self._complete = not unbound
        account = None if unbound else self.accounts.of(self.user)
        allowed = self._allowed(account)
        if allowed.account is None:
            self._context, self._complete = None, False
            return allowed
        return Answer(allowed.account, token=f"{written} {text}" if text else None)

    def _new_context(self, scheme: str, token: bytes) -> spnego.ContextProxy:
        if scheme == "credssp":
            self.scheme = "credssp"
            return spnego.server(protocol="credssp")
        protocol = "negotiate"
        if token.startswith(b"NTLMSSP\x00"):
            protocol = "ntlm"
        elif any(oid in token[:24] for oid in _KRB5_OIDS) and b"\x06\x06\x2b\x06\x01\x05\x05\x02" not in token[:24]:
            protocol = "kerberos"
        self.scheme = protocol
        bindings = None
        checked = self.binding is not None and (
            self.settings.cbt == "strict" or (self.settings.cbt == "relaxed" and protocol != "ntlm")
        )
        if checked:
            bindings = GssChannelBindings(application_data=b"tls-server-end-point:" + (self.binding or b""))
        return spnego.server(protocol=protocol, hostname=None, service="http", channel_bindings=bindings)

    def _lacks_binding(self, protocol: str, token: bytes) -> bool:
        """Whether a ticket came without a channel binding: MIT takes those, and only those, whatever it is told to
        expect."""
        if self.settings.cbt != "strict" or self.binding is None or protocol == "ntlm":
            return False
        other = GssChannelBindings(application_data=b"tls-server-end-point:another")
        probe = spnego.server(protocol=protocol, hostname=None, service="http", channel_bindings=other)
        try:
            probe.step(token)
        except _REFUSALS:
            return False
        return probe.complete

    def open(self, body: bytes) -> bytes:
        """Returns the plain text of a sealed body; raises BadSeal."""
        if self._context is None or not self._complete:
            raise BadSeal("the connection has no security context")
        plain = b""
        for part in body.split(_BOUNDARY + b"\r\n"):
            _, found, sealed = part.partition(b"Content-Type: application/octet-stream\r\n")
            if not found:
                continue
            sealed = sealed.removesuffix(_BOUNDARY + b"--\r\n").removesuffix(_BOUNDARY + b"--")
            if len(sealed) < 4:
                raise BadSeal("a part is too short")
            length = struct.unpack("<i", sealed[:4])[0]
            try:
                plain += self._context.unwrap_winrm(sealed[4 : 4 + length], sealed[4 + length :])
            except Exception as error:  # each mechanism has errors of its own
                raise BadSeal(type(error).__name__) from error
        if not plain:
            raise BadSeal("no part was found")
        return plain

    def seal(self, body: bytes) -> tuple[bytes, str]:
        """Returns a sealed body and its content type."""
        assert self._context is not None
        protocol = _PROTOCOLS.get(self.scheme, _SPNEGO_PROTOCOL)
        size = _CREDSSP_BLOCK if self.scheme == "credssp" else max(1, len(body))
        blocks = [body[start : start + size] for start in range(0, len(body), size)]
        sealed = b""
        for block in blocks:
            wrapped = self._context.wrap_winrm(block)
            length = str(len(block) + wrapped.padding_length).encode()
            sealed += _BOUNDARY + b"\r\n\tContent-Type: " + protocol
            sealed += b"\r\n\tOriginalContent: type=application/soap+xml;charset=UTF-8;Length=" + length + b"\r\n"
            sealed += _BOUNDARY + b"\r\n\tContent-Type: application/octet-stream\r\n"
            sealed += struct.pack("<i", len(wrapped.header)) + wrapped.header + wrapped.data
        kind = "x-multi-encrypted" if len(blocks) > 1 else "encrypted"
        content_type = f'multipart/{kind};protocol="{protocol.decode()}";boundary="Encrypted Boundary"'
        return sealed + _BOUNDARY + b"--\r\n", content_type


def is_sealed(content_type: str) -> bool:
    """Whether a Content-Type is that of a sealed message."""
    return bool(re.match(r"multipart/(x-multi-)?encrypted", content_type.strip(), re.IGNORECASE))
