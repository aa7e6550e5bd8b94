"""What the README says, done as it stands: only the names of the server and of the repository are the lab's."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from dpm_lab import DpmLab
from reader import User
from vcenter_lab import VcenterLab

from ansible_collections.winbackup.storage.tests.unit.helpers.guides import readme_blocks as blocks

# Lines of a terminal window that is not small.
SCREEN = 45


@pytest.fixture
def user(vcenter: VcenterLab, tmp_path: Path) -> User:
    """Somebody in an empty directory, with the story on the lab."""
    vcenter.world(vcenter.story())
    return User(vcenter, tmp_path)


def test_the_way_of_a_user_prints_findings_on_one_screen(user: User) -> None:
    # Before any file is written.
    printed, _task, writing = (
        user.paste(blocks("sh")[0]).rpartition("TASK [Show what was found]")[2].partition("TASK [")
    )
    assert "report.html" in writing
    assert len(printed.splitlines()) <= SCREEN
    assert "9 raw device mappings (8 physical, 1 virtual)" in printed
    assert "physical_compatibility (8)" in printed
    assert "stops a conversion: bus_sharing (2): node-a scsi1:0, node-b scsi1:0" in printed


@pytest.mark.slow
def test_the_two_commands(user: User) -> None:
    _start, _over_ssh, plan, convert, delete = blocks("sh")[:5]
    assert "Nothing was changed" in user.run(plan)
    assert {disk["mode"] for disk in _mappings(user)} == {"physicalMode"}
    assert "changed=1" in user.run(convert)
    assert {disk["mode"] for disk in _mappings(user)} == {"virtualMode"}
    assert "changed=0" in user.run(convert)
    printed = user.run(delete)
    assert "changed=1" in printed
    assert printed.count("deleted the old mapping file [san01] backup01/") == 2
    # Of this machine alone: the plan names no other.
    assert "archive 01" not in printed


@pytest.mark.slow
def test_the_recovery_points(user: User) -> None:
    plan, extend = blocks("sh")[5:7]
    with DpmLab.start(speed=60, check_seconds=60) as dpm:
        user.windows = dpm.variables()
        assert "Nothing was changed" in user.run(plan)
        assert "changed=2" in user.run(extend)
        assert "changed=0" in user.run(extend)


@pytest.mark.slow
def test_the_playbook_of_the_readme(user: User) -> None:
    (user.folder / "play.yml").write_text(
        next(block for block in blocks("yaml") if "rdm_compatibility" in block).replace(
            "vcenter.example.com", user.lab.host
        ),
        encoding="utf-8",
    )
    secrets = {"vcenter_username": user.lab.username, "vcenter_password": user.lab.password}
    (user.folder / "secrets.json").write_text(json.dumps(secrets), encoding="utf-8")
    user.run("ansible-playbook play.yml -e @secrets.json")
    assert {disk["mode"] for disk in _mappings(user)} == {"virtualMode"}


def _mappings(user: User) -> list[dict[str, str]]:
    return [device for device in user.lab.vm("backup01")["devices"] if device["kind"] == "rdm"]
