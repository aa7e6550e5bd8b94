# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The roles as others include them: from a role of their own, in a loop, delegated, over the connection of the play,
twice with different variables, in check mode. Few runs, since each takes seconds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from dpm.dpm import Dpm
from guests import LUN, WORLD, mapping_of, windows_of_backup01
from playing import run_ansible
from vcenter_lab import VcenterLab
from wsman.powershell import PowerShellCommands
from wsman.site import PASSWORD, Site, windows_site

# A role of the user's: each result is kept under the name that the caller gave.
OUTER = """
- ansible.builtin.include_role:
    name: "winbackup.storage.{{ outer_role }}"
    apply:
      delegate_to: "{{ outer_host | default(omit) }}"
      check_mode: "{{ outer_check | default(false) }}"
- ansible.builtin.set_fact:
    kept: "{{ kept | default({}) | combine({outer_name: lookup('ansible.builtin.vars', outer_role ~ '_result')}) }}"
"""
PLAY = """
- name: Over the connection of the play
  hosts: backup01
  connection: winrm
  gather_facts: false
  tasks:
"""
DIAGNOSED_AND_EXTENDED = """
    - name: From another role, in a loop, with other variables each time
      ansible.builtin.include_role: {name: outer}
      vars:
        outer_role: backup_diagnose
        outer_name: "{{ item.name }}"
        backup_diagnose_signatures: "{{ item.signatures }}"
        backup_diagnose_vm_disks: "{{ item.disks }}"
      loop:
        - {name: whole, signatures: [], disks: "{{ hostvars.localhost.mappings.rdms }}"}
        - {name: sizes, signatures: truncated_at_2_tib, disks: []}

    - name: Delegated, in check mode
      ansible.builtin.include_role: {name: outer}
      vars:
        outer_role: dpm_recovery_points
        outer_name: extend
        outer_host: dpm01
        outer_check: true
        dpm_recovery_points_min_free_percent: "20"
        dpm_recovery_points_datasources: ['D:\\']
        dpm_recovery_points_computers: fs01
"""
DELEGATED_AND_CONVERTED = """
    - name: In check mode
      ansible.builtin.include_role: {name: outer}
      vars: {outer_role: backup_diagnose, outer_name: checked, outer_check: true}

    - name: On another machine than that of the play
      ansible.builtin.include_role: {name: outer}
      vars: {outer_role: backup_diagnose, outer_name: delegated, outer_host: dpm01}

    - name: From the machine whose mapping it is, in check mode and then as it is meant
      ansible.builtin.include_role: {name: outer}
      vars:
        outer_role: rdm_convert
        outer_name: "{{ item.name }}"
        outer_host: localhost
        outer_check: "{{ item.check }}"
        rdm_convert_vms: backup01
      loop:
        - {name: planned, check: true}
        - {name: converted, check: false}
        - {name: again, check: false}
"""
KEEP = """
    - name: Keep what the roles returned
      ansible.builtin.copy:
        content: "{{ kept | to_json }}"
        dest: "{{ file }}"
        mode: "0600"
      delegate_to: localhost
"""
READ = """
- name: Read the mappings
  hosts: localhost
  gather_facts: false
  tasks:
    - winbackup.storage.rdm_info:
      register: mappings
"""
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}


@dataclass(frozen=True)
class Machines:
    """The VM, the Windows machine in it, and a DPM server."""

    vcenter: VcenterLab
    windows: Site
    dpm_site: Site
    dpm: Dpm
    folder: Path

    def play(self, tasks: str) -> dict[str, Any]:
        """Runs these tasks; returns what the roles returned, by the names in them."""
        hosts: dict[str, Any] = {"localhost": LOCAL}
        for name, site in (("backup01", self.windows), ("dpm01", self.dpm_site)):
            # Which connection it is, the play says.
            variables = site.variables("winrm", "ntlm", "https")
            hosts[name] = {key: value for key, value in variables.items() if key != "ansible_connection"}
        (self.folder / "inventory.json").write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
        outer = self.folder / "roles" / "outer" / "tasks"
        outer.mkdir(parents=True)
        (outer / "main.yml").write_text(f"---{OUTER}", encoding="utf-8")
        (self.folder / "play.yml").write_text(f"---{READ}{PLAY}{tasks}{KEEP}", encoding="utf-8")
        file = self.folder / "kept.json"
        arguments = ("-i", "inventory.json", "play.yml", "-e", f"file={file}")
        run = run_ansible("playbook", self.folder, *arguments, environment=self.vcenter.variables())
        assert run.code == 0, run.text
        assert PASSWORD not in run.text
        kept: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        return kept


@pytest.fixture
def machines(vcenter: VcenterLab, dpm_server: tuple[Site, Dpm], tmp_path: Path) -> Iterator[Machines]:
    """All of them, as in the stories."""
    vcenter.world(WORLD)
    dpm_site, dpm = dpm_server
    dpm.control.world()
    guest = windows_of_backup01(vcenter)
    with windows_site(PowerShellCommands(guest.new_session)) as windows:
        yield Machines(vcenter, windows, dpm_site, dpm, tmp_path)


def found(result: dict[str, Any]) -> list[str]:
    return sorted(failure["signature"] for failure in result["failures"])


def test_included_from_a_role_in_a_loop_delegated_and_in_check_mode(machines: Machines) -> None:
    kept = machines.play(DIAGNOSED_AND_EXTENDED)
    assert found(kept["whole"]) == ["rdm_physical_shadow_copy", "truncated_at_2_tib"]
    assert [(step["action"], step["address"]) for step in kept["whole"]["plan"]][-1] == ("convert", "scsi0:1")
    # Nothing is left of the variables of the run before.
    assert found(kept["sizes"]) == ["truncated_at_2_tib"]
    assert kept["sizes"]["failures"][0]["vm_disk"] is None
    (volume,) = kept["extend"]["allocation"]["volumes"]
    assert (volume["state"], round(volume["after"]["allocated_bytes"] / 2**30, 2)) == ("would_extend", 53.27)
    cmdlets = {call["cmdlet"] for call in machines.dpm.control.hooks.calls()}
    assert not {name for name in cmdlets if name.startswith(("Edit-", "Set-DPM", "Start-DPM"))}


@pytest.mark.slow
def test_on_another_machine_than_the_plays_and_from_the_machine_whose_mapping_it_is(machines: Machines) -> None:
    kept = machines.play(DELEGATED_AND_CONVERTED)
    assert found(kept["checked"]) == ["rdm_physical_shadow_copy", "truncated_at_2_tib"]
    assert kept["delegated"]["machine"]["name"] == "DPM01"
    assert "replica_offline" in found(kept["delegated"])
    states = {name: kept[name]["vms"][0]["disks"][0]["state"] for name in ("planned", "converted", "again")}
    assert states == {"planned": "would_convert", "converted": "converted", "again": "unchanged"}
    assert (mapping_of(machines.vcenter)["mode"], mapping_of(machines.vcenter)["lun_canonical"]) == ("virtualMode", LUN)
