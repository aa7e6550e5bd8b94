# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong between a controller and a Windows host. All tests of these carry their number in their name:

1 a logon that is refused, 2 a password that expires, 3 no permission, 4 unencrypted messages, 5 TLS, 6 a missing CA
file, 7 refused connections and unknown names, 8 no answer, 9 operation timeouts, 10 quotas, 11 dropped connections
under sealing, 12 a reset in mid-receive, 13 a command whose answer was lost, 14 restarts and idle shells, 15 status
503, 16 input that nobody reads, 17 long command lines, 18 tickets of Kerberos, 19 clocks.
"""

from __future__ import annotations

import os
import re
import struct
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from wsman import Account, Certificates, Quotas, WinRmHost
from wsman.kdc import Kdc
from wsman.site import PASSWORD, USER

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConnectionFailed, OutcomeUnknown
from ansible_collections.winbackup.storage.plugins.module_utils._powershell import bootstrap
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import NoAnswer

from .conftest import Lab, soon
from .middleman import Middleman
from .scripts import ADD, ECHO, MANY, SLOWLY
from .test_traps import Dying

HERE = Path(__file__).parent


def test_every_trap_and_every_failure_has_a_test() -> None:
    names = [name for file in HERE.glob("test_*.py") for name in re.findall(r"def (test_\w+)", file.read_text("utf-8"))]
    for kind, last in (("trap", 19), ("failure", 19)):
        groups = [group for name in names for group in re.findall(rf"{kind}((?:_\d\d)+)", name)]
        assert {int(number) for group in groups for number in group.split("_")[1:]} == set(range(1, last + 1))


@pytest.mark.parametrize("way", [("ntlm", "http"), ("kerberos", "http"), ("basic", "https")], ids="-".join)
def test_failure_01_an_account_that_is_locked(lab: Lab, way: tuple[str, str]) -> None:
    account = lab.host.accounts.all[USER]
    account.may_log_on = False
    try:
        with (
            lab.connect(*way) as shell,
            pytest.raises(ConnectionFailed, match=r"does not let .*an account that is locked"),
        ):
            shell.run(ECHO, {}, deadline=soon())
    finally:
        account.may_log_on = True
    assert not lab.host.troubles.operations()


@pytest.mark.parametrize("transport", ["ntlm", "kerberos"])
def test_failure_01_a_channel_binding_that_is_wrong(lab: Lab, transport: str, tmp_path: Path) -> None:
    """Somebody in the middle ends TLS with a certificate of its own, which the client was told to trust."""
    others = Certificates(tmp_path)
    assert lab.host.tls_port is not None
    lab.host.settings.cbt = "strict"
    try:
        with (
            Middleman(lab.host.tls_port, others) as middle,
            lab.connect(transport, "https", port=middle.port, ca_trust_path=str(others.ca_file)) as shell,
            pytest.raises(ConnectionFailed, match=r"does not let .*channel binding that it demands"),
        ):
            shell.run(ECHO, {}, deadline=soon())
    finally:
        lab.host.settings.cbt = "relaxed"
    assert not lab.host.troubles.operations()


def test_failure_03_access_denied_as_an_hresult(lab: Lab) -> None:
    lab.host.troubles.add("fault", action="Create", code=0x80070005, times=9)
    with lab.connect("kerberos", "http") as shell, pytest.raises(ConnectionFailed, match="denies access to WinRM"):
        shell.run(ECHO, {}, deadline=soon())
    assert lab.host.troubles.operations() == ["Create"]


def test_failure_08_an_answer_that_does_not_come_before_the_input_ended(lab: Lab) -> None:
    lab.host.troubles.add("delay", action="Send", seconds=6)
    with lab.connect("ntlm", "http", connection_timeout=5) as shell:
        assert shell.run(ADD, {}, deadline=soon(), writes=True)["done"] == 1
    assert lab.world.done == 1


@pytest.mark.parametrize("transport", ["ntlm", "kerberos", "credssp"])
def test_failure_10_operations_that_are_full_at_once(lab: Lab, transport: str) -> None:
    """A shell that others of this user filled up: a new one does not help, and that is said."""
    before, lab.host.shells.quotas = lab.host.shells.quotas, Quotas(operations=0)
    try:
        with (
            lab.connect(transport, "http") as shell,
            pytest.raises(ConnectionFailed, match=r"concurrent operations.*MaxConcurrentOperationsPerUser"),
        ):
            shell.run(ADD, {}, deadline=soon(), writes=True)
    finally:
        lab.host.shells.quotas = before
    assert lab.world.done == 0
    assert not lab.host.shells.open


@pytest.mark.parametrize("way", [("ntlm", "http"), ("kerberos", "http"), ("basic", "https")], ids="-".join)
def test_failure_12_a_part_of_a_long_answer_that_is_lost(lab: Lab, way: tuple[str, str]) -> None:
    """The hash shows it: a read is run again, a write is not."""
    text = os.urandom(110_000).hex()
    lab.host.troubles.add("reset_after", action="Receive")
    with lab.connect(*way) as shell:
        assert shell.run(ECHO, {"Text": text}, deadline=soon())["text"] == text
        assert lab.host.troubles.operations().count("Command") == 2
        lab.host.troubles.add("close_after", action="Receive")
        with pytest.raises(OutcomeUnknown, match="what it did is not known"):
            shell.run(ECHO.replace("$More)", "$More, [int]$SecondsLeft)"), {"Text": text}, deadline=soon(), writes=True)


def test_failure_02_a_write_that_cannot_be_asked_any_more_is_left_to_come_to_its_end(lab: Lab) -> None:
    lab.host.troubles.add("refuse_credentials", action="Receive")
    with lab.connect("ntlm", "http") as shell:
        with pytest.raises(OutcomeUnknown, match="what it did is not known"):
            shell.run(SLOWLY, {"Seconds": 1}, deadline=soon(), writes=True)
        started = time.monotonic()
        while not lab.world.done and time.monotonic() - started < 5:
            shell.run(ECHO, {}, deadline=soon())
    assert lab.world.done == 1


def test_failure_13_a_command_whose_answer_is_lost_has_run_nothing(lab: Lab) -> None:
    lab.host.troubles.add("reset_after", action="Command")
    with lab.connect("kerberos", "http") as shell:
        assert shell.run(ADD, {}, deadline=soon(), writes=True)["done"] == 1
    assert lab.world.done == 1
    # What was started in vain ends with its shell.
    assert not lab.host.shells.open


@pytest.mark.parametrize("way", [("ntlm", "http"), ("kerberos", "http"), ("basic", "https")], ids="-".join)
def test_failure_14_a_host_that_is_away_for_a_while(lab: Lab, way: tuple[str, str]) -> None:
    with lab.connect(*way) as shell:
        shell.run(ECHO, {}, deadline=soon())
        lab.host.go_away(1.0)
        assert shell.run(ADD, {}, deadline=soon(), writes=True)["done"] == 1
        hold = lab.host.troubles.hold(action="Receive")
        threading.Thread(target=lambda: (hold.reached.wait(10), lab.host.go_away(0.5), hold.release())).start()
        assert shell.run(MANY, {"Count": 2}, deadline=soon())["all"][1]["id"] == 2
    lab.host.wait_until_back()


@pytest.mark.parametrize("writes", [False, True], ids=["read", "write"])
@pytest.mark.parametrize("way", [("ntlm", "http"), ("kerberos", "http"), ("basic", "https")], ids="-".join)
def test_failure_16_input_that_nobody_reads(lab: Lab, way: tuple[str, str], writes: bool) -> None:
    """The output says why; nothing was run, so it is no unknown outcome."""
    before, lab.host.shells.executor = lab.host.shells.executor, Dying("blocked by a policy", reads=False)
    try:
        with (
            lab.connect(*way) as shell,
            pytest.raises(ConnectionFailed, match=r"exit code 1 before it had read its input: blocked by a policy"),
        ):
            shell.run(ADD, {}, deadline=soon(), writes=writes)
    finally:
        lab.host.shells.executor = before
    assert lab.host.troubles.operations().count("Command") == 1


def test_failure_16_a_process_that_is_killed_after_its_input(lab: Lab) -> None:
    executor = Dying("killed", reads=True)
    with (
        WinRmHost([Account(USER, PASSWORD)], executor) as host,
        lab.connect("ntlm", "http", port=host.port) as shell,
    ):
        with pytest.raises(NoAnswer, match=r"exit code 1.*: killed"):
            shell.run(ECHO, {}, deadline=soon())
        with pytest.raises(OutcomeUnknown, match=r"what it did is not known.*killed"):
            shell.run(ADD, {}, deadline=soon(), writes=True)


def test_failure_17_the_command_line_is_short_whatever_is_run(lab: Lab) -> None:
    assert len(" ".join(bootstrap.command())) < 8191
    with lab.connect("ntlm", "http") as shell:
        script = ECHO + "# " + "x" * 500_000 + "\n"
        assert shell.run(script, {"Text": "long"}, deadline=soon())["text"] == "long"


# ---- Kerberos without a password: what is in the cache of the user


@pytest.fixture
def cache(lab: Lab, tmp_path: Path) -> Iterator[Path]:
    """An empty cache of tickets that the environment names."""
    if lab.site.kdc is None:
        pytest.fail("This machine has no MIT KDC: run tools/system_packages.py as root.")
    file = tmp_path / "ccache"
    os.environ["KRB5CCNAME"] = f"FILE:{file}"
    yield file
    del os.environ["KRB5CCNAME"]


def kinit(*options: str) -> None:
    subprocess.run(
        ["kinit", *options, f"{USER}@LAB.TEST"], input=f"{PASSWORD}\n".encode(), check=True, capture_output=True
    )


def set_the_clock_of(cache: Path, seconds: int) -> None:
    """Has a cache say that the KDC's clock is `seconds` ahead, by which Kerberos tells the time."""
    content = bytearray(cache.read_bytes())
    assert content[:6] == b"\x05\x04\x00\x0c\x00\x01"
    content[8:16] = struct.pack(">ii", seconds, 0)
    cache.write_bytes(bytes(content))


