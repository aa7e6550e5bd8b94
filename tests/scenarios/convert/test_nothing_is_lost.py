"""A conversion that would lose a mapping cannot be found: random worlds, requests and troubles, over real SOAP.

The invariant: after the run, and at the latest after one rerun once what a blocker named was put right, each disk of
the VM maps the LUN that it mapped before, at the same address, in the old mode or the new one, and no other VM has
changed.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import foreign
import pytest
from harness import (
    assert_nothing_lost,
    assert_settled,
    controller,
    machine,
    mapping,
    run,
    without_sessions,
)
from hypothesis import HealthCheck, Phase, given, note, settings
from hypothesis import strategies as st
from points import assert_honest, assert_nothing_lies_about, assert_settings_kept
from vcenter_lab import Hold, VcenterLab

VM = "backup01"
# A run makes some sixty to a hundred and twenty requests, and writes from about the twentieth on.
REQUESTS = (10, 110)
# Whom the runs log in as: troubles are theirs alone, and none of other clients'.
OPERATOR = {"username": "operator", "password": "pw"}
SECTORS = (3907029168, 5860533168, 976773168)
LUNS = tuple(f"naa.60060160a1b1234500000000000000{number:02d}" for number in range(4))
LOCAL = tuple(f"t10.ATA_____{'DISK':_<40}{number:020d}" for number in range(3))
FAULTS = ("SystemError", "InvalidDeviceSpec", "InvalidDeviceBacking", "TaskInProgress", "HostCommunication")
PLACES = ("scsi0:1", "scsi0:2", "scsi1:0", "scsi0:15", "sata0:0")


@st.composite
def worlds(draw: st.DrawFn) -> dict[str, Any]:
    """Worlds with a VM of one to three mappings, of SAN or local LUNs, and another VM that must never change."""
    count = draw(st.integers(1, 3))
    names = LOCAL if draw(st.booleans()) else LUNS
    luns: list[dict[str, Any]] = [
        {"name": name, "sectors": draw(st.sampled_from(SECTORS)), "serial": f"S{number}"}
        for number, name in enumerate(names[:count])
    ]
    for number, lun in enumerate(luns):
        if names is LOCAL:
            lun.update(local=True, hosts=["esx1.lab"])
        elif draw(st.booleans()):
            lun["paths"] = {"esx2.lab": {"uuid": f"02000600006006016000000000000000{number:08d}565241494420"}}
    places = draw(st.permutations(PLACES))[:count]
    disks: list[dict[str, Any]] = [{"flat": 42949672960}]
    for number, (lun, place) in enumerate(zip(luns, places, strict=True)):
        mode = draw(st.sampled_from(["physical", "physical", "virtual"]))
        disk_mode = "independent_persistent" if mode == "physical" else draw(st.sampled_from(MODES))
        disk = {"at": place, "rdm": lun["name"], "mode": mode, "disk_mode": disk_mode}
        disk["file"] = f"[san01] backup01/disk {number}{draw(st.sampled_from(['', '-virtual', '-physical']))}.vmdk"
        if draw(st.booleans()):
            disk.update(shares="custom", share_number=1234, limit=500)
        disks.append(disk)
    order = draw(st.sampled_from([[], ["scsi0:0", places[0]], [places[-1], "scsi0:0"]]))
    vm = {
        "name": VM,
        "host": "esx1.lab",
        "power": draw(st.sampled_from(["on", "off"])),
        "tools": draw(st.sampled_from(["running", "running", "none", "deaf"])),
        "controllers": [{"type": "pvscsi"}, {"type": "lsisas", "bus": 1}, {"type": "sata"}],
        "boot_order": order,
        "disks": disks,
    }
    other = {"name": "bystander", "host": "esx2.lab", "power": "on", "disks": [{"flat": 1 << 30}, {"rdm": LUNS[3]}]}
    return {
        "one_reconfigure": draw(st.sampled_from(["accept", "accept", "InvalidDeviceSpec", "InvalidDeviceOperation"])),
        "second_mapping": draw(st.sampled_from(["accept", "accept", "accept", "InvalidDeviceBacking"])),
        "hosts": [{"name": "esx1.lab"}, {"name": "esx2.lab"}],
        "datastores": [{"name": "san01"}],
        "luns": [*luns, {"name": LUNS[3], "sectors": SECTORS[2]}],
        "vms": [vm, other],
        "users": {OPERATOR["username"]: {"password": OPERATOR["password"]}},
    }


MODES = ["persistent", "independent_persistent"]


@st.composite
def requests(draw: st.DrawFn) -> dict[str, Any]:
    """What may be asked of that VM."""
    return {
        "compatibility": draw(st.sampled_from(["virtual", "virtual", "physical"])),
        "power": draw(st.sampled_from(["shutdown", "power_off"])),
        "shutdown_timeout": 1,
        "restore_power": draw(st.sampled_from([True, True, False])),
        "disk_mode": draw(st.sampled_from([None, None, *MODES])),
        "old_mapping": draw(st.sampled_from(["keep", "delete"])),
        "some": draw(st.integers(0, 7)),
    }


ACTS: dict[str, Callable[[VcenterLab], None]] = {
    "start": foreign.start,
    "snapshot": foreign.snapshot,
    "move": foreign.move,
    "reconfigure": foreign.reconfigure,
}
FAULT_KINDS = [
    *("soap", "task", "task", "done_but_failed", "reply_lost", "connection_dropped", "session_expired"),
    *("slow_task", "host_lost", "lun_gone"),
]
TROUBLES = st.lists(
    st.fixed_dictionaries(
        {
            "at_request": st.integers(*REQUESTS),
            "what": st.sampled_from([*FAULT_KINDS, "killed before", "killed after", *ACTS]),
            "fault": st.sampled_from(FAULTS),
            "count": st.sampled_from([1, 1, 1, 2, 5]),
        }
    ),
    max_size=3,
    unique_by=lambda trouble: trouble["at_request"],
)


def asked(lab: VcenterLab, request: dict[str, Any]) -> dict[str, Any]:
    """Returns the options of a call: of the VM's mappings those whose bit is set in `some`, all where none is."""
    addresses = [device["address"] for device in lab.vm(VM)["devices"] if device["kind"] == "rdm"]
    chosen = [address for bit, address in enumerate(addresses) if request["some"] >> bit & 1]
    wishes = {name: value for name, value in request.items() if name != "some"}
    return {"vm": VM, "disks": chosen, **wishes, **OPERATOR}


