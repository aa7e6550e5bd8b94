"""Mappings in the lab: what a host fills in, what belongs to the file, and what is refused."""

from __future__ import annotations

import base64
import ssl
import urllib.error
import urllib.parse
import urllib.request
from typing import Any

import pytest
from pyVmomi import vim
from pyvmomi_client import LOCAL, SAN, Site, change, kind_of, mapping, new_mapping, refusal


def descriptor(site: Site, path: str, password: str | None = None) -> str:
    """Returns the text of a descriptor, as a datastore's HTTP access gives it."""
    query = urllib.parse.urlencode({"dcPath": "DC", "dsName": "san01"})
    lab = site.lab
    request = urllib.request.Request(f"https://{lab.host}:{lab.port}/folder/{urllib.parse.quote(path)}?{query}")
    secret = f"{lab.username}:{lab.password if password is None else password}".encode()
    request.add_header("Authorization", "Basic " + base64.b64encode(secret).decode())
    context = ssl.create_default_context(cafile=lab.ca_path)
    with urllib.request.urlopen(request, context=context, timeout=10) as answer:
        return str(answer.read().decode())


def test_a_new_mapping_is_filled_in_by_the_host(site: Site) -> None:
    site.reconfigure(new_mapping("[san01] one/new.vmdk", SAN + "b"))
    disk = site.disk("scsi0:5")
    assert disk.capacityInBytes == 4194304000 * 512
    assert disk.capacityInKB == 4194304000 // 2
    assert disk.backing.compatibilityMode == "virtualMode"
    assert disk.backing.deviceName == "vml." + disk.backing.lunUuid
    assert disk.backing.lunUuid.startswith("020000000060060160a1b12345000000000000000b")
    assert disk.backing.uuid
    assert disk.backing.datastore.name == "san01"


def test_a_lun_has_another_vml_on_another_host_and_a_masked_one_has_no_device(site: Site) -> None:
    assert site.disk().backing.lunUuid.startswith("0200000000")
    site.run(site.vm().Migrate(host=site.find(vim.HostSystem, "esx2.lab"), priority="defaultPriority"))
    assert site.disk().backing.lunUuid == "020006000060060160a1b12345000000000000000a565241494420"
    site.lab.change_lun(SAN + "a", "mask", host="esx2.lab")
    assert not site.disk().backing.deviceName


@pytest.mark.parametrize(
    ("mode", "create_type", "ending"),
    [("physicalMode", "vmfsPassthroughRawDeviceMap", "-rdmp"), ("virtualMode", "vmfsRawDeviceMap", "-rdm")],
)
def test_a_mapping_file_is_a_real_descriptor(site: Site, mode: str, create_type: str, ending: str) -> None:
    site.reconfigure(new_mapping("[san01] one/new.vmdk", SAN + "b", mode))
    text = descriptor(site, "one/new.vmdk")
    assert f'createType="{create_type}"\n' in text
    assert f'RW 4194304000 VMFSRDM "new{ending}.vmdk"\n' in text
    browser = site.find(vim.Datastore, "san01").browser
    found = site.run(browser.SearchDatastore_Task("[san01] one", vim.host.DatastoreBrowser.SearchSpec()))
    assert {"new.vmdk", f"new{ending}.vmdk"} <= {file.path for file in found.file}


def test_a_descriptor_is_given_to_nobody_without_a_password(site: Site) -> None:
    with pytest.raises(urllib.error.HTTPError) as caught:
        descriptor(site, "spare/physical.vmdk", password="wrong")
    assert caught.value.code == 401
    caught.value.close()


@pytest.mark.parametrize(("name", "mode"), [("physical", "physicalMode"), ("virtual", "virtualMode")])
def test_the_mode_of_an_attached_mapping_is_its_files_own(site: Site, name: str, mode: str) -> None:
    site.reconfigure(change("add", mapping(f"[san01] spare/{name}.vmdk")))
    assert site.disk("scsi0:5").backing.compatibilityMode == mode


@pytest.mark.parametrize("mode", ["virtualMode", "physicalMode"])
def test_a_mode_is_not_named_where_a_mapping_is_attached(site: Site, mode: str) -> None:
    disk = mapping("[san01] spare/physical.vmdk", compatibilityMode=mode)
    assert kind_of(refusal(lambda: site.reconfigure(change("add", disk)))) == "InvalidDeviceBacking"


