# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Which disk of a virtual machine a disk of its guest is. Pure.

Told by the serial or the LUN's own name, then by PCI slot and target, then by what VMware Tools reported: never by size
and never by port, which Windows numbers as it finds adapters. What is not certain is not joined.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_sizes import (
    cylinder_bytes,
    same_modulo_2_tib,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.identifiers import machine_uuids, plain_serial
from ansible_collections.winbackup.storage.plugins.module_utils._windows.model import Disk, Machine
from ansible_collections.winbackup.storage.plugins.module_utils._windows.vm_disks import VmDisk

# On LSI Logic controllers units above that of the controller itself were not seen to be the guest's targets.
_CONTROLLER_UNIT = 7


class JoinedBy(StrEnum):
    """What told the VM's disk, the surest first."""

    SERIAL = "serial"
    NAA = "naa"
    SLOT_AND_TARGET = "pci_slot_and_target"
    VSPHERE = "vsphere"


@dataclass(frozen=True)
class Join:
    """The VM's disk that a guest's disk is, or those that it may be."""

    vm_disk: VmDisk | None = None
    joined_by: JoinedBy | None = None
    candidates: tuple[VmDisk, ...] = ()
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True)
class MachineJoin:
    """The VM's disks of a machine (none where its VM is not among them, or not one), and what is to be said of it."""

    disks: tuple[VmDisk, ...]
    findings: tuple[Finding, ...] = ()


def disks_of_machine(machine: Machine, vm_disks: Sequence[VmDisk]) -> MachineJoin:
    """Returns the disks of the one VM that a machine is, told by its firmware's serial, else by its UUID in either byte
    order; never by its name."""
    wanted = machine_uuids(machine.serial, machine.bios_uuid)
    name = machine.name or "the machine"
    found = _each_once([disk for disk in vm_disks if disk.bios_uuid is not None and disk.bios_uuid in wanted])
    vms = {disk.vm: disk.vm_name for disk in found}
    places = Counter((disk.vm, disk.address) for disk in found)
    names = {*vms.values(), *(other for disk in found for other in disk.same_bios_uuid)}
    # Two files at one address are two VMs, although they have one id.
    if len(vms) > 1 or any(disk.same_bios_uuid for disk in found) or any(count > 1 for count in places.values()):
        several = names if len(names) > 1 else {disk.file or disk.vm_name for disk in found}
        message = f"Several VMs have the BIOS UUID of {name}: {', '.join(sorted(several))}. No disk was joined."
        hint = "One is a copy of the other. Give the copy a BIOS UUID of its own (uuid.bios in its settings)."
        return MachineJoin((), (Finding("vm_ambiguous", "warning", message, hint, name),))
    if vms:
        return MachineJoin(tuple(found))
    if wanted and vm_disks and all(disk.bios_uuid is not None for disk in vm_disks):
        message = f"{name} is none of the VMs in vm_disks: it is another one, or no VM."
        hint = "rdm_info has no entry for a VM without raw device mappings; of one that has, give its entries as well."
        return MachineJoin((), (Finding("vm_not_found", "info", message, hint, name),))
    why = (
        "the machine tells no serial and no UUID"
        if not wanted
        else "of VMs in vm_disks the BIOS UUID was not read"
        if vm_disks
        else "vm_disks names no disk"
    )
    message = f"Which VM {name} is could not be told: {why}."
    hint = "Give what rdm_info returns for this VM; one without raw device mappings has no entries there."
    return MachineJoin((), (Finding("vm_not_found", "warning", message, hint, name),))


def _each_once(disks: Sequence[VmDisk]) -> list[VmDisk]:
    """Returns the disks without those that an earlier reading, of a vCenter or of a host, has too."""
    return list({(disk.vm, disk.address, disk.file): disk for disk in reversed(disks)}.values())[::-1]


def join_disks(disks: Sequence[Disk], vm_disks: Sequence[VmDisk]) -> tuple[Join, ...]:
    """Returns a join for each disk of a guest, in their order."""
    serials = Counter(serial for disk in disks if (serial := plain_serial(disk.serial)) is not None)
    unique_ids = Counter(one for disk in disks if (one := plain_serial(disk.unique_id)) is not None)
    joins = [_join(disk, vm_disks, serials, unique_ids) for disk in disks]
    taken = Counter(join.vm_disk.address for join in joins if join.vm_disk is not None)
    return tuple(
        _unjoined(disk, join) if join.vm_disk is not None and taken[join.vm_disk.address] > 1 else join
        for disk, join in zip(disks, joins, strict=True)
    )


