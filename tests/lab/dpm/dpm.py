# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A DPM server for tests of the same process: the control, and a session of PowerShell for each process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from powershell import Outcome, Session
from wsman.processes import Process, Terminated

from .clock import ProcessClock
from .commands import Cmdlets
from .control import Control


class Dpm:
    """`new_session` is what the lab's host takes to run scripts; `control` is the test's own hand on the server."""

    def __init__(self, world: Mapping[str, Any] | None = None, **options: Any) -> None:
        self.control = Control(world, options)

    @property
    def server(self) -> Any:
        return self.control.server

    def new_session(self, process: Process) -> Session:
        """A session for a process of the lab's host: its own connection, ended with the process."""

        def wait(seconds: float) -> None:
            with process.changed:
                process.changed.wait_for(lambda: process.terminated, seconds)
            if process.terminated:
                raise Terminated

        return self._session(wait)

    def run(self, script: str, **parameters: Any) -> Outcome:
        """Runs a script in a process of its own, here and now."""
        return self._session(lambda seconds: None).run(script, parameters or None)

    def _session(self, wait: Any) -> Session:
        cmdlets = Cmdlets(self.control, wait)
        clock = ProcessClock(self.control.server.clock, wait)
        server = self.control.server
        return Session(
            cmdlets.table(),
            clock,
            computer_name=server.name.partition(".")[0].upper(),
            version=server.options.powershell_version,
            language_mode=server.options.language_mode,
        )
