# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The server as plain values, for tests. Whoever asks holds its lock."""

from __future__ import annotations

import datetime
from typing import Any

from . import BANNER
from .records import Alert, DataSource, Job
from .server import DpmServer


def whole(server: DpmServer) -> dict[str, Any]:
    """All that a test may want to assert."""
    pool = server.pool
    disks = [
        {"name": one.name, "capacity": one.capacity, "unallocated": one.unallocated, "status": one.status}
        for one in pool.disks
    ]
    events = [
        {"time": _time(one.time), "provider": one.provider, "id": one.id, "message": one.message}
        for one in server.events.records
    ]
    return {
        "note": BANNER,
        "time": _time(server.now()),
        "server": server.name,
        "profile": server.options.profile,
        "pool": {
            "unallocated": pool.unallocated,
            "slots_used": pool.slots_used,
            "slots_left": pool.slots_left,
            "disks": disks,
        },
        "datasources": [of_source(server, one) for one in server.sources],
        "jobs": [of_job(one) for one in server.jobs],
        "alerts": [_alert(one) for one in server.alerts],
        "events": events,
    }


def _time(moment: datetime.datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()


def of_source(server: DpmServer, source: DataSource) -> dict[str, Any]:
    """One data source."""
    replica, recovery = source.replica, source.recovery
    return {
        "id": str(source.id),
        "name": source.name,
        "computer": source.computer,
        "group": source.group.name if source.group else None,
        "storage": source.storage,
        "state": source.state,
        "replica_online": source.replica_online(server.now()),
        "replica": replica and {"allocated": replica.allocated, "used": replica.used, "path": replica.path},
        "recovery": recovery and {"allocated": recovery.allocated, "used": recovery.used, "slots": recovery.slots},
        "modern_replica": source.replica_size if source.storage == "modern" else None,
        "points": len(source.points),
        "alerts": [one.code for one in server.active_alerts(source)],
    }


def of_job(job: Job) -> dict[str, Any]:
    """One job."""
    return {
        "id": str(job.id),
        "type": job.type,
        "status": job.status,
        "datasources": [one.name for one in job.sources],
        "start": _time(job.start),
        "end": _time(job.end),
        "error": job.error,
    }


def _alert(alert: Alert) -> dict[str, Any]:
    return {
        "code": alert.code,
        "datasource": alert.source and alert.source.name,
        "since": _time(alert.since),
        "resolved": _time(alert.resolved),
    }
