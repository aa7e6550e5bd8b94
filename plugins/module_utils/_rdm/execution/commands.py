# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What each module that reads mappings and LUNs does, given the edge that it works on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConfigurationError,
    ConnectionFailed,
    OutcomeUnknown,
    StepRefused,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, ModuleResult
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import clock
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import Reader
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import FindingCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.other_runs import in_progress
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.disk_state import with_half_done_disks
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_places import is_record_file
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_index import LunIndex
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Datastore,
    Disk,
    FileFacts,
    Inventory,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.orphans import orphans_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import see_that_it_can_be_read
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.planning.making import conversion_blockers
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.request import Request
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.results.info_results import (
    lun_info_result,
    other_mode,
    rdm_info_result,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.selection import (
    select_hosts,
    select_machines,
    select_mappings,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.survey import questions_of

_READABLE = see_that_it_can_be_read("it", "it is accessible")
# So many named virtual machines are looked into one by one; more would make the reading slow.
_CHECKED_IN_FULL = 50


def rdm_info(backend: Reader, call: ModuleCall) -> ModuleResult:
    """Does one call of `rdm_info`; returns its result."""
    options = call.options
    until = end_of(call)
    with_paths = "lun_paths" in options["detail"]
    wanted = Compatibility(options["compatibility"]) if options["compatibility"] else None
    with_luns = "luns" in options["detail"]
    inventory = backend.inventory(with_lun_paths=with_paths, with_offers=with_luns, until=until)
    # Before a search that may take long: names that mean nothing are an error.
    select_machines(inventory, options["vms"], options["datacenter"])
    orphans = None
    if options["orphans"]:
        call.log("Searching the datastores for mapping files.")
        inventory, found = _mapping_files(backend, inventory, options["datacenter"], until)
        files = [facts.file for _datastore, facts in found if is_record_file(facts.file)]
        inventory = backend.with_records(inventory, files, until)
        orphans = orphans_of(inventory, found)
    inventory = with_half_done_disks(inventory)
    machines = select_machines(inventory, options["vms"], options["datacenter"])
    chosen = sorted(
        select_mappings(inventory, machines, options["luns"], wanted),
        key=lambda pair: (pair[0].name, pair[0].id, pair[1].controller.key, pair[1].unit),
    )
    in_full = bool(options["vms"]) and len(machines) <= _CHECKED_IN_FULL
    checked = _all_blockers(backend, inventory, chosen, until) if in_full else {}
    result = rdm_info_result(
        inventory, chosen, checked, orphans, with_paths=with_paths, with_luns=with_luns, vms=len(machines)
    )
    return ModuleResult(result)


def lun_info(backend: Reader, call: ModuleCall) -> ModuleResult:
    """Does one call of `lun_info`; returns its result."""
    options = call.options
    with_paths = "lun_paths" in options["detail"]
    inventory = backend.inventory(with_lun_paths=with_paths, with_offers=True, until=end_of(call))
    inventory = with_half_done_disks(inventory)
    hosts = select_hosts(inventory, options["hosts"])
    return ModuleResult(
        lun_info_result(inventory, hosts, options["mappable_only"], luns=options["luns"], with_paths=with_paths)
    )


def end_of(call: ModuleCall) -> float:
    """Returns what the monotonic clock says when the call's time is up; raises ConfigurationError."""
    timeout = call.options["timeout"]
    if timeout < 1:
        raise ConfigurationError(f"timeout must be at least 1, not {timeout}.")
    return call.began + float(timeout)


def _all_blockers(
    backend: Reader, inventory: Inventory, disks: Sequence[tuple[VirtualMachine, Disk]], until: float
) -> dict[tuple[str, str], Sequence[Finding]]:
    """Returns by (VM id, address) what a plan with the default options would say of each mapping; nothing where time is
    up, or where the server does not answer what a plan has to know."""
    if clock() > until:
        return {}
    # A plan of either mode asks for the same places and rights; the modes differ in the file's name.
    wanted = {mode: Request("", mode) for mode in Compatibility}
    questions = [
        questions_of(request, inventory, [pair for pair in disks if other_mode(pair[1]) is mode], uuids=False)
        for mode, request in wanted.items()
    ]
    try:
        survey = backend.survey(questions[0].joined_with(questions[1]))
        now = backend.now() if any(machine.journal for machine, _disk in disks) else 0.0
    except StepRefused:
        return {}
    except ConnectionFailed:
        if clock() <= until:
            raise
        return {}
    lun_index = LunIndex.of(inventory)
    found: dict[tuple[str, str], Sequence[Finding]] = {}
    for machine, disk in disks:
        request = wanted[other_mode(disk)]
        blockers = conversion_blockers(inventory, lun_index, machine, disk, request, survey)
        other = in_progress(machine, now)
        found[(machine.id, disk.address)] = (*blockers, other) if other is not None else blockers
    return found


def _mapping_files(
    backend: Reader, inventory: Inventory, datacenter: str | None, until: float
) -> tuple[Inventory, list[tuple[Datastore, FileFacts]]]:
    """Returns the mapping files of all datastores, and the inventory with a finding for each that was not searched."""
    found: list[tuple[Datastore, FileFacts]] = []
    findings: list[Finding] = []
    hosts = {host.id for host in inventory.hosts.values() if datacenter in (None, host.datacenter)}
    for datastore in sorted(inventory.datastores.values(), key=lambda store: (store.name, store.id)):
        elsewhere = (
            datastore.writable_from is not None and datacenter is not None and not datastore.writable_from & hosts
        )
        # A mapping file can only lie on VMFS (vSphere Storage guide).
        if (datastore.type is not None and datastore.type.upper() != "VMFS") or elsewhere:
            continue
        try:
            if datastore.type is None:
                raise StepRefused("Its type could not be read.", fault="NotAsked", hint=_READABLE)
            if clock() > until:
                raise StepRefused("Time was up before.", fault="Timedout", hint="Raise timeout.")
            found.extend((datastore, facts) for facts in backend.mapping_files(datastore, until))
        except (StepRefused, OutcomeUnknown, ConnectionFailed) as refusal:
            if isinstance(refusal, ConnectionFailed) and clock() <= until:
                raise
            findings.append(
                Finding(
                    FindingCode.UNREADABLE,
                    "warning",
                    f"Datastore {datastore.name} could not be searched: {refusal.message}",
                    refusal.hint
                    or "Give the user the privilege Datastore.Browse on it, and see that it is accessible.",
                    datastore.name,
                )
            )
    return replace(inventory, findings=(*inventory.findings, *findings)), found
