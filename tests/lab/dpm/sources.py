# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Protection groups, data sources and alerts as scripts see them."""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Mapping
from typing import Any

from powershell import GetterError, Int64

from .faces import NEVER, Face, date, error_info, member
from .records import NO_DISK, Alert, DataSource, Group
from .server import DpmServer
from .texts import ALERT_TYPES, FOREIGN_ERRORS, WARNINGS
from .units import shown

_JAPANESE_LABELS = ("レプリカ ボリューム", "割り当て済み", "使用済み", "回復ポイント ボリューム")


class GroupFace(Face):
    """A protection group; one that is modifiable collects edits until it is written."""

    kind = "ProtectionGroup"

    def __init__(self, server: DpmServer, group: Group, modifiable: bool = False) -> None:
        super().__init__(
            {
                "Name": group.name,
                "FriendlyName": group.name,
                "IsDiskShortTerm": group.method.startswith("Disk"),
                "ProtectionMethod": group.method,
            }
        )
        self.group = group
        self.modifiable = modifiable
        self.auto_grow: bool | None = None
        self.edits: list[tuple[DataSource, int | None, int | None]] = []
        self._server = server

    def ps_call(self, name: str, arguments: list[Any]) -> Any:
        if name.lower() == "getdatasources" and not arguments:
            with self._server.lock:
                return [SourceFace(self._server, one, self) for one in self._server.sources if one.group is self.group]
        raise KeyError(name)


class SourceFace(Face):
    """A data source as it was when it was asked for, or, where the server is so, as it is when it is read."""

    kind = "Datasource"

    def __init__(self, server: DpmServer, source: DataSource, group: GroupFace | None = None) -> None:
        super().__init__()
        self.source = source
        self.group = group
        self.shrink: tuple[int, int] | None = None
        self._server = server
        self._asked_for_points: datetime.datetime | None = None
        self._values = self._read()

    def ps_get(self, name: str) -> Any:
        with self._server.lock:
            self._server.settle()
            if self._is_unreadable(name):
                if self._server.options.unreadable == "null":
                    return None
                raise GetterError(FOREIGN_ERRORS["sql_login"][1])
            if name.lower() in ("latestrecoverypoint", "oldestrecoverypoint", "totalrecoverypoints"):
                return self._points(name.lower())
            if name.lower() in ("shadowcopysizeaftermaxshrink", "shadowcopysizeafterminshrink"):
                index = 0 if "max" in name.lower() else 1
                return Int64(self.shrink[index] if self.shrink else 0)
            if self._server.options.objects == "live":
                self._values = self._read()
            return super().ps_get(name)

    def _is_unreadable(self, name: str) -> bool:
        return "*" in self.source.unreadable or name.lower() in self.source.unreadable

    def _points(self, name: str) -> Any:
        """Fields that are empty when they are first read, and filled some time after."""
        now = self._server.now()
        self._asked_for_points = self._asked_for_points or now
        waited = (now - self._asked_for_points).total_seconds()
        ready = waited >= self._server.options.lazy_seconds
        points = self.source.points if ready else []
        if name == "totalrecoverypoints":
            return len(points)
        return date((points[-1] if name.startswith("latest") else points[0]) if points else None)

    def _read(self) -> dict[str, Any]:
        server, source, options = self._server, self.source, self._server.options
        group_name = source.group.name if source.group else source.group_name
        busy = bool([job for job in server.jobs if job.end is None and source in job.sources])
        sizes = self._sizes()
        inactive = not source.active
        values = {
            "Id": source.id,
            "DatasourceId": uuid.uuid5(source.id, "DatasourceId") if options.ids_differ else source.id,
            "DatasourceName": source.name,
            "Name": source.name,
            "LogicalPath": source.name,
            "DisplayPath": source.display_path or source.name,
            "Instance": "",
            "Type": source.type,
            "ObjectType": source.type,
            "Computer": source.computer,
            "ProductionServerName": source.computer,
            "ProtectionGroup": lambda: source.group and (self.group or GroupFace(server, source.group)),
            "ProtectionGroupId": source.group.id if source.group else uuid.UUID(int=0),
            "ProtectionGroupName": group_name,
            "Protected": not inactive,
            "CurrentlyProtected": not inactive,
            "IsDiskInactive": inactive,
            "IsTapeInactive": False,
            "IsOnlineInactive": False,
            "State": member(options, "DatasourceState", ("Valid", "Invalid"), source.state),
            "Activity": member(options, "DatasourceActivity", ("Idle", "Busy"), "Busy" if busy else "Idle"),
            "CurrentProtectionState": "",
            "Alert": lambda: self._worst_alert(),
            "MountPoints": [],
            "ComponentName": "",
            "PsInfo": lambda: _ps_info(source),
            "IsAutoGrowEnabled": bool(source.group and source.group.auto_grow),
            "IsAutoCCEnabled": bool(source.group and source.group.auto_check),
            "IsCustomAllocation": source.storage == "custom",
            "IsCollocated": len(server.sharing(source)) > 1,
            "IsCollocateable": bool(source.group and source.group.collocated),
            "NeedsDiskAllocationModification": False,
            "ReAllocationRequired": False,
            "ReplicaResizeRequired": False,
            "ReplicaGrowRequired": False,
            "ReplicaPath": source.replica.path if source.replica else _modern_path(source),
            "RecoveryRangeInDays": 14,
            "LastAddedToCurrentPG": NEVER,
            "UnderActiveProtectionFromDPM": not inactive,
            "UnderActiveProtectionFromPS": not inactive,
            "UsnJournalLogSize": Int64(0),
            "DatasourceSize": Int64(source.source_size),
            **{name: Int64(value) for name, value in sizes.items()},
        }
        allocation = self._allocation(sizes)
        values |= {"DiskAllocation": "" if inactive else allocation}
        values |= {"InactiveDiskAllocation": allocation if inactive else self._earlier_allocation()}
        return {name.lower(): value for name, value in values.items()}

    def _sizes(self) -> dict[str, int]:
        source, options = self.source, self._server.options
        replica, recovery = source.replica, source.recovery
        if source.storage in NO_DISK:
            names = ("ReplicaSize", "ReplicaUsedSpace", "ShadowCopyAreaSize", "ShadowCopyUsedSpace")
            sizes = dict.fromkeys(names, options.size_without_disk)
        elif source.on_volumes:
            sizes = {
                "ReplicaSize": replica.allocated if replica else -1,
                "ReplicaUsedSpace": replica.used if replica else -1,
                "ShadowCopyAreaSize": recovery.allocated if recovery else -1,
                "ShadowCopyUsedSpace": recovery.used if recovery else -1,
            }
        else:
            sizes = {
                "ReplicaSize": source.replica_size,
                "ReplicaUsedSpace": source.replica_used,
                "ShadowCopyAreaSize": options.modern_recovery_size,
                "ShadowCopyUsedSpace": options.modern_recovery_size,
            }
        if not source.sizes_known(self._server.now()):
            sizes = dict.fromkeys(sizes, source.unknown_size)
        sizes = {name: -1 if name.lower() in source.unknown else value for name, value in sizes.items()}
        return sizes | {
            "RequiredReplicaSize": sizes["ReplicaSize"],
            "RequiredShadowCopyAreaSize": sizes["ShadowCopyAreaSize"],
            "MinimumReplicaSizeAllowed": sizes["ReplicaSize"],
        }

    def _earlier_allocation(self) -> str:
        kinds = {volume.kind: (volume.allocated, volume.used) for volume in self.source.earlier}
        pairs = [kinds.get(kind, (0, 0)) for kind in ("replica", "recovery")]
        return self._allocation(dict(enumerate(value for pair in pairs for value in pair))) if kinds else ""

    def _allocation(self, sizes: Mapping[Any, int]) -> str:
        replica, replica_used, area, used = (shown(value) for value in list(sizes.values())[:4])
        if self._server.options.japanese:
            first, allocated, taken, second = _JAPANESE_LABELS
            return (
                f"{first}: {replica} {allocated}、{replica_used} {taken} | {second}: {area} {allocated}、{used} {taken}"
            )
        return (
            f"Replica volume: {replica} allocated, {replica_used} used | "
            f"Recovery point volume: {area} allocated, {used} used"
        )

    def _worst_alert(self) -> AlertFace | None:
        alerts = sorted(self._server.active_alerts(self.source), key=lambda one: one.code in WARNINGS)
        return AlertFace(self._server, alerts[0]) if alerts else None


