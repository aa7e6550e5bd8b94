# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The kept old mapping files: deleted where that was asked for, and only while they are what the journal says.

Deleting is a write like any other: the run writes its own entries first, and while they are its own nobody else works
on these disks. The disks themselves stay as they are, so the VM may be on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import VmState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.kept_file import (
    LOOK_ON_HOST,
    check_kept_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import inventory_of, volume_path
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.mapping_files import (
    delete_file,
    facts_in,
    file_facts,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import Run
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    STEP_DELETING,
    DiskJournal,
    JournalEntry,
    KeptMapping,
    from_volume_path,
    journal_at,
    own_entries,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Inventory,
    Power,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.places import (
    check_place_of_kept,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.survey import (
    Questions,
    folder_of_path,
)


@dataclass
class Deleted:
    """What came of it: the files that were deleted, by address, and why others were not."""

    files: list[tuple[str, str]] = field(default_factory=list)
    refusals: list[Finding] = field(default_factory=list)


def delete_kept_mappings(run: Run, request: Request, addresses: Sequence[str], deleted: Deleted) -> None:
    """Deletes the old mappings that are kept at these addresses, and forgets them; fills in `deleted` as it goes."""
    inventory = run.inventory()
    state = run.read_vm_when_idle()
    possible = _possible(run, request, state, addresses, inventory, deleted)
    if not possible:
        return
    _claim(run, state, possible)
    for kept in possible:
        _delete(run, request, kept, inventory, deleted)
    _give_back(run)


def _possible(
    run: Run, request: Request, state: VmState, addresses: Sequence[str], inventory: Inventory, deleted: Deleted
) -> list[KeptMapping]:
    """Returns what may be deleted as things stand now: for a refusal nothing has to be written."""
    kept = [one for address in addresses for one in _kept_at(state, address)]
    known = {one.old_file: folder_of_path(one.old_file, state.datastores) for one in kept}
    folders = frozenset(folder for folder in known.values() if folder is not None)
    files = {one.old_file: from_volume_path(one.old_file, state.datastores) for one in kept}
    uuids = frozenset((state.machine.id, file) for file in files.values())
    survey = run.survey(Questions((), frozenset(), folders, uuids))
    possible: list[KeptMapping] = []
    for one in kept:
        readable, facts = facts_in(survey, known[one.old_file], files[one.old_file])
        whole = inventory_of(state, inventory)
        refusal = check_place_of_kept(one, state.machine, state.datastores, request)
        refusal = refusal or check_kept_file(one, files[one.old_file], readable, facts, whole, state.machine)
        if refusal is None:
            possible.append(one)
        else:
            deleted.refusals.append(refusal)
    return possible


def _claim(run: Run, state: VmState, possible: Sequence[KeptMapping]) -> None:
    """Writes an entry for each address where a file is to be deleted."""
    entries = {kept.address: _entry_of(run, state, kept) for kept in possible}
    planned = dict(state.machine.journal)

    def claim(seen: VmState) -> None:
        if dict(seen.machine.journal) != planned:
            raise StorageError(
                f"Records of {seen.machine.name} were changed by somebody else; no old mapping was deleted.",
                hint="Run again.",
            )
        run.held = dict(entries)
        journals = run.renewed_journal(seen.machine)
        run.held = {}
        run.backend.claim(seen.machine, journals)

    run.converge(lambda seen: all(run.owns(seen, address) for address in entries), claim)
    run.held = entries


def _entry_of(run: Run, state: VmState, kept: KeptMapping) -> JournalEntry:
    """Returns the entry of a disk that stays as it is."""
    disk = state.machine.disk_at(kept.address)
    path = volume_path(disk, state.datastores) if disk is not None else None
    if disk is None or path is None:
        raise StorageError(
            f"{kept.address} of {state.machine.name} is gone; no old mapping was deleted.", hint="Run again."
        )
    mode = disk.compatibility or Compatibility.VIRTUAL
    return JournalEntry(
        run=run.run_id,
        lease=0,
        step=STEP_DELETING,
        address=kept.address,
        wanted=mode,
        old_mode=mode,
        old_file=path,
        new_file=path,
        lun=kept.lun,
        power_before=state.machine.power or Power.OFF,
        disk_mode=disk.disk_mode,
        old_disk_mode=disk.disk_mode,
        label=disk.label,
    )


def _kept_at(state: VmState, address: str) -> tuple[KeptMapping, ...]:
    journal = journal_at(state.machine, address)
    return journal.kept if journal is not None else ()


def _delete(run: Run, request: Request, kept: KeptMapping, inventory: Inventory, deleted: Deleted) -> None:
    state = run.read_vm_as_owner()
    file = from_volume_path(kept.old_file, state.datastores)
    readable, facts = file_facts(run, state, kept.old_file)
    refusal = check_place_of_kept(kept, state.machine, state.datastores, request)
    refusal = refusal or check_kept_file(kept, file, readable, facts, inventory_of(state, inventory), state.machine)
    if refusal is not None:
        deleted.refusals.append(refusal)
        return
    if facts is not None:
        try:
            delete_file(run, state.machine, kept.old_file, state)
        except StorageError as error:
            message = f"{file} was not deleted: {error.message}"
            deleted.refusals.append(Finding.blocker(BlockerCode.OLD_MAPPING_NOT_DELETED, message, LOOK_ON_HOST, file))
            return
        deleted.files.append((kept.address, file))
    _forget(run, kept)


def _forget(run: Run, kept: KeptMapping) -> None:
    """Takes one kept file out of the journal."""
    address = kept.address

    def change(state: VmState) -> dict[str, DiskJournal | None]:
        journal = journal_at(state.machine, address)
        if journal is None:
            return {}
        left = tuple(other for other in journal.kept if other != kept)
        return {address: replace(journal, kept=left, entry=run.held[address])}

    run.save(lambda state: kept not in _kept_at(state, address), change)


def _give_back(run: Run) -> None:
    """Closes the entries that this run wrote in order to delete."""
    addresses = list(run.held)

    def change(state: VmState) -> dict[str, DiskJournal | None]:
        journals = {address: journal_at(state.machine, address) for address in addresses}
        return {address: journal.closed() for address, journal in journals.items() if journal is not None}

    def closed(state: VmState) -> bool:
        return not any(address in own_entries(state.machine) for address in addresses)

    run.save(closed, change)
    run.held.clear()
