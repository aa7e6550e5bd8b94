"""Power in the lab: what a start looks at, who may run on one disk, questions, guests that take their time."""

from __future__ import annotations

import pytest
from pyVmomi import vim
from pyvmomi_client import SAN, Site, change, kind_of, mapping, refusal


def test_states_that_do_not_fit(site: Site) -> None:
    machine = site.vm()
    assert kind_of(refusal(lambda: site.run(machine.PowerOff()))) == "InvalidPowerState"
    assert kind_of(refusal(machine.ShutdownGuest)) == "InvalidPowerState"
    site.run(machine.PowerOn())
    assert kind_of(refusal(lambda: site.run(machine.PowerOn()))) == "InvalidPowerState"
    site.run(machine.Suspend())
    assert machine.runtime.powerState == "suspended"
    assert kind_of(refusal(lambda: site.run(machine.Suspend()))) == "InvalidPowerState"


@pytest.mark.parametrize("change_of_lun", ["gone", "off"])
def test_a_start_without_the_lun_names_the_disk(site: Site, change_of_lun: str) -> None:
    site.lab.change_lun(SAN + "a", change_of_lun)
    fault = refusal(lambda: site.run(site.vm().PowerOn()))
    assert kind_of(fault) == "RDMPointsToInaccessibleDisk"
    assert (fault.device, fault.backing) == ("Hard disk 2", "[san01] one/one_1.vmdk")
    assert fault.msg == "Virtual Disk 'Hard disk 2' is a mapped direct access LUN that is not accessible."
    site.lab.change_lun(SAN + "a", {"gone": "back", "off": "ok"}[change_of_lun])
    site.run(site.vm().PowerOn())


def test_a_start_without_a_file_or_with_one_that_another_host_holds(site: Site) -> None:
    site.lab.change_file("[san01] one/one_1.vmdk", "lock")
    assert kind_of(refusal(lambda: site.run(site.vm().PowerOn()))) == "FileLocked"
    site.lab.change_file("[san01] one/one_1.vmdk", "delete")
    assert kind_of(refusal(lambda: site.run(site.vm().PowerOn()))) == "FileNotFound"


def test_a_host_in_maintenance_starts_nothing_and_another_one_may_be_named(site: Site) -> None:
    site.lab.change_host("esx1.lab", "maintenance")
    assert kind_of(refusal(lambda: site.run(site.vm().PowerOn()))) == "InvalidState"
    site.run(site.vm().PowerOn(host=site.find(vim.HostSystem, "esx2.lab")))
    assert (site.lab.vm("one")["host"], site.lab.vm("one")["power"]) == ("esx2.lab", "poweredOn")


def test_a_start_that_fails_for_another_reason(site: Site) -> None:
    site.lab.change_vm("one", "power_on_fault:InsufficientResourcesFault")
    assert kind_of(refusal(lambda: site.run(site.vm().PowerOn()))) == "InsufficientResourcesFault"
    site.lab.change_vm("one", "power_on_fault:")
    site.run(site.vm().PowerOn())


def test_a_vm_asks_and_waits(site: Site) -> None:
    site.lab.change_vm("one", "ask_question")
    task = site.vm().PowerOn()
    question = site.vm().runtime.question
    assert task.info.state == "running"
    assert [choice.label for choice in question.choice.choiceInfo] == ["Cancel", "I moved it"]
    assert kind_of(refusal(lambda: site.reconfigure(annotation="x"))) == "TaskInProgress"
    site.vm().AnswerVM(question.id, "1")
    site.run(task)
    assert site.vm().runtime.powerState == "poweredOn"
    assert site.vm().runtime.question is None


def test_a_guest_takes_its_time_on_the_servers_clock(site: Site) -> None:
    text = str(site.lab.control("GET", "/world"))
    site.lab.world(
        text.replace("    host: esx1.lab\n", '    host: esx1.lab\n    power: "on"\n    shutdown_seconds: 300\n')
    )
    again = Site(site.lab)
    again.vm().ShutdownGuest()
    assert again.vm().runtime.powerState == "poweredOn"
    site.lab.advance(301)
    assert again.vm().runtime.powerState == "poweredOff"


def test_a_guest_without_tools_and_one_that_does_not_listen(site: Site) -> None:
    site.run(site.vm().PowerOn())
    assert site.vm().guest.toolsRunningStatus == "guestToolsRunning"
    site.lab.change_vm("one", "tools_off")
    assert site.vm().guest.toolsRunningStatus == "guestToolsNotRunning"
    assert kind_of(refusal(site.vm().ShutdownGuest)) == "ToolsUnavailable"
    site.lab.change_vm("one", "tools_deaf")
    site.vm().ShutdownGuest()
    site.lab.advance(100000)
    assert site.vm().runtime.powerState == "poweredOn"


