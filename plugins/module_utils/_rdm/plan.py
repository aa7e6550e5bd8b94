# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""From what was asked and what was read to what will be done: every disk of the call, with all its blockers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TypeVar

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.conversion import check_conversion
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.lun import lun_not_found
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.machine import (
    check_journal,
    check_journal_reading,
    check_reading,
    check_record_files,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.target import Target
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_plan import Action, DiskChange, DiskPlan
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import (
    DiskState,
    disk_state_of,
    volume_path,
    with_recorded_disks,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    JOURNAL_KEY,
    STEP_BEGUN,
    STEP_SHUTDOWN_ASKED,
    TOUCHED,
    DiskJournal,
    JournalEntry,
    RecordedLun,
    from_volume_path,
    own_entries,
    own_journals,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_index import LunIndex
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Disk,
    DiskKind,
    FileFacts,
    HostLun,
    Inventory,
    Power,
    VirtualMachine,
    join_file,
    split_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.places import allowed_folders, check_places
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.selection import select_disks
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.survey import (
    Questions,
    Survey,
    datastore_named,
    folder_of,
    folder_of_path,
    needs_conversion,
    new_file_of,
    questions_of,
)

_Item = TypeVar("_Item")

# What matters to a disk whose conversion is to be finished or undone: only what that very step needs.
_STEP_CODES = frozenset(
    {
        BlockerCode.VM_POWERED_ON,
        BlockerCode.VM_SUSPENDED,
        BlockerCode.VM_INACCESSIBLE,
        BlockerCode.HOST_UNAVAILABLE,
        BlockerCode.HAS_SNAPSHOTS,
        BlockerCode.METHOD_DISABLED,
        BlockerCode.NO_PRIVILEGE,
        BlockerCode.LICENSE_READ_ONLY,
        BlockerCode.RECORD_OF_OTHER_VM,
    }
)
# And what matters where a mapping is attached or made: a record is a memory aid, and the LUN may be another's by now.
_ATTACH_CODES = _STEP_CODES | {
    BlockerCode.BUS_SHARING,
    BlockerCode.MULTI_WRITER,
    BlockerCode.PERENNIALLY_RESERVED,
    BlockerCode.LUN_USED_BY_OTHER_VM,
    BlockerCode.OTHER_HOSTS_UNKNOWN,
    BlockerCode.OTHER_VMS_UNREAD,
    BlockerCode.LUN_MISSING,
    BlockerCode.LUN_NOT_OK,
    BlockerCode.LUN_AMBIGUOUS,
    BlockerCode.SIZE_MISMATCH,
    BlockerCode.LUN_IS_BOOT_DEVICE,
    BlockerCode.LUN_CARRIES_VMFS,
    BlockerCode.LUN_USED_BY_VSAN,
    BlockerCode.LUN_IS_DUMP_OR_SCRATCH,
    BlockerCode.TOO_BIG,
    BlockerCode.NATIVE_4K,
}
# And what matters where only the disk mode of a virtual mapping is edited.
_EDIT_CODES = _STEP_CODES | {
    BlockerCode.IS_DELTA,
    BlockerCode.VM_IS_TEMPLATE,
    BlockerCode.TASK_RUNNING,
    BlockerCode.BUS_SHARING,
    BlockerCode.MULTI_WRITER,
    BlockerCode.ENCRYPTED,
    BlockerCode.LUN_MISSING,
    BlockerCode.LUN_AMBIGUOUS,
}
# A physical mapping has no disk mode, and yet the API refuses a new one without (domain of vim.vm.device.VirtualDisk).
_PHYSICAL_DISK_MODE = "independent_persistent"


@dataclass(frozen=True)
class Plan:
    """A call made ready: its disks in the order of their addresses, and the facts they were decided on."""

    request: Request
    inventory: Inventory
    machine: VirtualMachine
    disks: tuple[DiskPlan, ...]
    entries: Mapping[str, JournalEntry]
    blockers: tuple[Finding, ...]
    stopped_by_a_run: bool

    @cached_property
    def changes(self) -> tuple[DiskChange, ...]:
        """What a run carries out, in this order: what is attached to nothing, what was left open, and the rest.

        Disks that no run has begun with are changed only where none of them is blocked.
        """
        of_opened = {blocker for disk in self.disks if disk.address in self.entries for blocker in disk.blockers}
        blocked = any(blocker not in of_opened for blocker in self.blockers)
        possible: list[DiskChange] = []
        for change in self.disks:
            if not isinstance(change, DiskChange):
                continue
            if change.blockers:
                # An open entry whose disk still stands as it was can be given up whatever stands in the way, but not
                # while it is all that tells a later run to start a guest that may still go down.
                gives_up = change.action is Action.UNDO and self.stands(change, DiskState.OLD)
                if gives_up and not self._guest_may_go_down(change):
                    possible.append(change)
            elif change.address in self.entries or not blocked:
                possible.append(change)
        return tuple(
            sorted(possible, key=lambda change: (not self.is_half_way(change), change.address not in self.entries))
        )

    @cached_property
    def stops_the_vm(self) -> bool:
        """True where the VM is on and a disk has to be touched."""
        return self.machine.power is Power.ON and any(not self.stands_as_wanted(change) for change in self.changes)

    @property
    def starts_the_vm(self) -> bool:
        """True where the VM will have been stopped by a run, and is to be started again."""
        return self.request.restore_power and (self.stops_the_vm or self.stopped_by_a_run) and bool(self.changes)

    def stands(self, change: DiskChange, state: DiskState) -> bool:
        """Tells whether the disk stood there when all was read."""
        return disk_state_of(change.entry, self.machine, self.inventory.datastores) is state

    def is_half_way(self, disk: DiskPlan) -> bool:
        """Tells whether an earlier run left the disk attached to nothing."""
        return isinstance(disk, DiskChange) and self.stands(disk, DiskState.MISSING)

    def stands_as_wanted(self, change: DiskChange) -> bool:
        """Tells whether nothing of the disk itself has to change any more."""
        if change.action is Action.UNDO:
            return self.stands(change, DiskState.OLD)
        wanted_mode = change.entry.disk_mode if change.entry.wanted is Compatibility.VIRTUAL else None
        return self.stands(change, DiskState.NEW) and wanted_mode in (None, change.disk.disk_mode)

    def _guest_may_go_down(self, change: DiskChange) -> bool:
        return change.entry.step == STEP_SHUTDOWN_ASKED and self.machine.power is Power.ON


@dataclass(frozen=True)
class _Facts:
    """What the plan of one VM rests on."""

    request: Request
    inventory: Inventory
    lun_index: LunIndex
    machine: VirtualMachine
    survey: Survey
    journals: Mapping[str, DiskJournal] = field(default_factory=dict)
    power_before: Power = Power.OFF
    step: str = STEP_BEGUN
    boot_order: tuple[str, ...] = ()

    def lun_of(self, disk: Disk) -> HostLun | None:
        """Returns the one LUN that the VM's host means by the disk's ids."""
        return self.inventory.lun_of(self.machine, disk)


def plan_questions(request: Request, inventory: Inventory, machine: VirtualMachine) -> Questions:
    """Returns what has to be asked before `make_plan`; raises SelectionError."""
    entries = own_entries(machine).values()
    machine = with_recorded_disks(machine, entries, inventory.datastores)
    if not machine.disks:
        return Questions(())
    disks = select_disks(inventory, machine, request.disks)
    questions = questions_of(request, inventory, [(machine, disk) for disk in disks])
    if request.disk_mode is None:
        return questions
    # Whether an earlier run made a file for a disk that now needs another disk mode only.
    made = (folder_of_path(entry.new_file, inventory.datastores) for entry in entries)
    return replace(questions, folders=questions.folders | {folder for folder in made if folder is not None})


def make_plan(request: Request, inventory: Inventory, machine: VirtualMachine, survey: Survey) -> Plan:
    """Returns what becomes of each disk; raises SelectionError where a disk that was named is not there."""
    journals = own_journals(machine)
    entries = {address: journal.entry for address, journal in journals.items() if journal.entry is not None}
    stopped = machine.power is Power.OFF and any(
        entry.power_before is Power.ON and entry.step != STEP_BEGUN and not entry.deletes_only
        for entry in entries.values()
    )
    unreadable = tuple(blocker for blocker in check_journal(machine) if blocker.code == BlockerCode.RECORD_UNREADABLE)
    allowed = allowed_folders(machine, inventory.datastores, request)
    outside = dict(check_places(machine, entries.values(), inventory.datastores, allowed))
    machine = with_recorded_disks(machine, entries.values(), inventory.datastores)
    entries = {address: entry for address, entry in entries.items() if address not in outside}
    facts = _Facts(
        request,
        inventory,
        LunIndex.of(inventory),
        machine,
        survey,
        journals,
        Power.ON if stopped else (machine.power or Power.OFF),
        STEP_SHUTDOWN_ASKED if stopped else STEP_BEGUN,
        # A disk that an interrupted run took off has lost its place in the order.
        next((entry.boot_order for entry in entries.values() if entry.step in TOUCHED), machine.boot_order or ()),
    )
    unread = tuple(check_reading(machine))
    if unread and not machine.disks:
        return Plan(request, inventory, machine, (), entries, unread, stopped)
    selected = {disk.address for disk in select_disks(inventory, machine, request.disks)}
    disks: list[DiskPlan] = []
    for disk in sorted(machine.disks, key=_position):
        if disk.address in outside:
            disks.append(DiskPlan(disk=disk, action=Action.UNDO, blockers=(outside[disk.address],)))
        elif disk.address in entries:
            disks.append(_of_open_entry(facts, disk, entries[disk.address], disk.address in selected))
        elif disk.address in selected:
            disks.append(_of_untouched(facts, disk))
    # Whether a run is open is not known then, and so of no disk that nothing is to be done.
    untold = tuple(check_journal_reading(machine))
    if untold:
        disks = [replace(disk, blockers=_unique([*untold, *disk.blockers])) for disk in disks]
    # Most often the folder of the new mapping is the same one, and what stands against that is told already.
    beside = tuple(check_record_files(machine))
    disks = [
        replace(disk, blockers=disk.blockers or beside) if isinstance(disk, DiskChange) else disk for disk in disks
    ]
    blockers = _unique([*unreadable, *untold, *(blocker for disk in disks for blocker in disk.blockers)])
    return Plan(request, inventory, machine, tuple(disks), entries, blockers, stopped)


def conversion_blockers(
    inventory: Inventory, lun_index: LunIndex, machine: VirtualMachine, disk: Disk, request: Request, survey: Survey
) -> tuple[Finding, ...]:
    """Returns what a plan would have against bringing one disk into the wanted mode."""
    facts = _Facts(request, inventory, lun_index, machine, survey, own_journals(machine), machine.power or Power.OFF)
    return _conversion(facts, disk).blockers


def _position(disk: Disk) -> tuple[str, int, int]:
    """Returns what disks are sorted by: a swap puts the new device at the end of the VM's own order."""
    return (disk.controller.type, disk.controller.bus, disk.unit)


def _of_open_entry(facts: _Facts, disk: Disk, entry: JournalEntry, selected: bool) -> DiskPlan:
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
        fresh = _of_untouched(facts, disk)
        if isinstance(fresh, DiskChange) and not fresh.blockers:
            return replace(fresh, entry=_with_settings_of(entry, fresh.entry))
        # A run that was deleting kept files left nothing to undo, and this one may go on with it.
        deletions = fresh.deletions if entry.deletes_only else ()
        return replace(_undo(facts, disk, entry), blockers=fresh.blockers, deletions=deletions)
    if forward and state is DiskState.MISSING and not _lun_is_there(facts, entry):
        forward = False
    if not forward:
        if selected and asked is not None and entry.old_mode is Compatibility.VIRTUAL:
            entry = replace(entry, old_disk_mode=asked)
        undo = _undo(facts, disk, entry)
        unread = () if state is DiskState.OLD else _unread_blockers(facts, disk)
        return replace(undo, blockers=_unique([*unread, *undo.blockers]))
    needed = _attach_blockers(facts, disk, entry)
    if asked is not None and entry.wanted is Compatibility.VIRTUAL and not needed:
        entry = replace(entry, disk_mode=asked)
    if state is DiskState.NEW:
        needed = ()
    needed = _unique([*_unread_blockers(facts, disk), *needed])
    may_go = state is DiskState.MISSING and _old_may_go_first(facts, entry)
    return DiskChange(
        disk=disk,
        action=Action.FINISH,
        entry=entry,
        lun=facts.lun_of(disk),
        blockers=needed,
        old_may_go_first=may_go,
    )


def _old_may_go_first(facts: _Facts, entry: JournalEntry) -> bool:
    """Tells whether the old mapping can be made again as it was, should it have to go before the new one is made.

    The disk uuid of a virtual one is shown to the guest, and another mapping has another one.
    """
    known = entry.old_mode is Compatibility.PHYSICAL and entry.old_disk_uuid is not None
    return facts.survey.old_may_go_first and known and not entry.edits_only


def _made_nothing(facts: _Facts, entry: JournalEntry) -> bool:
    """Tells whether the folder of an entry's new mapping was read, and holds no such file."""
    listing = facts.survey.files_in(folder_of_path(entry.new_file, facts.inventory.datastores))
    return listing is not None and from_volume_path(entry.new_file, facts.inventory.datastores) not in listing


def _unread_blockers(facts: _Facts, disk: Disk) -> tuple[Finding, ...]:
    """Returns what could not be read, so that nobody can tell whether the disk is what it should be, and would undo
    what is right."""
    missing = lun_not_found(facts.inventory, facts.machine, disk)
    unseen = missing is not None and missing.code == BlockerCode.HOST_UNAVAILABLE
    return (*check_reading(facts.machine, disk), *((missing,) if missing is not None and unseen else ()))


def _with_settings_of(earlier: JournalEntry, entry: JournalEntry) -> JournalEntry:
    """Returns the record with the settings that the VM had before the earlier run took the disk off and put it back."""
    # A spare mapping that was made is removed first, whoever made it.
    entry = replace(entry, probing=earlier.probing)
    if earlier.step not in TOUCHED:
        return entry
    return replace(
        entry,
        old_disk_mode=earlier.old_disk_mode,
        sharing=earlier.sharing,
        shares_level=earlier.shares_level,
        shares=earlier.shares,
        io_limit=earlier.io_limit,
        io_reservation=earlier.io_reservation,
        label=earlier.label,
    )


def _undo(facts: _Facts, disk: Disk, entry: JournalEntry) -> DiskChange:
    state = disk_state_of(entry, facts.machine, facts.inventory.datastores)
    needed = () if state is DiskState.OLD else _attach_blockers(facts, disk, entry)
    return DiskChange(disk=disk, action=Action.UNDO, entry=entry, lun=facts.lun_of(disk), blockers=needed)


def _of_untouched(facts: _Facts, disk: Disk) -> DiskPlan:
    """A disk that no run has begun with: nothing to do, an edit of the disk mode, or a conversion."""
    request = facts.request
    journal = facts.journals.get(disk.address)
    deletions = journal.kept if journal is not None and request.delete_old_mapping else ()
    if needs_conversion(disk, request):
        return replace(_conversion(facts, disk), deletions=deletions)
    if request.disk_mode in (None, disk.disk_mode) or request.compatibility is Compatibility.PHYSICAL:
        return DiskPlan(disk=disk, action=Action.KEEP, lun=facts.lun_of(disk), deletions=deletions)
    return replace(_edit(facts, disk), deletions=deletions)


def _edit(facts: _Facts, disk: Disk) -> DiskPlan:
    lun = facts.lun_of(disk)
    path = volume_path(disk, facts.inventory.datastores)
    blockers = _step_blockers(facts, disk, facts.request.compatibility, _EDIT_CODES)
    if lun is None or path is None:
        blockers = blockers or (_nowhere(disk, disk.file),)
        return DiskPlan(disk=disk, action=Action.EDIT, lun=lun, blockers=blockers)
    entry = _new_entry(facts, disk, lun, path, path)
    return DiskChange(disk=disk, action=Action.EDIT, entry=entry, lun=lun, blockers=blockers)


def _conversion(facts: _Facts, disk: Disk) -> DiskPlan:
    request, machine, datastores = facts.request, facts.machine, facts.inventory.datastores
    lun, survey = facts.lun_of(disk), facts.survey
    own_files = frozenset(from_volume_path(path, datastores) for own in facts.journals.values() for path in own.files)
    file = new_file_of(request, disk)
    datastore = datastore_named(facts.inventory, machine, split_file(file)[0], disk)
    folder = folder_of(file, datastore)
    listing = survey.files_in(folder)
    if listing is not None:
        file = _kept_file(facts, disk, file, listing, own_files) or file
    lacking = {machine.name: survey.missing_privileges.get(machine.id, ())}
    for place in (datastore, datastores.get(disk.datastore or "")):
        if place is not None:
            lacking[place.name] = survey.missing_privileges.get(place.id, ())
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
    entry = _new_entry(facts, disk, lun, old_path, f"/vmfs/volumes/{datastore.uuid}/{_inner(file)}")
    attach = listing is not None and file in listing and file in own_files
    return DiskChange(
        disk=disk,
        action=Action.CONVERT,
        entry=entry,
        lun=lun,
        attach_existing=attach,
        old_may_go_first=not attach and _old_may_go_first(facts, entry),
        blockers=blockers,
    )


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


def _kept_file(
    facts: _Facts, disk: Disk, file: str, listing: Mapping[str, FileFacts], own_files: frozenset[str]
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


def _new_entry(facts: _Facts, disk: Disk, lun: HostLun, old_path: str, new_path: str) -> JournalEntry:
    """Returns what is written down of a disk before it is changed; the run that does it puts its id in."""
    request = facts.request
    if request.compatibility is Compatibility.PHYSICAL:
        disk_mode: str | None = _PHYSICAL_DISK_MODE
    else:
        disk_mode = request.disk_mode or "persistent"
    return JournalEntry(
        run="",
        lease=0,
        step=facts.step,
        address=disk.address,
        wanted=request.compatibility,
        old_mode=disk.compatibility or Compatibility.PHYSICAL,
        old_file=old_path,
        new_file=new_path,
        lun=RecordedLun.of(lun, lun.capacity_bytes or 0),
        power_before=facts.power_before,
        disk_mode=disk_mode,
        old_disk_mode=disk.disk_mode,
        old_disk_uuid=facts.survey.disk_uuids.get(disk.file) or disk.disk_uuid,
        sharing=disk.sharing,
        shares_level=disk.shares_level,
        shares=disk.shares,
        io_limit=disk.io_limit,
        io_reservation=disk.io_reservation,
        boot_order=facts.boot_order,
        label=disk.label,
    )


def _step_blockers(facts: _Facts, disk: Disk, wanted: Compatibility, codes: Iterable[str]) -> tuple[Finding, ...]:
    found = check_conversion(
        facts.inventory,
        facts.machine,
        disk,
        wanted,
        power=facts.request.power,
        override=facts.request.override,
        lun_index=facts.lun_index,
    )
    return tuple(blocker for blocker in found if blocker.code in codes)


def _attach_blockers(facts: _Facts, disk: Disk, entry: JournalEntry) -> tuple[Finding, ...]:
    """Returns what stands against attaching or making a mapping of the LUN that a record names."""
    host = facts.inventory.host_of(facts.machine)
    luns = (host.luns or ()) if host is not None else ()
    same = [lun for lun in luns if entry.lun.is_same_as(lun)]
    present = facts.lun_of(disk)
    if present is not None and not entry.lun.is_same_as(present):
        return (_other_lun(facts, disk, entry, present),)
    if len(same) == 1:
        # What is checked is the LUN that will be mapped, whatever else of it the record says.
        disk = replace(disk, lun_uuid=same[0].uuid, device_name=same[0].device_name)
    return _step_blockers(facts, disk, entry.wanted, _ATTACH_CODES)


def _other_lun(facts: _Facts, disk: Disk, entry: JournalEntry, present: HostLun) -> Finding:
    key = f"{JOURNAL_KEY}{entry.address}"
    return Finding.blocker(
        BlockerCode.RECORD_UNREADABLE,
        f"The open record {key} of {facts.machine.name} names the LUN {entry.lun.canonical_name} with "
        f"{entry.lun.capacity_bytes} bytes, and {disk.address} is of {present.canonical_name} with "
        f"{present.capacity_bytes} bytes.",
        f"Look at the mapping on the host with vmkfstools -q; if no conversion is under way, remove {key}.",
        facts.machine.name,
    )


def _lun_is_there(facts: _Facts, entry: JournalEntry) -> bool:
    host = facts.inventory.host_of(facts.machine)
    luns = (host.luns or ()) if host is not None else ()
    return sum(entry.lun.is_same_as(lun) for lun in luns) == 1


def _inner(file: str) -> str:
    """The path of a file inside its datastore."""
    _datastore, folder, name = split_file(file)
    return join_file("", folder, name).removeprefix("[] ")


def _unique(items: Iterable[_Item]) -> tuple[_Item, ...]:
    return tuple(dict.fromkeys(items))