def test_failure_18_the_ticket_that_is_there_is_used(lab: Lab, cache: Path) -> None:
    kinit()
    with lab.connect("kerberos", "http", username=None, password=None) as shell:
        assert shell.run(ECHO, {"Text": "t"}, deadline=soon())["text"] == "t"
    assert {entry.user for entry in lab.host.troubles.log if entry.number} == {f"{USER}@LAB.TEST"}


def test_failure_18_a_ticket_that_expired(lab: Lab, cache: Path) -> None:
    kinit("-l", "1s")
    time.sleep(2.1)
    with (
        lab.connect("kerberos", "http", username=None, password=None) as shell,
        pytest.raises(ConnectionFailed, match=r"by kerberos failed:.*[Tt]icket expired"),
    ):
        shell.run(ECHO, {}, deadline=soon())


def test_failure_18_a_kdc_that_is_down(lab: Lab, cache: Path, tmp_path: Path) -> None:
    before = dict(os.environ)
    kdc = Kdc(tmp_path, [Account(USER, PASSWORD)])
    os.environ.update(kdc.environment)
    try:
        kinit()
        kdc.close()
        with pytest.raises(ConnectionFailed, match=r"kinit got no ticket.*[Cc]annot contact any KDC"):
            lab.connect("kerberos", "http")
        with (
            lab.connect("kerberos", "http", username=None, password=None) as shell,
            pytest.raises(ConnectionFailed, match=r"by kerberos failed:.*[Cc]annot contact any KDC"),
        ):
            shell.run(ECHO, {}, deadline=soon())
    finally:
        os.environ.clear()
        os.environ.update(before)


def test_failure_19_a_clock_that_is_twenty_minutes_ahead(lab: Lab, cache: Path) -> None:
    kinit()
    subprocess.run(["kvno", "HTTP/localhost"], check=True, capture_output=True)
    set_the_clock_of(cache, 1200)
    with (
        lab.connect("kerberos", "http", username=None, password=None) as shell,
        pytest.raises(ConnectionFailed, match=r"does not let .*clocks that differ"),
    ):
        shell.run(ECHO, {}, deadline=soon())


def test_failure_19_a_clock_that_is_twenty_minutes_behind(lab: Lab, cache: Path) -> None:
    kinit()
    subprocess.run(["kvno", "HTTP/localhost"], check=True, capture_output=True)
    set_the_clock_of(cache, -1200)
    with (
        lab.connect("kerberos", "http", username=None, password=None) as shell,
        pytest.raises(ConnectionFailed, match=r"by kerberos failed:.*not yet valid"),
    ):
        shell.run(ECHO, {}, deadline=soon())
