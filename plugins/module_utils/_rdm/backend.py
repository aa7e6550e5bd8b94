# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What the executor asks of an edge, so that it does not know which way leads to the host.

An edge fetches facts and does one step at a time. It decides nothing, retries no write, and raises only the
collection's own exceptions: StepRefused with its kind, Unsupported, OutcomeUnknown, ConnectionFailed.

Each step is bound to `machine` as it was read: where the edge can tell that the machine changed since, it refuses the
step as stale. A `journal` that is given with a device step is written with it or just before it, never after.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Optional, Protocol, TypeAlias

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import DiskJournal
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Controller,
    Datastore,
    Disk,
    FileFacts,
    Host,
    Inventory,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.survey import Questions, Survey


@dataclass(frozen=True)
class NewMapping:
    """A mapping file to be created for a LUN and attached. `device_name` is the one that the VM's own host uses."""

    file: str
    lun: HostLun
    compatibility: Compatibility
    disk_mode: str | None


@dataclass(frozen=True)
class ExistingMapping:
    """A mapping file that exists, to be attached as it is. Its mode is the file's own and is never sent."""

    file: str
    disk_mode: str | None


@dataclass(frozen=True)
class Place:
    """Where a disk hangs, and what of it is not the mapping's: sharing, I/O shares, limit."""

    address: str
    controller: Controller
    unit: int
    sharing: str | None = None
    shares_level: str | None = None
    shares: int | None = None
    io_limit: int | None = None
    io_reservation: int | None = None

    @classmethod
    def of(cls, disk: Disk) -> Place:
        """Returns the place of an attached disk."""
        return cls(
            disk.address,
            disk.controller,
            disk.unit,
            disk.sharing,
            disk.shares_level,
            disk.shares,
            disk.io_limit,
            disk.io_reservation,
        )


@dataclass(frozen=True)
class VmState:
    """A machine as it is now, with its host, that host's LUNs, and its datastores. One moment, one read."""

    machine: VirtualMachine
    host: Host | None
    datastores: Mapping[str, Datastore]


# What becomes of the journal, by disk address; None takes an address out of it.
JournalChange: TypeAlias = Mapping[str, Optional[DiskJournal]]  # noqa: UP045 (pylint takes the | for arithmetic)


def nothing_meanwhile() -> None:
    """What is to be done while a long reading goes on: nothing."""


class Reader(Protocol):
    """An edge as far as it reads all that there is."""

    def now(self) -> float:
        """Returns the server's clock."""

    def inventory(
        self,
        *,
        with_lun_paths: bool = False,
        with_offers: bool = False,
        until: float = inf,
        meanwhile: Callable[[], None] = nothing_meanwhile,
    ) -> Inventory:
        """Returns everything, read anew; the paths of the LUNs, and what hosts offer, only where they are asked for.

        What is not read when the monotonic clock says `until` is left out, and the inventory says so. `meanwhile` is
        called again and again while that takes, and may ask the edge for other things.
        """

    def survey(self, questions: Questions) -> Survey:
        """Returns what a plan needs besides the inventory: each folder, file and privilege asked for once."""

    def mapping_files(self, datastore: Datastore, until: float = inf) -> Sequence[FileFacts]:
        """Returns every mapping file on a datastore; raises StepRefused where it cannot be searched, or not in time.

        An edge that reads no records beside VMs in `inventory` returns the files that hold some, too.
        """

    def with_records(self, inventory: Inventory, files: Sequence[str], until: float = inf) -> Inventory:
        """Returns the inventory with what these files hold, which stand beside VMs; of one that cannot be read the VM
        says so."""


class Backend(Reader, Protocol):
    """The edge."""

    # What a user should know before a local disk is converted on this way; None where there is nothing to know.
    caution_about_local_disks: str | None
    # Mapping files (volume paths) that the server deleted although it was told to keep them.
    lost_files: frozenset[str]

    def read_vm(self, machine_id: str) -> VmState:
        """Returns one machine as it is now; raises SelectionError where it no longer exists."""

    def read_machine(self, machine_id: str) -> VirtualMachine:
        """Returns what `read_vm` does, without host and datastores: where an edge can, it reads no LUNs for that."""

    def claim(self, machine: VirtualMachine, journal: JournalChange) -> None:
        """Writes the entries of a run that begins. Compare and set: refused as stale where anything changed."""

    def save(self, machine: VirtualMachine, journal: JournalChange) -> None:
        """Writes what has become of the journal; refused as stale where anything changed."""

    def replace(
        self,
        machine: VirtualMachine,
        old: Disk,
        new: NewMapping | ExistingMapping,
        place: Place,
        journal: JournalChange,
    ) -> None:
        """Puts one mapping into the place of another, whole or not at all, and keeps the old file.

        Raises Unsupported where this edge can only detach and attach.
        """

    def detach(self, machine: VirtualMachine, disk: Disk, journal: JournalChange) -> None:
        """Takes a disk off the machine, and keeps its file."""

    def create_mapping(self, machine: VirtualMachine, new: NewMapping) -> None:
        """Makes a mapping file that nothing uses yet; raises Unsupported where it comes to be by being attached."""

    def attach(
        self, machine: VirtualMachine, mapping: NewMapping | ExistingMapping, place: Place, journal: JournalChange
    ) -> None:
        """Attaches a mapping where nothing hangs; a new one is made first where `create_mapping` is Unsupported."""

    def edit(
        self, machine: VirtualMachine, disk: Disk | None, boot_order: tuple[str, ...] | None, journal: JournalChange
    ) -> None:
        """Sets what a disk may have without being swapped (disk mode, shares, limit, label), and the boot order.

        `disk` is as it shall be; None, of either, leaves that as it is. The order names addresses, and other devices.
        """

    def shut_down_guest(self, machine: VirtualMachine) -> None:
        """Asks the guest to shut down; returns at once."""

    def power_off(self, machine: VirtualMachine) -> None:
        """Switches the machine off; returns when it is off."""

    def power_on(self, machine: VirtualMachine) -> None:
        """Starts the machine on the host where it is; returns when it runs."""

    def delete_mapping(self, machine: VirtualMachine, file: str) -> None:
        """Deletes a mapping file and its extent. Never touches the LUN's data (KB 1026256)."""

    def reconnect(self) -> None:
        """Opens a new session after one was lost; raises ConnectionFailed, LoginRefused."""