def run_with(lab: VcenterLab, options: dict[str, Any], troubles: list[dict[str, Any]]) -> dict[str, Any] | None:
    """Makes one call with the troubles let loose; None where it was killed."""
    lab.clear_log()
    lun = lab.state()["luns"][0]["name"]
    holds: list[tuple[dict[str, Any], Hold]] = []
    for trouble in troubles:
        if trouble["what"] in ACTS or trouble["what"].startswith("killed"):
            holds.append((trouble, lab.hold(at_request=trouble["at_request"], session=OPERATOR["username"])))
        else:
            where = {"session": OPERATOR["username"], "host": "esx1.lab", "lun": lun, "delay_ms": 100}
            lab.fault(
                kind=trouble["what"], **where, **{name: trouble[name] for name in ("at_request", "fault", "count")}
            )
    if not holds:
        return run(lab, **options)
    try:
        return run_held(lab, options, holds)
    finally:
        # One that never came would hold a request of the next call.
        for _trouble, hold in holds:
            hold.release(then="proceed")


def run_held(
    lab: VcenterLab, options: dict[str, Any], holds: list[tuple[dict[str, Any], Hold]]
) -> dict[str, Any] | None:
    """Makes one call in a process of its own, and acts, or kills it, while its requests are held."""
    with controller(lab, **options) as started:
        for trouble, hold in sorted(holds, key=lambda held: held[0]["at_request"]):
            while not started.pipe.poll(0) and lab.control("GET", f"/holds/{hold.id}?wait=0.05")["state"] == "waiting":
                pass
            if started.pipe.poll(0):
                break
            if trouble["what"].startswith("killed"):
                started.kill()
                hold.release(then="drop" if trouble["what"] == "killed before" else "proceed")
                return None
            ACTS[trouble["what"]](lab)
            hold.release(then="proceed")
        return started.result()


