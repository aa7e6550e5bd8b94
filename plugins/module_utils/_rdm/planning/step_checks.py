# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What stands against one step of a plan: of all that a conversion is checked for, what that very step needs. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import TypeVar

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.conversion import check_conversion
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.lun import lun_not_found
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.machine import check_reading
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import JOURNAL_KEY, JournalEntry
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility, Disk
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.facts import PlanFacts

_Item = TypeVar("_Item")


# What matters to a disk whose conversion is to be finished or undone: only what that very step needs.
_STEP_CODES = frozenset(
    {
        BlockerCode.VM_POWERED_ON,
        BlockerCode.VM_SUSPENDED,
        BlockerCode.VM_INACCESSIBLE,
        BlockerCode.HOST_UNAVAILABLE,
        BlockerCode.HAS_SNAPSHOTS,
        BlockerCode.METHOD_DISABLED,
        BlockerCode.NO_PRIVILEGE,
        BlockerCode.LICENSE_READ_ONLY,
        BlockerCode.RECORD_OF_OTHER_VM,
    }
)
# And what matters where a mapping is attached or made: a record is a memory aid, and the LUN may be another's by now.
_ATTACH_CODES = _STEP_CODES | {
    BlockerCode.BUS_SHARING,
    BlockerCode.MULTI_WRITER,
    BlockerCode.PERENNIALLY_RESERVED,
    BlockerCode.LUN_USED_BY_OTHER_VM,
    BlockerCode.OTHER_HOSTS_UNKNOWN,
    BlockerCode.OTHER_VMS_UNREAD,
    BlockerCode.LUN_MISSING,
    BlockerCode.LUN_NOT_OK,
    BlockerCode.LUN_AMBIGUOUS,
    BlockerCode.SIZE_MISMATCH,
    BlockerCode.LUN_IS_BOOT_DEVICE,
    BlockerCode.LUN_CARRIES_VMFS,
    BlockerCode.LUN_USED_BY_VSAN,
    BlockerCode.LUN_IS_DUMP_OR_SCRATCH,
    BlockerCode.TOO_BIG,
    BlockerCode.NATIVE_4K,
}
# And what matters where only the disk mode of a virtual mapping is edited.
EDIT_CODES = _STEP_CODES | {
    BlockerCode.IS_DELTA,
    BlockerCode.VM_IS_TEMPLATE,
    BlockerCode.TASK_RUNNING,
    BlockerCode.BUS_SHARING,
    BlockerCode.MULTI_WRITER,
    BlockerCode.ENCRYPTED,
    BlockerCode.LUN_MISSING,
    BlockerCode.LUN_AMBIGUOUS,
}


def step_blockers(facts: PlanFacts, disk: Disk, wanted: Compatibility, codes: Iterable[str]) -> tuple[Finding, ...]:
    """Returns those blockers of the disk's conversion that have one of these codes."""
    found = check_conversion(
        facts.inventory,
        facts.machine,
        disk,
        wanted,
        power=facts.request.power,
        override=facts.request.override,
        lun_index=facts.lun_index,
    )
    return tuple(blocker for blocker in found if blocker.code in codes)


def attach_blockers(facts: PlanFacts, disk: Disk, entry: JournalEntry) -> tuple[Finding, ...]:
    """Returns what stands against attaching or making a mapping of the LUN that a record names."""
    present = facts.lun_of(disk)
    if present is not None and not entry.lun.is_same_as(present):
        return (_other_lun(facts, disk, entry, present),)
    recorded = lun_of_entry(facts, entry)
    if recorded is not None:
        # What is checked is the LUN that will be mapped, whatever else of it the record says.
        disk = replace(disk, lun_uuid=recorded.uuid, device_name=recorded.device_name)
    return step_blockers(facts, disk, entry.wanted, _ATTACH_CODES)


def unread_blockers(facts: PlanFacts, disk: Disk) -> tuple[Finding, ...]:
    """Returns what could not be read, so that nobody can tell whether the disk is what it should be, and would undo
    what is right."""
    missing = lun_not_found(facts.inventory, facts.machine, disk)
    unseen = missing is not None and missing.code == BlockerCode.HOST_UNAVAILABLE
    return (*check_reading(facts.machine, disk), *((missing,) if missing is not None and unseen else ()))


def lun_of_entry(facts: PlanFacts, entry: JournalEntry) -> HostLun | None:
    """Returns the one LUN of the VM's host that is the one of an entry; None where none or several are."""
    host = facts.inventory.host_of(facts.machine)
    luns = (host.luns or ()) if host is not None else ()
    same = [lun for lun in luns if entry.lun.is_same_as(lun)]
    return same[0] if len(same) == 1 else None


def _other_lun(facts: PlanFacts, disk: Disk, entry: JournalEntry, present: HostLun) -> Finding:
    key = f"{JOURNAL_KEY}{entry.address}"
    return Finding.blocker(
        BlockerCode.RECORD_UNREADABLE,
        f"The open record {key} of {facts.machine.name} names the LUN {entry.lun.canonical_name} with "
        f"{entry.lun.capacity_bytes} bytes, and {disk.address} is of {present.canonical_name} with "
        f"{present.capacity_bytes} bytes.",
        f"Look at the mapping on the host with vmkfstools -q; if no conversion is under way, remove {key}.",
        facts.machine.name,
    )


def unique(items: Iterable[_Item]) -> tuple[_Item, ...]:
    """Returns each of the items once, in the order in which they came first."""
    return tuple(dict.fromkeys(items))
