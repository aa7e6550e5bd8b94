"""Hide any part of any site: nothing becomes convertible, mappable, unused or an orphan that was not so before."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.conversion import check_conversion
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.target import Target
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_index import LunIndex
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    DiskKind,
    FileFacts,
    Host,
    Inventory,
    Power,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.orphans import orphans_of
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import Part, Unreadable
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.results.info_results import (
    lun_info_result,
    other_mode,
    rdm_info_result,
)
from ansible_collections.winbackup.storage.tests.unit.helpers.host_in_memory import STORE, lun, lun_with, machine

HOSTS, LUNS = ("host-1", "host-2", "host-3"), 3
FILES = [(number, mode) for number in range(5) for mode in ("d0", "d1")]
# What a VM may not tell, one by one, and what is then not known of it.
PROPERTIES: dict[Part, dict[str, Any]] = {
    Part.CONFIGURATION: {
        "disks": (), "disks_known": False, "template": None, "has_snapshots": None, "encrypted": False, "journal": {},
        "replicated": False, "change_tracking": False, "instance_uuid": None, "vmx_path": None, "controllers": (),
    },
    Part.DISKS: {"disks": (), "disks_known": False, "controllers": ()},
    Part.TEMPLATE: {"template": None},
    Part.ENCRYPTION: {"encrypted": False},
    Part.REPLICATION: {"replicated": False},
    Part.CHANGE_TRACKING: {"change_tracking": False},
    Part.SETTINGS: {"journal": {}},
    Part.SNAPSHOTS: {"has_snapshots": None},
    Part.POWER_STATE: {"power": None},
    Part.HOST: {"host": None},
    Part.CONNECTION_STATE: {"connection_state": "unknown"},
    Part.CONSOLIDATION: {"consolidation_needed": None},
    Part.FAULT_TOLERANCE: {"fault_tolerance": False},
    Part.LOCKS: {"reconfigure_disabled": False},
    Part.TASKS: {"running_task": None},
}  # fmt: skip


@st.composite
def luns(draw: st.DrawFn) -> dict[str, tuple[HostLun, ...]]:
    """Draws LUNs with what they may carry, as each host shows them, if it does."""
    shown: dict[str, list[HostLun]] = {host: [] for host in HOSTS}
    for number in range(LUNS):
        local = draw(st.booleans())
        for host in draw(st.lists(st.sampled_from(HOSTS), min_size=1, max_size=1 if local else 3, unique=True)):
            seen = draw(st.integers(0, 2))
            one = lun(number, host=host)
            uuid = f"0200{seen:02x}0000{one.uuid[10:]}"
            trait = draw(
                st.sampled_from(["none"] * 8 + ["vmfs", "vsan", "reserved", "off", "dump", "boot", "endpoint"])
            )
            shown[host].append(
                lun_with(
                    one,
                    uuid=uuid,
                    vml=f"vml.{uuid}",
                    names=frozenset({one.canonical_name, uuid}),
                    local=local,
                    vmfs_datastore="san" if trait == "vmfs" else None,
                    used_by_vsan=trait == "vsan",
                    perennially_reserved=trait == "reserved",
                    state="off" if trait == "off" else "ok",
                    dump_or_scratch=trait == "dump",
                    boot=True if trait == "boot" else None,
                    protocol_endpoint=trait == "endpoint",
                    offered=draw(st.sampled_from([True] * 5 + [False])),
                )
            )
    return {host: tuple(seen) for host, seen in shown.items()}


@st.composite
def sites(draw: st.DrawFn) -> Inventory:
    """Draws a site of which everything can be read."""
    shown = draw(luns())
    machines: dict[str, VirtualMachine] = {}
    for number in range(draw(st.integers(1, 4))):
        host = draw(st.sampled_from(HOSTS))
        mapped = draw(st.lists(st.integers(0, LUNS - 1), max_size=2, unique=True))
        # A mapping may have been made on another host, which gave the LUN another number.
        order = draw(st.permutations(HOSTS))
        seen = {one.canonical_name: one for each in order for one in shown[each] if not one.local or each == host}
        names = {lun(which).canonical_name for which in mapped}
        chosen = [one for one in seen.values() if one.canonical_name in names]
        vm = machine(f"vm{number}", chosen, id=f"vm-{number}", power=draw(st.sampled_from([Power.OFF, Power.ON])))
        mode = draw(st.sampled_from(list(Compatibility)))
        trait = draw(st.sampled_from(["none"] * 20 + list(_TRAITS)))
        machines[vm.id] = replace(
            vm,
            host=host,
            disks=tuple(replace(disk, compatibility=mode, extent=None) for disk in vm.disks),
            **_TRAITS.get(trait, {}),
        )
    hosts = {
        host: Host(
            host,
            f"{host}.lab",
            "8.0.3",
            "connected",
            datacenter="DC",
            luns=shown[host],
            machines=frozenset(vm.id for vm in machines.values() if vm.host == host),
        )
        for host in HOSTS
    }
    store = replace(STORE, writable_from=frozenset(HOSTS), mounted_on=frozenset(HOSTS))
    return Inventory("lab", draw(st.sampled_from([False, False, True])), hosts, {store.id: store}, machines)


_TRAITS: dict[str, dict[str, Any]] = {
    "snapshots": {"has_snapshots": True},
    "template": {"template": True},
    "encrypted": {"encrypted": True},
    "replicated": {"replicated": True},
    "fault tolerance": {"fault_tolerance": True},
    "consolidation": {"consolidation_needed": True},
    "task": {"running_task": "a backup"},
    "locked": {"reconfigure_disabled": True},
    "tracking": {"change_tracking": True},
    "invalid": {"connection_state": "invalid"},
}


@dataclass(frozen=True)
class Hidden:
    """One part of a site that cannot be read."""

    kind: str
    object: str
    property: Part = Part.OTHER


@st.composite
def hidden_parts(draw: st.DrawFn) -> Hidden:
    """Draws a part of a site."""
    kind = draw(
        st.sampled_from(["config", "property", "vm", "host", "host config", "host vms", "volumes", "dump", "end"])
    )
    vms = st.sampled_from([f"vm-{number}" for number in range(3)])
    if kind == "config":
        return Hidden("property", draw(vms), Part.CONFIGURATION)
    if kind == "property":
        return Hidden(kind, draw(vms), draw(st.sampled_from(list(PROPERTIES))))
    return Hidden(kind, draw(vms if kind == "vm" else st.sampled_from(HOSTS)))


def without(site: Inventory, part: Hidden) -> Inventory:
    """Returns what is read of a site where a part of it is hidden."""
    hosts, machines, id = dict(site.hosts), dict(site.machines), part.object
    if part.kind == "end":
        # The reading came to no end: of hosts and VMs only the first ones were read.
        first_hosts = {host: hosts[host] for host in sorted(hosts) if host < id}
        first = {vm: machines[vm] for vm in sorted(machines)[: len(first_hosts)]}
        return replace(site, hosts=first_hosts, machines=first, complete=False)
    if id in machines and part.kind == "vm":
        del machines[id]
    elif id in machines and part.kind == "property":
        vm = machines[id]
        machines[id] = replace(vm, **PROPERTIES[part.property], unreadable=(*vm.unreadable, Unreadable(part.property)))
    elif id in hosts and part.kind == "host":
        del hosts[id]
        return replace(site, hosts=hosts, unseen_hosts=site.unseen_hosts | {id})
    elif id in hosts:
        hosts[id] = _with_host_hidden(hosts[id], part.kind)
    return replace(site, hosts=hosts, machines=machines)


def _with_host_hidden(host: Host, kind: str) -> Host:
    if kind == "host config":
        return replace(host, luns=None, connection_state="not_responding", unreadable=(Unreadable(Part.CONFIGURATION),))
    if kind == "host vms":
        return replace(host, machines=None, unreadable=(Unreadable(Part.MACHINES),))
    unknown: dict[str, dict[str, Any]] = {
        "volumes": {"volumes_known": False, "vmfs_datastore": None, "boot": None},
        "dump": {"dump_or_scratch": None},
        "offers": {"offered": None},
    }
    return replace(
        host,
        luns=None if host.luns is None else tuple(replace(one, **unknown[kind]) for one in host.luns),
        unreadable=(Unreadable(Part.VOLUMES),),
    )


def checked(site: Inventory) -> dict[tuple[str, str], tuple[Finding, ...]]:
    """Returns what stands against each conversion, every folder and right having been looked at."""
    index = LunIndex.of(site)
    target = Target("[san] new/new.vmdk", site.datastores[STORE.id], {}, missing_privileges={}, license_read_only=False)
    return {
        (vm.id, disk.address): check_conversion(site, vm, disk, other_mode(disk), target=target, lun_index=index)
        for vm in site.machines.values()
        for disk in vm.mappings
    }


def verdicts(site: Inventory) -> dict[str, set[Any]]:
    """Returns all that a site is said to be good for."""
    blockers = checked(site)
    disks = [(vm, disk) for vm in site.machines.values() for disk in vm.mappings]
    rdms: Any = rdm_info_result(site, disks, blockers, None)["rdms"]
    rows: Any = lun_info_result(site, None, False)["luns"]
    files = [
        (site.datastores[STORE.id], FileFacts(f"[san] vm{number}/{name}.vmdk", kind=DiskKind.MAPPING))
        for number, name in FILES
    ]
    assert [rdm["lun"] is not None or bool(rdm["findings"]) for rdm in rdms] == [True] * len(rdms)
    return {
        "convertible": {(rdm["vm"]["moid"], rdm["address"]) for rdm in rdms if rdm["convertible"] is True},
        "convertible once shut down": {
            (rdm["vm"]["moid"], rdm["address"]) for rdm in rdms if rdm["convertible"] in (True, "after_shutdown")
        },
        "free to begin": {key for key, found in blockers.items() if not found},
        "mappable": {row["hosts"][0]["device_path"] for row in rows if row["mappable"] is True},
        "unused": {
            row["hosts"][0]["device_path"] for row in rows if row["used_by"]["complete"] and not row["used_by"]["rdms"]
        },
        "orphans": {one.facts.file for one in orphans_of(site, files) if one.users_are_known},
    }


@settings(max_examples=150)
@given(site=sites(), parts=st.lists(hidden_parts(), min_size=1, max_size=3))
def test_what_is_hidden_makes_nothing_better(site: Inventory, parts: list[Hidden]) -> None:
    seen = site
    for part in parts:
        seen = without(seen, part)
    whole, partial = verdicts(site), verdicts(seen)
    better = {kind: partial[kind] - whole[kind] for kind in whole if partial[kind] - whole[kind]}
    assert better == {}


def small_site(vm: VirtualMachine, *more: VirtualMachine, **trait: Any) -> Inventory:
    """Returns a host with two LUNs, of which the first has a trait, and these VMs."""
    store = replace(STORE, writable_from=frozenset({"host-1"}), mounted_on=frozenset({"host-1"}))
    shown = [replace(lun(number), offered=True) for number in range(2)]
    shown[0] = lun_with(shown[0], **trait)
    machines = {one.id: one for one in (vm, *more)}
    host = Host("host-1", "a", "8.0.3", "connected", datacenter="DC", luns=tuple(shown), machines=frozenset(machines))
    return Inventory("lab", False, {"host-1": host}, {store.id: store}, machines)


def mapped(number: int = 0, **trait: Any) -> VirtualMachine:
    """Returns a VM with a mapping of the first LUN."""
    return replace(machine(f"vm{number}", [lun(0)], id=f"vm-{number}"), **trait)


@pytest.mark.parametrize(
    ("trait", "part"),
    [
        ("snapshots", Part.SNAPSHOTS),
        ("template", Part.TEMPLATE),
        ("encrypted", Part.ENCRYPTION),
        ("replicated", Part.REPLICATION),
        ("fault tolerance", Part.FAULT_TOLERANCE),
        ("consolidation", Part.CONSOLIDATION),
        ("task", Part.TASKS),
        ("locked", Part.LOCKS),
        ("invalid", Part.CONNECTION_STATE),
        *((trait, Part.CONFIGURATION) for trait in ("snapshots", "template", "encrypted", "replicated")),
    ],
)
def test_a_property_that_is_hidden_lets_no_conversion_begin_that_it_would_stop(trait: str, part: Part) -> None:
    site = small_site(mapped(**_TRAITS[trait]))
    assert verdicts(site)["free to begin"] == set()
    assert verdicts(without(site, Hidden("property", "vm-0", part)))["free to begin"] == set()


@pytest.mark.parametrize(
    ("trait", "part"),
    [
        ({"vmfs_datastore": "san"}, "volumes"),
        ({"boot": True}, "volumes"),
        ({"dump_or_scratch": True}, "dump"),
        ({"perennially_reserved": True}, "host config"),
        ({"state": "off"}, "host config"),
        ({"used_by_vsan": True}, "host"),
    ],
)
def test_a_part_of_a_host_that_is_hidden_lets_no_conversion_begin_that_it_would_stop(
    trait: dict[str, Any], part: str
) -> None:
    site = small_site(mapped(), **trait)
    assert verdicts(site)["free to begin"] == set()
    assert verdicts(without(site, Hidden(part, "host-1")))["free to begin"] == set()


@pytest.mark.parametrize(
    ("trait", "part"),
    [({"vmfs_datastore": "san"}, "volumes"), ({"boot": True}, "volumes"), ({"dump_or_scratch": True}, "dump")],
)
def test_what_another_host_keeps_on_a_lun_and_does_not_tell_lets_no_conversion_begin(
    trait: dict[str, Any], part: str
) -> None:
    site = small_site(mapped())
    shown = lun_with(lun(0, host="host-2"), **trait)
    other = Host("host-2", "b", "8.0.3", "connected", datacenter="DC", luns=(shown,))
    site = replace(site, hosts={**site.hosts, "host-2": other})
    assert verdicts(site)["free to begin"] == set()
    assert verdicts(without(site, Hidden(part, "host-2")))["free to begin"] == set()


@pytest.mark.parametrize(
    "part",
    [
        Hidden("vm", "vm-1"),
        Hidden("property", "vm-1", Part.CONFIGURATION),
        Hidden("property", "vm-1", Part.DISKS),
        Hidden("host vms", "host-1"),
        Hidden("end", "host-2"),
    ],
)
def test_another_user_that_is_hidden_leaves_no_lun_unused(part: Hidden) -> None:
    shared = small_site(mapped(), mapped(1))
    assert verdicts(shared)["free to begin"] == set()
    assert verdicts(without(shared, part))["free to begin"] == set()
    alone = small_site(replace(mapped(), disks=()), mapped(1))
    for kind in ("mappable", "unused", "orphans"):
        assert verdicts(without(alone, part))[kind] <= verdicts(alone)[kind]
    if part.kind != "host vms":
        assert verdicts(without(alone, part))["unused"] == set()


def test_a_whole_site_has_all_of_it() -> None:
    """The property above would hold for a domain that never says yes."""
    said = verdicts(small_site(mapped()))
    assert {kind: len(found) for kind, found in said.items()} == {
        "convertible": 1,
        "convertible once shut down": 1,
        "free to begin": 1,
        "mappable": 1,
        "unused": 1,
        "orphans": 9,
    }
