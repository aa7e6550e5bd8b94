# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""ansible-rulebook with its engine: from a volume that ran full to a consistent replica, nobody at the keyboard."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml
from controller import TOKEN, Controller
from dpm.dpm import Dpm
from dpm_lab import FOR_PEOPLE, DpmLab
from engine import ROOT, Rulebook
from wsman.accounts import Account
from wsman.host import WinRmHost
from wsman.powershell import PowerShellCommands
from wsman.site import PASSWORD, USER

FOLDER = ROOT / "extensions" / "eda" / "rulebooks"
EVENTS = "winbackup.storage.dpm_events"
FULL = {"datasource": "D:\\", "computer": "fs01.lab.test"}
OTHER = {"datasource": "E:\\", "computer": "fs01.lab.test"}
RAN_FULL = 40 * 1024**3
# A check lasts long enough for a rulebook to be killed in it.
PACE = {**FOR_PEOPLE, "check_seconds": 15}
POLICY = {"dpm_recovery_points_min_free_percent": 20}
CODE = "{{{{ lookup('ansible.builtin.pipe', 'touch {}') }}}}"
pytestmark = pytest.mark.slow


def watching(folder: Path) -> dict[str, Any]:
    """The variables of a rulebook that looks often, and keeps what it handled."""
    return {"dpm_events_interval": 5, "dpm_events_state": str(folder / "state.json")}


def is_valid(lab: DpmLab, which: dict[str, str]) -> Callable[[], bool]:
    return lambda: lab.do("datasource", **which)["state"] == "Valid"


def extended(calls: list[dict[str, Any]]) -> list[str]:
    """The data sources whose allocation the server was asked to edit."""
    return [call["parameters"]["Datasource"] for call in calls if call["cmdlet"] == "Edit-DPMDiskAllocation"]


def test_a_volume_that_ran_full_is_cured_once_and_a_kill_repeats_nothing(tmp_path: Path) -> None:
    with ExitStack() as stack:
        lab = stack.enter_context(DpmLab.start(speed=1.0, **PACE))
        rulebook = stack.enter_context(Rulebook(EVENTS, tmp_path, {**watching(tmp_path), **POLICY}, lab.variables()))
        rulebook.wait(is_valid(lab, FULL))
        rulebook.wait(lambda: rulebook.said().count("PLAY RECAP") >= 1)
        cured = lab.do("datasource", **FULL)["recovery"]["allocated"]
        assert cured > RAN_FULL
        rulebook.kill()
        # What happens while it is away is answered once it is back, and what was answered is not done again.
        lab.do("run_backup", writes="60GB", seconds=1, **OTHER)
        rulebook.start()
        rulebook.wait(lambda: rulebook.said().count("PLAY RECAP") >= 2)
        rulebook.wait(is_valid(lab, OTHER))
        assert lab.do("datasource", **FULL)["recovery"]["allocated"] == cured


@pytest.mark.parametrize("kept", [False, True], ids=["state", "persistence"])
def test_no_event_is_lost_and_nothing_is_extended_twice_however_often_it_is_killed(kept: bool, tmp_path: Path) -> None:
    more = {"drools_db_file_path": str(tmp_path / "engine")} if kept else {}
    arguments = ("--persistence-id", "6f7c9c0e-6a0e-4b7f-9b7e-3a1f0c7d2b11", "--id", "1") if kept else ()
    state = tmp_path / "state.json"

    def told() -> bool:
        servers = json.loads(state.read_text(encoding="utf-8"))["servers"] if state.exists() else {}
        return any(one["alerts"] for one in servers.values())

    with DpmLab.start(speed=1.0, **PACE) as lab:
        variables = {**watching(tmp_path), **POLICY, **more}
        with Rulebook(EVENTS, tmp_path, variables, lab.variables(), *arguments) as rulebook:
            # Its engine was told.
            rulebook.wait(told)
            rulebook.kill()
            # The playbook has begun.
            rulebook.start()
            rulebook.wait(lambda: "PLAY [" in rulebook.said())
            rulebook.kill()
            # It extended, and the check of the replica runs.
            rulebook.start()
            rulebook.wait(lambda: "Start-DPMDatasourceConsistencyCheck" in str(lab.do("calls")))
            rulebook.kill()
            rulebook.start()
            rulebook.wait(is_valid(lab, FULL))
        allocated = lab.do("datasource", **FULL)["recovery"]["allocated"]
        assert allocated > RAN_FULL
        edited = extended(lab.do("calls"))
        assert len(set(edited)) == len(edited) > 0


def test_ten_servers_that_run_full_at_once_are_each_cured_once(tmp_path: Path) -> None:
    with ExitStack() as stack:
        servers = [Dpm(None, **PACE) for _number in range(10)]
        hosts: list[WinRmHost] = []
        for number, dpm in enumerate(servers, 1):
            host = WinRmHost(
                [Account(USER, PASSWORD)],
                PowerShellCommands(dpm.new_session),
                address=f"127.0.0.{number}",
                port=hosts[0].port if hosts else 0,
            )
            hosts.append(stack.enter_context(host))
            dpm.control.speed(1.0)
        environment = {
            "WINBACKUP_WINDOWS_PORT": str(hosts[0].port),
            "WINBACKUP_WINDOWS_SCHEME": "http",
            "WINBACKUP_WINDOWS_TRANSPORT": "ntlm",
            "WINBACKUP_WINDOWS_USER": USER,
            "WINBACKUP_WINDOWS_PASSWORD": PASSWORD,
        }
        variables = {**watching(tmp_path), **POLICY, "dpm_events_servers": [host.address for host in hosts]}
        with Rulebook(EVENTS, tmp_path, variables, environment) as rulebook:
            rulebook.wait(lambda: all(dpm.control.datasource(**FULL)["state"] == "Valid" for dpm in servers), 900)
        assert all(dpm.control.datasource(**FULL)["recovery"]["allocated"] > RAN_FULL for dpm in servers)
        edited = [extended(dpm.control.hooks.calls()) for dpm in servers]
        assert all(len(set(names)) == len(names) > 0 for names in edited)


