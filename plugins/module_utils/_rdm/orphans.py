# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Mapping files that no virtual machine uses. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Datastore,
    DiskKind,
    FileFacts,
    Inventory,
    VirtualMachine,
    split_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.plan import own_records

_VOLUME = "/vmfs/volumes/"


def orphans_of(inventory: Inventory, found: Iterable[tuple[Datastore, FileFacts]]) -> tuple[FileFacts, ...]:
    """Returns the mapping files among `found` that nothing uses, sorted by name.

    A file is in use where any machine names a file of that path on a datastore of that name, and where a record or note
    of a machine names it: a kept old mapping is known and no orphan.
    """
    used = {path for machine in inventory.machines.values() for path in _paths_of(inventory, machine)}
    orphans = {
        facts.file: facts
        for datastore, facts in found
        if facts.kind is DiskKind.MAPPING and _path(datastore, facts.file) not in used
    }
    return tuple(orphans[file] for file in sorted(orphans))


def _paths_of(inventory: Inventory, machine: VirtualMachine) -> Iterator[str]:
    for disk in machine.disks:
        for file in (disk.file, *disk.parents):
            name = split_file(file)[0]
            for datastore in inventory.datastores.values():
                if datastore.name == name:
                    yield _path(datastore, file)
    records, _unreadable = own_records(machine)
    for record in records.values():
        yield from record.files


def _path(datastore: Datastore, file: str) -> str:
    _name, folder, name = split_file(file)
    return f"{_VOLUME}{datastore.uuid}/{folder}/{name}" if folder else f"{_VOLUME}{datastore.uuid}/{name}"
