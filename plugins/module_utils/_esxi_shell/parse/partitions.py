# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The partition table of a disk, as `partedUtil getptbl` prints it.

The first line is the kind of the table ("gpt", "msdos": published outputs of 5.0 and later), the second the geometry,
and each other one a partition. That a disk without a table has "unknown" there is from memory: whatever else stands
there tells nothing.
"""

from __future__ import annotations

import re

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.values import lines

_KINDS = {"gpt": "gpt", "msdos": "mbr", "unknown": None}
_GEOMETRY = re.compile(r"\d+ \d+ \d+ \d+", re.ASCII)
_PARTITION = re.compile(r"\d+ \d+ \d+\b.*", re.ASCII)


def partition_table(text: str) -> tuple[str | None, int] | None:
    """Returns the kind of the table ("gpt", "mbr", None for none) and how many partitions it has; None where that is
    not told."""
    told = [line.strip() for line in lines(text) if line.strip()]
    if len(told) < 2 or told[0] not in _KINDS or not _GEOMETRY.fullmatch(told[1]):
        return None
    if not all(_PARTITION.fullmatch(line) for line in told[2:]):
        return None
    return _KINDS[told[0]], len(told) - 2
