# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What a script answered, read as what it has to be. Total: any JSON gives typed values, or CorruptReply.

A value that is null is not known, and stays None; one of another type than its own is no answer of our script.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import CorruptReply


def rows(answer: object, key: str) -> list[Mapping[str, Any]]:
    """Returns the list of tables that stands under `key`, which the script always sends."""
    found = value_of(answer, key)
    if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
        raise _wrong(key, "a list of tables", found)
    return found


def rows_or_none(answer: object, key: str) -> list[Mapping[str, Any]] | None:
    """As `rows`, of a list that is null where it could not be read."""
    return None if value_of(answer, key) is None else rows(answer, key)


def text(row: object, key: str) -> str | None:
    """Returns a text; None where it is null, missing or empty."""
    found = _optional(row, key)
    if found is not None and not isinstance(found, str):
        raise _wrong(key, "a text", found)
    return found or None


def texts(row: object, key: str) -> tuple[str, ...]:
    """Returns a list of texts without its empty ones; () where it is null or missing."""
    found = _optional(row, key)
    if found is None:
        return ()
    if not isinstance(found, list) or not all(one is None or isinstance(one, str) for one in found):
        raise _wrong(key, "a list of texts", found)
    return tuple(one for one in found if one)


def number(row: object, key: str) -> int | None:
    """Returns a whole number, which JSON may write with a fraction of zero; None where it is null or missing."""
    found = _optional(row, key)
    if isinstance(found, float) and found.is_integer():
        return int(found)
    if found is not None and (isinstance(found, bool) or not isinstance(found, int)):
        raise _wrong(key, "a whole number", found)
    return found


def flag(row: object, key: str) -> bool | None:
    """Returns true or false; None where it is null or missing."""
    found = _optional(row, key)
    if found is not None and not isinstance(found, bool):
        raise _wrong(key, "true or false", found)
    return found


def value_of(answer: object, key: str) -> object:
    """Returns what stands under a key that the script always sends."""
    if not isinstance(answer, Mapping):
        raise CorruptReply(f"The script did not answer with a table, but with {_shown(answer)}.")
    if key not in answer:
        raise CorruptReply(f"The script's answer lacks {key}.")
    return answer[key]


def _optional(row: object, key: str) -> object:
    if not isinstance(row, Mapping):
        raise CorruptReply(f"The script's answer holds {_shown(row)} where a table should be.")
    return row.get(key)


def _wrong(key: str, expected: str, found: object) -> CorruptReply:
    return CorruptReply(f"The script's answer holds {_shown(found)} as {key}, which should be {expected}.")


def _shown(value: object) -> str:
    kinds = {bool: "true or false", int: "a number", float: "a number", str: "a text", list: "a list", dict: "a table"}
    return "nothing" if value is None else kinds.get(type(value), "something else")
