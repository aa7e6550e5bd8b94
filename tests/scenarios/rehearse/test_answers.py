# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""On a server of every kind a rehearsal names what is accepted, a conversion agrees with it, and all is as before."""

from __future__ import annotations

import json
from typing import Any

import pytest
from harness import machine, run
from vcenter_lab import VcenterLab
from worlds import DISK_2TB, SAN_B, one_disk

from .stage import PREFIX, assert_as_before, told, verdicts

SPEC, BACKING = "InvalidDeviceSpec", "InvalidDeviceBacking"
LOCAL = {"name": DISK_2TB, "local": True, "hosts": ["esx1.lab"], "format": "emulated512", "vendor": "ATA     "}
IN_ONE = ("to_virtual_in_one_reconfigure", "to_physical_in_one_reconfigure", "on_sata_in_one_reconfigure")
IN_TWO = ("to_virtual_in_two_reconfigures", "to_physical_in_two_reconfigures", "on_sata_in_two_reconfigures")

# What the server is like, the answers that tell it, and how a conversion goes there: to virtual, to physical, on SATA.
SERVERS: dict[str, tuple[dict[str, Any], dict[str, str], tuple[str, str, str]]] = {
    "accepts all": (
        {},
        {
            **dict.fromkeys(IN_ONE, "accepted"),
            **dict.fromkeys(IN_TWO, "not_asked"),
            "second_mapping_file": "accepted",
            "old_mapping_again": "accepted",
            "deletion_of_mapping": "accepted",
            "local_disk": "not_asked",
            "mapping_on_sata": "accepted",
            "removal_of_vm": "accepted",
        },
        ("one_reconfigure",) * 3,
    ),
    "no swap in one reconfigure": (
        {"one_reconfigure": SPEC},
        {
            **dict.fromkeys(IN_ONE, "refused"),
            **dict.fromkeys(IN_TWO, "accepted"),
            "second_mapping_file": "accepted",
            "old_mapping_again": "accepted",
        },
        ("two_reconfigures",) * 3,
    ),
    "no swap in one reconfigure, said of the backing": (
        {"one_reconfigure": BACKING},
        {**dict.fromkeys(IN_ONE, "refused"), **dict.fromkeys(IN_TWO, "accepted"), "second_mapping_file": "accepted"},
        ("rolled_back",) * 3,
    ),
    "no second mapping file": (
        {"second_mapping": BACKING},
        {
            **dict.fromkeys(IN_ONE, "unknown"),
            **dict.fromkeys(IN_TWO, "refused"),
            "second_mapping_file": "refused",
            "deletion_of_mapping": "accepted",
            "new_virtual_mapping": "accepted",
            "mapping_on_sata": "accepted",
        },
        ("rolled_back",) * 3,
    ),
    "no second mapping file, said of the device": (
        {"second_mapping": SPEC},
        {**dict.fromkeys(IN_TWO, "refused"), "second_mapping_file": "refused"},
        ("rolled_back",) * 3,
    ),
    "neither": (
        {"one_reconfigure": SPEC, "second_mapping": SPEC},
        {**dict.fromkeys(IN_ONE, "refused"), **dict.fromkeys(IN_TWO, "refused"), "second_mapping_file": "refused"},
        ("rolled_back",) * 3,
    ),
    "no local disk": (
        {"local_mappings": BACKING, "lun": LOCAL},
        {
            "new_physical_mapping": "refused",
            "new_virtual_mapping": "refused",
            "local_disk": "refused",
            "second_mapping_file": "not_asked",
            "sata_controller": "not_asked",
            "removal_of_vm": "accepted",
        },
        ("rolled_back",) * 3,
    ),
    "local disks accepted": (
        {"lun": LOCAL},
        {**dict.fromkeys(IN_ONE, "accepted"), "local_disk": "accepted"},
        ("one_reconfigure",) * 3,
    ),
    "nothing on SATA": (
        {"sata_mappings": BACKING},
        {"sata_controller": "accepted", "mapping_on_sata": "refused", "on_sata_in_one_reconfigure": "not_asked"},
        ("one_reconfigure", "one_reconfigure", "rolled_back"),
    ),
}
# The worlds name one LUN by what the case lays over it; it is freed of its mapping for the rehearsal.
LATER = (
    "no swap in one reconfigure, said of the backing",
    "no second mapping file, said of the device",
    "local disks accepted",
    "neither",
)
BOTH = pytest.mark.parametrize(
    ("policy", "answers", "ways"),
    [
        pytest.param(*server, id=name, marks=pytest.mark.slow if name in LATER else ())
        for name, server in SERVERS.items()
    ],
)


