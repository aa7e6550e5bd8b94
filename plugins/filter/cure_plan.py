# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters from a diagnosis to its cure; each is described in its .yml beside this file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.winbackup.storage.plugins.plugin_utils._story.vm_id import id_of_vm

_SHADOW_COPY = "rdm_physical_shadow_copy"
_ON_DPM = {
    "replica_offline": "extend",
    "recovery_point_volume_short": "extend",
    "replica_inconsistent": "check",
}
# Steps that agree in these are one.
_PLACE = ("action", "vm_id", "address", "datasource", "volume")
# What is no surer than these is looked at first.
_SURE = ("certain", "likely")


def cure_plan(failures: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns the steps that cure failures as backup_failure_info returned them, each once; what is over has none."""
    steps: list[dict[str, Any]] = []
    for failure in failures:
        if failure["still_so"] is False:
            continue
        step = {**_step(failure), "signature": failure["signature"], "confidence": failure["confidence"]}
        place = [step[key] for key in _PLACE]
        if place not in [[one[key] for key in _PLACE] for one in steps]:
            steps.append({**step, "next": failure["next"]})
    return steps


def _step(failure: Mapping[str, Any]) -> dict[str, Any]:
    disk, source, volume = failure["vm_disk"], failure["datasource"], failure["volume"]
    step = {
        "action": "look",
        "vm": disk["vm"] if disk else None,
        "vm_id": disk["vm_id"] if disk else None,
        "address": disk["address"] if disk else None,
        "file": disk["file"] if disk else None,
        "lun": _lun_of(disk) if disk else None,
        "disk_id": failure["disk"]["disk_id"] if failure["disk"] else None,
        "volume": (volume["path"] or volume["letter"]) if volume else None,
        "datasource": source,
    }
    if failure["signature"] in _ON_DPM and source is not None and failure["confidence"] in _SURE:
        return {**step, "action": _ON_DPM[failure["signature"]]}
    if failure["signature"] != _SHADOW_COPY:
        return step
    if failure["confidence"] == "certain" and disk is not None and disk["compatibility"] == "physical":
        return {**step, "action": "convert"}
    # Whatever else is known, a shadow copy of the volume shows whether it is so.
    return {**step, "action": "test"} if step["volume"] else step


def steps_of_mappings(steps: Sequence[Mapping[str, Any]], rdms: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Returns the steps about the very mappings that one server shows. The id of a VM and an address are not enough: a
    copy of the VM on another server has them too, and a file of the same name on that host's own datastore."""
    shown = [(id_of_vm(rdm["vm"]), rdm["address"], rdm["file"], _lun_of(rdm)) for rdm in rdms]
    return [
        step
        for step in steps
        if step["file"] is not None and (step["vm_id"], step["address"], step["file"], step["lun"]) in shown
    ]


def _lun_of(disk: Mapping[str, Any]) -> str | None:
    found: str | None = (disk.get("lun") or {}).get("canonical_name")
    return found


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Returns the filters by their names."""
        return {"cure_plan": cure_plan, "steps_of_mappings": steps_of_mappings}
