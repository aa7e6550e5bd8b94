# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Which LUN, host and datastore a rehearsal is held with, and what stands against it. Pure.

A rehearsal makes mappings of the LUN and starts no machine, so it writes nothing to it; yet a LUN that carries anything
is refused, unless its exact name is given twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError, SelectionError
from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.mappable import MappableReason, mappable
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_index import LunIndex
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Datastore, Host, Inventory
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.edge import PartitionTable

# What may be so of a LUN that a person names twice; all else keeps every host from mapping it, or is dangerous.
_MAY_BE_NAMED_TWICE = frozenset({MappableReason.USED_BY_VM, MappableReason.USE_UNKNOWN, MappableReason.CARRIES_VMFS})
_SAYS: Mapping[MappableReason, str] = {
    MappableReason.USED_BY_VM: "a virtual machine maps it",
    MappableReason.USE_UNKNOWN: "not all that may use it could be read",
    MappableReason.CARRIES_VMFS: "a datastore lies on it",
    MappableReason.HOST_BOOT_OR_SYSTEM: "volumes or the dump partition of a host lie on it",
    MappableReason.USED_BY_VSAN: "vSAN uses it",
    MappableReason.PROTOCOL_ENDPOINT: "it is the door to virtual volumes",
    MappableReason.NVME_OVER_FABRICS: "it is a namespace of NVMe over fabrics",
    MappableReason.REMOVABLE: "it is a USB stick or the like",
    MappableReason.NATIVE_4K: "its sectors have 4096 bytes",
    MappableReason.NOT_A_DISK: "it is no disk",
    MappableReason.NOT_OK: "a host shows it in a state in which I/O does not go on",
    MappableReason.PERENNIALLY_RESERVED: "it is perennially reserved, as the disks of clusters are",
}
# A descriptor and its extent take next to nothing; a new machine's own files neither.
_LEAST_FREE_BYTES = 16 * 1024**2


@dataclass(frozen=True)
class RehearsalRequest:
    """What a call asks for."""

    lun: str
    lun_again: str | None
    datastore: str
    host: str | None
    timeout: int

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> RehearsalRequest:
        """Returns what the options ask for; raises ConfigurationError."""
        request = cls(**{name: options[name] for name in cls.__dataclass_fields__})
        if request.timeout < 1:
            raise ConfigurationError(f"timeout must be at least 1, not {request.timeout}.")
        if request.lun_again not in (None, request.lun):
            raise ConfigurationError(
                f"lun is {request.lun!r} and lun_again {request.lun_again!r}.",
                hint="Give the same canonical name in both, or leave lun_again out.",
            )
        return request


@dataclass(frozen=True)
class Stage:
    """Where a rehearsal is held."""

    lun: HostLun
    host: Host
    datastore: Datastore


def choose(inventory: Inventory, request: RehearsalRequest) -> Stage:
    """Returns the LUN, the host that the machine is made on and the datastore of its files; raises SelectionError.

    Without a host the first by name of those that are connected, see the LUN and write to the datastore.
    """
    named = request.host
    hosts = [
        host for host in inventory.hosts.values() if named in (None, host.id) or named.lower() == host.name.lower()
    ]
    if not hosts:
        there = ", ".join(sorted(host.name for host in inventory.hosts.values())) or "none that the user may see"
        raise SelectionError(f"No host is named {request.host!r}.", hint=f"There is {there}.")
    datastores = [store for store in inventory.datastores.values() if store.name == request.datastore]
    if not datastores:
        there = ", ".join(sorted(store.name for store in inventory.datastores.values())) or "none that may be seen"
        raise SelectionError(f"No datastore is named {request.datastore!r}.", hint=f"There is {there}.")
    if not any(lun.canonical_name == request.lun for host in inventory.hosts.values() for lun in host.luns or ()):
        raise SelectionError(
            f"No host that could be read shows a LUN with the canonical name {request.lun!r}.",
            hint="See winbackup.storage.lun_info for the canonical names there are; no other spelling is taken here.",
        )
    found = [
        Stage(lun, host, datastore)
        for host in sorted(hosts, key=lambda host: (host.name, host.id))
        for lun in host.luns or ()
        for datastore in datastores
        if lun.canonical_name == request.lun
        and datastore.writable_from is not None
        and host.id in datastore.writable_from
        and host.connection_state == "connected"
        and not host.maintenance
    ]
    if not found:
        none = f"{request.host} is not" if request.host else "No host is"
        raise SelectionError(
            f"{none} a connected host, out of maintenance, that shows {request.lun} and is known to write to "
            f"{request.datastore}.",
            hint="Present the LUN to a host that has the datastore, or name another host or datastore.",
        )
    places = {stage.datastore.id for stage in found if stage.host.id == found[0].host.id}
    if len(places) > 1 or (request.host is None and len({stage.lun.identity for stage in found}) > 1):
        names = ", ".join(f"{stage.host.name} ({stage.host.id})" for stage in found)
        raise SelectionError(f"{request.lun} and {request.datastore} mean several: {names}.", hint="Name the host.")
    return found[0]


