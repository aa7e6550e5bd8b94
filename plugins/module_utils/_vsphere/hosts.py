# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Hosts, datastores and folders: from the properties that were read to the facts of the domain."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Datastore, Host
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.object_names import decode_name
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import Part, Unreadable
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.elements import (
    as_bool,
    as_int,
    child_text,
    children,
    snake_case,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.luns import (
    ADAPTERS,
    DUMP_PARTITION,
    MULTIPATH,
    NVME_TOPOLOGY,
    PLUGINS,
    SCSI_LUNS,
    TOPOLOGY,
    VOLUMES,
    luns_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.parts import (
    DATASTORE_PARTS,
    HOST_PARTS,
    part_of,
    unread_parts,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.read import ObjectProperties

HOST_PATHS = (
    "name",
    "parent",
    "runtime.connectionState",
    "runtime.inMaintenanceMode",
    "summary.managementServerIp",
    "summary.config.product.version",
    "vm",
)
# What of a host's storage is used. It is megabytes, and asked for apart from all else.
STORAGE_PATHS = (SCSI_LUNS, TOPOLOGY, ADAPTERS, NVME_TOPOLOGY, VOLUMES, DUMP_PARTITION)
# Asked only where the multipathing plug-ins, or the paths, of the LUNs are wanted.
STORAGE_PLUGINS = (PLUGINS,)
STORAGE_MULTIPATH = (MULTIPATH,)
DATASTORE_PATHS = (
    "name",
    "host",
    "info",
    "summary.type",
    "summary.url",
    "summary.accessible",
    "summary.freeSpace",
    "summary.maintenanceMode",
)
_DATACENTER, _CLUSTER = "Datacenter", "ClusterComputeResource"
_ALWAYS_SET = ("name", "info", "summary.type", "summary.url", "summary.accessible", "summary.freeSpace")
# What an inventory path leads through; a vApp hangs in two trees, and its folder is the one that people see.
FOLDER_PATHS: Mapping[str, tuple[str, ...]] = {
    "Folder": ("name", "parent"),
    "Datacenter": ("name", "parent"),
    "ComputeResource": ("name", "parent", "host", "environmentBrowser"),
    "VirtualApp": ("name", "parentFolder", "parentVApp"),
}


@dataclass(frozen=True)
class Folder:
    """A container of the inventory."""

    name: str
    parent: str | None
    kind: str


class Folders:
    """The containers of the inventory, by id; `root` is the id of the one that all others lie in."""

    def __init__(self, root: str) -> None:
        self._root = root
        self._folders: dict[str, Folder] = {}
        # The hosts (ids) that clusters and the like are made of, whether the user sees them or not.
        self.hosts: set[str] = set()
        # Who tells what a cluster's hosts offer, by the id of the cluster.
        self.browsers: dict[str, str | None] = {}

    def add(self, read: ObjectProperties) -> None:
        """Takes in one container."""
        self.hosts.update(host.text or "" for host in read.values.get("host", ()))
        self.browsers[read.id] = read.text("environmentBrowser")
        parent = read.text("parentVApp") or read.text("parentFolder") or read.text("parent")
        self._folders[read.id] = Folder(decode_name(read.text("name") or read.id), parent, read.type)

    def path_of(self, name: str, parent: str | None) -> str:
        """Returns the inventory path of an object, "/Datacenter/vm/folder/name"; the root folder has no name in it."""
        return "/" + "/".join([*(folder.name for folder in reversed(self._above(parent))), name])

    def folder_of(self, parent: str | None) -> str:
        """Returns the folders between an object and its datacenter, "Servers/Old", without the datacenter's own one."""
        names: list[str] = []
        for folder in self._above(parent):
            if folder.kind == _DATACENTER:
                break
            names.append(folder.name)
        return "/".join(reversed(names[:-1]))

    def is_whole(self, parent: str | None) -> bool:
        """Tells whether all that an object lies in could be read, up to the root."""
        above = self._above(parent)
        return (above[-1].parent if above else parent) == self._root

    def cluster_of(self, parent: str | None) -> str | None:
        """Returns the name of the cluster that a host with this parent is in; None where it is in none."""
        found = self._folders.get(parent or "")
        return found.name if found is not None and found.kind == _CLUSTER else None

    def datacenter_of(self, parent: str | None) -> str | None:
        """Returns the name of the datacenter that an object lies in."""
        return next((folder.name for folder in self._above(parent) if folder.kind == _DATACENTER), None)

    def _above(self, parent: str | None) -> list[Folder]:
        found: list[Folder] = []
        while parent not in (None, self._root) and parent in self._folders and self._folders[parent] not in found:
            found.append(self._folders[parent])
            parent = self._folders[parent].parent
        return found


def host_of(read: ObjectProperties) -> Host:
    """Returns a host without its datacenter and its storage; what of it could not be read stands in `unreadable`."""
    return Host(
        id=read.id,
        name=decode_name(read.text("name") or read.id),
        version=read.text("summary.config.product.version") or "unknown",
        connection_state=snake_case(read.text("runtime.connectionState") or "unknown"),
        maintenance=read.text("runtime.inMaintenanceMode") in ("true", "1"),
        management_server=read.text("summary.managementServerIp"),
        machines=_machines_of(read),
        unreadable=unread_parts(read, HOST_PARTS),
    )


def with_storage(host: Host, read: ObjectProperties) -> Host:
    """Returns the host with its LUNs, from its storage or from all of it.

    A host that does not respond has no `config` at all (vSphere API, HostSystem.config).
    """
    luns, not_understood = luns_of(read, host.name)
    unreadable = (*host.unreadable, *unread_parts(read, HOST_PARTS), *not_understood)
    if luns is None and SCSI_LUNS not in read.refused:
        unreadable = (*unreadable, Unreadable(Part.CONFIGURATION))
    return replace(host, luns=luns, unreadable=tuple(dict.fromkeys(unreadable)))


def _machines_of(read: ObjectProperties) -> frozenset[str] | None:
    """Returns the ids of the VMs on a host; a host without any may leave the property out."""
    if "vm" in read.refused:
        return None
    listed = read.values.get("vm")
    return frozenset(entry.text or "" for entry in listed) if listed is not None else frozenset()


def datastore_of(read: ObjectProperties) -> tuple[Datastore, tuple[Unreadable, ...]]:
    """Returns a datastore, and what of it could not be read."""
    unreadable = [*unread_parts(read, DATASTORE_PARTS), *_unset_of_datastore(read)]
    accessible: bool | None = None
    free: int | None = None
    try:
        accessible = as_bool(read.text("summary.accessible"))
        free = as_int(read.text("summary.freeSpace"))
    except ValueError:
        unreadable += [Unreadable(Part.ACCESS), Unreadable(Part.FREE_SPACE)]
    maintenance = read.text("summary.maintenanceMode")
    mounts = read.values.get("host")
    local = child_text(read.values.get("info"), "vmfs", "local")
    datastore = Datastore(
        id=read.id,
        name=decode_name(read.text("name") or read.id),
        type=read.text("summary.type"),
        uuid=(read.text("summary.url") or child_text(read.values.get("info"), "url") or "")
        .rstrip("/")
        .rpartition("/")[2],
        accessible=accessible,
        version=child_text(read.values.get("info"), "vmfs", "version"),
        free_bytes=free,
        maintenance=maintenance not in (None, "normal"),
        writable_from=_writable_from(read),
        mounted_on=frozenset(child_text(mount, "key") or "" for mount in mounts) if mounts is not None else None,
        local={"true": True, "1": True, "false": False, "0": False}.get(local or ""),
    )
    return datastore, tuple(unreadable)


def _unset_of_datastore(read: ObjectProperties) -> list[Unreadable]:
    """Returns what every datastore has and this one does not tell (vSphere API, DatastoreSummary: all of it is set)."""
    unset = (path for path in _ALWAYS_SET if path not in read.values and path not in read.refused)
    return [Unreadable(part_of(path, DATASTORE_PARTS)) for path in unset]


def _writable_from(read: ObjectProperties) -> frozenset[str] | None:
    mounts = read.values.get("host")
    if mounts is None:
        return None
    return frozenset(
        child_text(mount, "key") or ""
        for mount in children(mounts, "DatastoreHostMount")
        if child_text(mount, "mountInfo", "accessMode") == "readWrite"
        and child_text(mount, "mountInfo", "mounted") not in ("false", "0")
        and child_text(mount, "mountInfo", "accessible") not in ("false", "0")
    )
