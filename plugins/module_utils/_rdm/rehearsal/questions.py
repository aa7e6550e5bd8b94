# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""What a rehearsal asks of a server on which a mapping comes to be by being attached, one thing after the other, and
what follows from the answers. Pure.

The questions are put with the very steps that a conversion takes, so that what is answered is what a conversion meets.
Which question comes next depends on the answers; whoever carries the steps out decides nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import RefusalKind
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import Compatibility
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.rehearsal.record import FILE_PREFIX

SCSI, SATA = "scsi0:0", "sata0:0"


class Question(StrEnum):
    """What is asked: where mappings come to be by being attached, or where they are made by themselves."""

    NEW_PHYSICAL_MAPPING = "new_physical_mapping"
    MAPPING_ATTACHED = "mapping_attached"
    NEW_VIRTUAL_MAPPING = "new_virtual_mapping"
    TO_VIRTUAL_IN_ONE_RECONFIGURE = "to_virtual_in_one_reconfigure"
    TO_VIRTUAL_IN_TWO_RECONFIGURES = "to_virtual_in_two_reconfigures"
    SECOND_MAPPING_FILE = "second_mapping_file"
    OLD_FILE_KEPT = "old_file_kept"
    TO_VIRTUAL_IN_STEPS = "to_virtual_in_steps"
    OLD_MAPPING_AGAIN = "old_mapping_again"
    DELETION_OF_MAPPING = "deletion_of_mapping"
    TO_PHYSICAL_IN_ONE_RECONFIGURE = "to_physical_in_one_reconfigure"
    TO_PHYSICAL_IN_TWO_RECONFIGURES = "to_physical_in_two_reconfigures"
    TO_PHYSICAL_IN_STEPS = "to_physical_in_steps"
    LOCAL_DISK = "local_disk"
    SATA_CONTROLLER = "sata_controller"
    MAPPING_ON_SATA = "mapping_on_sata"
    ON_SATA_IN_ONE_RECONFIGURE = "on_sata_in_one_reconfigure"
    ON_SATA_IN_TWO_RECONFIGURES = "on_sata_in_two_reconfigures"
    REMOVAL_OF_VM = "removal_of_vm"


class Verdict(StrEnum):
    """What the server did with what was asked. Not asked and not known are neither yes nor no."""

    ACCEPTED = "accepted"
    REFUSED = "refused"
    # It said yes, and the machine does not show it.
    NOT_AS_ASKED = "not_as_asked"
    UNKNOWN = "unknown"
    NOT_ASKED = "not_asked"


class Way(StrEnum):
    """How a conversion of such a disk will go on this server."""

    ONE_RECONFIGURE = "one_reconfigure"
    TWO_RECONFIGURES = "two_reconfigures"
    # Where a mapping file is made by itself: the new one while the old one is there, and kept.
    STEP_BY_STEP = "step_by_step"
    # The old file goes before the new one is made.
    OLD_MAPPING_FIRST = "old_mapping_first"
    # The host deletes the old file with the disk, although it is told to keep it.
    OLD_MAPPING_LOST = "old_mapping_lost"
    ROLLED_BACK = "rolled_back"
    # The old mapping cannot be attached again either.
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Answer:
    """An answer: the verdict, and of a refusal its kind, the server's own name of the fault, and its words: as a
    sentence, and without the names of files, so that two of them may be compared."""

    verdict: Verdict
    kind: RefusalKind | None = None
    fault: str | None = None
    message: str | None = None
    said: str | None = None

    @property
    def accepted(self) -> bool:
        """Whether the server did what was asked, and shows it."""
        return self.verdict is Verdict.ACCEPTED


@dataclass(frozen=True)
class Put:
    """A mapping file comes to an address, in one reconfigure with the removal of what hangs there; made with it, or
    there before."""

    address: str
    file: str
    compatibility: Compatibility
    make: bool


@dataclass(frozen=True)
class Make:
    """A mapping file is made that nothing has yet."""

    file: str
    compatibility: Compatibility


@dataclass(frozen=True)
class Take:
    """The disk at an address is taken off; its file is kept. Whether it was is looked for where the file is named."""

    address: str
    file: str | None = None


