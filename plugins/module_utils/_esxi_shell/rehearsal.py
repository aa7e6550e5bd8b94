# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What a rehearsal asks of an ESXi shell beyond what a conversion does: a machine is made and removed, a LUN's
partition table is read. A machine that a killed run left unregistered is shown as one of which only files are left."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import replace
from math import inf

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    RefusalKind,
    SelectionError,
    StepRefused,
    Unsupported,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, ModuleResult
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import EVERY_SECOND, Pace
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell import change_script as changes
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.backend import ShellConnection
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.change_script import Change
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.collect import HOST
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.devices_folder import disks_folder
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.partitions import partition_table
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.quote import quote
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.rehearsal_script import (
    OwnPlace,
    settings_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.script import framed
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.stores import Stores
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.writing import ShellBackend, vmls_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import VmState, nothing_meanwhile
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution import rehearsal_command
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.files import is_extent
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Datastore,
    Host,
    Inventory,
    Power,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.apart import MADE_APART
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.edge import (
    About,
    PartitionTable,
    RehearsalBackend,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.record import (
    UNREGISTERED,
    from_text,
    is_registered,
    own_file,
    record_file,
    vmx_of_record,
)

_BUILD = re.compile(r"\bbuild-(\d+)")
_CONTROLLERS = ("scsi0", "sata0")


class ShellRehearsalBackend(ShellBackend, RehearsalBackend):
    """An ESXi host over its shell. See `RehearsalBackend` for what each method returns and raises."""

    course = MADE_APART
    keeps_record_beside = True

    def __init__(self, connection: ShellConnection) -> None:
        super().__init__(connection)
        # The machines of rehearsals, by their ids: an unregistered one has the path of its record.
        self._places: dict[str, OwnPlace] = {}

    def about(self) -> About:
        """Returns what the host says of itself."""
        told = (self._answer.text("version") if self._answer is not None else None) or ""
        build = _BUILD.search(told)
        host = self._last_inventory().hosts[HOST]
        return About("esxi", host.version, build[1] if build is not None else "", "ssh")

    def inventory(
        self,
        *,
        with_lun_paths: bool = False,
        with_offers: bool = False,
        until: float = inf,
        meanwhile: Callable[[], None] = nothing_meanwhile,
    ) -> Inventory:
        """Returns everything that the host's shell tells, with the machines of which only files are left."""
        inventory = super().inventory(until=until, meanwhile=meanwhile)
        stores = self._reading.stores if self._reading is not None else None
        if stores is None:
            return inventory
        registered = {stores.path_of(machine.vmx_path or "") for machine in inventory.machines.values()}
        left = {}
        for record, text in stores.exact.items():
            vmx = vmx_of_record(record)
            if vmx is not None and vmx not in registered:
                left[record] = _unregistered(record, OwnPlace(vmx), text, stores)
                self._places[record] = OwnPlace(vmx)
        return replace(inventory, machines={**inventory.machines, **left})

    def read_vm(self, machine_id: str) -> VmState:
        """Returns one machine as it is now; also what is left of it where the host has it no more."""
        if not machine_id.isdecimal():
            return self._read_left(machine_id)
        try:
            return super().read_vm(machine_id)
        except SelectionError:
            if machine_id not in self._places:
                raise
            return self._read_left(machine_id)

    def partition_table(self, lun: HostLun) -> PartitionTable | None:
        """Returns what stands at the beginning of a LUN; None where the host does not tell."""
        body = f"told table '' partedUtil getptbl {quote(lun.device_path)}\ntold disks '' ls -l /vmfs/devices/disks\n"
        answer = self._run(framed(body), inf)
        told, listed = partition_table(answer.text("table") or ""), answer.text("disks")
        if told is None or listed is None:
            return None
        kind, partitions = told
        # What the host shows as a partition is one, whatever the other says.
        shown = len(disks_folder(listed).partitions.get(lun.canonical_name, ()))
        return PartitionTable(kind, max(partitions, shown))

    def missing_rights(self, host: Host, datastore: Datastore) -> Sequence[tuple[str, str]]:
        """Returns nothing: who may use the shell may do everything there."""
        return ()

    def create_machine(
        self, name: str, instance_uuid: str | None, record: str, host: Host, datastore: Datastore
    ) -> None:
        """Makes a machine with a SCSI and a SATA controller, no disk and no guest system, after its record."""
        place = OwnPlace(f"/vmfs/volumes/{datastore.uuid}/{name}/{name}.vmx")
        self._step(place.made(record, settings_of(name, _CONTROLLERS)), f"Making {name}", name)

    def write_record(self, machine: VirtualMachine, record: str) -> None:
        """Writes the record of a machine anew; refused as stale where anything changed."""
        path = record_file(self._path(machine, machine.vmx_path or ""))
        commands = (f"put {quote(path)} {quote(record)} || return", "told step '' true")
        self._change(machine, Change(commands=commands), "Writing the record")

    def add_sata_controller(self, machine: VirtualMachine) -> None:
        """Raises Unsupported: the machine has one from the first."""
        raise Unsupported("On a host's shell the machine has its controllers from the first.")

    def files_beside(self, machine: VirtualMachine) -> Sequence[str] | None:
        """Returns the .vmdk files of the machine's folder but for extents of mappings; None where it is not known."""
        place = self._place_of(machine)
        found = self._files(place) if place is not None else None
        if place is None or found is None:
            return None
        record = self._file(place.record)
        return tuple(name for name in found if name != record and name.endswith(".vmdk") and not is_extent(name))

    def files_in(self, datastore: str, folder: str) -> Sequence[str] | None:
        """Returns every file of a machine's folder, and its record; None where it is not known."""
        name = folder.rpartition("/")[2]
        return self._files(OwnPlace(f"/vmfs/volumes/{datastore}/{folder}/{name}.vmx"))

    def delete_mapping(self, machine: VirtualMachine, file: str) -> None:
        """Deletes a mapping file that a rehearsal made and that vmkfstools calls one of the LUN of its record."""
        record = from_text(machine.rehearsal)
        luns = self._last_inventory().hosts[HOST].luns or ()
        own = [lun for lun in luns if record is not None and lun.canonical_name == record.lun]
        vmls = sorted({vml for lun in own for vml in vmls_of(lun)})
        if not vmls or not own_file(machine, file):
            raise StepRefused(f"No record says of which LUN {file} is; it was not deleted.")
        change = changes.deleted(self._path(machine, file), vmls)
        if is_registered(machine):
            self._change(machine, change, f"Deleting {file}")
        else:
            self._change_left(machine, change, f"Deleting {file}")

    def destroy(self, machine: VirtualMachine) -> None:
        """Takes a machine out of the host's list, and removes the files that a rehearsal and the host made."""
        place = self._place_of(machine)
        if place is None:
            raise StepRefused(f"Where the files of {machine.name} lie could not be read.")
        self._places[machine.id] = place
        if is_registered(machine):
            self._change(machine, place.removed(), f"Removing {machine.name}")
        else:
            self._change_left(machine, None, f"Removing what is left of {machine.name}")

    def _change_left(self, machine: VirtualMachine, change: Change | None, doing: str) -> None:
        place = self._place_of(machine)
        if place is None or machine.rehearsal is None:
            raise StepRefused(f"{doing} is not possible: its record is gone.", kind=RefusalKind.STALE)
        self._step(place.leftover(machine.rehearsal, uuid.uuid4().hex, change), doing, machine.name)

    def _read_left(self, machine_id: str) -> VmState:
        """Returns what is left of a machine that is not registered; raises SelectionError where there is no record."""
        place = self._places.get(machine_id)
        stores = self._stores_with(place) if place is not None else None
        text = stores.exact.get(place.record) if stores is not None and place is not None else None
        if place is None or stores is None or text is None:
            raise SelectionError(f"Of the machine {machine_id} nothing is left.", hint="Run again.")
        inventory = self._last_inventory()
        machine = _unregistered(machine_id, place, text, stores)
        return VmState(machine, inventory.hosts[HOST], inventory.datastores)

    def _files(self, place: OwnPlace) -> Sequence[str] | None:
        stores = self._stores_with(place)
        found = stores.folder_of(place.folder)
        if found is None:
            return None
        record = (stores.file_of(place.record),) if place.record in stores.exact else ()
        return (*found, *record)

    def _stores_with(self, place: OwnPlace) -> Stores:
        answer = self._run(place.looked_at(), inf)
        return Stores.of(answer, HOST, None).called(self._last_inventory().datastores)

    def _place_of(self, machine: VirtualMachine) -> OwnPlace | None:
        if machine.vmx_path is None or machine.rehearsal is None:
            return self._places.get(machine.id)
        return OwnPlace(self._path(machine, machine.vmx_path))

    def _file(self, path: str) -> str:
        return self._reading.stores.file_of(path) if self._reading is not None else path

    def _remember(self, machine: VirtualMachine, stores: Stores) -> None:
        super()._remember(machine, stores)
        vmx = stores.path_of(machine.vmx_path or "")
        if vmx is not None and machine.rehearsal is not None:
            self._places[machine.id] = OwnPlace(vmx)
            self._folders.setdefault(machine.id, set()).add(record_file(vmx))

    def _last_inventory(self) -> Inventory:
        if self._reading is None:
            self.inventory()
        if self._reading is None:
            raise StepRefused(f"{self._connection.name} could not be read.")
        return self._reading.inventory


def _unregistered(machine_id: str, place: OwnPlace, record: str, stores: Stores) -> VirtualMachine:
    return VirtualMachine(
        id=machine_id,
        name=place.name,
        path=place.name,
        power=Power.OFF,
        host=HOST,
        connection_state=UNREGISTERED,
        vmx_path=stores.file_of(place.vmx),
        rehearsal=record.rstrip("\n"),
    )


def rdm_rehearsal(call: ModuleCall, connection: ShellConnection, *, pace: Pace = EVERY_SECOND) -> ModuleResult:
    """Does one call of `rdm_rehearsal`; returns its result, and the sentence that fails the task where it must."""
    return rehearsal_command.rdm_rehearsal(ShellRehearsalBackend(connection), call, pace=pace)
