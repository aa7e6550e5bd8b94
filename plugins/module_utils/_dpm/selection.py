# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""From the names that a user gives to the data sources that they mean. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import SelectionError
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import DataSource

# How many candidates an error lists; the rest is counted.
_LISTED = 20


@dataclass(frozen=True)
class Selection:
    """What the user named; nothing named means all."""

    datasources: tuple[str, ...] = ()
    computers: tuple[str, ...] = ()
    protection_groups: tuple[str, ...] = ()

    @property
    def is_given(self) -> bool:
        return bool(self.datasources or self.computers or self.protection_groups)


def select(sources: Iterable[DataSource], selection: Selection) -> tuple[DataSource, ...]:
    """Returns the data sources that match all that is given, in the order of computer, name and id.

    Raises SelectionError that lists every entry by which nothing is selected, and what there is.
    """
    every = sorted(sources, key=lambda source: (source.computer.casefold(), source.name.casefold(), source.id))
    criteria = (
        ("data source", selection.datasources, _is_called, lambda source: source.display_name),
        ("computer", selection.computers, _is_of_computer, lambda source: source.computer),
        ("protection group", selection.protection_groups, _is_in_group, lambda source: source.protection_group or ""),
    )
    chosen = [
        source
        for source in every
        if all(not names or any(fits(source, name) for name in names) for _kind, names, fits, _shown in criteria)
    ]
    complaints = [
        _complaint(kind, name, fits, shown, every)
        for kind, names, fits, shown in criteria
        for name in names
        if not any(fits(source, name) for source in chosen)
    ]
    if complaints:
        raise SelectionError(" ".join(dict.fromkeys(complaints)))
    return tuple(chosen)


def _complaint(
    kind: str,
    name: str,
    fits: Callable[[DataSource, str], bool],
    shown: Callable[[DataSource], str],
    every: list[DataSource],
) -> str:
    found = [source for source in every if fits(source, name)]
    if found:
        listed = _listed(f"{source.display_name} in {source.protection_group}" for source in found)
        return f"The {kind} {name!r} is there ({listed}), but nothing of it matches the rest of the selection."
    there = _listed(sorted({shown(source) for source in every} - {""}))
    return f"There is no {kind} {name!r} on this DPM server; there is {there or 'none at all'}."


def _is_called(source: DataSource, name: str) -> bool:
    wanted = name.casefold()
    known = {source.id, source.name, *source.ids, *source.aliases}
    return wanted in {one.casefold() for one in known}


def _is_of_computer(source: DataSource, name: str) -> bool:
    """A name without a domain fits the first label; one with a domain fits a bare one where no domain is known."""
    wanted = name.casefold().rstrip(".")
    known = {one.casefold().rstrip(".") for one in {source.computer, *source.computers} - {""}}
    if "." not in wanted:
        return wanted in {one.partition(".")[0] for one in known}
    if any("." in one for one in known):
        return wanted in known
    return wanted.partition(".")[0] in known


def _is_in_group(source: DataSource, name: str) -> bool:
    return (source.protection_group or "").casefold() == name.casefold()


def _listed(candidates: Iterable[str]) -> str:
    every = list(candidates)
    more = f" and {len(every) - _LISTED} more" if len(every) > _LISTED else ""
    return ", ".join(every[:_LISTED]) + more
