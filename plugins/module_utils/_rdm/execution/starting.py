# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Starting the VM again, with what was converted or, where it does not start with that, with the old mappings."""

from __future__ import annotations

import re

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import VmState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import DiskState, differences
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution import swap
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.changing_disks import undo_disk
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.conversion import Conversion
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.half_done import mark_failed
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.power import start
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import TakenOver
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning import steps
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.disk_plan import DiskChange
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.results.conversion_report import DiskResult


class Unfit(StorageError):
    """A converted disk is not what it was verified to be, and the VM was not started with it."""

    def __init__(self, change: DiskChange, message: str) -> None:
        super().__init__(message)
        self.change = change


def may_start(conversion: Conversion) -> bool:
    """Tells whether the VM was stopped by a run and may be started: no disk of it stands half way."""
    failed = DiskResult.FAILED in conversion.report.states.values()
    return conversion.must_start and conversion.request.restore_power and not failed


def start_again(conversion: Conversion) -> bool:
    """Starts the VM and verifies once more; returns False where the entries must stay open."""
    conversion.report.step(steps.power_on_step())

    def verify(state: VmState) -> None:
        for change in conversion.converted():
            wrong = differences(conversion.run.held[change.address], state, DiskState.NEW)
            if wrong:
                raise Unfit(change, f"{change.address} is not as wanted before the start: {'; '.join(wrong)}.")

    try:
        start(conversion.run, verify)
    except TakenOver:
        raise
    except StorageError as error:
        conversion.report.fail(f"The VM could not be started: {error}")
        unfit = [error.change] if isinstance(error, Unfit) else []
        named = unfit or [change for change in conversion.converted() if _names_disk(str(error), change)]
        for change in named:
            undo_disk(conversion, change)
        if not named or not may_start(conversion):
            return False
        try:
            start(conversion.run, verify)
        except TakenOver:
            raise
        except StorageError as again:
            conversion.report.fail(f"Nor with the old mappings: {again}")
            return False
    for change in conversion.converted():
        wrong = swap.verify(conversion.run, change)
        if wrong:
            conversion.report.fail(f"{change.address} is not as wanted after the start: {'; '.join(wrong)}.")
            mark_failed(conversion, change)
    return True


def _names_disk(text: str, change: DiskChange) -> bool:
    """Tells whether the server's words about a failed start are about this disk."""
    entry = change.entry
    name = entry.new_file.rpartition("/")[2]
    names = [name, name.removesuffix(".vmdk"), change.disk.label, entry.lun.canonical_name, entry.lun.vml]
    # Whole words: "Hard disk 2" is not meant by "Hard disk 21".
    return any(re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", text) for word in names if word)
