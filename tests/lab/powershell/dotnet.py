"""The few objects of .NET that a frame around scripts is made of: encodings, streams, gzip, hashes, the console."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .convert import to_text
from .errors import TerminatingError
from .values import NOTHING, Byte, PsType, TypedArray, UnknownConstruct, Unsure

if TYPE_CHECKING:
    from .interpreter import Interpreter


def byte_array(data: bytes) -> TypedArray:
    return TypedArray([Byte(number) for number in data], "System.Byte")


class NetObject:
    """An object with methods in lower case, by name; `type_name` is what .NET calls it."""

    def __init__(
        self,
        type_name: str,
        methods: dict[str, Callable[..., Any]],
        properties: dict[str, Callable[[], Any]] | None = None,
    ) -> None:
        self.ps_type_names = (type_name, "System.Object")
        self.methods = methods
        self.properties = properties or {}

    def ps_get(self, name: str) -> Any:
        if name.lower() not in self.properties:
            raise UnknownConstruct(f"the property {name} of a {self.ps_type_names[0]}")
        return self.properties[name.lower()]()

    def ps_call(self, name: str, arguments: list[Any]) -> Any:
        if name.lower() not in self.methods:
            raise UnknownConstruct(f"the method {name} of a {self.ps_type_names[0]}")
        result = self.methods[name.lower()](*arguments)
        return NOTHING if result is None else result


def encoding(name: str, codec: str) -> NetObject:
    return NetObject(name, {
        "getstring": lambda data: bytes(data).decode(codec, "replace"),
        "getbytes": lambda text: byte_array(to_text(text).encode(codec, "replace")),
    })  # fmt: skip


class MemoryStream(NetObject):
    """System.IO.MemoryStream, without positions but at its end or its beginning."""

    def __init__(self, data: Any = b"") -> None:
        self.data = bytearray(bytes(data))
        closing = {"close": lambda: None, "dispose": lambda: None, "flush": lambda: None}
        super().__init__("System.IO.MemoryStream", {
            "toarray": lambda: byte_array(bytes(self.data)),
            "write": self.write, "copyto": lambda other: other.write(self.data, 0, len(self.data)),
            **closing}, {"length": lambda: len(self.data)})  # fmt: skip

    def write(self, data: Any, start: int, count: int) -> None:
        self.data += bytes(data)[start : start + count]


class GzipStream(NetObject):
    """System.IO.Compression.GZipStream: compresses when it is closed, as far as anyone can see."""

    def __init__(self, stream: MemoryStream, mode: Any, *leave_open: bool) -> None:
        self.stream, self.compressing, self.held = stream, to_text(mode) == "Compress", bytearray()
        super().__init__("System.IO.Compression.GZipStream", {
            "write": self.write, "close": self.close, "dispose": self.close, "flush": lambda: None,
            "copyto": lambda other: other.write(self.plain(), 0, len(self.plain()))})  # fmt: skip

    def write(self, data: Any, start: int, count: int) -> None:
        self.held += bytes(data)[start : start + count]

    def plain(self) -> bytes:
        return gzip.decompress(bytes(self.stream.data))

    def close(self) -> None:
        if self.compressing:
            self.stream.data += gzip.compress(bytes(self.held), mtime=0)
            self.compressing = False


def stream_reader(stream: Any, *_: Any) -> NetObject:
    plain = stream.plain if isinstance(stream, GzipStream) else lambda: bytes(stream.data)
    closing = {"close": lambda: None, "dispose": lambda: None}
    return NetObject("System.IO.StreamReader", {"readtoend": lambda: plain().decode("utf-8-sig", "replace"), **closing})


def sha256() -> NetObject:
    name = "System.Security.Cryptography.SHA256"
    return NetObject(
        name, {"computehash": lambda data: byte_array(hashlib.sha256(bytes(data)).digest()), "dispose": lambda: None}
    )


def from_base64(run: Interpreter, text: Any) -> TypedArray:
    try:
        return byte_array(base64.b64decode("".join(to_text(text).split()), validate=True))
    except ValueError:
        raise TerminatingError(
            Unsure("The input is not a valid Base-64 string."), exception_type="System.FormatException"
        ) from None


def console(run: Interpreter) -> NetObject:
    """[Console]::Out: what is written there stands before later output of the pipeline."""

    def write(text: Any = "") -> None:
        run.session.console.append(to_text(text))

    return NetObject(
        "System.IO.TextWriter",
        {"write": write, "writeline": lambda text="": write(to_text(text) + "\r\n"), "flush": lambda: None},
    )


# Static members, in the form of the table of methods, and constructors.
STATIC: dict[tuple[str, str], Callable[..., Any]] = {
    ("System.Convert", "::frombase64string()"): from_base64,
    ("System.Convert", "::tobase64string()"): lambda run, data: base64.b64encode(bytes(data)).decode(),
    ("System.Text.Encoding", "::utf8"): lambda run: encoding("System.Text.UTF8Encoding", "utf-8"),
    ("System.Text.Encoding", "::ascii"): lambda run: encoding("System.Text.ASCIIEncoding", "ascii"),
    ("System.Text.Encoding", "::unicode"): lambda run: encoding("System.Text.UnicodeEncoding", "utf-16-le"),
    ("System.Security.Cryptography.SHA256", "::create()"): lambda run: sha256(),
    ("System.BitConverter", "::tostring()"): lambda run, data: "-".join(f"{number:02X}" for number in data),
    ("System.Console", "::out"): console,
}
CONSTRUCTORS: dict[str, Callable[..., Any]] = {
    "System.Text.UTF8Encoding": lambda *_: encoding("System.Text.UTF8Encoding", "utf-8"),
    "System.IO.MemoryStream": lambda data=b"", *_: MemoryStream(data),
    "System.IO.Compression.GZipStream": GzipStream,
    "System.IO.StreamReader": stream_reader,
}


def set_static(owner: PsType, name: str) -> bool:
    """Whether a static property is one that may be set, to no effect here: the encodings of the console."""
    return owner.name == "System.Console" and name.lower() in ("outputencoding", "inputencoding")
