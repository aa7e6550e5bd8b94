# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What is worth knowing about the volumes of data sources, of Modern Backup Storage, and about the pool. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import (
    Allocation,
    DataSource,
    Pool,
    StorageKind,
    StorageVolume,
    VolumeKind,
    growth_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.sizes import format_size

# What helps a volume of Modern Backup Storage that fills.
STORAGE_HINT = "Add a volume to the storage in the DPM console, or keep fewer recovery points of what lies on it."
_LOOK = "Look at its disk allocation in the DPM console."
# What to do about a short volume that DPM cannot extend as it is.
_SHORT_HINTS = {
    "inactive": "Nothing is written to it while it is not protected. Resume its protection, then extend it; or delete "
    "its data in the DPM console.",
    "custom_volume": "DPM does not manage custom volumes: extend it with the tools of Windows, or move it into the "
    "storage pool.",
}
# What comes of a volume that runs full.
_WHEN_FULL = {
    VolumeKind.RECOVERY_POINT: "When it runs full, Windows takes the replica offline and the running job fails.",
    VolumeKind.REPLICA: "When it runs full, the backups of the data source fail.",
}
_SHORT_CODES = {
    VolumeKind.RECOVERY_POINT: "recovery_point_volume_short",
    VolumeKind.REPLICA: "replica_volume_short",
}
# Below this the pool's database of dynamic disks is called nearly full: auto-grow keeps away from its limit, too.
_FEW_SLOTS = 100


def is_short(sizes: Allocation, threshold: Fraction) -> bool:
    """Tells whether a volume is used up to the threshold, in percent, or beyond; false where that is not known."""
    if not sizes.allocated_bytes or sizes.used_bytes is None:
        return False
    return sizes.used_bytes * 100 >= threshold * sizes.allocated_bytes


def volume_findings(source: DataSource, pool: Pool, threshold: Fraction) -> Iterator[Finding]:
    """Yields what is to be said of the two volumes of a data source."""
    for kind in VolumeKind:
        nothing = source.nothing_to_extend(kind)
        # Where DPM makes the replica larger by itself, what is used of it says nothing; its alert does.
        if nothing in ("replica_grows_itself", "type_unknown") or not is_short(source.sizes(kind), threshold):
            continue
        yield _short(
            _SHORT_CODES[kind],
            source.sizes(kind),
            _WHEN_FULL[kind],
            extension_hint(source, pool, kind),
            source.display_name,
        )
        if kind is VolumeKind.RECOVERY_POINT and nothing is None:
            yield from _of_growth(source, pool)


def extension_hint(source: DataSource, pool: Pool, kind: VolumeKind) -> str:
    """Returns what helps a short volume: dpm_allocation only where it would take this very data source."""
    nothing = source.nothing_to_extend(kind)
    if nothing is not None:
        return _SHORT_HINTS.get(nothing, _LOOK)
    if source.storage_kind is StorageKind.UNKNOWN or source.shares_with is None or not source.sizes(kind).known:
        return _LOOK
    which = ", volume: replica" if kind is VolumeKind.REPLICA else ""
    extend = f"Extend it with winbackup.storage.dpm_allocation{which}, for example min_free_percent: 20."
    if source.storage_kind is StorageKind.MODERN:
        return extend
    if pool.ldm_slots_left == 0:
        return (
            "It cannot be extended: the database of the pool's dynamic disks has no slot left. Move data sources to "
            "another DPM server, or to Modern Backup Storage."
        )
    if pool.unallocated_bytes is None:
        return f"See first that the storage pool can be read, as the findings of the server say. {extend}"
    return extend if pool.unallocated_bytes else f"Add a disk to the storage pool: it has no room left. {extend}"


def storage_volume_findings(volume: StorageVolume, threshold: Fraction) -> Iterator[Finding]:
    """Yields what is to be said of a volume of Modern Backup Storage."""
    sizes = Allocation(volume.size_bytes, volume.used_bytes)
    if is_short(sizes, threshold):
        yield _short(
            "storage_volume_short",
            sizes,
            "When it runs full, the backups of all data sources on it fail.",
            STORAGE_HINT,
            volume.name,
        )
    elif not sizes.known:
        yield Finding(
            "size_unknown",
            "warning",
            "DPM does not tell how large this volume of Modern Backup Storage is, and how much of it is free.",
            "Look at the volume in the DPM console and in Disk Management.",
            volume.name,
        )


def pool_findings(pool: Pool, name: str) -> Iterator[Finding]:
    """Yields what is to be said of the disks of the pool, and of the slots of their database."""
    for disk in pool.disks or ():
        if disk.healthy is False:
            yield Finding(
                "disk_not_healthy",
                "error",
                f"DPM calls the disk {disk.name} of the storage pool {disk.status}. Its free space does not count.",
                "Look at the disk in the DPM console and in Disk Management. Bring it back, or replace it.",
                name,
            )
        elif disk.healthy is None:
            yield Finding(
                "disk_status_unknown",
                "warning",
                f"DPM does not tell the status of the disk {disk.name}, so that what is free in the storage "
                "pool is not known.",
                "Look at the disk in the DPM console.",
                name,
            )
    left = pool.ldm_slots_left
    if pool.disks and left is not None and left < _FEW_SLOTS:
        yield Finding(
            "ldm_slots_low",
            "warning",
            f"The {pool.volumes} volumes of the storage pool leave at most {left} slots in the database of "
            "its dynamic disks.",
            "Extend in few large steps, each costs a slot; move data sources to another server or to Modern "
            "Backup Storage.",
            name,
        )


def _short(code: str, sizes: Allocation, consequence: str, hint: str, name: str) -> Finding:
    allocated, used = sizes.allocated_bytes or 0, sizes.used_bytes or 0
    percent = used * 100 / allocated
    return Finding(
        code,
        "error" if used >= allocated else "warning",
        f"{format_size(used)} of {format_size(allocated)} are used ({percent:.1f} %). {consequence}",
        hint,
        name,
    )


def _of_growth(source: DataSource, pool: Pool) -> Iterator[Finding]:
    if source.auto_grow is False:
        yield Finding(
            "auto_grow_off",
            "info",
            "DPM does not extend it by itself: auto-grow is off.",
            _auto_grow_hint(source),
            source.display_name,
        )
    growth = growth_of(source.recovery_point_volume.allocated_bytes or 0)
    if pool.unallocated_bytes is not None and pool.unallocated_bytes < growth:
        yield Finding(
            "pool_too_small_to_grow",
            "warning",
            f"Auto-grow would add {format_size(growth)}; the storage pool has {format_size(pool.unallocated_bytes)} "
            "unallocated.",
            "Add a disk to the storage pool.",
            source.display_name,
        )


def _auto_grow_hint(source: DataSource) -> str:
    extend = "see to it with winbackup.storage.dpm_allocation."
    if source.protection_group is None:
        return f"Switch it on in the protection group, or {extend}"
    return (
        f"Switch it on with winbackup.storage.dpm_protection_group, name: {source.protection_group}, auto_grow: true; "
        f"or {extend}"
    )
