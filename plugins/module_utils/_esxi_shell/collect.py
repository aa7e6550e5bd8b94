# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""From the framed answers of a host to the inventory: what was not told is null, and a finding says so. Pure."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.answer import Answer
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.luns import luns_of
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.machines import (
    DATACENTER,
    asked_machine,
    is_not_there,
    listed_machine,
    may_map,
    skipped_machine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.dump import Value, dumped_object
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.errors import UnreadableOutput
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.vim_cmd import (
    RegisteredVm,
    RegisteredVms,
    fault,
    host_is_down,
    registered_vms,
)
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.stores import Stores
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.codes import FindingCode
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Host, Inventory, VirtualMachine
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import Part, Unreadable

# As a host that stands alone calls itself.
HOST = "ha-host"
_VERSION = re.compile(r"VMware ESXi (\d+(?:\.\d+)+)")
_BEGINS_ROW = re.compile(r"^(\d{1,9})\s+\S", re.MULTILINE | re.ASCII)


@dataclass(frozen=True)
class FirstReading:
    """What one script told: all but what hostd has to be asked for each VM, and the VMs (ids) to ask it about."""

    inventory: Inventory
    stores: Stores
    to_ask: tuple[str, ...]


def first_reading(answer: Answer, server: str) -> FirstReading:
    """Returns the inventory as the host's own script tells it."""
    summary = _host_summary(answer)
    config, runtime = _part(summary, "config"), _part(summary, "runtime")
    name = str(config.get("name") or (answer.text("name") or "").strip() or server)
    version = _VERSION.search(answer.text("version") or "")
    luns, unreadable = luns_of(answer, HOST, name)
    stores = Stores.of(answer, HOST, luns)
    findings = [*_unsearched(stores)]
    if not stores.datastores:
        unreadable = (*unreadable, Unreadable(Part.VOLUMES, why="esxcli storage filesystem list"))
    if summary is None:
        told_nothing = (Part.MAINTENANCE, Part.MANAGEMENT_SERVER)
        unreadable = (*unreadable, *(Unreadable(part, why="hostsvc/hostsummary") for part in told_nothing))
    listed = _listed(answer, stores, findings, name)
    machines: dict[str, VirtualMachine] = {}
    if listed is not None:
        machines.update((vmid, skipped_machine(vmid, HOST)) for vmid in listed.skipped)
        machines.update((one.id, listed_machine(one, HOST, stores)) for one in listed.vms)
    server_ip = summary.get("managementServerIp") if summary is not None else None
    host = Host(
        id=HOST,
        name=name,
        version=version[1] if version is not None else "unknown",
        connection_state=str(runtime.get("connectionState") or "unknown"),
        maintenance=runtime.get("inMaintenanceMode") is True,
        management_server=server_ip if isinstance(server_ip, str) else None,
        datacenter=DATACENTER,
        luns=luns,
        machines=frozenset(machines) if listed is not None else None,
        unreadable=unreadable,
    )
    inventory = Inventory(server, True, {HOST: host}, stores.datastores, machines, tuple(findings), over_shell=True)
    rows = listed.vms if listed is not None else ()
    files = Counter(one.vmx_path for one in machines.values())
    # A row of which nothing else is known may be a line of an annotation: hostd knows.
    doubtful = {row.id for row in rows if not machines[row.id].disks_known or files[machines[row.id].vmx_path] > 1}
    to_ask = tuple(one.id for one in machines.values() if may_map(one) or one.id in doubtful)
    return FirstReading(inventory, stores, to_ask)


def second_reading(first: FirstReading, answer: Answer) -> Inventory:
    """Returns the inventory with what hostd said of the VMs that it was asked about, without those that it has not."""
    machines = dict(first.inventory.machines)
    for vmid in first.to_ask:
        if is_not_there(vmid, answer):
            del machines[vmid]
        else:
            machines[vmid] = asked_machine(machines[vmid], answer)
    host = replace(first.inventory.hosts[HOST], machines=frozenset(machines))
    return replace(first.inventory, machines=machines, hosts={HOST: host})


def not_asked(first: FirstReading, why: str) -> Inventory:
    """Returns the inventory where hostd could not be asked any more, which a finding says."""
    finding = Finding(
        FindingCode.UNREADABLE,
        "warning",
        f"The VMs with mappings were not asked for power and snapshots: {why}",
        "Run again, and raise timeout where it stays so.",
        first.inventory.server,
    )
    return replace(first.inventory, findings=(*first.inventory.findings, finding), complete=False)


def _host_summary(answer: Answer) -> Mapping[str, Value] | None:
    text = answer.text("host")
    if text is None or fault(text) is not None:
        return None
    try:
        found = dumped_object("vim-cmd hostsvc/hostsummary", text)
    except UnreadableOutput:
        return None
    return found if isinstance(found, Mapping) else None


def _part(value: Mapping[str, Value] | None, name: str) -> Mapping[str, Value]:
    found = value.get(name) if value is not None else None
    return found if isinstance(found, Mapping) else {}


def _unsearched(stores: Stores) -> list[Finding]:
    return [
        Finding(
            FindingCode.UNREADABLE,
            "warning",
            f"Datastore {store.name} was not searched to the end for VMs and mapping files.",
            "See that it is mounted and accessible on the host.",
            store.name,
        )
        for store in stores.datastores.values()
        if store.uuid not in stores.searched and (store.type == "VMFS" or store.accessible)
    ]


def _listed(answer: Answer, stores: Stores, findings: list[Finding], host: str) -> RegisteredVms | None:
    """Returns the VMs of the host; None, and a finding, where its list was not told whole."""
    section = answer.find("machines")
    text = section.text if section is not None else ""
    try:
        listed = registered_vms(text)
    except UnreadableOutput as error:
        down = host_is_down(text)
        findings.append(
            Finding(
                FindingCode.UNREADABLE,
                "warning",
                f"hostd of {host} does not answer, so that its VMs are not known: {text.strip()[:200]}"
                if down
                else f"The VMs of {host} are not known: {error.message}",
                "Wait until hostd runs again, or restart it; running VMs are not touched by that."
                if down
                else error.hint or "",
                host,
            )
        )
        return None
    listed = replace(listed, vms=_one_row_each(listed.vms, stores))
    rows = {stores.path_of(one.file) for one in listed.vms}
    missed = [path for path in stores.settings if path not in rows and stores.file_of(path) in text]
    found = [_row_of(stores.file_of(path), text, listed) for path in missed]
    untold = [path for path, row in zip(missed, found, strict=True) if row is None]
    if untold:
        findings.append(
            Finding(
                FindingCode.UNREADABLE,
                "warning",
                f"Which VMs of {host} these files belong to is not told by its list: "
                f"{', '.join(stores.file_of(path) for path in untold)}.",
                "Give the VM a name of one line.",
                host,
            )
        )
        return None
    return RegisteredVms((*listed.vms, *(row for row in found if row is not None)), listed.skipped)


def _one_row_each(rows: Iterable[RegisteredVm], stores: Stores) -> tuple[RegisteredVm, ...]:
    """Returns one row for each id: of several that whose .vmx was read, as an annotation may have lines like rows."""
    found: dict[str, RegisteredVm] = {}
    for row in rows:
        earlier = found.setdefault(row.id, row)
        if _was_read(row, stores) and not _was_read(earlier, stores):
            found[row.id] = row
    return tuple(found.values())


def _was_read(row: RegisteredVm, stores: Stores) -> bool:
    return stores.path_of(row.file) in stores.settings


def _row_of(file: str, text: str, listed: RegisteredVms) -> RegisteredVm | None:
    """Returns the VM whose row runs over several lines; None where several could be it."""
    taken = {one.id for one in listed.vms}
    before = text[: text.index(file)]
    last_row = max((before.rfind(one.file) for one in listed.vms), default=-1)
    begins = [row for row in _BEGINS_ROW.finditer(before) if row.start() > last_row and row[1] not in taken]
    if len(begins) != 1:
        return None
    row = begins[0]
    return RegisteredVm(row[1], before[row.end() - 1 :].strip(), file)
