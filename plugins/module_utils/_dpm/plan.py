# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What becomes of all volumes of a call: each is decided on, then all extensions are held against the pool. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction

from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import Pool
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.policy import (
    Action,
    Decision,
    ShrinkLimits,
    SizePolicy,
    Volume,
    decide,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.sizes import format_size


def plan(
    volumes: Sequence[Volume],
    policy: SizePolicy,
    pool: Pool,
    limits: Mapping[str, ShrinkLimits] | None = None,
    *,
    skip_refused: bool = False,
    selected: bool = True,
) -> tuple[Decision, ...]:
    """Returns a decision for each volume, in their order, all of them held against the pool together.

    Without `skip_refused` one refusal is enough for nothing to be written.
    """
    known = limits or {}
    free = pool.unallocated_bytes
    decided = [decide(volume, policy, known.get(volume.id), unallocated=free, selected=selected) for volume in volumes]
    decisions = _within_pool(decided, pool)
    if skip_refused or not any(one.action is Action.REFUSE for one in decisions):
        return tuple(decisions)
    message = "Nothing was written, because another data source of the selection was refused."
    return tuple(one.refused("not_started", message) if one.writes else one for one in decisions)


def in_order(decisions: Iterable[Decision]) -> list[Decision]:
    """Returns decisions in the order in which they get what the pool has: the fullest volume first, then by id."""
    return sorted(decisions, key=lambda one: (-_fullness(one.volume), one.volume.id))


def _within_pool(decisions: Sequence[Decision], pool: Pool) -> list[Decision]:
    """Returns the decisions with those refused that the pool has no room for."""
    space, slots = pool.unallocated_bytes, pool.ldm_slots_left
    extensions = [one for one in decisions if one.action is Action.EXTEND]
    needed = sum(one.takes for one in extensions if one.volume.on_disks)
    answers: dict[str, Decision] = {}
    for one in in_order(extensions):
        shown = one.volume.display_name
        if not one.volume.on_disks:
            answers[one.volume.id] = _within_storage_volumes(one, pool)
        elif space is None:
            answers[one.volume.id] = one.refused(
                "pool_unknown",
                f"How much space the storage pool has left for {shown} cannot be read. See the findings of "
                "winbackup.storage.dpm_allocation_info.",
            )
        elif one.takes > space:
            answers[one.volume.id] = one.refused(
                "pool_too_small",
                f"{shown} needs {format_size(one.takes)} more (the whole call {format_size(needed)}), and the storage "
                f"pool has {format_size(pool.unallocated_bytes or 0)} unallocated. Add a disk to it, or ask for less.",
            )
        elif slots is not None and slots < 1:
            answers[one.volume.id] = one.refused(
                "ldm_slots",
                f"The database of the pool's dynamic disks has no slot left to extend {shown}. Move data sources to "
                "another DPM server, or to Modern Backup Storage.",
            )
        else:
            space -= one.takes
            slots = None if slots is None else slots - 1
    return [answers.get(one.volume.id, one) for one in decisions]


def _within_storage_volumes(decision: Decision, pool: Pool) -> Decision:
    """Returns the decision, or its refusal where no volume of Modern Backup Storage has that much free.

    On which of them it is kept DPM does not tell, so that the one with the most free space counts.
    """
    shown, free = decision.volume.display_name, pool.largest_free_bytes
    if free is None:
        return decision.refused(
            "pool_unknown",
            f"How much space the volumes of Modern Backup Storage have left for {shown} cannot be read. See the "
            "findings of winbackup.storage.dpm_allocation_info.",
        )
    if decision.takes > free:
        return decision.refused(
            "storage_volume_too_small",
            f"{shown} needs {format_size(decision.takes)} more, and no volume of Modern Backup Storage has more than "
            f"{format_size(free)} free. Add a volume to the storage, or ask for less.",
        )
    return decision


def _fullness(volume: Volume) -> Fraction:
    if not volume.allocated or volume.used is None:
        return Fraction(0)
    return Fraction(volume.used, volume.allocated)
