# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What goes in and comes out: script and parameters as data, and an answer that is whole or none."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
import secrets
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import CorruptReply

# Ends the input; without it the frame on the server runs nothing.
GO = b"!\n"
# An answer about a thousand data sources has less than 2 MiB.
LARGEST_ANSWER_BYTES = 16 * 1024**2
_GZIP = 16 + zlib.MAX_WBITS
_HEAD = re.compile(rb"(\d{1,12}) ([0-9A-F]{64})\s")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]")


@dataclass(frozen=True)
class Input:
    """What is sent: `data`, and then `GO`; `nonce` marks the answer."""

    data: bytes
    nonce: str


def make_input(script: str, parameters: Mapping[str, object], prologue: str = "") -> Input:
    """Returns script and parameters (anything JSON can hold) as ASCII; raises TypeError for anything else.

    `prologue` is a script without parameters that runs before, in the same process; what it returns is dropped, and an
    error of it ends the run before the script has begun."""
    nonce = secrets.token_hex(16)
    # A lone surrogate is no character: it becomes U+FFFD here, as it would on the way to .NET.
    request = {"prologue": prologue, "script": script, "parameters": dict(parameters), "nonce": nonce}
    text = json.dumps(request, ensure_ascii=False)
    return Input(base64.b64encode(text.encode("utf-8", "replace")) + b"\n", nonce)


def read_answer(output: bytes, nonce: str) -> dict[str, Any]:
    """Returns the answer that stands in an output, {"data": ...} or {"error": {...}}; raises CorruptReply.

    Whatever else the output holds is noise of the script's and is passed over.
    """
    opening, closing = f"<<{nonce} ".encode(), f"{nonce}>>".encode()
    start = output.find(opening)
    end = output.find(closing, start + len(opening))
    if start < 0 or end < 0:
        raise CorruptReply("the output holds no whole answer")
    found = _HEAD.match(output, start + len(opening), end)
    if found is None:
        raise CorruptReply("a part of the answer was lost on the way")
    try:
        packed = base64.b64decode(_NOT_BASE64.sub(b"", output[found.end() : end]))
    except binascii.Error as error:
        raise CorruptReply("a part of the answer was lost on the way") from error
    if len(packed) != int(found[1]) or hashlib.sha256(packed).hexdigest().upper() != found[2].decode():
        raise CorruptReply("a part of the answer was lost on the way")
    try:
        answer = json.loads(_unpacked(packed), parse_constant=_no_number)
    except (EOFError, zlib.error, ValueError, RecursionError) as error:
        raise CorruptReply("the answer is no JSON that was packed") from error
    return answer if isinstance(answer, dict) else {"data": answer}


def _no_number(name: str) -> float:
    """JSON has no NaN and no Infinity, although Python would read them."""
    raise ValueError(name)


def _unpacked(packed: bytes) -> bytes:
    """Returns what was packed; raises CorruptReply where it is larger than any answer, zlib.error, or EOFError."""
    unpacking = zlib.decompressobj(_GZIP)
    text = unpacking.decompress(packed, LARGEST_ANSWER_BYTES)
    if unpacking.unconsumed_tail:
        raise CorruptReply(f"the answer is larger than {LARGEST_ANSWER_BYTES} bytes")
    if not unpacking.eof:
        raise EOFError
    return text
