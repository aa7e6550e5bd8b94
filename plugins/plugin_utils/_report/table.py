# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Tables as data: what the page shows first is drawn by its template, every other row by its script. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from ansible_collections.winbackup.storage.plugins.plugin_utils._report.facts import SEVERITIES, Note
from ansible_collections.winbackup.storage.plugins.plugin_utils._report.text import exactly, size, spelt_out

# Text alone, or [text, kind], or [text, kind, where it leads to or how long its bar is].
Line: TypeAlias = "str | list[str | float]"

SEVERITY_WORDS = {"error": "Error", "warning": "Warning", "info": "Note"}
NOT_KNOWN = "Not known"


@dataclass(frozen=True)
class Cell:
    """The lines of a cell, and the number that it is sorted by; without one its text is."""

    lines: tuple[Line, ...]
    sort: float | None = None


@dataclass(frozen=True)
class Column:
    """A column: `kind` is "", "number" (to the right) or "wide" (long names, which may be broken)."""

    title: str
    kind: str = ""


@dataclass(frozen=True)
class Filter:
    """A choice above a table: a row has one or several values under `key`; only values that occur are offered."""

    key: str
    label: str
    words: Mapping[str, str]


@dataclass(frozen=True)
class Row:
    """A row: `values` are those of the filters by their keys, `command` is what its button copies."""

    cells: tuple[Cell, ...]
    anchor: str | None = None
    values: Mapping[str, Sequence[str]] = field(default_factory=dict)
    command: str | None = None


@dataclass(frozen=True)
class Table:
    """A table; `file` names the CSV file that has all of its rows."""

    anchor: str
    label: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    filters: tuple[Filter, ...] = ()
    file: str | None = None

    def data(self) -> dict[str, object]:
        """Returns what the script needs: strings, numbers, lists and dicts only."""
        return {
            "columns": [[column.title, column.kind] for column in self.columns],
            "filters": [
                {"key": one.key, "label": one.label, "choices": choices}
                for one in self.filters
                if len(choices := self._choices(one)) > 1
            ],
            "rows": [
                {
                    "id": row.anchor,
                    "cells": [cell.lines for cell in row.cells],
                    "sort": [cell.sort for cell in row.cells],
                    "is": row.values,
                    "command": row.command,
                }
                for row in self.rows
            ],
        }

    def _choices(self, of: Filter) -> list[list[str]]:
        there = {value for row in self.rows for value in row.values.get(of.key, ())}
        return [[value, word] for value, word in of.words.items() if value in there]


def cell(*lines: Line | None, sort: float | None = None) -> Cell:
    """Returns a cell of the lines that are not None."""
    return Cell(tuple(line for line in lines if line is not None), sort)


def number_cell(number: float | None, *lines: Line | None) -> Cell:
    """Returns a cell that is sorted by its number; what is not known comes first."""
    return cell(*lines, sort=-1 if number is None else number)


def size_cell(count: int | None) -> Cell:
    """Returns a size as people read it, and exactly."""
    return number_cell(count, size(count), soft(exactly(count)))


def soft(text: str | None) -> Line | None:
    """Returns a line of less weight, or None for no text."""
    return [text, "soft"] if text else None


def mono(text: str) -> Line:
    """Returns a line in which every letter has one width, for names of devices and files."""
    return [text, "mono"]


def link(text: str, anchor: str) -> Line:
    """Returns a line that leads to a row of the page."""
    return [text, "link", anchor]


def with_bar(text: str, share: float, kind: str = "") -> Line:
    """Returns a line with a bar above it, `share` of whose length (0 to 1) is filled; the text says the same."""
    return [text, f"bar {kind}".strip(), round(max(0.0, min(share, 1.0)), 4)]


def notes_cell(notes: Sequence[Note]) -> Cell:
    """Returns the findings of a row by their codes, sorted by how bad and how many they are."""
    codes: dict[str, dict[str, None]] = {}
    for note in sorted(notes, key=lambda note: (note.rank, note.code)):
        codes.setdefault(note.severity, {})[note.code] = None
    weight = sum(len(codes.get(severity, ())) * 100**power for power, severity in enumerate(reversed(SEVERITIES)))
    lines: list[Line] = [
        [f"{SEVERITY_WORDS[severity]}: {', '.join(map(spelt_out, of_severity))}", f"note {severity}"]
        for severity, of_severity in codes.items()
    ]
    return Cell(tuple(lines), weight)


SEVERITY = Filter("severity", "Findings", {**SEVERITY_WORDS, "none": "None"})


def severities(notes: Iterable[Note]) -> tuple[str, ...]:
    """Returns the values of the filter `SEVERITY` for a row with these findings."""
    return tuple(dict.fromkeys(note.severity for note in notes)) or ("none",)


def without_empty_columns(
    columns: Sequence[Column], rows: Sequence[Row], may_go: Iterable[str]
) -> tuple[tuple[Column, ...], tuple[Row, ...]]:
    """Returns columns and rows without those columns, of the titles that may go, in which no row has anything."""
    titles = frozenset(may_go)
    kept = [
        number
        for number, column in enumerate(columns)
        if column.title not in titles or any(row.cells[number].lines for row in rows)
    ]
    return tuple(columns[number] for number in kept), tuple(
        Row(tuple(row.cells[number] for number in kept), row.anchor, row.values, row.command) for row in rows
    )
