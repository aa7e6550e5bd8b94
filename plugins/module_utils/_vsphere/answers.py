# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# PRIVATE to the collection: no other collection should import it.

"""An answer is one only if it is the answer: the response of the method that was called, or a SOAP fault.

A load balancer, a single sign-on page or a server in maintenance answers too, with well-formed XML and status 200 or
500. Taken for an answer, such a page says that there is nothing.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from http.client import HTTPException, HTTPResponse
from typing import Any
from xml.etree.ElementTree import Element, ParseError, fromstring

from ansible_collections.winbackup.storage.plugins.module_utils._vsphere import library
from ansible_collections.winbackup.storage.plugins.module_utils._vsphere.elements import VIM, local_name

_SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
_ENVELOPE, _BODY = f"{_SOAP}Envelope", f"{_SOAP}Body"
FAULT = f"{_SOAP}Fault"
# What pyVmomi reads is small: the largest answer is the privileges on some hundred objects.
LARGEST_ANSWER_BYTES = 64 * 1024**2
_CHUNK_BYTES = 65536
_LONGEST_TITLE = 120
# vmodl's flag of a result that may be absent (pyVmomi.VmomiSupport.F_OPTIONAL).
_OPTIONAL = 4


class NotTheAnswer(HTTPException):
    """What came is no answer to the request; its text says what it is ("a page with the title ...")."""


def response_path(method: str) -> tuple[str, ...]:
    """Returns the tags from the envelope to what a method returns."""
    return _ENVELOPE, _BODY, f"{VIM}{method}Response", f"{VIM}returnval"


def fault_in(envelope: Element | None, method: str, status: int, head: bytes) -> Element | None:
    """Returns the fault of a whole reply, None where it is the response of that method; raises NotTheAnswer."""
    body = envelope.find(_BODY) if envelope is not None and envelope.tag == _ENVELOPE else None
    if body is None:
        raise not_the_answer(head, "no SOAP", status)
    answer = next(iter(body), None)
    if answer is not None and answer.tag == FAULT:
        return answer
    if answer is None or answer.tag != f"{VIM}{method}Response" or status != 200:
        named = "nothing" if answer is None else f"{local_name(answer.tag)[:_LONGEST_TITLE]!r}"
        raise NotTheAnswer(f"{named} to the request {method}, with HTTP status {status}")
    return None


def not_the_answer(head: bytes, otherwise: str, status: int) -> NotTheAnswer:
    """Returns the error for a reply that begins so; it quotes the title of a page."""
    title = title_of(head)
    what = f"a page with the title {title!r}" if title else otherwise
    return NotTheAnswer(f"{what}, with HTTP status {status}")


def title_of(head: bytes) -> str | None:
    """Returns the title of a page as one short line; None where it has none."""
    lower = head.lower()
    start = lower.find(b">", lower.find(b"<title")) + 1 if b"<title" in lower else 0
    end = lower.find(b"</", start)
    if not start or end < 0:
        return None
    words = html.unescape(head[start:end].decode("utf-8", "replace")).split()
    return "".join(letter for letter in " ".join(words) if letter.isprintable())[:_LONGEST_TITLE] or None


def check_headers(response: HTTPResponse) -> None:
    """Raises NotTheAnswer for a reply whose headers say that it is a page, or packed, which nobody asked for."""
    packed = response.getheader("Content-Encoding") or "identity"
    if packed.lower() != "identity":
        raise NotTheAnswer(f"a packed text ({packed[:_LONGEST_TITLE]!r}), which was not asked for")
    if "html" in (response.getheader("Content-Type") or "").lower():
        raise not_the_answer(response.read(_CHUNK_BYTES), "a page", response.status)


def take_answers_only(stub: Any) -> None:
    """Has pyVmomi's stub take nothing for an answer that is none; then its calls raise NotTheAnswer."""

    def invoke(target: Any, method: Any, arguments: Sequence[Any], outer: Any = None) -> Any:
        return _invoke(stub, target, method, arguments)

    stub.InvokeMethod = invoke


def request_headers(stub: Any) -> dict[str, str]:
    """Returns the headers of a request; none of them asks for a packed answer."""
    return {"Cookie": stub.cookie, "SOAPAction": stub.versionId, "Content-Type": "text/xml; charset=UTF-8"}


def _invoke(stub: Any, target: Any, method: Any, arguments: Sequence[Any]) -> Any:
    """Returns what a method returns, or raises the fault that it raises, as pyVmomi's objects."""
    connection = stub.GetConnection()
    try:
        connection.request("POST", stub.path, stub.SerializeRequest(target, method, arguments), request_headers(stub))
        response = connection.getresponse()
        if response.status not in (200, 500):
            raise HTTPException(f"{response.status} {response.reason}")
        check_headers(response)
        text = _whole(response)
        fault = _fault_of(text, method.wsdlName, response.status)
        result = library.SoapResponseDeserializer(stub).Deserialize(text, method.result)
    except BaseException:
        connection.close()
        # Whatever gave this may give it for what else was opened to it.
        stub.DropConnections()
        raise
    cookie = response.getheader("Set-Cookie")
    if cookie:
        stub.cookie = cookie
    stub.ReturnConnection(connection)
    if fault is not None:
        raise result
    if result is None and method.result is not type(None) and not method.resultFlags & _OPTIONAL:
        raise NotTheAnswer(f"an empty {method.wsdlName}Response")
    return result


def _whole(response: HTTPResponse) -> bytes:
    parts: list[bytes] = []
    size = 0
    while data := response.read1(_CHUNK_BYTES):
        size += len(data)
        if size > LARGEST_ANSWER_BYTES:
            raise NotTheAnswer(f"more than {LARGEST_ANSWER_BYTES} bytes")
        parts.append(data)
    # Only a read of all tells the connection that this reply is over.
    response.read()
    return b"".join(parts)


def _fault_of(text: bytes, method: str, status: int) -> Element | None:
    try:
        envelope = fromstring(text)
    except ParseError as error:
        raise not_the_answer(text[:_CHUNK_BYTES], f"no whole XML ({error})", status) from error
    return fault_in(envelope, method, status, text[:_CHUNK_BYTES])
