# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What stands against a conversion on the side of the VM: its power, its snapshots, its host, its records. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import JOURNAL_KEY, UnreadableJournal
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Disk,
    Inventory,
    Power,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import (
    Part,
    Unreadable,
    listed,
    see_that_it_can_be_read,
)

_READABLE = see_that_it_can_be_read("it", "its host is connected")
_BROWSE = "See that the datastore of its .vmx is accessible, and that the user may browse it (Datastore.Browse)."
# Facts without which a VM that has snapshots, or an open conversion, would pass for one that has none.
_NEEDED = frozenset(
    {
        Part.CONFIGURATION,
        Part.CHANGE_TRACKING,
        Part.SETTINGS,
        Part.DISKS,
        Part.ENCRYPTION,
        Part.REPLICATION,
        Part.TEMPLATE,
        Part.LOCKS,
        Part.TASKS,
        Part.CONNECTION_STATE,
        Part.CONSOLIDATION,
        Part.FAULT_TOLERANCE,
        Part.HOST,
        Part.INSTANCE_UUID,
        Part.POWER_STATE,
        Part.SNAPSHOTS,
        Part.OTHER,
    }
)
# Where the records stand, and which of them are the VM's own.
_TELLS_THE_JOURNAL = frozenset({Part.CONFIGURATION, Part.SETTINGS, Part.INSTANCE_UUID, Part.OTHER})


def check_power(machine: VirtualMachine, power: str) -> Iterator[Finding]:
    """Yields what its power state is in the way of; `power` is what the user allows."""
    if machine.power is Power.ON and power == "refuse":
        yield Finding.blocker(
            BlockerCode.VM_POWERED_ON,
            f"{machine.name} is powered on.",
            "Shut it down, or allow it with power: shutdown.",
            machine.name,
        )
    if machine.power is Power.SUSPENDED:
        yield Finding.blocker(
            BlockerCode.VM_SUSPENDED,
            f"{machine.name} is suspended; its memory refers to the disk as it is.",
            "Resume it and shut it down.",
            machine.name,
        )


def check_snapshots(machine: VirtualMachine, disk: Disk) -> Iterator[Finding]:
    """Yields snapshots, deltas and what else makes the disk's file not the mapping alone."""
    if machine.has_snapshots:
        yield Finding.blocker(
            BlockerCode.HAS_SNAPSHOTS, f"{machine.name} has snapshots.", "Remove them all first.", machine.name
        )
    if disk.parents:
        yield Finding.blocker(
            BlockerCode.IS_DELTA,
            f"{disk.file} is a snapshot's delta on {disk.base_file}.",
            "Remove the snapshots, or consolidate the disks.",
            disk.file,
        )
    if disk.disk_mode is not None and "nonpersistent" in disk.disk_mode:
        yield Finding.blocker(
            BlockerCode.IS_DELTA,
            f"{disk.address} of {machine.name} is {disk.disk_mode}: its writes go to a redo log, not to the LUN.",
            "Set its disk mode to persistent first.",
            disk.file,
        )
    if machine.consolidation_needed:
        yield Finding.blocker(
            BlockerCode.NEEDS_CONSOLIDATION,
            f"The disks of {machine.name} need consolidation.",
            "Consolidate them first.",
            machine.name,
        )
    if machine.linked_clone:
        yield Finding.blocker(
            BlockerCode.LINKED_CLONE,
            f"{machine.name} is a linked clone.",
            "Make a full clone of it, and map the LUN there.",
            machine.name,
        )
    if machine.template:
        yield Finding.blocker(
            BlockerCode.VM_IS_TEMPLATE, f"{machine.name} is a template.", "Convert it to a VM first.", machine.name
        )


def check_address(machine: VirtualMachine, disk: Disk) -> Iterator[Finding]:
    """Yields why no mapping can be attached where the disk hangs."""
    if disk.controller.type not in ("scsi", "sata", "nvme"):
        yield Finding.blocker(
            BlockerCode.CONTROLLER_UNSUPPORTED,
            f"{disk.address} of {machine.name} is on a controller of type {disk.controller.type}.",
            "Move the disk to a SCSI, SATA or NVMe controller first.",
            f"{machine.name} {disk.address}",
        )
    if disk.unit < 0 or (disk.controller.type == "scsi" and disk.unit == 7):
        yield Finding.blocker(
            BlockerCode.UNIT_UNUSABLE,
            f"{disk.address} of {machine.name} is no unit for a disk (7 is the controller's own on SCSI).",
            "Move the disk to another unit first.",
            f"{machine.name} {disk.address}",
        )


