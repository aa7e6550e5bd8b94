# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates of the lab: an authority of its own, the host's, other ones that are wrong, and one of a client."""

from __future__ import annotations

import datetime
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID


class Certificates:
    """Files in `folder`: ca.pem, server.pem with its key, client.pem and client.key. `names` are what the server is
    called."""

    def __init__(
        self,
        folder: Path,
        names: tuple[str, ...] = ("dpm.lab.test", "localhost", "127.0.0.1"),
        *,
        client: str = "svc-dpm",
        expired: bool = False,
        common_name_only: bool = False,
    ) -> None:
        self.folder = folder
        self.ca_file = folder / "ca.pem"
        self.client_file, self.client_key_file = folder / "client.pem", folder / "client.key"
        self._server_file = folder / "server.pem"
        self._ca_key = ec.generate_private_key(ec.SECP256R1())
        self._ca_name = _name("winbackup.storage lab authority")
        now = datetime.datetime.now(datetime.UTC)
        usage = x509.KeyUsage(
            digital_signature=False,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            key_cert_sign=True,
            crl_sign=True,
            encipher_only=False,
            decipher_only=False,
        )
        authority = (
            x509.CertificateBuilder()
            .subject_name(self._ca_name)
            .issuer_name(self._ca_name)
            .public_key(self._ca_key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=60))
            .not_valid_after(now + datetime.timedelta(days=60))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(usage, critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._ca_key.public_key()), critical=False)
            .sign(self._ca_key, hashes.SHA256())
        )
        self.ca_file.write_bytes(authority.public_bytes(serialization.Encoding.PEM))
        end = now + datetime.timedelta(days=-1 if expired else 30)
        server, key = self._issue(names[0], () if common_name_only else names, ExtendedKeyUsageOID.SERVER_AUTH, end)
        self.server_der = server.public_bytes(serialization.Encoding.DER)
        self._server_file.write_bytes(server.public_bytes(serialization.Encoding.PEM) + key)
        person, person_key = self._issue(client, (), ExtendedKeyUsageOID.CLIENT_AUTH, now + datetime.timedelta(days=30))
        self.client_file.write_bytes(person.public_bytes(serialization.Encoding.PEM))
        self.client_key_file.write_bytes(person_key)

    def server_context(self) -> ssl.SSLContext:
        """A context of the server that asks clients for a certificate and does without."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self._server_file)
        context.load_verify_locations(self.ca_file)
        context.verify_mode = ssl.CERT_OPTIONAL
        return context

    def _issue(
        self, name: str, names: tuple[str, ...], purpose: x509.ObjectIdentifier, end: datetime.datetime
    ) -> tuple[x509.Certificate, bytes]:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(name))
            .issuer_name(self._ca_name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - datetime.timedelta(days=40))
            .not_valid_after(end)
            .add_extension(x509.ExtendedKeyUsage([purpose]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._ca_key.public_key()), critical=False
            )
        )
        if names:
            builder = builder.add_extension(
                x509.SubjectAlternativeName([_alternative(one) for one in names]), critical=False
            )
        text = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        return builder.sign(self._ca_key, hashes.SHA256()), text


def common_name(der: bytes | None) -> str | None:
    """The common name of a certificate; None without one."""
    if not der:
        return None
    names = x509.load_der_x509_certificate(der).subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else None


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _alternative(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)
