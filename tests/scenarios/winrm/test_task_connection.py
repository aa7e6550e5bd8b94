# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible's own winrm and psrp connections under the runner: the same results, and what is known when they break."""

from __future__ import annotations

import logging
import os
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest
from wsman.connections import ansible_connection
from wsman.site import USER

from ansible_collections.winbackup.storage.plugins.module_utils._core.command import TimeIsUp, WriteTimeIsUp
from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConfigurationError,
    ConnectionFailed,
    OutcomeUnknown,
)
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import NoAnswer, ScriptFailed
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.frame import make_input
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.runner import PowerShell

from .conftest import Lab, soon, transport_over
from .scripts import ADD, ECHO, EXIT, FAIL, MANY, NOTHING, SLEEP, SLOWLY
from .test_interrupted import KINDS
from .test_ways_in import HOSTILE

PLUGINS = ("winrm", "psrp")
# With the third request that a plugin makes the input of a short script is on its way.
REQUESTS = range(1, 14)


class OverTask:
    """A host of an inventory, and the connection that a task would have to it."""

    def __init__(self, lab: Lab, plugin: str, transport: str = "ntlm", scheme: str = "http", **variables: Any) -> None:
        # Short, so that what waits for an answer that does not come is over soon.
        short = {"ansible_winrm_connection_timeout": 1, "ansible_psrp_operation_timeout": 1}
        self.connection = ansible_connection({**lab.site.variables(plugin, transport, scheme), **short, **variables})
        self.shell = PowerShell(transport_over(self.connection, "dpm"))

    def __enter__(self) -> PowerShell:
        return self.shell

    def __exit__(self, *_: object) -> None:
        self.shell.__exit__(None, None, None)
        # As the strategy does when the play is over.
        self.connection.close()


@pytest.fixture(autouse=True)
def environment() -> Iterator[None]:
    """The winrm connection leaves the name of its ticket behind."""
    before = dict(os.environ)
    yield
    os.environ.clear()
    os.environ.update(before)


@pytest.mark.parametrize("plugin", PLUGINS)
def test_the_same_results_as_over_a_connection_of_our_own(lab: Lab, plugin: str, way: tuple[str, str, bool]) -> None:
    transport, scheme, sealed = way
    scripts: list[tuple[str, dict[str, Any]]] = [
        (ECHO, {"Text": HOSTILE[0], "More": [None, True, 1, 2.5, [], {}, HOSTILE, {"name": HOSTILE[5]}]}),
        (MANY, {"Count": 1}),
        (MANY, {"Count": 20}),
        (NOTHING, {}),
    ]
    with lab.connect(transport, scheme) as shell:
        expected = [shell.run(script, parameters, deadline=soon()) for script, parameters in scripts]
    lab.host.troubles.clear()
    with OverTask(lab, plugin, transport, scheme) as shell:
        answers = [shell.run(script, parameters, deadline=soon()) for script, parameters in scripts]
        assert repr(answers) == repr(expected)
        assert shell.run(ADD, {}, deadline=soon(), writes=True)["done"] == 1
    carried = [entry for entry in lab.host.troubles.log if entry.number]
    assert {entry.scheme for entry in carried} == {transport}
    assert {entry.sealed for entry in carried} == {sealed}
    assert lab.world.done == 1
    assert not lab.host.shells.open


@pytest.mark.parametrize("count", [1, 600])
@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_read_takes_few_operations_whatever_it_reads(lab: Lab, plugin: str, count: int) -> None:
    with OverTask(lab, plugin) as shell:
        shell.run(MANY, {"Count": count}, deadline=soon())
    operations = [action for action in lab.host.troubles.operations() if action != "Receive"]
    signals = ["Signal"] if plugin == "winrm" else []
    assert operations == ["Create", "Command", "Send", *signals, "Delete"]


