# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""windows_disk_info on the lab's Windows machines: every profile, what is not there, what is not shown."""

from __future__ import annotations

from typing import Any

import pytest
from guest.disks import POLICY, Disk, Partition
from guest.guest import Guest

from .conftest import Lab, codes

VOLUME = "a59dcd66-5963-4ba8-995c-915935cb8654"
DISK_ID = "0d6c9a2c-5b0e-4f7e-9d3f-1f7f3b7b2c11"
BRACED = f"{{{DISK_ID.upper()}}}"
UUID = "42394fdd-93f3-501a-8614-c6fa55f75468"
TB3 = 5_860_533_168 * 512
SYSTEM = Disk(0, 80 << 30, style="MBR", disk_id="2712847316", boot=True)
VM = {"name": "backup01", "moid": "vm-1", "instance_uuid": "5029f6cd", "bios_uuid": UUID, "same_bios_uuid": []}


def data(**others: Any) -> Disk:
    """A data disk at target 1 with a volume E:."""
    part = Partition(1 << 20, 10 << 30, "{1}", VOLUME, "E", folder="E:\\folder\\")
    return Disk(**{"number": 1, "size": 3 << 40, "target": 1, "disk_id": BRACED, "partitions": [part], **others})


def disk_one(result: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = result["disks"][1]
    return found


@pytest.mark.parametrize("profile", ["2012R2", "2016", "2019", "2022", "10"])
def test_what_is_told_of_a_machine(lab: Lab, profile: str) -> None:
    lab.guest = Guest(profile, language="ja", san_policy="OfflineShared" if profile == "2016" else 2)
    lab.guest.disks = [SYSTEM, data(serial="6000c292a560cfee7485ca30dd209394 ", slot=161)]
    result = lab.disk_info()
    assert lab.operations() == ["Create", "Command", "Send", "Send", "Signal", "Delete"]
    assert result["machine"]["name"] == "SRV1"
    assert result["machine"]["bios_uuid"] == "DD4F3942-F393-1A50-8614-C6FA55F75468"
    assert result["machine"]["serial"] == "VMware-42 39 4f dd 93 f3 50 1a-86 14 c6 fa 55 f7 54 68"
    assert result["san_policy"] == "offline_shared"
    assert (result["findings"], result["summary"]) == (
        [],
        {"disks": 2, "offline": 0, "joined": 0, "complete": True},
    )
    first, second = result["disks"]
    assert (first["disk_id"], first["partition_style"], first["boot"]) == ("a1b2c3d4", "mbr", True)
    assert second["disk_id"] == DISK_ID
    assert second["scsi"] == {"port": 2, "bus": 0, "target": 1, "lun": 0}
    assert (second["pci_slot"], second["serial"]) == (161, "6000c292a560cfee7485ca30dd209394")
    [volume] = second["volumes"]
    assert (volume["guid"], volume["letter"], volume["mount_points"]) == (VOLUME, "E:", ["E:\\", "E:\\folder\\"])
    assert (second["sizes_agree"], second["truncated_at_2_tib"]) == (True, False)


def test_disk_management_and_diskpart_disagree(lab: Lab) -> None:
    """A size that something below Windows keeps in 32 bits, as the story has it."""
    lab.guest.disks = [SYSTEM, data(size=TB3, wmi_size=TB3 % 2**41)]
    disk = disk_one(lab.disk_info())
    assert (disk["size_bytes"]["disk"], disk["size_bytes"]["wmi"]) == (TB3, 801_569_726_464 // 8_225_280 * 8_225_280)
    assert (disk["sizes_agree"], disk["truncated_at_2_tib"]) == (False, True)
    assert codes(disk) == ["disk_sizes_differ", "disk_truncated_at_2_tib"]
    assert "storage stack sees two sizes" in disk["findings"][0]["message"]


def test_sizes_that_windows_keeps_are_updated_first(lab: Lab) -> None:
    lab.guest.disks = [SYSTEM, data(kept_size=2 << 40)]
    assert disk_one(lab.disk_info())["sizes_agree"] is True
    lab.guest.disks[1].kept_size = 2 << 40
    lab.guest.refusing = {"update-hoststoragecache"}
    result = lab.disk_info()
    assert codes(result) == ["unreadable"]
    assert "sizes may be old" in result["findings"][0]["message"]
    assert result["summary"]["complete"] is False


def test_an_offline_disk(lab: Lab) -> None:
    lab.guest.disks = [SYSTEM, data(offline=True, offline_reason=POLICY, read_only=True)]
    disk = disk_one(lab.disk_info())
    assert (disk["offline"], disk["offline_reason"], disk["read_only"]) == (True, "policy", True)
    # It has volumes, of which Windows tells nothing.
    assert disk["volumes"] is None
    assert codes(disk) == ["disk_offline"]
    lab.guest.disks[1].offline_reason = 12
    assert disk_one(lab.disk_info())["offline_reason"] == "unknown"


def test_a_dynamic_disk_is_listed_and_its_volumes_are_not_placed(lab: Lab) -> None:
    lab.guest.disks = [SYSTEM, data(dynamic=True)]
    result = lab.disk_info()
    disk = disk_one(result)
    assert (disk["dynamic"], disk["offline"], disk["volumes"], disk["size_bytes"]["disk"]) == (True, None, None, None)
    assert disk["size_bytes"]["wmi"] == (3 << 40) // 8_225_280 * 8_225_280
    assert [volume["guid"] for volume in result["other_volumes"]] == [VOLUME]
    assert result["summary"]["complete"] is True


def test_a_member_of_a_storage_pool_a_cluster_node_and_mpio(lab: Lab) -> None:
    lab.guest.disks = [
        SYSTEM,
        data(pooled=True),
        Disk(2, 1 << 40, clustered=True, target=2, bus="FC"),
        Disk(3, 1 << 40, multipath=True, numberless=True, target=3, bus="iSCSI"),
    ]
    result = lab.disk_info()
    _system, pooled, clustered, multipath = result["disks"]
    assert (pooled["storage_pool"], pooled["dynamic"], pooled["offline"]) == (True, False, None)
    assert (clustered["clustered"], clustered["bus_type"]) == (True, "fibre_channel")
    # Its row in the Storage classes has no number, and is known by the name of the device.
    assert (multipath["multipath"], multipath["pci_slot"], multipath["bus_type"]) == (True, None, "iscsi")


def test_a_session_without_an_elevated_token_is_no_machine_without_disks(lab: Lab) -> None:
    lab.guest = Guest(elevated=False)
    lab.guest.disks = [SYSTEM, data()]
    failure, result = lab.try_disk_info()
    assert failure is not None
    assert "Windows lists no disk at all on SRV1" in failure
    assert "elevated token" in failure
    assert result == {"changed": False}


def test_constrained_language_is_named(lab: Lab) -> None:
    lab.guest = Guest(language_mode="ConstrainedLanguage")
    failure, _result = lab.try_disk_info()
    assert failure is not None
    assert "Constrained Language" in failure


@pytest.mark.parametrize(
    ("refused", "part", "nulls"),
    [
        ("msft_disk", "MSFT_Disk", ["offline", "dynamic", "read_only", "clustered", "volumes"]),
        ("msft_partition", "the partitions", ["volumes", "dynamic"]),
        ("msft_physicaldisk", "MSFT_PhysicalDisk", ["storage_pool"]),
        ("win32_volume", "the volumes", ["volumes"]),
    ],
)
def test_what_windows_refuses_is_null_and_said(lab: Lab, refused: str, part: str, nulls: list[str]) -> None:
    lab.guest.disks = [SYSTEM, data()]
    lab.guest.refusing = {refused}
    result = lab.disk_info()
    assert codes(result) == ["unreadable"]
    assert part in result["findings"][0]["message"]
    assert {name: disk_one(result)[name] for name in nulls} == dict.fromkeys(nulls)
    assert result["summary"]["complete"] is False


def test_a_san_policy_that_is_not_told(lab: Lab) -> None:
    lab.guest.disks = [SYSTEM]
    lab.guest.refusing = {"get-storagesetting"}
    assert lab.disk_info()["san_policy"] is None
    lab.guest = Guest(san_policy=9)
    lab.guest.disks = [SYSTEM]
    assert lab.disk_info()["san_policy"] == "unknown"


def mapping(address: str, unit: int, **others: Any) -> dict[str, Any]:
    """A mapping as rdm_info returns it."""
    controller = {"type": "scsi", "bus": 0, "model": "pvscsi", "pci_slot_number": 1184}
    return {
        "vm": VM,
        "address": address,
        "unit": unit,
        "controller": controller,
        "file": f"[ds] backup01/{unit}.vmdk",
        "compatibility": "physical",
        "capacity_bytes": 3 << 40,
        "lun": {"serial": "ZVTBXN1D", "canonical_name": "t10.ATA_____ST3000"},
        "guest_paths": None,
        **others,
    }


def test_the_disk_of_the_vm(lab: Lab) -> None:
    lab.guest.disks = [SYSTEM, data(serial="            ZVTBXN1D")]
    result = lab.disk_info(vm_disks={"rdms": [mapping("scsi0:1", 1)]})
    disk = disk_one(result)
    assert (disk["vm_disk"]["address"], disk["vm_disk"]["vm"], disk["joined_by"]) == ("scsi0:1", "backup01", "serial")
    assert disk["vm_disk"]["lun"]["serial"] == "ZVTBXN1D"
    assert result["summary"]["joined"] == 1
    # The system disk is no mapping, and is none of the candidates.
    assert (result["disks"][0]["vm_disk"], result["disks"][0]["vm_disk_candidates"]) == (None, [])


def test_what_is_no_answer_of_rdm_info_is_refused_before_anything_is_read(lab: Lab) -> None:
    failure, _result = lab.try_disk_info(vm_disks="backup01")
    assert failure is not None
    assert "vm_disks is not the answer of rdm_info" in failure
    assert lab.operations() == []
