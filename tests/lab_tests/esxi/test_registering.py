# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How a VM comes to a host's list by its own file, and leaves it; and what a host tells of a disk's partition table."""

from __future__ import annotations

from esxi_shell import EsxiShell
from pyvmomi_client import SAN, Site

FOLDER = "/vmfs/volumes/san01/made here"
VMX = f"{FOLDER}/made here.vmx"
TEXT = """config.version = "8"
virtualHW.version = "10"
displayName = "made here"
guestOS = "other"
scsi0.present = "TRUE"
scsi0.virtualDev = "lsilogic"
sata0.present = "TRUE"
own.key = "kept"
"""


def write(shell: EsxiShell, text: str) -> None:
    """Puts a .vmx into a folder of its own."""
    done = shell.run(f"mkdir -p '{FOLDER}' && cat >'{VMX}'", stdin=text.encode())
    assert done.returncode == 0, done.stderr


def test_a_vm_is_registered_by_its_file_and_unregistered_without_losing_it(shell: EsxiShell, site: Site) -> None:
    write(shell, TEXT)
    assert shell.text(f"cat '{VMX}'") == TEXT
    vmid = shell.text(f"vim-cmd solo/registervm '{VMX}'").strip()
    assert vmid.isdecimal()
    assert "[san01] made here/made here.vmx" in shell.text("vim-cmd vmsvc/getallvms")
    assert shell.text(f"cat '{VMX}'") == TEXT
    made = site.lab.vm("made here")
    assert (made["moid"], made["power"], made["devices"]) == (f"vm-{vmid}", "poweredOff", [])
    hardware = shell.text(f"vim-cmd vmsvc/device.getdevices {vmid}")
    assert "vim.vm.device.VirtualLsiLogicController" in hardware
    assert "vim.vm.device.VirtualAHCIController" in hardware
    again = shell.run(f"vim-cmd solo/registervm '{VMX}'")
    assert again.stdout.startswith(b"(vim.fault.AlreadyExists)")
    mapping = f"{FOLDER}/x.vmdk"
    shell.text(f"vmkfstools -r /vmfs/devices/disks/{SAN}b '{mapping}'")
    shell.text(f"vim-cmd vmsvc/device.diskaddexisting {vmid} '{mapping}' 0 0 sata")
    assert 'own.key = "kept"' in shell.text(f"cat '{VMX}'")
    assert shell.text(f"vim-cmd vmsvc/unregister {vmid}") == ""
    assert "made here" not in shell.text("vim-cmd vmsvc/getallvms")
    assert 'sata0:0.fileName = "x.vmdk"' in shell.text(f"cat '{VMX}'")
    shell.text(f"vmkfstools -U '{mapping}' && rm '{VMX}' && rmdir '{FOLDER}'")
    assert not [file for file in site.lab.state()["files"] if "made here" in file["path"]]


def test_a_file_that_is_no_vm_of_this_host_is_not_registered(shell: EsxiShell) -> None:
    assert shell.run(f"vim-cmd solo/registervm '{FOLDER}/none.vmx'").stdout.startswith(b"(vim.fault.FileNotFound)")
    write(shell, TEXT.replace('"10"', '"99"'))
    assert shell.run(f"vim-cmd solo/registervm '{VMX}'").stdout.startswith(b"(vim.fault.InvalidVmConfig)")
    assert b"Insufficient arguments" in shell.run("vim-cmd solo/registervm").stderr
    shell.text(f"rm '{VMX}' && rmdir '{FOLDER}'")


def test_the_partition_table_of_a_disk(shell: EsxiShell) -> None:
    empty = shell.text(f"partedUtil getptbl /vmfs/devices/disks/{SAN}b").splitlines()
    assert empty == ["unknown", f"{4194304000 // (255 * 63)} 255 63 4194304000"]
    used = shell.text(f"partedUtil getptbl /vmfs/devices/disks/{SAN}d").splitlines()
    assert used[0] == "gpt"
    assert used[2].startswith("1 2048 ")
    gone = shell.run("partedUtil getptbl /vmfs/devices/disks/naa.none")
    assert (gone.returncode, gone.stdout) == (255, b"")
    assert shell.run(f"partedUtil mklabel /vmfs/devices/disks/{SAN}b gpt").returncode != 0
