# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Codes of Windows in all their spellings: HRESULTs and NTSTATUS as unsigned numbers of 32 bits. Pure and total.

One code is written 0x80780034, 2155348020, -2139619276 or %%2155348020, by the log, the field and the version.
"""

from __future__ import annotations

import re

_LARGEST = 0xFFFFFFFF
_HEXADECIMAL = re.compile(r"\s*0[xX]([0-9A-Fa-f]{1,8})(?![0-9A-Za-z])")
_DECIMAL = re.compile(r"\s*(?:%%)?(-?[0-9]{1,10})\s*$", re.ASCII)
_BRACKETED = re.compile(r"\[[^\]]*?(0[xX][0-9A-Fa-f]{8})[,\]]")


def code_of(text: str | None) -> int | None:
    """Returns the code at the beginning of a text, whatever an operating system wrote behind it; None for none."""
    if not text:
        return None
    found = _HEXADECIMAL.match(text)
    if found is not None:
        return int(found[1], 16)
    number = _DECIMAL.match(text)
    return None if number is None else unsigned(int(number[1]))


def code_in_brackets(text: str | None) -> int | None:
    """Returns the code that stands in brackets in a text, as in "... [0x80080005, ...]"; None for none."""
    found = _BRACKETED.search(text or "")
    return None if found is None else int(found[1], 16)


def unsigned(number: int) -> int | None:
    """Returns a code that was read as a signed number; None for a number that no code can be."""
    if number < 0:
        number += _LARGEST + 1
    return number if 0 <= number <= _LARGEST else None


def shown(code: int) -> str:
    """Returns a code as results have it: "0x80780034"."""
    return f"0x{code:08X}"
