# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Which LUNs of several hosts are one LUN, and who uses it. Pure.

Only names that are good on every host join what two hosts see (KB 1016210: a vml id holds the LUN number, which each
host may give its own). A host sees a LUN once; names that would join two LUNs of one host therefore join nothing.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    JournalEntry,
    own_entries,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_names import names_for_all
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Disk, Inventory, VirtualMachine
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.unread import Unread

# (host, canonical name): what tells a LUN from all others of one reading.
LunKey = tuple[str, str]


@dataclass(frozen=True)
class LunGroups:
    """The LUNs of all hosts, joined. A key is the least sighting of a LUN, whatever the order of reading."""

    key_of: Mapping[LunKey, LunKey]
    members: Mapping[LunKey, tuple[HostLun, ...]]
    ids_of: Mapping[LunKey, frozenset[str]]

    @classmethod
    def of(cls, inventory: Inventory) -> LunGroups:
        """Returns the groups of all LUNs that the hosts show."""
        # One key object each: a site has a hundred thousand sightings.
        luns = {_lun_key(lun): lun for host in inventory.hosts.values() for lun in host.luns or ()}
        parent: dict[LunKey, LunKey] = {key: key for key in luns}

        def root(sighting: LunKey) -> LunKey:
            while parent[sighting] != sighting:
                parent[sighting] = parent[parent[sighting]]
                sighting = parent[sighting]
            return sighting

        by_name: dict[str, list[LunKey]] = defaultdict(list)
        for key, lun in luns.items():
            for name in _identities(lun):
                by_name[name].append(key)
        for sightings in by_name.values():
            if len({host for host, _name in sightings}) < len(set(sightings)):
                continue
            for sighting in sightings[1:]:
                parent[root(sighting)] = root(sightings[0])
        joined: dict[LunKey, dict[LunKey, HostLun]] = defaultdict(dict)
        for key, lun in luns.items():
            joined[root(key)][key] = lun
        key_of: dict[LunKey, LunKey] = {}
        members: dict[LunKey, tuple[HostLun, ...]] = {}
        for group in joined.values():
            hosts = Counter(host for host, _name in group)
            parts = [group] if max(hosts.values()) == 1 else [{sighting: group[sighting]} for sighting in group]
            for part in parts:
                key = min(part)
                key_of.update(dict.fromkeys(part, key))
                members[key] = tuple(part[sighting] for sighting in sorted(part))
        ids_of = {
            key: frozenset(
                name for lun in group for device in (lun.uuid, *lun.durable_names) for name in names_for_all(device)
            )
            for key, group in members.items()
        }
        return cls(key_of, members, ids_of)

    def key(self, lun: HostLun) -> LunKey:
        """Returns the key of the LUN; its own sighting where it is not of this reading."""
        return self.key_of.get(_lun_key(lun), _lun_key(lun))

    def keys(self, luns: Iterable[HostLun]) -> frozenset[LunKey]:
        """Returns the keys of several LUNs."""
        return frozenset(self.key(lun) for lun in luns)

    def ids(self, lun: HostLun) -> frozenset[str]:
        """Returns every name and id that means the LUN on all hosts, as any host tells it."""
        return self.ids_of.get(self.key(lun), frozenset())

    def group(self, lun: HostLun) -> tuple[HostLun, ...]:
        """Returns the LUN as every host sees it, in the order of the hosts' ids."""
        return self.members.get(self.key(lun), (lun,))


@dataclass(frozen=True)
class _Mapping:
    """A mapping, and the LUNs that its own host means by its ids: one, none, or several.

    Its ids join it to mappings of other hosts only where one of the two hosts does not show the LUN: LUNs that hosts
    show are told apart by their names, also where two have one serial.
    """

    machine: VirtualMachine
    disk: Disk
    keys: frozenset[LunKey]

    def is_joined_to(self, other: _Mapping) -> bool:
        """Tells whether an id that both have means one LUN."""
        return not self.keys or not other.keys


