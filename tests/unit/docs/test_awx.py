# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files for AWX fit the documented options of awx.awx 24.6.1, the form of surveys, and the roles' own variables."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

ROOT = Path(__file__).resolve().parents[3]
AWX = ROOT / "docs" / "awx"
TEXT: dict[str, Any] = {"type": "str"}
YES_NO: dict[str, Any] = {"type": "bool"}
# Of the options that awx.awx 24.6.1 documents, those that the play may use.
OPTIONS: dict[str, dict[str, dict[str, Any]]] = {
    "awx.awx.credential_type": {
        "name": TEXT | {"required": True},
        "description": TEXT,
        "kind": TEXT | {"choices": ["ssh", "vault", "net", "scm", "cloud", "insights"]},
        "inputs": {"type": "dict"},
        "injectors": {"type": "dict"},
    },
    "awx.awx.execution_environment": {"name": TEXT | {"required": True}, "image": TEXT},
    "awx.awx.project": {
        "name": TEXT | {"required": True},
        "organization": TEXT,
        "scm_type": TEXT | {"choices": ["manual", "git", "svn", "insights", "archive"]},
        "scm_url": TEXT,
    },
    "awx.awx.job_template": {
        "name": TEXT | {"required": True},
        **dict.fromkeys(("description", "organization", "project", "playbook", "inventory"), TEXT),
        "execution_environment": TEXT,
        "job_type": TEXT | {"choices": ["run", "check"]},
        **dict.fromkeys(("diff_mode", "survey_enabled", "ask_credential_on_launch"), YES_NO),
        **dict.fromkeys(("ask_job_type_on_launch", "ask_limit_on_launch", "ask_variables_on_launch"), YES_NO),
        "allow_simultaneous": YES_NO,
        "credentials": {"type": "list", "elements": "str"},
        "survey_spec": {"type": "dict"},
    },
}


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


TYPES = load(AWX / "credential_types.yml")["winbackup_credential_types"]
TEMPLATES = load(AWX / "job_templates.yml")["winbackup_job_templates"]
QUESTIONS = [question for one in TEMPLATES for question in one.get("survey_spec", {}).get("spec", [])]
SPECS = {
    name: spec
    for file in (*ROOT.glob("roles/*/meta/argument_specs.yml"), ROOT / "playbooks" / "vars" / "argument_specs.yml")
    for name, spec in next(iter(load(file)["argument_specs"].values()))["options"].items()
}


def by_name(one: Any) -> str:
    return str(one.get("name") or one.get("variable"))


def wrong(module: str, given: dict[str, Any]) -> list[str]:
    """Returns what the module would say of these options."""
    checked = ArgumentSpecValidator(OPTIONS[module]).validate(given)
    return list(checked.error_messages)


@pytest.mark.parametrize("task", load(AWX / "setup.yml")[0]["tasks"], ids=by_name)
def test_the_play_gives_options_that_the_modules_have(task: dict[str, Any]) -> None:
    (module,) = set(task) - {"name", "loop", "loop_control"}
    if module.startswith("awx.awx."):
        assert set(task[module]) <= set(OPTIONS[module])
    else:
        assert module == "ansible.builtin.set_fact"


@pytest.mark.parametrize("one", TYPES, ids=by_name)
def test_a_credential_type_gives_what_it_asks_to_variables_that_the_modules_read(one: dict[str, Any]) -> None:
    assert wrong("awx.awx.credential_type", one) == []
    asked = {field["id"] for field in one["inputs"]["fields"]}
    for field in one["inputs"]["fields"]:
        allowed = {"id", "type", "label", "secret", "multiline", "choices", "default", "help_text"}
        assert set(field) <= allowed
        assert field["type"] == "string"
    assert set(one["inputs"]["required"]) <= asked
    assert set(one["injectors"]) <= {"env", "file", "extra_vars"}
    used = set(re.findall(r"\{\{ (\w+)", yaml.safe_dump(one["injectors"])))
    assert used - {"tower"} == asked
    fragments = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "plugins" / "doc_fragments").glob("*.py"))
    assert all(f"E({name})" in fragments for name in one["injectors"]["env"])
    # Passwords are kept encrypted.
    assert all(field.get("secret") for field in one["inputs"]["fields"] if "password" in field["id"])


@pytest.mark.parametrize("one", TEMPLATES, ids=by_name)
def test_a_job_template_runs_a_playbook_of_the_project(one: dict[str, Any]) -> None:
    given = {name: value for name, value in one.items() if name != "started_by_events"}
    assert wrong("awx.awx.job_template", given) == []
    (play,) = load(AWX / "project" / one["playbook"])
    name = play["ansible.builtin.import_playbook"]
    assert (ROOT / "playbooks" / f"{name.removeprefix('winbackup.storage.')}.yml").is_file()
    assert {variable for variable in play["vars"] if variable not in SPECS} == set()


@pytest.mark.parametrize("question", QUESTIONS, ids=by_name)
def test_a_survey_asks_for_a_variable_that_there_is_in_its_words(question: dict[str, Any]) -> None:
    assert set(question) <= {
        "question_name", "question_description", "required", "type", "variable", "choices", "default", "min", "max",
    }  # fmt: skip
    assert question["type"] in ("text", "textarea", "password", "integer", "float", "multiplechoice", "multiselect")
    assert isinstance(question["required"], bool)
    spec = SPECS.get(question["variable"])
    if spec is None:
        playbooks = "".join(file.read_text(encoding="utf-8") for file in (AWX / "project").glob("*.yml"))
        assert f"({question['variable']} | default('')).splitlines()" in playbooks
        assert question["type"] == "textarea"
    elif "choices" in spec:
        assert question["choices"] == spec["choices"]
        assert question["default"] == spec["default"]


def test_the_rulebook_for_a_controller_starts_a_template_that_there_is_and_that_takes_what_it_tells() -> None:
    (rule_set,) = load(ROOT / "extensions" / "eda" / "rulebooks" / "dpm_controller.yml")
    action = rule_set["rules"][0]["actions"][0]["run_job_template"]
    (template,) = [one for one in TEMPLATES if one.get("started_by_events")]
    assert f"default('{template['name']}')" in action["name"]
    # What a template does not ask for, AWX leaves out; and it lets a second job of it wait, unless it may run beside.
    tasks = [task.get("awx.awx.job_template", {}) for task in load(AWX / "setup.yml")[0]["tasks"]]
    told = tasks[-1]
    assert "started_by_events" in told["ask_variables_on_launch"]
    assert "started_by_events" in told["allow_simultaneous"]
    (asked,) = {question["variable"] for question in QUESTIONS} & {"dpm_recovery_points_min_free_percent"}
    assert asked not in action["job_args"]["extra_vars"]


def test_the_transports_on_offer_are_the_modules_own() -> None:
    (transport,) = [field for one in TYPES for field in one["inputs"]["fields"] if field["id"] == "transport"]
    assert set(transport["choices"]) <= set(SPECS["dpm_recovery_points_transport"]["choices"])
