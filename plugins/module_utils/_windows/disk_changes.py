# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What has to be done so that disks are as they are wanted, and what is refused. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._windows import words
from ansible_collections.winbackup.storage.plugins.module_utils._windows.identifiers import disk_id_of
from ansible_collections.winbackup.storage.plugins.module_utils._windows.model import Disk, MachineDisks


class Step(StrEnum):
    """One change of a disk. Online comes first: attributes of an offline disk are refused (storage error 41003)."""

    ONLINE = "online"
    OFFLINE = "offline"
    WRITABLE = "writable"
    READ_ONLY = "read_only"


@dataclass(frozen=True)
class WantedState:
    """What the disks with these ids are to be. Whether an offline disk is read-only is not asked for."""

    disk_ids: tuple[str, ...]
    online: bool = True
    read_only: bool = False


@dataclass(frozen=True)
class Refusal:
    """Why a disk is left alone: a code, what was seen, and what to do."""

    code: str
    message: str
    hint: str


@dataclass(frozen=True)
class DiskDecision:
    """What is to be done with one named disk; `disk` is None where it is not there, or not one."""

    disk_id: str
    disk: Disk | None
    steps: tuple[Step, ...] = ()
    refusal: Refusal | None = None


# Why a disk may be offline, other than by policy, and what that means for whoever wants it online.
_OTHER_REASONS = {
    "redundant_path": (
        "disk_redundant_path",
        "It is another path to a disk that is online already, and MPIO does not know it.",
        "Set up MPIO for it, or take the second path away.",
    ),
    "snapshot": ("disk_snapshot", "It is a snapshot of another disk.", "Mount it with the product that made it."),
    "collision": (
        "disk_collision",
        "Another disk has the same id; bringing it online would write it a new one.",
        "Take one of the two away, or give this one a new id yourself if nothing knows it by the old one.",
    ),
    "resource_exhaustion": (
        "disk_resource_exhaustion",
        "Windows lacks the resources for it.",
        "See to memory and other disks first.",
    ),
    "critical_write_failures": (
        "disk_critical_write_failures",
        "Writes to it failed.",
        "Look at the disk and its paths first.",
    ),
    "data_integrity_scan_required": (
        "disk_data_integrity_scan_required",
        "It needs a scan of its data first.",
        "Run that scan first.",
    ),
    "lost_data_persistence": ("disk_lost_data_persistence", "It lost its data.", "Look at the disk first."),
}


def wanted_state_of(disk_ids: Sequence[str], *, online: bool, read_only: bool) -> WantedState:
    """Returns what is wanted; raises ConfigurationError where an id is none."""
    if not disk_ids:
        raise ConfigurationError("disk_ids names no disk.", hint="windows_disk_info tells the ids of disks.")
    ids = []
    for text in disk_ids:
        plain = disk_id_of(text)
        if plain is None:
            raise ConfigurationError(
                f"disk_ids: {text!r} is neither the GUID of a GPT disk nor the signature of an MBR disk (eight "
                "hexadecimal digits).",
                hint="windows_disk_info tells the ids of disks; numbers of disks change and are not taken.",
            )
        ids.append(plain)
    return WantedState(tuple(dict.fromkeys(ids)), online, read_only)


def decide(facts: MachineDisks, wanted: WantedState) -> tuple[DiskDecision, ...]:
    """Returns a decision for each named disk, in the order of their names."""
    return tuple(_decide(facts, wanted, disk_id) for disk_id in wanted.disk_ids)


def steps_of(disk: Disk, wanted: WantedState) -> tuple[Step, ...]:
    """Returns the steps that bring a disk, whose state is known, to what is wanted."""
    if not wanted.online:
        return () if disk.offline else (Step.OFFLINE,)
    steps = [Step.ONLINE] if disk.offline else []
    if disk.read_only != wanted.read_only:
        steps.append(Step.READ_ONLY if wanted.read_only else Step.WRITABLE)
    return tuple(steps)


def _decide(facts: MachineDisks, wanted: WantedState, disk_id: str) -> DiskDecision:
    found = [disk for disk in facts.disks if disk.disk_id == disk_id]
    if not found and all(disk.offline is None for disk in facts.disks):
        message = (
            f"Windows did not give the disks of its Storage classes, so which one has the id {disk_id} is not known."
        )
        hint = "See what the findings of windows_disk_info name; Windows Server 2008 R2 has no such classes."
        return DiskDecision(disk_id, None, refusal=Refusal("disk_state_unknown", message, hint))
    if not found:
        message = f"No disk of {facts.machine.name or 'the machine'} has the id {disk_id}."
        hint = "See that it is connected, and rescan; windows_disk_info lists what Windows sees."
        return DiskDecision(disk_id, None, refusal=Refusal("disk_not_found", message, hint))
    if len(found) > 1:
        titles = " and ".join(disk.title for disk in found)
        message = f"{titles} have the id {disk_id}: one is a copy of the other, or the same over two paths."
        return DiskDecision(disk_id, None, refusal=Refusal("disk_ambiguous", message, "Take one of them away."))
    disk = found[0]
    refusal = _refusal_of_kind(disk) or _refusal_of_unknown(disk)
    steps = steps_of(disk, wanted) if refusal is None else ()
    if refusal is None:
        refusal = _refusal_of_steps(disk, steps)
    return DiskDecision(disk_id, disk, steps if refusal is None else (), refusal)


def _refusal_of_kind(disk: Disk) -> Refusal | None:
    if disk.clustered:
        message = f"{disk.title} belongs to a failover cluster, where a change would reach every node."
        return Refusal("disk_clustered", message, "Use the cluster's own tools.")
    if disk.storage_pool:
        message = f"{disk.title} is a member of a storage pool (Storage Spaces)."
        return Refusal("disk_in_storage_pool", message, "Storage Spaces brings it online; look at the pool.")
    if disk.dynamic:
        message = f"{disk.title} is a dynamic disk, which the Storage cmdlets do not know."
        return Refusal("disk_dynamic", message, "Use Disk Management or diskpart.")
    return None


def _refusal_of_unknown(disk: Disk) -> Refusal | None:
    needed = ("offline", "read_only", "clustered", "storage_pool", "dynamic", "boot", "system", "device_path")
    unknown = [name for name in needed if getattr(disk, name) is None]
    if not unknown:
        return None
    message = f"Of {disk.title} this is not known: {', '.join(unknown)}."
    return Refusal("disk_state_unknown", message, "See what the findings of windows_disk_info name.")


def _refusal_of_steps(disk: Disk, steps: Sequence[Step]) -> Refusal | None:
    if Step.ONLINE in steps and disk.offline_reason != words.POLICY:
        return refusal_of_reason(disk)
    if (Step.OFFLINE in steps or Step.READ_ONLY in steps) and (disk.boot or disk.system):
        message = f"{disk.title} is the one that Windows runs or starts from."
        return Refusal("disk_boot_or_system", message, "Name another one.")
    return None


def refusal_of_reason(disk: Disk) -> Refusal:
    """Returns why a disk that is offline for another reason than the policy is left alone."""
    reason = disk.offline_reason or ""
    if reason in _OTHER_REASONS:
        code, message, hint = _OTHER_REASONS[reason]
        return Refusal(code, f"{disk.title} is offline ({reason.replace('_', ' ')}). {message}", hint)
    message = f"{disk.title} is offline for a reason that Windows does not tell, or that is not known here."
    return Refusal("disk_offline_reason_unknown", message, "Look at it in Disk Management, which shows the reason.")
