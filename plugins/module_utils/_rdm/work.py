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
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import (
    Change,
    ExistingMapping,
    NewMapping,
    Place,
    Sight,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Blocker,
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
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.record import (
    Note,
    OpenRecord,
    from_volume_path,
    to_volume_path,
)


class Task(StrEnum):
    """What has to be done with a disk."""

    NOTHING = "nothing"
    CONVERT = "convert"
    EDIT = "edit_disk_mode"
    FINISH = "finish"
    UNDO = "undo"


class Stand(StrEnum):
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
class Work:
    """One disk of a call: what is to be done, and the record that is open or will be written for it."""

    disk: Disk
    task: Task
    record: OpenRecord | None = None
    lun: HostLun | None = None
    attach_existing: bool = False
    blockers: tuple[Blocker, ...] = ()
    deletions: tuple[Note, ...] = ()

    @property
    def address(self) -> str:
        """Where the disk hangs ("scsi0:1")."""
        return self.disk.address


def volume_path(disk: Disk, datastores: Mapping[str, Datastore]) -> str | None:
    """Returns the volume path of the mapping below a disk, or None where its datastore is not visible."""
    among = frozenset({disk.datastore}) if disk.datastore and not disk.parents else None
    return to_volume_path(disk.base_file, datastores, among)


def stand_of(record: OpenRecord, machine: VirtualMachine, datastores: Mapping[str, Datastore]) -> Stand:
    """Returns where the disk of a record stands now."""
    disk = machine.disk_at(record.address)
    if disk is None or disk.key == ONLY_RECORDED:
        return Stand.MISSING
    path = volume_path(disk, datastores)
    if disk.kind is not DiskKind.MAPPING or path is None:
        return Stand.OTHER
    if record.edits_only and path == record.new_file:
        return Stand.NEW if disk.disk_mode == record.disk_mode else Stand.OLD
    return {record.new_file: Stand.NEW, record.old_file: Stand.OLD}.get(path, Stand.OTHER)


def differences(record: OpenRecord, sight: Sight, stand: Stand) -> tuple[str, ...]:
    """Returns what is not as it should be of a disk that stands at `stand`: mode, LUN, size. Empty when all is well."""
    disk = sight.machine.disk_at(record.address)
    if disk is None or stand_of(record, sight.machine, sight.datastores) is not stand:
        return (f"{record.address} does not hold the {stand.value} mapping",)
    found: list[str] = []
    mode = record.wanted if stand is Stand.NEW else record.old_mode
    if disk.compatibility is not mode:
        found.append(f"its mode is {disk.compatibility.value if disk.compatibility else 'unknown'}, not {mode.value}")
    luns = inventory_of(sight).luns_of(sight.machine, disk)
    if len(luns) != 1:
        found.append(f"its ids name {len(luns)} LUNs of the host, not one")
    elif not record.lun.is_same_as(luns[0]):
        found.append(f"it maps {luns[0].canonical_name}, not {record.lun.canonical_name}")
    if disk.capacity_bytes != record.lun.capacity_bytes:
        found.append(f"its size is {disk.capacity_bytes} bytes, not {record.lun.capacity_bytes}")
    return tuple(found)


def inventory_of(sight: Sight, known: Inventory | None = None) -> Inventory:
    """Returns the inventory in which what was just seen replaces what was known."""
    hosts: dict[str, Host] = dict(known.hosts) if known else {}
    if sight.host is not None:
        hosts[sight.host.id] = sight.host
    machines = {**(known.machines if known else {}), sight.machine.id: sight.machine}
    datastores = {**(known.datastores if known else {}), **sight.datastores}
    if known is None:
        return Inventory("", False, hosts, datastores, machines)
    return replace(known, hosts=hosts, datastores=datastores, machines=machines)


def forward_change(record: OpenRecord, sight: Sight, attach_existing: bool) -> Change:
    """Returns the change that makes the new mapping stand, from wherever the disk stands.

    Raises StepRefused where the LUN of the record is not the one and only candidate on the VM's host, or where
    something else hangs at the address.
    """
    disk = _replaceable_disk(record, sight, forward=True)
    if record.edits_only:
        return Change(edit=replace(disk, disk_mode=record.disk_mode) if disk else None)
    file = from_volume_path(record.new_file, sight.datastores)
    lun = recorded_lun(record, sight, disk)
    add: NewMapping | ExistingMapping
    if attach_existing:
        add = ExistingMapping(file, record.disk_mode if record.wanted is Compatibility.VIRTUAL else None)
    else:
        add = NewMapping(file, lun, record.wanted, record.disk_mode)
    return Change(remove=disk, add=add, place=place_of(record, sight, disk))


def backward_change(record: OpenRecord, sight: Sight) -> Change:
    """Returns the change that makes the old mapping stand again; raises StepRefused where that is not possible."""
    disk = _replaceable_disk(record, sight, forward=False)
    if record.edits_only:
        return Change(edit=replace(disk, disk_mode=record.old_disk_mode) if disk else None)
    if record.lun.host is not None and (sight.host is None or sight.host.name != record.lun.host):
        raise StepRefused(
            f"{record.lun.canonical_name} is a name that means this disk on {record.lun.host} only, and the VM is on "
            f"{sight.host.name if sight.host else 'a host that is not visible'}.",
            fault="LunNotIdentified",
            hint=f"Move the VM back to {record.lun.host}, then run again.",
        )
    file = from_volume_path(record.old_file, sight.datastores)
    # A physical mapping has no disk mode of its own; for a virtual one it is set as it was.
    disk_mode = record.old_disk_mode if record.old_mode is Compatibility.VIRTUAL else None
    return Change(remove=disk, add=ExistingMapping(file, disk_mode), place=place_of(record, sight, disk))


def blind_backward_change(record: OpenRecord, disk: Disk, datastores: Mapping[str, Datastore]) -> Change:
    """Returns what puts the old mapping back, for a VM that cannot be read any more."""
    return Change(add=ExistingMapping(from_volume_path(record.old_file, datastores), None), place=Place.of(disk))


def _replaceable_disk(record: OpenRecord, sight: Sight, forward: bool) -> Disk | None:
    """Returns the disk that has to go, None where the place is free."""
    stand = stand_of(record, sight.machine, sight.datastores)
    disk = sight.machine.disk_at(record.address)
    if stand is Stand.OTHER and disk is not None:
        raise StepRefused(
            f"{record.address} of {sight.machine.name} holds {disk.file}, neither the old nor the new mapping.",
            fault="PlaceTaken",
            hint="Somebody put another disk there; move it away, then run again.",
        )
    if disk is not None and disk.parents:
        raise StepRefused(
            f"{record.address} of {sight.machine.name} has a snapshot on top ({disk.file}).",
            fault="SnapshotOnTop",
            hint="Remove the VM's snapshots, then run again.",
        )
    expected = Stand.OLD if forward else Stand.NEW
    return disk if stand is expected else None


def recorded_lun(record: OpenRecord, sight: Sight, disk: Disk | None) -> HostLun:
    """Returns the LUN of a record on the VM's present host; raises StepRefused unless it is the one and only."""
    luns = (sight.host.luns or ()) if sight.host else ()
    same = [lun for lun in luns if record.lun.is_same_as(lun)]
    if disk is not None and same:
        same = [lun for lun in inventory_of(sight).luns_of(sight.machine, disk) if record.lun.is_same_as(lun)]
    if len(same) == 1:
        return same[0]
    host = sight.host.name if sight.host else "its host"
    raise StepRefused(
        f"{host} shows {len(same)} LUNs that are {record.lun.canonical_name} with {record.lun.capacity_bytes} bytes; "
        f"the mapping at {record.address} needs exactly one.",
        fault="LunNotIdentified",
        hint=f"See that the LUN of the record is presented to {host}, unchanged, then run again.",
    )


def place_of(record: OpenRecord, sight: Sight, disk: Disk | None) -> Place:
    """Returns where the disk hangs: as it hangs now, or on the controller that the record's address names."""
    if disk is not None:
        return Place.of(disk)
    bus, _colon, unit = record.address.rpartition(":")
    controller = controller_named(sight.machine, bus)
    return Place(
        record.address,
        controller,
        int(unit),
        record.sharing,
        record.shares_level,
        record.shares,
        record.io_limit,
        record.io_reservation,
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


def lost_settings(record: OpenRecord, machine: VirtualMachine) -> Change | None:
    """Returns the change that sets again what a swap lost (disk mode, shares, limit, label, boot order), or None."""
    disk = machine.disk_at(record.address)
    if disk is None:
        return None
    keeps_mode = record.wanted is Compatibility.PHYSICAL or record.disk_mode is None
    wanted = replace(
        disk,
        disk_mode=disk.disk_mode if keeps_mode else record.disk_mode,
        label=record.label or disk.label,
        shares_level=record.shares_level or disk.shares_level,
        shares=record.shares if record.shares is not None else disk.shares,
        io_limit=record.io_limit if record.io_limit is not None else disk.io_limit,
        io_reservation=record.io_reservation if record.io_reservation is not None else disk.io_reservation,
    )
    order = _order_again(record, machine)
    if wanted == disk and order is None:
        return None
    return Change(edit=wanted if wanted != disk else None, boot_order=order)


def _order_again(record: OpenRecord, machine: VirtualMachine) -> tuple[str, ...] | None:
    """Returns the boot order of the record, as far as its devices are there now; None where it is as it was."""
    order = tuple(
        entry
        for entry in record.boot_order
        if machine.disk_at(entry) is not None or entry.partition(":")[0] in _BOOTABLE_OTHERS
    )
    return order if order and order != machine.boot_order else None


def with_recorded_disks(
    machine: VirtualMachine, records: Iterable[OpenRecord], datastores: Mapping[str, Datastore]
) -> VirtualMachine:
    """Returns the machine with the disks that stand only in a record, so that they can be selected like any other."""
    missing = []
    for record in records:
        if machine.disk_at(record.address) is not None:
            continue
        bus, _colon, unit = record.address.rpartition(":")
        named = [controller for controller in machine.controllers if f"{controller.type}{controller.bus}" == bus]
        missing.append(
            Disk(
                key=ONLY_RECORDED,
                label=record.label,
                address=record.address,
                unit=int(unit),
                controller=named[0] if named else Controller(0, bus.rstrip("0123456789"), "missing", 0),
                file=from_volume_path(record.old_file, datastores),
                kind=DiskKind.MAPPING,
                compatibility=record.old_mode,
                disk_mode=record.old_disk_mode,
                sharing=record.sharing,
                capacity_bytes=record.lun.capacity_bytes,
                lun_uuid=record.lun.vml.removeprefix("vml."),
            )
        )
    return replace(machine, disks=machine.disks + tuple(missing)) if missing else machine
