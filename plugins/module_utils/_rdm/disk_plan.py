# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What one disk of a call needs, where it stands, and the one change that takes it forward or back. Pure.

Where a disk stands is read from the VM itself, never from the step that a record names: a run may have been killed
between doing a thing and writing it down, and a person may have helped since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StepRefused
from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import (
    Change,
    ExistingMapping,
    NewMapping,
    Place,
    VmState,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    JournalEntry,
    KeptMapping,
    from_volume_path,
    to_volume_path,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Controller,
    Datastore,
    Disk,
    DiskKind,
    Host,
    HostLun,
    Inventory,
    VirtualMachine,
)


class Action(StrEnum):
    """What has to be done with a disk."""

    KEEP = "keep"
    CONVERT = "convert"
    EDIT = "edit"
    FINISH = "finish"
    UNDO = "undo"


class DiskState(StrEnum):
    """Where a disk with a record stands."""

    OLD = "old"
    NEW = "new"
    MISSING = "missing"
    OTHER = "other"


# What else than a disk a boot order may name.
_BOOTABLE_OTHERS = ("cdrom", "ethernet", "floppy")
# The key of a disk that stands in a record only; a real device's key is never zero.
ONLY_RECORDED = 0


@dataclass(frozen=True)
class DiskPlan:
    """One disk of a call: what is to be done, and the record that is open or will be written for it."""

    disk: Disk
    action: Action
    entry: JournalEntry | None = None
    lun: HostLun | None = None
    attach_existing: bool = False
    blockers: tuple[Finding, ...] = ()
    deletions: tuple[KeptMapping, ...] = ()

    @property
    def address(self) -> str:
        """Where the disk hangs ("scsi0:1")."""
        return self.disk.address


def volume_path(disk: Disk, datastores: Mapping[str, Datastore]) -> str | None:
    """Returns the volume path of the mapping below a disk, or None where its datastore is not visible."""
    among = frozenset({disk.datastore}) if disk.datastore and not disk.parents else None
    return to_volume_path(disk.base_file, datastores, among)


def disk_state_of(entry: JournalEntry, machine: VirtualMachine, datastores: Mapping[str, Datastore]) -> DiskState:
    """Returns where the disk of a record stands now."""
    disk = machine.disk_at(entry.address)
    if disk is None or disk.key == ONLY_RECORDED:
        return DiskState.MISSING
    path = volume_path(disk, datastores)
    if disk.kind is not DiskKind.MAPPING or path is None:
        return DiskState.OTHER
    if entry.edits_only and path == entry.new_file:
        return DiskState.NEW if disk.disk_mode == entry.disk_mode else DiskState.OLD
    return {entry.new_file: DiskState.NEW, entry.old_file: DiskState.OLD}.get(path, DiskState.OTHER)


def differences(entry: JournalEntry, vm_state: VmState, disk_state: DiskState) -> tuple[str, ...]:
    """Returns what is not as `disk_state` has it of a disk: mode, LUN, size. Empty when all is well."""
    disk = vm_state.machine.disk_at(entry.address)
    if disk is None or disk_state_of(entry, vm_state.machine, vm_state.datastores) is not disk_state:
        return (f"{entry.address} does not hold the {disk_state.value} mapping",)
    found: list[str] = []
    mode = entry.wanted if disk_state is DiskState.NEW else entry.old_mode
    if disk.compatibility is not mode:
        found.append(f"its mode is {disk.compatibility.value if disk.compatibility else 'unknown'}, not {mode.value}")
    luns = inventory_of(vm_state).luns_of(vm_state.machine, disk)
    if len(luns) != 1:
        found.append(f"its ids name {len(luns)} LUNs of the host, not one")
    elif not entry.lun.is_same_as(luns[0]):
        found.append(f"it maps {luns[0].canonical_name}, not {entry.lun.canonical_name}")
    if disk.capacity_bytes != entry.lun.capacity_bytes:
        found.append(f"its size is {disk.capacity_bytes} bytes, not {entry.lun.capacity_bytes}")
    return tuple(found)


