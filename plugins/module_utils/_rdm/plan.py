# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""From what was asked and what was read to what will be done: every disk of the call, with all its blockers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TypeVar

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import Backend
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.conversion import check_conversion
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.machine import check_reading
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.target import Target
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_plan import (
    Action,
    DiskPlan,
    DiskState,
    disk_state_of,
    volume_path,
    with_recorded_disks,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.files import new_mapping_file
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    STEP_BEGUN,
    STEP_SHUTDOWN_ASKED,
    TOUCHED,
    DiskJournal,
    JournalEntry,
    KeptMapping,
    RecordedLun,
    UnreadableJournal,
    from_text,
    from_volume_path,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_index import LunIndex
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Datastore,
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
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.selection import select_disks

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
# And what matters where only the disk mode of a virtual mapping is edited.
_EDIT_CODES = _STEP_CODES | {
    BlockerCode.IS_DELTA,
    BlockerCode.VM_IS_TEMPLATE,
    BlockerCode.TASK_RUNNING,
    BlockerCode.BUS_SHARING,
    BlockerCode.MULTI_WRITER,
    BlockerCode.ENCRYPTED,
}
# A physical mapping has no disk mode, and yet the API refuses a new one without (domain of vim.vm.device.VirtualDisk).
_PHYSICAL_DISK_MODE = "independent_persistent"


@dataclass(frozen=True)
class Plan:
    """A call made ready: the works in the order of the VM's disks, and the facts they were decided on."""

    inventory: Inventory
    machine: VirtualMachine
    disk_plans: tuple[DiskPlan, ...]
    records: Mapping[str, DiskJournal]
    blockers: tuple[Finding, ...]
    stopped_by_a_run: bool

    @property
    def open_records(self) -> dict[str, JournalEntry]:
        """The conversions that an earlier run left open."""
        return {address: entry.open for address, entry in self.records.items() if entry.open is not None}


@dataclass(frozen=True)
class _Reading:
    """What `prepare` reads for one VM and hands to its parts."""

    backend: Backend
    request: Request
    inventory: Inventory
    lun_index: LunIndex
    machine: VirtualMachine
    records: Mapping[str, DiskJournal]
    power_before: Power
    step: str
    run_id: str
    boot_order: tuple[str, ...] = ()


def own_records(machine: VirtualMachine) -> tuple[dict[str, DiskJournal], tuple[Finding, ...]]:
    """Returns the VM's records by address, and a blocker for each text that cannot be read."""
    records: dict[str, DiskJournal] = {}
    blockers: list[Finding] = []
    for address, text in machine.records.items():
        try:
            records[address] = from_text(text)
        except UnreadableJournal:
            blockers.append(
                Finding.blocker(
                    BlockerCode.RECORD_UNREADABLE,
                    f"The record of {address} of {machine.name} cannot be read.",
                    f"Look at winbackup.storage.rdm.{address} of the VM; if no conversion is under way, remove it.",
                    machine.name,
                )
            )
    return records, tuple(blockers)


def make_plan(backend: Backend, request: Request, inventory: Inventory, machine: VirtualMachine, run_id: str) -> Plan:
    """Decides what becomes of each disk. Reads folders and privileges where a disk would change; writes nothing."""
    records, unreadable = own_records(machine)
    foreign = {address for address, entry in records.items() if entry.machine != machine.instance_uuid}
    own = {address: entry for address, entry in records.items() if address not in foreign}
    opened = [entry.open for entry in own.values() if entry.open is not None]
    stopped = machine.power is Power.OFF and any(
        entry.power_before is Power.ON and entry.step != STEP_BEGUN for entry in opened
    )
    machine = with_recorded_disks(machine, opened, inventory.datastores)
    reading = _Reading(
        backend,
        request,
        inventory,
        LunIndex.of(inventory),
        machine,
        own,
        Power.ON if stopped else (machine.power or Power.OFF),
        STEP_SHUTDOWN_ASKED if stopped else STEP_BEGUN,
        run_id,
        # A disk that an interrupted run took off has lost its place in the order.
        next((entry.boot_order for entry in opened if entry.step in TOUCHED), machine.boot_order or ()),
    )
    unseen = tuple(check_reading(machine))
    if unseen and not machine.disks:
        return Plan(inventory, machine, (), own, unseen, stopped)
    selected = {disk.address for disk in select_disks(inventory, machine, request.disks)}
    disk_plans: list[DiskPlan] = []
    for disk in sorted(machine.disks, key=_position):
        entry = own.get(disk.address)
        if entry is not None and entry.open is not None:
            disk_plans.append(_reopened(reading, disk, entry.open, disk.address in selected))
        elif disk.address in selected:
            disk_plans.append(_fresh(reading, disk))
    blockers = _unique([*unreadable, *(blocker for disk_plan in disk_plans for blocker in disk_plan.blockers)])
    return Plan(inventory, machine, tuple(disk_plans), own, blockers, stopped)


def _position(disk: Disk) -> tuple[str, int, int]:
    """Returns what disks are sorted by: a swap puts the new device at the end of the VM's own order."""
    return (disk.controller.type, disk.controller.bus, disk.unit)


def conversion_blockers(
    backend: Backend,
    inventory: Inventory,
    lun_index: LunIndex,
    machine: VirtualMachine,
    disk: Disk,
    wanted: Compatibility,
) -> tuple[Finding, ...]:
    """Returns what a plan with the default options would have against bringing one disk into the wanted mode."""
    records, unreadable = own_records(machine)
    own = {address: entry for address, entry in records.items() if entry.machine == machine.instance_uuid}
    reading = _Reading(
        backend,
        Request(machine.id, wanted),
        inventory,
        lun_index,
        machine,
        own,
        machine.power or Power.OFF,
        STEP_BEGUN,
        "",
    )
    return _unique([*unreadable, *_conversion(reading, disk, _lun(reading, disk)).blockers])


def _reopened(reading: _Reading, disk: Disk, entry: JournalEntry, selected: bool) -> DiskPlan:
    """A disk whose conversion was left open: finished where it was asked for again, else undone."""
    disk_state = disk_state_of(entry, reading.machine, reading.inventory.datastores)
    forward = selected and entry.wanted is reading.request.compatibility
    asked = reading.request.disk_mode
    edited_at_most = entry.edits_only and disk_state in (DiskState.OLD, DiskState.NEW)
    if (forward and disk_state is DiskState.OLD) or (selected and edited_at_most and not forward):
        # The mapping is still the old one, so it is a conversion like any other, with every check.
        disk_plan = _fresh(reading, disk)
        if disk_plan.entry is not None and not disk_plan.blockers:
            return replace(disk_plan, entry=_with_settings_of(entry, disk_plan.entry))
        return replace(_undo(reading, disk, entry), blockers=disk_plan.blockers)
    if forward and disk_state is DiskState.MISSING and not _lun_is_there(reading, entry):
        forward = False
    if not forward:
        if selected and asked is not None and entry.old_mode is Compatibility.VIRTUAL:
            entry = replace(entry, old_disk_mode=asked)
        return _undo(reading, disk, entry)
    needed = _step_blockers(reading, disk, entry.wanted, _STEP_CODES)
    if asked is not None and entry.wanted is Compatibility.VIRTUAL and not needed:
        entry = replace(entry, disk_mode=asked)
    if disk_state is DiskState.NEW:
        needed = ()
    return DiskPlan(disk, Action.FINISH, entry, _lun(reading, disk), blockers=needed)


def _with_settings_of(earlier: JournalEntry, entry: JournalEntry) -> JournalEntry:
    """Returns the record with the settings that the VM had before the earlier run took the disk off and put it back."""
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


def _undo(reading: _Reading, disk: Disk, entry: JournalEntry) -> DiskPlan:
    disk_state = disk_state_of(entry, reading.machine, reading.inventory.datastores)
    needed = () if disk_state is DiskState.OLD else _step_blockers(reading, disk, entry.wanted, _STEP_CODES)
    return DiskPlan(disk, Action.UNDO, entry, _lun(reading, disk), blockers=needed)


def _fresh(reading: _Reading, disk: Disk) -> DiskPlan:
    """A disk that no run has begun with: nothing to do, an edit of the disk mode, or a conversion."""
    request = reading.request
    lun = _lun(reading, disk)
    entry = reading.records.get(disk.address)
    deletions = entry.notes if entry is not None and request.delete_old_mapping else ()
    if disk.kind is DiskKind.MAPPING and disk.compatibility is request.compatibility:
        if request.disk_mode in (None, disk.disk_mode) or request.compatibility is Compatibility.PHYSICAL:
            return DiskPlan(disk, Action.KEEP, None, lun, deletions=deletions)
        path = volume_path(disk, reading.inventory.datastores)
        needed = _step_blockers(reading, disk, request.compatibility, _EDIT_CODES)
        opened = _record(reading, disk, lun, path, path, None) if lun and path else None
        return DiskPlan(disk, Action.EDIT, opened, lun, blockers=needed, deletions=deletions)
    return replace(_conversion(reading, disk, lun), deletions=deletions)


def _conversion(reading: _Reading, disk: Disk, lun: HostLun | None) -> DiskPlan:
    request, machine, datastores = reading.request, reading.machine, reading.inventory.datastores
    own_files = frozenset(
        from_volume_path(path, datastores) for entry in reading.records.values() for path in entry.files
    )
    file, listing = _target(reading, disk, own_files)
    datastore = _datastore_named(reading, split_file(file)[0], disk)
    target = Target(
        file,
        datastore,
        listing,
        own_files,
        missing_privileges=reading.backend.missing_privileges(
            machine, _unique([ds for ds in (datastore, datastores.get(disk.datastore or "")) if ds is not None])
        ),
    )
    blockers = check_conversion(
        reading.inventory,
        machine,
        disk,
        request.compatibility,
        target=target,
        power=request.power,
        override=request.override,
        lun_index=reading.lun_index,
    )
    old_path = volume_path(disk, datastores)
    new_path = f"/vmfs/volumes/{datastore.uuid}/{_inner(file)}" if datastore is not None else None
    opened = None
    if lun is not None and old_path is not None and new_path is not None:
        beside = listing if split_file(file)[:2] == split_file(disk.file)[:2] else None
        old = (beside if beside is not None else reading.backend.list_folder(machine, disk.file) or {}).get(disk.file)
        opened = _record(reading, disk, lun, old_path, new_path, old.disk_uuid if old else None)
    if not blockers and opened is None:
        blockers = (_nowhere(disk, file),)
    elif not blockers and listing is None:
        blockers = (_unreadable(file),)
    # Only a place of the user's own may be without a folder: the old one holds a file.
    other_reason = opened is None or any(blocker.code == "datastore_unsuitable" for blocker in blockers)
    if not listing and not other_reason and not reading.backend.has_folder(machine, file):
        blockers = (*blockers, _no_folder(file))
    attach = listing is not None and file in listing and file in own_files
    return DiskPlan(disk, Action.CONVERT, opened, lun, attach_existing=attach, blockers=tuple(blockers))


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


def _target(reading: _Reading, disk: Disk, own_files: frozenset[str]) -> tuple[str, Mapping[str, FileFacts] | None]:
    """Returns the file that the disk will map through, and its folder: a kept mapping of that mode before a new one."""
    request = reading.request
    file = new_mapping_file(disk.base_file, request.compatibility, request.datastore, request.directory)
    listing = reading.backend.list_folder(reading.machine, file)
    if listing is None:
        return file, None
    entry = reading.records.get(disk.address)
    lun = _lun(reading, disk)
    for note in entry.notes if entry is not None else ():
        kept = from_volume_path(note.old_file, reading.inventory.datastores)
        in_place = split_file(kept)[:2] == split_file(file)[:2]
        usable = kept in listing and kept in own_files and listing[kept].kind is DiskKind.MAPPING
        if note.mode is request.compatibility and in_place and usable and lun is not None and note.lun.is_same_as(lun):
            return kept, listing
    return file, listing


def _record(
    reading: _Reading, disk: Disk, lun: HostLun, old_path: str, new_path: str, old_uuid: str | None
) -> JournalEntry:
    request = reading.request
    if request.compatibility is Compatibility.PHYSICAL:
        disk_mode: str | None = _PHYSICAL_DISK_MODE
    else:
        disk_mode = request.disk_mode or "persistent"
    return JournalEntry(
        run=reading.run_id,
        lease=0,
        step=reading.step,
        address=disk.address,
        wanted=request.compatibility,
        old_mode=disk.compatibility or Compatibility.PHYSICAL,
        old_file=old_path,
        new_file=new_path,
        lun=RecordedLun.of(lun, lun.capacity_bytes or 0),
        power_before=reading.power_before,
        disk_mode=disk_mode,
        old_disk_mode=disk.disk_mode,
        old_disk_uuid=old_uuid,
        sharing=disk.sharing,
        shares_level=disk.shares_level,
        shares=disk.shares,
        io_limit=disk.io_limit,
        io_reservation=disk.io_reservation,
        boot_order=reading.boot_order,
        label=disk.label,
    )


def _step_blockers(reading: _Reading, disk: Disk, wanted: Compatibility, codes: frozenset[str]) -> tuple[Finding, ...]:
    found = check_conversion(
        reading.inventory,
        reading.machine,
        disk,
        wanted,
        power=reading.request.power,
        override=reading.request.override,
        lun_index=reading.lun_index,
    )
    return tuple(blocker for blocker in found if blocker.code in codes)


def _lun(reading: _Reading, disk: Disk) -> HostLun | None:
    return reading.inventory.lun_of(reading.machine, disk)


def _lun_is_there(reading: _Reading, entry: JournalEntry) -> bool:
    host = reading.inventory.host_of(reading.machine)
    luns = (host.luns or ()) if host is not None else ()
    return sum(entry.lun.is_same_as(lun) for lun in luns) == 1


def _datastore_named(reading: _Reading, name: str, disk: Disk) -> Datastore | None:
    """Returns the datastore of that name that the VM's host sees; the disk's own one where the name is its name."""
    own = reading.inventory.datastores.get(disk.datastore or "")
    if own is not None and own.name == name:
        return own
    named = [ds for ds in reading.inventory.datastores.values() if ds.name == name]
    host = reading.machine.host
    seen = [ds for ds in named if ds.writable_from is None or host in ds.writable_from]
    return seen[0] if len(seen) == 1 else None


def _inner(file: str) -> str:
    """The path of a file inside its datastore."""
    _datastore, folder, name = split_file(file)
    return join_file("", folder, name).removeprefix("[] ")


def _unique(items: Iterable[_Item]) -> tuple[_Item, ...]:
    return tuple(dict.fromkeys(items))


def noted(entry: JournalEntry) -> KeptMapping:
    """Returns the note about the old mapping that a conversion leaves behind."""
    return KeptMapping(entry.address, entry.old_file, entry.old_mode, entry.lun, entry.old_disk_uuid)
