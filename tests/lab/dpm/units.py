# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sizes in bytes, and how they are written in a world."""

from __future__ import annotations

import re

MB = 2**20
GB = 2**30
# DPM's sizes are multiples of 10 MB (seen in scripts).
STEP = 10 * MB
# What DPM keeps for itself on a recovery-point volume, beside the free space.
INTERNAL = 600 * MB

_UNITS = {"": 1, "B": 1, "KB": 2**10, "MB": MB, "GB": GB, "TB": 2**40}


def size(value: int | str) -> int:
    """Bytes of 5368709120, "5GB", "1.5 TB"; ValueError for anything else."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([KMGT]?B)?\s*", str(value), re.I)
    if match is None:
        raise ValueError(f"not a size: {value!r}")
    return round(float(match[1]) * _UNITS[(match[2] or "").upper()])


def round_up(count: int, step: int = STEP) -> int:
    """The next multiple of `step` that is not below `count`."""
    return -(-count // step) * step


def shown(count: int) -> str:
    """A size as DPM's texts show it: two decimals, in GB or MB."""
    return f"{count / GB:.2f} GB" if abs(count) >= GB else f"{count / MB:.2f} MB"
