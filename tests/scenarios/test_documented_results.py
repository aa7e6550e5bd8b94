"""What modules return is what their RETURN says: no key that is not documented, none missing, each of its type."""

from __future__ import annotations

import ast
import dataclasses
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from dpm_lab import DpmLab
from guest import shapes
from guest.disks import Disk, Partition
from guest.guest import Guest
from vcenter_lab import VcenterLab
from wsman.powershell import PowerShellCommands
from wsman.site import windows_site

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import (
    ArgumentSpec,
    ModuleCall,
    ModuleResult,
    result_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution import argument_specs as dpm_options
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution import commands
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import changing_commands
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import commands as vsphere_commands
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution import (
    argument_specs as windows_options,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution import commands as windows_commands
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.failure_info import failure_info
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.testing_shadow_copies import (
    shadow_copy_test,
)

MODULES = Path(__file__).resolve().parents[2] / "plugins" / "modules"
TYPES = {"str": str, "int": int, "float": (int, float), "bool": bool, "dict": dict, "list": list, "raw": object}
# The password of a user of the lab.
BOB = secrets.token_urlsafe(12)
# What Ansible says of every module.
COMMON = {"changed", "warnings"}


def documentation_of(module: str) -> dict[str, Any]:
    """Returns what RETURN of a module says; the file is read and not imported, as Ansible itself does it."""
    text = (MODULES / f"{module}.py").read_text(encoding="utf-8")
    assigned = {
        node.targets[0].id: node.value
        for node in ast.parse(text).body
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
    }
    documented: dict[str, Any] = yaml.safe_load(ast.literal_eval(assigned["RETURN"]))
    return documented


def differences(documented: dict[str, Any], result: dict[str, Any], where: str = "") -> Iterator[str]:
    """Yields what is not as documented, with its place."""
    for name in sorted(result.keys() - documented.keys()):
        yield f"{where}{name} is not documented"
    for name, said in documented.items():
        if name not in result:
            if said["returned"] == "always":
                yield f"{where}{name} is missing"
            continue
        value = result[name]
        if value is None:
            continue
        if not isinstance(value, TYPES[said["type"]]) or (
            isinstance(value, bool) and said["type"] not in ("bool", "raw")
        ):
            yield f"{where}{name} is no {said['type']}"
            continue
        for entry in value if said["type"] == "list" else [value]:
            if said["type"] == "list" and not isinstance(entry, TYPES[said["elements"]]):
                yield f"{where}{name} holds what is no {said['elements']}"
            elif "contains" in said:
                yield from differences(said["contains"], entry, f"{where}{name}.")


def leaves(documented: dict[str, Any], where: str = "") -> Iterator[str]:
    """Yields the places of everything documented."""
    for name, said in documented.items():
        yield f"{where}{name}"
        yield from leaves(said.get("contains", {}), f"{where}{name}.")


def seen(result: dict[str, Any], where: str = "") -> Iterator[str]:
    """Yields the places of everything in a result."""
    for name, value in result.items():
        yield f"{where}{name}"
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, dict):
                yield from seen(entry, f"{where}{name}.")


def check(module: str, results: list[dict[str, Any]], *, empty: tuple[str, ...] = ()) -> None:
    """Fails where one of these results is not as documented, or where something documented is in none of them, but for
    what would stand in the lists that are `empty`."""
    documented = documentation_of(module)
    own = [{name: value for name, value in result.items() if name not in COMMON} for result in results]
    wrong = {difference for result in own for difference in differences(documented, result)}
    assert wrong == set()
    unseen = set(leaves(documented)) - {place for result in own for place in seen(result)}
    assert {place for place in unseen if not place.startswith(empty)} == set()


def ask(
    spec: ArgumentSpec, do: Callable[[ModuleCall], ModuleResult], given: dict[str, Any], *, check_mode: bool = False
) -> dict[str, Any]:
    """Returns what a module returns in diff mode, whether it fails or not."""
    validated = ArgumentSpecValidator(dict(spec.options), **spec.rules).validate(given)
    assert not validated.error_messages
    _failure, result = result_of(do, ModuleCall(validated.validated_parameters, check_mode, diff_mode=True))
    return result


@pytest.fixture
def vsphere(vcenter: VcenterLab) -> dict[str, Any]:
    """The options that lead to the lab vCenter with the story, a broken datastore, and a user who may not see all."""
    broken = "  - {name: broken, inaccessible: true}\nluns:\n"
    users = f"\nusers: {{bob: {{password: '{BOB}', unreadable: [esx2.lab]}}}}\n"
    vcenter.world(vcenter.story().replace("luns:\n", broken, 1) + users)
    return {
        "hostname": vcenter.host,
        "port": vcenter.port,
        "username": vcenter.username,
        "password": vcenter.password,
        "ca_path": vcenter.ca_path,
    }


@pytest.fixture
def windows() -> Iterator[dict[str, Any]]:
    """The options that lead to the lab's DPM server."""
    with DpmLab.start(speed=60, check_seconds=60) as dpm:
        yield {
            "hostname": dpm.host,
            "port": dpm.port,
            "username": dpm.username,
            "password": dpm.password,
            "ca_trust_path": dpm.ca_path,
        }


@pytest.fixture
def guest() -> Iterator[tuple[Guest, dict[str, Any]]]:
    """A Windows machine of the lab with a disk that is offline, a dynamic one and a mapping, and its options."""
    one = Guest()
    part = Partition(1 << 20, 10 << 30, volume="a59dcd66-5963-4ba8-995c-915935cb8654", letter="E")
    other = Partition(1 << 20, 10 << 30, volume="b59dcd66-5963-4ba8-995c-915935cb8654", letter="F")
    one.disks = [
        Disk(0, 80 << 30, boot=True, wmi_size=1 << 30, partitions=[part]),
        Disk(1, 1 << 40, target=1, serial="ONE", offline=True, offline_reason=1, read_only=True),
        Disk(2, 1 << 40, target=2, dynamic=True, partitions=[other]),
        Disk(3, 1 << 40, target=3),
    ]
    one.refusing = {"get-storagesetting"}
    with windows_site(PowerShellCommands(one.new_session)) as site:
        yield one, {name: value for name, value in site.options("ntlm", "https").items() if value is not None}


def test_backup_failure_info(guest: tuple[Guest, dict[str, Any]], windows: dict[str, Any]) -> None:
    machine, options = guest
    volume = "\\\\?\\Volume{a59dcd66-5963-4ba8-995c-915935cb8654}"
    machine.backup_fails(volume, "E:")
    machine.backup_fails("\\\\?\\Volume{c59dcd66-5963-4ba8-995c-915935cb8654}", "E:", hresult=0x807800A1)
    machine.add(shapes.partition_1006(1, 1 << 40, "ONE", 2))
    vm = {"name": "backup01", "moid": "vm-1", "bios_uuid": machine.bios_uuid}
    mapping = {"vm": vm, "address": "scsi0:0", "unit": 0, "compatibility": "physical", "lun": {"serial": "OWN"}}
    machine.disks[0].serial = "OWN"
    asked = [{**options, "vm_disks": [mapping]}, {**windows, "since": "52w"}]
    check("backup_failure_info", [ask(windows_options.FAILURE_INFO, failure_info, given) for given in asked])


def test_windows_disk_info(guest: tuple[Guest, dict[str, Any]]) -> None:
    windows, options = guest
    vm = {"name": "backup01", "moid": "vm-1", "bios_uuid": windows.bios_uuid}
    controllers = [{"type": "scsi", "bus": bus, "model": "pvscsi", "pci_slot_number": 160} for bus in (0, 1)]
    mappings: list[dict[str, Any]] = [
        {"vm": vm, "address": "scsi0:1", "unit": 1, "lun": {"serial": "ONE"}},
        *({"vm": vm, "address": f"scsi{one['bus']}:3", "unit": 3, "controller": one, "lun": {}} for one in controllers),
    ]
    read = windows_commands.on_host(windows_commands.disk_info)
    check("windows_disk_info", [ask(windows_options.DISK_INFO, read, {**options, "vm_disks": mappings})])


def test_windows_disk(guest: tuple[Guest, dict[str, Any]]) -> None:
    windows, options = guest
    windows.disks[1].disk_id = "{0D6C9A2C-5B0E-4F7E-9D3F-1F7F3B7B2C11}"
    windows.disks[1].partitions = [dataclasses.replace(windows.disks[2].partitions[0], letter="G")]
    named = {**options, "disk_ids": [windows.disks[1].disk_id]}
    change = windows_commands.on_host(windows_commands.disk)
    check("windows_disk", [ask(windows_options.DISK, change, named, check_mode=dry) for dry in (True, False)])


def test_shadow_copy_test(guest: tuple[Guest, dict[str, Any]]) -> None:
    windows, options = guest
    windows.shadows.failing["a59dcd66-5963-4ba8-995c-915935cb8654"] = 10
    mark = "HKLM:\\SOFTWARE\\winbackup.storage.shadow_copy_test.b59dcd66-5963-4ba8-995c-915935cb8654"
    windows.registry[mark] = {"until": "2020-01-01T00:00:00.0000000Z"}
    test = windows_commands.on_host(shadow_copy_test)
    named = {**options, "volumes": ["E:", "F:"]}
    check("shadow_copy_test", [ask(windows_options.SHADOW_COPY_TEST, test, named)])


def test_rdm_info(vsphere: dict[str, Any]) -> None:
    full = {**vsphere, "orphans": True, "detail": ["lun_paths", "luns"]}
    results = [ask(vsphere_commands.RDM_INFO, vsphere_commands.rdm_info, given) for given in (vsphere, full)]
    # Which LUN an orphaned file maps is told over the shell only; tests/scenarios/shell sees it.
    check("rdm_info", results, empty=("orphaned_mappings.lun_uuid",))


def test_lun_info(vsphere: dict[str, Any]) -> None:
    given = {**vsphere, "username": "bob", "password": BOB, "detail": ["lun_paths"]}
    check("lun_info", [ask(vsphere_commands.LUN_INFO, vsphere_commands.lun_info, given)])


def test_rdm_compatibility(vsphere: dict[str, Any]) -> None:
    named = {**vsphere, "vm": "backup01"}
    asked = [
        (named, True),
        (named, False),
        ({**named, "power": "shutdown"}, True),
        ({**named, "power": "shutdown"}, False),
    ]
    # What there is to find is found over the shell only; tests/scenarios/shell sees it.
    check(
        "rdm_compatibility",
        [
            ask(changing_commands.RDM_COMPATIBILITY, changing_commands.rdm_compatibility, given, check_mode=dry)
            for given, dry in asked
        ],
        empty=("findings.",),
    )


def test_rdm_rehearsal(vcenter: VcenterLab, vsphere: dict[str, Any]) -> None:
    spare = "naa.60060160a1b123450000000000000fff"
    vcenter.world(vcenter.story().replace("luns:\n", f"luns:\n  - {{name: {spare}, sectors: 4194304}}\n", 1))
    named = {**vsphere, "lun": spare, "datastore": "san01"}
    other = next(lun["name"] for lun in vcenter.state()["luns"] if lun["mapped_by"])
    asked = [(named, True), (named, False), ({**named, "lun": other}, True)]
    results = [
        ask(changing_commands.RDM_REHEARSAL, changing_commands.rdm_rehearsal, given, check_mode=dry)
        for given, dry in asked
    ]
    assert results[1]["report"]["complete"]
    check("rdm_rehearsal", results)


def test_dpm_allocation_info(windows: dict[str, Any], tmp_path: Path) -> None:
    # The story has no trouble of the server itself.
    check(
        "dpm_allocation_info",
        [
            ask(dpm_options.INFO, commands.on_server(commands.allocation_info), {**windows, **more})
            for more in ({}, {"threshold_percent": 10.0, "history": str(tmp_path / "history")})
        ],
        empty=("alerts.", "server.findings.", "computers.findings."),
    )


def test_dpm_allocation(windows: dict[str, Any]) -> None:
    wish = {**windows, "min_free_percent": 20, "on_refused": "skip"}
    results = [
        ask(dpm_options.ALLOCATION, commands.on_server(commands.resize), wish, check_mode=dry)
        for dry in (True, False, False)
    ]
    check("dpm_allocation", results)


def test_dpm_consistency_check(windows: dict[str, Any]) -> None:
    results = [
        ask(dpm_options.CHECK, commands.on_server(commands.consistency_check), windows, check_mode=dry)
        for dry in (True, False, False)
    ]
    check("dpm_consistency_check", results)


def test_dpm_recovery_point(windows: dict[str, Any]) -> None:
    wish = {**windows, "datasources": ["E:\\"], "newer_than": "1m"}
    results = [
        ask(dpm_options.POINT, commands.on_server(commands.recovery_point), wish, check_mode=dry)
        for dry in (True, False)
    ]
    check("dpm_recovery_point", results)


def test_dpm_protection_group(windows: dict[str, Any]) -> None:
    wish = {**windows, "name": "Files", "auto_grow": True}
    results = [
        ask(dpm_options.GROUP, commands.on_server(commands.protection_group), wish, check_mode=dry)
        for dry in (True, False)
    ]
    check("dpm_protection_group", results)
