# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The story of a machine: what failed on it, where that lies, what was done, and what proves it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ansible_collections.winbackup.storage.plugins.plugin_utils._report.outcome import Outcome
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.text import printable


@dataclass(frozen=True)
class Step:
    """A sentence of a chapter below its heading (Symptom, Cause, Disk, Mapping, Data source, Done, Proof, Next);
    `known` is false where it says that something is not known."""

    name: str
    text: str
    known: bool = True


@dataclass(frozen=True)
class Chapter:
    """What is told of one disk, volume or data source."""

    title: str
    outcome: Outcome
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class Story:
    """The story of a host of the inventory; `machine` is its own name. `notes` say what is not known of all of it."""

    host: str
    machine: str | None
    chapters: tuple[Chapter, ...]
    notes: tuple[str, ...] = ()

    def lines(self) -> Iterator[str]:
        """Yields the story as lines for a screen."""
        own = f" ({printable(self.machine)})" if self.machine and self.machine.lower() != self.host.lower() else ""
        yield f"{printable(self.host)}{own}"
        for chapter in self.chapters:
            yield f"  {printable(chapter.title)} [{chapter.outcome.words}]"
            for step in chapter.steps:
                yield f"    {step.name:<11} {printable(step.text)}"
        for note in self.notes:
            yield f"  {printable(note)}"

    def as_result(self) -> dict[str, object]:
        """Returns the story as plain values."""
        return {
            "host": self.host,
            "machine": self.machine,
            "chapters": [
                {
                    "title": chapter.title,
                    "outcome": str(chapter.outcome),
                    "steps": [{"name": one.name, "text": one.text, "known": one.known} for one in chapter.steps],
                }
                for chapter in self.chapters
            ],
            "notes": list(self.notes),
            "lines": list(self.lines()),
        }
