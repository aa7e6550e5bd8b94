# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Which data source another object of DPM's means: by an id where it tells one, else by name and computer. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Reference:
    """What an object of DPM's tells of a data source that it is, or is about."""

    ids: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    computers: tuple[str, ...] = ()


class Directory:
    """Looks data sources up by what other objects tell of them. Each is called by the first of its ids."""

    def __init__(self, sources: Iterable[Reference]) -> None:
        self._by_id: dict[str, str] = {}
        self._by_name: dict[str, list[tuple[str, frozenset[str]]]] = {}
        self._computers: dict[str, str] = {}
        for source in sources:
            if not source.ids:
                continue
            own = source.ids[0]
            self._by_id.update(dict.fromkeys(source.ids, own))
            short = frozenset(short_name(computer) for computer in source.computers)
            for name in {name.casefold() for name in source.names}:
                self._by_name.setdefault(name, []).append((own, short))
            for computer in source.computers[:1]:
                self._computers.setdefault(short_name(computer), computer)

    def find(self, references: Iterable[Reference]) -> frozenset[str]:
        """Returns the ids of the data sources that are meant. A known id decides, whatever else is told; a name
        without a computer means every data source of that name."""
        found: set[str] = set()
        for one in references:
            by_id = {self._by_id[own] for own in one.ids if own in self._by_id}
            found |= by_id or self._find_by_name(one)
        return frozenset(found)

    def computer(self, names: Iterable[str]) -> str | None:
        """Returns the protected computer that one of these names means, by the name that data sources give it."""
        return next((self._computers[short] for name in names if (short := short_name(name)) in self._computers), None)

    def _find_by_name(self, one: Reference) -> set[str]:
        computers = {short_name(computer) for computer in one.computers}
        return {
            own
            for name in one.names
            for own, theirs in self._by_name.get(name.casefold(), ())
            if not computers or not theirs or computers & theirs
        }


def short_name(computer: str) -> str:
    """Returns the name of a computer without its domain, in lower case: some objects tell the one, some the other."""
    return computer.casefold().partition(".")[0]
