# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who may log on to the lab's host, and how the libraries that prove it are told."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from spnego._ntlm_raw.crypto import ntowfv1

NETBIOS_DOMAIN, DNS_DOMAIN, REALM = "LAB", "lab.test", "LAB.TEST"


@dataclass
class Account:
    """An account of the lab's domain. `may_log_on` False is a locked one, `may_use` False one without the right to
    WinRM."""

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

    def ntlm_lines(self) -> list[str]:
        """The hashes of the passwords, by each form of a name, as the acceptor of NTLM reads them."""
        lines = []
        for account in self.all.values():
            proof = ntowfv1(account.password).hex().upper()
            names = [account.name, f"{NETBIOS_DOMAIN}\\{account.name}", f"{DNS_DOMAIN}\\{account.name}"]
            names += [f"{account.name}@{DNS_DOMAIN}", f"{account.name}@{REALM}"]
            lines += [f"{name}:0:{'0' * 32}:{proof}:[U]:LCT-00000000" for name in names]
        return lines


class NtlmFile:
    """The file that the acceptor of NTLM finds by the environment: one a process, whatever hosts there are."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._hosts: list[Accounts] = []
        self._path: Path | None = None

    def add(self, accounts: Accounts) -> None:
        with self._lock:
            self._hosts.append(accounts)
            self._write()

    def remove(self, accounts: Accounts) -> None:
        with self._lock:
            self._hosts.remove(accounts)
            self._write()

    def _write(self) -> None:
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path = None
        if not self._hosts:
            os.environ.pop("NTLM_USER_FILE", None)
            return
        handle, name = tempfile.mkstemp(prefix="winrm-lab-ntlm-")
        self._path = Path(name)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for accounts in self._hosts for line in accounts.ntlm_lines())
        os.environ["NTLM_USER_FILE"] = name


NTLM_FILE = NtlmFile()