@dataclass(frozen=True)
class LunIndex:
    """Who maps what: the mappings by LUN, by id and by file, the detached ones that stand in a journal alone, and who
    could not be asked."""

    groups: LunGroups
    by_lun: Mapping[LunKey, tuple[_Mapping, ...]]
    by_id: Mapping[str, tuple[_Mapping, ...]]
    by_file: Mapping[tuple[str | None, str], tuple[_Mapping, ...]]
    detached: tuple[tuple[VirtualMachine, JournalEntry], ...]
    unread: Unread

    @classmethod
    def of(cls, inventory: Inventory) -> LunIndex:
        """Returns the index of everything in an inventory."""
        groups = LunGroups.of(inventory)
        by_lun: dict[LunKey, list[_Mapping]] = defaultdict(list)
        by_id: dict[str, list[_Mapping]] = defaultdict(list)
        by_file: dict[tuple[str | None, str], list[_Mapping]] = defaultdict(list)
        detached: list[tuple[VirtualMachine, JournalEntry]] = []
        for machine in inventory.machines.values():
            for disk in machine.mappings:
                luns = inventory.luns_of(machine, disk)
                mapping = _Mapping(machine, disk, groups.keys(luns))
                by_file[(machine.datacenter, disk.base_file)].append(mapping)
                for key in mapping.keys:
                    by_lun[key].append(mapping)
                for name in {*_ids_of_disk(disk), *(name for lun in luns for name in groups.ids(lun))}:
                    by_id[name].append(mapping)
            detached.extend((machine, record) for record in _detached(machine))
        return cls(
            groups,
            {key: tuple(users) for key, users in by_lun.items()},
            {name: tuple(users) for name, users in by_id.items()},
            {file: tuple(users) for file, users in by_file.items()},
            tuple(detached),
            Unread.of(inventory),
        )

    def mappings_of(self, lun: HostLun) -> tuple[tuple[VirtualMachine, Disk], ...]:
        """Returns every mapping of the LUN, on whatever host, also where that host does not show it."""
        found = list(self.by_lun.get(self.groups.key(lun), ()))
        for name in self.groups.ids(lun):
            found.extend(mapping for mapping in self.by_id.get(name, ()) if not mapping.keys)
        return tuple({(user.machine.id, user.disk.key): (user.machine, user.disk) for user in found}.values())

    def sharing(self, inventory: Inventory, machine: VirtualMachine, disk: Disk) -> tuple[VirtualMachine, ...]:
        """Returns the other VMs on the same LUN or the same mapping file, in the order of their paths."""
        users = {user.machine.id: user.machine for user in self.by_file.get((machine.datacenter, disk.base_file), ())}
        luns = inventory.luns_of(machine, disk)
        ids = {*_ids_of_disk(disk), *(name for lun in luns for name in self.groups.ids(lun))}
        mine = _Mapping(machine, disk, self.groups.keys(luns))
        for lun in luns:
            for user in self.by_lun.get(self.groups.key(lun), ()):
                users[user.machine.id] = user.machine
        for other, record in self.detached:
            seen = any(record.lun.is_same_as(seen) for lun in luns for seen in self.groups.group(lun))
            if seen or (not luns and not ids.isdisjoint(names_for_all(record.lun.vml))):
                users[other.id] = other
        for name in ids:
            for user in self.by_id.get(name, ()):
                if mine.is_joined_to(user):
                    users[user.machine.id] = user.machine
        users.pop(machine.id, None)
        return tuple(sorted(users.values(), key=lambda user: (user.path, user.id)))

    def group_of(self, inventory: Inventory, machine: VirtualMachine, disk: Disk) -> tuple[HostLun, ...]:
        """Returns the LUN of a mapping as every host sees it; () where its host does not show it, or not one."""
        lun = inventory.lun_of(machine, disk)
        return self.groups.group(lun) if lun is not None else ()


def _ids_of_disk(disk: Disk) -> frozenset[str]:
    """Returns what the mapping itself names on every host."""
    return frozenset((*names_for_all(disk.lun_uuid), *names_for_all(disk.device_name)))


def _identities(lun: HostLun) -> frozenset[str]:
    """Returns the names that mean the LUN on every host; its vml id of type 02 carries one too."""
    if not lun.durable_names:
        return frozenset()
    naa = (name for name in names_for_all(lun.uuid) if name.startswith("naa."))
    return frozenset((*(name.lower() for name in lun.durable_names), *naa))


def _lun_key(lun: HostLun) -> LunKey:
    return (lun.host, lun.canonical_name)


def _detached(machine: VirtualMachine) -> Iterable[JournalEntry]:
    """Yields the machine's own open records whose disk is attached at the moment to nothing."""
    for address, entry in own_entries(machine).items():
        if machine.disk_at(address) is None:
            yield entry
