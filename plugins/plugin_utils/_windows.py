# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What the action plugins of the Windows modules share: which of the two ways to the host a task takes.

With a hostname the module runs where the task runs, as every module does. Without one the same code runs here, over the
task's own connection to the Windows host. The environment counts on a local connection only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.module_utils.common.parameters import remove_values
from ansible.plugins.action import ActionBase
from ansible.utils.vars import merge_hash

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._core.module import (
    ArgumentSpec,
    Call,
    Outcome,
    outcome_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.argument_spec import CONNECTION
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.lent import LentTransport
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.transport import Transport

_ALWAYS_WINDOWS = ("winrm", "psrp")


class WindowsAction(ActionBase):  # type: ignore[misc]
    """The action plugin of a module whose options are `spec` and whose work is `work`."""

    _supports_async = True
    spec: ArgumentSpec
    work: Callable[[Call, Transport | None], Outcome]

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Returns the result of the module, by whichever way; raises AnsibleActionFail where neither can be taken."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        kind = str(self._connection.transport).rpartition(".")[2]
        windows = kind in _ALWAYS_WINDOWS or bool(getattr(self._connection._shell, "_IS_WINDOWS", False))
        if self._task.args.get("hostname"):
            if windows:
                raise AnsibleActionFail(
                    "hostname was given, and the task runs over a connection to a Windows host, where no module of "
                    "Python's can run. Add delegate_to: localhost to the task, or take hostname away to use that "
                    "connection."
                )
            return self._run_module(result, task_vars)
        if windows:
            return self._run_here(result, task_vars or {})
        if kind == "local":
            return self._run_module(result, task_vars)
        raise AnsibleActionFail(
            f"No way to a Windows host: no hostname was given, and the task's own connection ({kind}) is not to one. "
            "Give hostname, username and password, in the task or in module_defaults of the group "
            "winbackup.storage.windows; or run the task on the Windows host itself, over winrm, psrp, or ssh with "
            "ansible_shell_type: powershell."
        )

    def _run_module(self, result: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        in_background = bool(self._task.async_val) and not self._connection.has_native_async
        produced = self._execute_module(task_vars=task_vars, wrap_async=in_background)
        merged: dict[str, Any] = merge_hash(result, produced)
        if not in_background:
            self._remove_tmp_path(self._connection._shell.tmpdir)
        return merged

    def _run_here(self, result: dict[str, Any], task_vars: Mapping[str, Any]) -> dict[str, Any]:
        if self._task.async_val:
            raise AnsibleActionFail(
                "async is not possible over the task's own connection to the Windows host; give hostname and "
                "delegate_to: localhost instead."
            )
        options, secrets = self._validated()
        name = str(task_vars.get("inventory_hostname") or "the Windows host")
        try:
            lent = LentTransport(self._connection, name)
        except StorageError as error:
            raise AnsibleActionFail(str(error)) from error
        call = Call(options, bool(self._task.check_mode), bool(self._task.diff), self._tell(name))
        work = type(self).work
        failure, produced = outcome_of(lambda one: work(one, lent), call)
        for sentence in produced.pop("warnings", ()):
            self._display.warning(sentence)
        merged = {**result, **produced}
        if failure is not None:
            merged.update(failed=True, msg=failure)
        cleaned: dict[str, Any] = remove_values(merged, secrets)
        return cleaned

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

    def _tell(self, name: str) -> Callable[[str], None]:
        return lambda sentence: self._display.v(f"{name}: {sentence}")
