# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One stand-alone host of the lab, read over its API and over SSH: the same world, two faces."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from esxi_shell import EsxiShell
from harness import options_for
from vcenter_lab import VcenterLab

from ansible_collections.winbackup.storage.plugins.module_utils._core.command import Completed
from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, result_of
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell import commands as over_shell
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import commands as over_api

SAN = "naa.60060160a1b1234500000000000000"
LOCAL = "t10.ATA_____WDC_WD20EFRX2D68EUZN0_________________________WD2DWCC4M0000001"
LARGE = "t10.ATA_____WDC_WD30EFRX2D68EUZN0_________________________WD2DWCC4N0000002"
HOST = "esx1.lab"
WORLD = f"""
api: esxi
hosts: [{{name: esx1.lab, version: VERSION}}]
datastores: [{{name: local1}}, {{name: "odd (1) [x] データ"}}, {{name: nfs01, type: NFS}}]
luns:
  - {{name: {LOCAL}, sectors: 3907029168, format: emulated512, vendor: ATA, model: WDC WD20EFRX-68E, local: true}}
  - {{name: {LARGE}, sectors: 5860533168, format: emulated512, vendor: ATA, model: WDC WD30EFRX-68E, local: true}}
  - {{name: {SAN}a, sectors: 4194304000, transport: fc, number: 5}}
  - {{name: {SAN}b, sectors: 4194304000, transport: fc, perennially_reserved: true}}
  - {{name: {SAN}c, sectors: 4194304000, transport: usb, local: true}}
  - {{name: {SAN}d, sectors: 4194304000, vmfs: local1, local: true}}
  - {{name: {SAN}e, sectors: 4194304000, transport: fc}}
vms:
  - name: winsrv
    host: esx1.lab
    disks: [{{flat: 85899345920}}, {{rdm: {LOCAL}}}, {{rdm: {LARGE}, mode: virtual, disk_mode: persistent}}]
  - {{name: "running", host: esx1.lab, power: "on", disks: [{{flat: 1073741824}}, {{rdm: {SAN}a}}]}}
  - {{name: plain, host: esx1.lab, disks: [{{flat: 1073741824}}]}}
files:
  - {{file: "[local1] old/forgotten.vmdk", rdm: {SAN}e}}
"""


class Ssh:
    """What the action plugins lend, here by OpenSSH's own client, so that a test needs no playbook."""

    name = HOST

    def __init__(self, shell: EsxiShell) -> None:
        self.shell = shell

    def run(self, command: str, data: bytes, *, deadline: float, repeatable: bool) -> Completed:
        """Runs a command line on an input and returns its output."""
        assert repeatable, "reading may be done again"
        left = deadline - time.monotonic()
        done: subprocess.CompletedProcess[bytes] = self.shell.run(command, data, timeout=max(1.0, min(left, 120.0)))
        return Completed(done.stdout, done.stderr, done.returncode)


class Both:
    """The host, and its two ways."""

    def __init__(self, lab: VcenterLab, shell: EsxiShell) -> None:
        self.lab, self.shell = lab, shell

    def world(self, text: str = WORLD, version: str = "8.0.3") -> None:
        """Makes a new world, of a version of the host."""
        self.lab.world(text.replace("VERSION", version))

    def api(self, module: str, **given: Any) -> dict[str, Any]:
        """Reads over the API."""
        spec = getattr(over_api, module.upper())
        failure, result = result_of(getattr(over_api, module), ModuleCall(options_for(self.lab, spec, **given)))
        assert failure is None, failure
        return result

    def ssh(self, module: str, **given: Any) -> dict[str, Any]:
        """Reads over SSH."""
        spec = getattr(over_api, module.upper())
        work: Callable[..., Any] = getattr(over_shell, module)
        call = ModuleCall(options_for(self.lab, spec, **given))
        failure, result = result_of(lambda one: work(one, Ssh(self.shell)), call)
        assert failure is None, failure
        return result


@pytest.fixture(scope="session")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """A host of this worker with both faces."""
    world = WORLD.replace("VERSION", "8.0.3")
    with VcenterLab.start(world) as lab, EsxiShell(lab, HOST, _stores(tmp_path_factory)) as shell:
        yield Both(lab, shell)


def _stores(factory: pytest.TempPathFactory) -> Path:
    return factory.mktemp("datastores")
