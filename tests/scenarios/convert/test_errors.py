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


def test_a_wrong_host_name(ansible: Ansible) -> None:
    # A name that cannot even be asked for: no test asks a name server.
    message = ansible.refusal(hostname="vcenter..example")
    assert message == "The name vcenter..example cannot be resolved. Check the option hostname."


def test_a_wrong_port(ansible: Ansible) -> None:
    message = ansible.refusal(port=1)
    assert message == "127.0.0.1:1 refuses connections. Check hostname and port, and that the server is up."


def test_no_host_name_at_all(ansible: Ansible) -> None:
    message = ansible.refusal(hostname=None)
    assert message.startswith("No hostname of a vCenter or ESXi host was given.")
    assert "VMWARE_HOST" in message


def test_a_wrong_password(ansible: Ansible, vcenter: VcenterLab) -> None:
    message = ansible.refusal(password="no such password")
    assert f"does not accept the user name and password of {vcenter.username}." in message
    assert "Check username and password" in message
    assert "no such password" not in message
    assert [entry["method"] for entry in vcenter.log()].count("Login") == 1, "an account could be locked"


def test_an_untrusted_certificate(ansible: Ansible, vcenter: VcenterLab) -> None:
    message = ansible.refusal(ca_path=None)
    assert f"The certificate of {vcenter.host}:{vcenter.port} is not trusted" in message
    assert "Set ca_path to the certificate of the authority" in message
    assert "validate_certs" in message


def test_a_ca_path_that_is_not_there(ansible: Ansible) -> None:
    message = ansible.refusal(ca_path="/no/such/ca.pem")
    assert message.startswith("ca_path (/no/such/ca.pem) cannot be used: No such file or directory.")


def test_no_right_to_do_it(ansible: Ansible) -> None:
    message = ansible.refusal(username="reader", password="pw")
    assert message.startswith("2 reasons not to convert: ")
    assert "The user has not the privileges VirtualMachine.Config.RawDevice on backup01." in message
    assert "The user has not the privileges Datastore.AllocateSpace on san01." in message
    assert "Give the user a role that has them." in message


def test_no_right_to_read_it(ansible: Ansible) -> None:
    message = ansible.refusal(username="half blind", password="pw")
    assert "this could not be read" in message
    assert "Read-only" in message


def test_a_vm_that_the_user_may_not_see(ansible: Ansible) -> None:
    message = ansible.refusal(username="blind", password="pw")
    assert message == "No VM is named 'backup01'. See that it is spelled as in the inventory, and may be read."


def test_a_vm_that_is_not_there(ansible: Ansible) -> None:
    assert ansible.refusal(vm="Backup01") == "No VM is named 'Backup01'. There is /DC/vm/backup01."


def test_an_ambiguous_vm(ansible: Ansible, vcenter: VcenterLab) -> None:
    world = json.loads(one_disk(vm={"folder": "one"}))
    world["vms"][1].update({"name": VM, "folder": "two"})
    vcenter.world(json.dumps(world))
    message = ansible.refusal()
    assert message.startswith("2 VMs are meant by 'backup01': /DC/vm/one/backup01 (vm-")
    assert "/DC/vm/two/backup01 (vm-" in message
    assert message.endswith("Name the inventory path, the instance UUID or the managed object id.")


def test_a_disk_that_is_not_there(ansible: Ansible) -> None:
    message = ansible.refusal(disks=["scsi0:9"])
    assert message.startswith("backup01 has no disk 'scsi0:9'. It has scsi0:0 (Hard disk 1")


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


def test_a_blocker_that_cannot_be_overridden(ansible: Ansible) -> None:
    message = ansible.refusal(override=["has_snapshots"])
    assert "override" in message
    assert "other_hosts_unknown" in message
