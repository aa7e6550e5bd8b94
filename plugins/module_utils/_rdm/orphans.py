# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Mapping files that no virtual machine uses. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import DiskJournal, UnreadableJournal
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Datastore,
    DiskKind,
    FileFacts,
    Inventory,
    VirtualMachine,
    split_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import Part
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.unread import Unread

_VOLUME = "/vmfs/volumes/"
_NAMES_FILES = (Part.CONFIGURATION, Part.DISKS, Part.SETTINGS, Part.OTHER)


@dataclass(frozen=True)
class Orphan:
    """A mapping file that nothing uses of all that was read, and whether that was all that could use it."""

    facts: FileFacts
    datastore: str
    users_are_known: bool


def orphans_of(inventory: Inventory, found: Iterable[tuple[Datastore, FileFacts]]) -> tuple[Orphan, ...]:
    """Returns the mapping files among `found` that nothing uses, sorted by name.

    A file is in use where any machine names a file of that path on that datastore, and where a record or note of a
    machine names it: a kept old mapping is known and no orphan.
    """
    used = {path for machine in inventory.machines.values() for path in _paths_of(inventory, machine)}
    known = (
        not Unread.of(inventory).names
        and not any(_hides_files(machine) for machine in inventory.machines.values())
        # What a journal names lies below the id of a volume.
        and (all(datastore.uuid for datastore in inventory.datastores.values()) or not _journals(inventory))
    )
    orphans = {
        facts.file: Orphan(facts, datastore.name, known and (datastore.local is True or not inventory.stand_alone))
        for datastore, facts in found
        if facts.kind is DiskKind.MAPPING and _path(datastore, facts.file) not in used
    }
    return tuple(orphans[file] for file in sorted(orphans))


def _journals(inventory: Inventory) -> bool:
    return any(machine.journal for machine in inventory.machines.values())


def _hides_files(machine: VirtualMachine) -> bool:
    """Tells whether a VM may name files, of its disks, its snapshots or in its journal, that were not read."""
    unread = any(one.part in _NAMES_FILES for one in machine.unreadable)
    unreadable = any(isinstance(journal, UnreadableJournal) for journal in machine.journal.values())
    in_snapshots = machine.has_snapshots is True and machine.snapshot_files is None
    return unread or unreadable or in_snapshots or any(not disk.file for disk in machine.disks)


def _paths_of(inventory: Inventory, machine: VirtualMachine) -> Iterator[str]:
    files = list(machine.snapshot_files or ())
    for disk in machine.disks:
        own = inventory.datastores.get(disk.datastore or "")
        if own is not None and not disk.parents:
            yield _path(own, disk.file)
        else:
            files += (disk.file, *disk.parents)
    for file in files:
        for datastore in inventory.datastores.values():
            if file.startswith(f"[{datastore.name}] "):
                yield _path(datastore, file)
    for journal in machine.journal.values():
        if isinstance(journal, DiskJournal):
            yield from journal.files


def _path(datastore: Datastore, file: str) -> str:
    """Returns the path of a file on a volume; the name of its datastore may hold brackets."""
    inner = file.removeprefix(f"[{datastore.name}] ")
    if inner == file:
        _name, folder, name = split_file(file)
        inner = f"{folder}/{name}" if folder else name
    return f"{_VOLUME}{datastore.uuid or datastore.id}/{inner}"
