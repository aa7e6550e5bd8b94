"""The few objects of .NET that the frame around scripts is made of: an encoding, streams, gzip, a hash, Base64."""

from __future__ import annotations

import base64
import gzip
import hashlib
from collections.abc import Callable
from typing import Any

from .errors import TerminatingError
from .values import NOTHING, EnumValue, UnknownConstruct, Unsure


class NetObject:
    """An object with methods, by their names in lower case; `type_name` is what .NET calls it."""

    def __init__(self, type_name: str, methods: dict[str, Callable[..., Any]]) -> None:
        self.ps_type_names = (type_name, "System.Object")
        self._methods = methods

    def ps_get(self, name: str) -> Any:
        raise UnknownConstruct(f"the property {name} of a {self.ps_type_names[0]}")

    def ps_call(self, name: str, arguments: list[Any]) -> Any:
        method = self._methods.get(name.lower())
        if method is None:
            raise UnknownConstruct(f"the method {name} of a {self.ps_type_names[0]}")
        try:
            result = method(*arguments)
        except (TypeError, ValueError, AttributeError) as problem:
            raise UnknownConstruct(f"these arguments of the method {name} ({problem})") from None
        return NOTHING if result is None else result


def utf8() -> NetObject:
    methods = {"getstring": lambda data: _bytes(data).decode("utf-8", "replace"), "getbytes": str.encode}
    return NetObject("System.Text.UTF8Encoding", methods)


def _bytes(data: Any) -> bytes:
    if not isinstance(data, bytes):
        raise TypeError("not an array of bytes")
    return data


class MemoryStream(NetObject):
    """System.IO.MemoryStream, empty at first."""

    def __init__(self) -> None:
        self.data = b""
        super().__init__("System.IO.MemoryStream", {"toarray": lambda: self.data, "close": lambda: None})


class GzipStream(NetObject):
    """System.IO.Compression.GZipStream: its stream has the data when it is closed, not before."""

    def __init__(self, stream: MemoryStream, mode: EnumValue) -> None:
        if mode.name != "Compress":
            raise UnknownConstruct("a GZipStream that decompresses")
        self._stream, self._held = stream, b""
        methods = {"write": self._write, "close": self._close}
        super().__init__("System.IO.Compression.GZipStream", methods)

    def _write(self, data: bytes, start: int, count: int) -> None:
        self._held += _bytes(data)[start : start + count]

    def _close(self) -> None:
        self._stream.data = gzip.compress(self._held, mtime=0)


def sha256() -> NetObject:
    return NetObject(
        "System.Security.Cryptography.SHA256", {"computehash": lambda data: hashlib.sha256(_bytes(data)).digest()}
    )


def from_base64(text: str) -> bytes:
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except ValueError:
        message = Unsure("The input is not a valid Base-64 string.")
        raise TerminatingError(message, exception_type="System.FormatException") from None


def to_base64(data: bytes) -> str:
    return base64.b64encode(_bytes(data)).decode()


def to_hexadecimal(data: bytes) -> str:
    return "-".join(f"{number:02X}" for number in _bytes(data))
