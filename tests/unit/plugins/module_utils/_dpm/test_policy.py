# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a wish comes to: the examples that the documentation gives, and laws that hold for every policy."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import (
    DPM_RESERVE,
    GRANULARITY,
    Allocation,
    Pool,
    StorageKind,
    StorageVolume,
    VolumeKind,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.plan import in_order, plan
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.policy import (
    Action,
    Decision,
    ShrinkLimits,
    SizePolicy,
    Volume,
    decide,
    reached,
    volumes_of,
)
from ansible_collections.winbackup.storage.tests.unit.helpers.dpm_sources import GIB, MIB, facts, pool, source


def volume(allocated: int | None, used: int | None, id: str = "a", **others: object) -> Volume:
    return Volume((source(id, allocated, used, **others),))


# ---- the sum


def test_min_free_counts_what_dpm_keeps_for_itself() -> None:
    decision = decide(volume(10 * GIB, 9 * GIB), SizePolicy(min_free=5 * GIB))
    assert decision.wanted == 9 * GIB + 600 * MIB + 5 * GIB
    assert (decision.action, decision.total) == (Action.EXTEND, 15 * GIB - 420 * MIB)


def test_min_free_percent_is_a_part_of_the_new_total() -> None:
    decision = decide(volume(10 * GIB, 9 * GIB), SizePolicy(min_free_percent=Fraction(20)))
    assert decision.wanted == -(-(9 * GIB + DPM_RESERVE) * 100 // 80)
    assert decision.total is not None
    assert (decision.total - 9 * GIB - DPM_RESERVE) * 100 >= 20 * decision.total


def test_size_is_literal_and_rounded_up() -> None:
    decision = decide(volume(10 * GIB, 9 * GIB), SizePolicy(size=20 * GIB + 1, round_to=GIB))
    assert (decision.wanted, decision.total) == (20 * GIB + 1, 21 * GIB)


def test_headroom_is_put_on_top_once_the_wish_is_not_met() -> None:
    policy = SizePolicy(min_free=5 * GIB, headroom_percent=Fraction(10), round_to=1)
    short = decide(volume(10 * GIB, 9 * GIB), policy)
    assert short.wanted is not None
    assert short.total == -(-short.wanted * 110 // 100)
    assert decide(volume(short.wanted, 9 * GIB), policy).action is Action.KEEP


def test_a_volume_within_the_tolerance_is_left_alone() -> None:
    policy = SizePolicy(size=10 * GIB)
    assert decide(volume(10 * GIB - GRANULARITY, 9 * GIB), policy).action is Action.KEEP
    assert decide(volume(10 * GIB - GRANULARITY - 1, 9 * GIB), policy).action is Action.EXTEND


def test_max_size_caps_the_total_rounded_down_and_says_what_it_leaves() -> None:
    policy = SizePolicy(size=100 * GIB, max_size=20 * GIB + MIB, round_to=GIB)
    decision = decide(volume(10 * GIB, 9 * GIB), policy)
    assert (decision.action, decision.total, decision.reason) == (Action.EXTEND, 20 * GIB, "max_size_reached")
    there = decide(volume(20 * GIB, 9 * GIB), policy)
    assert (there.action, there.reason) == (Action.KEEP, "max_size_reached")
    assert decide(volume(30 * GIB, 9 * GIB), replace(policy, allow_shrink=True)).action is Action.KEEP


def test_a_cap_that_only_takes_headroom_away_leaves_the_wish_met() -> None:
    policy = SizePolicy(min_free=5 * GIB, headroom_percent=Fraction(50), max_size=15 * GIB)
    decision = decide(volume(10 * GIB, 9 * GIB), policy)
    assert (decision.total, decision.reason) == (15 * GIB, None)


def test_a_larger_volume_is_left_alone_unless_shrinking_was_asked_for() -> None:
    large = volume(100 * GIB, GIB)
    kept = decide(large, SizePolicy(size=20 * GIB))
    assert (kept.action, kept.reason) == (Action.KEEP, "larger_than_wish")
    assert decide(large, SizePolicy(min_free=GIB)).reason is None
    limits = ShrinkLimits(10 * GIB, 90 * GIB)
    shrunk = decide(large, SizePolicy(size=20 * GIB, allow_shrink=True), limits)
    assert (shrunk.action, shrunk.total) == (Action.SHRINK, 20 * GIB)


@pytest.mark.parametrize(
    ("limits", "reason"),
    [
        (None, "shrink_impossible"),
        (ShrinkLimits(message="ID 123: no"), "shrink_impossible"),
        (ShrinkLimits(30 * GIB, 90 * GIB), "outside_shrink_limits"),
        (ShrinkLimits(5 * GIB, 15 * GIB), "outside_shrink_limits"),
    ],
)
def test_a_shrink_stays_within_dpms_own_limits(limits: ShrinkLimits | None, reason: str) -> None:
    decision = decide(volume(100 * GIB, GIB), SizePolicy(size=20 * GIB, allow_shrink=True), limits)
    assert (decision.action, decision.reason) == (Action.REFUSE, reason)


# ---- auto-grow


@pytest.mark.parametrize("auto_grow", [True, None])
def test_no_less_is_asked_for_than_auto_grow_would_make(auto_grow: bool | None) -> None:
    """A quarter more, 10 GB at the least; what is not known to be off may be on."""
    small = decide(volume(10 * GIB, 9 * GIB, auto_grow=auto_grow), SizePolicy(size=12 * GIB, round_to=GIB))
    assert (small.action, small.total, small.reason) == (Action.EXTEND, 20 * GIB, "auto_grow_step")
    large = decide(volume(400 * GIB, 9 * GIB, auto_grow=auto_grow), SizePolicy(size=420 * GIB))
    assert large.total == 500 * GIB
    enough = decide(volume(10 * GIB, 9 * GIB, auto_grow=auto_grow), SizePolicy(size=40 * GIB))
    assert (enough.total, enough.reason) == (40 * GIB, None)
    off = decide(volume(10 * GIB, 9 * GIB, auto_grow=False), SizePolicy(size=12 * GIB, round_to=GIB))
    assert (off.total, off.reason) == (12 * GIB, None)


def test_a_step_of_auto_grow_beyond_max_size_leaves_the_volume_alone() -> None:
    policy = SizePolicy(min_free=GIB, max_size=15 * GIB)
    kept = decide(volume(10 * GIB, 9 * GIB, auto_grow=True), policy)
    assert (kept.action, kept.total, kept.reason) == (Action.KEEP, None, "max_size_reached")
    assert kept.message is not None
    assert "switch auto-grow off" in kept.message


def test_auto_grow_takes_no_step_that_the_pool_has_no_room_for() -> None:
    decisions = plan(
        [volume(10 * GIB, 9 * GIB, auto_grow=True)], SizePolicy(size=12 * GIB, round_to=GIB), pool(5 * GIB)
    )
    assert [(one.action, one.total) for one in decisions] == [(Action.EXTEND, 12 * GIB)]


def test_a_shared_volume_may_grow_if_one_of_those_on_it_has_auto_grow() -> None:
    shared = Volume((source("a", auto_grow=False), source("b", auto_grow=True)))
    assert decide(shared, SizePolicy(size=12 * GIB, round_to=GIB)).total == 20 * GIB


# ---- refusals


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ({"active": False}, "inactive"),
        ({"custom_volume": True}, "custom_volume"),
        ({"storage_kind": StorageKind.UNKNOWN}, "storage_unknown"),
        ({"storage_kind": StorageKind.MODERN}, "modern_storage"),
        ({"storage_kind": StorageKind.NONE}, "no_disk_storage"),
        ({"shares_with": None}, "sharing_unknown"),
    ],
)
def test_what_may_not_be_extended_is_refused_with_the_reason(others: dict[str, object], reason: str) -> None:
    decision = decide(volume(10 * GIB, 9 * GIB, **others), SizePolicy(size=20 * GIB))
    assert (decision.action, decision.reason, decision.total) == (Action.REFUSE, reason, None)
    assert decision.message