def check_state(machine: VirtualMachine, disk: Disk) -> Iterator[Finding]:
    """Yields what else the VM is, or is busy with, that forbids a reconfigure of its disks."""
    name = machine.name
    if machine.encrypted:
        yield Finding.blocker(BlockerCode.ENCRYPTED, f"{name} is encrypted.", "Decrypt it first.", name)
    if machine.fault_tolerance:
        yield Finding.blocker(BlockerCode.FAULT_TOLERANCE, f"{name} uses Fault Tolerance.", "Turn it off first.", name)
    if machine.running_task is not None:
        yield Finding.blocker(
            BlockerCode.TASK_RUNNING,
            f"A task ({machine.running_task}) works on {name}.",
            "Wait until it has ended.",
            name,
        )
    if machine.reconfigure_disabled and machine.power is not Power.ON:
        yield Finding.blocker(
            BlockerCode.METHOD_DISABLED,
            f"Changing the hardware of {name} is disabled.",
            "A backup or replication product may have locked it; end its job, or have it enable the change.",
            name,
        )
    if machine.connection_state not in ("connected", "disconnected", "unknown"):
        yield Finding.blocker(
            BlockerCode.VM_INACCESSIBLE,
            f"{name} is {machine.connection_state}.",
            "Make its files accessible again.",
            name,
        )
    yield from check_reading(machine, disk)
    if machine.replicated:
        yield Finding.blocker(
            BlockerCode.REPLICATED,
            f"{name} is replicated (vSphere Replication or Site Recovery Manager).",
            "Take it out of replication first, or set override: [replicated] if the mapping is not part of it.",
            name,
            overridable=True,
        )


def check_journal_reading(machine: VirtualMachine) -> Iterator[Finding]:
    """Yields what could not be read of a VM so that nobody knows whether a conversion of it is open."""
    yield from _unread(machine, [one for one in machine.unreadable if one.part in _TELLS_THE_JOURNAL])


def check_record_files(machine: VirtualMachine) -> Iterator[Finding]:
    """Yields that nobody knows whether a run over the host's shell has recorded something beside the VM."""
    yield from _unread(machine, [one for one in machine.unreadable if one.part is Part.RECORD_FILES])


def check_reading(machine: VirtualMachine, disk: Disk | None = None) -> Iterator[Finding]:
    """Yields what could not be read of a VM, and of a disk of it, and has to be known."""
    unread = [one for one in machine.unreadable if (one.of == disk.label if one.of and disk else one.part in _NEEDED)]
    yield from _unread(machine, unread)


def _unread(machine: VirtualMachine, unread: Sequence[Unreadable]) -> Iterator[Finding]:
    if unread:
        yield Finding.blocker(
            BlockerCode.VM_INACCESSIBLE,
            f"Of {machine.name} this could not be read: {listed(unread)}.",
            _BROWSE if any(one.part is Part.RECORD_FILES for one in unread) else _READABLE,
            machine.name,
        )


def check_host(inventory: Inventory, machine: VirtualMachine) -> Iterator[Finding]:
    """Yields what is wrong with the host that the VM is registered on."""
    host = inventory.host_of(machine)
    if host is None or host.connection_state != "connected":
        state = "not visible" if host is None else host.connection_state
        yield Finding.blocker(
            BlockerCode.HOST_UNAVAILABLE,
            f"The host of {machine.name} is {state}.",
            "Connect the host again.",
            host.name if host else machine.name,
        )
    elif host.maintenance:
        yield Finding.blocker(
            BlockerCode.HOST_UNAVAILABLE,
            f"{host.name} is in maintenance mode.",
            "End the maintenance first.",
            host.name,
        )
    if inventory.over_shell and host is not None and host.management_server:
        yield Finding.blocker(
            BlockerCode.MANAGED_BY_VCENTER,
            f"{host.name} is managed by the vCenter {host.management_server}.",
            "Work through that vCenter over the API, or set override: [managed_by_vcenter].",
            host.name,
            overridable=True,
        )


def check_journal(machine: VirtualMachine) -> Iterator[Finding]:
    """Yields records that cannot be read, and open ones that a clone took over from the VM it was made from."""
    for address, journal in machine.journal.items():
        if isinstance(journal, UnreadableJournal):
            yield Finding.blocker(
                BlockerCode.RECORD_UNREADABLE,
                f"The record {journal.key} of {machine.name} cannot be read: {journal.why}.",
                f"Look at {journal.key} in the settings of the VM, and at the file beside its .vmx that is called so; "
                "if no conversion is under way, remove it.",
                machine.name,
            )
        elif journal.entry is not None and journal.machine != machine.instance_uuid:
            yield Finding.blocker(
                BlockerCode.RECORD_OF_OTHER_VM,
                f"{machine.name} carries the open record of another VM ({journal.machine}) for {address}.",
                f"It is a clone; remove {JOURNAL_KEY}{address} from its settings.",
                machine.name,
            )


def check_change_tracking(machine: VirtualMachine, disk: Disk, wanted: Compatibility) -> Iterator[Finding]:
    """Yields changed block tracking where the mapping is to become physical."""
    if wanted is Compatibility.PHYSICAL and (machine.change_tracking or disk.change_tracking):
        yield Finding.blocker(
            BlockerCode.CBT_ENABLED,
            f"Changed block tracking is on for {machine.name}, and a physical mapping has none.",
            "Turn it off first (ctkEnabled).",
            machine.name,
        )