def inventory_of(vm_state: VmState, known: Inventory | None = None) -> Inventory:
    """Returns the inventory in which what was just seen replaces what was known."""
    hosts: dict[str, Host] = dict(known.hosts) if known else {}
    if vm_state.host is not None:
        hosts[vm_state.host.id] = vm_state.host
    machines = {**(known.machines if known else {}), vm_state.machine.id: vm_state.machine}
    datastores = {**(known.datastores if known else {}), **vm_state.datastores}
    if known is None:
        return Inventory("", False, hosts, datastores, machines)
    return replace(known, hosts=hosts, datastores=datastores, machines=machines)


def forward_change(entry: JournalEntry, vm_state: VmState, attach_existing: bool) -> Change:
    """Returns the change that makes the new mapping disk_state, from wherever the disk stands.

    Raises StepRefused where the LUN of the record is not the one and only candidate on the VM's host, or where
    something else hangs at the address.
    """
    disk = _replaceable_disk(entry, vm_state, forward=True)
    if entry.edits_only:
        return Change(edit=replace(disk, disk_mode=entry.disk_mode) if disk else None)
    file = from_volume_path(entry.new_file, vm_state.datastores)
    lun = recorded_lun(entry, vm_state, disk)
    add: NewMapping | ExistingMapping
    if attach_existing:
        add = ExistingMapping(file, entry.disk_mode if entry.wanted is Compatibility.VIRTUAL else None)
    else:
        add = NewMapping(file, lun, entry.wanted, entry.disk_mode)
    return Change(remove=disk, add=add, place=place_of(entry, vm_state, disk))


def backward_change(entry: JournalEntry, vm_state: VmState) -> Change:
    """Returns the change that makes the old mapping disk_state again; raises StepRefused where that is not possible."""
    disk = _replaceable_disk(entry, vm_state, forward=False)
    if entry.edits_only:
        return Change(edit=replace(disk, disk_mode=entry.old_disk_mode) if disk else None)
    if entry.lun.host is not None and (vm_state.host is None or vm_state.host.name != entry.lun.host):
        raise StepRefused(
            f"{entry.lun.canonical_name} is a name that means this disk on {entry.lun.host} only, and the VM is on "
            f"{vm_state.host.name if vm_state.host else 'a host that is not visible'}.",
            fault="LunNotIdentified",
            hint=f"Move the VM back to {entry.lun.host}, then run again.",
        )
    file = from_volume_path(entry.old_file, vm_state.datastores)
    # A physical mapping has no disk mode of its own; for a virtual one it is set as it was.
    disk_mode = entry.old_disk_mode if entry.old_mode is Compatibility.VIRTUAL else None
    return Change(remove=disk, add=ExistingMapping(file, disk_mode), place=place_of(entry, vm_state, disk))


def blind_backward_change(entry: JournalEntry, disk: Disk, datastores: Mapping[str, Datastore]) -> Change:
    """Returns what puts the old mapping back, for a VM that cannot be read any more."""
    return Change(add=ExistingMapping(from_volume_path(entry.old_file, datastores), None), place=Place.of(disk))


def _replaceable_disk(entry: JournalEntry, vm_state: VmState, forward: bool) -> Disk | None:
    """Returns the disk that has to go, None where the place is free."""
    disk_state = disk_state_of(entry, vm_state.machine, vm_state.datastores)
    disk = vm_state.machine.disk_at(entry.address)
    if disk_state is DiskState.OTHER and disk is not None:
        raise StepRefused(
            f"{entry.address} of {vm_state.machine.name} holds {disk.file}, neither the old nor the new mapping.",
            fault="PlaceTaken",
            hint="Somebody put another disk there; move it away, then run again.",
        )
    if disk is not None and disk.parents:
        raise StepRefused(
            f"{entry.address} of {vm_state.machine.name} has a snapshot on top ({disk.file}).",
            fault="SnapshotOnTop",
            hint="Remove the VM's snapshots, then run again.",
        )
    expected = DiskState.OLD if forward else DiskState.NEW
    return disk if disk_state is expected else None


