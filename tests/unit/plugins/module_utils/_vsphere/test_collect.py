"""One object that goes, refuses or takes too long costs itself: all else of the inventory is read."""

from __future__ import annotations

import datetime
import time
from math import inf
from typing import Any

import pytest
from pyVmomi import vim

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import StepRefused
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Inventory
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import Part, Unreadable
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.collect import read_inventory
from ansible_collections.winbackup.storage.tests.unit.helpers.canned_server import (
    CannedServer,
    answering,
    object_content,
    page,
    returned,
    soap_fault,
)
from ansible_collections.winbackup.storage.tests.unit.helpers.devices import mapping, scsi, scsi_disk, usual_machine

_HOST = vim.HostSystem("host-1")
_ROOT = vim.Folder("group-d1")
_CLUSTER = vim.ComputeResource("domain-1")
_GONE = soap_fault("ManagedObjectNotFound", '<obj type="Task">task-9</obj>')
_VIEW = returned("CreateContainerView", vim.view.ContainerView("view-1"))
_DESTROYED = returned("DestroyView", None)


def host(**values: Any) -> Any:
    """Returns a host without its storage."""
    return object_content(_HOST, {"name": "esx1", "parent": _CLUSTER, "runtime.connectionState": "connected", **values})


def storage(*luns: Any) -> Any:
    """Returns the storage of the host: these LUNs, or one."""
    values = {"config.storageDevice.scsiLun": list(luns) or [scsi_disk()], "config.fileSystemVolume.mountInfo": []}
    return object_content(_HOST, values)


def machine(number: int, **values: Any) -> Any:
    """Returns a VM with a mapping."""
    name = f"vm-{number}"
    given = {**usual_machine(name), "config.hardware.device": [scsi(), mapping()], **values}
    return object_content(vim.VirtualMachine(name), given)


def extras(number: int) -> Any:
    """Returns what is read further of a VM with a mapping."""
    option = vim.option.OptionValue(key="winbackup.storage.rdm.scsi0:1", value="{}")
    return object_content(vim.VirtualMachine(f"vm-{number}"), {"config.extraConfig": [option]})


def read(*answers: str | None, until: float = inf) -> tuple[Inventory, CannedServer]:
    """Returns the inventory that these answers to what follows the making of the view give; the host shows one LUN."""
    with answering(_VIEW, *answers, page([storage()])) as server:
        inventory = read_inventory(server.session(), until=until)
    return inventory, server


def test_what_is_removed_while_it_is_read_costs_one_more_reading() -> None:
    inventory, server = read(_GONE, page([host(), machine(1)]), _DESTROYED, page([extras(1)]))
    assert inventory.complete
    assert inventory.machines["vm-1"].journal.keys() == {"scsi0:1"}
    assert [request.count("<RetrievePropertiesEx ") for request in server.requests] == [0, 1, 1, 0, 1, 1]


def test_a_reading_that_never_ends_whole_says_so() -> None:
    inventory, _server = read(_GONE, _GONE, _GONE, _DESTROYED)
    assert not inventory.complete
    assert [finding.code for finding in inventory.findings] == ["unreadable"]


def test_a_refusal_of_everything_is_an_error_and_gives_the_view_back() -> None:
    with answering(_VIEW, soap_fault("NoPermission"), _DESTROYED) as server:
        with pytest.raises(StepRefused):
            read_inventory(server.session())
        assert "<DestroyView" in server.requests[-1]


def test_a_vm_that_is_removed_before_its_second_reading_is_unreadable_and_the_others_are_read() -> None:
    machines = [machine(number) for number in range(5)]
    inventory, _server = read(
        page([host(), *machines]),
        _DESTROYED,
        _GONE,
        page([extras(0), extras(1), extras(2)]),
        _GONE,
        page([extras(3)]),
        _GONE,
    )
    read_on = {vm.id: bool(vm.journal) for vm in inventory.machines.values()}
    assert read_on == {"vm-0": True, "vm-1": True, "vm-2": True, "vm-3": True, "vm-4": False}
    assert inventory.machines["vm-4"].unreadable == (
        Unreadable(Part.SETTINGS, why="gone when it was asked for"),
        Unreadable(Part.FILES, why="gone when it was asked for"),
        Unreadable(Part.GUEST_DISKS, why="gone when it was asked for"),
    )


def test_the_files_of_snapshots_are_read_of_machines_without_mappings_too() -> None:
    moment, machine_id = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC), vim.VirtualMachine("vm-1")
    taken = vim.vm.SnapshotTree(
        snapshot=vim.vm.Snapshot("snapshot-1"),
        vm=machine_id,
        name="before",
        description="",
        createTime=moment,
        state="poweredOff",
        quiesced=False,
    )
    snapshots = vim.vm.SnapshotInfo(currentSnapshot=vim.vm.Snapshot("snapshot-1"), rootSnapshotList=[taken])
    files = [
        vim.vm.FileLayoutEx.FileInfo(key=key, name=name, type=kind, size=0)
        for key, (name, kind) in enumerate(
            (("[san] a/a.vmsd", "snapshotList"), ("[san] a/a.vmdk", "diskDescriptor"), ("[san] a/b.vmdk", "diskExtent"))
        )
    ]
    inventory, _server = read(
        page([host(), machine(1, **{"config.hardware.device": [], "snapshot": snapshots})]),
        _DESTROYED,
        page([object_content(machine_id, {"layoutEx.file": files})]),
    )
    assert inventory.machines["vm-1"].snapshot_files == ("[san] a/a.vmdk", "[san] a/b.vmdk")


