# Copyright (c) 2026 the winbackup.storage contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PowerShell Remoting ([MS-PSRP]) inside the shells of the lab's host: one script a pipeline, lines in, lines out.

What a real server has beyond that (commands and parameters, host calls that are answered, secure strings, disconnected
sessions) is refused by name.
"""

from __future__ import annotations

import base64
import re
import struct
import threading
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from xml.sax.saxutils import escape

from . import soap
from .processes import PowerShellError, Process

CLIENT = 1
SESSION_CAPABILITY, INIT_RUNSPACEPOOL, RUNSPACEPOOL_STATE = 0x00010002, 0x00010004, 0x00021005
APPLICATION_PRIVATE_DATA, CREATE_PIPELINE = 0x00021009, 0x00021006
PIPELINE_INPUT, END_OF_PIPELINE_INPUT, PIPELINE_OUTPUT = 0x00041002, 0x00041003, 0x00041004
ERROR_RECORD, PIPELINE_STATE, PIPELINE_HOST_CALL = 0x00041005, 0x00041006, 0x00041100
_OPENED, _STOPPED, _COMPLETED, _FAILED = 2, 3, 4, 5
_SET_SHOULD_EXIT = 6
_FRAGMENT_SIZE = 32768
_ESCAPED = re.compile(r"_x([0-9A-Fa-f]{4})_")
_TO_ESCAPE = re.compile("[\x00-\x1f\x7f-\x9f\U00010000-\U0010ffff]|_(?=x[0-9A-Fa-f]{4}_)")


@dataclass(frozen=True)
class Message:
    """One message, whole. `data` is XML, empty for the end of an input."""

    kind: int
    data: bytes


@dataclass
class _Incoming:
    """Joins the fragments of messages."""

    parts: dict[int, bytearray] = field(default_factory=dict)

    def messages(self, data: bytes) -> Iterator[Message]:
        while data:
            if len(data) < 21:
                raise soap.Malformed("a fragment of PSRP is too short")
            number, _, mark, length = struct.unpack(">QQBI", data[:21])
            part, data = data[21 : 21 + length], data[21 + length :]
            whole = self.parts.setdefault(number, bytearray())
            whole += part
            if mark & 2:
                kind = struct.unpack("<I", whole[4:8])[0]
                yield Message(kind, bytes(whole[40:]).removeprefix(b"\xef\xbb\xbf"))
                del self.parts[number]


class _Outgoing:
    """Fragments on their way to the client."""

    def __init__(self, pool_id: str, pipeline_id: str | None = None) -> None:
        self._ids = uuid.UUID(pool_id).bytes_le + (uuid.UUID(pipeline_id).bytes_le if pipeline_id else bytes(16))
        self._number = 0
        self._waiting: list[bytes] = []

    def add(self, kind: int, xml: str) -> None:
        whole = struct.pack("<II", CLIENT, kind) + self._ids + xml.encode()
        self._number += 1
        for place, start in enumerate(range(0, len(whole), _FRAGMENT_SIZE)):
            part = whole[start : start + _FRAGMENT_SIZE]
            mark = (1 if start == 0 else 0) | (2 if start + _FRAGMENT_SIZE >= len(whole) else 0)
            self._waiting.append(struct.pack(">QQBI", self._number, place, mark, len(part)) + part)

    def take(self, limit: int) -> bytes:
        """Whole fragments, one at least where there is any."""
        taken = b""
        while self._waiting and (not taken or len(taken) + len(self._waiting[0]) <= limit):
            taken += self._waiting.pop(0)
        return taken

    def __bool__(self) -> bool:
        return bool(self._waiting)


class RunspacePool:
    """A pool, opened by its first messages. `start(script)` runs a script as a process with standard streams."""

    exit_code = 0

    def __init__(self, pool_id: str, start: Callable[[str], Process]) -> None:
        self.id = pool_id
        self.start = start
        self._incoming, self._outgoing = _Incoming(), _Outgoing(pool_id)
        self._changed = threading.Condition()
        self._closed = False

    def write_stdin(self, data: bytes, end: bool) -> bool:
        """Takes fragments; raises soap.Malformed."""
        for message in self._incoming.messages(data):
            if message.kind == SESSION_CAPABILITY:
                continue
            if message.kind != INIT_RUNSPACEPOOL:
                raise soap.Malformed(f"the lab knows no PSRP message {message.kind:#010x} to a pool")
            with self._changed:
                self._outgoing.add(SESSION_CAPABILITY, _CAPABILITY)
                self._outgoing.add(APPLICATION_PRIVATE_DATA, _PRIVATE_DATA)
                self._outgoing.add(
                    RUNSPACEPOOL_STATE, f'<Obj RefId="0"><MS><I32 N="RunspaceState">{_OPENED}</I32></MS></Obj>'
                )
                self._changed.notify_all()
        return True

    def take(self, limit: int, seconds: float) -> tuple[list[tuple[str, bytes]], bool]:
        """Waits for fragments; as Process.take."""
        with self._changed:
            self._changed.wait_for(lambda: self._outgoing or self._closed, seconds)
            taken = self._outgoing.take(limit)
            return [("stdout", taken)] if taken else [], self._closed

    def terminate(self) -> None:
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Pipeline:
    """A script that runs: its input comes as strings, each line of its output goes as one, its errors go typed."""

    exit_code = 0

    def __init__(self, pool: RunspacePool, pipeline_id: str) -> None:
        self._pool = pool
        self._incoming, self._outgoing = _Incoming(), _Outgoing(pool.id, pipeline_id)
        self._process: Process | None = None
        self._out, self._err = b"", b""
        self._ended = False

    def write_stdin(self, data: bytes, end: bool) -> bool:
        """Takes fragments; raises soap.Malformed; False where nobody reads any more."""
        reads = True
        for message in self._incoming.messages(data):
            if message.kind == CREATE_PIPELINE:
                script, without_input = _script_of(message.data)
                self._process = self._pool.start(script)
                if without_input:
                    self._process.write_stdin(b"", True)
            elif self._process is None:
                raise soap.Malformed("a PSRP message to a pipeline that was not made")
            elif message.kind == PIPELINE_INPUT:
                reads = self._process.write_stdin(_string_of(message.data).encode() + b"\n", False)
            elif message.kind == END_OF_PIPELINE_INPUT:
                reads = self._process.write_stdin(b"", True)
            else:
                raise soap.Malformed(f"the lab knows no PSRP message {message.kind:#010x} to a pipeline")
        return reads

    def take(self, limit: int, seconds: float) -> tuple[list[tuple[str, bytes]], bool]:
        """Waits for fragments; as Process.take."""
        if not self._outgoing and not self._ended and self._process is not None:
            written, self._ended = self._process.take(1 << 30, seconds)
            self._out += b"".join(data for stream, data in written if stream == "stdout")
            self._err += b"".join(data for stream, data in written if stream == "stderr")
            self._send_lines()
            if self._ended:
                self._send_end(self._process)
        taken = self._outgoing.take(limit)
        return [("stdout", taken)] if taken else [], self._ended and not self._outgoing

    def terminate(self) -> None:
        if self._process is not None:
            self._process.terminate()

    def _send_lines(self) -> None:
        # An output object that holds line ends comes as several, which a client that joins lines does not see.
        *lines, self._out = self._out.split(b"\n")
        if self._ended and self._out:
            lines, self._out = [*lines, self._out], b""
        for line in lines:
            text = text_of(line.removesuffix(b"\r").decode("utf-8", "replace"))
            self._outgoing.add(PIPELINE_OUTPUT, f"<S>{text}</S>")

    def _send_end(self, process: Process) -> None:
        said, code = self._err.decode("utf-8", "replace").strip(), process.exit_code or 0
        records = process.records or ([PowerShellError(said, said)] if said else [])
        state, ending = _COMPLETED, ""
        if process.terminated:
            state = _STOPPED
        elif records and code:
            # An error that ends a pipeline comes with its state.
            state, ending = _FAILED, _error_record(records.pop(), ' N="ExceptionAsErrorRecord"')
        elif code:
            self._outgoing.add(PIPELINE_HOST_CALL, _host_call(_SET_SHOULD_EXIT, "SetShouldExit", code))
        for record in [] if process.terminated else records:
            self._outgoing.add(ERROR_RECORD, _error_record(record))
        self._outgoing.add(
            PIPELINE_STATE, f'<Obj RefId="0"><MS><I32 N="PipelineState">{state}</I32>{ending}</MS></Obj>'
        )


def encoded(script: str) -> str:
    """The command line of a PowerShell that runs a script."""
    return f"PowerShell -EncodedCommand {base64.b64encode(script.encode('utf-16-le')).decode()}"


def text_of(text: str) -> str:
    """A string as CLIXML writes it."""

    def code_units(found: re.Match[str]) -> str:
        units = found[0].encode("utf-16-be")
        return "".join(f"_x{units[place : place + 2].hex().upper()}_" for place in range(0, len(units), 2))

    return escape(_TO_ESCAPE.sub(code_units, text))


def _string_of(xml: bytes) -> str:
    node = _parsed(xml)
    if node.tag.rpartition("}")[2] != "S":
        raise soap.Malformed(f"the lab takes only strings as input of a pipeline, not {node.tag}")
    return _read(node.text)


def _script_of(xml: bytes) -> tuple[str, bool]:
    """The one script of a CREATE_PIPELINE, and whether it comes without input."""
    named = [(node.get("N"), node) for node in _parsed(xml).iter() if node.get("N")]
    commands = [node.text for name, node in named if name == "Cmd"]
    scripts = [node.text for name, node in named if name == "IsScript"]
    arguments = [one for name, node in named if name == "Args" for one in node.iter("Obj") if one is not node]
    if len(commands) != 1 or scripts != ["true"] or arguments:
        raise soap.Malformed("the lab takes only pipelines of one script without arguments")
    return _read(commands[0]), any(name == "NoInput" and node.text == "true" for name, node in named)


def _parsed(xml: bytes) -> ET.Element:
    try:
        return ET.fromstring(xml)
    except ET.ParseError as error:
        raise soap.Malformed(f"a PSRP message is not XML: {error}") from error


def _read(text: str | None) -> str:
    units = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text or "")
    return units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")


def _error_record(error: PowerShellError, name: str = "") -> str:
    said, category = text_of(error.message), f"{text_of(error.category)}: (:) [], {error.reason}"
    return (
        f'<Obj{name} RefId="10"><TN RefId="10"><T>System.Management.Automation.ErrorRecord</T><T>System.Object</T></TN>'
        f"<ToString>{said}</ToString><MS>"
        f'<Obj N="Exception" RefId="11"><ToString>{said}</ToString><Props>'
        f'<S N="Message">{said}</S></Props></Obj><Nil N="TargetObject"/>'
        f'<S N="FullyQualifiedErrorId">{text_of(error.error_id)}</S>'
        f'<Nil N="InvocationInfo"/><I32 N="ErrorCategory_Category">{error.number}</I32>'
        f'<S N="ErrorCategory_Activity"></S><S N="ErrorCategory_Reason">{error.reason}</S>'
        '<S N="ErrorCategory_TargetName"></S>'
        f'<S N="ErrorCategory_TargetType"></S><S N="ErrorCategory_Message">{category}</S>'
        '<B N="SerializeExtendedInfo">false</B></MS></Obj>'
    )


def _host_call(number: int, name: str, value: int) -> str:
    return (
        f'<Obj RefId="0"><MS><I64 N="ci">-100</I64><Obj N="mi" RefId="1"><TN RefId="0">'
        "<T>System.Management.Automation.Remoting.RemoteHostMethodId</T><T>System.Enum</T><T>System.ValueType</T>"
        f"<T>System.Object</T></TN><ToString>{name}</ToString><I32>{number}</I32></Obj>"
        '<Obj N="mp" RefId="2"><TN RefId="1"><T>System.Collections.ArrayList</T><T>System.Object</T></TN>'
        f"<LST><I32>{value}</I32></LST></Obj></MS></Obj>"
    )


_CAPABILITY = (
    '<Obj RefId="0"><MS><Version N="protocolversion">2.3</Version><Version N="PSVersion">2.0</Version>'
    '<Version N="SerializationVersion">1.1.0.1</Version></MS></Obj>'
)
_PRIVATE_DATA = (
    '<Obj RefId="0"><MS><Obj N="ApplicationPrivateData" RefId="1"><TN RefId="0">'
    "<T>System.Management.Automation.PSPrimitiveDictionary</T><T>System.Collections.Hashtable</T><T>System.Object</T>"
    '</TN><DCT><En><S N="Key">Lab</S><S N="Value">a model of Windows made from documentation</S></En></DCT>'
    "</Obj></MS></Obj>"
)
