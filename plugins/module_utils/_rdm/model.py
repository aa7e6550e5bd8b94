# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The facts of the RDM domain: what was seen of hosts, LUNs, datastores and virtual machines. Pure.

Sizes are bytes, times are seconds since 1970 on the server's clock, files are written "[datastore] folder/name.vmdk".
None means "not known"; an empty tuple means "known to be none".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_names import names_for_all, plain_name
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import Unreadable

if TYPE_CHECKING:
    from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import DiskJournal, UnreadableJournal

GIB = 1024**3


class Compatibility(StrEnum):
    """Compatibility mode of a raw device mapping, in the collection's spelling."""

    PHYSICAL = "physical"
    VIRTUAL = "virtual"


class Power(StrEnum):
    """Power state of a virtual machine."""

    ON = "powered_on"
    OFF = "powered_off"
    SUSPENDED = "suspended"


class DiskKind(StrEnum):
    """What lies behind a disk of a virtual machine, or behind a .vmdk file."""

    MAPPING = "rdm"
    FLAT = "flat"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Datastore:
    """A datastore; `uuid` is the name of its folder below /vmfs/volumes, the same on every host, "" where not known."""

    id: str
    name: str
    type: str | None
    uuid: str
    accessible: bool | None = None
    version: str | None = None
    free_bytes: int | None = None
    maintenance: bool = False
    # Hosts (ids) that mount it for writing; None where that could not be read.
    writable_from: frozenset[str] | None = None
    # Hosts (ids) that mount it in any way; None where that could not be read.
    mounted_on: frozenset[str] | None = None
    # Whether it lies on disks of one host; None where that is not told.
    local: bool | None = None


@dataclass(frozen=True, slots=True)
class Host:
    """An ESXi host. `luns` is None where its storage could not be read, `machines` (ids) where those could not be."""

    id: str
    name: str
    version: str
    connection_state: str
    maintenance: bool = False
    management_server: str | None = None
    datacenter: str | None = None
    # The cluster that it is in; None for a host that is in none.
    cluster: str | None = None
    # False where its place in the inventory could not be read: `datacenter` and `cluster` then say nothing.
    place_known: bool = True
    luns: tuple[HostLun, ...] | None = None
    machines: frozenset[str] | None = frozenset()
    unreadable: tuple[Unreadable, ...] = ()


@dataclass(frozen=True, slots=True)
class Controller:
    """A storage controller of a virtual machine; `type` is scsi, sata, nvme or ide, `model` what kind of it."""

    key: int
    type: str
    model: str
    bus: int
    shared_bus: str = "none"
    # Where its guest finds it; not known before it was first started. No part of what makes it the same controller.
    pci_slot_number: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Disk:
    """A disk of a virtual machine as its configuration describes it."""

    key: int
    label: str
    address: str
    unit: int
    controller: Controller
    file: str
    kind: DiskKind
    datastore: str | None = None
    compatibility: Compatibility | None = None
    disk_mode: str | None = None
    sharing: str | None = None
    capacity_bytes: int | None = None
    lun_uuid: str | None = None
    device_name: str | None = None
    disk_uuid: str | None = None
    # The files below a delta, newest first; empty when the disk's own file is the base.
    parents: tuple[str, ...] = ()
    # The extent that the layout lists for the file ("x-rdmp.vmdk"); None where the layout was not read.
    extent: str | None = None
    shares_level: str | None = None
    shares: int | None = None
    io_limit: int | None = None
    io_reservation: int | None = None
    change_tracking: bool = False
    # Where VMware Tools found volumes of it in the guest ("C:\\"); None where they told nothing.
    guest_paths: tuple[str, ...] | None = field(default=None, compare=False)

    @property
    def base_file(self) -> str:
        """The file at the bottom of the disk's chain: the mapping itself, also where a snapshot lies on top."""
        return self.parents[-1] if self.parents else self.file


