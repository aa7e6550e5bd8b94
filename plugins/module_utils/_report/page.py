# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The page, and the whole report: from the results of the readings to the texts of the two files. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._report.dpm_section import dpm_section
from ansible_collections.winbackup.storage.plugins.module_utils._report.drawing import drawing, drawn_of
from ansible_collections.winbackup.storage.plugins.module_utils._report.facts import Facts, ListedLun, Mapping
from ansible_collections.winbackup.storage.plugins.module_utils._report.markup import Html, element, joined
from ansible_collections.winbackup.storage.plugins.module_utils._report.notes import (
    Group,
    blockers_of,
    cards,
    findings_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._report.reading import facts_of
from ansible_collections.winbackup.storage.plugins.module_utils._report.style import SCRIPT, STYLE, policy
from ansible_collections.winbackup.storage.plugins.module_utils._report.tables import (
    by_host,
    luns_table,
    mappings_table,
    orphans_table,
)
from ansible_collections.winbackup.storage.plugins.module_utils._report.text import number_of, spelt_out
from ansible_collections.winbackup.storage.plugins.module_utils._report.vdisk_csv import vdisk_csv

_TITLE = "Storage below the backups"


@dataclass(frozen=True)
class Report:
    """The texts of the page and of the CSV file."""

    html: str
    csv: str


@dataclass(frozen=True)
class Heading:
    """What the page says about itself: when its readings were made, of which servers, and who wrote it."""

    read_at: str | None = None
    servers: tuple[str, ...] = ()
    version: str | None = None


@dataclass(frozen=True)
class _Section:
    """A part of the page with its entry in the table of contents."""

    anchor: str
    title: str
    content: Html


def report(mappings: object, luns: object, allocations: object, heading: Heading) -> Report:
    """Returns the report about these results, each a registered result or a list of them; raises `NotAResult`."""
    facts = facts_of(mappings, luns, allocations)
    return Report(page(facts, heading), vdisk_csv(facts.mappings))


def page(facts: Facts, heading: Heading) -> str:
    """Returns the page: one file that asks nothing of any server."""
    findings = findings_of(facts)
    sections = _sections(facts, findings)
    head = element(
        "head",
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=policy()),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        element("meta", name="color-scheme", content="light dark"),
        element("meta", name="referrer", content="no-referrer"),
        element("title", _TITLE),
        element("style", Html(STYLE)),
    )
    contents = (element("li", element("a", part.title, href=f"#{part.anchor}")) for part in sections)
    body = element(
        "body",
        element("a", "Skip to the findings", class_="skip", href="#findings"),
        element(
            "header",
            element(
                "div",
                element("h1", _TITLE),
                _heading(facts, heading),
                element("nav", element("ul", *contents), aria_label="Contents"),
                class_="wrap",
            ),
        ),
        element(
            "main",
            _tiles(facts, findings) if facts.read else None,
            *(element("section", element("h2", part.title), part.content, id=part.anchor) for part in sections),
            class_="wrap",
        ),
        element("footer", element("div", _footer(heading), class_="wrap")),
        element("script", Html(SCRIPT)),
    )
    return f"<!DOCTYPE html>\n{element('html', head, body, lang='en').text}\n"


def _heading(facts: Facts, heading: Heading) -> Html:
    servers = [*heading.servers, *(server.name for server in facts.dpm if server.name not in heading.servers)]
    said = (
        ("Read", heading.read_at),
        ("Server" if len(servers) == 1 else "Servers", ", ".join(servers)),
        ("Written by", f"winbackup.storage {heading.version}" if heading.version else "winbackup.storage"),
    )
    return element(
        "p", *(element("span", f"{title} ", element("b", value)) for title, value in said if value), class_="facts"
    )


def _footer(heading: Heading) -> str:
    return (
        "This page is one file: it loads nothing, sends nothing, and its values are those of the readings above. "
        "Findings and blockers are explained by their codes in the documentation of winbackup.storage"
        + (f" {heading.version}." if heading.version else ".")
    )


def _tiles(facts: Facts, findings: Sequence[Group]) -> Html:
    counts = {
        severity: sum(len(group.seen) for group in findings if group.severity == severity)
        for severity in ("error", "warning", "info")
    }
    tiles = [
        _tile("Errors", counts["error"], "", "error" if counts["error"] else "good"),
        _tile("Warnings", counts["warning"], "", "warning" if counts["warning"] else "good"),
        _tile("Notes", counts["info"], "", "info"),
    ]
    if "mappings" in facts.read:
        modes = [mapping.compatibility for mapping in facts.mappings]
        stopped = sum(mapping.convertible is False for mapping in facts.mappings)
        machines = "" if facts.machines is None else f"in {number_of(facts.machines, 'VM')}"
        tiles += [
            _tile("Mappings", len(modes), machines),
            _tile("Physical", modes.count("physical"), f"and {modes.count('virtual'):,} virtual"),
            _tile("Not convertible", stopped, "see what stops them" if stopped else ""),
        ]
    if "luns" in facts.read:
        mappable = sum(lun.mappable is True for lun in facts.luns)
        tiles.append(_tile("LUNs", len(facts.luns), f"{mappable:,} can be mapped"))
    if "allocations" in facts.read:
        datasources = [datasource for server in facts.dpm for datasource in server.datasources]
        short = sum(datasource.is_short for datasource in datasources)
        tiles.append(_tile("Data sources", len(datasources), f"{short:,} short of space"))
    return element("dl", *tiles, class_="tiles", aria_label="In figures")