def test_the_mode_cannot_be_edited(site: Site) -> None:
    disk = site.disk()
    disk.backing.compatibilityMode = "virtualMode"
    assert kind_of(refusal(lambda: site.reconfigure(change("edit", disk)))) == "InvalidDeviceSpec"
    assert site.disk().backing.compatibilityMode == "physicalMode"


NEW = "[san01] one/new.vmdk"
REFUSED: list[Any] = [
    pytest.param(lambda: new_mapping(NEW, SAN + "b", None), "InvalidDeviceSpec", id="no mode on create"),
    pytest.param(lambda: new_mapping(NEW, SAN + "b", "both"), "InvalidDeviceSpec", id="a mode that is none"),
    pytest.param(
        lambda: new_mapping(NEW, SAN + "b", diskMode=None), "InvalidDeviceBacking", id="no disk mode on create"
    ),
    pytest.param(lambda: new_mapping(NEW, SAN + "0"), "InvalidDeviceBacking", id="no such LUN"),
    pytest.param(lambda: new_mapping(NEW, SAN + "c"), "InvalidDeviceBacking", id="masked from the host"),
    pytest.param(lambda: new_mapping(NEW, SAN + "d"), "InvalidDeviceBacking", id="carries VMFS"),
    pytest.param(lambda: new_mapping(NEW, "naa.5000c500a0000001"), "InvalidDeviceBacking", id="4Kn"),
    pytest.param(lambda: new_mapping(NEW, "naa.5000c500a0000002"), "InvalidDeviceBacking", id="boot disk"),
    pytest.param(lambda: new_mapping(NEW, "naa.5000c500a0000003"), "InvalidDeviceBacking", id="claimed by vSAN"),
    pytest.param(lambda: new_mapping(NEW, SAN + "a"), "InvalidDeviceBacking", id="the VM has it already"),
    pytest.param(lambda: new_mapping(NEW, SAN + "b", lunUuid="0200"), "InvalidDeviceBacking", id="another LUN's id"),
    pytest.param(lambda: new_mapping(NEW, SAN + "f"), "LargeRDMNotSupportedOnDatastore", id="virtual above 62 TB"),
    pytest.param(
        lambda: new_mapping("[old] new.vmdk", SAN + "e"), "LargeRDMNotSupportedOnDatastore", id="above 2 TB on VMFS 3"
    ),
    pytest.param(lambda: new_mapping("[nfs01] new.vmdk", SAN + "b"), "RDMNotSupportedOnDatastore", id="on NFS"),
    pytest.param(lambda: new_mapping("[full] new.vmdk", SAN + "b"), "NoDiskSpace", id="datastore full"),
    pytest.param(lambda: new_mapping("[gone] new.vmdk", SAN + "b"), "InaccessibleDatastore", id="datastore gone"),
    pytest.param(lambda: new_mapping("[only2] new.vmdk", SAN + "b"), "InvalidDatastore", id="not mounted here"),
    pytest.param(lambda: new_mapping("[none] new.vmdk", SAN + "b"), "InvalidDatastore", id="no such datastore"),
    pytest.param(lambda: new_mapping("[san01] nowhere/new.vmdk", SAN + "b"), "FileNotFound", id="no such folder"),
    pytest.param(
        lambda: new_mapping("[san01] spare/flat.vmdk", SAN + "b"), "FileAlreadyExists", id="the name is taken"
    ),
    pytest.param(
        lambda: new_mapping("[san01] spare/physical-rdmp.vmdk", SAN + "b"), "FileAlreadyExists", id="an extent's name"
    ),
    pytest.param(lambda: change("add", mapping("[san01] spare/none.vmdk")), "FileNotFound", id="no such mapping file"),
    pytest.param(
        lambda: change("add", mapping("[san01] spare/flat.vmdk")), "InvalidDeviceBacking", id="a flat disk as a mapping"
    ),
    pytest.param(lambda: new_mapping(NEW, SAN + "b", unit=None), "InvalidDeviceSpec", id="no unit"),
    pytest.param(lambda: new_mapping(NEW, SAN + "b", unit=7), "InvalidDeviceSpec", id="unit 7"),
    pytest.param(lambda: new_mapping(NEW, SAN + "b", unit=1), "InvalidDeviceSpec", id="the unit is taken"),
    pytest.param(lambda: new_mapping(NEW, SAN + "b", unit=64), "InvalidDeviceSpec", id="beyond pvscsi's units"),
    pytest.param(
        lambda: new_mapping(NEW, SAN + "b", unit=30, controller=15000), "InvalidDeviceSpec", id="beyond SATA's"
    ),
    pytest.param(lambda: new_mapping(NEW, SAN + "b", controller=4242), "InvalidController", id="no such controller"),
]


