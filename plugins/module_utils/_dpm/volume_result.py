# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What becomes of the volumes of a call: a result a volume, which those who write settle and those who tell read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import Allocation, DataSource, Pool
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.policy import Decision, Volume


@dataclass
class VolumeResult:
    """One volume in the course of a call. `state` is None until it is settled."""

    before: Volume
    decision: Decision
    state: str | None = None
    reason: str | None = None
    message: str | None = None
    after: Mapping[str, Allocation] | None = None
    written: bool = False
    redecisions: int = 0

    @property
    def changed(self) -> bool:
        """Whether anything was or may have been changed, in check mode would be."""
        written = self.state in ("extended", "shrunk", "would_extend", "would_shrink")
        return written or self.reason in ("outcome_unknown", "total_not_reached")

    def settle(self, state: str, reason: str | None = None, message: str | None = None) -> None:
        self.state, self.reason, self.message = state, reason, message


@dataclass(frozen=True)
class ResizeResult:
    """What became of a call: a result a volume, and the pool before and after (None: not read again)."""

    volumes: tuple[VolumeResult, ...]
    pool_before: Pool
    pool_after: Pool | None
    check_mode: bool
    skip_refused: bool


def members_of(results: Iterable[VolumeResult]) -> list[tuple[VolumeResult, DataSource]]:
    """Returns every data source with what became of its volume."""
    return [(result, member) for result in results for member in result.before.members]
