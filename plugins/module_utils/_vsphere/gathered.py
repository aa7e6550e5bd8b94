# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What a reading has so far: objects in any order, from which machines and hosts are put together at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Datastore,
    Disk,
    Host,
    VirtualMachine,
    split_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import Part, Unreadable, listed
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.connect import Session
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.hosts import (
    Folders,
    datastore_of,
    host_of,
    with_storage,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.machines import (
    MachineReader,
    ReadMachine,
    extent_among,
    files_of,
    may_be_half_done,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.read import ObjectProperties

TASK_PATHS = ("info.state", "info.descriptionId")
_UNFINISHED = ("queued", "running")


class Gathered:
    """What the replies held so far, whatever the order in which the objects came; of hosts also their storage, where
    that is read along."""

    def __init__(self, session: Session, *, with_storage: bool = False) -> None:
        self._with_storage = with_storage
        self.reader = MachineReader()
        self.machines: dict[str, ReadMachine] = {}
        self.files: dict[str, dict[str, str]] = {}
        self.hosts: dict[str, Host] = {}
        self.host_parents: dict[str, str | None] = {}
        self.datastores: dict[str, Datastore] = {}
        self.folders = Folders(session.content.rootFolder._GetMoId())
        self.running_tasks: dict[str, str] = {}
        # Machines of which a conversion may be open, whether they have a mapping or not.
        self.half_done: set[str] = set()
        self.findings: list[Finding] = []
        self.objects = 0

    def add(self, read: ObjectProperties) -> None:
        """Takes in one object."""
        self.objects += 1
        if read.type == "VirtualMachine":
            self.machines[read.id] = self.reader.read(read)
            if may_be_half_done(read):
                self.half_done.add(read.id)
            files = files_of(read)
            if files:
                self.files[read.id] = files
        elif read.type == "HostSystem":
            host = host_of(read)
            self.hosts[host.id] = with_storage(host, read) if self._with_storage else host
            self.host_parents[host.id] = read.text("parent")
        elif read.type == "Datastore":
            datastore, unreadable = datastore_of(read)
            self.datastores[datastore.id] = datastore
            self._note(datastore.name, unreadable)
        elif read.type == "Task":
            if read.text("info.state") in _UNFINISHED:
                self.running_tasks[read.id] = read.text("info.descriptionId") or read.id
        else:
            self.folders.add(read)

    def _note(self, name: str, unreadable: Sequence[Unreadable]) -> None:
        if unreadable:
            self.findings.append(
                Finding(
                    "unreadable",
                    "warning",
                    f"Of {name} this could not be read: {listed(unreadable)}.",
                    "Give the user the role Read-only on it, and see that its host is connected.",
                    name,
                )
            )

    def finished_machines(self) -> dict[str, VirtualMachine]:
        """Returns the machines with what other objects say about them."""
        return {read.machine.id: self._finished(read) for read in self.machines.values()}

    def finished_hosts(self) -> dict[str, Host]:
        """Returns the hosts with their datacenters and clusters."""
        return {host.id: self._placed(host, self.host_parents[host.id]) for host in self.hosts.values()}

    def _placed(self, host: Host, parent: str | None) -> Host:
        return replace(
            host,
            datacenter=self.folders.datacenter_of(parent),
            cluster=self.folders.cluster_of(parent),
            place_known=self.folders.is_whole(parent),
        )

    def _finished(self, read: ReadMachine) -> VirtualMachine:
        machine = read.machine
        files = self.files.get(machine.id, {})
        running = [self.running_tasks[task] for task in read.tasks if task in self.running_tasks]
        disks = machine.disks
        if files:
            disks = tuple(replace(disk, extent=extent_among(files, disk)) for disk in disks)
        return replace(
            machine,
            path=self.folders.path_of(machine.name, read.parent),
            datacenter=self.folders.datacenter_of(read.parent),
            folder=self.folders.folder_of(read.parent),
            place_known=self.folders.is_whole(read.parent),
            running_task=running[0] if running else None,
            disks=disks,
            unreadable=(*machine.unreadable, *self._unclear_files(disks)),
        )

    def _unclear_files(self, disks: Sequence[Disk]) -> list[Unreadable]:
        """Returns the disks whose file cannot be told apart into datastore and path: "[a] b] c.vmdk"."""
        names = {
            disk.label: self.datastores[disk.datastore].name for disk in disks if disk.datastore in self.datastores
        }
        return [
            Unreadable(Part.DATASTORE_IN_FILE, disk.label, disk.file)
            for disk in disks
            if disk.file.startswith(f"[{names.get(disk.label)}] ") and split_file(disk.file)[0] != names[disk.label]
        ]

    def unseen_hosts(self) -> frozenset[str]:
        """Returns the hosts that VMs, clusters and datastores name and that were not shown."""
        named = {read.machine.host for read in self.machines.values()} | self.folders.hosts
        for datastore in self.datastores.values():
            named |= datastore.mounted_on or frozenset()
        return frozenset(host for host in named if host and host not in self.hosts)