def _modern_path(source: DataSource) -> str:
    return f"\\\\?\\Volume{{{source.id}}}\\" if source.storage == "modern" else ""


def _ps_info(source: DataSource) -> Face:
    info = Face({"NetbiosName": source.computer.partition(".")[0].upper()})
    info.kind = "PsInfo"
    return info


class AlertFace(Face):
    kind = "Alert"

    def __init__(self, server: DpmServer, alert: Alert) -> None:
        options, source = server.options, alert.source
        severity = alert.severity or ("Warning" if alert.code in WARNINGS else "Error")
        info = error_info(server, alert.code, alert.detail)
        about: dict[str, Any] = {
            "Server": alert.server or (source.computer if source else server.name),
            "AffectedArea": alert.area or (source.name if source else ""),
            "TargetObjectName": alert.target or (source.name if source else ""),
            "Datasource": (lambda: SourceFace(server, source)) if source else None,
        }
        shows = options.alert_shows if alert.shows is None else alert.shows
        hidden = {name: None if name == "Datasource" else "" for name in about if name not in shows}
        values: dict[str, Any] = {
            "Severity": member(options, "AlertSeverity", ("Error", "Warning"), severity),
            "Type": member(
                options, "AlertType", tuple(ALERT_TYPES.values()), ALERT_TYPES.get(alert.code, f"Alert{alert.code}")
            ),
            "OccurredSince": date(alert.since),
            "TargetObjectType": alert.target_type,
            "ErrorInfo": info,
            "DetailedErrorInfo": info.ps_get("Problem"),
            **about,
            **hidden,
        }
        if options.alert_id != "none":
            values[options.alert_id] = alert.id
        super().__init__(values)