def slot_in_windows(pci_slot_number: int) -> int:
    """Returns the slot that Windows shows for a pciSlotNumber: above 0x3FF its upper bits count the bridge's functions
    (seen: 1184 is 161, 1216 is 193)."""
    return (pci_slot_number & 0x3FF) + (pci_slot_number >> 10)


def _join(disk: Disk, vm_disks: Sequence[VmDisk], serials: Mapping[str, int], unique_ids: Mapping[str, int]) -> Join:
    at_its_place = [one for one in vm_disks if _is_at(disk, one)]
    told = {
        JoinedBy.SERIAL: _by_id(plain_serial(disk.serial), serials, [(one, one.serials) for one in vm_disks]),
        JoinedBy.NAA: _by_id(plain_serial(disk.unique_id), unique_ids, [(one, one.unique_ids) for one in vm_disks]),
        JoinedBy.SLOT_AND_TARGET: at_its_place if all(map(_is_sure_of_unit, at_its_place)) else [],
        JoinedBy.VSPHERE: [one for one in vm_disks if _is_mapped(disk, one)],
    }
    every = tuple(one for one in vm_disks if one in at_its_place or any(one in found for found in told.values()))
    first = next((by for by, found in told.items() if len(found) == 1), None)
    if first is None:
        return Join(candidates=every)
    one = told[first][0]
    if any(found and one not in found for found in told.values()):
        message = f"{disk.title} is told to be several disks of the VM: {_addresses(every)}."
        hint = "Nothing was joined. Compare serial, slot and target on both sides."
        finding = Finding("vm_disk_contradictory", "warning", message, hint, disk.title)
        return Join(candidates=every, findings=(finding,))
    return Join(one, first, findings=tuple(_size_findings(disk, one)))


def _by_id(wanted: str | None, seen: Mapping[str, int], known: Iterable[tuple[VmDisk, frozenset[str]]]) -> list[VmDisk]:
    """Two disks of a guest that show one id are not told by it."""
    return [one for one, ids in known if wanted in ids] if wanted is not None and seen[wanted] == 1 else []


def _is_at(disk: Disk, one: VmDisk) -> bool:
    return (
        one.controller_type == "scsi"
        and one.pci_slot_number is not None
        and disk.pci_slot is not None
        and slot_in_windows(one.pci_slot_number) == disk.pci_slot
        and one.unit is not None
        and one.unit == disk.scsi.target
    )


def _is_sure_of_unit(one: VmDisk) -> bool:
    return one.unit is not None and (one.unit < _CONTROLLER_UNIT or one.controller_model == "pvscsi")


def _is_mapped(disk: Disk, one: VmDisk) -> bool:
    paths = {path.rstrip("\\").lower() for path in one.guest_paths}
    mounted = {point.rstrip("\\").lower() for volume in disk.volumes or () for point in volume.mount_points}
    return bool(paths & mounted)


def _unjoined(disk: Disk, join: Join) -> Join:
    address = join.vm_disk.address if join.vm_disk is not None else "?"
    message = f"{disk.title} and another disk of Windows are both told to be {address} of the VM."
    hint = "Nothing was joined. See whether the disk is seen over several paths without MPIO."
    finding = Finding("vm_disk_contradictory", "warning", message, hint, disk.title)
    return Join(candidates=(join.vm_disk,) if join.vm_disk is not None else (), findings=(finding,))


def _addresses(disks: Iterable[VmDisk]) -> str:
    return ", ".join(one.address for one in disks)


def _size_findings(disk: Disk, one: VmDisk) -> Iterable[Finding]:
    size, tolerance = disk.sizes.disk, 0
    if size is None:
        size, tolerance = disk.sizes.wmi, cylinder_bytes(disk)
    if size is None or one.capacity_bytes is None or abs(one.capacity_bytes - size) <= tolerance:
        return
    cut = " The difference is a multiple of 2 TiB." if same_modulo_2_tib(one.capacity_bytes, size, tolerance) else ""
    yield Finding(
        "vm_disk_size_differs",
        "warning",
        f"{disk.title} has {size} bytes in Windows, and {one.address} of the VM has {one.capacity_bytes}.{cut}",
        "Rescan in Windows (windows_disk with rescan). If it stays so, the guest does not see the whole disk.",
        disk.title,
    )
