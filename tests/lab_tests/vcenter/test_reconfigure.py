"""Reconfigure in the lab: all or nothing, against the version that was read, and never past what it knows."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim
from pyvmomi_client import SAN, Site, change, kind_of, new_mapping, refusal


def boot_order(site: Site) -> list[str]:
    """Returns the addresses of the boot order."""
    order: list[str] = site.lab.vm("one")["boot_order"]
    return order


def test_remove_and_create_at_one_place_in_one_spec(site: Site) -> None:
    old = site.disk()
    new = new_mapping("[san01] one/one_1-virtual.vmdk", SAN + "a", unit=1)
    options = [vim.option.OptionValue(key="note", value="x")]
    version = site.vm().config.changeVersion
    site.reconfigure(change("remove", old), new, extraConfig=options, changeVersion=version)
    disk = site.disk()
    assert (disk.backing.compatibilityMode, disk.unitNumber, disk.controllerKey) == ("virtualMode", 1, 1000)
    assert disk.backing.lunUuid == old.backing.lunUuid
    assert {"[san01] one/one_1.vmdk", "[san01] one/one_1-virtual.vmdk"} <= {
        file["path"] for file in site.lab.state()["files"]
    }
    assert site.lab.vm("one")["extra_config"]["note"] == "x"


def test_the_boot_order_loses_a_removed_disk(site: Site) -> None:
    assert boot_order(site) == ["scsi0:1"]
    old = site.disk()
    site.reconfigure(change("remove", old), new_mapping("[san01] one/v.vmdk", SAN + "a", unit=1))
    assert boot_order(site) == []


def test_a_spec_whose_last_change_fails_changes_nothing(site: Site) -> None:
    before = site.lab.vm("one")
    spec = [change("remove", site.disk(), "destroy"), new_mapping("[san01] one/v.vmdk", SAN + "0", unit=1)]
    options = [vim.option.OptionValue(key="note", value="x")]
    fault = refusal(lambda: site.reconfigure(*spec, extraConfig=options))
    assert kind_of(fault) == "InvalidDeviceBacking"
    assert site.lab.vm("one") == before
    assert "[san01] one/one_1.vmdk" in {file["path"] for file in site.lab.state()["files"]}


def test_a_stale_version_is_refused_and_each_change_makes_a_new_one(site: Site) -> None:
    read = site.vm().config.changeVersion
    site.reconfigure(annotation="another client was here")
    assert site.vm().config.changeVersion != read
    fault = refusal(lambda: site.reconfigure(annotation="mine", changeVersion=read))
    assert kind_of(fault) == "ConcurrentAccess"
    assert site.vm().config.annotation == "another client was here"


def test_removing_keeps_the_mapping_file_and_destroying_does_not(site: Site) -> None:
    site.reconfigure(change("remove", site.disk()))
    assert "[san01] one/one_1.vmdk" in {file["path"] for file in site.lab.state()["files"]}
    site.lab.world(str(site.lab.control("GET", "/world")))
    again = Site(site.lab)
    again.reconfigure(change("remove", again.disk(), "destroy"))
    assert "[san01] one/one_1.vmdk" not in {file["path"] for file in again.lab.state()["files"]}


def test_an_unknown_disk_is_refused(site: Site) -> None:
    disk = site.disk()
    disk.key = 2060
    for operation in ("remove", "edit"):
        fault = refusal(lambda operation=operation: site.reconfigure(change(operation, disk)))  # type: ignore[misc]
        assert kind_of(fault) == "InvalidDeviceSpec"


def test_two_reconfigures_where_the_world_wants_them(site: Site) -> None:
    site.lab.world("one_reconfigure: InvalidDeviceSpec\n" + str(site.lab.control("GET", "/world")))
    again = Site(site.lab)
    old, new = again.disk(), new_mapping("[san01] one/v.vmdk", SAN + "a", unit=1)
    assert kind_of(refusal(lambda: again.reconfigure(change("remove", old), new))) == "InvalidDeviceSpec"
    again.reconfigure(change("remove", old))
    again.reconfigure(new)
    assert again.disk().backing.compatibilityMode == "virtualMode"


def test_disk_mode_and_sharing_are_edited_while_the_vm_is_off(site: Site) -> None:
    disk = site.disk()
    disk.backing.diskMode, disk.backing.sharing = "persistent", "sharingMultiWriter"
    site.reconfigure(change("edit", disk))
    assert (site.disk().backing.diskMode, site.disk().backing.sharing) == ("persistent", "sharingMultiWriter")
    site.run(site.vm().PowerOn())
    disk.backing.diskMode = "independent_persistent"
    assert kind_of(refusal(lambda: site.reconfigure(change("edit", disk)))) == "InvalidPowerState"


def test_shares_limit_and_label_are_kept_and_edited(site: Site) -> None:
    disk = site.disk()
    disk.storageIOAllocation.shares = vim.SharesInfo(level="high", shares=2000)
    disk.storageIOAllocation.limit = 500
    disk.deviceInfo = vim.Description(label="Backup disk", summary="")
    site.reconfigure(change("edit", disk))
    again = site.disk()
    assert (again.storageIOAllocation.shares.shares, again.storageIOAllocation.limit) == (2000, 500)
    assert again.deviceInfo.label == "Backup disk"


def test_change_tracking_is_switched(site: Site) -> None:
    site.reconfigure(changeTrackingEnabled=True)
    assert site.vm().config.changeTrackingEnabled is True


def test_a_controller_is_added_with_its_disk_edited_and_removed(site: Site) -> None:
    controller = vim.vm.device.ParaVirtualSCSIController(key=-10, busNumber=2, sharedBus="noSharing")
    site.reconfigure(change("add", controller), new_mapping("[san01] one/v.vmdk", SAN + "b", unit=0, controller=-10))
    assert site.disk("scsi2:0").backing.compatibilityMode == "virtualMode"
    shared = vim.vm.device.ParaVirtualSCSIController(key=1002, busNumber=2, sharedBus="virtualSharing")
    site.reconfigure(change("edit", shared))
    assert [device["shared_bus"] for device in site.lab.vm("one")["devices"] if device["address"] == "scsi2:0"] == [
        "virtualSharing"
    ]
    assert kind_of(refusal(lambda: site.reconfigure(change("remove", shared)))) == "InvalidDeviceOperation"
    site.reconfigure(change("remove", site.disk("scsi2:0")))
    site.reconfigure(change("remove", shared))
    wanted = new_mapping("[san01] one/w.vmdk", SAN + "b", unit=0, controller=1002)
    assert kind_of(refusal(lambda: site.reconfigure(wanted))) == "InvalidController"


def test_a_shared_bus_is_not_edited_while_the_vm_runs(site: Site) -> None:
    site.run(site.vm().PowerOn())
    shared = vim.vm.device.VirtualLsiLogicSASController(key=1001, busNumber=1, sharedBus="noSharing")
    assert kind_of(refusal(lambda: site.reconfigure(change("edit", shared)))) == "InvalidPowerState"


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"numCPUs": 4}, "NotSupported"),
        ({"memoryMB": 8192}, "NotSupported"),
        ({"bootOptions": vim.vm.BootOptions(bootDelay=5000)}, "NotSupported"),
    ],
)
def test_what_the_model_does_not_know_is_refused_and_not_passed_over(
    site: Site, fields: dict[str, Any], fault: str
) -> None:
    before = site.lab.vm("one")
    assert kind_of(refusal(lambda: site.reconfigure(**fields))) == fault
    assert site.lab.vm("one") == before


def test_a_device_that_the_model_does_not_know_is_refused(site: Site) -> None:
    nic = vim.vm.device.VirtualVmxnet3(key=-1)
    assert kind_of(refusal(lambda: site.reconfigure(change("add", nic)))) == "InvalidDeviceSpec"


WORLDS = {
    "template": ("template: true", "NotSupported"),
    "suspended": ("power: suspended", "InvalidPowerState"),
    "encrypted": ("encrypted: true", "InvalidDeviceSpec"),
    "a task is running": ("task_running: true", "TaskInProgress"),
    "a snapshot": ("snapshots: [before]", "InvalidDeviceOperation"),
}


@pytest.mark.parametrize(("state", "fault"), WORLDS.values(), ids=WORLDS.keys())
def test_a_state_in_which_no_disk_is_removed(site: Site, state: str, fault: str) -> None:
    site.lab.world(
        str(site.lab.control("GET", "/world")).replace("    host: esx1.lab\n", f"    host: esx1.lab\n    {state}\n")
    )
    again = Site(site.lab)
    found = refusal(lambda: again.reconfigure(change("remove", again.disk())))
    assert kind_of(found) == fault
    if "encrypted" in state:
        assert found.msg == "msg.hostd.deviceSpec.enc.notFile"


def test_a_lost_host_and_a_disabled_method(site: Site) -> None:
    site.lab.change_vm("one", "disable_method:ReconfigVM_Task")
    assert "ReconfigVM_Task" in site.vm().disabledMethod
    assert kind_of(refusal(lambda: site.reconfigure(annotation="x"))) == "MethodDisabled"
    site.lab.change_host("esx2.lab", "lost")
    assert site.vm("two").runtime.connectionState == "disconnected"
    assert kind_of(refusal(lambda: site.reconfigure(annotation="x", name="two"))) == "HostNotConnected"
    site.lab.change_host("esx2.lab", "back")
    site.reconfigure(annotation="x", name="two")
