# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A host that takes one mapping of a LUN at a time: the old file has to go before the new one can be made.

Whether there are such hosts is not known. So it is tried, and only where a new mapping was refused: with a spare one of
the old mode beside the old file. Refused with the same words, it is the second mapping that the host does not take, and
neither the new mode nor the place. The spare one stands in the record before it is made.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConnectionFailed,
    OutcomeUnknown,
    RefusalKind,
    StepRefused,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import NewMapping, VmState
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import BlockerCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.kept_file import check_kept_file
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.device_steps import (
    recorded_lun,
    takes_one_mapping,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import inventory_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.mapping_files import (
    delete_file,
    file_facts,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.own_files import (
    NotVerified,
    remove_unused,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.execution.run import TRIES, Run
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.files import spare_file_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import from_volume_path, journal_at
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_names import plain_name
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Inventory


def old_has_to_go(run: Run, address: str, refusal: StepRefused, may_touch: Callable[[VmState], None]) -> bool:
    """Tells whether a new mapping was refused because the old one is there; then that is written down.

    Raises NotVerified where it was, and the old one must not go since it could not be made again with certainty.
    """
    # Where the words alone tell that it is something else no spare one is made.
    if not takes_one_mapping(refusal.said, refusal.said):
        return False
    if not _spare_is_refused_alike(run, address, refusal.said, may_touch):
        return False
    stays = _why_it_stays(run, address)
    if stays is not None:
        raise NotVerified(
            f"{refusal.message} The host takes no second mapping of a LUN, and the old one was not given up for it: "
            f"{stays.message}",
            hint=stays.hint,
        )
    _write_down(run, address, one_at_a_time=True)
    return True


def delete_old_mapping(run: Run, address: str, may_touch: Callable[[VmState], None]) -> None:
    """Deletes the old mapping, which is attached to nothing by now; raises NotVerified where it is not what it was."""
    state = run.read_vm_when_idle()
    may_touch(state)
    entry = run.held[address]
    readable, facts = file_facts(run, state, entry.old_file)
    if readable and facts is None:
        return
    stays = _why_it_stays(run, address)
    if stays is not None:
        raise NotVerified(stays.message, hint=stays.hint)
    delete_file(run, state.machine, entry.old_file, state)


def drop_spare(run: Run, address: str) -> bool:
    """Removes the spare mapping that this run or a killed one may have made; returns False where it is still there."""
    entry = run.held[address]
    if not entry.probing:
        return True
    if not remove_unused(run, entry, spare_file_of(entry.old_file), entry.old_mode, run.read_vm_when_idle()):
        return False
    _write_down(run, address, probing=False)
    return True


def _spare_is_refused_alike(run: Run, address: str, said: str, may_touch: Callable[[VmState], None]) -> bool:
    state = run.read_vm_when_idle()
    may_touch(state)
    entry = run.held[address]
    spare = spare_file_of(entry.old_file)
    readable, facts = file_facts(run, state, spare)
    if not readable or facts is not None:
        return False
    lun = recorded_lun(entry, state, state.machine.disk_at(address))
    file = from_volume_path(spare, state.datastores)
    _write_down(run, address, probing=True)
    answer = _refusal_of(run, NewMapping(file, lun, entry.old_mode, None), may_touch)
    if not drop_spare(run, address):
        raise NotVerified(f"The spare mapping {file} could not be removed.", hint="Run again.")
    return answer == said


def _refusal_of(run: Run, spare: NewMapping, may_touch: Callable[[VmState], None]) -> str | None:
    """Makes the spare mapping; returns the words with which it was refused, None where it was made or may have been."""
    for _attempt in range(TRIES):
        state = run.read_vm_when_idle()
        may_touch(state)
        run.changed = True
        try:
            run.backend.create_mapping(state.machine, spare)
        except StepRefused as refusal:
            if refusal.kind is RefusalKind.STALE:
                continue
            return refusal.said if refusal.kind is RefusalKind.OTHER else None
        except (OutcomeUnknown, ConnectionFailed):
            # A step may still be at work there; another one waits for its end.
            run.renew()
        return None
    return None


def _why_it_stays(run: Run, address: str) -> Finding | None:
    """Returns why the old mapping must not be deleted, though it is attached nowhere else; None where it may be."""
    inventory = run.inventory_as_owner()
    state = run.read_vm_as_owner()
    entry = run.held[address]
    file = from_volume_path(entry.old_file, state.datastores)
    machine = replace(state.machine, disks=tuple(disk for disk in state.machine.disks if disk.address != address))
    readable, facts = file_facts(run, state, entry.old_file)
    if facts is not None and facts.compatibility is None:
        message = f"Of which mode {file} is cannot be read."
        return Finding.blocker(
            BlockerCode.OLD_MAPPING_UNREADABLE, message, "Look at it on the host with vmkfstools -q.", file
        )
    whole = inventory_of(replace(state, machine=machine), inventory)
    stays = check_kept_file(entry.kept_mapping, file, readable, facts, whole, machine)
    lun = recorded_lun(entry, state, state.machine.disk_at(address))
    return stays or _other_mapping(run, whole, lun, (state.host.luns if state.host else None) or (), file)


def _other_mapping(
    run: Run, inventory: Inventory, lun: HostLun, luns: Sequence[HostLun], old_file: str
) -> Finding | None:
    """Returns what is known against the old mapping being the only one of its LUN: with a third one, which nobody uses,
    the host would make none again either."""
    used = {file for vm in inventory.machines.values() for disk in vm.disks for file in (disk.file, *disk.parents)}
    for datastore in inventory.datastores.values():
        # A mapping file can only lie on VMFS (vSphere Storage guide).
        if datastore.type is not None and datastore.type.upper() != "VMFS":
            continue
        try:
            found = run.backend.mapping_files(datastore)
        except StepRefused as refusal:
            message = f"Whether {datastore.name} holds another mapping of the LUN is not known: {refusal.message}"
            return Finding.blocker(BlockerCode.OLD_MAPPING_UNREADABLE, message, refusal.hint or "", datastore.name)
        for facts in found:
            name = plain_name(facts.lun_uuid or "")
            named = [one for one in luns if name in {plain_name(known) for known in (one.uuid, one.vml, *one.names)}]
            if facts.file in used | {old_file} or (named and lun not in named):
                continue
            return Finding.blocker(
                BlockerCode.OLD_MAPPING_IN_USE,
                f"{facts.file} is, or may be, another mapping of {lun.canonical_name}.",
                "See with vmkfstools -q; delete it there if nobody needs it, then run again.",
                facts.file,
            )
    return None


def _write_down(run: Run, address: str, *, probing: bool = False, one_at_a_time: bool = False) -> None:
    """Writes into the record what is being tried, or what was found out."""
    entry = run.held[address]
    wanted = (probing, one_at_a_time or entry.one_at_a_time)
    run.held[address] = replace(entry, probing=wanted[0], one_at_a_time=wanted[1])

    def written(state: VmState) -> bool:
        journal = journal_at(state.machine, address)
        present = journal.entry if journal is not None else None
        return present is not None and (present.probing, present.one_at_a_time) == wanted and run.owns(state, address)

    run.save(written, lambda state: {})
