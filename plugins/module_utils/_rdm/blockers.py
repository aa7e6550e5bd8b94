# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What stands against a conversion: every reason at once, each with what was seen and what to do. Pure.

The order is that of the table in docs/codes.md. A fact that is not known blocks nothing here; `unchecked_of` names the
codes that need a further look.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.blockers_of_lun import lun_blockers
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.blockers_of_machine import (
    of_change_tracking,
    of_host,
    of_place,
    of_power,
    of_records,
    of_snapshots,
    of_state,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Blocker,
    Compatibility,
    Datastore,
    Disk,
    DiskKind,
    FileFacts,
    Inventory,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.names import extent_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.record import UnreadableRecord, from_text
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.same_lun import Usage

# A descriptor and its extent take a few kilobytes; the datastore should not be brought to its last one.
_FREE_BYTES = 16 * 1024**2
# Every blocker, in the order of the table in docs/codes.md.
BLOCKER_CODES = (
    "vm_powered_on",
    "vm_suspended",
    "has_snapshots",
    "is_delta",
    "needs_consolidation",
    "linked_clone",
    "vm_is_template",
    "not_a_mapping",
    "mode_disagrees",
    "bus_sharing",
    "multi_writer",
    "perennially_reserved",
    "lun_used_by_other_vm",
    "other_hosts_unknown",
    "lun_missing",
    "lun_not_ok",
    "lun_ambiguous",
    "size_mismatch",
    "lun_is_boot_device",
    "lun_carries_vmfs",
    "lun_used_by_vsan",
    "lun_is_dump_or_scratch",
    "too_big",
    "datastore_unsuitable",
    "datastore_full",
    "native_4k",
    "target_file_exists",
    "controller_unsupported",
    "unit_unusable",
    "encrypted",
    "fault_tolerance",
    "task_running",
    "method_disabled",
    "vm_inaccessible",
    "replicated",
    "host_unavailable",
    "managed_by_vcenter",
    "no_privilege",
    "license_read_only",
    "record_of_other_vm",
    "run_in_progress",
    "cbt_enabled",
)


_LOOK_AT_MAPPING = "Look at it on the host with vmkfstools -q, and map the LUN anew if the file is not what it says."


@dataclass(frozen=True)
class Target:
    """Where the new mapping would go. `listing` is its folder (None: not looked at), `own` the VM's own noted files."""

    file: str
    datastore: Datastore | None
    listing: Mapping[str, FileFacts] | None
    own: frozenset[str] = frozenset()
    missing_privileges: Mapping[str, Sequence[str]] | None = None
    license_read_only: bool | None = None


def blockers_of(
    inventory: Inventory,
    machine: VirtualMachine,
    disk: Disk,
    wanted: Compatibility,
    *,
    target: Target | None = None,
    power: str = "refuse",
    override: frozenset[str] = frozenset(),
    over_shell: bool = False,
    usage: Usage | None = None,
) -> tuple[Blocker, ...]:
    """Returns every reason not to bring a disk into the wanted mode, as far as the facts at hand tell, in table order.

    `usage` is that of the inventory, where the caller has it already.
    """
    found = [
        *of_power(machine, power),
        *of_snapshots(machine, disk),
        *_of_kind(machine, disk, target),
        *_of_sharing(machine, disk),
        *lun_blockers(inventory, machine, disk, usage or Usage.of(inventory)),
        *_of_target(inventory, machine, target, wanted),
        *of_place(machine, disk),
        *of_state(machine, disk),
        *of_host(inventory, machine, over_shell),
        *_of_rights(machine, target),
        *of_records(machine),
        *of_change_tracking(machine, disk, wanted),
    ]
    standing = (blocker for blocker in found if not (blocker.overridable and blocker.code in override))
    return tuple(sorted(dict.fromkeys(standing), key=lambda blocker: BLOCKER_CODES.index(blocker.code)))


def unchecked_of(inventory: Inventory, machine: VirtualMachine, disk: Disk, target: Target | None) -> tuple[str, ...]:
    """Returns the codes that need a look into a folder or a file, or a question to the server, not yet taken."""
    own_open = any(_is_own_and_open(machine, text) for text in machine.records.values())
    doubtful = {
        "target_file_exists": target is None or target.listing is None,
        "datastore_unsuitable": target is None,
        "datastore_full": target is None,
        "mode_disagrees": disk.extent is None,
        "lun_missing": inventory.host_of(machine) is None,
        "no_privilege": target is None or target.missing_privileges is None,
        "run_in_progress": own_open,
    }
    return tuple(code for code in BLOCKER_CODES if doubtful.get(code))


def _is_own_and_open(machine: VirtualMachine, text: str) -> bool:
    try:
        record = from_text(text)
    except UnreadableRecord:
        return False
    return record.open is not None and record.machine == machine.instance_uuid


def _of_kind(machine: VirtualMachine, disk: Disk, target: Target | None) -> Iterator[Blocker]:
    if disk.kind is not DiskKind.MAPPING:
        yield Blocker(
            "not_a_mapping",
            f"{disk.label} of {machine.name} ({disk.file}) is no raw device mapping.",
            "Name a disk that is one.",
            disk.file,
        )
        return
    if disk.compatibility is None:
        yield Blocker(
            "mode_disagrees",
            f"The compatibility mode of {disk.file} could not be read.",
            _LOOK_AT_MAPPING,
            disk.file,
        )
    elif disk.extent is not None and disk.extent.endswith(("-rdm.vmdk", "-rdmp.vmdk")):
        by_extent = Compatibility.PHYSICAL if disk.extent.endswith("-rdmp.vmdk") else Compatibility.VIRTUAL
        if by_extent is not disk.compatibility:
            yield Blocker(
                "mode_disagrees",
                f"{disk.file} is shown as {disk.compatibility.value}, and its extent {disk.extent} is that of a "
                f"{by_extent.value} mapping.",
                _LOOK_AT_MAPPING,
                disk.file,
            )
            return
    descriptor = (target.listing or {}).get(disk.base_file) if target is not None else None
    if descriptor is None:
        return
    if descriptor.kind not in (None, DiskKind.MAPPING):
        yield Blocker(
            "mode_disagrees",
            f"{disk.base_file} is shown as a mapping, and its descriptor is of kind {descriptor.kind.value}.",
            _LOOK_AT_MAPPING,
            disk.file,
        )
    elif descriptor.compatibility is not None and disk.compatibility not in (None, descriptor.compatibility):
        yield Blocker(
            "mode_disagrees",
            f"{disk.base_file} is shown as {disk.compatibility.value}, and its descriptor is that of a "
            f"{descriptor.compatibility.value} mapping.",
            _LOOK_AT_MAPPING,
            disk.file,
        )


def _of_sharing(machine: VirtualMachine, disk: Disk) -> Iterator[Blocker]:
    if disk.controller.shared_bus != "none":
        yield Blocker(
            "bus_sharing",
            f"{disk.address} of {machine.name} is on a controller with {disk.controller.shared_bus} bus sharing.",
            "A cluster across hosts needs physical mode; leave the disk as it is.",
            f"{machine.name} {disk.address}",
        )
    if disk.sharing not in (None, "none"):
        yield Blocker(
            "multi_writer",
            f"{disk.address} of {machine.name} is shared by several writers.",
            "Take the sharing off first, or leave the disk as it is.",
            f"{machine.name} {disk.address}",
        )


def _of_target(
    inventory: Inventory, machine: VirtualMachine, target: Target | None, wanted: Compatibility
) -> Iterator[Blocker]:
    if target is None:
        return
    yield from _of_datastore(machine, target)
    listing = target.listing
    if listing is None:
        return
    facts = listing.get(target.file)
    if facts is None:
        extent = extent_of(target.file, wanted)
        if extent in listing:
            yield _exists(extent, f"there is no {target.file} that it belongs to")
        return
    users = [
        f"{other.path} {disk.address}"
        for other in inventory.machines.values()
        if other.datacenter == machine.datacenter
        for disk in other.disks
        if target.file in (disk.file, *disk.parents)
    ]
    if target.file not in target.own:
        yield _exists(target.file, "no record of this VM names it as its own")
    elif facts.kind is not DiskKind.MAPPING:
        yield _exists(target.file, "it is no raw device mapping")
    elif facts.compatibility not in (None, wanted):
        yield _exists(target.file, f"it is no {wanted.value} mapping")
    elif users:
        yield _exists(target.file, f"{', '.join(users)} uses it")


def _of_datastore(machine: VirtualMachine, target: Target) -> Iterator[Blocker]:
    datastore = target.datastore
    hint = "Name another datastore with the option datastore."
    if datastore is None:
        yield Blocker(
            "datastore_unsuitable",
            f"The datastore of {target.file} is not one, and one only, that the host of {machine.name} has mounted.",
            hint,
            target.file,
        )
        return
    reason = None
    if datastore.type.upper() != "VMFS":
        reason = f"is {datastore.type}, and a mapping file must be on VMFS"
    elif _is_before_vmfs_5(datastore.version):
        reason = f"is VMFS {datastore.version}; version 5 or later is needed"
    if reason is None and datastore.accessible is False:
        reason = "is not accessible"
    if reason is None and datastore.maintenance:
        reason = "is in maintenance mode"
    if reason is None and datastore.writable_from is not None and machine.host not in datastore.writable_from:
        reason = f"is not mounted for writing on the host of {machine.name}"
    if reason is not None:
        yield Blocker("datastore_unsuitable", f"Datastore {datastore.name} {reason}.", hint, datastore.name)
    if datastore.free_bytes is not None and datastore.free_bytes < _FREE_BYTES:
        yield Blocker(
            "datastore_full",
            f"Datastore {datastore.name} has {datastore.free_bytes} bytes free.",
            f"Free some megabytes. {hint}",
            datastore.name,
        )


def _is_before_vmfs_5(version: str | None) -> bool:
    major = (version or "").split(".")[0]
    return major.isdigit() and int(major) < 5


def _exists(file: str, why: str) -> Blocker:
    return Blocker(
        "target_file_exists",
        f"{file} exists, and {why}.",
        "Look at it on the host; move or delete it, or name another place with datastore and directory.",
        file,
    )


def _of_rights(machine: VirtualMachine, target: Target | None) -> Iterator[Blocker]:
    if target is None:
        return
    for name, missing in (target.missing_privileges or {}).items():
        if missing:
            yield Blocker(
                "no_privilege",
                f"The user has not the privileges {', '.join(missing)} on {name}.",
                "Give the user a role that has them.",
                name,
            )
    if target.license_read_only:
        yield Blocker(
            "license_read_only",
            "The host's licence lets the API read only.",
            "Assign a licence, or make the mapping by hand with vmkfstools in the host's shell (SSH).",
            machine.name,
        )
