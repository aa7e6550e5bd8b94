# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The page, and the whole report: from the results of the readings to the texts of the files. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.plugin_utils._report.csv_files import (
    datasources_csv,
    luns_csv,
    vdisk_csv,
)
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.facts import AFTER_SHUTDOWN, Facts
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.metrics import metrics
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.notes import Group, findings_of
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.reading import facts_of
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.rendering import policy, rendered
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.sections import sections_of
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.stories import StoryPart, stories_of
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.text import number_of

# Rows that the page shows at a time, and without its script at all.
FIRST_ROWS = 50
_TITLE = "Storage below the backups"


@dataclass(frozen=True)
class Report:
    """The texts of the page, of the CSV files and of the metrics."""

    html: str
    csv: str
    luns_csv: str
    datasources_csv: str
    metrics: str


@dataclass(frozen=True)
class Heading:
    """What the page says about itself: when its readings were made, of which servers, and who wrote it.

    `documentation` is the address of the documentation site, whose table of codes the page links to.
    """

    read_at: str | None = None
    servers: tuple[str, ...] = ()
    version: str | None = None
    documentation: str | None = None


@dataclass(frozen=True)
class Tile:
    """A figure with its title, and a line below it."""

    title: str
    figure: int
    below: str = ""
    kind: str = ""


def report(mappings: object, luns: object, allocations: object, heading: Heading, stories: object = None) -> Report:
    """Returns the report about these results, each a registered result or a list of them, with the stories that the
    filter machine_story returned; raises `NotAResult`."""
    facts = facts_of(mappings, luns, allocations, heading.servers)
    return Report(
        html=page(facts, heading, stories_of(stories)),
        csv=vdisk_csv(facts.mappings),
        luns_csv=luns_csv(facts.luns),
        datasources_csv=datasources_csv(facts.dpm),
        metrics=metrics(facts),
    )


def page(facts: Facts, heading: Heading, stories: Sequence[StoryPart] = ()) -> str:
    """Returns the page: one file that asks nothing of any server."""
    findings = findings_of(facts)
    return rendered(
        "page.html.j2",
        {
            "title": _TITLE,
            "policy": policy(),
            "heading": _heading(facts, heading),
            "tiles": _tiles(facts, findings) if facts.read else [],
            "sections": sections_of(facts, findings, stories),
            "first_rows": FIRST_ROWS,
            "docs": f"{heading.documentation.rstrip('/')}/docsite/codes.html" if heading.documentation else None,
            "footer": (
                "This page is one file: it loads nothing, sends nothing, and its values are those of the readings "
                "above. Findings and blockers are explained by their codes in the documentation of winbackup.storage"
                + (f" {heading.version}." if heading.version else ".")
            ),
        },
    )


def _heading(facts: Facts, heading: Heading) -> list[tuple[str, str]]:
    read = (*heading.servers, *facts.hosts, *(server.name for server in facts.dpm))
    failed = (failure.host for failure in facts.failures if failure.host is not None)
    servers = list(dict.fromkeys((*read, *failed)))
    said = (
        ("Read", heading.read_at),
        ("Server" if len(servers) == 1 else "Servers", ", ".join(servers)),
        ("Written by", f"winbackup.storage {heading.version}" if heading.version else "winbackup.storage"),
    )
    return [(title, value) for title, value in said if value]


def _tiles(facts: Facts, findings: Sequence[Group]) -> list[Tile]:
    counts = {
        severity: sum(len(group.seen) for group in findings if group.severity == severity)
        for severity in ("error", "warning", "info")
    }
    # No error was found is good news only where all was read.
    none = "good" if facts.everything_is_known else ""
    tiles = [
        Tile("Errors", counts["error"], "", "error" if counts["error"] else none),
        Tile("Warnings", counts["warning"], "", "warning" if counts["warning"] else none),
        Tile("Notes", counts["info"], "", "info"),
    ]
    if "mappings" in facts.read:
        physical = [mapping for mapping in facts.mappings if not mapping.is_virtual]
        virtual = len(facts.mappings) - len(physical)
        machines = len({mapping.machine.key for mapping in facts.mappings})
        stopped = sum(mapping.convertible is False for mapping in physical)
        waiting = sum(mapping.convertible == AFTER_SHUTDOWN for mapping in physical)
        unknown = sum(mapping.convertible is None for mapping in physical)
        others = (f"{waiting:,} need a shutdown" if waiting else "", f"{unknown:,} not known" if unknown else "")
        unclear = sum(mapping.compatibility not in ("physical", "virtual") for mapping in physical)
        tiles += [
            Tile("Mappings", len(facts.mappings), f"in {number_of(machines, 'VM')}"),
            Tile(
                "Physical",
                len(physical) - unclear,
                f"and {virtual:,} virtual" + (f", {unclear:,} not known" if unclear else ""),
            ),
            Tile("Not convertible", stopped, ", ".join(filter(None, others))),
        ]
    if "luns" in facts.read:
        mappable = sum(lun.mappable is True for lun in facts.luns)
        unknown = sum(lun.mappable is None for lun in facts.luns)
        below = f"{mappable:,} can be mapped" + (f", {unknown:,} not known" if unknown else "")
        tiles.append(Tile("LUNs", len(facts.luns), below))
    if "allocations" in facts.read:
        datasources = [datasource for server in facts.dpm for datasource in server.datasources]
        short = sum(datasource.is_short for datasource in datasources)
        tiles.append(Tile("Data sources", len(datasources), f"{short:,} short of space"))
    return tiles
