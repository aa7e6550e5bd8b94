# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A disk that an interrupted run left with an open entry: finished where it was asked for again, else undone. Pure."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import DiskState, disk_state_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    TOUCHED,
    JournalEntry,
    from_volume_path,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility, Disk
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.disk_plan import (
    Action,
    DiskChange,
    DiskPlan,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.facts import PlanFacts
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.new_entry import with_settings_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.step_checks import (
    attach_blockers,
    lun_of_entry,
    unique,
    unread_blockers,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.untouched_disks import (
    old_may_go_first,
    plan_untouched,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.survey import folder_of_path


def plan_open_entry(facts: PlanFacts, disk: Disk, entry: JournalEntry, selected: bool) -> DiskPlan:
    """A disk that was left open: finished where it was asked for again, else undone."""
    state = disk_state_of(entry, facts.machine, facts.inventory.datastores)
    forward = selected and entry.wanted is facts.request.compatibility
    asked = facts.request.disk_mode
    edited_at_most = entry.edits_only and state in (DiskState.OLD, DiskState.NEW)
    if state is DiskState.OLD and entry.step not in TOUCHED and asked not in (None, disk.disk_mode):
        # The disk was never touched, and no file was made for it: nothing has to be undone before it is edited.
        edited_at_most = edited_at_most or _made_nothing(facts, entry)
    if (forward and state is DiskState.OLD) or (selected and edited_at_most and not forward):
        # The mapping is still the old one, so it is a conversion like any other, with every check.
        fresh = plan_untouched(facts, disk)
        if isinstance(fresh, DiskChange) and not fresh.blockers:
            return replace(fresh, entry=with_settings_of(entry, fresh.entry))
        # A run that was deleting kept files left nothing to undo, and this one may go on with it.
        deletions = fresh.deletions if entry.deletes_only else ()
        return replace(_undo(facts, disk, entry), blockers=fresh.blockers, deletions=deletions)
    if not forward or (state is DiskState.MISSING and lun_of_entry(facts, entry) is None):
        if selected and asked is not None and entry.old_mode is Compatibility.VIRTUAL:
            entry = replace(entry, old_disk_mode=asked)
        undo = _undo(facts, disk, entry)
        unread = () if state is DiskState.OLD else unread_blockers(facts, disk)
        return replace(undo, blockers=unique([*unread, *undo.blockers]))
    return _finish(facts, disk, entry, state)


def _finish(facts: PlanFacts, disk: Disk, entry: JournalEntry, state: DiskState) -> DiskChange:
    """The new mapping is there, or is made and attached now."""
    needed = attach_blockers(facts, disk, entry)
    asked = facts.request.disk_mode
    if asked is not None and entry.wanted is Compatibility.VIRTUAL and not needed:
        entry = replace(entry, disk_mode=asked)
    if state is DiskState.NEW:
        needed = ()
    return DiskChange(
        disk=disk,
        action=Action.FINISH,
        entry=entry,
        lun=facts.lun_of(disk),
        blockers=unique([*unread_blockers(facts, disk), *needed]),
        old_may_go_first=state is DiskState.MISSING and old_may_go_first(facts, entry),
    )


def _made_nothing(facts: PlanFacts, entry: JournalEntry) -> bool:
    """Tells whether the folder of an entry's new mapping was read, and holds no such file."""
    listing = facts.survey.files_in(folder_of_path(entry.new_file, facts.inventory.datastores))
    return listing is not None and from_volume_path(entry.new_file, facts.inventory.datastores) not in listing


def _undo(facts: PlanFacts, disk: Disk, entry: JournalEntry) -> DiskChange:
    """The old mapping is put back, where it is not attached still."""
    state = disk_state_of(entry, facts.machine, facts.inventory.datastores)
    needed = () if state is DiskState.OLD else attach_blockers(facts, disk, entry)
    return DiskChange(disk=disk, action=Action.UNDO, entry=entry, lun=facts.lun_of(disk), blockers=needed)
