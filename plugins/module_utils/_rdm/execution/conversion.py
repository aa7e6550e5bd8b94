# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""One plan that is being carried out: what was begun with, and what its report says so far."""

from __future__ import annotations

from dataclasses import dataclass, field

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import Run
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.disk_plan import DiskChange
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.plan import Plan
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.results.conversion_report import (
    ConversionReport,
    DiskResult,
)


@dataclass
class Conversion:
    """One plan that is being carried out, by one run, with the report that is filled meanwhile."""

    run: Run
    plan: Plan
    report: ConversionReport
    # What the plan changes; it stays so when the plan's facts are read anew.
    changes: tuple[DiskChange, ...]
    must_start: bool
    # Addresses of the disks that this run has begun with.
    begun: set[str] = field(default_factory=set)
    # Addresses whose new file was there before this run could make it.
    not_its_own: set[str] = field(default_factory=set)
    # Addresses of the disks that stand converted, and whose old mapping file is gone.
    old_gone: set[str] = field(default_factory=set)
    # True once a disk could not be converted: no other is begun with after that.
    stopped_short: bool = False

    @classmethod
    def of(cls, run: Run, plan: Plan) -> Conversion:
        """Returns a conversion of which nothing is done yet."""
        return cls(run, plan, ConversionReport(plan), plan.changes, plan.stopped_by_a_run)

    @property
    def request(self) -> Request:
        """What was asked for."""
        return self.plan.request

    @property
    def resumes(self) -> bool:
        """Whether something that an interrupted run left is among what can be done."""
        return any(change.address in self.plan.entries for change in self.changes)

    def converted(self) -> list[DiskChange]:
        """Returns the changes whose disks stand converted."""
        states = self.report.states
        return [change for change in self.changes if states.get(change.address) is DiskResult.CONVERTED]
