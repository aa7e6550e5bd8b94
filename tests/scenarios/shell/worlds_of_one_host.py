# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The worlds of the conversions, on a host that stands alone: its API and its shell are two ways to one model."""

from __future__ import annotations

import json
from typing import Any

import yaml
from worlds import DISK_2TB, LOCAL_PAIR, one_disk

HOST = "esx1.lab"
# What people write, and a host prints as it is, between what it says itself: nothing of it is to be taken for that.
ANNOTATION = """Owner:
{
  "office": "Tokyo"
}
(vim.fault.NotFound) {
Connect to localhost failed: Connection failure.
"Ask before you switch it off"
}
"""


def of_one_host(world: str, version: str = "8.0.3", **changed: Any) -> str:
    """Returns the world with its VMs on one host that answers for itself alone."""
    whole = yaml.safe_load(world)
    for vm in whole["vms"]:
        vm["host"] = HOST
    whole |= {"api": "esxi", "hosts": [{"name": HOST, "version": version}], **changed}
    # JSON is YAML.
    return json.dumps(whole, ensure_ascii=False)


def one_local_disk(*, version: str = "8.0.3", lun: dict[str, Any] | None = None, **changed: Any) -> str:
    """Returns the smallest world: the VM backup01, off, with a local disk at scsi0:1; as `one_disk` otherwise."""
    # 5.5 does not tell which disk it started from: of one with partitions it is not known whether it is that.
    partitioned = not version.startswith("5")
    changed["vm"] = {"annotation": ANNOTATION, **changed.get("vm", {})}
    local = {"name": DISK_2TB, "local": True, "partitioned": partitioned, "vendor": "ATA", **(lun or {})}
    return of_one_host(one_disk(lun=local, **changed), version)


BOTH_DISKS = of_one_host(LOCAL_PAIR)
