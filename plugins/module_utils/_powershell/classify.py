# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What an exception out of pywinrm means: the sentence for the user, and whether to go on."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConfigurationError,
    ConnectionFailed,
    LoginRefused,
    StorageError,
)
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.replies import NotTheAnswer, SentElsewhere
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.target import Target

SHELL_NOT_FOUND, COMMAND_NOT_FOUND = 2150858843, 2150858859
TOO_MANY_SHELLS, TOO_MANY_OPERATIONS = 0x803381A5, 0x803381A6
ACCESS_DENIED = (5, 0x80070005)
BUSY = 170
PIPE_CLOSING = (0x800700E8, 232)

# Raised by the library of Kerberos, which is not always there to be named as classes.
_KERBEROS = {"GSSError", "KerberosExchangeError", "MutualAuthenticationError"}
# A record that ends, is damaged or comes out of turn is a connection that broke; it says nothing of trust.
_BROKEN_TLS = re.compile("SSLEOFError|SSLZeroReturnError|UNEXPECTED_EOF|BAD_RECORD_MAC|UNEXPECTED_MESSAGE")
_TLS_REASONS = (r"certificate verify failed: ([^()]+)", r"CertificateError\(([^()]+)", r"\[SSL: (\w+)\]")
_NOT_WINRM_HINT = "Check hostname, port, path and proxy."


class Kind(Enum):
    """What to do about an error of the transport."""

    FATAL = "say it and stop"
    CONNECTION = "connect again and go on"
    NOT_THE_ANSWER = "connect again and go on, a few times: somebody else answers in the host's place"
    SHELL_LOST = "the shell and what ran in it are gone"
    QUOTA_SHELLS = "wait, and ask for a shell again"
    QUOTA_OPERATIONS = "take a new shell"
    BUSY = "send the same again"
    PIPE_CLOSING = "nobody reads the input any more"
    OPERATION_TIMEOUT = "nothing has come yet"


@dataclass(eq=False)
class TransportError(Exception):
    """An exception, understood."""

    kind: Kind
    meaning: StorageError


def classify(error: Exception, target: Target, established: bool) -> TransportError:
    """Returns what an exception means; `established`: this connection has answered a request before."""
    name = type(error).__name__
    if isinstance(error, NotTheAnswer):
        return _somebody_else(error, target)
    if name == "WinRMOperationTimeoutError":
        return TransportError(
            Kind.OPERATION_TIMEOUT, ConnectionFailed(f"{target.name} took too long for one operation.")
        )
    if name == "WSManFaultError":
        return _fault(error, target)
    if name == "InvalidCredentialsError":
        return TransportError(Kind.FATAL, _refused(target))
    if name == "WinRMTransportError":
        return _status(int(getattr(error, "code", 0)), target, established)
    credssp = any(kind.__module__.startswith("requests_credssp") for kind in type(error).__mro__)
    if credssp or name in _KERBEROS or (name == "WinRMError" and established):
        # A sealed message on a connection that was dropped meanwhile ends so; on a new one it is the logon itself.
        if established:
            return _broken(error, target)
        return TransportError(Kind.FATAL, _refused(target) if credssp else _no_context(error, target))
    requested = _of_requests(error, target)
    if requested is not None:
        return requested
    if isinstance(error, OSError):
        return TransportError(
            Kind.FATAL, ConfigurationError(f"The connection to {target.name} cannot be set up: {error}.")
        )
    # The libraries stumble over what is no WinRM in as many ways as there are: none of them is to end in a traceback.
    said = str(error) if name == "WinRMError" else name
    return TransportError(
        Kind.FATAL, ConnectionFailed(f"{target.name} answers, but not as WinRM ({said}).", hint=_NOT_WINRM_HINT)
    )


def _somebody_else(error: NotTheAnswer, target: Target) -> TransportError:
    if isinstance(error, SentElsewhere):
        elsewhere = f"{target.name} answers, but not as WinRM: it sends requests on to another address ({error})"
        return TransportError(
            Kind.FATAL,
            ConnectionFailed(f"{elsewhere}, where nothing is sent, and nobody logs on.", hint=_NOT_WINRM_HINT),
        )
    return TransportError(
        Kind.NOT_THE_ANSWER,
        ConnectionFailed(f"{target.name} answers, but not as WinRM: {error}.", hint=_NOT_WINRM_HINT),
    )


def _fault(error: Exception, target: Target) -> TransportError:
    codes = {getattr(error, "wsman_fault_code", None), getattr(error, "wmierror_code", None)}
    reason = str(getattr(error, "reason", error)).strip().rstrip(".")
    said = ConnectionFailed(f"{target.name} refused a request: {reason}.")
    if codes & {SHELL_NOT_FOUND, COMMAND_NOT_FOUND}:
        lost = "the remote shell is gone: the host was restarted, or the shell was ended there"
        return TransportError(Kind.SHELL_LOST, ConnectionFailed(f"The run on {target.name} was interrupted: {lost}."))
    if TOO_MANY_SHELLS in codes:
        hint = "Close remote shells of this user, or raise MaxShellsPerUser on the host."
        return TransportError(Kind.QUOTA_SHELLS, ConnectionFailed(said.message, hint=hint))
    if TOO_MANY_OPERATIONS in codes:
        hint = "Wait until others of this user are done, or raise MaxConcurrentOperationsPerUser on the host."
        return TransportError(Kind.QUOTA_OPERATIONS, ConnectionFailed(said.message, hint=hint))
    if codes & set(ACCESS_DENIED) or str(getattr(error, "fault_subcode", "")).endswith("AccessDenied"):
        hint = "Make the user an administrator of the host, or give it the right to WinRM and to what the task uses."
        denied = f"{target.name} let {target.username or 'the user'} log on, and denies access to WinRM"
        return TransportError(Kind.FATAL, ConnectionFailed(f"{denied}: {reason}.", hint=hint))
    if BUSY in codes:
        return TransportError(Kind.BUSY, said)
    if codes & set(PIPE_CLOSING):
        return TransportError(Kind.PIPE_CLOSING, said)
    return TransportError(Kind.FATAL, said)


