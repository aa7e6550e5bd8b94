# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""From the names that a user gives to the objects that they mean. Pure.

Nothing is guessed: a name that means nothing, or more than one thing, is a SelectionError that says what there is.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import SelectionError
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_index import LunGroups, LunKey
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_names import (
    names_for_all,
    plain_name,
    spellings,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Disk,
    DiskKind,
    Inventory,
    VirtualMachine,
)

# How many candidates an error lists; the rest is counted.
_LISTED = 20


def select_machine(inventory: Inventory, name: str) -> VirtualMachine:
    """Returns the one VM of that name, inventory path, instance UUID or managed object id; raises SelectionError."""
    try:
        return _one_machine(tuple(inventory.machines.values()), name)
    except SelectionError as error:
        raise _as_far_as_read(inventory, error) from error


def select_machines(inventory: Inventory, names: Sequence[str], datacenter: str | None) -> tuple[VirtualMachine, ...]:
    """Returns the named VMs, each once, all where no name is given; raises SelectionError for every name at once."""
    machines = tuple(inventory.machines.values())
    if datacenter is not None:
        known = {host.datacenter for host in inventory.hosts.values()} | {machine.datacenter for machine in machines}
        if datacenter not in known:
            raise SelectionError(
                f"There is no datacenter {datacenter!r}.",
                hint=_there_are(name for name in known if name is not None),
            )
        machines = tuple(machine for machine in machines if machine.datacenter == datacenter)
    if not names:
        return machines
    chosen: dict[str, VirtualMachine] = {}
    errors: list[SelectionError] = []
    for name in names:
        try:
            machine = _one_machine(machines, name)
        except SelectionError as error:
            errors.append(error)
        else:
            chosen.setdefault(machine.id, machine)
    _raise_all([_as_far_as_read(inventory, error) for error in errors])
    return tuple(chosen.values())


def select_hosts(inventory: Inventory, names: Sequence[str]) -> frozenset[str] | None:
    """Returns the ids of the named hosts (name or managed object id); None, for all, where no name is given."""
    if not names:
        return None
    chosen: set[str] = set()
    errors: list[SelectionError] = []
    for name in names:
        found = [host for host in inventory.hosts.values() if name == host.id or name.lower() == host.name.lower()]
        if len(found) == 1:
            chosen.add(found[0].id)
        elif found:
            listed = _listed(f"{host.name} ({host.id}, {host.datacenter})" for host in found)
            errors.append(SelectionError(f"{len(found)} hosts are meant by {name!r}: {listed}.", hint="Name the id."))
        else:
            there = _there_are(host.name for host in inventory.hosts.values())
            errors.append(SelectionError(f"No host is named {name!r}.", hint=there))
    _raise_all(errors)
    return frozenset(chosen)


def select_disks(inventory: Inventory, machine: VirtualMachine, names: Sequence[str]) -> tuple[Disk, ...]:
    """Returns the named disks of a VM in the VM's order; every mapping where no name is given.

    A name is an address, a label, a mapping file, or the canonical name, vml id or serial of the LUN. It may mean a
    disk that is no mapping; that is then a blocker, not an error.
    """
    if not names:
        return machine.mappings
    chosen: set[str] = set()
    errors: list[SelectionError] = []
    for name in names:
        found = [disk for disk in machine.disks if _names_disk(inventory, machine, disk, name)]
        if len(found) == 1:
            chosen.add(found[0].address)
            continue
        listed = _listed(f"{disk.address} ({disk.label}, {disk.file})" for disk in found or machine.disks)
        if found:
            message = f"{name!r} means {len(found)} disks of {machine.name}: {listed}."
            errors.append(SelectionError(message, hint="Name the address."))
        else:
            hint = f"It has {listed}." if machine.disks else "It has no disk."
            errors.append(SelectionError(f"{machine.name} has no disk {name!r}.", hint=hint))
    _raise_all(errors)
    return tuple(disk for disk in machine.disks if disk.address in chosen)


def select_mappings(
    inventory: Inventory,
    machines: Sequence[VirtualMachine],
    luns: Sequence[str],
    compatibility: Compatibility | None,
) -> tuple[tuple[VirtualMachine, Disk], ...]:
    """Returns the mappings of these VMs that have the mode and one of the LUNs; raises SelectionError.

    A LUN is named by canonical name, vml id or serial, and looked up on the hosts of these VMs.
    """
    mappings = [(machine, disk) for machine in machines for disk in machine.mappings]
    if luns:
        chosen = _chosen_by_lun(inventory, machines, mappings, luns)
        mappings = [pair for index, pair in enumerate(mappings) if index in chosen]
    return tuple(pair for pair in mappings if compatibility in (None, pair[1].compatibility))


