"""The control port: trouble, holds, the clock, the log, and that a word it does not know is an error."""

from __future__ import annotations

import threading
import time
from typing import Any

import pytest
from pyVmomi import vim
from pyvmomi_client import SAN, Site, kind_of, refusal


def write(site: Site) -> None:
    """Does the write that trouble is let loose at."""
    site.reconfigure(annotation="written")


def written(site: Site) -> bool:
    """Tells whether that write has been done."""
    return bool(site.lab.vm("one")["annotation"] == "written")


def lost_connection(act: Any) -> None:
    """Does something that must end in a lost connection, not in a fault."""
    with pytest.raises((OSError, EOFError, ConnectionError, ValueError)):
        act()


def test_a_soap_fault_comes_once_and_nothing_is_done(site: Site) -> None:
    site.lab.fault(method="ReconfigVM_Task", kind="soap", fault="TaskInProgress", message="Busy.")
    fault = refusal(lambda: write(site))
    assert (kind_of(fault), fault.msg, written(site)) == ("TaskInProgress", "Busy.", False)
    write(site)
    assert written(site)


def test_a_task_fault_comes_in_the_task_and_nothing_is_done(site: Site) -> None:
    site.lab.fault(method="ReconfigVM_Task", kind="task", fault="InvalidDeviceBacking")
    task = site.vm().ReconfigVM_Task(vim.vm.ConfigSpec(annotation="written"))
    assert task.info.state == "error"
    assert kind_of(task.info.error) == "InvalidDeviceBacking"
    assert task.info.entity == site.vm()
    assert not written(site)


FAULTS = [
    "CannotAccessVmDisk",
    "ConcurrentAccess",
    "DisallowedDiskModeChange",
    "FileAlreadyExists",
    "FileLocked",
    "FileNotFound",
    "HostNotConnected",
    "InsufficientResourcesFault",
    "InvalidController",
    "InvalidDeviceBacking",
    "InvalidDeviceOperation",
    "InvalidDeviceSpec",
    "InvalidDiskFormat",
    "InvalidPowerState",
    "LargeRDMConversionNotSupported",
    "LargeRDMNotSupportedOnDatastore",
    "MethodDisabled",
    "NoPermission",
    "PhysCompatRDMNotSupported",
    "RDMConversionNotSupported",
    "RDMNotSupported",
    "RDMNotSupportedOnDatastore",
    "RDMPointsToInaccessibleDisk",
    "RestrictedVersion",
    "SnapshotIncompatibleDeviceInVm",
    "SystemError",
    "TaskInProgress",
    "TooManyDevices",
]


@pytest.mark.parametrize("fault", FAULTS)
def test_every_fault_can_come_and_be_read_by_a_strict_client(site: Site, fault: str) -> None:
    for kind in ("soap", "task"):
        site.lab.fault(method="ReconfigVM_Task", kind=kind, fault=fault)
        assert kind_of(refusal(lambda: write(site))) == fault
    assert not written(site)


def test_done_but_reported_failed(site: Site) -> None:
    site.lab.fault(method="ReconfigVM_Task", kind="done_but_failed", fault="SystemError")
    assert kind_of(refusal(lambda: write(site))) == "SystemError"
    assert written(site)
    assert site.lab.log()[-2]["outcome"].startswith(("task:", "ok"))


def test_done_and_the_reply_lost(site: Site) -> None:
    machine = site.vm()
    site.lab.fault(method="ReconfigVM_Task", kind="reply_lost")
    lost_connection(lambda: machine.ReconfigVM_Task(vim.vm.ConfigSpec(annotation="written")))
    assert written(site)


def test_a_dropped_connection_does_nothing(site: Site) -> None:
    machine = site.vm()
    site.lab.fault(method="ReconfigVM_Task", kind="connection_dropped")
    lost_connection(lambda: machine.ReconfigVM_Task(vim.vm.ConfigSpec(annotation="written")))
    assert not written(site)


