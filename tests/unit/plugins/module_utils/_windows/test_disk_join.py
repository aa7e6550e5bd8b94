# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which disk of the VM a disk of its guest is: in which order it is told, and what is not joined."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_join import (
    Join,
    disks_of_machine,
    join_disks,
    slot_in_windows,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.model import (
    Disk,
    Machine,
    ScsiAddress,
    Sizes,
    Volume,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.vm_disks import VmDisk, vm_disks_of

UUID = "42394fdd-93f3-501a-8614-c6fa55f75468"
WINDOWS_UUID = "DD4F3942-F393-1A50-8614-C6FA55F75468"
SERIAL = "VMware-42 39 4f dd 93 f3 50 1a-86 14 c6 fa 55 f7 54 68"
NAA = "60060160a1b1234500000000000000a1"
DISK_UUID = "6000C292-a560-cfee-7485-ca30dd209394"


def entry(unit: int = 1, **others: Any) -> dict[str, Any]:
    """A mapping as rdm_info returns it: without a serial of its LUN, on a pvscsi controller in slot 160."""
    name = others.pop("vm", "backup01")
    vm = {"name": name, "moid": f"vm-{name}", "instance_uuid": f"i-{name}", "bios_uuid": UUID, "same_bios_uuid": []}
    controller = {"type": "scsi", "bus": 0, "model": "pvscsi", "pci_slot_number": 160, **others.pop("controller", {})}
    return {
        "vm": {**vm, **others.pop("of_vm", {})},
        "address": f"scsi{controller['bus']}:{unit}",
        "unit": unit,
        "controller": controller,
        "file": f"[ds] {name}/{unit}.vmdk",
        "compatibility": "physical",
        "capacity_bytes": 1 << 40,
        "disk_uuid": DISK_UUID,
        "lun": {"serial": None, "canonical_name": "mpx.vmhba1:C0:T0:L0"},
        "guest_paths": None,
        **others,
    }


def disk(number: int = 1, target: int | None = None, **others: Any) -> Disk:
    """A disk of Windows at the target of its number, in slot 160."""
    place = ScsiAddress(2, 0, number if target is None else target, 0)
    return Disk(**{"number": number, "scsi": place, "pci_slot": 160, "sizes": Sizes(disk=1 << 40), **others})


def join(disks: list[Disk], *entries: dict[str, Any]) -> list[tuple[str | None, str | None]]:
    """The address and what told it, of each disk."""
    return [shown(one) for one in join_disks(disks, vm_disks_of(list(entries)))]


def shown(one: Join) -> tuple[str | None, str | None]:
    return (one.vm_disk.address if one.vm_disk else None, one.joined_by)


PHYSICAL = {"serial": "ZVTBXN1D", "canonical_name": f"naa.{NAA}"}


@pytest.mark.parametrize(
    ("seen", "mapped", "expected"),
    [
        ({"serial": " zvtb-xn1d "}, {"lun": PHYSICAL}, ("scsi0:1", "serial")),
        ({"unique_id": NAA.upper()}, {"lun": PHYSICAL}, ("scsi0:1", "naa")),
        ({"serial": "6000c292a560cfee7485ca30dd209394"}, {"compatibility": "virtual"}, ("scsi0:1", "serial")),
        ({"unique_id": "6000C292A560CFEE7485CA30DD209394"}, {"compatibility": "virtual"}, ("scsi0:1", "naa")),
        # The mode that is not the disk's: a guest sees the ids of the other thing.
        ({"serial": "6000c292a560cfee7485ca30dd209394"}, {"lun": PHYSICAL}, (None, None)),
        ({"serial": "ZVTBXN1D"}, {"lun": PHYSICAL, "compatibility": "virtual"}, (None, None)),
        # Not known which mode: either.
        ({"serial": "ZVTBXN1D"}, {"lun": PHYSICAL, "compatibility": None}, ("scsi0:1", "serial")),
        # No serial at all.
        ({"serial": "unavailable"}, {"lun": {"serial": "unavailable"}}, (None, None)),
        ({"serial": "00000000"}, {"lun": {"serial": "00000000"}}, (None, None)),
        ({"serial": None}, {"lun": None}, (None, None)),
    ],
)
def test_by_the_ids_that_a_guest_sees(
    seen: dict[str, Any], mapped: dict[str, Any], expected: tuple[str | None, str | None]
) -> None:
    # In another slot, so that only the ids can tell.
    assert join([disk(pci_slot=192, **seen)], entry(**mapped)) == [expected]


@pytest.mark.parametrize(
    ("number", "in_windows"), [(160, 160), (256, 256), (1023, 1023), (1184, 161), (1216, 193), (4256, 164)]
)
def test_slots_above_0x3ff(number: int, in_windows: int) -> None:
    assert slot_in_windows(number) == in_windows
    mapped = entry(controller={"pci_slot_number": number})
    assert join([disk(pci_slot=in_windows)], mapped) == [("scsi0:1", "pci_slot_and_target")]


def test_two_controllers_that_windows_shows_in_one_slot_tell_nothing() -> None:
    entries = [entry(controller={"bus": bus, "pci_slot_number": slot}) for bus, slot in ((0, 161), (1, 1184))]
    [found] = join_disks([disk(pci_slot=161)], vm_disks_of(entries))
    assert shown(found) == (None, None)
    assert [one.address for one in found.candidates] == ["scsi0:1", "scsi1:1"]


@pytest.mark.parametrize(
    ("model", "unit", "joined"),
    [("pvscsi", 12, True), ("lsilogic_sas", 12, False), (None, 12, False), ("lsilogic_sas", 6, True), (None, 6, True)],
)
def test_units_above_the_controllers_own_count_on_pvscsi_only(model: str | None, unit: int, joined: bool) -> None:
    [found] = join_disks([disk(unit)], vm_disks_of([entry(unit, controller={"model": model})]))
    assert (found.vm_disk is not None) == joined
    assert [one.unit for one in found.candidates] == ([] if joined else [unit])


@pytest.mark.parametrize(
    ("seen", "mapped"),
    [
        ({"pci_slot": None}, {}),
        ({"pci_slot": 192}, {}),
        ({}, {"controller": {"pci_slot_number": None}}),
        ({}, {"controller": {"type": "sata"}}),
        ({}, {"unit": None}),
        ({"target": 2}, {}),
    ],
)
def test_a_place_that_is_not_known_or_another(seen: dict[str, Any], mapped: dict[str, Any]) -> None:
    assert join([disk(**seen)], entry(**mapped)) == [(None, None)]


def test_port_and_size_tell_nothing() -> None:
    """The controller's number is Windows' port less two, and the sizes are equal: no join."""
    mapped = entry(controller={"bus": 0, "pci_slot_number": 192})
    assert join([disk(scsi=ScsiAddress(2, 0, 1, 0))], mapped) == [(None, None)]


def test_by_what_vmware_tools_reported() -> None:
    volume = Volume("a", "E:", "\\\\?\\Volume{a}\\", ("E:\\", "E:\\folder\\"))
    one = disk(pci_slot=None, volumes=(volume,))
    assert join([one], entry(guest_paths=["e:\\"])) == [("scsi0:1", "vsphere")]
    assert join([one], entry(guest_paths=["F:\\"])) == [(None, None)]
    # A volume on two disks tells neither.
    both = [entry(1, guest_paths=["E:\\"]), entry(2, guest_paths=["E:\\"])]
    assert join([one], *both) == [(None, None)]
    # An offline disk has none.
    assert join([replace(one, volumes=None)], entry(guest_paths=["E:\\"])) == [(None, None)]


def test_ids_that_contradict_the_place_join_nothing() -> None:
    """The serial of one disk at the place of another: one of them is wrong, and nobody can say which."""
    entries = vm_disks_of([entry(1, lun=PHYSICAL), entry(2)])
    [found] = join_disks([disk(target=2, serial="ZVTBXN1D")], entries)
    assert shown(found) == (None, None)
    assert [finding.code for finding in found.findings] == ["vm_disk_contradictory"]
    assert [one.address for one in found.candidates] == ["scsi0:1", "scsi0:2"]


def test_one_serial_on_two_disks_of_the_vm_is_told_apart_by_the_place() -> None:
    entries = [entry(1, lun=PHYSICAL), entry(2, lun={**PHYSICAL, "canonical_name": "naa.1"})]
    assert join([disk(target=2, serial="ZVTBXN1D")], *entries) == [("scsi0:2", "pci_slot_and_target")]
    assert join([disk(pci_slot=None, serial="ZVTBXN1D")], *entries) == [(None, None)]


def test_one_serial_on_two_disks_of_the_guest_tells_neither() -> None:
    """A LUN that is seen over two paths, or arrays with one serial for all."""
    two = [disk(1, pci_slot=None, serial="ZVTBXN1D"), disk(2, pci_slot=None, serial="ZVTBXN1D")]
    assert join(two, entry(lun=PHYSICAL)) == [(None, None)] * 2


def test_two_disks_of_the_guest_are_never_one_of_the_vm() -> None:
    by_serial, by_name = disk(1, pci_slot=192, serial="ZVTBXN1D"), disk(2, pci_slot=192, unique_id=NAA)
    found = join_disks([by_serial, by_name], vm_disks_of([entry(lun=PHYSICAL)]))
    assert [shown(one) for one in found] == [(None, None)] * 2
    assert [finding.code for one in found for finding in one.findings] == ["vm_disk_contradictory"] * 2


@pytest.mark.parametrize(
    ("seen", "cut"), [(3 << 40, None), ((3 << 40) - (2 << 40), "multiple of 2 TiB"), (5 << 30, "has 5368709120 bytes")]
)
def test_a_size_that_is_not_the_vms(seen: int, cut: str | None) -> None:
    [found] = join_disks([disk(sizes=Sizes(disk=seen))], vm_disks_of([entry(capacity_bytes=3 << 40)]))
    assert shown(found)[0] == "scsi0:1"
    assert [finding.code for finding in found.findings] == ([] if cut is None else ["vm_disk_size_differs"])
    assert cut is None or cut in found.findings[0].message


@pytest.mark.parametrize(
    ("machine", "found"),
    [
        (Machine("SRV1", WINDOWS_UUID, SERIAL), True),
        (Machine("SRV1", WINDOWS_UUID, None), True),
        (Machine("SRV1", UUID, None), True),
        (Machine("SRV1", UUID, "VMware-"), True),
        # The serial has one byte order, and decides.
        (Machine("SRV1", WINDOWS_UUID, SERIAL.replace("42 39", "42 3a")), False),
        (Machine("backup01", None, None), False),
        (Machine("backup01", "00000000-0000-0000-0000-000000000000", None), False),
        (Machine("backup01", "no UUID", "no serial"), False),
    ],
)
def test_which_vm_a_machine_is(machine: Machine, found: bool) -> None:
    """By the firmware's serial or UUID; a name tells nothing."""
    answer = disks_of_machine(machine, vm_disks_of([entry(), entry(2)]))
    assert bool(answer.disks) == found
    assert [finding.code for finding in answer.findings] == ([] if found else ["vm_not_found"])


@pytest.mark.parametrize(
    ("machine", "unread", "severity"),
    [
        (Machine("SRV1", WINDOWS_UUID, None), False, "info"),
        # Of a VM whose UUID was not read it may be the one.
        (Machine("SRV1", WINDOWS_UUID, None), True, "warning"),
        (Machine("SRV1", None, None), False, "warning"),
    ],
)
def test_a_machine_that_is_none_of_the_vms_is_worth_a_warning_where_it_could_be_one(
    machine: Machine, unread: bool, severity: str
) -> None:
    other = {"instance_uuid": "other", "bios_uuid": "421c1111-93f3-501a-8614-c6fa55f75468"}
    vm_disks = [
        entry(of_vm=other),
        *([entry(2, of_vm={"instance_uuid": "third", "bios_uuid": None})] if unread else []),
    ]
    answer = disks_of_machine(machine, vm_disks_of(vm_disks))
    assert [(finding.code, finding.severity) for finding in answer.findings] == [("vm_not_found", severity)]
    assert not answer.disks


def test_two_vms_with_one_name() -> None:
    other = {"instance_uuid": "other", "bios_uuid": "421c1111-93f3-501a-8614-c6fa55f75468"}
    answer = disks_of_machine(Machine("backup01", None, SERIAL), vm_disks_of([entry(), entry(2, of_vm=other)]))
    assert [one.unit for one in answer.disks] == [1]


@pytest.mark.parametrize(
    "entries",
    [[entry(), entry(2, vm="copy")], [entry(of_vm={"same_bios_uuid": ["copy"]})]],
    ids=["both have mappings", "the copy has none"],
)
def test_two_vms_with_one_uuid_join_nothing(entries: list[dict[str, Any]]) -> None:
    answer = disks_of_machine(Machine("SRV1", WINDOWS_UUID, SERIAL), vm_disks_of(entries))
    assert answer.disks == ()
    [finding] = answer.findings
    assert finding.code == "vm_ambiguous"
    assert "backup01, copy" in finding.message


def test_a_disk_that_a_vcenter_and_its_host_both_showed_is_one() -> None:
    """Read over SSH the VM has another id of the host's, and the disk may lack what only the API tells."""
    twice = [entry(), entry(of_vm={"moid": "7"}, controller={"pci_slot_number": None})]
    answer = disks_of_machine(Machine("SRV1", None, SERIAL), vm_disks_of(twice))
    assert answer.findings == ()
    assert [(one.address, one.pci_slot_number) for one in answer.disks] == [("scsi0:1", 160)]
    assert [shown(one) for one in join_disks([disk()], answer.disks)] == [("scsi0:1", "pci_slot_and_target")]


def test_two_vms_that_share_even_their_instance_uuid_join_nothing() -> None:
    """A copy that another vCenter shows; its file lies elsewhere."""
    answer = disks_of_machine(Machine("SRV1", None, SERIAL), vm_disks_of([entry(), entry(file="[dr] backup01/1.vmdk")]))
    assert answer.disks == ()
    [finding] = answer.findings
    assert finding.code == "vm_ambiguous"
    assert "[dr] backup01/1.vmdk, [ds] backup01/1.vmdk" in finding.message


def test_equal_serials_of_the_disks_of_two_vms_are_told_apart_by_the_machine() -> None:
    """Each guest is joined to its own VM's disk, whatever else is alike: names, serials, sizes."""
    copy_uuid = "421c1111-93f3-501a-8614-c6fa55f75468"
    same = {"lun": {"serial": "SAME", "canonical_name": "naa.1"}}
    entries = [entry(**same), entry(of_vm={"instance_uuid": "other", "bios_uuid": copy_uuid}, **same)]
    for machine, expected in (
        (Machine("SRV1", None, SERIAL), "i-backup01"),
        (Machine("SRV1", copy_uuid, None), "other"),
    ):
        own = disks_of_machine(machine, vm_disks_of(entries))
        [found] = join_disks([disk(serial="SAME")], own.disks)
        assert found.vm_disk is not None
        assert (found.vm_disk.vm, found.joined_by) == (expected, "serial")


@pytest.mark.parametrize("seen", [{"serial": "SAME"}, {"unique_id": NAA}])
def test_equal_ids_of_two_disks_without_a_place_are_candidates_and_no_answer(seen: dict[str, Any]) -> None:
    """Neither the equal size nor the order tells which one it is."""
    lun = {"serial": "SAME", "canonical_name": f"naa.{NAA}"}
    [found] = join_disks([disk(pci_slot=None, **seen)], vm_disks_of([entry(lun=lun), entry(2, lun=lun)]))
    assert shown(found) == (None, None)
    assert [one.address for one in found.candidates] == ["scsi0:1", "scsi0:2"]


@pytest.mark.parametrize("given_value", ["text", 7, None, {}, {"rdms": 1}, [1], [{}], [{"vm": {}}], [{"vm": 1}]])
def test_what_is_no_answer_of_rdm_info(given_value: object) -> None:
    with pytest.raises(ConfigurationError, match="vm_disks"):
        vm_disks_of(given_value)


ids = st.sampled_from([None, "", "0000", "ZVTBXN1D", NAA, DISK_UUID])
made_entries = st.builds(
    lambda unit, slot, serial, mode, uuid: entry(
        unit,
        controller={"pci_slot_number": slot},
        lun={"serial": serial, "canonical_name": f"naa.{serial}"},
        compatibility=mode,
        disk_uuid=uuid,
    ),
    st.integers(0, 3),
    st.sampled_from([None, 160, 161, 1184]),
    ids,
    st.sampled_from(["physical", "virtual", None]),
    ids,
)
made_disks = st.builds(
    lambda target, slot, serial, unique: disk(target, pci_slot=slot, serial=serial, unique_id=unique),
    st.integers(0, 3),
    st.sampled_from([None, 160, 161]),
    ids,
    ids,
)


@given(
    disks=st.lists(made_disks, max_size=5),
    entries=st.lists(made_entries, max_size=5, unique_by=lambda one: one["unit"]),
)
def test_no_disk_of_the_vm_is_given_twice_and_a_candidate_is_no_answer(
    disks: list[Disk], entries: list[dict[str, Any]]
) -> None:
    known: tuple[VmDisk, ...] = vm_disks_of(entries)
    found = join_disks(disks, known)
    joined = [one.vm_disk.address for one in found if one.vm_disk is not None]
    assert len(found) == len(disks)
    assert len(joined) == len(set(joined))
    assert all((one.vm_disk is None) == (one.joined_by is None) for one in found)
    assert not any(one.vm_disk is not None and one.candidates for one in found)
