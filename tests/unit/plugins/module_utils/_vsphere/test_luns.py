"""LUNs of a host: names that hold everywhere, names of one host, and what other properties say of them."""

from __future__ import annotations

from typing import Any
from xml.etree.ElementTree import fromstring

import pytest
from pyVmomi import vim

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Host
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import Part, Unreadable
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.connect import Session
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.hosts import (
    DATASTORE_PATHS,
    HOST_PATHS,
    STORAGE_MULTIPATH,
    STORAGE_PATHS,
    STORAGE_PLUGINS,
    datastore_of,
    host_of,
    with_storage,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.luns import DeviceReader
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.read import object_spec, read_properties
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.reply_parts import with_bytes_joined
from ansible_collections.winbackup.storage.tests.unit.helpers.canned_server import answering, object_content, page
from ansible_collections.winbackup.storage.tests.unit.helpers.devices import TWO_TB, scsi_disk

_HOST = vim.HostSystem("host-1")
_PATHS = {"HostSystem": (*HOST_PATHS, *STORAGE_PATHS, *STORAGE_PLUGINS, *STORAGE_MULTIPATH)}
_LUNS = "config.storageDevice.scsiLun"


def the_host(session: Session, reference: Any) -> Host:
    """Returns the host with its storage."""
    reads = read_properties(session, "Reading", [object_spec(reference)], _PATHS, converters=DeviceReader().converters)
    return next(with_storage(host_of(read), read) for read in reads)


def read_host(
    values: dict[str, Any], missing: dict[str, Any] | None = None, replace: tuple[str, str] = ("", "")
) -> Any:
    """Returns the host, and what of it could not be read; `values` is beside what every host tells."""
    usual = {"name": "esxi-01", "config.fileSystemVolume.mountInfo": []}
    answer = page([object_content(_HOST, {**usual, **values}, missing)]).replace(*replace)
    with answering(answer) as server:
        host = the_host(server.session(), _HOST)
        return host, host.unreadable


def lun(disk: Any, **values: Any) -> HostLun:
    """Returns the one LUN of a host that shows this disk."""
    host, unreadable = read_host({_LUNS: [disk], **values})
    assert unreadable == ()
    return host.luns[0]  # type: ignore[no-any-return]


def descriptor(quality: str, name: str) -> Any:
    """Returns a descriptor of a LUN."""
    return vim.host.ScsiLun.Descriptor(quality=quality, id=name)


def test_a_disk_is_read_to_the_byte() -> None:
    found = lun(scsi_disk())
    assert (found.canonical_name, found.uuid, found.vml) == ("naa.600aaa", "0200000000600aaa", "vml.0200000000600aaa")
    assert (found.capacity_bytes, found.block_size, found.disk_type) == (TWO_TB, 512, "emulated512")
    assert (found.vendor, found.serial, found.state, found.local, found.ssd) == ("ATA", "ZVTBXN1D", "ok", True, False)
    assert found.device_path == "/vmfs/devices/disks/naa.600aaa"
    assert found.names == {"naa.600aaa", "0200000000600aaa"}
    assert found.durable_names == {"naa.600aaa"}


def test_blank_and_unavailable_serials_are_none() -> None:
    for serial in ("unavailable", "   ", "Unavailable"):
        assert lun(scsi_disk(serialNumber=serial)).serial is None


def test_names_of_one_host_are_not_for_all() -> None:
    host_only = lun(scsi_disk("mpx.vmhba32:C0:T0:L0", "0000000000766d"))
    assert host_only.durable_names == frozenset()
    assert host_only.identity == ("host-1", "mpx.vmhba32:C0:T0:L0")


@pytest.mark.parametrize(
    "name", ["sym.029010111831353837", "uuid.2b65aaaa", "fc.200000110d0", "eui.0025", "nvm.future"]
)
def test_no_list_of_prefixes_decides_what_names_a_lun_everywhere(name: str) -> None:
    assert lun(scsi_disk(name)).durable_names == {name}
    assert lun(scsi_disk(name, descriptor=[descriptor("highQuality", name)])).durable_names == {name}
    assert lun(scsi_disk(name, descriptor=[descriptor("lowQuality", name)])).durable_names == frozenset()


@pytest.mark.parametrize("told", ["unavailable", "", None])
@pytest.mark.parametrize("place", ["alternateName", "durableName"])
def test_the_serial_is_read_from_the_durable_names_where_it_is_not_told(told: str | None, place: str) -> None:
    names = [
        vim.host.ScsiLun.DurableName(namespace="GENERIC_VPD", namespaceId=5, data=[0, -128, 0, 8]),
        vim.host.ScsiLun.DurableName(namespace="SERIALNUM", namespaceId=4, data=list(b" ZVTBXN1D   ")),
    ]
    values = {"alternateName": names} if place == "alternateName" else {"durableName": names[1]}
    assert lun(scsi_disk(serialNumber=told, **values)).serial == "ZVTBXN1D"
    blank = vim.host.ScsiLun.DurableName(namespace="SERIALNUM", namespaceId=4, data=list(b"     "))
    assert lun(scsi_disk(serialNumber=told, alternateName=[blank])).serial is None


def test_what_hosts_tell_alike_of_a_lun_is_kept_once_and_only_what_differs_with_each() -> None:
    second = vim.HostSystem("host-2")
    shown = {"name": "esxi", _LUNS: [scsi_disk(), scsi_disk("naa.600bbb", "0200000000600bbb")]}
    degraded = {**shown, _LUNS: [scsi_disk(), scsi_disk("naa.600bbb", "0200000000600bbb", operationalState=["off"])]}
    answer = page([object_content(_HOST, shown), object_content(second, degraded)])
    with answering(answer) as server:
        asked = [object_spec(host) for host in (_HOST, second)]
        reader = DeviceReader()
        reads = read_properties(server.session(), "Reading", asked, _PATHS, converters=reader.converters)
        luns = [with_storage(host_of(read), read).luns or () for read in reads]
    assert luns[0][0].facts is luns[1][0].facts
    assert [lun[0].host for lun in luns] == ["host-1", "host-2"]
    assert [lun[1].state for lun in luns] == ["ok", "off"]


def test_bytes_of_a_lun_are_read_alike_however_the_reply_is_cut() -> None:
    """A chunk may end between any two letters; where it does, bytes of one list stand in elements apart."""
    member = (
        b"<LUN xmlns='urn:vim25'><uuid>02</uuid><durableName><namespace>SERIALNUM</namespace>"
        b"<data>32</data><data>90</data><data>86</data><data>-128</data></durableName>"
        b"<standardInquiry>0</standardInquiry><standardInquiry>-128</standardInquiry>"
        b"<standardInquiry>6</standardInquiry></LUN>"
    )
    told = DeviceReader().read(fromstring(member))
    assert (told.facts.serial, told.removable_medium) == ("ZV\N{REPLACEMENT CHARACTER}", True)
    # One element for each list, and not for each byte.
    assert len(list(fromstring(with_bytes_joined(member)).iter())) == 6
    for cut in range(len(member)):
        joined = with_bytes_joined(member[:cut]) + with_bytes_joined(member[cut:])
        assert DeviceReader().read(fromstring(joined)) == told


def adapters(kind: Any, driver: str = "lpfc", protocol: str | None = None) -> dict[str, Any]:
    """Returns what a host says of one adapter through which it sees its LUN."""
    lun_of_target = vim.host.ScsiTopology.Lun(key="l", lun=5, scsiLun="key-vim.host.ScsiDisk-0200000000600aaa")
    target = vim.host.ScsiTopology.Target(key="t", target=0, lun=[lun_of_target])
    interface = vim.host.ScsiTopology.Interface(key="a", adapter="hba-1", target=[target])
    adapter = kind(key="hba-1", device="vmhba32", bus=0, status="online", model="a model", driver=driver)
    if protocol is not None:
        adapter.storageProtocol = protocol
    return {
        "config.storageDevice.scsiTopology": vim.host.ScsiTopology(adapter=[interface]),
        "config.storageDevice.hostBusAdapter": [adapter],
    }


@pytest.mark.parametrize(
    ("values", "adapter", "over_fabrics"),
    [
        ({"localDisk": False}, adapters(vim.host.TcpHba), True),
        ({"localDisk": False}, adapters(vim.host.RdmaHba), True),
        ({"localDisk": False}, adapters(vim.host.BlockHba, protocol="nvme"), True),
        ({"localDisk": False, "vendor": "NVMe    "}, {}, True),
        ({"localDisk": False, "applicationProtocol": "NVMe"}, {}, True),
        ({"localDisk": None, "vendor": "NVMe    "}, {}, None),
        ({"localDisk": True, "vendor": "NVMe    "}, adapters(vim.host.PcieHba, protocol="nvme"), False),
        ({"localDisk": False}, adapters(vim.host.BlockHba, protocol="scsi"), False),
        ({"localDisk": False}, {}, False),
    ],
)
def test_namespaces_of_nvme_over_fabrics_are_told(
    values: dict[str, Any], adapter: dict[str, Any], over_fabrics: bool | None
) -> None:
    assert lun(scsi_disk(**values), **adapter).nvme_over_fabrics is over_fabrics


@pytest.mark.parametrize(
    ("transport", "over_fabrics"),
    [("tcp", True), ("rdma", True), ("fibreChannel", True), ("pcie", False), ("loopback", None)],
)
def test_the_topology_of_nvme_tells_what_is_a_fabric(transport: str, over_fabrics: bool | None) -> None:
    namespace = vim.host.NvmeNamespace(key="n", name="naa.600aaa", id=1, blockSize=512, capacityInBlocks=1)
    controller = vim.host.NvmeController(
        key="c",
        controllerNumber=1,
        subnqn="nqn",
        name="nqn#1",
        associatedAdapter="a",
        transportType=transport,
        fusedOperationSupported=False,
        numberOfQueues=1,
        queueSize=1,
        attachedNamespace=[namespace],
    )
    interface = vim.host.NvmeTopology.Interface(key="i", adapter="a", connectedController=[controller])
    topology = vim.host.NvmeTopology(adapter=[interface])
    assert lun(scsi_disk(), **{"config.storageDevice.nvmeTopology": topology}).nvme_over_fabrics is over_fabrics


@pytest.mark.parametrize(
    ("values", "adapter", "removable"),
    [
        ({"standardInquiry": [0, -128, 6]}, {}, True),
        ({"standardInquiry": [0, 0, 6]}, {}, False),
        ({}, adapters(vim.host.BlockHba, driver="vmkusb"), True),
        ({}, adapters(vim.host.BlockHba, driver="ahci"), False),
        ({"localDisk": False}, {}, False),
        ({"localDisk": True}, {}, None),
    ],
)
def test_a_usb_stick_is_told_by_its_inquiry_data_or_its_adapter(
    values: dict[str, Any], adapter: dict[str, Any], removable: bool | None
) -> None:
    assert lun(scsi_disk(**values), **adapter).removable is removable


def test_a_protocol_endpoint_is_told() -> None:
    assert lun(scsi_disk(protocolEndpoint=True)).protocol_endpoint
    assert not lun(scsi_disk()).protocol_endpoint


def test_descriptors_count_by_their_quality() -> None:
    high = [descriptor("highQuality", "eui.0025aaa"), descriptor("highQuality", "vml.0500")]
    low = [descriptor("lowQuality", "naa.777"), descriptor("mediumQuality", "t10.X")]
    found = lun(scsi_disk(descriptor=high + low))
    assert found.durable_names == {"naa.600aaa", "eui.0025aaa"}
    assert {"0500", "naa.777", "t10.x"} <= found.names


def test_a_canonical_name_of_low_quality_is_the_hosts_own() -> None:
    found = lun(scsi_disk("t10.ATA_____X", descriptor=[descriptor("lowQuality", "t10.ATA_____X")]))
    assert found.durable_names == frozenset()


def test_states_are_spelt_as_results_spell_them() -> None:
    assert lun(scsi_disk(operationalState=["degraded", "lostCommunication"])).state == "degraded,lost_communication"


def test_the_lun_number_and_the_plugin_come_from_the_topologies() -> None:
    topology = vim.host.ScsiTopology(
        adapter=[
            vim.host.ScsiTopology.Interface(
                key="a",
                adapter="vmhba2",
                target=[
                    vim.host.ScsiTopology.Target(
                        key="t",
                        target=0,
                        lun=[
                            vim.host.ScsiTopology.Lun(key="l", lun=5, scsiLun="key-vim.host.ScsiDisk-0200000000600aaa")
                        ],
                    )
                ],
            )
        ]
    )
    plugin = vim.host.PlugStoreTopology.Plugin(
        key="p",
        name="HPP",
        device=["key-vim.host.PlugStoreTopology.Device-0200000000600aaa"],
        claimedPath=[],
    )
    values = {
        "config.storageDevice.scsiTopology": topology,
        "config.storageDevice.plugStoreTopology.plugin": [plugin],
    }
    found = lun(scsi_disk(), **values)
    assert (found.lun_number, found.multipath_plugin) == (5, "HPP")


def test_paths_are_read_with_state_and_transport() -> None:
    path = vim.host.MultipathInfo.Path(
        key="k",
        name="vmhba2:C0:T0:L5",
        pathState="dead",
        state="dead",
        adapter="key-vim.host.FibreChannelHba-vmhba2",
        lun="x",
        transport=vim.host.FibreChannelTargetTransport(portWorldWideName=1, nodeWorldWideName=2),
    )
    unit = vim.host.MultipathInfo.LogicalUnit(
        key="u",
        id="i",
        lun="key-vim.host.ScsiDisk-0200000000600aaa",
        path=[path],
        policy=vim.host.MultipathInfo.LogicalUnitPolicy(policy="VMW_PSP_RR"),
    )
    found = lun(scsi_disk(), **{"config.storageDevice.multipathInfo.lun": [unit]})
    assert [(each.name, each.state, each.adapter, each.transport) for each in found.paths] == [
        ("vmhba2:C0:T0:L5", "dead", "vmhba2", "fibre_channel")
    ]


def test_what_a_disk_carries_is_told() -> None:
    volume = vim.host.VmfsVolume(
        type="VMFS",
        name="datastore1",
        capacity=1,
        blockSizeMb=1,
        maxBlocks=1,
        majorVersion=6,
        version="6.82",
        uuid="u",
        vmfsUpgradable=False,
        extent=[vim.host.ScsiDisk.Partition(diskName="naa.600aaa", partition=3)],
    )
    mount = vim.host.FileSystemMountInfo(
        mountInfo=vim.host.MountInfo(path="/vmfs/volumes/u", accessMode="readWrite"), volume=volume
    )
    dump = vim.host.DiagnosticPartition(
        storageType="directAttached",
        diagnosticType="singleHost",
        slots=1,
        id=vim.host.ScsiDisk.Partition(diskName="naa.600aaa", partition=7),
    )
    values = {"config.fileSystemVolume.mountInfo": [mount], "config.activeDiagnosticPartition": dump}
    found = lun(scsi_disk(), **values)
    assert (found.vmfs_datastore, found.dump_or_scratch, found.used_by_vsan) == ("datastore1", True, False)
    other = lun(scsi_disk("naa.600bbb", "0200000000600bbb"), **values)
    assert (other.vmfs_datastore, other.dump_or_scratch) == (None, False)
    vsan = vim.vsan.host.VsanDiskInfo(vsanUuid="52aa", formatVersion=5)
    assert lun(scsi_disk(vsanDiskInfo=vsan)).used_by_vsan


def volume_on(disk: str, kind: str) -> Any:
    """Returns a mounted volume that lies on a disk."""
    volume = vim.host.VmfsVolume(
        type=kind,
        name="volume",
        capacity=1,
        blockSizeMb=1,
        maxBlocks=1,
        majorVersion=6,
        version="6.82",
        uuid="u",
        vmfsUpgradable=False,
        extent=[vim.host.ScsiDisk.Partition(diskName=disk, partition=7)],
    )
    return vim.host.FileSystemMountInfo(
        mountInfo=vim.host.MountInfo(path="/vmfs/volumes/u", accessMode="readWrite"), volume=volume
    )


@pytest.mark.parametrize("kind", ["OTHER", "VMFS-L", "VFFS", "VMFSOS"])
def test_a_volume_of_the_host_itself_is_no_datastore(kind: str) -> None:
    found = lun(scsi_disk(), **{"config.fileSystemVolume.mountInfo": [volume_on("naa.600aaa", kind)]})
    assert (found.boot, found.vmfs_datastore) == (True, None)


def test_where_nothing_lies_on_a_lun_it_is_not_said_to_be_no_boot_disk() -> None:
    assert lun(scsi_disk()).boot is None


@pytest.mark.parametrize("state", ["disconnected", "notResponding"])
def test_a_host_without_configuration_is_not_a_host_without_luns(state: str) -> None:
    reference = vim.HostSystem("host-1")
    answer = page([object_content(reference, {"name": "esx1", "runtime.connectionState": state})])
    with answering(answer) as server:
        host = the_host(server.session(), reference)
    assert host.luns is None
    assert host.unreadable == (Unreadable(Part.CONFIGURATION),)


def test_volumes_that_were_not_told_are_not_known() -> None:
    fault = vim.fault.NoPermission(object=_HOST, privilegeId="System.Read")
    for missing in ({"config.fileSystemVolume.mountInfo": fault}, None):
        values = {"name": "esx1", _LUNS: [scsi_disk()]}
        with answering(page([object_content(_HOST, values, missing)])) as server:
            host = the_host(server.session(), _HOST)
        assert host.unreadable == (Unreadable(Part.VOLUMES),)
        assert [found.volumes_known for found in host.luns or ()] == [False]


def test_the_vms_of_a_host_are_known_by_their_ids() -> None:
    host, _unreadable = read_host({"vm": [vim.VirtualMachine("vm-1"), vim.VirtualMachine("vm-2")]})
    assert host.machines == {"vm-1", "vm-2"}
    assert read_host({})[0].machines == frozenset()
    fault = vim.fault.NoPermission(object=_HOST, privilegeId="System.Read")
    assert read_host({}, {"vm": fault})[0].machines is None


def test_unreadable_storage_is_not_a_host_without_luns() -> None:
    fault = vim.fault.NoPermission(object=_HOST, privilegeId="System.Read")
    host, unreadable = read_host({}, {_LUNS: fault})
    assert host.luns is None
    assert unreadable == (Unreadable(Part.LUNS),)


def test_a_fact_that_cannot_be_understood_costs_that_fact_and_is_told() -> None:
    disks = [scsi_disk(), scsi_disk("naa.600bbb", "0200000000600bbb", ssd=None)]
    host, unreadable = read_host({_LUNS: disks}, replace=("<ssd>false</ssd>", "<ssd>perhaps</ssd>"))
    assert [(found.canonical_name, found.ssd, bool(found.unclear)) for found in host.luns] == [
        ("naa.600aaa", None, True),
        ("naa.600bbb", None, False),
    ]
    assert unreadable == (Unreadable(Part.LUN, "naa.600aaa", "'perhaps' is neither true nor false"),)


def test_a_lun_whose_host_does_not_tell_its_state_is_not_called_broken() -> None:
    untold = ("<operationalState>ok</operationalState>", "")
    host, unreadable = read_host({_LUNS: [scsi_disk()]}, replace=untold)
    assert [found.state for found in host.luns] == [None]
    assert unreadable == ()


def test_the_host_itself() -> None:
    host, _unreadable = read_host(
        {
            "runtime.connectionState": "notResponding",
            "runtime.inMaintenanceMode": True,
            "summary.managementServerIp": "192.0.2.7",
            "summary.config.product.version": "7.0.3",
        }
    )
    assert (host.id, host.name, host.version) == ("host-1", "esxi-01", "7.0.3")
    assert (host.connection_state, host.maintenance, host.management_server) == ("not_responding", True, "192.0.2.7")


def test_a_datastore_with_its_version_and_the_hosts_that_write_to_it() -> None:
    reference = vim.Datastore("datastore-1")
    volume = vim.host.VmfsVolume(
        type="VMFS",
        name="ds%2f1",
        capacity=1,
        blockSizeMb=1,
        maxBlocks=1,
        majorVersion=6,
        version="6.82",
        uuid="5f1",
        vmfsUpgradable=False,
        extent=[vim.host.ScsiDisk.Partition(diskName="naa.600aaa", partition=3)],
    )
    mounts = [
        vim.Datastore.HostMount(
            key=vim.HostSystem(f"host-{number}"),
            mountInfo=vim.host.MountInfo(accessMode=mode, mounted=True, accessible=True),
        )
        for number, mode in ((1, "readWrite"), (2, "readOnly"))
    ]
    values = {
        "name": "ds%2f1",
        "info": vim.host.VmfsDatastoreInfo(
            name="ds", url="ds:///vmfs/volumes/5f1/", freeSpace=1, maxFileSize=1, vmfs=volume
        ),
        "summary.type": "VMFS",
        "summary.url": "ds:///vmfs/volumes/5f1/",
        "summary.accessible": True,
        "summary.freeSpace": 10**12,
        "summary.maintenanceMode": "normal",
        "host": mounts,
    }
    with answering(page([object_content(reference, values)])) as server:
        reads = read_properties(server.session(), "Reading", [object_spec(reference)], {"Datastore": DATASTORE_PATHS})
        datastore, unreadable = next(datastore_of(read) for read in reads)
    assert unreadable == ()
    assert (datastore.name, datastore.uuid, datastore.version) == ("ds/1", "5f1", "6.82")
    assert (datastore.free_bytes, datastore.accessible, datastore.maintenance) == (10**12, True, False)
    assert datastore.writable_from == {"host-1"}