@dataclass(frozen=True)
class Delete:
    """A mapping file that nothing has is deleted."""

    file: str


@dataclass(frozen=True)
class AddSata:
    """The machine gets a SATA controller."""


@dataclass(frozen=True)
class Ask:
    """A step, and the question that its outcome answers; None where the step only leads to the next one: `refusal_of`
    is the question that such a step answers where it is refused."""

    question: Question | None
    step: Make | Put | Take | Delete | AddSata
    says: str
    refusal_of: Question | None = None


Rehearsal = Generator[Ask, Answer, None]
_OTHER = {Compatibility.PHYSICAL: Compatibility.VIRTUAL, Compatibility.VIRTUAL: Compatibility.PHYSICAL}


def rehearse() -> Rehearsal:
    """Yields what is to be done, is sent what came of it, and ends where nothing more can be asked.

    A machine that is not as it was asked to be ends it at once: what would be asked next means something else then.
    """
    first, second = file_named("physical"), file_named("virtual")
    made = yield _make(Question.NEW_PHYSICAL_MAPPING, SCSI, first, Compatibility.PHYSICAL)
    if not made.accepted:
        if made.verdict is Verdict.REFUSED:
            yield _make(Question.NEW_VIRTUAL_MAPPING, SCSI, second, Compatibility.VIRTUAL)
        return
    in_one = yield _make(Question.TO_VIRTUAL_IN_ONE_RECONFIGURE, SCSI, second, Compatibility.VIRTUAL)
    swaps = in_one.accepted
    if in_one.verdict is Verdict.REFUSED:
        apart = yield from _apart(Question.TO_VIRTUAL_IN_TWO_RECONFIGURES, second, Compatibility.VIRTUAL, SCSI)
        if apart is None:
            return
        if apart.verdict is Verdict.REFUSED:
            yield from _after_deletion(first, second)
            return
        if not apart.accepted:
            return
    elif not swaps:
        return
    again = yield from _back_to(Question.OLD_MAPPING_AGAIN, first, Compatibility.PHYSICAL, swaps)
    if again is None or not again.accepted:
        return
    forward = yield from _back_to(None, second, Compatibility.VIRTUAL, swaps)
    if forward is None or not forward.accepted:
        return
    yield Ask(Question.DELETION_OF_MAPPING, Delete(first), f"delete {first}")
    yield from _reverse_and_sata(second)


def _reverse_and_sata(virtual: str) -> Rehearsal:
    """Goes on from a virtual mapping that is attached: back to physical, then both on a SATA controller."""
    third = file_named("physical-again")
    in_one = yield _make(Question.TO_PHYSICAL_IN_ONE_RECONFIGURE, SCSI, third, Compatibility.PHYSICAL)
    present = (third, Compatibility.PHYSICAL)
    attached = True
    if in_one.verdict is Verdict.REFUSED:
        apart = yield from _apart(Question.TO_PHYSICAL_IN_TWO_RECONFIGURES, third, Compatibility.PHYSICAL, SCSI)
        if apart is None or apart.verdict not in (Verdict.ACCEPTED, Verdict.REFUSED):
            return
        if apart.verdict is Verdict.REFUSED:
            present, attached = (virtual, Compatibility.VIRTUAL), False
    elif not in_one.accepted:
        return
    if attached:
        taken = yield Ask(None, Take(SCSI), f"take the mapping off {SCSI}")
        if not taken.accepted:
            return
    controller = yield Ask(Question.SATA_CONTROLLER, AddSata(), "add a SATA controller")
    if not controller.accepted:
        return
    file, mode = present
    on_sata = yield Ask(Question.MAPPING_ON_SATA, Put(SATA, file, mode, make=False), f"attach {file} at {SATA}")
    if not on_sata.accepted:
        return
    new, other = file_named("sata"), _OTHER[mode]
    in_one = yield _make(Question.ON_SATA_IN_ONE_RECONFIGURE, SATA, new, other)
    if in_one.verdict is Verdict.REFUSED:
        yield from _apart(Question.ON_SATA_IN_TWO_RECONFIGURES, new, other, SATA)


