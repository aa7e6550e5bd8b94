# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Machines that clients make and destroy, partition tables, and mappings on a SATA controller."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from pyVmomi import vim
from pyvmomi_client import LOCAL, SAN, WORLD, Site, change, kind_of, new_mapping, refusal, user_of

NO_BUS = change("add", vim.vm.device.VirtualAHCIController(key=-7, busNumber=9))


def make(site: Site, name: str = "three", host: str = "esx1.lab", **fields: Any) -> Any:
    """Makes a machine with a SCSI controller; returns it."""
    target = site.find(vim.HostSystem, host)
    controller = vim.vm.device.VirtualLsiLogicController(key=-7, busNumber=0, sharedBus="noSharing")
    spec = {
        "name": name,
        "guestId": "otherGuest",
        "numCPUs": 1,
        "memoryMB": 32,
        "files": vim.vm.FileInfo(vmPathName="[san01]"),
        "deviceChange": [change("add", controller)],
        **fields,
    }
    folder = site.find(vim.Datacenter, "DC").vmFolder
    pool = target.parent.resourcePool
    return site.run(folder.CreateVM_Task(config=vim.vm.ConfigSpec(**spec), pool=pool, host=target))


def test_a_machine_is_made_with_its_settings_and_destroyed_with_its_files(site: Site) -> None:
    uuid = "5004aaaa-0000-4000-8000-00000000000a"
    setting = vim.option.OptionValue(key="kept.with.it", value="text")
    made = make(site, host="esx2.lab", instanceUuid=uuid, extraConfig=[setting])
    assert (made.name, made.config.instanceUuid, made.runtime.host.name) == ("three", uuid, "esx2.lab")
    assert made.config.files.vmPathName == "[san01] three/three.vmx"
    assert made.parent.name == "vm"
    assert site.lab.vm("three")["extra_config"] == {"kept.with.it": "text"}
    site.reconfigure(new_mapping("[san01] three/one.vmdk", f"{SAN}e", unit=0), name="three")
    assert [device["address"] for device in site.lab.vm("three")["devices"]] == ["scsi0:0"]
    site.run(made.Destroy_Task())
    assert "three" not in str(site.lab.state())


def test_a_machine_does_not_take_the_folder_of_another(site: Site) -> None:
    site.lab.change_file("[san01] three/notes.txt", "put")
    assert make(site).config.files.vmPathName == "[san01] three_1/three.vmx"
    assert kind_of(refusal(lambda: make(site))) == "DuplicateName"


@pytest.mark.parametrize(
    ("fields", "fault"),
    [
        ({"files": vim.vm.FileInfo(vmPathName="[none]")}, "InvalidDatastore"),
        ({"files": vim.vm.FileInfo(vmPathName="[gone]")}, "InaccessibleDatastore"),
        ({"files": vim.vm.FileInfo(vmPathName="[only2]")}, "InvalidDatastore"),
        ({"files": vim.vm.FileInfo(vmPathName="san01")}, "InvalidVmConfig"),
        ({"cpuHotAddEnabled": True}, "NotSupported"),
        (
            {"deviceChange": [change("add", vim.vm.device.VirtualAHCIController(key=-7, busNumber=9))]},
            "InvalidDeviceSpec",
        ),
    ],
)
def test_a_machine_that_cannot_be_leaves_nothing(site: Site, fields: dict[str, Any], fault: str) -> None:
    before = site.lab.state()
    assert kind_of(refusal(lambda: make(site, **fields))) == fault
    assert site.lab.state() == before


@pytest.mark.parametrize(
    "privilege", ["VirtualMachine.Inventory.Create", "Resource.AssignVMToPool", "Datastore.AllocateSpace"]
)
def test_making_a_machine_takes_privileges(site: Site, privilege: str) -> None:
    user = user_of(site, f"missing: [{privilege}]")
    fault = refusal(lambda: make(user))
    assert (kind_of(fault), fault.privilegeId) == ("NoPermission", privilege)


def test_what_a_destroyed_machine_does_not_have_may_stay(site: Site) -> None:
    site.lab.world(json.dumps({**yaml.safe_load(WORLD), "destroy_keeps": True}))
    other = Site(site.lab)
    made = make(other)
    other.reconfigure(new_mapping("[san01] three/one.vmdk", f"{SAN}e", unit=0), name="three")
    other.lab.change_file("[san01] three/kept.vmdk", "put", rdm=f"{SAN}e")
    other.run(made.Destroy_Task())
    assert [file["path"] for file in other.lab.state()["files"] if "three" in file["path"]] == [
        "[san01] three/kept.vmdk"
    ]


def test_a_host_tells_partition_tables(site: Site) -> None:
    system = site.find(vim.HostSystem, "esx1.lab").configManager.storageSystem
    paths = [f"/vmfs/devices/disks/{name}" for name in (f"{SAN}d", f"{SAN}e", LOCAL)]
    told = system.RetrieveDiskPartitionInfo(devicePath=paths)
    assert [(one.deviceName, one.spec.partitionFormat, len(one.layout.partition)) for one in told] == [
        (paths[0], "gpt", 1),
        (paths[1], "unknown", 0),
        (paths[2], "unknown", 0),
    ]
    fault = refusal(lambda: system.RetrieveDiskPartitionInfo(devicePath=["/vmfs/devices/disks/naa.none"]))
    assert kind_of(fault) == "NotFound"


def test_a_mapping_on_a_sata_controller_may_be_refused(site: Site) -> None:
    site.lab.world(json.dumps({**yaml.safe_load(WORLD), "sata_mappings": "InvalidDeviceBacking"}))
    other = Site(site.lab)
    make(other)
    other.reconfigure(change("add", vim.vm.device.VirtualAHCIController(key=-7, busNumber=0)), name="three")
    made = new_mapping("[san01] three/one.vmdk", f"{SAN}e", unit=0, controller=15000)
    assert kind_of(refusal(lambda: other.reconfigure(made, name="three"))) == "InvalidDeviceBacking"
