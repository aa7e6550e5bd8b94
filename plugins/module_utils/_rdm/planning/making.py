# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""From what was asked and what was read to what will be done: every disk of the call, with all its blockers. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.machine import (
    check_journal,
    check_journal_reading,
    check_reading,
    check_record_files,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import with_recorded_disks
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    STEP_BEGUN,
    STEP_SHUTDOWN_ASKED,
    TOUCHED,
    JournalEntry,
    own_entries,
    own_journals,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_index import LunIndex
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Disk, Inventory, Power, VirtualMachine
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.disk_plan import (
    Action,
    DiskChange,
    DiskPlan,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.facts import PlanFacts
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.open_entries import plan_open_entry
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.places import (
    allowed_folders,
    check_places,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.plan import Plan
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.step_checks import unique
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.untouched_disks import (
    plan_conversion,
    plan_untouched,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.selection import select_disks
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.survey import (
    Questions,
    Survey,
    folder_of_path,
    questions_of,
)


def plan_questions(request: Request, inventory: Inventory, machine: VirtualMachine) -> Questions:
    """Returns what has to be asked before `make_plan`; raises SelectionError."""
    entries = own_entries(machine).values()
    machine = with_recorded_disks(machine, entries, inventory.datastores)
    if not machine.disks:
        return Questions(())
    disks = select_disks(inventory, machine, request.disks)
    questions = questions_of(request, inventory, [(machine, disk) for disk in disks])
    if request.disk_mode is None:
        return questions
    # Whether an earlier run made a file for a disk that now needs another disk mode only.
    made = (folder_of_path(entry.new_file, inventory.datastores) for entry in entries)
    return replace(questions, folders=questions.folders | {folder for folder in made if folder is not None})


def make_plan(request: Request, inventory: Inventory, machine: VirtualMachine, survey: Survey) -> Plan:
    """Returns what becomes of each disk; raises SelectionError where a disk that was named is not there."""
    unreadable = tuple(blocker for blocker in check_journal(machine) if blocker.code == BlockerCode.RECORD_UNREADABLE)
    opened = own_entries(machine)
    stopped = _stopped_by_a_run(machine, opened.values())
    allowed = allowed_folders(machine, inventory.datastores, request)
    outside = dict(check_places(machine, opened.values(), inventory.datastores, allowed))
    machine = with_recorded_disks(machine, opened.values(), inventory.datastores)
    entries = {address: entry for address, entry in opened.items() if address not in outside}
    unread = tuple(check_reading(machine))
    if unread and not machine.disks:
        return Plan(request, inventory, machine, (), entries, unread, stopped)
    facts = PlanFacts(
        request,
        inventory,
        LunIndex.of(inventory),
        machine,
        survey,
        own_journals(machine),
        Power.ON if stopped else (machine.power or Power.OFF),
        STEP_SHUTDOWN_ASKED if stopped else STEP_BEGUN,
        # A disk that an interrupted run took off has lost its place in the order.
        next((entry.boot_order for entry in entries.values() if entry.step in TOUCHED), machine.boot_order or ()),
    )
    # Whether a run is open is not known then, and so of no disk that nothing is to be done.
    untold = tuple(check_journal_reading(machine))
    disks = [_with_blockers_of_vm(disk, machine, untold) for disk in _plan_disks(facts, entries, outside)]
    blockers = unique([*unreadable, *untold, *(blocker for disk in disks for blocker in disk.blockers)])
    return Plan(request, inventory, machine, tuple(disks), entries, blockers, stopped)


def _stopped_by_a_run(machine: VirtualMachine, entries: Iterable[JournalEntry]) -> bool:
    """Tells whether the VM is off because an interrupted run switched it off, or may have."""
    return machine.power is Power.OFF and any(
        entry.power_before is Power.ON and entry.step != STEP_BEGUN and not entry.deletes_only for entry in entries
    )


def _plan_disks(
    facts: PlanFacts, entries: Mapping[str, JournalEntry], outside: Mapping[str, Finding]
) -> Iterator[DiskPlan]:
    """Yields what becomes of the disks that are selected or have an open entry, in the order of their addresses.

    `outside` has, by address, what stands against the entries that name a file where none of this VM belongs.
    """
    selected = {disk.address for disk in select_disks(facts.inventory, facts.machine, facts.request.disks)}
    for disk in sorted(facts.machine.disks, key=_position):
        if disk.address in outside:
            yield DiskPlan(disk=disk, action=Action.UNDO, blockers=(outside[disk.address],))
        elif disk.address in entries:
            yield plan_open_entry(facts, disk, entries[disk.address], disk.address in selected)
        elif disk.address in selected:
            yield plan_untouched(facts, disk)


def _with_blockers_of_vm(disk: DiskPlan, machine: VirtualMachine, untold: Sequence[Finding]) -> DiskPlan:
    """Returns the disk's plan with what stands against any change of this VM."""
    if untold:
        disk = replace(disk, blockers=unique([*untold, *disk.blockers]))
    if isinstance(disk, DiskChange) and not disk.blockers:
        # Most often the folder of the new mapping is the same one, and what stands against that is told already.
        disk = replace(disk, blockers=tuple(check_record_files(machine)))
    return disk


def conversion_blockers(
    inventory: Inventory, lun_index: LunIndex, machine: VirtualMachine, disk: Disk, request: Request, survey: Survey
) -> tuple[Finding, ...]:
    """Returns what a plan would have against bringing one disk into the wanted mode."""
    facts = PlanFacts(request, inventory, lun_index, machine, survey, own_journals(machine), machine.power or Power.OFF)
    return plan_conversion(facts, disk).blockers


def _position(disk: Disk) -> tuple[str, int, int]:
    """Returns what disks are sorted by: a swap puts the new device at the end of the VM's own order."""
    return (disk.controller.type, disk.controller.bus, disk.unit)
