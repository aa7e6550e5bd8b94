# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Virtual machines: from the properties that were read to the facts of the domain.

A value that cannot be understood costs that value: it becomes None and is named in `unreadable`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TypeVar
from xml.etree.ElementTree import Element

from ansible_collections.winbackup.storage.plugins.module_utils._core.whole_numbers import count_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.boot_order import boot_order_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    JOURNAL_KEY,
    OPEN_KEY,
    DiskJournal,
    UnreadableJournal,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_text import read_journal
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Controller,
    Disk,
    DiskKind,
    Power,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.object_names import decode_name
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import Part, Unreadable
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.record import RECORD_KEY
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.elements import (
    as_bool,
    as_int,
    child,
    child_text,
    child_texts,
    children,
    snake_case,
    type_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.parts import (
    MACHINE_PARTS,
    part_of,
    unread_parts,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.read import ObjectProperties

_T = TypeVar("_T")

# What every machine has, so that its absence means that it could not be read: an inaccessible, orphaned or invalid
# machine has no `config` at all (vSphere API, VirtualMachine.config).
_ALWAYS_SET = (
    "config.template",
    "config.instanceUuid",
    "config.files.vmPathName",
    "config.hardware.device",
    "runtime.powerState",
    "runtime.connectionState",
    "runtime.host",
    "runtime.consolidationNeeded",
    "runtime.faultToleranceState",
)
CONFIG = "config"
# What a conversion, and its undo, call; a disabled method is refused by the server.
_RECONFIGURE = "ReconfigVM_Task"
DEVICES = "config.hardware.device"

# What the bulk read asks of each machine. All of it is there since 6.5; what an older server lacks is left out.
MACHINE_PATHS = (
    "name",
    "parent",
    "parentVApp",
    "config.template",
    "config.uuid",
    "config.instanceUuid",
    "config.version",
    "config.changeVersion",
    "config.changeTrackingEnabled",
    "config.files.vmPathName",
    "config.keyId",
    "config.repConfig",
    "config.managedBy",
    "config.bootOptions.bootOrder",
    "config.hardware.device",
    "runtime.powerState",
    "runtime.connectionState",
    "runtime.host",
    "runtime.consolidationNeeded",
    "runtime.faultToleranceState",
    "runtime.question",
    "guest.toolsRunningStatus",
    "snapshot",
    "disabledMethod",
    "recentTask",
)
# What is asked further of the machines that have a mapping, and of a single machine.
EXTRA_PATHS = ("config.extraConfig", "layoutEx.file", "guest.disk")
# One setting out of the hundred that a machine has, by its key: absent where the machine has none of that key, as
# OpenStack's nova and CloudStack read it of all machines. What the vSphere API says of keys in paths was not found.
OPEN_PATH = f'config.extraConfig["{OPEN_KEY}"]'

_SETTING = "config.extraConfig["
_POWER = {"poweredOn": Power.ON, "poweredOff": Power.OFF, "suspended": Power.SUSPENDED}
_COMPATIBILITY = {"physicalMode": Compatibility.PHYSICAL, "virtualMode": Compatibility.VIRTUAL}
_SHARING = {"sharingNone": "none", "sharingMultiWriter": "multi_writer"}
_SHARED_BUS = {"noSharing": "none", "virtualSharing": "virtual", "physicalSharing": "physical"}
_CONTROLLERS = {
    "ParaVirtualSCSIController": ("scsi", "pvscsi"),
    "VirtualLsiLogicController": ("scsi", "lsilogic"),
    "VirtualLsiLogicSASController": ("scsi", "lsilogic_sas"),
    "VirtualBusLogicController": ("scsi", "buslogic"),
    "VirtualAHCIController": ("sata", "ahci"),
    "VirtualSATAController": ("sata", "sata"),
    "VirtualNVMEController": ("nvme", "nvme"),
    "VirtualIDEController": ("ide", "ide"),
}
_MAPPING = "VirtualDiskRawDiskMappingVer1BackingInfo"
_FLAT = (
    "VirtualDiskFlatVer2BackingInfo",
    "VirtualDiskFlatVer1BackingInfo",
    "VirtualDiskSeSparseBackingInfo",
    "VirtualDiskSparseVer2BackingInfo",
    "VirtualDiskSparseVer1BackingInfo",
    "VirtualDiskLocalPMemBackingInfo",
)
_RUNNING_TOOLS = ("guestToolsRunning", "guestToolsExecutingScripts")
# Site Recovery Manager and vSphere Replication name themselves so as the owner of a machine.
_REPLICATION_OWNERS = ("com.vmware.vcDr", "com.vmware.vcHms")


@dataclass(frozen=True, slots=True)
class ReadMachine:
    """A machine as its own properties show it; path and datacenter come from its folders, the tasks from elsewhere."""

    machine: VirtualMachine
    parent: str | None
    tasks: tuple[str, ...]


class MachineReader:
    """Turns properties into machines; strings that repeat in every machine are kept once."""

    def __init__(self) -> None:
        self._method_sets: dict[tuple[str, ...], frozenset[str]] = {}

    def read(self, read: ObjectProperties) -> ReadMachine:
        """Returns a machine; never fails for a single value."""
        values = _Values(read)
        controllers, disks = _devices(values)
        tasks = values.convert("recentTask", lambda element: tuple(task.text or "" for task in element))
        config = DEVICES in read.values
        # A machine without snapshots has no such property; one whose configuration cannot be read does not tell it.
        snapshots = values.convert("snapshot", lambda element: bool(len(element)))
        if snapshots is None and config and Unreadable(Part.SNAPSHOTS) not in values.unreadable:
            snapshots = False
        consolidation = values.boolean("runtime.consolidationNeeded")
        delta = any(disk.parents for disk in disks)
        machine = VirtualMachine(
            id=read.id,
            name=decode_name(read.text("name") or read.id),
            path="",
            power=values.convert("runtime.powerState", lambda element: _POWER[element.text or ""]),
            instance_uuid=read.text("config.instanceUuid"),
            bios_uuid=read.text("config.uuid"),
            host=_once(read.text("runtime.host")),
            connection_state=sys.intern(snake_case(read.text("runtime.connectionState") or "unknown")),
            template=values.boolean("config.template"),
            vmx_path=read.text("config.files.vmPathName"),
            version=_once(read.text("config.version")),
            change_version=read.text("config.changeVersion"),
            disks_known=config,
            has_snapshots=snapshots,
            consolidation_needed=consolidation,
            # A delta that no snapshot and no failed consolidation accounts for lies on another machine's disk.
            linked_clone=delta and not snapshots and not consolidation,
            encrypted="config.keyId" in read.values,
            fault_tolerance=read.text("runtime.faultToleranceState") not in (None, "notConfigured"),
            replicated=_is_replicated(read),
            change_tracking=values.boolean("config.changeTrackingEnabled") or False,
            reconfigure_disabled=_RECONFIGURE in self._methods(values),
            tools_running=_tools_running(read),
            question=question_of(read),
            controllers=controllers,
            disks=seen_by_guest(disks, read) if "config.extraConfig" in read.values else disks,
            boot_order=values.convert("config.bootOptions.bootOrder", lambda element: _boot_order(element, disks)),
            journal=journal_of(read),
            rehearsal=rehearsal_of(read),
            unreadable=tuple(values.unreadable),
        )
        return ReadMachine(machine, read.text("parent") or read.text("parentVApp"), tasks or ())

    def _methods(self, values: _Values) -> frozenset[str]:
        names = values.convert("disabledMethod", lambda element: tuple(sys.intern(name.text or "") for name in element))
        return self._method_sets.setdefault(names or (), frozenset(names or ()))


class _Values:
    """The properties of one object, and which of them could not be read."""

    def __init__(self, read: ObjectProperties) -> None:
        self.read = read
        self.unreadable = [*unread_parts(read, MACHINE_PARTS), *_unset_of(read)]

    def convert(self, path: str, conversion: Callable[[Element], _T]) -> _T | None:
        """Returns what the conversion makes of a property; None where it is unset or not understood."""
        element = self.read.values.get(path)
        if element is None:
            return None
        return self.attempt(part_of(path, MACHINE_PARTS), lambda: conversion(element))

    def attempt(self, part: Part, conversion: Callable[[], _T], of: str = "") -> _T | None:
        """Returns what the conversion returns; None, and a note, where the value is of no known kind."""
        try:
            return conversion()
        except (ValueError, KeyError):
            self.unreadable.append(Unreadable(part, of))
            return None

    def boolean(self, path: str) -> bool | None:
        """Returns a property that is true, false or neither."""
        return self.convert(path, lambda element: as_bool(element.text))


def _unset_of(read: ObjectProperties) -> list[Unreadable]:
    """Returns what every machine has and this one does not tell; all of its configuration is called "config"."""
    unset = [path for path in _ALWAYS_SET if path not in read.values and path not in read.refused]
    if DEVICES in unset:
        unset = [CONFIG, *(path for path in unset if not path.startswith("config."))]
    return [Unreadable(part_of(path, MACHINE_PARTS)) for path in unset]


def journal_of(read: ObjectProperties) -> dict[str, DiskJournal | UnreadableJournal]:
    """Returns what the collection wrote down, by disk address, as far as extraConfig was read."""
    found: dict[str, DiskJournal | UnreadableJournal] = {}
    for option in children(read.values.get("config.extraConfig"), "OptionValue"):
        key, text = child_text(option, "key"), child_text(option, "value")
        if key is not None and text is not None and key.startswith(JOURNAL_KEY):
            address = key.removeprefix(JOURNAL_KEY)
            found[address] = read_journal(address, text)
    return found


def may_be_half_done(read: ObjectProperties) -> bool:
    """Tells whether a conversion of the machine may be open: a setting says so, or that setting was refused."""
    told = any(path.startswith(_SETTING) and child_text(value, "value") for path, value in read.values.items())
    return told or any(path.startswith(_SETTING) for path in read.refused)


def rehearsal_of(read: ObjectProperties) -> str | None:
    """Returns what a rehearsal wrote down with the machine, as far as extraConfig was read."""
    options = children(read.values.get("config.extraConfig"), "OptionValue")
    return next((child_text(option, "value") for option in options if child_text(option, "key") == RECORD_KEY), None)


def seen_by_guest(disks: Iterable[Disk], read: ObjectProperties) -> tuple[Disk, ...]:
    """Returns the disks with what tells a guest's disks: PCI slots out of extraConfig where the controllers have none,
    and the volumes that VMware Tools found on them."""
    settings = {
        (child_text(option, "key") or "").lower(): child_text(option, "value")
        for option in children(read.values.get("config.extraConfig"), "OptionValue")
    }
    paths: dict[int, list[str]] | None = None
    if "guest.disk" in read.values:
        paths = {}
        for mounted in children(read.values["guest.disk"], "GuestDiskInfo"):
            path = child_text(mounted, "diskPath")
            for mapping in mounted:
                key = child_text(mapping, "key")
                number = count_of(key or "")
                if path is not None and number is not None:
                    paths.setdefault(number, []).append(path)
    return tuple(_seen_by_guest(disk, settings, paths) for disk in disks)


def _seen_by_guest(disk: Disk, settings: Mapping[str, str | None], paths: Mapping[int, Sequence[str]] | None) -> Disk:
    place = disk.controller
    if place.pci_slot_number is None:
        place = replace(place, pci_slot_number=slot_number(settings.get(f"{place.type}{place.bus}.pcislotnumber")))
    return replace(disk, controller=place, guest_paths=None if paths is None else tuple(paths.get(disk.key, ())))


def slot_number(text: str | None) -> int | None:
    """Returns a pciSlotNumber; None for none, and for -1, which is none yet."""
    return count_of(text or "")


def question_of(read: ObjectProperties) -> str | None:
    """Returns the text of the question that the machine asks, with its choices; None where it asks nothing."""
    element = read.values.get("runtime.question")
    if element is None:
        return None
    text = child_text(element, "text") or child_text(element, "message", "text") or "a question without text"
    labels = [child_text(choice, "label") or "?" for choice in children(child(element, "choice"), "choiceInfo")]
    return f"{text} (choices: {', '.join(labels)})" if labels else text


def files_of(read: ObjectProperties) -> dict[str, str]:
    """Returns the files of the machine's layout, as far as it was read: name -> type ("diskExtent")."""
    files: dict[str, str] = {}
    for entry in children(read.values.get("layoutEx.file"), "VirtualMachineFileLayoutExFileInfo"):
        name, kind = child_text(entry, "name"), child_text(entry, "type")
        if name is not None and kind is not None:
            files[name] = kind
    return files


def extent_among(files: Iterable[str], disk: Disk) -> str | None:
    """Returns the extent that a layout lists for the mapping below a disk, or None."""
    stem = disk.base_file.removesuffix(".vmdk")
    return next((file for ending in ("-rdmp", "-rdm") for file in files if file == f"{stem}{ending}.vmdk"), None)


def _devices(values: _Values) -> tuple[tuple[Controller, ...], tuple[Disk, ...]]:
    devices = values.read.values.get("config.hardware.device")
    controllers: dict[int, Controller] = {}
    disks: list[Disk] = []
    if devices is None:
        return (), ()
    found: list[Element] = []
    for device in devices:
        kind = type_of(device)
        if kind == "VirtualDisk":
            found.append(device)
        elif (kind in _CONTROLLERS or "scsi" in kind.lower()) and child(device, "busNumber") is not None:
            controller = values.attempt(Part.DISKS, lambda device=device: _controller(device))  # type: ignore[misc]
            if controller is not None:
                controllers[controller.key] = controller
    for device in found:
        disk = _disk(device, controllers, values)
        if disk is not None:
            disks.append(disk)
    return tuple(controllers.values()), tuple(disks)


def _controller(device: Element) -> Controller | None:
    kind = type_of(device)
    family, model = _CONTROLLERS.get(kind, ("", ""))
    sharing = child_text(device, "sharedBus")
    if not family:
        # A kind of SCSI controller that is newer than this table still says how its bus is shared.
        if sharing is None or "scsi" not in kind.lower():
            return None
        family, model = "scsi", snake_case(kind)
    if family == "scsi" and sharing is None:
        raise ValueError("a SCSI controller tells how its bus is shared (vSphere API, VirtualSCSIController.sharedBus)")
    return _same_controller(
        _number_of(child_text(device, "key")),
        family,
        model,
        _number_of(child_text(device, "busNumber")),
        _SHARED_BUS[sharing] if sharing is not None else "none",
        slot_number(child_text(device, "slotInfo", "pciSlotNumber")),
    )


@lru_cache(maxsize=256)
def _same_controller(
    key: int, family: str, model: str, bus: int, shared_bus: str, pci_slot_number: int | None
) -> Controller:
    """Returns one object for all machines that have such a controller."""
    return Controller(key, family, model, bus, shared_bus, pci_slot_number)


def _number_of(text: str | None) -> int:
    """Returns the integer of a text that must be there."""
    number = as_int(text)
    if number is None:
        raise ValueError("no text")
    return number


def _once(text: str | None) -> str | None:
    """Returns a text that repeats in many machines, kept once."""
    return sys.intern(text) if text is not None else None


def _disk(device: Element, controllers: dict[int, Controller], values: _Values) -> Disk | None:
    own = child_texts(device)
    key = values.attempt(Part.DISKS, lambda: _number_of(own.get("key")))
    if key is None:
        return None
    label = sys.intern(child_text(device, "deviceInfo", "label") or f"disk {key}")

    def number(part: Part, texts: Mapping[str, str], field: str) -> int | None:
        return values.attempt(part, lambda: as_int(texts.get(field)), label)

    controller_key = number(Part.CONTROLLER, own, "controllerKey") or 0
    controller = controllers.get(controller_key) or Controller(controller_key, "unknown", "unknown", 0)
    unit = number(Part.UNIT, own, "unitNumber")
    backing = child(device, "backing")
    kind = type_of(backing) if backing is not None else ""
    below = child_texts(backing)
    mode, sharing = below.get("compatibilityMode"), below.get("sharing")
    allocation = child(device, "storageIOAllocation")
    limits, shares = child_texts(allocation), child_texts(child(device, "storageIOAllocation", "shares"))
    return Disk(
        key=key,
        label=label,
        address=sys.intern(f"{controller.type}{controller.bus}:{unit if unit is not None else '?'}"),
        unit=unit if unit is not None else -1,
        controller=controller,
        file=below.get("fileName", ""),
        kind=DiskKind.MAPPING if kind == _MAPPING else DiskKind.FLAT if kind in _FLAT else DiskKind.OTHER,
        datastore=_once(below.get("datastore")),
        compatibility=values.attempt(Part.COMPATIBILITY, lambda: _COMPATIBILITY[mode], label) if mode else None,
        disk_mode=_once(below.get("diskMode")),
        sharing=values.attempt(Part.SHARING, lambda: _SHARING[sharing], label) if sharing else None,
        capacity_bytes=values.attempt(Part.CAPACITY, lambda: _capacity(own), label),
        lun_uuid=below.get("lunUuid"),
        device_name=below.get("deviceName"),
        disk_uuid=below.get("uuid"),
        parents=_parents(backing),
        shares_level=_once(shares.get("level")),
        shares=number(Part.SHARES, shares, "shares"),
        io_limit=number(Part.SHARES, limits, "limit"),
        io_reservation=number(Part.SHARES, limits, "reservation"),
        change_tracking="changeId" in below,
    )


def _capacity(own: Mapping[str, str]) -> int | None:
    exact = as_int(own.get("capacityInBytes"))
    if exact is not None:
        return exact
    kilobytes = as_int(own.get("capacityInKB"))
    return kilobytes * 1024 if kilobytes is not None else None


def _parents(backing: Element | None) -> tuple[str, ...]:
    files: list[str] = []
    parent = child(backing, "parent") if backing is not None else None
    while parent is not None:
        files.append(child_text(parent, "fileName") or "")
        parent = child(parent, "parent")
    return tuple(files)


def _boot_order(element: Element, disks: Sequence[Disk]) -> tuple[str, ...]:
    return boot_order_of(((type_of(entry), as_int(child_text(entry, "deviceKey"))) for entry in element), disks)


def _is_replicated(read: ObjectProperties) -> bool:
    owner = read.values.get("config.managedBy")
    extension = (child_text(owner, "extensionKey") or "") if owner is not None else ""
    return "config.repConfig" in read.values or extension.startswith(_REPLICATION_OWNERS)


def _tools_running(read: ObjectProperties) -> bool | None:
    status = read.text("guest.toolsRunningStatus")
    return status in _RUNNING_TOOLS if status is not None else None
