"""LUNs as sites have them: names of every kind, what differs from host to host, and disks that are good for nothing."""

from __future__ import annotations

from typing import Any

import pytest
from govc_client import govc
from pyVmomi import vim
from pyvmomi_client import Site, kind_of, new_mapping, read, refusal

NAA = "naa.60060160a1b12345000000000000000"
SYM = "sym.029000012345"
UUID = "uuid.2b65d2a4d1f04a3c9f6f0a3b1c2d3e4f"
FC = "fc.20000025b5000001:20000025b5110001"
MPX = "mpx.vmhba32:C0:T0:L0"
LUNS = f"""
hosts: [{{name: esx1.lab}}, {{name: esx2.lab}}]
datastores: [{{name: san01}}]
luns:
  - name: {NAA}1
    sectors: 4194304
    number: 5
    paths: {{esx2.lab: {{name: "{SYM}", number: 6, perennially_reserved: true, state: degraded}}}}
  - {{name: "{SYM}9", sectors: 4194304, quality: mediumQuality}}
  - {{name: "{UUID}", sectors: 4194304, transport: nvme-tcp, vendor: NVMe}}
  - name: "{FC}"
    sectors: 4194304
    transport: fc
    descriptors: [{{quality: lowQuality, id: "{FC}"}}, {{quality: highQuality, id: 6006016000000000000000000000fc01}}]
  - name: {NAA}2
    sectors: 4194304
    alternate_names: [{{namespace: GENERIC_VPD, hex: "0083000c"}}, {{namespace: SERIALNUM, text: "  S3F2NWBHB56997P"}}]
    durable_name: {{namespace: SERIALNUM, text: S3F2NWBHB56997P}}
  - {{name: {NAA}3, sectors: 2048, protocol_endpoint: true}}
  - {{name: "{MPX}", sectors: 4194304, transport: usb, quality: lowQuality, local: true, hosts: [esx1.lab]}}
  - {{name: {NAA}4, sectors: 4194304, boot: true, system_volumes: OTHER, hosts: [esx1.lab]}}
  - {{name: {NAA}5, sectors: 524288, block_size: 4096, format: native4k}}
  - {{name: {NAA}6, sectors: 4194304, format: SoftwareEmulated4k}}
  - {{name: {NAA}7, sectors: 4194304, transport: iscsi}}
vms:
  - name: one
    host: esx1.lab
    disks: [{{flat: 1073741824}}, {{rdm: {NAA}1}}, {{rdm: {NAA}2, lun_uuid: "vml.0200AB", device_name: ""}}]
  - {{name: two, host: esx2.lab, disks: [{{rdm: {NAA}1}}]}}
"""


@pytest.fixture
def many(site: Site) -> Site:
    """A session on a world with LUNs of every kind."""
    site.lab.world(LUNS)
    return Site(site.lab)


def storage(site: Site, host: str) -> Any:
    """Returns what a host tells of its storage."""
    rows = read(site, vim.HostSystem, "name", "config.storageDevice")
    return next(
        row for row in ({prop.name: prop.val for prop in item.propSet} for item in rows) if row["name"] == host
    )["config.storageDevice"]


def luns(site: Site, host: str) -> dict[str, Any]:
    """Returns the disks of a host by their canonical names."""
    return {lun.canonicalName: lun for lun in storage(site, host).scsiLun}


def mapped(site: Site, name: str, address: str) -> Any:
    """Returns the backing of a disk."""
    return site.disk(address, name).backing


def test_one_lun_has_another_name_and_number_on_another_host(many: Site) -> None:
    first, second = luns(many, "esx1.lab"), luns(many, "esx2.lab")
    assert SYM not in first
    assert NAA + "1" not in second
    assert first[NAA + "1"].uuid.startswith("0200000000600601")
    assert second[SYM].uuid.startswith("0300")
    assert [descriptor.id for descriptor in second[SYM].descriptor] == [SYM, "vml." + second[SYM].uuid]
    numbers = {
        host: next(
            unit.lun
            for adapter in storage(many, host).scsiTopology.adapter
            for target in adapter.target
            for unit in target.lun
            if unit.scsiLun == lun.key
        )
        for host, lun in (("esx1.lab", first[NAA + "1"]), ("esx2.lab", second[SYM]))
    }
    assert numbers == {"esx1.lab": 5, "esx2.lab": 6}
    assert mapped(many, "one", "scsi0:1").lunUuid == first[NAA + "1"].uuid
    assert mapped(many, "two", "scsi0:0").lunUuid == second[SYM].uuid
    assert {lun["name"]: lun["mapped_by"] for lun in many.lab.state()["luns"]}[NAA + "1"] == ["one", "two"]


def test_what_is_so_on_one_host_only(many: Site) -> None:
    first, second = luns(many, "esx1.lab")[NAA + "1"], luns(many, "esx2.lab")[SYM]
    assert (first.perenniallyReserved, list(first.operationalState)) == (False, ["ok"])
    assert (second.perenniallyReserved, list(second.operationalState)) == (True, ["ok", "degraded"])
    many.lab.change_lun(NAA + "1", "reserve", host="esx1.lab")
    many.lab.change_lun(NAA + "1", "unreserve", host="esx2.lab")
    many.lab.change_lun(NAA + "1", "off", host="esx1.lab")
    many.lab.change_lun(NAA + "1", "renumber", host="esx1.lab", number=11)
    first, second = luns(many, "esx1.lab")[NAA + "1"], luns(many, "esx2.lab")[SYM]
    assert (first.perenniallyReserved, list(first.operationalState)) == (True, ["off"])
    assert (second.perenniallyReserved, list(second.operationalState)) == (False, ["ok", "degraded"])
    paths = [path.name for unit in storage(many, "esx1.lab").multipathInfo.lun for path in unit.path]
    assert any(name.endswith(":L11") for name in paths)