@pytest.mark.parametrize(("wanted", "fault"), REFUSED)
def test_a_mapping_is_refused_and_nothing_is_changed(site: Site, wanted: Any, fault: str) -> None:
    before = site.lab.state()
    assert kind_of(refusal(lambda: site.reconfigure(wanted()))) == fault
    assert site.lab.state() | {"sessions": 0} == before | {"sessions": 0}


def test_a_mapping_attached_as_a_flat_disk_is_refused(site: Site) -> None:
    backing = vim.vm.device.VirtualDisk.FlatVer2BackingInfo(
        fileName="[san01] spare/physical.vmdk", diskMode="persistent"
    )
    disk = vim.vm.device.VirtualDisk(key=-1, controllerKey=1000, unitNumber=5, backing=backing)
    fault = refusal(lambda: site.reconfigure(change("add", disk)))
    assert kind_of(fault) == "InvalidDeviceBacking"
    assert "Incompatible device backing specified for device '0'." in fault.msg


def test_a_64_unit_controller_takes_unit_63_only_from_hardware_version_14(site: Site) -> None:
    site.reconfigure(new_mapping("[san01] one/new.vmdk", SAN + "b", unit=63))
    assert site.disk("scsi0:63").unitNumber == 63
    site.lab.world("""
hosts: [{name: esx1.lab}]
datastores: [{name: san01}]
luns: [{name: naa.600000000000000000000000000000aa, sectors: 2097152}]
vms: [{name: one, version: vmx-13, disks: [{flat: 1073741824}]}]
""")
    again = Site(site.lab)
    wanted = new_mapping("[san01] one/new.vmdk", "naa.600000000000000000000000000000aa", unit=16)
    assert kind_of(refusal(lambda: again.reconfigure(wanted))) == "InvalidDeviceSpec"


def test_a_server_picks_the_name_where_only_the_datastore_was_given(site: Site) -> None:
    site.reconfigure(new_mapping("[san01]", SAN + "b"))
    assert site.disk("scsi0:5").backing.fileName == "[san01] one/one.vmdk"


def test_replace_puts_a_new_mapping_in_the_place_of_a_file(site: Site) -> None:
    disk = mapping(
        "[san01] spare/physical.vmdk", deviceName=f"/vmfs/devices/disks/{SAN}e", compatibilityMode="virtualMode"
    )
    site.reconfigure(change("add", disk, "replace"))
    assert site.disk("scsi0:5").backing.compatibilityMode == "virtualMode"
    assert site.disk("scsi0:5").capacityInBytes == 5860533168 * 512


def test_the_switches_for_what_no_source_settles(site: Site) -> None:
    text = str(site.lab.control("GET", "/world"))
    for switch, lun in (("second_mapping", SAN + "b"), ("local_mappings", LOCAL)):
        site.lab.world(f"{switch}: RDMNotSupported\n{text}")
        again = Site(site.lab)
        fault = refusal(lambda lun=lun, again=again: again.reconfigure(new_mapping(NEW, lun)))  # type: ignore[misc]
        assert kind_of(fault) == "RDMNotSupported"


