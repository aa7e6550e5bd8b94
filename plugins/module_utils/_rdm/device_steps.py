# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The one step that takes a disk forward or back, from wherever it stands. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import (
    ExistingMapping,
    NewMapping,
    Place,
    VmState,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import (
    DiskState,
    disk_state_of,
    inventory_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import JournalEntry, from_volume_path
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Controller,
    Datastore,
    Disk,
    VirtualMachine,
)

# What else than a disk a boot order may name.
_BOOTABLE_OTHERS = ("cdrom", "ethernet", "floppy")


class NotPossible(StorageError):
    """There is no step from where the disk stands to where it should stand; nothing was sent."""


@dataclass(frozen=True)
class Swap:
    """One mapping comes to a place, and the disk that hangs there goes; None where the place is free."""

    old: Disk | None
    new: NewMapping | ExistingMapping
    place: Place


@dataclass(frozen=True)
class Edit:
    """A disk becomes as is said here, and the boot order; None of either leaves that as it is."""

    disk: Disk | None = None
    boot_order: tuple[str, ...] | None = None


def step_forward(entry: JournalEntry, vm_state: VmState, attach_existing: bool) -> Swap | Edit:
    """Returns what makes the new mapping stand, from wherever the disk stands.

    Raises NotPossible where the LUN of the record is not the one and only candidate on the VM's host, or where
    something else hangs at the address.
    """
    disk = _replaceable_disk(entry, vm_state, forward=True)
    if entry.edits_only:
        return Edit(replace(disk, disk_mode=entry.disk_mode) if disk else None)
    file = from_volume_path(entry.new_file, vm_state.datastores)
    lun = recorded_lun(entry, vm_state, disk)
    new: NewMapping | ExistingMapping
    if attach_existing:
        new = ExistingMapping(file, entry.disk_mode if entry.wanted is Compatibility.VIRTUAL else None)
    else:
        new = NewMapping(file, lun, entry.wanted, entry.disk_mode)
    return Swap(disk, new, place_of(entry, vm_state, disk))


def step_back(entry: JournalEntry, vm_state: VmState) -> Swap | Edit:
    """Returns what makes the old mapping stand again; raises NotPossible where that is not possible."""
    disk = _replaceable_disk(entry, vm_state, forward=False)
    if entry.edits_only:
        return Edit(replace(disk, disk_mode=entry.old_disk_mode) if disk else None)
    if entry.lun.host is not None and (vm_state.host is None or vm_state.host.name != entry.lun.host):
        raise NotPossible(
            f"{entry.lun.canonical_name} is a name that means this disk on {entry.lun.host} only, and the VM is on "
            f"{vm_state.host.name if vm_state.host else 'a host that is not visible'}.",
            hint=f"Move the VM back to {entry.lun.host}, then run again.",
        )
    file = from_volume_path(entry.old_file, vm_state.datastores)
    # A physical mapping has no disk mode of its own; for a virtual one it is set as it was.
    disk_mode = entry.old_disk_mode if entry.old_mode is Compatibility.VIRTUAL else None
    return Swap(disk, ExistingMapping(file, disk_mode), place_of(entry, vm_state, disk))


def with_file_made_again(step: Swap | Edit, entry: JournalEntry, vm_state: VmState) -> Swap | Edit:
    """Returns a step back for a VM whose old mapping file is gone: it is made again, under its old name."""
    if isinstance(step, Edit):
        return step
    lun = recorded_lun(entry, vm_state, None)
    return replace(step, new=NewMapping(step.new.file, lun, entry.old_mode, step.new.disk_mode))


def blind_step_back(entry: JournalEntry, disk: Disk, datastores: Mapping[str, Datastore]) -> Swap:
    """Returns what puts the old mapping back, for a VM that cannot be read any more."""
    return Swap(None, ExistingMapping(from_volume_path(entry.old_file, datastores), None), Place.of(disk))


def _replaceable_disk(entry: JournalEntry, vm_state: VmState, forward: bool) -> Disk | None:
    """Returns the disk that has to go, None where the place is free."""
    disk_state = disk_state_of(entry, vm_state.machine, vm_state.datastores)
    disk = vm_state.machine.disk_at(entry.address)
    if disk_state is DiskState.OTHER and disk is not None:
        raise NotPossible(
            f"{entry.address} of {vm_state.machine.name} holds {disk.file}, neither the old nor the new mapping.",
            hint="Somebody put another disk there; move it away, then run again.",
        )
    if disk is not None and disk.parents:
        raise NotPossible(
            f"{entry.address} of {vm_state.machine.name} has a snapshot on top ({disk.file}).",
            hint="Remove the VM's snapshots, then run again.",
        )
    expected = DiskState.OLD if forward else DiskState.NEW
    return disk if disk_state is expected else None


def recorded_lun(entry: JournalEntry, vm_state: VmState, disk: Disk | None) -> HostLun:
    """Returns the LUN of a record on the VM's present host; raises NotPossible unless it is the one and only."""
    luns = (vm_state.host.luns or ()) if vm_state.host else ()
    same = [lun for lun in luns if entry.lun.is_same_as(lun)]
    if disk is not None and same:
        same = [lun for lun in inventory_of(vm_state).luns_of(vm_state.machine, disk) if entry.lun.is_same_as(lun)]
    if len(same) == 1:
        return same[0]
    host = vm_state.host.name if vm_state.host else "its host"
    raise NotPossible(
        f"{host} shows {len(same)} LUNs that are {entry.lun.canonical_name} with {entry.lun.capacity_bytes} bytes; "
        f"the mapping at {entry.address} needs exactly one.",
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


# A datastore that takes no file at all refuses a spare mapping with the same words, and would the next one as well.
_OF_THE_DATASTORE = ("space", "read-only")


def takes_one_mapping(said: str, said_of_spare: str | None) -> bool:
    """Tells whether a mapping was refused since the LUN has one: a spare one of the old mode was refused in the same
    words (`said_of_spare`; None where it was made, or refused otherwise), and these are not about the datastore."""
    return said != "" and said == said_of_spare and not any(word in said.lower() for word in _OF_THE_DATASTORE)


def controller_named(machine: VirtualMachine, bus: str) -> Controller:
    """Returns the controller "scsi0"; raises NotPossible where the VM has it no more."""
    for controller in machine.controllers:
        if f"{controller.type}{controller.bus}" == bus:
            return controller
    raise NotPossible(
        f"{machine.name} has no controller {bus} any more.",
        hint=f"Add the controller {bus} again, then run again.",
    )


def lost_settings(entry: JournalEntry, machine: VirtualMachine) -> Edit | None:
    """Returns what sets again what a swap lost (disk mode, shares, limit, label, boot order), or None."""
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
    return Edit(wanted if wanted != disk else None, order)


def _order_again(entry: JournalEntry, machine: VirtualMachine) -> tuple[str, ...] | None:
    """Returns the boot order of the record, as far as its devices are there now; None where it is as it was."""
    order = tuple(
        entry
        for entry in entry.boot_order
        if machine.disk_at(entry) is not None or entry.partition(":")[0] in _BOOTABLE_OTHERS
    )
    return order if order and order != machine.boot_order else None
