# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What the action plugins share that do a module's work over the task's own connection, whatever is behind it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ansible.errors import AnsibleActionFail

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._core.module import (
    ArgumentSpec,
    ModuleCall,
    ModuleResult,
    result_of,
)
from ansible_collections.winbackup.storage.plugins.plugin_utils._action import StorageAction
from ansible_collections.winbackup.storage.plugins.plugin_utils._answer import answered
from ansible_collections.winbackup.storage.plugins.plugin_utils._task_connection import TaskConnection


class TaskConnectionAction(StorageAction):
    """The action plugin of a module whose options are `spec`, those of a connection among them.

    Ansible compiles what an action plugin imports anew in every run: a plugin imports the module's work in the method
    that does it, which is called over the task's own connection only.
    """

    spec: ArgumentSpec
    connection_options: ArgumentSpec
    # How sentences call the system: "the Windows host".
    system: str

    def work_over(self, connection: TaskConnection, call: ModuleCall) -> ModuleResult:
        """Does one call of the module over the connection; returns its result."""
        raise NotImplementedError

    def why_no_become(self, who: str) -> str:
        """Returns why the work cannot be done as another user, and what to do; `who` is "sudo as root"."""
        raise NotImplementedError

    def run_over_connection(self, result: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        self._refuse_what_cannot_be()
        options, secrets = self._validated()
        name = str(self._task.delegate_to or task_vars.get("inventory_hostname") or self.system)
        try:
            connection = TaskConnection(self._connection, name)
        except StorageError as error:
            raise AnsibleActionFail(str(error)) from error
        call = ModuleCall(options, bool(self._task.check_mode), bool(self._task.diff), self._log(name))
        failure, produced = result_of(lambda one: self.work_over(connection, one), call)
        failed_as = "unreachable" if connection.never_reached else "failed"
        return {**result, **answered(self._display, failure, produced, secrets, failed_as=failed_as)}

    def _refuse_what_cannot_be(self) -> None:
        if self._task.async_val:
            raise AnsibleActionFail(
                f"async is not possible over the task's own connection to {self.system}; give hostname and "
                "delegate_to: localhost instead."
            )
        become = self._connection.become
        if become is not None:
            user = self.get_become_option("become_user")
            raise AnsibleActionFail(self.why_no_become(f"{become.name}{f' as {user}' if user else ''}"))

    def _validated(self) -> tuple[dict[str, Any], set[str]]:
        """Returns the options as the module would have them, without the environment, and what must not be shown."""
        given = [name for name in self.connection_options.options if self._task.args.get(name) is not None]
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
