"""Laws of the model: whatever happens on the server, its accounts are right."""

from __future__ import annotations

from typing import Any

from dpm.control import Control
from dpm.server import DpmServer
from dpm.texts import DpmError
from dpm.units import GB, MB, STEP
from hypothesis import given, settings
from hypothesis import strategies as st

NAMES = ("one", "two", "three", "grown", "checked")


def world(free: int, slots: int = 0) -> dict[str, Any]:
    """Five data sources, two of them on one volume, and a pool of which `free` bytes are left."""
    plain = {"computer": "a.lab.test", "replica": ["10GB", "5GB"], "recovery": ["4GB", "2GB"]}
    return {
        "clock": {"start": "2026-01-01T00:00:00"},
        "pool": {
            "disks": [
                {"name": "a", "capacity": 64 * GB},
                {"name": "b", "capacity": free},
                {"name": "c", "capacity": "1TB", "in_pool": False},
            ],
            "slots_elsewhere": slots,
        },
        "groups": [
            {"name": "plain", "sources": [{"name": "one", **plain}, {"name": "two", "shares": "x", **plain}]},
            {"name": "more", "sources": [{"name": "three", "shares": "x", **plain}]},
            {"name": "grown", "auto_grow": True, "sources": [{"name": "grown", **plain}]},
            {"name": "checked", "auto_grow": True, "auto_check": True, "sources": [{"name": "checked", **plain}]},
        ],
    }


names = st.sampled_from(NAMES)
sizes = st.integers(0, 40 * GB)
steps = st.one_of(
    st.tuples(st.just("advance"), st.integers(0, 4000)),
    st.tuples(st.just("run_backup"), names, sizes),
    st.tuples(st.just("start_backup"), names, sizes),
    st.tuples(st.just("start_check"), names),
    st.tuples(st.just("auto_grow"), names),
    st.tuples(st.just("edit"), names, sizes),
    st.tuples(st.just("fail_next_check"), names),
)


def facts(server: DpmServer) -> dict[str, Any]:
    return {
        "unallocated": server.pool.unallocated,
        "slots": server.pool.slots_used,
        "sizes": [(volume.allocated, volume.used) for volume in server.pool.volumes],
    }


def check(server: DpmServer) -> None:
    """What is true at any time."""
    pool = server.pool
    on_disks = [0] * len(pool.disks)
    for volume in pool.volumes:
        assert volume.allocated % STEP == 0
        assert 0 <= volume.used <= volume.allocated
        for extent in volume.extents:
            assert extent.size > 0
            on_disks[pool.disks.index(extent.disk)] += extent.size
    for disk, used in zip(pool.disks, on_disks, strict=True):
        assert disk.allocated == used
        assert 0 <= disk.unallocated <= disk.capacity
        assert disk.in_pool or not used
    assert pool.slots_used <= pool.slots_limit
    for source in server.sources:
        codes = [alert.code for alert in server.active_alerts(source)]
        assert len(codes) == len(set(codes))
        assert (3106 in codes) == (source.state == "Invalid")
        assert source.recovery is not None
        assert (3169 in codes) == (source.recovery.used * 10 >= source.recovery.allocated * 9)
        assert (3104 in codes) == any(
            job.type == "Validation" and job.end is None and source in job.sources for job in server.jobs
        )
    full = [job for job in server.jobs if job.error == 214 and job.type == "Replication"]
    assert len([event for event in server.events.records if event.id == 87]) == len(full)
    for job in server.jobs:
        assert job.end is None or job.start <= job.end <= server.now()
        assert (job.end is None) == (job.status == "InProgress")


@settings(max_examples=150)
@given(
    free=st.integers(15 * GB, 80 * GB),
    slots=st.sampled_from([0, 2870, 2934]),
    happens=st.lists(steps, max_size=25),
)
def test_the_accounts_are_right_whatever_happens(free: int, slots: int, happens: list[Any]) -> None:
    control = Control(world(free, slots))
    server = control.server
    check(server)
    grown: dict[int, list[float]] = {}
    for name, *arguments in happens:
        before = facts(server)
        try:
            control.do(
                name, **dict(zip(("seconds",) if name == "advance" else PARAMETERS[name], arguments, strict=True))
            )
        except DpmError:
            assert facts(server) == before, "what is refused changes nothing"
        with server.lock:
            server.settle()
        check(server)
        after = facts(server)
        assert after["slots"] >= before["slots"]
        for volume, (old, _), (new, _) in zip(server.pool.volumes, before["sizes"], after["sizes"], strict=True):
            if volume.kind == "replica":
                assert new == old
            elif name != "edit":
                assert new >= old
            if volume.last_grown is not None:
                times = grown.setdefault(volume.number, [])
                if volume.last_grown not in times:
                    assert not times or volume.last_grown - times[-1] >= 15 * 60
                    times.append(volume.last_grown)


PARAMETERS = {
    "run_backup": ("datasource", "writes"),
    "start_backup": ("datasource", "writes"),
    "start_check": ("datasource",),
    "auto_grow": ("datasource",),
    "edit": ("datasource", "shadow_copy_size"),
    "fail_next_check": ("datasource",),
}


@settings(max_examples=100)
@given(total=st.integers(0, 60 * GB))
def test_an_edit_gives_the_next_multiple_of_10_mb_or_is_refused(total: int) -> None:
    control = Control(world(20 * GB))
    pool, volume = control.server.pool, control.find("one").recovery
    assert volume is not None
    allocated, unallocated = volume.allocated, pool.unallocated
    low = volume.used + 600 * MB
    refused = None
    try:
        control.edit("one", total)
    except DpmError as error:
        refused = error
    if refused is None:
        assert total <= volume.allocated < total + STEP
        assert pool.unallocated == unallocated - (volume.allocated - allocated)
    else:
        assert (refused.code == 358 and total - allocated > unallocated - STEP) or total < low
        assert (volume.allocated, pool.unallocated) == (allocated, unallocated)


def test_growing_by_itself_is_a_quarter_or_10_gb_and_not_twice_in_15_minutes() -> None:
    control = Control(world(80 * GB))
    volume = control.find("grown").recovery
    assert volume is not None
    control.run_backup("grown", "1800MB")
    control.advance(control.server.options.auto_grow_after)
    assert volume.allocated == 4100 * MB + 10 * GB
    control.set_used("grown", volume.allocated)
    assert not control.auto_grow("grown")
    control.advance(15 * 60)
    assert control.auto_grow("grown")


def test_a_small_pool_or_few_slots_stop_growing_by_itself() -> None:
    control = Control(world(15 * GB))
    control.edit("one", 4100 * MB + control.server.pool.unallocated - 8 * GB)
    control.set_used("grown", "4000MB")
    assert not control.auto_grow("grown")
    control = Control(world(80 * GB, slots=2960 - 24 - 60))
    control.set_used("grown", "4000MB")
    assert not control.auto_grow("grown")
