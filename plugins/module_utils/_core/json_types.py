# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The last step of every module: dataclasses and enumerations become plain dicts, lists, strings and numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum

# Metadata of a dataclass field that a result shows only where it is not None.
ONLY_WHERE_SET = {"only_where_set": True}
_HALF = re.compile("[\ud800-\udfff]")
_PICTURES: dict[int, str | int] = {
    **{code: 0x2400 + code for code in range(0x20) if code not in (0x09, 0x0A)},
    0x7F: 0x2421,
    **{code: f"<U+{code:04X}>" for code in (*range(0x80, 0xA0), *range(0x202A, 0x202F), *range(0x2066, 0x206A))},
}


def to_json_types(value: object) -> object:
    """Returns `value` made of dict, list, str, int, float, bool and None only; raises TypeError for anything else.

    Keys and members keep their order. A `str` subclass becomes a plain `str`, since Ansible warns about others.
    """
    kind = type(value)
    # What results are made of nearly always comes first: there are hundreds of thousands of members to a large one.
    if value is None or kind in (int, bool, float):
        return value
    if kind is str:
        return _whole(value)  # type: ignore[arg-type]
    if kind is dict:
        return {_whole(str(key)): to_json_types(member) for key, member in value.items()}  # type: ignore[attr-defined]
    if kind is list:
        return [to_json_types(member) for member in value]  # type: ignore[attr-defined]
    if isinstance(value, Enum):
        return to_json_types(value.value)
    if isinstance(value, str):
        return _whole(str(value))
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if is_dataclass(value) and not isinstance(value, type):
        shown = {field: getattr(value, field.name) for field in fields(value)}
        return {
            field.name: to_json_types(member)
            for field, member in shown.items()
            if member is not None or not field.metadata.get("only_where_set")
        }
    if isinstance(value, Mapping):
        return {_whole(str(key)): to_json_types(member) for key, member in value.items()}
    if isinstance(value, (list, tuple)):
        return [to_json_types(member) for member in value]
    if isinstance(value, (set, frozenset)):
        return sorted(to_json_types(member) for member in value)  # type: ignore[type-var]
    raise TypeError(f"a result holds a {type(value).__name__}, which no playbook could read")


def as_sentence(text: str) -> str:
    """Returns a text for a console: control characters of a server's text, which could move the cursor or change what
    was written, become their pictures; line ends stay."""
    shown = _whole(text)
    return shown if shown.isprintable() else shown.translate(_PICTURES)


def _whole(text: str) -> str:
    """Returns a text with half characters (lone surrogates), which no UTF-8 can hold, as their numbers: "<U+D800>"."""
    return text if text.isascii() else _HALF.sub(_number_of, text)


def _number_of(half: re.Match[str]) -> str:
    return f"<U+{ord(half[0]):04X}>"