def _after_deletion(first: str, second: str) -> Rehearsal:
    """Goes on where a second mapping file is refused: with the first one deleted."""
    deleted = yield Ask(Question.DELETION_OF_MAPPING, Delete(first), f"delete {first}")
    if not deleted.accepted:
        return
    alone = yield _make(Question.NEW_VIRTUAL_MAPPING, SCSI, second, Compatibility.VIRTUAL)
    if alone.accepted:
        yield from _reverse_and_sata(second)


def _apart(question: Question, file: str, mode: Compatibility, address: str) -> Generator[Ask, Answer, Answer | None]:
    """Takes the old mapping off and makes the new one by itself; returns the answer, None where it came not so far."""
    taken = yield Ask(None, Take(address), f"take the mapping off {address}, and keep its file")
    if not taken.accepted:
        return None
    answer = yield _make(question, address, file, mode)
    return answer


def _back_to(
    question: Question | None, file: str, mode: Compatibility, swaps: bool
) -> Generator[Ask, Answer, Answer | None]:
    """Attaches a file that was kept, as an undo does: in place of the other, or after that was taken off."""
    if not swaps:
        taken = yield Ask(None, Take(SCSI), f"take the mapping off {SCSI}, and keep its file")
        if not taken.accepted:
            return None
    answer = yield Ask(question, Put(SCSI, file, mode, make=False), f"attach {file} at {SCSI} again, its mode unsaid")
    return answer


def _make(question: Question, address: str, file: str, mode: Compatibility) -> Ask:
    return Ask(question, Put(address, file, mode, make=True), f"make {file} ({mode.value}) and attach it at {address}")


def file_named(name: str) -> str:
    return f"{FILE_PREFIX}{name}.vmdk"


def completed(found: Mapping[Question, Answer], local: bool | None) -> dict[Question, Answer]:
    """Returns an answer to every question, in their order: what follows from others is drawn from them."""
    answers = dict(found)
    in_one = answers.get(Question.TO_VIRTUAL_IN_ONE_RECONFIGURE)
    apart = answers.get(Question.TO_VIRTUAL_IN_TWO_RECONFIGURES)
    if in_one is not None and in_one.accepted:
        answers[Question.SECOND_MAPPING_FILE] = in_one
    elif apart is not None:
        answers[Question.SECOND_MAPPING_FILE] = apart
    for one, two in _PAIRS:
        answers |= _not_told_apart(answers, one, two)
    return {question: answers.get(question, Answer(Verdict.NOT_ASKED)) for question in _QUESTIONS} | of_local_disk(
        answers, local
    )


def of_local_disk(answers: Mapping[Question, Answer], local: bool | None) -> dict[Question, Answer]:
    """Returns the answer about local disks, which the first mappings of one give."""
    made = answers.get(Question.NEW_PHYSICAL_MAPPING)
    alone = answers.get(Question.NEW_VIRTUAL_MAPPING)
    best = alone if alone is not None and alone.accepted else made
    return {Question.LOCAL_DISK: best} if local and best is not None else {}


# In the order in which results list them.
_QUESTIONS = (
    Question.NEW_PHYSICAL_MAPPING,
    Question.NEW_VIRTUAL_MAPPING,
    Question.TO_VIRTUAL_IN_ONE_RECONFIGURE,
    Question.TO_VIRTUAL_IN_TWO_RECONFIGURES,
    Question.SECOND_MAPPING_FILE,
    Question.OLD_MAPPING_AGAIN,
    Question.DELETION_OF_MAPPING,
    Question.TO_PHYSICAL_IN_ONE_RECONFIGURE,
    Question.TO_PHYSICAL_IN_TWO_RECONFIGURES,
    Question.LOCAL_DISK,
    Question.SATA_CONTROLLER,
    Question.MAPPING_ON_SATA,
    Question.ON_SATA_IN_ONE_RECONFIGURE,
    Question.ON_SATA_IN_TWO_RECONFIGURES,
    Question.REMOVAL_OF_VM,
)
# The one step and the two in which the same is done.
_PAIRS = (
    (Question.TO_VIRTUAL_IN_ONE_RECONFIGURE, Question.TO_VIRTUAL_IN_TWO_RECONFIGURES),
    (Question.TO_PHYSICAL_IN_ONE_RECONFIGURE, Question.TO_PHYSICAL_IN_TWO_RECONFIGURES),
    (Question.ON_SATA_IN_ONE_RECONFIGURE, Question.ON_SATA_IN_TWO_RECONFIGURES),
)


