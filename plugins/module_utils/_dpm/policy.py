# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What a wish comes to for each recovery-point or replica volume: one total, or the reason why not. Pure.

A total is computed, compared with what is allocated, and nothing is done when it is met.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from fractions import Fraction

from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import (
    DPM_RESERVE,
    GRANULARITY,
    DataSource,
    Facts,
    StorageKind,
    VolumeKind,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.nothing_to_extend import why_nothing
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.sizes import format_size, round_down, round_up


@dataclass(frozen=True)
class SizePolicy:
    """What is wanted of a volume: exactly one of `size`, `min_free` (bytes), `min_free_percent` and `min_days`; the
    last with `growth`, by how many bytes a day the volumes of data sources grow, by id."""

    size: int | None = None
    min_free: int | None = None
    min_free_percent: Fraction | None = None
    min_days: int | None = None
    growth: Mapping[str, float] = field(default_factory=dict)
    max_size: int | None = None
    round_to: int = GRANULARITY
    allow_shrink: bool = False
    headroom_percent: Fraction = Fraction(0)

    @property
    def tolerance(self) -> int:
        """How far below its total a volume may stay and still be taken for met."""
        return max(self.round_to, GRANULARITY)

    @property
    def cap(self) -> int | None:
        """The largest total that may be asked for."""
        return None if self.max_size is None else round_down(self.max_size, self.round_to)

    def growth_of(self, volume: Volume) -> float | None:
        """Returns by how many bytes a day a volume grows; None where that is not known."""
        return max((self.growth[one.id] for one in volume.members if one.id in self.growth), default=None)

    def total_for(self, used: int | None, growth: float | None = None) -> int | None:
        """Returns the total that the wish comes to, before rounding; None where it depends on what is not known."""
        if self.size is not None:
            return self.size
        if used is None:
            return None
        if self.min_free is not None:
            return used + DPM_RESERVE + self.min_free
        if self.min_days is not None:
            return None if growth is None else used + DPM_RESERVE + math.ceil(growth * self.min_days)
        if self.min_free_percent is None:
            raise ValueError("a wish has a size, min_free, min_free_percent or min_days")
        return math.ceil((used + DPM_RESERVE) / (1 - self.min_free_percent / 100))


@dataclass(frozen=True)
class ShrinkLimits:
    """Between which totals DPM would shrink a volume; both None where it would not, `message` says why."""

    lowest: int | None = None
    highest: int | None = None
    message: str | None = None


class Action(StrEnum):
    """What is to be done with a volume."""

    KEEP = "keep"
    EXTEND = "extend"
    SHRINK = "shrink"
    REFUSE = "refuse"


@dataclass(frozen=True)
class Volume:
    """One volume and the data sources on it."""

    members: tuple[DataSource, ...]
    kind: VolumeKind = VolumeKind.RECOVERY_POINT

    @property
    def id(self) -> str:
        return self.members[0].id

    @property
    def edited_through(self) -> DataSource | None:
        """The data source that DPM is given to edit the volume: any that is protected at present."""
        return next((member for member in self.members if member.active), None)

    @property
    def nothing_to_extend(self) -> str | None:
        """Why DPM cannot extend it, as a code; None where it can, or that is not known."""
        reasons = [member.nothing_to_extend(self.kind) for member in self.members]
        if self.edited_through is not None:
            reasons = [reason for reason in reasons if reason != "inactive"]
        return next((reason for reason in reasons if reason is not None), None)

    @property
    def auto_growth(self) -> int:
        """How much larger auto-grow makes it at its next step; 0 where it is off for all of its data sources, and for a
        replica volume, which DPM never makes smaller."""
        if self.kind is VolumeKind.REPLICA:
            return 0
        return max(member.auto_growth for member in self.members)

    @property
    def on_disks(self) -> bool:
        """Whether it takes its space from the disks of the pool, and not from a volume of Modern Backup Storage."""
        return not any(member.storage_kind is StorageKind.MODERN for member in self.members)

    @property
    def display_name(self) -> str:
        return " and ".join(member.display_name for member in self.members)

    @property
    def allocated(self) -> int | None:
        """What is allocated; None where it is not known, or where its data sources do not tell the same."""
        sizes = {member.sizes(self.kind).allocated_bytes for member in self.members}
        return sizes.pop() if len(sizes) == 1 else None

    @property
    def used(self) -> int | None:
        """What is used: the most that one of its data sources tells. None where one tells nothing."""
        sizes = [member.sizes(self.kind).used_bytes for member in self.members]
        return None if None in sizes else max(size for size in sizes if size is not None)


@dataclass(frozen=True)
class Decision:
    """What becomes of a volume. `wanted` is the total that the wish comes to, `total` the one to write.

    `reason` is a code of docs/docsite/rst/codes.rst, `message` the sentence that goes with it.
    """

    volume: Volume
    action: Action
    wanted: int | None = None
    total: int | None = None
    reason: str | None = None
    message: str | None = None

    @property
    def writes(self) -> bool:
        return self.action in (Action.EXTEND, Action.SHRINK)

    @property
    def takes(self) -> int:
        """How much of the pool it takes. What a smaller volume gives back is not counted on."""
        if self.action is not Action.EXTEND or self.total is None:
            return 0
        return round_up(self.total, GRANULARITY) - (self.volume.allocated or 0)

    def refused(self, reason: str, message: str) -> Decision:
        return replace(self, action=Action.REFUSE, total=None, reason=reason, message=message)


def volumes_of(
    facts: Facts, sources: Iterable[DataSource], kind: VolumeKind = VolumeKind.RECOVERY_POINT
) -> tuple[Volume, ...]:
    """Returns the volumes of this kind of these data sources, each once, with everybody who shares it."""
    volumes: dict[str, Volume] = {}
    for source in sources:
        volume = Volume(facts.sharing(source), kind)
        volumes.setdefault(volume.id, volume)
    return tuple(volumes.values())


def decide(
    volume: Volume,
    policy: SizePolicy,
    limits: ShrinkLimits | None = None,
    *,
    unallocated: int | None = None,
    selected: bool = True,
) -> Decision:
    """Returns what the wish comes to for one volume. `limits` are needed to shrink; `unallocated` is what the pool has
    for auto-grow (None: not known). One that was not `selected` by name is not refused where it has nothing to extend.
    """
    nothing = volume.nothing_to_extend
    if nothing is not None and not selected:
        decision = Decision(volume, Action.KEEP)
        return replace(
            decision, reason="nothing_to_extend", message=why_nothing(volume.display_name, volume.kind, nothing)
        )
    decision = _size_of(volume, policy, unallocated)
    if not decision.writes:
        return decision
    return _allowed(decision) or _shrinkable(decision, limits) or decision


def would_shrink(volumes: Iterable[Volume], policy: SizePolicy) -> tuple[Volume, ...]:
    """Returns the volumes for which DPM has to be asked how far it would shrink them."""
    wishes = (_size_of(volume, policy, None) for volume in volumes)
    return tuple(one.volume for one in wishes if one.action is Action.SHRINK and _allowed(one) is None)


def reached(total: int, allocated: int | None, action: Action, policy: SizePolicy) -> bool:
    """Tells whether a volume has come to the total that was written."""
    if allocated is None:
        return False
    if action is Action.SHRINK:
        return allocated <= total + policy.tolerance
    return allocated >= total - policy.tolerance


def _size_of(volume: Volume, policy: SizePolicy, unallocated: int | None) -> Decision:
    bare = Decision(volume, Action.KEEP)
    nothing = volume.nothing_to_extend
    if nothing in ("modern_storage", "no_disk_storage", "replica_grows_itself", "type_unknown"):
        return bare.refused(nothing, why_nothing(volume.display_name, volume.kind, nothing))
    growth = policy.growth_of(volume)
    if policy.min_days is not None and growth is None:
        return bare.refused(
            "history_too_short",
            f"By how much {volume.display_name} grows is not known: its readings in the history are of too few days. "
            "Read the server every day with winbackup.storage.dpm_allocation_info and this history, or wish for "
            "min_free.",
        )
    allocated = volume.allocated
    wanted = policy.total_for(volume.used, growth)
    if allocated is None or wanted is None:
        return bare.refused(
            "size_unknown",
            "DPM does not tell, or not alike for all who share it, how much of the "
            f"{volume.kind.display_name} of {volume.display_name} is {'allocated' if allocated is None else 'used'}. "
            "Look at it in the DPM console, and run again once the sizes are shown there.",
        )
    decision = replace(bare, wanted=wanted)
    if allocated < wanted - policy.tolerance:
        return _extended(decision, policy, allocated, wanted, unallocated)
    total = round_up(wanted, policy.round_to)
    if policy.size is None or allocated <= total + policy.tolerance:
        return decision
    if volume.kind is VolumeKind.REPLICA or not policy.allow_shrink:
        message = f"{volume.display_name} has {format_size(allocated)}, more than size asks for."
        return replace(decision, reason="larger_than_wish", message=message)
    cap = policy.cap
    return replace(decision, action=Action.SHRINK, total=total if cap is None else min(total, cap))


def _extended(decision: Decision, policy: SizePolicy, allocated: int, wanted: int, unallocated: int | None) -> Decision:
    """Returns the extension of a volume whose wish is not met, within max_size.

    A total below that of auto-grow's next step would take back what auto-grow gave in the moment before the edit, so
    that no less than that is asked for, unless the volume may be made smaller. Auto-grow does nothing where the pool
    has no room for its step.
    """
    name = decision.volume.display_name
    total = round_up(math.ceil(wanted * (1 + policy.headroom_percent / 100)), policy.round_to)
    growth = decision.volume.auto_growth
    if policy.allow_shrink or (unallocated is not None and growth > unallocated):
        growth = 0
    least = round_up(allocated + growth, policy.round_to) if growth else 0
    cap = policy.cap
    if cap is not None and cap < wanted - policy.tolerance:
        message = f"{name} would need {format_size(wanted)}, more than max_size allows."
        decision = replace(decision, reason="max_size_reached", message=message)
    capped = max(total, least) if cap is None else min(max(total, least), cap)
    if capped < least:
        message = (
            f"{name} was left alone: auto-grow is on, or not known to be off, and makes it {format_size(least)} at its "
            "next step, more than max_size allows. Raise max_size, or switch auto-grow off."
        )
        return replace(decision, reason="max_size_reached", message=message)
    if capped <= allocated + policy.tolerance:
        return decision
    if least > total and decision.reason is None:
        message = f"{name} gets no less than auto-grow makes it at its next step, since auto-grow may act meanwhile."
        decision = replace(decision, reason="auto_grow_step", message=message)
    return replace(decision, action=Action.EXTEND, total=capped)


def _allowed(decision: Decision) -> Decision | None:
    """Returns the refusal of what may not be resized at all, or None."""
    volume = decision.volume
    nothing = volume.nothing_to_extend
    if nothing is not None:
        return decision.refused(nothing, why_nothing(volume.display_name, volume.kind, nothing))
    if any(member.storage_kind is StorageKind.UNKNOWN for member in volume.members):
        return decision.refused(
            "storage_unknown",
            f"Whether {volume.display_name} has a {volume.kind.display_name} of its own cannot be seen. Look at its "
            "disk allocation in the DPM console.",
        )
    if any(member.shares_with is None for member in volume.members):
        return decision.refused(
            "sharing_unknown",
            f"{volume.display_name} shares its volumes, and with which data sources cannot be seen. Extend it in the "
            "DPM console.",
        )
    return None


def _shrinkable(decision: Decision, limits: ShrinkLimits | None) -> Decision | None:
    """Returns the refusal of a shrink outside of DPM's own limits, or None."""
    if decision.action is not Action.SHRINK or decision.total is None:
        return None
    shown = decision.volume.display_name
    if limits is None or limits.lowest is None or limits.highest is None:
        why = limits.message if limits is not None and limits.message else "it names no limits"
        return decision.refused("shrink_impossible", f"DPM cannot shrink {shown}: {why}")
    if not limits.lowest <= decision.total <= limits.highest:
        return decision.refused(
            "outside_shrink_limits",
            f"DPM shrinks {shown} to between {format_size(limits.lowest)} and {format_size(limits.highest)}, "
            f"not to {format_size(decision.total)}. SizePolicy a size between them.",
        )
    return None
