"""lun_info against the lab: every LUN once, exact sizes, what uses it."""

from __future__ import annotations

from typing import Any

import pytest
from harness import options_for
from vcenter_lab import VcenterLab

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, result_of
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.commands import (
    LUN_INFO,
    RDM_INFO,
    lun_info,
    rdm_info,
)

SAN = "naa.60060160a1b1234500000000000000"
DISK_2TB = "t10.ATA_____WDC_WD20EFRX2D68EUZN0_________________________WD2DWCC4M0000001"
BOOT = "t10.ATA_____BOOT_SSD_64GB___________________________________________BOOT0001"


def read(lab: VcenterLab, fails: bool = False, **given: Any) -> dict[str, Any]:
    """Reads the LUNs; fails where the module would."""
    failure, result = result_of(lun_info, ModuleCall(options_for(lab, LUN_INFO, **given)))
    assert (failure is not None) == fails, failure
    return {**result, "msg": failure}


@pytest.fixture
def story(vcenter: VcenterLab) -> VcenterLab:
    """The lab with the built-in world."""
    vcenter.world(vcenter.story())
    return vcenter


def by_name(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Returns the LUNs of a result by their names."""
    return {lun["canonical_name"]: lun for lun in result["luns"]}


def test_sizes_are_exact_to_the_byte(story: VcenterLab) -> None:
    lun = by_name(read(story))[DISK_2TB]
    assert lun["capacity_bytes"] == 3907029168 * 512
    assert lun["block_size"] == 512
    assert lun["device_type"] == "disk"
    assert lun["console_device"] == f"/vmfs/devices/disks/{DISK_2TB}"
    assert lun["model"] == "WDC WD20EFRX-68E"


def test_what_hosts_see_differently_stands_by_host(story: VcenterLab) -> None:
    lun = by_name(read(story))[SAN + "0a"]
    assert lun["vml"] is None
    assert {seen["host"] for seen in lun["hosts"]} == {"esx1.lab", "esx2.lab", "esx3.lab"}
    assert "vml_differs" in {finding["code"] for finding in lun["findings"]}


def test_what_uses_a_lun(story: VcenterLab) -> None:
    luns = by_name(read(story))
    assert [use["vm"] for use in luns[SAN + "0d"]["used_by"]["rdms"]] == ["node-a", "node-b"]
    assert luns[SAN + "0f"]["used_by"]["datastore"] == "san01"
    # The host's own volume lies on it.
    assert luns[BOOT]["used_by"]["boot"] is True
    assert (luns[BOOT]["mappable"], luns[BOOT]["mappable_reasons"]) == (False, ["host_boot_or_system"])
    assert luns[DISK_2TB]["mappable"] is False


def test_a_lun_that_could_be_mapped(story: VcenterLab) -> None:
    names = set(by_name(read(story, mappable_only=True)))
    assert "t10.NVMe____INTEL_SSDPE2KX010T8_____________________BTLJ123456781P0F" in names
    for used in (DISK_2TB, BOOT, SAN + "0f", "naa.5000c500a0000001"):
        assert used not in names


def test_hosts_narrow_the_list(story: VcenterLab) -> None:
    assert DISK_2TB not in by_name(read(story, hosts=["ESX2.lab"]))
    message = read(story, fails=True, hosts=["esx9.lab"])["msg"]
    assert "'esx9.lab'" in message
    assert "esx1.lab" in message


def test_local_names_of_two_hosts_are_two_luns(vcenter: VcenterLab) -> None:
    """An mpx name says where a disk is plugged in, and every host has a first port."""
    common = 'name: "mpx.vmhba1:C0:T0:L0", uuid: "0000000000766d686261313a303a30", quality: lowQuality, local: true'
    vcenter.world(f"""
hosts: [{{name: esx1.lab}}, {{name: esx2.lab}}]
datastores: [{{name: san01}}]
luns:
  - {{{common}, sectors: 1000, serial: A, hosts: [esx1.lab]}}
  - {{{common}, sectors: 2000, serial: B, hosts: [esx2.lab]}}
vms:
  - {{name: one, host: esx1.lab, disks: [{{rdm: "mpx.vmhba1:C0:T0:L0"}}]}}
""")
    luns = [lun for lun in read(vcenter)["luns"] if lun["canonical_name"] == "mpx.vmhba1:C0:T0:L0"]
    used = {lun["capacity_bytes"]: [use["vm"] for use in lun["used_by"]["rdms"]] for lun in luns}
    assert used == {512000: ["one"], 1024000: []}


def test_mappings_and_luns_come_of_one_reading(story: VcenterLab) -> None:
    luns = read(story)["luns"]
    story.clear_log()
    failure, result = result_of(rdm_info, ModuleCall(options_for(story, RDM_INFO, detail=["luns"])))
    assert failure is None
    assert result["luns"] == luns
    assert story.counts()["CreateContainerView"] == 1
    failure, alone = result_of(rdm_info, ModuleCall(options_for(story, RDM_INFO)))
    assert "luns" not in alone
    assert alone["rdms"] == result["rdms"]
