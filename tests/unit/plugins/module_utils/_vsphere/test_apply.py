"""The one reconfigure of a change, field by field: what is sent, and what must not be."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from pyVmomi import SoapAdapter, vim

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StepRefused
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import (
    ExistingMapping,
    NewMapping,
    Place,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun, LunFacts
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    DiskJournal,
    KeptMapping,
    RecordedLun,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_text import to_text
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Controller,
    Disk,
    DiskKind,
    Power,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.apply import Reconfigure, config_spec
from ansible_collections.winbackup.storage.tests.unit.helpers.devices import TWO_TB

_SCSI = Controller(1000, "scsi", "pvscsi", 0)
_LUN = HostLun(
    host="host-1",
    host_name="esxi-01",
    facts=LunFacts(
        canonical_name="naa.600aaa",
        uuid="0200000000600aaa",
        vml="vml.0200000000600aaa",
        display_name="disk",
        device_path="/vmfs/devices/disks/naa.600aaa",
        device_name="/vmfs/devices/disks/naa.600aaa",
        device_type="disk",
        state="ok",
        capacity_bytes=TWO_TB,
    ),
)
_DISK = Disk(
    key=2001,
    label="Hard disk 2",
    address="scsi0:1",
    unit=1,
    controller=_SCSI,
    file="[ds] vm/disk.vmdk",
    kind=DiskKind.MAPPING,
    compatibility=Compatibility.PHYSICAL,
    disk_mode="independent_persistent",
    capacity_bytes=TWO_TB,
    lun_uuid="0200000000600aaa",
    device_name="vml.0200000000600aaa",
    shares_level="normal",
    shares=1000,
    io_limit=-1,
    io_reservation=0,
)
_MACHINE = VirtualMachine(
    "vm-1",
    "it's 100%/vm",
    "/DC/vm/it's 100%/vm",
    Power.OFF,
    change_version="2026-01-01",
    vmx_path="[ds] it's/vm.vmx",
    disks=(_DISK,),
)
_NEW = NewMapping("[ds] vm/disk-virtual.vmdk", _LUN, Compatibility.VIRTUAL, "persistent")
_KEPT = KeptMapping("scsi0:1", "/vmfs/volumes/u/d.vmdk", Compatibility.PHYSICAL, RecordedLun("naa.1", "vml.1", 512))
_JOURNAL = DiskJournal("5000", None, (_KEPT,))


def spec_of(change: Reconfigure, machine: VirtualMachine = _MACHINE) -> Any:
    """Returns the spec, once it has shown that it can be put into XML."""
    spec = config_spec(machine, change)
    info = SoapAdapter.Object(name="spec", type=object, version="vim.version.version11", flags=0)
    assert SoapAdapter.SerializeToStr(spec, info, "vim.version.version11")
    return spec


def test_a_swap_is_one_spec_that_keeps_the_old_file() -> None:
    spec = spec_of(
        Reconfigure(remove=_DISK, add=_NEW, place=Place.of(_DISK), journal={"scsi0:1": _JOURNAL, "scsi0:2": None})
    )
    removal, addition = spec.deviceChange
    assert spec.changeVersion == "2026-01-01"
    assert (removal.operation, removal.fileOperation, removal.device.key) == ("remove", None, 2001)
    assert (addition.operation, addition.fileOperation) == ("add", "create")
    disk = addition.device
    assert (disk.controllerKey, disk.unitNumber, disk.capacityInKB) == (1000, 1, TWO_TB // 1024)
    assert disk.key < 0
    assert disk.capacityInBytes is None
    assert disk.storageIOAllocation is None
    backing = disk.backing
    assert isinstance(backing, vim.vm.device.VirtualDisk.RawDiskMappingVer1BackingInfo)
    assert (backing.fileName, backing.compatibilityMode) == ("[ds] vm/disk-virtual.vmdk", "virtualMode")
    # The name that the VM's own host uses, never one of another host.
    assert (backing.deviceName, backing.lunUuid) == ("/vmfs/devices/disks/naa.600aaa", "0200000000600aaa")
    # Without a disk mode the API answers "Incompatible device backing specified for device '0'".
    assert backing.diskMode == "persistent"
    assert [(entry.key, entry.value) for entry in spec.extraConfig] == [
        ("winbackup.storage.rdm.scsi0:1", to_text(replace(_JOURNAL, sequence=1))),
        ("winbackup.storage.rdm.scsi0:2", ""),
        # Nothing is open, and so the setting that would say so goes.
        ("winbackup.storage.rdm_open", ""),
    ]


def test_an_existing_mapping_is_attached_without_a_mode_and_without_a_file_operation() -> None:
    spec = spec_of(Reconfigure(add=ExistingMapping("[ds] vm/disk.vmdk", None), place=Place.of(_DISK)))
    (addition,) = spec.deviceChange
    backing = addition.device.backing
    assert (addition.operation, addition.fileOperation) == ("add", None)
    assert (backing.fileName, backing.compatibilityMode, backing.deviceName) == ("[ds] vm/disk.vmdk", None, None)


def test_shares_and_limits_go_with_the_new_disk_where_they_are_not_the_usual_ones() -> None:
    place = replace(Place.of(_DISK), shares_level="custom", shares=4000, io_limit=500)
    (addition,) = spec_of(Reconfigure(add=_NEW, place=place)).deviceChange
    allocation = addition.device.storageIOAllocation
    assert (allocation.limit, allocation.shares.level, allocation.shares.shares) == (500, "custom", 4000)


def test_an_edit_changes_the_disk_mode_and_nothing_else() -> None:
    wanted = replace(_DISK, disk_mode="persistent")
    (edit,) = spec_of(Reconfigure(edit=wanted)).deviceChange
    assert (edit.operation, edit.fileOperation, edit.device.key) == ("edit", None, 2001)
    assert edit.device.backing.diskMode == "persistent"
    assert edit.device.backing.compatibilityMode == "physicalMode"
    assert edit.device.storageIOAllocation is None
    assert edit.device.deviceInfo is None


def test_an_edit_sets_again_what_a_swap_lost() -> None:
    wanted = replace(_DISK, shares_level="high", shares=2000, io_limit=300, label="Hard disk 7")
    (edit,) = spec_of(Reconfigure(edit=wanted)).deviceChange
    assert (edit.device.storageIOAllocation.limit, edit.device.storageIOAllocation.shares.level) == (300, "high")
    assert edit.device.deviceInfo.label == "Hard disk 7"


def test_the_boot_order_is_sent_by_the_present_keys() -> None:
    order = spec_of(Reconfigure(boot_order=("cdrom", "scsi0:1", "ethernet:4000", "floppy"))).bootOptions.bootOrder
    assert [type(entry).__name__.rpartition(".")[2] for entry in order] == [
        "BootableCdromDevice",
        "BootableDiskDevice",
        "BootableEthernetDevice",
        "BootableFloppyDevice",
    ]
    assert (order[1].deviceKey, order[2].deviceKey) == (2001, 4000)


def test_a_boot_order_that_names_what_is_not_there_is_refused() -> None:
    with pytest.raises(StepRefused, match="names scsi0:9, which it has not"):
        config_spec(_MACHINE, Reconfigure(boot_order=("scsi0:9",)))