def test_a_delay_lets_others_in(site: Site) -> None:
    site.lab.fault(method="ReconfigVM_Task", kind="delay", delay_ms=600)
    machine = site.vm()
    began = time.monotonic()
    thread = threading.Thread(target=lambda: machine.ReconfigVM_Task(vim.vm.ConfigSpec(annotation="written")))
    thread.start()
    Site(site.lab).vm("two")
    assert time.monotonic() - began < 0.6
    thread.join(10)
    assert time.monotonic() - began >= 0.6
    assert written(site)


def test_a_slow_task_runs_meanwhile_and_keeps_others_off(site: Site) -> None:
    site.lab.fault(method="ReconfigVM_Task", kind="slow_task", delay_ms=500)
    task = site.vm().ReconfigVM_Task(vim.vm.ConfigSpec(annotation="written"))
    assert (task.info.state, written(site)) == ("running", False)
    assert task in site.vm().recentTask
    assert kind_of(refusal(lambda: site.reconfigure(annotation="other"))) == "TaskInProgress"
    site.run(task)
    assert written(site)


def test_a_session_expires(site: Site) -> None:
    machine = site.vm()
    site.lab.fault(method="ReconfigVM_Task", kind="session_expired")
    spec = vim.vm.ConfigSpec(annotation="written")
    assert kind_of(refusal(lambda: machine.ReconfigVM_Task(spec))) == "NotAuthenticated"
    assert kind_of(refusal(lambda: machine.name)) == "NotAuthenticated"
    assert not written(site)


def test_a_host_is_lost_and_a_lun_is_gone(site: Site) -> None:
    machine = site.vm()
    site.lab.fault(method="ReconfigVM_Task", kind="lun_gone", lun=SAN + "a")
    site.run(machine.ReconfigVM_Task(vim.vm.ConfigSpec(annotation="written")))
    assert not site.disk().backing.deviceName
    site.lab.fault(method="ReconfigVM_Task", kind="host_lost", host="esx1.lab")
    assert kind_of(refusal(lambda: site.reconfigure(annotation="x"))) == "HostNotConnected"
    assert site.find(vim.HostSystem, "esx1.lab").runtime.connectionState == "notResponding"


def test_trouble_at_one_request_of_one_object_or_after_some(site: Site) -> None:
    site.lab.fault(method="ReconfigVM_Task", object="two", kind="soap", fault="TaskInProgress")
    write(site)
    assert kind_of(refusal(lambda: site.reconfigure(annotation="x", name="two"))) == "TaskInProgress"
    site.lab.fault(method="ReconfigVM_Task", skip=1, count=2, kind="soap", fault="TaskInProgress")
    write(site)
    assert [kind_of(refusal(lambda: write(site))) for _ in range(2)] == ["TaskInProgress"] * 2
    write(site)
    machine = site.vm("two")
    site.lab.clear_log()
    site.lab.fault(at_request=2, kind="soap", fault="TaskInProgress")
    assert machine.name == "two"
    assert kind_of(refusal(lambda: machine.name)) == "TaskInProgress"
    site.lab.fault(method="ReconfigVM_Task", kind="soap", fault="TaskInProgress")
    site.lab.clear_faults()
    write(site)


def test_the_log_tells_who_asked_what_of_which_object_and_how_it_ended(site: Site) -> None:
    site.lab.clear_log()
    write(site)
    refusal(lambda: site.run(site.vm().PowerOff()))
    entries = {entry["method"]: entry for entry in site.lab.log()}
    asked = entries["ReconfigVM_Task"]
    assert (asked["object"]["name"], asked["user"], asked["writes"], asked["outcome"]) == (
        "one",
        site.lab.username,
        True,
        "ok",
    )
    assert entries["PowerOffVM_Task"]["outcome"] == "task:InvalidPowerState"
    assert not entries["CreateContainerView"]["writes"]
    assert [entry["n"] for entry in site.lab.log()] == list(range(1, len(site.lab.log()) + 1))
    assert site.lab.password not in str(site.lab.log())


