# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Where the files of a record may lie: in the VM's own folders, or in the folder that the call names. Pure.

Whoever may write a VM's settings may write a record; a file elsewhere is somebody else's, whatever a record says of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.kept_file import LOOK_ON_HOST
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import ONLY_RECORDED, volume_path
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    JOURNAL_KEY,
    JournalEntry,
    KeptMapping,
    from_volume_path,
    to_volume_path,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Datastore, VirtualMachine
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request


def allowed_folders(machine: VirtualMachine, datastores: Mapping[str, Datastore], request: Request) -> frozenset[str]:
    """Returns the folders ("/vmfs/volumes/<uuid>/folder") of the VM's .vmx and disks, and the one that is asked for."""
    own = _own_folders(machine, datastores)
    if request.datastore is None and request.directory is None:
        return own
    mounted = [datastore for datastore in datastores.values() if _is_mounted(datastore, machine)]
    volumes = {f"/vmfs/volumes/{store.uuid}" for store in mounted if store.name == request.datastore}
    if request.datastore is None:
        volumes = {"/".join(folder.split("/")[:4]) for folder in own}
    inner = {"/".join(folder.split("/")[4:]) for folder in own}
    if request.directory is not None:
        inner = {request.directory.strip("/")}
    return own | {f"{volume}/{path}".rstrip("/") for volume in volumes for path in inner}


def _own_folders(machine: VirtualMachine, datastores: Mapping[str, Datastore]) -> frozenset[str]:
    files = {volume_path(disk, datastores) for disk in machine.disks if disk.key != ONLY_RECORDED}
    if machine.vmx_path is not None:
        mounted = frozenset(store.id for store in datastores.values() if _is_mounted(store, machine))
        files.add(to_volume_path(machine.vmx_path, datastores, mounted))
    return frozenset(folder_of_volume_path(file) for file in files if file is not None)


def _is_mounted(datastore: Datastore, machine: VirtualMachine) -> bool:
    return datastore.writable_from is None or machine.host in datastore.writable_from


def folder_of_volume_path(path: str) -> str:
    """Returns "/vmfs/volumes/<uuid>/folder" for a file in it."""
    return path.rpartition("/")[0]


def check_places(
    machine: VirtualMachine,
    entries: Iterable[JournalEntry],
    datastores: Mapping[str, Datastore],
    allowed: frozenset[str],
) -> Iterator[tuple[str, Finding]]:
    """Yields, with their addresses, the open records that name a file where none of this VM belongs."""
    for entry in entries:
        strange = [path for path in (entry.old_file, entry.new_file) if folder_of_volume_path(path) not in allowed]
        if strange:
            names = " and ".join(from_volume_path(path, datastores) for path in dict.fromkeys(strange))
            key = f"{JOURNAL_KEY}{entry.address}"
            yield (
                entry.address,
                Finding.blocker(
                    BlockerCode.RECORD_UNREADABLE,
                    f"The open record {key} of {machine.name} names {names}, which lies neither in a folder of the VM "
                    "nor in the one that datastore and directory name.",
                    f"If an interrupted run of yours used that folder, name it with datastore and directory; else "
                    f"remove {key} from the settings of the VM: somebody else wrote it.",
                    machine.name,
                ),
            )


def check_place_of_kept(
    kept: KeptMapping, machine: VirtualMachine, datastores: Mapping[str, Datastore], request: Request
) -> Finding | None:
    """Returns why a kept file may not be deleted that lies where none of this VM belongs; None where it lies well."""
    if folder_of_volume_path(kept.old_file) in allowed_folders(machine, datastores, request):
        return None
    file = from_volume_path(kept.old_file, datastores)
    return Finding.blocker(
        BlockerCode.OLD_MAPPING_UNREADABLE,
        f"{file} lies neither in a folder of {machine.name} nor in the one that datastore and directory name; "
        "a record alone is no proof that it is the VM's.",
        f"Name its folder with datastore and directory if it is. {LOOK_ON_HOST}",
        file,
    )
