# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What tests do to the server: let time pass, run backups, act between two cmdlets, refuse, look at everything.

All methods take and give plain values, so that the control port can offer the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .hooks import Hook, Hooks
from .options import ATTRIBUTION
from .records import DataSource, Job
from .server import DpmServer
from .snapshot import of_job, of_source, whole
from .units import size
from .world import build, generated, read, story


class Control:
    """The control of one server. A new world replaces the server; hooks and the log end with the old one."""

    def __init__(self, world: Mapping[str, Any] | None = None, options: Mapping[str, Any] | None = None) -> None:
        self.server: DpmServer
        self.hooks = Hooks(self.do)
        self.replace(world, options)

    def replace(self, world: Mapping[str, Any] | None = None, options: Mapping[str, Any] | None = None) -> None:
        """Replaces the server by that of a world as plain data, or of the story."""
        world = world or story()
        server = build(world, options)
        self.hooks.clear()
        self.hooks.clear_calls()
        self.server = server
        for step in world.get("history") or []:
            self.do(step["do"], **{key: value for key, value in step.items() if key != "do"})

    # Worlds and time

    def world(self, text: str | None = None, options: Mapping[str, Any] | None = None) -> None:
        """Replaces the server by that of a world in YAML, or of the story."""
        self.replace(None if text is None else read(text), options)

    def generate(self, count: int, short: int = 0, options: Mapping[str, Any] | None = None) -> None:
        """Replaces the server by one of many data sources."""
        self.replace(generated(count, short), options)

    def advance(self, seconds: float) -> None:
        """Lets time pass; what is due meanwhile happens."""
        self.server.clock.advance(float(seconds))
        with self.server.lock:
            self.server.settle()

    def speed(self, factor: float) -> None:
        """Lets the clock run by itself, `factor` times as fast as a real one; 0 stops it."""
        self.server.clock.run(float(factor))

    # What happens on a server

    def find(self, datasource: str, computer: str | None = None) -> DataSource:
        """A data source by its name (and computer) or id; LookupError where it is not one."""
        found = [
            one
            for one in self.server.sources
            if datasource in (one.name, str(one.id)) and computer in (None, one.computer)
        ]
        if len(found) != 1:
            raise LookupError(f"{len(found)} data sources are called {datasource!r}")
        return found[0]

    def run_backup(
        self,
        datasource: str,
        writes: int | str,
        computer: str | None = None,
        seconds: float | None = None,
        event: int = 87,
    ) -> dict[str, Any]:
        """Runs a backup to its end, time passing; returns its job."""
        job = self._begin(datasource, writes, computer, seconds, event)
        self.advance(self.server.options.backup_seconds if seconds is None else seconds)
        return of_job(job)

    def start_backup(
        self,
        datasource: str,
        writes: int | str,
        computer: str | None = None,
        seconds: float | None = None,
        event: int = 87,
    ) -> dict[str, Any]:
        """Starts a backup; returns its job."""
        return of_job(self._begin(datasource, writes, computer, seconds, event))

    def _begin(
        self, datasource: str, writes: int | str, computer: str | None, seconds: float | None, event: int
    ) -> Job:
        with self.server.lock:
            self.server.settle()
            return self.server.start_backup(self.find(datasource, computer), size(writes), seconds, event)

    def start_job(self, datasource: str, type: str, seconds: float, computer: str | None = None) -> dict[str, Any]:
        """Starts any job, which succeeds; returns it."""
        with self.server.lock:
            self.server.settle()
            return of_job(self.server.start_job(type, [self.find(datasource, computer)], float(seconds)))

    def start_check(self, datasource: str, computer: str | None = None) -> dict[str, Any]:
        """Starts a consistency check, as another administrator or DPM itself does; returns its job."""
        with self.server.lock:
            self.server.settle()
            return of_job(self.server.start_check(self.find(datasource, computer)))

    def auto_grow(self, datasource: str, computer: str | None = None, replica: bool = False) -> bool:
        """DPM's own growing, now; whether it did (not twice in 15 minutes, and only where it is needed and fits)."""
        with self.server.lock:
            self.server.settle()
            return self.server.grow_by_itself(self.find(datasource, computer), replica)

    def edit(self, datasource: str, shadow_copy_size: int | str, computer: str | None = None) -> None:
        """Another administrator gives a recovery-point volume a new total."""
        with self.server.lock:
            self.server.settle()
            self.server.edit([(self.find(datasource, computer), None, size(shadow_copy_size))])

    def edit_replica(self, datasource: str, replica_size: int | str, computer: str | None = None) -> None:
        """Another administrator gives a replica volume a new total."""
        with self.server.lock:
            self.server.settle()
            self.server.edit([(self.find(datasource, computer), size(replica_size), None)])

    def set_storage_volume(self, name: str, remaining: int | str) -> None:
        """Sets how much of a volume of modern storage is free."""
        with self.server.lock:
            volume = next((one for one in self.server.pool.modern if one.name == name), None)
            if volume is None:
                raise LookupError(f"no volume of modern storage is called {name!r}")
            volume.remaining = size(remaining)

    def set_used(self, datasource: str, used: int | str, computer: str | None = None, replica: bool = False) -> None:
        """Sets how much of a recovery-point volume (or replica volume) is used, as expiring recovery points do."""
        with self.server.lock:
            self.server.settle()
            source = self.find(datasource, computer)
            volume = source.replica if replica else source.recovery
            if volume is None or not 0 <= size(used) <= volume.allocated:
                raise ValueError("no such volume can have that much used")
            volume.used = size(used)
            self.server.review(source)

    def set_disk(self, name: str, status: str) -> None:
        """Gives a disk of the pool a status; of one that is not "Healthy" nothing more is allocated. A disk that is
        "Missing" has its alert."""
        with self.server.lock:
            disk = next((one for one in self.server.pool.disks if one.name == name), None)
            if disk is None:
                raise LookupError(f"no disk is called {name!r}")
            disk.status = status
            if status == "Missing":
                self.server.raise_alert(None, 3120, area=name, target=name, target_type="Disk")

    def set_state(self, datasource: str, state: str, computer: str | None = None) -> None:
        """Makes a replica inconsistent ("Invalid", with its alert) or not."""
        with self.server.lock:
            self.server.settle()
            source = self.find(datasource, computer)
            source.state = state
            if state == "Invalid":
                self.server.raise_alert(source, 3106)
            else:
                self.server.resolve_alerts(source, 3106)

    def raise_alert(
        self,
        datasource: str | None,
        code: int,
        computer: str | None = None,
        detail: str = "",
        shows: list[str] | None = None,
        **about: str,
    ) -> None:
        """An alert by its number, of a data source or (None) of what `about` says: `server`, `area`, `target`,
        `target_type`; `severity` too. `shows` names the properties that tell what it is about."""
        unknown = {*(shows or ())} - {*ATTRIBUTION} or {*about} - {
            "server",
            "area",
            "target",
            "target_type",
            "severity",
        }
        if unknown:
            raise ValueError(f"an alert has no {min(unknown)}")
        with self.server.lock:
            source = None if datasource is None else self.find(datasource, computer)
            self.server.raise_alert(source, int(code), detail, shows=None if shows is None else tuple(shows), **about)

    def fail_next_check(self, datasource: str, code: int = 214, computer: str | None = None, detail: str = "") -> None:
        """The next consistency check of a data source fails at its end."""
        with self.server.lock:
            self.server.failing_checks[self.find(datasource, computer).id] = (int(code), detail)

    def fail_next_point(self, datasource: str, code: int = 214, computer: str | None = None) -> None:
        """The next creation of a recovery point of a data source fails at its end."""
        with self.server.lock:
            self.server.failing_points[self.find(datasource, computer).id] = int(code)

    # Looking

    def state(self) -> dict[str, Any]:
        """All that a test may want to assert."""
        with self.server.lock:
            self.server.settle()
            return whole(self.server)

    def datasource(self, datasource: str, computer: str | None = None) -> dict[str, Any]:
        """One data source of the state."""
        with self.server.lock:
            self.server.settle()
            return of_source(self.server, self.find(datasource, computer))

    # By name

    def do(self, name: str, **arguments: Any) -> Any:
        """Calls what is in REMOTE by its name; LookupError for what is not."""
        if name not in REMOTE:
            raise LookupError(f"the lab cannot {name}")
        found = getattr(self.hooks if name in HOOKS else self, name)(**arguments)
        return found.number if isinstance(found, Hook) else found


# What the control port and the actions of a hook may call: of the hooks, and of the control itself.
HOOKS = ("before", "refuse", "hold", "wait", "release", "clear", "calls", "clear_calls")
REMOTE = (
    *HOOKS,
    *("world", "generate", "advance", "speed", "state", "datasource"),
    *("run_backup", "start_backup", "start_job", "start_check", "auto_grow", "edit", "edit_replica"),
    *("set_used", "set_disk", "set_storage_volume", "set_state", "raise_alert", "fail_next_check", "fail_next_point"),
)
