# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Volumes that fill: what a history keeps of a reading, and what its trends say of the volumes. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.forecast import (
    Reading,
    Trend,
    daily,
    full_between,
    thinned,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import (
    Allocation,
    DataSource,
    Facts,
    Pool,
    StorageVolume,
    VolumeKind,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.sizes import format_size
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.volume_findings import STORAGE_HINT, extension_hint

# What a history calls a volume of Modern Backup Storage, beside the kinds of volumes of data sources.
_STORAGE = "storage_volume"
_CODES = {
    VolumeKind.RECOVERY_POINT: "recovery_point_volume_filling",
    VolumeKind.REPLICA: "replica_volume_filling",
}
# So many readings of a volume are returned.
_DRAWN = 24
# A volume that may be full within so many days is a warning.
_SOON = timedelta(days=30)


@dataclass(frozen=True)
class VolumeKey:
    """A volume: the id of its data source, or the name of a volume of Modern Backup Storage, and the kind of volume."""

    name: str
    kind: str


@dataclass(frozen=True)
class Sizes:
    """What was used of a volume, and how large it was, in bytes."""

    used_bytes: int
    allocated_bytes: int


@dataclass(frozen=True)
class Past:
    """What a history tells of the volumes of a server: the readings of the last days, and the trends of those that have
    one."""

    readings: Mapping[VolumeKey, Sequence[Reading]]
    trends: Mapping[VolumeKey, Trend]

    def rows(self, key: VolumeKey) -> list[dict[str, object]]:
        """Returns the readings of a volume as results have them: the fullest of a day, at most so many that they can be
        drawn."""
        days = thinned(daily(self.readings.get(key, ())), _DRAWN)
        return [{"time": f"{one.time:%Y-%m-%dT%H:%M:%SZ}", "used_bytes": one.used_bytes} for one in days]

    def of_source(self, source: DataSource) -> list[dict[str, object]]:
        """Returns the readings of the recovery-point volume of a data source."""
        return self.rows(key_of(source, VolumeKind.RECOVERY_POINT))

    def of_storage(self, volume: StorageVolume) -> list[dict[str, object]]:
        """Returns the readings of a volume of Modern Backup Storage."""
        return self.rows(_key(volume.name, _STORAGE))


def sizes_to_keep(facts: Facts) -> dict[VolumeKey, Sizes]:
    """Returns what a history keeps of a reading: the volumes whose sizes are known."""
    kept: dict[VolumeKey, Sizes] = {}
    for source in facts.sources.values():
        for kind in VolumeKind:
            _keep(kept, key_of(source, kind), source.sizes(kind))
    for volume in facts.pool.storage_volumes or ():
        _keep(kept, _key(volume.name, _STORAGE), Allocation(volume.size_bytes, volume.used_bytes))
    return kept


def key_of(source: DataSource, kind: VolumeKind) -> VolumeKey:
    """Returns how a history calls a volume of a data source."""
    return _key(source.id, kind)


def source_filling(
    source: DataSource, pool: Pool, now: datetime, trends: Mapping[VolumeKey, Trend]
) -> Iterator[Finding]:
    """Yields a finding for each volume of a data source of which it can be told when it will be full."""
    for kind in VolumeKind:
        if not source.active or source.nothing_to_extend(kind) in ("replica_grows_itself", "type_unknown"):
            continue
        grows = source.auto_grow is True and kind is VolumeKind.RECOVERY_POINT
        yield from _filling(
            _CODES[kind],
            source.sizes(kind),
            trends.get(key_of(source, kind)),
            now,
            f"Auto-grow is on, and may extend it. {extension_hint(source, pool, kind)}"
            if grows
            else extension_hint(source, pool, kind),
            source.display_name,
        )


def storage_filling(volume: StorageVolume, now: datetime, trends: Mapping[VolumeKey, Trend]) -> Iterator[Finding]:
    """Yields the finding of a volume of Modern Backup Storage of which it can be told when it will be full."""
    sizes = Allocation(volume.size_bytes, volume.used_bytes)
    trend = trends.get(_key(volume.name, _STORAGE))
    yield from _filling("storage_volume_filling", sizes, trend, now, STORAGE_HINT, volume.name)


def growth_of_sources(facts: Facts, kind: VolumeKind, trends: Mapping[VolumeKey, Trend]) -> dict[str, float]:
    """Returns by how many bytes a day the volumes of data sources grow, by id, without those of too few days."""
    return {
        source.id: max(0.0, trend.slope)
        for source in facts.sources.values()
        if (trend := trends.get(key_of(source, kind))) is not None
    }


def _key(name: str, kind: str) -> VolumeKey:
    """Half a pair of surrogates, which JSON can hold, no file can."""
    return VolumeKey(name.encode("utf-8", "replace").decode("utf-8"), str(kind))


def _keep(kept: dict[VolumeKey, Sizes], key: VolumeKey, sizes: Allocation) -> None:
    if sizes.allocated_bytes is not None and sizes.used_bytes is not None:
        kept[key] = Sizes(sizes.used_bytes, sizes.allocated_bytes)


def _filling(
    code: str, sizes: Allocation, trend: Trend | None, now: datetime, hint: str, name: str
) -> Iterator[Finding]:
    """Yields the finding; none for a volume that is full already, or of which the days do not tell."""
    if trend is None or not sizes.allocated_bytes or sizes.used_bytes is None:
        return
    full = full_between(trend, sizes.allocated_bytes)
    if full is None or sizes.used_bytes >= sizes.allocated_bytes:
        return
    first: date = max(full.first, now.date())
    yield Finding(
        code,
        "warning" if first <= (now + _SOON).date() else "info",
        f"By the readings of the last {trend.days:.0f} days it grows by {format_size(int(trend.slope))} a day, and "
        f"will be full between {first} and {max(first, full.last)}.",
        hint,
        name,
    )
