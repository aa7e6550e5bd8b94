"""Commands for a person are words of a shell, whatever the names."""

from __future__ import annotations

import shlex
import subprocess
from dataclasses import replace

from hypothesis import example, given, settings
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.backend import ExistingMapping, NewMapping, Place
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.device_steps import Edit, Swap
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility, Host
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.recovery import quoted, recovery_commands
from ansible_collections.winbackup.storage.tests.unit.helpers.host_in_memory import lun, machine

_LUN = lun(1)
_VM = machine("it's 100%", [_LUN])
_DISK = _VM.disks[0]


def test_a_mapping_that_is_to_be_made_is_made_between_detaching_and_attaching() -> None:
    new = NewMapping("[ds] it's $(x)/d.vmdk", _LUN, Compatibility.PHYSICAL, None)
    commands = recovery_commands(_VM, Host("h", "esx 1", "8", "connected"), Swap(_DISK, new, Place.of(_DISK)))
    assert commands[0] == "# In a shell of esx 1 (SSH), with it's 100% powered off:"
    assert shlex.split(commands[1].split("|")[1]) == ["grep", "-F", "[san] it's 100%/it's 100%.vmx"]
    assert commands[2] == "vim-cmd vmsvc/device.diskremove $vmid 0 0 n scsi"
    file = "/vmfs/volumes/ds/it's $(x)/d.vmdk"
    assert shlex.split(commands[3]) == ["vmkfstools", "-z", f"/vmfs/devices/disks/{_LUN.canonical_name}", file]
    assert shlex.split(commands[4]) == ["vim-cmd", "vmsvc/device.diskaddexisting", "$vmid", file, "0", "0", "scsi"]


def test_where_nothing_hangs_the_old_mapping_is_only_attached() -> None:
    commands = recovery_commands(_VM, None, Swap(None, ExistingMapping("[ds] a/d.vmdk", None), Place.of(_DISK)))
    assert [command.split()[1] for command in commands[2:]] == ["vmsvc/device.diskaddexisting"]


@example("-\ud7fc")
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1))
@settings(max_examples=60)
def test_a_word_is_one_line_and_means_what_it_is(text: str) -> None:
    word = quoted(text + ".")
    assert len(word.splitlines()) == 1
    said = subprocess.run(["sh", "-c", f"printf %s {word}"], capture_output=True, check=True, timeout=10).stdout
    assert said.decode() == text + "."


def test_a_name_with_a_line_end_begins_no_command() -> None:
    vm = replace(_VM, name="a\nreboot\u2028x", vmx_path="[san] a\nreboot/a.vmx")
    host = Host("h", "esx\r\nhalt", "8", "connected")
    disk = replace(_DISK, label="Hard disk\n1")
    commands = [
        *recovery_commands(vm, host, Swap(disk, ExistingMapping("[ds] a\nb/d.vmdk", None), Place.of(disk))),
        *recovery_commands(vm, host, Edit(disk)),
    ]
    for command in commands:
        assert len(command.splitlines()) == 1, command


def test_a_disk_mode_is_set_in_the_client() -> None:
    assert recovery_commands(_VM, None, Edit(_DISK)) == (
        "# In the vSphere client: set the disk mode of Hard disk 1 of it's 100% to independent_persistent.",
    )
