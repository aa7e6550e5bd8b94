"""Snapshots in the lab: which disks get a delta, and what becomes of it."""

from __future__ import annotations

from pyVmomi import vim
from pyvmomi_client import Site, change, kind_of, mapping, refusal


def snapshot(site: Site, name: str, memory: bool = False) -> None:
    """Takes a snapshot."""
    site.run(site.vm().CreateSnapshot_Task(name, "", memory, False))


def test_a_virtual_mapping_gets_a_delta_and_a_physical_one_does_not(site: Site) -> None:
    site.reconfigure(change("add", mapping("[san01] spare/virtual.vmdk")))
    snapshot(site, "before")
    assert site.disk("scsi0:1").backing.fileName == "[san01] one/one_1.vmdk"
    virtual = site.disk("scsi0:5").backing
    assert virtual.fileName == "[san01] spare/virtual-000001.vmdk"
    assert virtual.parent.fileName == "[san01] spare/virtual.vmdk"
    assert site.disk("scsi0:0").backing.parent.fileName == "[san01] one/one_0.vmdk"
    kinds = {file["path"]: file["kind"] for file in site.lab.state()["files"]}
    assert kinds["[san01] spare/virtual-000001.vmdk"] == "delta"


def test_an_independent_virtual_mapping_gets_none(site: Site) -> None:
    site.reconfigure(change("add", mapping("[san01] spare/virtual.vmdk", diskMode="independent_persistent")))
    snapshot(site, "before")
    assert site.disk("scsi0:5").backing.fileName == "[san01] spare/virtual.vmdk"


def test_snapshots_follow_one_another_and_are_removed_one_by_one(site: Site) -> None:
    for name in ("first", "second", "third"):
        snapshot(site, name)
    first = site.vm().snapshot.rootSnapshotList[0]
    second = first.childSnapshotList[0]
    assert (first.name, second.name, second.childSnapshotList[0].name) == ("first", "second", "third")
    site.run(second.snapshot.RemoveSnapshot_Task(False))
    assert site.lab.vm("one")["snapshots"] == ["first", "third"]
    chain = site.disk("scsi0:0").backing
    assert [chain.fileName, chain.parent.fileName, chain.parent.parent.fileName] == [
        "[san01] one/one_0-000003.vmdk",
        "[san01] one/one_0-000001.vmdk",
        "[san01] one/one_0.vmdk",
    ]
    site.run(first.snapshot.RemoveSnapshot_Task(True))
    assert site.vm().snapshot is None
    assert site.disk("scsi0:0").backing.fileName == "[san01] one/one_0.vmdk"
    assert {file["kind"] for file in site.lab.state()["files"]} == {"flat", "rdm", "other"}


def test_all_snapshots_are_removed_at_once(site: Site) -> None:
    for name in ("first", "second"):
        snapshot(site, name)
    site.run(site.vm().RemoveAllSnapshots_Task())
    assert site.vm().snapshot is None
    assert site.disk("scsi0:0").backing.parent is None


def test_a_snapshot_with_memory_is_refused_for_a_running_vm_with_a_physical_mapping(site: Site) -> None:
    site.run(site.vm().PowerOn())
    fault = refusal(lambda: snapshot(site, "before", memory=True))
    assert kind_of(fault) == "SnapshotIncompatibleDeviceInVm"
    assert kind_of(fault.fault) == "RawDiskNotSupported"
    snapshot(site, "before")
    assert site.lab.vm("one")["snapshots"] == ["before"]


def test_a_disk_on_a_shared_bus_has_no_part_in_snapshots(site: Site) -> None:
    site.reconfigure(change("add", mapping("[san01] spare/virtual.vmdk", unit=0, controller=1001)))
    fault = refusal(lambda: snapshot(site, "before"))
    assert kind_of(fault.fault) == "SharedBusControllerNotSupported"
    assert site.lab.vm("one")["snapshots"] == []


def test_the_disk_mode_is_not_changed_below_a_snapshot(site: Site) -> None:
    snapshot(site, "before")
    disk = site.disk()
    disk.backing.diskMode = "persistent"
    assert kind_of(refusal(lambda: site.reconfigure(change("edit", disk)))) == "DisallowedDiskModeChange"


def test_a_needed_consolidation_is_shown_until_it_is_done(site: Site) -> None:
    site.lab.change_vm("one", "consolidation_needed")
    assert site.vm().runtime.consolidationNeeded is True
    site.run(site.vm().ConsolidateVMDisks_Task())
    assert site.vm().runtime.consolidationNeeded is False


def test_the_layout_lists_each_descriptor_with_its_extent(site: Site) -> None:
    snapshot(site, "before")
    layout = site.vm().layoutEx
    names = {file.key: file.name for file in layout.file}
    chains = [[names[unit.fileKey[1]] for unit in disk.chain] for disk in layout.disk]
    assert chains == [
        ["[san01] one/one_0-flat.vmdk", "[san01] one/one_0-000001-delta.vmdk"],
        ["[san01] one/one_1-rdmp.vmdk"],
    ]
    assert site.find(vim.Datastore, "san01") in site.vm().datastore
