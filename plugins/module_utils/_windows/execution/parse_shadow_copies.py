# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""From what the scripts about shadow copies return to the facts of the domain. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.whole_numbers import whole_number_of
from ansible_collections.winbackup.storage.plugins.module_utils._powershell import answers
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import CorruptReply
from ansible_collections.winbackup.storage.plugins.module_utils._windows.event_records import (
    EventRecord,
    parse_event,
    time_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.parse_disks import (
    parse_machine,
    parse_volume,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.model import UnreadPart
from ansible_collections.winbackup.storage.plugins.module_utils._windows.shadow_copies.allowed import (
    Area,
    Copy,
    Mark,
    ShadowCopyFacts,
    ShadowedVolume,
)

_OUTCOMES = ("not_started", "no_mark", "no_room", "answered", "failed")


@dataclass(frozen=True)
class Made:
    """What the script make_shadow_copy answers. `removed` is None where it made nothing."""

    outcome: str
    message: str
    return_value: int | None
    seconds: float | None
    copy: str | None
    removed: bool | None
    events: tuple[EventRecord, ...] | None


def parse_shadow_copies(answer: object) -> ShadowCopyFacts:
    """Returns the facts in an answer of read_shadow_copies; raises CorruptReply for what is no answer of it."""
    copies, areas = answers.rows_or_none(answer, "copies"), answers.rows_or_none(answer, "areas")
    return ShadowCopyFacts(
        now=time_of(answers.text(answer, "now")) or datetime.now(UTC),
        machine=parse_machine(answers.value_of(answer, "machine")),
        volumes=tuple(_volume(row) for row in answers.rows(answer, "volumes")),
        copies=None
        if copies is None
        else tuple(
            Copy(
                answers.text(row, "id") or "",
                answers.text(row, "volume"),
                answers.flag(row, "client_accessible"),
            )
            for row in copies
        ),
        areas=None
        if areas is None
        else tuple(
            Area(answers.text(row, "volume"), answers.text(row, "on"), _number(row, "allocated"), _number(row, "most"))
            for row in areas
        ),
        most_copies=answers.number(answer, "most_copies"),
        least_area_mib=answers.number(answer, "least_area"),
        dpm=answers.flag(answer, "dpm") is not False,
        unread_parts=tuple(
            UnreadPart(answers.text(row, "part") or "other", answers.text(row, "message") or "")
            for row in answers.rows(answer, "unread_parts")
        ),
    )


def parse_made(answer: object) -> Made:
    """Returns what a run of make_shadow_copy answered; raises CorruptReply for what is no answer of it."""
    outcome = answers.text(answer, "outcome") or ""
    if outcome not in _OUTCOMES:
        raise CorruptReply(f"The script's answer holds {outcome[:40]!r} as outcome, which no script of ours says.")
    ticks = answers.number(answer, "ticks")
    rows = None
    if outcome in ("answered", "failed", "no_room"):
        rows = answers.rows_or_none(answer, "events")
    events = None
    if rows is not None:
        read = [parse_event(answers.text(row, "xml") or "", answers.text(row, "log") or "") for row in rows]
        events = tuple(sorted((one for one in read if one is not None), key=lambda one: one.time))
    return Made(
        outcome,
        answers.text(answer, "message") or answers.text(answer, "not_removed") or "",
        answers.number(answer, "return_value"),
        round(ticks / 10_000_000, 1) if ticks is not None else None,
        answers.text(answer, "copy"),
        answers.flag(answer, "removed"),
        events,
    )


def _volume(row: Mapping[str, Any]) -> ShadowedVolume:
    mark = row.get("mark")
    found = None
    if mark is not None:
        until, before = time_of(answers.text(mark, "until")), answers.text(mark, "before")
        # "ids {...} {...}", so that no copies and a list that was not written are two things.
        seen = None if before is None else frozenset(before.lower().split()[1:])
        found = Mark(until, seen, answers.text(mark, "copy") or "")
    return ShadowedVolume(parse_volume(row), answers.number(row, "free"), found)


def _number(row: Mapping[str, Any], key: str) -> int | None:
    """Returns a number of 64 bits, which a script tells as text; -1 where it is written without its sign."""
    return whole_number_of(answers.text(row, key) or "")
