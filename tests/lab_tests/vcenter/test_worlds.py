"""Worlds: the built-in story has what a site has, a generated one comes up at once, a bad one is refused."""

from __future__ import annotations

import time
from typing import Any

import pytest
from pyVmomi import vim
from pyvmomi_client import Site, read
from vcenter_lab import VcenterLab

STORY_2TB = "t10.ATA_____WDC_WD20EFRX2D68EUZN0_________________________WD2DWCC4M0000001"


@pytest.fixture
def story(vcenter: VcenterLab) -> Site:
    """A session on the built-in world."""
    vcenter.world(vcenter.story())
    return Site(vcenter)


def luns(site: Site, host: str) -> dict[str, Any]:
    """Returns the disks that a host sees, by their names."""
    device = site.find(vim.HostSystem, host).config.storageDevice
    return {lun.canonicalName: lun for lun in device.scsiLun if isinstance(lun, vim.host.ScsiDisk)}


def test_the_server_says_that_it_is_a_model(story: Site) -> None:
    assert "a model made from documentation" in story.content.about.fullName
    assert "a model" in story.find(vim.HostSystem, "esx1.lab").config.product.fullName
    assert story.lab.state()["model"] is True


def test_the_kinds_of_luns(story: Site) -> None:
    one, two, three = (luns(story, f"esx{number}.lab") for number in (1, 2, 3))
    sata = one[STORY_2TB]
    assert (sata.capacity.block * sata.capacity.blockSize, sata.localDisk) == (2000398934016, True)
    assert STORY_2TB not in two
    shared = "naa.60060160a1b12345000000000000000a"
    assert one[shared].uuid != two[shared].uuid
    masked = "naa.60060160a1b12345000000000000000c"
    assert masked in one
    assert masked not in three
    nvme = next(lun for name, lun in two.items() if name.startswith("t10.NVMe"))
    assert nvme.uuid.startswith("05")
    assert two["naa.5000c500a0000001"].scsiDiskType == "native4k"
    serials = {lun.canonicalName: lun.serialNumber for lun in one.values()}
    assert list(serials.values()).count("SAME") == 2
    assert one["naa.60060160a1b12345000000000000000d"].perenniallyReserved is True
    volumes = story.find(vim.HostSystem, "esx1.lab").config.fileSystemVolume.mountInfo
    extents = {extent.diskName for mount in volumes for extent in getattr(mount.volume, "extent", None) or []}
    assert "naa.60060160a1b12345000000000000000f" in extents
    assert any(name.startswith("t10.ATA_____BOOT") for name in extents)


def test_names_are_sent_as_the_api_writes_them(story: Site) -> None:
    view = story.content.viewManager.CreateContainerView(story.content.rootFolder, [vim.VirtualMachine], True)
    names = {machine.name for machine in view.view}
    assert "a%2fb 100%25 \"quoted\" 'vm'" in names
    assert "バックアップ サーバー" in names


def test_one_local_name_on_two_hosts_is_two_disks(vcenter: VcenterLab) -> None:
    vcenter.world("""
hosts: [{name: esx1.lab}, {name: esx2.lab}]
datastores: [{name: san01}]
luns:
  - {name: "mpx.vmhba1:C0:T0:L0", sectors: 2097152, local: true, quality: lowQuality, hosts: [esx1.lab]}
  - {name: "mpx.vmhba1:C0:T0:L0", sectors: 4194304, local: true, quality: lowQuality, hosts: [esx2.lab]}
vms:
  - {name: one, host: esx1.lab, disks: [{rdm: "mpx.vmhba1:C0:T0:L0"}]}
  - {name: two, host: esx2.lab, disks: [{rdm: "mpx.vmhba1:C0:T0:L0"}]}
""")
    site = Site(vcenter)
    assert site.disk("scsi0:0", "one").capacityInKB == 1048576
    assert site.disk("scsi0:0", "two").capacityInKB == 2097152
    assert [lun["mapped_by"] for lun in vcenter.state()["luns"]] == [["one"], ["two"]]
    for name in ("one", "two"):
        site.run(site.vm(name).PowerOn())


