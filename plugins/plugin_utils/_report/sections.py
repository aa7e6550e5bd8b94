# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The sections of the page in their order: what could not be read, stories, findings, what stops them, tables. Pure.

What could not be read comes first where there is any, since it qualifies all that follows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.plugin_utils._report.dpm_tables import ServerPart, server_parts
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.drawing import Drawing, drawing, drawn_of
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.facts import Facts
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.lun_tables import luns_table
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.mapping_tables import (
    hosts_table,
    mappings_table,
    orphans_table,
)
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.notes import (
    Group,
    GroupCard,
    blockers_of,
    shown_of,
)
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.stories import StoryPart
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.table import Table
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.text import number_of

# Findings that say that something was not read.
_UNREAD = (
    "unreadable", "vm_inaccessible", "host_unavailable", "other_vms_unread",
    "state_unknown", "size_unknown", "storage_unknown", "disk_status_unknown",
)  # fmt: skip


@dataclass(frozen=True)
class Point:
    """A point of a list, with a link behind it where `anchor` is given."""

    text: str
    link: str = ""
    anchor: str | None = None


@dataclass(frozen=True)
class Cards:
    """Cards below a heading of their own, or without one; `prefix` begins the ids of the cards."""

    prefix: str
    cards: tuple[GroupCard, ...]
    title: str | None = None


@dataclass(frozen=True)
class Section:
    """A part of the page with its entry in the table of contents; `panel` is a kind, a title and a sentence."""

    anchor: str
    title: str
    panel: tuple[str, str, str] | None = None
    sentences: tuple[str, ...] = ()
    points: tuple[Point, ...] = ()
    groups: tuple[Cards, ...] = ()
    drawing: Drawing | None = None
    tables: tuple[Table, ...] = ()
    servers: tuple[ServerPart, ...] = ()
    stories: tuple[StoryPart, ...] = ()


def sections_of(facts: Facts, findings: Sequence[Group], stories: Sequence[StoryPart] = ()) -> list[Section]:
    """Returns the sections in their order."""
    missing, not_asked = _missing(facts, findings), _not_asked(facts)
    unread = Section(
        "unread",
        "What could not be read" if missing else "What this page does not show",
        sentences=() if missing or not_asked else ("Everything that this page is made for was read.",),
        points=(*missing, *not_asked),
    )
    told = [Section("stories", "What failed, and what became of it", stories=tuple(stories))] if stories else []
    found = [*told, _findings(facts, findings)]
    sections = [unread, *found] if missing else found
    if "mappings" in facts.read:
        if facts.mappings:
            sections += [_blockers(facts), _map(facts)]
        sections.append(_mappings(facts))
    if facts.orphans:
        sections.append(Section("orphans", "Mapping files without a machine", tables=(orphans_table(facts.orphans),)))
    if "luns" in facts.read:
        sections.append(
            Section("luns", "LUNs", tables=(luns_table(facts.luns),))
            if facts.luns
            else Section("luns", "LUNs", sentences=("No LUN was shown by a host.",))
        )
    if facts.dpm:
        title = "DPM servers" if len(facts.dpm) > 1 else "DPM server"
        sections.append(Section("dpm", title, servers=tuple(server_parts(facts.dpm))))
    return sections if missing else [*sections, unread]


def _findings(facts: Facts, findings: Sequence[Group]) -> Section:
    title = "Findings"
    if findings:
        return Section("findings", title, groups=(Cards("f", tuple(map(shown_of, findings))),))
    if not facts.read:
        panel = ("warning", "Nothing was read", "The list of what could not be read says why.")
    elif not facts.everything_is_known:
        panel = (
            "warning",
            "Nothing was found, but not everything was read",
            "What was not read is not known to be well.",
        )
    else:
        panel = ("good", "Nothing was found", "Of what was read, nothing speaks against a backup.")
    return Section("findings", title, panel=panel)


