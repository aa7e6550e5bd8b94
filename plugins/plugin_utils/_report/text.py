# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Text for people: names made printable, sizes, counts, widths. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

_UNITS = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")
# Characters that reorder or hide their neighbours; a name could otherwise be shown as another one.
_INVISIBLE = frozenset(
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff"
)
_SPELT = {
    "lun": "LUN",
    "luns": "LUNs",
    "vm": "VM",
    "vmfs": "VMFS",
    "vsan": "vSAN",
    "vml": "VML",
    "cbt": "CBT",
    "4k": "4K",
    "dpm": "DPM",
}


def printable(text: str) -> str:
    """Returns the text with every character visible: control characters as their pictures, others by their number.

    A tab or line end becomes its picture too: it is part of a name here, never layout.
    """
    return text if text.isprintable() and _INVISIBLE.isdisjoint(text) else "".join(map(_printable_character, text))


def _printable_character(character: str) -> str:
    code = ord(character)
    if code < 0x20:
        return chr(0x2400 + code)
    if code == 0x7F:
        return "\u2421"
    # Joiners make emoji and letters of several scripts what they are.
    if character in "\u200c\u200d" or unicodedata.category(character) == "Zs":
        return character
    if character in _INVISIBLE or unicodedata.category(character) in ("Cc", "Cs", "Cn", "Zl", "Zp"):
        return f"<U+{code:04X}>"
    return character


def size(count: int | None) -> str:
    """Returns "2.73 TiB" for a number of bytes; "not known" for None."""
    if count is None:
        return "not known"
    value = float(count)
    for unit in _UNITS:
        if abs(value) < 1024 or unit == _UNITS[-1]:
            break
        value /= 1024
    return f"{count} bytes" if unit == "bytes" else f"{value:.3g} {unit}" if value < 1000 else f"{value:.0f} {unit}"


def exactly(count: int | None) -> str:
    """Returns "3,000,592,982,016 bytes"; "" for None."""
    return "" if count is None else f"{count:,} bytes"


def number_of(count: int, one: str, many: str | None = None) -> str:
    """Returns "1 mapping", "1,000 mappings"."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def listed(names: Sequence[str], most: int) -> str:
    """Returns the names with commas between them, cut after `most` with the count of the rest."""
    rest = len(names) - most
    return ", ".join(names[:most]) + (f" and {rest} more" if rest > 0 else "")


def spelt_out(code: str) -> str:
    """Returns "LUN not ok" for "lun_not_ok": a code or an enumeration's member as words."""
    words = " ".join(_SPELT.get(word, word) for word in code.split("_"))
    return words[:1].upper() + words[1:]


def columns(text: str) -> int:
    """Returns how many columns a text takes; the characters of East Asia take two."""
    return sum(_columns_of(character) for character in text)


def shortened(text: str, most: int) -> str:
    """Returns the text within `most` columns, with the middle left out: both ends tell names of devices apart."""
    if columns(text) <= most:
        return text
    head, tail = "", ""
    taken = 1
    left, right = 0, len(text) - 1
    while left <= right:
        from_head = columns(head) <= columns(tail)
        character = text[left] if from_head else text[right]
        taken += _columns_of(character)
        if taken > most:
            break
        if from_head:
            head, left = head + character, left + 1
        else:
            tail, right = character + tail, right - 1
    return f"{head}\u2026{tail}"


def _columns_of(character: str) -> int:
    if unicodedata.combining(character) or character in "\u200c\u200d\ufe0f":
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
