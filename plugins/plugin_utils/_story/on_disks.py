# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Of one disk of a Windows machine: what became of its mapping, and whether a shadow copy proves it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ansible_collections.winbackup.storage.plugins.plugin_utils._report.outcome import Outcome
from ansible_collections.winbackup.storage.plugins.plugin_utils._story.model import Step
from ansible_collections.winbackup.storage.plugins.plugin_utils._story.vm_id import id_of_vm

_KEPT = "Its old mapping file is kept."
_BECAME = {
    "converted": "was converted",
    "unchanged": "was converted by an earlier run",
    "would_convert": "would be converted",
}
_PROOF = {
    True: "a shadow copy of it can be made",
    False: "a shadow copy of it still cannot be made",
    None: "no shadow copy of it was made",
}


def title_of(disk: Mapping[str, Any]) -> str:
    """Returns the sentence that says all of a disk that was converted, as the filter proven_disks returned it."""
    proven, why = disk.get("proven"), disk.get("why")
    ended = "" if proven or disk["state"] == "would_convert" else f" {_KEPT}"
    because = f" ({why})" if why and not proven else ""
    said = f"It {_BECAME[disk['state']]}; {_PROOF[proven]}{because}.{ended}"
    return f"Disk {disk['number']} is {disk['address']} of {disk['vm']}. {said}"


def done_to(disk: Mapping[str, Any], letters: Mapping[str, str]) -> Iterator[Step]:
    """Yields what was done to a disk that was converted, and what proves it; `letters` are those of volumes, by their
    paths."""
    where = f", {disk['file']}" if disk.get("file") else ""
    if disk["state"] == "would_convert":
        yield Step("Done", f"Nothing, in check mode. Its mapping would be converted{where}.")
        return
    yield Step("Done", f"Its mapping {_BECAME[disk['state']]}{where}.")
    proven, why = disk.get("proven"), disk.get("why")
    volumes = ", ".join(letters.get(one, one) for one in disk["volumes"]) or "the disk"
    if proven:
        yield Step("Proof", f"A shadow copy of {volumes} was made, and removed again.")
    elif proven is False:
        yield Step("Proof", f"A shadow copy of {volumes} still cannot be made{f': {why}' if why else '.'} {_KEPT}")
    else:
        yield Step("Proof", f"None: no shadow copy of {volumes} was made{f': {why}' if why else '.'} {_KEPT}", False)


def outcome_of(disk: Mapping[str, Any]) -> Outcome:
    """Returns how it ends for a disk that was converted."""
    if disk["state"] == "would_convert":
        return Outcome.PLANNED
    proven = disk.get("proven")
    return Outcome.UNPROVEN if proven is None else Outcome.CURED if proven else Outcome.NOT_CURED


def place_of(failure: Mapping[str, Any], findings: Sequence[Mapping[str, Any]]) -> Iterator[Step]:
    """Yields which disk of Windows, and which of the VM, a failure is of; and what maps it."""
    disk, vm_disk, volume = failure["disk"], failure["vm_disk"], failure["volume"]
    on = f", with the volume {volume['letter'] or volume['path']}" if volume else ""
    if disk is None:
        yield Step("Disk", f"Which disk of Windows it is, is not known{on}.", False)
        return
    if vm_disk is None:
        said = " ".join(one["message"] for one in findings if one["code"].startswith("vm_"))
        unknown = said or "Which disk of the virtual machine it is, is not known."
        yield Step("Disk", f"Disk {disk['number']} of Windows{on}. {unknown}", False)
        return
    yield Step("Disk", f"Disk {disk['number']} of Windows{on}, is {vm_disk['address']} of {vm_disk['vm']}.")
    lun, file, mode = vm_disk.get("lun"), vm_disk.get("file"), vm_disk.get("compatibility")
    of_lun = f"of LUN {lun['canonical_name']}" if lun and lun.get("canonical_name") else "of a LUN that is not known"
    in_mode = f"in {mode} mode" if mode else "in a mode that is not known"
    named = f", {file}" if file else ""
    yield Step("Mapping", f"A mapping {in_mode} {of_lun}{named}.", known=bool(mode and lun))


def not_converted(
    vm_disk: Mapping[str, Any] | None, conversions: Sequence[Mapping[str, Any]]
) -> tuple[Step, Outcome] | None:
    """Returns what became of a disk whose conversion was begun and that is not converted; None where none was."""
    if vm_disk is None:
        return None
    for conversion in conversions:
        vm = conversion.get("vm") or {}
        if not isinstance(vm, Mapping) or id_of_vm(vm) != vm_disk["vm_id"]:
            continue
        for one in conversion.get("disks") or ():
            if one["address"] == vm_disk["address"] and one["state"] not in _BECAME:
                return _stopped(one["state"], conversion)
    return None


def _stopped(state: str, conversion: Mapping[str, Any]) -> tuple[Step, Outcome]:
    blockers = " ".join(f"{one['message']} {one['hint']}".strip() for one in conversion.get("blockers") or ())
    message = str(conversion.get("msg") or "").strip()
    why = f" {blockers or message}".rstrip()
    said = {
        "blocked": "Nothing: the conversion was stopped.",
        "rolled_back": "The conversion failed and was undone; the disk is as it was.",
        "failed": "The conversion failed, and the disk is not as it was: see what it says to do by hand.",
        "not_started": "Nothing: an earlier disk failed, or time was up.",
    }.get(state, f"The conversion ended as {state.replace('_', ' ')}.")
    return Step("Done", f"{said}{why}"), Outcome.NOT_CURED if state == "failed" else Outcome.OPEN
