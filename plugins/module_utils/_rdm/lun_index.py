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

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    JournalEntry,
    UnreadableJournal,
    from_text,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Disk,
    HostLun,
    Inventory,
    VirtualMachine,
)

# (host, canonical name): what tells a LUN from all others of one reading.
LunKey = tuple[str, str]


@dataclass(frozen=True)
class LunGroups:
    """The LUNs of all hosts, joined. A key is the least sighting of a LUN, whatever the order of reading."""

    key_of: Mapping[LunKey, LunKey]
    members: Mapping[LunKey, tuple[HostLun, ...]]
    by_serial: Mapping[str, frozenset[LunKey]]

    @classmethod
    def of(cls, inventory: Inventory) -> LunGroups:
        """Returns the groups of all LUNs that the hosts show."""
        luns = [lun for host in inventory.hosts.values() for lun in host.luns or ()]
        parent: dict[LunKey, LunKey] = {_lun_key(lun): _lun_key(lun) for lun in luns}

        def root(sighting: LunKey) -> LunKey:
            while parent[sighting] != sighting:
                parent[sighting] = parent[parent[sighting]]
                sighting = parent[sighting]
            return sighting

        by_name: dict[str, list[LunKey]] = defaultdict(list)
        for lun in luns:
            for name in lun.durable_names:
                by_name[name].append(_lun_key(lun))
        for sightings in by_name.values():
            if len({host for host, _name in sightings}) < len(set(sightings)):
                continue
            for sighting in sightings[1:]:
                parent[root(sighting)] = root(sightings[0])
        joined: dict[LunKey, dict[LunKey, HostLun]] = defaultdict(dict)
        for lun in luns:
            joined[root(_lun_key(lun))][_lun_key(lun)] = lun
        key_of: dict[LunKey, LunKey] = {}
        members: dict[LunKey, tuple[HostLun, ...]] = {}
        for group in joined.values():
            hosts = Counter(host for host, _name in group)
            parts = [group] if max(hosts.values()) == 1 else [{sighting: group[sighting]} for sighting in group]
            for part in parts:
                key = min(part)
                key_of.update(dict.fromkeys(part, key))
                members[key] = tuple(part[sighting] for sighting in sorted(part))
        by_serial: dict[str, set[LunKey]] = defaultdict(set)
        for lun in luns:
            if lun.serial is not None:
                by_serial[lun.serial].add(key_of[_lun_key(lun)])
        return cls(key_of, members, {serial: frozenset(keys) for serial, keys in by_serial.items()})

    def key(self, lun: HostLun) -> LunKey:
        """Returns the key of the LUN; its own sighting where it is not of this reading."""
        return self.key_of.get(_lun_key(lun), _lun_key(lun))

    def keys(self, luns: Iterable[HostLun]) -> frozenset[LunKey]:
        """Returns the keys of several LUNs."""
        return frozenset(self.key(lun) for lun in luns)

    def group(self, lun: HostLun) -> tuple[HostLun, ...]:
        """Returns the LUN as every host sees it, in the order of the hosts' ids."""
        return self.members.get(self.key(lun), (lun,))


@dataclass(frozen=True)
class LunIndex:
    """Who maps what: the mappings by LUN and by mapping file, and the detached ones that stand in a record alone."""

    groups: LunGroups
    by_lun: Mapping[LunKey, tuple[tuple[VirtualMachine, Disk], ...]]
    by_file: Mapping[tuple[str | None, str], tuple[tuple[VirtualMachine, Disk], ...]]
    detached: tuple[tuple[VirtualMachine, JournalEntry], ...]

    @classmethod
    def of(cls, inventory: Inventory) -> LunIndex:
        """Returns the lun_index of everything in an inventory."""
        groups = LunGroups.of(inventory)
        by_lun: dict[LunKey, list[tuple[VirtualMachine, Disk]]] = defaultdict(list)
        by_file: dict[tuple[str | None, str], list[tuple[VirtualMachine, Disk]]] = defaultdict(list)
        detached: list[tuple[VirtualMachine, JournalEntry]] = []
        for machine in inventory.machines.values():
            for disk in machine.mappings:
                by_file[(machine.datacenter, disk.base_file)].append((machine, disk))
                for key in groups.keys(inventory.luns_of(machine, disk)):
                    by_lun[key].append((machine, disk))
            detached.extend((machine, record) for record in _detached(machine))
        return cls(
            groups,
            {key: tuple(users) for key, users in by_lun.items()},
            {key: tuple(users) for key, users in by_file.items()},
            tuple(detached),
        )

    def mappings_of(self, lun: HostLun) -> tuple[tuple[VirtualMachine, Disk], ...]:
        """Returns every mapping of the LUN, on whatever host."""
        return self.by_lun.get(self.groups.key(lun), ())

    def sharing(self, inventory: Inventory, machine: VirtualMachine, disk: Disk) -> tuple[VirtualMachine, ...]:
        """Returns the other VMs on the same LUN or the same mapping file, in the order of their paths."""
        users: dict[str, VirtualMachine] = {}
        for other, _theirs in self.by_file.get((machine.datacenter, disk.base_file), ()):
            users[other.id] = other
        for lun in inventory.luns_of(machine, disk):
            for other, _theirs in self.mappings_of(lun):
                users[other.id] = other
            for other, record in self.detached:
                if any(record.lun.is_same_as(seen) for seen in self.groups.group(lun)):
                    users[other.id] = other
        users.pop(machine.id, None)
        return tuple(sorted(users.values(), key=lambda user: (user.path, user.id)))


def _lun_key(lun: HostLun) -> LunKey:
    return (lun.host, lun.canonical_name)


def _detached(machine: VirtualMachine) -> Iterable[JournalEntry]:
    """Yields the machine's own open records whose disk is attached at the moment to nothing."""
    for address, text in machine.records.items():
        try:
            record = from_text(text)
        except UnreadableJournal:
            continue
        if record.open is not None and record.machine == machine.instance_uuid and machine.disk_at(address) is None:
            yield record.open