@pytest.mark.parametrize("others", [{"active": False}, {"custom_volume": True}])
def test_a_wish_that_is_met_is_refused_to_nobody(others: dict[str, object]) -> None:
    assert decide(volume(20 * GIB, 9 * GIB, **others), SizePolicy(size=20 * GIB)).action is Action.KEEP


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ({"active": False}, "nothing_to_extend"),
        ({"custom_volume": True}, "nothing_to_extend"),
        ({"storage_kind": StorageKind.MODERN}, "nothing_to_extend"),
        ({"storage_kind": StorageKind.NONE}, "nothing_to_extend"),
    ],
)
def test_what_has_nothing_to_extend_is_refused_only_where_it_was_selected(
    others: dict[str, object], reason: str
) -> None:
    volumes = [volume(10 * GIB, 9 * GIB, "a"), volume(10 * GIB, 9 * GIB, "b", **others)]
    decisions = plan(volumes, SizePolicy(min_free=GIB), pool(), selected=False)
    assert [(one.action, one.reason) for one in decisions] == [(Action.EXTEND, None), (Action.KEEP, reason)]
    assert decisions[1].message
    selected = plan(volumes, SizePolicy(min_free=GIB), pool(), selected=True)
    assert {one.action for one in selected} == {Action.REFUSE}


