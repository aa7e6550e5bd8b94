# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Where a disk with a journal entry stands. Pure.

That is read from the VM itself, never from the step that an entry names: a run may have been killed between doing a
thing and writing it down, and a person may have helped since.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from enum import StrEnum

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import VmState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    JournalEntry,
    from_volume_path,
    own_entries,
    to_volume_path,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Controller,
    Datastore,
    Disk,
    DiskKind,
    Host,
    Inventory,
    VirtualMachine,
)

# The key of a disk that stands in the journal only; a real device's key is never zero.
ONLY_RECORDED = 0


class DiskState(StrEnum):
    """Which mapping hangs at the address of an entry: the old one, the new one, none, or something else."""

    OLD = "old"
    NEW = "new"
    MISSING = "missing"
    OTHER = "other"


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
        return DiskState.NEW if disk.disk_mode == entry.disk_mode and not entry.deletes_only else DiskState.OLD
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


def with_half_done_disks(inventory: Inventory) -> Inventory:
    """Returns the inventory in which every VM has the disks that an interrupted run left detached, too."""
    half_done = {
        machine.id: with_recorded_disks(machine, own_entries(machine).values(), inventory.datastores)
        for machine in inventory.machines.values()
        if machine.journal
    }
    return replace(inventory, machines={**inventory.machines, **half_done}) if half_done else inventory


def with_recorded_disks(
    machine: VirtualMachine, entries: Iterable[JournalEntry], datastores: Mapping[str, Datastore]
) -> VirtualMachine:
    """Returns the machine with the disks that stand only in the journal, so that they can be selected as well."""
    missing = []
    for entry in entries:
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
