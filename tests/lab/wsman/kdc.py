# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real MIT KDC of the lab's realm on a port of its own, with files of its own."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from .accounts import DNS_DOMAIN, REALM, Account

SERVICE_HOST = f"dpm.{DNS_DOMAIN}"
# Debian keeps the daemons out of an ordinary user's path.
_PATH = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])


def is_installed() -> bool:
    """Whether this machine has a KDC and its tools."""
    return all(shutil.which(program, path=_PATH) for program in ("krb5kdc", "kdb5_util", "kadmin.local", "kinit"))


class Kdc:
    """Started at once; `environment` is what clients and the lab's host need in theirs."""

    def __init__(self, folder: Path, accounts: Iterable[Account], *, ticket_lifetime: str = "1h") -> None:
        self._folder = folder
        self.port = _free_port()
        self.keytab = folder / "service.keytab"
        # The host looks at a token twice where it is strict about channel bindings: it keeps no cache of replays.
        self.environment = {
            "KRB5_CONFIG": str(folder / "krb5.conf"),
            "KRB5_KTNAME": f"FILE:{self.keytab}",
            "KRB5RCACHENAME": "none:",
        }
        self._private = {
            **os.environ,
            **self.environment,
            "KRB5_KDC_PROFILE": str(folder / "kdc.conf"),
            "PATH": _PATH,
            "LC_ALL": "C.UTF-8",
        }
        self._write_configuration(ticket_lifetime)
        self._run(["kdb5_util", "create", "-s", "-r", REALM], "master\nmaster\n")
        # Clients of WinRM ask for HTTP, those of PowerShell Remoting for WSMAN or host: a Windows host has all names.
        services = [f"{kind}/{name}" for kind in ("HTTP", "WSMAN", "host") for name in (SERVICE_HOST, "localhost")]
        commands = [f"addprinc -randkey {service}" for service in services]
        commands += [f"ktadd -k {self.keytab} {service}" for service in services]
        # Over the input: a command line would show the passwords to everyone on the machine.
        commands += [f"addprinc -pw {_quoted(account.password)} {account.name}" for account in accounts]
        self._run(["kadmin.local", "-r", REALM], "\n".join(commands) + "\n")
        log = (folder / "kdc.log").open("wb")
        self._process = subprocess.Popen(["krb5kdc", "-n", "-r", REALM], env=self._private, stdout=log, stderr=log)
        self._wait()

    def __enter__(self) -> Kdc:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(10)

    def _write_configuration(self, ticket_lifetime: str) -> None:
        (self._folder / "krb5.conf").write_text(
            f"""[libdefaults]
    default_realm = {REALM}
    dns_lookup_kdc = false
    dns_lookup_realm = false
    dns_canonicalize_hostname = false
    rdns = false
    udp_preference_limit = 1
    ticket_lifetime = {ticket_lifetime}
[realms]
    {REALM} = {{
        kdc = 127.0.0.1:{self.port}
    }}
[domain_realm]
    .{DNS_DOMAIN} = {REALM}
    localhost = {REALM}
"""
        )
        (self._folder / "kdc.conf").write_text(
            f"""[kdcdefaults]
    kdc_listen = 127.0.0.1:{self.port}
    kdc_tcp_listen = 127.0.0.1:{self.port}
[realms]
    {REALM} = {{
        database_name = {self._folder / "principal"}
        key_stash_file = {self._folder / "stash"}
        acl_file = {self._folder / "acl"}
        max_life = 1h
        supported_enctypes = aes256-cts-hmac-sha1-96:normal
    }}
"""
        )

    def _run(self, command: list[str], text: str) -> None:
        done = subprocess.run(
            command, input=text, env=self._private, capture_output=True, text=True, timeout=60, check=False
        )
        if done.returncode != 0:
            raise RuntimeError(f"{command[0]} failed: {done.stderr}")

    def _wait(self) -> None:
        end = time.monotonic() + 10
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise RuntimeError("the KDC did not start")


def _quoted(text: str) -> str:
    return '"' + text.replace('"', '""') + '"'


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
