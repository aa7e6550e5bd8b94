# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The modules that change something about mappings over the vSphere API: their options, and their work on an edge that
is opened for it."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import (
    ArgumentSpec,
    ModuleCall,
    ModuleResult,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import EVERY_SECOND, Pace
from ansible_collections.winbackup.storage.plugins.module_utils._rdm import argument_specs
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution import converting, rehearsal_command
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.argument_spec import CONNECTION
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.backend import open_backend
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.rehearsal import open_rehearsal

RDM_COMPATIBILITY = CONNECTION.merged_with(ArgumentSpec(argument_specs.RDM_COMPATIBILITY))
RDM_REHEARSAL = CONNECTION.merged_with(ArgumentSpec(argument_specs.RDM_REHEARSAL))


def rdm_compatibility(call: ModuleCall, *, pace: Pace = EVERY_SECOND) -> ModuleResult:
    """Does one call of `rdm_compatibility`; returns its result, and the sentence that fails the task where it must."""
    with open_backend(call.options) as backend:
        return converting.rdm_compatibility(backend, call, pace=pace)


def rdm_rehearsal(call: ModuleCall, *, pace: Pace = EVERY_SECOND) -> ModuleResult:
    """Does one call of `rdm_rehearsal`; returns its result, and the sentence that fails the task where it must."""
    with open_rehearsal(call.options) as backend:
        return rehearsal_command.rdm_rehearsal(backend, call, pace=pace)
