# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a host, a certificate or a proxy may refuse: each is one sentence that names it, and no account is tried
twice."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from wsman import Account, Certificates, Quotas, Settings, WinRmHost
from wsman.site import PASSWORD, USER

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConfigurationError,
    ConnectionFailed,
    OutcomeUnknown,
)

from .conftest import Lab, soon
from .scripts import ADD, ECHO

HTML = "<html><body>proxy error</body></html>"
XML = "<?xml version='1.0'?><other/>"


def attempt(lab: Lab, transport: str = "ntlm", scheme: str = "http", **options: Any) -> None:
    with lab.connect(transport, scheme, **options) as shell:
        shell.run(ECHO, {}, deadline=soon())


@contextmanager
def settings(lab: Lab, **changes: Any) -> Iterator[None]:
    before = {name: getattr(lab.host.settings, name) for name in changes}
    for name, value in changes.items():
        setattr(lab.host.settings, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(lab.host.settings, name, value)


@pytest.mark.parametrize(
    ("transport", "scheme"), [("ntlm", "http"), ("ntlm", "https"), ("credssp", "http"), ("basic", "https")]
)
def test_failure_01_trap_15_a_wrong_password_is_tried_once(lab: Lab, transport: str, scheme: str) -> None:
    with pytest.raises(ConnectionFailed, match=r"does not let svc-dpm log on.*CbtHardeningLevel"):
        attempt(lab, transport, scheme, password="wrong")
    assert len({entry.connection for entry in lab.host.troubles.log}) == 1
    assert not lab.host.troubles.operations()


def test_trap_17_kinit_says_its_reason_once(lab: Lab) -> None:
    with pytest.raises(ConnectionFailed, match=r"no ticket for svc-dpm@LAB.TEST: kinit: Password incorrect"):
        attempt(lab, "kerberos", password="wrong")
    with pytest.raises(ConnectionFailed, match=r"SVC-DPM@LAB.TEST.*not found in Kerberos database"):
        attempt(lab, "kerberos", username="SVC-DPM@LAB.TEST")
    with pytest.raises(ConfigurationError, match="user@REALM"):
        attempt(lab, "kerberos", username="LAB\\svc-dpm")


@pytest.mark.parametrize("changes", [{"hostname": "127.0.0.1"}, {"kerberos_hostname_override": "another.lab.test"}])
def test_failure_18_a_host_without_a_ticket(lab: Lab, changes: dict[str, str]) -> None:
    with pytest.raises(ConnectionFailed, match=r"not found in Kerberos database.*fully qualified name"):
        attempt(lab, "kerberos", **changes)


def test_failure_18_trap_13_without_a_ticket_and_a_password(
    lab: Lab, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ConnectionFailed, match=r"logon to localhost:.* by kerberos failed"):
        attempt(lab, "kerberos", username=None, password=None)
    # The library logs tracebacks, which would land on stderr.
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("transport", "scheme", "left"), [("basic", "https", {"negotiate"}), ("ntlm", "http", {"basic"})]
)
def test_failure_01_a_transport_that_is_not_allowed(lab: Lab, transport: str, scheme: str, left: set[str]) -> None:
    with settings(lab, schemes=left), pytest.raises(ConnectionFailed, match="does not let svc-dpm log on"):
        attempt(lab, transport, scheme)


@pytest.mark.parametrize("cbt", ["none", "relaxed", "strict"])
@pytest.mark.parametrize("transport", ["ntlm", "kerberos", "credssp"])
def test_failure_01_channel_bindings_are_sent(lab: Lab, transport: str, cbt: str) -> None:
    with settings(lab, cbt=cbt):
        attempt(lab, transport, "https")


def test_failure_03_a_user_without_the_right(lab: Lab) -> None:
    with pytest.raises(ConnectionFailed, match=r"let guest log on, and denies access.*administrator"):
        attempt(lab, username="guest", password="Guest-1")


def test_failure_04_unencrypted_messages_are_refused_there(lab: Lab) -> None:
    with pytest.raises(ConnectionFailed, match=r"takes no unencrypted messages.*https"):
        attempt(lab, message_encryption="never")
    with settings(lab, allow_unencrypted=True):
        attempt(lab, message_encryption="never")
        attempt(lab, "basic", "http", message_encryption="never")


def test_trap_14_basic_over_http_is_refused_here(lab: Lab) -> None:
    with pytest.raises(ConfigurationError, match="would send the password"):
        attempt(lab, "basic", "http")
    assert not lab.host.troubles.log


