# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The playbook rehearse: on both kinds of servers at once, into files without names; and without a LUN named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from dpm_lab import DpmLab
from esxi_shell import EsxiShell
from harness import without_sessions
from playing import run_ansible
from vcenter_lab import VcenterLab

SPARE = "naa.60060160a1b1234500000000000000a2"
WORLD = f"""
one_reconfigure: InvalidDeviceSpec
hosts: [{{name: esx1.mueller.example}}]
datastores: [{{name: san01}}]
luns: [{{name: {SPARE}, sectors: 4194304}}, {{name: {SPARE[:-1]}3, sectors: 4194304, vmfs: san01}}]
vms: [{{name: backup01, host: esx1.mueller.example, disks: [{{flat: 1073741824}}]}}]
"""


def inventory(folder: Path, vcenter: VcenterLab, dpm: DpmLab) -> Path:
    """Returns an inventory with both servers; the passwords are in it."""
    reached: dict[str, Any] = {
        "hostname": vcenter.host,
        "port": vcenter.port,
        "username": vcenter.username,
        "password": vcenter.password,
        "ca_path": vcenter.ca_path,
    }
    groups = {"vcenter": {"hosts": {"vc": reached}}, "dpm": {"hosts": {"dpm01": dpm.inventory()}}}
    path = folder / "hosts.yml"
    path.write_text(yaml.safe_dump({"all": {"children": groups}}), encoding="utf-8")
    return path


def test_both_servers_are_told_of_without_a_name(vcenter: VcenterLab, tmp_path: Path) -> None:
    vcenter.world(WORLD)
    before = without_sessions(vcenter.state())
    with DpmLab.start(speed=60, check_seconds=60) as dpm:
        servers = inventory(tmp_path, vcenter, dpm)
        given = ["-e", f"rehearse_lun={SPARE}", "-e", "rehearse_datastore=san01"]
        run = run_ansible("playbook", tmp_path, "-i", str(servers), "winbackup.storage.rehearse", *given)
    assert run.code == 0, run.text
    assert {host: counts["changed"] for host, counts in run.recap.items()} == {"vc": 0, "dpm01": 0}
    assert without_sessions(vcenter.state()) == before
    assert "to virtual in one reconfigure: refused (InvalidDeviceSpec)" in run.output
    assert "to virtual two reconfigures, to physical two reconfigures, on SATA two reconfigures." in run.output
    written = {path.name: path.read_text(encoding="utf-8") for path in (tmp_path / "winbackup-rehearsal").iterdir()}
    assert set(written) == {"vsphere-1.json", "dpm-1.json"}
    report, shape = (json.loads(written[name]) for name in ("vsphere-1.json", "dpm-1.json"))
    assert report["complete"]
    assert report["conversion"]["to_virtual"] == "two_reconfigures"
    assert shape["datasources"]["each"]["storage_kind"]
    assert shape["datasources"]["each"]["name"] == "text"
    for name in (SPARE, "mueller", "san01", "fs01", "dpm01", "D:\\\\", "lab.test", vcenter.password, dpm.password):
        assert not [file for file, text in written.items() if name in text], name


def test_without_a_lun_it_shows_what_could_be_taken(vcenter: VcenterLab, tmp_path: Path) -> None:
    vcenter.world(WORLD)
    vcenter.clear_log()
    run = run_ansible("playbook", tmp_path, "winbackup.storage.rehearse", environment=vcenter.variables())
    assert run.code == 0, run.text
    assert f"{SPARE}, 2.00 GiB, seen by esx1.mueller.example" in run.output
    assert f"{SPARE[:-1]}3" not in run.output
    assert "Nothing was made." in run.output
    assert not [entry for entry in vcenter.log() if entry["writes"]]
    assert not (tmp_path / "winbackup-rehearsal").exists()


@pytest.mark.slow
def test_a_server_that_does_not_let_in_hides_no_other(vcenter: VcenterLab, tmp_path: Path) -> None:
    vcenter.world(WORLD)
    with DpmLab.start(speed=60, check_seconds=60) as dpm:
        servers = inventory(tmp_path, vcenter, dpm)
        given = ["-e", f"rehearse_lun={SPARE}", "-e", "rehearse_datastore=san01", "-e", "username=nobody"]
        run = run_ansible("playbook", tmp_path, "-i", str(servers), "winbackup.storage.rehearse", *given)
    assert run.code != 0
    assert {host: counts["failed"] for host, counts in run.recap.items()} == {"vc": 1, "dpm01": 0}
    assert "does not accept the user name and password of nobody" in " ".join(run.text.split())
    assert [path.name for path in (tmp_path / "winbackup-rehearsal").iterdir()] == ["dpm-1.json"]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["-e", f"rehearse_luns={SPARE}"], "There is no variable rehearse_luns. Did you mean rehearse_lun?"),
        (["-e", f"rehearse_lun={SPARE}"], "rehearse_lun and rehearse_datastore go together"),
        (
            ["-e", f"rehearse_lun={SPARE[:-1]}3", "-e", "rehearse_datastore=san01"],
            "carries a partition table (gpt, 1 partitions). Name a spare LUN.",
        ),
    ],
)
def test_what_cannot_be_is_told(vcenter: VcenterLab, tmp_path: Path, given: list[str], said: str) -> None:
    vcenter.world(WORLD)
    vcenter.clear_log()
    slip = run_ansible("playbook", tmp_path, "winbackup.storage.rehearse", *given, environment=vcenter.variables())
    assert slip.code != 0
    assert said in " ".join(slip.text.split())
    assert not [entry for entry in vcenter.log() if entry["writes"]]


@pytest.mark.slow
def test_a_host_whose_licence_lets_the_api_read_only_is_rehearsed_over_ssh(tmp_path: Path) -> None:
    """It takes one mapping of a LUN, and a forgotten one lies about: little is asked then, and it is told."""
    world = yaml.safe_load(WORLD)
    world["hosts"] = [{"name": "esx1.mueller.example", "version": "7.0.3", "licence": "free"}]
    world["luns"][0]["local"] = True
    world |= {"api": "esxi", "second_mapping": "InvalidDeviceBacking"}
    world["files"] = [{"file": "[san01] forgotten/data.vmdk", "rdm": SPARE}]
    with (
        VcenterLab.start(json.dumps(world)) as lab,
        EsxiShell(lab, "esx1.mueller.example", tmp_path / "stores") as shell,
    ):
        before = without_sessions(lab.state())
        inventory_file = tmp_path / "hosts.json"
        inventory_file.write_text(json.dumps({"esxi": {"hosts": {"free1": shell.variables()}}}), encoding="utf-8")
        given = ["-e", f"rehearse_lun={SPARE}", "-e", "rehearse_datastore=san01"]
        run = run_ansible("playbook", tmp_path, "-i", str(inventory_file), "winbackup.storage.rehearse", *given)
        assert run.code == 0, run.text
        assert run.recap["free1"]["changed"] == 0
        assert without_sessions(lab.state()) == before
        assert not list((tmp_path / "stores").rglob("winbackup-rehearsal-*"))
    assert "new physical mapping: refused" in run.output
    assert "removal of vm: accepted" in run.output
    said = "A conversion over SSH will go so: to virtual rolled back, to physical rolled back, on SATA rolled back."
    assert said in run.output
    (file,) = (tmp_path / "winbackup-rehearsal").iterdir()
    text = file.read_text(encoding="utf-8")
    assert json.loads(text)["server"]["over"] == "ssh"
    for name in (SPARE, "mueller", "san01", "free1"):
        assert name not in text, name
