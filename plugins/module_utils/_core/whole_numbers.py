# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Whole numbers in the texts of servers. Python takes "1_000" for one too, and the digits of every script; for "²", and
for thousands of digits, it raises ValueError after it called them digits. Pure."""

from __future__ import annotations

import re

# As many digits as 64 bits may have.
_WHOLE = re.compile(r"[+-]?[0-9]{1,20}")


def whole_number_of(text: str) -> int | None:
    """Returns the number that a text is, with or without a sign; None for any other text."""
    stripped = text.strip()
    return int(stripped) if _WHOLE.fullmatch(stripped) else None


def count_of(text: str) -> int | None:
    """Returns the number that a text is; None for any other text, and for one below zero."""
    number = whole_number_of(text)
    return number if number is not None and number >= 0 else None
