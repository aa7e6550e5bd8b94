# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What a conversion came to, and the steps by which: the return of `rdm_compatibility`. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Blocker, Compatibility, Disk, Power
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.prepare import Prepared
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.record import from_volume_path
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.result import lun_of_disk, machine_result
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.same_lun import Usage
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.work import Task, Work

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
class Report:
    """What is known so far of a call; it is returned whole, also when the call fails."""

    prepared: Prepared
    states: dict[str, str] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)
    blockers: list[Blocker] = field(default_factory=list)
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

    def block(self, blockers: Sequence[Blocker]) -> None:
        """Adds blockers, each once."""
        self.blockers.extend(blocker for blocker in blockers if blocker not in self.blockers)

    def fail(self, sentence: str) -> None:
        """Adds the sentence of a failure, each once."""
        if sentence not in self.failures:
            self.failures.append(sentence)

    def result(self) -> dict[str, object]:
        """Returns the result in the shape of the module's documentation."""
        prepared = self.prepared
        usage = Usage.of(prepared.inventory)
        disks = [self._disk(work, usage) for work in prepared.works]
        power_before = prepared.machine.power
        # Ansible shows what a result has under this name.
        told = [*cautions(prepared), *self.warnings]
        warnings = {"warnings": told} if told else {}
        return {
            **warnings,
            "changed": self.changed,
            "vm": machine_result(prepared.inventory, prepared.machine),
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

    def _disk(self, work: Work, usage: Usage) -> dict[str, object]:
        state = self.states.get(work.address, UNCHANGED)
        before = disk_facts(work.disk)
        if state == WOULD_CONVERT:
            after: Mapping[str, object] | None = expected_facts(work, self.prepared)
        elif work.address in self.after:
            now = self.after[work.address]
            after = disk_facts(now) if now is not None else None
        else:
            after = before
        return {
            "address": work.address,
            "label": work.disk.label,
            "lun": lun_of_disk(self.prepared.inventory, self.prepared.machine, work.disk, usage),
            "before": before,
            "after": after,
            "state": state,
        }


def cautions(prepared: Prepared) -> list[str]:
    """Returns what nobody can see from outside and the user has to know of, for the disks that become virtual."""
    addresses = [
        work.address
        for work in prepared.works
        if work.task in (Task.CONVERT, Task.FINISH)
        and work.record is not None
        and work.record.wanted is Compatibility.VIRTUAL
    ]
    if not addresses:
        return []
    return [
        f"Whether the guest of {prepared.machine.name} needs SCSI pass-through to {', '.join(addresses)}, as cluster "
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


def expected_facts(work: Work, prepared: Prepared) -> dict[str, object]:
    """Returns what the disk will be once its work is done."""
    record = work.record
    if record is None or work.task is Task.NOTHING:
        return disk_facts(work.disk)
    forward = work.task is not Task.UNDO
    return {
        "file": from_volume_path(record.new_file if forward else record.old_file, prepared.inventory.datastores),
        "compatibility": record.wanted if forward else record.old_mode,
        "disk_mode": record.disk_mode if forward else record.old_disk_mode,
        "sharing": record.sharing,
    }


def record_step(works: Sequence[Work]) -> Step:
    """The first write of every call that changes a disk."""
    addresses = ", ".join(work.address for work in works)
    return Step("record", None, f"write down, with the VM, what is there and what is wanted of {addresses}")


def power_off_step(request: Request) -> Step:
    """The VM is switched off, in the way the user allowed."""
    hard = f", and switch the VM off if it has not within {request.shutdown_timeout:g} s"
    return Step("power_off", None, f"ask the guest to shut down{hard if request.power == 'power_off' else ''}")


def disk_step(work: Work, prepared: Prepared) -> Step:
    """The one step that changes a disk."""
    record = work.record
    if record is None:
        raise ValueError("a disk without a record is not changed")
    old, new = (from_volume_path(path, prepared.inventory.datastores) for path in (record.old_file, record.new_file))
    if work.task is Task.UNDO:
        return Step("undo", work.address, f"see that {old} is attached again, and remove {new} if it was made")
    if record.edits_only:
        return Step("edit_disk_mode", work.address, f"set the disk mode to {record.disk_mode}")
    how = "attach the kept" if work.attach_existing else "make and attach"
    lun = f"{record.lun.canonical_name}, {record.lun.capacity_bytes} bytes"
    return Step(
        "swap",
        work.address,
        f"detach {old} (its file is kept), {how} {record.wanted.value} mapping {new} of {lun}, "
        f"and verify mode, LUN, size and address",
    )


def power_on_step() -> Step:
    """The VM is started again."""
    return Step("power_on", None, "start the VM again and verify the disks once more")


def note_step(works: Sequence[Work]) -> Step:
    """The records shrink to notes."""
    addresses = ", ".join(work.address for work in works)
    return Step("note", None, f"shrink the records of {addresses} to notes about the old mappings that are kept")


def delete_step(address: str, file: str) -> Step:
    """An old mapping file is deleted."""
    return Step("delete_old_mapping", address, f"delete the old mapping file {file} (never the LUN's data)")


def planned_steps(prepared: Prepared, works: Sequence[Work], request: Request) -> list[Step]:
    """Returns the steps that a run of this call would take, in their order."""
    steps: list[Step] = []
    touching = [work for work in works if work.task is not Task.NOTHING]
    stops = bool(touching) and prepared.machine.power is Power.ON
    if touching:
        steps.append(record_step(touching))
        if stops:
            steps.append(power_off_step(request))
        steps.extend(disk_step(work, prepared) for work in touching)
        if request.restore_power and (stops or prepared.stopped_by_a_run):
            steps.append(power_on_step())
        steps.append(note_step(touching))
    for work in works:
        kept = [note.old_file for note in work.deletions]
        if request.delete_old_mapping and work.task in (Task.CONVERT, Task.FINISH) and work.record is not None:
            kept.append(work.record.old_file)
            kept = [path for path in kept if path != work.record.new_file]
        steps.extend(delete_step(work.address, from_volume_path(path, prepared.inventory.datastores)) for path in kept)
    return steps
