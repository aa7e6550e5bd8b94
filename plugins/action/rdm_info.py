# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module rdm_info where the task runs; in one sentence what to do where it cannot."""

from __future__ import annotations

from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import (
    ArgumentSpec,
    ModuleCall,
    ModuleResult,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm import argument_specs
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.argument_spec import CONNECTION
from ansible_collections.winbackup.storage.plugins.plugin_utils._esxi import EsxiAction
from ansible_collections.winbackup.storage.plugins.plugin_utils._packed_results import packed
from ansible_collections.winbackup.storage.plugins.plugin_utils._reading_here import (
    packs_above,
    read_here,
    would_run_here,
)
from ansible_collections.winbackup.storage.plugins.plugin_utils._task_connection import TaskConnection


class ActionModule(EsxiAction):
    """The action plugin."""

    spec = CONNECTION.merged_with(ArgumentSpec(argument_specs.RDM_INFO))

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Returns the result of the module, by whichever way; packed, where the playbook `audit` wants it."""
        result = super().run(tmp, task_vars)
        above = packs_above(self, task_vars or {})
        return result if above is None else packed(result, above)

    def run_module(self, result: dict[str, Any], task_vars: dict[str, Any] | None) -> dict[str, Any]:
        """Runs the module; in this process, where the playbook `audit` reads what that process could read as well."""
        variables = task_vars or {}
        if packs_above(self, variables) is None or not would_run_here(self, self.kind, variables):
            return super().run_module(result, task_vars)
        # As over a task's connection: only then is it imported.
        from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.commands import rdm_info

        return {**result, **read_here(self, self.spec, rdm_info)}

    @staticmethod
    def over_shell(call: ModuleCall, connection: TaskConnection) -> ModuleResult:
        """Does the module's work over the connection, on the shell of the ESXi host."""
        from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.commands import (
            rdm_info,
        )

        return rdm_info(call, connection)
