# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Reading properties of many objects at once: one request and its further pages, parsed while they arrive.

The reply is parsed by the standard library and not through pyVmomi's object tree, which costs sixteen times as much and
fails as a whole where one value is of a type that it does not know.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element, ParseError

from ansible_collections.winbackup.storage.plugins.module_utils._core.errors import ConnectionFailed
from ansible_collections.winbackup.storage.plugins.module_utils._core.waiting import Deadline
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import library
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.answers import NotTheAnswer
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.connect import Exchange, Session, unreachable
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.elements import (
    VIM,
    child,
    child_text,
    children,
    type_of,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.faults import (
    ServerFault,
    error_of,
    fault_of_element,
)
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.legal_xml import LegalXml, take_marks
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.reply_parts import (
    NAME,
    PROPERTY,
    VAL,
    Converters,
    FaultInReply,
    Part,
    TooLarge,
    parts_of,
)

PAGE_SIZE = 250
# The fault of an object that was removed meanwhile.
GONE = "ManagedObjectNotFound"

_OBJECTS = VIM + "objects"
_TOKEN = VIM + "token"
# The longest that vSphere takes is 80 characters, of which three may each be written as three (API, name).
_LONGEST_NAME = 1000
# No reading of a site takes as long; a server whose pages have no end is left alone then.
LONGEST_READING_SECONDS = 1800


class AnswersTooLarge(ConnectionFailed):
    """What was read takes more memory than a reading may; what came before is good."""


@dataclass(frozen=True)
class ObjectProperties:
    """What was read of one object. The elements of `values` are good until the next object is asked for.

    A property that is unset, or unknown to the server, is in neither mapping.
    """

    type: str
    id: str
    values: Mapping[str, Element]
    refused: Mapping[str, ServerFault]
    # Properties that held a character which no XML may hold; their values have U+FFFD in its place.
    spoilt: tuple[str, ...] = ()
    # What was made of the members of properties that are lists, where that was asked for; their elements are gone.
    members: Mapping[str, Sequence[Any]] = field(default_factory=dict)

    def text(self, path: str) -> str | None:
        """Returns the text of a simple property, or None."""
        value = self.values.get(path)
        return (value.text or None) if value is not None else None


def read_properties(
    session: Session,
    doing: str,
    start: Sequence[Any],
    paths: Mapping[str, Sequence[str]],
    page_size: int = PAGE_SIZE,
    longest_seconds: float = LONGEST_READING_SECONDS,
    converters: Converters | None = None,
    on_unknown: Callable[[str], None] = lambda path: None,
) -> Generator[ObjectProperties]:
    """Yields the objects that `start` (ObjectSpecs) leads to, with the properties `paths` names for their type.

    Of a property that `converters` names, what the function returns for each member is kept, and not the elements.
    A path that the server does not know is left out, which `on_unknown` is told, and the read is begun anew. Raises
    StepRefused, ConnectionFailed; AnswersTooLarge where what is read takes more memory than a reading may.
    """
    wanted = {kind: list(names) for kind, names in paths.items()}
    while True:
        begun = False
        asked = _Asked.of(start, wanted)
        try:
            end = Deadline(longest_seconds)
            for item in _read_pages(session, start, wanted, page_size, end, converters or {}):
                asked.check(item)
                begun = True
                yield item
            return
        except NotTheAnswer as error:
            raise unreachable(session.server, error) from error
        except TooLarge as error:
            raise _too_large(session, doing) from error
        except FaultInReply as refused:
            fault = _soap_fault(refused.element)
            if begun or fault.name != "InvalidProperty" or not _leave_out(wanted, fault.path):
                raise error_of(fault, doing) from None
            on_unknown(fault.path or "")
        except ParseError as error:
            raise _no_xml(session, doing, error) from error


def read_parts(session: Session, doing: str, target: Any, method: str, *arguments: Any) -> Iterator[Element]:
    """Yields the parts of what a reading method returns; a part is good until the next one is asked for.

    Raises StepRefused, ConnectionFailed.
    """
    try:
        exchange = session.ask(target, method, *arguments)
        with exchange.reply() as reply:
            for part in parts_of(reply, exchange.method, LegalXml(), {}, session.most_memory):
                yield part.element
    except TooLarge as error:
        raise _too_large(session, doing) from error
    except FaultInReply as refused:
        raise error_of(_soap_fault(refused.element), doing) from None
    except ParseError as error:
        raise _no_xml(session, doing, error) from error


def _too_large(session: Session, doing: str) -> AnswersTooLarge:
    return AnswersTooLarge(
        f"{doing} was ended: what {session.server.name} told takes more than {session.most_memory // 10**6} MB.",
        hint="Read a part of the site with a user who sees no more than that part.",
    )


def _no_xml(session: Session, doing: str, error: ParseError) -> ConnectionFailed:
    return ConnectionFailed(
        f"{doing} failed: {session.server.name} gave an answer that is no XML, or that broke off: {error}.",
        hint="Run again; if it stays so, look at the logs of the server, and of a proxy or load balancer before it.",
    )


@dataclass(frozen=True)
class _Asked:
    """What a reading asks for: types, the paths of all of them, and the ids where no others can be in the reply."""

    types: tuple[type, ...]
    paths: frozenset[str]
    ids: frozenset[str] | None

    @classmethod
    def of(cls, start: Sequence[Any], wanted: Mapping[str, Sequence[str]]) -> _Asked:
        followed = any(spec.skip or spec.selectSet for spec in start)
        return cls(
            tuple(getattr(library.vim, name) for name in wanted),
            frozenset(_without_key(path) for names in wanted.values() for path in names),
            # Where nothing is followed from the first objects, the reply holds these and no others.
            None if followed else frozenset(spec.obj._GetMoId() for spec in start),
        )

    def check(self, read: ObjectProperties) -> None:
        """Raises NotTheAnswer for an object or a property that nobody asked for: the reply is that to another one."""
        kind = getattr(library.vim, read.type, None)
        foreign = kind is not None and not issubclass(kind, self.types)
        if foreign or not read.id or (self.ids is not None and read.id not in self.ids):
            named = f"{read.type} {read.id}" if read.id else "an object without a name"
            raise NotTheAnswer(f"{named[:80]!r}, which was not asked for")
        name = read.text("name")
        if name is not None and len(name) > _LONGEST_NAME:
            raise NotTheAnswer(f"a name of {len(name)} characters")
        strange = [path for path in read.values if path not in self.paths and _without_key(path) not in self.paths]
        if strange:
            named = min(strange)
            raise NotTheAnswer(f"the property {named[:80]!r}, which was not asked for")


def _without_key(path: str) -> str:
    """Returns a path without the key of a member, which a server may write in another way than it was asked."""
    return path.partition("[")[0]


def _leave_out(wanted: Mapping[str, list[str]], unknown: str | None) -> bool:
    """Takes a path out of all lists; returns False where it was in none, so that nobody asks for ever."""
    found = False
    for names in wanted.values():
        if unknown in names:
            names.remove(unknown)
            found = True
    return found


def _read_pages(
    session: Session,
    start: Sequence[Any],
    wanted: Mapping[str, Sequence[str]],
    page_size: int,
    end: Deadline,
    converters: Converters,
) -> Iterator[ObjectProperties]:
    query = library.vmodl.query.PropertyCollector
    specs = [
        query.FilterSpec(
            objectSet=list(start),
            propSet=[
                query.PropertySpec(type=getattr(library.vim, kind), all=False, pathSet=list(names))
                for kind, names in wanted.items()
            ],
            reportMissingObjectsInResults=True,
        )
    ]
    collector = session.content.propertyCollector
    options = query.RetrieveOptions(maxObjects=page_size)
    pages = _Pages(session, session.ask(collector, "RetrievePropertiesEx", specs, options), converters)
    try:
        while pages.asked is not None:
            yield from pages.objects_of_next()
            if end.is_over and pages.asked is not None:
                raise NotTheAnswer("page after page, without an end")
    finally:
        pages.abandon()


class _Pages:
    """The replies to one read. Each page begins with the token of the next, which is asked for at that very moment,
    so that the server works on it while this one is parsed."""

    def __init__(self, session: Session, asked: Exchange, converters: Converters) -> None:
        self._session = session
        self._converters = converters
        self._token: str | None = None
        self._tokens: set[str] = set()
        self.asked: Exchange | None = asked

    def objects_of_next(self) -> Iterator[ObjectProperties]:
        """Yields the objects of the next page; raises FaultInReply, ParseError, NotTheAnswer, TooLarge."""
        exchange, self.asked, self._token = self.asked, None, None
        if exchange is None:
            return
        legal = LegalXml()
        with exchange.reply() as reply:
            for part in parts_of(reply, exchange.method, legal, self._converters, self._session.most_memory):
                if part.element.tag == _OBJECTS:
                    yield _object_of(part, legal.marked)
                elif part.element.tag == _TOKEN and part.element.text:
                    self._ask_for(part.element.text)

    def _ask_for(self, token: str) -> None:
        if token in self._tokens:
            raise ConnectionFailed(
                f"{self._session.server.name} gave a page that it had given before, so that the reading has no end.",
                hint="Run again; if it stays so, restart the server's vpxd or hostd.",
            )
        self._tokens.add(token)
        self._token = token
        collector = self._session.content.propertyCollector
        self.asked = self._session.ask(collector, "ContinueRetrievePropertiesEx", token)

    def abandon(self) -> None:
        """Gives up pages that nobody will read; what the server keeps of them ends with the session at the latest."""
        if self.asked is None or self._token is None:
            return
        self.asked.abandon()
        try:
            collector = self._session.content.propertyCollector
            with self._session.ask(collector, "CancelRetrievePropertiesEx", self._token).reply():
                pass
        except ConnectionFailed:
            pass


def _object_of(part: Part, marked: bool) -> ObjectProperties:
    element = part.element
    reference = child(element, "obj")
    values: dict[str, Element] = {}
    spoilt: list[str] = []
    for prop in element.iterfind(PROPERTY):
        name, value = prop.findtext(NAME), prop.find(VAL)
        if name and value is not None:
            values[name] = value
            if (marked and take_marks(value)) or name in part.spoilt:
                spoilt.append(name)
    refused: dict[str, ServerFault] = {}
    for missing in children(element, "missingSet"):
        path, fault = child_text(missing, "path"), child(missing, "fault")
        if path is not None and fault is not None:
            refused[path] = fault_of_element(fault)
    if reference is None:
        return ObjectProperties("", "", values, refused, tuple(spoilt), part.members)
    kind, object_id = reference.get("type", ""), reference.text or ""
    return ObjectProperties(kind, object_id, values, refused, tuple(spoilt), part.members)


def _soap_fault(element: Element) -> ServerFault:
    message = element.findtext("faultstring")
    detail = element.find("detail")
    inner = next(iter(detail), None) if detail is not None else None
    if inner is None:
        return ServerFault(("RuntimeFault",), message or "a fault without detail")
    if not type_of(inner):
        return ServerFault((inner.tag.rpartition("}")[2].removesuffix("Fault"),), message or "", ())
    return fault_of_element(inner, message)


def reference(kind: str, object_id: str) -> Any:
    """Returns a reference to an object by its id ("vm-57"), for use in requests."""
    return getattr(library.vim, kind)(object_id)


def object_spec(target: Any, *select: Any, skip: bool = False) -> Any:
    """Returns an ObjectSpec: start at `target`, go on by `select`; `skip` leaves `target` itself out."""
    return library.vmodl.query.PropertyCollector.ObjectSpec(obj=target, skip=skip, selectSet=list(select))


def traversal(kind: Any, path: str, *select: Any) -> Any:
    """Returns a TraversalSpec: from an object of type `kind` along its property `path`, then on by `select`."""
    return library.vmodl.query.PropertyCollector.TraversalSpec(type=kind, path=path, skip=False, selectSet=list(select))
