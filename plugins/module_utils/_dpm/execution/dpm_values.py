# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Values that DPM's objects gave to a script. Total: what is missing, -1 or of another type is None.

DPM's objects are documented in part only, so that nothing of them is relied upon.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._dpm.identity import Reference

# DPM's number of an error stands in its texts in every language: "... (ID 358)", "... (ID: 358 Details: ...)".
_CODE = re.compile(r"\bID\s*[:：]?\s*(\d{2,6})\b")
_WORDS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])|[\s\-]+")
_TIME = re.compile(r"(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)")


def time_of(value: object) -> datetime | None:
    """Returns a time of .NET's round-trip form (UTC) without fractions; None for none, and the year 1."""
    found = _TIME.match(value) if isinstance(value, str) else None
    if found is None or found[1] == "0001":
        return None
    year, month, day, hour, minute, second = (int(part) for part in found.groups())
    try:
        return datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def code_of(message: str | None) -> int | None:
    """Returns DPM's own number of an error that stands in its text, or None."""
    found = _CODE.search(message or "")
    return int(found[1]) if found else None


def word_of(value: object) -> str | None:
    """Returns a member of an enumeration in the collection's spelling: "InProgress" becomes "in_progress"."""
    text = text_of(value)
    return None if text is None else "_".join(part for part in _WORDS.split(text) if part).lower()


def rows_of(answer: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """Returns the tables of a list."""
    value = answer.get(key)
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def texts_of(row: Mapping[str, Any], key: str) -> list[str]:
    """Returns the texts of a list without its empty ones."""
    value = row.get(key)
    return [text for one in value if (text := text_of(one)) is not None] if isinstance(value, list) else []


def mapping_of(value: object) -> Mapping[str, Any]:
    """Returns a table; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


def text_of(value: object) -> str | None:
    """Returns a text that is not empty, or a number as text."""
    if isinstance(value, bool) or value is None:
        return None
    return str(value) or None


def flag_of(value: object) -> bool | None:
    """Returns true or false."""
    return value if isinstance(value, bool) else None


def size_of(value: object) -> int | None:
    """Returns a size in bytes, or another count; what is below zero, or no number of 64 bits, is not known."""
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63 else None


def allocated_of(value: object) -> int | None:
    """Returns the size of a volume; one without a size is one that DPM has not read yet."""
    return size_of(value) or None


def reference_of(row: Mapping[str, Any]) -> Reference:
    """Returns which data source a row is, or is about. A GUID of zeroes is none."""
    ids = dict.fromkeys(one.lower() for one in texts_of(row, "ids") if one.strip("0-"))
    names = (text_of(row.get(key)) for key in ("name", "other_name", "logical_path", "display_path"))
    return Reference(
        tuple(ids), tuple(dict.fromkeys(name for name in names if name)), tuple(texts_of(row, "computers"))
    )


def references_of(rows: object) -> list[Reference]:
    """Returns which data sources the rows of a list are about."""
    return [reference_of(row) for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []
