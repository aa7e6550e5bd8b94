# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The facts that a plan needs besides the inventory, as data: what is asked for, and what was answered. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.files import new_mapping_file
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Datastore,
    Disk,
    DiskKind,
    FileFacts,
    Inventory,
    VirtualMachine,
    split_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request


@dataclass(frozen=True, order=True)
class Folder:
    """A folder of a datastore, which is named by its id: names of datastores repeat. `path` is "" at the top."""

    datastore: str
    path: str


@dataclass(frozen=True)
class Questions:
    """What an edge shall find out, each thing once.

    `folders` are listed, `disk_uuids` are files whose uuid is asked for (by VM id and name), and the user's privileges
    are asked for on the `machines` and `datastores` (ids).
    """

    machines: tuple[VirtualMachine, ...]
    datastores: frozenset[str] = frozenset()
    folders: frozenset[Folder] = frozenset()
    disk_uuids: frozenset[tuple[str, str]] = frozenset()

    def joined_with(self, other: Questions) -> Questions:
        """Returns the questions of both, each once."""
        machines = {machine.id: machine for machine in (*self.machines, *other.machines)}
        return Questions(
            tuple(machines.values()),
            self.datastores | other.datastores,
            self.folders | other.folders,
            self.disk_uuids | other.disk_uuids,
        )


@dataclass(frozen=True)
class Survey:
    """What an edge found out. A folder that is not there has no files; None is one that could not be read.

    `missing_privileges` holds, by the id of a machine or datastore, what the user lacks there. `old_may_go_first` tells
    whether this way can make a mapping that nothing is attached to, and so give up the old one before.
    """

    folders: Mapping[Folder, Mapping[str, FileFacts] | None] = field(default_factory=dict)
    missing_folders: frozenset[Folder] = frozenset()
    disk_uuids: Mapping[str, str] = field(default_factory=dict)
    missing_privileges: Mapping[str, Sequence[str]] = field(default_factory=dict)
    old_may_go_first: bool = False

    def files_in(self, folder: Folder | None) -> Mapping[str, FileFacts] | None:
        """Returns the files of a folder by their whole names; None where it was not, or could not be, read."""
        return self.folders.get(folder) if folder is not None else None


def folder_of(file: str, datastore: Datastore | None) -> Folder | None:
    """Returns the folder in which "[datastore] folder/x.vmdk" lies; None where the datastore is not known."""
    return Folder(datastore.id, split_file(file)[1]) if datastore is not None else None


def folder_of_path(path: str, datastores: Mapping[str, Datastore]) -> Folder | None:
    """Returns the folder of "/vmfs/volumes/<uuid>/folder/x.vmdk"; None where no such volume is visible."""
    uuid, _slash, inner = path.removeprefix("/vmfs/volumes/").partition("/")
    found = next((datastore for datastore in datastores.values() if datastore.uuid == uuid), None)
    return Folder(found.id, inner.rpartition("/")[0]) if found is not None else None


def datastore_named(inventory: Inventory, machine: VirtualMachine, name: str, disk: Disk) -> Datastore | None:
    """Returns the datastore of that name that the VM's host sees; the disk's own one where the name is its name."""
    own = inventory.datastores.get(disk.datastore or "")
    if own is not None and own.name == name:
        return own
    named = [ds for ds in inventory.datastores.values() if ds.name == name]
    seen = [ds for ds in named if ds.writable_from is None or machine.host in ds.writable_from]
    return seen[0] if len(seen) == 1 else None


def new_file_of(request: Request, disk: Disk) -> str:
    """Returns the file that a new mapping of the disk would get."""
    return new_mapping_file(disk.base_file, request.compatibility, request.datastore, request.directory)


def needs_conversion(disk: Disk, request: Request) -> bool:
    """Tells whether the disk is not a mapping of the mode that is wanted."""
    return disk.kind is not DiskKind.MAPPING or disk.compatibility is not request.compatibility


def questions_of(
    request: Request, inventory: Inventory, disks: Iterable[tuple[VirtualMachine, Disk]], *, uuids: bool = True
) -> Questions:
    """Returns what has to be asked to plan the conversion of these disks, as far as they need one."""
    machines: dict[str, VirtualMachine] = {}
    datastores: set[str] = set()
    folders: set[Folder] = set()
    files: set[tuple[str, str]] = set()
    for machine, disk in disks:
        if not needs_conversion(disk, request):
            continue
        machines[machine.id] = machine
        file = new_file_of(request, disk)
        target = datastore_named(inventory, machine, split_file(file)[0], disk)
        present = inventory.datastores.get(disk.datastore or "")
        datastores |= {datastore.id for datastore in (target, present) if datastore is not None}
        found = {folder_of(file, target), folder_of(disk.file, present)}
        folders |= {folder for folder in found if folder is not None}
        if uuids and disk.kind is DiskKind.MAPPING:
            files.add((machine.id, disk.file))
    return Questions(tuple(machines.values()), frozenset(datastores), frozenset(folders), frozenset(files))
