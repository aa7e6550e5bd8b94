# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The edge on the vSphere API, as far as it reads all that there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from math import inf
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConnectionFailed, StepRefused
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import clock
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import Reader, VmState, nothing_meanwhile
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import own_entries
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_places import (
    address_of_record_file,
    with_records_of_both,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Datastore,
    FileFacts,
    Inventory,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.survey import Questions, Survey
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import library
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.collect import read_inventory
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.connect import Server, Session
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.folders import search_mappings
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.record_files import (
    records_in_files,
    without_records,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.survey import survey


class VsphereReader(Reader):
    """A vCenter or a stand-alone ESXi host over its API. See `Reader` for what each method returns and raises."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def now(self) -> float:
        """Returns the server's clock."""
        instance = self.session.managed(library.vim.ServiceInstance, "ServiceInstance")
        time = self.session.read("Reading the server's clock", instance.CurrentTime)
        return float(time.timestamp())

    def inventory(
        self,
        *,
        with_lun_paths: bool = False,
        with_offers: bool = False,
        until: float = inf,
        meanwhile: Callable[[], None] = nothing_meanwhile,
    ) -> Inventory:
        """Returns everything that the user may see."""
        inventory = read_inventory(
            self.session, with_lun_paths=with_lun_paths, with_offers=with_offers, until=until, meanwhile=meanwhile
        )
        # Whether the later word on what was begun over the API stands in a file, of these few machines.
        return self._with_files(
            inventory, [machine for machine in inventory.machines.values() if own_entries(machine)], until
        )

    def survey(self, questions: Questions) -> Survey:
        """Returns what a plan needs besides the inventory."""
        return survey(self.session, questions)

    def mapping_files(self, datastore: Datastore, until: float = inf) -> Sequence[FileFacts]:
        """Returns every mapping file on a datastore, and the files that hold records; raises StepRefused where it
        cannot be searched, or not in time."""
        return search_mappings(self.session, datastore, until)

    def with_records(self, inventory: Inventory, files: Sequence[str], until: float = inf) -> Inventory:
        """Returns the inventory with what these files hold, which stand beside machines."""
        if not files:
            return inventory
        beside = [
            machine
            for machine in inventory.machines.values()
            # Of one with an open entry they were read.
            if machine.vmx_path is not None
            and not own_entries(machine)
            and any(address_of_record_file(machine.vmx_path, file) is not None for file in files)
        ]
        return self._with_files(inventory, beside, until)

    def _with_files(self, inventory: Inventory, machines: Sequence[VirtualMachine], until: float) -> Inventory:
        """Returns the inventory with the records beside these machines."""
        read = {machine.id: self._with_own_files(inventory, machine, until) for machine in machines}
        return replace(inventory, machines={**inventory.machines, **read}) if read else inventory

    def _with_own_files(self, inventory: Inventory, machine: VirtualMachine, until: float) -> VirtualMachine:
        """Returns the machine with the records beside it; where they cannot be read, it says so."""
        try:
            beside = records_in_files(self.session, VmState(machine, None, inventory.datastores))
        except StepRefused:
            return without_records(machine)
        except ConnectionFailed:
            if clock() <= until:
                raise
            return without_records(machine)
        return with_records_of_both(machine, machine.journal, beside, files=beside)


@contextmanager
def open_reader(options: Mapping[str, Any], until: float = inf) -> Iterator[VsphereReader]:
    """Gives the edge for the connection options of a module, and logs out at the end. Nothing is waited for any more
    once the monotonic clock says `until`."""
    reader = VsphereReader(Session.open(Server.of(options), until))
    try:
        yield reader
    finally:
        reader.session.close()
