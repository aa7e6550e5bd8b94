# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The modules about mappings, over the ESXi shell: their work on a connection that is lent to them."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, ModuleResult
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import EVERY_SECOND, Pace
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.backend import ShellConnection, ShellReader
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.writing import ShellBackend
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution import commands, converting


def rdm_info(call: ModuleCall, connection: ShellConnection) -> ModuleResult:
    """Does one call of `rdm_info`; returns its result."""
    return commands.rdm_info(ShellReader(connection), call)


def lun_info(call: ModuleCall, connection: ShellConnection) -> ModuleResult:
    """Does one call of `lun_info`; returns its result."""
    return commands.lun_info(ShellReader(connection), call)


def rdm_compatibility(call: ModuleCall, connection: ShellConnection, *, pace: Pace = EVERY_SECOND) -> ModuleResult:
    """Does one call of `rdm_compatibility`; returns its result, and the sentence that fails the task where it must."""
    return converting.rdm_compatibility(ShellBackend(connection), call, pace=pace)
