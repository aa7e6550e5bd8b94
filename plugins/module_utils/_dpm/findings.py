# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What is worth knowing about a data source or the server. Pure. All codes stand in docs/codes.md."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from fractions import Fraction

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import (
    DataSource,
    Facts,
    Job,
    Pool,
    StorageKind,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.sizes import format_size

_EXTEND = "Extend it with winbackup.storage.dpm_allocation."
# Auto-grow adds a quarter, and 10 GB at the least.
_GROWTH_LEAST = 10 * 1024**3
# Below this the pool's database of dynamic disks is called nearly full: auto-grow keeps away from its limit, too.
_FEW_SLOTS = 100


def source_findings(
    source: DataSource, pool: Pool, last_failed: Job | None, threshold: Fraction
) -> tuple[Finding, ...]:
    """Returns the findings of one data source. `threshold` is the percentage from which a volume is short."""
    return (
        *_of_volume(source, pool, threshold),
        *_of_replica(source),
        *_of_jobs(source, last_failed),
        *_of_knowledge(source),
    )


def server_findings(facts: Facts) -> tuple[Finding, ...]:
    """Returns the findings of the server: what it does not tell, and a pool that is nearly full."""
    found = list(facts.unreadable)
    left = facts.pool.ldm_slots_left
    if left is not None and left < _FEW_SLOTS:
        found.append(
            Finding(
                "ldm_slots_low",
                "warning",
                f"The {facts.pool.volumes} volumes of the storage pool leave at most {left} slots in the database of "
                "its dynamic disks.",
                "Extend in few large steps, each costs a slot; move data sources to another server or to Modern "
                "Backup Storage.",
                facts.server_name or "storage pool",
            )
        )
    return tuple(found)


def last_failed_jobs(jobs: tuple[Job, ...]) -> Mapping[str, Job]:
    """Returns for each data source, by id, the job that failed last."""
    last: dict[str, Job] = {}
    for job in sorted(jobs, key=_when):
        last.update(dict.fromkeys(job.sources, job))
    return last


def is_short(source: DataSource, threshold: Fraction) -> bool:
    """Tells whether the recovery-point volume is used up to the threshold or beyond."""
    sizes = source.recovery_point_volume
    if not sizes.allocated_bytes or sizes.used_bytes is None:
        return False
    return sizes.used_bytes * 100 >= threshold * sizes.allocated_bytes


def _of_volume(source: DataSource, pool: Pool, threshold: Fraction) -> Iterator[Finding]:
    sizes = source.recovery_point_volume
    if not is_short(source, threshold) or sizes.allocated_bytes is None or sizes.used_bytes is None:
        return
    percent = sizes.used_bytes * 100 / sizes.allocated_bytes
    yield Finding(
        "recovery_point_volume_short",
        "error" if sizes.used_bytes >= sizes.allocated_bytes else "warning",
        f"{format_size(sizes.used_bytes)} of {format_size(sizes.allocated_bytes)} are used ({percent:.1f} %). When it "
        "runs full, Windows takes the replica offline and the running job fails.",
        _EXTEND,
        source.display_name,
    )
    if source.auto_grow is False:
        yield Finding(
            "auto_grow_off",
            "info",
            "DPM does not extend it by itself: auto-grow is off.",
            "Switch it on in the protection group, or see to it with winbackup.storage.dpm_allocation.",
            source.display_name,
        )
    growth = max(sizes.allocated_bytes // 4, _GROWTH_LEAST)
    if pool.unallocated_bytes is not None and pool.unallocated_bytes < growth:
        yield Finding(
            "pool_too_small_to_grow",
            "warning",
            f"Auto-grow would add {format_size(growth)}; the storage pool has {format_size(pool.unallocated_bytes)} "
            "unallocated.",
            "Add a disk to the storage pool.",
            source.display_name,
        )


def _of_replica(source: DataSource) -> Iterator[Finding]:
    if source.consistent is False:
        yield Finding(
            "replica_inconsistent",
            "error",
            "The replica is inconsistent: nothing of it is protected until a consistency check has run.",
            "See first that its recovery-point volume has room, then run winbackup.storage.dpm_consistency_check.",
            source.display_name,
        )


def _of_jobs(source: DataSource, last_failed: Job | None) -> Iterator[Finding]:
    if last_failed is None:
        return
    newest = source.recovery_points.newest
    if newest is not None and last_failed.ended is not None and newest > last_failed.ended:
        return
    said = f": {last_failed.message}" if last_failed.message else "."
    yield Finding(
        "job_failed",
        "warning",
        f"Its last failed job ({last_failed.type or 'of unknown type'}) has no later recovery point{said}",
        "Look at the job in the DPM console; a full recovery-point volume is one cause.",
        source.display_name,
    )


def _of_knowledge(source: DataSource) -> Iterator[Finding]:
    sizes = source.recovery_point_volume
    if not source.active:
        yield Finding(
            "inactive",
            "info",
            "It is not protected at present; its replica and recovery points are kept.",
            "Resume its protection, or delete its data in the DPM console.",
            source.display_name,
        )
    if source.storage_kind is StorageKind.UNKNOWN:
        yield Finding(
            "storage_unknown",
            "info",
            "Whether it has a recovery-point volume of its own cannot be seen.",
            "Look at its disk allocation in the DPM console.",
            source.display_name,
        )
    elif source.storage_kind is StorageKind.LEGACY and None in (sizes.allocated_bytes, sizes.used_bytes):
        yield Finding(
            "size_unknown",
            "warning",
            "DPM does not tell how much of its recovery-point volume is allocated and used.",
            "Run again once the DPM console shows the sizes; until then it is not extended.",
            source.display_name,
        )


def _when(job: Job) -> float:
    moment: datetime | None = job.ended or job.started
    return moment.timestamp() if moment is not None else 0.0