def _tile(title: str, figure: int, below: str, kind: str = "") -> Html:
    return element(
        "div",
        element("dt", title),
        element("dd", f"{figure:,}", class_="figure"),
        element("dd", below, class_="soft") if below else None,
        class_=f"tile {kind}".strip(),
    )


def _sections(facts: Facts, findings: Sequence[Group]) -> list[_Section]:
    sections = [_Section("findings", "Findings", _findings(facts, findings))]
    if "mappings" in facts.read:
        if facts.mappings:
            sections.append(_Section("blockers", "What stops a conversion", _blockers(facts)))
            sections.append(_Section("map", "Map", _map(facts.mappings, facts.luns)))
        sections.append(_Section("mappings", "Raw device mappings", _mappings(facts)))
    if facts.orphans:
        sections.append(_Section("orphans", "Mapping files without a machine", orphans_table(facts.orphans)))
    if "luns" in facts.read:
        luns = luns_table(facts.luns) if facts.luns else _soft("The hosts show no LUN.")
        sections.append(_Section("luns", "LUNs", luns))
    if facts.dpm:
        sections.append(_Section("dpm", "DPM servers" if len(facts.dpm) > 1 else "DPM server", dpm_section(facts.dpm)))
    sections.append(_Section("unread", "What this page does not show", _unread(facts, findings)))
    return sections


def _findings(facts: Facts, findings: Sequence[Group]) -> Html:
    if findings:
        return cards(findings, "f")
    if not facts.read:
        return _panel("warning", "Nothing was read", "See below what is missing.")
    if facts.failures:
        return _panel("warning", "Nothing was found, but not everything was read", "See below what is missing.")
    return _panel("good", "Nothing was found", "Of what was read, nothing speaks against a backup.")


def _blockers(facts: Facts) -> Html:
    to_virtual, to_physical = blockers_of(facts, "physical"), blockers_of(facts, "virtual")
    if not to_virtual and not to_physical:
        return _soft("No blocker was found.")
    parts = [_soft("A conversion is refused while any of these stands; nothing is changed before.")]
    if to_virtual:
        parts += [element("h4", "Of physical mappings, to virtual mode"), cards(to_virtual, "b")]
    if to_physical:
        parts += [element("h4", "Of virtual mappings, back to physical mode"), cards(to_physical, "p")]
    return joined(*parts)


def _map(mappings: Sequence[Mapping], luns: Sequence[ListedLun]) -> Html:
    drawn = drawn_of(mappings)
    cut = len(drawn) < len(mappings)
    said = (
        f"{len(drawn):,} of {len(mappings):,} mappings are drawn: those with the worst findings, and what shares a "
        "machine or a LUN with them. The table of mappings has all."
        if cut
        else f"All {len(mappings):,} mappings."
        if len(mappings) > 1
        else "The one mapping."
    )
    return joined(
        _soft(f"{said} A box leads to its row; its full name shows under the pointer."),
        element("p", *map(_key, ("physical", "virtual")), class_="legend"),
        element(
            "div",
            drawing(drawn, luns),
            class_="scroll",
            role="region",
            aria_label="Map; the tables below say the same in words",
            tabindex=0,
        ),
        by_host(mappings) if cut else None,
    )


def _key(mode: str) -> Html:
    sample = element(
        "svg", element("rect", class_=mode, width=12, height=12, rx=2), width=12, height=12, aria_hidden="true"
    )
    return element("span", sample, f"{spelt_out(mode)} mode{', dashed lines' if mode == 'virtual' else ''}")


def _mappings(facts: Facts) -> Html:
    return mappings_table(facts.mappings) if facts.mappings else _soft("There is no raw device mapping.")


def _unread(facts: Facts, findings: Sequence[Group]) -> Html:
    """Returns what was not read or not looked at, so that silence is not taken for health."""
    said = list(facts.failures)
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
    unknown = sum(mapping.lun is None for mapping in facts.mappings)
    if unknown:
        said.append(f"The LUN of {number_of(unknown, 'mapping')} is not known; the findings say why.")
    unreadable = next((number for number, group in enumerate(findings, 1) if group.code == "unreadable"), None)
    items = [element("li", sentence) for sentence in said]
    if unreadable is not None:
        count = len(findings[unreadable - 1].seen)
        link = element("a", "finding unreadable", href=f"#f{unreadable}")
        items.append(element("li", f"{number_of(count, 'object')} could not be read in full: ", link, "."))
    if not items:
        return _soft("Everything that this page is made for was read.")
    return element("ul", *items)


def _panel(kind: str, title: str, text: str) -> Html:
    return element("div", element("h3", title), element("p", text), class_=f"card {kind}")


def _soft(text: str) -> Html:
    return element("p", text, class_="soft")
