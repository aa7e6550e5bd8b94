# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host, its authority and its realm together, for tests that want all ways in."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openssh import is_installed as ssh_is_installed

from .accounts import REALM, Account
from .certificates import Certificates
from .host import WinRmHost
from .kdc import Kdc, is_installed
from .processes import Commands, Executor
from .ssh import SshHost

USER, PASSWORD = "svc-dpm", "Sécret日本 \"'$(x);-"
# The ways in: transport, scheme, and whether messages are sealed by the transport's own means.
WAYS = (
    ("ntlm", "http", True),
    ("ntlm", "https", False),
    ("kerberos", "http", True),
    ("kerberos", "https", False),
    ("credssp", "http", True),
    ("credssp", "https", False),
    ("basic", "https", False),
    ("certificate", "https", False),
)


@dataclass(frozen=True)
class Site:
    """A lab host with everything around it. `kdc` and `ssh` are None where this machine has no KDC, no sshd
    installed."""

    host: WinRmHost
    certificates: Certificates
    kdc: Kdc | None
    ssh: SshHost | None
    folder: Path

    def options(self, transport: str, scheme: str, **others: Any) -> dict[str, Any]:
        """The connection options of a module for one of the ways in."""
        kerberos = transport == "kerberos"
        return {
            "hostname": "localhost",
            "username": f"{USER}@{REALM}" if kerberos else USER,
            "password": PASSWORD,
            "transport": transport,
            "scheme": scheme,
            "port": self.host.port if scheme == "http" else self.host.tls_port,
            "ca_trust_path": str(self.certificates.ca_file),
            "cert_pem": str(self.certificates.client_file) if transport == "certificate" else None,
            "cert_key_pem": str(self.certificates.client_key_file) if transport == "certificate" else None,
            "connection_timeout": 10,
            **others,
        }

    def variables(self, connection: str, transport: str = "ntlm", scheme: str = "http") -> dict[str, Any]:
        """The variables of a host of an inventory, for Ansible's own connection winrm, psrp, or ssh, which has one way;
        raises RuntimeError where this machine has no sshd."""
        if connection == "ssh":
            if self.ssh is None:
                raise RuntimeError("This machine has no OpenSSH server: run tools/system_packages.py as root.")
            return self.ssh.variables()
        # These have no way to give Basic a password that is no Latin-1.
        name, password = ("other", "Other-1") if transport == "basic" else (USER, PASSWORD)
        variables = {
            "ansible_connection": connection,
            "ansible_host": "localhost",
            "ansible_port": self.host.port if scheme == "http" else self.host.tls_port,
            "ansible_user": f"{name}@{REALM}" if transport == "kerberos" else name,
            "ansible_password": password,
        }
        if connection == "psrp":
            variables |= {
                "ansible_psrp_protocol": scheme,
                "ansible_psrp_auth": transport,
                "ansible_psrp_ca_cert": str(self.certificates.ca_file),
                "ansible_psrp_ignore_proxy": True,
            }
            if transport == "certificate":
                variables["ansible_psrp_certificate_pem"] = str(self.certificates.client_file)
                variables["ansible_psrp_certificate_key_pem"] = str(self.certificates.client_key_file)
        else:
            variables |= {
                "ansible_winrm_scheme": scheme,
                "ansible_winrm_transport": [transport],
                "ansible_winrm_kinit_env_vars": ["KRB5_CONFIG"],
                "ansible_winrm_ca_trust_path": str(self.certificates.ca_file),
                "ansible_winrm_proxy": None,
            }
            if transport == "certificate":
                variables["ansible_winrm_cert_pem"] = str(self.certificates.client_file)
                variables["ansible_winrm_cert_key_pem"] = str(self.certificates.client_key_file)
        return variables


@contextmanager
def windows_site(executor: Executor | None = None) -> Iterator[Site]:
    """Starts all of it; the environment names the realm meanwhile."""
    accounts = [Account(USER, PASSWORD), Account("other", "Other-1"), Account("guest", "Guest-1", may_use=False)]
    with ExitStack() as stack:
        # Last of all, when nobody looks at a keytab any more.
        stack.callback(_restore, dict(os.environ))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="winrm-site-")))
        kdc = stack.enter_context(Kdc(folder, accounts)) if is_installed() else None
        if kdc is not None:
            os.environ.update(kdc.environment)
        certificates = Certificates(folder)
        executor = executor or Commands()
        host = stack.enter_context(WinRmHost(accounts, executor, certificates=certificates))
        ssh = stack.enter_context(SshHost(executor, folder, host.troubles)) if ssh_is_installed() else None
        yield Site(host, certificates, kdc, ssh, folder)


def _restore(environment: dict[str, str]) -> None:
    # The file of NTLM's accounts is that of all hosts of the process; those that are left have another one by now.
    ntlm = {name: os.environ[name] for name in ("NTLM_USER_FILE",) if name in os.environ}
    os.environ.clear()
    os.environ.update({name: value for name, value in environment.items() if name != "NTLM_USER_FILE"} | ntlm)
