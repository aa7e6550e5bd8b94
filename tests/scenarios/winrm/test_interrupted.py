# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections that break and hosts that restart, at every single request: right, or an error that says what is
known."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._core.command import WriteTimeIsUp
from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConnectionFailed, OutcomeUnknown
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.bootstrap import command
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.frame import make_input
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.target import Target
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.winrm_transport import WinRmTransport

from .conftest import Lab, soon
from .scripts import ADD, ECHO, SLEEP

# What happens to a request: a connection that ends before or after it, one that ends when idle, a service that is not
# ready, a host that restarts at once or is away for a while, a password that is no longer right.
KINDS: dict[str, dict[str, Any]] = {
    "reset_before": {},
    "reset_after": {},
    "close_before": {},
    "close_after": {},
    "drop_idle": {},
    "status": {"status": 503},
    "reboot": {},
    "restart": {"seconds": 0.05},
}
# Create; Command, Send, the end of the input, Receive, Signal of a read, a write, a read; Delete
REQUESTS = range(1, 18)
END_OF_INPUT, RECEIVE = 9, 10
LOSES_THE_ANSWER = ("reset_after", "close_after", "reboot", "restart")
SEALING = ("ntlm", "kerberos", "credssp")
HIT = [
    ("ntlm", "http"),
    ("basic", "https"),
    *(
        pytest.param(way, marks=pytest.mark.slow)
        for way in (("kerberos", "http"), ("credssp", "http"), ("certificate", "https"))
    ),
]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("way", HIT, ids=lambda way: "-".join(way))
def test_a_read_and_a_write_whatever_request_is_hit(
    lab: Lab, way: tuple[str, str], kind: str, record_property: Callable[[str, object], None]
) -> None:
    """The read comes through; the write is done once, or not, and where that is not known it is said."""
    said: list[str] = []
    for number in REQUESTS:
        lab.reset()
        lab.host.troubles.add(kind, number=number, **KINDS[kind])
        with lab.connect(*way) as shell:
            assert shell.run(ECHO, {"Text": "日本"}, deadline=soon())["text"] == "日本", number
            try:
                answer = shell.run(ADD, {}, deadline=soon(), writes=True)
            except OutcomeUnknown as unknown:
                # Only what takes the process or its answer along, once its input had come to its end.
                assert kind in LOSES_THE_ANSWER, number
                # Where the host is slow its answer takes more than one Receive.
                receive = number >= RECEIVE and lab.host.troubles.operations()[number - 1] == "Receive"
                assert receive or (number == END_OF_INPUT and kind in ("reboot", "restart")), number
                assert lab.world.done <= 1
                said.append(str(unknown))
            else:
                assert (answer["done"], lab.world.done) == (1, 1), number
            # The same connection goes on afterwards.
            assert shell.run(ECHO, {"Text": "again"}, deadline=soon())["text"] == "again", number
        # A shell whose making was never answered cannot be known; it ends itself.
        unanswered = number == 1 and kind in ("reset_after", "close_after")
        assert len(lab.host.shells.open) == (1 if unanswered else 0), number
        assert all(shell.idle_timeout == 900 for shell in lab.host.shells.open.values())
    assert bool(said) is (kind in LOSES_THE_ANSWER)
    assert all("what it did is not known" in text for text in said)
    record_property("points of failure", len(REQUESTS))


@pytest.mark.parametrize("way", HIT, ids=lambda way: "-".join(way))
def test_a_password_that_is_no_longer_right_at_any_request(
    lab: Lab, way: tuple[str, str], record_property: Callable[[str, object], None]
) -> None:
    said: list[str] = []
    for number in REQUESTS:
        lab.reset()
        lab.host.troubles.add("refuse_credentials", number=number)
        try:
            with lab.connect(*way) as shell:
                shell.run(ECHO, {}, deadline=soon())
                shell.run(ADD, {}, deadline=soon(), writes=True)
                shell.run(ECHO, {}, deadline=soon())
        except OutcomeUnknown:
            assert number in (END_OF_INPUT, RECEIVE), number
            assert lab.world.done <= 1
        except ConnectionFailed as refused:
            assert lab.world.done == (0 if number < END_OF_INPUT else 1), number
            said.append(str(refused))
        else:
            assert lab.world.done == 1, number
    assert said
    assert all("does not let" in text for text in said)
    record_property("points of failure", len(REQUESTS))


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
    protocol = Protocol(
        Target.of(options).endpoint, "ntlm", options["username"], options["password"], proxy=None, ca_trust_path=None
    )
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
    assert time.monotonic() - started < 20


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
