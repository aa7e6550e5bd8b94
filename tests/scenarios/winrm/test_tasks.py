# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks over a connection of their own, as playbooks have them: what cannot be is one sentence, and nothing is run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playing import Run, run_ansible

from .conftest import Lab

LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
READ = "winbackup.storage.dpm_allocation_info"
WRITE = "winbackup.storage.dpm_allocation"
SIZE = {"datasources": ["E:\\"], "size": "60GB"}
RDM = {
    "winbackup.storage.rdm_info": {},
    "winbackup.storage.lun_info": {},
    "winbackup.storage.rdm_compatibility": {"vm": "winsrv"},
}
# Nothing listens at the port "discard".
NOWHERE = {"ansible_host": "127.0.0.1", "ansible_port": 9}
WORDS_OF_LIBRARIES = ("HTTPConnectionPool", "urllib3", "object at 0x", "Max retries", "Traceback", "Errno", "requests.")


def play(
    folder: Path, hosts: dict[str, dict[str, Any]], tasks: list[dict[str, Any]], *arguments: str, **environment: str
) -> Run:
    """Runs tasks on all of the hosts."""
    inventory = {"all": {"hosts": hosts}}
    (folder / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
    plays = [{"hosts": "all", "gather_facts": False, "tasks": tasks}]
    (folder / "play.yml").write_text(json.dumps(plays), encoding="utf-8")
    return run_ansible("playbook", folder, "-i", "inventory.json", "play.yml", *arguments, environment=environment)


def said(run: Run, sentence: str) -> bool:
    """Whether a sentence was written, wherever lines were broken."""
    return " ".join(sentence.split()) in " ".join(run.text.split())


def counts(run: Run, *names: str) -> dict[str, tuple[int, ...]]:
    """Some counts of each host in the recap."""
    return {host: tuple(row[name] for name in names) for host, row in run.recap.items()}


def short(lab: Lab, connection: str, **others: Any) -> dict[str, Any]:
    timeouts = {"ansible_winrm_connection_timeout": 2, "ansible_psrp_connection_timeout": 2, "ansible_ssh_timeout": 2}
    return {**lab.site.variables(connection), **timeouts, **others}


def test_a_host_that_cannot_be_reached_is_unreachable_in_our_words(lab: Lab, tmp_path: Path) -> None:
    hosts = {
        **{f"{kind}-gone": short(lab, kind, **NOWHERE) for kind in ("winrm", "psrp", "ssh")},
        **{f"{kind}-unknown": short(lab, kind, ansible_host="nowhere.invalid") for kind in ("winrm", "psrp", "ssh")},
        "winrm-refused": short(lab, "winrm", ansible_password="wrong"),
        "psrp-refused": short(lab, "psrp", ansible_password="wrong"),
        "ssh-refused": short(lab, "ssh", ansible_user="nobody"),
    }
    run = play(tmp_path, hosts, [{READ: {}}])
    assert {name: (row["unreachable"], row["failed"]) for name, row in run.recap.items()} == dict.fromkeys(
        hosts, (1, 0)
    ), run.text
    for kind in ("winrm", "psrp", "ssh"):
        assert said(run, f"The connection {kind} to {kind}-gone cannot be made: 127.0.0.1:9 refuses connections")
        assert said(
            run, f"The connection {kind} to {kind}-unknown cannot be made: the name nowhere.invalid cannot be resolved"
        )
    for kind in ("winrm", "psrp"):
        assert said(run, f"The connection {kind} to {kind}-refused cannot be made: the host refused the credentials")
    assert said(run, "The connection ssh to ssh-refused cannot be made: the logon was refused (Permission denied")
    assert said(run, "It was tried once only, so that no account is locked.")
    assert not [words for words in WORDS_OF_LIBRARIES if words in run.text]
    # No logon was tried twice, and nothing was run.
    assert len({entry.connection for entry in lab.host.troubles.log}) <= 2
    assert not lab.host.troubles.operations()


def test_become_is_refused_by_name_and_nothing_is_run(lab: Lab, tmp_path: Path) -> None:
    """Ansible's runas is a part of how it runs modules of PowerShell: what we run would run as another user."""
    become = {
        "ansible_become": True,
        "ansible_become_method": "ansible.builtin.runas",
        "ansible_become_user": "LAB\\operator",
        "ansible_become_password": "Oper-1",
    }
    hosts = {kind: short(lab, kind, **become) for kind in ("winrm", "psrp", "ssh")}
    run = play(tmp_path, hosts, [{READ: {}, "ignore_errors": True}, {WRITE: SIZE}])
    assert {name: (row["failed"], row["ignored"]) for name, row in run.recap.items()} == dict.fromkeys(hosts, (1, 1)), (
        run.text
    )
    for kind in hosts:
        sentence = (
            "become (runas as LAB\\operator) is not possible over the task's own connection "
            f"({kind}) to the Windows host: the work would run as the user of that connection. Set become: false"
        )
        assert said(run, sentence) or said(run, sentence.replace("\\", "\\\\"))
    assert "Oper-1" not in run.text
    assert not lab.host.troubles.log


@pytest.mark.parametrize("arguments", [(), ("--check", "--diff")], ids=["", "check"])
def test_the_modules_of_vcenter_say_on_a_windows_host_what_to_do(
    lab: Lab, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    hosts = {kind: short(lab, kind) for kind in ("winrm", "psrp", "ssh")}
    options = {"hostname": "vcenter.lab.test", "username": "u", "password": "Vm-1"}
    tasks = [{name: given, "ignore_errors": True} for name, given in RDM.items()]
    tasks += [{name: {**given, **options}, "ignore_errors": True} for name, given in RDM.items()]
    # An exported name of a server never turns a task of another host to it.
    run = play(tmp_path, hosts, tasks, *arguments, VMWARE_HOST="127.0.0.1", VMWARE_USER="u", VMWARE_PASSWORD="Vm-1")
    assert counts(run, "ignored") == dict.fromkeys(hosts, (6,)), run.text
    for kind in hosts:
        for name in RDM:
            module = name.rpartition(".")[2]
            sentence = (
                f"{module} talks to a vCenter or an ESXi host over its API, and the task's own connection ({kind}) "
                "leads to a Windows host. Add delegate_to: localhost to the task, and give hostname"
            )
            assert said(run, sentence), run.text
        assert said(run, f"hostname was given, and the task runs over a connection ({kind}) to a Windows host")
    assert "deserialization" not in run.text
    assert "Vm-1" not in run.text
    assert not lab.host.troubles.log


def test_the_modules_of_vcenter_run_as_any_module_where_python_does(lab: Lab, tmp_path: Path) -> None:
    """Delegated, in the background, on a local connection with the environment: each ends in the module's own words."""
    hosts = {"localhost": LOCAL, "winrm": {**short(lab, "winrm")}}
    options = {"hostname": "127.0.0.1", "port": 9, "username": "u", "password": "Vm-1", "validate_certs": False}
    delegated = {
        "delegate_to": "localhost",
        "vars": LOCAL,
        "ignore_errors": True,
    }
    tasks = [
        {"winbackup.storage.rdm_info": options, **delegated, "register": "plain"},
        {"winbackup.storage.rdm_info": options, **delegated, "async": 60, "poll": 1, "register": "behind"},
        {"winbackup.storage.rdm_info": options, **delegated, "no_log": True, "register": "hidden"},
        {"winbackup.storage.rdm_info": {"vmx": 1}, **delegated, "register": "wrong"},
        {
            "winbackup.storage.rdm_info": {"port": 9, "validate_certs": False},
            **delegated,
            "register": "exported",
        },
        {
            "ansible.builtin.assert": {
                "that": [
                    "'127.0.0.1' in plain.msg and plain.msg == behind.msg and plain.msg == exported.msg",
                    "plain is failed and behind is failed and hidden is failed and wrong is failed",
                    "'Unsupported parameters' in wrong.msg and 'vmx' in wrong.msg",
                ]
            }
        },
    ]
    run = play(tmp_path, hosts, tasks, VMWARE_HOST="127.0.0.1", VMWARE_USER="u", VMWARE_PASSWORD="Vm-1")
    assert run.code == 0, run.text
    assert "Vm-1" not in run.text
    assert not lab.host.troubles.log
