# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What is worth knowing about a mapping or a LUN, and stops nothing. Pure. All codes stand in docs/codes.md."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import FindingCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.lun import lun_not_found
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    UnreadableJournal,
    from_text,
    from_volume_path,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_index import LunIndex
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Disk,
    HostLun,
    Inventory,
    VirtualMachine,
)

_CONVERT = "Make it virtual with winbackup.storage.rdm_compatibility."


def inventory_findings(inventory: Inventory) -> tuple[Finding, ...]:
    """Returns what could not be read of hosts, datastores and VMs."""
    machines = (
        Finding(
            FindingCode.UNREADABLE,
            "warning",
            f"Of {machine.name} this could not be read: {', '.join(machine.unreadable)}.",
            "Give the user the role Read-only on it, and see that its host is connected.",
            machine.name,
        )
        for machine in inventory.machines.values()
        if machine.unreadable
    )
    return (*inventory.findings, *machines)


def mapping_findings(
    inventory: Inventory, machine: VirtualMachine, disk: Disk, lun_index: LunIndex
) -> tuple[Finding, ...]:
    """Returns the findings of one mapping: its mode, its record, its LUN."""
    found = [
        *_of_mode(machine, disk),
        *_of_records(inventory, machine, disk),
        *_of_use(machine, disk, lun_index, inventory),
    ]
    missing = lun_not_found(inventory, machine, disk)
    if missing is not None:
        found.append(Finding(missing.code, missing.severity, missing.message, missing.hint, missing.object))
    lun = inventory.lun_of(machine, disk)
    if lun is not None:
        found.extend(lun_findings(inventory, lun_index.groups.group(lun), lun_index))
    return tuple(found)


def lun_findings(inventory: Inventory, group: Sequence[HostLun], lun_index: LunIndex) -> tuple[Finding, ...]:
    """Returns the findings of one LUN, given as every host sees it."""
    return (
        *_of_state(group),
        *_of_difference(group),
        *_of_visibility(inventory, group, lun_index),
        *_of_serial(group, lun_index),
    )


def _of_mode(machine: VirtualMachine, disk: Disk) -> Iterator[Finding]:
    where = _where(machine, disk)
    if disk.compatibility is Compatibility.PHYSICAL:
        yield Finding(
            FindingCode.PHYSICAL_COMPATIBILITY,
            "warning",
            f"{disk.file} is in physical compatibility mode; Windows Server Backup was reported to fail with "
            "0x80780034 on such disks.",
            _CONVERT,
            where,
        )
        yield Finding(
            FindingCode.GUEST_PASS_THROUGH_UNSEEN,
            "warning",
            f"Whether the guest of {machine.name} needs SCSI pass-through on {disk.address} cannot be seen here.",
            "Ask who runs the guest: clusters, SAN agents and SMART tools work in physical mode only.",
            where,
        )
    if disk.compatibility is Compatibility.VIRTUAL and disk.disk_mode == "persistent":
        yield Finding(
            FindingCode.NOW_IN_SNAPSHOTS,
            "info",
            f"{disk.file} ({disk.capacity_bytes} bytes) is virtual and persistent, so that snapshots and image backups "
            f"of {machine.name} contain it.",
            "Set disk_mode to independent_persistent if they should not.",
            where,
        )


def _of_records(inventory: Inventory, machine: VirtualMachine, disk: Disk) -> Iterator[Finding]:
    text = machine.records.get(disk.address)
    if text is None:
        return
    where = _where(machine, disk)
    key = f"winbackup.storage.rdm.{disk.address}"
    try:
        record = from_text(text)
    except UnreadableJournal:
        yield Finding(
            FindingCode.RECORD_UNREADABLE,
            "error",
            f"The record of {disk.address} of {machine.name} cannot be read.",
            f"Look at {key} of the VM; if no conversion is under way, remove it.",
            where,
        )
        return
    if record.machine != machine.instance_uuid:
        if record.notes:
            yield Finding(
                FindingCode.NOTE_OF_OTHER_VM,
                "info",
                f"{machine.name} carries a note of another VM ({record.machine}) about {disk.address}.",
                f"It is a clone; {key} may be removed from its settings.",
                where,
            )
        return
    if record.open is not None:
        yield Finding(
            FindingCode.CONVERSION_OPEN,
            "warning",
            f"A conversion of {disk.address} to {record.open.wanted.value} stands at step {record.open.step}.",
            "Run winbackup.storage.rdm_compatibility for the VM again; it finishes or undoes what is open.",
            where,
        )
    for note in record.notes:
        yield Finding(
            FindingCode.OLD_MAPPING_KEPT,
            "info",
            f"The old {note.mode.value} mapping {from_volume_path(note.old_file, inventory.datastores)} was kept.",
            "Once the disk has proved itself, run winbackup.storage.rdm_compatibility with old_mapping: delete.",
            where,
        )


