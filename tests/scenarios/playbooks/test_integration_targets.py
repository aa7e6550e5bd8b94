"""The integration targets, which also run against a real site, against the lab."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from dpm_lab import DpmLab
from guest.disks import Disk, Partition
from guest.guest import Guest
from vcenter_lab import VcenterLab
from wsman.powershell import PowerShellCommands
from wsman.site import PASSWORD, USER, Site, windows_site

ROOT = Path(__file__).resolve().parents[3]
LUN = "naa.60060160a1b1234500000000000000a1"
SPARE = "naa.60060160a1b1234500000000000000a2"
WORLD = f"""
hosts: [{{name: esx1.lab}}]
datastores: [{{name: san01}}]
luns: [{{name: {LUN}, sectors: 4194304, serial: ONE}}, {{name: {SPARE}, sectors: 4194304}}]
vms: [{{name: server, host: esx1.lab, power: "on", disks: [{{flat: 1073741824}}, {{rdm: {LUN}}}]}}]
"""


TARGETS = sorted(path.name for path in (ROOT / "tests" / "integration" / "targets").iterdir())


@pytest.mark.slow
def test_the_targets_pass_on_the_lab(vcenter: VcenterLab) -> None:
    vcenter.world(WORLD)
    guest = Guest()
    part = Partition(1 << 20, 70 << 30, volume="a59dcd66-5963-4ba8-995c-915935cb8654", letter="C")
    guest.disks = [Disk(0, 80 << 30, style="MBR", disk_id=str(0xA1B2C3D4), boot=True, partitions=[part])]
    windows = windows_site(PowerShellCommands(guest.new_session))
    with DpmLab.start(speed=60, check_seconds=60) as dpm, windows as site:
        said = run_targets(vcenter, dpm, site)
    assert len(TARGETS) >= 5
    for target in TARGETS:
        assert f"Running {target} integration test role" in said


def run_targets(vcenter: VcenterLab, dpm: DpmLab, windows: Site) -> str:
    """Runs all targets with ansible-test; returns what it said."""
    laid = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "lay_tree.py"), "copy"], check=True, capture_output=True, text=True
    )
    tree = Path(laid.stdout.strip()) / "ansible_collections" / "winbackup" / "storage"
    settings = {
        "vcenter_hostname": vcenter.host,
        "vcenter_port": vcenter.port,
        "vcenter_username": vcenter.username,
        "vcenter_password": vcenter.password,
        "vcenter_ca_path": vcenter.ca_path,
        "machine": "server",
        "spare_lun": SPARE,
        "spare_datastore": "san01",
        "dpm_hostname": dpm.host,
        "dpm_port": dpm.port,
        "dpm_username": dpm.username,
        "dpm_password": dpm.password,
        "dpm_ca_trust_path": dpm.ca_path,
        "dpm_datasource": "D:\\",
        "dpm_computer": "fs02.lab.test",
        "windows_hostname": "localhost",
        "windows_port": windows.host.tls_port,
        "windows_username": USER,
        "windows_password": PASSWORD,
        "windows_ca_trust_path": str(windows.certificates.ca_file),
    }
    config = tree / "tests" / "integration" / "integration_config.yml"
    config.touch(mode=0o600)
    config.write_text(json.dumps(settings), encoding="utf-8")
    command = ["ansible-test", "integration", "--local", "--python", f"{sys.version_info[0]}.{sys.version_info[1]}"]
    try:
        run = subprocess.run(
            [str(Path(sys.executable).parent / command[0]), *command[1:]],
            cwd=tree,
            env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
            capture_output=True,
            text=True,
            timeout=900,
        )
    finally:
        config.unlink()
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout + run.stderr
