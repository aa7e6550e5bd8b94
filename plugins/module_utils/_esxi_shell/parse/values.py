# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Single values as the commands of ESXi print them. None: not there, or nothing that tells."""

from __future__ import annotations

import re

_TRUE_FALSE = {"true": True, "false": False}
_LONGEST_LINE = 8192
_NUMBER = re.compile(r"\d{1,20}", re.ASCII)


def lines(text: str) -> list[str]:
    """Returns the lines of an output as the host ends them; longer ones than any command prints are left out."""
    return [line.rstrip("\r") for line in text.split("\n") if len(line) <= _LONGEST_LINE]


def yes_or_no(text: object) -> bool | None:
    """Returns what "true", "false" or a boolean of JSON says; None for anything else."""
    if isinstance(text, bool):
        return text
    return _TRUE_FALSE.get(text.strip().lower()) if isinstance(text, str) else None


def whole_number(text: object) -> int | None:
    """Returns a whole number that is not negative, from text or JSON; None for anything else."""
    if isinstance(text, int) and not isinstance(text, bool):
        return text if text >= 0 else None
    if isinstance(text, str) and _NUMBER.fullmatch(text.strip()):
        return int(text)
    return None


def words(text: object) -> str | None:
    """Returns a text without the blanks that commands pad it with; None where nothing is left."""
    return (text.strip() or None) if isinstance(text, str) else None
