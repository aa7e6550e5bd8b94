# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Waiting for tasks, by their state, error and result alone; the whole of a task is never read."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from math import inf
from typing import Any, TypeVar
from xml.etree.ElementTree import Element

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import (
    ConnectionFailed,
    OutcomeUnknown,
    StepRefused,
)
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import Deadline, clock, growing_pauses
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.connect import Session
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.elements import child, child_text
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.faults import (
    ServerFault,
    error_of,
    fault_of_element,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.machines import question_of
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.read import (
    ObjectProperties,
    object_spec,
    read_properties,
)

_T = TypeVar("_T")

LONGEST_WAIT_SECONDS = 600
_FIRST_PAUSE_SECONDS = 0.02
_LONGEST_PAUSE_SECONDS = 1.0
_RESULT = "info.result"
_TASK_PATHS = ("info.state", "info.error", _RESULT)


def nothing(result: Element | None) -> None:
    """The conversion for tasks whose result nobody needs."""


def wait_for_task(
    session: Session,
    task: Any,
    doing: str,
    convert: Callable[[Any], _T],
    asks: Any = None,
    until: float = inf,
    members: Callable[[Element], Any] | None = None,
) -> _T:
    """Returns what `convert` makes of the result of a task, once the task has ended well.

    Of a result that is a list of megabytes `convert` gets what `members` made of each member, as it came. `asks` is a
    virtual machine that may ask a question which holds the task up. Raises StepRefused where the task failed or waits
    for an answer, or was cancelled because the monotonic clock said `until`; OutcomeUnknown where its end could not be
    seen.
    """
    end = Deadline(LONGEST_WAIT_SECONDS)
    start = [object_spec(task)]
    paths: dict[str, tuple[str, ...]] = {"Task": _TASK_PATHS}
    if asks is not None:
        start.append(object_spec(asks))
        paths["VirtualMachine"] = ("runtime.question",)
    converters = {_RESULT: members} if members is not None else None
    for _round in growing_pauses(_FIRST_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS):
        question: str | None = None
        results: list[_T] = []
        try:
            waiting = f"Waiting for the end of: {doing}"
            for read in read_properties(session, waiting, start, paths, converters=converters):
                if read.type == "VirtualMachine":
                    question = question_of(read)
                elif read.text("info.state") == "success":
                    told: Any = read.members.get(_RESULT, ()) if members is not None else read.values.get(_RESULT)
                    results.append(convert(told))
                elif read.text("info.state") == "error":
                    raise error_of(_fault_of(read), doing)
        except ConnectionFailed as error:
            raise OutcomeUnknown(
                f"{doing} was begun, and the connection was lost before its end: {error.message}", hint=error.hint
            ) from error
        if results:
            return results[0]
        if question is not None:
            raise _held_up(doing, question)
        if clock() >= until:
            raise _cancelled(session, task, doing)
        if end.is_over:
            raise OutcomeUnknown(
                f"{doing} was begun and has not ended within {LONGEST_WAIT_SECONDS} s.",
                hint="Look at the task in the vSphere client; run again once it has ended.",
            )
    raise AssertionError("unreachable: there is always another round")


def _held_up(doing: str, question: str) -> StepRefused:
    return StepRefused(
        f"{doing} waits for an answer to a question: {question}",
        fault="QuestionPending",
        hint="Answer it in the vSphere client; it is never answered from here.",
    )


def _cancelled(session: Session, task: Any, doing: str) -> StepRefused:
    """Cancels a task whose time is up; returns what that is to whoever waits for it."""
    with suppress(StepRefused, ConnectionFailed):
        session.read(f"Cancelling: {doing}", task.CancelTask)
    return StepRefused(f"{doing} has not ended in time, and was cancelled.", fault="Timedout", hint="Raise timeout.")


def _fault_of(read: ObjectProperties) -> ServerFault:
    error = read.values.get("info.error")
    if error is None:
        return ServerFault(("SystemError",), "the task failed and does not say why")
    fault = child(error, "fault")
    return fault_of_element(fault if fault is not None else error, child_text(error, "localizedMessage"))
