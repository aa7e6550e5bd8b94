# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Makes a shadow copy of each named volume and removes it again; looks at all copies before and after.

A run that was killed leaves a mark, in which its copy stands: the next run removes both, and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from ansible_collections.winbackup.storage.plugins.module_utils._core.command import LOST_ANSWER, RUN_AGAIN_HINT
from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConfigurationError,
    OutcomeUnknown,
    StorageError,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.finding import Finding
from ansible_collections.winbackup.storage.plugins.module_utils._core.module import ModuleCall, ModuleResult
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import EVERY_SECOND, Pace, clock
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.errors import CorruptReply
from ansible_collections.winbackup.storage.plugins.module_utils._powershell.host import WindowsHost
from ansible_collections.winbackup.storage.plugins.module_utils._windows.disk_changes import Refusal
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.commands import deadline_of
from ansible_collections.winbackup.storage.plugins.module_utils._windows.execution.parse_shadow_copies import (
    Made,
    parse_made,
    parse_shadow_copies,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.model import Machine
from ansible_collections.winbackup.storage.plugins.module_utils._windows.scripts import (
    make_shadow_copy,
    read_shadow_copies,
    remove_shadow_copy,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.shadow_copies.allowed import (
    ShadowCopyFacts,
    ShadowedVolume,
    refusal_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.shadow_copies.results import (
    IN_PROGRESS,
    VolumeTest,
    answered,
    shadow_test_failure,
    shadow_test_result,
)
from ansible_collections.winbackup.storage.plugins.module_utils._windows.volume_names import key_of

_MARK = "HKLM:\\SOFTWARE\\winbackup.storage.shadow_copy_test."
# One creation may take so long; its mark counts as that of a living run a little longer.
_LONGEST_SECONDS, _LEASE_SECONDS = 300, 360
# While another creation is in progress: how often it is tried, and the seconds between.
_ATTEMPTS, _PAUSE = 3, 30.0
# So often a mark without its time is looked at before it counts as left behind.
_UNFINISHED_LOOKS = 3
# Between two looks for the end of a run whose answer was lost.
_LOOK = 10.0
# Reading what a test left is not bound by the time for new tests.
_READING_SECONDS = 120


def make_test_copies(
    host: WindowsHost,
    names: Sequence[str],
    deadline: float,
    *,
    check_mode: bool,
    pace: Pace,
    log: Callable[[str], None],
) -> tuple[Machine, Sequence[VolumeTest], Sequence[Finding]]:
    """Returns the machine, a test for each name, and findings; raises StorageError only before the first test."""
    if not names:
        raise ConfigurationError("volumes names no volume.", hint='Name drive letters ("E:"), folders or volume names.')
    run = _Run(host, deadline, pace, log)
    facts = run.read()
    tests = _tests_of(facts, names)
    if check_mode:
        for test in tests:
            run.look(test, facts, check_mode=True)
    else:
        for test in tests:
            run.test(test)
    return facts.machine, tests, run.findings


def _tests_of(facts: ShadowCopyFacts, names: Sequence[str]) -> list[VolumeTest]:
    """Each volume once, by whatever names it is called."""
    tests: dict[str, VolumeTest] = {}
    for name in names:
        found = facts.find(name)
        key = key_of(found.volume.path if found is not None else name) or name
        tests.setdefault(key, VolumeTest(name, found.volume if found is not None else None))
    return list(tests.values())


class _Run:
    """One call, volume by volume."""

    def __init__(self, host: WindowsHost, deadline: float, pace: Pace, log: Callable[[str], None]) -> None:
        self.host, self.deadline, self.pace, self.log = host, deadline, pace, log
        self.findings: list[Finding] = []

    def read(self) -> ShadowCopyFacts:
        """Returns the state of now; raises StorageError where no volume is shown."""
        until = max(self.deadline, clock() + _READING_SECONDS)
        facts = parse_shadow_copies(self.host.run(read_shadow_copies.SCRIPT, {"Mark": _MARK}, deadline=until))
        if not facts.volumes:
            raise StorageError(
                f"Windows lists no volume at all on {facts.machine.name or 'the machine'}: it shows none to this "
                "session.",
                hint="The session has no elevated token. Use a domain account among the local Administrators, or for a "
                "local one the setting LocalAccountTokenFilterPolicy.",
            )
        return facts

    def test(self, test: VolumeTest) -> None:
        """Makes the test of one volume, and notes what it came to."""
        self.log(f"Testing shadow copies of {test.title}")
        before: ShadowCopyFacts | None = None
        try:
            before = self._ready(test)
            if before is None:
                return
            for attempt in range(1, _ATTEMPTS + 1):
                if clock() >= self.deadline:
                    test.stop("refused", "not_started", f"The time of the call (timeout) was over before {test.title}.")
                    return
                own = self._make(test, before)
                self._compare(test, before, own)
                if test.return_value != IN_PROGRESS or attempt == _ATTEMPTS:
                    return
                self.host.release()
                self.pace.pause(_PAUSE)
        except StorageError as error:
            code = "outcome_unknown" if before is not None else "not_started"
            test.stop("failed", code, f"The test of {test.title} came to no end: {error}")

    def look(self, test: VolumeTest, facts: ShadowCopyFacts, *, check_mode: bool) -> ShadowedVolume | None:
        """Returns the volume where a test may be made; notes why not where it may not."""
        one = facts.find(test.name)
        if one is None:
            message = f"There is no volume {test.name!r}, or its disk is offline."
            test.refuse(Refusal("volume_not_found", message, "Name a drive letter, a folder or a volume name."))
            return None
        test.volume = one.volume
        refusal = refusal_of(facts, one)
        if refusal is not None:
            test.refuse(refusal)
            return None
        if check_mode and one.mark is not None:
            message = f"A test of {one.title} is under way, or left something behind."
            hint = "A run without check mode waits for its end, and removes what it left."
            test.findings.append(Finding("test_left_open", "info", message, hint, one.title))
        return one

    def _ready(self, test: VolumeTest) -> ShadowCopyFacts | None:
        """Returns the state right before a test; None where none is to be made. A mark is waited for or removed."""
        unfinished, removed = 0, False
        while True:
            facts = self.read()
            marked = facts.find(test.name)
            if marked is None or marked.mark is None:
                return facts if self.look(test, facts, check_mode=False) is not None else None
            # A mark without its time is being made in this moment, or was never finished.
            unfinished += marked.mark.until is None
            if self._is_alive(marked, facts) or (marked.mark.until is None and unfinished < _UNFINISHED_LOOKS):
                if clock() >= self.deadline:
                    message = f"Another test of {marked.title} is under way."
                    test.refuse(Refusal("run_in_progress", message, "Run again when it has ended."))
                    return None
                self.pace.pause(_LOOK)
            elif removed:
                raise StorageError(f"What an earlier test of {marked.title} left behind could not be removed.")
            else:
                self._remove_leftover(facts, marked)
                removed = True

    def _is_alive(self, one: ShadowedVolume, facts: ShadowCopyFacts) -> bool:
        """A mark counts until its time is over; one that is further ahead than any run lasts does not."""
        until = one.mark.until if one.mark is not None else None
        return until is not None and 0 < (until - facts.now).total_seconds() <= _LEASE_SECONDS

    def _remove_leftover(self, facts: ShadowCopyFacts, one: ShadowedVolume) -> None:
        copy = one.mark.copy if one.mark is not None else ""
        parameters = {"Mark": self._mark_of(one), "Volume": one.volume.path or "", "Copy": copy}
        until = max(self.deadline, clock() + _READING_SECONDS)
        self.host.run(remove_shadow_copy.SCRIPT, parameters, deadline=until, writes=True)
        if copy:
            message = f"An earlier test of {one.title} had left its copy {copy}, which is removed now if it was one."
            hint = "Nothing is to be done."
        else:
            left = ", ".join(one_left.id for one_left in facts.may_be_left(one))
            message = f"A test of {one.title} was ended while its copy was made, and its id is not known."
            message += f" Of these one may be its own: {left}." if left else ""
            hint = "Nothing was removed. Look at them (vssadmin list shadows), and remove what nobody needs."
        severity = "info" if copy else "warning"
        self.findings.append(Finding("test_left_open", severity, message, hint, one.title))

    def _make(self, test: VolumeTest, before: ShadowCopyFacts) -> str | None:
        """Makes and removes one copy; returns its id."""
        one = before.find(test.name)
        if one is None or one.volume.path is None:
            return None
        parameters = {
            "Volume": one.volume.path,
            "Mark": self._mark_of(one),
            "Most": before.most_client_accessible,
            "LeaseSeconds": _LEASE_SECONDS,
        }
        # The time of the call only says when no new test is begun: what was begun has its own.
        until = clock() + _LONGEST_SECONDS
        try:
            reply = self.host.run(make_shadow_copy.SCRIPT, parameters, deadline=until, writes=True)
            made = parse_made(reply)
        except (OutcomeUnknown, CorruptReply) as error:
            test.return_value = None
            test.stop("failed", "outcome_unknown", f"{LOST_ANSWER}: {error} {RUN_AGAIN_HINT}")
            return self._after_a_lost_answer(one)
        self._take(test, made)
        return made.copy

    def _take(self, test: VolumeTest, made: Made) -> None:
        test.seconds, test.events, test.return_value = made.seconds, made.events, None
        if made.outcome == "no_mark":
            message = f"No mark of the test of {test.title} could be made in the registry: {made.message}"
            hint = "Run again if another test was begun in this moment; else give the user an elevated session."
            test.refuse(Refusal("mark_refused", message, hint))
        elif made.outcome == "no_room":
            message = f"{test.title} got more shadow copies since it was read: another one would push the oldest out."
            test.refuse(Refusal("copies_at_their_number", message, "Run again later."))
        elif made.outcome == "answered":
            answered(test, made.return_value)
        else:
            said = made.message or "the time was up"
            test.stop("failed", "windows_refused", f"The test of {test.title} failed: {said}")
        if made.removed is False:
            why = made.message or "it is still there"
            message = f"The copy {made.copy} of {test.title} could not be removed ({why}). The next run removes it."
            test.stop("failed", "copy_left_behind", message)

    def _after_a_lost_answer(self, one: ShadowedVolume) -> str | None:
        """Waits until the run is over whose answer was lost, and removes what it left; returns its copy's id."""
        last = one
        until = clock() + _LEASE_SECONDS
        while clock() < until:
            with suppress(StorageError):
                facts = self.read()
                found = facts.find(one.volume.path or "")
                if found is None or found.mark is None:
                    break
                last = found
                if not self._is_alive(found, facts):
                    self._remove_leftover(facts, found)
                    break
            self.pace.pause(_LOOK)
        return last.mark.copy if last.mark is not None else None

    def _compare(self, test: VolumeTest, before: ShadowCopyFacts, own: str | None) -> None:
        """Notes every copy of the machine that was there before the test and is not any more."""
        after = self.read()
        if after.copies is None or before.copies is None:
            message = f"Which shadow copies there are after the test of {test.title} could not be read."
            hint = "See that all are there (vssadmin list shadows)."
            test.findings.append(Finding("copies_unknown", "warning", message, hint, test.title))
            return
        left = {copy.id.lower() for copy in after.copies}
        if own and own.lower() in left:
            test.stop("failed", "copy_left_behind", f"The copy {own} of {test.title} is still there. Run again.")
        lost = [
            copy for copy in before.copies if copy.id.lower() not in left and copy.id.lower() != (own or "").lower()
        ]
        if lost:
            named = ", ".join(f"{copy.id} of {copy.volume}" for copy in lost)
            message = (
                f"While {test.title} was tested {len(lost)} older shadow copies went: {named}. Windows logs why "
                "(volsnap 33 for space, 58 for number), unless somebody removed them."
            )
            test.stop("failed", "copies_lost", message)

    def _mark_of(self, one: ShadowedVolume) -> str:
        return f"{_MARK}{one.volume.guid}"


def shadow_copy_test(host: WindowsHost, call: ModuleCall, pace: Pace = EVERY_SECOND) -> ModuleResult:
    """Does one call of shadow_copy_test."""
    machine, tests, findings = make_test_copies(
        host, call.options["volumes"], deadline_of(call.options), check_mode=call.check_mode, pace=pace, log=call.log
    )
    failure = shadow_test_failure(tests, on_failure=call.options["fail_on_failure"])
    return ModuleResult(shadow_test_result(machine, tests, findings), failure)
