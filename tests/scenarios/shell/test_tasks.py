# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks on `hosts: esxi`, by Ansible itself: the result of the API's, and one sentence where there can be none."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from harness import assert_nothing_lost, machine, mapping
from openssh import SshServer
from playing import Run, paste, run_ansible
from wsman.connections import ansible_connection

from ansible_collections.winbackup.storage.plugins.plugin_utils._task_connection import TaskConnection
from ansible_collections.winbackup.storage.tests.unit.helpers.guides import readme_blocks

from .conftest import SAN, Both
from .worlds_of_one_host import one_local_disk

READ = {"winbackup.storage.rdm_info": {}, "winbackup.storage.lun_info": {}}


class OtherHost(SshServer):
    """A host of ssh that runs one command, whatever it is asked for."""

    def __init__(self, folder: Path, command: str) -> None:
        super().__init__(folder, command)
        self._start()


@pytest.fixture
def others(tmp_path: Path) -> Iterator[dict[str, OtherHost]]:
    """A Linux host, and an appliance that shows a menu."""
    opened = {}
    for name, command in {"linux": '/bin/sh -c "$SSH_ORIGINAL_COMMAND"', "menu": "/bin/echo 1. Settings"}.items():
        folder = tmp_path / name
        folder.mkdir()
        opened[name] = OtherHost(folder, command)
    yield opened
    for server in opened.values():
        server.close()


def play(
    folder: Path, hosts: dict[str, Any], tasks: dict[str, list[dict[str, Any]]], *arguments: str, **environment: str
) -> Run:
    """Runs tasks on the hosts of each pattern, without facts."""
    (folder / "inventory.json").write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    plays = [{"hosts": pattern, "gather_facts": False, "tasks": some} for pattern, some in tasks.items()]
    (folder / "play.yml").write_text(json.dumps(plays), encoding="utf-8")
    return run_ansible("playbook", folder, "-i", "inventory.json", "play.yml", *arguments, environment=environment)


def said(run: Run, sentence: str) -> bool:
    """Whether a sentence was written, wherever lines were broken."""
    return " ".join(sentence.split()) in " ".join(run.text.split())


def test_a_host_is_read_over_its_own_connection(both: Both, tmp_path: Path) -> None:
    both.world()
    expected = {name: both.ssh(name) for name in ("rdm_info", "lun_info")}
    both.lab.clear_log()
    tasks: list[dict[str, Any]] = []
    for name in expected:
        file = tmp_path / f"{name}.json"
        copy = {"content": "{{ found | to_json }}", "dest": str(file)}
        tasks += [
            {f"winbackup.storage.{name}": {}, "register": "found"},
            {
                "ansible.builtin.copy": copy,
                "delegate_to": "localhost",
                "check_mode": False,
                "vars": {
                    "ansible_connection": "local",
                    "ansible_python_interpreter": "{{ ansible_playbook_python }}",
                },
            },
        ]
    spare = {"lun": f"{SAN}e", "lun_again": f"{SAN}e", "datastore": "local1"}
    tasks += [
        {"winbackup.storage.rdm_rehearsal": spare, "register": "planned"},
        {"ansible.builtin.assert": {"that": ["planned.plan | length > 9", "planned is not changed"]}},
    ]
    # An exported name of a server never turns the task of another host to it.
    named = {"VMWARE_HOST": "127.0.0.1", "VMWARE_USER": "u"}
    run = play(tmp_path, {"esx1": both.shell.variables()}, {"all": tasks}, "--check", **named)
    assert run.recap["esx1"]["failed"] == 0, run.text
    for name, result in expected.items():
        found = json.loads((tmp_path / f"{name}.json").read_text(encoding="utf-8"))
        for key in ("failed", "ansible_facts"):
            found.pop(key, None)
        assert json.loads(json.dumps(found).replace('"esx1"', '"esx1.lab"')) == result
    commands = [entry["arguments"][0] for entry in both.lab.log() if entry["method"] == "ssh"]
    assert set(commands) == {"sh -s"}


