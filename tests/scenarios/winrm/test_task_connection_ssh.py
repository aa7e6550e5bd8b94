# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible's own ssh connection to a Windows host, under the runner: the same results as over WinRM, and what is known
when it breaks."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from wsman.connections import ansible_connection

from ansible_collections.winbackup.storage.plugins.module_utils._core.command import TimeIsUp, WriteTimeIsUp
from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConnectionFailed, OutcomeUnknown
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import NoAnswer, ScriptFailed
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.frame import make_input
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.runner import PowerShell
from ansible_collections.winbackup.storage.plugins.plugin_utils._windows import TaskTransport

from .conftest import Lab, soon, transport_over
from .scripts import ADD, ECHO, EXIT, FAIL, MANY, NOTHING, SLEEP, TWICE
from .test_ways_in import HOSTILE

# The first command of a shared connection is a second late: Ansible's plugin waits for an end of stderr.
ALONE = {"ansible_ssh_args": "-o ControlMaster=no"}
SHARED = "-o ControlMaster=auto -o ControlPersist=60s"
KINDS: dict[str, dict[str, Any]] = {
    "reset_before": {},
    "reset_after": {},
    "restart": {"seconds": 0.05},
}


@pytest.fixture
def ssh(lab: Lab) -> Iterator[Lab]:
    """The host as new, with no connection of another test that could be used again."""
    _as_new(lab)
    yield lab
    _as_new(lab)


def _as_new(lab: Lab) -> None:
    if lab.site.ssh is not None:
        lab.site.ssh.wait_until_back()
        lab.site.ssh.end_everything()
        lab.site.ssh.default_shell = "cmd"
    # Last, when nothing of the test before can be counted any more.
    lab.reset()


def transport_of(lab: Lab, **variables: Any) -> TaskTransport:
    return transport_over(ansible_connection({**lab.site.variables("ssh"), **ALONE, **variables}), "dpm")


def shell_of(lab: Lab, **variables: Any) -> PowerShell:
    return PowerShell(transport_of(lab, **variables))


@pytest.mark.parametrize("default_shell", ["cmd", "powershell"])
def test_the_same_results_as_over_winrm(ssh: Lab, default_shell: str) -> None:
    """Over a shared connection, as Ansible's plugin makes it when it is not told otherwise."""
    assert ssh.site.ssh is not None
    ssh.site.ssh.default_shell = default_shell
    scripts: list[tuple[str, dict[str, Any]]] = [
        (ECHO, {"Text": HOSTILE[0], "More": [None, True, 1, 2.5, [], {}, HOSTILE, {"name": HOSTILE[5]}]}),
        (ECHO, {"Text": "日本" * 100_000}),
        (MANY, {"Count": 20}),
        (NOTHING, {}),
    ]
    with ssh.connect("ntlm", "http") as own:
        expected = [own.run(script, parameters, deadline=soon()) for script, parameters in scripts]
    shell = PowerShell(transport_over(ansible_connection(ssh.site.variables("ssh")), "dpm"))
    assert repr([shell.run(script, parameters, deadline=soon()) for script, parameters in scripts]) == repr(expected)
    assert shell.run(ADD, {}, deadline=soon(), writes=True)["done"] == 1
    assert shell.run(ECHO, {"Text": "after"}, deadline=soon())["text"] == "after"
    assert ssh.world.done == 1


def test_errors_are_the_same(ssh: Lab) -> None:
    over_task = shell_of(ssh)
    with ssh.connect("ntlm", "http") as own:
        for script, parameters in ((FAIL, {}), (ECHO, {"Unknown": 1})):
            seen = []
            for shell in (own, over_task):
                with pytest.raises(ScriptFailed) as failed:
                    shell.run(script, parameters, deadline=soon())
                error = failed.value
                seen.append((error.said, error.type, error.error_id, error.category))
            assert seen[0] == seen[1]
    with pytest.raises(NoAnswer, match=r"PowerShell on dpm ended with exit code 7"):
        over_task.run(EXIT, {}, deadline=soon())


def test_whatever_command_is_hit(ssh: Lab, record_property: Callable[[str, object], None]) -> None:
    """A read comes through; a write is done once, not at all, or that it is not known is said."""
    points = 0
    for kind, details in KINDS.items():
        for number in (1, 2):
            _as_new(ssh)
            ssh.host.troubles.add(kind, action="Exec", number=number, **details)
            # Those who tell Ansible to try again do not mean writes.
            shell = shell_of(ssh, ansible_ssh_retries=3)
            assert shell.run(ECHO, {"Text": "日本"}, deadline=soon())["text"] == "日本", (kind, number)
            try:
                assert shell.run(ADD, {}, deadline=soon(), writes=True)["done"] == 1, (kind, number)
            except OutcomeUnknown:
                assert number == 2, kind
                assert ssh.world.done == (1 if kind == "reset_after" else 0), kind
            else:
                assert ssh.world.done == 1, (kind, number)
            assert shell.run(ECHO, {"Text": "again"}, deadline=soon())["text"] == "again", (kind, number)
            points += 1
    record_property("points of failure", points)


