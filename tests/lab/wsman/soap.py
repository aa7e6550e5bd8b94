# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""WS-Management's XML as a Windows host writes it: requests read, replies and faults of both shapes written."""

from __future__ import annotations

import re
import uuid
import xml.etree.ElementTree as ET
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

SOAP = "http://www.w3.org/2003/05/soap-envelope"
ADDRESSING = "http://schemas.xmlsoap.org/ws/2004/08/addressing"
WSMAN = "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"
SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
TRANSFER = "http://schemas.xmlsoap.org/ws/2004/09/transfer"
IDENTIFY = "http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"
POWERSHELL_RESOURCES = "http://schemas.microsoft.com/powershell/"
ANONYMOUS = f"{ADDRESSING}/role/anonymous"
_OPENING = (
    f'<s:Envelope xml:lang="en-US" xmlns:s="{SOAP}" xmlns:a="{ADDRESSING}" xmlns:x="{TRANSFER}" xmlns:w="{WSMAN}" '
    f'xmlns:rsp="{SHELL}" xmlns:p="http://schemas.microsoft.com/wbem/wsman/1/wsman.xsd">'
)


class Malformed(Exception):
    """What was sent is not a request of WS-Management."""


@dataclass(frozen=True)
class Fault(Exception):
    """A refusal. `shape` is "wsman" (WSManFault) or "wmi" (MSFT_WmiError, as quota refusals have it)."""

    code: int
    subcode: str
    reason: str
    shape: str = "wsman"
    value: str = "s:Sender"


def timed_out() -> Fault:
    return Fault(
        2150858793,
        "w:TimedOut",
        "The WS-Management service cannot complete the operation within the time specified in OperationTimeout.",
        value="s:Receiver",
    )


def no_such_shell() -> Fault:
    return Fault(
        2150858843,
        "w:InvalidSelectors",
        "The request for the Windows Remote Shell with that ShellId failed because the shell was not found on the "
        "server.",
    )


def access_denied() -> Fault:
    return Fault(5, "w:AccessDenied", "Access is denied. ")


def too_many_shells(limit: int, shape: str) -> Fault:
    reason = (
        "The WS-Management service cannot process the request. This user is allowed a maximum number of "
        f"{limit} concurrent shells, which has been exceeded."
    )
    return Fault(0x803381A5, "w:QuotaLimit", reason, shape)


def too_many_operations(limit: int, shape: str) -> Fault:
    reason = (
        f"The WS-Management service cannot process the request. The maximum number of concurrent operations for "
        f"this user ({limit}) has been exceeded."
    )
    return Fault(0x803381A6, "w:QuotaLimit", reason, shape)


def pipe_is_closing() -> Fault:
    return Fault(0x800700E8, "w:InternalError", "The pipe is being closed. ", value="s:Receiver")


@dataclass(frozen=True)
class Request:
    """A request. `action` is the last word of the action's URI ("Create", "Receive"), or "Identify"."""

    action: str
    resource: str
    message_id: str
    shell_id: str | None
    operation_timeout: float
    options: dict[str, str] = field(default_factory=dict)
    body: ET.Element | None = None

    def text(self, name: str) -> str | None:
        """The text of the first element of this local name in the body, None where there is none."""
        for node in self.all(name):
            return node.text or ""
        return None

    def all(self, name: str) -> list[ET.Element]:
        """The elements of this local name in the body."""
        return [] if self.body is None else [node for node in self.body.iter() if node.tag.rpartition("}")[2] == name]

    def attribute(self, element: str, name: str) -> str:
        """An attribute of the first element of this local name in the body; "" where it is not there."""
        return next((node.get(name, "") for node in self.all(element)), "")

    def command_id(self) -> str:
        """The command that a Send, Receive or Signal is about; "" where it names none."""
        for node in [] if self.body is None else self.body.iter():
            if node.get("CommandId"):
                return node.get("CommandId", "")
        return ""


