"""The module as Ansible runs it: what goes wrong before or at the first step is one clear sentence and what to do."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from harness import assert_nothing_written
from playing import run_ansible
from vcenter_lab import VcenterLab
from worlds import one_disk

VM = "backup01"
USERS = {
    "reader": {"password": "pw", "missing": ["VirtualMachine.Config.RawDevice", "Datastore.AllocateSpace"]},
    "blind": {"password": "pw", "unseen": [VM]},
    "half blind": {"password": "pw", "unreadable": [VM]},
}


class Ansible:
    """Ansible on this machine, pointed at the lab; `said` is all that it printed last."""

    said = ""

    def __init__(self, lab: VcenterLab, folder: Path) -> None:
        self.lab, self.folder = lab, folder
        self.options: dict[str, Any] = {
            "hostname": lab.host,
            "port": lab.port,
            "username": lab.username,
            "password": lab.password,
            "ca_path": lab.ca_path,
            "vm": VM,
        }

    def run(self, *arguments: str, **options: Any) -> dict[str, Any]:
        """Runs the module once, with options laid over the right ones (None takes one away); returns its result."""
        given = {name: value for name, value in {**self.options, **options}.items() if value is not None}
        done = run_ansible(
            "adhoc",
            self.folder,
            *("localhost", "-m", "winbackup.storage.rdm_compatibility", "-a", json.dumps(given), *arguments),
        )
        said = done.text
        assert self.lab.password not in said
        assert "Traceback" not in said
        found = re.search(r"^localhost \| \w+!? => (\{.*)", done.output, re.DOTALL | re.MULTILINE)
        assert found, said
        result: dict[str, Any] = json.JSONDecoder().raw_decode(found[1])[0]
        # Ansible shows warnings in lines of their own, broken at the width of the screen.
        self.said = " ".join(said.split())
        return {**result, "failed": done.code != 0}

    def play(self, calls: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Runs the module in one play, once with each of the options laid over the right ones; returns the results."""
        tasks: list[dict[str, Any]] = []
        for number, options in enumerate(calls):
            # The password is the play's; where Ansible shows a task that failed it shows no more than that.
            given = {**self.options, "password": "{{ secret }}", **options}
            given = {name: value for name, value in given.items() if value is not None}
            register = {"register": f"result_{number}", "ignore_errors": True}
            tasks.append({"winbackup.storage.rdm_compatibility": given, **register})
        names = ", ".join(f"result_{number}" for number in range(len(calls)))
        copy = {"content": f"{{{{ [{names}] | to_json }}}}", "dest": str(self.folder / "results.json")}
        plays = [{"hosts": "localhost", "gather_facts": False, "tasks": [*tasks, {"ansible.builtin.copy": copy}]}]
        (self.folder / "play.yml").write_text(json.dumps(plays), encoding="utf-8")
        (self.folder / "secret.json").write_text(json.dumps({"secret": self.lab.password}), encoding="utf-8")
        done = run_ansible("playbook", self.folder, "play.yml", "-e", "@secret.json")
        assert done.code == 0, done.text
        assert self.lab.password not in done.text
        assert "Traceback" not in done.text
        self.said = done.text
        results: list[dict[str, Any]] = json.loads((self.folder / "results.json").read_text(encoding="utf-8"))
        return results

    def refusal(self, *arguments: str, **options: Any) -> str:
        """Runs the module, which must fail and change nothing; returns its message."""
        before = self.lab.state()
        self.lab.clear_log()
        result = self.run(*arguments, **options)
        assert result["failed"]
        assert result["changed"] is False
        assert_nothing_written(self.lab, before)
        message: str = result["msg"]
        assert "\n" not in message
        return message


@pytest.fixture
def ansible(vcenter: VcenterLab, tmp_path: Path) -> Ansible:
    """Ansible, and a lab with one VM that could be converted."""
    vcenter.world(one_disk(users=USERS))
    return Ansible(vcenter, tmp_path)


def test_what_all_these_spoil(ansible: Ansible) -> None:
    """The right options convert, so that each of the others is what a test says it is."""
    result = ansible.run()
    assert result["changed"] is True
    assert [disk["state"] for disk in result["disks"]] == ["converted"]
    assert not result["failed"]
    caution = "[WARNING]: Whether the guest of backup01 needs SCSI pass-through to scsi0:1"
    assert caution in ansible.said
    again = ansible.run()
    assert (again["changed"], again["failed"]) == (False, False)
    assert caution not in ansible.said


