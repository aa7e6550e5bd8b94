# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What PowerShell wrote to its error stream, as text for a message: CLIXML or plain, in any code page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

_LIMIT = 2000
_LARGEST = 256 * 1024
_MARK, _DOCUMENT, _DOCUMENT_END = "#< CLIXML", "<Objs", "</Objs>"
_ESCAPE = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TERMINAL = re.compile(r"\x1b\[[0-9;]*m")


def text_of(stream: bytes) -> str:
    """Returns the errors of an error stream, one line where there is only one; "" where it holds none.

    Progress, warnings and verbose lines of CLIXML are left out. Bytes that are no UTF-8 are read as code page 437.
    """
    stream = stream[:_LARGEST]
    try:
        text = stream.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = stream.decode("cp437")
    text = text.replace("\ufeff", "")
    plain, documents = _taken_apart(text)
    errors = "".join(_errors_in(document) for document in documents)
    lines = [line.strip() for line in f"{plain}\n{errors}".splitlines()]
    return _TERMINAL.sub("", "\n".join(line for line in lines if line))[:_LIMIT]


def _taken_apart(text: str) -> tuple[str, list[str]]:
    """Returns a text without its documents of CLIXML, and these. A mark may come twice, and several documents after
    it."""
    if _MARK not in text:
        return text, []
    plain, documents, at = "", [], 0
    while (start := text.find(_DOCUMENT, at)) >= 0:
        end = text.find(_DOCUMENT_END, start)
        if end < 0:
            break
        end += len(_DOCUMENT_END)
        plain += text[at:start].replace(_MARK, "")
        documents.append(text[start:end])
        at = end
    return plain + text[at:], documents


def _errors_in(document: str) -> str:
    try:
        root = ET.fromstring(document)
    except ET.ParseError:
        return document
    texts = [node.text or "" for node in root.iter() if node.tag.endswith("}S") and node.get("S") == "Error"]
    return _ESCAPE.sub(lambda found: chr(int(found[1], 16)), "".join(texts))
