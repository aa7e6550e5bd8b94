"""The shells of the hosts of a lab vCenter, looked at by OpenSSH's client, and beside it by pyVmomi."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from esxi_shell import EsxiShell
from pyVim.connect import Disconnect
from pyvmomi_client import SAN, Site
from vcenter_lab import VcenterLab

LOCAL = "t10.ATA_____WDC_WD20EFRX2D68EUZN0_________________________WD2DWCC4M0000001"
WORLD = f"""
hosts: [{{name: esx1.lab, version: 8.0.3}}, {{name: esx2.lab, version: 6.7.0}}]
datastores: [{{name: san01}}, {{name: "odd (1)", hosts: [esx1.lab]}}, {{name: nfs01, type: NFS}}]
luns:
  - {{name: {SAN}a, sectors: 4194304000, number: 5, paths: {{esx2.lab: {{uuid: 0200060000600601aa, number: 6}}}}}}
  - {{name: {SAN}b, sectors: 4194304000}}
  - {{name: {SAN}d, sectors: 4194304000, vmfs: san01}}
  - name: {LOCAL}
    sectors: 3907029168
    format: emulated512
    vendor: ATA
    model: WDC WD20EFRX-68E
    local: true
    hosts: [esx1.lab]
    display: Local ATA Disk ({LOCAL})
vms:
  - name: one
    host: esx1.lab
    boot_order: ["scsi0:1"]
    extra: {{"a.key": "x \\"quoted\\" # | y"}}
    disks: [{{flat: 1073741824}}, {{rdm: {SAN}a, disk_mode: persistent}}]
  - {{name: two, host: esx2.lab, disks: [{{flat: 1073741824}}]}}
  - {{name: "odd  name's \\"vm\\"", host: esx1.lab, annotation: "first\\nsecond", disks: [{{rdm: {LOCAL}}}]}}
  - {{name: broken, host: esx1.lab, connection: invalid, disks: [{{flat: 1073741824}}]}}
"""


@pytest.fixture(scope="session")
def vcenter() -> Iterator[VcenterLab]:
    """A lab vCenter of this worker, with hosts that have shells."""
    with VcenterLab.start(WORLD) as lab:
        yield lab


@pytest.fixture(scope="session")
def stores(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the datastores are."""
    return tmp_path_factory.mktemp("datastores")


@pytest.fixture(scope="session")
def shells(vcenter: VcenterLab, stores: Path) -> Iterator[dict[str, EsxiShell]]:
    """The shells of the hosts, by the host's name; a test may put another in the place of one that it closed."""
    opened = {host: EsxiShell(vcenter, host, stores) for host in ("esx1.lab", "esx2.lab")}
    yield opened
    for shell in opened.values():
        shell.close()


@pytest.fixture
def site(vcenter: VcenterLab, shells: dict[str, EsxiShell]) -> Iterator[Site]:
    """A session of the administrator on the API of a new world."""
    vcenter.world(WORLD)
    opened = Site(vcenter)
    yield opened
    Disconnect(opened.instance)


@pytest.fixture
def shell(site: Site, shells: dict[str, EsxiShell]) -> EsxiShell:
    """The shell of the first host of a new world."""
    return shells["esx1.lab"]


@pytest.fixture
def second(site: Site, shells: dict[str, EsxiShell]) -> EsxiShell:
    """The shell of the second host of a new world."""
    return shells["esx2.lab"]