@BOTH
def test_each_policy_is_named_and_the_converter_agrees(
    vcenter: VcenterLab, policy: dict[str, Any], answers: dict[str, str], ways: tuple[str, str, str]
) -> None:
    lun = policy.get("lun", {}).get("name", SAN_B)
    vcenter.world(without_mapping(one_disk(**policy)))
    before = vcenter.state()
    result = told(vcenter, lun=lun)
    assert not result["failed"], result["msg"]
    assert not result["changed"]
    found = verdicts(result)
    assert {question: found[question] for question in answers} == answers
    for answer in result["answers"]:
        assert (answer["verdict"] in ("refused", "unknown")) == (answer["message"] is not None)
    assert result["conversion"] == dict(zip(("to_virtual", "to_physical", "on_sata"), ways, strict=True))
    assert_as_before(vcenter, before)
    assert tuple(converters_ways(vcenter, policy)) == ways


def without_mapping(world: str) -> str:
    """Returns the world without the mapping of the VM backup01."""
    whole = json.loads(world)
    whole["vms"][0]["disks"] = [disk for disk in whole["vms"][0]["disks"] if "rdm" not in disk]
    return json.dumps(whole)


def converters_ways(lab: VcenterLab, policy: dict[str, Any]) -> list[str]:
    """Returns how rdm_compatibility goes on such a server: to virtual, to physical, on a SATA controller."""
    on_sata = {"controllers": [{"type": "pvscsi"}, {"type": "sata"}]}
    cases: list[tuple[dict[str, Any], str]] = [
        ({}, "virtual"),
        ({"disk": {"mode": "virtual", "disk_mode": "persistent"}}, "physical"),
        ({"disk": {"at": "sata0:1"}, "vm": on_sata}, "virtual"),
    ]
    ways = []
    for laid_over, wanted in cases:
        lab.world(one_disk(**policy, **laid_over))
        before = lab.state()
        lab.clear_log()
        result = run(lab, vm="backup01", compatibility=wanted)
        (disk,) = result["disks"]
        if disk["state"] == "converted":
            adds = [entry for entry in lab.log() if "operation=add" in entry["summary"] and entry["outcome"] == "ok"]
            ways.append("one_reconfigure" if "operation=remove" in adds[0]["summary"] else "two_reconfigures")
            continue
        devices = [
            [{**one, "key": 0} for one in machine(state, "backup01")["devices"]] for state in (before, lab.state())
        ]
        assert devices[0] == devices[1], disk
        ways.append(disk["state"])
    return ways


def addresses_and_files(state: dict[str, Any]) -> list[tuple[str, str]]:
    """Returns what hangs where on the VM backup01."""
    return [(device["address"], device["file"]) for device in machine(state, "backup01")["devices"]]


def test_the_report_has_no_name_of_the_site(vcenter: VcenterLab) -> None:
    world = json.loads(without_mapping(one_disk(one_reconfigure=SPEC)))
    world["datastores"] = [{"name": "Kunde [Müller] (1)"}]
    world["hosts"] = [{"name": "esx1.mueller.example"}]
    world["vms"] = [{"name": "バックアップ", "host": "esx1.mueller.example", "disks": [{"flat": 42949672960}]}]
    vcenter.world(json.dumps(world, ensure_ascii=False))
    result = told(vcenter, datastore="Kunde [Müller] (1)")
    assert not result["failed"], result["msg"]
    text = json.dumps(result["report"], ensure_ascii=False)
    for name in ("Müller", "mueller", "バック", SAN_B, SAN_B[4:], "esx1", vcenter.host, PREFIX, vcenter.username):
        assert name not in text, name
    assert result["report"]["server"]["kind"] == "vcenter"
    assert result["report"]["lun"] == {
        "kind_of_name": "naa",
        "local": False,
        "ssd": False,
        "sectors": "native512",
        "block_size": 512,
        "larger_than_2_tib": True,
        "is_ata": False,
    }
    (refused,) = {answer["message"] for answer in result["report"]["answers"] if answer["verdict"] == "refused"}
    assert refused == (
        "Reconfiguring <vm> was refused: InvalidDeviceSpec: Invalid configuration for device '0' (deviceIndex 0)."
    )


def test_a_host_alone_is_rehearsed_too(vcenter: VcenterLab) -> None:
    world = json.loads(without_mapping(one_disk(api="esxi", lun={"local": True, "hosts": ["esx1.lab"]})))
    world["hosts"], world["vms"] = world["hosts"][:1], world["vms"][:1]
    vcenter.world(json.dumps(world))
    before = vcenter.state()
    lun = world["luns"][0]["name"]
    result = told(vcenter, lun=lun)
    assert not result["failed"], result["msg"]
    assert result["conversion"]["to_virtual"] == "one_reconfigure"
    assert result["report"]["server"]["kind"] == "esxi"
    assert_as_before(vcenter, before)