def _one_machine(machines: Sequence[VirtualMachine], name: str) -> VirtualMachine:
    found = [machine for machine in machines if _names_machine(machine, name)]
    if len(found) == 1:
        return found[0]
    if found:
        listed = _listed(f"{machine.path} ({machine.id}, {machine.instance_uuid})" for machine in found)
        raise SelectionError(
            f"{len(found)} VMs are meant by {name!r}: {listed}.",
            hint="Name the inventory path, the instance UUID or the managed object id.",
        )
    alike = [machine.path for machine in machines if machine.name.casefold() == name.casefold()]
    hint = f"There is {_listed(alike)}." if alike else "See that it is spelled as in the inventory, and may be read."
    raise SelectionError(f"No VM is named {name!r}.", hint=hint)


def _names_machine(machine: VirtualMachine, name: str) -> bool:
    if name in (machine.id, machine.name, machine.path):
        return True
    return machine.instance_uuid is not None and name.lower() == machine.instance_uuid.lower()


def _names_disk(inventory: Inventory, machine: VirtualMachine, disk: Disk, name: str) -> bool:
    if name in (disk.address, disk.label, disk.file, disk.base_file):
        return True
    luns = inventory.luns_of(machine, disk) if disk.kind is DiskKind.MAPPING else ()
    return any(_names_lun(lun, name) for lun in luns) or _is_vml_of(disk, name)


def _names_lun(lun: HostLun, name: str) -> bool:
    if name.strip() in (lun.canonical_name, lun.serial):
        return True
    plain = {plain_name(known) for known in (*lun.names, lun.canonical_name, lun.uuid)}
    return not spellings(name).isdisjoint(plain)


def _is_vml_of(disk: Disk, name: str) -> bool:
    """Tells whether the name is one in the mapping itself; that works also where the host lacks the LUN."""
    known = {*names_for_all(disk.lun_uuid), plain_name(disk.lun_uuid), plain_name(disk.device_name)}
    return not spellings(name).isdisjoint(known)


def select_luns(groups: LunGroups, keys: Sequence[LunKey], names: Sequence[str]) -> list[LunKey]:
    """Returns those of these LUNs that are named by canonical name, vml id, world wide name or serial.

    Raises SelectionError for names that mean none of them, or several.
    """
    chosen: dict[LunKey, None] = {}
    errors: list[SelectionError] = []
    for name in names:
        found = {
            key: groups.members[key][0] for key in keys if any(_names_lun(lun, name) for lun in groups.members[key])
        }
        if len(found) == 1:
            chosen.update(dict.fromkeys(found))
        elif found:
            errors.append(_several_luns(name, found.values()))
        else:
            errors.append(
                SelectionError(f"No LUN is named {name!r}.", hint="Leave the option out to see all there are.")
            )
    _raise_all(errors)
    return list(chosen)


def _several_luns(name: str, found: Collection[HostLun]) -> SelectionError:
    listed = _listed(f"{lun.canonical_name} on {lun.host_name}" for lun in found)
    return SelectionError(
        f"{len(found)} LUNs are meant by {name!r}: {listed}.",
        hint="Name the canonical name, or the hosts or VMs of the one you mean.",
    )


def _chosen_by_lun(
    inventory: Inventory,
    machines: Sequence[VirtualMachine],
    mappings: Sequence[tuple[VirtualMachine, Disk]],
    names: Sequence[str],
) -> frozenset[int]:
    """Returns the places in `mappings` of those that map one of the named LUNs."""
    host_ids = {machine.host for machine in machines}
    seen = [lun for host in inventory.hosts.values() if host.id in host_ids for lun in host.luns or ()]
    groups = LunGroups.of(inventory)
    mapped = [groups.keys(inventory.luns_of(machine, disk)) for machine, disk in mappings]
    chosen: set[int] = set()
    errors: list[SelectionError] = []
    for name in names:
        found = {groups.key(lun): lun for lun in seen if _names_lun(lun, name)}
        if len(found) > 1:
            errors.append(_several_luns(name, found.values()))
            continue
        matching = {
            index
            for index, (_machine, disk) in enumerate(mappings)
            if mapped[index] & found.keys() or (not mapped[index] and _is_vml_of(disk, name))
        }
        if not found and not matching:
            errors.append(
                SelectionError(
                    f"No LUN is named {name!r} on the hosts of the chosen VMs.",
                    hint="See winbackup.storage.lun_info for the canonical names, vml ids and serials there are.",
                )
            )
        chosen |= matching
    _raise_all(errors)
    return frozenset(chosen)


def _as_far_as_read(inventory: Inventory, error: SelectionError) -> SelectionError:
    """Returns the error; where not all was read, it says so."""
    if inventory.complete:
        return error
    return SelectionError(
        f"{error.message} But the inventory was not read to its end.", hint="Run again, with a larger timeout."
    )


def _raise_all(errors: Sequence[SelectionError]) -> None:
    if len(errors) == 1:
        raise errors[0]
    if errors:
        raise SelectionError(" ".join(str(error) for error in errors))


def _there_are(names: Iterable[str]) -> str:
    listed = _listed(sorted(names))
    return f"There is {listed}." if listed else "There is none that the user may see."


def _listed(candidates: Iterable[str]) -> str:
    every = list(candidates)
    more = f" and {len(every) - _LISTED} more" if len(every) > _LISTED else ""
    return ", ".join(every[:_LISTED]) + more