def test_what_a_mapping_shows_may_differ_from_what_the_host_has(many: Site) -> None:
    backing = mapped(many, "one", "scsi0:2")
    assert (backing.lunUuid, backing.deviceName) == ("vml.0200AB", None)
    many.lab.change_lun(NAA + "2", "degraded")
    assert mapped(many, "one", "scsi0:2").lunUuid == "vml.0200AB", "it stays when the host's storage is read anew"


def test_names_descriptors_and_serials(many: Site) -> None:
    found = luns(many, "esx1.lab")
    assert [(d.quality, d.id) for d in found[FC].descriptor] == [
        ("lowQuality", FC),
        ("highQuality", "6006016000000000000000000000fc01"),
    ]
    assert found[SYM + "9"].descriptor[0].quality == "mediumQuality"
    assert found[NAA + "2"].serialNumber == "unavailable"
    names = [(name.namespace, bytes(value & 255 for value in name.data)) for name in found[NAA + "2"].alternateName]
    assert names == [("GENERIC_VPD", b"\x00\x83\x00\x0c"), ("SERIALNUM", b"  S3F2NWBHB56997P")]
    assert found[NAA + "2"].durableName.namespace == "SERIALNUM"
    assert found[NAA + "1"].durableName is None


def test_how_a_lun_is_reached(many: Site) -> None:
    said = storage(many, "esx1.lab")
    kinds = {bus.key: type(bus).__name__.rpartition(".")[2] for bus in said.hostBusAdapter}
    by_lun = {
        unit.lun: (kinds[path.adapter], type(path.transport).__name__.rpartition(".")[2])
        for unit in said.multipathInfo.lun
        for path in unit.path
    }
    keys = {lun.canonicalName: lun.key for lun in said.scsiLun}
    assert by_lun[keys[UUID]] == ("TcpHba", "TcpTargetTransport")
    assert by_lun[keys[FC]] == ("FibreChannelHba", "FibreChannelTargetTransport")
    assert by_lun[keys[NAA + "7"]] == ("InternetScsiHba", "InternetScsiTargetTransport")
    assert by_lun[keys[MPX]] == ("BlockHba", "BlockAdapterTargetTransport")
    spaces = [
        space.name
        for adapter in said.nvmeTopology.adapter
        for controller in adapter.connectedController
        for space in controller.attachedNamespace
    ]
    assert spaces == [UUID]
    assert next(bus.driver for bus in said.hostBusAdapter if bus.device == "vmhba32") == "vmkusb"
    said = govc(many.lab, "host.storage.info", "-host", "esx1.lab", "-t", "hba", "-json").json()
    drivers = {bus["device"]: bus["driver"] for bus in said["storageDeviceInfo"]["hostBusAdapter"]}
    assert drivers["vmhba32"] == "vmkusb"


def test_a_boot_disk_without_an_extent(many: Site) -> None:
    config = many.find(vim.HostSystem, "esx1.lab").config
    volumes = [mount.volume for mount in config.fileSystemVolume.mountInfo if mount.volume.type == "OTHER"]
    assert [volume.name for volume in volumes] == ["BOOTBANK1", "BOOTBANK2"]
    assert not any(hasattr(volume, "extent") for volume in volumes)
    assert NAA + "4" in luns(many, "esx1.lab")


NO_MAPPING = [UUID, NAA + "3", MPX, NAA + "4", NAA + "5", NAA + "6"]


def test_what_the_host_offers_for_a_mapping(many: Site) -> None:
    assert luns(many, "esx1.lab")[NAA + "3"].protocolEndpoint is True
    target = many.vm().environmentBrowser.QueryConfigTarget(many.find(vim.HostSystem, "esx1.lab"))
    offered = {entry.disk.canonicalName: entry for entry in target.scsiDisk}
    assert set(offered) == {NAA + "1", SYM + "9", FC, NAA + "2", NAA + "7"}
    assert [vm.name for vm in offered[NAA + "1"].vm] == ["one", "two"]
    on_second = {disk["name"] for disk in govc(many.lab, "vm.rdm.ls", "-vm", "two", "-json").json()["disks"]}
    assert on_second == {SYM, SYM + "9", FC, NAA + "2", NAA + "7"}


@pytest.mark.parametrize("lun", NO_MAPPING)
def test_what_it_does_not_offer_is_refused(many: Site, lun: str) -> None:
    fault = refusal(lambda: many.reconfigure(new_mapping("[san01] one/new.vmdk", lun)))
    assert kind_of(fault) == "InvalidDeviceBacking"


def test_a_degraded_lun_is_mapped(many: Site) -> None:
    many.lab.change_lun(NAA + "7", "degraded")
    many.reconfigure(new_mapping("[san01] one/new.vmdk", NAA + "7"))


@pytest.mark.parametrize(
    "change",
    [
        "transport: carrier-pigeon",
        "system_volumes: NTFS",
        "quality: fine",
        "alternate_names: [{namespace: SERIALNUM, hex: xyz}]",
    ],
)
def test_a_word_that_is_not_known_is_an_error(site: Site, change: str) -> None:
    with pytest.raises(RuntimeError, match="the world cannot be read"):
        site.lab.world(f"hosts: [{{name: a}}]\nluns: [{{name: {NAA}1, sectors: 8, {change}}}]")
