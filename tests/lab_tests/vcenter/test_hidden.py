"""What a server may leave unset, refuse to one user, or lose while it is read."""

from __future__ import annotations

from typing import Any

import pytest
from govc_client import govc
from pyVmomi import vim
from pyvmomi_client import SAN, WORLD, Site, kind_of, read, refusal, user_of


def found(site: Site, kind: type, *paths: str, page: int | None = None) -> dict[str, dict[str, Any]]:
    """Returns of each object what was read: values by path, and the faults of what is missing."""
    rows = {}
    for item in read(site, kind, "name", *paths, page=page):
        row = {prop.name: prop.val for prop in item.propSet}
        row |= {gap.path: kind_of(gap.fault) for gap in item.missingSet}
        rows[row["name"]] = row
    return rows


@pytest.mark.parametrize("page", [None, 1])
@pytest.mark.parametrize(
    ("kind", "name", "hidden", "asked"),
    [
        (vim.VirtualMachine, "one", "config", "config.hardware.device"),
        (vim.VirtualMachine, "one", "config.hardware", "config.hardware.device"),
        (vim.VirtualMachine, "one", "runtime.host", "runtime.host"),
        (vim.HostSystem, "esx1.lab", "config", "config.storageDevice.scsiLun"),
        (vim.HostSystem, "esx1.lab", "config.storageDevice", "config.storageDevice"),
        (vim.HostSystem, "esx1.lab", "config.storageDevice", "config.storageDevice.multipathInfo"),
        (vim.Datastore, "san01", "info", "info"),
    ],
)
def test_a_branch_is_unset(site: Site, kind: type, name: str, hidden: str, asked: str, page: int | None) -> None:
    assert found(site, kind, asked, page=page)[name][asked]
    site.lab.hide(name, hidden)
    rows = found(site, kind, asked, page=page)
    assert asked not in rows[name]
    assert all(asked in row for other, row in rows.items() if other != name)
    site.lab.show()
    assert found(site, kind, asked, page=page)[name][asked]


def test_a_fault_tells_why_something_is_missing(site: Site) -> None:
    first = site.lab.hide("two", "config", "layoutEx", fault="NoPermission")
    site.lab.hide("two", "runtime.powerState", fault="HostCommunication")
    row = found(site, vim.VirtualMachine, "config.hardware.device", "layoutEx", "runtime.powerState")["two"]
    assert row == {
        "name": "two",
        "config.hardware.device": "NoPermission",
        "layoutEx": "NoPermission",
        "runtime.powerState": "HostCommunication",
    }
    site.lab.show(first)
    row = found(site, vim.VirtualMachine, "config.name", "runtime.powerState")["two"]
    assert row == {"name": "two", "config.name": "two", "runtime.powerState": "HostCommunication"}


def test_a_part_of_what_is_read_whole_is_unset(site: Site) -> None:
    vm = site.lab.vm("one")
    key = next(device["key"] for device in vm["devices"] if device["kind"] == "rdm")
    site.lab.hide("one", f"config.hardware.device[{key}].backing.lunUuid")
    site.lab.hide("esx1.lab", f"config.storageDevice.scsiLun[{SAN}b].descriptor")
    site.lab.hide("esx2.lab", f"config.storageDevice.scsiLun[{SAN}b]", "config.storageDevice.scsiLun.displayName")
    for path in ("config", "config.hardware", "config.hardware.device"):
        value = found(site, vim.VirtualMachine, path)["one"][path]
        for step in ("hardware", "device"):
            value = getattr(value, step, value)
        mapping = next(device for device in value if device.key == key)
        assert (mapping.backing.lunUuid, mapping.backing.compatibilityMode) == (None, "physicalMode")
    rows = found(site, vim.HostSystem, "config.storageDevice.scsiLun")
    first, second = (
        {lun.canonicalName: lun for lun in rows[host]["config.storageDevice.scsiLun"]}
        for host in ("esx1.lab", "esx2.lab")
    )
    assert (first[SAN + "b"].descriptor, first[SAN + "b"].displayName) == ([], f"VRAID ({SAN}b)")
    assert first[SAN + "a"].descriptor
    assert SAN + "b" not in second
    assert second[SAN + "a"].displayName is None
    assert site.lab.vm("one") == vm, "the model itself is as it was"


def test_what_must_be_set_takes_with_it_what_need_not(site: Site) -> None:
    site.lab.hide("one", "config.hardware.memoryMB")
    assert found(site, vim.VirtualMachine, "config")["one"].get("config") is None
    assert "config" in found(site, vim.VirtualMachine, "config")["two"]


def test_one_property_read_by_itself(site: Site) -> None:
    site.lab.hide("one", "config", "config.hardware")
    site.lab.hide("two", "config", fault="NoPermission")
    assert site.vm("one").config is None
    assert site.vm("one").name == "one"
    assert kind_of(refusal(lambda: site.vm("two").config)) == "NoPermission"
    site.lab.show()
    site.lab.hide("one", "config.hardware.device.deviceInfo")
    devices = site.vm("one").config.hardware.device
    assert devices
    assert all(device.deviceInfo is None for device in devices)


