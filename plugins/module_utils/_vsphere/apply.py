# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""From steps of the domain to the one reconfigure that takes them together: devices, boot order, journal."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StepRefused
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import (
    ExistingMapping,
    JournalChange,
    NewMapping,
    Place,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import JOURNAL_KEY, OPEN_KEY
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_places import (
    open_addresses,
    texts_to_write,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility, Disk, VirtualMachine
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.library import vim

_MODES = {Compatibility.PHYSICAL: "physicalMode", Compatibility.VIRTUAL: "virtualMode"}
_SHARING = {"none": "sharingNone", "multi_writer": "sharingMultiWriter"}
_NEW_KEY = -101


@dataclass(frozen=True)
class Reconfigure:
    """All that one reconfigure does, whole or not at all: a device removed (its file kept), one added, one edited, the
    boot order set, the journal and other settings written, a SATA controller added."""

    remove: Disk | None = None
    add: NewMapping | ExistingMapping | None = None
    place: Place | None = None
    edit: Disk | None = None
    boot_order: tuple[str, ...] | None = None
    journal: JournalChange = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    sata_controller: bool = False


def config_spec(machine: VirtualMachine, change: Reconfigure) -> Any:
    """Returns the ConfigSpec of a change, bound to the machine's change version."""
    devices: list[Any] = []
    if change.remove is not None:
        devices.append(_removal(change.remove))
    if change.add is not None and change.place is not None:
        devices.append(_addition(change.add, change.place))
    if change.edit is not None:
        devices.append(_edit(change.edit, machine))
    if change.sata_controller:
        controller = vim.vm.device.VirtualAHCIController(key=_NEW_KEY, busNumber=0)
        devices.append(vim.vm.device.VirtualDeviceSpec(operation="add", device=controller))
    spec = vim.vm.ConfigSpec(changeVersion=machine.change_version, deviceChange=devices)
    settings = dict(change.settings)
    # An empty text takes the key away.
    settings |= {JOURNAL_KEY + address: text or "" for address, text in texts_to_write(machine, change.journal).items()}
    if change.journal:
        settings[OPEN_KEY] = open_addresses(machine, change.journal)
    if settings:
        spec.extraConfig = [vim.option.OptionValue(key=key, value=text) for key, text in settings.items()]
    if change.boot_order is not None:
        order = [_boot_device(entry, machine) for entry in change.boot_order]
        spec.bootOptions = vim.vm.BootOptions(bootOrder=order)
    return spec


def _removal(disk: Disk) -> Any:
    """A removal without a file operation keeps the file; "destroy" would delete it."""
    return vim.vm.device.VirtualDeviceSpec(
        operation="remove",
        device=vim.vm.device.VirtualDisk(
            key=disk.key,
            controllerKey=disk.controller.key,
            unitNumber=disk.unit,
            capacityInKB=(disk.capacity_bytes or 0) // 1024,
        ),
    )


def _addition(mapping: NewMapping | ExistingMapping, place: Place) -> Any:
    backing = vim.vm.device.VirtualDisk.RawDiskMappingVer1BackingInfo(fileName=mapping.file)
    # Left unset for an existing mapping: the mode is the file's own, and the API wants it so.
    if isinstance(mapping, NewMapping):
        backing.compatibilityMode = _MODES[mapping.compatibility]
        backing.deviceName = mapping.lun.device_name
        backing.lunUuid = mapping.lun.uuid
    if mapping.disk_mode is not None:
        backing.diskMode = mapping.disk_mode
    if place.sharing not in (None, "none"):
        backing.sharing = _SHARING[place.sharing or ""]
    # The size in bytes stays unset: an added disk that names it is refused.
    capacity = mapping.lun.capacity_bytes if isinstance(mapping, NewMapping) else None
    disk = vim.vm.device.VirtualDisk(
        key=_NEW_KEY,
        controllerKey=place.controller.key,
        unitNumber=place.unit,
        backing=backing,
        capacityInKB=(capacity or 0) // 1024,
    )
    usual = (place.shares_level in (None, "normal"), place.io_limit in (None, -1), place.io_reservation in (None, 0))
    if not all(usual):
        disk.storageIOAllocation = _allocation(place)
    spec = vim.vm.device.VirtualDeviceSpec(operation="add", device=disk)
    if isinstance(mapping, NewMapping):
        spec.fileOperation = "create"
    return spec


def _edit(wanted: Disk, machine: VirtualMachine) -> Any:
    backing = vim.vm.device.VirtualDisk.RawDiskMappingVer1BackingInfo(
        fileName=wanted.file,
        diskMode=wanted.disk_mode,
        deviceName=wanted.device_name,
        lunUuid=wanted.lun_uuid,
        compatibilityMode=_MODES[wanted.compatibility] if wanted.compatibility else None,
    )
    if wanted.sharing is not None:
        backing.sharing = _SHARING[wanted.sharing]
    disk = vim.vm.device.VirtualDisk(
        key=wanted.key,
        controllerKey=wanted.controller.key,
        unitNumber=wanted.unit,
        backing=backing,
        capacityInKB=(wanted.capacity_bytes or 0) // 1024,
    )
    present = machine.disk_at(wanted.address)
    place = Place.of(wanted)
    if present is None or Place.of(present) != place:
        disk.storageIOAllocation = _allocation(place)
    if present is None or present.label != wanted.label:
        disk.deviceInfo = vim.Description(label=wanted.label, summary="")
    return vim.vm.device.VirtualDeviceSpec(operation="edit", device=disk)


def _allocation(place: Place) -> Any:
    allocation = vim.StorageResourceManager.IOAllocationInfo(limit=place.io_limit, reservation=place.io_reservation)
    if place.shares_level is not None:
        allocation.shares = vim.SharesInfo(level=place.shares_level, shares=place.shares or 0)
    return allocation


def _boot_device(entry: str, machine: VirtualMachine) -> Any:
    options = vim.vm.BootOptions
    disk = machine.disk_at(entry)
    if disk is not None:
        return options.BootableDiskDevice(deviceKey=disk.key)
    kind, _colon, key = entry.partition(":")
    if kind == "ethernet":
        return options.BootableEthernetDevice(deviceKey=int(key))
    if kind == "cdrom":
        return options.BootableCdromDevice()
    if kind == "floppy":
        return options.BootableFloppyDevice()
    raise StepRefused(
        f"The boot order of {machine.name} names {entry}, which it has not.",
        fault="InvalidArgument",
        hint="Look at the boot order in the VM's settings and set it there.",
    )
