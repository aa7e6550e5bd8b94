# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""From a diagnosis, and what was done after it, to the story of one host. Pure.

What was not read, not done or not proven is said as such.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.winbackup.storage.plugins.plugin_utils._report.outcome import Outcome
from ansible_collections.winbackup.storage.plugins.plugin_utils._story.model import Chapter, Step, Story
from ansible_collections.winbackup.storage.plugins.plugin_utils._story.on_disks import (
    done_to,
    not_converted,
    outcome_of,
    place_of,
    title_of,
)
from ansible_collections.winbackup.storage.plugins.plugin_utils._story.on_replicas import done_for

Record = Mapping[str, Any]
_UNREAD = ("unreadable", "log_cut")
_NO_FAILURE = "No failure was found that this collection knows a cure for."
_NOT_ALL_READ = "No failure that this collection knows a cure for was found in what could be read."


def story_of(
    host: str,
    diagnosis: Record | None,
    disks: Sequence[Record] = (),
    conversions: Sequence[Record] = (),
    recovery_points: Record | None = None,
    failures: Sequence[str] = (),
) -> Story:
    """Returns the story of a host: of its diagnosis (backup_diagnose_result; None: it was not made), its disks that
    were converted (as proven_disks returns them), what became of all VMs (as rdm_compatibility returned it), what was
    done on it as a DPM server (dpm_recovery_points_result), and the sentences of what failed."""
    if diagnosis is None:
        chapters = tuple(_of_disk(disk) for disk in disks)
        return Story(host, None, chapters, (" ".join(("It was not diagnosed.", *failures)), *_no_disk(disks)))
    groups: dict[object, list[Record]] = {}
    for failure in diagnosis["failures"]:
        groups.setdefault(_place(failure), []).append(failure)
    findings = diagnosis["findings"]
    told = [_chapter(group, findings, disks, conversions, recovery_points) for group in groups.values()]
    found = [disk for group in groups.values() if (disk := _converted(group[0], disks)) is not None]
    told += [_of_disk(disk) for disk in disks if disk not in found]
    unread = [finding["message"] for finding in findings if finding["code"] in _UNREAD]
    none = () if diagnosis["failures"] else (_NOT_ALL_READ if unread else _NO_FAILURE,)
    machine = (diagnosis.get("machine") or {}).get("name")
    others = tuple(_other(one) for one in diagnosis["other_failures"] if one["still_so"] is not False)
    # A DPM server has none that could be.
    left_alone = _no_disk(disks) if recovery_points is None else ()
    return Story(host, machine, tuple(told), (*none, *unread, *others, *left_alone, *failures))


def _no_disk(disks: Sequence[Record]) -> tuple[str, ...]:
    return () if disks else ("No disk of it was converted.",)


def _other(one: Record) -> str:
    codes = f" ({', '.join(one['codes'])})" if one["codes"] else ""
    return f"Beside that: {one['summary']}{codes} What helps: {one['next']}"


def _place(failure: Record) -> object:
    """Returns what tells the failures of one place: the data source, else the disk, else the volume."""
    source, vm_disk, disk, volume = (failure[key] for key in ("datasource", "vm_disk", "disk", "volume"))
    if source is not None:
        return "datasource", source["id"]
    if vm_disk is not None:
        return "vm_disk", vm_disk["vm_id"], vm_disk["address"]
    if disk is not None:
        return "disk", disk["number"]
    if volume is not None:
        return "volume", volume["guid"] or volume["path"] or volume["letter"]
    return "failure", failure["signature"], failure["summary"]


def _converted(failure: Record, disks: Sequence[Record]) -> Record | None:
    vm_disk = failure["vm_disk"]
    same = [
        one
        for one in disks
        if vm_disk is not None and (one["vm_id"], one["address"]) == (vm_disk["vm_id"], vm_disk["address"])
    ]
    return same[0] if same else None


def _of_disk(
    disk: Record, symptoms: Sequence[Step] = (), place: Sequence[Step] = (), letters: Mapping[str, str] | None = None
) -> Chapter:
    seen = symptoms or (Step("Symptom", "None was found; it was converted as it was asked for."),)
    return Chapter(title_of(disk), outcome_of(disk), (*seen, *place, *done_to(disk, letters or {})))


def _chapter(
    group: Sequence[Record],
    findings: Sequence[Record],
    disks: Sequence[Record],
    conversions: Sequence[Record],
    recovery_points: Record | None,
) -> Chapter:
    symptoms = list(_symptoms(group))
    first = group[0]
    source = first["datasource"]
    over = all(failure["still_so"] is False for failure in group)
    if source is not None:
        where = f"{source['name']} on {source['computer']}"
        protected = Step("Data source", f"{where}, protected by this server.")
        if over:
            proof = Step("Proof", "DPM calls its replica consistent, and its recovery-point volume is not short.")
            return Chapter(f"{where}. It is over.", Outcome.OVER, (*symptoms, protected, proof))
        done, outcome = done_for(source, recovery_points)
        steps = (*symptoms, protected, *done, *_next(group, outcome))
        return Chapter(f"{where}. {done[0].text}", outcome, steps)
    place = tuple(place_of(first, findings))
    disk = _converted(first, disks)
    if disk is not None:
        volumes = [failure["volume"] for failure in group if failure["volume"]]
        return _of_disk(disk, symptoms, place, {one["path"]: one["letter"] for one in volumes if one["letter"]})
    title = _title(first)
    if over:
        proof = Step("Proof", "A later backup onto the same storage location ended well.")
        return Chapter(f"{title}. It is over.", Outcome.OVER, (*symptoms, *place, proof))
    stopped = not_converted(first["vm_disk"], conversions)
    if stopped is not None:
        done_step, outcome = stopped
        return Chapter(f"{title}. {done_step.text}", outcome, (*symptoms, *place, done_step, *_next(group, outcome)))
    nothing = Step("Done", "Nothing in this run.")
    return Chapter(
        f"{title}. Nothing was done.", Outcome.OPEN, (*symptoms, *place, nothing, *_next(group, Outcome.OPEN))
    )


def _title(failure: Record) -> str:
    disk, vm_disk, volume = failure["disk"], failure["vm_disk"], failure["volume"]
    if disk is not None and vm_disk is not None:
        return f"Disk {disk['number']} is {vm_disk['address']} of {vm_disk['vm']}"
    if volume is not None and (volume["letter"] or volume["path"]):
        return str(volume["letter"] or volume["path"])
    return f"Disk {disk['number']}" if disk is not None else "A volume that is not known"


def _symptoms(group: Sequence[Record]) -> Iterator[Step]:
    """Yields what was seen, and the cause of what is surest, each once."""
    said = set()
    for failure in group:
        count = f", {failure['count']} times since {failure['time']}" if failure["count"] > 1 else ""
        seen = f"{failure['last_seen']}{count}"
        over = " It is over." if failure["still_so"] is False else ""
        yield Step("Symptom", f"{failure['summary']} ({seen}; {failure['signature']}, {failure['confidence']}){over}")
        if failure["cause"] and failure["cause"] not in said:
            said.add(failure["cause"])
            yield Step("Cause", failure["cause"], known=failure["confidence"] in ("certain", "likely"))


def _next(group: Sequence[Record], outcome: Outcome) -> Iterator[Step]:
    """Yields what is left to do, where anything is."""
    if outcome not in (Outcome.CURED, Outcome.OVER):
        for text in dict.fromkeys(failure["next"] for failure in group if failure["still_so"] is not False):
            yield Step("Next", text)
