# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What a conversion came to so far: the return of `rdm_compatibility`, whole also when the call fails."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import FindingCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import JournalEntry, from_volume_path
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_index import LunIndex
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Disk,
    DiskKind,
    Power,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.disk_plan import (
    Action,
    DiskChange,
    DiskPlan,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.plan import Plan
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.steps import PlanStep
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.results.info_results import (
    lun_of_disk,
    machine_result,
)


class DiskResult(StrEnum):
    """What became of a disk."""

    UNCHANGED = "unchanged"
    CONVERTED = "converted"
    WOULD_CONVERT = "would_convert"
    BLOCKED = "blocked"
    ROLLED_BACK = "rolled_back"
    FAILED = "failed"
    NOT_STARTED = "not_started"
    TAKEN_OVER = "taken_over"


@dataclass
class ConversionReport:
    """What is known so far of a call."""

    plan: Plan
    states: dict[str, DiskResult] = field(default_factory=dict)
    steps: list[PlanStep] = field(default_factory=list)
    blockers: list[Finding] = field(default_factory=list)
    # Those of the blockers that say why an old mapping stays which was to be deleted; the disks are not concerned.
    not_deleted: list[Finding] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    recovery: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    # The kept files that were, or in check mode would be, deleted, by address.
    deleted: dict[str, list[str]] = field(default_factory=dict)
    after: dict[str, Disk | None] = field(default_factory=dict)
    power_after: Power | None = None
    changed: bool = False
    resumed: bool = False

    def step(self, step: PlanStep) -> None:
        """Adds a step that is about to be run."""
        self.steps.append(step)

    def block(self, blockers: Iterable[Finding]) -> None:
        """Adds blockers, each once."""
        self.blockers.extend(blocker for blocker in blockers if blocker not in self.blockers)

    def keep_old(self, refusals: Iterable[Finding]) -> None:
        """Adds why old mappings stay that were to be deleted."""
        self.not_deleted.extend(refusals)
        self.block(self.not_deleted)

    def fail(self, sentence: str) -> None:
        """Adds the sentence of a failure, each once."""
        if sentence not in self.failures:
            self.failures.append(sentence)

    def delete(self, address: str, file: str) -> None:
        """Adds a kept file that is gone."""
        self.deleted.setdefault(address, []).append(file)

    def result(self) -> dict[str, object]:
        """Returns the result in the shape of the module's documentation."""
        plan = self.plan
        lun_index = LunIndex.of(plan.inventory)
        disks = [self._disk(disk, lun_index) for disk in plan.disks]
        power_before = plan.machine.power
        # Ansible shows what a result has under this name.
        told = [*cautions(plan), *self.warnings]
        warnings = {"warnings": told} if told else {}
        return {
            **warnings,
            "changed": self.changed,
            "vm": machine_result(plan.inventory, plan.machine),
            "disks": disks,
            "plan": list(self.steps),
            "blockers": list(self.blockers),
            "findings": list(self.findings),
            "power": {"before": power_before, "after": self.power_after or power_before},
            "resumed": self.resumed,
            "rolled_back": DiskResult.ROLLED_BACK in self.states.values(),
            "recovery": list(self.recovery),
            "diff": {
                "before": {disk.address: self._before(disk) for disk in plan.disks},
                "after": {disk.address: self._after(disk) for disk in plan.disks},
            },
        }

    def failure(self) -> str | None:
        """Returns the sentence that fails the task, or None."""
        sentences = list(self.failures)
        reasons = [blocker for blocker in self.blockers if blocker not in self.not_deleted]
        if reasons:
            count = len(reasons)
            what = "A reason" if count == 1 else f"{count} reasons"
            sentences.append(f"{what} not to convert: {_told(reasons)}")
        if self.not_deleted:
            count = len(self.not_deleted)
            what = "An old mapping stays" if count == 1 else f"{count} old mappings stay"
            sentences.append(f"{what}: {_told(self.not_deleted)}")
            if not self.failures and set(self.states.values()) <= {DiskResult.CONVERTED, DiskResult.UNCHANGED}:
                sentences.append("The disks are as wanted.")
        return " ".join(sentences) if sentences else None

    def _disk(self, disk: DiskPlan, lun_index: LunIndex) -> dict[str, object]:
        return {
            "address": disk.address,
            "label": disk.disk.label,
            "lun": lun_of_disk(self.plan.inventory, self.plan.machine, disk.disk, lun_index),
            "before": disk_facts(disk.disk),
            "after": self._facts_after(disk),
            "deleted": list(self.deleted.get(disk.address, ())),
            "state": self.states.get(disk.address, DiskResult.UNCHANGED),
        }

    def _facts_after(self, disk: DiskPlan) -> Mapping[str, object] | None:
        if self.states.get(disk.address) is DiskResult.WOULD_CONVERT:
            return expected_facts(disk, self.plan)
        if disk.address in self.after:
            now = self.after[disk.address]
            return disk_facts(now) if now is not None else None
        return disk_facts(disk.disk)

    def _before(self, disk: DiskPlan) -> dict[str, object]:
        deleted = self.deleted.get(disk.address)
        return {**disk_facts(disk.disk), **({"old_mappings": deleted} if deleted else {})}

    def _after(self, disk: DiskPlan) -> Mapping[str, object] | None:
        facts = self._facts_after(disk)
        return {**facts, "old_mappings": []} if facts is not None and self.deleted.get(disk.address) else facts


def _told(blockers: Iterable[Finding]) -> str:
    return " ".join(f"{blocker.message} {blocker.hint}" for blocker in blockers)


def old_mapping_deleted(entry: JournalEntry, file: str) -> Finding:
    """Returns what is told of an old mapping that was to be kept, and had to go before the new one could be made."""
    return Finding(
        FindingCode.OLD_MAPPING_DELETED,
        "warning",
        f"The host takes no second mapping of {entry.lun.canonical_name}, so the old {entry.old_mode.value} mapping "
        f"{file} was deleted before the new one was made. The LUN's data are not touched by that.",
        "To go back, detach the new mapping, delete it with vmkfstools -U, and make the old one again with "
        "vmkfstools -z.",
        file,
    )


def cautions(plan: Plan) -> list[str]:
    """Returns what nobody can see from outside and the user has to know of: of the disks that become virtual, and of
    those of which it is not known whether the call is about them."""
    name = plan.machine.name
    unknown = [] if plan.request.disks else [disk for disk in plan.machine.disks if disk.kind is DiskKind.OTHER]
    told = [
        f"Whether {disk.address} of {name} ({disk.file}) is a mapping could not be read; it is left as it is. Look at "
        "it on the host with vmkfstools -q."
        for disk in unknown
    ]
    addresses = [
        disk.address
        for disk in plan.disks
        if isinstance(disk, DiskChange)
        and disk.action in (Action.CONVERT, Action.FINISH)
        and disk.entry.wanted is Compatibility.VIRTUAL
    ]
    if addresses:
        told.append(
            f"Whether the guest of {name} needs SCSI pass-through to {', '.join(addresses)}, as cluster nodes and SAN "
            "agents do, cannot be seen from outside: a virtual mapping has none."
        )
    return told


def disk_facts(disk: Disk) -> dict[str, object]:
    """Returns what a conversion may change of a disk."""
    return {
        "file": disk.file,
        "compatibility": disk.compatibility,
        "disk_mode": disk.disk_mode,
        "sharing": disk.sharing,
    }


def expected_facts(disk: DiskPlan, plan: Plan) -> dict[str, object]:
    """Returns what the disk will be once its change is made."""
    if not isinstance(disk, DiskChange):
        return disk_facts(disk.disk)
    entry, forward = disk.entry, disk.action is not Action.UNDO
    return {
        "file": from_volume_path(entry.new_file if forward else entry.old_file, plan.inventory.datastores),
        "compatibility": entry.wanted if forward else entry.old_mode,
        "disk_mode": entry.disk_mode if forward else entry.old_disk_mode,
        "sharing": entry.sharing if not entry.deletes_only else disk.disk.sharing,
    }