def test_what_cannot_be_is_one_sentence(both: Both, others: dict[str, OtherHost], tmp_path: Path) -> None:
    both.world()
    esxi = both.shell.variables()
    hosts = {
        "linux": others["linux"].variables(),
        "menu": others["menu"].variables(),
        "gone": {**esxi, "ansible_port": 9},
        "sudo": {**esxi, "ansible_become": True, "ansible_become_user": "operator"},
        "local": {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"},
    }
    tasks = [{name: given, "ignore_errors": True, "ignore_unreachable": True} for name, given in READ.items()]
    more = [
        {"winbackup.storage.rdm_info": {"username": "root"}, "ignore_errors": True},
        {"winbackup.storage.rdm_info": {}, "async": 10, "poll": 1, "ignore_errors": True},
        {"winbackup.storage.rdm_info": {"timeout": 0}, "ignore_errors": True},
    ]
    run = play(tmp_path, {**hosts, "esx1": esxi}, {"all:!esx1": tasks, "esx1": more})
    assert said(run, "linux is no ESXi host: uname says Linux, not VMkernel.")
    assert said(run, "menu did not run the script to its end; it said: 1. Settings")
    assert said(run, "The connection ssh to gone cannot be made")
    assert said(run, "become (sudo as operator) is not possible on an ESXi host, which has no such program.")
    assert "Traceback" not in run.text
    assert all(row["ok"] == 0 or row["ignored"] for row in run.recap.values()), run.text
    assert said(run, "username went without hostname.")
    assert said(run, "async is not possible over the task's own connection to the ESXi host")
    assert said(run, "timeout must be at least 1")
    assert run.recap["esx1"]["ignored"] == 3


def test_what_the_readme_says_of_a_single_host(both: Both, tmp_path: Path) -> None:
    """Pasted as it stands; where the host is, and which key it takes, is told beside the inventory."""
    world = json.loads(one_local_disk(version="7.0.3", vm={"power": "on"}))
    world["hosts"][0]["licence"] = "free"
    both.lab.world(json.dumps(world))
    before = both.lab.state()
    (block,) = [block for block in readme_blocks("sh") if "[esxi]" in block]
    (tmp_path / "host_vars").mkdir()
    (tmp_path / "host_vars" / "esx01.example.com.json").write_text(json.dumps(both.shell.variables()), encoding="utf-8")
    run = paste(block, tmp_path)
    assert run.code == 0, run.text
    plan, _recap, conversion = run.output.partition("PLAY RECAP")
    assert "Nothing was changed" in plan
    changed = [int(count) for count in re.findall(r"^esx01\.example\.com +: .*changed=(\d+)", conversion, re.MULTILINE)]
    assert changed == [0, 1]
    after = both.lab.state()
    assert_nothing_lost(before, after, "backup01")
    assert (mapping(after, "backup01", "scsi0:1") or {})["mode"] == "virtualMode"
    assert machine(after, "backup01")["power"] == "poweredOn"


def test_a_write_is_sent_once_and_reads_share_the_connection_again(both: Both) -> None:
    """Nobody but a read is sent again by Ansible's own plugin, as often as the user says."""
    connection = ansible_connection({**both.shell.variables(), "ansible_ssh_retries": 3})
    task = TaskConnection(connection, "esx1")
    seen = []
    for repeatable in (True, False, True):
        done = task.run("echo done", b"", deadline=time.monotonic() + 60, repeatable=repeatable)
        assert done.stdout == b"done\n"
        alone = "ControlPath=none" in connection.get_option("ssh_args")
        seen.append((connection.get_option("reconnection_retries"), alone))
    assert seen == [(3, False), (0, True), (3, False)]


@pytest.mark.slow
def test_the_playbooks_work_on_the_hosts_of_the_group_esxi(both: Both, tmp_path: Path) -> None:
    """Nothing named: the plan. A VM named: it is converted; the second run changes nothing, and the page shows it."""
    both.world()
    before = both.lab.state()
    hosts = {"esxi": {"hosts": {"esx1": both.shell.variables()}}, "all": {"vars": {"username": "of another group"}}}
    (tmp_path / "inventory.json").write_text(json.dumps(hosts), encoding="utf-8")
    ask = ["-e", json.dumps({"rdm_convert_vms": ["winsrv"]})]
    changed = []
    for arguments in ([], ask, ask):
        run = run_ansible("playbook", tmp_path, "-i", "inventory.json", "winbackup.storage.site", *arguments)
        assert run.code == 0, run.text
        changed.append(run.recap["esx1"]["changed"])
        if not arguments:
            assert machine(both.lab.state(), "winsrv")["devices"] == machine(before, "winsrv")["devices"]
    assert changed == [0, 1, 0]
    assert "winsrv" in (tmp_path / "winbackup-report" / "report.html").read_text(encoding="utf-8")
    modes = {device["mode"] for device in machine(both.lab.state(), "winsrv")["devices"] if device["kind"] == "rdm"}
    assert modes == {"virtualMode"}
