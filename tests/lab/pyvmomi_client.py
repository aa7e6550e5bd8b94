"""pyVmomi as a foreign client of the lab: a session, a small world, and the words of a reconfigure."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from typing import Any

from pyVim.connect import SmartConnect
from pyVmomi import vim, vmodl
from vcenter_lab import VcenterLab

Q = vmodl.query.PropertyCollector
SAN = "naa.60060160a1b12345000000000000000"
LOCAL = "t10.ATA_____WDC_WD20EFRX2D68EUZN0_________________________WD2DWCC4M0000001"
WORLD = f"""
hosts: [{{name: esx1.lab}}, {{name: esx2.lab}}]
datastores:
  - {{name: san01}}
  - {{name: old, version: "3.60"}}
  - {{name: full, free: 1000}}
  - {{name: gone, inaccessible: true}}
  - {{name: nfs01, type: NFS}}
  - {{name: only2, hosts: [esx2.lab]}}
luns:
  - name: {SAN}a
    sectors: 4194304000
    number: 5
    paths: {{esx2.lab: {{uuid: 020006000060060160a1b12345000000000000000a565241494420, number: 6}}}}
  - {{name: {SAN}b, sectors: 4194304000}}
  - {{name: {SAN}c, sectors: 4194304000, paths: {{esx1.lab: {{masked: true}}}}}}
  - {{name: {SAN}d, sectors: 4194304000, vmfs: san01}}
  - {{name: {SAN}e, sectors: 5860533168}}
  - {{name: {SAN}f, sectors: 140000000000}}
  - {{name: {LOCAL}, sectors: 3907029168, local: true, hosts: [esx1.lab]}}
  - {{name: naa.5000c500a0000001, sectors: 488378646, block_size: 4096, format: native4k}}
  - {{name: naa.5000c500a0000002, sectors: 488378646, boot: true}}
  - {{name: naa.5000c500a0000003, sectors: 488378646, vsan: true}}
vms:
  - name: one
    host: esx1.lab
    controllers: [{{}}, {{bus: 1, shared: physical}}, {{type: sata}}]
    boot_order: ["scsi0:1"]
    disks: [{{flat: 1073741824}}, {{rdm: {SAN}a}}]
  - {{name: two, host: esx2.lab, disks: [{{flat: 1073741824}}]}}
files:
  - {{file: "[san01] spare/physical.vmdk", rdm: {SAN}b}}
  - {{file: "[san01] spare/virtual.vmdk", rdm: {SAN}b, mode: virtual}}
  - {{file: "[san01] spare/flat.vmdk", kind: flat, size: 1073741824}}
"""


class Site:
    """One session on the lab, and the few things that every test asks of it."""

    def __init__(self, lab: VcenterLab, user: str | None = None, password: str | None = None) -> None:
        self.lab = lab
        context = ssl.create_default_context(cafile=lab.ca_path)
        self.instance = SmartConnect(
            host=lab.host,
            port=lab.port,
            user=user or lab.username,
            pwd=password if password is not None else lab.password,
            sslContext=context,
        )
        self.content = self.instance.RetrieveContent()

    def find(self, kind: type, name: str) -> Any:
        """Returns the object of that name."""
        view = self.content.viewManager.CreateContainerView(self.content.rootFolder, [kind], True)
        try:
            return next(found for found in view.view if found.name == name)
        finally:
            view.Destroy()

    def vm(self, name: str = "one") -> Any:
        """Returns the VM of that name."""
        return self.find(vim.VirtualMachine, name)

    def disk(self, address: str = "scsi0:1", name: str = "one") -> Any:
        """Returns the disk at an address, as the API shows it."""
        key = next(device["key"] for device in self.lab.vm(name)["devices"] if device["address"] == address)
        return next(device for device in self.vm(name).config.hardware.device if device.key == key)

    @staticmethod
    def run(task: Any) -> Any:
        """Waits for a task; returns its result, or raises its fault."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            state = task.info.state
            if state == "success":
                return task.info.result
            if state == "error":
                raise task.info.error
            time.sleep(0.01)
        raise AssertionError("the task did not end")

    def reconfigure(self, *changes: Any, name: str = "one", **fields: Any) -> None:
        """Reconfigures a VM by device changes and other fields of a spec."""
        self.run(self.vm(name).ReconfigVM_Task(vim.vm.ConfigSpec(deviceChange=list(changes), **fields)))


def user_of(site: Site, role: str) -> Site:
    """Returns a session of a user with a role that is described in YAML."""
    site.lab.world(f"users: {{bob: {{password: secret, {role}}}}}\n" + str(site.lab.control("GET", "/world")))
    return Site(site.lab, "bob", "secret")


def read(site: Site, kind: type, *paths: str, page: int | None = None) -> list[Any]:
    """Returns the objects of a kind with some properties, over all pages."""
    collector = site.content.propertyCollector
    view = site.content.viewManager.CreateContainerView(site.content.rootFolder, [kind], True)
    along = Q.TraversalSpec(type=vim.view.ContainerView, path="view", skip=False)
    spec = Q.FilterSpec(
        objectSet=[Q.ObjectSpec(obj=view, skip=True, selectSet=[along])],
        propSet=[Q.PropertySpec(type=kind, all=not paths, pathSet=list(paths))],
    )
    answer = collector.RetrievePropertiesEx([spec], Q.RetrieveOptions(maxObjects=page))
    objects = list(answer.objects)
    while answer.token:
        answer = collector.ContinueRetrievePropertiesEx(answer.token)
        objects += answer.objects
    return objects


def change(operation: str, device: Any, file_operation: str | None = None) -> Any:
    """Returns one change of a spec."""
    return vim.vm.device.VirtualDeviceSpec(operation=operation, device=device, fileOperation=file_operation)


def mapping(file: str, unit: int | None = 5, controller: int = 1000, **backing: Any) -> Any:
    """Returns a disk to add that is a mapping."""
    made = vim.vm.device.VirtualDisk.RawDiskMappingVer1BackingInfo(
        fileName=file, **{"diskMode": "persistent", **backing}
    )
    return vim.vm.device.VirtualDisk(key=-1, controllerKey=controller, unitNumber=unit, backing=made, capacityInKB=0)


def new_mapping(file: str, lun: str, mode: str | None = "virtualMode", **more: Any) -> Any:
    """Returns the change that makes a mapping of a LUN."""
    device = f"/vmfs/devices/disks/{lun}"
    return change("add", mapping(file, deviceName=device, compatibilityMode=mode, **more), "create")


def refusal(act: Callable[[], Any]) -> Any:
    """Returns the fault with which the lab answers; fails where it does not refuse."""
    try:
        act()
    except vmodl.MethodFault as fault:
        return fault
    raise AssertionError("the lab did not refuse")


def kind_of(fault: Any) -> str:
    """Returns the name of a fault without its namespace."""
    return type(fault).__name__.rpartition(".")[2]
