# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""OpenSSH's own client, and Ansible's ssh connection, against the sshd of the lab's host."""

from __future__ import annotations

import base64
import json
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from ansible.errors import AnsibleConnectionFailure
from wsman import ssh_session
from wsman.connections import ansible_connection
from wsman.powershell import PowerShellCommands
from wsman.site import Site
from wsman.ssh import SshHost


def powershell(script: str) -> str:
    encoded = base64.b64encode(script.encode("utf-16-le")).decode()
    return f"PowerShell -NoProfile -NonInteractive -ExecutionPolicy Unrestricted -EncodedCommand {encoded}"


def host_of(site: Site) -> SshHost:
    if site.ssh is None:
        pytest.fail("This machine has no OpenSSH server: run tools/system_packages.py as root.")
    return site.ssh


def run(host: SshHost, *command: str, data: bytes = b"") -> tuple[int, bytes, bytes]:
    done = subprocess.run(host.client(*command), input=data, capture_output=True, timeout=60, check=False)
    return done.returncode, done.stdout, done.stderr


def test_the_client_runs_commands(site: Site) -> None:
    host = host_of(site)
    data = bytes(range(256)) * 3000
    assert run(host, "cat", data=data) == (0, data, b"")
    assert run(host, powershell("@($input) -join '|'"), data=b"a\nb\n") == (0, b"a|b\r\n", b"")
    code, stdout, stderr = run(host, powershell("'before'\nthrow 'out of order'"))
    assert (code, stdout, b"out of order" in stderr) == (1, b"before\r\n", True)
    assert run(host, "exit", "7") == (7, b"", b"")
    assert [(entry.action, entry.scheme) for entry in site.host.troubles.log] == [("Exec", "ssh")] * 4


def test_who_has_no_key_and_who_gives_no_command_gets_nothing(site: Site) -> None:
    host = host_of(site)
    command = [word for word in host.client("cat") if word not in ("-i", str(host.key_file))]
    refused = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert refused.returncode == 255
    assert "Permission denied (publickey)" in refused.stderr
    assert not site.host.troubles.operations()
    assert run(host)[0] == 1


def test_default_shells_differ_as_those_of_windows_do(site: Site) -> None:
    host = host_of(site)
    too_long = powershell("# " + "x" * 4000)
    assert run(host, too_long)[2] == b"The command line is too long.\r\n"
    host.default_shell = "powershell"
    try:
        assert run(host, too_long)[0] == 0
        assert run(host, powershell("exit 7"))[0] == 1
    finally:
        host.default_shell = "cmd"


def test_the_connection_of_ansible(site: Site) -> None:
    connection = ansible_connection(site.variables("ssh"))
    for data in (b"a\n", b"x" * 300_000 + b"\n"):
        command = powershell("@($input) -join '|'")
        code, stdout, _ = connection.exec_command(command, in_data=data, sudoable=False)
        assert (code, stdout.rstrip()) == (0, data.rstrip())
    assert connection.exec_command(powershell("exit 7"), in_data=b"\n", sudoable=False)[0] == 7
    site.host.troubles.add("reset_before", action="Exec")
    with pytest.raises(AnsibleConnectionFailure):
        connection.exec_command("cat", in_data=b"\n", sudoable=False)


def test_a_session_that_starts_after_its_connection_has_ended_counts_for_nothing(site: Site) -> None:
    """It starts slowly on a busy machine, and would be taken for a command of the next test."""
    host = host_of(site)
    with socket.socket(socket.AF_UNIX) as late:
        late.connect(str(site.folder / "ssh.socket"))
        ssh_session.send(late, json.dumps({"command": "exit 0", "connection": 2**30}).encode())
        assert late.recv(1) == b""
    assert not site.host.troubles.operations()
    assert run(host, "exit", "7")[0] == 7


def test_after_the_end_of_everything_nothing_goes_on(site: Site) -> None:
    host = host_of(site)
    hold = site.host.troubles.hold("Exec")
    client = subprocess.Popen(host.client("sleep"), stderr=subprocess.DEVNULL)
    assert hold.reached.wait(60)
    hold.release()
    host.end_everything()
    site.host.troubles.clear()
    assert client.wait(60) == 255
    assert not site.host.troubles.operations()


def test_all_of_it_ends_with_the_host(site: Site) -> None:
    host_of(site)
    with tempfile.TemporaryDirectory(prefix="lab-") as folder:
        with SshHost(PowerShellCommands(), Path(folder)) as host:
            client = subprocess.Popen(host.client("sleep"), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            started = time.monotonic()
            while not host.troubles.log and time.monotonic() - started < 20:
                time.sleep(0.05)
            assert client.poll() is None
        assert client.wait(20) == 255
        after = subprocess.run(host.client("cat"), capture_output=True, text=True, timeout=60, check=False)
    assert "Connection refused" in after.stderr
