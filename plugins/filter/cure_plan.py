# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter; it is described in cure_plan.yml beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

_SHADOW_COPY = "rdm_physical_shadow_copy"
_ON_DPM = {
    "replica_offline": "extend",
    "recovery_point_volume_short": "extend",
    "replica_inconsistent": "check",
}
# What is no surer than these is looked at first.
_SURE = ("certain", "likely")


def cure_plan(
    failures: Sequence[Mapping[str, Any]], rdms: Sequence[Mapping[str, Any]] | None = None
) -> list[dict[str, Any]]:
    """Returns the steps that cure failures as backup_failure_info returned them, each once; what is over has none. With
    the mappings as rdm_info returned them a VM has the id that no other one has."""
    steps: list[dict[str, Any]] = []
    for failure in failures:
        if failure["still_so"] is False:
            continue
        step = {**_step(failure, rdms or ()), "signature": failure["signature"], "confidence": failure["confidence"]}
        place = (step["action"], step["vm"], step["address"], step["datasource"], step["volume"])
        if place not in [(one["action"], one["vm"], one["address"], one["datasource"], one["volume"]) for one in steps]:
            steps.append({**step, "next": failure["next"]})
    return steps


def _step(failure: Mapping[str, Any], rdms: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    disk, source, volume = failure["vm_disk"], failure["datasource"], failure["volume"]
    step = {
        "action": "look",
        "vm": disk["vm"] if disk else None,
        "vm_id": _id_of(disk, rdms) if disk else None,
        "address": disk["address"] if disk else None,
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


def _id_of(disk: Mapping[str, Any], rdms: Sequence[Mapping[str, Any]]) -> str | None:
    """Returns the id of the one VM that has this disk; None where several could be it."""
    same = [rdm["vm"] for rdm in rdms if (rdm["file"], rdm["address"]) == (disk["file"], disk["address"])]
    named = {vm.get("instance_uuid") or vm["moid"] for vm in same if vm["name"] == disk["vm"]}
    return named.pop() if len(named) == 1 else None


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Returns the filters by their names."""
        return {"cure_plan": cure_plan}
