# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module rdm_rehearsal where the task runs; in one sentence what to do where it cannot."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ArgumentSpec
from ansible_collections.winbackup.storage.plugins.module_utils._rdm import argument_specs
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.argument_spec import CONNECTION
from ansible_collections.winbackup.storage.plugins.plugin_utils._esxi import EsxiAction


class ActionModule(EsxiAction):
    """The action plugin; there is no way over the shell."""

    spec = CONNECTION.merged_with(ArgumentSpec(argument_specs.RDM_REHEARSAL))