def test_what_time_was_up_for_is_not_called_absent() -> None:
    inventory, server = read(page([host(), machine(1)], token="more"), _DESTROYED, _DESTROYED, until=time.monotonic())
    assert not inventory.complete
    assert len(inventory.machines) + len(inventory.hosts) == 1
    assert any("<CancelRetrievePropertiesEx" in request for request in server.requests)


def test_a_host_says_what_it_offers() -> None:
    target = vim.vm.ConfigTarget(
        numCpus=8,
        numCpuCores=8,
        numNumaNodes=1,
        scsiDisk=[vim.vm.ScsiDiskDeviceInfo(name="naa.600aaa", disk=scsi_disk())],
    )
    cluster = object_content(_CLUSTER, {"environmentBrowser": vim.EnvironmentBrowser("browser-1"), "host": [_HOST]})
    both = page([storage(scsi_disk(), scsi_disk("naa.600bbb", "0200000000600bbb"))])
    for offers, offered, unreadable in (
        (returned("QueryConfigTarget", target), [True, False], ()),
        (soap_fault("HostNotConnected"), [None, None], (Unreadable(Part.OFFERED_LUNS),)),
    ):
        with answering(_VIEW, page([cluster, host()]), _DESTROYED, both, offers) as server:
            seen = read_inventory(server.session(), with_offers=True).hosts["host-1"]
        assert [lun.offered for lun in seen.luns or ()] == offered
        assert seen.unreadable == unreadable


def test_hosts_that_are_only_named_are_remembered() -> None:
    cluster = object_content(_CLUSTER, {"host": [_HOST, vim.HostSystem("host-2")]})
    lost = machine(1, **{"runtime.host": vim.HostSystem("host-3")})
    inventory, _server = read(page([cluster, host(), lost]), _DESTROYED, page([extras(1)]))
    assert inventory.unseen_hosts == {"host-2", "host-3"}


@pytest.mark.parametrize(("kind", "cluster"), [("ClusterComputeResource", "c1"), ("ComputeResource", None)])
def test_the_place_of_a_machine_and_the_cluster_of_its_host(kind: str, cluster: str | None) -> None:
    resource, hosts = getattr(vim, kind)("domain-1"), vim.Folder("group-h1")
    datacenter, vms, servers = vim.Datacenter("datacenter-1"), vim.Folder("group-v1"), vim.Folder("group-v2")
    containers = [
        object_content(datacenter, {"name": "Office", "parent": _ROOT}),
        object_content(hosts, {"name": "host", "parent": datacenter}),
        object_content(resource, {"name": "c1", "parent": hosts}),
        object_content(vms, {"name": "vm", "parent": datacenter}),
        object_content(servers, {"name": "a%2fb", "parent": vms}),
    ]
    placed = machine(1, parent=servers)
    inventory, _server = read(page([*containers, host(parent=resource), placed]), _DESTROYED, page([extras(1)]))
    seen = inventory.machines["vm-1"]
    assert (seen.path, seen.datacenter, seen.folder) == ("/Office/vm/a/b/vm-1", "Office", "a/b")
    assert inventory.hosts["host-1"].cluster == cluster
    assert seen.place_known
    assert inventory.hosts["host-1"].place_known
    # Without what lies above them nobody knows where they are, and in which cluster.
    inventory, _server = read(page([*containers[3:], host(parent=resource), placed]), _DESTROYED, page([extras(1)]))
    assert not inventory.machines["vm-1"].place_known
    assert not inventory.hosts["host-1"].place_known


@pytest.mark.parametrize(
    ("name", "is_clear"), [("a] b", False), ("a [old] b", True), ("a]b", True), ("[1] (2)", True), ("ds", True)]
)
def test_a_file_is_of_the_datastore_that_it_refers_to(name: str, is_clear: bool) -> None:
    store = object_content(vim.Datastore("datastore-1"), {"name": name})
    vm = machine(1, **{"config.hardware.device": [scsi(), mapping(fileName=f"[{name}] vm/disk.vmdk")]})
    inventory, _server = read(page([host(), store, vm]), _DESTROYED, page([extras(1)]))
    unclear = Unreadable(Part.DATASTORE_IN_FILE, "Hard disk 2", f"[{name}] vm/disk.vmdk")
    assert inventory.machines["vm-1"].unreadable == (() if is_clear else (unclear,))
