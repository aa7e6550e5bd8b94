# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""DPM's own active alerts as findings. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import (
    Alert,
    DataSource,
    Pool,
    StorageKind,
    VolumeKind,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.volume_findings import extension_hint

# DPM's numbers of alerts.
_UNREACHABLE = 3122
_NO_POINTS = 3114
_THRESHOLDS = {3100: VolumeKind.REPLICA, 3169: VolumeKind.RECOVERY_POINT}
_SEVERITIES = {"error": "error", "information": "info", "info": "info"}
_LOOK = "Look at the alert in the DPM console, which names what DPM recommends."
_LOOK_AT_JOBS = "Look at its jobs and alerts in the DPM console."


def alert_findings(
    alerts: Iterable[Alert], name: str, source: DataSource | None = None, pool: Pool | None = None
) -> Iterator[Finding]:
    """Yields a finding for each active alert but those for information. One of unknown severity counts as a warning.
    `source` is the data source that they are about, if any."""
    for alert in alerts:
        severity = _SEVERITIES.get(alert.severity or "", "warning")
        if severity == "info":
            continue
        said = alert.message or f"an alert of the type {alert.type or 'unknown'}, without a text"
        end = "" if said.endswith((".", "!", "?")) else "."
        code = f" (ID {alert.code})" if alert.code is not None and str(alert.code) not in said else ""
        yield Finding(
            "dpm_alert",
            severity,
            f"DPM has an active alert{code}: {said}{end}",
            _hint(alert, source, pool or Pool()),
            name,
        )


def is_reachable(alerts: Iterable[Alert]) -> bool | None:
    """Tells of the alerts about one computer whether DPM reaches its agent: false, or None where DPM says nothing."""
    return False if any(_tells_of_no_agent(alert) for alert in alerts) else None


def check_hint(source: DataSource) -> str:
    """Returns what helps an inconsistent replica: dpm_consistency_check only where it would take this data source."""
    if not source.active:
        return "It is not protected at present, so that no check can run. Resume its protection first."
    if source.storage_kind is StorageKind.NONE:
        return "It has no replica on the disks of this server that could be checked. Look at it in the DPM console."
    return "See first that its recovery-point volume has room, then run winbackup.storage.dpm_consistency_check."


def point_hint(source: DataSource) -> str:
    """Returns what helps where there is no new recovery point: dpm_recovery_point only where it would take this data
    source."""
    if source.consistent is False:
        return f"No recovery point is made of an inconsistent replica. {check_hint(source)}"
    if not source.active or source.storage_kind is StorageKind.NONE:
        return _LOOK_AT_JOBS
    return f"{_LOOK_AT_JOBS} Then make one with winbackup.storage.dpm_recovery_point."


def _hint(alert: Alert, source: DataSource | None, pool: Pool) -> str:
    """Returns what helps, by the number of the alert; a module is named only where it would take this data source."""
    if _tells_of_no_agent(alert):
        return (
            "See that the computer is on, that its service DPMRA runs, and that no firewall is between it and the DPM "
            "server. Then refresh its agent in the DPM console."
        )
    if source is None:
        return _LOOK
    if alert.about_inconsistency:
        return check_hint(source)
    if alert.code == _NO_POINTS:
        return point_hint(source)
    kind = _THRESHOLDS.get(alert.code or 0)
    return _LOOK if kind is None else extension_hint(source, pool, kind)


def _tells_of_no_agent(alert: Alert) -> bool:
    return alert.code == _UNREACHABLE or "unreachable" in (alert.type or "")