def refusals(lab: VcenterLab) -> dict[str, tuple[dict[str, Any], str]]:
    """Returns by what is wrong with a call its options, laid over the right ones (None takes one away), and the message
    that it gets: * is any text."""
    return {
        # A name that cannot even be asked for: no test asks a name server.
        "a wrong host name": (
            {"hostname": "vcenter..example"},
            "The name vcenter..example cannot be resolved. Check the option hostname.",
        ),
        "a wrong port": (
            {"port": 1},
            "127.0.0.1:1 refuses connections. Check hostname and port, and that the server is up.",
        ),
        "no host name at all": (
            {"hostname": None},
            "No hostname of a vCenter or ESXi host was given.*VMWARE_HOST*",
        ),
        "a wrong password": (
            {"password": "no such password"},
            f"*does not accept the user name and password of {lab.username}.*Check username and password*",
        ),
        "an untrusted certificate": (
            {"ca_path": None},
            f"*The certificate of {lab.host}:{lab.port} is not trusted*"
            "Set ca_path (VMWARE_CA_PATH) to the certificate of the authority*validate_certs*",
        ),
        "a ca_path that is not there": (
            {"ca_path": "/no/such/ca.pem"},
            "ca_path (/no/such/ca.pem) cannot be used: No such file or directory.*",
        ),
        "no right to do it": (
            {"username": "reader", "password": "pw"},
            "2 reasons not to convert: *The user has not the privileges VirtualMachine.Config.RawDevice on backup01.*"
            "Give the user a role that has them.*",
        ),
        "no right to write to the datastore": (
            {"username": "reader", "password": "pw"},
            "2 reasons not to convert: *The user has not the privileges Datastore.AllocateSpace on san01.*"
            "Give the user a role that has them.*",
        ),
        "no right to read it": ({"username": "half blind", "password": "pw"}, "*this could not be read*Read-only*"),
        "a VM that the user may not see": (
            {"username": "blind", "password": "pw"},
            "No VM is named 'backup01'. See that it is spelled as in the inventory, and may be read.",
        ),
        "a VM that is not there": ({"vm": "Backup01"}, "No VM is named 'Backup01'. There is /DC/vm/backup01."),
        "an ambiguous VM": (
            {"vm": "twin"},
            "2 VMs are meant by 'twin': /DC/vm/one/twin (vm-*/DC/vm/two/twin (vm-*"
            "Name the inventory path, the instance UUID or the managed object id.",
        ),
        "a disk that is not there": (
            {"disks": ["scsi0:9"]},
            "backup01 has no disk 'scsi0:9'. It has scsi0:0 (Hard disk 1*",
        ),
        "a blocker that cannot be overridden": ({"override": ["has_snapshots"]}, "*override*other_hosts_unknown*"),
    }


def test_what_is_wrong_with_a_call_is_one_sentence(ansible: Ansible, vcenter: VcenterLab) -> None:
    """All in one play; none of the calls changes anything."""
    world = json.loads(one_disk(users=USERS))
    world["vms"] += [{**world["vms"][1], "name": "twin", "folder": folder} for folder in ("one", "two")]
    vcenter.world(json.dumps(world))
    before = vcenter.state()
    vcenter.clear_log()
    calls = refusals(vcenter)
    results = ansible.play([options for options, _message in calls.values()])
    for (wrong, (_options, message)), result in zip(calls.items(), results, strict=True):
        pattern = ".*".join(map(re.escape, message.split("*")))
        assert re.fullmatch(pattern, result["msg"]), f"{wrong}: {result['msg']}"
        assert (result["failed"], result["changed"]) == (True, False), wrong
    assert "no such password" not in ansible.said
    refused = [entry for entry in vcenter.log() if entry["method"] == "Login" and entry["outcome"] != "ok"]
    assert len(refused) == 1, "an account could be locked"
    assert_nothing_written(vcenter, before)


def test_a_free_licence(ansible: Ansible, vcenter: VcenterLab) -> None:
    vcenter.change_host("esx1.lab", "free_licence")
    message = ansible.refusal()
    assert message.count("Current license or ESXi version prohibits execution of the requested operation") == 1
    assert "over SSH" in message


def test_a_library_that_is_missing(ansible: Ansible) -> None:
    """The interpreter that lacks it is named, since it is rarely the one that people think of."""
    bare = ansible.folder / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    python = bare / "bin" / "python"
    message = ansible.refusal("-e", f"ansible_python_interpreter={python}")
    assert message.startswith(f"The Python interpreter {python} lacks the library pyvmomi")
    assert f"{python} -m pip install pyvmomi" in message
    assert "ansible_python_interpreter" in message
