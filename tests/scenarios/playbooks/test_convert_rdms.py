"""The playbooks and the role as people run them, with ansible-playbook against the lab."""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from typing import Any

import pytest
from playing import run_ansible
from vcenter_lab import VcenterLab

LUNS = ("naa.60060160a1b1234500000000000000a1", "naa.60060160a1b1234500000000000000a2")
WORLD = f"""
hosts: [{{name: esx1.lab}}]
datastores: [{{name: san01}}]
luns:
  - {{name: {LUNS[0]}, sectors: 4194304, serial: ONE}}
  - {{name: {LUNS[1]}, sectors: 4194304, serial: TWO}}
vms:
  - {{name: first, host: esx1.lab, disks: [{{flat: 1073741824}}, {{rdm: {LUNS[0]}}}]}}
  - {{name: second, host: esx1.lab, disks: [{{flat: 1073741824}}, {{rdm: {LUNS[1]}}}]}}
"""


class Site:
    """A lab with one world, and ansible-playbook pointed at it."""

    def __init__(self, lab: VcenterLab, folder: Path) -> None:
        self.lab, self.folder = lab, folder

    def play(self, playbook: str, *arguments: str, fails: bool = False) -> dict[str, int]:
        """Runs a playbook; returns localhost's line of the recap."""
        run = run_ansible("playbook", self.folder, playbook, *arguments, environment=self.lab.variables())
        self.text = run.text
        assert (run.code != 0) == fails, self.text
        assert self.lab.password not in self.text
        return run.recap.get("localhost", {})

    def modes(self) -> dict[str, list[str]]:
        """Returns the modes of the mappings by VM."""
        machines = self.lab.state()["vms"]
        return {
            vm["name"]: [disk["mode"].removesuffix("Mode") for disk in vm["devices"] if disk["kind"] == "rdm"]
            for vm in machines
        }


@pytest.fixture
def site(vcenter: VcenterLab, tmp_path: Path) -> Site:
    """The lab with two VMs that have a physical mapping each."""
    vcenter.world(WORLD)
    return Site(vcenter, tmp_path)


def chosen(*names: str, **more: Any) -> tuple[str, str]:
    return "-e", json.dumps({"rdm_convert_vms": names, **more})


def test_with_no_variable_the_plan_is_shown_and_nothing_changes(site: Site) -> None:
    recap = site.play("winbackup.storage.convert_rdms")
    assert (recap["changed"], recap["failed"]) == (0, 0)
    assert "Nothing was changed" in site.text
    assert LUNS[0] in site.text
    assert not [entry for entry in site.lab.log() if entry["writes"]]
    assert site.modes() == {"first": ["physical"], "second": ["physical"]}


def test_named_machines_are_converted_and_then_there_is_nothing_to_plan(site: Site) -> None:
    """That a second run with the same names changes nothing is a test of site's."""
    assert site.play("winbackup.storage.convert_rdms", *chosen("first", "second"))["changed"] == 1
    assert site.modes() == {"first": ["virtual"], "second": ["virtual"]}
    recap = site.play("winbackup.storage.convert_rdms")
    assert (recap["changed"], recap["failed"]) == (0, 0)


@pytest.mark.slow
def test_check_mode_changes_nothing(site: Site) -> None:
    assert site.play("winbackup.storage.convert_rdms", "--check", *chosen("first"))["changed"] == 1
    assert site.modes()["first"] == ["physical"]


@pytest.mark.slow
@pytest.mark.parametrize(("keep_going", "second"), [("false", "physical"), (True, "virtual")])
def test_the_first_failure_stops_unless_told_otherwise(site: Site, keep_going: bool | str, second: str) -> None:
    site.lab.change_vm("first", "encrypt")
    site.play(
        "winbackup.storage.convert_rdms", *chosen("first", "second", rdm_convert_keep_going=keep_going), fails=True
    )
    assert site.modes() == {"first": ["physical"], "second": [second]}
    assert "stopped by encrypted" in site.text


@pytest.mark.slow
def test_texts_for_variables_and_a_second_run_that_deletes_what_was_kept(site: Site) -> None:
    """One machine named by a text; the kept file is deleted later, and the screen says which."""
    site.play("winbackup.storage.convert_rdms", "-e", "rdm_convert_vms=second", "-e", "rdm_convert_restore_power=no")
    assert site.modes() == {"first": ["physical"], "second": ["virtual"]}
    # Who wants kept files deleted is shown the machine that has one, beside those with something to convert.
    site.play("winbackup.storage.convert_rdms", "-e", "rdm_convert_old_mapping=delete")
    assert "second (powered off)" in site.text
    assert "delete the old mapping file" in site.text
    deleting = ("-e", "rdm_convert_vms=second", "-e", "rdm_convert_old_mapping=delete")
    assert site.play("winbackup.storage.convert_rdms", *deleting)["changed"] == 1
    assert "deleted the old mapping file [san01] second/" in site.text
    assert site.play("winbackup.storage.convert_rdms", *deleting)["changed"] == 0


