# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The lab's DPM server as a program: says on one line of JSON how to reach it, and runs until it is ended."""

from __future__ import annotations

import argparse
import contextlib
import json
import secrets
import signal
import tempfile
import threading
from pathlib import Path

from wsman import Account, Certificates, WinRmHost
from wsman.powershell import PowerShellCommands
from wsman.ssh import SshHost

from . import BANNER
from .dpm import Dpm
from .port import ControlPort
from .world import read

USER = "svc-dpm"


def main() -> None:
    """The program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--world", type=Path, help="YAML file of the world; default: the story")
    parser.add_argument("--options", default="{}", help="options of the server, as a JSON object")
    parser.add_argument("--speed", type=float, default=0.0, help="how fast its clock runs; 0: only when told")
    parser.add_argument("--ssh", action="store_true", help="with an OpenSSH server beside WinRM")
    given = parser.parse_args()
    world = read(given.world.read_text(encoding="utf-8")) if given.world else None
    dpm = Dpm(world, **json.loads(given.options))
    dpm.control.speed(given.speed)
    password = secrets.token_urlsafe(18)
    ended = threading.Event()
    for one in (signal.SIGTERM, signal.SIGINT):
        signal.signal(one, lambda *_: ended.set())
    with tempfile.TemporaryDirectory(prefix="dpm-lab-") as folder:
        certificates = Certificates(Path(folder))
        commands = PowerShellCommands(dpm.new_session)
        with contextlib.ExitStack() as stack:
            host = stack.enter_context(WinRmHost([Account(USER, password)], commands, certificates=certificates))
            ssh = stack.enter_context(SshHost(commands, Path(folder), host.troubles)) if given.ssh else None
            port = ControlPort(dpm.control, host)
            said = {
                "note": BANNER,
                "host": "localhost",
                "port": host.tls_port,
                "username": USER,
                "password": password,
                "ca_path": str(certificates.ca_file),
                "control_url": port.url,
                "ssh": None if ssh is None else ssh.variables(),
            }
            print(json.dumps(said), flush=True)
            ended.wait()
            port.close()


if __name__ == "__main__":
    main()
