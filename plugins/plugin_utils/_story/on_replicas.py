# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Of one data source of DPM: whether its volume was extended and its replica checked, and what DPM says now. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.winbackup.storage.plugins.plugin_utils._report.outcome import Outcome
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.text import size
from ansible_collections.winbackup.storage.plugins.plugin_utils._story.model import Step

_SHORT = "recovery_point_volume_short"
_NO_WISH = "Nothing: no wish such as dpm_recovery_points_min_free_percent was given."
_UNREAD = "None: what DPM says of it now could not be read."
_WORKED = ("extended", "shrunk", "succeeded", "failed", "running")


def done_for(source: Mapping[str, Any], result: Mapping[str, Any] | None) -> tuple[tuple[Step, ...], Outcome]:
    """Returns what the role dpm_recovery_points did for a data source, what DPM says of it now, and how it ends.
    `result` is dpm_recovery_points_result; None: it was not worked on."""
    if result is None:
        return (Step("Done", "Nothing: recovery points were not worked on."),), Outcome.OPEN
    allocation, checks = result.get("allocation"), result.get("checks")
    if allocation is None:
        return (Step("Done", _NO_WISH),), Outcome.OPEN
    volume, check = _of(source, allocation, "volumes"), _of(source, checks or {}, "checks")
    steps = [Step("Done", _extension(volume, allocation)), *_checked(check, checks)]
    if result.get("planned_only"):
        return tuple(steps), Outcome.PLANNED
    proof, outcome = _proof(_of_id(source, (result.get("after") or {}).get("datasources") or ()))
    worked = any(one is not None and one["state"] in _WORKED for one in (volume, check))
    if outcome is Outcome.NOT_CURED and not worked:
        outcome = Outcome.OPEN
    return (*steps, proof), outcome


def _extension(volume: Mapping[str, Any] | None, allocation: Mapping[str, Any]) -> str:
    if volume is None:
        message = str(allocation.get("msg") or "").strip()
        return f"Its volume was not extended. {message}" if message else "Nothing: it was not among those selected."
    state, said = volume["state"], volume.get("message") or (volume.get("reason") or "").replace("_", " ")
    because = f": {said}" if said else "."
    before, after = (volume[key] or {} for key in ("before", "after"))
    sizes = f"from {size(before.get('allocated_bytes'))} to {size(after.get('allocated_bytes'))}"
    if state in ("extended", "shrunk"):
        return f"Its recovery-point volume was {state} {sizes}."
    if state in ("would_extend", "would_shrink"):
        return f"Nothing, in check mode. Its recovery-point volume would be changed {sizes}."
    if state == "unchanged":
        return f"Its recovery-point volume was left as it is{because if said else ', since the wish is met.'}"
    return f"Its recovery-point volume was not extended{because}"


def _checked(check: Mapping[str, Any] | None, checks: Mapping[str, Any] | None) -> Iterator[Step]:
    if checks is None:
        yield Step("Check", "None: dpm_recovery_points_check is false.")
    elif check is None:
        message = str(checks.get("msg") or "").strip()
        yield Step("Check", f"None. {message}".strip() if message else "None: it was not among those selected.")
    else:
        said = check.get("error")
        because = f": {said}" if said else "."
        words = {
            "not_needed": "None was needed: DPM called the replica consistent",
            "succeeded": "The consistency check succeeded",
            "failed": "The consistency check failed",
            "running": "The consistency check still runs",
            "already_running": "A consistency check ran already, and was not waited for",
            "not_started": "The consistency check was not begun in time",
            "would_run": "Nothing, in check mode. The replica would be checked",
            "refused": "The consistency check was refused",
        }
        yield Step("Check", f"{words.get(check['state'], 'It ended as ' + check['state'])}{because}")


def _proof(now: Mapping[str, Any] | None) -> tuple[Step, Outcome]:
    if now is None:
        return Step("Proof", _UNREAD, known=False), Outcome.UNPROVEN
    volume = now.get("recovery_point_volume") or {}
    used, allocated = volume.get("used_bytes"), volume.get("allocated_bytes")
    sizes = "" if used is None or allocated is None else f" {size(used)} of {size(allocated)} are used."
    is_short = any(finding["code"] == _SHORT for finding in now.get("findings") or ())
    consistent = now.get("consistent")
    if consistent is None:
        said = f"None: whether the replica is consistent is not known.{sizes}"
        return Step("Proof", said, known=False), Outcome.UNPROVEN
    if not consistent:
        return Step("Proof", f"DPM calls the replica inconsistent.{sizes}"), Outcome.NOT_CURED
    if is_short:
        said = f"DPM calls the replica consistent, and its recovery-point volume is still short.{sizes}"
        return Step("Proof", said), Outcome.NOT_CURED
    if not sizes:
        said = "DPM calls the replica consistent. How full its recovery-point volume is, is not known."
        return Step("Proof", said, known=False), Outcome.UNPROVEN
    return Step("Proof", f"DPM calls the replica consistent.{sizes}"), Outcome.CURED


def _of(source: Mapping[str, Any], result: Mapping[str, Any], key: str) -> Mapping[str, Any] | None:
    same = [one for one in result.get(key) or () if one["datasource"]["id"] == source["id"]]
    return same[0] if same else None


def _of_id(source: Mapping[str, Any], datasources: Any) -> Mapping[str, Any] | None:
    same = [one for one in datasources if one["id"] == source["id"]]
    return same[0] if same else None
