# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Giving the records of a call back: each shrinks to a note about the old mapping that is kept."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import VmState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.conversion import Conversion
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.one_at_a_time import drop_spare
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.own_files import remove_new_file
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import DiskJournal, journal_at
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning import steps
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.disk_plan import DiskChange
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.results.conversion_report import DiskResult


def give_back(conversion: Conversion, changes: Sequence[DiskChange]) -> None:
    """Shrinks the records to notes, but for the disks that stand neither here nor there, or whose new file that
    serves nobody could not be removed: without its record it would be a stranger's to the next run."""
    states = conversion.report.states
    standing = [change for change in changes if states.get(change.address) is not DiskResult.FAILED]
    closing = [change for change in standing if not _leaves_a_file(conversion, change)]
    if not closing:
        return
    run = conversion.run
    converted = {change.address for change in conversion.converted()}

    def closed(state: VmState) -> dict[str, DiskJournal | None]:
        return {at: _closed(conversion, state, at, at in converted) for at in (change.address for change in closing)}

    def done(state: VmState) -> bool:
        present = [journal_at(state.machine, change.address) for change in closing]
        return all(journal is None or journal.entry is None for journal in present)

    if len(closing) == len(changes):
        conversion.report.step(steps.note_step(closing))
    run.save(done, closed)
    for change in closing:
        run.held.pop(change.address, None)


def _leaves_a_file(conversion: Conversion, change: DiskChange) -> bool:
    """Removes what this run or an earlier one made for a disk that is not converted; tells whether it is left."""
    address = change.address
    if not drop_spare(conversion.run, address):
        return True
    converted = conversion.report.states.get(address) is DiskResult.CONVERTED
    made = address in conversion.plan.entries or address in conversion.begun - conversion.not_its_own
    if converted or not made:
        return False
    return not remove_new_file(conversion.run, conversion.run.held[address], conversion.run.read_vm())


def _closed(conversion: Conversion, state: VmState, address: str, converted: bool) -> DiskJournal:
    """Returns the journal without its open entry, with the old mapping that a converted disk leaves behind."""
    present = journal_at(state.machine, address) or DiskJournal("")
    entry = conversion.run.held[address]
    if not converted or entry.edits_only:
        return present.closed()
    kept = tuple(one for one in present.kept if one.old_file not in (entry.new_file, entry.old_file))
    if address in conversion.old_gone:
        return DiskJournal(present.machine, None, kept)
    return DiskJournal(present.machine, None, (*kept, entry.kept_mapping))
