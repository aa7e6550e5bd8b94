# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The LUNs of a host, out of what its commands printed about devices, paths and volumes. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.answer import Answer
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.devices_folder import (
    DisksFolder,
    disks_folder,
)
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.errors import UnreadableOutput
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.esxcli import (
    Capacity,
    Device,
    Path,
    capacities_from_text,
    devices_from_json,
    devices_from_text,
    paths_from_text,
)
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.system_use import (
    dump_devices,
    vsan_devices,
)
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.volumes import Extent, extents
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun, LunFacts, LunPath
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_names import plain_name
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import Part, Unreadable

_DISKS = "/vmfs/devices/disks/"
# As the vSphere API calls the same.
_DEVICE_TYPES = {"Direct-Access": "disk", "CD-ROM": "cdrom", "Enclosure Svc Dev": "enclosure", "RAID Ctlr": "raid"}
_STATES = {"on": "ok", "off": "off", "degraded": "degraded"}
_FORMATS = {"512n": "native512", "512e": "emulated512", "4Kn": "native4k", "4Kn SWE": "SoftwareEmulated4k"}
_TRANSPORTS = {
    "fc": "fibre_channel",
    "iscsi": "internet_scsi",
    "sas": "serial_attached",
    "sata": "block_adapter",
    "pcie": "pcie",
}
_FOR_ALL_HOSTS = ("naa.", "eui.", "t10.")
_BY_SERIAL, _NVME = "01", "05"
_HEAD_BYTES, _MODEL_BYTES = 5, 6
_UNKNOWN_SERIALS = ("", "unavailable")


@dataclass(frozen=True)
class _Surroundings:
    """What other commands say of the devices, by their names; None where a command told nothing."""

    capacities: Mapping[str, Capacity]
    paths: Mapping[str, Sequence[Path]]
    folder: DisksFolder | None
    datastores: Mapping[str, str] | None
    dumps: frozenset[str] | None
    vsan: frozenset[str] | None


def luns_of(answer: Answer, host: str, host_name: str) -> tuple[tuple[HostLun, ...] | None, tuple[Unreadable, ...]]:
    """Returns the LUNs of the host, None where its devices could not be read, and what of them was not told."""
    devices = _devices(answer)
    if not devices:
        return None, (Unreadable(Part.LUNS, why="esxcli storage core device list"),)
    paths: dict[str, list[Path]] = {}
    for path in paths_from_text(answer.text("paths") or ""):
        paths.setdefault(path.device, []).append(path)
    folder, volumes = disks_folder(answer.text("disks") or ""), extents_of(answer)
    surroundings = _Surroundings(
        {capacity.name: capacity for capacity in capacities_from_text(answer.text("capacities") or "")},
        paths,
        folder if folder.sizes else None,
        {extent.device: extent.volume for extent in volumes} if volumes is not None else None,
        _named(answer, "dumps", dump_devices),
        _named(answer, "vsan", vsan_devices),
    )
    unreadable = []
    if surroundings.folder is None:
        unreadable.append(Unreadable(Part.DUMP_PARTITION, why="ls -l /vmfs/devices/disks"))
    if volumes is None:
        unreadable.append(Unreadable(Part.VOLUMES, why="esxcli storage vmfs extent list"))
    if not paths:
        unreadable.append(Unreadable(Part.PATHS, why="esxcli storage core path list"))
    return tuple(_lun(device, host, host_name, surroundings) for device in devices), tuple(unreadable)


def _devices(answer: Answer) -> tuple[Device, ...]:
    told = answer.text("devices_json")
    try:
        return devices_from_json(told) if told is not None else devices_from_text(answer.text("devices") or "")
    except UnreadableOutput:
        return ()


