# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What a rehearsal asks where a mapping file is made by itself and attached afterwards, and what follows. Pure.

As a conversion goes there: the new mapping is made while the old one is attached; where the host takes no second one of
a LUN, which a spare one of the old mode tells, the old file goes first.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import RefusalKind
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.device_steps import takes_one_mapping
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.questions import (
    SATA,
    SCSI,
    Answer,
    Ask,
    Course,
    Delete,
    Make,
    Prediction,
    Put,
    Question,
    Rehearsal,
    Take,
    Verdict,
    Way,
    file_named,
    of_local_disk,
)

_PHYSICAL, _VIRTUAL = Compatibility.PHYSICAL, Compatibility.VIRTUAL
# In the order in which results list them.
_QUESTIONS = (
    Question.NEW_PHYSICAL_MAPPING,
    Question.MAPPING_ATTACHED,
    Question.NEW_VIRTUAL_MAPPING,
    Question.SECOND_MAPPING_FILE,
    Question.OLD_FILE_KEPT,
    Question.TO_VIRTUAL_IN_STEPS,
    Question.OLD_MAPPING_AGAIN,
    Question.DELETION_OF_MAPPING,
    Question.TO_PHYSICAL_IN_STEPS,
    Question.LOCAL_DISK,
    Question.MAPPING_ON_SATA,
    Question.REMOVAL_OF_VM,
)


def rehearse() -> Rehearsal:
    """Yields what is to be done, is sent what came of it, and ends where nothing more can be asked."""
    first, second = file_named("physical"), file_named("virtual")
    made = yield _make(Question.NEW_PHYSICAL_MAPPING, first, _PHYSICAL)
    if not made.accepted:
        if made.verdict is Verdict.REFUSED:
            yield _make(Question.NEW_VIRTUAL_MAPPING, second, _VIRTUAL)
        return
    attached = yield _attach(Question.MAPPING_ATTACHED, SCSI, first, _PHYSICAL)
    if not attached.accepted:
        return
    beside = yield _make(Question.NEW_VIRTUAL_MAPPING, second, _VIRTUAL)
    alone = False
    if beside.verdict is Verdict.REFUSED:
        spare = yield _make(Question.SECOND_MAPPING_FILE, file_named("spare"), _PHYSICAL)
        alone = _is_the_second(beside, spare)
    if not beside.accepted and not alone:
        return
    taken = yield Ask(Question.OLD_FILE_KEPT, Take(SCSI, first), f"take the mapping off {SCSI}, and keep its file")
    if taken.verdict not in (Verdict.ACCEPTED, Verdict.NOT_AS_ASKED):
        return
    keeps = taken.accepted
    if alone:
        if keeps:
            deleted = yield Ask(Question.DELETION_OF_MAPPING, Delete(first), f"delete {first}")
            if not deleted.accepted:
                return
        made = yield _make(Question.NEW_VIRTUAL_MAPPING, second, _VIRTUAL)
        if not made.accepted:
            return
    virtual = yield _attach(Question.TO_VIRTUAL_IN_STEPS, SCSI, second, _VIRTUAL)
    if not virtual.accepted:
        return
    if keeps and not alone:
        again = yield from _old_again(first, second)
        if not again:
            return
    physical = yield from _to_physical(second, keeps, alone)
    if physical is not None:
        yield from _on_sata(physical, keeps)


def _old_again(first: str, second: str) -> Generator[Ask, Answer, bool]:
    """Undoes the conversion and does it again, then deletes the old file; returns whether it came so far."""
    yield _take(None)
    again = yield _attach(Question.OLD_MAPPING_AGAIN, SCSI, first, _PHYSICAL)
    if not again.accepted:
        return False
    yield _take(None)
    yield _attach(None, SCSI, second, _VIRTUAL)
    yield Ask(Question.DELETION_OF_MAPPING, Delete(first), f"delete {first}")
    return True


def _to_physical(virtual: str, keeps: bool, alone: bool) -> Generator[Ask, Answer, str | None]:
    """Goes back from the virtual mapping; returns the file that is attached then, None where it came not so far."""
    file, question = file_named("physical-again"), Question.TO_PHYSICAL_IN_STEPS
    if alone:
        yield _take(None)
        if keeps:
            yield Ask(None, Delete(virtual), f"delete {virtual}")
    made = yield _make(None, file, _PHYSICAL, refusal_of=question)
    if not made.accepted:
        return None
    if not alone:
        yield _take(None)
    attached = yield _attach(question, SCSI, file, _PHYSICAL)
    return file if attached.accepted else None


