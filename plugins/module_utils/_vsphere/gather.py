# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""`rdm_info` and `lun_info` over the vSphere API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StepRefused
from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ArgumentSpec, Call, Outcome
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.leases import in_progress
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Blocker,
    Compatibility,
    Datastore,
    Disk,
    FileFacts,
    Inventory,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.orphans import orphans_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.prepare import conversion_blockers
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.result import (
    lun_info_result,
    other_mode,
    rdm_info_result,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.same_lun import Usage
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.selection import (
    select_hosts,
    select_machines,
    select_mappings,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.argument_spec import CONNECTION
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.backend import VsphereBackend, open_backend

# So many named virtual machines are looked into one by one; more would make the reading slow.
_CHECKED_IN_FULL = 50

RDM_INFO = CONNECTION.merged_with(
    ArgumentSpec(
        {
            "vms": {"type": "list", "elements": "str", "default": []},
            "luns": {"type": "list", "elements": "str", "default": []},
            "compatibility": {"type": "str", "choices": ["physical", "virtual"]},
            "datacenter": {"type": "str"},
            "orphans": {"type": "bool", "default": False},
            "detail": {"type": "list", "elements": "str", "choices": ["lun_paths"], "default": []},
        }
    )
)
LUN_INFO = CONNECTION.merged_with(
    ArgumentSpec(
        {
            "hosts": {"type": "list", "elements": "str", "default": []},
            "mappable_only": {"type": "bool", "default": False},
        }
    )
)


def rdm_info(call: Call) -> Outcome:
    """Does one call of `rdm_info`; returns its result."""
    options = call.options
    with_paths = "lun_paths" in options["detail"]
    wanted = Compatibility(options["compatibility"]) if options["compatibility"] else None
    with open_backend(options) as backend:
        inventory = backend.inventory(with_lun_paths=with_paths)
        machines = select_machines(inventory, options["vms"], options["datacenter"])
        chosen = sorted(
            select_mappings(inventory, machines, options["luns"], wanted),
            key=lambda pair: (pair[0].name, pair[0].id, pair[1].controller.key, pair[1].unit),
        )
        checked: dict[tuple[str, str], Sequence[Blocker]] = {}
        if options["vms"] and len(machines) <= _CHECKED_IN_FULL:
            usage = Usage.of(inventory)
            checked = {
                (machine.id, disk.address): _all_blockers(backend, inventory, usage, machine, disk)
                for machine, disk in chosen
            }
        orphans = None
        if options["orphans"]:
            call.tell("Searching the datastores for mapping files.")
            inventory, found = _mapping_files(backend, inventory, options["datacenter"])
            orphans = orphans_of(inventory, found)
    return Outcome(
        rdm_info_result(inventory, chosen, checked, orphans, with_paths=with_paths, vms=len(machines)),
    )


def lun_info(call: Call) -> Outcome:
    """Does one call of `lun_info`; returns its result."""
    options = call.options
    with open_backend(options) as backend:
        inventory = backend.inventory()
    return Outcome(
        lun_info_result(inventory, select_hosts(inventory, options["hosts"]), options["mappable_only"]),
    )


def _all_blockers(
    backend: VsphereBackend, inventory: Inventory, usage: Usage, machine: VirtualMachine, disk: Disk
) -> tuple[Blocker, ...]:
    """Returns what a plan for this disk would say, with its looks into folders and rights."""
    blockers = conversion_blockers(backend, inventory, usage, machine, disk, other_mode(disk))
    other = in_progress(machine, backend.now()) if machine.records else None
    return (*blockers, other) if other is not None else blockers


def _mapping_files(
    backend: VsphereBackend, inventory: Inventory, datacenter: str | None
) -> tuple[Inventory, list[tuple[Datastore, FileFacts]]]:
    """Returns the mapping files of all datastores, and the inventory with a finding for each that was not searched."""
    found: list[tuple[Datastore, FileFacts]] = []
    findings: list[Finding] = []
    hosts = {host.id for host in inventory.hosts.values() if datacenter in (None, host.datacenter)}
    for datastore in sorted(inventory.datastores.values(), key=lambda store: (store.name, store.id)):
        elsewhere = (
            datastore.writable_from is not None and datacenter is not None and not datastore.writable_from & hosts
        )
        # A mapping file can only lie on VMFS (vSphere Storage guide).
        if datastore.type.upper() != "VMFS" or elsewhere:
            continue
        try:
            found.extend((datastore, facts) for facts in backend.mapping_files(datastore))
        except StepRefused as refusal:
            findings.append(
                Finding(
                    "unreadable",
                    "warning",
                    f"Datastore {datastore.name} could not be searched: {refusal.message}",
                    refusal.hint
                    or "Give the user the privilege Datastore.Browse on it, and see that it is accessible.",
                    datastore.name,
                )
            )
    return replace(inventory, findings=(*inventory.findings, *findings)), found
