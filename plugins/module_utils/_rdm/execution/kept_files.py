# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The kept old mapping files: deleted where that was asked for, and only while they are what the note says."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import Change, VmState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_plan import inventory_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import Run, journal_at
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    KeptMapping,
    from_volume_path,
    to_text,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    DiskKind,
    FileFacts,
    Inventory,
    VirtualMachine,
    split_file,
)

_SHELL_HINT = "Look at it on the host (vmkfstools -q), and delete it there if it is what it was."


def delete_old_mappings(run: Run, addresses: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Deletes the old mappings that the notes of these addresses name, and drops the notes.

    Returns (address, file) of each that was deleted. Raises NotDeleted with every refusal once the others are done.
    """
    inventory = run.inventory()
    refusals: list[Finding] = []
    deleted: list[tuple[str, str]] = []
    for address in addresses:
        vm_state = run.read_vm_when_idle()
        record = journal_at(vm_state.machine, address)
        for note in record.notes if record is not None else ():
            file = from_volume_path(note.old_file, vm_state.datastores)
            listing = run.list_folder(vm_state.machine, file) if not file.startswith("/") else None
            refusal = _refusal(note, file, listing, inventory_of(vm_state, inventory), vm_state.machine)
            if refusal is not None:
                refusals.append(refusal)
                continue
            if listing is not None and file in listing:
                try:
                    run.delete_mapping(vm_state.machine, file)
                except StorageError as error:
                    refusals.append(
                        Finding.blocker(
                            BlockerCode.OLD_MAPPING_NOT_DELETED,
                            f"{file} was not deleted: {error.message}",
                            _SHELL_HINT,
                            file,
                        )
                    )
                    continue
                deleted.append((address, file))
            _drop(run, address, note)
    if refusals:
        raise NotDeleted(tuple(refusals), tuple(deleted))
    return tuple(deleted)


class NotDeleted(StorageError):
    """Old mapping files that were left where they are, each with its reason."""

    def __init__(self, blockers: tuple[Finding, ...], deleted: tuple[tuple[str, str], ...]) -> None:
        super().__init__(" ".join(f"{blocker.message} {blocker.hint}" for blocker in blockers))
        self.blockers = blockers
        self.deleted = deleted


def _refusal(
    note: KeptMapping, file: str, listing: Mapping[str, FileFacts] | None, inventory: Inventory, machine: VirtualMachine
) -> Finding | None:
    """Returns why the file of a note may not be deleted; None where it may, or is gone already."""
    if listing is None:
        return Finding.blocker(
            BlockerCode.OLD_MAPPING_UNREADABLE, f"The folder of {file} cannot be read.", _SHELL_HINT, file
        )
    facts = listing.get(file)
    if facts is None:
        return None
    users = [
        other.name
        for other in inventory.machines.values()
        for disk in other.disks
        if _share_names(other, machine) and file in (disk.file, *disk.parents)
    ]
    if users:
        return Finding.blocker(
            BlockerCode.OLD_MAPPING_IN_USE,
            f"{file} is attached to {', '.join(sorted(set(users)))}.",
            "Detach it there first, or leave it.",
            file,
        )
    unread = [
        other.name
        for other in inventory.machines.values()
        if other.connection_state in ("inaccessible", "invalid", "orphaned")
    ]
    if facts.kind is None or facts.capacity_bytes is None:
        return Finding.blocker(BlockerCode.OLD_MAPPING_UNREADABLE, f"What {file} is cannot be read.", _SHELL_HINT, file)
    differing = _differing(note, facts)
    if differing:
        return Finding.blocker(
            BlockerCode.OLD_MAPPING_CHANGED, f"{file} is not what was kept: {differing}.", _SHELL_HINT, file
        )
    if unread and any(split_file(file)[1] == split_file(vmx)[1] for vmx in _vmx_paths(inventory, unread)):
        return Finding.blocker(
            BlockerCode.OLD_MAPPING_UNREADABLE,
            f"{', '.join(unread)} cannot be read, and may use {file}.",
            "Make that VM accessible, or remove it from the inventory.",
            file,
        )
    return None


def _differing(note: KeptMapping, facts: FileFacts) -> str | None:
    if facts.kind is not DiskKind.MAPPING:
        return "it is no raw device mapping any more"
    if facts.compatibility is not None and facts.compatibility is not note.mode:
        return f"it is a {facts.compatibility.value} mapping, not a {note.mode.value} one"
    # The browser tells whole KiB; a LUN may have an odd number of blocks.
    if facts.capacity_bytes is None or facts.capacity_bytes // 1024 != note.lun.capacity_bytes // 1024:
        return f"it has {facts.capacity_bytes} bytes, not {note.lun.capacity_bytes}"
    if note.disk_uuid is not None and facts.disk_uuid is not None and facts.disk_uuid != note.disk_uuid:
        return f"its disk uuid is {facts.disk_uuid}, not {note.disk_uuid}"
    return None


def _share_names(other: VirtualMachine, machine: VirtualMachine) -> bool:
    """Tells whether a file name of another VM can mean the same file: datastore names repeat over datacenters."""
    return other.datacenter == machine.datacenter or other.datacenter is None or machine.datacenter is None


def _vmx_paths(inventory: Inventory, names: list[str]) -> list[str]:
    return [vm.vmx_path for vm in inventory.machines.values() if vm.name in names and vm.vmx_path]


def _drop(run: Run, address: str, note: KeptMapping) -> None:
    """Removes one note, and the record with its last one."""

    def done(vm_state: VmState) -> bool:
        record = journal_at(vm_state.machine, address)
        return record is None or note not in record.notes

    def change(vm_state: VmState) -> Change:
        record = journal_at(vm_state.machine, address)
        if record is None:
            return Change()
        left = replace(record, notes=tuple(kept for kept in record.notes if kept != note))
        return Change(records={**run.record_texts(vm_state.machine), address: to_text(left)})

    run.converge(done, change)