@pytest.mark.parametrize("others", [{"storage_kind": StorageKind.UNKNOWN}, {"shares_with": None}])
def test_what_is_not_known_is_refused_also_where_nothing_was_selected(others: dict[str, object]) -> None:
    (decision,) = plan([volume(10 * GIB, 9 * GIB, **others)], SizePolicy(min_free=GIB), pool(), selected=False)
    assert decision.action is Action.REFUSE


def test_an_unknown_size_is_never_taken_for_a_number() -> None:
    assert decide(volume(None, 1), SizePolicy(size=20 * GIB)).reason == "size_unknown"
    assert decide(volume(10 * GIB, None), SizePolicy(min_free=GIB)).reason == "size_unknown"
    assert decide(volume(10 * GIB, None), SizePolicy(size=20 * GIB)).action is Action.EXTEND


def test_data_sources_that_tell_different_sizes_of_one_volume_are_not_guessed_at() -> None:
    shared = Volume((source("a", 10 * GIB, GIB), source("b", 11 * GIB, GIB)))
    assert decide(shared, SizePolicy(size=20 * GIB)).reason == "size_unknown"


def test_a_shared_volume_counts_once_and_for_all_who_are_on_it() -> None:
    there = facts(
        source("a", shares_with=("b",)),
        source("b", used=8 * GIB, shares_with=("a",)),
        source("c"),
        unallocated=20 * GIB,
    )
    volumes = volumes_of(there, [there.sources["b"], there.sources["a"]])
    assert [[member.id for member in one.members] for one in volumes] == [["a", "b"]]
    assert volumes[0].used == 8 * GIB
    (decision,) = plan(volumes, SizePolicy(size=30 * GIB), there.pool)
    assert (decision.action, decision.takes) == (Action.EXTEND, 20 * GIB)


def test_a_shared_volume_is_edited_through_one_that_is_protected() -> None:
    shared = Volume((source("a", active=False), source("b")))
    assert decide(shared, SizePolicy(size=20 * GIB)).action is Action.EXTEND
    assert shared.edited_through is not None
    assert shared.edited_through.id == "b"


# ---- the pool


def test_one_refusal_is_enough_for_nothing_to_be_written() -> None:
    volumes = [volume(10 * GIB, 9 * GIB, "a"), volume(10 * GIB, 9 * GIB, "b", custom_volume=True)]
    all_of_it = plan(volumes, SizePolicy(size=20 * GIB), pool())
    assert [(one.action, one.reason) for one in all_of_it] == [
        (Action.REFUSE, "not_started"),
        (Action.REFUSE, "custom_volume"),
    ]
    others = plan(volumes, SizePolicy(size=20 * GIB), pool(), skip_refused=True)
    assert [one.action for one in others] == [Action.EXTEND, Action.REFUSE]


