# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of a rehearsal: what was written is read again, and nothing else is taken for one."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Controller,
    Disk,
    DiskKind,
    Power,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.record import (
    Record,
    from_text,
    own_file,
    record_of,
    to_text,
    why_not_removed,
)

UUID = "5004aaaa-0000-4000-8000-00000000000a"
RECORD = Record("0123456789abcdef" * 2, UUID, "naa.6", 1000.0)
MACHINE = VirtualMachine(
    "vm-1", "x", "/DC/vm/x", Power.OFF, UUID.upper(), vmx_path="[s] x/x.vmx", rehearsal=to_text(RECORD)
)
OWN = "[s] x/rehearsal-physical.vmdk"


@given(st.text(min_size=1), st.text(), st.floats(0, 2**40))
def test_what_was_written_is_read(uuid: str, lun: str, lease: float) -> None:
    record = Record("a" * 32, uuid, lun, lease)
    assert from_text(to_text(record)) == record


LEAVES = st.none() | st.booleans() | st.floats() | st.text(max_size=5)
KEYS = st.sampled_from(["format", "run", "instance_uuid", "lun", "lease", "x"])


@given(st.recursive(LEAVES, lambda one: st.lists(one, max_size=3) | st.dictionaries(KEYS, one), max_leaves=5))
def test_anything_else_is_none(value: object) -> None:
    assert from_text(json.dumps(value)) is None


@pytest.mark.parametrize(
    "change",
    [
        {"format": 2},
        {"run": "A" * 32},
        {"run": 3},
        {"lease": "1"},
        {"lease": True},
        {"lease": None},
        {"more": 1},
        {"lun": None},
    ],
)
def test_one_wrong_member_is_none(change: dict[str, object]) -> None:
    assert from_text(json.dumps({**json.loads(to_text(RECORD)), **change})) is None


@pytest.mark.parametrize("text", ["Infinity", "NaN", "1e999"])
def test_a_lease_that_is_no_number_is_none(text: str) -> None:
    assert from_text(to_text(RECORD).replace("1000.0", text)) is None


def test_a_clone_has_no_record_of_its_own() -> None:
    assert record_of(MACHINE) == RECORD
    assert record_of(replace(MACHINE, instance_uuid="5004bbbb-0000-4000-8000-00000000000b")) is None
    assert record_of(replace(MACHINE, instance_uuid=None)) is None


@pytest.mark.parametrize(("now", "lives"), [(999.0, True), (1000.0, False), (939.0, False), (940.0, True)])
def test_a_lease_further_ahead_than_one_is_nobodys(now: float, lives: bool) -> None:
    assert RECORD.is_live_at(now) is lives


@pytest.mark.parametrize(
    ("file", "own"),
    [
        (OWN, True),
        ("[s] x/other.vmdk", False),
        ("[s] y/rehearsal-physical.vmdk", False),
        ("[t] x/rehearsal-physical.vmdk", False),
        ("[s] x/sub/rehearsal-physical.vmdk", False),
        ("[s] x/rehearsal-physical.vmx", False),
        ("", False),
    ],
)
def test_only_files_so_called_in_its_folder_are_its_own(file: str, own: bool) -> None:
    assert own_file(MACHINE, file) is own
    assert not own_file(replace(MACHINE, vmx_path=None), file)
    assert not own_file(replace(MACHINE, vmx_path="[s] x.vmx"), "[s] rehearsal-physical.vmdk")


DISK = Disk(2000, "d", "scsi0:0", 0, Controller(1000, "scsi", "lsilogic", 0), OWN, DiskKind.MAPPING)


@pytest.mark.parametrize(
    ("machine", "files", "why"),
    [
        (replace(MACHINE, disks=(DISK,)), [OWN], None),
        (MACHINE, [], None),
        (MACHINE, None, "its folder could not be read"),
        (MACHINE, ["[s] x/else.vmdk"], "its folder holds [s] x/else.vmdk, which no rehearsal made"),
        (replace(MACHINE, power=None), [], "it is not powered off"),
        (replace(MACHINE, power=Power.SUSPENDED), [], "it is not powered off"),
        (replace(MACHINE, has_snapshots=True), [], "it has snapshots"),
        (replace(MACHINE, has_snapshots=None), [], "it could not be read in full"),
        (replace(MACHINE, template=None), [], "it could not be read in full"),
        (replace(MACHINE, disks_known=False), [], "it could not be read in full"),
        (replace(MACHINE, vmx_path=None), [], "it could not be read in full"),
        (replace(MACHINE, disks=(replace(DISK, kind=DiskKind.OTHER),)), [], "which no rehearsal gave it"),
        (replace(MACHINE, disks=(replace(DISK, parents=(OWN,)),)), [], "which no rehearsal gave it"),
    ],
)
def test_what_is_not_known_to_be_a_rehearsals_is_not_removed(
    machine: VirtualMachine, files: list[str] | None, why: str | None
) -> None:
    reason = why_not_removed(machine, files)
    assert (reason is None) == (why is None)
    assert why is None or why in (reason or "")
