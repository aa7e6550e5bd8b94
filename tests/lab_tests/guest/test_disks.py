# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The disks of the lab's Windows machines, read by a client that knows nothing of the lab."""

from __future__ import annotations

import pytest
from guest.disks import CYLINDER, POLICY, Disk, Partition
from guest.guest import Guest
from pypsrp_client import RemoteGuest

STORAGE = "-Namespace 'root/Microsoft/Windows/Storage'"
VOLUME = "a59dcd66-5963-4ba8-995c-915935cb8654"
DISK_ID = "{0d6c9a2c-5b0e-4f7e-9d3f-1f7f3b7b2c11}"


def read(remote: RemoteGuest, class_name: str, *names: str, namespace: str = "") -> list[list[str]]:
    """The named properties of the instances of a class."""
    row = " + '|' + ".join(f"[string]$one.{name}" for name in names)
    script = f"foreach ($one in Get-CimInstance -ClassName {class_name} {namespace}) {{\n    {row}\n}}"
    return [line.split("|") for line in remote.run(script)]


@pytest.mark.parametrize(("size", "shown"), [(53687091200, 53686402560), (137438953472, 137436203520)])
def test_sizes_by_interface(remote: RemoteGuest, size: int, shown: int) -> None:
    remote.guest = Guest()
    remote.guest.disks = [Disk(0, size)]
    assert read(remote, "Win32_DiskDrive", "Size") == [[str(shown)]]
    assert read(remote, "MSFT_Disk", "Size", namespace=STORAGE) == [[str(size)]]


def test_a_disk_whose_length_a_driver_reads_in_32_bits(remote: RemoteGuest) -> None:
    size = 5_860_533_168 * 512
    remote.guest = Guest()
    remote.guest.disks = [Disk(1, size, wmi_size=size % 2**41)]
    [[shown]] = read(remote, "Win32_DiskDrive", "Size")
    assert int(shown) == 801_569_726_464 // CYLINDER * CYLINDER
    assert read(remote, "MSFT_Disk", "Size", namespace=STORAGE) == [[str(size)]]


def test_a_dynamic_disk_is_not_among_those_of_the_storage_classes(remote: RemoteGuest) -> None:
    remote.guest = Guest()
    volume = Partition(1 << 20, 10 << 30, volume=VOLUME, letter="E")
    remote.guest.disks = [Disk(0, 50 << 30), Disk(1, 60 << 30, target=1, dynamic=True, partitions=[volume])]
    assert read(remote, "Win32_DiskDrive", "Index", "SCSITargetId") == [["0", "0"], ["1", "1"]]
    assert read(remote, "MSFT_Disk", "Number", namespace=STORAGE) == [["0"]]
    assert read(remote, "MSFT_Partition", "DiskNumber", namespace=STORAGE) == []
    assert read(remote, "Win32_Volume", "DeviceID", "DriveLetter") == [[f"\\\\?\\Volume{{{VOLUME}}}\\", "E:"]]


def test_a_disk_that_is_new_to_the_machine_is_offline_and_read_only(remote: RemoteGuest) -> None:
    remote.guest = Guest()
    part = Partition(1 << 20, 10 << 30, "{1}", VOLUME, "E")
    disk = Disk(*(1, 50 << 30), disk_id=DISK_ID, offline=True, offline_reason=POLICY, read_only=True, partitions=[part])
    remote.guest.disks = [disk]
    names = ("IsOffline", "OfflineReason", "IsReadOnly", "Guid", "BusType", "PartitionStyle")
    assert read(remote, "MSFT_Disk", *names, namespace=STORAGE) == [["True", "1", "True", DISK_ID, "10", "2"]]
    assert read(remote, "MSFT_Partition", "Offset", "DriveLetter", namespace=STORAGE) == [[str(1 << 20), ""]]
    assert read(remote, "Win32_Volume", "DeviceID") == []
    disk.offline = disk.read_only = False
    assert read(remote, "MSFT_Disk", *names[:3], namespace=STORAGE) == [["False", "", "False"]]
    assert read(remote, "MSFT_Partition", "DriveLetter", namespace=STORAGE) == [["E"]]


def test_who_is_not_elevated_gets_empty_lists(remote: RemoteGuest) -> None:
    remote.guest = Guest(elevated=False)
    remote.guest.disks = [Disk(0, 50 << 30)]
    assert read(remote, "Win32_DiskDrive", "Index") == []
    assert read(remote, "MSFT_Disk", "Number", namespace=STORAGE) == []


def test_a_class_that_the_lab_does_not_have_is_named(remote: RemoteGuest) -> None:
    remote.guest = Guest()
    process = remote.process("Get-CimInstance -ClassName Win32_Tape")
    assert process.rc == 1
    assert b"Win32_Tape" in process.stderr
