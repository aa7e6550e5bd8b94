"""Results of the readings, made by the domains themselves of the sites that the tests describe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._core.json_types import to_json_types
from ansible_collections.winbackup.storage.plugins.module_utils._dpm import model as dpm
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.findings import Limits
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.info_results import info_result
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    FileFacts,
    Host,
    Inventory,
    Power,
    VirtualMachine,
    split_file,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.orphans import Orphan
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.results.info_results import (
    lun_info_result,
    rdm_info_result,
)
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.page import Heading, report
from ansible_collections.winbackup.storage.tests.unit.helpers.host_in_memory import STORE, lun, lun_with, machine
from ansible_collections.winbackup.storage.tests.unit.helpers.report_reader import Element, read

GIB = 1024**3
HARMLESS = "harmless"


def inventory(
    machines: Sequence[VirtualMachine], luns: Sequence[HostLun], findings: Sequence[Finding] = ()
) -> Inventory:
    """One host with these LUNs and machines."""
    host = Host("host-1", "host-1.lab", "8.0.3", "connected", datacenter="DC", luns=tuple(luns))
    store = replace(STORE, writable_from=frozenset({"host-1"}))
    by_id = {vm.id: vm for vm in machines}
    return Inventory("lab", False, {host.id: host}, {store.id: store}, by_id, tuple(findings))


def rdm_info(site: Inventory, orphans: Sequence[FileFacts] | None = None) -> dict[str, Any]:
    """What rdm_info returns of a site, as a playbook gets it."""
    disks = [(vm, disk) for vm in site.machines.values() for disk in vm.mappings]
    found = None if orphans is None else [Orphan(facts, split_file(facts.file)[0], True) for facts in orphans]
    return plain(rdm_info_result(site, disks, {}, found))


def lun_info(site: Inventory) -> dict[str, Any]:
    """What lun_info returns of a site."""
    return plain(lun_info_result(site, None, False))


def plain(value: object) -> dict[str, Any]:
    result = to_json_types(value)
    assert isinstance(result, dict)
    return result


def site_of(name: str = HARMLESS, machines: int = 1) -> Inventory:
    """Machines with a physical mapping each; every text that an administrator or a device may choose is the name."""
    luns = [
        lun_with(lun(number), display_name=name, vendor=name, model=name, serial=name, state="ok")
        for number in range(machines)
    ]
    named = []
    for number, one in enumerate(luns):
        vm = machine(name, [one], id=f"vm-{number}", power=Power.ON)
        disks = tuple(
            replace(disk, label=name, file=f"[{name}] {name}/{number}/{name}.vmdk", lun_uuid=one.uuid)
            for disk in vm.disks
        )
        named.append(replace(vm, disks=disks, path=f"/{name}/vm/{number}/{name}"))
    return inventory(named, luns, [Finding("unreadable", "warning", name, name, name)])


def dpm_info(name: str = HARMLESS, used_gib: int = 39, consistent: bool = True) -> dict[str, Any]:
    """What dpm_allocation_info returns of a server with a data source of its own volumes and one on modern storage."""
    now = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
    legacy = dpm.DataSource(
        "1", name, name, protection_group=name, type="volume", state="valid" if consistent else "invalid",
        replica=dpm.Allocation(200 * GIB, 100 * GIB), recovery_point_volume=dpm.Allocation(40 * GIB, used_gib * GIB),
        storage_kind=dpm.StorageKind.LEGACY, custom_volume=False, auto_grow=True,
        recovery_points=dpm.RecoveryPoints(3, now, now),
    )  # fmt: skip
    modern = dpm.DataSource("2", f"{name} 2", name, storage_kind=dpm.StorageKind.MODERN, state="valid")
    failed = dpm.Job("9", "recovery_point", "failed", now, now, True, frozenset({"1"}), None, 114, name)
    alert = dpm.Alert("7", "critical", name, now, name, "1")
    facts = dpm.Facts(
        now, {"1": legacy, "2": modern},
        pool=dpm.Pool((dpm.Disk(name, "1", "healthy", 1000 * GIB, 250 * GIB),), 2),
        failed=(failed,), alerts=(alert,), server_name=name, server_version="4.2",
    )  # fmt: skip
    return plain(info_result(facts, [legacy, modern], Limits(Fraction(9, 10))))


def page_of(
    mappings: object = None,
    luns: object = None,
    allocations: object = None,
    stories: object = None,
    **heading: Any,
) -> Element:
    """The page about these results, read back."""
    return read(report(mappings, luns, allocations, Heading(**heading), stories).html)


def story(name: str = HARMLESS, outcome: str = "cured", *, known: bool = True) -> dict[str, Any]:
    """A story as the filter machine_story returns it, with one step."""
    step = {"name": "Proof", "text": name, "known": known}
    chapter = {"title": name, "outcome": outcome, "steps": [step]}
    return {"host": name, "machine": f"own {name}", "chapters": [chapter], "notes": [name], "lines": []}


def site_with(*modes: Compatibility) -> Inventory:
    """A machine that is off, with a mapping in each of these modes."""
    luns = [lun(number) for number in range(len(modes))]
    vm = machine("server", luns)
    ending = {Compatibility.PHYSICAL: "-rdmp.vmdk", Compatibility.VIRTUAL: "-rdm.vmdk"}
    disks = tuple(
        replace(disk, compatibility=mode, extent=disk.file.removesuffix(".vmdk") + ending[mode])
        for disk, mode in zip(vm.disks, modes, strict=True)
    )
    return inventory([replace(vm, disks=disks)], luns)
