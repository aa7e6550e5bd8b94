# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The identity of events, and what they are called where something is not known."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import Alert
from ansible_collections.winbackup.storage.plugins.module_utils._events.naming import (
    alert_events,
    alert_identity,
    counted,
    identity_of,
    record_events,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.event_records import EventRecord
from ansible_collections.winbackup.storage.plugins.module_utils._windows.failures.model import Reading, Signature
from ansible_collections.winbackup.storage.plugins.module_utils._windows.volume_names import VolumeTable

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
VOLUME = "\\\\?\\Volume{a59dcd66-5963-4ba8-995c-915935cb8654}"
OFFLINE = EventRecord("System", "volsnap", 87, NOW, number=9, fields=((None, ""), (None, VOLUME)))
ALERT = Alert("1", "error", "replica_inconsistent", NOW, "The replica is inconsistent", None, about_inconsistency=True)


@pytest.mark.parametrize(
    "other",
    [
        replace(OFFLINE, number=10),
        replace(OFFLINE, log="Application"),
        replace(OFFLINE, time=NOW + timedelta(seconds=1)),
        replace(OFFLINE, number=None),
    ],
)
def test_a_record_is_the_same_by_server_log_number_and_time(other: EventRecord) -> None:
    assert identity_of("dpm01", OFFLINE) == identity_of("dpm01", replace(OFFLINE, fields=(), version=3))
    assert identity_of("dpm01", OFFLINE) != identity_of("dpm02", OFFLINE)
    assert identity_of("dpm01", OFFLINE) != identity_of("dpm01", other)


def test_the_identity_stays_from_release_to_release() -> None:
    """What was handed over before an update is not new after it."""
    assert identity_of("dpm01", OFFLINE) == "3a5bb1d5-1bea-5056-9d84-c30643755d90"
    assert alert_identity("dpm01", ALERT) == "5ee8c63a-da70-5736-a07b-082b2610b81c"


def test_an_alert_without_an_id_is_told_by_what_it_says() -> None:
    bare = replace(ALERT, id=None)
    assert alert_identity("dpm01", bare) == alert_identity("dpm01", replace(bare, message="in another language"))
    assert alert_identity("dpm01", bare) != alert_identity("dpm01", replace(bare, source="732c9e22"))
    assert alert_identity("dpm01", ALERT) != alert_identity("dpm01", replace(ALERT, since=NOW + timedelta(days=1)))


@pytest.mark.parametrize(("is_dpm", "kind"), [(True, "dpm"), (None, "dpm"), (False, "windows")])
def test_only_what_is_known_to_be_no_dpm_server_is_called_windows(is_dpm: bool | None, kind: str) -> None:
    reading = Reading(NOW, (OFFLINE,), VolumeTable(()), is_dpm=is_dpm, sources=None)
    (event,) = record_events("dpm01", reading, {identity_of("dpm01", OFFLINE)}, tuple(Signature))
    assert set(event.payload) == {kind, "meta"}
    body = event.payload[kind]
    assert isinstance(body, dict)
    assert (body["signature"], body["datasource"]) == ("replica_offline", None)
    assert (body["volume"]["guid"], body["record"]["record"]) == ("a59dcd66-5963-4ba8-995c-915935cb8654", 9)
    assert event.payload["meta"] == {"uuid": event.identity}


def test_what_is_not_fresh_or_not_wanted_is_no_event() -> None:
    reading = Reading(NOW, (OFFLINE,), VolumeTable(()), is_dpm=True)
    assert [*record_events("dpm01", reading, (), tuple(Signature))] == []
    assert [*record_events("dpm01", reading, {identity_of("dpm01", OFFLINE)}, {Signature.CAPACITY_MISMATCH})] == []


def test_an_alert_of_another_fault_has_no_signature_and_one_not_wanted_is_left_out() -> None:
    other = Alert("2", "warning", None, None, None, None, code=3122)
    unsure = replace(ALERT, id="3", about_inconsistency=None)
    found = [*alert_events("dpm01", [ALERT, other, unsure], {}, (), {Signature.REPLICA_OFFLINE})]
    bodies = [event.payload["dpm"] for event in found]
    assert [(body["signature"], body["alert"]["id"]) for body in bodies if isinstance(body, dict)] == [
        (None, "2"),
        (None, "3"),
    ]
    assert [*alert_events("dpm01", [other], {}, {alert_identity("dpm01", other)}, tuple(Signature))] == []


def test_the_last_event_of_a_look_that_has_a_signature_says_that_no_more_come() -> None:
    """Of its kind: a rule asks for one kind, and for a signature."""
    unknown = replace(ALERT, id="2", about_inconsistency=False)
    alerts = [ALERT, unknown, replace(ALERT, id="3"), replace(unknown, id="4")]
    on_dpm = [*alert_events("dpm01", alerts, {}, [], frozenset(Signature))]
    reading = Reading(NOW, (OFFLINE,), VolumeTable(()), is_dpm=False)
    elsewhere = [*record_events("dpm01", reading, [identity_of("dpm01", OFFLINE)], frozenset(Signature))]
    found = [event.payload for event in counted([*on_dpm[:1], *elsewhere, *on_dpm[1:]])]
    assert [one["dpm"]["more"] for one in found if "dpm" in one] == [1, 1, 0, 0]
    assert [one["windows"]["more"] for one in found if "windows" in one] == [0]
    assert counted([]) == []
