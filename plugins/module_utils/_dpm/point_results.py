# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The result of dpm_recovery_point. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._dpm.points import Point, PointState
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.results import (
    became,
    format_time,
    name_row,
    refusals,
)

# How many data sources the sentence of a failure tells of; the result has them all.
_TOLD = 5


def point_result(points: Sequence[Point]) -> dict[str, Any]:
    """Returns the result of dpm_recovery_point."""
    made = [one for one in points if one.started_here or one.state is PointState.WOULD_CREATE]
    return {
        "changed": bool(made),
        "points": [
            {
                "datasource": name_row(point.source),
                "state": point.state,
                "job_id": point.job_id,
                "created": format_time(point.created),
                "reason": point.reason,
                "error": point.error,
            }
            for point in points
        ],
        "warnings": refusals(
            f"The recovery point of {point.source.display_name} is refused: {point.error}"
            for point in points
            if point.state is PointState.REFUSED
        ),
        "diff": {
            "before": {one.source.display_name: format_time(one.source.recovery_points.newest) for one in made},
            "after": {one.source.display_name: format_time(one.created) or "a new one" for one in made},
        },
    }


def point_failure(points: Sequence[Point], *, waited: bool) -> str | None:
    """Returns the sentence that fails the task."""
    bad = {PointState.FAILED, PointState.REFUSED, *([PointState.RUNNING] if waited else [])}
    told = [point for point in points if point.state in bad]
    if not told:
        return None
    listed = " ".join(became(one.source.display_name, one.state, one.error) for one in told[:_TOLD])
    more = f" And {len(told) - _TOLD} more." if len(told) > _TOLD else ""
    which = "The recovery point was" if len(points) == 1 else f"{len(told)} of {len(points)} recovery points were"
    return f"{which} not made. {listed}{more}"
