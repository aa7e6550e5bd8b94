# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Ansible's connection plugins and the libraries below them say, as they say it, becomes a sentence."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.plugin_utils._connection_failures import (
    describe_failure,
    is_refused_logon,
    ssh_had_no_connection,
)

POOL = "HTTPSConnectionPool(host='dpm01', port=5986): Max retries exceeded (Caused by "
# Of a host key that is not known, and of another one: the same words, where a password is given.
NO_PASSWORD_WITHOUT_HOST_KEY = (
    "Using a SSH password instead of a key is not possible because Host Key checking is enabled. "
    "Please add this host's fingerprint to your known_hosts file to manage this host."
)
SAID = {
    "winrm, nothing listens": (
        f'ntlm: {POOL}NewConnectionError("<x>: Failed to establish a new connection: [Errno 111] Connection refused"))',
        "dpm01:5986 refuses connections (connection refused)",
        "firewalls",
    ),
    "winrm, an unknown name": (
        f"ntlm: {POOL}NameResolutionError(\"HTTPSConnection(host='dpm01', port=5986): Failed to resolve 'dpm01' "
        '([Errno -2] Name or service not known)"))',
        "the name dpm01 cannot be resolved",
        "ansible_host",
    ),
    "winrm, no answer": (
        f'ntlm: {POOL}ConnectTimeoutError(<x>, "Connection to dpm01 timed out."))',
        "dpm01:5986 did not answer in time",
        "firewalls",
    ),
    "winrm, no route": (
        f"ntlm: {POOL}NewConnectionError('<x>: Failed to establish a new connection: [Errno 113] No route to host'))",
        "there is no route to dpm01",
        "firewalls",
    ),
    "winrm, a private authority": (
        f"ntlm: {POOL}SSLError(SSLCertVerificationError(1, '[SSL: X] certificate verify failed: "
        "unable to get local issuer certificate (_ssl.c:1006)')))",
        "its TLS certificate is not trusted (unable to get local issuer certificate)",
        "authority",
    ),
    "winrm, http on a port of https": (
        f"ntlm: {POOL}SSLError(SSLError(1, '[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)')))",
        "there is no TLS at that port",
        "5986 is https",
    ),
    "winrm, a wrong password": (
        "ntlm: the specified credentials were rejected by the server",
        "the host refused the credentials: it does not authenticate this user",
        "no account is locked",
    ),
    "winrm, no ticket": (
        "Kerberos auth failure for principal svc-dpm@LAB.TEST: kinit: Password incorrect while getting credentials",
        "there is no ticket of Kerberos (Password incorrect while getting credentials)",
        "krb5.conf",
    ),
    "winrm, a status": (
        "ntlm: Bad HTTP response returned from server. Code 503",
        "dpm01:5986 answered with HTTP status 503",
        "WinRM service",
    ),
    "winrm, no right": (
        "ntlm: Zugriff verweigert  (extended fault data: {'transport_message': 'Bad HTTP response returned "
        "from server. Code 500', 'wsmanfault_code': '5', 'fault_subcode': "
        "'w:AccessDenied'})",
        "the host let the user log on, and denies access to WinRM",
        "administrator",
    ),
    "psrp, a wrong password": (
        "failed to authenticate with the server: Failed to authenticate the user svc-dpm with ntlm",
        "the host refused the credentials: it does not authenticate this user",
        "no account is locked",
    ),
    "psrp, broken off": (
        "Failed to connect to the host via PSRP: ('Connection aborted.', RemoteDisconnected('Remote end closed "
        "connection without response'))",
        "dpm01:5986 broke the connection off",
        "firewalls",
    ),
    "ssh, nothing listens": (
        "Failed to connect to the host via ssh: ssh: connect to host dpm01 port 22: Connection refused",
        "dpm01:5986 refuses connections (connection refused)",
        "firewalls",
    ),
    "ssh, an unknown name": (
        "Failed to connect to the host via ssh: ssh: Could not resolve hostname dpm01: Name or service not known",
        "the name dpm01 cannot be resolved",
        "ansible_host",
    ),
    "ssh, a refused key": (
        "Failed to connect to the host via ssh: svc@dpm01: Permission denied (publickey,password).",
        "the logon was refused (Permission denied: publickey,password)",
        "no account is locked",
    ),
    "ssh, another host key": (
        "Failed to connect to the host via ssh: Host key verification failed.",
        "its host key is not the known one (Host key verification failed)",
        "known_hosts",
    ),
    "ssh with a password, an unknown host key or another one": (
        NO_PASSWORD_WITHOUT_HOST_KEY,
        "its host key is not the known one (Host key verification failed)",
        "known_hosts",
    ),
    "ssh with a password, another host key, the check switched off": (
        "Failed to connect to the host via ssh: @    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n"
        "Keyboard-interactive authentication is disabled to avoid man-in-the-middle attacks.\r\n"
        "root@esx01: Permission denied (keyboard-interactive).",
        "its host key is not the known one (Host key verification failed)",
        "ssh-keygen -R",
    ),
    "ssh with a key, another host key, the check switched off, and then broken off": (
        "Failed to connect to the host via ssh: @    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n"
        "Keyboard-interactive authentication is disabled to avoid man-in-the-middle attacks.\r\n"
        "Connection to dpm01 closed by remote host.",
        "dpm01:5986 broke the connection off",
        "firewalls",
    ),
}


@pytest.mark.parametrize(("said", "sentence", "hint"), SAID.values(), ids=SAID.keys())
def test_what_people_meet(said: str, sentence: str, hint: str) -> None:
    reason, what_to_do = describe_failure(said, host="dpm01", where="dpm01:5986")
    assert reason == sentence
    assert what_to_do is not None
    assert hint in what_to_do


@given(st.text())
def test_any_other_text_is_one_line(said: str) -> None:
    reason, _hint = describe_failure(said, host="dpm01", where="dpm01:5986")
    assert "\n" not in reason


@pytest.mark.parametrize(
    ("said", "refused"),
    [
        ("ntlm: the specified credentials were rejected by the server", True),
        ("svc@dpm01: Permission denied (publickey).", True),
        ("Connection refused", False),
        ("Connection timed out", False),
    ],
)
def test_a_refused_logon_is_final_and_nothing_else_is(said: str, refused: bool) -> None:
    assert is_refused_logon(Exception(said), new_connection=True) is refused


def test_what_credssp_says_of_an_old_connection_that_was_dropped_is_no_refused_logon() -> None:
    said = Exception("CredSSP TLS wrapping failed")
    assert is_refused_logon(said, new_connection=True)
    assert not is_refused_logon(said, new_connection=False)


@pytest.mark.parametrize(
    ("said", "nothing_was_run"),
    [
        ("Failed to connect to the host via ssh: ssh: connect to host dpm01 port 22: Connection refused", True),
        ("Data could not be sent to remote host over ssh: Connection timed out during banner exchange", True),
        (NO_PASSWORD_WITHOUT_HOST_KEY, True),
        ("to use the password_mechanism=sshpass, you must install the sshpass program", True),
        ("Failed to connect to the host via ssh: Connection to dpm01 closed by remote host.", False),
        ("Failed to connect to the host via ssh: client_loop: send disconnect: Broken pipe", False),
    ],
)
def test_whether_ssh_asked_for_the_command(said: str, nothing_was_run: bool) -> None:
    assert ssh_had_no_connection(Exception(said)) is nothing_was_run
