# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The runner against the lab's host: a way in for each transport, and a counter that scripts turn."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from powershell import Command, CommandTable, Session
from powershell.binding import signature
from wsman.powershell import PowerShellCommands
from wsman.processes import Process, Terminated
from wsman.site import WAYS, Site, windows_site

from ansible_collections.winbackup.storage.plugins.module_utils._powershell.runner import PowerShell
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.target import Target
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.winrm_transport import WinRmTransport
from ansible_collections.winbackup.storage.plugins.plugin_utils._task_connection import TaskConnection
from ansible_collections.winbackup.storage.plugins.plugin_utils._windows import TaskTransport


class World:
    """What the scripts of these tests act on: how often a thing was done, and a clock that really waits.

    The count stands in a file, so that a real PowerShell can act on it as well.
    """

    FUNCTIONS = """function Add-One {
    $done = 1 + [int][System.IO.File]::ReadAllText($env:LAB_COUNTER)
    [System.IO.File]::WriteAllText($env:LAB_COUNTER, [string]$done)
    $done
}"""

    def __init__(self, counter: Path) -> None:
        self._counter = counter
        self._lock = threading.Lock()
        self.done = 0
        self.language_mode = "FullLanguage"

    @property
    def done(self) -> int:
        return int(self._counter.read_text(encoding="ascii"))

    @done.setter
    def done(self, count: int) -> None:
        aside = self._counter.with_suffix(".new")
        aside.write_text(str(count), encoding="ascii")
        aside.replace(self._counter)

    def commands(self) -> PowerShellCommands:
        """The PowerShell of a host with this world in it."""
        return PowerShellCommands(self.session, self.FUNCTIONS, {"LAB_COUNTER": str(self._counter)})

    def session(self, process: Process) -> Session:
        def add(invocation: Any) -> list[int]:
            with self._lock:
                self.done += 1
                return [self.done]

        return Session(
            CommandTable([Command("Add-One", signature(""), add)]),
            _ProcessClock(process),
            language_mode=self.language_mode,
        )


class _ProcessClock:
    """A clock on which a script sleeps as long as it says, or until its process is ended."""

    def __init__(self, process: Process) -> None:
        self.process = process

    def now(self) -> datetime.datetime:
        return datetime.datetime.now(datetime.UTC)

    def sleep(self, seconds: float) -> None:
        with self.process.changed:
            self.process.changed.wait_for(lambda: self.process.terminated, seconds)
        if self.process.terminated:
            raise Terminated


class Lab:
    """A site, its world, and connections to it."""

    def __init__(self, site: Site, world: World) -> None:
        self.site = site
        self.host = site.host
        self.world = world

    def reset(self) -> None:
        """As new: no shells, no troubles, nothing done."""
        self.host.wait_until_back()
        self.world.done = 0
        self.world.language_mode = "FullLanguage"
        self.host.troubles.clear()
        self.host.shells.lose_all()
        self.host.shells.deleted.clear()

    def connect(self, transport: str, scheme: str, **others: Any) -> PowerShell:
        if transport == "kerberos" and self.site.kdc is None:
            pytest.fail("This machine has no MIT KDC: run tools/system_packages.py as root.")
        return PowerShell(WinRmTransport(Target.of(self.site.options(transport, scheme, **others))))


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Site, World]]:
    world = World(tmp_path_factory.mktemp("world") / "done")
    with windows_site(world.commands()) as one:
        yield one, world


@pytest.fixture
def lab(site: tuple[Site, World]) -> Iterator[Lab]:
    lab = Lab(*site)
    lab.reset()
    yield lab
    lab.host.troubles.clear()


@pytest.fixture(params=WAYS, ids=lambda way: f"{way[0]}-{way[1]}")
def way(request: pytest.FixtureRequest) -> tuple[str, str, bool]:
    return request.param


def transport_over(connection: Any, name: str) -> TaskTransport:
    """The runner's way over a connection plugin of Ansible's."""
    return TaskTransport(TaskConnection(connection, name))


def soon(seconds: float = 30.0) -> float:
    return time.monotonic() + seconds