def _not_told_apart(answers: Mapping[Question, Answer], one: Question, two: Question) -> dict[Question, Answer]:
    """Returns the answer to the one step where the same words refused both: both refusals may be of the second mapping
    file, so that whether a swap in one step is accepted as such was never answered."""
    in_one, apart = answers.get(one), answers.get(two)
    if in_one is None or apart is None or Verdict.REFUSED not in (in_one.verdict, apart.verdict):
        return {}
    if (in_one.verdict, in_one.fault, in_one.message) != (apart.verdict, apart.fault, apart.message):
        return {}
    return {one: replace(in_one, verdict=Verdict.UNKNOWN)}


@dataclass(frozen=True)
class Prediction:
    """How conversions will go on the same way: of a disk like the rehearsed one, and of one on a SATA controller."""

    to_virtual: Way
    to_physical: Way
    on_sata: Way


def predict(answers: Mapping[Question, Answer]) -> Prediction:
    """Returns what a conversion will meet, by the rules that it goes by: it takes two steps only where the refusal of
    the one is about the device or its place, and makes a mapping of the mode that it is asked for."""
    physical = answers[Question.NEW_PHYSICAL_MAPPING].verdict is Verdict.REFUSED
    neither = physical and answers[Question.NEW_VIRTUAL_MAPPING].verdict is Verdict.REFUSED
    to_virtual = _way(answers[Question.TO_VIRTUAL_IN_ONE_RECONFIGURE], answers[Question.TO_VIRTUAL_IN_TWO_RECONFIGURES])
    to_physical = _way(
        answers[Question.TO_PHYSICAL_IN_ONE_RECONFIGURE], answers[Question.TO_PHYSICAL_IN_TWO_RECONFIGURES]
    )
    on_sata = _way(answers[Question.ON_SATA_IN_ONE_RECONFIGURE], answers[Question.ON_SATA_IN_TWO_RECONFIGURES])
    hung = answers[Question.MAPPING_ON_SATA]
    # Where it is the place that is refused, a disk that was taken off there may not come back: nobody has tried that.
    if hung.verdict is Verdict.REFUSED and hung.kind is not RefusalKind.DEVICE_OR_PLACE:
        on_sata = Way.ROLLED_BACK
    return Prediction(
        Way.ROLLED_BACK if neither else to_virtual,
        Way.ROLLED_BACK if physical else to_physical,
        Way.ROLLED_BACK if neither else on_sata,
    )


def _way(in_one: Answer, apart: Answer) -> Way:
    if in_one.accepted:
        return Way.ONE_RECONFIGURE
    # What the swap was refused for counts, also where it is not clear whether it was the swap.
    if in_one.kind is None:
        return Way.UNKNOWN
    if in_one.kind is not RefusalKind.DEVICE_OR_PLACE:
        return Way.ROLLED_BACK
    if apart.accepted:
        return Way.TWO_RECONFIGURES
    return Way.ROLLED_BACK if apart.verdict is Verdict.REFUSED else Way.UNKNOWN


@dataclass(frozen=True)
class Course:
    """How a server of a kind is asked, what follows for every question, and how conversions will go there."""

    rehearse: Callable[[], Rehearsal]
    completed: Callable[[Mapping[Question, Answer], bool | None], dict[Question, Answer]]
    predict: Callable[[Mapping[Question, Answer]], Prediction]

    def usual_steps(self) -> tuple[str, ...]:
        """Returns what is done on a server that accepts everything, for a check mode to show."""
        steps: list[str] = []
        rehearsal = self.rehearse()
        ask = next(rehearsal)
        while True:
            steps.append(ask.says)
            try:
                ask = rehearsal.send(Answer(Verdict.ACCEPTED))
            except StopIteration:
                return tuple(steps)


BY_ATTACHING = Course(rehearse, completed, predict)
