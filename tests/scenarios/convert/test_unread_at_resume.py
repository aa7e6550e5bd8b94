"""A killed run is resumed by nobody who cannot read what it left: nothing is written, and nothing is called done."""

from __future__ import annotations

import json

import pytest
from harness import controller, records, run
from vcenter_lab import VcenterLab

LUN = "naa.60060160a1b12345000000000000000a"
WORLD = json.dumps(
    {
        "hosts": [{"name": "esx1.lab"}],
        "datastores": [{"name": "san01"}],
        "luns": [{"name": LUN, "sectors": 2097152000}],
        "vms": [{"name": "one", "host": "esx1.lab", "disks": [{"rdm": LUN}]}],
    }
)


@pytest.mark.parametrize(
    ("begun", "name", "path", "fault", "said"),
    [
        ("proceed", "one", "config.extraConfig", "NoPermission", "its configuration parameters"),
        ("drop", "one", "config.extraConfig", "NoPermission", "its configuration parameters"),
        ("proceed", "one", "config.instanceUuid", "", "its instance UUID"),
        ("drop", "one", "config.instanceUuid", "", "its instance UUID"),
        # Where the swap was not begun there is nothing to finish, and the record alone is taken back.
        ("proceed", "one", "runtime.host", "", "its host"),
        ("proceed", "one", "runtime.powerState", "", "its power state"),
        ("proceed", "esx1.lab", "config", "", "The storage of esx1.lab"),
    ],
)
def test_what_a_killed_run_left_is_not_touched_unread(
    vcenter: VcenterLab, begun: str, name: str, path: str, fault: str, said: str
) -> None:
    vcenter.world(WORLD)
    swap = vcenter.hold(method="ReconfigVM_Task", skip=1)
    with controller(vcenter, vm="one") as killed:
        swap.wait()
        killed.kill()
    swap.release(then=begun)
    vcenter.advance(120)
    left = vcenter.state()
    hidden = vcenter.hide(name, path, fault=fault)
    for check in (True, False):
        result = run(vcenter, vm="one", check=check)
        assert (result["failed"], result["changed"]) == (True, False)
        assert any(said in blocker["message"] for blocker in result["blockers"])
        assert {disk["state"] for disk in result["disks"]} <= {"blocked", "failed"}
    after = vcenter.state()
    assert (after["vms"], after["files"]) == (left["vms"], left["files"])
    vcenter.show(hidden)
    finished = run(vcenter, vm="one")
    assert (finished["failed"], finished["resumed"]) == (False, True)
    assert '"open":null' in records(vcenter.state(), "one")["scsi0:0"]
