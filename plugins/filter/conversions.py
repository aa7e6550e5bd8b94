# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters that choose what a conversion is for; each is described in its .yml beside this file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

# What a user may do about it in the same command; any other blocker keeps a virtual machine from being the example.
_ONLY_ON = {"vm_powered_on"}


def vms_to_convert(
    rdms: Sequence[Mapping[str, Any]], compatibility: str, with_kept_mappings: bool = False
) -> list[str]:
    """Returns the ids of the VMs that have a mapping in another mode, an open conversion, or a kept mapping file where
    those count too."""
    counting = {"conversion_open", *(["old_mapping_kept"] if with_kept_mappings else [])}
    chosen = (
        rdm["vm"]["moid"]
        for rdm in rdms
        if rdm["compatibility"] != compatibility or any(finding["code"] in counting for finding in rdm["findings"])
    )
    return list(dict.fromkeys(chosen))


def next_conversion(plans: Sequence[Mapping[str, Any]], chosen: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the variables that carry out the first of these plans that can be, beside those chosen; {} for none."""
    planned = [plan for plan in plans if plan.get("disks")]
    names = [plan["vm"]["name"] for plan in planned]
    for plan in planned:
        codes = {blocker["code"] for blocker in plan["blockers"]}
        if codes <= _ONLY_ON and (codes or plan["plan"]):
            machine = plan["vm"]
            # What Ansible would take for a template in a variable of the command line is never suggested.
            plain = names.count(machine["name"]) == 1 and "{" not in machine["name"]
            name = machine["name"] if plain else machine["moid"]
            power = {"rdm_convert_power": "shutdown"} if codes else {}
            return {"rdm_convert_vms": [name], **chosen, **power}
    return {}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Returns the filters by their names."""
        return {"vms_to_convert": vms_to_convert, "next_conversion": next_conversion}
