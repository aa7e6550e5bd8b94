# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may log on to the lab's host, and how the libraries that prove it are told."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from spnego._ntlm_raw.crypto import ntowfv1

NETBIOS_DOMAIN, DNS_DOMAIN, REALM = "LAB", "lab.test", "LAB.TEST"
# The acceptor of NTLM reads one file a process, named by the environment: all hosts of a process share it.
_LOCK = threading.Lock()


@dataclass
class Account:
    """An account of the lab's domain. `may_log_on` False is a locked one, `may_use` False one without the right to WinRM."""

    name: str
    password: str = field(repr=False)
    may_log_on: bool = True
    may_use: bool = True


class Accounts:
    """The accounts of a host, by any of the forms in which a name comes."""

    def __init__(self, accounts: Iterable[Account]) -> None:
        self.all = {account.name.lower(): account for account in accounts}

    def of(self, principal: str) -> Account | None:
        r"""The account of "LAB\name", "name@LAB.TEST", or "name"; None for another domain or an unknown name."""
        domain, slash, name = principal.rpartition("\\")
        if not slash:
            name, _, domain = principal.partition("@")
        known = ("", NETBIOS_DOMAIN.lower(), DNS_DOMAIN, REALM.lower())
        return self.all.get(name.lower()) if domain.lower() in known else None

    def log_on(self, name: str, password: str) -> Account | None:
        """The account where name and password are right and it may log on."""
        account = self.of(name)
        return account if account is not None and account.may_log_on and account.password == password else None

    def write_ntlm_file(self, path: Path) -> None:
        """Writes the hashes of the passwords for the acceptor of NTLM, and names the file in the environment."""
        lines = []
        for account in self.all.values():
            proof = ntowfv1(account.password).hex().upper()
            names = [account.name, f"{NETBIOS_DOMAIN}\\{account.name}", f"{DNS_DOMAIN}\\{account.name}"]
            for name in [*names, f"{account.name}@{DNS_DOMAIN}", f"{account.name}@{REALM}"]:
                lines.append(f"{name}:0:{'0' * 32}:{proof}:[U]:LCT-00000000")
        with _LOCK:
            path.write_text("\n".join(lines) + "\n", encoding="utf-8")
            path.chmod(0o600)
            os.environ["NTLM_USER_FILE"] = str(path)
