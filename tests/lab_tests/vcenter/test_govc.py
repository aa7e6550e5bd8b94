"""The lab through govc: a client in another language, which knows nothing of the lab or the collection."""

from __future__ import annotations

from typing import Any

from govc_client import govc
from pyvmomi_client import SAN, Site


def disks(site: Site, name: str = "one") -> dict[str, Any]:
    """Returns the disks of a VM as govc shows them, by their files."""
    shown = govc(site.lab, "device.info", "-vm", name, "-json", "disk-*").json()["devices"]
    return {device["backing"]["fileName"]: device for device in shown}


def test_the_server_names_itself_a_model(site: Site) -> None:
    about = govc(site.lab, "about", "-json").json()["about"]
    assert about["apiType"] == "VirtualCenter"
    assert "a model made from documentation" in about["fullName"]


def test_a_wrong_password_and_an_untrusted_certificate(site: Site) -> None:
    answer = govc(site.lab, "about", GOVC_PASSWORD="wrong")
    assert answer.code == 1
    assert "incorrect user name or password" in answer.stderr
    untrusted = govc(site.lab, "about", GOVC_TLS_CA_CERTS="")
    assert untrusted.code == 1
    assert "certificate" in untrusted.stderr


def test_candidates_for_a_mapping(site: Site) -> None:
    found = {disk["name"]: disk for disk in govc(site.lab, "vm.rdm.ls", "-vm", "one", "-json").json()["disks"]}
    assert len(found[SAN + "a"]["vm"]) == 1
    assert not found[SAN + "b"].get("vm")
    assert {descriptor["quality"] for descriptor in found[SAN + "b"]["disk"]["descriptor"]} == {
        "highQuality",
        "lowQuality",
    }
    assert SAN + "c" not in found, "a LUN that is masked from the host"


def test_a_mapping_without_a_disk_mode_is_refused(site: Site) -> None:
    # vm.rdm.attach names neither a disk mode nor a file.
    answer = govc(site.lab, "vm.rdm.attach", "-vm", "one", "-device", SAN + "b")
    assert answer.code == 1
    assert "Incompatible device backing specified for device '0'." in answer.stderr


def test_a_mapping_is_no_disk_for_vm_disk_attach(site: Site) -> None:
    words = ("vm.disk.attach", "-vm", "two", "-ds", "san01", "-link=false", "-disk", "spare/physical.vmdk")
    answer = govc(site.lab, *words)
    assert answer.code == 1
    assert "Incompatible device backing specified for device '0'." in answer.stderr
    flat = govc(site.lab, *words[:-1], "spare/flat.vmdk")
    assert flat.code == 0, flat.stderr
    assert "[san01] spare/flat.vmdk" in disks(site, "two")


def test_a_removed_disk_keeps_its_file_if_told_so(site: Site) -> None:
    assert govc(site.lab, "device.remove", "-vm", "one", "-keep", "disk-1000-1").code == 0
    assert list(disks(site)) == ["[san01] one/one_0.vmdk"]
    listing = govc(site.lab, "datastore.ls", "-ds", "san01", "-json", "one").json()
    names = {file["path"]: file.get("diskType") for file in listing[0]["file"]}
    assert names["one_1.vmdk"] == "VirtualDiskRawDiskMappingVer1BackingInfo"
    assert "one_1-rdmp.vmdk" in names
    assert govc(site.lab, "device.remove", "-vm", "one", "disk-1000-0").code == 0
    assert "[san01] one/one_0.vmdk" not in {file["path"] for file in site.lab.state()["files"]}


def test_a_descriptor_is_downloaded(site: Site) -> None:
    answer = govc(site.lab, "datastore.download", "-ds", "san01", "spare/virtual.vmdk", "-")
    assert answer.code == 0, answer.stderr
    assert 'createType="vmfsRawDeviceMap"' in answer.stdout


def test_snapshots(site: Site) -> None:
    for name in ("first", "second"):
        assert govc(site.lab, "snapshot.create", "-vm", "one", "-m=false", name).code == 0
    assert "[san01] one/one_0-000002.vmdk" in disks(site)
    assert "[san01] one/one_1.vmdk" in disks(site)
    assert [line.strip() for line in govc(site.lab, "snapshot.tree", "-vm", "one").stdout.splitlines()][:2] == [
        "first",
        "second",
    ]
    assert govc(site.lab, "snapshot.remove", "-vm", "one", "*").code == 0
    assert "[san01] one/one_0.vmdk" in disks(site)


def test_power(site: Site) -> None:
    assert govc(site.lab, "vm.power", "-on", "one").code == 0
    again = govc(site.lab, "vm.power", "-on", "one")
    assert "The attempted operation cannot be performed in the current state" in again.stderr
    assert govc(site.lab, "vm.power", "-off", "-force", "one").code == 0
    assert site.lab.vm("one")["power"] == "poweredOff"


def test_a_slow_task_is_waited_for(site: Site) -> None:
    site.lab.fault(method="PowerOnVM_Task", kind="slow_task", delay_ms=500)
    assert govc(site.lab, "vm.power", "-on", "one").code == 0
    assert site.lab.vm("one")["power"] == "poweredOn"


def test_a_vm_moves_and_shows_the_luns_id_of_its_new_host(site: Site) -> None:
    assert govc(site.lab, "vm.migrate", "-host", "esx2.lab", "one").code == 0
    backing = disks(site)["[san01] one/one_1.vmdk"]["backing"]
    assert backing["lunUuid"] == "020006000060060160a1b12345000000000000000a565241494420"


def test_properties_of_all_vms(site: Site) -> None:
    answer = govc(site.lab, "collect", "-type", "m", "/", "name", "runtime.powerState")
    assert answer.code == 0, answer.stderr
    words = answer.stdout.split()
    assert words.count("poweredOff") == 2
    assert {"one", "two"} <= set(words)


def test_a_change_that_the_model_does_not_know_is_refused(site: Site) -> None:
    answer = govc(site.lab, "vm.change", "-vm", "one", "-c", "4")
    assert answer.code == 1
    assert "The model does not change NumCPUs." in answer.stderr
    assert govc(site.lab, "vm.change", "-vm", "one", "-e", "note=x").code == 0
    assert site.lab.vm("one")["extra_config"]["note"] == "x"


def test_a_free_licence(site: Site) -> None:
    site.lab.change_host("esx1.lab", "free_licence")
    answer = govc(site.lab, "vm.power", "-on", "one")
    assert answer.code == 1
    assert "Current license or ESXi version prohibits execution of the requested operation" in answer.stderr
