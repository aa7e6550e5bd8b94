# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Numbers of Windows' storage classes, and what they mean (Microsoft, Windows Storage Management API). Pure.

A script tells each as text: the number, or a word where PowerShell makes one of it. What no list has is `unknown`,
which is never taken for a member that a decision knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from ansible_collections.winbackup.storage.plugins.module_utils._core.whole_numbers import count_of

UNKNOWN = "unknown"
POLICY = "policy"
GPT, MBR, RAW = "gpt", "mbr", "raw"

# MSFT_Disk.BusType.
BUS_TYPES = {
    1: "scsi",
    2: "atapi",
    3: "ata",
    4: "ieee_1394",
    5: "ssa",
    6: "fibre_channel",
    7: "usb",
    8: "raid",
    9: "iscsi",
    10: "sas",
    11: "sata",
    12: "sd",
    13: "mmc",
    15: "file_backed_virtual",
    16: "storage_spaces",
    17: "nvme",
}
# MSFT_Disk.OfflineReason; 8 is VDS's.
OFFLINE_REASONS = {
    1: POLICY,
    2: "redundant_path",
    3: "snapshot",
    4: "collision",
    5: "resource_exhaustion",
    6: "critical_write_failures",
    7: "data_integrity_scan_required",
    8: "lost_data_persistence",
}
# MSFT_Disk.PartitionStyle.
PARTITION_STYLES = {0: RAW, 1: MBR, 2: GPT}
# MSFT_StorageSetting.NewDiskPolicy: what becomes of a disk that Windows has not seen before.
SAN_POLICIES = {1: "online_all", 2: "offline_shared", 3: "offline_all", 4: "offline_internal"}
# MSFT_PhysicalDisk.CannotPoolReason.
IN_A_POOL = "in_a_pool"
CANNOT_POOL_REASONS = {2: IN_A_POOL}
# What PowerShell calls some of them in other words.
_OTHER_WORDS = {"spaces": "storage_spaces", "ieee1394": "ieee_1394", "filebackedvirtual": "file_backed_virtual"}
_NOT_LETTERS = re.compile(r"[^a-z0-9]")


def word_of(text: str | None, members: Mapping[int, str]) -> str | None:
    """Returns the collection's word for a member that a script tells, UNKNOWN for one that the list lacks; None for
    none."""
    plain = _NOT_LETTERS.sub("", (text or "").lower())
    if not plain:
        return None
    number = count_of(plain)
    if number is not None:
        return members.get(number, UNKNOWN)
    word = _OTHER_WORDS.get(plain, plain)
    return next((one for one in members.values() if one.replace("_", "") == word.replace("_", "")), UNKNOWN)
