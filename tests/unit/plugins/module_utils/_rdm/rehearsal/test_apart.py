# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a mapping is made by itself: whatever a host answers, a rehearsal ends and claims only what was answered."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import RefusalKind
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.apart import MADE_APART
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.questions import (
    Answer,
    Ask,
    Delete,
    Make,
    Prediction,
    Put,
    Question,
    Take,
    Verdict,
    Way,
)

YES = Answer(Verdict.ACCEPTED)
ANSWERS = st.sampled_from(
    [
        *(YES, YES, YES),
        Answer(Verdict.REFUSED, RefusalKind.OTHER, None, "words", "busy"),
        Answer(Verdict.REFUSED, RefusalKind.OTHER, None, "words", "no space"),
        Answer(Verdict.NOT_AS_ASKED, message="words"),
        Answer(Verdict.UNKNOWN, message="words"),
    ]
)
Found = dict[Question, Answer]


def held(host: Callable[[Ask], Answer]) -> Found:
    """Returns the answers of a host, asked as a rehearsal is held."""
    found: Found = {}
    rehearsal = MADE_APART.rehearse()
    try:
        ask = next(rehearsal)
        while True:
            answer = host(ask)
            question = ask.question or (None if answer.accepted else ask.refusal_of)
            if question is not None:
                found[question] = answer
            elif not answer.accepted:
                rehearsal.close()
                return found
            ask = rehearsal.send(answer)
    except StopIteration:
        return found


class Host:
    """A host of a kind: it takes one mapping of a LUN, deletes what is taken off, refuses SATA or the virtual mode."""

    def __init__(self, *, one: bool = False, deletes: bool = False, sata: bool = True, virtual: bool = True) -> None:
        self.one, self.deletes, self.sata, self.virtual = one, deletes, sata, virtual
        self.files: set[str] = set()
        self.hangs: dict[str, str] = {}

    def __call__(self, ask: Ask) -> Answer:
        """Answers a step; fails on one that makes no sense after those before."""
        step = ask.step
        if isinstance(step, Make):
            assert step.file not in self.files
            if (self.one and self.files) or (not self.virtual and step.compatibility is Compatibility.VIRTUAL):
                return Answer(Verdict.REFUSED, RefusalKind.OTHER, None, "words", "busy" if self.one else "not virtual")
            self.files.add(step.file)
        elif isinstance(step, Put):
            assert not step.make
            assert step.file in self.files
            assert not self.hangs
            if step.address.startswith("sata") and not self.sata:
                return Answer(Verdict.REFUSED, RefusalKind.OTHER, "InvalidDeviceBacking", "words")
            self.hangs[step.address] = step.file
        elif isinstance(step, Take):
            file = self.hangs.pop(step.address)
            if self.deletes:
                self.files.remove(file)
            if step.file is not None:
                assert step.file == file
                return Answer(Verdict.NOT_AS_ASKED, message="words") if self.deletes else YES
        else:
            assert isinstance(step, Delete)
            assert step.file not in self.hangs.values()
            self.files.remove(step.file)
        return YES


STEPS, FIRST, LOST, BACK, FAILED = (
    *(Way.STEP_BY_STEP, Way.OLD_MAPPING_FIRST, Way.OLD_MAPPING_LOST),
    *(Way.ROLLED_BACK, Way.FAILED),
)


@pytest.mark.parametrize(
    ("host", "ways"),
    [
        (Host(), (STEPS, STEPS, STEPS)),
        (Host(sata=False), (STEPS, STEPS, FAILED)),
        (Host(one=True), (FIRST, BACK, FIRST)),
        (Host(one=True, sata=False), (FIRST, BACK, FAILED)),
        (Host(deletes=True), (LOST, LOST, LOST)),
        (Host(one=True, deletes=True), (LOST, BACK, LOST)),
        (Host(virtual=False), (BACK, Way.UNKNOWN, BACK)),
    ],
)
def test_each_kind_of_host_is_named(host: Host, ways: tuple[Way, Way, Way]) -> None:
    answers = MADE_APART.completed(held(host), True)
    assert MADE_APART.predict(answers) == Prediction(*ways)
    assert answers[Question.LOCAL_DISK].accepted
    taken = Verdict.REFUSED if host.one else Verdict.ACCEPTED
    assert answers[Question.SECOND_MAPPING_FILE].verdict is taken


@given(st.lists(ANSWERS, min_size=40, max_size=40), st.sampled_from([True, False, None]))
def test_any_answers_lead_to_an_end_and_nothing_more_is_claimed(answers: list[Answer], local: bool | None) -> None:
    told = iter(answers)
    found = held(lambda ask: next(told))
    whole = MADE_APART.completed(found, local)
    assert list(whole) == list(MADE_APART.completed({}, None))
    drawn = {Question.SECOND_MAPPING_FILE, Question.LOCAL_DISK}
    for question, answer in whole.items():
        if question not in drawn:
            assert answer == found.get(question, Answer(Verdict.NOT_ASKED))
    ways = MADE_APART.predict(whole)
    for way, question in (
        (ways.to_virtual, Question.TO_VIRTUAL_IN_STEPS),
        (ways.to_physical, Question.TO_PHYSICAL_IN_STEPS),
        (ways.on_sata, Question.MAPPING_ON_SATA),
    ):
        if way in (STEPS, FIRST, LOST):
            assert found[question].accepted
    if local is not True:
        assert whole[Question.LOCAL_DISK].verdict is Verdict.NOT_ASKED


def test_a_datastore_that_takes_no_file_is_no_host_that_takes_one_mapping() -> None:
    full = Answer(Verdict.REFUSED, RefusalKind.OTHER, None, "words", "No space left on device")

    def host(ask: Ask) -> Answer:
        return full if isinstance(ask.step, Make) and "physical.vmdk" not in ask.step.file else YES

    found = held(host)
    assert Question.OLD_FILE_KEPT not in found
    assert MADE_APART.predict(MADE_APART.completed(found, None)).to_virtual is BACK


def test_nothing_asked_is_nothing_known() -> None:
    ways = MADE_APART.predict(MADE_APART.completed({}, True))
    assert {ways.to_virtual, ways.to_physical, ways.on_sata} == {Way.UNKNOWN}
