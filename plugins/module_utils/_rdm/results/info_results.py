# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The results of `rdm_info` and `lun_info`, as their documentation describes them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.conversion import (
    check_conversion,
    unchecked_codes,
    untold_codes,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.findings import (
    inventory_findings,
    lun_findings,
    mapping_findings,
    pass_through_findings,
    serial_findings,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.mappable import mappable, users_are_known
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.target import Target
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import ONLY_RECORDED
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_uuid import uuid_as_the_api_writes_it
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.files import new_mapping_file
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_index import LunIndex, LunKey
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Disk,
    Inventory,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.orphans import Orphan
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.selection import select_luns

# `convertible` of a mapping whose VM only has to be shut down.
AFTER_SHUTDOWN = "after_shutdown"

# What hosts may see differently of one LUN; where they do, the value of `lun_info` is null.
_PER_HOST = (
    "canonical_name",
    "uuid",
    "vml",
    "display_name",
    "vendor",
    "model",
    "serial",
    "capacity_bytes",
    "block_size",
    "local",
    "ssd",
    "device_path",
    "state",
    "perennially_reserved",
)
_ONLY_IN_LUN_INFO = ("device_type", "multipath_plugin")


def machine_result(inventory: Inventory, machine: VirtualMachine) -> dict[str, object]:
    """Returns `vm{}`; the host is given by its name. Places are null where not all that the VM lies in was read."""
    host = inventory.host_of(machine)
    return {
        "name": machine.name,
        "moid": machine.id,
        "instance_uuid": machine.instance_uuid,
        "bios_uuid": machine.bios_uuid,
        "path": machine.path if machine.place_known else None,
        "datacenter": machine.datacenter,
        "folder": machine.folder if machine.place_known else None,
        "power_state": machine.power,
        "host": host.name if host is not None else None,
        "cluster": host.cluster if host is not None else None,
        "template": machine.template,
        "has_snapshots": machine.has_snapshots,
        "vmx_path": machine.vmx_path,
    }


def rdm_info_result(
    inventory: Inventory,
    disks: Sequence[tuple[VirtualMachine, Disk]],
    blockers: Mapping[tuple[str, str], Sequence[Finding]],
    orphans: Sequence[Orphan] | None,
    *,
    with_paths: bool = False,
    with_luns: bool = False,
    vms: int | None = None,
) -> dict[str, object]:
    """Returns the result of `rdm_info` for these mappings.

    `blockers` holds, by (VM id, address), the blockers of those that were checked in full; for the others they come
    from the inventory alone. `orphans` None: not asked for. `with_luns`: every LUN too, as `lun_info` has
    it. `vms` is how many VMs were looked at, by default all.
    """
    lun_index = LunIndex.of(inventory)
    rdms: list[dict[str, object]] = []
    keys: set[LunKey] = set()
    findings: list[Finding] = []
    for machine, disk in disks:
        own = mapping_findings(inventory, machine, disk, lun_index)
        rdms.append(_mapping(inventory, machine, disk, lun_index, own, blockers, with_paths))
        findings.extend(own)
        keys |= lun_index.groups.keys(inventory.luns_of(machine, disk))
    members = lun_index.groups.members
    told = sorted(members if with_luns else keys)
    general = (
        *inventory_findings(inventory),
        *serial_findings(members[key] for key in told),
        *pass_through_findings(disk for _machine, disk in disks),
    )
    physical = [rdm for rdm in rdms if rdm["compatibility"] is Compatibility.PHYSICAL]
    result: dict[str, object] = {
        "changed": False,
        "rdms": rdms,
        "summary": {
            "vms": len(inventory.machines) if vms is None else vms,
            "rdms": len(rdms),
            "physical": len(physical),
            "virtual": sum(disk.compatibility is Compatibility.VIRTUAL for _machine, disk in disks),
            "luns": len(keys),
            "convertible": sum(rdm["convertible"] is True for rdm in physical),
            "after_shutdown": sum(rdm["convertible"] == AFTER_SHUTDOWN for rdm in physical),
            "unchecked": sum(bool(rdm["unchecked"]) for rdm in rdms),
            "findings": dict(sorted(Counter(finding.code for finding in (*general, *findings)).items())),
        },
        "findings": list(general),
    }
    if with_luns:
        result["luns"] = [
            _lun(inventory, members[key], lun_index, mappable(inventory, members[key], lun_index), with_paths)
            for key in _in_order(members, members)
        ]
    if orphans is not None:
        result["orphaned_mappings"] = [_orphan(orphan) for orphan in orphans]
    return result


def lun_info_result(
    inventory: Inventory,
    hosts: frozenset[str] | None,
    mappable_only: bool,
    *,
    luns: Sequence[str] = (),
    with_paths: bool = False,
) -> dict[str, object]:
    """Returns the result of `lun_info`: every LUN once, of the hosts of these ids (None: of all).

    `luns` names those to return, all where none is named; raises SelectionError where a name means none or several.
    """
    lun_index = LunIndex.of(inventory)
    members = lun_index.groups.members
    seen = [key for key, group in members.items() if hosts is None or any(lun.host in hosts for lun in group)]
    if luns:
        seen = select_luns(lun_index.groups, seen, luns)
    rows, shown = [], []
    for key in _in_order(seen, members):
        verdict = mappable(inventory, members[key], lun_index)
        if verdict[0] or not mappable_only:
            shown.append(members[key])
            rows.append(_lun(inventory, members[key], lun_index, verdict, with_paths))
    return {"changed": False, "luns": rows, "findings": [*inventory_findings(inventory), *serial_findings(shown)]}


def _in_order(keys: Iterable[LunKey], members: Mapping[LunKey, Sequence[HostLun]]) -> list[LunKey]:
    """Returns the keys in the order in which results list LUNs."""
    return sorted(keys, key=lambda key: (members[key][0].canonical_name, key))


def _mapping(
    inventory: Inventory,
    machine: VirtualMachine,
    disk: Disk,
    lun_index: LunIndex,
    findings: Sequence[Finding],
    checked: Mapping[tuple[str, str], Sequence[Finding]],
    with_paths: bool,
) -> dict[str, object]:
    blockers, unchecked = _checks(inventory, machine, disk, lun_index, checked.get((machine.id, disk.address)))
    return {
        "vm": {
            **machine_result(inventory, machine),
            "same_bios_uuid": [other.name for other in inventory.same_bios_uuid(machine)],
        },
        "label": disk.label,
        "key": disk.key if disk.key != ONLY_RECORDED else None,
        "address": disk.address,
        "controller": {
            "type": disk.controller.type,
            "bus": disk.controller.bus,
            "shared_bus": disk.controller.shared_bus,
            "model": disk.controller.model,
            "pci_slot_number": disk.controller.pci_slot_number,
        },
        "unit": disk.unit if disk.unit >= 0 else None,
        "file": disk.file,
        "compatibility": disk.compatibility,
        "disk_mode": disk.disk_mode,
        "sharing": disk.sharing,
        "disk_uuid": uuid_as_the_api_writes_it(disk.disk_uuid),
        "guest_paths": disk.guest_paths,
        "capacity_bytes": disk.capacity_bytes,
        "mapping": {"lun_uuid": disk.lun_uuid, "device_name": disk.device_name},
        "lun": lun_of_disk(inventory, machine, disk, lun_index, with_paths=with_paths),
        "shared_with": [machine_result(inventory, other) for other in lun_index.sharing(inventory, machine, disk)],
        "findings": list(findings),
        "blockers": list(blockers),
        "unchecked": list(unchecked),
        "convertible": _convertible(blockers, unchecked),
    }


def _convertible(blockers: Sequence[Finding], unchecked: Sequence[str]) -> bool | str | None:
    """Returns true, false, null where something was not looked at, or "after_shutdown" where only the power is in the
    way."""
    if any(blocker.code != BlockerCode.VM_POWERED_ON for blocker in blockers):
        return False
    if unchecked:
        return None
    return AFTER_SHUTDOWN if blockers else True


def _checks(
    inventory: Inventory, machine: VirtualMachine, disk: Disk, lun_index: LunIndex, checked: Sequence[Finding] | None
) -> tuple[Sequence[Finding], tuple[str, ...]]:
    """Returns what stands against bringing the mapping into the other mode, and what was not looked at."""
    untold = untold_codes(lun_index.group_of(inventory, machine, disk))
    if checked is not None:
        return checked, untold
    wanted = other_mode(disk)
    datastore = inventory.datastores.get(disk.datastore or "")
    target = None
    if datastore is not None:
        target = Target(new_mapping_file(disk.base_file, wanted, None, None), datastore, None)
    blockers = check_conversion(inventory, machine, disk, wanted, target=target, lun_index=lun_index)
    return blockers, (*untold, *unchecked_codes(inventory, machine, disk, target))


def other_mode(disk: Disk) -> Compatibility:
    """Returns the mode that a conversion would bring a mapping into."""
    return Compatibility.PHYSICAL if disk.compatibility is Compatibility.VIRTUAL else Compatibility.VIRTUAL


def lun_of_disk(
    inventory: Inventory, machine: VirtualMachine, disk: Disk, lun_index: LunIndex, *, with_paths: bool = False
) -> dict[str, object] | None:
    """Returns `lun{}` of a mapping as the VM's host sees it; None where that host does not show it, or not one."""
    lun = inventory.lun_of(machine, disk)
    if lun is None:
        return None
    values: dict[str, object] = {name: getattr(lun, name) for name in _PER_HOST}
    return {**values, "hosts": _hosts(lun_index.groups.group(lun), with_paths)}


def _lun(
    inventory: Inventory,
    group: Sequence[HostLun],
    lun_index: LunIndex,
    verdict: tuple[bool | None, Sequence[str]],
    with_paths: bool,
) -> dict[str, object]:
    return {
        **{name: _common(group, name) for name in (*_PER_HOST, *_ONLY_IN_LUN_INFO)},
        "hosts": _hosts(group, with_paths),
        "console_device": _common(group, "device_path"),
        "used_by": {
            "rdms": [
                {
                    "vm": machine.name,
                    "address": disk.address,
                    "file": disk.file,
                    "compatibility": disk.compatibility,
                }
                for machine, disk in lun_index.mappings_of(group[0])
            ],
            "datastore": next((lun.vmfs_datastore for lun in group if lun.vmfs_datastore is not None), None),
            "boot": _any_of(lun.boot for lun in group),
            "vsan": _any_of(lun.used_by_vsan for lun in group),
            "complete": users_are_known(inventory, group, lun_index),
        },
        "mappable": verdict[0],
        "mappable_reasons": list(verdict[1]),
        "findings": list(lun_findings(inventory, group, lun_index)),
    }


def _hosts(group: Sequence[HostLun], with_paths: bool) -> list[dict[str, object]]:
    hosts: list[dict[str, object]] = []
    for lun in sorted(group, key=lambda lun: (lun.host_name, lun.host)):
        seen: dict[str, object] = {
            "host": lun.host_name,
            "vml": lun.vml,
            "lun_number": lun.lun_number,
            "device_path": lun.device_path,
            "state": lun.state,
        }
        if with_paths:
            seen["paths"] = list(lun.paths)
        hosts.append(seen)
    return hosts


def _common(group: Sequence[HostLun], name: str) -> object:
    values = {getattr(lun, name) for lun in group}
    return values.pop() if len(values) == 1 else None


def _any_of(values: Iterable[bool | None]) -> bool | None:
    """Returns True where one is true, None where none is and one is not known, else False."""
    seen = set(values)
    return True if True in seen else None if None in seen else False


def _orphan(orphan: Orphan) -> dict[str, object]:
    facts = orphan.facts
    row: dict[str, object] = {
        "file": facts.file,
        "compatibility": facts.compatibility,
        "size_bytes": facts.capacity_bytes if facts.capacity_bytes is not None else facts.size_bytes,
        "datastore": orphan.datastore,
        "in_use": False if orphan.users_are_known else None,
    }
    if facts.lun_uuid is not None:
        row["lun_uuid"] = facts.lun_uuid
    return row
