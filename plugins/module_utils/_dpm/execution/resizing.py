# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Brings recovery-point or replica volumes to the wished size: reads, decides, writes, reads again; idle volumes come
first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import OutcomeUnknown, StorageError
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import CallTimes
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.execution.server import Answer, DpmServer
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.model import (
    DataSource,
    Facts,
    StorageKind,
    VolumeKind,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.plan import in_order, plan
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.policy import (
    Action,
    Decision,
    ShrinkLimits,
    SizePolicy,
    Volume,
    reached,
    volumes_of,
    would_shrink,
)
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.selection import Selection, select
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.sizes import format_size
from ansible_collections.winbackup.storage.plugins.module_utils._dpm.volume_result import ResizeResult, VolumeResult

# After an edit, or after its answer was lost, DPM has this long to show the new total.
SETTLING = 120.0
# So often a volume is decided on again that others change meanwhile.
_REDECISIONS = 2
_PAUSES = (1.0, 2.0, 4.0, 8.0, 15.0)
_UNKNOWN_PAUSES = (2.0, 4.0, 8.0)
# DPM's errors of the pool, which the next would meet too.
_POOL_CODES = {358: "pool_too_small", 360: "pool_failed", 364: "pool_failed"}


@dataclass(frozen=True)
class ResizeRequest:
    """What one call asks for; times in seconds. `growth_of` tells from a reading by how many bytes a day the volumes of
    data sources grow, by id; a wish for days needs it."""

    selection: Selection
    policy: SizePolicy
    kind: VolumeKind = VolumeKind.RECOVERY_POINT
    skip_refused: bool = False
    busy_timeout: float = 900
    timeout: float = 1800
    growth_of: Callable[[Facts], Mapping[str, float]] | None = None


def read_settled(
    server: DpmServer,
    selection: Selection,
    deadline: float,
    *,
    kind: VolumeKind = VolumeKind.RECOVERY_POINT,
    detail: bool = False,
) -> tuple[Facts, tuple[DataSource, ...]]:
    """Returns facts and the chosen data sources, with `detail` also the alerts and what DPM has to load first.

    Sizes of volumes of this kind that DPM does not know yet are waited for, within bounds, and nothing is that was not
    chosen.
    """
    ids: Sequence[str] | None = None
    if detail:
        ids = ()
        if selection.is_given:
            ids = [source.id for source in select(server.read(deadline, storage=False).sources.values(), selection)]
    facts = server.read(deadline, alerts=detail, detail=ids)
    chosen = select(facts.sources.values(), selection)
    for pause in _UNKNOWN_PAUSES:
        if not any(_is_unknown(source, kind) for source in chosen) or server.time() + pause >= deadline:
            break
        server.pause(pause)
        facts = server.read(deadline, alerts=detail, detail=ids)
        chosen = select(facts.sources.values(), selection)
    return facts, chosen


def resize_volumes(
    server: DpmServer, request: ResizeRequest, *, check_mode: bool, log: Callable[[str], None]
) -> ResizeResult:
    """Does one call; raises StorageError only where nothing was written yet."""
    times = CallTimes.of(server.time(), request.timeout)
    facts, chosen = read_settled(server, request.selection, times.deadline, kind=request.kind)
    if request.growth_of is not None:
        request = replace(request, policy=replace(request.policy, growth=request.growth_of(facts)))
    volumes = volumes_of(facts, chosen, request.kind)
    decisions = _decided(server, facts, volumes, request, times.deadline, skip_refused=request.skip_refused)
    results = tuple(VolumeResult(volume, decision) for volume, decision in zip(volumes, decisions, strict=True))
    run = _Run(server, request, results, facts, times, log)
    if check_mode:
        run.settle_decided(would=True)
        return ResizeResult(results, facts.pool, None, True, request.skip_refused)
    run.settle_decided()
    if run.pending:
        run.write_all()
    after = run.facts.pool if run.facts is not None else None
    return ResizeResult(results, facts.pool, after, False, request.skip_refused)


def _decided(
    server: DpmServer,
    facts: Facts,
    volumes: Sequence[Volume],
    request: ResizeRequest,
    deadline: float,
    *,
    skip_refused: bool,
) -> tuple[Decision, ...]:
    """Returns what is to be done with each volume; asks DPM how far it would shrink those that are to shrink."""
    limits: dict[str, ShrinkLimits] = {}
    shrinking = would_shrink(volumes, request.policy)
    if shrinking:
        asked = {through.id: volume.id for volume in shrinking if (through := volume.edited_through) is not None}
        told = server.shrink_limits(sorted(asked), deadline)
        limits = {asked[id]: limit for id, limit in told.items() if id in asked}
    return plan(
        volumes,
        request.policy,
        facts.pool,
        limits,
        skip_refused=skip_refused,
        selected=request.selection.is_given,
    )


class _Run:
    """The writing part of a call. `facts` is the last reading, None once the server could not be read any more."""

    def __init__(
        self,
        server: DpmServer,
        request: ResizeRequest,
        results: Sequence[VolumeResult],
        facts: Facts,
        times: CallTimes,
        log: Callable[[str], None],
    ) -> None:
        self.server = server
        self.request = request
        self.results = results
        self.facts: Facts | None = facts
        self.times = times
        self.busy_until = min(times.last_start, server.time() + request.busy_timeout)
        self.log = log
        self.last_error: StorageError | None = None

    @property
    def pending(self) -> list[VolumeResult]:
        """What is still to be written, the fullest first."""
        order = {id(one): place for place, one in enumerate(in_order(e.decision for e in self.results))}
        return sorted(
            (result for result in self.results if result.state is None), key=lambda result: order[id(result.decision)]
        )

    def settle_decided(self, *, would: bool = False) -> None:
        """Settles what needs no writing, or is refused; with `would` also what would be written."""
        for result in self.pending:
            decision = result.decision
            if decision.action is Action.REFUSE:
                result.settle("refused", decision.reason, decision.message)
            elif decision.action is Action.KEEP:
                result.settle("unchanged", decision.reason, decision.message)
            elif would:
                state = "would_extend" if decision.action is Action.EXTEND else "would_shrink"
                result.settle(state, decision.reason, decision.message)

    def write_all(self) -> None:
        """Writes until nothing is pending; then reads what came of it. Raises nothing of StorageError."""
        pauses = iter(_PAUSES)
        while self.pending and self.facts is not None:
            if self.server.time() >= self.times.last_start:
                self._give_up("not_started", "The time for new edits (timeout) was over before its turn came.")
                break
            idle = [result for result in self.pending if self.facts.is_idle(result.decision.volume.members)]
            progress = self._write(idle, directly=self.facts.edits_directly) if idle else False
            if not progress:
                if self.server.time() >= self.busy_until:
                    self._give_up("busy", _why_busy(self.facts))
                    break
                self.log(f"Waiting for jobs of {', '.join(e.before.display_name for e in self.pending)}")
                pause = next(pauses, _PAUSES[-1])
                self.server.pause(min(pause, max(0.0, self.busy_until - self.server.time())))
            self._read_again()
            self._decide_again()
        if self.facts is None:
            self._give_up("not_started", f"The server could not be reached any more: {self.last_error}")
        self._verify()

    def _write(self, idle: Sequence[VolumeResult], *, directly: bool) -> bool:
        """Has these written; returns whether anything came of it, so that there is no need to wait."""
        by_volume = {result.decision.volume.id: result for result in idle}
        decisions = [result.decision for result in idle]
        for decision in decisions:
            self.log(f"Giving {decision.volume.display_name} {format_size(decision.total or 0)}")
        try:
            answers = self.server.edit(decisions, directly=directly, times=self.times)
        except OutcomeUnknown as error:
            self._after_a_lost_answer(idle, error)
            return True
        except StorageError as error:
            self.last_error = error
            self._give_up("not_started", f"It was not begun: {error}")
            return True
        progress = False
        for volume_id, answer in answers.items():
            result = by_volume.get(volume_id)
            if result is not None:
                progress = self._take(result, answer) or progress
        return progress

    def _take(self, result: VolumeResult, answer: Answer) -> bool:
        """Takes the answer for one volume; returns whether it is one that settles anything."""
        shown = result.before.display_name
        if answer.outcome == "edited":
            result.written = True
            result.settle(
                "extended" if result.decision.action is Action.EXTEND else "shrunk",
                result.decision.reason,
                result.decision.message,
            )
        elif answer.outcome == "there":
            result.settle("unchanged")
        elif answer.outcome == "gone":
            result.settle("failed", "gone", f"{shown} was not there any more, or not protected, when its turn came.")
        elif answer.outcome == "differs":
            result.redecisions += 1
            if result.redecisions > _REDECISIONS:
                message = f"The volume of {shown} was changed by somebody else again and again. Run again later."
                result.settle("failed", "changed_meanwhile", message)
            return True
        elif answer.outcome == "failed" and not answer.is_busy:
            reason = _POOL_CODES.get(answer.code or 0, "dpm_refused")
            # That an edit failed does not say that it did nothing: what is read afterwards decides.
            result.written = True
            result.settle("failed", reason, f"DPM refused for {shown}: {answer.message}")
            if answer.code in _POOL_CODES:
                message = f"The storage pool failed for {shown} before its turn came: {answer.message}"
                self._give_up("not_started", message, state="refused")
        else:
            return False
        return True

    def _after_a_lost_answer(self, lost: Sequence[VolumeResult], error: OutcomeUnknown) -> None:
        """The answer will not come any more: reads until the totals are there, or nothing can come any more."""
        until = min(self.server.time() + SETTLING, self.times.end)
        for pause in (*_PAUSES, *[_PAUSES[-1]] * int(SETTLING)):
            self._read_again()
            missing = [result for result in lost if not self._is_there(result)]
            if not missing or self.server.time() >= until:
                break
            self.server.pause(min(pause, max(0.1, until - self.server.time())))
        for result in lost:
            result.written = True
            decision = result.decision
            if self._is_there(result):
                result.settle(
                    "extended" if decision.action is Action.EXTEND else "shrunk", decision.reason, decision.message
                )
            else:
                message = (
                    f"Whether {result.before.display_name} gets its total is not known: {error.message} Run again."
                )
                result.settle("failed", "outcome_unknown", message)

    def _is_there(self, result: VolumeResult) -> bool:
        if self.facts is None or result.decision.total is None:
            return False
        now = self._now(result)
        return now is not None and reached(
            result.decision.total, now.allocated, result.decision.action, self.request.policy
        )

    def _now(self, result: VolumeResult) -> Volume | None:
        """Returns the volume as it was read last."""
        facts = self.facts
        if facts is None:
            return None
        members = tuple(facts.sources[one.id] for one in result.before.members if one.id in facts.sources)
        return Volume(members, result.before.kind) if members else None

    def _read_again(self) -> None:
        try:
            self.facts = self.server.read(self.times.end)
        except StorageError as error:
            self.facts, self.last_error = None, error

    def _decide_again(self) -> None:
        """Decides on what is pending from the last reading: jobs end, auto-grow and administrators act meanwhile."""
        facts, pending = self.facts, self.pending
        if facts is None or not pending:
            return
        volumes: list[Volume] = []
        for result in pending:
            now = self._now(result)
            if now is None:
                result.settle("failed", "gone", f"{result.before.display_name} is not there any more.")
            else:
                volumes.append(now)
        try:
            decisions = _decided(self.server, facts, volumes, self.request, self.times.deadline, skip_refused=True)
        except StorageError as error:
            self.last_error = error
            self._give_up("not_started", f"It could not be decided on again: {error}")
            return
        for result, decision in zip([result for result in pending if result.state is None], decisions, strict=True):
            result.decision = decision
        self.settle_decided()

    def _give_up(self, reason: str, message: str, *, state: str = "failed") -> None:
        for result in self.pending:
            result.settle(state, reason, message)

    def _verify(self) -> None:
        """Reads back what was edited, waiting until DPM shows it; what was called failed may have been done."""
        written = [result for result in self.results if result.written and result.reason != "outcome_unknown"]
        until = min(self.server.time() + SETTLING, self.times.end)
        for pause in (*_PAUSES, *[_PAUSES[-1]] * int(SETTLING)):
            awaited = [result for result in written if result.state != "failed" and not self._is_there(result)]
            if not awaited or self.server.time() >= until:
                break
            self._read_again()
            if all(self._is_there(result) for result in awaited):
                break
            self.server.pause(pause)
        for result in written:
            self._judge(result)
        for result in self.results:
            now = self._now(result)
            if now is not None:
                result.after = {member.id: member.sizes(now.kind) for member in now.members}

    def _judge(self, result: VolumeResult) -> None:
        decision = result.decision
        shown, total = result.before.display_name, format_size(decision.total or 0)
        if self._is_there(result):
            if result.state == "failed":
                result.settle(
                    "extended" if decision.action is Action.EXTEND else "shrunk", decision.reason, decision.message
                )
        elif result.state == "failed":
            return
        elif self.facts is None:
            message = f"DPM took {total} for {shown}, and could not be asked again what came of it: {self.last_error}"
            result.settle("failed", "outcome_unknown", message)
        else:
            now = self._now(result)
            there = "nothing" if now is None or now.allocated is None else format_size(now.allocated)
            message = f"DPM took {total} for {shown}, and still shows {there}, after {SETTLING:.0f} s or at timeout."
            result.settle("failed", "total_not_reached", message)


def _why_busy(facts: Facts) -> str:
    if facts.running is None:
        return "DPM did not tell until busy_timeout which jobs run. See to its services and run again."
    return "A job of it, or of one that shares its volume, still ran at busy_timeout. Run again later."


def _is_unknown(source: DataSource, kind: VolumeKind) -> bool:
    sizes = source.sizes(kind)
    return source.storage_kind is StorageKind.LEGACY and None in (sizes.allocated_bytes, sizes.used_bytes)
