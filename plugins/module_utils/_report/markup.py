# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""HTML and SVG as text in which nothing can arise from a value: every text is escaped where it enters. Pure.

There is no template. `element` is the only place that writes a tag, and only text that it wrote passes as `Html`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import escape
from typing import TypeAlias

from ansible_collections.winbackup.storage.plugins.module_utils._report.text import printable

_NAME = re.compile(r"[a-zA-Z][a-zA-Z0-9-]*")
_WITHOUT_END = frozenset({"meta", "path", "rect"})


@dataclass(frozen=True)
class Html:
    """Finished markup."""

    text: str


Child: TypeAlias = "Html | str | int | None"
Value: TypeAlias = "str | int | float | None"


def element(tag: str, *children: Child, **attributes: Value) -> Html:
    """Returns `<name ...>children</name>`.

    A string among the children or attributes is escaped, None left out. In the name of an attribute an underscore
    stands for a hyphen; one at the end is dropped (`class_`).
    """
    start = tag + "".join(_attribute(key, value) for key, value in attributes.items())
    if not _NAME.fullmatch(tag):
        raise ValueError(f"{tag!r} is no name of an element")
    if tag in _WITHOUT_END:
        return Html(f"<{start}/>")
    return Html(f"<{start}>{joined(*children).text}</{tag}>")


def joined(*children: Child) -> Html:
    """Returns the children one after the other."""
    return Html("".join(_child(child) for child in children if child is not None))


def _child(child: Html | str | int) -> str:
    return child.text if isinstance(child, Html) else escape(printable(str(child)))


def _attribute(key: str, value: Value) -> str:
    if value is None:
        return ""
    name = key.rstrip("_").replace("_", "-")
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is no name of an attribute")
    return f' {name}="{escape(printable(str(value)))}"'
