# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Windows modules as tasks of a playbook take them, over the task's own connection and from the controller."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from guest.disks import POLICY, Disk, Partition
from playing import run_ansible
from wsman.site import PASSWORD

from .conftest import Lab

GUID = "0d6c9a2c-5b0e-4f7e-9d3f-1f7f3b7b2c11"
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
DISK = {"winbackup.storage.windows_disk": {"disk_ids": [GUID]}}


@pytest.mark.parametrize("hosts", ["winrm", pytest.param("psrp", marks=pytest.mark.slow)])
def test_over_the_tasks_own_connection_and_from_the_controller(lab: Lab, tmp_path: Path, hosts: str) -> None:
    part = Partition(1 << 20, 70 << 30, volume="a59dcd66-5963-4ba8-995c-915935cb8654", letter="C")
    other = Partition(1 << 20, 10 << 30, volume="b59dcd66-5963-4ba8-995c-915935cb8654", letter="E")
    offline = {"offline": True, "offline_reason": POLICY, "read_only": True}
    lab.guest.disks = [
        Disk(0, 80 << 30, boot=True, partitions=[part]),
        Disk(1, 1 << 40, target=1, disk_id=f"{{{GUID}}}", partitions=[other], **offline),
    ]
    options = {name: value for name, value in lab.site.options("ntlm", "https").items() if value is not None}
    read = {"winbackup.storage.windows_disk_info": {}}
    tasks = [
        {**DISK, "check_mode": True, "diff": True, "register": "planned"},
        {**DISK, "register": "done"},
        {**DISK, "register": "again"},
        {"winbackup.storage.shadow_copy_test": {"volumes": ["E:"]}, "register": "proof"},
        {**read, "register": "here"},
        {
            **read,
            "delegate_to": "localhost",
            "module_defaults": {"group/winbackup.storage.windows": options},
            "register": "from_controller",
        },
        {
            "ansible.builtin.assert": {
                "that": [
                    "planned is changed and planned.diff.after[id].offline == false",
                    "done is changed and 'diff' not in done",
                    "again is not changed",
                    "proof is not changed and proof.tests[0].state == 'succeeded'",
                    "here.disks == from_controller.disks",
                    "here.disks[1].volumes[0].letter == 'E:'",
                ]
            }
        },
    ]
    inventory = {
        "all": {
            "hosts": {"localhost": LOCAL, "server": lab.site.variables(hosts, "ntlm", "https")},
            "vars": {"id": GUID},
        }
    }
    (tmp_path / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
    play = [{"hosts": "server", "gather_facts": False, "tasks": tasks}]
    (tmp_path / "play.yml").write_text(json.dumps(play), encoding="utf-8")
    run = run_ansible("playbook", tmp_path, "-i", "inventory.json", "play.yml", "-vv")
    assert run.code == 0, run.text
    assert PASSWORD not in run.text
    assert "Traceback" not in run.text
