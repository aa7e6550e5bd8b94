# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The mapping files that a record names: whether they are what it says, and those that serve nobody removed."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    RefusalKind,
    StepRefused,
    StorageError,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import VmState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import inventory_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.mapping_files import (
    delete_file,
    file_facts,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import Run
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.files import is_name_of_new
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    JournalEntry,
    from_volume_path,
    journal_at,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility, DiskKind, FileFacts


class NotVerified(StorageError):
    """Something is not what it should be: what the server made, or a file that a record names."""


def new_file_is_there(run: Run, entry: JournalEntry, vm_state: VmState) -> bool:
    """Tells whether the new mapping of this entry exists already, left by a run that was killed."""
    return not entry.edits_only and mapping_is_there(run, entry, entry.new_file, entry.wanted, vm_state)


def mapping_is_there(run: Run, entry: JournalEntry, path: str, mode: Compatibility, vm_state: VmState) -> bool:
    """Tells whether a file is there and is a mapping of that mode, of the size of the record's LUN."""
    _readable, facts = file_facts(run, vm_state, path)
    return facts is not None and _is_of(entry, facts, mode)


def _is_of(entry: JournalEntry, facts: FileFacts, mode: Compatibility) -> bool:
    """Tells whether a file is a mapping of that mode and of the size of the LUN."""
    fits = facts.capacity_bytes is None or facts.is_as_big_as(entry.lun.capacity_bytes)
    return facts.kind is DiskKind.MAPPING and facts.compatibility in (None, mode) and fits


def old_is_gone(run: Run, entry: JournalEntry, vm_state: VmState) -> bool:
    """Tells whether the old mapping file is gone, as far as that is no surprise: the host deleted it against our word,
    or this conversion had to."""
    lost = entry.old_file in run.backend.lost_files
    if not lost and not entry.one_at_a_time:
        return False
    readable, facts = file_facts(run, vm_state, entry.old_file)
    return facts is None and (readable or lost)


def check_old_file(run: Run, entry: JournalEntry, vm_state: VmState) -> None:
    """Raises NotVerified where the file that a record calls the old mapping is something else."""
    readable, facts = file_facts(run, vm_state, entry.old_file)
    known_to_differ = facts is not None and facts.kind is not None and not _is_of(entry, facts, entry.old_mode)
    if known_to_differ or (readable and facts is None and not entry.one_at_a_time):
        raise NotVerified(
            f"{from_volume_path(entry.old_file, vm_state.datastores)} is no {entry.old_mode.value} mapping of "
            f"{entry.lun.capacity_bytes} bytes, as the record of {entry.address} says it is.",
            hint="Look at it on the host with vmkfstools -q.",
        )


def remove_new_file(run: Run, entry: JournalEntry, vm_state: VmState) -> bool:
    """Removes the mapping that this entry made, unless the journal says that it was there before.

    Returns False where the file is still there and a later run may remove it: then its record is not to be closed.
    """
    # A file that bears another name than a run of ours would have given it is not for us to remove.
    if entry.edits_only or not is_name_of_new(entry.new_file, entry.old_file, entry.wanted):
        return True
    journals = (journal_at(vm_state.machine, address) for address in vm_state.machine.journal)
    kept = {mapping.old_file for known in journals if known is not None for mapping in known.kept}
    return entry.new_file in kept or remove_unused(run, entry, entry.new_file, entry.wanted, vm_state)


def remove_unused(run: Run, entry: JournalEntry, path: str, mode: Compatibility, vm_state: VmState) -> bool:
    """Removes a mapping of the record's LUN that a run made and nobody uses; returns as `remove_new_file`."""
    if not mapping_is_there(run, entry, path, mode, vm_state):
        return True
    file = from_volume_path(path, vm_state.datastores)
    inventory = inventory_of(vm_state, run.inventory())
    if not inventory.complete:
        return False
    machines = inventory.machines.values()
    if any(file in (disk.file, *disk.parents) for machine in machines for disk in machine.disks):
        return True
    try:
        delete_file(run, vm_state.machine, path, vm_state)
    except StorageError as error:
        run.warnings.append(f"The unused mapping {file} could not be deleted: {error.message}")
        return isinstance(error, StepRefused) and error.kind is RefusalKind.NO_PRIVILEGE
    return True