def _lun(device: Device, host: str, host_name: str, surroundings: _Surroundings) -> HostLun:
    name = device.name
    vml = next((uid for uid in device.other_uids if uid.startswith("vml.")), "")
    uuid = vml.removeprefix("vml.")
    capacity = surroundings.capacities.get(name)
    folder = surroundings.folder
    # Whatever lies on a disk lies in a partition: a volume, the host's own, a dump. One without any carries nothing.
    listed = folder is not None and name in folder.sizes
    empty = listed and folder is not None and not folder.partitions.get(name)
    boot = False if empty and not device.boot else device.boot
    dump = _is_among(name, surroundings.dumps)
    paths = surroundings.paths.get(name, ())
    device_type = device.device_type or "unknown"
    path = device.devfs_path or _DISKS + name
    exact = folder.sizes.get(name) if folder is not None else None
    facts = LunFacts(
        canonical_name=name,
        uuid=uuid,
        vml=vml,
        display_name=device.display_name or name,
        device_path=path,
        device_name=path,
        device_type=_DEVICE_TYPES.get(device_type, device_type.lower()),
        state=_state(device),
        vendor=device.vendor,
        model=device.model,
        serial=_serial(uuid),
        capacity_bytes=capacity.size_bytes if capacity is not None else exact,
        block_size=capacity.logical_block_size if capacity is not None else None,
        disk_type=_FORMATS.get(capacity.format or "") if capacity is not None else None,
        local=device.local,
        ssd=device.ssd,
        perennially_reserved=device.perennially_reserved,
        rdm_capable=device.rdm_capable,
        used_by_vsan=False if empty else _is_among(name, surroundings.vsan),
        # Told only by hosts that have virtual volumes at all.
        protocol_endpoint=device.protocol_endpoint or False,
        names=frozenset({name, uuid, *(plain_name(uid) or "" for uid in device.other_uids)} - {""}),
        durable_names=frozenset({name}) if name.startswith(_FOR_ALL_HOSTS) else frozenset(),
    )
    return HostLun(
        host=host,
        host_name=host_name,
        facts=facts,
        lun_number=next((path.lun for path in paths if path.lun is not None), None),
        multipath_plugin=device.multipath_plugin,
        boot=boot,
        # Before 6.0 a host does not say from which disk it started: what is on one with partitions is not known then.
        dump_or_scratch=False if empty else dump if dump or boot is not None else None,
        vmfs_datastore=(surroundings.datastores or {}).get(name),
        volumes_known=surroundings.datastores is not None or empty,
        nvme_over_fabrics=_is_nvme_over_fabrics(device, uuid, paths),
        removable=True if device.usb else device.removable,
        # vmkfstools takes whatever stands in that folder; no filter of vCenter's hides a device from it.
        offered=listed if folder is not None else None,
        paths=tuple(_path(path) for path in paths),
    )


def extents_of(answer: Answer) -> tuple[Extent, ...] | None:
    """Returns on which devices VMFS volumes lie; None where that was not told."""
    text = answer.text("extents")
    return extents(text) if text is not None else None


def _named(answer: Answer, section: str, read: Callable[[str], frozenset[str] | None]) -> frozenset[str] | None:
    text = answer.text(section)
    return read(text) if text is not None else None


def _is_among(name: str, devices: frozenset[str] | None) -> bool | None:
    return name in devices if devices is not None else None


def _state(device: Device) -> str:
    if device.offline:
        return "off"
    status = (device.status or "").lower()
    if status.startswith("dead"):
        return "lost_communication"
    return _STATES.get(status, status.replace(" ", "_") or "unknown_state")


def _serial(uuid: str) -> str | None:
    """Returns the serial that a vml id of type 01 carries (KB 2078730); None for one of another type."""
    if not uuid.startswith(_BY_SERIAL):
        return None
    try:
        serial = bytes.fromhex(uuid)[_HEAD_BYTES:-_MODEL_BYTES].decode("ascii").strip(" \0")
    except ValueError:
        return None
    return serial if serial.isprintable() and serial.lower() not in _UNKNOWN_SERIALS else None


def _is_nvme_over_fabrics(device: Device, uuid: str, paths: Sequence[Path]) -> bool | None:
    transports = {(path.transport or "").lower() for path in paths}
    if any(transport.startswith("nvme") for transport in transports):
        return True
    if (device.vendor or "").lower() != "nvme" and not uuid.startswith(_NVME):
        return False
    if device.local or "pcie" in transports:
        return False
    return True if device.local is False else None


def _path(path: Path) -> LunPath:
    transport = path.transport.lower() if path.transport else None
    return LunPath(
        name=path.runtime_name or "",
        state=(path.state or "unknown").lower().replace(" ", "_"),
        adapter=path.adapter,
        transport=_TRANSPORTS.get(transport, transport) if transport else None,
    )
