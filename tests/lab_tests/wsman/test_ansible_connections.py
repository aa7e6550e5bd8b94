# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible's own winrm and psrp connections against the lab's host, as plugins and by the program `ansible`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.shell.powershell import ShellModule
from wsman.connections import ansible_connection
from wsman.site import PASSWORD, WAYS, Site

PLUGINS = ("winrm", "psrp")
JOIN = "@($input) -join '|'"


def encoded(connection: Any, script: str) -> str:
    shell: ShellModule = connection._shell
    return str(shell._encode_script(script, as_list=False, strict_mode=False, preserve_rc=False))


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize(("transport", "scheme", "sealed"), WAYS)
def test_a_script_with_input(site: Site, plugin: str, transport: str, scheme: str, sealed: bool) -> None:
    connection = ansible_connection(site.variables(plugin, transport, scheme))
    for lines in (["a", "日本", "😀"], ["x" * 300_000, "y"]):
        text = "\n".join(lines) + "\n"
        code, stdout, _ = connection.exec_command(encoded(connection, JOIN), in_data=text.encode(), sudoable=False)
        assert (code, stdout.decode().rstrip("\r\n")) == (0, "|".join(lines))
    connection.close()
    carried = [entry for entry in site.host.troubles.log if entry.number]
    assert {(entry.scheme, entry.sealed) for entry in carried} == {(transport, sealed)}
    assert not site.host.shells.open


@pytest.mark.parametrize("plugin", PLUGINS)
def test_errors_and_exit_codes(site: Site, plugin: str) -> None:
    connection = ansible_connection(site.variables(plugin, "ntlm", "http"))
    code, stdout, stderr = connection.exec_command(encoded(connection, "'before'\nthrow 'out of order'"))
    assert (code, stdout.strip()) == (1, b"before")
    assert b"out of order" in stderr
    assert connection.exec_command(encoded(connection, "exit 7"))[0] == 7
    assert connection.exec_command(encoded(connection, "'fine'"))[:2][0] == 0
    connection.close()


@pytest.mark.parametrize("plugin", PLUGINS)
def test_a_wrong_password(site: Site, plugin: str) -> None:
    for transport in ("ntlm", "kerberos", "credssp"):
        variables = {**site.variables(plugin, transport, "http"), "ansible_password": "wrong"}
        connection = ansible_connection(variables)
        with pytest.raises(Exception, match=r"credentials|authenticate|[Pp]assword|0x8009030c|integrity"):
            connection.exec_command(encoded(connection, "1"))
    assert not site.host.troubles.operations()


def test_a_full_count_of_operations_takes_a_new_shell(site: Site) -> None:
    """Ansible's winrm connection makes its shell anew where it sees that quota."""
    before = site.host.shells.quotas
    site.host.shells.quotas = type(before)(operations=2)
    try:
        connection = ansible_connection(site.variables("winrm", "ntlm", "http"))
        for _ in range(5):
            assert connection.exec_command(encoded(connection, "'x'"))[1].strip() == b"x"
        connection.close()
    finally:
        site.host.shells.quotas = before
    assert site.host.troubles.operations().count("Create") == 3


def test_a_quota_of_shells(site: Site) -> None:
    before = site.host.shells.quotas
    site.host.shells.quotas = type(before)(shells=0)
    try:
        for plugin in PLUGINS:
            connection = ansible_connection(site.variables(plugin, "ntlm", "http"))
            with pytest.raises(AnsibleConnectionFailure, match="maximum number of 0 concurrent shells"):
                connection.exec_command(encoded(connection, "1"))
    finally:
        site.host.shells.quotas = before


@pytest.mark.parametrize("plugin", PLUGINS)
@pytest.mark.parametrize(("transport", "scheme"), [("ntlm", "http"), ("kerberos", "http"), ("credssp", "https")])
def test_the_program_with_all_its_output_and_without_a_password(
    site: Site, plugin: str, transport: str, scheme: str, tmp_path: Path
) -> None:
    inventory = tmp_path / "inventory.json"
    variables = site.variables(plugin, transport, scheme)
    inventory.write_text(json.dumps({"all": {"hosts": {"dpm": variables}}}))
    command = encoded(ansible_connection(variables), "'from the lab'")
    done = subprocess.run(
        [
            str(Path(sys.executable).with_name("ansible")),
            *("-i", str(inventory), "dpm", "-vvvvvv", "-m", "ansible.builtin.raw", "-a", command),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    assert "from the lab" in done.stdout
    for secret in (PASSWORD, "Sécret", json.dumps(PASSWORD)[1:-1]):
        assert secret not in said
        assert secret not in str(site.host.troubles.log_as_dicts())
