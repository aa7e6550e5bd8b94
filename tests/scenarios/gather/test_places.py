"""Where a VM is in the inventory: told, or null where not all that it lies in can be read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness import options_for, run
from vcenter_lab import VcenterLab

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, result_of
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.commands import RDM_INFO, rdm_info

A, B = "naa.60060160a1b12345000000000000000a", "naa.60060160a1b12345000000000000000b"
PLACES = ("path", "datacenter", "folder", "cluster")


def world(**changes: Any) -> str:
    """Returns two VMs with a mapping each, in two datacenters, the first one in a folder."""
    return json.dumps(
        {
            "hosts": [
                {"name": "esx1.lab", "datacenter": "Büro"},
                {"name": "esx2.lab", "datacenter": "Other"},
            ],
            "datastores": [{"name": "san01", "datacenter": name} for name in ("Büro", "Other")],
            "luns": [{"name": name, "sectors": 2097152000} for name in (A, B)],
            "vms": [
                {"name": "one", "host": "esx1.lab", "folder": "Servers/Old", "disks": [{"rdm": A}]},
                {"name": "two", "host": "esx2.lab", "disks": [{"rdm": B}]},
            ],
            **changes,
        }
    )


def places(lab: VcenterLab, **given: Any) -> tuple[dict[str, tuple[Any, ...]], dict[str, Any]]:
    """Returns the places of the VMs with a mapping, and the whole result."""
    failure, result = result_of(rdm_info, ModuleCall(options_for(lab, RDM_INFO, **given)))
    assert failure is None
    return {rdm["vm"]["name"]: tuple(rdm["vm"][key] for key in PLACES) for rdm in result["rdms"]}, result


def test_the_places_of_vms_whose_hosts_are_in_no_cluster(vcenter: VcenterLab) -> None:
    vcenter.world(world())
    assert places(vcenter)[0] == {
        "one": ("/Büro/vm/Servers/Old/one", "Büro", "Servers/Old", None),
        "two": ("/Other/vm/two", "Other", "", None),
    }
    told = run(vcenter, vm="one", check=True)["vm"]
    assert tuple(told[key] for key in PLACES) == ("/Büro/vm/Servers/Old/one", "Büro", "Servers/Old", None)


def test_the_place_on_a_host_that_stands_alone(vcenter: VcenterLab) -> None:
    vcenter.world(
        world(
            api="esxi",
            hosts=[{"name": "esx1.lab"}],
            datastores=[{"name": "san01"}],
            vms=[{"name": "one", "host": "esx1.lab", "disks": [{"rdm": A}]}],
        )
    )
    found, result = places(vcenter)
    path, datacenter, folder, cluster = found["one"]
    assert (path, folder, cluster) == (f"/{datacenter}/vm/one", "", None)
    assert not [finding for finding in result["findings"] if finding["code"] == "unreadable"]


@pytest.mark.parametrize(("hidden", "datacenter"), [("one", None), ("Old", None), ("Servers", None)])
def test_a_place_that_is_not_known_is_null_and_the_vm_not_silently_left_out(
    vcenter: VcenterLab, hidden: str, datacenter: str | None
) -> None:
    vcenter.world(world())
    vcenter.hide(hidden, "parent")
    found, result = places(vcenter)
    assert found["one"] == (None, datacenter, None, None)
    assert found["two"] == ("/Other/vm/two", "Other", "", None)
    for given in ({}, {"datacenter": "Büro"}):
        found, result = places(vcenter, **given)
        (finding,) = [finding for finding in result["findings"] if finding["code"] == "unreadable"]
        assert finding["message"].startswith("Where 1 VM or host is in the inventory could not be read: one. ")
    assert found == {}