@pytest.mark.parametrize(
    ("make", "hostname", "reason"),
    [
        ({"expired": True}, "localhost", "certificate has expired"),
        ({"names": ("elsewhere.lab.test",)}, "localhost", "[Hh]ostname mismatch|doesn't match"),
    ],
    ids=["expired", "other name"],
)
def test_failure_05_certificates_that_are_wrong(
    lab: Lab, tmp_path: Path, make: dict[str, Any], hostname: str, reason: str
) -> None:
    certificates = Certificates(tmp_path, **make)
    with WinRmHost([Account(USER, PASSWORD)], certificates=certificates) as host:
        options = {"port": host.tls_port, "hostname": hostname, "ca_trust_path": str(certificates.ca_file)}
        with pytest.raises(ConnectionFailed, match=f"No trusted TLS connection.*({reason}).*ca_trust_path"):
            attempt(lab, "ntlm", "https", **options)


def test_failure_05_an_unknown_authority(lab: Lab) -> None:
    with pytest.raises(ConnectionFailed, match=r"No trusted TLS connection.*unable to get local issuer|self-signed"):
        attempt(lab, "ntlm", "https", ca_trust_path=None)
    attempt_unchecked = {"ca_trust_path": None, "server_cert_validation": "ignore"}
    with lab.connect("ntlm", "https", **attempt_unchecked) as shell:
        assert shell.run(ECHO, {"Text": "x"}, deadline=soon())["text"] == "x"


def test_failure_05_the_wrong_port_for_the_scheme(lab: Lab) -> None:
    with pytest.raises(ConnectionFailed, match="No trusted TLS connection"):
        attempt(lab, "ntlm", "https", port=lab.host.port)
    with pytest.raises(ConnectionFailed, match=r"broke the connection off|cannot be reached"):
        attempt(lab, "ntlm", "http", port=lab.host.tls_port)


def test_failure_06_what_cannot_work_is_said_before_anything_is_sent(lab: Lab) -> None:
    for options, reason in (
        ({"ca_trust_path": "/nowhere/ca.pem"}, "ca_trust_path"),
        ({"hostname": None}, "No hostname"),
        ({"password": None}, "needs password"),
        ({"transport": "certificate", "scheme": "http"}, "needs scheme https"),
        ({"transport": "basic", "scheme": "https", "message_encryption": "always"}, "no message encryption"),
        ({"connection_timeout": 2}, "connection_timeout"),
    ):
        given = {"transport": "ntlm", "scheme": "https", **options}
        with pytest.raises(ConfigurationError, match=reason):
            attempt(lab, given.pop("transport"), given.pop("scheme"), **given)
    assert not lab.host.troubles.log


def test_failure_07_a_name_that_does_not_exist(lab: Lab) -> None:
    with pytest.raises(ConnectionFailed, match=r"nowhere\.invalid cannot be resolved"):
        attempt(lab, hostname="nowhere.invalid")


def test_failure_08_a_host_that_does_not_answer(lab: Lab) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        shell = lab.connect("ntlm", "http", port=silent.getsockname()[1], connection_timeout=5)
        with shell, pytest.raises(ConnectionFailed, match="did not answer within 5 s"):
            shell.run(ECHO, {}, deadline=soon(3))


def test_failure_15_a_service_that_starts_is_waited_for(lab: Lab) -> None:
    lab.host.troubles.add("status", status=503, times=2)
    attempt(lab)
    lab.host.troubles.add("status", status=503, times=9)
    with pytest.raises(ConnectionFailed, match="503: the WinRM service is not ready"):
        attempt(lab)


@pytest.mark.parametrize("body", [HTML, XML, "", "<a/"])
@pytest.mark.parametrize("status", [200, 500, 404])
def test_trap_11_something_that_is_no_winrm(lab: Lab, body: str, status: int) -> None:
    lab.host.troubles.add("reply", action="Create", body=body, status=status, times=9)
    with pytest.raises(ConnectionFailed, match=r"not as WinRM|HTTP status"):
        attempt(lab, "basic", "https")


@pytest.mark.parametrize("shape", ["wmi", "wsman"])
def test_failure_10_trap_19_too_many_shells(lab: Lab, shape: str) -> None:
    before, lab.host.shells.quotas = lab.host.shells.quotas, Quotas(shells=1, refusal=shape)
    try:
        with lab.connect("ntlm", "http") as first:
            first.run(ECHO, {}, deadline=soon())
            with pytest.raises(ConnectionFailed, match=r"maximum number of 1 concurrent shells.*MaxShellsPerUser"):
                attempt(lab)
        attempt(lab)
    finally:
        lab.host.shells.quotas = before


