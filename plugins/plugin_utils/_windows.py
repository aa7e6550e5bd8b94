# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What the action plugins of the Windows modules share: the module's work over the task's own winrm, psrp or ssh
connection."""

from __future__ import annotations

from collections.abc import Callable

from ansible_collections.winbackup.storage.plugins.module_utils._core.command import Completed
from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, ModuleResult
from ansible_collections.winbackup.storage.plugins.module_utils._powershell import bootstrap
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.argument_spec import CONNECTION
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.frame import GO
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.transport import Transport
from ansible_collections.winbackup.storage.plugins.plugin_utils._over_task_connection import TaskConnectionAction
from ansible_collections.winbackup.storage.plugins.plugin_utils._task_connection import TaskConnection


class TaskTransport:
    """The frame of PowerShell over the task's own connection, which is the task's to close."""

    def __init__(self, connection: TaskConnection) -> None:
        self._connection = connection

    @property
    def name(self) -> str:
        return self._connection.name

    def execute(self, data: bytes, *, deadline: float, repeatable: bool) -> Completed:
        command = " ".join(bootstrap.command())
        return self._connection.run(command, data + GO, deadline=deadline, repeatable=repeatable)

    def close(self) -> None:
        """Nothing is to be closed."""


class WindowsAction(TaskConnectionAction):
    """The action plugin of a module whose options are `spec` and whose work is `work`."""

    connection_options = CONNECTION
    system = "the Windows host"
    work: Callable[[ModuleCall, Transport | None], ModuleResult]

    def takes_connection(self) -> bool:
        return self.is_windows

    def no_way(self) -> str:
        return (
            f"No way to a Windows host: no hostname was given, and the task's own connection ({self.kind}) is not to "
            "one. Give hostname, username and password, in the task or in module_defaults of the group "
            "winbackup.storage.windows; or run the task on the Windows host itself, over winrm, psrp, or ssh with "
            "ansible_shell_type: powershell."
        )

    def work_over(self, connection: TaskConnection, call: ModuleCall) -> ModuleResult:
        return type(self).work(call, TaskTransport(connection))

    def why_no_become(self, who: str) -> str:
        # Ansible's runas is a part of how it runs modules written in PowerShell, and of nothing else.
        return (
            f"become ({who}) is not possible over the task's own connection "
            f"({self.kind}) to the Windows host: the work would run as the user of that connection. Set become: "
            "false for this task and let that user, ansible_user, be the one who may do it; or give hostname, "
            "username and password of the other user and delegate_to: localhost."
        )
