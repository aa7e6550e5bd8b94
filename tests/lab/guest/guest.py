# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine for tests: its logs, what happens on it, and a session of PowerShell for each process."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
from typing import Any

from powershell import CommandTable, PsObject, Session, StandingClock, UnknownConstruct

from . import shapes
from .disks import Disk, instances
from .query import EventFace, get_win_event
from .records import Event
from .signatures import WINDOWS_COMMANDS

NOT_CONNECTED = 0xC000009D
TARGET_FAILED, PARAMETER = 0x80780034, 0x80070057
_PROVIDERS = ("VSS", "volsnap", "Microsoft-Windows-Ntfs", shapes.BACKUP_LOG)


class Guest:
    """A Windows machine of a version (shapes.PROFILES), in English or Japanese. Who reads it without an elevated token
    gets empty lists of disks."""

    def __init__(
        self,
        profile: str = "2019",
        *,
        name: str = "srv1",
        language: str = "en",
        now: datetime.datetime | None = None,
        language_mode: str = "FullLanguage",
        elevated: bool = True,
    ) -> None:
        if profile not in shapes.PROFILES:
            raise ValueError(f"a profile is one of {', '.join(shapes.PROFILES)}")
        self.profile = shapes.PROFILES[profile]
        self.name = name
        self.japanese = language == "ja"
        self.now = now or datetime.datetime(2020, 9, 5, 12, 0, tzinfo=datetime.UTC)
        self.language_mode = language_mode
        self.elevated = elevated
        self.disks: list[Disk] = []
        self.logs = ["System", "Application", shapes.BACKUP_LOG, *self.profile.logs]
        self.events: list[Event] = []
        self._numbers = itertools.count(177_900)

    def new_session(self, process: Any = None) -> Session:
        """A session for a process of the lab's host."""
        work = {"Get-WinEvent": self._get_win_event, "Get-CimInstance": self._get_cim_instance}
        commands = [dataclasses.replace(WINDOWS_COMMANDS[name], implementation=one) for name, one in work.items()]
        return Session(
            CommandTable(commands, modules={}),
            StandingClock(self.now),
            computer_name=self.name.upper(),
            version=self.profile.powershell,
            language_mode=self.language_mode,
        )

    def _get_win_event(self, invocation: Any) -> list[EventFace]:
        return get_win_event(invocation, self.events, self.logs, _PROVIDERS, self.now, self.name.upper())

    def _get_cim_instance(self, invocation: Any) -> list[PsObject]:
        unknown = invocation.parameters.keys() - {"ClassName", "Namespace"}
        if unknown:
            raise UnknownConstruct(f"-{min(unknown)} of Get-CimInstance: the lab does not model it")
        name = str(invocation.parameters["ClassName"])
        found = instances(self.disks, name, str(invocation.get("Namespace") or "root/cimv2"))
        if found is None:
            raise UnknownConstruct(f"the class {name}: the lab does not model it")
        kind = "Microsoft.Management.Infrastructure.CimInstance"
        return [PsObject(values.items(), kind) for values in found] if self.elevated else []

    # What happens on it

    def add(self, shape: dict[str, Any], seconds_ago: float = 0) -> Event:
        """Writes a record of a shape."""
        time = self.now - datetime.timedelta(seconds=seconds_ago)
        event = Event(number=next(self._numbers), time=time, message="", **shape)
        self.events.append(event)
        return event

    def backup_fails(
        self, volume: str, target: str, ioctl: str = shapes.PREPARE, hr: int = PARAMETER, hresult: int = TARGET_FAILED
    ) -> None:
        """The story: a shadow copy on the target of a backup fails; VSS says why, then the backup says that."""
        began = self.now - datetime.timedelta(seconds=30)
        self.add(shapes.vss_12289(volume, ioctl, f"0x{hr:08x}", self.japanese), 10)
        self.add(shapes.backup_finished(5, hresult, 0x80042306, began, target), 5)
        self.add(shapes.backup_517(hresult, began), 5)

    def volume_goes_offline(self, volume: str, event_id: int = 87, device: str = "\\Device\\HarddiskVolume9") -> None:
        """The shadow copy storage of a volume is exhausted, and NTFS can write no more."""
        self.add(shapes.volsnap(self.profile, event_id, volume), 4)
        self.add(shapes.ntfs_140(self.profile, volume, device, NOT_CONNECTED), 2)
