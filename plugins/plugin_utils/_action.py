# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What all action plugins of the collection share: which of the two ways to a system a task takes.

With a hostname the module runs where the task runs, as every module does. Without one the task's own connection is used
where it leads to a system that the module works on. The environment counts on a local connection only.
"""

from __future__ import annotations

from typing import Any

from ansible.constants import LOCALHOST
from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase
from ansible.utils.vars import merge_hash

from ansible_collections.winbackup.storage.plugins.plugin_utils._task_connection import kind_of

_ALWAYS_WINDOWS = ("winrm", "psrp")


class StorageAction(ActionBase):  # type: ignore[misc]
    """The action plugin of a module that a task may run with connection options, or over its own connection."""

    _supports_async = True

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Returns the result of the module, by whichever way; raises AnsibleActionFail where neither can be taken."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        if self._task.args.get("hostname"):
            if self.is_windows:
                use = ", or take hostname away to use that connection" if self.takes_connection() else ""
                raise AnsibleActionFail(
                    f"hostname was given, and the task runs over a connection ({self.kind}) to a Windows host, where "
                    f"no module of Python's can run. {self.way_to_controller()}{use}."
                )
            return self.run_module(result, task_vars)
        if self.takes_connection():
            return self.run_over_connection(result, task_vars or {})
        if self.kind == "local":
            return self.run_module(result, task_vars)
        raise AnsibleActionFail(self.no_way())

    @property
    def kind(self) -> str:
        """The short name of the task's own connection, as "ssh"."""
        return kind_of(self._connection)

    @property
    def is_windows(self) -> bool:
        """Whether the task's own connection is to a Windows host."""
        return self.kind in _ALWAYS_WINDOWS or bool(getattr(self._connection._shell, "_IS_WINDOWS", False))

    def way_to_controller(self) -> str:
        """Returns what to do so that the task runs on the controller, without the point at the end."""
        target = str(self._task.delegate_to or "")
        if target in LOCALHOST:
            return (
                f"The task is delegated to {target} already, but over the connection that the play sets for all its "
                f"tasks: give {target} ansible_connection: local in the inventory"
            )
        return "Add delegate_to: localhost to the task"

    def takes_connection(self) -> bool:
        """Whether the module can work over the task's own connection."""
        return False

    def run_over_connection(self, result: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Does the module's work over the task's own connection; returns the result."""
        raise NotImplementedError

    def no_way(self) -> str:
        """Returns what to give where no way can be taken."""
        raise NotImplementedError

    def run_module(self, result: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """Runs the module where the task runs, as Ansible does by itself; returns the result."""
        in_background = bool(self._task.async_val) and not self._connection.has_native_async
        produced = self._execute_module(task_vars=task_vars, wrap_async=in_background)
        merged: dict[str, Any] = merge_hash(result, produced)
        if not in_background:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return merged
