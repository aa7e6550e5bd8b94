# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The virtual machines of a host, out of its list, their .vmx files and descriptors, and what vim-cmd dumps. Pure.

Their disks come from the .vmx; of a VM that may have a mapping hostd is asked too, which alone knows power, snapshots
and labels. What a mapping is, is said by its descriptor, by vmkfstools -q, and by hostd; where they do not agree, its
mode is not known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ansible_collections.winbackup.storage.plugins.module_utils._core.whole_numbers import count_of
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.answer import Answer
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.dump import TYPE, Value, dumped_object
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.errors import UnreadableOutput
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.vim_cmd import (
    RegisteredVm,
    fault,
    has_snapshots,
)
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.vmx import vmx_settings
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.stores import Chain, KeptTexts, Stores
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.boot_order import boot_order_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    JOURNAL_KEY,
    DiskJournal,
    UnreadableJournal,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_places import (
    address_of_record_file,
    with_records_of_both,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_text import read_journal
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_names import plain_name
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
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.record import record_file
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.unread import maps_unknown

# A host that stands alone has one datacenter, and calls it so.
DATACENTER = "ha-datacenter"
_DISK = re.compile(r"(?P<type>scsi|sata|nvme|ide)(?P<bus>\d{1,2}):(?P<unit>\d{1,3})\.filename", re.ASCII)
_ADAPTER = re.compile(r"(?P<type>scsi|sata|nvme)(?P<bus>\d{1,2})\.present", re.ASCII)
_POWER = {"poweredOn": Power.ON, "poweredOff": Power.OFF, "suspended": Power.SUSPENDED}
_MODES = {"physicalMode": Compatibility.PHYSICAL, "virtualMode": Compatibility.VIRTUAL}
_SHARING = {"sharingNone": "none", "sharingMultiWriter": "multi_writer"}
_RUNNING_TOOLS = ("guestToolsRunning", "guestToolsExecutingScripts")
_FAMILIES = {"sata": "sata", "ahci": "sata", "nvme": "nvme", "ide": "ide", "scsi": "scsi", "logic": "scsi"}
# Keys of controllers as hosts give them, and of their disks: first key, and how many for each controller.
_CONTROLLER_KEYS = {"scsi": 1000, "sata": 15000, "nvme": 31000, "ide": 200}
_DISK_KEYS = {"scsi": (2000, 16), "sata": (16000, 30), "nvme": (32000, 64), "ide": (3000, 2)}
_MODELS = {"": "lsilogic", "lsisas1068": "lsilogic_sas"}
_NOT_THERE = "NotFound"
_HEX = re.compile(r"[0-9a-fA-F]{32}")


def skipped_machine(vmid: str, host: str) -> VirtualMachine:
    """Returns a VM that the host's list passes over as invalid: of it nothing but its id is known."""
    return VirtualMachine(
        vmid,
        vmid,
        f"/{DATACENTER}/vm/{vmid}",
        None,
        datacenter=DATACENTER,
        host=host,
        connection_state="invalid",
        template=None,
        has_snapshots=None,
        consolidation_needed=None,
        disks_known=False,
        unreadable=(Unreadable(Part.CONFIGURATION),),
    )


def listed_machine(listed: RegisteredVm, host: str, stores: Stores) -> VirtualMachine:
    """Returns a VM as its .vmx and the descriptors of its disks show it."""
    path = stores.path_of(listed.file)
    settings = vmx_settings(stores.settings.get(path or "", ""))
    # One that is empty, as a full datastore leaves it, does not say that the VM has no disk.
    if path is None or not settings:
        return replace(
            skipped_machine(listed.id, host),
            name=decode_name(listed.name),
            path=f"/{DATACENTER}/vm/{decode_name(listed.name)}",
            connection_state="connected",
            vmx_path=listed.file,
        )
    name = decode_name(settings.get("displayname") or listed.name)
    version = settings.get("virtualhw.version")
    controllers, disks = _devices(settings, path, stores)
    texts = stores.kept_texts(path)
    machine = VirtualMachine(
        id=listed.id,
        name=name,
        path=f"/{DATACENTER}/vm/{name}",
        power=None,
        instance_uuid=_uuid(settings.get("vc.uuid")),
        bios_uuid=_uuid(settings.get("uuid.bios")),
        datacenter=DATACENTER,
        host=host,
        template=None,
        vmx_path=stores.file_of(path),
        version=f"vmx-{version.zfill(2)}" if version else None,
        has_snapshots=None,
        consolidation_needed=None,
        controllers=controllers,
        disks=disks,
        change_version=texts.version if texts is not None else None,
        rehearsal=_rehearsal(path, texts),
    )
    files = _records_in_files(path, texts)
    return with_records_of_both(machine, files, _records_in_settings(settings), files=files)


def may_map(machine: VirtualMachine) -> bool:
    """Tells whether hostd is to be asked about a VM: it has a mapping, a disk that may be one, or a record of one that
    may be detached; or a rehearsal made it."""
    recorded = bool(machine.journal) or machine.rehearsal is not None
    return machine.disks_known and (bool(machine.mappings) or maps_unknown(machine) or recorded)


def asked_machine(machine: VirtualMachine, answer: Answer) -> VirtualMachine:
    """Returns a VM with what hostd said of it; what it did not say is None, and named in `unreadable`."""
    summary, config, hardware = (_dump(answer, name, machine.id) for name in ("summary", "config", "hardware"))
    told = answer.find("snapshots", machine.id)
    snapshots: bool | None = None
    if told is not None and fault(told.text) is None:
        try:
            snapshots = has_snapshots(told.text)
        except UnreadableOutput:
            snapshots = None
    unreadable = [
        Unreadable(part, why=command)
        for part, command, value in (
            (Part.POWER_STATE, "vmsvc/get.summary", summary),
            (Part.ENCRYPTION, "vmsvc/get.config", config),
            (Part.DISKS, "vmsvc/device.getdevices", hardware),
            (Part.SNAPSHOTS, "vmsvc/snapshot.get", snapshots),
            (Part.INSTANCE_UUID, "vc.uuid", _text(_part(summary, "config"), "instanceUuid") or machine.instance_uuid),
        )
        if value is None
    ]
    runtime, about, guest = (_part(summary, name) for name in ("runtime", "config", "guest"))
    consolidation = _flag(runtime, "consolidationNeeded")
    disks, not_agreed = _with_hardware(machine.disks, hardware)
    delta = any(disk.parents for disk in disks)
    return replace(
        machine,
        name=decode_name(_text(about, "name") or machine.name),
        path=f"/{DATACENTER}/vm/{decode_name(_text(about, 'name') or machine.name)}",
        power=_POWER.get(_text(runtime, "powerState") or ""),
        instance_uuid=_text(about, "instanceUuid") or machine.instance_uuid,
        bios_uuid=_text(about, "uuid") or machine.bios_uuid,
        connection_state=_text(runtime, "connectionState") or machine.connection_state,
        template=_flag(about, "template"),
        has_snapshots=snapshots,
        consolidation_needed=consolidation,
        linked_clone=delta and snapshots is False and not consolidation,
        encrypted=_part(config, "keyId") is not None,
        fault_tolerance=_text(runtime, "faultToleranceState") not in (None, "notConfigured"),
        replicated=_part(config, "repConfig") is not None,
        change_tracking=bool(_flag(config, "changeTrackingEnabled")),
        question=_text(_part(runtime, "question"), "text"),
        tools_running=_text(guest, "toolsRunningStatus") in _RUNNING_TOOLS if guest is not None else None,
        disks=disks,
        boot_order=_boot_order(config, disks),
        unreadable=(*machine.unreadable, *unreadable, *not_agreed),
    )


def is_not_there(vmid: str, answer: Answer) -> bool:
    """Tells whether hostd says that it has no VM of this id."""
    told = answer.find("summary", vmid)
    said = fault(told.text) if told is not None else None
    return said is not None and said.name == _NOT_THERE


def registered_elsewhere(machine: VirtualMachine, answer: Answer) -> bool:
    """Tells whether hostd names another .vmx for a VM than the one that was read."""
    named = _text(_part(_dump(answer, "summary", machine.id), "config"), "vmPathName")
    return named is not None and named != machine.vmx_path


def _boot_order(config: Mapping[str, Value] | None, disks: Sequence[Disk]) -> tuple[str, ...] | None:
    """Returns the boot order; None where the configuration was not read."""
    if config is None:
        return None
    entries = [entry for entry in _list(_part(config, "bootOptions"), "bootOrder") if isinstance(entry, Mapping)]
    return boot_order_of(((str(entry.get(TYPE) or ""), _number(entry, "deviceKey")) for entry in entries), disks)


def _devices(settings: Mapping[str, str], vmx: str, stores: Stores) -> tuple[tuple[Controller, ...], tuple[Disk, ...]]:
    controllers: dict[int, Controller] = {}
    disks: list[Disk] = []
    for key, file in settings.items():
        adapter = _ADAPTER.fullmatch(key)
        # One without a disk is there all the same: the last of its disks may just have been taken off.
        if adapter is not None and file.lower() == "true":
            empty = _controller(settings, adapter["type"], int(adapter["bus"]))
            controllers[empty.key] = empty
        found = _DISK.fullmatch(key)
        if found is None:
            continue
        family, bus, unit = found["type"], int(found["bus"]), int(found["unit"])
        address = f"{family}{bus}:{unit}"
        absent = settings.get(f"{address}.present", "true").lower() != "true"
        device_type = settings.get(f"{address}.devicetype", "").lower()
        if absent or "cdrom" in device_type or not file or not file.lower().endswith(".vmdk"):
            continue
        controller = _controller(settings, family, bus)
        controllers[controller.key] = controller
        disks.append(_disk(settings, address, unit, controller, stores.beside(vmx, file), stores))
    return tuple(controllers.values()), tuple(sorted(disks, key=lambda disk: (disk.controller.key, disk.unit)))


def _controller(settings: Mapping[str, str], family: str, bus: int) -> Controller:
    model = settings.get(f"{family}{bus}.virtualdev", "").lower() if family == "scsi" else family
    shared = settings.get(f"{family}{bus}.sharedbus", "none").lower() or "none"
    number = count_of(settings.get(f"{family}{bus}.pcislotnumber", ""))
    return Controller(_CONTROLLER_KEYS[family] + bus, family, _MODELS.get(model, model), bus, shared, number)


def _disk(
    settings: Mapping[str, str], address: str, unit: int, controller: Controller, path: str, stores: Stores
) -> Disk:
    chain = stores.chain_of(path)
    base = chain.base if chain is not None else None
    query = stores.queries.get(chain.base_path) if chain is not None else None
    mode = base.compatibility if base is not None else None
    kind = DiskKind.OTHER if base is None else DiskKind.FLAT if mode is None else DiskKind.MAPPING
    if query is not None and query.compatibility not in (None, mode):
        mode = None
    first, many = _DISK_KEYS[controller.type]
    store = stores.datastore_of(path)
    sharing = settings.get(f"{address}.sharing", "").lower()
    return Disk(
        key=first + many * controller.bus + unit,
        label=address,
        address=address,
        unit=unit,
        controller=controller,
        file=stores.file_of(path),
        kind=kind,
        datastore=store.id if store is not None else None,
        compatibility=mode,
        disk_mode=settings.get(f"{address}.mode", "persistent").lower().replace("-", "_"),
        sharing="multi_writer" if sharing == "multi-writer" else sharing.replace("-", "_") or "none",
        capacity_bytes=chain.own.size_bytes if chain is not None else None,
        lun_uuid=plain_name(query.vml) if query is not None else None,
        disk_uuid=base.uuid if base is not None else None,
        parents=tuple(stores.file_of(parent) for parent in chain.parents) if chain is not None else (),
        extent=_extent(chain, stores),
        change_tracking=chain is not None and chain.own.change_tracking_file is not None,
    )


def _extent(chain: Chain | None, stores: Stores) -> str | None:
    if chain is None or chain.base is None or len(chain.base.extents) != 1:
        return None
    return stores.file_of(stores.beside(chain.base_path, chain.base.extents[0]))


def _with_hardware(
    disks: Sequence[Disk], hardware: Mapping[str, Value] | None
) -> tuple[tuple[Disk, ...], list[Unreadable]]:
    """Returns the disks with what hostd says of them, and those of which it says another mode."""
    devices = [device for device in _list(hardware, "device") if isinstance(device, Mapping)]
    buses: dict[int, tuple[str, int]] = {}
    for device in devices:
        kind, key, bus = str(device.get(TYPE) or "").lower(), device.get("key"), device.get("busNumber")
        family = next((family for word, family in _FAMILIES.items() if word in kind.rpartition(".")[2]), None)
        if family is not None and isinstance(key, int) and isinstance(bus, int):
            buses[key] = (family, bus)
    by_address: dict[str, Mapping[str, Value]] = {}
    for device in devices:
        place = buses.get(_number(device, "controllerKey") or -1)
        if place is not None and _part(device, "backing") is not None:
            by_address[f"{place[0]}{place[1]}:{_number(device, 'unitNumber')}"] = device
    keys = {place: key for key, place in buses.items()}
    found: list[Disk] = []
    not_agreed: list[Unreadable] = []
    for disk in disks:
        told = by_address.get(disk.address)
        if told is None:
            found.append(disk)
            continue
        one = _told(disk, told, keys.get((disk.controller.type, disk.controller.bus)))
        if disk.compatibility is not None and one.compatibility is None:
            not_agreed.append(Unreadable(Part.COMPATIBILITY, one.label, "its descriptor and hostd differ"))
        found.append(one)
    return tuple(found), not_agreed


def _told(disk: Disk, device: Mapping[str, Value], controller_key: int | None) -> Disk:
    backing = _part(device, "backing")
    mode = _text(backing, "compatibilityMode")
    agreed = disk.compatibility if mode is None or _MODES.get(mode) is disk.compatibility else None
    sharing = _text(backing, "sharing")
    kilobytes = _number(device, "capacityInKB")
    allocation = _part(device, "storageIOAllocation")
    shares = _part(allocation, "shares")
    controller = disk.controller if controller_key is None else replace(disk.controller, key=controller_key)
    return replace(
        disk,
        key=_number(device, "key") or disk.key,
        label=_text(_part(device, "deviceInfo"), "label") or disk.label,
        controller=controller,
        # One whose descriptor could not be read is a mapping all the same, of a mode that is not known.
        kind=DiskKind.MAPPING if disk.kind is DiskKind.OTHER and _maps(backing) else disk.kind,
        compatibility=agreed,
        disk_mode=_text(backing, "diskMode") or disk.disk_mode,
        sharing=_SHARING.get(sharing, sharing) if sharing is not None else disk.sharing,
        capacity_bytes=_number(device, "capacityInBytes") or (kilobytes * 1024 if kilobytes else disk.capacity_bytes),
        # The file's own word comes first; of a running VM's mapping vmkfstools may have told nothing.
        lun_uuid=disk.lun_uuid or plain_name(_text(backing, "lunUuid")),
        device_name=_text(backing, "deviceName"),
        disk_uuid=_text(backing, "uuid") or disk.disk_uuid,
        shares_level=_text(shares, "level"),
        shares=_number(shares, "shares"),
        io_limit=_number(allocation, "limit"),
        io_reservation=_number(allocation, "reservation"),
    )


def _maps(backing: Mapping[str, Value] | None) -> bool:
    return "RawDiskMapping" in (_text(backing, TYPE) or "")


def _rehearsal(vmx: str, texts: KeptTexts | None) -> str | None:
    """Returns the record beside the VM's folder, without the end of its line."""
    text = texts.records.get(record_file(vmx)) if texts is not None else None
    return text.rstrip("\n") if text is not None else None


def _records_in_files(vmx: str, texts: KeptTexts | None) -> dict[str, DiskJournal | UnreadableJournal]:
    found: dict[str, DiskJournal | UnreadableJournal] = {}
    for path, text in (texts.records if texts is not None else {}).items():
        address = address_of_record_file(vmx, path)
        if address is not None:
            found[address] = read_journal(address, text)
    return found


def _records_in_settings(settings: Mapping[str, str]) -> dict[str, DiskJournal | UnreadableJournal]:
    found: dict[str, DiskJournal | UnreadableJournal] = {}
    for key, text in settings.items():
        if key.startswith(JOURNAL_KEY):
            address = key.removeprefix(JOURNAL_KEY)
            found[address] = read_journal(address, text)
    return found


def _uuid(text: str | None) -> str | None:
    """Returns "564d0000-…" for "56 4d 00 00 …-…", as a .vmx writes it."""
    plain = (text or "").replace(" ", "").replace("-", "")
    if not _HEX.fullmatch(plain):
        return None
    return "-".join((plain[:8], plain[8:12], plain[12:16], plain[16:20], plain[20:])).lower()


def _dump(answer: Answer, name: str, vmid: str) -> Mapping[str, Value] | None:
    section = answer.find(name, vmid)
    if section is None or fault(section.text) is not None:
        return None
    try:
        found = dumped_object(f"vim-cmd {name} {vmid}", section.text)
    except UnreadableOutput:
        return None
    return found if isinstance(found, Mapping) else {"device": found}


def _part(value: Mapping[str, Value] | None, name: str) -> Mapping[str, Value] | None:
    found = value.get(name) if value is not None else None
    return found if isinstance(found, Mapping) else None


def _list(value: Mapping[str, Value] | None, name: str) -> Sequence[Value]:
    found = value.get(name) if value is not None else None
    return found if isinstance(found, list) else []


def _text(value: Mapping[str, Value] | None, name: str) -> str | None:
    found = value.get(name) if value is not None else None
    return found if isinstance(found, str) and found else None


def _flag(value: Mapping[str, Value] | None, name: str) -> bool | None:
    found = value.get(name) if value is not None else None
    return found if isinstance(found, bool) else None


def _number(value: Mapping[str, Value] | None, name: str) -> int | None:
    found = value.get(name) if value is not None else None
    return found if isinstance(found, int) and not isinstance(found, bool) else None
