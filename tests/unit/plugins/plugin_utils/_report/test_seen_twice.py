"""A site that is read through its vCenter and past it is shown once."""

from __future__ import annotations

import json
from typing import Any

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility
from ansible_collections.winbackup.storage.tests.unit.helpers.readings import (
    dpm_info,
    lun_info,
    page_of,
    rdm_info,
    site_with,
)
from ansible_collections.winbackup.storage.tests.unit.helpers.report_reader import Element, rows_of

PHYSICAL = Compatibility.PHYSICAL


def read_at(host: str, result: dict[str, Any]) -> dict[str, Any]:
    """The result as another server gave it."""
    copied: dict[str, Any] = json.loads(json.dumps(result))
    return {**copied, "host": host}


def servers(page: Element) -> list[str]:
    return [row["cells"][1][0] for row in rows_of(page, "mappings-table")]


@pytest.mark.parametrize("missing", ["instance_uuid", "bios_uuid"])
def test_a_machine_is_known_again_by_either_uuid_with_its_vmx(missing: str) -> None:
    vcenter, esxi = (read_at(host, rdm_info(site_with(PHYSICAL))) for host in ("vc1", "esx1"))
    esxi["rdms"][0]["vm"].update({missing: None, "moid": "12", "path": "/ha-datacenter/vm/server"})
    page = page_of([vcenter, esxi])
    assert servers(page) == ["vc1"]
    assert "in 1 VM" in page.one("dl").text
    assert page.one("dl").all("div")[3].text == "Mappings1in 1 VM"


@pytest.mark.parametrize(
    "other",
    [
        {"vmx_path": "[san] clone/clone.vmx"},
        {"vmx_path": None},
        {"instance_uuid": "another", "bios_uuid": "another"},
        {"instance_uuid": None, "bios_uuid": None},
    ],
)
def test_machines_that_may_be_two_are_shown_as_two(other: dict[str, str | None]) -> None:
    vcenter, esxi = (read_at(host, rdm_info(site_with(PHYSICAL))) for host in ("vc1", "esx1"))
    esxi["rdms"][0]["vm"].update(other)
    assert servers(page_of([vcenter, esxi])) == ["vc1", "esx1"]


def test_a_disk_that_only_the_second_reading_shows_is_shown() -> None:
    vcenter = read_at("vc1", rdm_info(site_with(PHYSICAL, PHYSICAL)))
    esxi = read_at("esx1", vcenter)
    del vcenter["rdms"][1]
    page = page_of([vcenter, esxi])
    assert [row["cells"][1] for row in rows_of(page, "mappings-table")] == [["vc1"], ["vc1"]]
    assert "in 1 VM" in page.one("dl").text


def test_two_machines_of_one_reading_are_two_whatever_they_have_in_common() -> None:
    result = rdm_info(site_with(PHYSICAL))
    other = json.loads(json.dumps(result["rdms"][0]))
    other["vm"]["moid"] = "vm-2"
    result["rdms"].append(other)
    assert len(rows_of(page_of(result), "mappings-table")) == 2


def test_a_lun_is_shown_once_unless_another_reading_knows_worse_of_it() -> None:
    vcenter = read_at("vc1", lun_info(site_with(PHYSICAL)))
    vcenter["luns"][0].update(mappable=True, mappable_reasons=[])
    esxi = read_at("esx1", vcenter)
    assert len(rows_of(page_of(None, [vcenter, esxi]), "luns-table")) == 1
    esxi["luns"][0].update(mappable=None, mappable_reasons=["use_unknown"])
    assert len(rows_of(page_of(None, [vcenter, esxi]), "luns-table")) == 2


def test_a_local_disk_of_one_name_on_two_hosts_is_two() -> None:
    one, two = (read_at(host, lun_info(site_with(PHYSICAL))) for host in ("esx1", "esx2"))
    for result in (one, two):
        result["luns"][0]["canonical_name"] = "mpx.vmhba0:C0:T0:L0"
    assert len(rows_of(page_of(None, [one, two]), "luns-table")) == 2


def test_a_dpm_server_that_was_read_twice_is_shown_once() -> None:
    page = page_of(None, None, [dpm_info("dpm1"), dpm_info("DPM1"), dpm_info("dpm2")])
    assert [one.text.split()[0] for one in page.one("section", id="dpm").all("h3")] == ["dpm1", "dpm2"]