def _of_use(machine: VirtualMachine, disk: Disk, lun_index: LunIndex, inventory: Inventory) -> Iterator[Finding]:
    others = lun_index.sharing(inventory, machine, disk)
    if others:
        yield Finding(
            FindingCode.LUN_SHARED,
            "warning",
            f"The LUN or the mapping file of {disk.file} is used by {', '.join(other.path for other in others)} too.",
            "Unless they are nodes of one cluster, take it away from all but one.",
            _where(machine, disk),
        )
    lun = inventory.lun_of(machine, disk)
    if lun is None:
        return
    twice = [
        theirs.address
        for other, theirs in lun_index.mappings_of(lun)
        if other.id == machine.id and theirs.address != disk.address
    ]
    if twice:
        yield Finding(
            FindingCode.LUN_MAPPED_TWICE,
            "warning",
            f"{lun.canonical_name} is mapped at {disk.address} and at {', '.join(sorted(twice))} of {machine.name}.",
            "Two paths to one disk inside a guest corrupt it unless the guest knows; remove one.",
            _where(machine, disk),
        )


def _of_state(group: Sequence[HostLun]) -> Iterator[Finding]:
    for lun in group:
        if lun.state != "ok":
            yield Finding(
                FindingCode.LUN_NOT_OK,
                "error",
                f"{lun.canonical_name} is {lun.state} on {lun.host_name}.",
                "Bring the LUN and its paths back.",
                lun.canonical_name,
            )
        dead = [path.name for path in lun.paths if path.state == "dead"]
        if dead:
            yield Finding(
                FindingCode.LUN_PATH_DEAD,
                "warning",
                f"{lun.host_name} has {len(dead)} dead of {len(lun.paths)} paths to {lun.canonical_name}: "
                f"{', '.join(dead)}.",
                "See to the adapter, the cable, the switch and the array.",
                lun.canonical_name,
            )


def _of_difference(group: Sequence[HostLun]) -> Iterator[Finding]:
    name = group[0].canonical_name
    if len({lun.capacity_bytes for lun in group}) > 1:
        sizes = ", ".join(f"{lun.capacity_bytes} bytes on {lun.host_name}" for lun in group)
        yield Finding(
            FindingCode.LUN_SIZE_DIFFERS, "warning", f"{name} has {sizes}.", "Rescan the storage of the hosts.", name
        )
    if len({lun.vml for lun in group}) > 1:
        ids = ", ".join(f"{lun.vml} on {lun.host_name}" for lun in group)
        yield Finding(
            FindingCode.VML_DIFFERS,
            "info",
            f"{name} has {ids}.",
            "Compare LUNs of several hosts by their canonical names; present it with one LUN number for vMotion.",
            name,
        )


def _of_visibility(inventory: Inventory, group: Sequence[HostLun], lun_index: LunIndex) -> Iterator[Finding]:
    """A mapped LUN that is not local should be seen by the sibling hosts, else its VM cannot run there."""
    if any(lun.local is not False for lun in group) or not lun_index.mappings_of(group[0]):
        return
    seeing = {lun.host for lun in group}
    datacenters = {host.datacenter for host in inventory.hosts.values() if host.id in seeing}
    missing = sorted(
        host.name
        for host in inventory.hosts.values()
        if host.id not in seeing and host.luns is not None and host.datacenter in datacenters
    )
    if missing:
        name = group[0].canonical_name
        yield Finding(
            FindingCode.LUN_NOT_ON_EVERY_HOST,
            "info",
            f"{name} is seen by {', '.join(sorted(lun.host_name for lun in group))} and not by {', '.join(missing)}.",
            "Present it to every host on which the VM is to run.",
            name,
        )


def _of_serial(group: Sequence[HostLun], lun_index: LunIndex) -> Iterator[Finding]:
    serials = {lun.serial for lun in group if lun.serial is not None}
    key = lun_index.groups.key(group[0])
    others = {other for serial in serials for other in lun_index.groups.by_serial.get(serial, ()) if other != key}
    if others:
        same = [lun_index.groups.members[other][0] for other in sorted(others)]
        names = ", ".join(f"{lun.canonical_name} on {lun.host_name}" for lun in same)
        yield Finding(
            FindingCode.SERIAL_ON_SEVERAL_LUNS,
            "info",
            f"{group[0].canonical_name} has the serial {', '.join(sorted(serials))}, as has {names}.",
            "Name such LUNs by their canonical names, not by the serial.",
            group[0].canonical_name,
        )


def _where(machine: VirtualMachine, disk: Disk) -> str:
    return f"{machine.name} {disk.address}"
