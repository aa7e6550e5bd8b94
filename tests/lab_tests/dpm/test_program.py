"""The lab's DPM server as a program of its own: worlds, the control port, and Ansible's own connection."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import lab
import pytest
import winrm
from dpm.dpm import Dpm
from dpm.world import build, generated, read, story
from dpm_lab import DpmLab


@pytest.fixture(scope="module")
def server() -> Iterator[DpmLab]:
    with DpmLab.start() as one:
        yield one


def test_a_script_by_pywinrm_and_the_control_port(server: DpmLab) -> None:
    session = winrm.Session(
        f"https://{server.host}:{server.port}/wsman",
        auth=(server.username, server.password),
        transport="ntlm",
        server_cert_validation="validate",
        ca_trust_path=server.ca_path,
    )
    server.do("world")
    server.do("before", cmdlet="Get-DPMDatasource", actions=[["set_state", {"datasource": "E:\\", "state": "Invalid"}]])
    answer = session.run_ps("@(Get-DPMDatasource | Where-Object { $_.State -eq 'Invalid' }).Count")
    assert (answer.status_code, answer.std_out.split()) == (0, [b"2"])
    assert [call["cmdlet"] for call in server.do("calls")] == ["Get-DPMDatasource"]
    operations = [entry["action"] for entry in server.front("log") if entry["number"]]
    assert operations[:2] == ["Create", "Command"]
    assert operations[-1] == "Delete"
    before = server.do("state")
    server.do("advance", seconds=3600)
    assert server.do("state")["time"] > before["time"]
    assert "model" in before["note"]
    assert server.password not in json.dumps(server.front("log"))


def test_trouble_of_the_front_comes_over_the_control_port(server: DpmLab) -> None:
    server.front("clear")
    server.front("trouble", kind="status", action="Create", status=503)
    session = winrm.Session(
        f"https://{server.host}:{server.port}/wsman",
        auth=(server.username, server.password),
        transport="ntlm",
        ca_trust_path=server.ca_path,
    )
    with pytest.raises(winrm.exceptions.WinRMTransportError, match="503"):
        session.run_ps("1")
    assert session.run_ps("1").status_code == 0


def test_what_the_control_port_refuses(server: DpmLab) -> None:
    for name, arguments in [
        ("edit", {"datasource": "nothing", "shadow_copy_size": 1}),
        ("edit", {"datasource": "E:\\", "shadow_copy_size": "400TB"}),
        ("edit", {"datasource": "E:\\"}),
        ("advance", {"seconds": -1}),
        ("world", {"text": "pool: {discs: []}"}),
        ("__init__", {}),
    ]:
        with pytest.raises(RuntimeError, match="the lab refused"):
            server.do(name, **arguments)


def test_ansible_s_own_connection(server: DpmLab, tmp_path: Path) -> None:
    inventory = tmp_path / "inventory.yml"
    lab.write(inventory, json.dumps({"dpm": {"hosts": {"dpm01": server.inventory()}}}))
    assert inventory.stat().st_mode & 0o777 == 0o600
    script = "Get-DPMProtectionGroup | ForEach-Object { $_.Name }"
    command = [sys.executable, "-m", "ansible", "adhoc", "-i", str(inventory), "dpm", "-m", "ansible.builtin.raw"]
    environment = {**os.environ, "ANSIBLE_HOME": str(tmp_path / "home"), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(
        [*command, "-a", script], capture_output=True, text=True, timeout=60, env=environment, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert [line for line in done.stdout.splitlines()[1:] if line] == [group["name"] for group in story()["groups"]]


def test_a_program_that_ends_leaves_nothing_behind(tmp_path: Path) -> None:
    world = tmp_path / "world.yml"
    world.write_text("groups: [{name: g, sources: [{name: 'D:\\', computer: a.lab.test}]}]", encoding="utf-8")
    with DpmLab.start(world, language="ja", speed=1000) as one:
        assert [source["name"] for source in one.do("state")["datasources"]] == ["D:\\"]
        first = one.do("state")["time"]
        time.sleep(0.05)
        assert one.do("state")["time"] > first
        folder = Path(one.ca_path).parent
        assert folder.exists()
    assert not folder.exists()


def test_a_bad_world_says_what_is_wrong() -> None:
    for text, error in [
        ("groups: [{name: g, source: []}]", "group has no source"),
        ("options: {profile: '2010'}", "profile is one of"),
        ("options: {colour: red}", "no option is called colour"),
        ("groups: [{name: g, sources: [{name: a, computer: b, storage: paper}]}]", "no storage is called paper"),
        ("groups: [{name: g, sources: [{name: a, computer: b, recovery: [1GB, 2GB]}]}]", "cannot have"),
        ("- a", "a world is a table"),
    ]:
        with pytest.raises(ValueError, match=error):
            build(read(text))


@pytest.mark.parametrize("count", [1, 600])
def test_a_world_of_many_data_sources(count: int) -> None:
    dpm = Dpm(generated(count, short=1))
    script = (
        "$all = Get-DPMDatasource\n@($all).Count\n"
        "$legacy = $all | Where-Object { $_.ShadowCopyAreaSize -gt 0 }\n"
        "@($legacy | Where-Object { $_.ShadowCopyUsedSpace -ge 0.9 * $_.ShadowCopyAreaSize }).Count\n"
        "@(Get-DPMVolume -AlreadyInUseByDPM).Count"
    )
    started = time.monotonic()
    outcome = dpm.run(script)
    assert outcome.output == [count, 1, 2 * min(count, 300)]
    assert time.monotonic() - started < 10


def test_a_shell_that_reads_the_environment_finds_ansible_and_the_collection(tmp_path: Path) -> None:
    """What `make lab-up` writes is all that a shell of a clone needs, whatever the values hold."""
    file = tmp_path / "environment"
    lab.write(file, lab.environment({"VMWARE_PASSWORD": "it's $HOME"}))
    asked = '. "$0"; command -v ansible-playbook; echo "$ANSIBLE_COLLECTIONS_PATH"; echo "$VMWARE_PASSWORD"'
    done = subprocess.run(
        ["sh", "-c", asked, str(file)], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True
    )
    ansible, collections, password = done.stdout.splitlines()
    assert ansible == str(lab.ROOT / ".venv" / "bin" / "ansible-playbook")
    assert (Path(collections) / "ansible_collections" / "winbackup" / "storage" / "galaxy.yml").exists()
    assert password == "it's $HOME"
