# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What a conversion came to, and the steps by which: the return of `rdm_compatibility`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_plan import Action, DiskPlan
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.info_results import lun_of_disk, machine_result
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import from_volume_path
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_index import LunIndex
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility, Disk, Power
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.plan import Plan
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request

UNCHANGED = "unchanged"
CONVERTED = "converted"
WOULD_CONVERT = "would_convert"
BLOCKED = "blocked"
ROLLED_BACK = "rolled_back"
FAILED = "failed"
NOT_BEGUN = "not_begun"
TAKEN_OVER = "taken_over"


@dataclass(frozen=True)
class Step:
    """One step of a plan, as it will be or was run."""

    step: str
    address: str | None
    description: str


@dataclass
class ConversionReport:
    """What is known so far of a call; it is returned whole, also when the call fails."""

    plan: Plan
    states: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    blockers: list[Finding] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    recovery: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    after: dict[str, Disk | None] = field(default_factory=dict)
    power_after: Power | None = None
    changed: bool = False
    resumed: bool = False

    def step(self, step: Step) -> None:
        """Adds a step that is about to be run."""
        self.steps.append(step)

    def block(self, blockers: Sequence[Finding]) -> None:
        """Adds blockers, each once."""
        self.blockers.extend(blocker for blocker in blockers if blocker not in self.blockers)

    def fail(self, sentence: str) -> None:
        """Adds the sentence of a failure, each once."""
        if sentence not in self.failures:
            self.failures.append(sentence)

    def result(self) -> dict[str, object]:
        """Returns the result in the shape of the module's documentation."""
        plan = self.plan
        lun_index = LunIndex.of(plan.inventory)
        disks = [self._disk(disk_plan, lun_index) for disk_plan in plan.disk_plans]
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
            "power": {"before": power_before, "after": self.power_after or power_before},
            "resumed": self.resumed,
            "rolled_back": ROLLED_BACK in self.states.values(),
            "recovery": list(self.recovery),
            "diff": {
                "before": {disk["address"]: disk["before"] for disk in disks},
                "after": {disk["address"]: disk["after"] for disk in disks},
            },
        }

    def failure(self) -> str | None:
        """Returns the sentence that fails the task, or None."""
        sentences = list(self.failures)
        if self.blockers:
            count = len(self.blockers)
            reasons = " ".join(f"{blocker.object}: {blocker.message} {blocker.hint}" for blocker in self.blockers)
            sentences.append(f"{'A reason' if count == 1 else f'{count} reasons'} not to convert: {reasons}")
        return " ".join(sentences) if sentences else None

    def _disk(self, disk_plan: DiskPlan, lun_index: LunIndex) -> dict[str, object]:
        state = self.states.get(disk_plan.address, UNCHANGED)
        before = disk_facts(disk_plan.disk)
        if state == WOULD_CONVERT:
            after: Mapping[str, object] | None = expected_facts(disk_plan, self.plan)
        elif disk_plan.address in self.after:
            now = self.after[disk_plan.address]
            after = disk_facts(now) if now is not None else None
        else:
            after = before
        return {
            "address": disk_plan.address,
            "label": disk_plan.disk.label,
            "lun": lun_of_disk(self.plan.inventory, self.plan.machine, disk_plan.disk, lun_index),
            "before": before,
            "after": after,
            "state": state,
        }


def cautions(plan: Plan) -> list[str]:
    """Returns what nobody can see from outside and the user has to know of, for the disks that become virtual."""
    addresses = [
        disk_plan.address
        for disk_plan in plan.disk_plans
        if disk_plan.action in (Action.CONVERT, Action.FINISH)
        and disk_plan.entry is not None
        and disk_plan.entry.wanted is Compatibility.VIRTUAL
    ]
    if not addresses:
        return []
    return [
        f"Whether the guest of {plan.machine.name} needs SCSI pass-through to {', '.join(addresses)}, as cluster "
        "nodes and SAN agents do, cannot be seen from outside: a virtual mapping has none."
    ]


def disk_facts(disk: Disk) -> dict[str, object]:
    """Returns what a conversion may change of a disk."""
    return {
        "file": disk.file,
        "compatibility": disk.compatibility,
        "disk_mode": disk.disk_mode,
        "sharing": disk.sharing,
    }


