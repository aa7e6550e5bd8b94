# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The results of the DPM modules that change something, from decisions and checks, and what all results share. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._dpm.checks import Check, CheckState
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import (
    Allocation,
    DataSource,
    Pool,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.volume_result import (
    ResizeResult,
    VolumeResult,
    members_of,
)

# How many volumes or checks the sentence of a failure tells of; the result has them all.
_TOLD = 5


def resize_result(report: ResizeResult) -> dict[str, Any]:
    """Returns the result of dpm_allocation: every data source on one of the volumes, in the order of the selection."""
    rows = [_resized_row(result, member) for result, member in members_of(report.volumes)]
    before = _pool_summary(report.pool_before)
    after = None if report.pool_after is None else _pool_summary(report.pool_after)
    if report.check_mode and before is not None:
        left = before["unallocated_bytes"]
        taken = sum(
            result.decision.takes
            for result in report.volumes
            if result.state == "would_extend" and result.decision.volume.on_disks
        )
        after = {**before, "unallocated_bytes": None if left is None else left - taken}
    changed = [row for row in rows if row["after"] is not None and row["after"] != row["before"]]
    return {
        "changed": any(result.changed for result in report.volumes),
        "volumes": rows,
        "pool": {"before": before, "after": after},
        "warnings": refusals(
            f"Refused: {result.message}"
            if result.before.display_name in (result.message or "")
            else f"{result.before.display_name} is refused: {result.message}"
            for result in report.volumes
            if result.state == "refused" and result.reason != "not_started"
        ),
        "diff": {
            side: {f"{row['datasource']['name']} on {row['datasource']['computer']}": row[side] for row in changed}
            for side in ("before", "after")
        },
    }


def resize_failure(report: ResizeResult) -> str | None:
    """Returns the sentence that fails the task: what failed, and what was refused unless that was to be skipped."""
    failed = [result for result in report.volumes if result.state == "failed"]
    refused = [result for result in report.volumes if result.state == "refused"]
    if not failed and (not refused or (report.skip_refused and len(refused) < len(report.volumes))):
        return None
    told = failed + [result for result in refused if result.reason != "not_started"] or refused
    listed = " ".join(f"[{result.reason}] {result.message}" for result in told[:_TOLD])
    more = f" And {len(told) - _TOLD} more." if len(told) > _TOLD else ""
    untried = sum(result.reason == "not_started" for result in refused)
    counted = [
        f"{count} {what}"
        for count, what in ((len(failed), "failed"), (len(refused) - untried, "refused"), (untried, "not tried"))
        if count
    ]
    kind = report.volumes[0].before.kind.display_name
    of = f"{len(report.volumes)} {kind}{'' if len(report.volumes) == 1 else 's'}"
    outcome = f"Of {of}: {', '.join(counted)}"
    return f"{outcome if failed else f'Nothing was written. {outcome}'}. {listed}{more}"


def check_result(results: Sequence[Check]) -> dict[str, Any]:
    """Returns the result of dpm_consistency_check."""
    return {
        "changed": any(result.started_here or result.state is CheckState.WOULD_RUN for result in results),
        "checks": [
            {
                "datasource": name_row(result.source),
                "job_id": result.job_id,
                "state": result.state,
                "started": format_time(result.started),
                "finished": format_time(result.finished),
                "reason": result.reason,
                "error": result.error,
            }
            for result in results
        ],
        "warnings": refusals(
            f"The check of {result.source.display_name} is refused: {result.error}"
            for result in results
            if result.state is CheckState.REFUSED
        ),
    }


def check_failure(results: Sequence[Check], *, waited: bool, selected: bool) -> str | None:
    """Returns the sentence that fails the task. What was refused fails it only where it was selected by name."""
    bad = {CheckState.FAILED, CheckState.NOT_STARTED}
    if waited:
        bad.add(CheckState.RUNNING)
    if selected:
        bad.add(CheckState.REFUSED)
    told = [result for result in results if result.state in bad]
    if not told:
        return None
    listed = " ".join(became(result.source.display_name, result.state, result.error) for result in told[:_TOLD])
    more = f" And {len(told) - _TOLD} more." if len(told) > _TOLD else ""
    which = "The consistency check" if len(results) == 1 else f"{len(told)} of {len(results)} consistency checks"
    return f"{which} did not come to a good end. {listed}{more}"


def became(name: str, state: str | None, error: str | None) -> str:
    """Returns the sentences that say what became of a data source, and why."""
    shown = (state or "not known").replace("_", " ")
    return f"{name}: {shown}. {error.rstrip('.')}." if error else f"{name}: {shown}."


def pool_row(pool: Pool) -> dict[str, Any] | None:
    """Returns the storage pool as results have it; None where it is not known, or the server has none."""
    if not pool.disks:
        return None
    return {
        "disks": list(pool.disks),
        "capacity_bytes": pool.capacity_bytes,
        "unallocated_bytes": pool.unallocated_bytes,
        "volumes": pool.volumes,
        "ldm_slots_used": pool.ldm_slots_used,
        "ldm_slots_left": pool.ldm_slots_left,
    }


def name_row(source: DataSource) -> dict[str, Any]:
    """Returns how every result names a data source."""
    return {"id": source.id, "name": source.name, "computer": source.computer}


def sizes_row(sizes: Allocation) -> dict[str, int | None]:
    """Returns the sizes before or after."""
    return {"allocated_bytes": sizes.allocated_bytes, "used_bytes": sizes.used_bytes}


def format_time(moment: datetime | None) -> str | None:
    """Returns a time as results have it: ISO 8601, UTC."""
    return None if moment is None else moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def _resized_row(result: VolumeResult, member: DataSource) -> dict[str, Any]:
    decision = result.decision
    before = sizes_row(member.sizes(result.before.kind))
    after = None if result.after is None or member.id not in result.after else sizes_row(result.after[member.id])
    if result.state in ("would_extend", "would_shrink"):
        after = {**before, "allocated_bytes": decision.total}
    elif after is None and not result.written:
        after = before
    return {
        "datasource": name_row(member),
        "before": before,
        "wanted_bytes": decision.wanted,
        "after": after,
        "state": result.state,
        "reason": result.reason,
        "message": result.message,
    }


def _pool_summary(pool: Pool) -> dict[str, int | None] | None:
    row = pool_row(pool)
    return None if row is None else {key: value for key, value in row.items() if key != "disks"}


def refusals(sentences: Iterable[str]) -> list[str]:
    """Returns warnings for the screen: the first few, and how many more there are."""
    every = list(sentences)
    more = len(every) - _TOLD
    return every if more <= 0 else [*every[:_TOLD], f"And {more} more are refused; the result lists them."]
