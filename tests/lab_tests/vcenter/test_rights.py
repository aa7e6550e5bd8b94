"""Who may do what in the lab, and the two forms of a server: a vCenter, and a host that stands alone."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from pyVmomi import vim
from pyvmomi_client import SAN, WORLD, Site, change, kind_of, mapping, new_mapping, read, refusal, user_of
from vcenter_lab import VcenterLab


def test_a_wrong_password_and_no_session(site: Site) -> None:
    assert kind_of(refusal(lambda: Site(site.lab, password="wrong"))) == "InvalidLogin"
    assert kind_of(refusal(lambda: Site(site.lab, "nobody", "x"))) == "InvalidLogin"
    site.content.sessionManager.Logout()
    assert kind_of(refusal(lambda: site.vm())) == "NotAuthenticated"


WRITES: dict[str, tuple[str, Callable[[Site], Any]]] = {
    "extra configuration": (
        "VirtualMachine.Config.AdvancedConfig",
        lambda site: site.reconfigure(extraConfig=[vim.option.OptionValue(key="a", value="b")]),
    ),
    "raw device": (
        "VirtualMachine.Config.RawDevice",
        lambda site: site.reconfigure(new_mapping("[san01] one/v.vmdk", SAN + "b")),
    ),
    "new disk": (
        "VirtualMachine.Config.AddNewDisk",
        lambda site: site.reconfigure(new_mapping("[san01] one/v.vmdk", SAN + "b")),
    ),
    "existing disk": (
        "VirtualMachine.Config.AddExistingDisk",
        lambda site: site.reconfigure(change("add", mapping("[san01] spare/virtual.vmdk"))),
    ),
    "remove a disk": (
        "VirtualMachine.Config.RemoveDisk",
        lambda site: site.reconfigure(change("remove", site.disk())),
    ),
    "edit a disk": ("VirtualMachine.Config.EditDevice", lambda site: site.reconfigure(change("edit", site.disk()))),
    "space on the datastore": (
        "Datastore.AllocateSpace",
        lambda site: site.reconfigure(new_mapping("[san01] one/v.vmdk", SAN + "b")),
    ),
    "look into a folder": (
        "Datastore.Browse",
        lambda site: site.run(site.find(vim.Datastore, "san01").browser.SearchDatastore_Task("[san01] one")),
    ),
    "delete a mapping": (
        "Datastore.FileManagement",
        lambda site: site.run(
            site.content.virtualDiskManager.DeleteVirtualDisk_Task(
                "[san01] spare/virtual.vmdk", site.find(vim.Datacenter, "DC")
            )
        ),
    ),
    "start": ("VirtualMachine.Interact.PowerOn", lambda site: site.run(site.vm().PowerOn())),
    "snapshot": (
        "VirtualMachine.State.CreateSnapshot",
        lambda site: site.run(site.vm().CreateSnapshot_Task("s", "", False, False)),
    ),
}


@pytest.mark.parametrize(("privilege", "act"), WRITES.values(), ids=WRITES.keys())
def test_a_missing_privilege_is_named_and_said_beforehand(
    site: Site, privilege: str, act: Callable[[Site], Any]
) -> None:
    bob = user_of(site, f"missing: [{privilege}]")
    before = site.lab.state()
    fault = refusal(lambda: act(bob))
    assert (kind_of(fault), fault.privilegeId) == ("NoPermission", privilege)
    store = privilege.startswith("Datastore.")
    target = bob.find(vim.Datastore, "san01") if store else bob.vm()
    assert fault.object == target
    key = bob.content.sessionManager.currentSession.key
    said = bob.content.authorizationManager.HasPrivilegeOnEntities([target], key, [privilege, "System.Read"])
    assert [(item.privId, item.isGranted) for item in said[0].privAvailability] == [
        (privilege, False),
        ("System.Read", True),
    ]
    assert site.lab.state()["vms"] == before["vms"]
    assert site.lab.state()["files"] == before["files"]


def test_a_privilege_may_be_missing_on_one_object_only(site: Site) -> None:
    bob = user_of(site, "missing_on: {one: [VirtualMachine.Interact.PowerOn]}")
    assert kind_of(refusal(lambda: bob.run(bob.vm("one").PowerOn()))) == "NoPermission"
    bob.run(bob.vm("two").PowerOn())


@pytest.mark.parametrize("page", [None, 1])
def test_of_an_unreadable_object_only_the_name_is_shown(site: Site, page: int | None) -> None:
    bob = user_of(site, "unreadable: [two, esx2.lab, nfs01]")
    for kind, hidden, path in (
        (vim.VirtualMachine, "two", "config.hardware.device"),
        (vim.HostSystem, "esx2.lab", "config"),
        (vim.Datastore, "nfs01", "summary"),
    ):
        found = {item.propSet[0].val: item for item in read(bob, kind, "name", path, page=page)}
        missing = found[hidden].missingSet
        assert [(gap.path, kind_of(gap.fault), gap.fault.privilegeId) for gap in missing] == [
            (path, "NoPermission", "System.Read")
        ]
        assert all(not item.missingSet for name, item in found.items() if name != hidden)


def test_an_unseen_object_is_not_there(site: Site) -> None:
    bob = user_of(site, "unseen: [two]")
    assert [item.propSet[0].val for item in read(bob, vim.VirtualMachine, "name")] == ["one"]


def test_a_property_that_the_version_does_not_know_is_a_fault(site: Site) -> None:
    site.lab.world("unknown_paths: [config.keyId]\n" + WORLD)
    again = Site(site.lab)
    fault = refusal(lambda: read(again, vim.VirtualMachine, "name", "config.keyId"))
    assert (kind_of(fault), fault.name) == ("InvalidProperty", "config.keyId")
    fault = refusal(lambda: read(again, vim.VirtualMachine, "name", "config.noSuchThing"))
    assert (kind_of(fault), fault.name) == ("InvalidProperty", "config.noSuchThing")


def stand_alone(lab: VcenterLab, licence: str = "full") -> Site:
    """Returns a session on a host that no vCenter manages."""
    lab.world(f"""
