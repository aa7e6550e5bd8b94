# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The filter without_names: what a reading looks like, without anything by which a site could be told."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

# What holds words of the collection or of the product, and never a name.
_WORDS = frozenset({"code", "codes", "findings", "severity", "state", "storage_kind", "type", "reason"})
_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_VERSIONS = frozenset({"version"})
_VERSION = re.compile(r"\d{1,5}(\.\d{1,6}){1,4}")
# What an error says is a text of the server's, with names in it; Ansible's own members say nothing.
_LEFT_OUT = frozenset({"msg", "exception", "warnings", "deprecations", "invocation", "diff"})


def without_names(result: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the shape of a result: of each member the kinds of values that were seen, and of a list how many.

    Texts are "text" but for words of the product, numbers "number" but for 0, and null and true and false themselves.
    """
    shape = _merged([_shape("", {key: value for key, value in result.items() if key not in _LEFT_OUT})])
    return shape if isinstance(shape, dict) else {}


def _shape(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        # A key that is no word of ours is a name.
        return {name if _WORD.fullmatch(str(name)) else "<name>": _shape(str(name), one) for name, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_shape(key, one) for one in value]
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, (int, float)):
        return 0 if value == 0 else "number"
    text = str(value)
    known = (key in _WORDS and _WORD.fullmatch(text)) or (key in _VERSIONS and _VERSION.fullmatch(text))
    return text if known else "text"


def _merged(shapes: list[Any]) -> Any:
    """Returns one shape for several values of one member: of dictionaries that of each of their members, of lists how
    many members there are at least and at most, of anything else every kind once."""
    dictionaries = [shape for shape in shapes if isinstance(shape, dict)]
    lists = [shape for shape in shapes if isinstance(shape, list)]
    kinds: list[Any] = []
    if dictionaries:
        names = dict.fromkeys(name for shape in dictionaries for name in shape)
        kinds.append({name: _merged([shape[name] for shape in dictionaries if name in shape]) for name in names})
    if lists:
        lengths = [len(shape) for shape in lists]
        members = [member for shape in lists for member in shape]
        kinds.append({"least": min(lengths), "most": max(lengths), "each": _merged(members) if members else None})
    plain = [shape for shape in shapes if not isinstance(shape, (dict, list))]
    kinds += sorted(set(map(_told, plain)), key=str)
    return kinds[0] if len(kinds) == 1 else kinds


def _told(value: Any) -> str:
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(value)


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Returns the filters by their names."""
        return {"without_names": without_names}
