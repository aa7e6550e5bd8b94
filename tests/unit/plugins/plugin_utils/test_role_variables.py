"""What a role's variables mean, whatever text they came as, and which of them are none."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.plugin_utils._role_variables import (
    chosen,
    converted,
    misspelt_variables,
    unknown_variables,
)

ROOT = Path(__file__).resolve().parents[4]
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
# Variables of roles that no module's option stands behind.
OWN = {"rdm_convert_vms", "rdm_convert_keep_going", "dpm_recovery_points_check"}


def options_of(role: str) -> dict[str, dict[str, Any]]:
    text = (ROOT / "roles" / role / "meta" / "argument_specs.yml").read_text(encoding="utf-8")
    options: dict[str, dict[str, Any]] = yaml.safe_load(text)["argument_specs"]["main"]["options"]
    return options


OPTIONS = options_of("rdm_convert")
PLAYBOOKS = [ROOT / "playbooks" / "audit.yml", ROOT / "playbooks" / "site.yml"]


@pytest.mark.parametrize(
    ("name", "given", "meant"),
    [
        ("rdm_convert_keep_going", "false", False),
        ("rdm_convert_keep_going", "no", False),
        ("rdm_convert_keep_going", "yes", True),
        ("rdm_convert_restore_power", "true", True),
        ("rdm_convert_vms", "backup01", ["backup01"]),
        ("rdm_convert_vms", "one, of a name", ["one, of a name"]),
        ("rdm_convert_vms", "[san01] backup01/backup01.vmx", ["[san01] backup01/backup01.vmx"]),
        ("rdm_convert_vms", "", []),
        ("rdm_convert_vms", [101, "two"], ["101", "two"]),
        ("rdm_convert_disks", 101, ["101"]),
        ("rdm_convert_timeout", "90", 90),
    ],
)
def test_a_text_means_what_a_person_means(name: str, given: object, meant: object) -> None:
    values, problems = converted("rdm_convert", OPTIONS, {name: given})
    assert problems == []
    got = values[name.removeprefix("rdm_convert_")]
    assert (got, type(got)) == (meant, type(meant))


def test_a_percentage_may_have_a_fraction() -> None:
    options = options_of("dpm_recovery_points")
    given = {"dpm_recovery_points_threshold_percent": "92.5", "dpm_recovery_points_min_free_percent": "12.5"}
    values, problems = converted("dpm_recovery_points", options, given)
    assert problems == []
    assert (values["threshold_percent"], values["min_free_percent"]) == (92.5, 12.5)


def test_an_empty_answer_of_a_survey_is_none() -> None:
    given = {"rdm_convert_datastore": "", "rdm_convert_timeout": "", "rdm_convert_compatibility": ""}
    values, problems = converted("rdm_convert", OPTIONS, given)
    assert problems == []
    assert "datastore" not in values
    assert (values["timeout"], values["compatibility"]) == (1800, "virtual")


@pytest.mark.parametrize("role", ROLES)
def test_null_is_nothing_given_for_every_variable_and_an_empty_text_wherever_ansible_lets_it_through(role: str) -> None:
    options = {name: one for name, one in options_of(role).items() if one.get("elements") != "dict"}
    nothing, _problems = converted(role, options, {})
    for name, option in options.items():
        if option.get("default") is None and "choices" not in option:
            assert ArgumentSpecValidator({name: option}).validate({name: None}).error_messages == [], name
        assert converted(role, options, {name: None}) == (nothing, []), name
        if option["type"] != "list":
            assert converted(role, options, {name: ""}) == (nothing, []), name
        if option["type"] in ("str", "path") and "choices" not in option:
            assert ArgumentSpecValidator({name: option}).validate({name: ""}).error_messages == [], name


def test_what_cannot_be_converted_is_a_problem() -> None:
    _values, problems = converted("rdm_convert", OPTIONS, {"rdm_convert_timeout": "soon"})
    assert "rdm_convert_timeout" in problems[0]


def test_a_misspelt_variable_names_the_nearest() -> None:
    names = ["rdm_convert_disk", "rdm_convert_result", "rdm_convert_vms", "rdm_converted", "something_else"]
    assert unknown_variables("rdm_convert", OPTIONS, names) == [
        "rdm_convert_disk is no variable of the role rdm_convert. Did you mean rdm_convert_disks?"
    ]
    named = unknown_variables(
        "dpm_recovery_points", options_of("dpm_recovery_points"), ["dpm_recovery_points_computer"]
    )
    assert "dpm_recovery_points_computers?" in named[0]


@pytest.mark.parametrize(
    "name",
    [
        "dpm_recovery_point_computers",
        "dpm_recoverypoints_computers",
        "dpm_recovery_poinst_computers",
        "dpm_recovery_poimts_computers",
        "ddpm_recovery_points_computers",
        "DPM_RECOVERY_POINTS_COMPUTERS",
        "Dpm_recovery_points_computers",
    ],
)
def test_a_slip_in_the_name_of_the_role_does_not_widen_what_it_does(name: str) -> None:
    assert unknown_variables("dpm_recovery_points", options_of("dpm_recovery_points"), [name]) == [
        f"{name} is no variable of the role dpm_recovery_points. Did you mean dpm_recovery_points_computers?"
    ]


@pytest.mark.parametrize(
    "name", ["dpm_computers", "dpm_recovery_computers", "computers", "_computers", "rdm_convert_vms"]
)
def test_variables_of_others_are_left_alone(name: str) -> None:
    assert unknown_variables("dpm_recovery_points", options_of("dpm_recovery_points"), [name]) == []


def test_what_was_chosen_has_no_secret_and_no_template() -> None:
    given = {
        "rdm_convert_password": "secret",
        "rdm_convert_old_mapping": "delete",
        "rdm_convert_directory": "{{ lookup('pipe', 'id') }}",
    }
    values, _problems = converted("rdm_convert", OPTIONS, given)
    assert chosen("rdm_convert", OPTIONS, values) == {"rdm_convert_old_mapping": "delete"}


@pytest.mark.parametrize("role", ROLES)
@given(data=st.data())
def test_any_text_ends_in_a_value_or_a_problem(role: str, data: st.DataObject) -> None:
    options = {name: one for name, one in options_of(role).items() if one.get("elements") != "dict"}
    name = data.draw(st.sampled_from(sorted(options)))
    text = data.draw(st.text())
    values, problems = converted(role, options, {name: text})
    if problems:
        return
    value = values.get(name.removeprefix(f"{role}_"))
    if options[name]["type"] == "list" and text:
        assert value == [text]
    elif options[name]["type"] == "str" and text:
        assert value == text


@pytest.mark.parametrize(("role", "modules"), [
    ("rdm_convert", ("rdm_compatibility", "rdm_info")),
    ("dpm_recovery_points", ("dpm_allocation", "dpm_allocation_info", "dpm_consistency_check")),
])  # fmt: skip
def test_a_variable_is_typed_as_the_option_that_it_is_for(role: str, modules: tuple[str, ...]) -> None:
    known: dict[str, dict[str, Any]] = {}
    for module in modules:
        source = (ROOT / "plugins" / "modules" / f"{module}.py").read_text(encoding="utf-8")
        documentation = source.split('DOCUMENTATION = r"""')[1].split('"""')[0]
        known = {**yaml.safe_load(documentation)["options"], **known}
    for name, option in options_of(role).items():
        stem = name.removeprefix(f"{role}_").removeprefix("check_")
        if name not in OWN and stem in known:
            theirs = known[stem]
            assert (option["type"], option.get("elements")) == (theirs["type"], theirs.get("elements")), name


@pytest.mark.parametrize(
    ("name", "right"),
    [
        ("audit_fail", "audit_fail_on"),
        ("audit_failon", "audit_fail_on"),
        ("audit_fial_on", "audit_fail_on"),
        ("audit_json_file", "audit_json"),
        ("audit_jason", "audit_json"),
        ("site_fail_on", "audit_fail_on"),
        ("site_json", "audit_json"),
    ],
)
def test_a_misspelt_variable_of_the_audit_names_the_right_one(name: str, right: str) -> None:
    sentences = misspelt_variables(("audit", "site"), ("audit_fail_on", "audit_json"), [name, "audit_json"])
    assert sentences == [f"There is no variable {name}. Did you mean {right}?"]


def test_variables_of_an_inventory_that_begin_with_a_common_word_are_left_alone() -> None:
    names = ["site_name", "site_code", "site", "audit_contact", "audit_", "audit_fail_on", "fail_on", "auditor_json"]
    # And those that the playbook itself makes.
    made = set(re.findall(r"\b(?:audit|site)_\w+", "".join(path.read_text() for path in PLAYBOOKS)))
    assert len(made) > 10
    options = yaml.safe_load((ROOT / "playbooks" / "vars" / "argument_specs.yml").read_text())["argument_specs"]["main"]
    assert misspelt_variables(("audit", "site"), options["options"], [*names, *made]) == []


def test_a_slip_in_a_variable_of_rehearse_is_told_and_the_playbooks_own_are_left_alone() -> None:
    entries = yaml.safe_load((ROOT / "playbooks" / "vars" / "argument_specs.yml").read_text())["argument_specs"]
    made = set(re.findall(r"\brehearse_\w+", (ROOT / "playbooks" / "rehearse.yml").read_text()))
    assert len(made) > 8
    found = misspelt_variables(("rehearse",), entries["rehearse"]["options"], [*made, "rehearse_luns", "rehearse_disk"])
    assert found == ["There is no variable rehearse_luns. Did you mean rehearse_lun?"]
