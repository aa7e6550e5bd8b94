# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What `ls -l /vmfs/devices/disks` prints: every disk with its exact size, its partitions, and the vml names."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.values import lines

_ENTRY = re.compile(r"[-bc]\S{9,10}\s+\d+\s+\S+\s+\S+\s+(?P<size>\d{1,19})\s.*?\s(?P<name>\S+)\s*", re.ASCII)
_PARTITION = re.compile(r"(?P<disk>.+):(?P<number>\d{1,3})", re.ASCII)


@dataclass(frozen=True)
class DisksFolder:
    """The disks with their exact bytes, and the numbers of their partitions."""

    sizes: dict[str, int]
    partitions: dict[str, tuple[int, ...]]


def disks_folder(text: str) -> DisksFolder:
    """Returns what a long listing of /vmfs/devices/disks tells; lines of another kind are passed over."""
    sizes: dict[str, int] = {}
    partitions: dict[str, list[int]] = {}
    for line in lines(text):
        entry = _ENTRY.fullmatch(line)
        if entry is None:
            continue
        partition = _PARTITION.fullmatch(entry["name"])
        if partition is not None:
            partitions.setdefault(partition["disk"], []).append(int(partition["number"]))
        else:
            sizes[entry["name"]] = int(entry["size"])
    return DisksFolder(sizes, {disk: tuple(sorted(numbers)) for disk, numbers in partitions.items()})
