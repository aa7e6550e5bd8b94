# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Findings and blockers: grouped by their code, worst first, each with what was seen, what to do and of what. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.plugin_utils._report.facts import DpmServer, Facts, Note
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.table import SEVERITY_WORDS
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.text import spelt_out

# So many of a kind are shown at once, so many more are folded; the script shows the rest.
SHOWN, FOLDED = 5, 100


@dataclass(frozen=True)
class Seen:
    """One finding or blocker, what it was seen of, and the row that shows that."""

    note: Note
    label: str
    anchor: str | None


@dataclass(frozen=True)
class Group:
    """All that was seen of one code, in the order of reading."""

    code: str
    severity: str
    seen: tuple[Seen, ...]


@dataclass(frozen=True)
class HintPart:
    """What was seen that the same is to be done about: shown, folded, and left to the script."""

    hint: str
    shown: tuple[Seen, ...]
    folded: tuple[Seen, ...]
    rest: tuple[Seen, ...]

    def as_rows(self) -> list[list[str | None]]:
        """Returns the rest as the script takes it: label, row and message of each."""
        return [[one.label, one.anchor, one.note.message] for one in self.rest]


@dataclass(frozen=True)
class GroupCard:
    """A group as its card shows it."""

    code: str
    title: str
    severity: str
    word: str
    count: int
    overridable: bool
    parts: tuple[HintPart, ...]


def findings_of(facts: Facts) -> list[Group]:
    """Returns the findings, each once: a LUN's stands in each of its mappings too."""
    found: dict[tuple[str, Note], Seen] = {}
    for source, note in facts.general:
        found.setdefault((source, note), Seen(note, note.object, None))
    for lun in facts.luns:
        for note in lun.findings:
            found.setdefault((lun.source.key, note), Seen(note, note.object, lun.anchor))
    for mapping in facts.mappings:
        for note in mapping.findings:
            seen = Seen(note, note.object or mapping.name, mapping.anchor)
            found.setdefault((mapping.source.key, note), seen)
    for number, server in enumerate(facts.dpm):
        for note, label, anchor in _of_dpm_server(server):
            found.setdefault((f"dpm {number}", note), Seen(note, note.object or label, anchor))
    return _grouped(found.values())


def _of_dpm_server(server: DpmServer) -> Iterator[tuple[Note, str, str | None]]:
    for note in server.findings:
        yield note, server.name, None
    for datasource in server.datasources:
        for note in datasource.findings:
            yield note, datasource.name, datasource.anchor
    for volume in server.modern_volumes:
        for note in volume.findings:
            yield note, volume.name, None
    for computer in server.computers:
        for note in computer.findings:
            yield note, computer.name, None


def blockers_of(facts: Facts, compatibility: str) -> list[Group]:
    """Returns what stops the conversion of the mappings that are in this mode, each blocker once."""
    found: dict[tuple[str, Note], Seen] = {}
    for mapping in facts.mappings:
        if mapping.compatibility == compatibility:
            for note in mapping.blockers:
                of_machine = note.object == mapping.machine.name
                label = mapping.machine.name if of_machine else mapping.name
                # What concerns the whole machine stands in each of its mappings.
                whose = mapping.machine.key if of_machine else mapping.anchor
                found.setdefault((whose, note), Seen(note, label, mapping.anchor))
    return _grouped(found.values())


def shown_of(group: Group) -> GroupCard:
    """Returns what the card of a group shows: what to do, and of what it was seen, a hint at a time."""
    by_hint: dict[str, list[Seen]] = {}
    for seen in group.seen:
        by_hint.setdefault(seen.note.hint, []).append(seen)
    return GroupCard(
        group.code,
        spelt_out(group.code),
        group.severity,
        SEVERITY_WORDS[group.severity],
        len(group.seen),
        any(seen.note.overridable for seen in group.seen),
        tuple(
            HintPart(hint, tuple(seen[:SHOWN]), tuple(seen[SHOWN:FOLDED]), tuple(seen[FOLDED:]))
            for hint, seen in by_hint.items()
        ),
    )


def _grouped(found: Iterable[Seen]) -> list[Group]:
    by_code: dict[str, list[Seen]] = {}
    for seen in found:
        by_code.setdefault(seen.note.code, []).append(seen)
    groups = [
        Group(code, min((one.note for one in seen), key=lambda note: note.rank).severity, tuple(seen))
        for code, seen in by_code.items()
    ]
    return sorted(groups, key=lambda group: (min(one.note.rank for one in group.seen), -len(group.seen), group.code))
