# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What a rehearsal asks of the vSphere API beyond what a conversion does: a machine is made and removed, a LUN's
partition table is read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from math import inf
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    RefusalKind,
    StepRefused,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.files import is_extent
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Datastore,
    Host,
    VirtualMachine,
    split_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.edge import (
    About,
    PartitionTable,
    RehearsalBackend,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.questions import BY_ATTACHING
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.record import RECORD_KEY
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import library
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.apply import Reconfigure
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.backend import VsphereBackend
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.connect import Server, Session
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.folders import (
    NoSuchFolder,
    browsers_of,
    names_in_folder,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.one_machine import upward
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.privileges import (
    DATASTORE_PRIVILEGES,
    MACHINE_PRIVILEGES,
    lacking_privileges,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.read import (
    object_spec,
    read_properties,
    reference,
    traversal,
)

_KINDS = {"HostAgent": "esxi", "VirtualCenter": "vcenter"}
# Tables by their names (vSphere API, HostDiskPartitionInfoPartitionFormat); "unknown" is what an empty disk has.
_NO_TABLE = "unknown"
_FOLDER_PRIVILEGES = ("VirtualMachine.Inventory.Create", "VirtualMachine.Inventory.Delete", *MACHINE_PRIVILEGES)
_POOL_PRIVILEGES = ("Resource.AssignVMToPool",)
_CONTROLLER_KEY = -100


class VsphereRehearsalBackend(VsphereBackend, RehearsalBackend):
    """A vCenter or a stand-alone ESXi host over its API. See `RehearsalBackend` for what each method returns."""

    course = BY_ATTACHING
    keeps_record_beside = False

    def about(self) -> About:
        """Returns what the server says of itself; it said so at the login."""
        about = self.session.content.about
        return About(_KINDS.get(about.apiType, str(about.apiType)), str(about.version), str(about.build), "api")

    def partition_table(self, lun: HostLun) -> PartitionTable | None:
        """Returns what stands at the beginning of a LUN; None where the host does not tell."""
        paths = {"HostSystem": ("configManager.storageSystem",)}
        doing = f"Reading the partition table of {lun.canonical_name}"
        try:
            with closing(
                read_properties(self.session, doing, [object_spec(reference("HostSystem", lun.host))], paths)
            ) as reads:
                found = next(reads, None)
            storage = found.text("configManager.storageSystem") if found is not None else None
            if storage is None:
                return None
            system = self.session.managed(library.vim.host.StorageSystem, storage)
            told = self.session.read(doing, lambda: system.RetrieveDiskPartitionInfo(devicePath=[lun.device_path]))
        except StepRefused:
            return None
        if len(told or ()) != 1 or told[0].layout is None:
            return None
        spec, layout = told[0].spec, told[0].layout
        kind = spec.partitionFormat if spec is not None else None
        # A host that names no format, as old ones do, has told of partitions all the same.
        return PartitionTable(None if kind in (None, _NO_TABLE) else str(kind), len(layout.partition or ()))

    def missing_rights(self, host: Host, datastore: Datastore) -> Sequence[tuple[str, str]]:
        """Returns the privileges that a rehearsal needs and the user lacks."""
        folder, pool = self._places(host)
        asked: list[tuple[Any, Sequence[str], str]] = [
            (folder, _FOLDER_PRIVILEGES, f"the folder of virtual machines of {host.datacenter or host.name}"),
            (pool, _POOL_PRIVILEGES, f"the resource pool of {host.cluster or host.name}"),
            (reference("Datastore", datastore.id), DATASTORE_PRIVILEGES, datastore.name),
        ]
        return [
            (privilege, where)
            for target, privileges, where in asked
            for privilege in lacking_privileges(self.session, [target], privileges).get(target._GetMoId(), ())
        ]

    def create_machine(
        self, name: str, instance_uuid: str | None, record: str, host: Host, datastore: Datastore
    ) -> None:
        """Makes a machine that has a SCSI controller, no disk and no guest system, with its record."""
        vim = library.vim
        folder, pool = self._places(host)
        controller = vim.vm.device.VirtualLsiLogicController(key=_CONTROLLER_KEY, busNumber=0, sharedBus="noSharing")
        spec = vim.vm.ConfigSpec(
            name=name,
            annotation="Made by winbackup.storage.rdm_rehearsal, which removes it again. It has no guest system.",
            guestId="otherGuest",
            instanceUuid=instance_uuid,
            numCPUs=1,
            memoryMB=32,
            # Where only the datastore is named, the server makes a folder of the machine's own.
            files=vim.vm.FileInfo(vmPathName=f"[{datastore.name}]"),
            extraConfig=[vim.option.OptionValue(key=RECORD_KEY, value=record)],
            deviceChange=[vim.vm.device.VirtualDeviceSpec(operation="add", device=controller)],
        )
        target = self.session.managed(vim.Folder, folder._GetMoId())
        at = reference("HostSystem", host.id)
        self._run_task(f"Making {name}", lambda: target.CreateVM_Task(config=spec, pool=pool, host=at))

    def write_record(self, machine: VirtualMachine, record: str) -> None:
        """Writes the record of a machine anew; refused as stale where anything changed."""
        self._reconfigure(machine, Reconfigure(settings={RECORD_KEY: record}))

    def add_sata_controller(self, machine: VirtualMachine) -> None:
        """Gives the machine a SATA controller with the bus number 0."""
        self._reconfigure(machine, Reconfigure(sata_controller=True))

    def files_beside(self, machine: VirtualMachine) -> Sequence[str] | None:
        """Returns the .vmdk files of the machine's folder but for extents of mappings; None where it is not known."""
        if machine.vmx_path is None:
            return None
        store, folder, _name = split_file(machine.vmx_path)
        start = object_spec(
            reference("VirtualMachine", machine.id),
            traversal(library.vim.VirtualMachine, "datastore"),
            skip=True,
        )
        try:
            reads = read_properties(self.session, f"Reading {machine.name}", [start], {"Datastore": ("name",)})
            ids = [read.id for read in reads]
            found = [(name, browser) for name, browser in browsers_of(self.session, ids).values() if name == store]
            if len(found) != 1:
                return None
            names = names_in_folder(self.session, store, found[0][1], folder, "*.vmdk")
        except StepRefused:
            return None
        except NoSuchFolder:
            return ()
        return tuple(name for name in names if not is_extent(name))

    def files_in(self, datastore: str, folder: str) -> Sequence[str] | None:
        """Returns every file of a folder; () where there is no such folder, None where it is not known."""
        try:
            found = browsers_of(self.session, [datastore]).get(datastore)
            if found is None:
                return None
            return names_in_folder(self.session, found[0], found[1], folder, "*")
        except StepRefused:
            return None
        except NoSuchFolder:
            return ()

    def destroy(self, machine: VirtualMachine) -> None:
        """Removes a machine with its files; never what a mapping maps (KB 1026256)."""
        self._run_task(f"Removing {machine.name}", self._machine(machine).Destroy_Task)

    def _places(self, host: Host) -> tuple[Any, Any]:
        """Returns the folder and the resource pool that a machine on the host is made in."""
        start = object_spec(reference("HostSystem", host.id), upward())
        paths = {"ComputeResource": ("resourcePool",), "Datacenter": ("vmFolder",)}
        found: dict[str, str] = {}
        with closing(read_properties(self.session, f"Reading where {host.name} lies", [start], paths)) as reads:
            for read in reads:
                for path in ("resourcePool", "vmFolder"):
                    text = read.text(path)
                    if text is not None:
                        found[path] = text
        if len(found) < 2:
            raise StepRefused(
                f"The resource pool of {host.name}, or its datacenter's folder of virtual machines, is not visible.",
                kind=RefusalKind.NO_PRIVILEGE,
                hint="Give the user the role Read-only on the host, its cluster and its datacenter.",
            )
        return reference("Folder", found["vmFolder"]), reference("ResourcePool", found["resourcePool"])


@contextmanager
def open_rehearsal(options: Mapping[str, Any], until: float = inf) -> Iterator[VsphereRehearsalBackend]:
    """Gives the edge for the connection options of a module, and logs out at the end, as far as that can be done."""
    backend = VsphereRehearsalBackend(Session.open(Server.of(options), until))
    try:
        yield backend
    finally:
        backend.session.close()