def test_a_storage_system_is_called_as_its_host(site: Site) -> None:
    site.lab.hide("esx1.lab", "storageDeviceInfo", kind="HostStorageSystem")
    hosts = {name: site.find(vim.HostSystem, name).configManager.storageSystem for name in ("esx1.lab", "esx2.lab")}
    assert hosts["esx1.lab"].storageDeviceInfo is None
    assert hosts["esx2.lab"].storageDeviceInfo.scsiLun


def test_a_world_may_hide_and_another_client_sees_it(site: Site) -> None:
    site.lab.world(WORLD + "hidden: [{type: VirtualMachine, paths: [config, layoutEx], user: bob}]\n")
    bob = user_of(site, "missing: []")
    assert found(bob, vim.VirtualMachine, "config.name", "layoutEx") == {"one": {"name": "one"}, "two": {"name": "two"}}
    for user, name in (({}, "one"), ({"GOVC_USERNAME": "bob", "GOVC_PASSWORD": "secret"}, "")):
        shown = govc(site.lab, "vm.info", "-json", "one", **user).json()["virtualMachines"][0]
        assert (shown.get("config") or {}).get("name", "") == name


@pytest.mark.parametrize(
    ("name", "paths", "more"),
    [
        ("nobody", ["config"], {}),
        ("one", ["confg"], {}),
        ("one", ["config.storageDevice"], {}),
        ("one", ["config"], {"kind": "HostSystem"}),
        ("one", ["config"], {"fault": "NoSuchFault"}),
        ("one", [], {}),
    ],
)
def test_nothing_is_hidden_by_a_typing_error(site: Site, name: str, paths: list[str], more: dict[str, str]) -> None:
    with pytest.raises(RuntimeError, match="the lab refused"):
        site.lab.hide(name, *paths, **more)


CENTRES = """
hosts: [{name: esx1.lab}, {name: esx9.lab, datacenter: Other}]
datastores: [{name: ds1}, {name: ds9, datacenter: Other}]
luns: [{name: naa.600000000000000000000000000000aa, sectors: 2097152}]
vms:
  - {name: one, host: esx1.lab, folder: backup, disks: [{flat: 1073741824}]}
  - {name: nine, host: esx9.lab, datastore: ds9, disks: [{rdm: naa.600000000000000000000000000000aa}]}
"""


@pytest.mark.parametrize(
    ("kind", "hidden", "left"),
    [
        (vim.VirtualMachine, "nine", {"one"}),
        (vim.VirtualMachine, "Other", {"one"}),
        (vim.VirtualMachine, "backup", {"nine"}),
        (vim.HostSystem, "esx9.lab", {"esx1.lab"}),
        (vim.HostSystem, "Other", {"esx1.lab"}),
        (vim.Datastore, "ds9", {"ds1"}),
        (vim.Datastore, "Other", {"ds1"}),
        (vim.Datacenter, "Other", {"DC"}),
    ],
)
@pytest.mark.parametrize("answer", ["NoPermission", "ManagedObjectNotFound"])
def test_who_may_not_see_a_part_of_the_tree(site: Site, kind: type, hidden: str, left: set[str], answer: str) -> None:
    site.lab.world(CENTRES + f"unseen_objects: {answer}\n")
    admin = Site(site.lab)
    everything = {item.obj: item.propSet[0].val for item in read(admin, kind, "name")}
    bob = user_of(admin, f"unseen: [{hidden}]")
    again = Site(site.lab)
    refs = {item.propSet[0].val: item.obj._GetMoId() for item in read(again, kind, "name")}
    assert set(refs) == set(everything.values())
    assert {item.propSet[0].val for item in read(bob, kind, "name")} == left
    view = bob.content.viewManager.CreateContainerView(bob.content.rootFolder, [kind], True)
    assert {entity.name for entity in view.view} == left
    for name, moid in refs.items():
        entity = kind(moid, bob.instance._stub)
        if name in left:
            assert entity.name == name
        else:
            assert kind_of(refusal(lambda entity=entity: entity.name)) == answer
    shown = govc(site.lab, "find", "-json", "/", GOVC_USERNAME="bob", GOVC_PASSWORD="secret").json()
    assert not any(hidden in path.split("/") for path in shown)


def test_what_is_unreadable_holds_of_all_below(site: Site) -> None:
    site.lab.world(CENTRES)
    bob = user_of(Site(site.lab), "unreadable: [Other]")
    rows = found(bob, vim.VirtualMachine, "config.hardware.device", "parent")
    assert rows["nine"]["config.hardware.device"] == "NoPermission"
    assert isinstance(rows["nine"]["parent"], vim.Folder)
    assert isinstance(rows["one"]["config.hardware.device"], list)
    assert found(bob, vim.HostSystem, "config")["esx9.lab"]["config"] == "NoPermission"
    assert found(bob, vim.Datastore, "info")["ds9"]["info"] == "NoPermission"
