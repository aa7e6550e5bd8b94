# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records out of their XML: both shapes of volsnap, published records, and whatever else a log may hold."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._windows.event_records import (
    EventRecord,
    parse_event,
    time_of,
)
from ansible_collections.winbackup.storage.tests.unit.helpers.event_logs import parsed, volsnap, xml

SYSTEM = (
    '<Event xmlns="http://schemas.microsoft.com/win/2004/08/events/event"><System><Provider Name="VSS"/>'
    '<EventID Qualifiers="0">12289</EventID><Level>2</Level><Task>0</Task>'
    '<TimeCreated SystemTime="2020-09-05T12:00:03.250000000Z"/><EventRecordID>177900</EventRecordID>'
    '<Execution ProcessID="12504" ThreadID="5760"/><Channel>Application</Channel></System>'
)


def test_a_published_record() -> None:
    record = parsed(f"{SYSTEM}<EventData><Data>a</Data><Data>b\n</Data><Binary>2d20</Binary></EventData></Event>")
    assert record == EventRecord(
        "Application",
        "VSS",
        12289,
        datetime(2020, 9, 5, 12, 0, 3, 250000, tzinfo=UTC),
        None,
        2,
        177900,
        ((None, "a"), (None, "b\n")),
        "2D20",
    )
    assert record.key == ("vss", 12289)
    assert (record.at(1), record.at(2), record.at(-1), record.named("a")) == ("b\n", None, None, None)


def test_both_shapes_of_volsnap() -> None:
    old, new = volsnap(87, named=False), volsnap(87)
    assert old.at(1) == new.named("volumename") == new.at(1)
    assert old.key == new.key == ("volsnap", 87)
    assert old.binary[24:32] == "570006C0"


def test_data_of_users_have_the_names_of_their_elements() -> None:
    record = parsed(f'{SYSTEM}<UserData><x xmlns="y"><Error>0x1</Error><Name>n</Name></x></UserData></Event>')
    assert record.fields == (("Error", "0x1"), ("Name", "n"))


@pytest.mark.parametrize("text", ["a\x00b\x0b", "&#x1;", "&#0;", "&#xD800;", "&#99999999;", "\ud800"])
def test_characters_that_xml_forbids_cost_no_record(text: str) -> None:
    record = parse_event(f"{SYSTEM}<EventData><Data>{text}</Data></EventData></Event>", "Application")
    assert record is not None
    assert record.id == 12289


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no xml",
        "<Event/>",
        SYSTEM,
        xml("VSS", 1).replace("2020-09-05T", "yesterday "),
        xml("", 1),
        xml("VSS", 1).replace(">1</EventID>", ">one</EventID>"),
        "<!DOCTYPE a [<!ENTITY b 'c'>]>" + xml("VSS", 1),
    ],
)
def test_what_is_no_record(text: str) -> None:
    assert parse_event(text, "System") is None


@pytest.mark.parametrize("text", ["\u200e2016\u200e-\u200e09\u200e-\u200e26T21:00:00Z", "?2016?-?09?-?26T21:00:00Z"])
def test_marks_of_the_direction_of_writing_are_no_part_of_a_time(text: str) -> None:
    assert time_of(text) == datetime(2016, 9, 26, 21, 0, tzinfo=UTC)


@given(st.text())
def test_any_text_is_a_record_or_none(text: str) -> None:
    assert parse_event(text, "System") is None
    time_of(text)


@given(st.lists(st.text()), st.text(alphabet=st.characters(codec="utf-8")))
def test_any_data_are_read(data: list[str], provider: str) -> None:
    record = parse_event(xml("VSS", 12289, data), "System")
    assert record is None or len(record.fields) == len(data)