def test_a_short_pool_serves_the_fullest_first_and_what_fits_whole() -> None:
    volumes = [
        volume(10 * GIB, 5 * GIB, "a"),
        volume(10 * GIB, 9 * GIB, "b"),
        volume(18 * GIB, 12 * GIB, "c"),
        volume(10 * GIB, 5 * GIB, "d"),
    ]
    decisions = plan(volumes, SizePolicy(size=20 * GIB), pool(22 * GIB), skip_refused=True)
    assert [one.volume.id for one in in_order(decisions)] == ["b", "c", "a", "d"]
    assert {one.volume.id: one.reason for one in decisions} == {
        "a": None,
        "b": None,
        "c": None,
        "d": "pool_too_small",
    }
    refused = plan(volumes, SizePolicy(size=20 * GIB), pool(22 * GIB))
    assert {one.reason for one in refused} == {"not_started", "pool_too_small"}


def test_a_pool_of_unknown_size_extends_nothing() -> None:
    for unknown in (Pool(), pool(None)):
        (decision,) = plan([volume(10 * GIB, 9 * GIB)], SizePolicy(size=20 * GIB), unknown)
        assert decision.reason == "pool_unknown"


def test_the_slots_of_the_dynamic_disks_are_counted() -> None:
    volumes = [volume(10 * GIB, 9 * GIB, "a"), volume(10 * GIB, 5 * GIB, "b")]
    decisions = plan(volumes, SizePolicy(size=20 * GIB), pool(volumes=986), skip_refused=True)
    assert [one.reason for one in decisions] == [None, None]
    decisions = plan(volumes, SizePolicy(size=20 * GIB), pool(volumes=987), skip_refused=True)
    assert [one.reason for one in decisions] == ["ldm_slots", "ldm_slots"]


# ---- laws

sizes = st.integers(GRANULARITY, 5000 * GIB)
rounding = st.sampled_from([1, MIB, GRANULARITY, GIB, 7 * MIB])


@st.composite
def wishes(draw: st.DrawFn) -> SizePolicy:
    kind = draw(st.sampled_from(["size", "min_free", "min_free_percent"]))
    round_to = draw(rounding)
    largest = draw(st.one_of(st.none(), sizes))
    if kind == "size":
        return SizePolicy(size=draw(sizes), max_size=largest, round_to=round_to, allow_shrink=draw(st.booleans()))
    headroom = draw(st.fractions(0, 50, max_denominator=10))
    if kind == "min_free":
        return SizePolicy(min_free=draw(sizes), max_size=largest, round_to=round_to, headroom_percent=headroom)
    percent = draw(st.fractions(1, 95, max_denominator=10))
    return SizePolicy(min_free_percent=percent, max_size=largest, round_to=round_to, headroom_percent=headroom)


@st.composite
def volumes(draw: st.DrawFn, id: str = "a") -> Volume:
    allocated = draw(sizes)
    auto_grow = draw(st.sampled_from([False, False, True, None]))
    return volume(allocated, draw(st.integers(0, allocated)), id, auto_grow=auto_grow)


LIMITS = ShrinkLimits(1, 2**62)


@given(volumes(), wishes())
def test_nothing_gets_smaller_unless_shrinking_was_asked_for(one: Volume, policy: SizePolicy) -> None:
    decision = decide(one, policy, LIMITS)
    if decision.total is not None:
        assert one.allocated is not None
        assert decision.total > one.allocated or policy.allow_shrink
        assert (decision.action is Action.SHRINK) == (decision.total < one.allocated)