def recorded_lun(entry: JournalEntry, vm_state: VmState, disk: Disk | None) -> HostLun:
    """Returns the LUN of a record on the VM's present host; raises StepRefused unless it is the one and only."""
    luns = (vm_state.host.luns or ()) if vm_state.host else ()
    same = [lun for lun in luns if entry.lun.is_same_as(lun)]
    if disk is not None and same:
        same = [lun for lun in inventory_of(vm_state).luns_of(vm_state.machine, disk) if entry.lun.is_same_as(lun)]
    if len(same) == 1:
        return same[0]
    host = vm_state.host.name if vm_state.host else "its host"
    raise StepRefused(
        f"{host} shows {len(same)} LUNs that are {entry.lun.canonical_name} with {entry.lun.capacity_bytes} bytes; "
        f"the mapping at {entry.address} needs exactly one.",
        fault="LunNotIdentified",
        hint=f"See that the LUN of the record is presented to {host}, unchanged, then run again.",
    )


def place_of(entry: JournalEntry, vm_state: VmState, disk: Disk | None) -> Place:
    """Returns where the disk hangs: as it hangs now, or on the controller that the record's address names."""
    if disk is not None:
        return Place.of(disk)
    bus, _colon, unit = entry.address.rpartition(":")
    controller = controller_named(vm_state.machine, bus)
    return Place(
        entry.address,
        controller,
        int(unit),
        entry.sharing,
        entry.shares_level,
        entry.shares,
        entry.io_limit,
        entry.io_reservation,
    )


def controller_named(machine: VirtualMachine, bus: str) -> Controller:
    """Returns the controller "scsi0"; raises StepRefused where the VM has it no more."""
    for controller in machine.controllers:
        if f"{controller.type}{controller.bus}" == bus:
            return controller
    raise StepRefused(
        f"{machine.name} has no controller {bus} any more.",
        fault="InvalidController",
        hint=f"Add the controller {bus} again, then run again.",
    )


def lost_settings(entry: JournalEntry, machine: VirtualMachine) -> Change | None:
    """Returns the change that sets again what a swap lost (disk mode, shares, limit, label, boot order), or None."""
    disk = machine.disk_at(entry.address)
    if disk is None:
        return None
    keeps_mode = entry.wanted is Compatibility.PHYSICAL or entry.disk_mode is None
    wanted = replace(
        disk,
        disk_mode=disk.disk_mode if keeps_mode else entry.disk_mode,
        label=entry.label or disk.label,
        shares_level=entry.shares_level or disk.shares_level,
        shares=entry.shares if entry.shares is not None else disk.shares,
        io_limit=entry.io_limit if entry.io_limit is not None else disk.io_limit,
        io_reservation=entry.io_reservation if entry.io_reservation is not None else disk.io_reservation,
    )
    order = _order_again(entry, machine)
    if wanted == disk and order is None:
        return None
    return Change(edit=wanted if wanted != disk else None, boot_order=order)


def _order_again(entry: JournalEntry, machine: VirtualMachine) -> tuple[str, ...] | None:
    """Returns the boot order of the record, as far as its devices are there now; None where it is as it was."""
    order = tuple(
        entry
        for entry in entry.boot_order
        if machine.disk_at(entry) is not None or entry.partition(":")[0] in _BOOTABLE_OTHERS
    )
    return order if order and order != machine.boot_order else None


def with_recorded_disks(
    machine: VirtualMachine, records: Iterable[JournalEntry], datastores: Mapping[str, Datastore]
) -> VirtualMachine:
    """Returns the machine with the disks that stand only in a record, so that they can be selected like any other."""
    missing = []
    for entry in records:
        if machine.disk_at(entry.address) is not None:
            continue
        bus, _colon, unit = entry.address.rpartition(":")
        named = [controller for controller in machine.controllers if f"{controller.type}{controller.bus}" == bus]
        missing.append(
            Disk(
                key=ONLY_RECORDED,
                label=entry.label,
                address=entry.address,
                unit=int(unit),
                controller=named[0] if named else Controller(0, bus.rstrip("0123456789"), "missing", 0),
                file=from_volume_path(entry.old_file, datastores),
                kind=DiskKind.MAPPING,
                compatibility=entry.old_mode,
                disk_mode=entry.old_disk_mode,
                sharing=entry.sharing,
                capacity_bytes=entry.lun.capacity_bytes,
                lun_uuid=entry.lun.vml.removeprefix("vml."),
            )
        )
    return replace(machine, disks=machine.disks + tuple(missing)) if missing else machine
