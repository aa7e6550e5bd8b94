"""Trouble with a shell: every command is logged and can fail, be done and fail, be held, or lose its connection."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from esxi_shell import EsxiShell
from pyvmomi_client import SAN, Site

HOME = "/vmfs/volumes/san01/one"
MAKE = f"vmkfstools -r /vmfs/devices/disks/{SAN}b {HOME}/x.vmdk"


def made(site: Site) -> bool:
    """Whether the mapping was made."""
    return "[san01] one/x.vmdk" in [file["path"] for file in site.lab.state()["files"]]


def test_every_command_is_logged(site: Site, shell: EsxiShell) -> None:
    site.lab.clear_log()
    shell.run(f"cd {HOME}; for file in *.vmdk; do vmkfstools -q $file; done; mkdir 'a b'; rmdir 'a b'; ls | wc -l")
    log = [entry for entry in site.lab.log() if entry["object"]["type"] == "shell"]
    counted = {name: count for name, count in site.lab.counts().items() if name != "wc"}
    assert counted == {"ssh": 1, "vmkfstools": 4, "mkdir": 1, "rmdir": 1, "ls": 1}
    assert {entry["object"]["name"] for entry in log} == {"esx1.lab"}
    assert {entry["method"] for entry in log if entry["writes"]} == {"mkdir", "rmdir"}
    assert [entry["arguments"] for entry in log if entry["method"] == "mkdir"] == [["a b"]]
    queries = {entry["arguments"][1]: entry["outcome"] for entry in log if entry["method"] == "vmkfstools"}
    assert queries["one_1.vmdk"] == "exit:0"
    assert queries["one_0.vmdk"] == "exit:1"


@pytest.mark.parametrize(("kind", "done"), [("command_fails", False), ("done_but_failed", True)])
def test_a_command_fails(site: Site, shell: EsxiShell, kind: str, done: bool) -> None:
    site.lab.fault(kind=kind, method="vmkfstools", code=5, message="Failed to write: No space left on device (786441).")
    answer = shell.run(MAKE)
    assert answer.returncode == 5
    assert b"No space left on device (786441).\n" in answer.stderr
    assert made(site) is done


@pytest.mark.parametrize(("kind", "done"), [("command_fails", False), ("done_but_failed", True)])
def test_an_applet_fails(site: Site, shell: EsxiShell, kind: str, done: bool) -> None:
    site.lab.fault(kind=kind, method="mkdir", object="esx1.lab")
    answer = shell.run(f"mkdir {HOME}/claim; echo $?")
    assert answer.stdout == b"1\n"
    assert (b"claim" in shell.run(f"ls {HOME}").stdout) is done


@pytest.mark.parametrize(
    ("kind", "done", "goes_on"),
    [("connection_dropped", False, False), ("reply_lost", True, True), ("goes_on_alone", True, True)],
)
@pytest.mark.parametrize("program", ["vmkfstools", "touch"])
def test_a_connection_is_lost(site: Site, shell: EsxiShell, program: str, kind: str, done: bool, goes_on: bool) -> None:
    first = MAKE if program == "vmkfstools" else f"touch {HOME}/x.vmdk"
    site.lab.fault(kind=kind, method=program)
    answer = shell.run(f"trap '' PIPE; {first}; mkdir {HOME}/after")
    assert answer.returncode == 255, "as OpenSSH's client tells of a lost connection"
    names: list[str] = []
    end = time.monotonic() + 20
    while goes_on and "after" not in names and time.monotonic() < end:
        names = shell.text(f"ls {HOME}").split()
    assert ("after" in names) is goes_on
    assert ("x.vmdk" in shell.text(f"ls {HOME}").split()) is done


def test_a_command_is_held_while_another_acts(site: Site, shell: EsxiShell, second: EsxiShell) -> None:
    hold = site.lab.hold(method="mkdir")
    with ThreadPoolExecutor() as others:
        claiming = others.submit(shell.run, f"mkdir {HOME}/claim")
        assert hold.wait()["summary"] == f"mkdir {HOME}/claim"
        assert second.run(f"mkdir {HOME}/claim").returncode == 0
        hold.release()
        answer = claiming.result()
    assert answer.returncode == 1
    assert b"File exists" in answer.stderr


def test_two_hosts_claim_at_once(site: Site, shell: EsxiShell, second: EsxiShell) -> None:
    with ThreadPoolExecutor() as both:
        codes = [
            run.result().returncode for run in [both.submit(one.run, f"mkdir {HOME}/claim") for one in (shell, second)]
        ]
    assert sorted(codes) == [0, 1]


def test_something_happens_between_two_commands(site: Site, shell: EsxiShell) -> None:
    site.lab.fault(kind="lun_gone", lun=SAN + "b", method="vmkfstools")
    assert b"not a valid physical disk device" in shell.run(MAKE).stderr
    assert SAN + "b" not in shell.text("ls /vmfs/devices/disks")


def test_hostd_is_away(site: Site, shell: EsxiShell) -> None:
    site.lab.change_host("esx1.lab", "hostd_down")
    done = shell.run("vim-cmd vmsvc/getallvms")
    assert done.returncode != 0
    assert b"Connect to localhost failed: Connection failure" in done.stderr
    assert "VRAID" in shell.text("esxcfg-scsidevs -c")
    site.lab.change_host("esx1.lab", "hostd_up")
    assert "one" in shell.text("vim-cmd vmsvc/getallvms")


def test_the_service_is_switched_off_and_on(shell: EsxiShell) -> None:
    shell.stop_listening()
    try:
        answer = shell.run("ls", fresh=True)
    finally:
        shell.listen_again()
    assert answer.returncode == 255
    assert b"Connection refused" in answer.stderr
    assert shell.text("echo back") == "back\n"


def test_connections_over_the_limit_are_closed(shell: EsxiShell) -> None:
    shell.refuse_connections(2)
    assert [shell.run("echo x", fresh=True).returncode for _ in range(3)] == [255, 255, 0]


def test_a_ramdisk_is_full_and_applets_are_missing(site: Site, shells: dict[str, EsxiShell]) -> None:
    first = shells["esx1.lab"]
    first.close()
    with EsxiShell(site.lab, "esx1.lab", first.stores, without=["md5sum", "readlink"]) as other:
        assert other.run("echo x > /tmp/file && cat /tmp/file").stdout == b"x\n"
        other.fill_ramdisk()
        done = other.run("echo x > /tmp/new; cp /bin/sh /tmp/sh; md5sum /bin/sh; readlink /bin/sh")
    said = done.stderr.decode()
    assert said.count("No space left on device") == 2
    assert "sh: md5sum: not found" in said
    assert "sh: readlink: not found" in said
    shells["esx1.lab"] = EsxiShell(site.lab, "esx1.lab", first.stores)
