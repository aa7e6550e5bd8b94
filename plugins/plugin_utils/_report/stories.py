# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The stories of machines, as the filter machine_story returns them, for the page. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.plugin_utils._report.outcome import Outcome
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.reading import NotAResult

# How a chapter ends: the kind of its card and its badge, and the word on it.
# The kind of mark that a chapter's card bears.
_KINDS = {
    Outcome.CURED: "good",
    Outcome.OVER: "good",
    Outcome.NOT_CURED: "error",
    Outcome.UNPROVEN: "warning",
    Outcome.PLANNED: "info",
    Outcome.OPEN: "warning",
}


@dataclass(frozen=True)
class StepLine:
    """A sentence below its heading; `known` is false where it says that something is not known."""

    name: str
    text: str
    known: bool


@dataclass(frozen=True)
class ChapterCard:
    """What is told of one disk or data source, as its card shows it."""

    title: str
    kind: str
    word: str
    steps: tuple[StepLine, ...]


@dataclass(frozen=True)
class StoryPart:
    """The story of one machine."""

    name: str
    own_name: str | None
    chapters: tuple[ChapterCard, ...]
    notes: tuple[str, ...]


def stories_of(given: object) -> tuple[StoryPart, ...]:
    """Returns the stories in this list, None for none; raises `NotAResult` for what the filter does not return."""
    if given is None:
        return ()
    if not isinstance(given, Sequence) or isinstance(given, str | bytes):
        raise NotAResult(f"stories: a list of what machine_story returns is wanted, not {type(given).__name__}.")
    return tuple(_story(one) for one in given)


def _story(given: object) -> StoryPart:
    try:
        if not isinstance(given, Mapping):
            raise TypeError
        host, own = str(given["host"]), given["machine"]
        return StoryPart(
            host,
            str(own) if own and str(own).lower() != host.lower() else None,
            tuple(_chapter(one) for one in given["chapters"]),
            tuple(str(note) for note in given["notes"]),
        )
    except (KeyError, TypeError) as error:
        raise NotAResult("stories: what machine_story returns is wanted, with its host and its chapters.") from error


def _mark_of(outcome: str) -> tuple[str, str]:
    """Returns the kind and the word of an outcome; one that nobody knows is shown as it is called."""
    if outcome not in set(Outcome):
        return "warning", outcome
    known = Outcome(outcome)
    return _KINDS[known], known.words.capitalize()


def _chapter(given: Mapping[str, object]) -> ChapterCard:
    kind, word = _mark_of(str(given["outcome"]))
    steps = given["steps"]
    if not isinstance(steps, Sequence):
        raise TypeError
    lines = tuple(StepLine(str(one["name"]), str(one["text"]), one["known"] is True) for one in steps)
    return ChapterCard(str(given["title"]), kind, word, lines)
