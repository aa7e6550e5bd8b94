# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rulebooks: taken by ansible-rulebook itself, and nothing but a plan where no policy is set."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from jinja2 import StrictUndefined
from jinja2.nativetypes import NativeEnvironment

ROOT = Path(__file__).resolve().parents[3]
FOLDER = ROOT / "extensions" / "eda" / "rulebooks"
RULEBOOKS = sorted(FOLDER.glob("*.yml"))
PYTHON = ROOT / ".venv-events" / "bin" / "python"
CHECK = Path(__file__).with_name("rulebook_check.py")
ROLE = "dpm_recovery_points"
# Where an event of a rulebook names its server.
SERVERS = {
    "dpm_alertmanager": "event.labels.server",
    "dpm_controller": "event.dpm.server",
    "dpm_events": "event.dpm.server",
    "dpm_kafka": "event.body.winlog.computer_name",
}
BROKEN = {
    "a_key": ("rules:", "ruless:"),
    "a_condition": ("event.dpm.signature in", "event.dpm.signature === "),
    "an_action": ("lock:", "locked:"),
}


def rule_set(path: Path) -> dict[str, Any]:
    (found,) = yaml.safe_load(path.read_text(encoding="utf-8"))
    return dict(found)


def action_of(path: Path) -> dict[str, Any]:
    """What its one rule does."""
    (rule,) = rule_set(path)["rules"]
    (action,) = rule["actions"]
    return dict(next(iter(action.values())))


def rendered(value: Any, **variables: Any) -> Any:
    """A value as ansible-rulebook renders it: natively, and strict about what is not defined."""
    if isinstance(value, dict):
        return {name: rendered(one, **variables) for name, one in value.items()}
    if isinstance(value, str):
        return NativeEnvironment(undefined=StrictUndefined).from_string(value).render(variables)
    return value


def test_ansible_rulebook_takes_each_and_refuses_what_is_wrong(tmp_path: Path) -> None:
    assert PYTHON.exists(), "make test makes .venv-events, in which ansible-rulebook is"
    text = (FOLDER / "dpm_events.yml").read_text(encoding="utf-8")
    for name, (right, wrong) in BROKEN.items():
        (tmp_path / f"{name}.yml").write_text(text.replace(right, wrong, 1), encoding="utf-8")
    broken = sorted(tmp_path.glob("*.yml"))
    done = subprocess.run(
        [str(PYTHON), str(CHECK), *map(str, [*RULEBOOKS, *broken])],
        env={
            **{name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE", "JAVA"))},
            "PATH": f"{PYTHON.parent}:{os.environ['PATH']}",
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".build" / "tree"),
            "ANSIBLE_HOME": str(tmp_path / "home"),
        },
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    refusals = json.loads(done.stdout.splitlines()[-1])
    names = ("dpm_alertmanager.yml", "dpm_controller.yml", "dpm_events.yml", "dpm_kafka.yml")
    assert {path.name: refusals[str(path)] for path in RULEBOOKS} == dict.fromkeys(names)
    assert [path.stem for path in broken if refusals[str(path)] is None] == []


@pytest.mark.parametrize("path", RULEBOOKS, ids=lambda path: path.stem)
def test_servers_are_worked_on_side_by_side_and_each_by_one_run_at_a_time(path: Path) -> None:
    found = rule_set(path)
    (rule,) = found["rules"]
    assert found["execution_strategy"] == "parallel"
    # A throttle leaves events out, or gives those of several servers to one action.
    assert "throttle" not in rule
    told = action_of(path).get("job_args", action_of(path))["extra_vars"]
    assert told[f"{ROLE}_hostname"] == action_of(path)["lock"] == f"{{{{ {SERVERS[path.stem]} }}}}"


@pytest.mark.parametrize("path", [one for one in RULEBOOKS if one.stem != "dpm_controller"], ids=lambda path: path.stem)
def test_without_a_policy_nothing_but_the_server_is_told_to_the_playbook(path: Path) -> None:
    action = action_of(path)
    namespace, _dot, playbook = action["name"].rpartition(".")
    assert namespace == "winbackup.storage"
    assert (ROOT / "playbooks" / f"{playbook}.yml").is_file()
    known = yaml.safe_load((ROOT / "roles" / ROLE / "meta" / "argument_specs.yml").read_text(encoding="utf-8"))
    options = known["argument_specs"]["main"]["options"]
    assert [name for name in action["extra_vars"] if name not in options] == []
    server = "dpm01.example.com"
    event = {"dpm": {"server": server}, "labels": {"server": server}, "body": {"winlog": {"computer_name": server}}}
    told = rendered(action["extra_vars"], event=event)
    # Ansible holds what a role is given against its options before the role sees it.
    assert ArgumentSpecValidator(options).validate(told).error_messages == []
    assert {name: value for name, value in told.items() if value is not None} == {f"{ROLE}_hostname": server}
    policy = {f"{ROLE}_min_free_percent": 20, f"{ROLE}_max_size": "2TB"}
    told = rendered(action["extra_vars"], event=event, **policy)
    assert {name: value for name, value in told.items() if value is not None} == {f"{ROLE}_hostname": server, **policy}


def test_the_alerts_that_the_collection_documents_lead_to_the_cure() -> None:
    rules = ROOT / "docs" / "monitoring" / "winbackup.rules.yml"
    (group,) = yaml.safe_load(rules.read_text(encoding="utf-8"))["groups"]
    (rule,) = rule_set(FOLDER / "dpm_alertmanager.yml")["rules"]
    taken = {one["alert"] for one in group["rules"] if f'"{one["alert"]}"' in rule["condition"]}
    assert taken == {"RecoveryPointVolumeShort", "ReplicaInconsistent"}


def test_the_event_source_takes_what_the_rulebooks_tell_it_without_any_variable() -> None:
    from ansible_collections.winbackup.storage.plugins.module_utils._events.execution.options import settings_of

    for name in ("dpm_events", "dpm_controller"):
        (source,) = rule_set(FOLDER / f"{name}.yml")["sources"]
        args = rendered(source["winbackup.storage.dpm_events"])
        settings = settings_of({"hostname": "dpm01", "username": "reader", "password": "secret", **args})
        assert ([server.name for server in settings.servers], settings.state, settings.interval) == (
            ["dpm01"],
            None,
            60,
        )
