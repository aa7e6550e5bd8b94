# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The edge on the vSphere API: fetches facts and does one step at a time, as the executor asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import inf
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import Backend, Change, VmState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Datastore,
    FileFacts,
    Host,
    Inventory,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import library
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.apply import config_spec
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.collect import (
    read_datacenter,
    read_inventory,
    read_vm,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.connect import Server, Session
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.folders import (
    has_folder,
    list_folder,
    search_mappings,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.privileges import missing_privileges
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.read import reference
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.recovery import recovery_commands
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.tasks import nothing, wait_for_task


class VsphereBackend(Backend):
    """A vCenter or a stand-alone ESXi host over its API. See `Backend` for what each method returns and raises."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._hosts: dict[str, Host] = {}

    def now(self) -> float:
        """Returns the server's clock."""
        instance = self.session.managed(library.vim.ServiceInstance, "ServiceInstance")
        time = self.session.read("Reading the server's clock", instance.CurrentTime)
        return float(time.timestamp())

    def inventory(self, *, with_lun_paths: bool = False, with_offers: bool = False, until: float = inf) -> Inventory:
        """Returns everything that the user may see."""
        inventory = read_inventory(self.session, with_lun_paths=with_lun_paths, with_offers=with_offers, until=until)
        self._hosts.update(inventory.hosts)
        return inventory

    def read_vm(self, machine_id: str) -> VmState:
        """Returns one machine as it is now."""
        vm_state = read_vm(self.session, machine_id)
        if vm_state.host is not None:
            self._hosts[vm_state.host.id] = vm_state.host
        return vm_state

    def list_folder(self, machine: VirtualMachine, file: str) -> Mapping[str, FileFacts] | None:
        """Returns the .vmdk files in the folder of `file`."""
        return list_folder(self.session, machine, file)

    def has_folder(self, machine: VirtualMachine, file: str) -> bool:
        """Returns False where the folder of `file` does not exist."""
        return has_folder(self.session, machine, file)

    def mapping_files(self, datastore: Datastore, until: float = inf) -> Sequence[FileFacts]:
        """Returns every mapping file on a datastore; raises StepRefused where it cannot be searched, or not in time."""
        return search_mappings(self.session, datastore, until)

    def missing_privileges(
        self, machine: VirtualMachine, datastores: Sequence[Datastore]
    ) -> Mapping[str, Sequence[str]]:
        """Returns the privileges that a conversion uses and the user has not."""
        return missing_privileges(self.session, machine, datastores)

    def reconfigure(self, machine: VirtualMachine, change: Change) -> None:
        """Applies one change, all or nothing."""
        target = self._machine(machine)
        spec = config_spec(machine, change)
        self._run_task(f"Reconfiguring {machine.name}", lambda: target.ReconfigVM_Task(spec=spec))

    def shut_down_guest(self, machine: VirtualMachine) -> None:
        """Asks the guest to shut down."""
        target = self._machine(machine)
        self.session.write(f"Shutting down the guest of {machine.name}", target.ShutdownGuest)

    def power_off(self, machine: VirtualMachine) -> None:
        """Switches the machine off."""
        self._run_task(f"Switching off {machine.name}", self._machine(machine).PowerOffVM_Task)

    def power_on(self, machine: VirtualMachine) -> None:
        """Starts the machine on the host where it is."""
        target = self._machine(machine)
        host = reference("HostSystem", machine.host) if machine.host else None
        doing = f"Starting {machine.name}"
        self._run_task(doing, lambda: target.PowerOnVM_Task(host=host), asks=target)

    def delete_mapping(self, machine: VirtualMachine, file: str) -> None:
        """Deletes a mapping file and its extent."""
        datacenter = read_datacenter(self.session, machine.id)
        manager = self.session.content.virtualDiskManager
        self._run_task(f"Deleting {file}", lambda: manager.DeleteVirtualDisk_Task(name=file, datacenter=datacenter))

    def reconnect(self) -> None:
        """Opens a new session, and ends the old one as far as that can be done."""
        lost, self.session = self.session, Session.open(self.session.server)
        lost.close()

    def recovery_command(self, machine: VirtualMachine, change: Change) -> Sequence[str]:
        """Returns the commands by which a person makes the change by hand."""
        return recovery_commands(machine, self._hosts.get(machine.host or ""), change)

    def _machine(self, machine: VirtualMachine) -> Any:
        return self.session.managed(library.vim.VirtualMachine, machine.id)

    def _run_task(self, doing: str, begin: Any, asks: Any = None) -> None:
        task = self.session.write(doing, begin)
        wait_for_task(self.session, task, doing, nothing, asks)


@contextmanager
def open_backend(options: Mapping[str, Any]) -> Iterator[VsphereBackend]:
    """Gives the edge for the connection options of a module, and logs out at the end."""
    backend = VsphereBackend(Session.open(Server.of(options)))
    try:
        yield backend
    finally:
        backend.session.close()
