# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""LUNs as one host shows them: its SCSI devices, joined with its topology, its paths and its VMFS volumes."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeVar
from xml.etree.ElementTree import Element

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun, LunFacts, LunPath
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_names import plain_name
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.object_names import decode_name
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import Part, Unreadable
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
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.read import ObjectProperties
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.reply_parts import Converters

_T = TypeVar("_T")

SCSI_LUNS = "config.storageDevice.scsiLun"
TOPOLOGY = "config.storageDevice.scsiTopology"
PLUGINS = "config.storageDevice.plugStoreTopology.plugin"
MULTIPATH = "config.storageDevice.multipathInfo.lun"
VOLUMES = "config.fileSystemVolume.mountInfo"
DUMP_PARTITION = "config.activeDiagnosticPartition"

ADAPTERS = "config.storageDevice.hostBusAdapter"

NVME_TOPOLOGY = "config.storageDevice.nvmeTopology"

# Names that say where a device is plugged in, and ids that hold the LUN number, which hosts give each their own.
_OF_ONE_HOST = ("mpx.", "vml.")
_UNKNOWN_SERIALS = ("", "unavailable")
# The namespace of a durable name that holds the serial number (seen in dumps of ESXi 6.7).
_SERIAL_NAMESPACE = "SERIALNUM"
# A VMFS volume that people make datastores of; the host's own volumes are of other types ("VMFS-L", "VFFS", "OTHER").
_VMFS = "VMFS"
# Drivers of adapters that USB sticks hang on.
_USB_DRIVERS = ("vmkusb", "umass", "usb-storage")
# Bit 7 of the second byte of standard INQUIRY data: the medium can be removed (SPC-4, 6.6.2).
_REMOVABLE_BIT = 0x80
# Kinds of adapters that NVMe namespaces of a fabric come through.
_NVME_FABRICS = ("HostTcpHba", "HostRdmaHba")
_NVME_LOCAL = ("HostPcieHba",)
_NVME = "nvme"
# Whether what an NVMe controller is reached by is a fabric (vSphere API, NvmeTransportType); others are not known.
_IS_FABRIC = {"tcp": True, "rdma": True, "fibreChannel": True, "pcie": False}


@dataclass(frozen=True, slots=True)
class Device:
    """A LUN as a host's list has it: its facts, and what is joined with what else the host tells. Hosts that see a LUN
    alike have one together."""

    key: str
    facts: LunFacts
    speaks_nvme: bool
    # None where the host does not tell the INQUIRY data.
    removable_medium: bool | None


@dataclass(frozen=True)
class _Adapter:
    """An adapter of the host: its kind ("HostTcpHba"), the protocol that it speaks, and its driver."""

    kind: str
    protocol: str
    driver: str


@dataclass(frozen=True)
class _Surroundings:
    """What other properties of the host say about its LUNs, by the key of the LUN or by its canonical name."""

    numbers: Mapping[str, int] = field(default_factory=dict)
    adapters: Mapping[str, tuple[_Adapter, ...]] = field(default_factory=dict)
    # Whether an NVMe namespace is one of a fabric, by its name.
    namespaces: Mapping[str, bool | None] = field(default_factory=dict)
    plugins: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, tuple[LunPath, ...]] = field(default_factory=dict)
    datastores: Mapping[str, str] = field(default_factory=dict)
    system_disks: frozenset[str] = frozenset()
    volumes_are_known: bool = False
    dump_disk: str | None = None
    dump_is_known: bool = False


class DeviceReader:
    """Makes of the elements of hosts' LUNs what is used of them; a LUN that hosts show alike is kept once for all."""

    def __init__(self) -> None:
        self._same: dict[Device, Device] = {}

    @property
    def converters(self) -> Converters:
        """What is made of the members of properties, by the path of the property."""
        return {SCSI_LUNS: self.read, MULTIPATH: _paths_of}

    def read(self, element: Element) -> Device:
        """Returns what a LUN tells of itself; never fails for a single value."""
        device = _device(element)
        return self._same.setdefault(device, device)


