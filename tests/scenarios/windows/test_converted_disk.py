# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The half of the story that Windows sees: a mapping is converted, and exactly its disk is brought back."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from guest.disks import Partition
from guest.tie import Content, Tie
from vcenter_lab import VcenterLab

from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ArgumentSpec, ModuleCall, result_of
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import changing_commands
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import commands as vsphere

from .conftest import Lab

BIG = "t10.ATA_____WDC_WD30EFRX2D68EUZN0_________________________WD2DWCC4N0000002"
SAN = "naa.60060160a1b1234500000000000000a1"
TARGET, OTHER = "a59dcd66-5963-4ba8-995c-915935cb8654", "b59dcd66-5963-4ba8-995c-915935cb8654"
GUIDS = [f"{{0d6c9a2c-5b0e-4f7e-9d3f-1f7f3b7b2c{number}}}" for number in (11, 22, 33)]
WORLD = f"""
hosts: [{{name: esx1.lab}}]
datastores: [{{name: san01}}]
local_mappings: accept
luns:
  - {{name: {BIG}, sectors: 5860533168, model: WDC WD30EFRX-68E, serial: WD-WCC4N0000002, local: true}}
  - {{name: {SAN}, sectors: 4194304, serial: APM00000000a}}
vms:
  - name: backup01
    host: esx1.lab
    power: "on"
    bios_uuid: 42394fdd-93f3-501a-8614-c6fa55f75468
    extra: {{scsi0.pciSlotNumber: "1184"}}
    disks: [{{flat: 85899345920}}, {{at: "scsi0:1", rdm: {BIG}}}, {{at: "scsi0:2", rdm: {SAN}}}]
"""


class Site:
    """The VM on the lab vCenter, and its guest."""

    def __init__(self, lab: Lab, vcenter: VcenterLab) -> None:
        self.lab, self.vcenter = lab, vcenter

    def vsphere(self, spec: ArgumentSpec, do: Any, **given: Any) -> dict[str, Any]:
        options = {
            "hostname": self.vcenter.host,
            "port": self.vcenter.port,
            "username": self.vcenter.username,
            "password": self.vcenter.password,
            "ca_path": self.vcenter.ca_path,
            **given,
        }
        validated = ArgumentSpecValidator(dict(spec.options), **spec.rules).validate(options)
        assert not validated.error_messages
        failure, result = result_of(do, ModuleCall(validated.validated_parameters))
        assert failure is None
        return result

    def disks(self) -> list[dict[str, Any]]:
        """The disks of Windows, joined to those of the VM."""
        mappings = self.vsphere(vsphere.RDM_INFO, vsphere.rdm_info)
        found: list[dict[str, Any]] = self.lab.disk_info(vm_disks=mappings)["disks"]
        return found


@pytest.fixture
def site(lab: Lab, vcenter: VcenterLab) -> Site:
    vcenter.world(WORLD)
    size = 5860533168 * 512
    contents = {
        "scsi0:0": Content(GUIDS[0], (Partition(1 << 20, 70 << 30, volume=OTHER.replace("b", "c"), letter="C"),), True),
        BIG: Content(GUIDS[1], (Partition(1 << 20, size - (2 << 20), volume=TARGET, letter="E"),)),
        SAN: Content(GUIDS[2], (Partition(1 << 20, 1 << 30, volume=OTHER, letter="F"),)),
    }
    tie = Tie(lab.guest, vcenter, "backup01", WORLD, contents)
    # Another disk that the policy left offline, and that nobody asked for.
    other = tie.guest.disks[2]
    other.offline, other.offline_reason, other.read_only = True, 1, True
    return Site(lab, vcenter)


def joined(disks: list[dict[str, Any]]) -> list[tuple[str | None, str | None]]:
    return [(disk["vm_disk"] and disk["vm_disk"]["address"], disk["joined_by"]) for disk in disks]


def test_only_the_recorded_disk_is_brought_online_after_a_conversion(site: Site) -> None:
    before = site.disks()
    assert joined(before) == [(None, None), ("scsi0:1", "serial"), ("scsi0:2", "serial")]
    assert (before[1]["sizes_agree"], before[1]["truncated_at_2_tib"]) == (False, True)
    [test] = site.lab.shadow_copy_test("E:")[1]["tests"]
    assert (test["state"], test["is_the_fault"]) == ("failed", True)
    recorded = before[1]["disk_id"]

    site.vsphere(
        changing_commands.RDM_COMPATIBILITY,
        changing_commands.rdm_compatibility,
        vm="backup01",
        disks=["scsi0:1"],
        power="shutdown",
    )
    after = site.disks()
    # Its inquiry is VMware's now, and the SAN policy takes it for a new disk.
    assert joined(after)[1:] == [("scsi0:1", "pci_slot_and_target"), ("scsi0:2", "serial")]
    assert [(disk["offline"], disk["read_only"]) for disk in after[1:]] == [(True, True), (True, True)]
    assert after[1]["disk_id"] == recorded
    assert site.lab.shadow_copy_test("E:")[1]["tests"][0]["code"] == "volume_not_found"

    failure, result = site.lab.disk(recorded)
    assert (failure, result["changed"]) == (None, True)
    assert result["disks"][0]["volumes"][0]["guid"] == TARGET
    healed = site.disks()
    assert [(disk["offline"], disk["read_only"]) for disk in healed[1:]] == [(False, False), (True, True)]
    assert (healed[1]["sizes_agree"], healed[1]["truncated_at_2_tib"]) == (True, False)
    assert site.lab.disk(recorded)[1]["changed"] is False
    [test] = site.lab.shadow_copy_test("E:", fail_on_failure=True)[1]["tests"]
    assert test["state"] == "succeeded"
