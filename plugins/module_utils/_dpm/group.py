# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A protection group and its auto-grow, as its data sources tell of it. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import SelectionError
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import DataSource


@dataclass(frozen=True)
class ProtectionGroup:
    """A protection group. DPM tells of each protected data source whether it grows by itself: `auto_grow` is None where
    one does not tell, `mixed` where they do not tell the same."""

    name: str
    auto_grow: bool | None
    mixed: bool = False


def find_group(sources: Iterable[DataSource], name: str) -> ProtectionGroup:
    """Returns the group of this name, without regard to case; raises SelectionError that lists those there are."""
    members: dict[str, list[bool | None]] = {}
    for source in sources:
        if source.protection_group and source.active:
            members.setdefault(source.protection_group, []).append(source.auto_grow)
    found = [group for group in members if group == name] or [
        group for group in members if group.casefold() == name.casefold()
    ]
    if len(found) != 1:
        listed = ", ".join(sorted(members)) or "none at all"
        raise SelectionError(
            f"There is no protection group {name!r} with data sources on this DPM server; there is {listed}."
        )
    flags = set(members[found[0]])
    known = next(iter(flags)) if len(flags) == 1 else None
    return ProtectionGroup(found[0], known, mixed=flags == {True, False})