@pytest.mark.parametrize("plugin", PLUGINS)
def test_errors_are_the_same(lab: Lab, plugin: str) -> None:
    with lab.connect("ntlm", "http") as own, OverTask(lab, plugin) as over_task:
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


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("transport", ["ntlm", "kerberos", "credssp"])
def test_a_script_is_ended_at_its_deadline(lab: Lab, plugin: str, transport: str) -> None:
    over_task = OverTask(lab, plugin, transport)
    with over_task as shell, pytest.raises(TimeIsUp, match="did not end in time"):
        shell.run(SLEEP, {"Seconds": 60}, deadline=soon(1))
    # It is ended there, too, and the connection is good for the next task.
    assert not lab.host.shells.open
    with over_task as shell:
        assert shell.run(ECHO, {"Text": "next"}, deadline=soon())["text"] == "next"
    assert not lab.host.shells.open


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_write_that_never_ends_is_unknown(lab: Lab, plugin: str) -> None:
    over_task = OverTask(lab, plugin)
    request = make_input(SLEEP, {"Seconds": 60})
    with over_task, pytest.raises(WriteTimeIsUp, match="Run again"):
        transport_over(over_task.connection, "dpm").execute(request.data, deadline=soon(1), repeatable=False)
    assert not lab.host.shells.open


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("plugin", PLUGINS)
def test_whatever_request_is_hit(
    lab: Lab, plugin: str, kind: str, record_property: Callable[[str, object], None]
) -> None:
    """A read comes through or changed nothing; a write is done once, or that it is not known is said."""
    for number in REQUESTS:
        lab.reset()
        lab.host.troubles.add(kind, number=number, **KINDS[kind])
        over_task = OverTask(lab, plugin)
        try:
            assert over_task.shell.run(ECHO, {"Text": "日本"}, deadline=soon())["text"] == "日本", number
            assert over_task.shell.run(ADD, {}, deadline=soon(), writes=True)["done"] == 1, number
        except OutcomeUnknown:
            assert lab.world.done <= 1, number
        except ConnectionFailed:
            assert lab.world.done == 0, number
        else:
            assert lab.world.done == 1, number
        lab.host.wait_until_back()
        assert over_task.shell.run(ECHO, {"Text": "again"}, deadline=soon())["text"] == "again", number
    record_property("points of failure", len(REQUESTS))


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("transport", ["ntlm", "kerberos", "credssp", "basic"])
def test_a_read_after_an_idle_connection_was_dropped(lab: Lab, plugin: str, transport: str) -> None:
    with OverTask(lab, plugin, transport, "https" if transport == "basic" else "http") as shell:
        for text in ("1", "2", "3"):
            lab.host.drop_connections()
            assert shell.run(ECHO, {"Text": text}, deadline=soon())["text"] == text
    assert not lab.host.shells.open


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_host_that_cannot_be_reached_was_not_changed(lab: Lab, plugin: str) -> None:
    for variables, reason in (
        ({"ansible_port": 9}, "refused"),
        ({"ansible_password": "wrong"}, "credentials|authenticate"),
        ({"ansible_host": "nowhere.invalid"}, "nowhere.invalid"),
    ):
        lab.reset()
        over_task = OverTask(lab, plugin, **variables)
        for writes in (False, True):
            with pytest.raises(ConnectionFailed, match=rf"The connection {plugin} to dpm cannot be made: .*({reason})"):
                over_task.shell.run(ADD, {}, deadline=soon(), writes=writes)
        assert "Create" not in lab.host.troubles.operations()


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_password_that_expires_is_tried_once(lab: Lab, plugin: str) -> None:
    over_task = OverTask(lab, plugin)
    over_task.shell.run(ECHO, {}, deadline=soon())
    account = lab.host.accounts.all[USER]
    account.may_log_on = False
    lab.host.drop_connections()
    lab.host.troubles.clear()
    try:
        with pytest.raises(ConnectionFailed, match=r"credentials|authenticate"):
            over_task.shell.run(ECHO, {}, deadline=soon())
    finally:
        account.may_log_on = True
    # One connection on which the plugin goes on as if it were the old one, and one that logs on.
    assert len({entry.connection for entry in lab.host.troubles.log}) <= 2