@given(volumes(), wishes())
def test_a_total_is_a_multiple_and_never_above_max_size(one: Volume, policy: SizePolicy) -> None:
    decision = decide(one, policy, LIMITS)
    if decision.total is not None:
        assert decision.total % policy.round_to == 0
        assert policy.max_size is None or decision.total <= policy.max_size


@given(st.lists(st.integers(0, 999), max_size=6, unique=True), st.data(), wishes(), st.integers(0, 20000 * GIB))
def test_all_together_never_take_more_than_the_pool_has(
    ids: list[int], data: st.DataObject, policy: SizePolicy, left: int
) -> None:
    there = [data.draw(volumes(f"{id:03}")) for id in ids]
    limits = {one.id: LIMITS for one in there}
    for skip in (False, True):
        decisions = plan(there, policy, pool(left), limits, skip_refused=skip)
        assert [one.volume for one in decisions] == there
        extended = [one for one in decisions if one.action is Action.EXTEND]
        assert sum((one.total or 0) - (one.volume.allocated or 0) for one in extended) <= left
        assert all(one.message for one in decisions if one.reason)
        if not skip and any(one.action is Action.REFUSE for one in decisions):
            assert not [one for one in decisions if one.writes]


@given(volumes(), wishes())
def test_an_extension_never_takes_back_what_auto_grow_gave_meanwhile(one: Volume, policy: SizePolicy) -> None:
    decision = decide(one, policy, LIMITS)
    if decision.action is Action.EXTEND and decision.total is not None and not policy.allow_shrink:
        assert one.allocated is not None
        assert decision.total >= one.allocated + one.auto_growth


@given(volumes(), wishes(), sizes)
def test_who_wishes_more_never_gets_less(one: Volume, policy: SizePolicy, more: int) -> None:
    if policy.size is not None:
        larger = replace(policy, size=policy.size + more)
    elif policy.min_free is not None:
        larger = replace(policy, min_free=policy.min_free + more)
    else:
        assert policy.min_free_percent is not None
        larger = replace(policy, min_free_percent=(policy.min_free_percent + 100) / 2)
    assert outcome(decide(one, larger, LIMITS)) >= outcome(decide(one, policy, LIMITS))


@given(volumes(), wishes(), st.integers(0, 3 * GRANULARITY))
def test_a_second_application_changes_nothing(one: Volume, policy: SizePolicy, grace: int) -> None:
    """Whatever DPM makes of the total within the tolerance: that much less, or rounded up."""
    decision = decide(one, policy, LIMITS)
    assume(decision.total is not None)
    total = decision.total or 0
    for after in {total, total - min(grace, policy.tolerance), total + min(grace, GRANULARITY)}:
        assert reached(total, after, decision.action, policy)
        again = decide(with_allocated(one, after), policy, LIMITS)
        assert (again.action, again.total) == (Action.KEEP, None)


@given(volumes(), wishes())
def test_headroom_is_never_a_reason_to_extend(one: Volume, policy: SizePolicy) -> None:
    with_headroom = decide(one, policy, LIMITS)
    without = decide(one, replace(policy, headroom_percent=Fraction(0)), LIMITS)
    if without.action is Action.KEEP and without.reason is None:
        assert with_headroom.action is Action.KEEP
    if with_headroom.total is not None and without.total is not None:
        assert with_headroom.total >= without.total


@given(volumes(), wishes())
def test_a_written_total_meets_the_wish_unless_it_says_why(one: Volume, policy: SizePolicy) -> None:
    decision = decide(one, policy, LIMITS)
    if decision.action is Action.EXTEND and decision.reason is None:
        assert decision.total is not None
        assert decision.wanted is not None
        assert decision.total >= decision.wanted - policy.tolerance


def outcome(decision: Decision) -> int:
    """What is allocated after a decision."""
    allocated = decision.total if decision.total is not None else decision.volume.allocated
    assert allocated is not None
    return allocated


def with_allocated(one: Volume, allocated: int) -> Volume:
    used = min(one.used or 0, allocated)
    return Volume((replace(one.members[0], recovery_point_volume=Allocation(allocated, used)),))


