# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the script answers, and whatever else may come in its place."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConfigurationError
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import CorruptReply
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.parse_failures import parse_logs
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.model import SeenLog
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.options import (
    signatures_of,
    since_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.results import log_findings, unread
from ansible_collections.winbackup.storage.tests.unit.helpers.event_logs import NOON, at, xml

ANSWER: dict[str, Any] = {
    "now": "2020-09-05T12:00:00.0000000Z",
    "logs": [{"name": "System", "present": True, "enabled": True, "complete": True, "records": [xml("VSS", 1), "no"]}],
    "has_summary": True,
    "summary": {"last_code": 2155348020, "last_success": ""},
    "labels": [{"path": "\\\\?\\Volume{a59dcd66-5963-4ba8-995c-915935cb8654}\\", "label": "Backup"}],
    "dpm": False,
    "unread_parts": [{"part": "dpm", "message": "no"}],
}
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda one: st.lists(one, max_size=3) | st.dictionaries(st.sampled_from([*ANSWER, "name", "records"]), one),
    max_leaves=8,
)


def test_an_answer() -> None:
    read = parse_logs(ANSWER)
    assert read.now == NOON
    assert read.logs == (SeenLog("System", enabled=True, records=1, unreadable=1),)
    assert (read.is_dpm, read.unread_parts) == (False, (("dpm", "no"),))
    assert read.backup is not None
    assert (read.backup.last_result_code, read.backup.last_success) == (0x80780034, None)
    assert read.labels == {"\\\\?\\volume{a59dcd66-5963-4ba8-995c-915935cb8654}": "Backup"}


def test_what_could_not_be_read_stays_unknown() -> None:
    rows = [
        {"name": "System", "present": True, "records": [], "error": "Denied", "message": "Zugriff verweigert"},
        {"name": "Application", "present": False},
        {"name": "Microsoft-Windows-Backup", "present": False},
    ]
    read = parse_logs({**ANSWER, "logs": rows, "summary": None, "labels": None, "dpm": None})
    assert [log.records for log in read.logs] == [None, None, None]
    assert (read.backup, read.is_dpm) == (None, None)
    assert [unread(log) for log in read.logs] == [True, True, False]
    said = [one.message for one in log_findings(read.logs, NOON, "SRV1")]
    assert said == [
        "The log System could not be read: Zugriff verweigert",
        "The log Application could not be read: Windows knows no log of that name.",
    ]


def test_what_is_said_of_logs() -> None:
    log = SeenLog("System", enabled=False, oldest=at(1), records=3, unreadable=2, complete=False)
    codes = [one.code for one in log_findings([log], NOON, "SRV1")]
    assert codes == ["log_disabled", "log_too_short", "log_cut", "unreadable"]
    assert list(log_findings([SeenLog("System", enabled=True, oldest=at(-1), records=0)], NOON, "SRV1")) == []


@pytest.mark.parametrize("key", ["logs", "summary", "dpm", "labels", "unread_parts"])
def test_an_answer_that_lacks_a_part_is_none(key: str) -> None:
    with pytest.raises(CorruptReply):
        parse_logs({name: value for name, value in ANSWER.items() if name != key})


@given(JSON, st.sampled_from(["", *ANSWER]))
def test_any_answer_is_read_or_refused(value: object, key: str) -> None:
    with contextlib.suppress(CorruptReply):
        assert parse_logs({**ANSWER, key: value} if key else value).now.tzinfo is not None


@pytest.mark.parametrize(("text", "seconds"), [("24h", 86400), ("90 m", 5400), ("7d", 604800), ("2W", 1209600)])
def test_an_age(text: str, seconds: int) -> None:
    since = since_of(text)
    assert (since.time, since.seconds) == (None, seconds)


@pytest.mark.parametrize("text", ["2020-09-05T12:00:00Z", "2020-09-05T21:00:00+09:00", "2020-09-05T12:00"])
def test_a_time(text: str) -> None:
    assert since_of(text).time == NOON


@given(st.text())
def test_any_text_is_a_time_or_refused(text: str) -> None:
    with contextlib.suppress(ConfigurationError):
        since = since_of(text)
        assert since.time is not None or since.seconds > 0


def test_signatures_by_name() -> None:
    assert len(signatures_of([])) == len(signatures_of(None)) == 6
    assert [str(one) for one in signatures_of(["replica_offline"])] == ["replica_offline"]