def test_a_connection_without_input_is_refused_in_one_sentence(lab: Lab) -> None:
    local = ansible_connection({"ansible_connection": "local"})
    with pytest.raises(
        ConfigurationError, match=r"connection local to dpm cannot give a command an input.*winrm, psrp or ssh"
    ):
        transport_over(local, "dpm")


def test_time_is_not_lost_where_nothing_can_be_reached(lab: Lab) -> None:
    started = time.monotonic()
    with OverTask(lab, "psrp", ansible_port=9) as shell, pytest.raises(ConnectionFailed):
        shell.run(ECHO, {}, deadline=soon())
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize("transport", ["ntlm", "kerberos", "credssp"])
def test_a_wrong_password_after_the_host_was_there_is_tried_once(lab: Lab, plugin: str, transport: str) -> None:
    """As after a change of the password, or where the account was locked by somebody else."""
    over_task = OverTask(lab, plugin, transport)
    over_task.shell.run(ECHO, {}, deadline=soon())
    over_task.connection.close()
    over_task.connection.set_option("remote_password", "wrong")
    started = time.monotonic()
    with pytest.raises(ConnectionFailed, match="cannot be made"):
        over_task.shell.run(ECHO, {}, deadline=soon())
    assert time.monotonic() - started < 20


@pytest.mark.parametrize("plugin", PLUGINS)
def test_passwords_are_nowhere(
    lab: Lab,
    plugin: str,
    way: tuple[str, str, bool],
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    caplog.set_level(logging.DEBUG)
    variables = lab.site.variables(plugin, way[0], way[1])
    secrets = [variables["ansible_password"], "Sécret", "Wr0ng-secret"]
    texts: list[str] = []
    with OverTask(lab, plugin, way[0], way[1]) as shell:
        shell.run(ECHO, {"Text": "x"}, deadline=soon())
        lab.host.troubles.add("reset_after", action="Receive", times=2)
        with pytest.raises(OutcomeUnknown) as unknown:
            shell.run(ADD, {}, deadline=soon(), writes=True)
        texts.append("".join(traceback.format_exception(unknown.value)))
    # A certificate needs no password.
    wrong = {"ansible_user": "nobody@LAB.TEST"} if way[0] == "certificate" else {"ansible_password": "Wr0ng-secret"}
    with suppress(ConnectionFailed), OverTask(lab, plugin, way[0], way[1], **wrong) as shell:
        try:
            shell.run(ECHO, {}, deadline=soon())
        except ConnectionFailed as refused:
            texts.append("".join(traceback.format_exception(refused)))
            texts.append(str(refused.facts))
    captured = capfd.readouterr()
    texts += [caplog.text, captured.out, captured.err, str(lab.host.troubles.log_as_dicts())]
    assert all(secret not in text for secret in secrets for text in texts)


# Over https, Ansible's winrm connection itself ends the command when it fails; nothing can be done about that.
@pytest.mark.parametrize(
    ("plugin", "way"), [("winrm", ("ntlm", "http")), ("psrp", ("ntlm", "http")), ("psrp", ("basic", "https"))]
)
def test_a_write_whose_answer_is_lost_is_left_to_come_to_its_end(lab: Lab, plugin: str, way: tuple[str, str]) -> None:
    with OverTask(lab, plugin, *way) as shell:
        shell.run(ECHO, {}, deadline=soon())
        lab.host.troubles.add("reset_before", action="Receive")
        with pytest.raises(OutcomeUnknown, match="what it did is not known"):
            shell.run(SLOWLY, {"Seconds": 1}, deadline=soon(), writes=True)
        # Looking at the state meanwhile does not end it.
        started = time.monotonic()
        while not lab.world.done and time.monotonic() - started < 5:
            shell.run(ECHO, {}, deadline=soon())
    assert lab.world.done == 1
