# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Reading values out of vSphere's XML. An absent element is None; a text that is no such value raises ValueError."""

from __future__ import annotations

from functools import lru_cache
from xml.etree.ElementTree import Element

from ansible_collections.winbackup.storage.plugins.module_utils._core.whole_numbers import whole_number_of

VIM = "{urn:vim25}"
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"


@lru_cache(maxsize=4096)
def local_name(tag: str) -> str:
    """Returns a tag or type without its namespace."""
    return tag.rpartition("}")[2].rpartition(":")[2]


def type_of(element: Element) -> str:
    """Returns the type that an element says it has, without a prefix; "" where it says none."""
    return local_name(element.get(TYPE, ""))


def child(element: Element, *names: str) -> Element | None:
    """Returns the element at a path of names below another, or None."""
    found: Element | None = element
    for name in names:
        if found is None:
            return None
        found = found.find(VIM + name)
    return found


def children(element: Element | None, name: str) -> list[Element]:
    """Returns all children of one name."""
    return element.findall(VIM + name) if element is not None else []


def child_text(element: Element | None, *names: str) -> str | None:
    """Returns the text at a path of names below an element; None where it is absent or empty."""
    if element is None:
        return None
    if len(names) == 1:
        return element.findtext(VIM + names[0]) or None
    found = child(element, *names)
    return (found.text or None) if found is not None else None


def child_texts(element: Element | None) -> dict[str, str]:
    """Returns the texts of all children that have one, by their names."""
    return {local_name(part.tag): part.text for part in element if part.text} if element is not None else {}


def as_bool(text: str | None) -> bool | None:
    """Returns the boolean that XML Schema writes as true, false, 1 or 0."""
    if text is None:
        return None
    try:
        return {"true": True, "1": True, "false": False, "0": False}[text.strip()]
    except KeyError:
        raise ValueError(f"{text!r} is neither true nor false") from None


def as_int(text: str | None) -> int | None:
    """Returns the integer of a text."""
    if text is None:
        return None
    number = whole_number_of(text)
    if number is None:
        raise ValueError("no integer")
    return number


def snake_case(name: str) -> str:
    """Returns "lostCommunication" as "lost_communication", as results spell enumerations."""
    parts: list[str] = []
    for position, letter in enumerate(name):
        if letter.isupper() and position and not name[position - 1].isupper():
            parts.append("_")
        parts.append(letter.lower())
    return "".join(parts)