def expected_facts(disk_plan: DiskPlan, plan: Plan) -> dict[str, object]:
    """Returns what the disk will be once its work is done."""
    entry = disk_plan.entry
    if entry is None or disk_plan.action is Action.KEEP:
        return disk_facts(disk_plan.disk)
    forward = disk_plan.action is not Action.UNDO
    return {
        "file": from_volume_path(entry.new_file if forward else entry.old_file, plan.inventory.datastores),
        "compatibility": entry.wanted if forward else entry.old_mode,
        "disk_mode": entry.disk_mode if forward else entry.old_disk_mode,
        "sharing": entry.sharing,
    }


def record_step(disk_plans: Sequence[DiskPlan]) -> Step:
    """The first write of every call that changes a disk."""
    addresses = ", ".join(disk_plan.address for disk_plan in disk_plans)
    return Step("record", None, f"write down, with the VM, what is there and what is wanted of {addresses}")


def power_off_step(request: Request) -> Step:
    """The VM is switched off, in the way the user allowed."""
    hard = f", and switch the VM off if it has not within {request.shutdown_timeout:g} s"
    return Step("power_off", None, f"ask the guest to shut down{hard if request.power == 'power_off' else ''}")


def disk_step(disk_plan: DiskPlan, plan: Plan) -> Step:
    """The one step that changes a disk."""
    entry = disk_plan.entry
    if entry is None:
        raise ValueError("a disk without a record is not changed")
    old, new = (from_volume_path(path, plan.inventory.datastores) for path in (entry.old_file, entry.new_file))
    if disk_plan.action is Action.UNDO:
        return Step("undo", disk_plan.address, f"see that {old} is attached again, and remove {new} if it was made")
    if entry.edits_only:
        return Step("edit_disk_mode", disk_plan.address, f"set the disk mode to {entry.disk_mode}")
    how = "attach the kept" if disk_plan.attach_existing else "make and attach"
    lun = f"{entry.lun.canonical_name}, {entry.lun.capacity_bytes} bytes"
    return Step(
        "swap",
        disk_plan.address,
        f"detach {old} (its file is kept), {how} {entry.wanted.value} mapping {new} of {lun}, "
        f"and verify mode, LUN, size and address",
    )


def power_on_step() -> Step:
    """The VM is started again."""
    return Step("power_on", None, "start the VM again and verify the disks once more")


def note_step(disk_plans: Sequence[DiskPlan]) -> Step:
    """The records shrink to notes."""
    addresses = ", ".join(disk_plan.address for disk_plan in disk_plans)
    return Step("note", None, f"shrink the records of {addresses} to notes about the old mappings that are kept")


def delete_step(address: str, file: str) -> Step:
    """An old mapping file is deleted."""
    return Step("delete_old_mapping", address, f"delete the old mapping file {file} (never the LUN's data)")


def planned_steps(plan: Plan, disk_plans: Sequence[DiskPlan], request: Request) -> list[Step]:
    """Returns the steps that a run of this call would take, in their order."""
    steps: list[Step] = []
    touching = [disk_plan for disk_plan in disk_plans if disk_plan.action is not Action.KEEP]
    stops = bool(touching) and plan.machine.power is Power.ON
    if touching:
        steps.append(record_step(touching))
        if stops:
            steps.append(power_off_step(request))
        steps.extend(disk_step(disk_plan, plan) for disk_plan in touching)
        if request.restore_power and (stops or plan.stopped_by_a_run):
            steps.append(power_on_step())
        steps.append(note_step(touching))
    for disk_plan in disk_plans:
        kept = [note.old_file for note in disk_plan.deletions]
        if (
            request.delete_old_mapping
            and disk_plan.action in (Action.CONVERT, Action.FINISH)
            and disk_plan.entry is not None
        ):
            kept.append(disk_plan.entry.old_file)
            kept = [path for path in kept if path != disk_plan.entry.new_file]
        steps.extend(delete_step(disk_plan.address, from_volume_path(path, plan.inventory.datastores)) for path in kept)
    return steps