def test_failure_10_a_full_count_of_operations_takes_a_new_shell(lab: Lab) -> None:
    before, lab.host.shells.quotas = lab.host.shells.quotas, Quotas(operations=2)
    try:
        with lab.connect("ntlm", "http") as shell:
            for _ in range(5):
                shell.run(ECHO, {}, deadline=soon())
    finally:
        lab.host.shells.quotas = before
    assert lab.host.troubles.operations().count("Create") == 3


def test_failure_09_a_busy_host_is_sent_the_same_again(lab: Lab) -> None:
    lab.host.troubles.add("fault", action="Send", code=170, times=2)
    with lab.connect("ntlm", "http") as shell:
        assert shell.run(ADD, {}, deadline=soon(), writes=True)["done"] == 1


def test_failure_02_credentials_that_expire_while_a_script_runs(lab: Lab) -> None:
    lab.host.troubles.add("refuse_credentials", action="Receive", times=9)
    with lab.connect("ntlm", "http") as shell, pytest.raises(OutcomeUnknown, match="what it did is not known"):
        shell.run(ADD, {}, deadline=soon(), writes=True)
    lab.host.troubles.add("refuse_credentials", action="Receive", times=9)
    with lab.connect("ntlm", "http") as shell, pytest.raises(ConnectionFailed, match="does not let svc-dpm log on"):
        shell.run(ECHO, {}, deadline=soon())


@pytest.mark.parametrize(("transport", "scheme"), [("ntlm", "http"), ("basic", "https"), ("ntlm", "https")])
@pytest.mark.parametrize("hostname", ["::1", "[::1]"])
def test_trap_05_an_address_of_version_6(lab: Lab, tmp_path: Path, transport: str, scheme: str, hostname: str) -> None:
    certificates = Certificates(tmp_path, ("::1",))
    with WinRmHost(
        [Account(USER, PASSWORD)], lab.host.shells.executor, certificates=certificates, address="::1"
    ) as host:
        port = host.port if scheme == "http" else host.tls_port
        options = {"hostname": hostname, "port": port, "ca_trust_path": str(certificates.ca_file)}
        with lab.connect(transport, scheme, **options) as shell:
            assert shell.run(ECHO, {"Text": "6"}, deadline=soon())["text"] == "6"


def test_a_small_envelope_is_enough(lab: Lab) -> None:
    with (
        WinRmHost(
            [Account(USER, PASSWORD)], lab.host.shells.executor, settings=Settings(max_envelope_bytes=150 * 1024)
        ) as host,
        lab.connect("ntlm", "http", port=host.port) as shell,
    ):
        assert len(shell.run(ECHO, {"Text": "x" * 400_000}, deadline=soon())["text"]) == 400_000


def test_a_proxy_that_is_not_there(lab: Lab) -> None:
    with pytest.raises(ConnectionFailed, match="proxy"):
        attempt(lab, proxy="http://127.0.0.1:9")


def test_the_request_goes_through_the_proxy_that_is_named(lab: Lab) -> None:
    lines: list[bytes] = []
    with socket.socket() as proxy:
        proxy.bind(("127.0.0.1", 0))
        proxy.listen(1)

        def answer() -> None:
            connection, _ = proxy.accept()
            lines.append(connection.recv(65536).split(b"\r\n")[0])
            connection.sendall(b"HTTP/1.1 403 no\r\nContent-Length: 0\r\n\r\n")
            connection.close()

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ConnectionFailed, match="HTTP status 403"):
            attempt(lab, proxy=f"http://127.0.0.1:{proxy.getsockname()[1]}")
        thread.join()
    assert lines[0].startswith(f"POST http://localhost:{lab.host.port}/wsman".encode())


def test_a_user_whose_name_begins_with_a_dash_is_no_option_of_kinit(lab: Lab) -> None:
    with pytest.raises(ConnectionFailed, match=r"kinit got no ticket for -V@LAB\.TEST: .*not found"):
        lab.connect("kerberos", "http", username="-V@LAB.TEST")


def test_a_certificate_with_a_common_name_only_is_told_what_it_lacks(lab: Lab, tmp_path: Path) -> None:
    certificates = Certificates(tmp_path, ("localhost",), common_name_only=True)
    with WinRmHost([Account(USER, PASSWORD)], certificates=certificates) as host:
        options = {"port": host.tls_port, "ca_trust_path": str(certificates.ca_file)}
        with (
            lab.connect("basic", "https", **options) as shell,
            pytest.raises(ConnectionFailed, match=r"No trusted TLS connection.*a common name alone does not count"),
        ):
            shell.run(ECHO, {}, deadline=soon())
