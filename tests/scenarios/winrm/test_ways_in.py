# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The same run by every transport and scheme: what goes in comes out, sealed or within TLS, in few requests, leaving
nothing."""

from __future__ import annotations

import gc
import logging
import os
import time
import traceback
from pathlib import Path
from typing import Any

import pytest
from wsman.site import PASSWORD

from ansible_collections.winbackup.storage.plugins.module_utils._core.command import TimeIsUp
from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import NoAnswer, ScriptFailed

from .conftest import Lab, soon
from .scripts import ADD, ECHO, EXIT, FAIL, MANY, NOTHING, SLEEP

HOSTILE = [
    "'; Add-One; '",
    '"; Add-One; "',
    "$(Add-One)",
    "`$(Add-One)`n",
    "a\r\nAdd-One\nb",
    "日本語のデータ ｶﾅ",
    "😀\u200b\x1b[31m\x00end",
    "| & ; > < % ^ !",
    "\u2018; Add-One; \u2019",
    "x" * 300_000,
    "",
]


def test_trap_06_08_10_what_goes_in_comes_out_and_runs_nothing(lab: Lab, way: tuple[str, str, bool]) -> None:
    transport, scheme, sealed = way
    with lab.connect(transport, scheme) as shell:
        for text in HOSTILE:
            more = [None, True, 1, 2.5, {"name": text}]
            assert shell.run(ECHO, {"Text": text, "More": more}, deadline=soon()) == {"text": text, "more": more}
    assert lab.world.done == 0
    carried = [entry for entry in lab.host.troubles.log if entry.number]
    assert carried
    assert all(entry.sealed is sealed and entry.tls is (scheme == "https") for entry in carried)
    assert {entry.scheme for entry in carried} == {transport}
    assert not lab.host.shells.open


@pytest.mark.parametrize("count", [1, 600])
def test_a_read_takes_six_operations_beside_receive(lab: Lab, way: tuple[str, str, bool], count: int) -> None:
    with lab.connect(way[0], way[1]) as shell:
        answer = shell.run(MANY, {"Count": count}, deadline=soon())
    assert answer["all"] == [{"id": number, "name": f"volume {number}"} for number in range(1, count + 1)]
    operations = [action for action in lab.host.troubles.operations() if action != "Receive"]
    assert operations == ["Create", "Command", "Send", "Send", "Signal", "Delete"]


def test_a_read_and_a_write_share_one_shell(lab: Lab) -> None:
    with lab.connect("ntlm", "http") as shell:
        shell.run(ECHO, {}, deadline=soon())
        answer = shell.run(ADD, {}, deadline=soon(40), writes=True)
    assert answer["done"] == 1
    assert 35 <= answer["left"] <= 40
    assert lab.host.troubles.operations().count("Create") == 1
    assert len(lab.host.shells.deleted) == 1


def test_an_error_of_the_script_comes_typed(lab: Lab) -> None:
    with lab.connect("ntlm", "http") as shell:
        with pytest.raises(ScriptFailed) as failed:
            shell.run(FAIL, {}, deadline=soon())
        assert failed.value.said == "out of order"
        assert failed.value.type == "System.Management.Automation.RuntimeException"
        with pytest.raises(ScriptFailed) as failed:
            shell.run(ECHO, {"Unknown": 1}, deadline=soon())
        assert failed.value.error_id.startswith("NamedParameterNotFound")
        assert shell.run(NOTHING, {}, deadline=soon()) is None


def test_a_script_that_leaves_the_frame_is_said_so(lab: Lab) -> None:
    with lab.connect("ntlm", "http") as shell, pytest.raises(NoAnswer, match="exit code 7"):
        shell.run(EXIT, {}, deadline=soon())


@pytest.mark.parametrize("transport", ["ntlm", "kerberos", "credssp"])
def test_trap_01_a_script_is_ended_at_its_deadline(lab: Lab, transport: str) -> None:
    started = time.monotonic()
    with lab.connect(transport, "http") as shell, pytest.raises(TimeIsUp, match="did not end in time"):
        shell.run(SLEEP, {"Seconds": 60}, deadline=soon(1.5))
    assert time.monotonic() - started < 20
    assert lab.host.troubles.operations()[-2:] == ["Signal", "Delete"]
    assert not lab.host.shells.open


@pytest.mark.parametrize(
    "way",
    [
        ("ntlm", "http"),
        *(pytest.param(way, marks=pytest.mark.slow) for way in (("kerberos", "http"), ("basic", "https"))),
    ],
    ids="-".join,
)
def test_failure_09_operation_timeouts_are_waited_through(lab: Lab, way: tuple[str, str]) -> None:
    with lab.connect(*way, connection_timeout=5) as shell:
        assert shell.run(SLEEP, {"Seconds": 3}, deadline=soon()) == {"slept": 3}
    assert any(entry.fault == 2150858793 for entry in lab.host.troubles.log)


def test_trap_02_06_the_shell_speaks_utf8_and_ends_itself_when_forgotten(lab: Lab) -> None:
    with lab.connect("ntlm", "http") as shell:
        shell.run(NOTHING, {}, deadline=soon())
        (made,) = lab.host.shells.open.values()
        assert (made.codepage, made.idle_timeout) == (65001, 900.0)
        lab.host.let_time_pass(901)
        assert shell.run(ECHO, {"Text": "again"}, deadline=soon())["text"] == "again"


def test_trap_02_an_exception_in_between_leaves_no_shell(lab: Lab) -> None:
    def work() -> None:
        with lab.connect("kerberos", "http") as shell:
            shell.run(NOTHING, {}, deadline=soon())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert not lab.host.shells.open


def test_trap_12_the_environment_changes_nothing(lab: Lab) -> None:
    before = dict(os.environ)
    try:
        os.environ.update(
            HTTP_PROXY="http://127.0.0.1:9", HTTPS_PROXY="http://127.0.0.1:9", REQUESTS_CA_BUNDLE="/nowhere"
        )
        for transport, scheme in (("ntlm", "http"), ("basic", "https")):
            with lab.connect(transport, scheme) as shell:
                assert shell.run(ECHO, {"Text": scheme}, deadline=soon())["text"] == scheme
    finally:
        os.environ.clear()
        os.environ.update(before)


def test_trap_18_kerberos_takes_the_user_that_was_named(lab: Lab) -> None:
    with lab.connect("kerberos", "http", username="other@lab.test", password="Other-1") as shell:
        cache = os.environ["KRB5CCNAME"]
        with lab.connect("kerberos", "http") as second:
            second.run(NOTHING, {}, deadline=soon())
        shell.run(NOTHING, {}, deadline=soon())
    users = {entry.user for entry in lab.host.troubles.log if entry.number}
    assert users == {"other@LAB.TEST", "svc-dpm@LAB.TEST"}
    assert not Path(cache.removeprefix("FILE:")).exists()
    assert "KRB5CCNAME" not in os.environ


def test_passwords_are_nowhere(lab: Lab, way: tuple[str, str, bool], caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    texts: list[Any] = []
    hold = lab.host.troubles.hold(action="Receive")
    with lab.connect(way[0], way[1]) as shell:
        texts.append(repr(vars(shell)))
        hold.release()
        shell.run(ECHO, {"Text": "x"}, deadline=soon())
        texts += [path.read_bytes() for path in Path("/proc").glob("[0-9]*/cmdline") if _readable(path)]
        with pytest.raises(ScriptFailed) as failed:
            shell.run(FAIL, {}, deadline=soon())
        texts.append("".join(traceback.format_exception(failed.value)))
    try:
        with lab.connect(way[0], way[1], username="nobody@LAB.TEST") as shell:
            shell.run(ECHO, {"Text": "x"}, deadline=soon())
    except StorageError as refused:
        texts += [str(refused), refused.facts, "".join(traceback.format_exception(refused))]
    texts += [caplog.text, lab.host.troubles.log_as_dicts()]
    gc.collect()
    for text in texts:
        plain = text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
        assert PASSWORD not in plain
        assert "Sécret" not in plain


def _readable(path: Path) -> bool:
    try:
        path.read_bytes()
    except OSError:
        return False
    return True
