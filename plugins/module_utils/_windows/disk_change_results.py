# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The result of windows_disk, as its documentation describes it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_changes import (
    DiskDecision,
    Refusal,
    WantedState,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.model import Disk, Machine

_FAILED = ("refused", "failed", "not_started")


@dataclass
class DiskOutcome:
    """What became of one named disk. `after` is None while it is not known."""

    decision: DiskDecision
    state: str = "unchanged"
    reason: str | None = None
    message: str | None = None
    after: Disk | None = None
    may_have_changed: bool = False

    @property
    def title(self) -> str:
        """How sentences call the disk."""
        return self.decision.disk.title if self.decision.disk is not None else f"The disk {self.decision.disk_id}"

    def refuse(self, refusal: Refusal) -> None:
        """Notes why it is left alone."""
        self.state, self.reason = "refused", refusal.code
        self.message = f"{refusal.message} {refusal.hint}"

    def stop(self, state: str, reason: str, message: str) -> None:
        """Notes why it is not as wanted."""
        self.state, self.reason, self.message = state, reason, message


def change_result(
    machine: Machine, wanted: WantedState, outcomes: Sequence[DiskOutcome], *, check_mode: bool
) -> dict[str, object]:
    """Returns the result of one call; in check mode `after` is what it would be."""
    rows = [_row(outcome, wanted, check_mode) for outcome in outcomes]
    changed = any((check_mode and one.state == "would_change") or one.may_have_changed for one in outcomes)
    return {
        "changed": changed,
        "machine": asdict(machine),
        "disks": rows,
        "diff": {
            "before": {str(row["disk_id"]): row["before"] for row in rows if row["before"] != row["after"]},
            "after": {str(row["disk_id"]): row["after"] for row in rows if row["before"] != row["after"]},
        },
    }


def change_failure(outcomes: Sequence[DiskOutcome]) -> str | None:
    """Returns the sentence that fails the task: of the first disk that is not as wanted, and how many there are."""
    failed = [outcome for outcome in outcomes if outcome.state in _FAILED]
    if not failed:
        return None
    # What stands against it says more than what was not begun for that.
    first = next((one for one in failed if one.state != "not_started"), failed[0])
    more = f" {len(failed) - 1} more of the named disks are not as wanted." if len(failed) > 1 else ""
    return f"{first.message}{more}"


def _row(outcome: DiskOutcome, wanted: WantedState, check_mode: bool) -> dict[str, object]:
    disk = outcome.decision.disk
    before = _state_of(disk)
    after = _state_of(outcome.after) if outcome.after is not None else None
    if check_mode and disk is not None and before is not None:
        after = {**before, **_as_wanted(wanted)} if outcome.state == "would_change" else before
    shown = outcome.after or disk
    return {
        "disk_id": outcome.decision.disk_id,
        "number": shown.number if shown is not None else None,
        "state": outcome.state,
        "reason": outcome.reason,
        "message": outcome.message,
        "before": before,
        "after": after,
        "volumes": shown.volumes if shown is not None else None,
    }


def _state_of(disk: Disk | None) -> Mapping[str, object] | None:
    if disk is None:
        return None
    return {"offline": disk.offline, "offline_reason": disk.offline_reason, "read_only": disk.read_only}


def _as_wanted(wanted: WantedState) -> Mapping[str, object]:
    if not wanted.online:
        return {"offline": True, "offline_reason": "policy"}
    return {"offline": False, "offline_reason": None, "read_only": wanted.read_only}
