# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The modules that read mappings and LUNs over the vSphere API: their options, and their work on an edge that is opened
for it. A module's start compiles all that it imports, so what changes something stands in `changing_commands`."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import (
    ArgumentSpec,
    ModuleCall,
    ModuleResult,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm import argument_specs
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution import commands
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.argument_spec import CONNECTION
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.reader import open_reader

RDM_INFO = CONNECTION.merged_with(ArgumentSpec(argument_specs.RDM_INFO))
LUN_INFO = CONNECTION.merged_with(ArgumentSpec(argument_specs.LUN_INFO))


def rdm_info(call: ModuleCall) -> ModuleResult:
    """Does one call of `rdm_info`; returns its result."""
    with open_reader(call.options, commands.end_of(call)) as reader:
        return commands.rdm_info(reader, call)


def lun_info(call: ModuleCall) -> ModuleResult:
    """Does one call of `lun_info`; returns its result."""
    with open_reader(call.options, commands.end_of(call)) as reader:
        return commands.lun_info(reader, call)
