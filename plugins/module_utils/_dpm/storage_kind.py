# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Where data sources are kept, from the list of the volumes that DPM uses. Pure.

One data source may stand in that list several times: DPM keeps the volumes from before it was protected anew, or moved
to Modern Backup Storage, until their recovery points expire. Its own sizes tell which of them it uses now.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import GRANULARITY, StorageKind


@dataclass(frozen=True)
class ListedVolume:
    """A volume that DPM uses; `sources` are the ids of the data sources on it, `complete` tells whether these are all.
    A size that is not told is None."""

    is_replica: bool
    size_bytes: int | None
    sources: frozenset[str]
    complete: bool = True


@dataclass(frozen=True)
class Kept:
    """What a data source tells of where it is kept. `has_no_replica`: it tells neither size nor path of a replica."""

    id: str
    replica_bytes: int | None
    area_bytes: int | None
    has_no_replica: bool


@dataclass(frozen=True)
class StorageList:
    """The storage of a server. `volumes` is None where they could not be read, `complete` false where one of them could
    not; `modern_count` that of the volumes of Modern Backup Storage, None where not known; `modern_known` whether the
    server's version has any."""

    volumes: tuple[ListedVolume, ...] | None
    modern_known: bool
    modern_count: int | None
    complete: bool = True

    @property
    def held(self) -> int | None:
        """How many volumes hold data sources; None where not all could be read."""
        if self.volumes is None or not self.complete:
            return None
        return sum(bool(volume.sources) for volume in self.volumes)

    def kind_of(self, one: Kept) -> StorageKind:
        """Returns where a data source is kept. Modern is inferred: there is a replica, and no volume of DPM's for it.

        It is kept nowhere only where everything was read and says so.
        """
        areas, replicas = self._holding(one.id, is_replica=False), self._holding(one.id, is_replica=True)
        if one.area_bytes is not None and areas:
            return StorageKind.LEGACY
        if not self.modern_known:
            return self._kind_without_modern(one, bool(areas or replicas))
        if areas:
            return self._kind_by_replica(one, replicas)
        if self.volumes is None:
            return StorageKind.LEGACY if self.modern_count == 0 and not one.has_no_replica else StorageKind.UNKNOWN
        if one.area_bytes is not None:
            return StorageKind.LEGACY if self.modern_count == 0 else StorageKind.UNKNOWN
        if not self.complete:
            return StorageKind.UNKNOWN
        if one.replica_bytes is None and one.has_no_replica and not replicas:
            return StorageKind.NONE
        return StorageKind.MODERN

    def partners_of(self, one: Kept, everybody: Mapping[str, Kept]) -> frozenset[str] | None:
        """Returns who shares its recovery-point volume, by id; None where that is not to be told.

        One that uses other volumes by now, and only left old recovery points there, is no partner.
        """
        if self.kind_of(one) in (StorageKind.MODERN, StorageKind.NONE):
            return frozenset()
        current = self._current(one)
        if len(current) > 1 or not all(volume.complete for volume in current):
            return None
        partners = set()
        for id in current[0].sources - {one.id} if current else ():
            other = everybody.get(id)
            if other is None or self.kind_of(other) in (StorageKind.MODERN, StorageKind.NONE):
                continue
            theirs = self._current(other)
            if len(theirs) > 1:
                return None
            if theirs == current:
                partners.add(id)
        return frozenset(partners)

    def _current(self, one: Kept) -> list[ListedVolume]:
        """Returns the recovery-point volume that it uses now; all that it might be where its size does not tell."""
        areas = self._holding(one.id, is_replica=False)
        fitting = [volume for volume in areas if _fits(volume, one.area_bytes)]
        return fitting if len(fitting) == 1 else areas

    def _kind_without_modern(self, one: Kept, on_a_volume: bool) -> StorageKind:
        if on_a_volume or one.area_bytes is not None or one.replica_bytes is not None:
            return StorageKind.LEGACY
        if not one.has_no_replica:
            return StorageKind.LEGACY
        return StorageKind.NONE if self.volumes is not None and self.complete else StorageKind.UNKNOWN

    def _kind_by_replica(self, one: Kept, replicas: list[ListedVolume]) -> StorageKind:
        """Of one that tells no size of a recovery-point volume, though there is such a volume of it."""
        if self.modern_count == 0 or any(_fits(volume, one.replica_bytes) for volume in replicas):
            return StorageKind.LEGACY
        if one.replica_bytes is not None and replicas:
            return StorageKind.MODERN
        return StorageKind.UNKNOWN if replicas or one.replica_bytes is None else StorageKind.LEGACY

    def _holding(self, id: str, *, is_replica: bool) -> list[ListedVolume]:
        volumes: Iterable[ListedVolume] = self.volumes or ()
        return [volume for volume in volumes if volume.is_replica is is_replica and id in volume.sources]


def _fits(volume: ListedVolume, size: int | None) -> bool:
    return size is not None and volume.size_bytes is not None and abs(volume.size_bytes - size) <= GRANULARITY