def check(
    lab: VcenterLab,
    world: dict[str, Any],
    first: dict[str, Any],
    second: dict[str, Any],
    troubles: list[dict[str, Any]],
    more: list[dict[str, Any]],
) -> None:
    """Two calls with troubles, then one without, once what was in its way is put right; the invariant holds."""
    lab.world(json.dumps(world))
    before = lab.state()
    for request, each in ((first, troubles), (second, more)):
        then = lab.state()
        options = asked(lab, request)
        result = run_with(lab, options, each)
        # What others did is theirs to answer for: a run is honest about what it did itself.
        if result is not None and not any(trouble["what"] in ACTS for trouble in each):
            note(f"{options} with {each}: {result['msg']}")
            assert_honest(lab, then, result)
            if all(disk["state"] != "failed" for disk in result.get("disks", ())):
                assert_nothing_lost(before, lab.state(), VM)
        put_right(lab)
    options = asked(lab, {**second, "power": "power_off"})
    last = run(lab, **options)
    after = lab.state()
    note(f"at last {options}: {last['msg']}")
    assert_nothing_lost(before, after, VM)
    assert_settled(after, VM)
    assert_settings_kept(before, after)
    if world["second_mapping"] == "accept":
        assert not last["failed"], last["msg"]
        assert_nothing_lies_about(before, after)
        for address in {disk["address"] for disk in last["disks"]} & set(options["disks"] or all_mappings(before)):
            assert (mapping(after, VM, address) or {})["mode"] == f"{options['compatibility']}Mode"
        third = run(lab, **options)
        assert not third["failed"], third["msg"]
        assert third["changed"] is False, third["plan"]
        assert without_sessions(lab.state()) == without_sessions(after)


def all_mappings(state: dict[str, Any]) -> list[str]:
    """Returns the addresses of the VM's mappings."""
    return [device["address"] for device in machine(state, VM)["devices"] if device["kind"] == "rdm"]


def put_right(lab: VcenterLab) -> None:
    """Does what blockers ask for: leases are waited for, hosts and LUNs brought back, snapshots removed."""
    lab.clear_faults()
    lab.advance(120)
    lab.change_host("esx1.lab", "back")
    for lun in lab.state()["luns"]:
        lab.change_lun(lun["name"], "back")
    foreign.remove_snapshots(lab)


def examples(count: int) -> settings:
    """How many worlds are tried; they are others in every run."""
    return settings(
        max_examples=count,
        deadline=None,
        print_blob=True,
        # To shrink an example would take minutes, and what happened is told in its notes.
        phases=[Phase.explicit, Phase.reuse, Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.data_too_large],
    )


@examples(12)
@given(world=worlds(), first=requests(), second=requests(), troubles=TROUBLES, more=TROUBLES)
def test_a_conversion_that_loses_a_mapping_cannot_be_found(
    vcenter: VcenterLab,
    world: dict[str, Any],
    first: dict[str, Any],
    second: dict[str, Any],
    troubles: list[dict[str, Any]],
    more: list[dict[str, Any]],
) -> None:
    check(vcenter, world, first, second, troubles, more)


@pytest.mark.slow
@examples(1500)
@given(world=worlds(), first=requests(), second=requests(), troubles=TROUBLES, more=TROUBLES)
def test_nor_by_a_longer_search(
    vcenter: VcenterLab,
    world: dict[str, Any],
    first: dict[str, Any],
    second: dict[str, Any],
    troubles: list[dict[str, Any]],
    more: list[dict[str, Any]],
) -> None:
    check(vcenter, world, first, second, troubles, more)
