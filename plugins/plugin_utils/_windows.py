# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What the action plugins of the Windows modules share: the module's work over the task's own winrm, psrp or ssh
connection."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.parameters import remove_values

from ansible_collections.winbackup.storage.plugins.module_utils._core.command import Completed
from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._core.module import (
    ArgumentSpec,
    Call,
    Outcome,
    outcome_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._powershell import bootstrap
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.argument_spec import CONNECTION
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.frame import GO
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.transport import Transport
from ansible_collections.winbackup.storage.plugins.plugin_utils._action import StorageAction
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


class WindowsAction(StorageAction):
    """The action plugin of a module whose options are `spec` and whose work is `work`."""

    spec: ArgumentSpec
    work: Callable[[Call, Transport | None], Outcome]

    def takes_connection(self) -> bool:
        return self.is_windows

    def no_way(self) -> str:
        return (
            f"No way to a Windows host: no hostname was given, and the task's own connection ({self.kind}) is not to "
            "one. Give hostname, username and password, in the task or in module_defaults of the group "
            "winbackup.storage.windows; or run the task on the Windows host itself, over winrm, psrp, or ssh with "
            "ansible_shell_type: powershell."
        )

    def run_over_connection(self, result: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        self._refuse_what_cannot_be()
        options, secrets = self._validated()
        name = str(self._task.delegate_to or task_vars.get("inventory_hostname") or "the Windows host")
        try:
            connection = TaskConnection(self._connection, name)
        except StorageError as error:
            raise AnsibleActionFail(str(error)) from error
        call = Call(options, bool(self._task.check_mode), bool(self._task.diff), self._log(name))
        work = type(self).work
        failure, produced = outcome_of(lambda one: work(one, TaskTransport(connection)), call)
        for sentence in produced.pop("warnings", ()):
            self._display.warning(sentence)
        merged = {**result, **produced}
        if failure is not None:
            merged.update({"unreachable" if connection.never_reached else "failed": True, "msg": failure})
        cleaned: dict[str, Any] = remove_values(merged, secrets)
        return cleaned

    def _refuse_what_cannot_be(self) -> None:
        if self._task.async_val:
            raise AnsibleActionFail(
                "async is not possible over the task's own connection to the Windows host; give hostname and "
                "delegate_to: localhost instead."
            )
        become = self._connection.become
        if become is not None:
            user = self.get_become_option("become_user")
            # Ansible's runas is a part of how it runs modules written in PowerShell, and of nothing else.
            raise AnsibleActionFail(
                f"become ({become.name}{f' as {user}' if user else ''}) is not possible over the task's own connection "
                f"({self.kind}) to the Windows host: the work would run as the user of that connection. Set become: "
                "false for this task and let that user, ansible_user, be the one who may do it; or give hostname, "
                "username and password of the other user and delegate_to: localhost."
            )

    def _validated(self) -> tuple[dict[str, Any], set[str]]:
        """Returns the options as the module would have them, without the environment, and what must not be shown."""
        given = [name for name in CONNECTION.options if self._task.args.get(name) is not None]
        if given:
            raise AnsibleActionFail(
                f"{', '.join(sorted(given))} went without hostname. Give hostname too and delegate_to: localhost, or "
                "none of them to use the task's own connection."
            )
        options = {
            name: {key: value for key, value in one.items() if key != "fallback"}
            for name, one in self.spec.options.items()
        }
        validation, _arguments = self.validate_argument_spec(options, **self.spec.rules)
        return validation.validated_parameters, set(validation._no_log_values)

    def _log(self, name: str) -> Callable[[str], None]:
        return lambda sentence: self._display.v(f"{name}: {sentence}")