def held(site: Site, then: dict[str, Any]) -> tuple[list[BaseException], Any]:
    """Holds a reconfigure, does something meanwhile, lets it go; returns what the client saw."""
    machine, seen = site.vm(), []
    hold = site.lab.hold(method="ReconfigVM_Task")

    def act() -> None:
        try:
            machine.ReconfigVM_Task(vim.vm.ConfigSpec(annotation="written", changeVersion=version))
        except Exception as error:
            seen.append(error)

    version = machine.config.changeVersion
    thread = threading.Thread(target=act)
    thread.start()
    request = hold.wait()
    assert request["object"]["name"] == "one"
    assert not written(site)
    other = Site(site.lab)
    assert other.vm("two").runtime.powerState == "poweredOff"
    hold.release(**then)
    thread.join(10)
    assert not thread.is_alive()
    return seen, request


def test_a_held_request_goes_on(site: Site) -> None:
    assert held(site, {"then": "proceed"})[0] == []
    assert written(site)


def test_a_held_request_is_dropped(site: Site) -> None:
    assert len(held(site, {"then": "drop"})[0]) == 1
    assert not written(site)


def test_a_held_request_fails_with_any_trouble(site: Site) -> None:
    seen, _request = held(site, {"then": "fault", "kind": "soap", "fault": "ConcurrentAccess"})
    assert [kind_of(error) for error in seen] == ["ConcurrentAccess"]
    assert not written(site)


def test_a_hold_whose_request_never_comes_says_so(site: Site) -> None:
    hold = site.lab.hold(method="Destroy_Task")
    with pytest.raises(AssertionError, match="never came"):
        hold.wait(0.1)
    hold.release(then="proceed")


def test_the_servers_clock_is_moved(site: Site) -> None:
    before = site.instance.CurrentTime()
    site.lab.advance(3600)
    assert 3600 <= (site.instance.CurrentTime() - before).total_seconds() < 3660


def test_a_new_world_ends_what_was_held_in_the_old_one(site: Site) -> None:
    machine, seen = site.vm(), []
    hold = site.lab.hold(method="ReconfigVM_Task")

    def act() -> None:
        try:
            machine.ReconfigVM_Task(vim.vm.ConfigSpec(annotation="written"))
        except Exception as error:
            seen.append(error)

    thread = threading.Thread(target=act)
    thread.start()
    hold.wait()
    site.lab.world(site.lab.story())
    thread.join(10)
    assert len(seen) == 1
    assert "backup01" in {vm["name"] for vm in site.lab.state()["vms"]}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/faults", {"kind": "earthquake"}),
        ("/faults", {"kind": "soap", "fault": "NoSuchFault"}),
        ("/faults", {"kind": "soap", "fault": "TaskInfo"}),
        ("/faults", {"kind": "soap", "methd": "ReconfigVM_Task"}),
        ("/faults", {"kind": "host_lost", "host": "esx9.lab"}),
        ("/faults", {"kind": "lun_gone", "lun": "naa.0"}),
        ("/holds", {"metod": "ReconfigVM_Task"}),
        ("/hosts/esx1.lab/explode", {}),
        ("/hosts/esx9.lab/lost", {}),
        (f"/luns/{SAN}a/melt", {}),
        ("/luns/naa.0/gone", {}),
        ("/vms/one/sing", {}),
        ("/vms/nobody/encrypt", {}),
        ("/vms/one/power_on_fault:NoSuchFault", {}),
        ("/files/shred", {"file": "[san01] spare/flat.vmdk"}),
        ("/files/delete", {"file": "[san01] spare/none.vmdk"}),
        ("/files/put", {"file": "[none] a.vmdk"}),
        ("/clock", {"advance": 3}),
        ("/world", {"hosts": [], "luns": [], "lnus": []}),
    ],
)
def test_a_word_that_is_not_known_is_an_error(site: Site, path: str, body: dict[str, Any]) -> None:
    with pytest.raises(RuntimeError, match="the lab refused"):
        site.lab.control("POST", path, body)


def test_a_file_is_put_in_the_place_of_another(site: Site) -> None:
    site.lab.change_file("[san01] one/one_1.vmdk", "put", kind="flat", size=1048576)
    found = {file["path"]: file["kind"] for file in site.lab.state()["files"]}
    assert found["[san01] one/one_1.vmdk"] == "flat"
