# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What backup_failure_info does: reads logs, disks and, on a DPM server, data sources; nothing is decided here.

Logs are what it is about; disks, and what DPM says, make a diagnosis surer. What of them cannot be read is a finding.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta
from fractions import Fraction
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConnectionFailed,
    StorageError,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, ModuleResult
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.server import PowerShellServer
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import DataSource, Facts
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.volume_findings import is_short
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.host import WindowsHost
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.transport import Transport
from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_join import disks_of_machine, join_disks
from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_results import vm_disk_result
from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_sizes import (
    sizes_agree,
    truncated_at_2_tib,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.commands import deadline_of
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.parse_failures import (
    LogsRead,
    parse_logs,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.reading_disks import (
    read_machine_disks,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.diagnosis import diagnose
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.model import (
    ProtectedSource,
    Reading,
    SeenDisk,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.options import (
    Since,
    signatures_of,
    since_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.results import (
    diagnosis_result,
    disk_changes,
    log_findings,
    unread,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.signs import IDS
from ansible_collections.winbackup.storage.plugins.module_utils._windows.model import (
    Disk,
    Machine,
    MachineDisks,
    Volume,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.scripts import read_failures
from ansible_collections.winbackup.storage.plugins.module_utils._windows.vm_disks import VmDisk, vm_disks_of
from ansible_collections.winbackup.storage.plugins.module_utils._windows.volume_names import (
    NamedVolume,
    VolumeTable,
    key_of,
)

# An event query takes about 22 conditions; the name of the log and the time are two of them. [not documented]
_IDS_IN_A_QUERY = 18
# Of one query no more records are taken than tell of any fault.
_MOST_RECORDS = 2000
# The percentage from which on dpm_allocation_info calls a volume short, too.
_SHORT_PERCENT = Fraction(90)
_VMWARE = "vmware-"
_PARTS = {
    "backup": "what Windows Server Backup says itself",
    "labels": "the labels of the volumes",
    "dpm": "whether DPM is installed",
}
_HINT = "See to the rights of the user; the rest was read all the same."


def failure_info(call: ModuleCall, task_connection: Transport | None = None) -> ModuleResult:
    """Does one call of backup_failure_info."""
    since = since_of(str(call.options["since"]))
    wanted = signatures_of(call.options["signatures"])
    vm_disks = vm_disks_of(call.options["vm_disks"]) if call.options["vm_disks"] is not None else None
    deadline = deadline_of(call.options)
    findings: list[Finding] = []
    with WindowsHost(call.options, task_connection) as host:
        read = read_logs(host, since, deadline)
        facts = disks_or_finding(host, deadline, findings)
    server = dpm_or_finding(call.options, task_connection, deadline, findings) if read.is_dpm else None
    machine = facts.machine
    name = machine.name or "the machine"
    first = since.time or read.now - timedelta(seconds=since.seconds)
    reading = reading_of(read, facts, server, vm_disks, findings)
    findings.extend(_unread_parts(read, name))
    findings.extend(log_findings(read.logs, first, name))
    result: dict[str, object] = {
        **diagnosis_result(diagnose(reading, wanted), read.logs, read.backup, disk_changes(read.records)),
        "machine": machine,
        "findings": findings,
    }
    missing = [log.name for log in read.logs if unread(log)]
    failure = f"Logs could not be read: {', '.join(missing)}." if missing and call.options["logs_needed"] else None
    return ModuleResult(result, failure)


def read_logs(host: WindowsHost, since: Since, deadline: float) -> LogsRead:
    """Returns what the logs hold since then; raises what WindowsHost.run does."""
    return parse_logs(host.run(read_failures.SCRIPT, _parameters(since), deadline=deadline))


def reading_of(
    read: LogsRead,
    facts: MachineDisks,
    server: Facts | None,
    vm_disks: Sequence[VmDisk] | None,
    findings: list[Finding],
) -> Reading:
    """Returns all that was read of one machine as a diagnosis takes it; `server` is what DPM told (None: nothing)."""
    serial = facts.machine.serial
    volumes = _volumes(facts, read.labels)
    sources = tuple(server.sources.values()) if server is not None else () if read.is_dpm is False else None
    return Reading(
        read.now,
        read.records,
        volumes,
        _seen_disks(facts, vm_disks, findings),
        read.backup,
        None if serial is None else serial.lower().startswith(_VMWARE),
        read.is_dpm,
        None if sources is None else tuple(_protected(source, volumes) for source in sources),
    )


def _parameters(since: Since) -> dict[str, object]:
    logs = [
        {
            "name": name,
            "queries": [
                {"ids": list(ids[place : place + _IDS_IN_A_QUERY])} for place in range(0, len(ids), _IDS_IN_A_QUERY)
            ],
        }
        for name, ids in IDS.items()
    ]
    time = 0 if since.time is None else int(since.time.timestamp())
    return {"Logs": logs, "Since": time, "Age": since.seconds, "Most": _MOST_RECORDS}


def disks_or_finding(host: WindowsHost, deadline: float, findings: list[Finding]) -> MachineDisks:
    """Returns the disks; none with a finding where they cannot be read."""
    try:
        return read_machine_disks(host, deadline, refresh=False)
    except ConnectionFailed:
        raise
    except StorageError as error:
        findings.append(Finding("unreadable", "warning", f"The disks could not be read: {error}", _HINT, "the machine"))
        return MachineDisks(Machine(), (), None)


def dpm_or_finding(
    options: Mapping[str, Any], task_connection: Transport | None, deadline: float, findings: list[Finding]
) -> Facts | None:
    """Returns the data sources and alerts of a DPM server; None with a finding where they cannot be read."""
    try:
        with PowerShellServer(options, task_connection) as server:
            return server.read(deadline, alerts=True)
    except ConnectionFailed:
        raise
    except StorageError as error:
        message = f"The data sources of DPM could not be read: {error}"
        findings.append(Finding("unreadable", "warning", message, _HINT, "DPM"))
        return None


def _protected(source: DataSource, volumes: VolumeTable) -> ProtectedSource:
    area = source.recovery_point_volume
    known = area.allocated_bytes is not None and area.used_bytes is not None
    shown = f"{area.used_bytes} of {area.allocated_bytes} bytes are used" if known else ""
    return ProtectedSource(
        source.id,
        source.name,
        source.computer,
        volumes.find(source.replica_path),
        is_short(area, _SHORT_PERCENT) if known else None,
        source.consistent,
        shown,
        source.active,
    )


def _volumes(facts: MachineDisks, labels: Mapping[str, str]) -> VolumeTable:
    on_disks = [(volume, disk.number) for disk in facts.disks for volume in disk.volumes or ()]
    return VolumeTable(
        [
            _named(volume, number, labels)
            for volume, number in (*on_disks, *((volume, None) for volume in facts.other_volumes or ()))
        ]
    )


def _named(volume: Volume, disk: int | None, labels: Mapping[str, str]) -> NamedVolume:
    names = (volume.path, volume.letter, *volume.mount_points)
    keys = frozenset(key for name in names if (key := key_of(name)) is not None)
    label = next((labels[key] for key in keys if key in labels), None)
    return NamedVolume(volume.guid, volume.letter, volume.path, label, disk, keys)


def _seen_disks(
    facts: MachineDisks, vm_disks: Sequence[VmDisk] | None, findings: list[Finding]
) -> tuple[SeenDisk, ...]:
    found: Sequence[VmDisk | None] = [None for _disk in facts.disks]
    if vm_disks is not None and facts.disks:
        of_machine = disks_of_machine(facts.machine, vm_disks)
        joins = join_disks(facts.disks, of_machine.disks)
        findings.extend([*of_machine.findings, *(one for join in joins for one in join.findings)])
        found = [join.vm_disk for join in joins]
    pairs = zip(facts.disks, found, strict=True)
    return tuple(_seen_disk(disk, disk.number, vm_disk) for disk, vm_disk in pairs if disk.number is not None)


def _seen_disk(disk: Disk, number: int, vm_disk: VmDisk | None) -> SeenDisk:
    sizes = disk.sizes
    return SeenDisk(
        number,
        disk.disk_id,
        sizes_agree(disk),
        truncated_at_2_tib(disk),
        {
            "MSFT_Disk": sizes.disk,
            "Win32_DiskDrive": sizes.wmi,
            "MSFT_PhysicalDisk": sizes.physical,
            "the end of the last partition": sizes.partitions_end,
        },
        None if vm_disk is None or vm_disk.compatibility is None else vm_disk.compatibility == "physical",
        None if vm_disk is None else vm_disk_result(vm_disk),
    )


def _unread_parts(read: LogsRead, machine: str) -> Iterator[Finding]:
    for part, said in read.unread_parts:
        message = f"Windows did not give {_PARTS.get(part, part)}: {said}"
        yield Finding("unreadable", "warning", message, _HINT, machine)
