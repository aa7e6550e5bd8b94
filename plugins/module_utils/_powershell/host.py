# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A Windows host on which scripts run: one shell, opened when it is first needed, closed on every way out.

with WindowsHost(options, transport, prologue) as host:
    facts = host.run(READ, {"Ids": [...]}, deadline=clock() + 600)
    host.run(WRITE, {...}, deadline=..., writes=True)
"""

from __future__ import annotations

from collections.abc import Mapping
from types import TracebackType
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._powershell.runner import PowerShell
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.target import Target
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.transport import Transport
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.winrm_transport import WinRmTransport


class WindowsHost:
    """Reached by the connection options of a module, or over a transport that an action plugin made of the task's own
    connection. Not for several threads."""

    def __init__(self, options: Mapping[str, Any], transport: Transport | None = None, prologue: str = "") -> None:
        """`prologue` is a script without parameters that runs before each script, in the same process."""
        self._options, self._transport, self._prologue = options, transport, prologue
        self._shell: PowerShell | None = None

    def __enter__(self) -> WindowsHost:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()

    def run(
        self,
        script: str,
        parameters: Mapping[str, object],
        *,
        deadline: float,
        writes: bool = False,
        writes_end: float | None = None,
    ) -> Any:
        """Returns what a script returned, as JSON has it, and raises what PowerShell.run does."""
        if self._shell is None:
            transport = self._transport
            self._shell = PowerShell(transport or WinRmTransport(Target.of(self._options)), self._prologue)
        return self._shell.run(script, parameters, deadline=deadline, writes=writes, writes_end=writes_end)

    def release(self) -> None:
        """Gives back shell, connection and ticket. The next script opens a shell anew."""
        shell, self._shell = self._shell, None
        if shell is not None:
            shell.close()
