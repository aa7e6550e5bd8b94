"""The record of a conversion survives being written and read, and anything else is refused."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.host_lun import HostLun, LunFacts
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    DiskJournal,
    JournalEntry,
    KeptMapping,
    RecordedLun,
    UnreadableJournal,
    from_volume_path,
    to_volume_path,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_text import (
    NotAJournal,
    from_text,
    read_journal,
    to_text,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility, Datastore, Power

LUNS = st.builds(
    RecordedLun,
    canonical_name=st.text(min_size=1),
    vml=st.text(),
    capacity_bytes=st.integers(min_value=1, max_value=2**66),
    serial=st.none() | st.text(),
    host=st.none() | st.text(min_size=1),
)
OPEN = st.builds(
    JournalEntry,
    run=st.text(),
    lease=st.floats(min_value=0, max_value=1e11),
    step=st.text(),
    address=st.text(),
    wanted=st.sampled_from(Compatibility),
    old_mode=st.sampled_from(Compatibility),
    old_file=st.text(),
    new_file=st.text(),
    lun=LUNS,
    power_before=st.sampled_from(Power),
    disk_mode=st.none() | st.text(),
    old_disk_mode=st.none() | st.text(),
    boot_order=st.lists(st.text()).map(tuple),
    label=st.text(),
    shares=st.none() | st.integers(),
)
NOTES = st.builds(
    KeptMapping,
    address=st.text(),
    old_file=st.text(),
    mode=st.sampled_from(Compatibility),
    lun=LUNS,
    disk_uuid=st.none() | st.text(),
)
RECORDS = st.builds(DiskJournal, machine=st.text(), entry=st.none() | OPEN, kept=st.lists(NOTES).map(tuple))


@given(RECORDS)
def test_a_record_is_read_as_it_was_written(record: DiskJournal) -> None:
    text = to_text(record)
    if record.entry is None and not record.kept:
        assert text is None
    else:
        assert text is not None
        assert text.isascii()
        assert from_text(text) == record


@given(RECORDS.filter(lambda record: record.entry is not None or record.kept), st.data())
def test_a_record_with_a_member_missing_is_unreadable(record: DiskJournal, data: st.DataObject) -> None:
    whole = json.loads(to_text(record) or "")
    whole.pop(data.draw(st.sampled_from(["format", "machine", "open", "notes"])))
    with pytest.raises(NotAJournal):
        from_text(json.dumps(whole))


@given(st.text() | st.recursive(st.none() | st.booleans() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_any_other_text_is_unreadable_and_never_crashes(text: str) -> None:
    with pytest.raises(NotAJournal):
        from_text(text)


@pytest.mark.parametrize(
    "change",
    [
        {"wanted": "both"},
        {"lease": "soon"},
        {"lun": {}},
        {"old_file": 7},
        {"power_before": None},
        {"label": 7},
        {"disk_mode": ["x"]},
        {"shares": "many"},
        {"shares": ""},
        {"sharing": 0},
        {"shares": 1.5},
        {"io_limit": True},
        {"lun": {"canonical_name": "naa.1", "vml": None, "capacity_bytes": 1}},
        {"lease": True},
        {"label": "\ud800"},
        {"lun": {"canonical_name": "naa.1", "vml": "v", "capacity_bytes": "1"}},
        {"boot_order": [1]},
    ],
)
def test_a_record_with_a_value_of_the_wrong_kind_is_unreadable(change: dict[str, object]) -> None:
    lun = RecordedLun("naa.1", "vml.02", 512)
    record = JournalEntry(
        "r", 1, "begun", "scsi0:1", Compatibility.VIRTUAL, Compatibility.PHYSICAL, "a", "b", lun, Power.OFF
    )
    whole = json.loads(to_text(DiskJournal("u", record)) or "")
    whole["open"].update(change)
    with pytest.raises(NotAJournal):
        from_text(json.dumps(whole))


OLD, NEW = "/vmfs/volumes/u-1/vm/a.vmdk", "/vmfs/volumes/u-1/vm/b.vmdk"


def _entry(address: str = "scsi0:1", lease: float = 1) -> JournalEntry:
    lun = RecordedLun("naa.1", "vml.02", 512)
    return JournalEntry(
        "r", lease, "begun", address, Compatibility.VIRTUAL, Compatibility.PHYSICAL, OLD, NEW, lun, Power.OFF
    )


BYTES = st.binary().map(lambda data: data.decode("utf-8", "surrogateescape"))
NUMBERS = st.sampled_from(
    ["1e999", "-1e999", "NaN", "Infinity", "9" * 400, "9" * 5000, "-0", "null", '"\\ud800"', "[[[]]]"]
)


@given(st.text() | BYTES, st.text() | BYTES)
def test_any_bytes_are_a_record_or_unreadable_with_the_name_of_the_key(address: str, text: str) -> None:
    read = read_journal(address, text)
    assert isinstance(read, UnreadableJournal)
    assert read.key == f"winbackup.storage.rdm.{address}"
    assert read.why


@pytest.mark.parametrize("opening", ["[", '{"open":', '{"format":1,"machine":"u","notes":['])
def test_a_text_nested_deep_is_unreadable(opening: str) -> None:
    assert isinstance(read_journal("scsi0:1", opening * 100_000), UnreadableJournal)


@given(st.data(), NUMBERS)
def test_any_value_in_any_place_of_a_record_is_one_or_unreadable(data: st.DataObject, value: str) -> None:
    text = to_text(DiskJournal("u", _entry(), (KeptMapping("scsi0:1", OLD, Compatibility.PHYSICAL, _entry().lun),)))
    whole = json.loads(text or "")
    parts = [whole, whole["open"], whole["open"]["lun"], whole["notes"][0], whole["notes"][0]["lun"]]
    part = data.draw(st.sampled_from(parts))
    part[data.draw(st.sampled_from(sorted(part)))] = "PLACE"
    assert isinstance(
        read_journal("scsi0:1", json.dumps(whole).replace('"PLACE"', value)), (DiskJournal, UnreadableJournal)
    )


@pytest.mark.parametrize(
    "path",
    ["", "x.vmdk", "[san] x/y.vmdk", "/vmfs/volumes/u", "/vmfs/volumes/u/a/../b/x.vmdk", "/vmfs/volumes/u//x.vmdk",
     "/vmfs/volumes/u/a/x.vmdk\n", "/etc/passwd", "/vmfs/volumes/../../etc/passwd"],
)  # fmt: skip
def test_a_record_that_names_no_path_below_the_volumes_is_unreadable(path: str) -> None:
    for entry in (replace(_entry(), old_file=path), replace(_entry(), new_file=path)):
        read = read_journal("scsi0:1", to_text(DiskJournal("u", entry)) or "")
        assert isinstance(read, UnreadableJournal)
        assert "no path below /vmfs/volumes" in read.why


@pytest.mark.parametrize(
    "settings",
    [{"sharing": "everybody"}, {"shares_level": "turbo"}, {"shares": 2**63}, {"io_limit": -2},
     {"io_reservation": 2**70}, {"boot_order": ("ethernet:x",)}, {"boot_order": ("scsi0:0", "cd\nrom")},
     {"lun": RecordedLun("naa.1", "vml.02", 2**64)}],
)  # fmt: skip
def test_a_record_with_settings_that_no_disk_can_have_is_unreadable(settings: dict[str, Any]) -> None:
    read = read_journal("scsi0:1", to_text(DiskJournal("u", replace(_entry(), **settings))) or "")
    assert isinstance(read, UnreadableJournal)
    assert read.why == "it names settings that no disk can have"


def test_a_record_with_an_endless_lease_is_unreadable() -> None:
    for lease in (float("inf"), float("nan")):
        text = to_text(DiskJournal("u", _entry(lease=lease))) or ""
        assert isinstance(read_journal("scsi0:1", text), UnreadableJournal)


def test_a_record_whose_key_and_address_disagree_is_unreadable_and_says_its_key() -> None:
    text = to_text(DiskJournal("u", _entry("scsi0:1"))) or ""
    assert read_journal("scsi0:1", text) == DiskJournal("u", _entry("scsi0:1"))
    unreadable = read_journal("scsi0:2", text)
    assert isinstance(unreadable, UnreadableJournal)
    assert unreadable.key == "winbackup.storage.rdm.scsi0:2"


@pytest.mark.parametrize(
    ("lease", "live"),
    [(1000, False), (1001, True), (1060, True), (1061, False), (float("inf"), False), (float("nan"), False)],
)
def test_a_lease_that_no_run_could_have_written_is_dead(lease: float, live: bool) -> None:
    assert _entry(lease=lease).is_live_at(1000) is live


@given(
    folder=st.text(st.characters(exclude_characters="/]["), min_size=1),
    name=st.text(st.characters(exclude_characters="/"), min_size=1),
)
def test_a_file_keeps_its_name_on_the_way_to_a_volume_path_and_back(folder: str, name: str) -> None:
    stores = {"datastore-1": Datastore("datastore-1", "san, 月 %2f", "VMFS", "5f0-aa")}
    file = f"[san, 月 %2f] {folder}/{name}"
    path = to_volume_path(file, stores)
    assert path == f"/vmfs/volumes/5f0-aa/{folder}/{name}"
    assert from_volume_path(path, stores) == file


def test_two_datastores_of_one_name_are_told_apart_by_their_id() -> None:
    stores = {
        "datastore-1": Datastore("datastore-1", "local", "VMFS", "aaa"),
        "datastore-2": Datastore("datastore-2", "local", "VMFS", "bbb"),
    }
    assert to_volume_path("[local] x.vmdk", stores, frozenset({"datastore-2"})) == "/vmfs/volumes/bbb/x.vmdk"


def lun(host: str, name: str, size: int, durable: bool) -> HostLun:
    names = frozenset({name})
    facts = LunFacts(
        name, "02", "vml.02", "", f"/vmfs/devices/disks/{name}", name, "disk", "ok",
        capacity_bytes=size, names=names, durable_names=names if durable else frozenset(),
    )  # fmt: skip
    return HostLun(host, host, facts)


def test_a_name_of_one_host_is_not_the_same_disk_on_another() -> None:
    remembered = RecordedLun.of(lun("esx1", "mpx.vmhba1:C0:T0:L0", 512, durable=False), 512)
    assert remembered.is_same_as(lun("esx1", "mpx.vmhba1:C0:T0:L0", 512, durable=False))
    assert not remembered.is_same_as(lun("esx2", "mpx.vmhba1:C0:T0:L0", 512, durable=False))


def test_a_durable_name_is_the_same_disk_on_every_host_as_long_as_its_size_is() -> None:
    remembered = RecordedLun.of(lun("esx1", "naa.600", 512, durable=True), 512)
    assert remembered.is_same_as(lun("esx2", "naa.600", 512, durable=True))
    assert not remembered.is_same_as(lun("esx2", "naa.600", 1024, durable=True))
    assert not remembered.is_same_as(lun("esx2", "naa.601", 512, durable=True))