def luns_of(read: ObjectProperties, host_name: str) -> tuple[tuple[HostLun, ...] | None, tuple[Unreadable, ...]]:
    """Returns the LUNs of a host, None where its storage could not be read, and what of them was not understood."""
    if SCSI_LUNS not in read.values:
        return None, ()
    devices: Sequence[Device] = read.members.get(SCSI_LUNS, ())
    # A host that has LUNs tells its volumes too; without them, what lies on a LUN is not known.
    unreadable = [Unreadable(Part.VOLUMES)] if VOLUMES not in read.values and VOLUMES not in read.refused else []
    surroundings = _surroundings(read, unreadable)
    unreadable.extend(
        Unreadable(Part.LUN, device.facts.canonical_name, why) for device in devices for why in device.facts.unclear
    )
    return tuple(_lun(device, read.id, host_name, surroundings) for device in devices), tuple(unreadable)


def _device(element: Element) -> Device:
    texts = child_texts(element)
    uuid = texts.get("uuid", "")
    canonical = texts.get("canonicalName") or texts.get("deviceName") or uuid
    device_name = texts.get("deviceName") or canonical
    unclear: list[str] = []
    blocks = _or_none(as_int, child_text(element, "capacity", "block"), unclear)
    block_size = _or_none(as_int, child_text(element, "capacity", "blockSize"), unclear)
    states = [snake_case(state.text) for state in children(element, "operationalState") if state.text]
    vendor = (texts.get("vendor") or "").strip() or None
    names, durable = _names(element, uuid, canonical, device_name)
    inquiry = _bytes_of(element, "standardInquiry", unclear, 2)
    facts = LunFacts(
        canonical_name=canonical,
        uuid=uuid,
        vml=f"vml.{uuid}",
        display_name=texts.get("displayName") or canonical,
        device_path=texts.get("devicePath") or device_name,
        device_name=device_name,
        device_type=texts.get("deviceType") or texts.get("lunType") or "unknown",
        state=",".join(states) or None,
        vendor=vendor,
        model=(texts.get("model") or "").strip() or None,
        serial=_serial(element, texts.get("serialNumber"), unclear),
        capacity_bytes=blocks * block_size if blocks is not None and block_size is not None else None,
        block_size=block_size,
        disk_type=texts.get("scsiDiskType"),
        local=_or_none(as_bool, texts.get("localDisk"), unclear),
        ssd=_or_none(as_bool, texts.get("ssd"), unclear),
        perennially_reserved=_or_none(as_bool, texts.get("perenniallyReserved"), unclear),
        used_by_vsan=child_text(element, "vsanDiskInfo", "vsanUuid") is not None,
        # Told only by hosts that have virtual volumes at all.
        protocol_endpoint=False
        if "protocolEndpoint" not in texts
        else _or_none(as_bool, texts["protocolEndpoint"], unclear),
        names=names,
        durable_names=durable,
        unclear=tuple(dict.fromkeys(unclear)),
    )
    return Device(
        key=texts.get("key", ""),
        facts=facts,
        # A host before 8.0.1 does not tell the protocol; the vendor is "NVMe" and the vml id of type 05 then.
        speaks_nvme=_NVME in ((texts.get("applicationProtocol") or "").lower(), (vendor or "").lower())
        or uuid.startswith("05"),
        removable_medium=bool(inquiry[1] & _REMOVABLE_BIT) if len(inquiry) > 1 else None,
    )


def _or_none(convert: Callable[[str | None], _T | None], text: str | None, unclear: list[str]) -> _T | None:
    """Returns what the conversion makes of a text; None, and a note, where it is no such value."""
    try:
        return convert(text)
    except ValueError as error:
        unclear.append(str(error))
        return None


def _bytes_of(element: Element, name: str, unclear: list[str], most: int | None = None) -> bytes:
    """Returns a list of bytes, which stand in elements of their own, or several in one."""
    words = (word for part in children(element, name) for word in (part.text or "").split())
    return bytes((_or_none(as_int, word, unclear) or 0) & 0xFF for word in islice(words, most))