def test_one_datastore_name_in_two_datacenters_is_two_datastores(vcenter: VcenterLab) -> None:
    vcenter.world("""
hosts: [{name: esx1.lab, datacenter: Tokyo}, {name: esx2.lab, datacenter: Osaka}]
datastores: [{name: local, datacenter: Tokyo}, {name: local, datacenter: Osaka}]
luns: [{name: naa.600000000000000000000000000000aa, sectors: 2097152}]
vms:
  - {name: one, host: esx1.lab, disks: [{rdm: naa.600000000000000000000000000000aa, file: "[local] a/a.vmdk"}]}
  - {name: two, host: esx2.lab, disks: [{flat: 1048576, file: "[local] a/a.vmdk"}]}
""")
    site = Site(vcenter)
    kinds = {(file["datacenter"], file["path"]): file["kind"] for file in vcenter.state()["files"]}
    assert kinds["Tokyo", "[local] a/a.vmdk"] == "rdm"
    assert kinds["Osaka", "[local] a/a.vmdk"] == "flat"
    manager = site.content.virtualDiskManager
    site.run(manager.DeleteVirtualDisk_Task("[local] a/a.vmdk", site.find(vim.Datacenter, "Osaka")))
    left = {(file["datacenter"], file["path"]) for file in vcenter.state()["files"]}
    assert ("Tokyo", "[local] a/a.vmdk") in left
    assert ("Osaka", "[local] a/a.vmdk") not in left


def test_five_thousand_vms_come_up_at_once(vcenter: VcenterLab) -> None:
    began = time.monotonic()
    vcenter.world("generated: {vms: 5000, rdm_every: 10}\n")
    took = time.monotonic() - began
    assert took < 20, f"5,000 VMs took {took:.1f} s"
    state = vcenter.state()
    assert len(state["vms"]) == 5000
    assert sum(device["kind"] == "rdm" for vm in state["vms"] for device in vm["devices"]) == 1000


def test_a_world_of_its_own_beside_a_generated_one(vcenter: VcenterLab) -> None:
    vcenter.world("generated: {vms: 3}\nvms: [{name: mine, disks: [{flat: 1048576}]}]\n")
    assert {vm["name"] for vm in vcenter.state()["vms"]} == {"mine", "vm-00000", "vm-00001", "vm-00002"}


SMALL = "hosts: [{name: esx1.lab}]\ndatastores: [{name: san01}]\n"


@pytest.mark.parametrize(
    "text",
    [
        "hosts: [{nmae: esx1.lab}]",
        "api: hyperv",
        SMALL + "vms: [{name: one, power: upp}]",
        SMALL + "vms: [{name: one, disks: [{rdm: naa.0}]}]",
        SMALL + "vms: [{name: one, host: esx9.lab}]",
        SMALL + "vms: [{name: one, datastore: none}]",
        SMALL + "vms: [{name: one, disks: [{flat: 1, at: 'scsi3:0'}]}]",
        SMALL + "vms: [{name: one, controllers: [{type: floppy}]}]",
        SMALL + "vms: [{name: one, power_on_fault: NoSuchFault}]",
        SMALL + "luns: [{name: naa.0, format: 8kn}]",
        SMALL + "files: [{file: '[none] a.vmdk'}]",
        SMALL + "one_reconfigure: maybe",
    ],
)
def test_a_world_with_a_mistake_is_refused_and_the_old_one_stays(vcenter: VcenterLab, text: str) -> None:
    vcenter.world(vcenter.story())
    with pytest.raises(RuntimeError, match="the lab refused POST /world"):
        vcenter.world(text)
    assert "backup01" in {vm["name"] for vm in vcenter.state()["vms"]}


def test_a_world_of_many_luns_and_of_a_vm_with_many_mappings(site: Site) -> None:
    site.lab.world("generated: {vms: 0, hosts: 8, luns: 100, mappings: 60, mode: virtual, serial: SAME}")
    again = Site(site.lab)
    devices = again.vm("many-mappings").config.hardware.device
    mappings = [device for device in devices if isinstance(device, vim.vm.device.VirtualDisk)][1:]
    assert len({disk.backing.lunUuid for disk in mappings}) == 60
    assert {disk.backing.compatibilityMode for disk in mappings} == {"virtualMode"}
    assert len(read(again, vim.HostSystem, "name")) == 8
    last = again.find(vim.HostSystem, "esx08.lab").configManager.storageSystem
    disks = [lun for lun in last.storageDeviceInfo.scsiLun if lun.lunType == "disk"]
    assert len({lun.canonicalName for lun in disks}) == 160
    assert {lun.serialNumber for lun in disks} == {"SAME"}


def test_requests_are_counted_by_method(site: Site) -> None:
    site.lab.clear_log()
    site.content.viewManager.CreateListView()
    for _ in range(3):
        site.instance.CurrentTime()
    assert site.lab.counts() == {"CreateListView": 1, "CurrentTime": 3}
    site.lab.clear_log()
    assert site.lab.counts() == {}
