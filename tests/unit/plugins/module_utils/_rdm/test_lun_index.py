"""Who uses a LUN, across hosts that show it and hosts that do not; and that one serial does not make one LUN of two."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.conversion import check_conversion
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.checks.findings import (
    inventory_findings,
    mapping_findings,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.lun_index import LunIndex
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    DiskKind,
    Host,
    Inventory,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import Part, Unreadable
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.results.info_results import (
    lun_info_result,
    rdm_info_result,
)
from ansible_collections.winbackup.storage.tests.unit.helpers.host_in_memory import STORE, lun, lun_with, machine

NOT_READ = (Unreadable(Part.CONFIGURATION),)


def site(machines: list[VirtualMachine], **luns: list[HostLun] | None) -> Inventory:
    """Returns an inventory of these VMs and of hosts that show these LUNs; None for one that cannot be read."""
    hosts = {}
    for number, (name, seen) in enumerate(luns.items(), 1):
        host = f"host-{number}"
        shown = None if seen is None else tuple(replace(one, host=host, host_name=name) for one in seen)
        state = "connected" if seen is not None else "not_responding"
        hosts[host] = Host(
            host,
            name,
            "8.0.3",
            state,
            datacenter="DC",
            luns=shown,
            unreadable=() if shown else NOT_READ,
        )
    return Inventory("lab", False, hosts, {STORE.id: STORE}, {vm.id: vm for vm in machines})


def user(number: int, of: HostLun, host: str = "host-1", **disk: Any) -> VirtualMachine:
    """Returns a VM that maps a LUN, on a host."""
    vm = machine(f"user{number}", [of], id=f"vm-{number}")
    return replace(vm, host=host, disks=tuple(replace(one, **disk) for one in vm.disks))


def sharing(inventory: Inventory, number: int = 1) -> list[str]:
    """Returns the names of the VMs that share the LUN of a VM's disk."""
    vm = inventory.machines[f"vm-{number}"]
    return [other.name for other in LunIndex.of(inventory).sharing(inventory, vm, vm.disks[0])]


def codes(inventory: Inventory, number: int = 1) -> set[str]:
    """Returns the codes of what stands against the conversion of a VM's disk."""
    vm = inventory.machines[f"vm-{number}"]
    return {str(found.code) for found in check_conversion(inventory, vm, vm.disks[0], Compatibility.VIRTUAL)}


def renumbered(of: HostLun, number: int) -> HostLun:
    """Returns the LUN as a host shows it that gave it another number."""
    uuid = f"0200{number:02x}0000{of.uuid[10:]}"
    return lun_with(of, uuid=uuid, vml=f"vml.{uuid}", names=frozenset({of.canonical_name, uuid}))


@pytest.mark.parametrize("shown", [[], None], ids=["masked", "host lost"])
def test_a_lun_that_the_vms_host_does_not_show_is_shared_with_a_vm_whose_host_does(shown: list[HostLun] | None) -> None:
    inventory = site([user(1, lun(0)), user(2, renumbered(lun(0), 9), "host-2")], a=shown, b=[renumbered(lun(0), 9)])
    assert sharing(inventory, 1) == ["user2"]
    assert sharing(inventory, 2) == ["user1"]
    assert "lun_used_by_other_vm" in codes(inventory, 2)
    assert [use["vm"] for use in lun_info_result(inventory, None, False)["luns"][0]["used_by"]["rdms"]] == [  # type: ignore[index]
        "user2",
        "user1",
    ]


def test_two_vms_share_a_lun_that_no_host_shows() -> None:
    inventory = site([user(1, lun(0)), user(2, lun(0), "host-2")], a=[], b=None)
    assert sharing(inventory) == ["user2"]


@pytest.mark.parametrize("spelt", [str.upper, lambda uuid: f"vml.{uuid}", lambda uuid: f"VML.{uuid.upper()}"])
def test_an_id_is_the_same_in_every_spelling(spelt: Any) -> None:
    inventory = site([user(1, lun(0), lun_uuid=spelt(lun(0).uuid), device_name="")], a=[lun(0)])
    vm = inventory.machines["vm-1"]
    assert [one.canonical_name for one in inventory.luns_of(vm, vm.disks[0])] == [lun(0).canonical_name]


def test_another_lun_number_is_a_finding_and_not_a_missing_lun() -> None:
    inventory = site(
        [user(1, lun(0)), user(2, renumbered(lun(0), 7), "host-2")],
        a=[renumbered(lun(0), 7)],
        b=[renumbered(lun(0), 7)],
    )
    vm = inventory.machines["vm-1"]
    found = mapping_findings(inventory, vm, vm.disks[0], LunIndex.of(inventory))
    assert "lun_number_differs" in {str(one.code) for one in found}
    assert "lun_missing" not in codes(inventory)
    assert sharing(inventory) == ["user2"]
    other = inventory.machines["vm-2"]
    assert "lun_number_differs" not in {
        str(one.code) for one in mapping_findings(inventory, other, other.disks[0], LunIndex.of(inventory))
    }


