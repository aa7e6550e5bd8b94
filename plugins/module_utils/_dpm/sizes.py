# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Sizes as people write them, and as messages tell them. Pure."""

from __future__ import annotations

import math
import re
from fractions import Fraction

# Powers of 1024 with either spelling, as Windows counts.
_UNITS = {"": 1, "k": 1024, "m": 1024**2, "g": 1024**3, "t": 1024**4, "p": 1024**5}
_SIZE = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([kmgtp]?)(?:i?b)?\s*", re.IGNORECASE | re.ASCII)
_LARGEST = 2**63 - 1


def parse_size(text: str) -> int:
    """Returns the bytes of "40GB", "1.5 TiB" or "1048576", a part of a byte rounded up; raises ValueError."""
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text!r} is no size: write bytes, or a number with a unit as in 40GB or 1.5 TiB")
    size = math.ceil(Fraction(found[1]) * _UNITS[found[2].lower()])
    if size > _LARGEST:
        raise ValueError(f"{text!r} is more than any volume has")
    return size


def format_size(size: int) -> str:
    """Returns a size for a message, exact and readable: "42949672960 bytes (40.0 GiB)"."""
    for unit, power in (("TiB", 1024**4), ("GiB", 1024**3), ("MiB", 1024**2)):
        if size >= power:
            return f"{size} bytes ({size / power:.1f} {unit})"
    return f"{size} bytes"


def round_up(size: int, step: int) -> int:
    """Returns the smallest multiple of `step` that is not below `size`."""
    return -(-size // step) * step


def round_down(size: int, step: int) -> int:
    """Returns the largest multiple of `step` that is not above `size`."""
    return size // step * step
