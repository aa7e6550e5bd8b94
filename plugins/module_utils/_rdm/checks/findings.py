# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What is worth knowing about a mapping or a LUN, and stops nothing. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import FindingCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.lun import is_working, lun_not_found
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import ONLY_RECORDED
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    JOURNAL_KEY,
    UnreadableJournal,
    from_volume_path,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_index import LunIndex
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_names import names_for_all, plain_name
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Disk,
    Host,
    Inventory,
    VirtualMachine,
    split_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import (
    Part,
    Unreadable,
    listed,
    see_that_it_can_be_read,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.unread import (
    Unread,
    counted,
    maps_unknown,
    some_of,
)

_READABLE = see_that_it_can_be_read("it", "its host is connected")
_CONVERT = "Make it virtual with winbackup.storage.rdm_compatibility."


def inventory_findings(inventory: Inventory) -> tuple[Finding, ...]:
    """Returns what could not be read of hosts, datastores and VMs."""
    hosts = (_of_unread_host(host) for host in inventory.hosts.values() if host.unreadable or host.machines is None)
    machines = (_of_unread_machine(machine) for machine in inventory.machines.values() if machine.unreadable)
    unnamed = (_of_unknown_lun(machine) for machine in inventory.machines.values() if _names_no_lun(machine))
    return (
        *inventory.findings,
        *hosts,
        *_of_no_host(inventory),
        *_of_unseen(inventory),
        *_of_unknown_places(inventory),
        *machines,
        *unnamed,
        *_of_records_without_disks(inventory),
    )


def serial_findings(groups: Iterable[Sequence[HostLun]]) -> tuple[Finding, ...]:
    """Returns one finding for all of these LUNs, given as every host sees them, whose serial another of them has."""
    by_serial: dict[str, list[HostLun]] = {}
    for group in groups:
        for serial in sorted({lun.serial for lun in group if lun.serial is not None}):
            by_serial.setdefault(serial, []).append(group[0])
    repeated = {serial: luns for serial, luns in by_serial.items() if len(luns) > 1}
    if not repeated:
        return ()
    serial, luns = max(repeated.items(), key=lambda entry: (len(entry[1]), entry[0]))
    names = some_of(tuple(sorted(lun.canonical_name for lun in luns)))
    others = f" So have {len(repeated) - 1} more serials several LUNs." if len(repeated) > 1 else ""
    return (
        Finding(
            FindingCode.SERIAL_NOT_UNIQUE,
            "info",
            f"{len(luns)} LUNs have the serial {serial}: {names}.{others}",
            "Name such LUNs by their canonical names, not by the serial.",
            serial,
        ),
    )


def pass_through_findings(disks: Iterable[Disk]) -> tuple[Finding, ...]:
    """Returns the one finding for all physical mappings, that what their guests need cannot be seen."""
    physical = sum(disk.compatibility is Compatibility.PHYSICAL for disk in disks)
    if not physical:
        return ()
    several = "both" if physical == 2 else f"all {physical}"
    which = "the one physical mapping" if physical == 1 else f"{several} physical mappings"
    return (
        Finding(
            FindingCode.GUEST_PASS_THROUGH_UNSEEN,
            "info",
            f"Whether a guest needs SCSI pass-through cannot be seen from outside; that goes for {which}.",
            "Ask who runs the guests: clusters, SAN agents and SMART tools work in physical mode only.",
            "physical mappings",
        ),
    )


def _of_unread_host(host: Host) -> Finding:
    unread = [*host.unreadable, *([Unreadable(Part.MACHINES)] if host.machines is None else [])]
    gone = host.luns is None and host.connection_state != "connected"
    return Finding(
        FindingCode.HOST_UNAVAILABLE if gone else FindingCode.UNREADABLE,
        "warning",
        f"{host.name} is {host.connection_state}: its LUNs could not be read, nor what uses them."
        if gone
        else f"Of {host.name} this could not be read: {listed(unread)}.",
        "Connect the host again." if gone else _READABLE,
        host.name,
    )


def _of_unread_machine(machine: VirtualMachine) -> Finding:
    gone = not machine.disks_known and Unreadable(Part.CONFIGURATION) in machine.unreadable
    return Finding(
        FindingCode.VM_INACCESSIBLE if gone else FindingCode.UNREADABLE,
        "warning",
        f"{machine.name} is {machine.connection_state}, and its configuration could not be read; it may have mappings."
        if gone
        else f"Of {machine.name} this could not be read: {listed(machine.unreadable)}.",
        "Make its files accessible again, or remove it from the inventory." if gone else _READABLE,
        machine.name,
    )


def _names_no_lun(machine: VirtualMachine) -> bool:
    return machine.disks_known and maps_unknown(machine)


def _of_unknown_lun(machine: VirtualMachine) -> Finding:
    return Finding(
        FindingCode.UNREADABLE,
        "warning",
        f"{machine.name} has a disk that does not tell which LUN it maps, or whether it maps one.",
        "Look at its files on the host with vmkfstools -q.",
        machine.name,
    )


def _of_no_host(inventory: Inventory) -> Iterator[Finding]:
    """Who may see nothing is told that there is nothing: no server of use has no host."""
    if not inventory.hosts and inventory.complete:
        yield Finding(
            FindingCode.UNREADABLE,
            "warning",
            f"The user sees no host of {inventory.server}, and so no LUN; there may be hosts, and VMs with mappings.",
            "Give the user the role Read-only on the server, propagated to its children.",
            inventory.server,
        )


def _of_unseen(inventory: Inventory) -> Iterator[Finding]:
    unread = Unread.of(inventory)
    unseen = (*(machine_id for _host, machine_id in unread.unseen_machines), *sorted(inventory.unseen_hosts))
    if unseen:
        yield Finding(
            FindingCode.UNREADABLE,
            "warning",
            f"{counted(unseen)} that hosts, clusters or datastores name could not be read: {some_of(unseen)}.",
            _READABLE,
            inventory.server,
        )
    datastores = _unseen_datastores(inventory)
    if datastores:
        yield Finding(
            FindingCode.UNREADABLE,
            "warning",
            f"{'1 datastore' if len(datastores) == 1 else f'{len(datastores)} datastores'} that disks of VMs lie on "
            f"could not be read: {some_of(datastores)}. No mapping files are looked for there.",
            _READABLE,
            inventory.server,
        )


def _of_unknown_places(inventory: Inventory) -> Iterator[Finding]:
    names = (
        *(machine.name for machine in inventory.machines.values() if not machine.place_known),
        *(host.name for host in inventory.hosts.values() if not host.place_known),
    )
    if names and inventory.complete:
        yield Finding(
            FindingCode.UNREADABLE,
            "warning",
            f"Where {counted(names)} {'is' if len(names) == 1 else 'are'} in the inventory could not be read: "
            f"{some_of(names)}. The option datacenter leaves out VMs whose datacenter is not known.",
            "Give the user the role Read-only on the folders, datacenters and clusters that they lie in.",
            inventory.server,
        )


def _unseen_datastores(inventory: Inventory) -> tuple[str, ...]:
    """Returns the names, as files have them, of datastores that disks lie on and that the user does not see."""
    if not inventory.complete:
        return ()
    unseen = {
        disk.datastore: split_file(disk.file)[0]
        for machine in inventory.machines.values()
        for disk in machine.disks
        if disk.datastore and disk.datastore not in inventory.datastores
    }
    return tuple(sorted(unseen.values()))


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
        found.extend(_of_lun_number(machine, disk, lun))
        found.extend(lun_findings(inventory, lun_index.groups.group(lun), lun_index))
    return tuple(found)


def lun_findings(inventory: Inventory, group: Sequence[HostLun], lun_index: LunIndex) -> tuple[Finding, ...]:
    """Returns the findings of one LUN, given as every host sees it."""
    return (
        *_of_state(group),
        *_of_difference(group),
        *_of_visibility(inventory, group, lun_index),
    )


def _of_mode(machine: VirtualMachine, disk: Disk) -> Iterator[Finding]:
    if disk.key == ONLY_RECORDED:
        return
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
    told = any(one.of == disk.label and one.part is Part.COMPATIBILITY for one in machine.unreadable)
    if disk.compatibility is None and not told:
        yield Finding(
            FindingCode.UNREADABLE,
            "warning",
            f"The compatibility mode of {disk.file} could not be read.",
            "Look at it on the host with vmkfstools -q.",
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
    journal = machine.journal.get(disk.address)
    if journal is None:
        return
    where = _where(machine, disk)
    key = JOURNAL_KEY + disk.address
    if isinstance(journal, UnreadableJournal):
        yield _of_unreadable_record(machine, journal, where)
        return
    if journal.machine != machine.instance_uuid:
        if journal.kept:
            yield Finding(
                FindingCode.NOTE_OF_OTHER_VM,
                "info",
                f"{machine.name} carries a note of another VM ({journal.machine}) about {disk.address}.",
                f"It is a clone; {key} may be removed from its settings.",
                where,
            )
        return
    if journal.entry is not None:
        detached = " Nothing hangs at that address now." if disk.key == ONLY_RECORDED else ""
        yield Finding(
            FindingCode.CONVERSION_OPEN,
            "warning",
            f"A conversion of {disk.address} to {journal.entry.wanted.value} stands at step {journal.entry.step}."
            f"{detached}",
            "Run winbackup.storage.rdm_compatibility for the VM again; it finishes or undoes what is open.",
            where,
        )
    for note in journal.kept:
        yield Finding(
            FindingCode.OLD_MAPPING_KEPT,
            "info",
            f"The old {note.mode.value} mapping {from_volume_path(note.old_file, inventory.datastores)} was kept.",
            "Once the disk has proved itself, run winbackup.storage.rdm_compatibility with old_mapping: delete.",
            where,
        )


def _of_unreadable_record(machine: VirtualMachine, journal: UnreadableJournal, where: str) -> Finding:
    return Finding(
        FindingCode.RECORD_UNREADABLE,
        "error",
        f"The record {journal.key} of {machine.name} cannot be read: {journal.why}.",
        f"Look at {journal.key} in the settings of the VM, and at the file beside its .vmx that is called so; if no "
        "conversion is under way, remove it.",
        where,
    )


def _of_records_without_disks(inventory: Inventory) -> Iterator[Finding]:
    """A record that nobody can read may be that of a disk which was left detached."""
    for machine in inventory.machines.values():
        attached = {disk.address for disk in machine.mappings} if machine.journal else set()
        for address, journal in machine.journal.items():
            if isinstance(journal, UnreadableJournal) and address not in attached:
                yield _of_unreadable_record(machine, journal, f"{machine.name} {address}")


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


def _of_lun_number(machine: VirtualMachine, disk: Disk, lun: HostLun) -> Iterator[Finding]:
    """A mapping's vml id holds the LUN number that the LUN had when it was mapped (KB 318949, KB 379673)."""
    mapped, shown = plain_name(disk.lun_uuid), plain_name(lun.uuid)
    if mapped in (None, shown) or set(names_for_all(mapped)).isdisjoint(names_for_all(shown)):
        return
    yield Finding(
        FindingCode.LUN_NUMBER_DIFFERS,
        "warning",
        f"{disk.file} names {lun.canonical_name} by another LUN number (vml.{mapped}) than {lun.host_name} shows it "
        f"(vml.{shown}).",
        "It is the same LUN. Present it by one LUN number to every host; or make the mapping anew, which then names it "
        "as the host does.",
        _where(machine, disk),
    )


def _of_state(group: Sequence[HostLun]) -> Iterator[Finding]:
    for lun in group:
        if is_working(lun) is False:
            yield Finding(
                FindingCode.LUN_NOT_OK,
                "error",
                f"{lun.canonical_name} is {lun.state} on {lun.host_name}.",
                "Bring the LUN and its paths back.",
                lun.canonical_name,
            )
        elif "degraded" in (lun.state or ""):
            yield Finding(
                FindingCode.LUN_DEGRADED,
                "warning",
                f"{lun.canonical_name} is degraded on {lun.host_name}: one path is left, and I/O goes on.",
                "See to the other paths: adapter, cable, switch and array.",
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


def _where(machine: VirtualMachine, disk: Disk) -> str:
    return f"{machine.name} {disk.address}"
