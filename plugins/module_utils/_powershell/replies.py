# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""Replies of a WinRM service: taken from nobody else, bounded in time and size, and each only as the answer to its
request.

A load balancer, a single sign-on page or another web server answers too, with status 200 and well-formed XML. By itself
pywinrm follows it to another host and logs on there, unpacks whatever it sends, and takes text of any kind for output
of nothing.
"""

from __future__ import annotations

import functools
import html
import importlib
import math
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ansible_collections.winbackup.storage.plugins.module_utils._core.whole_reply import WholeResponse

# A host sends at most what MaxEnvelopeSizekb allows a message: 500 kB, unless somebody raised it.
LARGEST_REPLY_BYTES = 16 * 1024**2
_LONGEST_QUOTE = 120
_SOAP = "{http://www.w3.org/2003/05/soap-envelope}"
_RELATES_TO = "{http://schemas.xmlsoap.org/ws/2004/08/addressing}RelatesTo"
# What is looked for in our own requests.
_SENT = re.compile(r"<a:MessageID[^>]*>([^<]+)<")
_ACTION = re.compile(r"<a:Action[^>]*>[^<]*/([A-Za-z]+)<")
# The element that answers an operation ([MS-WSMV] 3.1.4); a Delete is answered by nothing.
_ANSWERED_BY: Mapping[str, str | None] = {
    "Create": "ResourceCreated",
    "Command": "CommandResponse",
    "Send": "SendResponse",
    "Receive": "ReceiveResponse",
    "Signal": "SignalResponse",
    "Delete": None,
}


class NotTheAnswer(ValueError):
    """What came is no answer to the request; its text says what it is."""


class SentElsewhere(NotTheAnswer):
    """Somebody asks to go to another address; nothing is sent there, least of all a logon."""


def guard(protocol: Any, seconds_left: Callable[[], float] = lambda: math.inf) -> None:
    """Has a Protocol of pywinrm raise NotTheAnswer for every reply that is none, however it was made.

    Each reply has no more time than is left then, and a second where nothing is: also those of a logon.
    """
    transport, send = protocol.transport, protocol.transport._send_message_request

    def send_request(session: Any, request: Any) -> Any:
        if not isinstance(session.get_adapter(request.url), _adapter()):
            for scheme in ("http://", "https://"):
                session.mount(scheme, _adapter()(seconds_left))
        return send(session, request)

    transport._send_message_request = send_request
    exchange = protocol.send_message

    def send_message(message: str) -> Any:
        answer = exchange(message)
        check_answer(message, answer)
        return answer

    protocol.send_message = send_message


def check_answer(message: str, answer: bytes) -> None:
    """Raises NotTheAnswer where a text is not the answer to a request of ours."""
    if b"<!" in answer[:4096]:
        raise not_the_answer(answer)
    try:
        envelope = ET.fromstring(answer)
    except (ET.ParseError, ValueError, LookupError) as error:
        raise not_the_answer(answer) from error
    body = envelope.find(f"{_SOAP}Body") if envelope.tag == f"{_SOAP}Envelope" else None
    if body is None:
        raise not_the_answer(answer)
    sent, action = _SENT.search(message), _ACTION.search(message)
    related = envelope.findtext(f"{_SOAP}Header/{_RELATES_TO}") or ""
    if sent is not None and related.strip().lower() != sent[1].strip().lower():
        raise NotTheAnswer("an answer to another request")
    if action is None or action[1] not in _ANSWERED_BY:
        return
    expected = _ANSWERED_BY[action[1]]
    first = next(iter(body), None)
    found = None if first is None else first.tag.rpartition("}")[2]
    if found != expected:
        came = "nothing" if found is None else repr(found[:_LONGEST_QUOTE])
        raise NotTheAnswer(f"{came} where {expected or 'nothing'} should be")


def not_the_answer(text: bytes) -> NotTheAnswer:
    """Returns the error for a text that is no SOAP; it quotes the title of a page."""
    title = title_of(text[:65536])
    return NotTheAnswer(f"a page with the title {title!r}" if title else "a text that is no SOAP")


def title_of(page: bytes) -> str | None:
    """Returns the title of a page as one short line; None where it has none."""
    lower = page.lower()
    opening = lower.find(b"<title")
    start = lower.find(b">", opening) + 1 if opening >= 0 else 0
    end = lower.find(b"</", start)
    if not start or end < 0:
        return None
    words = html.unescape(page[start:end].decode("utf-8", "replace")).split()
    return "".join(letter for letter in " ".join(words) if letter.isprintable())[:_LONGEST_QUOTE] or None


@functools.cache
def _adapter() -> type[Any]:
    """Returns the class of what requests sends by: made late, since requests may not be there."""
    adapters = importlib.import_module("requests.adapters")
    pools = importlib.import_module("urllib3.connectionpool")
    bounded = {}
    for scheme, pool in (("http", pools.HTTPConnectionPool), ("https", pools.HTTPSConnectionPool)):
        connection = type("BoundedConnection", (pool.ConnectionCls,), {"response_class": WholeResponse})
        bounded[scheme] = type("BoundedPool", (pool,), {"ConnectionCls": connection})

    class GuardedAdapter(adapters.HTTPAdapter):  # type: ignore[misc,name-defined]
        """Replies that come in time, in a size that can be, unpacked, and from nowhere else."""

        def __init__(self, seconds_left: Callable[[], float]) -> None:
            super().__init__()
            self._seconds_left = seconds_left

        def init_poolmanager(self, *arguments: Any, **more: Any) -> None:
            super().init_poolmanager(*arguments, **more)
            self.poolmanager.pool_classes_by_scheme = bounded

        def proxy_manager_for(self, *arguments: Any, **more: Any) -> Any:
            manager = super().proxy_manager_for(*arguments, **more)
            manager.pool_classes_by_scheme = bounded
            return manager

        def send(self, request: Any, *arguments: Any, **more: Any) -> Any:
            request.headers["Accept-Encoding"] = "identity"
            more["timeout"] = max(1.0, min(more["timeout"], self._seconds_left()))
            response = super().send(request, *arguments, **more)
            try:
                _check_headers(response)
            except NotTheAnswer:
                response.close()
                raise
            response.raw.stream = functools.partial(_bounded, response.raw.stream)
            _make_readable(response)
            return response

    return GuardedAdapter


def _check_headers(response: Any) -> None:
    location = response.headers.get("location")
    if 300 <= response.status_code < 400:
        raise SentElsewhere(f"{location[:_LONGEST_QUOTE]!r}" if location else f"HTTP status {response.status_code}")
    packed = response.headers.get("content-encoding", "identity")
    if packed.lower() != "identity":
        raise NotTheAnswer(f"a packed text ({packed[:_LONGEST_QUOTE]!r}), which was not asked for")


def _bounded(stream: Any, *arguments: Any, **more: Any) -> Iterator[bytes]:
    size = 0
    for part in stream(*arguments, **more):
        size += len(part)
        if size > LARGEST_REPLY_BYTES:
            raise NotTheAnswer(f"more than {LARGEST_REPLY_BYTES} bytes in one reply")
        yield part


def _make_readable(response: Any) -> None:
    """Puts a reply that is an error into a form that pywinrm can read: else it stumbles, and its status is lost."""
    response.headers.setdefault("Content-Type", "")
    # Of a refused logon the connection itself is still looked at, and its text is not.
    if response.status_code < 400 or response.status_code == 401:
        return
    if response.headers["Content-Type"].startswith("multipart/"):
        return
    try:
        response.content.decode()
    except UnicodeDecodeError:
        response._content = b""
