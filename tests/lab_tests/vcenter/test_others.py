"""What happens while something is read: objects go, a search does not end, texts and names are not as expected."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from xml.parsers.expat import ExpatError

import pytest
from govc_client import govc
from pyVmomi import vim
from pyvmomi_client import WORLD, Q, Site, kind_of, read, refusal


def test_a_vm_goes_between_two_requests(site: Site) -> None:
    two = site.vm("two")
    spec = Q.FilterSpec(
        objectSet=[Q.ObjectSpec(obj=two)], propSet=[Q.PropertySpec(type=vim.VirtualMachine, pathSet=["name"])]
    )
    hold = site.lab.hold(method="RetrievePropertiesEx")
    with ThreadPoolExecutor() as others:
        reading = others.submit(site.content.propertyCollector.RetrievePropertiesEx, [spec], Q.RetrieveOptions())
        hold.wait()
        site.lab.take_away("two")
        hold.release()
        fault = refusal(reading.result)
    assert (kind_of(fault), fault.obj) == ("ManagedObjectNotFound", two)
    assert [item.propSet[0].val for item in read(site, vim.VirtualMachine, "name")] == ["one"]
    assert "[san01] two/two_0.vmdk" in [file["path"] for file in site.lab.state()["files"]]


@pytest.mark.parametrize(
    ("gone", "kind", "left"),
    [
        ("two", vim.VirtualMachine, {"one"}),
        ("esx2.lab", vim.HostSystem, {"esx1.lab"}),
        ("esx2.lab", vim.VirtualMachine, {"one"}),
        ("nfs01", vim.Datastore, {"san01", "old", "full", "gone", "only2"}),
    ],
)
def test_something_goes_at_a_page(site: Site, gone: str, kind: type, left: set[str]) -> None:
    site.lab.fault(kind="object_gone", gone=gone, method="ContinueRetrievePropertiesEx")
    names = [item.propSet[0].val for item in read(site, kind, "name", page=1)]
    assert left <= set(names)
    assert {item.propSet[0].val for item in read(site, kind, "name")} == left
    assert govc(site.lab, "ls", "-l", "/DC/...").code == 0


def test_nothing_goes_that_is_not_there(site: Site) -> None:
    for what in (lambda: site.lab.fault(kind="object_gone", gone="three"), lambda: site.lab.take_away("three")):
        with pytest.raises(RuntimeError, match="there is no VM, host or datastore"):
            what()


def search(site: Site, datastore: str = "san01") -> Any:
    """Starts a search of a whole datastore; returns its task."""
    return site.find(vim.Datastore, datastore).browser.SearchDatastoreSubFolders_Task(f"[{datastore}]")


def test_a_search_that_does_not_end(site: Site) -> None:
    site.lab.fault(kind="endless_task", method="SearchDatastoreSubFolders_Task", object="san01")
    assert [result.folderPath for result in site.run(search(site, "nfs01"))]
    task = search(site)
    site.lab.advance(3600)
    assert (task.info.state, task.info.cancelable) == ("running", True)
    task.CancelTask()
    assert task.info.state == "error"
    assert kind_of(task.info.error) == "RequestCanceled"
    assert kind_of(refusal(task.CancelTask)) == "InvalidState"
    assert site.run(search(site))


def test_a_page_that_comes_again(site: Site) -> None:
    collector = site.content.propertyCollector
    view = site.content.viewManager.CreateContainerView(site.content.rootFolder, [vim.Datastore], True)
    along = Q.TraversalSpec(type=vim.view.ContainerView, path="view", skip=False)
    spec = Q.FilterSpec(
        objectSet=[Q.ObjectSpec(obj=view, skip=True, selectSet=[along])],
        propSet=[Q.PropertySpec(type=vim.Datastore, pathSet=["name"])],
    )
    site.lab.fault(kind="page_repeats", method="ContinueRetrievePropertiesEx", count=3)
    token = collector.RetrievePropertiesEx([spec], Q.RetrieveOptions(maxObjects=2)).token
    pages = [collector.ContinueRetrievePropertiesEx(token) for _ in range(3)]
    assert {page.token for page in pages} == {token}
    assert len({page.objects[0].obj for page in pages}) == 1
    after = collector.ContinueRetrievePropertiesEx(token)
    assert after.objects[0].obj == pages[0].objects[0].obj
    assert after.token != token


def test_a_text_that_is_no_xml(site: Site) -> None:
    world = WORLD.replace("- {name: two,", '- {name: two, annotation: "a\\x01b\\x1bc\\td",')
    site.lab.world(world)
    again = Site(site.lab)
    assert site.lab.vm("two")["annotation"] == "a\x01b\x1bc\td"
    with pytest.raises(ExpatError, match="invalid token"):
        read(again, vim.VirtualMachine, "name", "config.annotation")
    assert len(read(again, vim.VirtualMachine, "name")) == 2


NAMES = ["ds]1", "san [old] 01", "a] b", "[x]", "local (1)", "100% full", "a/b", "plain"]
LUN = "naa.6006016000000000000000000000000"
ODD = {
    "hosts": [{"name": "esx1.lab"}],
    "datastores": [{"name": name} for name in NAMES],
    "luns": [{"name": f"{LUN}{i}", "sectors": 2097152} for i in range(len(NAMES))],
    "vms": [
        {"name": f"vm{i}", "datastore": name, "disks": [{"flat": 1048576}, {"rdm": f"{LUN}{i}"}]}
        for i, name in enumerate(NAMES)
    ],
}


@pytest.mark.parametrize(("index", "name"), list(enumerate(NAMES)))
def test_a_datastore_may_be_called_so(site: Site, index: int, name: str) -> None:
    site.lab.world(json.dumps(ODD))
    again = Site(site.lab)
    shown = name.replace("%", "%25").replace("/", "%2f")
    store = again.find(vim.Datastore, shown)
    backing = again.disk("scsi0:1", f"vm{index}").backing
    assert backing.fileName == f"[{name}] vm{index}/vm{index}_1.vmdk"
    assert backing.datastore == store
    for written in {name, shown}:
        result = again.run(store.browser.SearchDatastore_Task(f"[{written}] vm{index}"))
        assert f"vm{index}_1.vmdk" in [file.path for file in result.file]
        manager = again.content.virtualDiskManager
        datacenter = again.find(vim.Datacenter, "DC")
        assert manager.QueryVirtualDiskUuid(f"[{written}] vm{index}/vm{index}_1.vmdk", datacenter)
    again.reconfigure(
        vim.vm.device.VirtualDeviceSpec(operation="remove", device=again.disk("scsi0:1", f"vm{index}")),
        name=f"vm{index}",
    )
    back = vim.vm.device.VirtualDisk.RawDiskMappingVer1BackingInfo(fileName=backing.fileName, diskMode="persistent")
    disk = vim.vm.device.VirtualDisk(key=-1, controllerKey=1000, unitNumber=1, backing=back, capacityInKB=0)
    again.reconfigure(vim.vm.device.VirtualDeviceSpec(operation="add", device=disk), name=f"vm{index}")
    assert site.lab.vm(f"vm{index}")["devices"][1]["kind"] == "rdm"