@dataclass(frozen=True, slots=True)
class VirtualMachine:
    """A virtual machine. What could not be read of it is None and is named in `unreadable`."""

    id: str
    name: str
    path: str
    power: Power | None
    instance_uuid: str | None = None
    bios_uuid: str | None = None
    datacenter: str | None = None
    # The folders below the datacenter's own one, "Servers/Old"; "" in that one itself.
    folder: str = ""
    # False where its place in the inventory could not be read: `path`, `datacenter` and `folder` are then incomplete.
    place_known: bool = True
    host: str | None = None
    connection_state: str = "connected"
    template: bool | None = False
    vmx_path: str | None = None
    version: str | None = None
    change_version: str | None = None
    has_snapshots: bool | None = False
    # The .vmdk files of a VM with snapshots, also those that only a snapshot names; None where they were not read.
    snapshot_files: tuple[str, ...] | None = None
    consolidation_needed: bool | None = False
    linked_clone: bool = False
    encrypted: bool = False
    fault_tolerance: bool = False
    replicated: bool = False
    change_tracking: bool = False
    running_task: str | None = None
    # Whether somebody, as a backup product, has disabled changes of its hardware.
    reconfigure_disabled: bool = False
    tools_running: bool | None = None
    question: str | None = None
    controllers: tuple[Controller, ...] = ()
    disks: tuple[Disk, ...] = ()
    # False where its configuration could not be read: `disks` is then empty and says nothing.
    disks_known: bool = True
    boot_order: tuple[str, ...] | None = None
    # What the collection wrote down, by disk address, whatever the place it was read from.
    journal: Mapping[str, DiskJournal | UnreadableJournal] = field(default_factory=dict)
    # The addresses of which the other way (the API, or the shell) has a record in its own place, too.
    recorded_elsewhere: frozenset[str] = frozenset()
    # What a rehearsal wrote down when it made the machine, as it stands there; None where nothing does.
    rehearsal: str | None = None
    unreadable: tuple[Unreadable, ...] = ()

    @property
    def mappings(self) -> tuple[Disk, ...]:
        """The disks that are raw device mappings."""
        return tuple(disk for disk in self.disks if disk.kind is DiskKind.MAPPING)

    def disk_at(self, address: str) -> Disk | None:
        """Returns the disk at "scsi0:1", or None."""
        return next((disk for disk in self.disks if disk.address == address), None)


@dataclass(frozen=True, slots=True)
class FileFacts:
    """A file of a datastore as its directory and, for a .vmdk, its descriptor show it; the capacity in whole KiB."""

    file: str
    size_bytes: int | None = None
    kind: DiskKind | None = None
    compatibility: Compatibility | None = None
    capacity_bytes: int | None = None
    disk_uuid: str | None = None
    # The LUN that a mapping file names, where the edge can tell it.
    lun_uuid: str | None = None

    def is_as_big_as(self, capacity_bytes: int) -> bool:
        """Tells whether it is known to have a LUN's capacity, which may be an odd number of blocks, in whole KiB."""
        return self.capacity_bytes is not None and self.capacity_bytes // 1024 == capacity_bytes // 1024


