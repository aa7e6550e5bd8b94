# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Of two records of one disk, in the VM's settings and in a file beside it, both ways see the same one."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    DiskJournal,
    JournalEntry,
    RecordedLun,
    UnreadableJournal,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_places import (
    Records,
    address_of_record_file,
    record_file,
    texts_to_write,
    with_records_of_both,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_text import (
    NotAJournal,
    from_text,
    read_journal,
    whole_text,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import (
    Compatibility,
    Power,
    VirtualMachine,
)
from ansible_collections.winbackup.storage.tests.unit.helpers.host_in_memory import lun, machine

AT = "scsi0:1"
VM = machine("vm", [lun(1)])
OWN = VM.instance_uuid or ""
LUN = RecordedLun("naa.1", "vml.1", 512)
VMX = "/vmfs/volumes/uuid/it's a [vm]/it's a [vm].vmx"


def entry(run: str) -> JournalEntry:
    file = "/vmfs/volumes/uuid/vm/d.vmdk"
    modes = (Compatibility.VIRTUAL, Compatibility.PHYSICAL)
    return JournalEntry(run, 1.0, "begun", AT, *modes, file, file, LUN, Power.OFF)


def record(sequence: int, run: str | None = None, vm: str = OWN) -> DiskJournal:
    return DiskJournal(vm, entry(run) if run is not None else None, (), sequence)


def seen_by(own: Records, elsewhere: Records) -> VirtualMachine:
    """Returns the VM as a shell sees it, whose own place are the files."""
    return with_records_of_both(VM, own, elsewhere, files=own)


records = st.builds(record, st.integers(0, 3), st.none() | st.sampled_from("abc"))


@given(records, records)
def test_both_ways_see_one_record_whichever_is_their_own(one: DiskJournal, other: DiskJournal) -> None:
    seen = seen_by({AT: one}, {AT: other}).journal[AT]
    assert seen == seen_by({AT: other}, {AT: one}).journal[AT]
    assert isinstance(seen, DiskJournal)
    assert seen.sequence == max(one.sequence, other.sequence)


def test_of_two_claims_at_once_the_smaller_id_has_it() -> None:
    seen = seen_by({AT: record(4, "b")}, {AT: record(4, "a")})
    assert seen.journal[AT] == record(4, "a")


def test_another_vms_open_record_is_not_hidden_and_a_closed_one_hides_nothing() -> None:
    own, clone = record(1, "a"), record(9, "b", "another vm")
    assert seen_by({AT: own}, {AT: clone}).journal[AT] == clone
    over = replace(clone, entry=None)
    assert seen_by({AT: over}, {AT: own}).journal[AT] == own
    assert seen_by({AT: own}, {AT: over}).journal[AT] == own


def test_that_an_old_mapping_may_be_gone_counts_only_where_the_shell_wrote_it() -> None:
    """More people may write a setting of the VM than a file beside it, or make a mapping of a LUN."""
    told = replace(entry("a"), one_at_a_time=True)
    setting, file = DiskJournal(OWN, told, (), 5), DiskJournal(OWN, replace(told, run="b"), (), 4)
    other_lun = replace(file, entry=replace(told, lun=RecordedLun("naa.2", "vml.2", 512)))
    for files, believed in (({AT: file}, True), ({}, False), ({AT: record(4, "b")}, False), ({AT: other_lun}, False)):
        over_api = with_records_of_both(VM, {AT: setting}, files, files=files).journal[AT]
        over_ssh = with_records_of_both(VM, files, {AT: setting}, files=files).journal[AT]
        assert over_api == over_ssh == replace(setting, entry=replace(told, one_at_a_time=believed))


def test_one_that_cannot_be_read_counts() -> None:
    broken = read_journal(AT, "{")
    assert isinstance(broken, UnreadableJournal)
    assert seen_by({AT: record(9)}, {AT: broken}).journal[AT] == broken


def test_each_writing_counts_one_up_from_the_later_of_both() -> None:
    seen = seen_by({AT: record(2, "a")}, {AT: record(7, "b")})
    text = texts_to_write(seen, {AT: record(2, "a")})[AT]
    assert text is not None
    assert from_text(text).sequence == 8


def test_one_that_is_over_is_removed_or_where_the_other_place_has_one_written_down_as_that() -> None:
    alone = seen_by({AT: record(2, "a")}, {})
    assert texts_to_write(alone, {AT: record(2)}) == {AT: None}
    assert texts_to_write(alone, {AT: None}) == {AT: None}
    twice = seen_by({}, {AT: record(2, "a")})
    text = texts_to_write(twice, {AT: record(2)})[AT]
    assert text is not None
    later = from_text(text)
    assert (later.sequence, later.entry, later.kept) == (3, None, ())
    assert seen_by({AT: later}, {AT: record(2, "a")}).journal[AT] == later


@pytest.mark.parametrize("sequence", [-1, 2**53, "1", 1.5, True, None])
def test_a_forged_number_of_writings_is_no_record(sequence: object) -> None:
    data = {**json.loads(whole_text(record(1, "a"))), "sequence": sequence}
    with pytest.raises(NotAJournal):
        from_text(json.dumps(data))


def test_the_file_of_a_record_is_known_by_its_name() -> None:
    path = record_file(VMX, AT)
    assert path == "/vmfs/volumes/uuid/it's a [vm]/it's a [vm].winbackup.storage.rdm.scsi0:1.json"
    assert address_of_record_file(VMX, path) == AT
    assert address_of_record_file(VMX, path.replace("it's a [vm].win", "other.win")) is None
    assert address_of_record_file(VMX, path + ".bak") is None
