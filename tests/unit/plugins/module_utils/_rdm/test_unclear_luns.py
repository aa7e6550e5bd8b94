"""A LUN of which a fact is not told, or not understood, is neither broken nor good for anything by that."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.parts import Part, Unreadable
from ansible_collections.winbackup.storage.tests.unit.helpers.host_in_memory import lun, lun_with, machine
from ansible_collections.winbackup.storage.tests.unit.helpers.readings import inventory, lun_info, rdm_info


@pytest.mark.parametrize(
    ("facts", "blocker", "said", "reason"),
    [
        (
            {"perennially_reserved": None, "unclear": ("'perhaps' is neither true nor false",)},
            "host_unavailable",
            "'perhaps' is neither true nor false",
            "perennially_reserved",
        ),
        ({"state": None}, "lun_not_ok", "does not tell its state", "not_ok"),
    ],
)
def test_it_stops_a_conversion_and_is_not_mappable(facts: dict[str, Any], blocker: str, said: str, reason: str) -> None:
    unclear, free = lun_with(lun(0), **facts), lun_with(lun(1), **facts)
    site = inventory([machine("one", [unclear])], [unclear, free])
    mapping = rdm_info(site)["rdms"][0]
    assert any(said in one["message"] for one in mapping["blockers"] if one["code"] == blocker)
    assert mapping["convertible"] is False
    assert "lun_not_ok" not in [finding["code"] for finding in mapping["findings"]]
    listed = next(row for row in lun_info(site)["luns"] if row["canonical_name"] == free.canonical_name)
    assert listed["mappable"] is None
    assert reason in listed["mappable_reasons"]
    assert listed["state"] == free.state


def test_a_lun_without_a_size_is_not_converted_and_not_mappable() -> None:
    empty, free = lun_with(lun(0), capacity_bytes=0), lun_with(lun(1), capacity_bytes=0)
    site = inventory([machine("one", [empty])], [empty, free])
    mapping = rdm_info(site)["rdms"][0]
    assert any("has no size" in one["message"] for one in mapping["blockers"] if one["code"] == "lun_not_ok")
    assert mapping["convertible"] is False
    listed = next(row for row in lun_info(site)["luns"] if row["canonical_name"] == free.canonical_name)
    assert listed["mappable"] is False


@pytest.mark.parametrize("hidden", ["luns", "volumes", "machine"])
def test_what_to_do_about_what_was_not_read_is_right_over_ssh_too(hidden: str) -> None:
    """A shell has no roles: a role is named for the API alone."""
    mapped = lun_with(lun(0), volumes_known=hidden != "volumes")
    vm = machine("one", [mapped])
    if hidden == "machine":
        vm = replace(vm, unreadable=(Unreadable(Part.SNAPSHOTS),))
    site = inventory([vm], [mapped])
    if hidden == "luns":
        site = replace(site, hosts={name: replace(host, luns=None) for name, host in site.hosts.items()})
    result = rdm_info(site)
    hints = [one["hint"] for row in (*result["rdms"], result) for one in (*row["findings"], *row.get("blockers", []))]
    about = [hint for hint in hints if hint.startswith("See that the user may read")]
    assert about
    assert all("(over the API by the role Read-only)" in hint for hint in about)
    assert not [hint for hint in hints if "Give the user the role" in hint]