@dataclass(frozen=True)
class Inventory:
    """All that was read in one go. `stand_alone` is true where one host answers for itself alone."""

    server: str
    stand_alone: bool
    hosts: Mapping[str, Host]
    datastores: Mapping[str, Datastore]
    machines: Mapping[str, VirtualMachine]
    findings: tuple[Finding, ...] = ()
    # Hosts (ids) that other objects name and that were not shown.
    unseen_hosts: frozenset[str] = frozenset()
    # False where the reading came to no end: what is missing here may be there all the same.
    complete: bool = True
    # True where the host's shell was read, and not its API.
    over_shell: bool = False

    def host_of(self, machine: VirtualMachine) -> Host | None:
        """Returns the host a machine is registered on, or None where it is not visible."""
        return self.hosts.get(machine.host) if machine.host else None

    def lun_of(self, machine: VirtualMachine, disk: Disk) -> HostLun | None:
        """Returns the one LUN that the machine's host means by the disk's ids, or None (missing, or not one)."""
        found = self.luns_of(machine, disk)
        return found[0] if len(found) == 1 else None

    def luns_of(self, machine: VirtualMachine, disk: Disk) -> tuple[HostLun, ...]:
        """Returns every LUN of the machine's host that the disk's ids could mean.

        The LUN id comes first, then its device, then either of them without the LUN number, which may have been changed
        (KB 318949).
        """
        names = _names_of(disk)
        host = self.hosts.get(machine.host or "")
        if host is None:
            return ()
        # A disk that only a journal names may be none of these machines'.
        known = self._luns_by_name[host.id] if self._names.issuperset(names) else _named(host, frozenset(names))
        return next((tuple(known[name]) for name in names if name in known), ())

    def same_bios_uuid(self, machine: VirtualMachine) -> tuple[VirtualMachine, ...]:
        """Returns the other machines that have the machine's BIOS UUID, as copies of its files have."""
        alike = self._machines_by_bios_uuid.get((machine.bios_uuid or "").lower(), ())
        return tuple(other for other in alike if other.id != machine.id)

    @cached_property
    def _machines_by_bios_uuid(self) -> Mapping[str, Sequence[VirtualMachine]]:
        by_uuid: dict[str, list[VirtualMachine]] = {}
        for machine in self.machines.values():
            if machine.bios_uuid:
                by_uuid.setdefault(machine.bios_uuid.lower(), []).append(machine)
        return by_uuid

    @cached_property
    def _names(self) -> frozenset[str]:
        """Every name by which the LUN of a mapping of these machines is looked up."""
        return frozenset(
            name for machine in self.machines.values() for disk in machine.mappings for name in _names_of(disk)
        )

    @cached_property
    def _luns_by_name(self) -> Mapping[str, Mapping[str, Sequence[HostLun]]]:
        """By host: the names that are looked up, with all the LUNs there that have them."""
        return {host.id: _named(host, self._names) for host in self.hosts.values()}


def _names_of(disk: Disk) -> tuple[str, ...]:
    """Returns the names by which the LUN of a mapping is looked up, in the order in which they count."""
    ids = (disk.lun_uuid, disk.device_name)
    plain = (plain_name(name) or "" for name in ids)
    return tuple(filter(None, (*plain, *(name for device in ids for name in names_for_all(device)))))


def _named(host: Host, names: frozenset[str]) -> Mapping[str, Sequence[HostLun]]:
    """Returns those of the names that LUNs of the host have, each with all the LUNs that have it."""
    found: dict[str, list[HostLun]] = {}
    for lun in host.luns or ():
        plain = {plain_name(name) or "" for name in (*lun.names, lun.canonical_name, lun.uuid)}
        for name in names.intersection(plain.union(names_for_all(lun.uuid))):
            found.setdefault(name, []).append(lun)
    return found


def split_file(file: str) -> tuple[str, str, str]:
    """Returns (datastore, folder, name) of "[datastore] folder/name.vmdk"; the folder is "" at the top.

    The name of a datastore may hold pairs of brackets, "[SAN [old] 1] folder/name.vmdk".
    """
    datastore, _bracket, path = file.removeprefix("[").partition("] ")
    # Few names have brackets; only in those each letter is looked at.
    if "[" in datastore or "]" in datastore or not file.startswith("["):
        depth = 0
        for position, letter in enumerate(file):
            depth += (letter == "[") - (letter == "]")
            if depth == 0 and file[position : position + 2] == "] ":
                datastore, path = file[1:position], file[position + 2 :]
                break
    folder, _slash, name = path.rpartition("/")
    return datastore, folder, name


def join_file(datastore: str, folder: str, name: str) -> str:
    """The reverse of `split_file`."""
    return f"[{datastore}] {folder}/{name}" if folder else f"[{datastore}] {name}"