def test_a_write_in_the_middle_of_which_the_connection_ends_is_done_once(ssh: Lab) -> None:
    assert ssh.site.ssh is not None
    shell = shell_of(ssh, ansible_ssh_retries=3)
    host, world = ssh.site.ssh, ssh.world

    def drop_in_the_middle() -> None:
        started = time.monotonic()
        while not world.done and time.monotonic() - started < 60:
            time.sleep(0.05)
        host.drop_connections()

    threading.Thread(target=drop_in_the_middle, daemon=True).start()
    with pytest.raises(OutcomeUnknown, match="what it did is not known"):
        shell.run(TWICE, {"Seconds": 2}, deadline=soon(90), writes=True)
    # It is left to come to its end; who looks meanwhile does not end it.
    started = time.monotonic()
    while world.done < 2 and time.monotonic() - started < 30:
        shell.run(ECHO, {}, deadline=soon())
    time.sleep(0.5)
    assert world.done == 2


def test_a_write_is_not_run_again_where_a_shared_connection_was_gone(ssh: Lab, tmp_path: Path) -> None:
    """Ansible's plugin does that by itself, once, when ssh said so of the shared connection and fails later on."""
    program = tmp_path / "ssh"
    # ssh as it is at the moment in which the other end has just closed the shared connection, which cannot be timed.
    program.write_text(
        """#!/bin/sh
case "$*" in *ControlPath=none*) ;; *) echo 'mux_client_hello_exchange: write packet: Broken pipe' >&2;; esac
exec ssh -o ControlPath=none "$@"
"""
    )
    program.chmod(0o700)
    ssh.host.troubles.add("reset_after", action="Exec")
    shell = shell_of(ssh, ansible_ssh_args=SHARED, ansible_ssh_executable=str(program))
    with pytest.raises(OutcomeUnknown, match="what it did is not known"):
        shell.run(ADD, {}, deadline=soon(), writes=True)
    assert ssh.world.done == 1


@pytest.mark.parametrize("arguments", [ALONE["ansible_ssh_args"], SHARED])
def test_a_script_is_left_at_its_deadline(ssh: Lab, arguments: str) -> None:
    transport = transport_of(ssh, ansible_ssh_args=arguments)
    started = time.monotonic()
    with pytest.raises(TimeIsUp, match="did not end in time"):
        PowerShell(transport).run(SLEEP, {"Seconds": 60}, deadline=soon(1))
    assert time.monotonic() - started < 5
    assert _clients() == []
    assert PowerShell(transport).run(ECHO, {"Text": "next"}, deadline=soon())["text"] == "next"


def test_a_write_that_never_ends_is_unknown(ssh: Lab) -> None:
    request = make_input(SLEEP, {"Seconds": 60})
    with pytest.raises(WriteTimeIsUp, match="Run again"):
        transport_of(ssh).execute(request.data, deadline=soon(1), repeatable=False)


def test_a_host_that_cannot_be_reached_was_not_changed(ssh: Lab, tmp_path: Path) -> None:
    assert ssh.site.ssh is not None
    known = str(ssh.site.folder / "ssh-known-hosts")
    arguments = ssh.site.variables("ssh")["ansible_ssh_common_args"]
    stranger = {"ansible_ssh_common_args": arguments.replace(known, str(tmp_path / "none"))}
    for variables, reason in (
        ({"ansible_port": 9}, "refused"),
        ({"ansible_user": "nobody"}, "Permission denied"),
        ({"ansible_host": "nowhere.invalid"}, "nowhere.invalid"),
        (stranger, "Host key verification failed"),
        ({**stranger, "ansible_password": "pw"}, "Host key verification failed"),
    ):
        shell = shell_of(ssh, **variables)
        for writes in (False, True):
            with pytest.raises(
                ConnectionFailed, match=rf"The connection ssh to dpm cannot be made: .*{reason}"
            ) as failed:
                shell.run(ADD, {}, deadline=soon(), writes=writes)
            assert not isinstance(failed.value, OutcomeUnknown)
    assert ssh.world.done == 0
    assert not ssh.host.troubles.operations()


def test_a_password_is_tried_once_however_often_the_user_lets_ssh_retry(ssh: Lab) -> None:
    """A host that takes no connections for a moment is looked for again as often as the user says."""
    server = ssh.site.ssh
    assert server is not None
    retries = {"ansible_ssh_retries": 2, "ansible_password": "pw"}
    before = server.connected
    with pytest.raises(ConnectionFailed, match=r"Permission denied.*It was tried once only"):
        shell_of(ssh, ansible_user="nobody", **retries).run(ECHO, {}, deadline=soon(), writes=False)
    assert server.connected == before + 1
    server.refuse_connections(2)
    assert shell_of(ssh, **retries).run(ECHO, {"Text": "there"}, deadline=soon(), writes=False)["text"] == "there"
    server.refuse_connections(3)
    with pytest.raises(ConnectionFailed):
        shell_of(ssh, **retries).run(ECHO, {}, deadline=soon(), writes=False)


def test_a_host_that_is_away_for_a_moment_is_waited_for(ssh: Lab) -> None:
    assert ssh.site.ssh is not None
    shell = shell_of(ssh)
    shell.run(ECHO, {}, deadline=soon())
    ssh.site.ssh.go_away(1.0)
    assert shell.run(ADD, {}, deadline=soon(), writes=True)["done"] == 1
    assert ssh.world.done == 1


def _clients() -> list[str]:
    """The programs ssh that this process started and that still wait for something, as Linux lists them."""
    tasks = Path("/proc/self/task").iterdir()
    children = [Path("/proc", one) for task in tasks for one in _text(task / "children").split()]
    return [one.name for one in children if _text(one / "comm") == "ssh\n"]


def _text(file: Path) -> str:
    """What a file of /proc says; nothing where its thread or process has just ended."""
    try:
        return file.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
