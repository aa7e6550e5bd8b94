# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to be done so that a disk is as it is wanted, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_changes import decide, wanted_state_of
from ansible_collections.winbackup.storage.plugins.module_utils._windows.model import Disk, Machine, MachineDisks

ID = "a1b2c3d4"
ONLINE = Disk(
    number=1, device_path="\\\\?\\scsi#1", disk_id=ID, dynamic=False, clustered=False, storage_pool=False, boot=False,
    system=False, offline=False, read_only=False,
)  # fmt: skip
OFFLINE = replace(ONLINE, offline=True, offline_reason="policy", read_only=True)


def decided(*disks: Disk, online: bool = True, read_only: bool = False) -> tuple[list[str], str | None]:
    """Returns the steps and the code of the refusal."""
    facts = MachineDisks(Machine("BACKUP01"), disks)
    (decision,) = decide(facts, wanted_state_of([ID], online=online, read_only=read_only))
    return [str(step) for step in decision.steps], decision.refusal.code if decision.refusal is not None else None


@pytest.mark.parametrize(
    ("disk", "wanted", "steps"),
    [
        (ONLINE, {}, []),
        (OFFLINE, {}, ["online", "writable"]),
        (OFFLINE, {"read_only": True}, ["online"]),
        (ONLINE, {"read_only": True}, ["read_only"]),
        (ONLINE, {"online": False}, ["offline"]),
        (OFFLINE, {"online": False}, []),
    ],
)
def test_only_what_is_not_as_wanted_is_changed(disk: Disk, wanted: dict[str, Any], steps: list[str]) -> None:
    assert decided(disk, **wanted) == (steps, None)


@pytest.mark.parametrize(
    ("disks", "wanted", "code"),
    [
        ([], {}, "disk_state_unknown"),
        ([replace(ONLINE, disk_id="0000000f")], {}, "disk_not_found"),
        ([OFFLINE, replace(ONLINE, number=2)], {}, "disk_ambiguous"),
        ([replace(OFFLINE, clustered=True)], {}, "disk_clustered"),
        ([replace(OFFLINE, read_only=None)], {}, "disk_state_unknown"),
        ([replace(OFFLINE, offline_reason="collision")], {}, "disk_collision"),
        ([replace(OFFLINE, offline_reason=None)], {}, "disk_offline_reason_unknown"),
        ([replace(ONLINE, boot=True)], {"online": False}, "disk_boot_or_system"),
        ([replace(ONLINE, system=True)], {"read_only": True}, "disk_boot_or_system"),
    ],
)
def test_a_disk_that_is_refused_is_left_alone(disks: list[Disk], wanted: dict[str, Any], code: str) -> None:
    assert decided(*disks, **wanted) == ([], code)
