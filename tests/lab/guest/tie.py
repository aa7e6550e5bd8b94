# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Windows machine as the guest of a VM of the lab vCenter: what its disks show follows from the VM's disks.

In physical mode a disk shows the LUN's own inquiry and serial, in virtual mode, as a flat one does, those of VMware.
Windows takes a disk whose inquiry changed for a new one, and its SAN policy decides whether that is online. A shadow
copy on a local disk beyond 2 TiB in physical mode fails, and one interface tells its size in 32 bits: as the story has
it; its cause is not proven.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import yaml
from vcenter_lab import VcenterLab

from .disks import POLICY, Disk, Partition
from .guest import Guest
from .shadows import VETOED

OFFLINE_SHARED = 2
# Where Windows shows the controllers that vSphere gives these numbers: as seen in the field.
_SLOTS = {160: 160, 192: 192, 256: 256, 1184: 161, 1216: 193}
_TWO_TIB = 2**41


@dataclass(frozen=True)
class Content:
    """What stands on a disk, wherever it hangs: its id and its partitions."""

    disk_id: str
    partitions: tuple[Partition, ...] = ()
    boot: bool = False


class Tie:
    """Keeps the disks of a guest in step with those of its VM, whenever a process starts in it. `contents` are by the
    LUN's name, or by the address of a flat disk."""

    def __init__(self, guest: Guest, vcenter: VcenterLab, vm: str, world: str, contents: Mapping[str, Content]) -> None:
        self.guest, self.vcenter, self.vm, self.contents = guest, vcenter, vm, contents
        described = yaml.safe_load(world)
        self._luns = {lun["name"]: lun for lun in described["luns"]}
        guest.bios_uuid = next(one["bios_uuid"] for one in described["vms"] if one["name"] == vm)
        self._seen: dict[str, str] = {}
        guest.at_session = lambda _guest: self.refresh()
        self.refresh()

    def refresh(self) -> None:
        """What Windows finds now. A disk that it knows keeps its state; one that shows another inquiry is new."""
        known = {disk.disk_id: disk for disk in self.guest.disks}
        found = []
        state = self.vcenter.vm(self.vm)
        for number, device in enumerate(state["devices"]):
            content = self.contents[device["lun_canonical"] or device["address"]]
            disk = self._disk(number, device, content, state["extra_config"])
            inquiry = f"{disk.name} {disk.serial} {disk.unique_id}"
            before, seen = known.get(content.disk_id), self._seen.get(content.disk_id)
            if before is not None and seen == inquiry:
                disk.offline, disk.offline_reason, disk.read_only = (
                    before.offline,
                    before.offline_reason,
                    before.read_only,
                )
            elif seen is not None and self.guest.san_policy == OFFLINE_SHARED:
                disk.offline, disk.offline_reason, disk.read_only = True, POLICY, True
            self._seen[content.disk_id] = inquiry
            self._decide_on_copies(disk, device)
            found.append(disk)
        self.guest.disks = found

    def _disk(self, number: int, device: Mapping[str, Any], content: Content, extra: Mapping[str, Any]) -> Disk:
        controller, _colon, unit = device["address"].partition(":")
        slot = _SLOTS.get(int(extra.get(f"{controller}.pciSlotNumber", 0)))
        disk = Disk(
            number,
            device["capacity_bytes"],
            target=int(unit),
            disk_id=content.disk_id,
            boot=content.boot,
            slot=slot,
            partitions=list(content.partitions),
        )
        if device["mode"] == "physicalMode":
            lun = self._luns[device["lun_canonical"]]
            disk.name, disk.serial = lun.get("model", "LUN"), lun.get("serial", "")
            disk.unique_id = lun["name"].removeprefix("naa.").upper() if lun["name"].startswith("naa.") else ""
            disk.wmi_size = disk.size % _TWO_TIB if self._is_the_storys(disk, device) else None
        return disk

    def _is_the_storys(self, disk: Disk, device: Mapping[str, Any]) -> bool:
        lun = self._luns.get(device["lun_canonical"] or "", {})
        return device["mode"] == "physicalMode" and bool(lun.get("local")) and disk.size > _TWO_TIB

    def _decide_on_copies(self, disk: Disk, device: Mapping[str, Any]) -> None:
        for part in disk.partitions:
            self.guest.shadows.failing.pop(part.volume, None)
            if part.volume and self._is_the_storys(disk, device):
                self.guest.shadows.failing[part.volume] = VETOED