def test_the_plan_ends_with_the_command_that_carries_it_out(site: Site) -> None:
    named = WORLD.replace("name: first, host", 'name: "{{ 7 * 7 }}", power: "on", host')
    site.lab.world(named.replace("second", "~ second"))
    site.play("winbackup.storage.convert_rdms", "-e", "rdm_convert_old_mapping=delete")
    command = next(line for line in site.text.splitlines() if "ansible-playbook winbackup.storage" in line)
    words = shlex.split(command)
    assert words[:3] == ["ansible-playbook", "winbackup.storage.convert_rdms", "-e"]
    # A name that Ansible would take for a template is never suggested.
    assert "7 * 7" not in words[3]
    assert "rdm_convert_password" not in words[3]
    assert site.play(*words[1:])["changed"] == 1
    assert site.modes() == {"{{ 7 * 7 }}": ["virtual"], "~ second": ["physical"]}


def test_a_misspelt_variable_stops_the_role_before_anything_is_read(site: Site) -> None:
    site.lab.clear_log()
    site.play("winbackup.storage.convert_rdms", *chosen("first", rdm_convert_disk="scsi0:1"), fails=True)
    assert "rdm_convert_disk is no variable of the role rdm_convert. Did you mean rdm_convert_disks?" in site.text
    assert site.lab.log() == []


@pytest.mark.slow
def test_a_name_that_nothing_has_is_an_error_before_anything_is_written(site: Site) -> None:
    site.play("winbackup.storage.convert_rdms", *chosen("first", "third"), fails=True)
    assert site.modes()["first"] == ["physical"]
    assert "third" in site.text


@pytest.mark.slow
def test_the_role_twice_in_one_play_and_in_a_loop_and_delegated(site: Site) -> None:
    play = """
- hosts: elsewhere
  gather_facts: false
  vars: {ansible_python_interpreter: "{{ ansible_playbook_python }}", ansible_connection: local}
  tasks:
    - ansible.builtin.include_role:
        name: winbackup.storage.rdm_convert
        apply: {delegate_to: localhost}
      vars: {rdm_convert_vms: ["{{ item }}"]}
      loop: [first, second]
    - ansible.builtin.assert:
        that:
          - rdm_convert_result.vms | map(attribute='vm.name') == ['second']
          - rdm_convert_result.vms[0].disks[0].state == 'converted'
    - ansible.builtin.include_role:
        name: winbackup.storage.rdm_convert
        apply: {delegate_to: localhost}
      vars: {rdm_convert_vms: [first], rdm_convert_compatibility: physical}
"""
    (site.folder / "inventory.ini").write_text("elsewhere\n", encoding="utf-8")
    (site.folder / "play.yml").write_text(play, encoding="utf-8")
    site.play("play.yml", "-i", "inventory.ini")
    assert site.modes() == {"first": ["physical"], "second": ["virtual"]}


@pytest.mark.parametrize(
    ("localhost", "leads_there"),
    [
        ("", True),
        ("localhost ansible_connection=local ansible_python_interpreter='{{ ansible_playbook_python }}'", True),
        ("localhost", False),
    ],
)
@pytest.mark.slow
def test_the_role_delegated_from_a_play_over_winrm(site: Site, localhost: str, leads_there: bool) -> None:
    """From the Windows machine whose mapping it is. A localhost of the inventory takes the play's connection too,
    unless it has one of its own."""
    play = """
- hosts: windows01
  connection: winrm
  gather_facts: false
  tasks:
    - ansible.builtin.include_role:
        name: winbackup.storage.rdm_convert
        apply: {delegate_to: localhost}
      vars: {rdm_convert_vms: first}
    - ansible.builtin.assert:
        that: rdm_convert_result.vms[0].disks[0].state == 'converted'
"""
    inventory = f"windows01 ansible_connection=winrm ansible_host=127.0.0.1 ansible_port=1\n{localhost}\n"
    (site.folder / "inventory.ini").write_text(inventory, encoding="utf-8")
    (site.folder / "play.yml").write_text(play, encoding="utf-8")
    site.play("play.yml", "-i", "inventory.ini", fails=not leads_there)
    assert site.modes() == {"first": ["virtual" if leads_there else "physical"], "second": ["physical"]}
    assert ("give localhost ansible_connection: local in the inventory" in site.text) != leads_there


def test_the_audit_shows_findings_and_changes_nothing(site: Site) -> None:
    recap = site.play("winbackup.storage.audit")
    assert (recap["changed"], recap["failed"]) == (0, 0)
    assert "2 raw device mappings (2 physical, 0 virtual)" in site.text
    assert not [entry for entry in site.lab.log() if entry["writes"]]
