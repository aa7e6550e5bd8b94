# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The results about disks of Windows machines, as their documentation describes them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_findings import (
    disk_findings,
    machine_findings,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_join import (
    Join,
    disks_of_machine,
    join_disks,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_sizes import (
    sizes_agree,
    truncated_at_2_tib,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.model import Disk, MachineDisks
from ansible_collections.winbackup.storage.plugins.module_utils._windows.vm_disks import VmDisk

_OWN = (
    "number",
    "device_path",
    "scsi",
    "pci_slot",
    "disk_id",
    "serial",
    "unique_id",
    "friendly_name",
    "bus_type",
    "partition_style",
    "dynamic",
    "multipath",
    "clustered",
    "storage_pool",
    "boot",
    "system",
    "offline",
    "offline_reason",
    "read_only",
    "sector_sizes",
    "volumes",
)


def disk_info_result(facts: MachineDisks, vm_disks: Sequence[VmDisk] | None) -> dict[str, object]:
    """Returns the result of windows_disk_info; `vm_disks` None: a join was not asked for."""
    findings_of_reading = list(machine_findings(facts))
    findings = list(findings_of_reading)
    joins: Sequence[Join] = [Join() for _disk in facts.disks]
    if vm_disks is not None:
        of_machine = disks_of_machine(facts.machine, vm_disks)
        findings.extend(of_machine.findings)
        joins = join_disks(facts.disks, of_machine.disks)
    rows = [disk_result(disk, join) for disk, join in zip(facts.disks, joins, strict=True)]
    return {
        "changed": False,
        "machine": asdict(facts.machine),
        "disks": rows,
        "other_volumes": facts.other_volumes,
        "san_policy": facts.san_policy,
        "findings": findings,
        "summary": {
            "disks": len(rows),
            "offline": sum(disk.offline is True for disk in facts.disks),
            "joined": sum(join.vm_disk is not None for join in joins),
            "complete": not findings_of_reading and _all_told(facts.disks),
        },
    }


def _all_told(disks: Sequence[Disk]) -> bool:
    """Whether of every disk is known what the Storage classes tell, or that they do not list it."""
    return all(disk.offline is not None or disk.dynamic or disk.storage_pool for disk in disks)


def disk_result(disk: Disk, join: Join) -> dict[str, object]:
    """Returns one disk as results show it."""
    return {
        **{name: getattr(disk, name) for name in _OWN},
        "size_bytes": disk.sizes,
        "sizes_agree": sizes_agree(disk),
        "truncated_at_2_tib": truncated_at_2_tib(disk),
        "vm_disk": None if join.vm_disk is None else vm_disk_result(join.vm_disk),
        "joined_by": join.joined_by,
        "vm_disk_candidates": [vm_disk_result(one) for one in join.candidates],
        "findings": [*disk_findings(disk), *join.findings],
    }


def vm_disk_result(one: VmDisk) -> Mapping[str, object]:
    """Returns a disk of the VM as results show it."""
    return {
        "vm": one.vm_name,
        "vm_id": one.vm,
        "address": one.address,
        "file": one.file,
        "compatibility": one.compatibility,
        "capacity_bytes": one.capacity_bytes,
        "lun": one.lun,
    }