def _blockers(facts: Facts) -> Section:
    anchor, title = "blockers", "What stops a conversion"
    of_modes = (
        ("b", "physical", "Of physical mappings, to virtual mode"),
        ("p", "virtual", "Of virtual mappings, back to physical mode"),
    )
    groups = tuple(
        Cards(prefix, tuple(map(shown_of, blockers)), heading)
        for prefix, mode, heading in of_modes
        if (blockers := blockers_of(facts, mode))
    )
    if groups:
        said = "A conversion is refused while any of these stands; nothing is changed before."
    elif any(mapping.convertible is None and not mapping.is_virtual for mapping in facts.mappings):
        said = "No blocker was found, but not everything was checked."
    else:
        said = "No blocker was found."
    return Section(anchor, title, sentences=(said,), groups=groups)


def _map(facts: Facts) -> Section:
    drawn = drawn_of(facts.mappings)
    cut = len(drawn) < len(facts.mappings)
    said = (
        f"{len(drawn):,} of {len(facts.mappings):,} mappings are drawn: those with the worst findings, and what shares "
        "a machine or a LUN with them. The table of mappings has all."
        if cut
        else f"All {len(facts.mappings):,} mappings."
        if len(facts.mappings) > 1
        else "The one mapping."
    )
    return Section(
        "map",
        "Map",
        sentences=(f"{said} A box leads to its row; its full name shows under the pointer.",),
        drawing=drawing(drawn, facts.luns),
        tables=(hosts_table(facts.mappings),) if cut else (),
    )


def _mappings(facts: Facts) -> Section:
    anchor, title = "mappings", "Raw device mappings"
    if facts.mappings:
        return Section(anchor, title, tables=(mappings_table(facts.mappings),))
    failed = any(failure.module == "rdm_info" for failure in facts.failures)
    whole = not failed and not any(note.code in _UNREAD for _source, note in facts.general)
    said = "There is no raw device mapping." if whole else "No raw device mapping was found in what could be read."
    return Section(anchor, title, sentences=(said,))


def _missing(facts: Facts, findings: Sequence[Group]) -> list[Point]:
    """Returns what was asked for and could not be read."""
    points = [
        Point(f"{failure.module}{f' of {failure.host}' if failure.host else ''} failed: {failure.message}")
        for failure in facts.failures
    ]
    for number, group in enumerate(findings, 1):
        if group.code in _UNREAD:
            count = len(group.seen)
            among = f", among them {group.seen[0].label}" if count > 1 else f" ({group.seen[0].label})"
            said = f"{number_of(count, 'object')} could not be read in full{among}:"
            points.append(Point(said, f"finding {group.code}", f"f{number}"))
    unknown = sum(mapping.lun is None for mapping in facts.mappings)
    if unknown:
        points.append(Point(f"The LUN of {number_of(unknown, 'mapping')} is not known; the findings say why."))
    unclear = sum(listed.mappable is None for listed in facts.luns)
    if unclear:
        points.append(Point(f"Whether {number_of(unclear, 'LUN')} can be mapped is not known."))
    unsure = sum(orphan.in_use is None for orphan in facts.orphans or ())
    if unsure:
        points.append(Point(f"Whether {number_of(unsure, 'mapping file')} without a machine is used is not known."))
    for server in facts.dpm:
        if not server.all_alerts_known:
            points.append(Point(f"Not all alerts of {server.name} could be read."))
        unsure = sum(one.consistent is None and one.storage_kind != "none" for one in server.datasources)
        if unsure:
            points.append(Point(f"Whether {number_of(unsure, 'replica')} of {server.name} is consistent is not known."))
    return points


def _not_asked(facts: Facts) -> list[Point]:
    """Returns what nobody looked for, so that silence is not taken for health."""
    said = []
    if "mappings" not in facts.read:
        said.append("Raw device mappings were not read.")
    elif facts.orphans is None:
        said.append("Mapping files that no virtual machine uses were not searched for.")
    if "luns" not in facts.read:
        said.append("The list of LUNs was not read.")
    if "allocations" not in facts.read:
        said.append("No DPM server was read.")
    unchecked = [mapping for mapping in facts.mappings if mapping.unchecked]
    if unchecked:
        codes = sorted({code for mapping in unchecked for code in mapping.unchecked})
        said.append(
            f"{number_of(len(unchecked), 'mapping')} were not checked for {', '.join(codes)}, which takes a look into "
            "folders and rights: rdm_info does so for virtual machines that it is given by name, and every plan does."
        )
    return [Point(sentence) for sentence in said]
