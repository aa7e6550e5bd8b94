# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A machine for tests: its logs, what happens on it, and a session of PowerShell for each process."""

from __future__ import annotations

import dataclasses
import datetime
import itertools
import re
from collections.abc import Callable
from typing import Any

from powershell import CommandTable, PsObject, Session, StandingClock, TerminatingError, UnknownConstruct

from . import registry, shadows, shapes
from .disks import STORAGE, Disk, instances, set_disk
from .machine import identity
from .query import Logs, as_date, get_win_event
from .records import Event
from .signatures import WINDOWS_COMMANDS

NOT_CONNECTED = 0xC000009D
TARGET_FAILED, PARAMETER = 0x80780034, 0x80070057
_INSTANCE = "Microsoft.Management.Infrastructure.CimInstance"
# Its cmdlets of Windows Server Backup come in a snap-in, which no session has by itself.
_OF_2008_R2 = 7601
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
        bios_uuid: str = "42394fdd-93f3-501a-8614-c6fa55f75468",
        san_policy: int | str = 2,
    ) -> None:
        if profile not in shapes.PROFILES:
            raise ValueError(f"a profile is one of {', '.join(shapes.PROFILES)}")
        self.profile = shapes.PROFILES[profile]
        self.name = name
        self.japanese = language == "ja"
        self.now = now or datetime.datetime(2020, 9, 5, 12, 0, tzinfo=datetime.UTC)
        self.language_mode = language_mode
        self.elevated = elevated
        self.bios_uuid = bios_uuid
        # A number, or the word that the types of the Storage module make of it.
        self.san_policy = san_policy
        # Classes and cmdlets, by their names in lower case, that refuse this user.
        self.refusing: set[str] = set()
        # What happens right before a disk is changed.
        self.at_set_disk: Callable[[Guest], None] = lambda _guest: None
        self.dead = False
        # What happens right before a process starts.
        self.at_session: Callable[[Guest], None] = lambda _guest: None
        # What happens right before a key of the registry is made, before a shadow copy is made, and before one is
        # removed. One that sets `dead` ends the process in which it happens: nothing more can be done in it.
        self.at_registry: Callable[[Guest], None] = lambda _guest: None
        self.at_create: Callable[[Guest], None] = lambda _guest: None
        self.at_remove: Callable[[Guest], None] = lambda _guest: None
        self.disks: list[Disk] = []
        self.registry: dict[str, dict[str, Any]] = {}
        self.shadows = shadows.ShadowCopies()
        self.logs = Logs(["System", "Application", shapes.BACKUP_LOG, *self.profile.logs])
        # What Get-WBSummary shows; None where the feature is not installed, as on every client.
        self.backup_summary: dict[str, Any] | None = {} if self.profile.server else None
        self.events: list[Event] = []
        self._numbers = itertools.count(177_900)

    def new_session(self, process: Any = None) -> Session:
        """A session for a process of the lab's host."""
        work: dict[str, Callable[[Any], Any]] = {
            "Get-WinEvent": self._get_win_event,
            "Get-CimInstance": self._get_cim_instance,
            "Get-ItemProperty": lambda one: registry.get_item_property(one, self.disks, self.registry),
            "Get-StorageSetting": self._get_storage_setting,
            "Set-Disk": self._set_disk,
            "Get-Item": lambda one: registry.get_item(one, self.disks, self.registry),
            "New-Item": self._new_item,
            "Set-ItemProperty": lambda one: registry.set_item_property(one, self.registry),
            "Remove-Item": lambda one: registry.remove_item(one, self.registry),
            "Update-HostStorageCache": self._update_host_storage_cache,
            "Invoke-CimMethod": self._invoke_cim_method,
            "Remove-CimInstance": self._remove_cim_instance,
        }
        if self.backup_summary is not None and self.profile.build > _OF_2008_R2:
            work["Get-WBSummary"] = self._get_backup_summary
        if not self.profile.storage:
            del work["Get-StorageSetting"], work["Update-HostStorageCache"]
        self.dead = False
        self.at_session(self)
        commands = [
            dataclasses.replace(WINDOWS_COMMANDS[name], implementation=self._alive(one)) for name, one in work.items()
        ]
        return Session(
            CommandTable(commands, modules={}, covers=["*-WB*", "*-DPM*", "*-*Storage*"]),
            StandingClock(self.now),
            computer_name=self.name.upper(),
            version=self.profile.powershell,
            language_mode=self.language_mode,
        )

    def _alive(self, work: Callable[[Any], Any]) -> Callable[[Any], Any]:
        def command(invocation: Any) -> Any:
            found = None if self.dead else work(invocation)
            if self.dead:
                raise UnknownConstruct("a process that was ended")
            return found

        return command

    def _get_win_event(self, invocation: Any) -> list[Any]:
        return get_win_event(invocation, self.events, self.logs, _PROVIDERS, self.now, self.name.upper())

    def _get_backup_summary(self, invocation: Any) -> list[PsObject]:
        """Nothing is configured: everything is empty, and the code is 0."""
        values = {
            "NextBackupTime": None,
            "NumberOfVersions": 0,
            "LastSuccessfulBackupTime": None,
            "LastSuccessfulBackupTargetPath": None,
            "LastSuccessfulBackupTargetLabel": None,
            "LastBackupTime": None,
            "LastBackupTarget": None,
            "DetailedMessage": "",
            "LastBackupResultHR": 0,
            "LastBackupResultDetailedHR": 0,
            "CurrentOperationStatus": "NoOperationInProgress",
            **(self.backup_summary or {}),
        }
        kind = "Microsoft.Windows.ServerBackup.Commands.WBSummary"
        return [PsObject([(name, as_date(value)) for name, value in values.items()], kind)]

    def _get_cim_instance(self, invocation: Any) -> list[PsObject]:
        name, chosen = str(invocation.parameters["ClassName"]), invocation.get("Filter")
        if name.lower() == "win32_shadowcopy":
            return [] if self._refuses(invocation, name) else self._shadow_copies(chosen)
        unknown = invocation.parameters.keys() - {"ClassName", "Namespace"}
        if unknown:
            raise UnknownConstruct(f"-{min(unknown)} of Get-CimInstance: the lab does not model it")
        namespace = str(invocation.get("Namespace") or "root/cimv2")
        if self._refuses(invocation, name):
            return []
        if namespace.lower().replace("\\", "/") == STORAGE and not self.profile.storage:
            kind = "Microsoft.Management.Infrastructure.CimException"
            invocation.write_error(TerminatingError("Invalid namespace", "HRESULT 0x8004100e", "NotSpecified", kind))
            return []
        if (told := identity(name, self.name, self.bios_uuid, self.profile.build)) is not None:
            return [PsObject(told.items(), _INSTANCE)]
        if name.lower() == "win32_shadowstorage":
            found = shadows.areas(self.shadows.areas)
        else:
            found = instances(self.disks, name, namespace)
        if found is None:
            raise UnknownConstruct(f"the class {name}: the lab does not model it")
        return [PsObject(values.items(), _INSTANCE) for values in found] if self.elevated else []

    def _get_storage_setting(self, invocation: Any) -> list[PsObject]:
        if self._refuses(invocation, "Get-StorageSetting"):
            return []
        return [PsObject([("NewDiskPolicy", self.san_policy)], _INSTANCE)]

    def _new_item(self, invocation: Any) -> list[Any]:
        self.at_registry(self)
        return registry.new_item(invocation, self.registry, elevated=self.elevated)

    def _set_disk(self, invocation: Any) -> None:
        self.at_set_disk(self)
        if not self._refuses(invocation, "Set-Disk"):
            set_disk(invocation, self.disks, elevated=self.elevated)

    def _update_host_storage_cache(self, invocation: Any) -> None:
        if not self._refuses(invocation, "Update-HostStorageCache"):
            for disk in self.disks:
                disk.kept_size = None

    def _refuses(self, invocation: Any, name: str) -> bool:
        if name.lower() not in self.refusing:
            return False
        kind = "Microsoft.Management.Infrastructure.CimException"
        invocation.write_error(TerminatingError("Access denied", "HRESULT 0x80041003", "PermissionDenied", kind))
        return True

    def _shadow_copies(self, chosen: str | None) -> list[PsObject]:
        wanted = re.fullmatch(r"ID\s*=\s*'(\{[0-9A-Fa-f-]+\})'", chosen or "", re.I)
        if chosen is not None and wanted is None:
            raise UnknownConstruct(f"the filter {chosen}: the lab does not model it")
        found = [one for one in self.shadows.copies if wanted is None or one.id.lower() == wanted[1].lower()]
        return [PsObject(one.properties().items(), _INSTANCE) for one in found] if self.elevated else []

    def _invoke_cim_method(self, invocation: Any) -> list[PsObject]:
        given = invocation.parameters
        if (given["ClassName"].lower(), given["MethodName"].lower()) != ("win32_shadowcopy", "create"):
            raise UnknownConstruct(f"{given['ClassName']}.{given['MethodName']}: the lab does not model it")
        arguments = {str(key).lower(): str(value) for key, value in invocation.get("Arguments").pairs()}
        volume, context = arguments.get("volume", ""), arguments.get("context", shadows.CONTEXT)
        self.at_create(self)
        code, copy, pushed = shadows.ACCESS_DENIED, None, None
        if self.elevated:
            code, copy, pushed = self.shadows.create(self.disks, volume, context, self.now)
        if code in (shadows.VETOED, shadows.PROVIDER, 13):
            found = self.shadows.find(self.disks, volume)
            device = f"\\\\?\\Volume{{{found.volume if found else ''}}}"
            self.add(shapes.vss_12289(device, shapes.PREPARE, f"0x{PARAMETER:08x}", self.japanese))
        if pushed is not None:
            self.add(shapes.volsnap(self.profile, self.shadows.pushed_by, pushed.volume.rstrip("\\"), pushed.number))
        result = [("ReturnValue", code), ("ShadowID", copy.id if copy else None)]
        return [PsObject(result, "Microsoft.Management.Infrastructure.CimMethodResult")]

    def _remove_cim_instance(self, invocation: Any) -> None:
        self.at_remove(self)
        if self.dead:
            return
        identity = invocation.parameters["InputObject"].properties.get("id", ("", ""))[1]
        if not self.shadows.remove(str(identity)):
            message, kind = "Not found", "Microsoft.Management.Infrastructure.CimException"
            invocation.write_error(TerminatingError(message, "HRESULT 0x80041002", "ObjectNotFound", kind))

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
        finished = shapes.backup_finished(5, hresult, 0x80042306, began, target, version=self.profile.backup)
        self.add(finished, 5)
        self.add(shapes.backup_517(hresult, began, int(self.profile.backup >= 3)), 5)

    def volume_goes_offline(self, volume: str, event_id: int = 87, device: str = "\\Device\\HarddiskVolume9") -> None:
        """The shadow copy storage of a volume is exhausted, and NTFS can write no more."""
        self.add(shapes.volsnap(self.profile, event_id, volume), 4)
        if self.profile.ntfs is None:
            self.add(shapes.ntfs_57(volume), 2)
        else:
            self.add(shapes.ntfs_140(self.profile, volume, device, NOT_CONNECTED), 2)