api: esxi
hosts: [{{name: esx1.lab, licence: {licence}}}]
datastores: [{{name: ds1}}]
luns: [{{name: naa.600000000000000000000000000000aa, sectors: 2097152}}]
vms: [{{name: one, disks: [{{flat: 1073741824}}, {{rdm: naa.600000000000000000000000000000aa}}]}}]
files: [{{file: "[ds1] spare/old.vmdk", rdm: naa.600000000000000000000000000000aa}}]
""")
    return Site(lab)


def test_a_host_that_stands_alone(site: Site) -> None:
    host = stand_alone(site.lab)
    about = host.content.about
    assert (about.apiType, about.productLineId, about.instanceUuid) == ("HostAgent", "embeddedEsx", None)
    assert "a model" in about.fullName
    assert host.content.rootFolder._GetMoId() == "ha-folder-root"
    assert host.find(vim.Datacenter, "ha-datacenter")
    # A host needs not be told in which datacenter.
    host.run(host.content.virtualDiskManager.DeleteVirtualDisk_Task("[ds1] spare/old.vmdk", None))
    host.run(host.vm().PowerOn())
    assert site.lab.vm("one")["power"] == "poweredOn"


FREE: dict[str, Callable[[Site], Any]] = {
    "reconfigure": lambda site: site.reconfigure(annotation="x"),
    "start": lambda site: site.run(site.vm().PowerOn()),
    "switch off": lambda site: site.run(site.vm().PowerOff()),
    "shut down": lambda site: site.vm().ShutdownGuest(),
    "snapshot": lambda site: site.run(site.vm().CreateSnapshot_Task("s", "", False, False)),
    "delete a disk": lambda site: site.run(
        site.content.virtualDiskManager.DeleteVirtualDisk_Task("[ds1] spare/old.vmdk", None)
    ),
    "unregister": lambda site: site.vm().Unregister(),
    "destroy": lambda site: site.run(site.vm().Destroy()),
}


@pytest.mark.parametrize("act", FREE.values(), ids=FREE.keys())
def test_a_free_licence_refuses_every_write_and_no_read(site: Site, act: Callable[[Site], Any]) -> None:
    host = stand_alone(site.lab, "free")
    assert host.content.licenseManager.licenses[0].editionKey == "esxBasic"
    assert host.vm().config.hardware.device
    fault = refusal(lambda: act(host))
    assert kind_of(fault) == "RestrictedVersion"
    assert fault.msg.startswith("Current license or ESXi version prohibits execution of the requested operation")
    assert "RestrictedVersion" in site.lab.log()[-1]["outcome"]
    site.lab.change_host("esx1.lab", "full_licence")
    host.reconfigure(annotation="now it may")


@pytest.mark.parametrize(
    "kind",
    [
        vim.VirtualMachine,
        vim.HostSystem,
        vim.Datastore,
        vim.Datacenter,
        vim.Folder,
        vim.ComputeResource,
        vim.ResourcePool,
    ],
    ids=lambda kind: kind.__name__.rpartition(".")[2],
)
@pytest.mark.parametrize("api", ["vcenter", "esxi"])
def test_a_strict_client_can_read_every_property_of_every_object(site: Site, api: str, kind: type) -> None:
    again = site if api == "vcenter" else stand_alone(site.lab)
    found = read(again, kind)
    assert found
    assert all(item.propSet for item in found)
