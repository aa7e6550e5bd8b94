# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What an audit found, as lines for a screen: each kind of finding once, what it was seen of, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.winbackup.storage.plugins.plugin_utils._report.facts import AFTER_SHUTDOWN, Facts
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.notes import Group, blockers_of, findings_of
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.text import listed, number_of

# So many names stand in a line.
_NAMES = 3
# What the conversion itself takes care of where it is allowed to.
_SHUTDOWN = {"vm_powered_on"}


def screen_of(facts: Facts, mappings: Sequence[Mapping[str, Any]]) -> list[str]:
    """Returns the lines; `mappings` are the results of `rdm_info`, for what they say of themselves."""
    findings = findings_of(facts)
    lines = [*_heads(facts, mappings)]
    for group in findings:
        lines.append(f"{group.severity} {_line(group)}")
        if group.severity != "info":
            lines.extend(_hints(group))
    if facts.read and not any(group.severity != "info" for group in findings):
        known = facts.everything_is_known and not any(group.code == "unreadable" for group in findings)
        lines.append(
            "Nothing was found that speaks against a backup."
            if known
            else "Nothing that could be read speaks against a backup. Not everything could be read."
        )
    for group in blockers_of(facts, "physical"):
        lines.append(f"{'needs a shutdown' if group.code in _SHUTDOWN else 'stops a conversion'}: {_line(group)}")
        lines.extend(_hints(group))
    if facts.orphans:
        names = [orphan.file for orphan in facts.orphans]
        lines.append(f"mapping files that no virtual machine uses ({len(names)}): {listed(names, _NAMES)}")
    lines.extend(_unknown(facts))
    return lines


def counts_of(facts: Facts) -> dict[str, int]:
    """Returns how many findings there are of each severity."""
    counts = {"error": 0, "warning": 0, "info": 0}
    for group in findings_of(facts):
        for seen in group.seen:
            counts[seen.note.severity] += 1
    return counts


def _heads(facts: Facts, mappings: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if "mappings" in facts.read:
        modes = [mapping.compatibility for mapping in facts.mappings]
        physical, virtual = modes.count("physical"), modes.count("virtual")
        others = len(modes) - physical - virtual
        said = f"{physical} physical, {virtual} virtual" + (f", {others} of unknown mode" if others else "")
        # A machine that two readings show is counted once, and only the readings tell how many they looked at.
        summaries = [result.get("summary") or {} for result in mappings if "rdms" in result]
        seen = sum(int(summary.get("rdms") or 0) for summary in summaries)
        of = ""
        if seen == len(modes) and all(isinstance(summary.get("vms"), int) for summary in summaries):
            luns = sum(int(summary.get("luns") or 0) for summary in summaries)
            machines = sum(int(summary["vms"]) for summary in summaries)
            of = f" of {number_of_plain(luns, 'LUN')} in {number_of_plain(machines, 'virtual machine')}"
        yield f"{number_of_plain(len(modes), 'raw device mapping')} ({said}){of}"
        yield from _convertible(facts)
    for server in facts.dpm:
        yield f"{number_of_plain(len(server.datasources), 'data source')} on {server.name}"


def _convertible(facts: Facts) -> Iterator[str]:
    physical = [mapping.convertible for mapping in facts.mappings if mapping.compatibility == "physical"]
    if not physical:
        return
    parts = (
        (sum(one is True for one in physical), "can be made virtual"),
        (physical.count(AFTER_SHUTDOWN), "after a shutdown"),
        (sum(one is False for one in physical), "stopped by what is listed below"),
        (sum(one is None for one in physical), "not fully checked here (the plan checks everything)"),
    )
    yield "of the physical ones: " + ", ".join(f"{count} {words}" for count, words in parts if count)


def _unknown(facts: Facts) -> Iterator[str]:
    luns = [mapping.name for mapping in facts.mappings if mapping.lun is None]
    if luns:
        yield f"not known: the LUN of {listed(luns, _NAMES)}"
    sources = [
        f"{source.name} on {source.computer}"
        for server in facts.dpm
        for source in server.datasources
        if source.consistent is None and source.storage_kind != "none"
    ]
    if sources:
        yield f"not known: whether it is consistent, of {listed(sources, _NAMES)}"
    alerts = [server.name for server in facts.dpm if not server.all_alerts_known]
    if alerts:
        yield f"not known: the alerts of {listed(alerts, _NAMES)}"


def _line(group: Group) -> str:
    names = list(dict.fromkeys(seen.label for seen in group.seen))
    return f"{group.code} ({len(group.seen)}): {listed(names, _NAMES)}"


def _hints(group: Group) -> list[str]:
    hints = list(dict.fromkeys(seen.note.hint for seen in group.seen if seen.note.hint))
    override = f" (Override: rdm_convert_override={group.code})" if group.seen[0].note.overridable else ""
    return [f"    {hints[0]}{override}"] if hints else []


def number_of_plain(count: int, one: str) -> str:
    """Returns "1 LUN", "1000 LUNs": a figure that can be searched for."""
    return number_of(count, one).replace(",", "")
