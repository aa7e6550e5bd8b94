"""From the properties of a virtual machine to facts; a value of unknown kind costs that value and is named."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from pyVmomi import vim

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import UnreadableJournal
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    DiskKind,
    Power,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import Part, Unreadable
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.machines import (
    EXTRA_PATHS,
    MACHINE_PATHS,
    MachineReader,
    ReadMachine,
    extent_among,
    files_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.read import object_spec, read_properties
from ansible_collections.winbackup.storage.tests.unit.helpers.canned_server import answering, object_content, page
from ansible_collections.winbackup.storage.tests.unit.helpers.devices import (
    TWO_TB,
    controller,
    flat,
    mapping,
    scsi,
    usual_machine,
)

_VM = vim.VirtualMachine("vm-1")
_PATHS = {"VirtualMachine": MACHINE_PATHS + EXTRA_PATHS}


def read_one(
    values: dict[str, Any], missing: dict[str, Any] | None = None, replace: tuple[str, str] = ("", "")
) -> ReadMachine:
    """Returns the machine that a server with these values, beside what every VM has, shows; it refuses the paths in
    `missing`. `replace` changes the XML on its way."""
    shown = {path: value for path, value in {**usual_machine("vm"), **values}.items() if path not in (missing or {})}
    answer = page([object_content(_VM, shown, missing)]).replace(*replace)
    with answering(answer) as server:
        reads = read_properties(server.session(), "Reading", [object_spec(_VM)], _PATHS)
        return next(MachineReader().read(read) for read in reads)


def with_devices(*devices: Any, replace: tuple[str, str] = ("", "")) -> VirtualMachine:
    """Returns a machine with these devices."""
    return read_one({"config.hardware.device": list(devices)}, replace=replace).machine


def test_a_physical_mapping_is_read_to_the_byte() -> None:
    machine = with_devices(scsi(), flat(), mapping())
    disk = machine.mappings[0]
    assert (disk.address, disk.unit, disk.key, disk.label) == ("scsi0:1", 1, 2001, "Hard disk 2")
    assert (disk.kind, disk.compatibility) == (DiskKind.MAPPING, Compatibility.PHYSICAL)
    assert (disk.file, disk.datastore) == ("[ds] vm/disk.vmdk", "datastore-1")
    assert (disk.lun_uuid, disk.device_name) == ("0200000000600aaa", "vml.0200000000600aaa")
    assert (disk.capacity_bytes, disk.shares_level, disk.shares, disk.io_limit) == (TWO_TB, "normal", 1000, -1)
    assert (disk.controller.type, disk.controller.model, disk.controller.shared_bus) == ("scsi", "pvscsi", "none")
    assert machine.disks[0].kind is DiskKind.FLAT
    assert machine.unreadable == ()


def test_every_kind_of_controller_gives_an_address() -> None:
    devices = vim.vm.device
    sata = controller(devices.VirtualAHCIController, key=15000, bus=0)
    nvme = controller(devices.VirtualNVMEController, key=31000, bus=1)
    ide = controller(devices.VirtualIDEController, key=200, bus=0)
    on_sata, on_nvme, on_ide = mapping(), mapping(key=2002), mapping(key=2003)
    on_sata.controllerKey, on_nvme.controllerKey, on_ide.controllerKey = 15000, 31000, 200
    machine = with_devices(scsi(), sata, nvme, ide, on_sata, on_nvme, on_ide)
    assert [disk.address for disk in machine.disks] == ["sata0:1", "nvme1:1", "ide0:1"]
    # A controller without disks is there too: a disk may be put back on it.
    assert [each.type for each in machine.controllers] == ["scsi", "sata", "nvme", "ide"]


def test_shared_buses_and_shared_disks_are_told() -> None:
    machine = with_devices(scsi("physicalSharing"), mapping(sharing="sharingMultiWriter"))
    assert machine.disks[0].controller.shared_bus == "physical"
    assert machine.disks[0].sharing == "multi_writer"


def pci_slot(number: int) -> Any:
    """What a controller says of its place."""
    return vim.vm.device.VirtualDevice.PciBusSlotInfo(pciSlotNumber=number)


@pytest.mark.parametrize(
    ("own", "setting", "expected"),
    [
        (160, "192", 160),
        (None, "1184", 1184),
        (None, "-1", None),
        (-1, "-1", None),
        (None, "", None),
        (None, "x", None),
    ],
)
def test_the_slot_in_which_the_guest_finds_a_controller(own: int | None, setting: str, expected: int | None) -> None:
    device = scsi()
    device.slotInfo = pci_slot(own) if own is not None else None
    option = vim.option.OptionValue(key="scsi0.pciSlotNumber", value=setting)
    read = read_one({"config.hardware.device": [device, mapping()], "config.extraConfig": [option]})
    assert read.machine.mappings[0].controller.pci_slot_number == expected


def test_what_vmware_tools_tell_of_disks() -> None:
    info = vim.vm.GuestInfo
    mounted = [
        info.DiskInfo(diskPath="E:\\", mappings=[info.VirtualDiskMapping(key=2001)]),
        info.DiskInfo(diskPath="C:\\", mappings=[info.VirtualDiskMapping(key=2000)]),
        info.DiskInfo(diskPath="F:\\", mappings=[info.VirtualDiskMapping(key=2000), info.VirtualDiskMapping(key=2001)]),
        info.DiskInfo(diskPath="G:\\"),
    ]
    devices = {"config.hardware.device": [scsi(), mapping()], "config.extraConfig": []}
    disk = read_one({**devices, "guest.disk": mounted}).machine.mappings[0]
    assert disk.guest_paths == ("E:\\", "F:\\")
    # Nothing told is not "no volumes".
    assert read_one(devices).machine.mappings[0].guest_paths is None


def test_an_unknown_mode_costs_the_mode_alone() -> None:
    machine = with_devices(scsi(), mapping(), replace=("physicalMode", "quantumMode"))
    assert machine.disks[0].compatibility is None
    assert machine.disks[0].lun_uuid == "0200000000600aaa"
    assert machine.unreadable == (Unreadable(Part.COMPATIBILITY, "Hard disk 2"),)


def test_an_unknown_or_empty_power_state_costs_the_power_state_alone() -> None:
    for shown in ("hibernated", ""):
        read = read_one({"runtime.powerState": "poweredOn"}, replace=(">poweredOn<", f">{shown}<"))
        assert read.machine.power is None
        assert read.machine.name == "vm"
        assert read.machine.unreadable == (Unreadable(Part.POWER_STATE),)


def test_a_size_that_is_no_number_costs_the_size_alone() -> None:
    machine = with_devices(scsi(), mapping(), replace=(f">{TWO_TB}<", ">much<"))
    assert machine.disks[0].capacity_bytes is None
    assert machine.unreadable == (Unreadable(Part.CAPACITY, "Hard disk 2"),)


def test_a_scsi_controller_of_the_future_is_a_scsi_controller() -> None:
    machine = with_devices(scsi(), mapping(), replace=("ParaVirtualSCSIController", "QuantumSCSIController"))
    assert machine.disks[0].address == "scsi0:1"
    assert machine.disks[0].controller.model == "quantum_scsicontroller"


def test_a_refused_property_is_named() -> None:
    fault = vim.fault.NoPermission(object=_VM, privilegeId="System.Read")
    machine = read_one({}, {"config.hardware.device": fault}).machine
    assert machine.unreadable == (Unreadable(Part.DISKS),)
    assert machine.disks == ()


def test_names_are_shown_as_people_see_them() -> None:
    assert read_one({"name": "a%2fb%5cc%25d%2525"}).machine.name == "a/b\\c%d%25"


def test_states_are_read() -> None:
    machine = read_one(
        {
            "config.template": True,
            "config.changeVersion": "42",
            "config.uuid": "bios",
            "config.instanceUuid": "instance",
            "config.files.vmPathName": "[ds] vm/vm.vmx",
            "config.changeTrackingEnabled": True,
            "config.keyId": vim.encryption.CryptoKeyId(keyId="k"),
            "runtime.powerState": "suspended",
            "runtime.connectionState": "inaccessible",
            "runtime.host": vim.HostSystem("host-1"),
            "runtime.consolidationNeeded": True,
            "runtime.faultToleranceState": "running",
            "guest.toolsRunningStatus": "guestToolsRunning",
            "disabledMethod": ["ReconfigVM_Task", "PowerOnVM_Task"],
        }
    ).machine
    assert (machine.template, machine.change_version, machine.vmx_path) == (True, "42", "[ds] vm/vm.vmx")
    assert (machine.bios_uuid, machine.instance_uuid, machine.host) == ("bios", "instance", "host-1")
    assert (machine.power, machine.connection_state) == (Power.SUSPENDED, "inaccessible")
    assert (machine.encrypted, machine.fault_tolerance, machine.consolidation_needed) == (True, True, True)
    assert (machine.tools_running, machine.change_tracking) == (True, True)
    assert machine.reconfigure_disabled


@pytest.mark.parametrize("state", ["inaccessible", "orphaned", "invalid"])
def test_a_machine_without_configuration_is_not_one_without_disks(state: str) -> None:
    usual = usual_machine("vm")
    shown = {path: value for path, value in usual.items() if not path.startswith("config.")}
    with answering(page([object_content(_VM, {**shown, "runtime.connectionState": state})])) as server:
        reads = read_properties(server.session(), "Reading", [object_spec(_VM)], _PATHS)
        machine = next(MachineReader().read(read) for read in reads).machine
    assert machine.unreadable == (Unreadable(Part.CONFIGURATION),)
    assert not machine.disks_known
    assert (machine.template, machine.has_snapshots, machine.connection_state) == (None, None, state)


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("runtime.powerState", Part.POWER_STATE),
        ("runtime.host", Part.HOST),
        ("runtime.consolidationNeeded", Part.CONSOLIDATION),
        ("runtime.faultToleranceState", Part.FAULT_TOLERANCE),
        ("config.files.vmPathName", Part.CONFIGURATION_FILE),
    ],
)
def test_what_every_machine_has_and_one_does_not_tell_is_named(path: str, part: Part) -> None:
    shown = {name: value for name, value in usual_machine("vm").items() if name != path}
    with answering(page([object_content(_VM, shown)])) as server:
        reads = read_properties(server.session(), "Reading", [object_spec(_VM)], _PATHS)
        machine = next(MachineReader().read(read) for read in reads).machine
    assert machine.unreadable == (Unreadable(part),)


def test_a_machine_at_rest_is_none_of_these() -> None:
    machine = read_one({"runtime.faultToleranceState": "notConfigured", "runtime.powerState": "poweredOff"}).machine
    seen = (machine.encrypted, machine.fault_tolerance, machine.replicated, machine.has_snapshots)
    assert seen == (False, False, False, False)
    assert (machine.power, machine.tools_running, machine.question) == (Power.OFF, None, None)


def test_replication_shows_by_its_owner() -> None:
    owner = vim.ext.ManagedByInfo(extensionKey="com.vmware.vcDr", type="placeholderVm")
    assert read_one({"config.managedBy": owner}).machine.replicated
    other = vim.ext.ManagedByInfo(extensionKey="com.example.backup", type="vm")
    assert not read_one({"config.managedBy": other}).machine.replicated


def test_a_pending_question_is_shown_with_its_choices() -> None:
    choice = vim.option.ChoiceOption(
        choiceInfo=[
            vim.ElementDescription(key="0", label="Moved", summary=""),
            vim.ElementDescription(key="1", label="Copied", summary=""),
        ]
    )
    question = vim.vm.QuestionInfo(id="1", text="Was it moved or copied?", choice=choice)
    machine = read_one({"runtime.question": question}).machine
    assert machine.question == "Was it moved or copied? (choices: Moved, Copied)"


def test_snapshots_and_the_files_below_them() -> None:
    base = vim.vm.device.VirtualDisk.RawDiskMappingVer1BackingInfo(fileName="[ds] vm/disk.vmdk")
    disk = mapping(fileName="[ds] vm/disk-000001.vmdk", compatibilityMode="virtualMode", parent=base)
    tree = vim.vm.SnapshotTree(
        snapshot=vim.vm.Snapshot("snapshot-1"),
        vm=_VM,
        name="backup",
        description="",
        createTime=datetime(2026, 1, 1, tzinfo=UTC),
        state="poweredOff",
        quiesced=False,
    )
    snapshot = vim.vm.SnapshotInfo(currentSnapshot=vim.vm.Snapshot("snapshot-1"), rootSnapshotList=[tree])
    machine = read_one({"config.hardware.device": [scsi(), disk], "snapshot": snapshot}).machine
    assert machine.has_snapshots
    assert not machine.linked_clone
    assert machine.disks[0].parents == ("[ds] vm/disk.vmdk",)
    assert machine.disks[0].base_file == "[ds] vm/disk.vmdk"
    # The same delta without a snapshot lies on another machine's disk.
    assert with_devices(scsi(), disk).linked_clone


def test_the_boot_order_names_addresses() -> None:
    options = vim.vm.BootOptions
    order = [
        options.BootableCdromDevice(),
        options.BootableDiskDevice(deviceKey=2001),
        options.BootableEthernetDevice(deviceKey=4000),
        options.BootableDiskDevice(deviceKey=2999),
    ]
    machine = read_one({"config.hardware.device": [scsi(), mapping()], "config.bootOptions.bootOrder": order}).machine
    assert machine.boot_order == ("cdrom", "scsi0:1", "ethernet:4000", "disk:2999")


def test_records_are_found_among_the_settings() -> None:
    settings = [
        vim.option.OptionValue(key="guestinfo.winbackup.storage.rdm.scsi0:9", value="no"),
        vim.option.OptionValue(key="winbackup.storage.rdm.scsi0:1", value='{"format":1}'),
        vim.option.OptionValue(key="winbackup.storage.rdm.scsi0:2", value=""),
        vim.option.OptionValue(key="answer", value=42),
    ]
    journal = read_one({"config.extraConfig": settings}).machine.journal
    assert set(journal) == {"scsi0:1"}
    unreadable = journal["scsi0:1"]
    assert isinstance(unreadable, UnreadableJournal)
    assert (unreadable.key, unreadable.text) == ("winbackup.storage.rdm.scsi0:1", '{"format":1}')


def test_tasks_and_parent_are_given_on() -> None:
    read = read_one({"recentTask": [vim.Task("task-1"), vim.Task("task-2")], "parent": vim.Folder("group-v1")})
    assert (read.tasks, read.parent) == (("task-1", "task-2"), "group-v1")


def test_the_extent_in_the_layout_tells_the_mode_of_a_mapping() -> None:
    files = [
        vim.vm.FileLayoutEx.FileInfo(key=0, name="[ds] vm/disk.vmdk", type="diskDescriptor", size=500),
        vim.vm.FileLayoutEx.FileInfo(key=1, name="[ds] vm/disk-rdmp.vmdk", type="diskExtent", size=1),
    ]
    answer = page([object_content(_VM, {"layoutEx.file": files})])
    with answering(answer) as server:
        reads = read_properties(server.session(), "Reading", [object_spec(_VM)], {"VirtualMachine": ["layoutEx.file"]})
        listed = next(files_of(read) for read in reads)
    disk = with_devices(scsi(), mapping()).disks[0]
    assert extent_among(listed, disk) == "[ds] vm/disk-rdmp.vmdk"
    assert extent_among({}, disk) is None
