"""Real data objects of the vSphere API, as a server fills them."""

from __future__ import annotations

from typing import Any

from pyVmomi import vim

TWO_TB = 2000398934016


def controller(kind: Any = vim.vm.device.ParaVirtualSCSIController, key: int = 1000, bus: int = 0, **more: Any) -> Any:
    """Returns a controller; SCSI ones need `sharedBus`."""
    return kind(key=key, busNumber=bus, **more)


def scsi(shared_bus: str = "noSharing") -> Any:
    """Returns the controller SCSI 0."""
    return controller(sharedBus=shared_bus)


def mapping(key: int = 2001, unit: int = 1, **backing: Any) -> Any:
    """Returns a disk that is a physical raw device mapping at SCSI 0."""
    given = {
        "fileName": "[ds] vm/disk.vmdk",
        "datastore": vim.Datastore("datastore-1"),
        "lunUuid": "0200000000600aaa",
        "deviceName": "vml.0200000000600aaa",
        "compatibilityMode": "physicalMode",
        **backing,
    }
    return vim.vm.device.VirtualDisk(
        key=key,
        controllerKey=1000,
        unitNumber=unit,
        capacityInKB=TWO_TB // 1024,
        capacityInBytes=TWO_TB,
        deviceInfo=vim.Description(label="Hard disk 2", summary=""),
        backing=vim.vm.device.VirtualDisk.RawDiskMappingVer1BackingInfo(**given),
        storageIOAllocation=vim.StorageResourceManager.IOAllocationInfo(
            limit=-1, reservation=0, shares=vim.SharesInfo(shares=1000, level="normal")
        ),
    )


def flat(key: int = 2000, unit: int = 0, **backing: Any) -> Any:
    """Returns an ordinary disk at SCSI 0."""
    given = {"fileName": "[ds] vm/vm.vmdk", "diskMode": "persistent", **backing}
    return vim.vm.device.VirtualDisk(
        key=key,
        controllerKey=1000,
        unitNumber=unit,
        capacityInKB=1024,
        deviceInfo=vim.Description(label="Hard disk 1", summary=""),
        backing=vim.vm.device.VirtualDisk.FlatVer2BackingInfo(**given),
    )


def scsi_disk(canonical: str = "naa.600aaa", uuid: str = "0200000000600aaa", **more: Any) -> Any:
    """Returns a LUN as a host shows it."""
    given = {
        "key": f"key-vim.host.ScsiDisk-{uuid}",
        "uuid": uuid,
        "canonicalName": canonical,
        "deviceName": f"/vmfs/devices/disks/{canonical}",
        "devicePath": f"/vmfs/devices/disks/{canonical}",
        "displayName": f"Local ATA Disk ({canonical})",
        "deviceType": "disk",
        "lunType": "disk",
        "vendor": "ATA     ",
        "model": "ST2000DM001-1ER1",
        "serialNumber": "            ZVTBXN1D",
        "operationalState": ["ok"],
        "capacity": vim.host.DiskDimensions.Lba(blockSize=512, block=TWO_TB // 512),
        "localDisk": True,
        "ssd": False,
        "scsiDiskType": "emulated512",
        **more,
    }
    return vim.host.ScsiDisk(**given)


def usual_machine(name: str) -> dict[str, Any]:
    """Returns what every VM that can be read has, by property path."""
    return {
        "name": name,
        "config.template": False,
        "config.instanceUuid": "5029f6cd-8d4a-6e6f-9c0a-3f0b1c1b8f11",
        "config.files.vmPathName": f"[ds] {name}/{name}.vmx",
        "config.hardware.device": [],
        "runtime.powerState": "poweredOff",
        "runtime.connectionState": "connected",
        "runtime.host": vim.HostSystem("host-1"),
        "runtime.consolidationNeeded": False,
        "runtime.faultToleranceState": "notConfigured",
    }
