# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The journal: what a conversion writes down with the VM itself; what was there, what is wanted, who works on it. Pure.

One text per disk address (users know it as the record). It holds at most one open entry, and names every old mapping
file that was kept.
Files are written as "/vmfs/volumes/<uuid>/folder/name.vmdk", since two hosts may call two datastores by one name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Datastore,
    Power,
    split_file,
)

if TYPE_CHECKING:
    from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import VirtualMachine

# How the key of a disk's record begins, whatever keeps it; the disk's address follows.
JOURNAL_KEY = "winbackup.storage.rdm."
# Over the API, which addresses have an open entry: one setting of a known name is asked of every VM of a site.
OPEN_KEY = "winbackup.storage.rdm_open"
LEASE_SECONDS = 60

STEP_BEGUN = "begun"
STEP_SHUTDOWN_ASKED = "shutdown_asked"
STEP_REMOVED = "removed"
STEP_SWAPPED = "swapped"
# Kept mapping files are being deleted; the disk itself stays as it is.
STEP_DELETING = "deleting"
# The disk was swapped, and may have lost what hung on its device: the boot order, shares, limits, the label.
TOUCHED = frozenset({STEP_REMOVED, STEP_SWAPPED})


def lease_is_live(lease: float, now: float) -> bool:
    """Tells whether a lease is one of a run that may still be working."""
    # Whoever may write the VM's settings may write any time there: no run holds a lease further ahead than one.
    return now < lease <= now + LEASE_SECONDS


@dataclass(frozen=True)
class RecordedLun:
    """A LUN as a record remembers it; `host` only where its name means this disk on that host alone."""

    canonical_name: str
    vml: str
    capacity_bytes: int
    serial: str | None = None
    host: str | None = None

    @classmethod
    def of(cls, lun: HostLun, capacity_bytes: int) -> RecordedLun:
        """Returns what is remembered of a LUN."""
        host = None if lun.durable_names else lun.host_name
        return cls(lun.canonical_name, lun.vml, capacity_bytes, lun.serial, host)

    def is_same_as(self, lun: HostLun) -> bool:
        """Tells whether a LUN of some host is this one: by name and bytes and, for a host's own name, by the host."""
        if self.host is not None:
            return (lun.host_name, lun.canonical_name, lun.capacity_bytes) == (
                self.host,
                self.canonical_name,
                self.capacity_bytes,
            )
        named = self.canonical_name == lun.canonical_name or self.canonical_name in lun.durable_names
        return named and bool(lun.durable_names) and lun.capacity_bytes == self.capacity_bytes


@dataclass(frozen=True)
class JournalEntry:
    """A conversion under way. A change of the disk mode alone has one file as both the old and the new one."""

    run: str
    lease: float
    step: str
    address: str
    wanted: Compatibility
    old_mode: Compatibility
    old_file: str
    new_file: str
    lun: RecordedLun
    power_before: Power
    disk_mode: str | None = None
    old_disk_mode: str | None = None
    old_disk_uuid: str | None = None
    sharing: str | None = None
    shares_level: str | None = None
    shares: int | None = None
    io_limit: int | None = None
    io_reservation: int | None = None
    boot_order: tuple[str, ...] = ()
    label: str = ""
    # Whether the host takes a second mapping of the LUN is being tried with a spare one, which may lie there.
    probing: bool = False
    # The host takes no second one: the old file goes before the new one is made, and an undo makes it again.
    one_at_a_time: bool = False

    def is_live_at(self, now: float) -> bool:
        """Tells whether the run that wrote it may still be working."""
        return lease_is_live(self.lease, now)

    @property
    def kept_mapping(self) -> KeptMapping:
        """What stays to be remembered of the old mapping once the disk is converted."""
        return KeptMapping(self.address, self.old_file, self.old_mode, self.lun, self.old_disk_uuid)

    @property
    def deletes_only(self) -> bool:
        """True where only kept mapping files are deleted and the disk stays as it is."""
        return self.step == STEP_DELETING

    @property
    def edits_only(self) -> bool:
        """True where the mapping stays and its disk mode changes."""
        return self.old_file == self.new_file


@dataclass(frozen=True)
class KeptMapping:
    """An old mapping file that was kept, and what identified it while it was attached."""

    address: str
    old_file: str
    mode: Compatibility
    lun: RecordedLun
    disk_uuid: str | None = None


@dataclass(frozen=True)
class DiskJournal:
    """All that is remembered about one address of one VM."""

    machine: str
    entry: JournalEntry | None = None
    kept: tuple[KeptMapping, ...] = ()
    # How often this record was written: of two that are kept in two places the later one counts.
    sequence: int = 0

    @property
    def files(self) -> frozenset[str]:
        """The mapping files that this record names, as volume paths."""
        kept = {mapping.old_file for mapping in self.kept}
        return frozenset(kept | ({self.entry.old_file, self.entry.new_file} if self.entry else set()))

    def closed(self) -> DiskJournal:
        """Returns the journal without its open entry."""
        return replace(self, entry=None)


@dataclass(frozen=True)
class UnreadableJournal:
    """A record that cannot be understood: its key, why, and the text as it is."""

    address: str
    why: str
    text: str

    @property
    def key(self) -> str:
        """The key under which it is kept."""
        return JOURNAL_KEY + self.address


def own_journals(machine: VirtualMachine) -> dict[str, DiskJournal]:
    """Returns by address the journals that can be read and are this VM's own, not of one it was cloned from."""
    return {
        address: journal
        for address, journal in machine.journal.items()
        if isinstance(journal, DiskJournal) and journal.machine == machine.instance_uuid
    }


def own_entries(machine: VirtualMachine) -> dict[str, JournalEntry]:
    """Returns by address the VM's own open entries."""
    return {address: journal.entry for address, journal in own_journals(machine).items() if journal.entry is not None}


def journal_at(machine: VirtualMachine, address: str) -> DiskJournal | None:
    """Returns the journal of an address, or None where there is none that can be read."""
    journal = machine.journal.get(address)
    return journal if isinstance(journal, DiskJournal) else None


def to_volume_path(file: str, datastores: Mapping[str, Datastore], among: frozenset[str] | None = None) -> str | None:
    """Returns "/vmfs/volumes/<uuid>/folder/x.vmdk" for "[datastore] folder/x.vmdk"; None for an unknown datastore.

    `among` are the ids of the datastores that count, where several bear one name.
    """
    name, folder, file_name = split_file(file)
    for datastore in datastores.values():
        if datastore.name == name and (among is None or datastore.id in among):
            path = f"{folder}/{file_name}" if folder else file_name
            return f"/vmfs/volumes/{datastore.uuid}/{path}"
    return None


def from_volume_path(path: str, datastores: Mapping[str, Datastore]) -> str:
    """The reverse of `to_volume_path`; a volume that is not visible is returned as it is written."""
    uuid, _slash, inner = path.removeprefix("/vmfs/volumes/").partition("/")
    for datastore in datastores.values():
        if datastore.uuid == uuid:
            return f"[{datastore.name}] {inner}"
    return path
