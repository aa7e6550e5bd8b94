# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A disk that no run has begun with: kept as it is, its disk mode edited, or converted. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.conversion import check_conversion
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.target import Target
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import volume_path
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import JournalEntry, from_volume_path
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Datastore,
    Disk,
    DiskKind,
    FileFacts,
    join_file,
    split_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.disk_plan import (
    Action,
    DiskChange,
    DiskPlan,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.facts import PlanFacts
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.new_entry import new_entry
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.step_checks import (
    EDIT_CODES,
    step_blockers,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.survey import (
    datastore_named,
    folder_of,
    needs_conversion,
    new_file_of,
)


def plan_untouched(facts: PlanFacts, disk: Disk) -> DiskPlan:
    """A disk that no run has begun with: nothing to do, an edit of the disk mode, or a conversion."""
    request = facts.request
    journal = facts.journals.get(disk.address)
    deletions = journal.kept if journal is not None and request.delete_old_mapping else ()
    if needs_conversion(disk, request):
        return replace(plan_conversion(facts, disk), deletions=deletions)
    if request.disk_mode in (None, disk.disk_mode) or request.compatibility is Compatibility.PHYSICAL:
        return DiskPlan(disk=disk, action=Action.KEEP, lun=facts.lun_of(disk), deletions=deletions)
    return replace(_edit(facts, disk), deletions=deletions)


def plan_conversion(facts: PlanFacts, disk: Disk) -> DiskPlan:
    """The disk's mapping is replaced by one of the wanted mode: a kept one, or a new one."""
    request, machine, datastores = facts.request, facts.machine, facts.inventory.datastores
    lun, survey = facts.lun_of(disk), facts.survey
    own_files = frozenset(from_volume_path(path, datastores) for own in facts.journals.values() for path in own.files)
    file = new_file_of(request, disk)
    datastore = datastore_named(facts.inventory, machine, split_file(file)[0], disk)
    folder = folder_of(file, datastore)
    listing = survey.files_in(folder)
    if listing is not None:
        file = _kept_file(facts, disk, file, listing, own_files) or file
    lacking = _missing_privileges(facts, datastore, datastores.get(disk.datastore or ""))
    target = Target(file, datastore, listing, own_files, missing_privileges=lacking)
    blockers = check_conversion(
        facts.inventory,
        machine,
        disk,
        request.compatibility,
        target=target,
        power=request.power,
        override=request.override,
        lun_index=facts.lun_index,
    )
    old_path = volume_path(disk, datastores)
    if lun is None or old_path is None or datastore is None:
        return DiskPlan(disk=disk, action=Action.CONVERT, lun=lun, blockers=blockers or (_nowhere(disk, file),))
    if not blockers and listing is None:
        blockers = (_unreadable(file),)
    # Only a place of the user's own may be without a folder: the old one holds a file.
    unsuitable = any(blocker.code == BlockerCode.DATASTORE_UNSUITABLE for blocker in blockers)
    if folder in survey.missing_folders and not unsuitable:
        blockers = (*blockers, _no_folder(file))
    entry = new_entry(facts, disk, lun, old_path, f"/vmfs/volumes/{datastore.uuid}/{_inner(file)}")
    attach = listing is not None and file in listing and file in own_files
    return DiskChange(
        disk=disk,
        action=Action.CONVERT,
        entry=entry,
        lun=lun,
        attach_existing=attach,
        old_may_go_first=not attach and old_may_go_first(facts, entry),
        blockers=blockers,
    )


def _missing_privileges(facts: PlanFacts, *datastores: Datastore | None) -> dict[str, Sequence[str]]:
    """Returns, by name, what the user lacks on the VM and on the datastores that are known."""
    lacking = facts.survey.missing_privileges
    seen = [datastore for datastore in datastores if datastore is not None]
    on_vm = {facts.machine.name: lacking.get(facts.machine.id, ())}
    return on_vm | {datastore.name: lacking.get(datastore.id, ()) for datastore in seen}


def _edit(facts: PlanFacts, disk: Disk) -> DiskPlan:
    """The mapping stays, and gets another disk mode."""
    lun = facts.lun_of(disk)
    path = volume_path(disk, facts.inventory.datastores)
    blockers = step_blockers(facts, disk, facts.request.compatibility, EDIT_CODES)
    if lun is None or path is None:
        blockers = blockers or (_nowhere(disk, disk.file),)
        return DiskPlan(disk=disk, action=Action.EDIT, lun=lun, blockers=blockers)
    entry = new_entry(facts, disk, lun, path, path)
    return DiskChange(disk=disk, action=Action.EDIT, entry=entry, lun=lun, blockers=blockers)


def old_may_go_first(facts: PlanFacts, entry: JournalEntry) -> bool:
    """Tells whether the old mapping can be made again as it was, should it have to go before the new one is made.

    The disk uuid of a virtual one is shown to the guest, and another mapping has another one.
    """
    known = entry.old_mode is Compatibility.PHYSICAL and entry.old_disk_uuid is not None
    return facts.survey.old_may_go_first and known and not entry.edits_only


def _kept_file(
    facts: PlanFacts, disk: Disk, file: str, listing: Mapping[str, FileFacts], own_files: frozenset[str]
) -> str | None:
    """Returns the kept mapping of the wanted mode beside the new file's place, which is taken before a new one."""
    journal, lun = facts.journals.get(disk.address), facts.lun_of(disk)
    for kept in journal.kept if journal is not None and lun is not None else ():
        name = from_volume_path(kept.old_file, facts.inventory.datastores)
        in_place = split_file(name)[:2] == split_file(file)[:2]
        usable = name in listing and name in own_files and listing[name].kind is DiskKind.MAPPING
        if kept.mode is facts.request.compatibility and in_place and usable and lun and kept.lun.is_same_as(lun):
            return name
    return None


def _nowhere(disk: Disk, file: str) -> Finding:
    return Finding.blocker(
        BlockerCode.DATASTORE_UNSUITABLE,
        f"The place of {disk.file} or of {file} is not a datastore that the VM's host shows.",
        "Name a datastore that the VM's host has mounted for writing.",
        file,
    )


def _no_folder(file: str) -> Finding:
    datastore, folder, _name = split_file(file)
    return Finding.blocker(
        BlockerCode.DATASTORE_UNSUITABLE,
        f"There is no folder {folder} on datastore {datastore}, where the new mapping file would lie.",
        "Make it first, or name one that there is with datastore and directory.",
        file,
    )


def _unreadable(file: str) -> Finding:
    return Finding.blocker(
        BlockerCode.DATASTORE_UNSUITABLE,
        f"The folder of {file} could not be read, and so not whether a file of that name exists.",
        "Run again; name another place with datastore and directory if it stays so.",
        file,
    )


def _inner(file: str) -> str:
    """The path of a file inside its datastore."""
    _datastore, folder, name = split_file(file)
    return join_file("", folder, name).removeprefix("[] ")