def _lun(device: Device, host: str, host_name: str, surroundings: _Surroundings) -> HostLun:
    key, facts = device.key, device.facts
    canonical = facts.canonical_name
    adapters = surroundings.adapters.get(key, ())
    return HostLun(
        host=host,
        host_name=host_name,
        facts=facts,
        lun_number=surroundings.numbers.get(key),
        multipath_plugin=surroundings.plugins.get(key),
        boot=True if canonical in surroundings.system_disks else None,
        dump_or_scratch=canonical == surroundings.dump_disk if surroundings.dump_is_known else None,
        vmfs_datastore=surroundings.datastores.get(canonical),
        volumes_known=surroundings.volumes_are_known,
        nvme_over_fabrics=surroundings.namespaces[canonical]
        if canonical in surroundings.namespaces
        else _is_nvme_over_fabrics(device, adapters),
        removable=_is_removable(device, adapters),
        paths=surroundings.paths.get(key, ()),
    )


def _names(device: Element, uuid: str, canonical: str, device_name: str) -> tuple[frozenset[str], frozenset[str]]:
    """Returns every id by which this host may mean the LUN, and those that mean the same LUN on every host.

    What descriptor quality means is the API's: a high one is for correlation across hosts, a low one is not. A vml id
    holds the LUN number, which hosts give each their own (KB 1016210), and an mpx name says where a device is plugged
    in; neither is a name for all hosts. The canonical name is one, unless its own descriptor says that it is not.
    """
    qualities = {
        child_text(descriptor, "id") or "": child_text(descriptor, "quality") or ""
        for descriptor in children(device, "descriptor")
    }
    names = {
        canonical,
        uuid,
        plain_name(device_name) or "",
        *(plain_name(name) or "" for name in qualities),
    }
    durable = {name for name, quality in qualities.items() if quality == "highQuality"}
    if (
        canonical != uuid
        and canonical != device_name
        and qualities.get(canonical) not in ("lowQuality", "unknownQuality")
    ):
        durable.add(canonical)
    durable = {name for name in durable if name and not name.lower().startswith(_OF_ONE_HOST)}
    return frozenset(names - {""}), frozenset(durable)


def _surroundings(read: ObjectProperties, unreadable: list[Unreadable]) -> _Surroundings:
    numbers: dict[str, int] = {}
    try:
        numbers = _lun_numbers(read.values.get(TOPOLOGY))
    except ValueError:
        unreadable.append(Unreadable(Part.LUN_NUMBERS))
    dump = read.values.get(DUMP_PARTITION)
    datastores, system_disks = _volumes(read.values.get(VOLUMES))
    return _Surroundings(
        numbers=numbers,
        adapters=_adapters(read.values.get(TOPOLOGY), read.values.get(ADAPTERS)),
        namespaces=_namespaces(read.values.get(NVME_TOPOLOGY)),
        plugins=_plugins(read.values.get(PLUGINS)),
        paths=dict(read.members.get(MULTIPATH, ())),
        datastores=datastores,
        system_disks=system_disks,
        volumes_are_known=VOLUMES in read.values,
        dump_disk=child_text(dump, "id", "diskName"),
        dump_is_known=DUMP_PARTITION not in read.refused,
    )


def _lun_numbers(topology: Element | None) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for adapter in children(topology, "adapter"):
        for target in children(adapter, "target"):
            for lun in children(target, "lun"):
                number = as_int(child_text(lun, "lun"))
                if number is not None:
                    numbers.setdefault(child_text(lun, "scsiLun") or "", number)
    return numbers


def _plugins(plugins: Element | None) -> dict[str, str]:
    """Returns the multipathing plugin of each LUN, by the key of the LUN."""
    claimed: dict[str, str] = {}
    for plugin in plugins if plugins is not None else ():
        name = child_text(plugin, "name")
        for device in children(plugin, "device"):
            uuid = (device.text or "").removeprefix("key-vim.host.PlugStoreTopology.Device-")
            if name is not None and uuid:
                claimed[f"key-vim.host.ScsiDisk-{uuid}"] = name
                claimed[f"key-vim.host.ScsiLun-{uuid}"] = name
    return claimed


def _paths_of(unit: Element) -> tuple[str, tuple[LunPath, ...]]:
    """Returns the key of a LUN and its paths."""
    return child_text(unit, "lun") or "", tuple(
        LunPath(
            name=child_text(path, "name") or "",
            state=snake_case(child_text(path, "state") or child_text(path, "pathState") or "unknown"),
            adapter=_adapter(child_text(path, "adapter")),
            transport=_transport(child(path, "transport")),
        )
        for path in children(unit, "path")
    )


