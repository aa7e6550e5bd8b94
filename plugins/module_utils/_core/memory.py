# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""How much memory this process takes, and how much a reading may make it take."""

from __future__ import annotations

import os
from pathlib import Path

# What a server sends may not bring the process beyond this (benchmarks/README.md tells how many VMs that is).
LARGEST_READING_BYTES = 160_000_000
# Nor may it take more than this to what the process took before it began to read.
_LARGEST_GROWTH_BYTES = 100_000_000
_STATM = Path("/proc/self/statm")


def memory_in_use() -> int | None:
    """Returns the bytes of memory that the process takes at the moment; None where the system does not tell."""
    try:
        return int(_STATM.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None


def most_memory_from_now() -> int:
    """Returns how many bytes the process may take while it reads, from now on."""
    return max(LARGEST_READING_BYTES, (memory_in_use() or 0) + _LARGEST_GROWTH_BYTES)
