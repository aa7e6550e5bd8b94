# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The edge on the vSphere API, where it changes something: one machine's facts and one step at a time, as the executor
asks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    OutcomeUnknown,
    RefusalKind,
    StepRefused,
    Unsupported,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import (
    Backend,
    ExistingMapping,
    JournalChange,
    NewMapping,
    Place,
    VmState,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import LEASE_SECONDS
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_places import (
    Records,
    with_records_of_both,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Disk,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import library
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.apply import Reconfigure, config_spec
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.connect import Server, Session
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.one_machine import (
    read_datacenter,
    read_vm,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.read import reference
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.reader import VsphereReader
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.record_files import (
    records_in_files,
    without_records,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.tasks import nothing, wait_for_task

# Faults with which a server may answer though the guest was told: what failed is not said, or lies on the way to it.
_DOUBTFUL = frozenset({"SystemError", "HostCommunication", "HostNotReachable", "Timedout"})


class VsphereBackend(VsphereReader, Backend):
    """A vCenter or a stand-alone ESXi host over its API. See `Backend` for what each method returns and raises."""

    # The documented way to map a local disk is the shell (KB 1017530).
    caution_about_local_disks = (
        "a host may refuse to map a local disk over the API; the documented way is its shell. "
        "A refusal is undone; then run this module in a play on that host, over SSH."
    )

    lost_files = frozenset[str]()

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        # The records beside a VM's .vmx, by its id; None where they could not be looked for.
        self._beside: dict[str, Records | None] = {}
        # The server's clock when they were looked for; None until it was asked for after that.
        self._looked_at: float | None = None
        self._look_again = False

    def now(self) -> float:
        """Returns the server's clock."""
        now = super().now()
        if self._looked_at is None:
            self._looked_at = now
        # A run over the shell takes over only what was not renewed for a whole lease.
        self._look_again = self._look_again or not 0 <= now - self._looked_at <= LEASE_SECONDS / 3
        return now

    def read_vm(self, machine_id: str) -> VmState:
        """Returns one machine as it is now, with what a run over its host's shell has recorded beside it."""
        return self._with_records(read_vm(self.session, machine_id))

    def read_machine(self, machine_id: str) -> VirtualMachine:
        """Returns one machine as it is now, and reads none of its host's LUNs."""
        return self._with_records(read_vm(self.session, machine_id, with_luns=False)).machine

    def _with_records(self, state: VmState) -> VmState:
        """Returns the machine with what a run over its host's shell has recorded beside it."""
        machine = state.machine
        machine_id = machine.id
        if self._look_again or machine_id not in self._beside:
            try:
                self._beside[machine_id] = records_in_files(self.session, state)
            except StepRefused:
                self._beside[machine_id] = None
            self._look_again, self._looked_at = False, None
        beside = self._beside[machine_id]
        if beside is None:
            return replace(state, machine=without_records(machine))
        return replace(state, machine=with_records_of_both(machine, machine.journal, beside, files=beside))

    def claim(self, machine: VirtualMachine, journal: JournalChange) -> None:
        """Writes the entries of a run that begins; the change version makes it a compare and set."""
        try:
            self._reconfigure(machine, Reconfigure(journal=journal))
        finally:
            # Who claimed at the same moment over the shell stands there by now.
            self._look_again = True

    def save(self, machine: VirtualMachine, journal: JournalChange) -> None:
        """Writes what has become of the journal."""
        self._reconfigure(machine, Reconfigure(journal=journal))

    def replace(
        self,
        machine: VirtualMachine,
        old: Disk,
        new: NewMapping | ExistingMapping,
        place: Place,
        journal: JournalChange,
    ) -> None:
        """Puts one mapping into the place of another in one reconfigure: the LUN is mapped at every moment."""
        self._reconfigure(machine, Reconfigure(remove=old, add=new, place=place, journal=journal))

    def detach(self, machine: VirtualMachine, disk: Disk, journal: JournalChange) -> None:
        """Takes a disk off the machine, and keeps its file."""
        self._reconfigure(machine, Reconfigure(remove=disk, journal=journal))

    def create_mapping(self, machine: VirtualMachine, new: NewMapping) -> None:
        """Raises Unsupported: the request that makes a file alone names no host, so the device may be another disk."""
        raise Unsupported("Over the API a mapping file comes to be by being attached.")

    def attach(
        self, machine: VirtualMachine, mapping: NewMapping | ExistingMapping, place: Place, journal: JournalChange
    ) -> None:
        """Attaches a mapping, and makes a new one with the same reconfigure."""
        self._reconfigure(machine, Reconfigure(add=mapping, place=place, journal=journal))

    def edit(
        self, machine: VirtualMachine, disk: Disk | None, boot_order: tuple[str, ...] | None, journal: JournalChange
    ) -> None:
        """Sets what a disk may have without being swapped, and the boot order."""
        self._reconfigure(machine, Reconfigure(edit=disk, boot_order=boot_order, journal=journal))

    def shut_down_guest(self, machine: VirtualMachine) -> None:
        """Asks the guest to shut down."""
        target = self._machine(machine)
        doing = f"Shutting down the guest of {machine.name}"
        try:
            self.session.write(doing, target.ShutdownGuest)
        except StepRefused as refusal:
            if refusal.fault not in _DOUBTFUL:
                raise
            raise OutcomeUnknown(f"{doing} may have been done: {refusal.message}", hint=refusal.hint) from refusal

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

    def _reconfigure(self, machine: VirtualMachine, change: Reconfigure) -> None:
        if change.journal and self._look_again:
            raise StepRefused(
                f"What was recorded beside {machine.name} has to be read once more.", kind=RefusalKind.STALE
            )
        target = self._machine(machine)
        spec = config_spec(machine, change)
        self._run_task(f"Reconfiguring {machine.name}", lambda: target.ReconfigVM_Task(spec=spec))

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
