"""What the README says, done as it stands: only the names of the server and of the repository are the lab's."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest
from dpm_lab import DpmLab
from vcenter_lab import VcenterLab

ROOT = Path(__file__).resolve().parents[3]
README = (ROOT / "README.md").read_text(encoding="utf-8")
# Lines of a terminal window that is not small.
SCREEN = 45


def blocks(language: str) -> list[str]:
    """Returns the code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.M | re.S)


@pytest.fixture
def user(vcenter: VcenterLab, tmp_path: Path) -> User:
    """Somebody in an empty directory, with the story on the lab."""
    vcenter.world(vcenter.story())
    return User(vcenter, tmp_path)


class User:
    """Somebody who pastes what the README says into a shell."""

    def __init__(self, lab: VcenterLab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        self.windows: dict[str, str] = {}

    def paste(self, script: str) -> str:
        """Runs a script as a user's shell would; returns what it printed."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        environment = {
            **kept,
            # What pip would fetch is here already, so that it fetches nothing.
            "PYTHONPATH": sysconfig.get_paths()["purelib"],
            "PIP_NO_INDEX": "1",
            "PATH": f"{kept['PATH']}:{Path(sys.executable).parent}",
            "HOME": str(self.folder),
            "ANSIBLE_HOME": str(self.folder / "home"),
            "ANSIBLE_NOCOLOR": "true",
            "VMWARE_PORT": str(self.lab.port),
            "VMWARE_CA_PATH": self.lab.ca_path,
            **self.windows,
        }
        script = script.replace("https://github.com/winbackup/storage.git", f"file://{ROOT}")
        script = script.replace("vcenter.example.com", self.lab.host)
        script = script.replace("administrator@vsphere.local", self.lab.username)
        run = subprocess.run(
            ["bash", "-e", "-c", script],
            env=environment,
            cwd=self.folder,
            input=f"{self.lab.password}\n",
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert run.returncode == 0, run.stdout + run.stderr
        assert self.lab.password not in run.stdout + run.stderr
        return run.stdout


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
    start, _over_ssh, plan, convert, delete = blocks("sh")[:5]
    prepare = start.rpartition("ansible-playbook")[0]
    assert "Nothing was changed" in user.paste(prepare + plan)
    assert {disk["mode"] for disk in _mappings(user)} == {"physicalMode"}
    assert "changed=1" in user.paste(prepare + convert)
    assert {disk["mode"] for disk in _mappings(user)} == {"virtualMode"}
    assert "changed=0" in user.paste(prepare + convert)
    printed = user.paste(prepare + delete)
    assert "changed=1" in printed
    assert printed.count("deleted the old mapping file [san01] backup01/") == 2
    # Of this machine alone: the plan names no other.
    assert "archive 01" not in printed


@pytest.mark.slow
def test_the_recovery_points(user: User) -> None:
    prepare = blocks("sh")[0].rpartition("ansible-playbook")[0]
    plan, extend = blocks("sh")[5:7]
    with DpmLab.start(speed=60, check_seconds=60) as dpm:
        user.windows = dpm.variables()
        assert "Nothing was changed" in user.paste(prepare + plan)
        assert "changed=2" in user.paste(prepare + extend)
        assert "changed=0" in user.paste(prepare + extend)


@pytest.mark.slow
def test_the_playbook_for_the_dpm_server(user: User) -> None:
    local = {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}
    prepare = blocks("sh")[0].rpartition("ansible-playbook")[0]
    with DpmLab.start(speed=60, check_seconds=60) as dpm:
        inventory = {"all": {"hosts": {"localhost": local}}, "dpm": {"hosts": {"dpm01": dpm.inventory()}}}
        (user.folder / "inventory.json").write_text(json.dumps(inventory), encoding="utf-8")
        play = next(block for block in blocks("yaml") if "dpm_allocation" in block)
        (user.folder / "play.yml").write_text(play, encoding="utf-8")
        assert "changed=2" in user.paste(prepare + "ansible-playbook -i inventory.json play.yml")
        # The check that followed has written to the volume; what was asked for still holds.
        assert "changed=0" in user.paste(prepare + "ansible-playbook -i inventory.json play.yml")
        sources = dpm.do("state")["datasources"]
    full = next(source for source in sources if (source["name"], source["computer"]) == ("D:\\", "fs01.lab.test"))
    assert full["recovery"]["allocated"] - full["recovery"]["used"] > 10 * 2**30 - 2**28
    assert full["state"] != "Invalid"


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
    prepare = blocks("sh")[0].rpartition("ansible-playbook")[0]
    user.paste(prepare + "ansible-playbook play.yml -e @secrets.json")
    assert {disk["mode"] for disk in _mappings(user)} == {"virtualMode"}


def _mappings(user: User) -> list[dict[str, str]]:
    return [device for device in user.lab.vm("backup01")["devices"] if device["kind"] == "rdm"]
