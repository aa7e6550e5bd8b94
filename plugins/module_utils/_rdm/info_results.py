# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The results of `rdm_info` and `lun_info`, as their documentation describes them. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.conversion import (
    check_conversion,
    unchecked_codes,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.findings import (
    inventory_findings,
    lun_findings,
    mapping_findings,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.target import Target
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.files import new_mapping_file
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_index import LunIndex, LunKey
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Disk,
    FileFacts,
    HostLun,
    Inventory,
    VirtualMachine,
    split_file,
)

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
_ONLY_IN_LUN_INFO = ("device_type", "multipath_plugin", "rdm_capable")


def machine_result(inventory: Inventory, machine: VirtualMachine) -> dict[str, object]:
    """Returns `vm{}`; the host is given by its name."""
    host = inventory.host_of(machine)
    return {
        "name": machine.name,
        "moid": machine.id,
        "instance_uuid": machine.instance_uuid,
        "bios_uuid": machine.bios_uuid,
        "path": machine.path,
        "power_state": machine.power,
        "host": host.name if host is not None else None,
        "template": machine.template,
        "has_snapshots": machine.has_snapshots,
        "vmx_path": machine.vmx_path,
    }


def rdm_info_result(
    inventory: Inventory,
    disks: Sequence[tuple[VirtualMachine, Disk]],
    blockers: Mapping[tuple[str, str], Sequence[Finding]],
    orphans: Sequence[FileFacts] | None,
    *,
    with_paths: bool = False,
    vms: int | None = None,
) -> dict[str, object]:
    """Returns the result of `rdm_info` for these mappings.

    `blockers` holds, by (VM id, address), the blockers of those that were checked in full; for the others they come
    from the inventory alone. `orphans` None: not asked for. `vms` is how many VMs were looked at, by default all.
    """
    lun_index = LunIndex.of(inventory)
    rdms = [_mapping(inventory, machine, disk, lun_index, blockers, with_paths) for machine, disk in disks]
    general = inventory_findings(inventory)
    findings = [*general]
    keys: set[LunKey] = set()
    for machine, disk in disks:
        findings.extend(mapping_findings(inventory, machine, disk, lun_index))
        keys |= lun_index.groups.keys(inventory.luns_of(machine, disk))
    result: dict[str, object] = {
        "changed": False,
        "rdms": rdms,
        "summary": {
            "vms": len(inventory.machines) if vms is None else vms,
            "rdms": len(rdms),
            "physical": sum(disk.compatibility is Compatibility.PHYSICAL for _machine, disk in disks),
            "virtual": sum(disk.compatibility is Compatibility.VIRTUAL for _machine, disk in disks),
            "luns": len(keys),
            "convertible": sum(rdm["convertible"] is True for rdm in rdms),
            "findings": dict(sorted(Counter(finding.code for finding in findings).items())),
        },
        "findings": list(general),
    }
    if orphans is not None:
        result["orphaned_mappings"] = [_orphan(facts) for facts in orphans]
    return result


def lun_info_result(inventory: Inventory, hosts: frozenset[str] | None, mappable_only: bool) -> dict[str, object]:
    """Returns the result of `lun_info`: every LUN once, of the hosts of these ids (None: of all)."""
    lun_index = LunIndex.of(inventory)
    luns = []
    for key in sorted(lun_index.groups.members, key=lambda key: (lun_index.groups.members[key][0].canonical_name, key)):
        group = lun_index.groups.members[key]
        if hosts is not None and not any(lun.host in hosts for lun in group):
            continue
        mappable = _is_mappable(group, lun_index)
        if mappable or not mappable_only:
            luns.append(_lun(inventory, group, lun_index, mappable))
    return {"changed": False, "luns": luns, "findings": list(inventory_findings(inventory))}


def _mapping(
    inventory: Inventory,
    machine: VirtualMachine,
    disk: Disk,
    lun_index: LunIndex,
    checked: Mapping[tuple[str, str], Sequence[Finding]],
    with_paths: bool,
) -> dict[str, object]:
    blockers, unchecked = _checks(inventory, machine, disk, lun_index, checked.get((machine.id, disk.address)))
    return {
        "vm": machine_result(inventory, machine),
        "label": disk.label,
        "key": disk.key,
        "address": disk.address,
        "controller": {
            "type": disk.controller.type,
            "bus": disk.controller.bus,
            "shared_bus": disk.controller.shared_bus,
        },
        "unit": disk.unit,
        "file": disk.file,
        "compatibility": disk.compatibility,
        "disk_mode": disk.disk_mode,
        "sharing": disk.sharing,
        "capacity_bytes": disk.capacity_bytes,
        "lun": lun_of_disk(inventory, machine, disk, lun_index, with_paths=with_paths),
        "shared_with": [machine_result(inventory, other) for other in lun_index.sharing(inventory, machine, disk)],
        "findings": list(mapping_findings(inventory, machine, disk, lun_index)),
        "blockers": list(blockers),
        "unchecked": list(unchecked),
        "convertible": False if blockers else None if unchecked else True,
    }


def _checks(
    inventory: Inventory, machine: VirtualMachine, disk: Disk, lun_index: LunIndex, checked: Sequence[Finding] | None
) -> tuple[Sequence[Finding], tuple[str, ...]]:
    """Returns what stands against bringing the mapping into the other mode, and what was not looked at."""
    if checked is not None:
        return checked, ()
    wanted = other_mode(disk)
    datastore = inventory.datastores.get(disk.datastore or "")
    target = None
    if datastore is not None:
        target = Target(new_mapping_file(disk.base_file, wanted, None, None), datastore, None)
    blockers = check_conversion(inventory, machine, disk, wanted, target=target, lun_index=lun_index)
    return blockers, unchecked_codes(inventory, machine, disk, target)


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


def _lun(inventory: Inventory, group: Sequence[HostLun], lun_index: LunIndex, mappable: bool) -> dict[str, object]:
    return {
        **{name: _common(group, name) for name in (*_PER_HOST, *_ONLY_IN_LUN_INFO)},
        "hosts": _hosts(group, with_paths=False),
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
            "vsan": any(lun.used_by_vsan for lun in group),
        },
        "mappable": mappable,
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


def _is_mappable(group: Sequence[HostLun], lun_index: LunIndex) -> bool:
    """Tells whether a new mapping could be made: a whole, free disk with blocks that mappings support."""
    if lun_index.mappings_of(group[0]):
        return False
    return all(
        lun.device_type == "disk"
        and lun.state == "ok"
        and bool(lun.capacity_bytes)
        and not (lun.boot or lun.dump_or_scratch or lun.used_by_vsan or lun.vmfs_datastore)
        and "4k" not in (lun.disk_type or "").lower()
        for lun in group
    )


def _any_of(values: Iterable[bool | None]) -> bool | None:
    """Returns True where one is true, None where none is and one is not known, else False."""
    seen = set(values)
    return True if True in seen else None if None in seen else False


def _orphan(facts: FileFacts) -> dict[str, object]:
    return {
        "file": facts.file,
        "compatibility": facts.compatibility,
        "lun_uuid": None,
        "size_bytes": facts.capacity_bytes if facts.capacity_bytes is not None else facts.size_bytes,
        "datastore": split_file(facts.file)[0],
    }
