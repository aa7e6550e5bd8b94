# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module rdm_rehearsal where the task runs, or over the task's own connection to an ESXi host."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import (
    ArgumentSpec,
    ModuleCall,
    ModuleResult,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm import argument_specs
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.argument_spec import CONNECTION
from ansible_collections.winbackup.storage.plugins.plugin_utils._esxi import EsxiAction
from ansible_collections.winbackup.storage.plugins.plugin_utils._task_connection import TaskConnection


class ActionModule(EsxiAction):
    """The action plugin."""

    spec = CONNECTION.merged_with(ArgumentSpec(argument_specs.RDM_REHEARSAL))

    @staticmethod
    def over_shell(call: ModuleCall, connection: TaskConnection) -> ModuleResult:
        """Does the module's work over the connection, on the shell of the ESXi host."""
        # Ansible compiles what an action plugin imports at every run: this is needed over the task's connection only.
        from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.rehearsal import rdm_rehearsal

        return rdm_rehearsal(call, connection)
