# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What a rehearsal asks of an edge beyond what a conversion asks of it, in words of no edge. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import Backend
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Datastore, Host, VirtualMachine
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.questions import Course


@dataclass(frozen=True)
class PartitionTable:
    """What stands at the beginning of a LUN: the format of a table ("gpt", "mbr"), None for none, and how many
    partitions it has."""

    format: str | None
    partitions: int


@dataclass(frozen=True)
class About:
    """What the server says of itself: its kind ("vcenter", "esxi"), version and build ("" where it does not tell), and
    the way that leads to it ("api", "ssh")."""

    kind: str
    version: str
    build: str
    over: str


class RehearsalBackend(Backend, Protocol):
    """An edge on which a machine can be made and removed."""

    # How such a server is asked.
    course: Course
    # Whether the record lies beside the machine's own folder; else the request that makes the machine writes it.
    keeps_record_beside: bool

    def about(self) -> About:
        """Returns what the server says of itself."""

    def partition_table(self, lun: HostLun) -> PartitionTable | None:
        """Returns what stands at the beginning of a LUN; None where the host does not tell."""

    def missing_rights(self, host: Host, datastore: Datastore) -> Sequence[tuple[str, str]]:
        """Returns the privileges that a rehearsal needs and the user lacks: (privilege, of what)."""

    def create_machine(
        self, name: str, instance_uuid: str | None, record: str, host: Host, datastore: Datastore
    ) -> None:
        """Makes a machine that has a SCSI controller, no disk and no guest system, with its record."""

    def write_record(self, machine: VirtualMachine, record: str) -> None:
        """Writes the record of a machine anew; refused as stale where anything changed."""

    def add_sata_controller(self, machine: VirtualMachine) -> None:
        """Gives the machine a SATA controller with the bus number 0; Unsupported where it has one from the first."""

    def files_beside(self, machine: VirtualMachine) -> Sequence[str] | None:
        """Returns the .vmdk files of the machine's folder but for extents of mappings, as their whole names; None where
        it could not be read."""

    def files_in(self, datastore: str, folder: str) -> Sequence[str] | None:
        """Returns every file of a folder of a datastore (id); () where there is no such folder, None where it could not
        be read."""

    def destroy(self, machine: VirtualMachine) -> None:
        """Removes a machine with its files; never what a mapping maps. One that is not registered any more, too."""
