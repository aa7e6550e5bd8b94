# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""`rdm_compatibility` over the vSphere API."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ArgumentSpec, Call, Outcome
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execute import convert_machine
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.outcome import Report
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import OPTIONS, request_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.work import Task
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.argument_spec import CONNECTION
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.backend import open_backend

SPEC = CONNECTION.merged_with(ArgumentSpec(OPTIONS))


def convert(call: Call, *, poll_seconds: float = 1.0) -> Outcome:
    """Does one call of the module; returns its result, and the sentence that fails the task where it must."""
    with open_backend(call.options) as backend:
        report = convert_machine(
            backend, request_of(call.options), check_mode=call.check_mode, tell=call.tell, poll_seconds=poll_seconds
        )
    report.warnings.extend(_local_disks(report))
    return Outcome(report.result(), report.failure())


def _local_disks(report: Report) -> list[str]:
    """Returns a caution about local disks: the documented way to map one is the shell (KB 1017530)."""
    local = [
        f"{work.address} ({work.lun.canonical_name})"
        for work in report.prepared.works
        if work.task in (Task.CONVERT, Task.FINISH) and work.lun is not None and work.lun.local
    ]
    if not local:
        return []
    return [
        f"{', '.join(local)}: a host may refuse to map a local disk over the API; the documented way is its shell. "
        "A refusal is undone; then make the mapping by hand with vmkfstools in that shell (SSH)."
    ]
