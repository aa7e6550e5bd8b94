# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""A reply, taken apart while it arrives: of its tree there is never more than one part, and of that only what is used.

A part is what the value of the reply consists of, as an object with its properties. A host is a part of tens of
megabytes, nearly all of them the INQUIRY data of its LUNs; so the members of such a property are taken out of the part
one by one, while it grows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.client import HTTPResponse
from typing import Any, TypeAlias
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

from ansible_collections.winbackup.storage.plugins.module_utils._core.memory import memory_in_use
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.answers import (
    NotTheAnswer,
    fault_in,
    not_the_answer,
    response_path,
    title_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.elements import VIM
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.legal_xml import LegalXml, take_marks

PROPERTY, NAME, VAL = VIM + "propSet", VIM + "name", VIM + "val"
# What is made of each member of a property that is a list, by the path of the property.
Converters: TypeAlias = Mapping[str, Callable[[Element], Any]]

_CHUNK_BYTES = 65536
# The largest part, without the members that were taken out of it: what else a host tells of thousands of LUNs.
_LARGEST_PART_BYTES = 32 * 1024**2
_CHUNKS_BETWEEN_LOOKS = 16
# What lists of bytes are called in a host's LUNs (vSphere API, ScsiLun and ScsiLunDurableName).
_LISTS_OF_BYTES = (b"data", b"standardInquiry")


class TooLarge(Exception):
    """What was read takes more memory than a reading may."""


class FaultInReply(Exception):
    """The reply is a SOAP fault."""

    def __init__(self, element: Element) -> None:
        super().__init__("a SOAP fault")
        self.element = element


@dataclass
class Part:
    """A whole part. `members` holds by path what was made of the members that were taken out of it; `spoilt` names the
    paths of which a member held a character that no XML may hold."""

    element: Element
    members: dict[str, list[Any]] = field(default_factory=dict)
    spoilt: set[str] = field(default_factory=set)


class _Members:
    """The members of the part that grows at the moment."""

    def __init__(self, converters: Converters, legal: LegalXml) -> None:
        self._converters = converters
        self._legal = legal
        self._found: dict[str, list[Any]] = {}
        self._spoilt: set[str] = set()

    def take(self, part: Element, whole: bool) -> Element | None:
        """Takes the members that are complete out of a part; returns the last property of which there were any."""
        taken_of = None
        for prop in part.iterfind(PROPERTY) if self._converters else ():
            path, value = prop.findtext(NAME), prop.find(VAL)
            convert = self._converters.get(path or "")
            if path is None or value is None or convert is None:
                continue
            # The last member of what still grows may grow too.
            complete = len(value) - (not whole and prop is part[-1])
            if complete < 1:
                continue
            members, taken_of = value[:complete], prop
            del value[:complete]
            # Of each member the marks are taken, whether or not one before it had some.
            if self._legal.marked and sum(take_marks(member) for member in members):
                self._spoilt.add(path)
            self._found.setdefault(path, []).extend(map(convert, members))
        return taken_of

    def part(self, element: Element) -> Part:
        """Returns the whole part; the next one begins."""
        self.take(element, whole=True)
        part = Part(element, self._found, self._spoilt)
        self._found, self._spoilt = {}, set()
        return part


def parts_of(
    reply: HTTPResponse, method: str, legal: LegalXml, converters: Converters, most_memory: int
) -> Iterator[Part]:
    """Yields what the returned value of a reply consists of, each part as soon as it is there, and keeps none of it.

    An event for every element, as iterparse has it, costs a third of the whole reading; so the tree is looked at while
    it grows. A part that has another behind it is complete. Raises FaultInReply, ParseError, NotTheAnswer; TooLarge
    where the process takes more than `most_memory` bytes.
    """
    builder = TreeBuilder()
    top = builder.start("reply", {})
    parser = XMLParser(target=builder)
    path = "/".join(response_path(method))
    members = _Members(converters, legal)
    kept = _Kept(most_memory)
    value: Element | None = None
    head = b""
    try:
        while data := reply.read1(_CHUNK_BYTES):
            head = head or data
            parser.feed(legal.pass_on(with_bytes_joined(data) if converters else data))
            if value is None:
                value = top.find(path)
            taken_of = None
            if value is not None and len(value):
                if len(value) > 1:
                    yield from _taken(value, len(value) - 1, members)
                    kept = _Kept(most_memory, kept.chunks)
                taken_of = members.take(value[0], whole=False)
            kept.add(len(data), taken_of)
        parser.feed(legal.pass_on(b"", last=True))
        parser.close()
    except ParseError as error:
        if title_of(head) is not None:
            raise not_the_answer(head, "a page", reply.status) from error
        raise
    fault = fault_in(next(iter(top), None), method, reply.status, head)
    if fault is not None:
        raise FaultInReply(fault)
    # A reply of a single chunk, or one whose value had only just begun.
    value = top.find(path) if value is None else value
    if value is not None:
        yield from _taken(value, len(value), members)


def with_bytes_joined(data: bytes) -> bytes:
    """Returns a chunk in which the bytes of a list stand in one element, "<data>1 2 3</data>", and not each in its own.

    Else nine of ten elements of a host's storage are single bytes of its LUNs' INQUIRY data. Whoever reads such a list
    takes it in both ways: a chunk may end between two bytes, and a server may write the tags with a prefix.
    """
    for name in _LISTS_OF_BYTES:
        data = data.replace(b"</%b><%b>" % (name, name), b" ")
    return data


def _taken(value: Element, count: int, members: _Members) -> Iterator[Part]:
    """Yields the first parts of a value and takes them out of it."""
    parts = value[: max(count, 0)]
    del value[: len(parts)]
    for part in parts:
        yield members.part(part)


class _Kept:
    """How much of the text that came stands in the tree still."""

    def __init__(self, most_memory: int, chunks: int = 0) -> None:
        self.chunks = chunks
        self._most_memory = most_memory
        self._bytes = 0
        self._before = 0
        self._taken_of: Element | None = None

    def add(self, count: int, taken_of: Element | None) -> None:
        """Counts one more chunk, which ends in the property that members were taken of.

        Raises NotTheAnswer, TooLarge.
        """
        if taken_of is not None:
            # What came since the property began was members, but for this chunk.
            if taken_of is not self._taken_of:
                self._taken_of, self._before = taken_of, self._bytes
            self._bytes = self._before
        self._bytes += count
        if self._bytes > _LARGEST_PART_BYTES:
            raise NotTheAnswer(f"one value of more than {_LARGEST_PART_BYTES} bytes")
        self.chunks += 1
        if self.chunks % _CHUNKS_BETWEEN_LOOKS == 0 and (memory_in_use() or 0) > self._most_memory:
            raise TooLarge
