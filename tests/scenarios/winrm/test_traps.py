# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What pywinrm does on its own, and the runner does not. All tests of these traps carry their number in their name:

1 no deadline, 2 leaked shells, 3 a dropped connection under sealing, 4 one object in several threads, 5 IPv6,
6 code page, 7 CLIXML, 8 text as input, 9 a console as input, 10 Basic with a password beyond Latin-1, 11 bare
exceptions, 12 the environment, 13 logged tracebacks, 14 Basic in clear, 15 every refusal is a 401, 16 certificates with
TLS 1.3, 17 names in Kerberos, 18 another user's ticket, 19 quota faults.
"""

from __future__ import annotations

import time
from typing import Any

import pytest
from winrm.protocol import Protocol
from wsman import Account, WinRmHost
from wsman.processes import Process
from wsman.site import PASSWORD, USER, WAYS

from ansible_collections.winbackup.storage.plugins.module_utils._core.command import TimeIsUp
from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConnectionFailed
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.bootstrap import command
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import NoAnswer
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.frame import GO, make_input
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.target import Target

from .conftest import Lab, soon
from .scripts import ADD, ECHO, SLEEP

PROGRESS = (
    '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04"><Obj S="progress" '
    'RefId="0"><TN RefId="0"><T>System.Management.Automation.PSCustomObject</T></TN><MS><I64 N="SourceId">1</I64>'
    "</MS></Obj></Objs>"
)
ERROR = (
    '#< CLIXML\r\n<Objs Version="1.1.0.1" xmlns="http://schemas.microsoft.com/powershell/2004/04">'
    '<S S="Error">blocked by a policy_x000D__x000A_</S><S S="verbose">loading</S></Objs>'
)


class Dying:
    """PowerShell that ends at once, before it has read anything, as a policy or a virus scanner makes it."""

    def __init__(self, said: str, *, reads: bool) -> None:
        self.said = said
        self.reads = reads

    def start(self, *_: Any) -> Process:
        def body(process: Process) -> int:
            if self.reads:
                process.read_all_stdin()
            process.write("stderr", self.said.encode())
            return 1

        process = Process(body)
        if not self.reads:
            with process.changed:
                process.changed.wait_for(lambda: process.exit_code is not None, 10)
        return process


@pytest.mark.parametrize(("transport", "scheme"), [("basic", "https"), ("certificate", "https"), ("kerberos", "https")])
def test_trap_01_a_deadline_holds_within_tls_too(lab: Lab, transport: str, scheme: str) -> None:
    with lab.connect(transport, scheme) as shell, pytest.raises(TimeIsUp, match="did not end in time"):
        shell.run(SLEEP, {"Seconds": 60}, deadline=soon(0.5))
    assert not lab.host.shells.open


def test_trap_02_a_refused_script_and_a_killed_connection_leave_no_shell(lab: Lab) -> None:
    for transport, scheme, _ in WAYS:
        with lab.connect(transport, scheme) as shell:
            shell.run(ECHO, {}, deadline=soon())
            # The shell is deleted over a connection of its own where the one that made it is gone.
            lab.host.drop_connections()
    assert len(lab.host.shells.deleted) == len(WAYS)
    assert not lab.host.shells.open


@pytest.mark.parametrize("transport", ["ntlm", "kerberos", "credssp", "basic", "certificate"])
def test_trap_03_dropped_connections_within_tls(lab: Lab, transport: str) -> None:
    with lab.connect(transport, "https") as shell:
        for text in ("1", "2", "3"):
            assert shell.run(ECHO, {"Text": text}, deadline=soon())["text"] == text
            lab.host.drop_connections()
    assert lab.host.troubles.operations().count("Create") == 1


@pytest.mark.parametrize(("reads", "kind"), [(True, NoAnswer), (False, ConnectionFailed)], ids=["read", "unread"])
def test_trap_07_errors_in_clixml_are_read_and_progress_is_not(lab: Lab, reads: bool, kind: type[Exception]) -> None:
    executor = Dying(PROGRESS + "\r\n" + ERROR, reads=reads)
    with (
        WinRmHost([Account(USER, PASSWORD)], executor) as host,
        lab.connect("ntlm", "http", port=host.port) as shell,
        pytest.raises(kind, match=r"exit code 1.*: blocked by a policy See that"),
    ):
        shell.run(ECHO, {}, deadline=soon())


def test_trap_09_the_input_is_a_pipe(lab: Lab) -> None:
    """With pywinrm's own default it is a console, which a script cannot read to its end."""
    options = lab.site.options("ntlm", "http")
    protocol = Protocol(
        Target.of(options).endpoint, "ntlm", options["username"], options["password"], proxy=None, ca_trust_path=None
    )
    shell = protocol.open_shell(codepage=65001)
    first, *rest = command()
    running = protocol.run_command(shell, first, rest)
    protocol.send_command_input(shell, running, make_input(ADD, {}).data + GO, end=True)
    _, stderr, code = protocol.get_command_output(shell, running)
    protocol.close_shell(shell)
    assert (code, lab.world.done) == (1, 0)
    assert b"before it was complete" in stderr
    with lab.connect("ntlm", "http") as powershell:
        assert powershell.run(ADD, {}, deadline=soon(), writes=True)["done"] == 1


@pytest.mark.parametrize("action", ["Create", "Command", "Send", "Receive"])
def test_trap_11_an_answer_to_another_request(lab: Lab, action: str) -> None:
    body = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
        'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"><s:Header><a:RelatesTo>uuid:1</a:RelatesTo>'
        "</s:Header><s:Body/></s:Envelope>"
    )
    lab.host.troubles.add("reply", action=action, body=body, status=200, times=9)
    with lab.connect("basic", "https") as shell, pytest.raises(ConnectionFailed, match="not as WinRM"):
        shell.run(ECHO, {}, deadline=soon())


def test_trap_16_a_certificate_that_tls13_does_not_carry_is_said(lab: Lab) -> None:
    lab.host.settings.late_certificates = True
    try:
        with (
            lab.connect("certificate", "https") as shell,
            pytest.raises(ConnectionFailed, match=r"broke the connection off.*turn TLS 1\.3 off"),
        ):
            shell.run(ECHO, {}, deadline=soon())
    finally:
        lab.host.settings.late_certificates = False


@pytest.mark.parametrize("shape", ["wmi", "wsman"])
@pytest.mark.parametrize(("transport", "scheme"), [("kerberos", "http"), ("basic", "https")])
def test_trap_19_a_quota_that_frees_itself_is_waited_for(lab: Lab, transport: str, scheme: str, shape: str) -> None:
    lab.host.troubles.add("fault", action="Create", code=0x803381A5, shape=shape, times=2)
    started = time.monotonic()
    with lab.connect(transport, scheme) as shell:
        assert shell.run(ADD, {}, deadline=soon(), writes=True)["done"] == 1
    assert time.monotonic() - started > 0.4
    assert lab.host.troubles.operations().count("Create") == 3