def test_luns_of_one_serial_that_hosts_tell_apart_are_not_one() -> None:
    one = lun_with(lun(0), canonical_name="t10.A", durable_names=frozenset({"t10.A"}), serial="1")
    uuid = "0100000000" + "31" * 20 + "565241494420"
    one = lun_with(one, uuid=uuid, vml=f"vml.{uuid}", names=frozenset({"t10.a", uuid}), device_name="t10.A")
    two = lun_with(one, canonical_name="t10.B", durable_names=frozenset({"t10.B"}), names=frozenset({"t10.b", uuid}))
    two = lun_with(two, device_name="t10.B")
    inventory = site([user(1, one, lun_uuid="0100aa"), user(2, two, "host-2", lun_uuid="0100ab")], a=[one], b=[two])
    assert sharing(inventory) == []
    findings = [
        str(found["code"] if isinstance(found, dict) else found.code)
        for found in lun_info_result(inventory, None, False)["findings"]
    ]  # type: ignore[attr-defined]
    assert findings == ["serial_not_unique"]


def test_one_serial_on_many_luns_is_said_once_in_one_line() -> None:
    luns = [lun_with(lun(number), serial="SAME") for number in range(400)]
    inventory = site([user(number, luns[number]) for number in range(400)], a=luns)
    mappings = [(vm, disk) for vm in inventory.machines.values() for disk in vm.mappings]
    result = rdm_info_result(inventory, mappings, {}, None)
    said = [found for found in result["findings"] if found.code == "serial_not_unique"]  # type: ignore[attr-defined]
    assert len(said) == 1
    assert said[0].message.startswith("400 LUNs have the serial SAME: ")
    assert said[0].message.endswith(" and 397 more.")
    assert len(str(result)) < 5000 * len(luns)


def test_a_mapping_that_names_no_lun_may_be_of_any() -> None:
    inventory = site([user(1, lun(0)), user(2, lun(1), lun_uuid=None, device_name=None)], a=[lun(0), lun(1)])
    assert "other_vms_unread" in codes(inventory)
    assert [(str(one.code), one.object) for one in inventory_findings(inventory)] == [("unreadable", "user2")]


def test_a_disk_of_a_kind_that_nobody_knows_may_map_any_lun() -> None:
    other = user(2, lun(1), kind=DiskKind.OTHER, lun_uuid=None, device_name=None)
    assert "other_vms_unread" in codes(site([user(1, lun(0)), other], a=[lun(0), lun(1)]))


@pytest.mark.parametrize("unknown", ["disk", "LUN"])
def test_a_size_that_is_not_known_agrees_with_nothing(unknown: str) -> None:
    shown = lun_with(lun(0), capacity_bytes=None) if unknown == "LUN" else lun(0)
    mapped = user(1, lun(0)) if unknown == "LUN" else user(1, lun(0), capacity_bytes=None)
    assert codes(site([mapped], a=[shown])) == {"size_mismatch"}


def test_blocks_of_4096_bytes_are_told_by_their_size_alone() -> None:
    assert codes(site([user(1, lun(0))], a=[lun_with(lun(0), disk_type=None, block_size=4096)])) == {"native_4k"}


def test_a_server_that_does_not_tell_of_reservations_leaves_it_open_whether_a_mapping_is_convertible() -> None:
    inventory = site([user(1, lun(0))], a=[lun_with(lun(0), perennially_reserved=None)])
    vm = inventory.machines["vm-1"]
    (rdm,) = rdm_info_result(inventory, [(vm, vm.disks[0])], {("vm-1", "scsi0:0"): ()}, None)["rdms"]  # type: ignore[attr-defined]
    assert (rdm["unchecked"], rdm["convertible"]) == (["perennially_reserved"], None)


def test_vms_and_hosts_that_could_not_be_read_are_counted_and_named() -> None:
    hidden = [replace(user(number, lun(1)), disks=(), disks_known=False, unreadable=NOT_READ) for number in range(2, 7)]
    inventory = site([user(1, lun(0)), *hidden], a=[lun(0), lun(1)], b=None)
    vm = inventory.machines["vm-1"]
    (unread,) = (
        one
        for one in check_conversion(inventory, vm, vm.disks[0], Compatibility.VIRTUAL)
        if one.code == "other_vms_unread"
    )
    assert (
        "6 VMs or hosts that could use it could not be read (/DC/vm/user2, /DC/vm/user3, /DC/vm/user4 and 3 more)"
        in unread.message
    )
    assert unread.overridable
    override = frozenset({"other_vms_unread"})
    assert check_conversion(inventory, vm, vm.disks[0], Compatibility.VIRTUAL, override=override) == ()
    lun_row = lun_info_result(inventory, None, False)["luns"][1]  # type: ignore[index]
    assert (lun_row["mappable"], lun_row["mappable_reasons"], lun_row["used_by"]["complete"]) == (
        None,
        ["use_unknown", "not_offered"],
        False,
    )


def test_of_a_local_lun_only_vms_of_its_own_host_count() -> None:
    local = lun_with(lun(0), local=True)
    elsewhere = replace(user(2, lun(1), "host-2"), disks=(), disks_known=False, unreadable=NOT_READ)
    assert "other_vms_unread" not in codes(site([user(1, local), elsewhere], a=[local], b=[]))
    here = replace(elsewhere, host="host-1")
    assert "other_vms_unread" in codes(site([user(1, local), here], a=[local], b=[]))
