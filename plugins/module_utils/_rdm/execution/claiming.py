# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The first write of a call: all its entries of the journal at once."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    RefusalKind,
    StepRefused,
    StorageError,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import VmState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.conversion import Conversion
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.half_done import mark_untouched
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.power import Fingerprint
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import NotApplied
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning import steps
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.results.conversion_report import DiskResult

# What a first write that is refused says about the user or the server, and not about this VM at this moment.
_FIRST_WRITE = {
    RefusalKind.LICENCE: BlockerCode.LICENSE_READ_ONLY,
    RefusalKind.NO_PRIVILEGE: BlockerCode.NO_PRIVILEGE,
}


class PlanIsStale(StorageError):
    """The VM is not what the plan was made on; nothing but records was written yet."""


def claim(conversion: Conversion) -> bool:
    """Writes all entries of the call at once: the first write. Returns False where that is forbidden."""
    run, plan = conversion.run, conversion.plan
    entries = {change.address: replace(change.entry, run=run.run_id) for change in conversion.changes}
    planned, fingerprint = dict(plan.machine.journal), Fingerprint.of(plan.machine)

    def write_entries(state: VmState) -> None:
        machine = state.machine
        if dict(machine.journal) != planned or machine.power is not plan.machine.power:
            raise PlanIsStale(f"{machine.name} was changed by somebody else while the plan was made.")
        if Fingerprint.of(machine) != fingerprint:
            raise PlanIsStale(f"Disks, snapshots or host of {machine.name} changed while the plan was made.")
        run.held = dict(entries)
        journal = run.renewed_journal(machine)
        run.held = {}
        run.backend.claim(machine, journal)

    conversion.report.step(steps.record_step(conversion.changes))
    conversion.report.resumed = conversion.resumes
    try:
        run.converge(lambda state: all(run.owns(state, address) for address in entries), write_entries)
    except NotApplied as gone:
        # The entries were written, and are another run's: both claimed at once, or this one was away for longer
        # than its lease. Nothing else was done, so it waits for the other as it would have before.
        raise PlanIsStale(f"Another run has claimed {plan.machine.name}.") from gone
    except StepRefused as refusal:
        conversion.report.steps.clear()
        code = _FIRST_WRITE.get(refusal.kind)
        for change in conversion.changes:
            mark_untouched(conversion, change, DiskResult.BLOCKED if code else DiskResult.NOT_STARTED)
        if code is None:
            raise
        conversion.report.block([Finding.blocker(code, refusal.message, refusal.hint or "", plan.machine.name)])
        return False
    run.held = entries
    return True
