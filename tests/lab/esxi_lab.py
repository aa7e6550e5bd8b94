#!/usr/bin/env python3
# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host of the lab as in the first report: it stands alone, has a free licence, and maps two local SATA disks.

Its API reads and refuses every write; its shell does the work. It needs what the ESXi shell of the lab needs: busybox,
sshd, and root or user namespaces.
"""

from __future__ import annotations

import json
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import openssh
import outliving
import vcenter_lab
from esxi_shell import EsxiShell

STATE = vcenter_lab.OUTPUT / "esxi.json"
HOST = "esx-branch.lab"
_DISK = "t10.ATA_____WDC_WD{}0EFRX2D68EUZN0_________________________WD2DWCC4{}000000{}"
DISKS = (_DISK.format(2, "M", 1), _DISK.format(3, "N", 2))
WORLD = f"""
api: esxi
hosts: [{{name: {HOST}, version: 7.0.3, licence: free}}]
datastores: [{{name: datastore1}}]
luns:
  - {{name: {DISKS[0]}, sectors: 3907029168, format: emulated512, vendor: "ATA     ", model: "WDC WD20EFRX-68E",
      local: true, partitioned: true, display: "Local ATA Disk (2 TB)"}}
  - {{name: {DISKS[1]}, sectors: 5860533168, format: emulated512, vendor: "ATA     ", model: "WDC WD30EFRX-68E",
      local: true, partitioned: true, display: "Local ATA Disk (3 TB)"}}
vms:
  - name: fileserver
    host: {HOST}
    power: "on"
    boot_order: ["scsi0:0"]
    disks: [{{flat: 85899345920}}, {{rdm: {DISKS[0]}}}, {{rdm: {DISKS[1]}}}]
"""


def serve() -> None:
    """Runs the host until it is told to end, and prints how it is reached, both ways."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    stores = Path(tempfile.mkdtemp(prefix="esxi-stores-"))
    try:
        with vcenter_lab.VcenterLab.start(WORLD) as lab, EsxiShell(lab, HOST, stores) as shell:
            print(json.dumps({"ssh": shell.variables(), "api": lab.variables()}), flush=True)
            ended.wait()
    finally:
        shutil.rmtree(stores, ignore_errors=True)


def running() -> dict[str, Any] | None:
    """Returns how the host that `up` started is reached; None where none was."""
    return json.loads(STATE.read_text(encoding="utf-8")) if STATE.exists() else None


def up() -> bool:
    """Starts the host so that it outlives this program; returns False where this machine cannot have one."""
    down()
    if shutil.which("busybox") is None or shutil.which("unshare") is None or not openssh.is_installed():
        return False
    outliving.start([sys.executable, __file__], STATE, "the lab's ESXi host")
    return True


def down() -> None:
    """Ends the host that `up` started."""
    outliving.end(STATE)


if __name__ == "__main__":
    serve()
