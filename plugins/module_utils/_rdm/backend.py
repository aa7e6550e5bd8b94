# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What the executor asks of an edge, so that it does not know which way leads to the host.

An edge fetches facts and does one step at a time. It decides nothing, retries no write, and raises only the
collection's own exceptions: StepRefused (Conflict where somebody else was faster), OutcomeUnknown, ConnectionFailed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf
from typing import Protocol

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Controller,
    Datastore,
    Disk,
    FileFacts,
    Host,
    HostLun,
    Inventory,
    VirtualMachine,
)


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
class Change:
    """One reconfigure, all or nothing: a device removed (its file kept), one added, one edited, records written.

    A record whose text is None is removed. `boot_order` names addresses and other boot devices in the order wanted.
    """

    remove: Disk | None = None
    add: NewMapping | ExistingMapping | None = None
    place: Place | None = None
    edit: Disk | None = None
    records: Mapping[str, str | None] | None = None
    boot_order: tuple[str, ...] | None = None


@dataclass(frozen=True)
class VmState:
    """One fresh look at a machine: itself, its host with that host's LUNs, and its datastores. One moment, one read."""

    machine: VirtualMachine
    host: Host | None
    datastores: Mapping[str, Datastore]


class Backend(Protocol):
    """The edge."""

    def now(self) -> float:
        """Returns the server's clock."""

    def inventory(self, *, with_lun_paths: bool = False, with_offers: bool = False, until: float = inf) -> Inventory:
        """Returns everything, read anew; the paths of the LUNs, and what hosts offer, only where they are asked for.

        What is not read when the monotonic clock says `until` is left out, and the inventory says so.
        """

    def read_vm(self, machine_id: str) -> VmState:
        """Returns one machine as it is now; raises SelectionError where it no longer exists."""

    def list_folder(self, machine: VirtualMachine, file: str) -> Mapping[str, FileFacts] | None:
        """Returns the .vmdk files in the folder of `file`, by their full names; None where it cannot be read."""

    def mapping_files(self, datastore: Datastore, until: float = inf) -> Sequence[FileFacts]:
        """Returns every mapping file on a datastore; raises StepRefused where it cannot be searched, or not in time."""

    def has_folder(self, machine: VirtualMachine, file: str) -> bool:
        """Returns False where the folder of `file` does not exist; where that cannot be told, True."""

    def missing_privileges(
        self, machine: VirtualMachine, datastores: Sequence[Datastore]
    ) -> Mapping[str, Sequence[str]]:
        """Returns, by the name of the object, the privileges that a conversion uses and the user has not."""

    def reconfigure(self, machine: VirtualMachine, change: Change) -> None:
        """Applies one change, bound to `machine.change_version`; returns when it is done."""

    def shut_down_guest(self, machine: VirtualMachine) -> None:
        """Asks the guest to shut down; returns at once."""

    def power_off(self, machine: VirtualMachine) -> None:
        """Switches the machine off; returns when it is off."""

    def power_on(self, machine: VirtualMachine) -> None:
        """Starts the machine on the host where it is; returns when it runs."""

    def delete_mapping(self, machine: VirtualMachine, file: str) -> None:
        """Deletes a mapping file and its extent. Never touches the LUN's data (KB 1026256)."""

    def reconnect(self) -> None:
        """Opens a new session after one was lost; raises ConnectionFailed."""

    def recovery_command(self, machine: VirtualMachine, change: Change) -> Sequence[str]:
        """Returns the commands by which a person makes the change by hand."""
