# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""LUNs as one host shows them: its SCSI devices, joined with its topology, its paths and its VMFS volumes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from xml.etree.ElementTree import Element

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import HostLun, LunPath, bare_device_name
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.elements import (
    as_bool,
    as_int,
    child,
    child_text,
    children,
    snake_case,
    type_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.read import ObjectProperties

SCSI_LUNS = "config.storageDevice.scsiLun"
TOPOLOGY = "config.storageDevice.scsiTopology"
PLUGINS = "config.storageDevice.plugStoreTopology.plugin"
MULTIPATH = "config.storageDevice.multipathInfo"
VOLUMES = "config.fileSystemVolume.mountInfo"
DUMP_PARTITION = "config.activeDiagnosticPartition"

# Names that carry an identity of the device itself, and so are the same on every host.
_DURABLE = ("naa.", "eui.", "t10.")
_UNKNOWN_SERIALS = ("", "unavailable")


@dataclass(frozen=True)
class _Surroundings:
    """What other properties of the host say about its LUNs, by the key of the LUN or by its canonical name."""

    numbers: Mapping[str, int] = field(default_factory=dict)
    plugins: Mapping[str, str] = field(default_factory=dict)
    paths: Mapping[str, tuple[LunPath, ...]] = field(default_factory=dict)
    datastores: Mapping[str, str] = field(default_factory=dict)
    dump_disk: str | None = None
    dump_is_known: bool = False


def luns_of(read: ObjectProperties, host_name: str) -> tuple[tuple[HostLun, ...] | None, tuple[str, ...]]:
    """Returns the LUNs of a host, None where its storage could not be read, and what of them was not understood."""
    devices = read.values.get(SCSI_LUNS)
    if devices is None:
        return None, ()
    unreadable: list[str] = []
    surroundings = _surroundings(read, unreadable)
    luns: list[HostLun] = []
    for device in devices:
        try:
            luns.append(_lun(device, read.id, host_name, surroundings))
        except ValueError as error:
            unreadable.append(f"{child_text(device, 'canonicalName') or 'a LUN'}: {error}")
    return tuple(luns), tuple(unreadable)


def _lun(device: Element, host: str, host_name: str, surroundings: _Surroundings) -> HostLun:
    key = child_text(device, "key") or ""
    uuid = child_text(device, "uuid") or ""
    canonical = child_text(device, "canonicalName") or child_text(device, "deviceName") or uuid
    device_name = child_text(device, "deviceName") or canonical
    serial = (child_text(device, "serialNumber") or "").strip()
    blocks = as_int(child_text(device, "capacity", "block"))
    block_size = as_int(child_text(device, "capacity", "blockSize"))
    local = as_bool(child_text(device, "localDisk"))
    states = [snake_case(state.text or "") for state in children(device, "operationalState")]
    names, durable = _names(device, uuid, canonical, device_name)
    return HostLun(
        host=host,
        host_name=host_name,
        canonical_name=canonical,
        uuid=uuid,
        vml=f"vml.{uuid}",
        display_name=child_text(device, "displayName") or canonical,
        device_path=child_text(device, "devicePath") or device_name,
        device_name=device_name,
        device_type=child_text(device, "deviceType") or child_text(device, "lunType") or "unknown",
        state=",".join(states) or "unknown_state",
        vendor=(child_text(device, "vendor") or "").strip() or None,
        model=(child_text(device, "model") or "").strip() or None,
        serial=None if serial.lower() in _UNKNOWN_SERIALS else serial,
        capacity_bytes=blocks * block_size if blocks is not None and block_size is not None else None,
        block_size=block_size,
        disk_type=child_text(device, "scsiDiskType"),
        local=local,
        ssd=as_bool(child_text(device, "ssd")),
        perennially_reserved=as_bool(child_text(device, "perenniallyReserved")),
        lun_number=surroundings.numbers.get(key),
        multipath_plugin=surroundings.plugins.get(key),
        used_by_vsan=child_text(device, "vsanDiskInfo", "vsanUuid") is not None,
        dump_or_scratch=canonical == surroundings.dump_disk if surroundings.dump_is_known else None,
        vmfs_datastore=surroundings.datastores.get(canonical),
        names=names,
        durable_names=durable,
        paths=surroundings.paths.get(key, ()),
    )


def _names(device: Element, uuid: str, canonical: str, device_name: str) -> tuple[frozenset[str], frozenset[str]]:
    """Returns every id by which this host may mean the LUN, and those that mean the same LUN on every host.

    The API says that descriptors of low quality are not for correlation, and a vml id holds the LUN number, which
    hosts give each their own (KB 1016210); so neither is a name for all hosts.
    """
    qualities = {
        child_text(descriptor, "id") or "": child_text(descriptor, "quality") or ""
        for descriptor in children(device, "descriptor")
    }
    names = {
        canonical,
        uuid,
        bare_device_name(device_name) or "",
        *(bare_device_name(name) or "" for name in qualities),
    }
    durable = {
        name
        for name in (canonical, *(name for name, quality in qualities.items() if quality == "highQuality"))
        if name.startswith(_DURABLE) and qualities.get(name) != "lowQuality"
    }
    return frozenset(names - {""}), frozenset(durable)


def _surroundings(read: ObjectProperties, unreadable: list[str]) -> _Surroundings:
    numbers: dict[str, int] = {}
    try:
        numbers = _lun_numbers(read.values.get(TOPOLOGY))
    except ValueError:
        unreadable.append(TOPOLOGY)
    dump = read.values.get(DUMP_PARTITION)
    return _Surroundings(
        numbers=numbers,
        plugins=_plugins(read.values.get(PLUGINS)),
        paths=_paths(read.values.get(MULTIPATH)),
        datastores=_vmfs_disks(read.values.get(VOLUMES)),
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


def _paths(multipath: Element | None) -> dict[str, tuple[LunPath, ...]]:
    found: dict[str, tuple[LunPath, ...]] = {}
    for unit in children(multipath, "lun"):
        found[child_text(unit, "lun") or ""] = tuple(
            LunPath(
                name=child_text(path, "name") or "",
                state=snake_case(child_text(path, "state") or child_text(path, "pathState") or "unknown"),
                adapter=_adapter(child_text(path, "adapter")),
                transport=_transport(child(path, "transport")),
            )
            for path in children(unit, "path")
        )
    return found


def _adapter(key: str | None) -> str | None:
    """Returns "vmhba2" for the key "key-vim.host.BlockHba-vmhba2"."""
    return key.rpartition("-")[2] if key else None


def _transport(transport: Element | None) -> str | None:
    """Returns "fibre_channel" for HostFibreChannelTargetTransport."""
    if transport is None:
        return None
    kind = type_of(transport).removeprefix("Host").removesuffix("TargetTransport").removesuffix("Transport")
    return snake_case(kind) or None


def _vmfs_disks(mounts: Element | None) -> dict[str, str]:
    """Returns the VMFS datastore that lies on each disk, by the canonical name of the disk."""
    disks: dict[str, str] = {}
    for mount in mounts if mounts is not None else ():
        volume = child(mount, "volume")
        if volume is None:
            continue
        for extent in children(volume, "extent"):
            disk = child_text(extent, "diskName")
            if disk is not None:
                disks[disk] = child_text(volume, "name") or "?"
    return disks
