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
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Blocker,
    Compatibility,
    Datastore,
    Disk,
    DiskKind,
    FileFacts,
    Inventory,
    Power,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.names import extent_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.record import UnreadableRecord, from_text

# A descriptor and its extent take a few kilobytes; the datastore should not be brought to its last one.
_FREE_BYTES = 16 * 1024**2
# What a reconfigure of this kind, and its undo, call; a disabled method is refused by the server.
_METHODS = frozenset({"ReconfigVM_Task"})


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
) -> tuple[Blocker, ...]:
    """Returns every reason not to bring a disk into the wanted mode, as far as the facts at hand tell."""
    found = [
        *_of_power(machine, power),
        *_of_snapshots(machine, disk),
        *_of_kind(machine, disk),
        *_of_sharing(machine, disk),
        *lun_blockers(inventory, machine, disk),
        *_of_target(machine, target, wanted),
        *_of_place(machine, disk),
        *_of_state(inventory, machine),
        *_of_host(inventory, machine, over_shell),
        *_of_rights(machine, target),
        *_of_records(machine),
        *_of_change_tracking(machine, disk, wanted),
    ]
    return tuple(blocker for blocker in found if not (blocker.overridable and blocker.code in override))


def unchecked_of(
    inventory: Inventory, machine: VirtualMachine, disk: Disk, target: Target | None
) -> tuple[str, ...]:
    """Returns the codes that need a look into a folder or a file, or a question to the server, not yet taken."""
    codes: list[str] = []
    if target is None or target.listing is None:
        codes.append("target_file_exists")
    if disk.extent is None:
        codes.append("mode_disagrees")
    if target is None or target.missing_privileges is None:
        codes.append("no_privilege")
    return tuple(codes)


def _of_power(machine: VirtualMachine, power: str) -> Iterator[Blocker]:
    if machine.power is Power.ON and power == "refuse":
        yield Blocker(
            "vm_powered_on",
            f"{machine.name} is powered on.",
            "Shut it down, or allow it with power: shutdown.",
            machine.name,
        )
    if machine.power is Power.SUSPENDED:
        yield Blocker(
            "vm_suspended",
            f"{machine.name} is suspended; its memory refers to the disk as it is.",
            "Resume it and shut it down.",
            machine.name,
        )


def _of_snapshots(machine: VirtualMachine, disk: Disk) -> Iterator[Blocker]:
    if machine.has_snapshots:
        yield Blocker("has_snapshots", f"{machine.name} has snapshots.", "Remove them all first.", machine.name)
    if disk.parents:
        yield Blocker(
            "is_delta",
            f"{disk.file} is a snapshot's delta on {disk.base_file}.",
            "Remove the snapshots, or consolidate the disks.",
            disk.file,
        )
    if machine.consolidation_needed:
        yield Blocker(
            "needs_consolidation",
            f"The disks of {machine.name} need consolidation.",
            "Consolidate them first.",
            machine.name,
        )
    if machine.linked_clone:
        yield Blocker(
            "linked_clone",
            f"{machine.name} is a linked clone.",
            "Make a full clone of it, and map the LUN there.",
            machine.name,
        )
    if machine.template:
        yield Blocker("vm_is_template", f"{machine.name} is a template.", "Convert it to a VM first.", machine.name)


def _of_kind(machine: VirtualMachine, disk: Disk) -> Iterator[Blocker]:
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
            "Look at it on the host with vmkfstools -q.",
            disk.file,
        )
    elif disk.extent is not None and disk.extent.endswith(("-rdm.vmdk", "-rdmp.vmdk")):
        by_extent = Compatibility.PHYSICAL if disk.extent.endswith("-rdmp.vmdk") else Compatibility.VIRTUAL
        if by_extent is not disk.compatibility:
            yield Blocker(
                "mode_disagrees",
                f"{disk.file} is shown as {disk.compatibility.value}, and its extent {disk.extent} is that of a "
                f"{by_extent.value} mapping.",
                "Look at the mapping on the host with vmkfstools -q; map the LUN anew if the file is not what it says.",
                disk.file,
            )


def _of_sharing(machine: VirtualMachine, disk: Disk) -> Iterator[Blocker]:
    if disk.controller.shared_bus != "none":
        yield Blocker(
            "bus_sharing",
            f"{disk.address} of {machine.name} is on a controller with {disk.controller.shared_bus} bus sharing.",
            "A cluster across hosts needs physical mode; leave the disk as it is.",
            disk.address,
        )
    if disk.sharing not in (None, "none"):
        yield Blocker(
            "multi_writer",
            f"{disk.address} of {machine.name} is shared by several writers.",
            "Take the sharing off first, or leave the disk as it is.",
            disk.address,
        )


