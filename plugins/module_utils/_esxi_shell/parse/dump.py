# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The text in which vim-cmd dumps an object of the vSphere API: `(vim.vm.Summary) { name = "x", ... }`.

Texts are not escaped in it: one ends where its line ends with a quote, and a comma if there is one. What is `<unset>`
is None. Depth and size are bounded, so that no text of a server can exhaust the reader.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from ansible_collections.winbackup.storage.plugins.module_utils._esxi_shell.parse.errors import UnreadableOutput

Value: TypeAlias = "str | int | bool | Sequence[Value] | Mapping[str, Value] | None"

# The type of an object stands beside its values, under a key that no property can have.
TYPE = "(type)"
_DEEPEST = 64
_KEY = re.compile(r"\s*(?P<key>[A-Za-z_]\w*) = (?P<rest>.*)", re.ASCII)
_OPENS_OBJECT = re.compile(r"\s*(?:\((?P<type>[\w.]+)\)\s*)?\{,?", re.ASCII)
_OPENS_LIST = re.compile(r"\s*\((?P<type>[\w.]+)\)\s*\[(?P<closed>\s*\])?,?", re.ASCII)
_REFERENCE = re.compile(r"'(?P<kind>[\w.]+):(?P<id>[^']*)'", re.ASCII)
_NUMBER = re.compile(r"-?\d{1,20}", re.ASCII)


class _Reader:
    def __init__(self, command: str, text: str) -> None:
        self.command = command
        self.text = text
        self.lines = [line.rstrip() for line in text.split("\n")]
        self.place = 0

    def fail(self) -> UnreadableOutput:
        return UnreadableOutput(self.command, self.text)

    def next_line(self) -> str:
        while self.place < len(self.lines):
            line = self.lines[self.place]
            self.place += 1
            if line.strip():
                return line
        raise self.fail()

    def members(self, closing: str, depth: int) -> tuple[dict[str, Value], list[Value]]:
        """Returns what stands before the closing bracket: named values, and those without a name."""
        if depth > _DEEPEST:
            raise self.fail()
        named: dict[str, Value] = {}
        unnamed: list[Value] = []
        while True:
            line = self.next_line()
            if line.strip().rstrip(",") == closing:
                return named, unnamed
            key = _KEY.fullmatch(line)
            if key is not None:
                named.setdefault(key["key"], self.value(key["rest"], depth))
            else:
                unnamed.append(self.value(line.strip(), depth))

    def value(self, text: str, depth: int) -> Value:
        opens_list = _OPENS_LIST.fullmatch(text)
        if opens_list is not None:
            return [] if opens_list["closed"] else self.members("]", depth + 1)[1]
        opens_object = _OPENS_OBJECT.fullmatch(text)
        if opens_object is not None:
            named = self.members("}", depth + 1)[0]
            return {TYPE: opens_object["type"], **named}
        return self.scalar(text)

    def scalar(self, text: str) -> Value:
        if text.startswith('"'):
            return self.quoted(text)
        bare = text.rstrip(",").strip()
        if bare in ("<unset>", "null"):
            return None
        if bare in ("true", "false"):
            return bare == "true"
        if _NUMBER.fullmatch(bare):
            return int(bare)
        reference = _REFERENCE.fullmatch(bare)
        return reference["id"] if reference is not None else bare

    def quoted(self, text: str) -> str:
        """Returns a text, which may run over several lines, up to the quote at a line's end."""
        parts = [text[1:]]
        while not parts[-1].endswith(('"', '",')):
            if self.place >= len(self.lines):
                raise self.fail()
            parts.append(self.lines[self.place])
            self.place += 1
        parts[-1] = parts[-1].removesuffix(",").removesuffix('"')
        return "\n".join(parts)


def dumped_object(command: str, text: str) -> Mapping[str, Value] | Sequence[Value]:
    """Returns the first object or list that a command dumped, with its type under TYPE; raises UnreadableOutput."""
    reader = _Reader(command, text)
    while True:
        line = reader.next_line()
        if _OPENS_OBJECT.fullmatch(line) or _OPENS_LIST.fullmatch(line):
            found = reader.value(line.strip(), 0)
            if isinstance(found, (Mapping, list)):
                return found
            raise reader.fail()