def _adapter(key: str | None) -> str | None:
    """Returns "vmhba2" for the key "key-vim.host.BlockHba-vmhba2"."""
    return key.rpartition("-")[2] if key else None


def _transport(transport: Element | None) -> str | None:
    """Returns "fibre_channel" for HostFibreChannelTargetTransport."""
    if transport is None:
        return None
    kind = type_of(transport).removeprefix("Host").removesuffix("TargetTransport").removesuffix("Transport")
    return snake_case(kind) or None


def _volumes(mounts: Element | None) -> tuple[dict[str, str], frozenset[str]]:
    """Returns the VMFS datastore that lies on each disk, and the disks that carry the host's own volumes, by the
    canonical names of the disks."""
    datastores: dict[str, str] = {}
    system: set[str] = set()
    for mount in mounts if mounts is not None else ():
        volume = child(mount, "volume")
        if volume is None:
            continue
        for extent in children(volume, "extent"):
            disk = child_text(extent, "diskName")
            if disk is None:
                continue
            if (child_text(volume, "type") or _VMFS).upper() == _VMFS:
                datastores[disk] = decode_name(child_text(volume, "name") or "?")
            else:
                system.add(disk)
    return datastores, frozenset(system)


def _adapters(topology: Element | None, adapters: Element | None) -> dict[str, tuple[_Adapter, ...]]:
    """Returns the adapters through which each LUN is seen, by the key of the LUN."""
    by_key = {
        child_text(adapter, "key"): _Adapter(
            type_of(adapter),
            (child_text(adapter, "storageProtocol") or "").lower(),
            (child_text(adapter, "driver") or "").lower(),
        )
        for adapter in (adapters if adapters is not None else ())
    }
    found: dict[str, tuple[_Adapter, ...]] = {}
    for interface in children(topology, "adapter"):
        adapter = by_key.get(child_text(interface, "adapter"))
        if adapter is None:
            continue
        for target in children(interface, "target"):
            for lun in children(target, "lun"):
                key = child_text(lun, "scsiLun") or ""
                found[key] = (*found.get(key, ()), adapter)
    return found


def _namespaces(topology: Element | None) -> dict[str, bool | None]:
    """Returns whether each NVMe namespace is one of a fabric, by its name."""
    return {
        child_text(namespace, "name") or "": _IS_FABRIC.get(child_text(controller, "transportType") or "")
        for interface in children(topology, "adapter")
        for controller in children(interface, "connectedController")
        for namespace in children(controller, "attachedNamespace")
    }


def _serial(device: Element, number: str | None, unclear: list[str]) -> str | None:
    """Returns the serial number of a device; None where it tells none."""
    told = (number or "").strip()
    if told.lower() not in _UNKNOWN_SERIALS:
        return told
    for name in (*children(device, "alternateName"), *children(device, "durableName")):
        if child_text(name, "namespace") == _SERIAL_NAMESPACE:
            data = _bytes_of(name, "data", unclear)
            serial = data.decode("ascii", "replace").strip(" \0")
            if serial.isprintable() and serial.lower() not in _UNKNOWN_SERIALS:
                return serial
    return None


def _is_nvme_over_fabrics(device: Device, adapters: Sequence[_Adapter]) -> bool | None:
    """Tells whether a device is a namespace of NVMe over fabrics: no mapping is made of it (NVMe table of 7.0)."""
    if any(adapter.kind in _NVME_FABRICS for adapter in adapters):
        return True
    is_nvme = device.speaks_nvme or any(adapter.protocol == _NVME for adapter in adapters)
    if not is_nvme or device.facts.local or any(adapter.kind in _NVME_LOCAL for adapter in adapters):
        return False
    return True if device.facts.local is False else None


def _is_removable(device: Device, adapters: Sequence[_Adapter]) -> bool | None:
    """Tells whether a device is a USB stick or the like, by its INQUIRY data or by the driver of its adapter."""
    if device.removable_medium or any(adapter.driver.startswith(_USB_DRIVERS) for adapter in adapters):
        return True
    unknown = device.facts.local is not False and device.removable_medium is None and not adapters
    return None if unknown else False
