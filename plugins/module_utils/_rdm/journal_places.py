# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""One journal in two places: the settings of the VM, which the API writes, and files beside its .vmx, which a shell
writes. Either way writes in its own place alone and reads both, so that what the one began the other ends. Pure.

Each writing counts one up from the later of both. Two runs that claim at once over both ways write the same number:
then the one with the smaller id has it, which both of them see.

That an old mapping file may be gone (`one_at_a_time`) only a shell finds out, and writes into its file first: a setting
that says so, which far more people may write, counts only where the file says it of the same LUN.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Optional, TypeAlias, Union

from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal import (
    JOURNAL_KEY,
    DiskJournal,
    UnreadableJournal,
    journal_at,
)
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.journal_text import to_text, whole_text
from ansible_collections.winbackup.storage.plugins.module_utils._rdm.model import VirtualMachine

Records: TypeAlias = Mapping[str, Union[DiskJournal, UnreadableJournal]]  # noqa: UP007 (pylint takes the | for arithmetic)
Texts: TypeAlias = Mapping[str, Optional[str]]  # noqa: UP045 (pylint takes the | for arithmetic)

_FILE_ENDING = ".json"
# What the files that hold records are called.
RECORD_FILES = f"*.{JOURNAL_KEY}*{_FILE_ENDING}"


def record_file(vmx: str, address: str) -> str:
    """Returns the path of the file that holds the record of an address, beside the VM's .vmx."""
    return f"{vmx.removesuffix('.vmx')}.{JOURNAL_KEY}{address}{_FILE_ENDING}"


def address_of_record_file(vmx: str, path: str) -> str | None:
    """Returns the address whose record a file beside the .vmx holds; None for a file that is no record."""
    begin = f"{vmx.removesuffix('.vmx')}.{JOURNAL_KEY}"
    if not path.startswith(begin) or not path.endswith(_FILE_ENDING):
        return None
    return path[len(begin) : -len(_FILE_ENDING)]


def is_record_file(path: str) -> bool:
    """Tells whether a file is named as one that holds a record."""
    return f".{JOURNAL_KEY}" in path.rpartition("/")[2] and path.endswith(_FILE_ENDING)


def with_records_of_both(
    machine: VirtualMachine, own: Records, elsewhere: Records, *, files: Records
) -> VirtualMachine:
    """Returns the VM with the records that count, of its edge's own place and of the other one; `files` are those of
    the two that stand beside the .vmx."""
    journal = dict(own)
    for address, other in elsewhere.items():
        present = journal.get(address)
        journal[address] = other if present is None else _later(machine, present, other)
    journal = {address: _proved(one, files.get(address)) for address, one in journal.items()}
    return replace(machine, journal=journal, recorded_elsewhere=frozenset(elsewhere))


def texts_to_write(machine: VirtualMachine, journal: Mapping[str, DiskJournal | None]) -> Texts:
    """Returns what is to stand in the edge's own place, by address; None where nothing is.

    Where the other place holds a record too, one that is over is written down as that: it is the later one.
    """
    texts: dict[str, str | None] = {}
    for address, one in journal.items():
        present = journal_at(machine, address)
        written = present.sequence + 1 if present is not None else 1
        whole = replace(one or DiskJournal(machine.instance_uuid or ""), sequence=written)
        text = to_text(whole)
        texts[address] = whole_text(whole) if text is None and address in machine.recorded_elsewhere else text
    return texts


def open_addresses(machine: VirtualMachine, journal: Mapping[str, DiskJournal | None]) -> str:
    """Returns the addresses that have an open entry, or a record that nobody can read, once this is written; "" for
    none."""
    whole: dict[str, DiskJournal | UnreadableJournal | None] = {**machine.journal, **journal}
    return " ".join(
        sorted(
            address
            for address, one in whole.items()
            if isinstance(one, UnreadableJournal) or (one is not None and one.entry is not None)
        )
    )


def _later(
    machine: VirtualMachine, own: DiskJournal | UnreadableJournal, other: DiskJournal | UnreadableJournal
) -> DiskJournal | UnreadableJournal:
    if isinstance(own, UnreadableJournal) or isinstance(other, UnreadableJournal):
        return own if isinstance(own, UnreadableJournal) else other
    # One of another VM that is open blocks; one that is over says nothing here.
    strange = [one for one in (own, other) if one.machine != machine.instance_uuid]
    if len(strange) == 1:
        return strange[0] if strange[0].entry is not None else other if strange[0] is own else own
    return max(own, other, key=_rank)


def _proved(
    counting: DiskJournal | UnreadableJournal, in_file: DiskJournal | UnreadableJournal | None
) -> DiskJournal | UnreadableJournal:
    """Returns a record without its word that the old mapping may be gone, unless the file of the shell has it too."""
    if isinstance(counting, UnreadableJournal) or counting.entry is None or not counting.entry.one_at_a_time:
        return counting
    first = in_file.entry if isinstance(in_file, DiskJournal) else None
    entry = counting.entry
    if first is not None and first.one_at_a_time and (first.lun, first.old_file) == (entry.lun, entry.old_file):
        return counting
    return replace(counting, entry=replace(entry, one_at_a_time=False))


def _rank(journal: DiskJournal) -> tuple[int, bool, tuple[int, ...]]:
    """Returns what orders two records: how often they were written, then whether one is open, then the smaller id."""
    run = journal.entry.run if journal.entry is not None else ""
    return journal.sequence, journal.entry is not None, tuple(-ord(letter) for letter in run)
