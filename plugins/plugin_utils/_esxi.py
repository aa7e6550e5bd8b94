# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What the action plugins of the modules for vCenter and ESXi share: over the API as every module, or, where a module
can do that, over the task's own ssh connection to an ESXi host."""

from __future__ import annotations

from collections.abc import Callable

from ansible.errors import AnsibleActionFail

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, ModuleResult
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.argument_spec import CONNECTION
from ansible_collections.winbackup.storage.plugins.plugin_utils._over_task_connection import TaskConnectionAction
from ansible_collections.winbackup.storage.plugins.plugin_utils._task_connection import TaskConnection

_SSH = "ssh"


class EsxiAction(TaskConnectionAction):
    """The action plugin of a module about mappings; `over_shell` is its work over ssh, None where there is none."""

    connection_options = CONNECTION
    system = "the ESXi host"
    over_shell: Callable[[ModuleCall, TaskConnection], ModuleResult] | None = None

    def takes_connection(self) -> bool:
        return type(self).over_shell is not None and self.kind == _SSH and not self.is_windows

    def work_over(self, connection: TaskConnection, call: ModuleCall) -> ModuleResult:
        work = type(self).over_shell
        if work is None:
            raise AnsibleActionFail(self.no_way())
        return work(call, connection)

    def why_no_become(self, who: str) -> str:
        return (
            f"become ({who}) is not possible on an ESXi host, which has no such program. Set become: false for this "
            "task, and let ansible_user be the one who may do it (root)."
        )

    def no_way(self) -> str:
        name = str(self._task.action).rpartition(".")[2]
        where = "a Windows host" if self.is_windows else "a host that it does not work on"
        shell = " Or run it on the ESXi host itself, with connection ssh." if type(self).over_shell is not None else ""
        return (
            f"{name} talks to a vCenter or an ESXi host over its API, and the task's own connection ({self.kind}) "
            f"leads to {where}. {self.way_to_controller()}, and give hostname, username and password: in the task, in "
            "module_defaults of the group winbackup.storage.vsphere, or as VMWARE_HOST, VMWARE_USER and "
            f"VMWARE_PASSWORD in the environment.{shell}"
        )
