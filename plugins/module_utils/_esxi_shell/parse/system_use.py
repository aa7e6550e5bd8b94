# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Which devices a host uses for its dump and for vSAN: `esxcli system coredump partition list`, `esxcli vsan storage
list`. No published output of them is at hand: what is not understood says nothing, and None is returned."""

from __future__ import annotations

import re

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.values import lines

_DUMP = re.compile(r"(?P<device>\S+):\d{1,3}\s+/vmfs/devices/disks/\S+(\s+(true|false))*\s*", re.ASCII)
_HEADER = re.compile(r"Name\s+Path\s.*|[-\s]+", re.ASCII)
_VSAN_DEVICE = re.compile(r"\s+Device:\s*(?P<device>\S+)\s*", re.ASCII)


def dump_devices(text: str) -> frozenset[str] | None:
    """Returns the devices on which a dump partition lies; None for a text that is no such list."""
    found: set[str] = set()
    for line in lines(text):
        row = _DUMP.fullmatch(line)
        if row is not None:
            found.add(row["device"])
        elif line.strip() and not _HEADER.fullmatch(line):
            return None
    return frozenset(found)


def vsan_devices(text: str) -> frozenset[str] | None:
    """Returns the devices that vSAN has claimed; None for a text that is no such list."""
    found = frozenset(row["device"] for line in lines(text) if (row := _VSAN_DEVICE.fullmatch(line)) is not None)
    return found if found or not text.strip() else None
