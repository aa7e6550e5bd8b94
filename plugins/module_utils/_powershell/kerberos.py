# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A ticket of our own for one run: in a file of our own, for exactly the user that was named."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConfigurationError,
    ConnectionFailed,
    LoginRefused,
)

_KINIT_SECONDS = 30
# What MIT's and Heimdal's kinit say in the language C where the KDC refuses the user or the password; anything else, as
# a KDC that cannot be reached, says nothing of them.
_REFUSALS = (
    *("Preauthentication failed", "Password incorrect", "not found in Kerberos database", "revoked", "unknown"),
    *("expired", "Decrypt integrity check failed"),
)


class Ticket:
    """A ticket-granting ticket in a private cache, which the environment names until `close()`.

    Kerberos libraries take the default cache where they do not find the user: with a cache of our own, no other user
    can be taken by mistake. The password goes to kinit over its input, never over its command line."""

    def __init__(self, username: str, password: str, *, forwardable: bool) -> None:
        r"""Raises LoginRefused or ConnectionFailed with kinit's reason, ConfigurationError for a DOMAIN\user."""
        self._folder = tempfile.TemporaryDirectory(prefix="winbackup-")
        self._before = os.environ.get("KRB5CCNAME")
        cache = f"FILE:{Path(self._folder.name) / 'ccache'}"
        try:
            _kinit(principal_of(username), password, cache, forwardable)
        except BaseException:
            self._folder.cleanup()
            raise
        os.environ["KRB5CCNAME"] = cache

    def close(self) -> None:
        """Takes the ticket away and puts the environment back."""
        if self._before is None:
            os.environ.pop("KRB5CCNAME", None)
        else:
            os.environ["KRB5CCNAME"] = self._before
        self._folder.cleanup()


def principal_of(username: str) -> str:
    """Returns a principal, its realm in capitals, as Active Directory's realms are; raises ConfigurationError."""
    name, at, realm = username.rpartition("@")
    if not at or "\\" in username:
        raise ConfigurationError(
            f"The transport kerberos does not know the user name {username}.", hint="Write it as user@REALM."
        )
    return f"{name}@{realm.upper()}"


def _kinit(principal: str, password: str, cache: str, forwardable: bool) -> None:
    command = ["kinit", *(["-f"] if forwardable else []), "-c", cache, "--", principal]
    try:
        done = subprocess.run(
            command,
            input=password + "\n",
            capture_output=True,
            text=True,
            timeout=_KINIT_SECONDS,
            env={**os.environ, "LC_ALL": "C"},
            check=False,
        )
    except FileNotFoundError:
        raise ConfigurationError(
            "The transport kerberos needs the program kinit, which this machine does not have.",
            hint="Install the Kerberos client (Debian: krb5-user, Red Hat: krb5-workstation).",
        ) from None
    except subprocess.TimeoutExpired:
        raise ConnectionFailed(
            f"kinit got no ticket for {principal} within {_KINIT_SECONDS} s.",
            hint="See that the KDCs of the realm in krb5.conf can be reached.",
        ) from None
    if done.returncode != 0:
        reason = (done.stderr.strip() or done.stdout.strip()).splitlines()[-1:]
        refused = any(words in done.stderr + done.stdout for words in _REFUSALS)
        raise (LoginRefused if refused else ConnectionFailed)(
            f"kinit got no ticket for {principal}: {''.join(reason)}.",
            hint="Check user name (its case counts), password, realm and KDC in krb5.conf; it was tried once only, so "
            "that no account is locked.",
        )
