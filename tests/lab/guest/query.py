# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Get-WinEvent, with the refusals that scripts meet; for every machine of the lab that has event logs."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable
from typing import Any

from powershell import DateTime, Hashtable, Int64, Invocation, PsObject, TerminatingError, UnknownConstruct

from .records import Event, to_xml

_KEYS = ("logname", "providername", "id", "level", "starttime", "endtime")
_EPOCH = datetime.datetime(1, 1, 1, tzinfo=datetime.UTC)


def get_win_event(
    invocation: Invocation,
    records: Iterable[Event],
    logs: Collection[str],
    providers: Collection[str],
    now: datetime.datetime,
    machine: str,
) -> list[Any]:
    """Records that match a table, newest first. Nothing found is an error, and so is a provider that is unknown. With
    -ListLog the logs of these names."""
    if "ListLog" in invocation.parameters:
        return list_logs(invocation, logs)
    wanted: Hashtable = invocation.parameters["FilterHashtable"]
    keys = {str(key).lower(): value for key, value in wanted.pairs()}
    unknown = keys.keys() - set(_KEYS)
    if unknown:
        raise UnknownConstruct(f"the key {min(unknown)} of -FilterHashtable")
    chosen, known = _texts(keys.get("logname")), {log.lower() for log in logs}
    if any(log not in known for log in chosen):
        _refuse(invocation, "There is not an event log that matches.", "NoMatchingLogsFound")
        return []
    if isinstance(logs, Logs) and any(log in {one.lower() for one in logs.refused} for log in chosen):
        kind = "System.UnauthorizedAccessException"
        message = "Attempted to perform an unauthorized operation."
        invocation.write_error(TerminatingError(message, "System.UnauthorizedAccessException", "NotSpecified", kind))
        return []
    by = _texts(keys.get("providername"))
    if any(provider not in {one.lower() for one in providers} for provider in by):
        _refuse(invocation, "There is not an event provider that matches.", "NoMatchingProvidersFound")
        return []
    ids, levels = _numbers(keys.get("id")), _numbers(keys.get("level"))
    start, end = _ticks(keys.get("starttime")), _ticks(keys.get("endtime"))
    found = [
        event
        for event in records
        if (not chosen or event.log.lower() in chosen)
        and (not by or event.provider.lower() in by)
        and (not ids or event.id in ids)
        and (not levels or event.level in levels)
        and (start is None or _date(event.time).ticks >= start)
        and (end is None or _date(event.time).ticks <= end)
        and event.time <= now
    ]
    found.sort(key=lambda event: (event.time, event.number), reverse="Oldest" not in invocation.parameters)
    if "MaxEvents" in invocation.parameters:
        found = found[: int(invocation.parameters["MaxEvents"])]
    if not found:
        message = "No events were found that match the specified selection criteria."
        _refuse(invocation, message, "NoMatchingEventsFound")
    return [EventFace(event, machine) for event in found]


def list_logs(invocation: Invocation, logs: Collection[str]) -> list[PsObject]:
    """What is set of logs. One that is not there is an error, and the others are shown."""
    found = []
    for name in invocation.parameters["ListLog"]:
        if "*" in name:
            raise UnknownConstruct(f"-ListLog {name}: the lab does not model wildcards")
        known = next((log for log in logs if log.lower() == name.lower()), None)
        if known is None:
            _refuse(invocation, "There is not an event log that matches.", "NoMatchingLogsFound")
            continue
        values = {"LogName": known, "IsEnabled": known not in switched_off(logs), "IsTestDouble": True}
        found.append(PsObject(values.items(), "System.Diagnostics.Eventing.Reader.EventLogConfiguration"))
    return found


def switched_off(logs: Collection[str]) -> Collection[str]:
    """The logs that are there and not enabled, of a machine that says so."""
    return logs.disabled if isinstance(logs, Logs) else ()


class Logs(list[str]):
    """The logs of a machine; those in `disabled` take no records, `refused` lets nobody read them."""

    def __init__(self, names: Collection[str]) -> None:
        super().__init__(names)
        self.disabled: set[str] = set()
        self.refused: set[str] = set()


class EventFace:
    """A record of an event log, as scripts see it."""

    ps_type_names = ("System.Diagnostics.Eventing.Reader.EventLogRecord", "System.Object")

    def __init__(self, event: Event, machine: str) -> None:
        self._event, self._machine = event, machine
        kind = "System.Diagnostics.Eventing.Reader.EventProperty"
        values: dict[str, Any] = {
            "TimeCreated": _date(event.time),
            "ProviderName": event.provider,
            "Id": event.id,
            "Version": event.version,
            "Level": event.level,
            "LogName": event.log,
            "Message": event.message,
            "MachineName": machine,
            "RecordId": Int64(event.number),
            "Properties": [PsObject([("Value", as_date(one))], kind) for one in event.properties],
            "IsTestDouble": True,
        }
        self._values = {name.lower(): value for name, value in values.items()}

    def ps_get(self, name: str) -> Any:
        """A property; KeyError for one that the lab does not have."""
        return self._values[name.lower()]

    def ps_call(self, name: str, arguments: list[Any]) -> Any:
        """The method ToXml; KeyError for any other."""
        if name.lower() != "toxml" or arguments:
            raise KeyError(name)
        return to_xml(self._event, self._machine)


def _date(moment: datetime.datetime) -> DateTime:
    return DateTime((moment - _EPOCH) // datetime.timedelta(microseconds=1) * 10, "Local")


def as_date(value: Any) -> Any:
    """A time as PowerShell has it; any other value as it is."""
    return _date(value) if isinstance(value, datetime.datetime) else value


def _refuse(invocation: Invocation, message: str, error_id: str) -> None:
    invocation.write_error(TerminatingError(message, error_id, "ObjectNotFound", "System.Exception"))


def _list(value: Any) -> list[Any]:
    return [] if value is None else list(value) if isinstance(value, list) else [value]


def _texts(value: Any) -> list[str]:
    return [str(one).lower() for one in _list(value)]


def _numbers(value: Any) -> list[int]:
    return [int(one) for one in _list(value)]


def _ticks(value: Any) -> int | None:
    if value is None:
        return None
    if not isinstance(value, DateTime):
        raise UnknownConstruct("a time in -FilterHashtable that is no DateTime")
    return value.ticks