def test_an_alert_of_prometheus_leads_to_the_cure_and_one_without_the_token_to_nothing(tmp_path: Path) -> None:
    alert = {
        "status": "firing",
        "labels": {"alertname": "RecoveryPointVolumeShort", "server": "localhost"},
        "annotations": {},
        "startsAt": "2026-11-28T05:00:00Z",
    }
    over = {**alert, "status": "resolved", "labels": {**alert["labels"], "server": "over.lab.test"}}
    other = {**alert, "labels": {**alert["labels"], "alertname": "NodeDown", "server": "other.lab.test"}}
    # Ansible reads the values of extra variables as templates.
    code = {**alert, "labels": {**alert["labels"], "server": CODE.format(tmp_path / "was_run")}}
    body = {"version": "4", "status": "firing", "alerts": [code, over, other, alert]}
    variables = {"dpm_events_address": "127.0.0.1", "dpm_events_port": 15971, "dpm_events_token": "a-token"}

    def sent(token: str) -> int | None:
        """The answer; None while nobody listens."""
        try:
            header = {"Authorization": f"Bearer {token}"}
            return requests.post("http://127.0.0.1:15971/alerts", json=body, headers=header, timeout=10).status_code
        except requests.ConnectionError:
            return None

    with DpmLab.start(speed=1.0, **PACE) as lab:
        name = "winbackup.storage.dpm_alertmanager"
        with Rulebook(name, tmp_path, {**variables, **POLICY}, lab.variables()) as rulebook:
            rulebook.wait(lambda: sent("another") == 401)
            assert sent("a-token") == 200
            rulebook.wait(is_valid(lab, FULL))
            rulebook.wait(lambda: "PLAY RECAP" in rulebook.said())
            assert "over.lab.test" not in rulebook.said()
            assert "other.lab.test" not in rulebook.said()
            assert rulebook.said().count("PLAY RECAP") == 1
    assert not (tmp_path / "was_run").exists()


def test_a_job_template_of_the_controller_is_told_the_server(tmp_path: Path) -> None:
    """The template is the one that docs/awx makes."""
    templates = yaml.safe_load((ROOT / "docs/awx/job_templates.yml").read_text(encoding="utf-8"))
    rows = [
        {**one, "ask_variables_on_launch": one.get("started_by_events", False)}
        for one in templates["winbackup_job_templates"]
    ]
    name = "winbackup.storage.dpm_controller"
    with Controller(rows) as controller, DpmLab.start(speed=1.0, **PACE) as lab:
        arguments = ("--controller-url", controller.url, "--controller-token", TOKEN)
        environment = {**lab.variables(), "EDA_JOB_TEMPLATE_REFRESH_DELAY": "1"}
        with Rulebook(name, tmp_path, watching(tmp_path), environment, *arguments) as rulebook:
            rulebook.wait(lambda: bool(controller.jobs))
            template, told = controller.jobs[0]
            assert (template, told["dpm_recovery_points_hostname"]) == ("Recovery points, extend", "localhost")
            lab.do("run_backup", writes="60GB", seconds=1, **OTHER)
            rulebook.wait(lambda: len(controller.jobs) == 2)
        assert controller.most_at_once == 1


def test_the_rule_for_kafka_takes_what_winlogbeat_writes_and_nothing_else(tmp_path: Path) -> None:
    """The rule as it is; its events come from a list, and its action says which server it was told."""

    def record(server: str, event_id: Any, provider: str = "volsnap") -> dict[str, Any]:
        return {"body": {"winlog": {"provider_name": provider, "event_id": event_id, "computer_name": server}}}

    events = [
        *(record("text.lab.test", "87"), record("number.lab.test", 93), record("case.lab.test", "88", "Volsnap")),
        *(record("else.lab.test", "33"), record("else.lab.test", 33), record("else.lab.test", "87", "disk")),
        *({"body": "no record"}, {"body": {"winlog": {"provider_name": "volsnap"}}}),
        record("else.lab.test" + CODE.format("/tmp/x"), "87"),
    ]
    (rule_set,) = yaml.safe_load((FOLDER / "dpm_kafka.yml").read_text(encoding="utf-8"))
    rule_set["sources"] = [{"eda.builtin.generic": {"payload": events, "shutdown_after": 600}}]
    (rule,) = rule_set["rules"]
    server = rule["actions"][0]["run_playbook"]["lock"]
    rule["actions"] = [{"debug": {"msg": f"told of <{server}>"}}]
    path = tmp_path / "rulebook.yml"
    path.write_text(yaml.safe_dump([rule_set]), encoding="utf-8")
    with Rulebook(str(path), tmp_path, {}, {}) as rulebook:
        for name in ("text", "number", "case"):
            rulebook.wait(lambda name=name: f"told of <{name}.lab.test>" in rulebook.said(), 120)  # type: ignore[misc]
        assert "told of <else.lab.test" not in rulebook.said()
