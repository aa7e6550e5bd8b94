"""What a datastore does not tell is not known: its files are no orphans, and nothing is put on it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness import options_for, run
from vcenter_lab import VcenterLab

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, result_of
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.commands import RDM_INFO, rdm_info

A, FREE = "naa.60060160a1b12345000000000000000a", "naa.60060160a1b12345000000000000000c"
WORLD: dict[str, Any] = {
    "hosts": [{"name": "esx1.lab"}, {"name": "esx2.lab"}],
    "datastores": [{"name": "san01"}],
    "luns": [{"name": name, "sectors": 2097152000} for name in (A, FREE)],
    "vms": [{"name": "one", "host": "esx1.lab", "disks": [{"rdm": A}]}],
    "files": [{"file": "[san01] old/forgotten.vmdk", "rdm": FREE}],
}


def mappings(lab: VcenterLab, **given: Any) -> dict[str, Any]:
    """Reads the mappings, with the files that no VM uses."""
    failure, result = result_of(rdm_info, ModuleCall(options_for(lab, RDM_INFO, orphans=True, **given)))
    assert failure is None
    return result


def orphans(result: dict[str, Any]) -> dict[str, bool | None]:
    """Returns the mapping files that no VM is seen to use, with what is said of their use."""
    return {entry["file"]: entry["in_use"] for entry in result["orphaned_mappings"]}


def unread(result: dict[str, Any]) -> list[dict[str, Any]]:
    """Returns the findings of what could not be read."""
    return [found for found in result["findings"] if found["code"] == "unreadable"]


def test_a_kept_mapping_is_no_orphan_where_the_datastore_does_not_tell_its_id(vcenter: VcenterLab) -> None:
    vcenter.world(json.dumps(WORLD))
    assert not run(vcenter, vm="one")["failed"]
    forgotten = "[san01] old/forgotten.vmdk"
    assert orphans(mappings(vcenter)) == {forgotten: False}
    # The id stands in two places.
    vcenter.hide("san01", "summary.url")
    assert orphans(mappings(vcenter)) == {forgotten: False}
    vcenter.hide("san01", "info")
    result = mappings(vcenter)
    assert set(orphans(result).values()) == {None}
    assert any("its id below /vmfs/volumes" in found["message"] for found in unread(result))


def test_a_datastore_that_nobody_can_look_into_is_not_searched_and_says_so(vcenter: VcenterLab) -> None:
    """Such is one that was unmounted since it was read, too."""
    vcenter.world(json.dumps(WORLD))
    vcenter.hide("san01", "browser")
    result = mappings(vcenter)
    assert orphans(result) == {}
    assert [found["object"] for found in unread(result)] == ["san01"]


@pytest.mark.parametrize("path", ["summary.type", "summary"])
def test_a_datastore_without_a_type_is_not_searched_and_says_so(vcenter: VcenterLab, path: str) -> None:
    vcenter.world(json.dumps(WORLD))
    vcenter.hide("san01", path)
    result = mappings(vcenter)
    assert orphans(result) == {}
    assert "Datastore san01 could not be searched: Its type could not be read." in [
        found["message"] for found in unread(result)
    ]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("summary.type", "its type"),
        ("info", "its version and whether it is local"),
        ("summary.accessible", "whether it is accessible"),
        ("summary.freeSpace", "its free space"),
        ("host", "the hosts that mount it"),
    ],
)
def test_nothing_is_put_on_a_datastore_that_does_not_tell_what_it_is(vcenter: VcenterLab, path: str, said: str) -> None:
    vcenter.world(json.dumps(WORLD))
    before = vcenter.state()["vms"]
    vcenter.hide("san01", path)
    (rdm,) = mappings(vcenter, vms=["one"])["rdms"]
    assert rdm["convertible"] is False
    refused = run(vcenter, vm="one")
    for blockers in (rdm["blockers"], refused["blockers"]):
        (blocker,) = blockers
        assert blocker["code"] == "datastore_unsuitable"
        assert f"Of the datastore san01 this could not be read: {said}; so " in blocker["message"]
    assert (refused["failed"], refused["changed"]) == (True, False)
    assert vcenter.state()["vms"] == before


def test_a_datastore_that_the_user_does_not_see_is_named(vcenter: VcenterLab) -> None:
    vcenter.world(json.dumps({**WORLD, "users": {"bob": {"password": "pw", "unseen": ["san01"]}}}))
    result = mappings(vcenter, username="bob", password="pw")
    assert orphans(result) == {}
    (found,) = unread(result)
    assert found["message"].startswith("1 datastore that disks of VMs lie on could not be read: san01.")
