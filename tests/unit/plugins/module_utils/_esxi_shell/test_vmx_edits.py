# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is set in a .vmx is read there again, and every other line stays as it is."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.system_use import (
    dump_devices,
    vsan_devices,
)
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.vmx import vmx_settings
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.vmx_edits import (
    boot_settings,
    disk_settings,
    with_settings,
)
from ansible_collections.winbackup.storage.tests.unit.helpers.host_in_memory import lun, machine

VM = machine("vm", [lun(1), lun(2)])
TEXT = '.encoding = "UTF-8"\nscsi0:0.MODE = "independent-persistent"\n# a comment\nscsi0:1.fileName = "x.vmdk"\n'


@given(st.text(st.characters(codec="utf-8", exclude_categories=("Cc",)), max_size=40), st.integers(0, 2**40))
def test_what_is_set_is_read_again(value: str, number: int) -> None:
    text = with_settings(TEXT, {"displayName": value, "sched.scsi0:1.shares": str(number), "scsi0:0.mode": None})
    settings = vmx_settings(text)
    assert (settings["displayname"], settings["sched.scsi0:1.shares"]) == (value, str(number))
    assert "scsi0:0.mode" not in settings
    assert [line for line in text.split("\n") if line in TEXT.split("\n")] == [
        TEXT.split("\n")[n] for n in (0, 2, 3, 4)
    ]


def test_a_disk_as_the_host_has_it_by_itself_has_no_settings() -> None:
    disk = replace(VM.disks[0], disk_mode="persistent", shares_level="normal", shares=1000, io_limit=-1)
    assert set(disk_settings(disk).values()) == {None}
    other = replace(disk, disk_mode="independent_persistent", shares_level="custom", shares=1500, io_limit=4000)
    assert disk_settings(other) == {
        "scsi0:0.mode": "independent-persistent",
        "sched.scsi0:0.shares": "1500",
        "sched.scsi0:0.throughputCap": "4000",
    }


def test_the_order_of_the_disks_leaves_other_devices_where_they_are() -> None:
    order = ("cdrom", "scsi0:1", "scsi0:0", "scsi9:9")
    assert boot_settings(VM, order, 'bios.bootOrder = "cdrom,hdd"\n') == {
        "bios.bootOrder": "cdrom,hdd",
        "bios.hddOrder": "scsi0:1,scsi0:0",
    }
    assert boot_settings(VM, ("scsi0:1",), "") == {"bios.bootOrder": "hdd", "bios.hddOrder": "scsi0:1"}


DUMPS = """Name                 Path                                     Active  Configured
-------------------  ---------------------------------------  ------  ----------
naa.600508b1001c:7   /vmfs/devices/disks/naa.600508b1001c:7     true        true
"""


def test_what_a_host_uses_itself() -> None:
    assert dump_devices(DUMPS) == {"naa.600508b1001c"}
    assert dump_devices("") == frozenset()
    assert dump_devices("Error: Unknown command or namespace system coredump\n") is None
    assert vsan_devices("naa.1\n   Device: naa.1\n   Is SSD: true\n") == {"naa.1"}
    assert vsan_devices("") == frozenset()
    assert vsan_devices("Unable to find vSAN.\n") is None


@given(st.text())
def test_no_text_breaks_them(text: str) -> None:
    for read in (dump_devices, vsan_devices):
        assert read(text) is None or isinstance(read(text), frozenset)
