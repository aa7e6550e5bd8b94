# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Where a connection goes and as whom, from the connection options of a module."""

from __future__ import annotations

import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ansible_collections.winbackup.storage.plugins.module_utils._core.address import check_host, check_port
from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError

_PORTS = {"http": 5985, "https": 5986}
_SHORTEST_TIMEOUT = 5
# How OpenSSL names the certificates of a folder of authorities.
_HASHED = re.compile(r"[0-9a-f]{8}\.\d+")


@dataclass(frozen=True)
class Target:
    """A Windows host. `connection_timeout` is in seconds, for one request."""

    hostname: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    port: int | None = None
    scheme: str = "https"
    path: str = "/wsman"
    transport: str = "ntlm"
    server_cert_validation: str = "validate"
    ca_trust_path: str | None = None
    cert_pem: str | None = None
    cert_key_pem: str | None = None
    message_encryption: str = "auto"
    kerberos_hostname_override: str | None = None
    kerberos_delegation: bool = False
    proxy: str | None = None
    connection_timeout: int = 30

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> Target:
        """Returns the host that the options name; raises ConfigurationError where they do not go together."""
        given = {name: options[name] for name in cls.__dataclass_fields__ if options.get(name) is not None}
        if not given.get("hostname"):
            raise ConfigurationError(
                "No hostname of a Windows host was given.",
                hint="Set hostname, username and password in the task, in module_defaults of the group "
                "winbackup.storage.windows, or as WINBACKUP_WINDOWS_HOST, WINBACKUP_WINDOWS_USER and "
                "WINBACKUP_WINDOWS_PASSWORD in the environment.",
            )
        target = cls(**given)
        target._check()
        return target

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"{self._host}:{self.port or _PORTS[self.scheme]}"

    @property
    def endpoint(self) -> str:
        """The URL of its WinRM service."""
        return f"{self.scheme}://{self.name}/{self.path.lstrip('/')}"

    @property
    def _host(self) -> str:
        bare = self.hostname.strip("[]")
        return f"[{bare}]" if ":" in bare else bare

    def protocol_arguments(self) -> dict[str, Any]:
        """Returns the arguments of pywinrm's Protocol. Nothing of them is left to the environment."""
        basic = self.transport == "basic"
        kerberos = self.transport == "kerberos"
        return {
            "endpoint": self.endpoint,
            "transport": self.transport,
            # requests puts text into Latin-1, which many a password does not fit. The ticket tells Kerberos who it is.
            "username": None if kerberos else _bytes(self.username) if basic else self.username,
            "password": None if kerberos else _bytes(self.password) if basic else self.password,
            "server_cert_validation": self.server_cert_validation,
            "ca_trust_path": self.ca_trust_path or ssl.get_default_verify_paths().cafile,
            "cert_pem": self.cert_pem,
            "cert_key_pem": self.cert_key_pem,
            "message_encryption": self.message_encryption,
            "kerberos_hostname_override": self.kerberos_hostname_override,
            "kerberos_delegation": self.kerberos_delegation,
            "proxy": self.proxy,
            "read_timeout_sec": self.connection_timeout,
            "operation_timeout_sec": min(20, self.connection_timeout - 3),
        }

    def _check(self) -> None:
        check_port("port", self.port)
        check_host("hostname", self.hostname)
        self._check_proxy()
        if self.transport in ("ntlm", "credssp", "basic"):
            missing = [name for name in ("username", "password") if not getattr(self, name)]
            if missing:
                raise ConfigurationError(f"The transport {self.transport} needs {' and '.join(missing)}.")
        if self.transport == "kerberos" and self.password and not self.username:
            raise ConfigurationError("The transport kerberos was given a password and no username.")
        if self.transport == "certificate" and (self.scheme != "https" or not self.cert_pem or not self.cert_key_pem):
            raise ConfigurationError("The transport certificate needs scheme https, cert_pem and cert_key_pem.")
        if self.transport == "basic" and self.scheme == "http" and self.message_encryption != "never":
            raise ConfigurationError(
                "The transport basic over http would send the password for everyone on the way to read.",
                hint="Use scheme https, or transport ntlm or kerberos; or set message_encryption to never.",
            )
        if self.transport in ("basic", "certificate") and self.message_encryption == "always":
            raise ConfigurationError(f"The transport {self.transport} has no message encryption; TLS does it.")
        if self.connection_timeout < _SHORTEST_TIMEOUT:
            raise ConfigurationError(f"connection_timeout must be at least {_SHORTEST_TIMEOUT} seconds.")
        for name in ("ca_trust_path", "cert_pem", "cert_key_pem"):
            path = getattr(self, name)
            if path == "":
                raise ConfigurationError(f"{name} is empty.", hint="Give the path of a file, or leave the option out.")
            if path is not None and not Path(path).exists():
                raise ConfigurationError(f"The file of {name} ({path}) does not exist.")
        if self.ca_trust_path is not None and Path(self.ca_trust_path).is_file():
            self._check_authorities(self.ca_trust_path)
        elif self.ca_trust_path is not None and not any(map(_HASHED.fullmatch, os.listdir(self.ca_trust_path))):
            raise ConfigurationError(
                f"The folder of ca_trust_path ({self.ca_trust_path}) holds no certificate under its hash.",
                hint="Run openssl rehash on it, or give a file with the certificate of the authority in PEM form.",
            )

    def _check_proxy(self) -> None:
        """Raises ConfigurationError where it is no address; its text is not told, since it may hold a password."""
        if not self.proxy:
            return
        try:
            parts = urlsplit(self.proxy if "://" in self.proxy else f"http://{self.proxy}")
            named = bool(parts.hostname) and parts.port != 0 and parts.path in ("", "/")
        except ValueError:
            named = False
        if not named or not self.proxy.isprintable() or set(" ?#") & set(self.proxy):
            raise ConfigurationError(
                "proxy is no address as http://proxy.example.com:3128.",
                hint="Write what is special in its user name and password as %XX, a / as %2F and a # as %23.",
            )

    def _check_authorities(self, path: str) -> None:
        try:
            ssl.create_default_context(cafile=path)
        except (OSError, ssl.SSLError) as error:
            raise ConfigurationError(
                f"ca_trust_path ({path}) cannot be used: {getattr(error, 'strerror', None) or error}.",
                hint="Give a file with the certificate of the authority in PEM form.",
            ) from error


def _bytes(text: str | None) -> bytes:
    return (text or "").encode()