def replica(allocated: int | None, used: int | None, **others: Any) -> Volume:
    return Volume((source(replica=Allocation(allocated, used), **others),), VolumeKind.REPLICA)


BARE_METAL: dict[str, Any] = {"storage_kind": StorageKind.MODERN, "type": "System Protection"}


def test_a_replica_volume_is_extended_by_the_same_sum() -> None:
    decision = decide(replica(20 * GIB, 19 * GIB, auto_grow=True), SizePolicy(min_free=5 * GIB))
    assert (decision.action, decision.wanted) == (Action.EXTEND, 19 * GIB + 600 * MIB + 5 * GIB)
    assert decide(replica(20 * GIB, 10 * GIB), SizePolicy(min_free=5 * GIB)).action is Action.KEEP
    unknown = decide(replica(None, None), SizePolicy(min_free=5 * GIB))
    assert (unknown.reason, "replica volume" in (unknown.message or "")) == ("size_unknown", True)


def test_a_replica_is_never_shrunk() -> None:
    decision = decide(replica(20 * GIB, GIB), SizePolicy(size=10 * GIB, allow_shrink=True), ShrinkLimits(1, 2**60))
    assert (decision.action, decision.reason) == (Action.KEEP, "larger_than_wish")


@pytest.mark.parametrize(
    ("others", "reason"),
    [
        ({**BARE_METAL, "type": "Volume"}, "replica_grows_itself"),
        ({**BARE_METAL, "type": "SQL Server 2019"}, "replica_grows_itself"),
        ({**BARE_METAL, "type": "システム保護"}, "type_unknown"),
        ({**BARE_METAL, "type": None}, "type_unknown"),
        ({**BARE_METAL, "active": False}, "inactive"),
        ({"storage_kind": StorageKind.NONE}, "no_disk_storage"),
        ({"storage_kind": StorageKind.UNKNOWN}, "storage_unknown"),
        ({"custom_volume": True}, "custom_volume"),
    ],
)
def test_a_replica_that_dpm_would_not_extend_is_refused(others: dict[str, Any], reason: str) -> None:
    volume = replica(20 * GIB, 19 * GIB, **others)
    assert decide(volume, SizePolicy(min_free=5 * GIB)).reason == reason


@pytest.mark.parametrize(
    ("free", "reason"), [(5 * GIB, "storage_volume_too_small"), (None, "pool_unknown"), (7 * GIB, None)]
)
def test_a_replica_on_modern_storage_takes_no_more_than_a_volume_has_free(free: int | None, reason: str | None) -> None:
    room = Pool((), None, (StorageVolume("E:", 100 * GIB, free), StorageVolume("F:", 100 * GIB, GIB)))
    (decision,) = plan([replica(20 * GIB, 19 * GIB, **BARE_METAL)], SizePolicy(size=26 * GIB), room)
    assert decision.reason == reason
    assert decision.writes is (reason is None)


@pytest.mark.parametrize(
    ("growth", "action", "total"),
    [(GIB, Action.EXTEND, 9 * GIB + DPM_RESERVE + 30 * GIB), (0.0, Action.KEEP, None), (None, Action.REFUSE, None)],
)
def test_a_wish_for_days_is_what_they_need_by_the_trend(
    growth: float | None, action: Action, total: int | None
) -> None:
    policy = SizePolicy(min_days=30, growth={} if growth is None else {"a": growth}, round_to=1)
    decision = decide(volume(10 * GIB, 9 * GIB), policy)
    assert (decision.action, decision.total) == (action, total)
    assert decision.reason == ("history_too_short" if growth is None else None)


def test_a_wish_for_days_is_capped_by_max_size() -> None:
    policy = SizePolicy(min_days=30, growth={"a": GIB}, max_size=20 * GIB)
    decision = decide(volume(10 * GIB, 9 * GIB), policy)
    assert (decision.action, decision.total, decision.reason) == (Action.EXTEND, 20 * GIB, "max_size_reached")
