# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The framed answer of a script: its sections, whole and unaltered, or an error. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConnectionFailed
from ansible_collections.winbackup.storage.plugins.module_utils._core.whole_numbers import count_of
from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.script import BEGIN, END

_CHECKSUMS = {"md5": hashlib.md5, "sha1": hashlib.sha1}
_NO_CHECKSUM = "none"


class NoFrame(ConnectionFailed):
    """What came back is not the answer of a script: there is no shell of an ESXi host, or it broke off."""


@dataclass(frozen=True)
class Section:
    """What one command printed, and its exit code; `about` is the file or VM that it was asked about."""

    name: str
    about: str
    text: str
    code: int | None
    # The text with every byte that is no UTF-8 as a surrogate, so that the very bytes can be sent back.
    exact: str = ""

    @property
    def succeeded(self) -> bool:
        """Whether the command ended well, as far as its exit code tells."""
        return self.code == 0


@dataclass(frozen=True)
class Answer:
    """All sections, in the order of the script."""

    sections: Sequence[Section]

    @cached_property
    def _by_name(self) -> Mapping[tuple[str, str], Section]:
        return {(section.name, section.about): section for section in self.sections}

    def find(self, name: str, about: str = "") -> Section | None:
        """Returns a section, or None."""
        return self._by_name.get((name, about))

    def text(self, name: str, about: str = "") -> str | None:
        """Returns what a command printed; None where it failed or was not run."""
        section = self.find(name, about)
        return section.text if section is not None and section.succeeded else None

    def with_rest_of(self, earlier: Answer) -> Answer:
        """Returns this answer with the sections of an earlier one that it has nothing of."""
        names = {section.name for section in self.sections}
        return Answer((*self.sections, *(section for section in earlier.sections if section.name not in names)))

    def all(self, name: str) -> tuple[Section, ...]:
        """Returns all sections of a name."""
        return tuple(section for section in self.sections if section.name == name)


def read_answer(output: bytes, host: str) -> Answer:
    """Returns the sections of an answer; raises NoFrame where it is not whole."""
    begin, end = f"{BEGIN}\n".encode(), f"\n{END} ".encode()
    start, stop = output.find(begin), output.rfind(end)
    if start < 0 or stop < start:
        raise _no_frame(output, host)
    body = output[start + len(begin) : stop + 1]
    kind, _blank, told = output[stop + len(end) :].decode("ascii", "replace").strip().partition(" ")
    checksum = _CHECKSUMS.get(kind)
    if checksum is None and kind != _NO_CHECKSUM:
        raise _no_frame(output, host)
    if checksum is not None and checksum(body, usedforsecurity=False).hexdigest() != told:
        raise NoFrame(
            f"The answer of {host} was altered on its way: its checksum is another one.",
            hint="Look for what writes into the output of commands there, such as a profile of the shell.",
        )
    return Answer(tuple(_sections(body.decode("utf-8", "surrogateescape"))))


def _no_frame(output: bytes, host: str) -> NoFrame:
    said = output.decode("utf-8", "replace").strip().split("\n")[0][:200]
    what = f"it said: {said}" if said else "nothing came back"
    return NoFrame(
        f"{host} did not run the script to its end; {what}",
        hint="The task's connection must lead to the shell of an ESXi host, whose user may run commands there (root).",
    )


def _sections(text: str) -> list[Section]:
    found: list[Section] = []
    name, about, printed = "", [""], [""]
    for line in text.split("\n"):
        mark, rest = line[:1], line[1:]
        if mark == ">":
            about.append(rest)
        elif mark == "|":
            printed.append(rest)
        elif mark == "=":
            if name:
                found.append(_section(name, about, printed))
            name, about, printed = rest, [], []
    if name:
        found.append(_section(name, about, printed))
    return found


def _section(name: str, about: Sequence[str], printed: Sequence[str]) -> Section:
    code = printed[-1] if printed else ""
    exact = "\n".join(printed[:-1])
    return Section(name, _legible("\n".join(about)), _legible(exact), count_of(code), exact)


def _legible(text: str) -> str:
    return text.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