def blockers(
    inventory: Inventory,
    stage: Stage,
    request: RehearsalRequest,
    table: PartitionTable | None,
    missing: Sequence[tuple[str, str]],
    without: frozenset[str],
) -> tuple[Finding, ...]:
    """Returns everything that stands against a rehearsal. `without` are the machines (ids) that it removes first."""
    others = {name: machine for name, machine in inventory.machines.items() if name not in without}
    left = replace(
        inventory,
        machines=others,
        hosts={
            host.id: replace(host, machines=host.machines - without if host.machines is not None else None)
            for host in inventory.hosts.values()
        },
    )
    found = [*_of_lun(left, stage), *_of_table(stage, table), *_of_datastore(stage), *_of_rights(missing)]
    twice = request.lun_again is not None
    return tuple(finding for finding in found if not (finding.overridable and twice))


def _of_lun(inventory: Inventory, stage: Stage) -> Iterator[Finding]:
    lun_index = LunIndex.of(inventory)
    verdict, reasons = mappable(inventory, lun_index.groups.group(stage.lun), lun_index)
    users = ", ".join(sorted({machine.path for machine, _disk in lun_index.mappings_of(stage.lun)}))
    for reason in reasons:
        # A host may offer no local disk and map it all the same: that is what is to be found out.
        if reason is MappableReason.NOT_OFFERED:
            continue
        about = f"{_SAYS[reason]}{f' ({users})' if reason is MappableReason.USED_BY_VM else ''}"
        unknown = verdict is None and reason is not MappableReason.USE_UNKNOWN
        yield _of_the_lun(
            reason,
            f"Of {stage.lun.canonical_name} {'it is not known whether ' if unknown else 'this is so: '}{about}.",
            stage,
            overridable=reason in _MAY_BE_NAMED_TWICE,
        )


def _of_table(stage: Stage, table: PartitionTable | None) -> Iterator[Finding]:
    if table is None:
        yield _of_the_lun(
            "partitions_unknown",
            f"{stage.host.name} does not tell whether {stage.lun.canonical_name} carries a partition table.",
            stage,
            overridable=True,
        )
    elif table.format is not None or table.partitions:
        yield _of_the_lun(
            "lun_has_partitions",
            f"{stage.lun.canonical_name} carries a partition table ({table.format or 'of an unknown format'}, "
            f"{table.partitions} partitions).",
            stage,
            overridable=True,
        )


def _of_the_lun(code: str, message: str, stage: Stage, *, overridable: bool) -> Finding:
    name = stage.lun.canonical_name
    twice = f" If it is spare all the same, give its exact name twice: lun and lun_again, both {name}."
    return Finding.blocker(
        code, message, f"Name a spare LUN.{twice if overridable else ''}", name, overridable=overridable
    )


def _of_datastore(stage: Stage) -> Iterator[Finding]:
    store = stage.datastore
    # A mapping file can only lie on VMFS (vSphere Storage guide).
    if (store.type or "").upper() != "VMFS" or store.accessible is not True or store.maintenance:
        yield Finding.blocker(
            BlockerCode.DATASTORE_UNSUITABLE,
            f"{store.name} is not known to be an accessible VMFS datastore (type {store.type or 'unknown'}).",
            "Name a VMFS datastore that the host writes to.",
            store.name,
        )
    if store.free_bytes is None or store.free_bytes < _LEAST_FREE_BYTES:
        free = "unknown space" if store.free_bytes is None else f"{store.free_bytes} bytes"
        yield Finding.blocker(
            BlockerCode.DATASTORE_FULL,
            f"{store.name} has {free} free; a rehearsal needs {_LEAST_FREE_BYTES} bytes for a moment.",
            "Free some space, or name another datastore.",
            store.name,
        )


def _of_rights(missing: Sequence[tuple[str, str]]) -> Iterator[Finding]:
    for privilege, where in missing:
        yield Finding.blocker(
            BlockerCode.NO_PRIVILEGE,
            f"The user lacks {privilege} on {where}.",
            f"Give the user a role with {privilege} there.",
            where,
        )
