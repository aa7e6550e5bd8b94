# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filters that lead from a conversion to its proof in Windows; each is described in its .yml beside this file."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ansible_collections.winbackup.storage.plugins.plugin_utils._story.vm_id import id_of_vm

_KEPT = "old_mapping_kept"


def disks_to_prove(
    disks: Sequence[Mapping[str, Any]],
    conversions: Sequence[Mapping[str, Any]],
    rdms: Sequence[Mapping[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """Returns the disks of a Windows machine, as windows_disk_info joined them before, that conversions changed; and
    those that an earlier conversion changed whose old mapping file is still kept, as `rdms` tell."""
    kept = {
        (id_of_vm(rdm["vm"]), rdm["address"], rdm["file"])
        for rdm in rdms or ()
        if any(finding["code"] == _KEPT for finding in rdm["findings"])
    }
    found = []
    for conversion in conversions:
        vm = conversion.get("vm") or {}
        vm_id = id_of_vm(vm)
        for one in conversion.get("disks") or ():
            file = (one["before"] or {}).get("file")
            is_done = one["state"] in ("converted", "would_convert")
            if not is_done and not (one["state"] == "unchanged" and (vm_id, one["address"], file) in kept):
                continue
            found += [
                {
                    "disk_id": disk["disk_id"],
                    "number": disk["number"],
                    "vm": vm.get("name"),
                    "vm_id": vm_id,
                    "server": conversion.get("server"),
                    "address": one["address"],
                    "state": one["state"],
                    "file": (one["after"] or {}).get("file"),
                    "volumes": [volume["path"] for volume in disk["volumes"] or () if volume["path"]],
                }
                for disk in disks
                if disk["vm_disk"] is not None
                and (disk["vm_disk"]["vm_id"], disk["vm_disk"]["address"]) == (vm_id, one["address"])
                and disk["vm_disk"]["file"] == file
            ]
    return found


def with_volumes(disks: Sequence[Mapping[str, Any]], now: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns these disks with the NTFS volumes that are on them now, as windows_disk_info tells; as they were where
    that is not known."""
    volumes = {disk["disk_id"]: disk["volumes"] for disk in now if disk["disk_id"] and disk["volumes"] is not None}
    return [
        {
            **disk,
            "volumes": [one["path"] for one in volumes[disk["disk_id"]] if one["path"] and one["file_system"] == "ntfs"]
            if disk["disk_id"] in volumes
            else disk["volumes"],
        }
        for disk in disks
    ]


def proven_disks(disks: Sequence[Mapping[str, Any]], proofs: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Returns these disks with `proven`: true where a shadow copy of each of their volumes could be made, false where
    one could not, null where a volume was not tested, or there is none; and `why` it is not true."""
    by_name = {proof["name"].lower(): proof for proof in proofs}
    found = []
    for disk in disks:
        own = [by_name.get(volume.lower()) for volume in disk["volumes"]]
        said = [proof["message"] for proof in own if proof is not None and proof["message"]]
        states = [proof["state"] if proof is not None else None for proof in own]
        found.append({**disk, "proven": _is_proven(states), "why": said[0] if said else None})
    return found


def _is_proven(states: Sequence[str | None]) -> bool | None:
    if "failed" in states:
        return False
    return True if states and all(state == "succeeded" for state in states) else None


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Returns the filters by their names."""
        return {"disks_to_prove": disks_to_prove, "with_volumes": with_volumes, "proven_disks": proven_disks}
