# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Names of objects as vSphere writes them, and as people see them. Pure."""

from __future__ import annotations

_ESCAPES = {"%2f": "/", "%5c": "\\", "%25": "%"}


def decode_name(name: str) -> str:
    """Returns the name of an object as people see it; the API, and so may a host, writes
    three characters of it as %2f, %5c and %25."""
    if "%" not in name:
        return name
    parts: list[str] = []
    position = 0
    while position < len(name):
        escape = name[position : position + 3].lower()
        parts.append(_ESCAPES.get(escape, name[position]))
        position += 3 if escape in _ESCAPES else 1
    return "".join(parts)
