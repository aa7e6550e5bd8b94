# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pypsrp, a client that shares no code with pywinrm, against the lab's host: remote shells and PowerShell Remoting."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

import pytest
from pypsrp.complex_objects import PSInvocationState
from pypsrp.exceptions import AuthenticationError, WSManFaultError
from pypsrp.host import PSHost, PSHostUserInterface
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import WSMan
from wsman.site import WAYS, Site

JOIN = "@($input) -join '|'"


def client(site: Site, transport: str = "ntlm", scheme: str = "http", **others: Any) -> WSMan:
    variables = site.variables("psrp", transport, scheme)
    if transport == "kerberos" and site.kdc is None:
        pytest.fail("This machine has no MIT KDC: run tools/system_packages.py as root.")
    return WSMan(
        "localhost",
        port=variables["ansible_port"],
        username=variables["ansible_user"],
        password=others.pop("password", variables["ansible_password"]),
        ssl=scheme == "https",
        auth=transport,
        cert_validation=str(site.certificates.ca_file),
        no_proxy=True,
        certificate_pem=str(site.certificates.client_file),
        certificate_key_pem=str(site.certificates.client_key_file),
        **others,
    )


@pytest.mark.parametrize(("transport", "scheme", "sealed"), WAYS)
def test_a_remote_shell_takes_input_and_gives_output(site: Site, transport: str, scheme: str, sealed: bool) -> None:
    data = bytes(range(256)) * 2000
    with client(site, transport, scheme) as wsman, WinRS(wsman, codepage=65001) as shell:
        process = Process(shell, "cat")
        process.begin_invoke()
        for start in range(0, len(data), 90_000):
            process.send(data[start : start + 90_000], end=start + 90_000 >= len(data))
        process.end_invoke()
        process.signal(SignalCode.TERMINATE)
    assert (process.stdout, process.stderr, process.rc) == (data, b"", 0)
    carried = [entry for entry in site.host.troubles.log if entry.number]
    assert {(entry.scheme, entry.sealed) for entry in carried} == {(transport, sealed)}
    assert not site.host.shells.open


def test_a_remote_shell_gives_megabytes_and_exit_codes(site: Site) -> None:
    with client(site) as wsman, WinRS(wsman) as shell:
        for line, arguments, length, code in (("bytes", ["5000000"], 5_000_000, 0), ("exit", ["3"], 0, 3)):
            process = Process(shell, line, arguments)
            process.invoke()
            assert (len(process.stdout), process.rc) == (length, code)
        unknown = Process(shell, "dir")
        unknown.invoke()
        assert (unknown.rc, unknown.stderr[:5]) == (1, b"'dir'")


def test_a_process_that_waits_is_polled_and_ended(site: Site) -> None:
    with client(site, operation_timeout=1) as wsman, WinRS(wsman) as shell:
        process = Process(shell, "sleep")
        process.begin_invoke()
        with pytest.raises(WSManFaultError) as timed_out:
            shell.receive(command_id=process.id)
        assert timed_out.value.code == 2150858793
        process.signal(SignalCode.CTRL_C)
    with pytest.raises(WSManFaultError) as gone, client(site) as other:
        other.signal(shell.resource_uri, _signal(), selector_set=shell._selector_set)
    assert gone.value.code == 2150858843


def test_a_wrong_password(site: Site) -> None:
    for transport in ("ntlm", "basic"):
        scheme = "https" if transport == "basic" else "http"
        with client(site, transport, scheme, password="wrong") as wsman, pytest.raises(AuthenticationError):
            WinRS(wsman).open()
    assert not site.host.troubles.operations()


@pytest.mark.parametrize(("transport", "scheme", "sealed"), WAYS)
def test_a_runspace_pool_runs_scripts(site: Site, transport: str, scheme: str, sealed: bool) -> None:
    with client(site, transport, scheme) as wsman, RunspacePool(wsman) as pool:
        assert (pool.protocol_version, pool.ps_version) == ("2.3", "2.0")
        for lines in (["a", "日本", "😀 _x000A_ \x00\x1b", ""], ["x" * 400_000, "y"], ["1"]):
            powershell = PowerShell(pool)
            powershell.add_script(JOIN)
            assert powershell.invoke(input=lines) == ["|".join(lines)]
            assert (powershell.state, powershell.had_errors) == (PSInvocationState.COMPLETED, False)
            powershell.close()
    carried = [entry for entry in site.host.troubles.log if entry.number]
    assert {(entry.scheme, entry.sealed) for entry in carried} == {(transport, sealed)}
    assert not site.host.shells.open


def test_output_errors_and_exit_codes_of_a_pipeline(site: Site) -> None:
    host = PSHost(None, None, False, "test", None, PSHostUserInterface(), None)
    with client(site) as wsman, RunspacePool(wsman, host=host) as pool:
        lines = PowerShell(pool)
        lines.add_script("'one'\n'two'\n3")
        assert lines.invoke() == ["one", "two", "3"]
        failed = PowerShell(pool)
        failed.add_script("'before'\nthrow 'out of order'")
        assert failed.invoke() == ["before"]
        assert (failed.had_errors, failed.state) == (True, PSInvocationState.FAILED)
        assert str(failed.streams.error[0]) == "out of order"
        left = PowerShell(pool)
        left.add_script("exit 7")
        left.invoke()
        assert (host.rc, left.state) == (7, PSInvocationState.COMPLETED)


def test_pipelines_that_the_lab_does_not_know_are_refused(site: Site) -> None:
    with client(site) as wsman, RunspacePool(wsman) as pool:
        command = PowerShell(pool)
        command.add_cmdlet("Get-Date")
        argument = PowerShell(pool)
        argument.add_script("1").add_argument("x")
        two = PowerShell(pool)
        two.add_script("1").add_script("2")
        for powershell in (command, argument, two):
            with pytest.raises(WSManFaultError, match="only pipelines of one script without arguments"):
                powershell.invoke()
        number = PowerShell(pool)
        number.add_script(JOIN)
        with pytest.raises(WSManFaultError, match="only strings as input"):
            number.invoke(input=[1])


def test_a_pipeline_is_stopped(site: Site) -> None:
    with client(site, operation_timeout=1) as wsman, RunspacePool(wsman) as pool:
        powershell = PowerShell(pool)
        powershell.add_script(JOIN)
        # Without the end of its input a pipeline waits.
        powershell.begin_invoke(input=iter_of_one())
        powershell.poll_invoke()
        assert powershell.state == PSInvocationState.RUNNING
        powershell.stop()
    assert not site.host.shells.open


def iter_of_one() -> Iterator[list[str] | None]:
    """An input that pypsrp sends without an end: it looks for the next element before it sends one."""
    yield ["waiting"]
    yield None


def _signal() -> ET.Element:
    signal = ET.Element("{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}Signal", CommandId="NONE")
    ET.SubElement(signal, "{http://schemas.microsoft.com/wbem/wsman/1/windows/shell}Code").text = SignalCode.TERMINATE
    return signal
