# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Recovery points that are older than a site allows. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.alert_findings import point_hint
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import DataSource, StorageKind


def age_findings(source: DataSource, now: datetime, max_age: timedelta) -> Iterator[Finding]:
    """Yields the finding of a protected data source whose newest recovery point is older than `max_age` at `now`, the
    server's own time, or of which DPM shows none."""
    if not source.active:
        return
    newest = source.recovery_points.newest
    if newest is not None:
        age = now - newest
        if age > max_age:
            yield Finding(
                "recovery_point_old",
                "warning",
                f"Its newest recovery point is {_shown(age)} old, of {newest:%Y-%m-%dT%H:%M:%SZ}; max_age allows "
                f"{_shown(max_age)}.",
                point_hint(source),
                source.display_name,
            )
    elif source.storage_kind is StorageKind.NONE:
        yield Finding(
            "no_recovery_point",
            "warning",
            "It is not kept on the disks of this server (on tape or in the cloud only, no replica yet, or protected by "
            "a secondary server), and how old its newest recovery point is DPM does not tell.",
            "Look at its recovery points in the DPM console.",
            source.display_name,
        )
    else:
        yield Finding(
            "no_recovery_point",
            "warning",
            "DPM shows no recovery point of it: there is none, or DPM did not tell in time.",
            point_hint(source),
            source.display_name,
        )


def _shown(age: timedelta) -> str:
    """Returns a span of time for a message: days where these are two or more, else hours."""
    hours = age.total_seconds() / 3600
    return f"{hours / 24:.1f} days" if hours >= 48 else f"{hours:.1f} hours"
