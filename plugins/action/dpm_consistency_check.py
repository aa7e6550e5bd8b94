# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module dpm_consistency_check over the task's own connection, or where the task runs."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, ModuleResult
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.argument_specs import CHECK
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.transport import Transport
from ansible_collections.winbackup.storage.plugins.plugin_utils._windows import WindowsAction


class ActionModule(WindowsAction):
    """The action plugin."""

    spec = CHECK

    @staticmethod
    def work(call: ModuleCall, transport: Transport | None) -> ModuleResult:
        """Does the module's work over the transport."""
        from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.commands import (
            consistency_check,
            on_server,
        )

        return on_server(consistency_check)(call, transport)