class TestDiskManager:
    """CreateVirtualDisk, DeleteVirtualDisk, QueryVirtualDiskUuid."""

    @staticmethod
    def create(site: Site, name: str, lun: str, kind: str = "rdm", datacenter: bool = True) -> Any:
        spec = vim.VirtualDiskManager.DeviceBackedVirtualDiskSpec(
            diskType=kind, adapterType="lsiLogic", device=f"/vmfs/devices/disks/{lun}"
        )
        where = site.find(vim.Datacenter, "DC") if datacenter else None
        return site.run(site.content.virtualDiskManager.CreateVirtualDisk_Task(name, where, spec))

    @pytest.mark.parametrize(("kind", "mode"), [("rdm", "virtualMode"), ("rdmp", "physicalMode")])
    def test_it_makes_a_mapping_that_can_be_attached(self, site: Site, kind: str, mode: str) -> None:
        self.create(site, "[san01] one/made.vmdk", SAN + "e", kind)
        site.reconfigure(change("add", mapping("[san01] one/made.vmdk")))
        assert site.disk("scsi0:5").backing.compatibilityMode == mode

    @pytest.mark.parametrize(
        ("name", "lun", "kind", "datacenter", "fault"),
        [
            ("[san01] one/made.vmdk", SAN + "e", "rdm", False, "InvalidArgument"),
            ("[san01] one/made.vmdk", SAN + "0", "rdm", True, "InvalidArgument"),
            ("[san01] one/made.vmdk", SAN + "e", "thin", True, "InvalidArgument"),
            ("[san01] one/made.vmdk", SAN + "d", "rdm", True, "InvalidDeviceBacking"),
            ("[san01] nowhere/made.vmdk", SAN + "e", "rdm", True, "FileNotFound"),
            ("[san01] spare/flat.vmdk", SAN + "e", "rdm", True, "FileAlreadyExists"),
            ("[nfs01] made.vmdk", SAN + "e", "rdm", True, "RDMNotSupportedOnDatastore"),
            ("[none] made.vmdk", SAN + "e", "rdm", True, "InvalidDatastore"),
        ],
    )
    def test_it_refuses(self, site: Site, name: str, lun: str, kind: str, datacenter: bool, fault: str) -> None:
        files = site.lab.state()["files"]
        assert kind_of(refusal(lambda: self.create(site, name, lun, kind, datacenter))) == fault
        assert site.lab.state()["files"] == files

    def test_deleting_a_mapping_takes_both_files_and_leaves_a_held_one(self, site: Site) -> None:
        manager, datacenter = site.content.virtualDiskManager, site.find(vim.Datacenter, "DC")
        site.run(manager.DeleteVirtualDisk_Task("[san01] spare/physical.vmdk", datacenter))
        assert "[san01] spare/physical.vmdk" not in {file["path"] for file in site.lab.state()["files"]}
        site.run(site.vm().PowerOn())
        fault = refusal(lambda: site.run(manager.DeleteVirtualDisk_Task("[san01] one/one_1.vmdk", datacenter)))
        assert kind_of(fault) == "FileLocked"
        fault = refusal(lambda: site.run(manager.DeleteVirtualDisk_Task("[san01] one/none.vmdk", datacenter)))
        assert kind_of(fault) == "FileNotFound"

    def test_a_disks_uuid_is_that_of_its_descriptor(self, site: Site) -> None:
        manager, datacenter = site.content.virtualDiskManager, site.find(vim.Datacenter, "DC")
        said = manager.QueryVirtualDiskUuid("[san01] spare/virtual.vmdk", datacenter)
        assert f'ddb.uuid = "{said}"' in descriptor(site, "spare/virtual.vmdk")
        missing = refusal(lambda: manager.QueryVirtualDiskUuid("[san01] spare/none.vmdk", datacenter))
        assert kind_of(missing) == "FileNotFound"


def test_the_config_target_lists_what_may_be_mapped_and_who_maps_it(site: Site) -> None:
    browser = site.vm().environmentBrowser or site.find(vim.ComputeResource, "esx1.lab").environmentBrowser
    target = browser.QueryConfigTarget(site.find(vim.HostSystem, "esx1.lab"))
    by_name = {entry.disk.canonicalName: entry for entry in target.scsiDisk}
    assert set(by_name) == {SAN + "a", SAN + "b", SAN + "e", SAN + "f", LOCAL}
    assert [vm.name for vm in by_name[SAN + "a"].vm] == ["one"]
    assert by_name[SAN + "a"].lunNumber == 5
    assert by_name[SAN + "a"].capacity == 4194304000 // 2
    assert not by_name[SAN + "b"].vm


def test_with_the_filter_a_mapped_lun_is_no_candidate(site: Site) -> None:
    site.lab.world("rdm_filter: true\n" + str(site.lab.control("GET", "/world")))
    again = Site(site.lab)
    browser = again.find(vim.ComputeResource, "esx1.lab").environmentBrowser
    target = browser.QueryConfigTarget(again.find(vim.HostSystem, "esx1.lab"))
    assert SAN + "a" not in {entry.disk.canonicalName for entry in target.scsiDisk}
