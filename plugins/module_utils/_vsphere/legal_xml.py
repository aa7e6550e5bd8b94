# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Replies that hold a character which no XML may hold: it is marked, so that it costs one value and not the reading.

Servers pass on what others gave them: a name or a path with a control character, or bytes that are no UTF-8.
"""

from __future__ import annotations

import codecs
import re
from xml.etree.ElementTree import Element

# A character of a private plane stands for what was replaced while the reply is parsed; no name of ours has it.
_MARK = "\U000f0ffd"
_MARK_BYTES = _MARK.encode()
# What people see of it afterwards.
_SHOWN = "\N{REPLACEMENT CHARACTER}"
_CONTROL = bytes(code for code in range(32) if code not in (9, 10, 13))
_ANY_CONTROL = re.compile(b"[" + re.escape(_CONTROL) + b"]")
_REFERENCE = re.compile(rb"&#(?:x([0-9A-Fa-f]{1,8})|([0-9]{1,8}));")
_LONGEST_REFERENCE = 12
# Bytes that are no UTF-8, as Python's decoder leaves them, and the two characters that XML leaves out (XML 1.0, 2.2).
_NO_CHARACTER = re.compile("[\ud800-\udfff\ufffe\uffff]")


class LegalXml:
    """Passes a reply on, chunk by chunk, with a mark where it held what no XML may hold."""

    def __init__(self) -> None:
        self.marked = False
        self._held = b""
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")

    def pass_on(self, data: bytes, last: bool = False) -> bytes:
        """Returns the next bytes for the parser; an unfinished character reference is held back until it ends."""
        if self._held:
            data, self._held = self._held + data, b""
        start = data.rfind(b"&", max(0, len(data) - _LONGEST_REFERENCE))
        if not last and start >= 0 and b";" not in data[start:]:
            data, self._held = data[:start], data[start:]
        if len(data.translate(None, _CONTROL)) != len(data):
            data = self._replaced(_ANY_CONTROL.sub(_MARK_BYTES, data), data)
        if b"&#" in data:
            data = self._replaced(_REFERENCE.sub(_of_reference, data), data)
        if data.isascii() and not self._decoder.getstate()[0]:
            return data
        text = self._decoder.decode(data, last)
        if _NO_CHARACTER.search(text):
            self.marked = True
            text = _NO_CHARACTER.sub(_MARK, text)
        return text.encode()

    def _replaced(self, now: bytes, before: bytes) -> bytes:
        self.marked = self.marked or now != before
        return now


def _of_reference(match: re.Match[bytes]) -> bytes:
    """Returns a character reference as it is, or the mark where XML has no such character (XML 1.0, 2.2)."""
    code = int(match[1], 16) if match[1] is not None else int(match[2])
    legal = code in (9, 10, 13) or 32 <= code < 0xD800 or 0xE000 <= code < 0xFFFE or 0x10000 <= code < 0x110000
    return match[0] if legal else _MARK_BYTES


def take_marks(element: Element) -> bool:
    """Replaces the marks below an element by what people see of them; returns whether there was one."""
    found = False
    for part in element.iter():
        if part.text is not None and _MARK in part.text:
            part.text = part.text.replace(_MARK, _SHOWN)
            found = True
    return found
