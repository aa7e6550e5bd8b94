# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A span of time as people write it. Pure."""

from __future__ import annotations

import re
from datetime import timedelta

_SPAN = re.compile(r"\s*([0-9]+(?:\.[0-9]+)?)\s*([mhdw])\s*", re.IGNORECASE | re.ASCII)
_MINUTES = {"m": 1, "h": 60, "d": 24 * 60, "w": 7 * 24 * 60}
# No log and no backup goes back further, and the calendar of a computer can still be counted back by it.
_LONGEST_YEARS = 50
_LONGEST_MINUTES = _LONGEST_YEARS * 365 * 24 * 60


def span_of(text: str) -> timedelta | None:
    """Returns a span of time written as in 90m, 36h, 1.5d or 2w; None for a text of another form.

    Raises ValueError, with the end of a sentence, for one that is shorter than a minute or longer than 50 years."""
    found = _SPAN.fullmatch(text)
    if found is None:
        return None
    minutes = float(found[1]) * _MINUTES[found[2].lower()]
    if minutes < 1:
        raise ValueError(f"must be at least 1m, not {text}")
    if minutes > _LONGEST_MINUTES:
        raise ValueError(f"must be at most {_LONGEST_YEARS} years, not {text}")
    return timedelta(minutes=minutes)
