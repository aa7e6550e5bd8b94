# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Worlds: a server made from YAML, the built-in story, and one of many data sources."""

from __future__ import annotations

import datetime
import itertools
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from .clock import LabClock
from .options import Options
from .records import NO_DISK, DataSource, Group
from .server import DpmServer
from .storage import Disk, ModernVolume, Pool, Volume
from .units import GB, size

STORY = Path(__file__).with_name("story.yml")

_KEYS = {
    "world": "server options clock pool groups inactive events history",
    "server": "name",
    "clock": "start before speed",
    "pool": "disks modern slots_elsewhere",
    "disk": "name capacity in_pool status",
    "modern": "name size remaining",
    "group": "name auto_grow auto_check collocated method sources",
    "source": "name computer type storage replica recovery shares state points point_hours check_writes check_seconds"
    " unknown_seconds unknown_size replica_missing display_path unknown unreadable earlier",
    "earlier": "replica recovery shares",
    "inactive": "name computer type storage replica recovery points point_hours group_name",
    "event": "log provider id level message properties hours_ago",
}


def read(text: str) -> dict[str, Any]:
    """A world as plain data; ValueError for a key that does not exist."""
    world = yaml.safe_load(text)
    if not isinstance(world, dict):
        raise ValueError("a world is a table")
    return world


def story() -> dict[str, Any]:
    """The built-in world."""
    return read(STORY.read_text(encoding="utf-8"))


def generated(count: int, short: int = 0) -> dict[str, Any]:
    """A world of `count` data sources, twenty a group, of which the first `short` are at 95 %.

    Those beyond 300 are on modern storage: the logical disk manager has no slots for more volumes.
    """
    sources = [
        {
            "name": f"Data{number}:\\",
            "computer": f"server{number // 4:03}.lab.test",
            "storage": "legacy" if number < 300 else "modern",
            "replica": ["2GB", "1GB"],
            "recovery": ["2000MB", "1900MB" if number < short else "500MB"],
            "points": 3,
        }
        for number in range(count)
    ]
    groups = [{"name": f"Group {first // 20}", "sources": sources[first : first + 20]} for first in range(0, count, 20)]
    disks = [{"name": f"Disk {number}", "capacity": "2TB"} for number in (1, 2)]
    return {"server": {"name": "dpm01.lab.test"}, "pool": {"disks": disks}, "groups": groups}


def build(world: Mapping[str, Any], options: Mapping[str, Any] | None = None) -> DpmServer:
    """The server of a world; `options` come before the world's own. ValueError for what cannot be."""
    _only("world", world)
    merged = Options.read({**world.get("options", {}), **(options or {})})
    given = world.get("clock") or {}
    _only("clock", given)
    start = given.get("start")
    if isinstance(start, str):
        start = datetime.datetime.fromisoformat(start)
    if isinstance(start, datetime.datetime) and start.tzinfo is None:
        start = start.replace(tzinfo=datetime.UTC)
    if start is None:
        # A history takes time; after it the clock shows what clocks outside the lab do.
        now = datetime.datetime.now(datetime.UTC).replace(microsecond=0)
        start = now - datetime.timedelta(seconds=float(given.get("before", 0)))
    _only("server", world.get("server") or {})
    pool = _pool(world.get("pool") or {}, merged)
    server = DpmServer(
        (world.get("server") or {}).get("name", "dpm01.lab.test"),
        pool,
        merged,
        LabClock(start, float(given.get("speed", 0))),
    )
    numbers = itertools.count(3)
    shared: dict[str, tuple[Volume, Volume]] = {}
    for described in world.get("groups") or []:
        _only("group", described)
        group = Group(
            described["name"],
            server.new_id(),
            bool(described.get("auto_grow", False)),
            bool(described.get("auto_check", False)),
            bool(described.get("collocated", False)),
            str(described.get("method", "Disk")),
        )
        server.groups.append(group)
        for one in described.get("sources") or []:
            _only("source", one)
            server.sources.append(_source(server, one, group, numbers, shared))
    for one in world.get("inactive") or []:
        _only("inactive", one)
        server.sources.append(_source(server, one, None, numbers, shared))
    for one in world.get("events") or []:
        _only("event", one)
        time = server.now() - datetime.timedelta(hours=float(one.get("hours_ago", 1)))
        properties = tuple(one.get("properties") or ())
        level, message = int(one.get("level", 2)), str(one.get("message", ""))
        server.events.add(time, one["log"], one["provider"], int(one["id"]), level, message, properties)
    for disk, one in zip(pool.disks, (world.get("pool") or {}).get("disks", ()), strict=False):
        # Only now: before it failed there were volumes on it.
        disk.status = str(one.get("status", disk.status))
        if disk.status == "Missing":
            server.raise_alert(None, 3120, area=disk.name, target=disk.name, target_type="Disk")
    for source in server.sources:
        if source.state == "Invalid":
            server.raise_alert(source, 3106)
        if source.replica is None and source.on_volumes:
            server.raise_alert(source, 3101)
        if source.storage == "pending":
            server.raise_alert(source, 3118)
        server.review(source)
    return server


