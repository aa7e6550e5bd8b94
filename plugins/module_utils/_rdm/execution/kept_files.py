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
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import inventory_of, volume_path
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_uuid import digits_of
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
    DiskKind,
    FileFacts,
    Inventory,
    Power,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.places import (
    allowed_folders,
    folder_of_volume_path,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.survey import (
    Folder,
    Questions,
    Survey,
    folder_of_path,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.unread import Unread, counted, some_of

_SHELL_HINT = "Look at it on the host (vmkfstools -q), and delete it there if it is what it was."


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
        readable, facts = _facts_in(survey, known[one.old_file], files[one.old_file])
        whole = inventory_of(state, inventory)
        refusal = _elsewhere(one, files[one.old_file], request, state)
        refusal = refusal or why_not_deleted(one, files[one.old_file], readable, facts, whole, state.machine)
        if refusal is None:
            possible.append(one)
        else:
            deleted.refusals.append(refusal)
    return possible


def file_facts(run: Run, state: VmState, path: str) -> tuple[bool, FileFacts | None]:
    """Returns (whether its folder could be read, the file as it is now with its uuid; None where it is not there)."""
    folder = folder_of_path(path, state.datastores)
    if folder is None:
        return False, None
    file = from_volume_path(path, state.datastores)
    survey = run.survey(Questions((), frozenset(), frozenset({folder}), frozenset({(state.machine.id, file)})))
    return _facts_in(survey, folder, file)


def _facts_in(survey: Survey, folder: Folder | None, file: str) -> tuple[bool, FileFacts | None]:
    listing = survey.files_in(folder)
    if listing is None:
        return False, None
    facts = listing.get(file)
    return True, replace(facts, disk_uuid=survey.disk_uuids.get(file)) if facts is not None else None


def delete_file(run: Run, machine: VirtualMachine, path: str, state: VmState) -> None:
    """Deletes a mapping file; raises what the server said where the file is still there afterwards."""
    run.check_ownership(run.read_vm())
    run.changed = True
    try:
        run.backend.delete_mapping(machine, from_volume_path(path, state.datastores))
    except StorageError:
        readable, facts = file_facts(run, state, path)
        if not readable or facts is not None:
            raise


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
    refusal = _elsewhere(kept, file, request, state)
    refusal = refusal or why_not_deleted(kept, file, readable, facts, inventory_of(state, inventory), state.machine)
    if refusal is not None:
        deleted.refusals.append(refusal)
        return
    if facts is not None:
        try:
            delete_file(run, state.machine, kept.old_file, state)
        except StorageError as error:
            message = f"{file} was not deleted: {error.message}"
            deleted.refusals.append(Finding.blocker(BlockerCode.OLD_MAPPING_NOT_DELETED, message, _SHELL_HINT, file))
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


def _elsewhere(kept: KeptMapping, file: str, request: Request, state: VmState) -> Finding | None:
    """Returns why a file may not be deleted that lies where none of this VM belongs; None where it lies well."""
    if folder_of_volume_path(kept.old_file) in allowed_folders(state.machine, state.datastores, request):
        return None
    return Finding.blocker(
        BlockerCode.OLD_MAPPING_UNREADABLE,
        f"{file} lies neither in a folder of {state.machine.name} nor in the one that datastore and directory name; "
        "a record alone is no proof that it is the VM's.",
        f"Name its folder with datastore and directory if it is. {_SHELL_HINT}",
        file,
    )


def why_not_deleted(
    kept: KeptMapping,
    file: str,
    readable: bool,
    facts: FileFacts | None,
    inventory: Inventory,
    machine: VirtualMachine,
) -> Finding | None:
    """Returns why a kept file may not be deleted; None where it may, or is gone already."""
    if not readable:
        message = f"The folder of {file} cannot be read."
        return Finding.blocker(BlockerCode.OLD_MAPPING_UNREADABLE, message, _SHELL_HINT, file)
    if facts is None:
        return None
    users = sorted(_users_of(kept, file, inventory, machine))
    if users:
        return Finding.blocker(
            BlockerCode.OLD_MAPPING_IN_USE,
            f"{file} is attached to {', '.join(users)}, or about to be.",
            "Detach it there first, or leave it.",
            file,
        )
    if facts.kind is None or facts.capacity_bytes is None:
        message = f"What {file} is cannot be read."
        return Finding.blocker(BlockerCode.OLD_MAPPING_UNREADABLE, message, _SHELL_HINT, file)
    unknown = [when for when, uuid in (("then", kept.disk_uuid), ("now", facts.disk_uuid)) if not digits_of(uuid)]
    if unknown:
        return Finding.blocker(
            BlockerCode.OLD_MAPPING_UNREADABLE,
            f"Whether {file} is what was kept is not known: its disk uuid could not be read {' and '.join(unknown)}.",
            _SHELL_HINT,
            file,
        )
    differing = _differing(kept, facts)
    if differing:
        message = f"{file} is not what was kept: {differing}."
        return Finding.blocker(BlockerCode.OLD_MAPPING_CHANGED, message, _SHELL_HINT, file)
    unread = Unread.of(inventory).names
    if unread:
        return Finding.blocker(
            BlockerCode.OLD_MAPPING_UNREADABLE,
            f"Whether {file} is used is not known: {counted(unread)} could not be read ({some_of(unread)}).",
            f"See why the findings of rdm_info say they could not be read. {_SHELL_HINT}",
            file,
        )
    return None


def _users_of(kept: KeptMapping, file: str, inventory: Inventory, machine: VirtualMachine) -> set[str]:
    """Returns the VMs that use a file, and this VM where a conversion of another of its disks names it."""
    users = {
        other.name
        for other in inventory.machines.values()
        for disk in other.disks
        if _share_names(other, machine) and file in (disk.file, *disk.parents)
    }
    named = {
        path
        for address, entry in own_entries(machine).items()
        if address != kept.address
        for path in (entry.old_file, entry.new_file)
    }
    return users | ({machine.name} if kept.old_file in named else set())


def _differing(kept: KeptMapping, facts: FileFacts) -> str | None:
    if facts.kind is not DiskKind.MAPPING:
        return "it is no raw device mapping any more"
    if facts.compatibility is not None and facts.compatibility is not kept.mode:
        return f"it is a {facts.compatibility.value} mapping, not a {kept.mode.value} one"
    # The browser tells whole KiB; a LUN may have an odd number of blocks.
    if facts.capacity_bytes is None or facts.capacity_bytes // 1024 != kept.lun.capacity_bytes // 1024:
        return f"it has {facts.capacity_bytes} bytes, not {kept.lun.capacity_bytes}"
    if digits_of(facts.disk_uuid) != digits_of(kept.disk_uuid):
        return f"its disk uuid is {facts.disk_uuid}, not {kept.disk_uuid}"
    return None


def _share_names(other: VirtualMachine, machine: VirtualMachine) -> bool:
    """Tells whether a file name of another VM can mean the same file: datastore names repeat over datacenters."""
    return other.datacenter == machine.datacenter or other.datacenter is None or machine.datacenter is None
