# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What stands against deleting a kept old mapping: it must still be what it was, and be used by nobody. Pure."""

from __future__ import annotations

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_uuid import digits_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import KeptMapping, own_entries
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    DiskKind,
    FileFacts,
    Inventory,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.unread import Unread, counted, some_of

LOOK_ON_HOST = "Look at it on the host (vmkfstools -q), and delete it there if it is what it was."


def check_kept_file(
    kept: KeptMapping,
    file: str,
    readable: bool,
    facts: FileFacts | None,
    inventory: Inventory,
    machine: VirtualMachine,
) -> Finding | None:
    """Returns why a kept file may not be deleted; None where it may, or is gone already."""
    if not readable:
        message = f"The folder of {file} cannot be read."
        return Finding.blocker(BlockerCode.OLD_MAPPING_UNREADABLE, message, LOOK_ON_HOST, file)
    if facts is None:
        return None
    users = sorted(_users_of(kept, file, inventory, machine))
    if users:
        return Finding.blocker(
            BlockerCode.OLD_MAPPING_IN_USE,
            f"{file} is attached to {', '.join(users)}, or about to be.",
            "Detach it there first, or leave it.",
            file,
        )
    if facts.kind is None or facts.capacity_bytes is None:
        message = f"What {file} is cannot be read."
        return Finding.blocker(BlockerCode.OLD_MAPPING_UNREADABLE, message, LOOK_ON_HOST, file)
    unknown = [when for when, uuid in (("then", kept.disk_uuid), ("now", facts.disk_uuid)) if not digits_of(uuid)]
    if unknown:
        return Finding.blocker(
            BlockerCode.OLD_MAPPING_UNREADABLE,
            f"Whether {file} is what was kept is not known: its disk uuid could not be read {' and '.join(unknown)}.",
            LOOK_ON_HOST,
            file,
        )
    differing = _differing(kept, facts)
    if differing:
        message = f"{file} is not what was kept: {differing}."
        return Finding.blocker(BlockerCode.OLD_MAPPING_CHANGED, message, LOOK_ON_HOST, file)
    unread = Unread.of(inventory).names
    if unread:
        return Finding.blocker(
            BlockerCode.OLD_MAPPING_UNREADABLE,
            f"Whether {file} is used is not known: {counted(unread)} could not be read ({some_of(unread)}).",
            f"See why the findings of rdm_info say they could not be read. {LOOK_ON_HOST}",
            file,
        )
    return None


def _users_of(kept: KeptMapping, file: str, inventory: Inventory, machine: VirtualMachine) -> set[str]:
    """Returns the VMs that use a file, and this VM where a conversion of another of its disks names it."""
    users = {
        other.name
        for other in inventory.machines.values()
        for disk in other.disks
        if _share_names(other, machine) and file in (disk.file, *disk.parents)
    }
    named = {
        path
        for address, entry in own_entries(machine).items()
        if address != kept.address
        for path in (entry.old_file, entry.new_file)
    }
    return users | ({machine.name} if kept.old_file in named else set())


def _differing(kept: KeptMapping, facts: FileFacts) -> str | None:
    if facts.kind is not DiskKind.MAPPING:
        return "it is no raw device mapping any more"
    if facts.compatibility is not None and facts.compatibility is not kept.mode:
        return f"it is a {facts.compatibility.value} mapping, not a {kept.mode.value} one"
    if not facts.is_as_big_as(kept.lun.capacity_bytes):
        return f"it has {facts.capacity_bytes} bytes, not {kept.lun.capacity_bytes}"
    if digits_of(facts.disk_uuid) != digits_of(kept.disk_uuid):
        return f"its disk uuid is {facts.disk_uuid}, not {kept.disk_uuid}"
    return None


def _share_names(other: VirtualMachine, machine: VirtualMachine) -> bool:
    """Tells whether a file name of another VM can mean the same file: datastore names repeat over datacenters."""
    return other.datacenter == machine.datacenter or other.datacenter is None or machine.datacenter is None
