# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""pypsrp's WinRS shell, a client that shares no code with pywinrm, in front of a model of the lab."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dpm.dpm import Dpm
from guest.guest import Guest
from powershell import Session
from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import WSMan
from wsman.powershell import PowerShellCommands
from wsman.processes import Process as LabProcess
from wsman.site import PASSWORD, USER, windows_site


@dataclass
class Client:
    """Scripts that run on a host over https and NTLM, each in a process of its own."""

    connection: WSMan

    def process(self, script: str) -> Process:
        """Runs a script to its end; returns the process, with its streams and exit code."""
        encoded = base64.b64encode(script.encode("utf-16-le")).decode()
        with WinRS(self.connection, codepage=65001) as shell:
            process = Process(shell, "PowerShell", ["-NoProfile", "-EncodedCommand", encoded])
            process.begin_invoke()
            process.send(b"", end=True)
            process.end_invoke()
            process.signal(SignalCode.TERMINATE)
        return process

    def run(self, script: str) -> list[str]:
        """Returns the lines of a script that ends well and writes no error."""
        process = self.process(script)
        assert (process.rc, process.stderr.decode()) == (0, "")
        return process.stdout.decode().splitlines()


@dataclass
class Remote(Client):
    """A DPM server, and a client of it."""

    dpm: Dpm

    def world(self, world: dict[str, Any] | None = None, **options: Any) -> None:
        """Replaces the server by that of a world, or of the story."""
        self.dpm.control.replace(world, options)


@dataclass
class RemoteGuest(Client):
    """A host on which one Windows machine is after the other, and a client of it."""

    guest: Guest


@contextmanager
def connected(new_session: Callable[[LabProcess], Session]) -> Iterator[WSMan]:
    """A connection to a host of the lab, whose PowerShell is that of the sessions."""
    with windows_site(PowerShellCommands(new_session)) as one:
        yield WSMan(
            "localhost",
            port=one.host.tls_port,
            ssl=True,
            cert_validation=str(one.certificates.ca_file),
            auth="ntlm",
            username=USER,
            password=PASSWORD,
        )


@contextmanager
def remote_dpm() -> Iterator[Remote]:
    """A DPM server behind WinRM, with the story as its world."""
    dpm = Dpm()
    with connected(dpm.new_session) as connection:
        yield Remote(connection, dpm)


@contextmanager
def remote_guest() -> Iterator[RemoteGuest]:
    """A Windows machine behind WinRM; tests put another one in its place."""
    holder: list[RemoteGuest] = []
    with connected(lambda process: holder[0].guest.new_session(process)) as connection:
        holder.append(RemoteGuest(connection, Guest()))
        yield holder[0]