def read_request(text: bytes) -> Request:
    """Reads a request; raises Malformed."""
    try:
        root = ET.fromstring(text)
    except ET.ParseError as error:
        raise Malformed(f"not XML: {error}") from error
    body = root.find(f"{{{SOAP}}}Body")
    if body is not None and body.find(f"{{{IDENTIFY}}}Identify") is not None:
        return Request("Identify", "", "", None, 60.0)
    header = root.find(f"{{{SOAP}}}Header")
    action = None if header is None else header.findtext(f"{{{ADDRESSING}}}Action")
    if header is None or not action:
        raise Malformed("no action")
    selectors = {node.get("Name", ""): node.text or "" for node in header.iter(f"{{{WSMAN}}}Selector")}
    return Request(
        action.strip().rpartition("/")[2],
        (header.findtext(f"{{{WSMAN}}}ResourceURI") or "").strip(),
        (header.findtext(f"{{{ADDRESSING}}}MessageID") or "").strip(),
        selectors.get("ShellId"),
        seconds_of(header.findtext(f"{{{WSMAN}}}OperationTimeout") or "PT60S"),
        {node.get("Name", ""): node.text or "" for node in header.iter(f"{{{WSMAN}}}Option")},
        body,
    )


def seconds_of(duration: str) -> float:
    """Seconds of an xs:duration of hours, minutes and seconds ("PT1M30.5S")."""
    found = re.fullmatch(r"P(?:(\d+)D)?T(?:(\d+)H)?(?:(\d+)M)?(?:([\d.]+)S)?", duration.strip())
    if not found:
        raise Malformed(f"not a duration: {duration}")
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def reply(request: Request, action_uri: str, body: str) -> bytes:
    """An answer to a request, as bytes of XML."""
    return (
        f"{_OPENING}<s:Header><a:Action>{action_uri}</a:Action><a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID>"
        f"<a:To>{ANONYMOUS}</a:To><a:RelatesTo>{escape(request.message_id)}</a:RelatesTo></s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def identify_reply(note: str) -> bytes:
    """An answer to Identify."""
    return (
        f'<s:Envelope xml:lang="en-US" xmlns:s="{SOAP}"><s:Header/><s:Body>'
        f'<wsmid:IdentifyResponse xmlns:wsmid="{IDENTIFY}">'
        "<wsmid:ProtocolVersion>http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd</wsmid:ProtocolVersion>"
        f"<wsmid:ProductVendor>{escape(note)}</wsmid:ProductVendor>"
        "<wsmid:ProductVersion>OS: 10.0.20348 SP: 0.0 Stack: 3.0</wsmid:ProductVersion>"
        "</wsmid:IdentifyResponse></s:Body></s:Envelope>"
    ).encode()


def fault_reply(request: Request | None, fault: Fault) -> bytes:
    """A refusal, in the shape that it says."""
    reason = escape(fault.reason)
    if fault.shape == "wmi":
        name = "http://schemas.dmtf.org/wbem/wscim/1/cim-schema/2/MSFT_WmiError"
        detail = (
            f'<e:MSFT_WmiError xmlns:e="{name}"><e:CIMStatusCode>27</e:CIMStatusCode>'
            f"<e:error_Category>30</e:error_Category>"
            f"<e:error_Code>{fault.code}</e:error_Code><e:error_Type>HRESULT</e:error_Type><e:Message>{reason}</e:Message>"
            f"<e:MessageID>HRESULT 0x{fault.code:x}</e:MessageID></e:MSFT_WmiError>"
        )
    else:
        name = "http://schemas.microsoft.com/wbem/wsman/1/wsmanfault"
        detail = f'<f:WSManFault xmlns:f="{name}" Code="{fault.code}" Machine="lab">'
        detail += f"<f:Message>{reason}</f:Message></f:WSManFault>"
    relates = "" if request is None else f"<a:RelatesTo>{escape(request.message_id)}</a:RelatesTo>"
    return (
        f"{_OPENING}<s:Header><a:Action>http://schemas.dmtf.org/wbem/wsman/1/wsman/fault</a:Action>"
        f"<a:MessageID>uuid:{str(uuid.uuid4()).upper()}</a:MessageID><a:To>{ANONYMOUS}</a:To>{relates}</s:Header><s:Body><s:Fault>"
        f"<s:Code><s:Value>{fault.value}</s:Value><s:Subcode><s:Value>{fault.subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{reason}</s:Text></s:Reason>'
        f"<s:Detail>{detail}</s:Detail></s:Fault></s:Body></s:Envelope>"
    ).encode()
