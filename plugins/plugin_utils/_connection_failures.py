# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What a connection plugin of Ansible's says of a connection that failed, in sentences for administrators. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

_ONCE = " It was tried once only, so that no account is locked."
_LOGON_HINT = (
    "Check user and password, or key, of the host in the inventory, that the account is not locked, disabled or "
    "expired and may log on there, and that the host allows this way to log on." + _ONCE
)
_REACH_HINT = (
    "Check ansible_host, ansible_port and firewalls, that the host is up and its service for connections runs."
)

# What the program ssh says where it had no connection on which it could ask for a command. Ansible's plugin puts it
# behind words of its own, and says the same of every connection that fails.
_SSH_NOT_CONNECTED = re.compile(
    r"(?:^|over ssh: |via ssh: )"
    r"(?:ssh: connect to host |ssh: Could not resolve hostname |kex_exchange_identification: |"
    r"banner exchange: |Connection timed out during banner exchange|Unable to negotiate with |"
    r"Host key verification failed|(?:\S+: )?Permission denied(?: \(|, please)|"
    r"Using a SSH password instead of a key is not possible because Host Key checking|"
    r"to use the password_mechanism=sshpass, you must install)",
    re.MULTILINE | re.IGNORECASE,
)
_REFUSED_LOGON = re.compile(
    "credentials were rejected|failed to authenticate|Kerberos auth failure|error status from the server|"
    "integrity check failed|preauthentication failed|password|"
    r"Permission denied \(|Too many authentication failures|Host key verification failed",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class _Kind:
    pattern: re.Pattern[str]
    # With {where}, {host} and {found}, the first group of the pattern.
    reason: str
    hint: str


def _kind(pattern: str, reason: str, hint: str) -> _Kind:
    return _Kind(re.compile(pattern, re.IGNORECASE), reason, hint)


# The first that fits counts: what is more special comes first.
_KINDS = (
    # With a password Ansible has words of its own. Where the check is off, ssh sends none to a host with another key.
    _kind(
        "Host key verification failed|because Host Key checking is enabled|"
        r"authentication is disabled to avoid man-in-the-middle attacks[\s\S]*Permission denied",
        "its host key is not the known one (Host key verification failed)",
        "Log on once by hand with ssh, compare the key with the host's own, and accept it into known_hosts. Where "
        "another one is there, learn why (a new installation of the host?) and remove it with ssh-keygen -R first.",
    ),
    _kind(
        r"Permission denied \(([^)]*)\)|(Permission denied), please",
        "the logon was refused (Permission denied: {found})",
        _LOGON_HINT,
    ),
    _kind(
        r"Kerberos auth failure[^:]*: (?:kinit: )?([^\n]+)",
        "there is no ticket of Kerberos ({found})",
        "Check user name (its case counts), password, realm and KDC in krb5.conf." + _ONCE,
    ),
    _kind(
        "credentials were rejected|failed to authenticate|AuthenticationException|InvalidCredentials|CredSSP|"
        "Too many authentication failures|Invalid/incorrect (?:username/)?password",
        "the host refused the credentials: it does not authenticate this user",
        _LOGON_HINT,
    ),
    _kind(
        r"certificate verify failed: ([^()\[\]]+)|(hostname mismatch|doesn't match)",
        "its TLS certificate is not trusted ({found})",
        "Let the inventory name the certificate of the authority that signed the host's, and the host by a name that "
        "the certificate is for.",
    ),
    _kind(
        r"AccessDenied|\(Code: 5,",
        "the host let the user log on, and denies access to WinRM",
        "Make the user an administrator of the host, or give it the right to WinRM and to what the task uses.",
    ),
    _kind(
        "concurrent shells",
        "the host has too many shells of this user",
        "Close remote shells of this user, or raise MaxShellsPerUser on the host.",
    ),
    _kind(
        "WRONG_VERSION_NUMBER|SSLError",
        "there is no TLS at that port",
        "Check the port and the scheme: 5986 is https, 5985 is http.",
    ),
    _kind(
        "Failed to resolve|Name or service not known|failure in name resolution|nodename nor servname|getaddrinfo|"
        "Could not resolve hostname|No address associated",
        "the name {host} cannot be resolved",
        "Check ansible_host and the name servers of this machine.",
    ),
    _kind("Connection refused|WinError 10061", "{where} refuses connections (connection refused)", _REACH_HINT),
    _kind("No route to host|Network is unreachable", "there is no route to {host}", _REACH_HINT),
    _kind(
        "timed out|ConnectTimeout|ReadTimeout|WinRMOperationTimeout|Timeout",
        "{where} did not answer in time",
        _REACH_HINT,
    ),
    _kind(
        r"(?:HTTP status|Bad HTTP response[^\d]*|\bCode) ?(\d{3})\b",
        "{where} answered with HTTP status {found}",
        "Check port and path, that no proxy or other web server answers there, and that the WinRM service is ready; "
        "500 may mean that it takes no unencrypted messages.",
    ),
    _kind(
        "reset by peer|RemoteDisconnected|Remote end closed|Connection aborted|EOF|Broken pipe|Connection closed|"
        "closed by remote host|BadStatusLine",
        "{where} broke the connection off",
        _REACH_HINT,
    ),
)


def describe_failure(error_text: str, *, host: str, where: str) -> tuple[str, str | None]:
    """Returns what a connection plugin's error means (a part of a sentence) and what to do; for an error of no known
    kind its own words without line breaks, and no hint.

    `host` is the name or address that was connected to, `where` the same with the port."""
    for kind in _KINDS:
        if match := kind.pattern.search(error_text):
            found = next((group for group in match.groups() if group), "").strip(" .,'\"")
            return kind.reason.format(where=where, host=host, found=found), kind.hint
    return re.sub(r"\s+", " ", error_text.partition(" (extended fault data:")[0]).strip().rstrip(". "), None


def is_refused_logon(error: Exception, *, new_connection: bool) -> bool:
    """Whether it was the logon, which is not to be tried again, so that no account is locked.

    On an old connection CredSSP says the same where that one was dropped."""
    names = {kind.__name__ for kind in type(error).__mro__}
    if names & {"InvalidCredentialsError", "AuthenticationError"} or _REFUSED_LOGON.search(str(error)):
        return True
    return new_connection and ("AuthenticationException" in names or "CredSSP" in str(error))


def ssh_had_no_connection(error: Exception) -> bool:
    """Whether the program ssh ended before it had a connection, so that it asked for no command."""
    return _SSH_NOT_CONNECTED.search(str(error)) is not None
