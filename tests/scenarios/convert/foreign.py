"""What other people do to the VM while a conversion runs: plain pyVmomi, nothing of the collection."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from pyVim.connect import Disconnect, SmartConnect
from pyVmomi import vim, vmodl
from vcenter_lab import VcenterLab

VM = "backup01"


@contextmanager
def session(lab: VcenterLab) -> Iterator[Any]:
    """Logs in as another client."""
    context = ssl.create_default_context(cafile=lab.ca_path)
    instance = SmartConnect(host=lab.host, port=lab.port, user=lab.username, pwd=lab.password, sslContext=context)
    try:
        yield instance.RetrieveContent()
    finally:
        Disconnect(instance)


def find(content: Any, kind: type, name: str) -> Any:
    """Returns the object of that name."""
    view = content.viewManager.CreateContainerView(content.rootFolder, [kind], True)
    try:
        return next(found for found in view.view if found.name == name)
    finally:
        view.Destroy()


def wait(task: Any) -> None:
    """Waits for a task; a task that ends in a fault raises it."""
    for _attempt in range(500):
        state = task.info.state
        if state == "success":
            return
        if state == "error":
            raise task.info.error
        time.sleep(0.01)
    raise AssertionError("a task of another client did not end")


def start(lab: VcenterLab) -> None:
    """Starts the VM, if it is off and can be started."""
    with session(lab) as content, suppress(vmodl.MethodFault):
        wait(find(content, vim.VirtualMachine, VM).PowerOn())


def snapshot(lab: VcenterLab) -> None:
    """Takes a snapshot without memory; a host refuses that where it cannot."""
    with session(lab) as content, suppress(vmodl.MethodFault):
        wait(find(content, vim.VirtualMachine, VM).CreateSnapshot_Task("nightly", "", False, False))


def remove_snapshots(lab: VcenterLab) -> None:
    """Removes all snapshots."""
    with session(lab) as content:
        machine = find(content, vim.VirtualMachine, VM)
        if lab.vm(VM)["snapshots"]:
            wait(machine.RemoveAllSnapshots_Task())


def move(lab: VcenterLab) -> None:
    """Moves the VM to the other host."""
    with session(lab) as content, suppress(vmodl.MethodFault):
        machine = find(content, vim.VirtualMachine, VM)
        other = "esx2.lab" if machine.runtime.host.name == "esx1.lab" else "esx1.lab"
        wait(machine.RelocateVM_Task(vim.vm.RelocateSpec(host=find(content, vim.HostSystem, other))))


def reconfigure(lab: VcenterLab) -> None:
    """Changes something harmless of the VM."""
    with session(lab) as content, suppress(vmodl.MethodFault):
        wait(find(content, vim.VirtualMachine, VM).ReconfigVM_Task(vim.vm.ConfigSpec(annotation="changed by another")))


def write_extra(lab: VcenterLab, name: str, key: str, value: str) -> None:
    """Writes a key of the VM's extraConfig, as somebody with an editor would."""
    options = [vim.option.OptionValue(key=key, value=value)]
    with session(lab) as content:
        wait(find(content, vim.VirtualMachine, name).ReconfigVM_Task(vim.vm.ConfigSpec(extraConfig=options)))


def attach_mapping(lab: VcenterLab, name: str, file: str, unit: int) -> None:
    """Attaches a mapping file that exists to the first SCSI controller."""
    backing = vim.vm.device.VirtualDisk.RawDiskMappingVer1BackingInfo(fileName=file, diskMode="independent_persistent")
    disk = vim.vm.device.VirtualDisk(key=-1, controllerKey=1000, unitNumber=unit, backing=backing, capacityInKB=0)
    change = vim.vm.device.VirtualDeviceSpec(operation="add", device=disk)
    with session(lab) as content:
        wait(find(content, vim.VirtualMachine, name).ReconfigVM_Task(vim.vm.ConfigSpec(deviceChange=[change])))


def answer(lab: VcenterLab, name: str, choice: str) -> None:
    """Answers the question that a VM asks."""
    with session(lab) as content:
        machine = find(content, vim.VirtualMachine, name)
        machine.AnswerVM(machine.runtime.question.id, choice)


def unregister(lab: VcenterLab, name: str) -> None:
    """Takes a VM out of the inventory; its files stay."""
    with session(lab) as content:
        find(content, vim.VirtualMachine, name).UnregisterVM()


def remove_controller(lab: VcenterLab, name: str, bus: int) -> None:
    """Removes a SCSI controller, as some clients do with an empty one."""
    with session(lab) as content:
        machine = find(content, vim.VirtualMachine, name)
        kind = vim.vm.device.VirtualSCSIController
        found = [device for device in machine.config.hardware.device if isinstance(device, kind)]
        gone = next(device for device in found if device.busNumber == bus)
        change = vim.vm.device.VirtualDeviceSpec(operation="remove", device=gone)
        wait(machine.ReconfigVM_Task(vim.vm.ConfigSpec(deviceChange=[change])))


def add_controller(lab: VcenterLab, name: str, bus: int) -> None:
    """Adds a SCSI controller."""
    made = vim.vm.device.VirtualLsiLogicSASController(key=-7, busNumber=bus, sharedBus="noSharing")
    change = vim.vm.device.VirtualDeviceSpec(operation="add", device=made)
    with session(lab) as content:
        wait(find(content, vim.VirtualMachine, name).ReconfigVM_Task(vim.vm.ConfigSpec(deviceChange=[change])))