def _pool(given: Mapping[str, Any], options: Options) -> Pool:
    _only("pool", given)
    disks = []
    for number, one in enumerate(given.get("disks", [{"name": "Disk 1", "capacity": "2TB"}]), 1):
        _only("disk", one)
        disks.append(Disk(number, one["name"], size(one["capacity"]), bool(one.get("in_pool", True))))
    modern = []
    for one in given.get("modern") or []:
        _only("modern", one)
        modern.append(ModernVolume(one["name"], size(one["size"]), size(one["remaining"])))
    return Pool(
        disks, options.slots_limit, options.slots_per_volume, int(given.get("slots_elsewhere", 0)), modern=modern
    )


def _source(
    server: DpmServer,
    given: Mapping[str, Any],
    group: Group | None,
    numbers: Iterator[int],
    shared: dict[str, tuple[Volume, Volume]],
) -> DataSource:
    storage = given.get("storage", "legacy")
    if storage not in ("legacy", "custom", "modern", *NO_DISK):
        raise ValueError(f"no storage is called {storage}")
    source = DataSource(
        str(given["name"]), str(given["computer"]), str(given.get("type", "Volume")), server.new_id(),
        storage, group, None, None, str(given.get("state", "Valid")), str(given.get("group_name", "")),
    )  # fmt: skip
    source.replica_size, source.replica_used = (size(one) for one in given.get("replica", ["20GB", "8GB"]))
    source.source_size = source.replica_used
    if source.on_volumes:
        source.replica, source.recovery = _volumes(server, given, storage, numbers, shared)
    if "earlier" in given:
        _only("earlier", given["earlier"])
        source.earlier = _volumes(server, given["earlier"], "legacy", numbers, shared)
    source.display_path = str(given.get("display_path", ""))
    source.unknown = frozenset(str(name).lower() for name in given.get("unknown") or ())
    source.unreadable = frozenset(str(name).lower() for name in given.get("unreadable") or ())
    if given.get("replica_missing"):
        source.replica = None
    now = server.now()
    if "unknown_seconds" in given:
        source.unknown_until = now + datetime.timedelta(seconds=float(given["unknown_seconds"]))
        source.unknown_size = int(given.get("unknown_size", -1))
    count, hours = int(given.get("points", 0)), float(given.get("point_hours", 24))
    source.points = [now - datetime.timedelta(hours=hours * (number + 0.5)) for number in reversed(range(count))]
    source.check_writes = size(given["check_writes"]) if "check_writes" in given else None
    source.check_seconds = float(given["check_seconds"]) if "check_seconds" in given else None
    return source


def _volumes(
    server: DpmServer,
    given: Mapping[str, Any],
    storage: str,
    numbers: Iterator[int],
    shared: dict[str, tuple[Volume, Volume]],
) -> tuple[Volume, Volume]:
    """A replica volume and a recovery-point volume, new ones or those that bear the label already."""
    label = given.get("shares")
    if label in shared:
        return shared[label]
    total, used = (size(one) for one in given.get("replica", ["20GB", "8GB"]))
    replica = _volume(server, "replica", storage, total, used, next(numbers))
    total, used = (size(one) for one in given.get("recovery", ["10GB", "2GB"]))
    pair = replica, _volume(server, "recovery", storage, total, used, next(numbers))
    if label is not None:
        shared[label] = pair
    return pair


def _volume(server: DpmServer, kind: str, storage: str, total: int, used: int, number: int) -> Volume:
    if used > total or total > 64 * 1024 * GB:
        raise ValueError(f"a volume of {total} bytes cannot have {used} bytes used")
    identity = uuid.uuid5(uuid.NAMESPACE_OID, f"{server.name}/{number}")
    volume = Volume(kind, identity, number, used, custom_size=total if storage == "custom" else None)
    return server.pool.make(volume, total)


def _only(kind: str, given: Mapping[str, Any]) -> None:
    unknown = given.keys() - set(_KEYS[kind].split())
    if unknown:
        raise ValueError(f"{kind} has no {', '.join(sorted(map(str, unknown)))}")
