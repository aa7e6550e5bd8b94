# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The two ways to a DPM server, as tasks of a playbook take them: which one, what is refused, what nobody may read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playing import run_ansible
from wsman.site import PASSWORD

from .conftest import GB, Lab

LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


class Playing:
    """ansible-playbook on the lab; `text` is all that it wrote."""

    def __init__(self, lab: Lab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        self.text = ""

    def play(
        self, hosts: str, tasks: list[dict[str, Any]], *arguments: str, fails: bool = False, **environment: str
    ) -> None:
        """Runs tasks on "dpm" (over winrm), "psrp", "linux" (over ssh, never reached) or "localhost"."""
        port = {"ansible_port": 9, "ansible_host": "127.0.0.1"}
        inventory = {
            "all": {
                "hosts": {
                    "localhost": LOCAL,
                    "dpm": self.lab.site.variables("winrm", "ntlm", "https"),
                    "psrp": self.lab.site.variables("psrp", "ntlm", "https"),
                    "linux": {"ansible_connection": "ssh", **port},
                }
            }
        }
        (self.folder / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
        play = [{"hosts": hosts, "gather_facts": False, "tasks": tasks}]
        (self.folder / "play.yml").write_text(json.dumps(play), encoding="utf-8")
        run = run_ansible(
            "playbook", self.folder, "-i", "inventory.json", "play.yml", *arguments, environment=environment
        )
        self.text, self.recap = run.text, run.recap
        assert (run.code != 0) == fails, self.text
        assert PASSWORD not in self.text
        assert "Sécret" not in self.text
        assert "S\\u00e9cret" not in self.text
        assert "Traceback" not in self.text

    def said(self, sentence: str) -> bool:
        """Whether a sentence was written, wherever lines were broken."""
        return " ".join(sentence.split()) in " ".join(self.text.split())


@pytest.fixture
def playing(lab: Lab, tmp_path: Path) -> Playing:
    return Playing(lab, tmp_path)


def connection(lab: Lab) -> dict[str, Any]:
    given = lab.site.options("ntlm", "https")
    return {name: value for name, value in given.items() if value is not None}


def environment(lab: Lab) -> dict[str, str]:
    names = {"hostname": "HOST", "username": "USER"}
    return {f"WINBACKUP_WINDOWS_{names.get(name, name.upper())}": str(value) for name, value in connection(lab).items()}


INFO = "winbackup.storage.dpm_allocation_info"
ALLOCATION = "winbackup.storage.dpm_allocation"
CHECK = "winbackup.storage.dpm_consistency_check"
EXTEND = {"datasources": ["E:\\"], "size": "60GB"}


@pytest.mark.parametrize("hosts", ["dpm", "psrp"])
def test_over_the_tasks_own_connection(playing: Playing, hosts: str) -> None:
    tasks = [
        {ALLOCATION: EXTEND, "check_mode": True, "diff": True, "register": "planned"},
        {ALLOCATION: EXTEND, "register": "done"},
        {ALLOCATION: EXTEND, "register": "again"},
        {CHECK: {"only_inconsistent": False, "datasources": ["E:\\"], "wait": False}, "register": "started"},
        {
            "ansible.builtin.assert": {
                "that": [
                    "planned is changed and planned.volumes[0].state == 'would_extend'",
                    "planned.diff.after['E:\\\\ on fs01.lab.test'].allocated_bytes == 64424509440",
                    "done is changed and done.volumes[0].state == 'extended' and 'diff' not in done",
                    "again is not changed",
                    "started is changed and started.checks[0].state == 'running'",
                ]
            }
        },
    ]
    playing.play(hosts, tasks, "-vvvv")
    assert playing.lab.recovery("E:\\") == 60 * GB
    assert '"allocated_bytes": 64424509440' in playing.text


def test_from_the_controller_with_options_of_the_action_group(playing: Playing) -> None:
    tasks = [
        {
            "module_defaults": {"group/winbackup.storage.windows": connection(playing.lab)},
            "block": [
                {INFO: {"datasources": ["E:\\"]}, "register": "read"},
                {ALLOCATION: EXTEND, "async": 60, "poll": 1, "register": "done"},
                {CHECK: {"datasources": ["E:\\"]}, "register": "checked"},
                {
                    "ansible.builtin.assert": {
                        "that": [
                            "read.datasources | length == 1",
                            "done is changed",
                            "checked.checks[0].state == 'not_needed'",
                        ]
                    }
                },
            ],
        }
    ]
    playing.play("localhost", tasks, "-vvvv")
    assert playing.lab.recovery("E:\\") == 60 * GB
    # The passwords are in no log of the host either, and no shell is left.
    assert PASSWORD not in str(playing.lab.site.host.troubles.log_as_dicts())
    assert not playing.lab.site.host.shells.open


def test_a_hostname_leads_to_a_module_and_never_to_the_windows_host(playing: Playing) -> None:
    task = {INFO: connection(playing.lab)}
    playing.play("dpm,psrp", [task], fails=True)
    assert playing.said("Add delegate_to: localhost to the task")
    assert {host: counts["failed"] for host, counts in playing.recap.items()} == {"dpm": 1, "psrp": 1}
    delegated = {**task, "delegate_to": "localhost"}
    playing.play("dpm,linux", [delegated])
    assert not [entry for entry in playing.lab.site.host.troubles.log if entry.user == "other"]


def test_the_environment_counts_on_a_local_connection_only(playing: Playing) -> None:
    variables = environment(playing.lab)
    playing.play("localhost,linux", [{INFO: {}}], fails=True, **variables)
    assert {host: counts["failed"] for host, counts in playing.recap.items()} == {"localhost": 0, "linux": 1}
    assert playing.said("No way to a Windows host: no hostname was given")
    astray = {**variables, "WINBACKUP_WINDOWS_PORT": "9", "WINBACKUP_WINDOWS_HOST": "127.0.0.1"}
    playing.play("dpm,psrp", [{INFO: {}}], **astray)
    playing.play("localhost", [{INFO: {}}], fails=True)
    assert playing.said("No hostname of a Windows host was given")


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({INFO: {}, "async": 60}, "async is not possible over the task's own connection"),
    ({INFO: {"username": "svc", "password": PASSWORD}}, "password, username went without hostname"),
    ({INFO: {"datasource": "E:\\"}}, "Unsupported parameters"),
    ({ALLOCATION: {"datasources": ["E:\\"]}}, "one of the following is required: size, min_free, min_free_percent"),
    ({ALLOCATION: {**EXTEND, "min_free": "1GB"}}, "parameters are mutually exclusive"),
    ({ALLOCATION: {**EXTEND, "on_refused": "maybe"}}, "value of on_refused must be one of"),
    ({ALLOCATION: {"size": "60GB"}}, "size was given and no data source"),
    ({CHECK: {"datasources": ["Q:\\"]}}, "There is no data source 'Q:"),
]


def test_what_is_refused_over_the_tasks_own_connection_is_one_sentence(playing: Playing) -> None:
    playing.play("dpm", [{**task, "ignore_errors": True} for task, _sentence in REFUSED])
    for _task, sentence in REFUSED:
        assert playing.said(sentence)
    assert playing.recap["dpm"]["ignored"] == len(REFUSED)


def test_a_refused_logon_shows_no_password(playing: Playing) -> None:
    options = {**connection(playing.lab), "username": "nobody"}
    playing.play("localhost", [{INFO: options}], "-vvvv", fails=True)
    assert playing.said("does not let nobody log on by ntlm")
