# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""The text in which vim-cmd dumps an object of the vSphere API: `(vim.vm.Summary) { name = "x", ... }`.

Texts are not escaped in it, and people write what they like into an annotation: lines, quotes, brackets. So a text ends
only where the next line is what the dump goes on with, as far in as the dump is there. Where that cannot be made out,
or a dump says two things of one key, nothing of it is believed. What is `<unset>` is None. Depth and size are bounded,
so that no text of a server can exhaust the reader.
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
        while self.lines and not self.lines[-1]:
            self.lines.pop()
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

    def members(self, closing: str, opened: int, depth: int) -> tuple[dict[str, Value], list[Value]]:
        """Returns what stands before the closing bracket: named values, and those without a name.

        `opened` is how far in the line stands that has the opening one."""
        if depth > _DEEPEST:
            raise self.fail()
        named: dict[str, Value] = {}
        unnamed: list[Value] = []
        while True:
            line = self.next_line()
            if line.strip().rstrip(",") == closing:
                return named, unnamed
            key = _KEY.fullmatch(line)
            if key is None:
                unnamed.append(self.value(line.strip(), _indent(line), opened, depth))
            elif key["key"] in named:
                raise self.fail()
            else:
                named[key["key"]] = self.value(key["rest"], _indent(line), opened, depth)

    def value(self, text: str, indent: int, opened: int, depth: int) -> Value:
        opens_list = _OPENS_LIST.fullmatch(text)
        if opens_list is not None:
            return [] if opens_list["closed"] else self.members("]", indent, depth + 1)[1]
        opens_object = _OPENS_OBJECT.fullmatch(text)
        if opens_object is not None:
            named = self.members("}", indent, depth + 1)[0]
            return {TYPE: opens_object["type"], **named}
        return self.scalar(text, indent, opened)

    def scalar(self, text: str, indent: int, opened: int) -> Value:
        if text.startswith('"'):
            return self.quoted(text, indent, opened)
        bare = text.rstrip(",").strip()
        if bare in ("<unset>", "null"):
            return None
        if bare in ("true", "false"):
            return bare == "true"
        if _NUMBER.fullmatch(bare):
            return int(bare)
        reference = _REFERENCE.fullmatch(bare)
        return reference["id"] if reference is not None else bare

    def quoted(self, text: str, indent: int, opened: int) -> str:
        """Returns a text, which may run over several lines, up to the quote after which the dump goes on."""
        parts = [text[1:]]
        while not (parts[-1].endswith(('"', '",')) and self.goes_on(indent, opened)):
            if self.place >= len(self.lines):
                raise self.fail()
            parts.append(self.lines[self.place])
            self.place += 1
        parts[-1] = parts[-1].removesuffix(",").removesuffix('"')
        return "\n".join(parts)

    def goes_on(self, indent: int, opened: int) -> bool:
        """Tells whether the next line is the next value of an object or list, or its closing bracket."""
        line = self.lines[self.place] if self.place < len(self.lines) else ""
        if line.strip().rstrip(",") in ("}", "]"):
            # Nothing comes after the dump.
            return _indent(line) == opened and (opened > 0 or self.place == len(self.lines) - 1)
        return _indent(line) == indent and (_KEY.fullmatch(line) is not None or line.lstrip()[:1] in ('"', "(", "'"))

    def ends(self) -> None:
        """Raises UnreadableOutput where what a dump is made of comes after its end: it was none."""
        for line in self.lines[self.place :]:
            if line.strip().rstrip(",") in ("}", "]") or _KEY.fullmatch(line) is not None:
                raise self.fail()


def _indent(line: str) -> int:
    return len(line) - len(line.lstrip())


def dumped_object(command: str, text: str) -> Mapping[str, Value] | Sequence[Value]:
    """Returns the first object or list that a command dumped, with its type under TYPE; raises UnreadableOutput."""
    reader = _Reader(command, text)
    while True:
        line = reader.next_line()
        if _OPENS_OBJECT.fullmatch(line) or _OPENS_LIST.fullmatch(line):
            found = reader.value(line.strip(), _indent(line), 0, 0)
            if isinstance(found, (Mapping, list)):
                reader.ends()
                return found
            raise reader.fail()
