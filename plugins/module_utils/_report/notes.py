# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Findings and blockers: grouped by their code, worst first, each with what was seen, what to do and of what. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._report.facts import Facts, Note
from ansible_collections.winbackup.storage.plugins.module_utils._report.markup import Html, element, joined
from ansible_collections.winbackup.storage.plugins.module_utils._report.text import number_of, spelt_out

# So many of a kind are shown at once; the others are folded.
_SHOWN = 5
_SEVERITY = {"error": "Error", "warning": "Warning", "info": "Note"}


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


def findings_of(facts: Facts) -> list[Group]:
    """Returns the findings, each once: a LUN's stands in each of its mappings too."""
    found: dict[tuple[int, Note], Seen] = {}
    for note in facts.general:
        found.setdefault((0, note), Seen(note, note.object, None))
    for lun in facts.luns:
        for note in lun.findings:
            found.setdefault((lun.source, note), Seen(note, note.object, lun.anchor))
    for mapping in facts.mappings:
        for note in mapping.findings:
            found.setdefault((mapping.source, note), Seen(note, note.object or mapping.name, mapping.anchor))
    for number, server in enumerate(facts.dpm):
        for datasource in server.datasources:
            for note in datasource.findings:
                found.setdefault((number, note), Seen(note, note.object or datasource.name, datasource.anchor))
    return _grouped(found.values())


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


def cards(groups: Sequence[Group], prefix: str, level: str = "h3") -> Html:
    """Returns one card a group; `prefix` begins the ids of the cards."""
    return joined(*(_card(group, f"{prefix}{number}", level) for number, group in enumerate(groups, 1)))


def badge(severity: str) -> Html:
    """Returns the severity as a word on its colour."""
    return element("span", _SEVERITY[severity], class_=f"badge {severity}")


def _grouped(found: Iterable[Seen]) -> list[Group]:
    by_code: dict[str, list[Seen]] = {}
    for seen in found:
        by_code.setdefault(seen.note.code, []).append(seen)
    groups = [
        Group(code, min((one.note for one in seen), key=lambda note: note.rank).severity, tuple(seen))
        for code, seen in by_code.items()
    ]
    return sorted(groups, key=lambda group: (min(one.note.rank for one in group.seen), -len(group.seen), group.code))


def _card(group: Group, anchor: str, level: str) -> Html:
    by_hint: dict[str, list[Seen]] = {}
    for seen in group.seen:
        by_hint.setdefault(seen.note.hint, []).append(seen)
    overridable = any(seen.note.overridable for seen in group.seen)
    return element(
        "article",
        element(
            "div",
            badge(group.severity),
            element(level, spelt_out(group.code)),
            element("code", group.code),
            element("span", number_of(len(group.seen), "object"), class_="soft"),
            element("span", "may be overridden", class_="soft") if overridable else None,
            class_="head",
        ),
        *(joined(_what_to_do(hint), _list(seen)) for hint, seen in by_hint.items()),
        class_=f"card {group.severity}",
        id=anchor,
    )


def _what_to_do(hint: str) -> Html | None:
    return element("p", element("b", "What to do: "), hint, class_="todo") if hint else None


def _list(seen: Sequence[Seen]) -> Html:
    rest = seen[_SHOWN:]
    return joined(
        _items(seen[:_SHOWN]),
        element("details", element("summary", f"{len(rest):,} more"), _items(rest)) if rest else None,
    )


def _items(seen: Sequence[Seen]) -> Html:
    return element(
        "ul",
        *(
            element(
                "li",
                element("a", one.label, href=f"#{one.anchor}") if one.anchor else element("b", one.label),
                element("span", one.note.message),
            )
            for one in seen
        ),
        class_="seen",
    )
