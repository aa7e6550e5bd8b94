#!/usr/bin/env python3
# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Windows machine of the story: it runs in the VM backup01 of the lab vCenter, behind WinRM, and its backups fail.

Its disks follow what becomes of the VM's. Once no shadow copy of it fails any more, a night passes and its backup ends
well.
"""

from __future__ import annotations

import datetime
import json
import secrets
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any

import outliving
import vcenter_lab
from guest import shapes
from guest.disks import Partition
from guest.guest import Guest
from guest.tie import Content, Tie
from inventories import winrm_variables
from wsman import Account, Certificates, WinRmHost
from wsman.powershell import PowerShellCommands

STATE = vcenter_lab.OUTPUT / "guest.json"
NAME, USER = "backup01", "svc-backup"
TARGET = "a59dcd66-5963-4ba8-995c-915935cb8654"
_GIB = 1 << 30
_DISK = "t10.ATA_____WDC_WD{}0EFRX2D68EUZN0_________________________WD2DWCC4{}000000{}"
# By what they lie on: the system, and the two local disks that are mapped; backups go to E: on the larger one.
CONTENTS = {
    "scsi0:0": Content(
        "{0d6c9a2c-5b0e-4f7e-9d3f-1f7f3b7b2c10}",
        (Partition(1 << 20, 79 * _GIB, volume="c19dcd66-5963-4ba8-995c-915935cb8654", letter="C"),),
        boot=True,
    ),
    _DISK.format(2, "M", 1): Content(
        "{0d6c9a2c-5b0e-4f7e-9d3f-1f7f3b7b2c11}",
        (Partition(1 << 20, 1800 * _GIB, volume="d29dcd66-5963-4ba8-995c-915935cb8654", letter="D"),),
    ),
    _DISK.format(3, "N", 2): Content(
        "{0d6c9a2c-5b0e-4f7e-9d3f-1f7f3b7b2c12}",
        (Partition(1 << 20, 2790 * _GIB, volume=TARGET, letter="E"),),
    ),
}


class BackupServer:
    """The machine; the next backup follows a night after its disk is whole again."""

    def __init__(self, vcenter: vcenter_lab.VcenterLab) -> None:
        self.guest = Guest(name=NAME, now=datetime.datetime.now(datetime.UTC))
        self._tie = Tie(self.guest, vcenter, NAME, vcenter.story(), CONTENTS)
        self.guest.at_session = lambda _guest: self._refresh()
        self.guest.backup_fails(f"\\\\?\\Volume{{{TARGET}}}", "E:")
        self._fails = True

    def _refresh(self) -> None:
        self._tie.refresh()
        is_whole = TARGET not in self.guest.shadows.failing and not any(disk.offline for disk in self.guest.disks)
        if self._fails and is_whole:
            self._fails = False
            self.guest.now += datetime.timedelta(days=1)
            began = self.guest.now - datetime.timedelta(minutes=20)
            self.guest.add(shapes.backup_finished(4, 0, 0, began, "E:", version=self.guest.profile.backup), 5)


def serve() -> None:
    """Runs the machine until it is told to end, and prints how it is reached."""
    ended = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ended.set())
    vcenter = vcenter_lab.VcenterLab.of(json.loads(vcenter_lab.STATE.read_text(encoding="utf-8")))
    password = secrets.token_urlsafe(18)
    with tempfile.TemporaryDirectory(prefix="guest-lab-") as folder:
        certificates = Certificates(Path(folder))
        commands = PowerShellCommands(BackupServer(vcenter).guest.new_session)
        with WinRmHost([Account(USER, password)], commands, certificates=certificates) as host:
            said = winrm_variables("localhost", host.tls_port, USER, password, str(certificates.ca_file))
            print(json.dumps({"inventory": said}), flush=True)
            ended.wait()


def running() -> dict[str, Any] | None:
    """Returns the variables of the machine that `up` started, in an inventory; None where none was."""
    if not STATE.exists():
        return None
    said: dict[str, Any] = json.loads(STATE.read_text(encoding="utf-8"))["inventory"]
    return said


def up() -> None:
    """Starts the machine in the lab vCenter that is up, so that it outlives this program."""
    down()
    outliving.start([sys.executable, __file__], STATE, "the lab's Windows machine")


def down() -> None:
    """Ends the machine that `up` started."""
    outliving.end(STATE)


if __name__ == "__main__":
    serve()
