# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever a server answers, a rehearsal comes to an end, asks nothing twice, and claims only what was answered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import RefusalKind
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.questions import (
    BY_ATTACHING,
    AddSata,
    Answer,
    Delete,
    Put,
    Question,
    Take,
    Verdict,
    Way,
    completed,
    predict,
    rehearse,
)

YES = Answer(Verdict.ACCEPTED)
PLACE = Answer(Verdict.REFUSED, RefusalKind.DEVICE_OR_PLACE, "Fault", "words")
BACKING = Answer(Verdict.REFUSED, RefusalKind.OTHER, "Fault", "words")
ANSWERS = st.sampled_from([YES, PLACE, BACKING, Answer(Verdict.NOT_AS_ASKED), Answer(Verdict.UNKNOWN)])


@given(st.lists(ANSWERS, min_size=30, max_size=30), st.sampled_from([True, False, None]))
def test_any_answers_lead_to_an_end(answers: list[Answer], local: bool | None) -> None:
    """The steps make sense one after the other: nothing is put where something hangs that was to be taken off, no file
    is made twice, and none is deleted that hangs."""
    found: dict[Question, Answer] = {}
    hangs: dict[str, str] = {}
    files: set[str] = set()
    rehearsal = rehearse()
    try:
        ask = next(rehearsal)
        for answer in answers:
            if ask.question is not None:
                assert ask.question not in found
                found[ask.question] = answer
            step = ask.step
            if isinstance(step, Put):
                assert (step.file in files) is not step.make
                if answer.accepted:
                    hangs[step.address] = step.file
                    files.add(step.file)
            elif isinstance(step, Take):
                assert step.address in hangs
                if answer.accepted:
                    del hangs[step.address]
            elif isinstance(step, Delete):
                assert step.file in files
                assert step.file not in hangs.values()
                if answer.accepted:
                    files.discard(step.file)
            else:
                assert isinstance(step, AddSata)
            ask = rehearsal.send(answer)
        raise AssertionError("it did not end")
    except StopIteration:
        pass
    whole = completed(found, local)
    assert list(whole) == list(completed({}, None))
    drawn = {Question.SECOND_MAPPING_FILE, Question.LOCAL_DISK}
    for question, answer in whole.items():
        if question not in found and question not in drawn:
            assert answer.verdict is Verdict.NOT_ASKED
        if answer.accepted and question not in drawn:
            assert found[question].accepted
    ways = predict(whole)
    if ways.to_virtual is Way.ONE_RECONFIGURE:
        assert found[Question.TO_VIRTUAL_IN_ONE_RECONFIGURE].accepted
    if ways.to_virtual is Way.TWO_RECONFIGURES:
        assert found[Question.TO_VIRTUAL_IN_TWO_RECONFIGURES].accepted
    if local is not True:
        assert whole[Question.LOCAL_DISK].verdict is Verdict.NOT_ASKED


def test_nothing_asked_is_nothing_known() -> None:
    ways = predict(completed({}, True))
    assert {ways.to_virtual, ways.to_physical, ways.on_sata} == {Way.UNKNOWN}


def test_the_same_words_do_not_tell_the_swap_from_the_second_file() -> None:
    one, two = Question.TO_VIRTUAL_IN_ONE_RECONFIGURE, Question.TO_VIRTUAL_IN_TWO_RECONFIGURES
    assert completed({one: BACKING, two: BACKING}, None)[one].verdict is Verdict.UNKNOWN
    assert completed({one: PLACE, two: BACKING}, None)[one].verdict is Verdict.UNKNOWN
    other = Answer(Verdict.REFUSED, RefusalKind.OTHER, "Other", "words")
    assert completed({one: other, two: BACKING}, None)[one].verdict is Verdict.REFUSED
    assert completed({one: BACKING, two: YES}, None)[one].verdict is Verdict.REFUSED


@pytest.mark.parametrize(("kind", "way"), [(PLACE, Way.UNKNOWN), (BACKING, Way.ROLLED_BACK)])
def test_a_place_that_is_refused_may_not_take_a_disk_back(kind: Answer, way: Way) -> None:
    assert predict(completed({Question.MAPPING_ON_SATA: kind}, None)).on_sata is way


def test_the_usual_steps_go_there_and_back_and_to_sata() -> None:
    steps = BY_ATTACHING.usual_steps()
    assert steps[0] == "make rehearsal-physical.vmdk (physical) and attach it at scsi0:0"
    assert any("its mode unsaid" in step for step in steps)
    assert steps[-1] == "make rehearsal-sata.vmdk (virtual) and attach it at sata0:0"