def _of_target(machine: VirtualMachine, target: Target | None, wanted: Compatibility) -> Iterator[Blocker]:
    if target is None:
        return
    yield from _of_datastore(machine, target)
    listing = target.listing
    if listing is None:
        return
    extent = extent_of(target.file, wanted)
    if target.file in listing and target.file not in target.own:
        yield _exists(target.file)
    elif target.file not in listing and extent in listing:
        yield _exists(extent)
    elif target.file in listing and listing[target.file].kind is not DiskKind.MAPPING:
        yield _exists(target.file)


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
    elif datastore.version is not None and datastore.version.split(".")[0].isdigit():
        if int(datastore.version.split(".")[0]) < 5:
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


def _exists(file: str) -> Blocker:
    return Blocker(
        "target_file_exists",
        f"{file} exists, and no record of this VM names it as its own mapping.",
        "Look at it on the host; move or delete it, or name another place with datastore and directory.",
        file,
    )


def _of_place(machine: VirtualMachine, disk: Disk) -> Iterator[Blocker]:
    if disk.controller.type == "ide":
        yield Blocker(
            "controller_unsupported",
            f"{disk.address} of {machine.name} is on an IDE controller.",
            "Move the disk to a SCSI, SATA or NVMe controller first.",
            disk.address,
        )
    if disk.controller.type == "scsi" and disk.unit == 7:
        yield Blocker(
            "unit_unusable",
            f"{disk.address} of {machine.name} is the controller's own unit.",
            "Move the disk to another unit first.",
            disk.address,
        )


def _of_state(inventory: Inventory, machine: VirtualMachine) -> Iterator[Blocker]:
    name = machine.name
    if machine.encrypted:
        yield Blocker("encrypted", f"{name} is encrypted.", "Decrypt it first.", name)
    if machine.fault_tolerance:
        yield Blocker("fault_tolerance", f"{name} uses Fault Tolerance.", "Turn it off first.", name)
    if machine.running_task is not None:
        yield Blocker(
            "task_running", f"A task ({machine.running_task}) works on {name}.", "Wait until it has ended.", name
        )
    disabled = sorted(_METHODS & machine.disabled_methods)
    if disabled and machine.power is not Power.ON:
        yield Blocker(
            "method_disabled",
            f"{', '.join(disabled)} is disabled for {name}.",
            "A backup or replication product may have locked it; end its job, or have it enable the method.",
            name,
        )
    if machine.connection_state not in ("connected", "disconnected", "unknown"):
        yield Blocker(
            "vm_inaccessible", f"{name} is {machine.connection_state}.", "Make its files accessible again.", name
        )
    if machine.replicated:
        yield Blocker(
            "replicated",
            f"{name} is replicated (vSphere Replication or Site Recovery Manager).",
            "Take it out of replication first, or override this if the mapping is not part of it.",
            name,
            overridable=True,
        )


def _of_host(inventory: Inventory, machine: VirtualMachine, over_shell: bool) -> Iterator[Blocker]:
    host = inventory.host_of(machine)
    if host is None or host.connection_state != "connected":
        state = "not visible" if host is None else host.connection_state
        yield Blocker(
            "host_unavailable",
            f"The host of {machine.name} is {state}.",
            "Connect the host again.",
            host.name if host else machine.name,
        )
    elif host.maintenance:
        yield Blocker(
            "host_unavailable", f"{host.name} is in maintenance mode.", "End the maintenance first.", host.name
        )
    if over_shell and host is not None and host.management_server:
        yield Blocker(
            "managed_by_vcenter",
            f"{host.name} is managed by the vCenter {host.management_server}.",
            "Work through that vCenter over the API, or override this.",
            host.name,
            overridable=True,
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
            "Work over SSH, where no such licence is needed.",
            machine.name,
        )


def _of_records(machine: VirtualMachine) -> Iterator[Blocker]:
    for address, text in machine.records.items():
        try:
            record = from_text(text)
        except UnreadableRecord:
            continue
        if record.open is not None and record.machine != machine.instance_uuid:
            yield Blocker(
                "record_of_other_vm",
                f"{machine.name} carries the open record of another VM ({record.machine}) for {address}.",
                f"It is a clone; remove winbackup.storage.rdm.{address} from its settings.",
                machine.name,
            )


def _of_change_tracking(machine: VirtualMachine, disk: Disk, wanted: Compatibility) -> Iterator[Blocker]:
    if wanted is Compatibility.PHYSICAL and (machine.change_tracking or disk.change_tracking):
        yield Blocker(
            "cbt_enabled",
            f"Changed block tracking is on for {machine.name}, and a physical mapping has none.",
            "Turn it off first (ctkEnabled).",
            machine.name,
        )