LUN = "naa.600000000000000000000000000000aa"


def pair(one: str, two: str, sharing: str, host: str, file: str) -> str:
    """Returns a world of two VMs with one LUN; `file` is the mapping file of the second, "" for no disk."""
    disk = f'{{rdm: {LUN}, file: "[san01] {file}", sharing: {sharing}}}' if file else ""
    return f"""
hosts: [{{name: esx1.lab}}, {{name: esx2.lab}}]
datastores: [{{name: san01}}]
luns: [{{name: {LUN}, sectors: 2097152}}]
vms:
  - name: one
    host: esx1.lab
    controllers: [{{shared: {one}}}]
    disks: [{{rdm: {LUN}, file: "[san01] one/a.vmdk", sharing: {sharing}}}]
  - name: two
    host: {host}
    controllers: [{{shared: {two}}}]
    disks: [{disk}]
"""


SHARED = {
    "nothing shared, one file": ("none", "none", "sharingNone", "esx2.lab", "one/a.vmdk", False),
    "nothing shared, two files": ("none", "none", "sharingNone", "esx2.lab", "two/b.vmdk", False),
    "physical bus over hosts": ("physical", "physical", "sharingNone", "esx2.lab", "one/a.vmdk", True),
    "physical bus, two files": ("physical", "physical", "sharingNone", "esx2.lab", "two/b.vmdk", True),
    "virtual bus over hosts": ("virtual", "virtual", "sharingNone", "esx2.lab", "one/a.vmdk", False),
    "virtual bus on one host": ("virtual", "virtual", "sharingNone", "esx1.lab", "one/a.vmdk", True),
    "only one bus shared": ("physical", "none", "sharingNone", "esx2.lab", "one/a.vmdk", False),
    "multi-writers": ("none", "none", "sharingMultiWriter", "esx2.lab", "one/a.vmdk", True),
}


@pytest.mark.parametrize(("one", "two", "sharing", "host", "file", "runs"), SHARED.values(), ids=SHARED.keys())
def test_two_vms_run_on_one_lun_only_where_both_share_it(
    site: Site, one: str, two: str, sharing: str, host: str, file: str, runs: bool
) -> None:
    site.lab.world(pair(one, two, sharing, host, file))
    again = Site(site.lab)
    again.run(again.vm("one").PowerOn())
    if runs:
        again.run(again.vm("two").PowerOn())
        assert again.lab.vm("two")["power"] == "poweredOn"
    else:
        fault = refusal(lambda: again.run(again.vm("two").PowerOn()))
        assert kind_of(fault) == "FileLocked"
        assert "one" in fault.msg


@pytest.mark.parametrize(("shared", "refused"), [("none", True), ("physical", False)])
def test_a_mapping_that_a_running_vm_holds_is_attached_on_a_shared_bus_only(
    site: Site, shared: str, refused: bool
) -> None:
    site.lab.world(pair(shared, shared, "sharingNone", "esx2.lab", ""))
    again = Site(site.lab)
    again.run(again.vm("one").PowerOn())
    attach = change("add", mapping("[san01] one/a.vmdk"))
    if refused:
        assert kind_of(refusal(lambda: again.reconfigure(attach, name="two"))) == "FileLocked"
    else:
        again.reconfigure(attach, name="two")
        assert again.lab.vm("two")["devices"][0]["file"] == "[san01] one/a.vmdk"


def test_a_vm_moves_only_to_a_host_that_sees_its_luns(site: Site) -> None:
    target = site.find(vim.HostSystem, "esx2.lab")
    site.lab.change_lun(SAN + "a", "mask", host="esx2.lab")
    fault = refusal(lambda: site.run(site.vm().Migrate(host=target, priority="defaultPriority")))
    assert kind_of(fault) == "RDMPointsToInaccessibleDisk"
    site.lab.change_lun(SAN + "a", "unmask", host="esx2.lab")
    site.run(site.vm().Relocate(vim.vm.RelocateSpec(host=target)))
    assert site.lab.vm("one")["host"] == "esx2.lab"
    assert site.vm() in target.vm


def test_a_vm_is_unregistered_with_its_files_left_or_destroyed_with_them(site: Site) -> None:
    site.run(site.vm().PowerOn())
    assert kind_of(refusal(lambda: site.run(site.vm().Destroy()))) == "InvalidPowerState"
    site.run(site.vm().PowerOff())
    site.vm("two").Unregister()
    gone = site.vm()
    site.run(gone.Destroy())
    assert site.lab.state()["vms"] == []
    left = {file["path"] for file in site.lab.state()["files"]}
    assert "[san01] two/two_0.vmdk" in left
    assert "[san01] one/one_1.vmdk" not in left
    assert kind_of(refusal(lambda: gone.config)) == "ManagedObjectNotFound"