def _on_sata(physical: str, keeps: bool) -> Rehearsal:
    yield _take(None)
    file = physical
    if not keeps:
        file = file_named("sata")
        yield _make(None, file, _PHYSICAL)
    yield _attach(Question.MAPPING_ON_SATA, SATA, file, _PHYSICAL)


def _is_the_second(beside: Answer, spare: Answer) -> bool:
    refused = spare.verdict is Verdict.REFUSED and spare.kind is RefusalKind.OTHER
    return refused and takes_one_mapping(beside.said or "", spare.said)


def _make(question: Question | None, file: str, mode: Compatibility, *, refusal_of: Question | None = None) -> Ask:
    return Ask(question, Make(file, mode), f"make {file} ({mode.value})", refusal_of)


def _attach(question: Question | None, address: str, file: str, mode: Compatibility) -> Ask:
    return Ask(question, Put(address, file, mode, make=False), f"attach {file} at {address}")


def _take(question: Question | None) -> Ask:
    return Ask(question, Take(SCSI), f"take the mapping off {SCSI}")


def completed(found: Mapping[Question, Answer], local: bool | None) -> dict[Question, Answer]:
    """Returns an answer to every question, in their order: what follows from others is drawn from them."""
    answers = dict(found)
    beside = answers.get(Question.NEW_VIRTUAL_MAPPING)
    # Made while the other one was attached: else the question about a second one was put by itself.
    if Question.MAPPING_ATTACHED in answers and beside is not None and beside.accepted:
        answers.setdefault(Question.SECOND_MAPPING_FILE, beside)
    return {question: answers.get(question, Answer(Verdict.NOT_ASKED)) for question in _QUESTIONS} | of_local_disk(
        answers, local
    )


def predict(answers: Mapping[Question, Answer]) -> Prediction:
    """Returns what a conversion will meet, by the rules that it goes by."""
    refused = Verdict.REFUSED
    kept, second = answers[Question.OLD_FILE_KEPT].verdict, answers[Question.SECOND_MAPPING_FILE].verdict
    goes_well = Way.STEP_BY_STEP
    if kept is Verdict.NOT_AS_ASKED:
        goes_well = Way.OLD_MAPPING_LOST
    elif second is refused:
        goes_well = Way.OLD_MAPPING_FIRST
    to_virtual = _way(answers[Question.TO_VIRTUAL_IN_STEPS], goes_well)
    to_physical = _way(answers[Question.TO_PHYSICAL_IN_STEPS], goes_well)
    # The new mode, or both, are refused before anything was taken off.
    if to_virtual is Way.UNKNOWN and answers[Question.NEW_VIRTUAL_MAPPING].verdict is refused:
        to_virtual = Way.ROLLED_BACK
    if answers[Question.NEW_PHYSICAL_MAPPING].verdict is refused:
        to_physical = Way.ROLLED_BACK
    # A virtual mapping is not given up for another one: made again it would have another disk uuid.
    if second is refused and to_physical is goes_well:
        to_physical = Way.ROLLED_BACK
    # What is refused without a fault is a use of the command, which may not take a disk off there either.
    attached, sata = answers[Question.MAPPING_ATTACHED], answers[Question.MAPPING_ON_SATA]
    if attached.verdict is refused and attached.fault is not None:
        to_virtual = to_physical = Way.FAILED
    on_sata = to_virtual if sata.accepted else Way.UNKNOWN
    if sata.verdict is refused and sata.fault is not None:
        on_sata = Way.FAILED
    elif to_virtual is Way.ROLLED_BACK:
        on_sata = Way.ROLLED_BACK
    return Prediction(to_virtual, to_physical, on_sata)


def _way(answer: Answer, goes_well: Way) -> Way:
    if answer.accepted:
        return goes_well
    return Way.ROLLED_BACK if answer.verdict is Verdict.REFUSED else Way.UNKNOWN


MADE_APART = Course(rehearse, completed, predict)