def _status(code: int, target: Target, established: bool) -> TransportError:
    said = f"{target.name} answered with HTTP status {code}"
    if code == 400 and established:
        return TransportError(Kind.CONNECTION, ConnectionFailed(f"The connection to {target.name} was dropped."))
    if code == 503:
        return TransportError(Kind.CONNECTION, ConnectionFailed(f"{said}: the WinRM service is not ready."))
    if code == 500 and target.scheme == "http":
        hint = "Use scheme https, or transport ntlm or kerberos with message_encryption auto."
        return TransportError(Kind.FATAL, ConnectionFailed(f"{said}: it takes no unencrypted messages.", hint=hint))
    if code == 413:
        return TransportError(
            Kind.FATAL, ConnectionFailed(f"{said}: a message was too long for its MaxEnvelopeSizekb.")
        )
    hint = "Check port and path, and that no proxy or other web server answers there."
    return TransportError(Kind.FATAL, ConnectionFailed(f"{said}.", hint=hint))


def _refused(target: Target) -> StorageError:
    hint = (
        "Every such refusal looks the same: a wrong user name or password, an account that is locked, disabled or "
        "expired, a transport that the host's WinRM service does not allow, a channel binding that it demands "
        "(CbtHardeningLevel), or clocks that differ by more than five minutes. It was tried once only, so that no "
        "account is locked."
    )
    who = target.username or "the user"
    return LoginRefused(f"{target.name} does not let {who} log on by {target.transport}.", hint=hint)


def _no_context(error: Exception, target: Target) -> StorageError:
    hint = (
        "Use the fully qualified name of the host (an address has no ticket), or set kerberos_hostname_override to it; "
        "check that there is a ticket or give username and password, and realm and KDC in krb5.conf."
    )
    return ConnectionFailed(f"The logon to {target.name} by {target.transport} failed: {_plain(error)}.", hint=hint)


def _broken(error: Exception, target: Target) -> TransportError:
    return TransportError(
        Kind.CONNECTION, ConnectionFailed(f"The connection to {target.name} broke off: {_plain(error)}.")
    )


def _of_requests(error: Exception, target: Target) -> TransportError | None:
    names = {kind.__name__ for kind in type(error).__mro__ if kind.__module__.startswith("requests")}
    name = target.name
    # A record that ends or is damaged on its way is a connection that broke, and says nothing of trust.
    if "SSLError" in names and not _BROKEN_TLS.search(str(error)):
        found = next(filter(None, (re.search(pattern, str(error)) for pattern in _TLS_REASONS)), None)
        reason = found[1].strip(" '\".,") if found else "TLS failed"
        hint = (
            "Set ca_trust_path to the certificate of the authority that signed the host's, hostname to a name that the "
            "certificate is for (among its subject alternative names: a common name alone does not count), port to "
            "that of https; or server_cert_validation to ignore to go without proof."
        )
        return TransportError(
            Kind.FATAL, ConnectionFailed(f"No trusted TLS connection to {name}: {reason}.", hint=hint)
        )
    if "ProxyError" in names:
        hint = "Check the option proxy."
        return TransportError(Kind.FATAL, ConnectionFailed(f"{name} cannot be reached through the proxy.", hint=hint))
    if "ReadTimeout" in names:
        return TransportError(
            Kind.CONNECTION, ConnectionFailed(f"{name} did not answer within {target.connection_timeout} s.")
        )
    if "ChunkedEncodingError" in names:
        return TransportError(Kind.CONNECTION, ConnectionFailed(f"{name} broke the connection off amid its answer."))
    if names & {"ConnectionError", "Timeout", "SSLError"}:
        text = str(error)
        if "Failed to resolve" in text or "Name or service not known" in text:
            unresolved = f"The name {target.hostname} cannot be resolved."
            return TransportError(Kind.FATAL, ConnectionFailed(unresolved, hint="Check the option hostname."))
        refused = "refuses connections" if "refused" in text else "cannot be reached"
        if "reset" in text or "RemoteDisconnected" in text or "EOF" in text or "Broken pipe" in text:
            refused = "broke the connection off"
        hint = "Check hostname, port and firewalls, that the host is up and its WinRM service runs."
        if target.transport == "certificate":
            hint += " A host with TLS 1.3 may break off a logon by certificate: turn TLS 1.3 off at its listener."
        return TransportError(Kind.CONNECTION, ConnectionFailed(f"{name} {refused}.", hint=hint))
    if names:
        hint = "Check hostname, port, path and proxy."
        return TransportError(
            Kind.FATAL, ConnectionFailed(f"No request to {name} is possible: {_plain(error)}.", hint=hint)
        )
    return None


def _plain(error: Exception) -> str:
    return re.sub(r"\s+", " ", str(error) or type(error).__name__).rstrip(". ")
