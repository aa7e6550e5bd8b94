# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The names that one volume has: letter, folder, volume name with or without the closing backslash, device. Pure.

No name says which other one is the same volume: they are looked up in a table of Windows' own, never derived.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

_GUID_NAME = re.compile(r"\\\\[?.]\\volume\{([0-9a-f-]{36})\}")
_LETTER = re.compile(r"(?:\\\\[?.]\\)?([a-z]):")


def key_of(name: str | None) -> str | None:
    r"""Returns a name in the one spelling that names are compared in; None where there is none.

    "E:\", "\\?\E:" and "e:" become "e:", "\\?\Volume{...}\" and "\\.\Volume{...}" become "\\?\volume{...}"."""
    text = _without_closing(name or "").lower().lstrip()
    if not text:
        return None
    found = _GUID_NAME.fullmatch(text)
    if found is not None:
        return f"\\\\?\\volume{{{found[1]}}}"
    letter = _LETTER.fullmatch(text)
    return f"{letter[1]}:" if letter is not None else text


def _without_closing(name: str) -> str:
    """Returns a name without the backslashes and the white space that close it, in whatever order they stand."""
    end = len(name)
    while end and (name[end - 1] == "\\" or name[end - 1].isspace()):
        end -= 1
    return name[:end]


def guid_in(name: str | None) -> str | None:
    """Returns the GUID that a volume name carries, in lower case and without braces; None for any other name."""
    found = _GUID_NAME.fullmatch(key_of(name) or "")
    return None if found is None else found[1]


def letter_in(name: str | None) -> str | None:
    """Returns the drive letter that a name is, as "E:"; None for any other name."""
    key = key_of(name) or ""
    return key.upper() if re.fullmatch("[a-z]:", key) else None


@dataclass(frozen=True)
class NamedVolume:
    r"""A volume as far as it is known: `letter` is "E:", `path` "\\?\Volume{guid}\", or the name by which it was met
    where that is another one.

    `disk` is the number of the disk that holds it; None where that is not known, as of a volume on dynamic disks.
    """

    guid: str | None = None
    letter: str | None = None
    path: str | None = None
    label: str | None = None
    disk: int | None = None
    names: frozenset[str] = frozenset()

    @classmethod
    def named(cls, name: str) -> NamedVolume:
        """Returns a volume of which only a name is known."""
        guid, letter = guid_in(name), letter_in(name)
        path = f"\\\\?\\Volume{{{guid}}}\\" if guid else None if letter else name.strip()
        return cls(guid, letter, path, names=frozenset({key_of(name) or ""}))

    @property
    def display_name(self) -> str:
        """How messages call it."""
        return self.letter or self.path or "a volume"

    def is_same_as(self, other: NamedVolume) -> bool:
        """Tells whether both have a name in common."""
        return bool((self.names & other.names) - {""})


class VolumeTable:
    """The volumes of a machine, found by any of their names."""

    def __init__(self, volumes: Iterable[NamedVolume]) -> None:
        self.volumes = tuple(volumes)
        self._by_name: dict[str, NamedVolume] = {}
        for volume in self.volumes:
            for name in volume.names:
                self._by_name.setdefault(name, volume)

    def find(self, name: str | None) -> NamedVolume | None:
        """Returns the volume of a name: that of the table, else one of which only this name is known; None for none."""
        key = key_of(name)
        if key is None or name is None:
            return None
        return self._by_name.get(key) or NamedVolume.named(name)

    def by_label(self, label: str | None) -> NamedVolume | None:
        """Returns the one volume with a label; None where none has it, or several have."""
        found = [volume for volume in self.volumes if label and volume.label == label]
        return found[0] if len(found) == 1 else None
