# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the guides say, done as it stands: only the names of the servers are the lab's."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from dpm_lab import DpmLab
from guests import LOCAL, WORLD, mapping_of, windows_of_backup01
from playing import run_ansible
from reader import User
from vcenter_lab import VcenterLab
from wsman.powershell import PowerShellCommands
from wsman.site import windows_site

from ansible_collections.winbackup.storage.tests.unit.helpers.guides import GUIDES, blocks, guide


def plays(name: str) -> list[str]:
    """Returns the playbooks of a guide; an inventory is none."""
    return [block for block in blocks(guide(name), "yaml") if isinstance(yaml.safe_load(block), list)]


def write_inventory(folder: Path, name: str, **groups: dict[str, Any]) -> None:
    """Writes an inventory with hosts in groups."""
    children = {group: {"hosts": hosts} for group, hosts in groups.items()}
    inventory = {"all": {"hosts": {"localhost": LOCAL}, "children": children}}
    (folder / name).write_text(json.dumps(inventory), encoding="utf-8")


def test_every_playbook_of_the_guides_is_one(tmp_path: Path) -> None:
    write_inventory(tmp_path, "inventory.json", dpm={"dpm01": {}}, windows={"backup01": {}}, esxi={"esx01": {}})
    (tmp_path / "secrets.yml").write_text("vcenter_password: secret\n", encoding="utf-8")
    files = []
    for page in GUIDES:
        for number, play in enumerate(plays(page.stem.removeprefix("guide_"))):
            files.append(f"{page.stem}_{number}.yml")
            (tmp_path / files[-1]).write_text(play, encoding="utf-8")
    assert len(files) > 4
    run = run_ansible("playbook", tmp_path, "--syntax-check", "-i", "inventory.json", *files)
    assert run.code == 0, run.text
    assert "[WARNING]" not in run.text


@pytest.mark.slow
def test_converting(vcenter: VcenterLab, tmp_path: Path) -> None:
    vcenter.world(vcenter.story())
    user = User(vcenter, tmp_path)
    plan, convert, back, delete = blocks(guide("converting"), "sh")
    shown, converted = blocks(guide("converting"), "text")
    assert shown in user.run(plan)
    assert converted in user.run(convert)
    assert "changed=1" in user.run(back)
    assert {disk["mode"] for disk in _mappings(vcenter)} == {"physicalMode"}
    (play,) = plays("converting")
    (tmp_path / "play.yml").write_text(play.replace("vcenter.example.com", vcenter.host), encoding="utf-8")
    secrets = {"vcenter_username": vcenter.username, "vcenter_password": vcenter.password}
    (tmp_path / "secrets.json").write_text(json.dumps(secrets), encoding="utf-8")
    user.run("ansible-playbook play.yml -e @secrets.json")
    assert {disk["mode"] for disk in _mappings(vcenter)} == {"virtualMode"}
    assert user.run(delete).count("deleted the old mapping file [san01] backup01/") == 2


def _mappings(vcenter: VcenterLab) -> list[dict[str, Any]]:
    return [device for device in vcenter.vm("backup01")["devices"] if device["kind"] == "rdm"]


@pytest.mark.slow
def test_recovery_points(vcenter: VcenterLab, tmp_path: Path) -> None:
    vcenter.world(vcenter.story())
    user = User(vcenter, tmp_path)
    plan, extend, one_computer = blocks(guide("recovery_points"), "sh")
    with DpmLab.start(speed=60, check_seconds=60) as dpm:
        user.windows = dpm.variables()
        assert "Nothing was changed" in user.run(plan)
        printed = user.run(extend)
        # The sizes that the guide shows.
        for line in blocks(guide("recovery_points"), "text")[1].splitlines():
            assert line in printed
        assert "changed=0" in user.run(extend)
        user.run(one_computer)


@pytest.mark.slow
def test_the_playbooks_for_the_dpm_server(vcenter: VcenterLab, tmp_path: Path) -> None:
    user = User(vcenter, tmp_path)
    with DpmLab.start(speed=60, check_seconds=60) as dpm:
        write_inventory(tmp_path, "inventory.json", dpm={"dpm01": dpm.inventory()})
        for number, play in enumerate(plays("recovery_points")):
            (user.folder / "play.yml").write_text(play, encoding="utf-8")
            changed = (2, 1, 1)[number]
            assert f"changed={changed}" in user.run("ansible-playbook -i inventory.json play.yml")
            # The check that followed has written to the volume; what was asked for still holds.
            assert "changed=0" in user.run("ansible-playbook -i inventory.json play.yml")
            if number == 0:
                sources = dpm.do("state")["datasources"]
    full = next(source for source in sources if (source["name"], source["computer"]) == ("D:\\", "fs01.lab.test"))
    assert full["recovery"]["allocated"] - full["recovery"]["used"] > 10 * 2**30 - 2**28
    assert full["state"] != "Invalid"


def _timeless(text: str) -> set[str]:
    """The lines of a text, with no time in them."""
    return set(re.sub(r"\d{4}-\d\d-\d\dT[\d:]+Z", "TIME", text).splitlines())


@pytest.mark.slow
def test_from_a_symptom_to_the_cure(vcenter: VcenterLab, tmp_path: Path) -> None:
    vcenter.world(WORLD)
    guest = windows_of_backup01(vcenter)
    user = User(vcenter, tmp_path)
    diagnose, one_machine, site_plan, site_cure = blocks(guide("diagnosis"), "sh")
    told, story = blocks(guide("diagnosis"), "text")
    tokyo = {"hostname": vcenter.host, "ansible_port": vcenter.port, "ca_path": vcenter.ca_path}
    with windows_site(PowerShellCommands(guest.new_session)) as site:
        windows = site.variables("winrm", "ntlm", "https")
        write_inventory(tmp_path, "inventory.yml", vcenter={"tokyo": tokyo}, windows={"backup01": windows})
        assert _timeless(told) <= _timeless(user.run(diagnose))
        assert "rdm_physical_shadow_copy, certain" in user.run(one_machine)
        user.run(site_plan)
        assert mapping_of(vcenter)["mode"] == "physicalMode"
        printed = user.run(site_cure)
        assert _timeless(story) <= _timeless(printed)
        assert mapping_of(vcenter)["mode"] == "virtualMode"
        (play,) = plays("diagnosis")
        (user.folder / "play.yml").write_text(play, encoding="utf-8")
        assert "failed in its preparation" in user.run("ansible-playbook -i inventory.yml play.yml")


@pytest.mark.slow
def test_the_password_from_a_vault(vcenter: VcenterLab, tmp_path: Path) -> None:
    vcenter.world(WORLD)
    user = User(vcenter, tmp_path)
    (play,) = plays("security")
    play = play.replace("vcenter.example.com", vcenter.host).replace("auditor@vsphere.local", vcenter.username)
    (tmp_path / "play.yml").write_text(play, encoding="utf-8")
    (tmp_path / "secrets.yml").write_text(json.dumps({"vcenter_password": vcenter.password}), encoding="utf-8")
    (tmp_path / "key").write_text("a key\n", encoding="utf-8")
    user.run("ansible-vault encrypt --vault-password-file key secrets.yml")
    assert "ok=1" in user.run("ansible-playbook --vault-password-file key play.yml")
