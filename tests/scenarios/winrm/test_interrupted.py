# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections that break and hosts that restart, at every single request: right, or an error that says what is
known."""

from __future__ import annotations

import threading
import time

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConnectionFailed, OutcomeUnknown
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.bootstrap import command
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import WriteTimeIsUp
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.frame import make_input
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.target import Target
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.winrm_transport import WinRmTransport

from .conftest import Lab, soon
from .scripts import ADD, ECHO, SLEEP

KINDS = ("reset_before", "reset_after", "close_before", "close_after", "drop_idle", "reboot")
# Create, Command, Send, Send, Receive, Signal, Delete
REQUESTS = range(1, 8)
SEALING = ("ntlm", "kerberos", "credssp")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", REQUESTS)
@pytest.mark.parametrize("transport", ["ntlm", "kerberos"])
def test_a_read_comes_through_whatever_request_is_hit(lab: Lab, transport: str, number: int, kind: str) -> None:
    lab.host.troubles.add(kind, number=number)
    with lab.connect(transport, "http") as shell:
        assert shell.run(ECHO, {"Text": "日本"}, deadline=soon())["text"] == "日本"
    assert not lab.host.shells.open or (number, kind) == (1, "reset_after") or (number, kind) == (1, "close_after")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("number", REQUESTS)
@pytest.mark.parametrize("way", [("ntlm", "http"), ("kerberos", "http"), ("basic", "https")], ids="-".join)
def test_a_write_is_never_done_twice(lab: Lab, way: tuple[str, str], number: int, kind: str) -> None:
    lab.host.troubles.add(kind, number=number)
    try:
        with lab.connect(*way) as shell:
            answer = shell.run(ADD, {}, deadline=soon(), writes=True)
    except OutcomeUnknown:
        # Only what came after the end of the input, and took the process or its answer along.
        assert (number, kind) in {(4, "reboot"), (5, "reset_after"), (5, "close_after"), (5, "reboot")}
        assert lab.world.done <= 1
    else:
        assert answer["done"] == 1
        assert lab.world.done == 1


def test_failure_12_several_connections_lost_in_mid_receive_lose_nothing_of_a_write(lab: Lab) -> None:
    with lab.connect("ntlm", "http", connection_timeout=5) as shell:
        for _ in range(2):
            lab.host.troubles.add("reset_before", action="Receive")
        assert shell.run(ADD, {}, deadline=soon(), writes=True)["done"] == 1
    assert lab.world.done == 1


@pytest.mark.parametrize("transport", SEALING)
def test_failure_11_trap_03_idle_connections_that_were_dropped_are_made_anew(lab: Lab, transport: str) -> None:
    with lab.connect(transport, "http") as shell:
        for _ in range(3):
            shell.run(ECHO, {}, deadline=soon())
            lab.host.drop_connections()
        assert shell.run(ADD, {}, deadline=soon(), writes=True)["done"] == 1
    assert lab.host.troubles.operations().count("Create") == 1
    assert not lab.host.shells.open


def test_failure_14_a_restart_while_a_script_runs_is_run_again_if_it_reads(lab: Lab) -> None:
    hold = lab.host.troubles.hold(action="Receive")
    threading.Thread(target=lambda: (hold.reached.wait(10), lab.host.reboot(), hold.release())).start()
    with lab.connect("ntlm", "http") as shell:
        assert shell.run(SLEEP, {"Seconds": 0}, deadline=soon()) == {"slept": 0}


def test_a_write_that_never_ends_is_ended_and_unknown(lab: Lab) -> None:
    transport = WinRmTransport(Target.of(lab.site.options("ntlm", "http")))
    request = make_input(SLEEP, {"Seconds": 60})
    with pytest.raises(WriteTimeIsUp):
        transport.execute(request.data, deadline=soon(1), repeatable=False)
    transport.close()
    assert not lab.host.shells.open


def test_input_that_was_cut_off_runs_nothing(lab: Lab) -> None:
    """A process that is ended before the mark may see the end of its input first."""
    from winrm.protocol import Protocol

    options = lab.site.options("ntlm", "http")
    protocol = Protocol(Target.of(options).endpoint, "ntlm", options["username"], options["password"], proxy=None)
    shell = protocol.open_shell(codepage=65001)
    first, *rest = command()
    running = protocol.run_command(shell, first, rest, console_mode_stdin=False)
    protocol.send_command_input(shell, running, make_input(ADD, {}).data, end=True)
    stdout, stderr, code = protocol.get_command_output(shell, running)
    protocol.close_shell(shell)
    assert (stdout, code) == (b"", 1)
    assert b"before it was complete" in stderr
    assert lab.world.done == 0


def test_failure_07_a_host_that_is_not_there_is_said_at_once_after_few_tries(lab: Lab) -> None:
    started = time.monotonic()
    with lab.connect("ntlm", "http", port=9) as shell, pytest.raises(ConnectionFailed, match="refuses connections"):
        shell.run(ECHO, {}, deadline=soon())
    assert time.monotonic() - started < 5


def test_trap_04_hosts_are_worked_on_side_by_side(lab: Lab) -> None:
    answers: list[str] = []

    def one(number: int) -> None:
        with lab.connect(("ntlm", "credssp")[number % 2], "http") as shell:
            texts = [f"{number}/{turn}" for turn in range(3)]
            answers.extend(shell.run(ECHO, {"Text": text}, deadline=soon())["text"] for text in texts)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == sorted(f"{number}/{turn}" for number in range(6) for turn in range(3))
