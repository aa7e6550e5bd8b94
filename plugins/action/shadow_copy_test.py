# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module shadow_copy_test over the task's own connection, or where the task runs."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.argument_specs import (
    SHADOW_COPY_TEST,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.commands import on_host
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.testing_shadow_copies import (
    shadow_copy_test,
)
from ansible_collections.winbackup.storage.plugins.plugin_utils._windows import WindowsAction


class ActionModule(WindowsAction):
    """The action plugin."""

    spec = SHADOW_COPY_TEST
    work = staticmethod(on_host(shadow_copy_test))
